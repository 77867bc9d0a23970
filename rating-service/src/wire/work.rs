//! What the operator works with, on the wire: spend, exceptions, comparisons, alerts. Amounts are exact decimals as text, by
//! currency.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the calls of a month come to, for the operator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MonthOfSites {
    /// `2026-10`.
    pub month: String,
    /// Whether there is anything of it.
    pub available: bool,
    /// `in_force`, `provisional` or `checked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
    /// The day that a month that is not over has come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Site by site.
    pub sites: Vec<OfSite>,
    /// By site and payer; the operator's own calls first, those of nobody known last.
    pub payers: Vec<OfPayer>,
}

/// What calls come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amounts {
    /// What occupiers are charged.
    pub client: BTreeMap<String, String>,
    /// What the operator is charged.
    pub operator: BTreeMap<String, String>,
    /// The first less the second; absent where a charge of the carrier is missing or in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Of them, charged.
    pub billable_calls: u64,
    /// Of them, not chargeable.
    pub not_chargeable_calls: u64,
    /// Of them, suspended on the payer's side.
    pub suspended_calls: u64,
    /// Of them, without the carrier's charge.
    pub wholesale_missing_calls: u64,
    /// What the other side of suspended calls comes to.
    pub at_stake: BTreeMap<String, String>,
}

/// What the calls of a site come to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfSite {
    /// The site.
    pub site: String,
    /// Its name.
    pub name: String,
    /// Its clock.
    pub zone: String,
    /// The calls.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// What the calls of a payer at a site come to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfPayer {
    /// The site.
    pub site: String,
    /// The payer; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The calls.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// What was not rated, or needs a look, as a list of work.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Exceptions {
    /// The month.
    pub month: String,
    /// The run that they are of.
    pub run: String,
    /// `in_force`, `superseded`, `checked` or `provisional`.
    pub standing: String,
    /// Groups: what is to be done first, the most calls first.
    pub groups: Vec<ExceptionGroup>,
}

/// Calls or records with the same reason and key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ExceptionGroup {
    /// `suspended`, `rejected`, `near duplicate`, `duplicate` or `not rated`.
    pub kind: String,
    /// Stable code.
    #[schema(example = "attribution.number_not_allocated")]
    pub reason: String,
    /// `retail` or `wholesale`, of suspended calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// The site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What the key is: `number`, `extension`, `dialled`, `payer`, `tariff`, `prefix` or `source`.
    pub key_kind: String,
    /// What they have in common besides the reason.
    pub key: String,
    /// Who would pay, as far as that is known; of suspended calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payers: Vec<Payer>,
    /// How many.
    pub count: u64,
    /// Talk time in seconds, where it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<String>,
    /// What their other side comes to.
    pub at_stake: BTreeMap<String, String>,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Instance>,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Instance>,
    /// The first record, `file@offset`, where calls cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether anything is to be done.
    pub needs_action: bool,
    /// What to do.
    pub fix: String,
    /// The command that helps, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The route that mends it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Payer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is an occupier; if not, it is the operator itself.
    pub occupier: bool,
}

/// One call of a group.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// When it was charged.
    pub at: String,
    /// Its id: `GET /api/v1/months/{month}/calls/{call}/explanation`.
    pub call: String,
}

/// What lies between two versions of a month.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The month.
    pub month: String,
    /// The run compared with.
    pub before: String,
    /// The run compared.
    pub after: String,
    /// Whether all calls are the same.
    pub same: bool,
    /// What went into them and is not the same.
    pub inputs: Vec<String>,
    /// Calls in the first.
    pub calls_before: u64,
    /// Calls in the second.
    pub calls_after: u64,
    /// Calls that only the second has.
    pub added: u64,
    /// Calls that only the first has.
    pub removed: u64,
    /// Calls that are not the same.
    pub changed: u64,
    /// All money of both.
    pub totals: Vec<Money>,
    /// By cause, and what it was.
    pub causes: Vec<Line>,
    /// By site.
    pub sites: Vec<Line>,
    /// By site and payer.
    pub payers: Vec<Line>,
    /// By destination.
    pub destinations: Vec<Line>,
    /// By day at the site.
    pub days: Vec<Line>,
    /// Calls that are suspended in one alone: what happened, the side, the reason.
    pub suspended: Vec<Line>,
}

/// Amounts of one side and currency.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// `retail` or `wholesale`.
    pub side: String,
    /// The currency.
    pub currency: String,
    /// In the first.
    pub before: String,
    /// In the second.
    pub after: String,
    /// The second less the first.
    pub difference: String,
}

/// Calls that are not the same and have something in common.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// What they have in common.
    pub names: Vec<String>,
    /// How many.
    pub calls: u64,
    /// What they come to.
    pub money: Vec<Money>,
}

/// What needs somebody's eyes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Alerts {
    /// What is pressing first.
    pub items: Vec<Alert>,
}

/// One thing that needs somebody's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Stable: `month.waiting_for_approval`, `month.waiting_for_publication`, `month.not_checked`, `month.refused`,
    /// `calls.suspended`, `source.no_files`, `contract.ending_with_numbers`, `hold.expiring`, `portal.never_visited`.
    pub code: String,
    /// `now` or `soon`.
    pub urgency: String,
    /// What is the matter, in words.
    pub text: String,
    /// Where to go: a route of this interface.
    pub route: String,
    /// The site, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What it is about: the month, the switch, the contract, the prospect, the occupier.
    pub about: String,
    /// How many calls or numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// When it happens, or since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}
