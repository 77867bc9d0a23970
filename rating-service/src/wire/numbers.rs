//! Numbers on the wire.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Number {
    /// With `+` and country code.
    #[schema(example = "+442079460001")]
    pub number: String,
    /// The one site it belongs to.
    pub site: String,
    /// `ddi`, or `main` if it is nominated as a main number.
    pub kind: String,
    /// `own` or `ported`.
    pub origin: String,
    /// `AVAILABLE`, `RESERVED`, `PENDING`, `ACTIVE` or `COOLDOWN`.
    pub state: String,
    /// Who holds it: an occupier's id, or the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Its extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// What its holder calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whom or what it is given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assignee>,
    /// The device that is logged in to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged_in: Option<String>,
    /// When its cool-off is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_off_until: Option<String>,
    /// Its own length of cool-off in days, in place of the site's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_off_days: Option<u16>,
    /// Who held it last, while it cools off. Not shown to occupiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_holder: Option<String>,
    /// The prospect it is kept for. Not shown to occupiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When it changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
}

/// Whom or what a number is given to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignee {
    /// `user`, `device`, `place` or `softphone`.
    pub kind: String,
    /// Which.
    pub id: String,
}

/// A number kept for an organisation that may become an occupier.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The id that the prospect has once it is an occupier.
    pub prospect: String,
    /// From when on the hold counts no more.
    #[schema(example = "2026-12-01T00:00:00Z")]
    pub until: String,
    /// How many lines it is about to contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contracted_lines: Option<u32>,
}

/// Which numbers; the list and its CSV take the same.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NumberFilter {
    /// What the page before gave as `next`.
    pub after: Option<String>,
    /// How many, 1 to 500; 100 if left out. The CSV has all.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<i64>,
    /// `AVAILABLE`, `RESERVED`, `PENDING`, `ACTIVE` or `COOLDOWN`.
    pub state: Option<String>,
    /// Held by this organisation.
    pub holder: Option<String>,
    /// `ddi` or `main`.
    pub kind: Option<String>,
    /// Kept for a prospect now (`true`); any if left out.
    #[serde(default)]
    pub held: bool,
    /// Digits of the number or the extension, or a part of the label.
    pub search: Option<String>,
    /// At this site, where the route does not say it.
    pub site: Option<String>,
}

/// Which numbers a command is about: a list, or a range with both ends.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// One by one.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// The first of a range.
    #[serde(default)]
    pub first: Option<String>,
    /// The last of a range.
    #[serde(default)]
    pub last: Option<String>,
}

/// New numbers for a site's pool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// Which.
    pub which: Target,
    /// `ddi` (also if left out) or `main`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Their own length of cool-off in days, 1 to 999; left out: the site's.
    #[serde(default)]
    pub cool_off_days: Option<u16>,
    /// Since when they are in the pool, a day at the site or an instant with its offset, not in the future; left out, now.
    #[serde(default)]
    pub at: Option<String>,
    /// Whether numbers that can be provisioned are, if others cannot: otherwise all or none.
    #[serde(default)]
    pub each_by_itself: bool,
}

/// What an operator does to numbers of a site.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorCommand {
    /// Which.
    pub which: Target,
    /// What.
    pub command: OperatorAction,
    /// Since when, an instant with its offset, not in the future; left out, now. The history keeps both: since when it
    /// holds, and when it was said.
    #[serde(default)]
    pub at: Option<String>,
    /// Whether numbers that can be changed are, if others cannot: otherwise all or none.
    #[serde(default)]
    pub each_by_itself: bool,
}

/// What an operator can do to a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorAction {
    /// Reserve it for an organisation.
    Allocate {
        /// An occupier's id, or the operator's.
        holder: String,
        /// The extension of the first number, the others counting up from it.
        #[serde(default)]
        extension: Option<String>,
    },
    /// Bring it from another network, reserved for the organisation that brings it.
    PortIn {
        /// An occupier's id, or the operator's.
        holder: String,
        /// The extension of the first number, the others counting up from it.
        #[serde(default)]
        extension: Option<String>,
        /// `ddi` (also if left out) or `main`.
        #[serde(default)]
        kind: Option<String>,
    },
    /// Put it to use.
    Activate {},
    /// Take it out of use; it stays with its holder.
    Deactivate {},
    /// Take it from its holder.
    Deallocate {},
    /// The change under way at the site was made.
    Confirm {},
    /// The change under way at the site could not be made.
    Fail {
        /// What the site said.
        reason: String,
    },
    /// Mark it as able to be a main number.
    Nominate {},
    /// Take that back.
    WithdrawNomination {},
    /// Set its own length of cool-off; null: the site's.
    SetCoolOff {
        /// 1 to 999.
        days: Option<u16>,
    },
    /// Keep it for a prospect.
    Hold(Hold),
    /// Keep it no more.
    Unhold {},
}

/// Ending a cool-off early.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Which.
    pub which: Target,
    /// Why: stands in the history.
    pub reason: String,
}

/// What is done with numbers in use, by their holder or for it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderCommand {
    /// Which number.
    pub number: String,
    /// What.
    pub command: HolderAction,
}

/// What a holder can do with a number in use.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HolderAction {
    /// Give it to a user, a device, a place or a softphone.
    Assign(Assignee),
    /// Take it from them.
    Unassign {},
    /// Log a device in to it.
    LogIn {
        /// Which.
        device: String,
    },
    /// Log the device out.
    LogOut {},
    /// Call it something; null: nothing.
    Label {
        /// What.
        label: Option<String>,
    },
}

/// What became of each number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Outcomes {
    /// How many numbers were changed.
    pub done: usize,
    /// How many were refused. If all were to go together, one refusal means that none was changed.
    pub refused: usize,
    /// Each number, in the order asked.
    pub outcomes: Vec<Outcome>,
}

/// What became of one number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Which; of an import's row, what it says.
    pub number: String,
    /// The row of an import, the header being row 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<usize>,
    /// What happened: `allocated`, `activated`, …; empty if refused.
    pub happened: Vec<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Why a number was refused.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// Stable.
    pub code: String,
    /// What is the matter.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How many numbers of a site there are, by state.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Inventory {
    /// In the pool, for anybody.
    pub available: i64,
    /// In the pool, kept for a prospect.
    pub kept: i64,
    /// Held by occupiers, not in use.
    pub reserved: i64,
    /// A change is under way.
    pub pending: i64,
    /// In use by occupiers.
    pub active: i64,
    /// Cooling off.
    pub cooling_off: i64,
    /// The operator's own, in any state.
    pub operators_own: i64,
    /// All but the operator's own.
    pub sellable: i64,
    /// All.
    pub total: i64,
}

/// Numbers of a site that follow one another without a gap, of one kind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NumberRange {
    /// The first.
    #[schema(example = "+442079460100")]
    pub first: String,
    /// The last.
    #[schema(example = "+442079460199")]
    pub last: String,
    /// `ddi` or `main`.
    pub kind: String,
    /// `own` or `ported`.
    pub origin: String,
    /// How many, by state.
    #[serde(flatten)]
    pub counts: Inventory,
}

/// What is kept for a prospect at a site.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// For whom and until when.
    #[serde(flatten)]
    pub hold: Hold,
    /// How many numbers.
    pub count: usize,
    /// The first of them.
    pub first: String,
    /// The last of them.
    pub last: String,
}

/// What is on record of a number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// What happened to it, oldest first.
    pub events: Vec<NumberEvent>,
    /// Who held it when, with rows that others took the place of.
    pub allocations: Vec<AllocationRow>,
}

/// What happened to a number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NumberEvent {
    /// Since when it holds.
    pub at: String,
    /// When it became known.
    pub recorded_at: String,
    /// Who did it.
    pub actor: String,
    /// What.
    pub what: String,
    /// More.
    pub details: serde_json::Value,
}

/// Who held a number when: a row of the history. Rows are never changed; another takes a row's place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AllocationRow {
    /// Its id.
    pub id: String,
    /// Who held it; absent if this row takes another back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// With which extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// From when.
    pub from: String,
    /// Until when; absent: still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When it became known.
    pub recorded_at: String,
    /// The row it takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// Whether it is in force: no other took its place.
    pub in_force: bool,
}

/// Who held a number at an instant.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HolderAt {
    /// The instant asked about.
    pub at: String,
    /// Who held it then; absent if nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// With which extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
}
