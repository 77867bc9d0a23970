//! What an explanation holds, as JSON has it. Amounts are exact texts in the currency's major unit (a decimal number, or a
//! fraction where that has no end); times are texts in seconds.

use serde::Serialize;

use crate::money::{Price, Rounding};
use crate::number::Party;
use crate::number::numbering::Description;
use crate::time::Duration;

/// Why a call costs what it costs.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// For whom it was made: `operator` or `occupier`.
    pub audience: &'static str,
    /// Where the record stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordView>,
    /// What happened.
    pub call: CallView,
    /// Who pays, and why.
    pub holder: HolderView,
    /// What it costs, and why. Empty for a record that waits.
    pub sides: Vec<SideView>,
    /// The records of a call that has several; or what a record waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assembly: Option<AssemblyView>,
}

/// How records became one call, or why they have not yet.
#[derive(Clone, Debug, Serialize)]
pub struct AssemblyView {
    /// Why that record stands for the call, and who pays for it; or what has not come.
    pub because: String,
    /// The code of what a waiting record waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<&'static str>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
    /// The records, in time.
    pub records: Vec<MemberView>,
}

/// A record of a call that has several.
#[derive(Clone, Debug, Serialize)]
pub struct MemberView {
    /// Where it stands, as `file@offset`; the operator alone is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What it is: `leg`, `beginning`, `stretch`, …
    pub what: String,
    /// `stands for the call`, `merged`, `tells how a party came in`, `waits`.
    pub role: &'static str,
    /// When it was set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_at: Option<String>,
    /// When it was answered, by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
    /// Its own talk time.
    pub talk_s: String,
}

/// A record of a switch.
#[derive(Clone, Debug, Serialize)]
pub struct RecordView {
    /// The file, relative to the project.
    pub file: String,
    /// Offset of its first byte, uncompressed.
    pub offset: u64,
    /// The record itself.
    pub as_written: String,
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
pub struct CallView {
    /// What the switch calls it.
    pub id: String,
    /// The site whose reports it belongs to.
    pub site: String,
    /// The clock of that site, by which times are shown.
    pub zone: String,
    /// Which way it went.
    pub direction: &'static str,
    /// When it was set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_at: Option<String>,
    /// The instant that decides holder, month, tariff version, row and band: the answer.
    pub charged_at: String,
    /// The same in UTC.
    pub charged_at_utc: String,
    /// The other reading of a local time that the clock showed twice, or never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_reading: Option<String>,
    /// Whether anybody answered.
    pub answered: bool,
    /// Talk time.
    pub duration_s: String,
    /// The digits keyed.
    pub dialled: String,
    /// Whom they stand for.
    pub called: NumberView,
    /// Who called.
    pub calling: NumberView,
    /// Who sent the call on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarder: Option<NumberView>,
}

/// A party of a call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NumberView {
    /// `number`, `extension`, `short code`, …
    pub kind: &'static str,
    /// The number or text, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its class by the numbering plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// The digits that make it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_digits: Option<String>,
    /// Whether only rows that are meant for the class price it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_is_protected: Option<bool>,
    /// Country, type and place by the world's numbering plans. No price comes of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbering: Option<NumberingView>,
}

/// What the numbering plans say of a number, as in [`Description`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NumberingView {
    /// ISO 3166-1 code, or `001` for codes of the whole world.
    pub region: Option<&'static str>,
    /// Its stable name.
    #[serde(rename = "type")]
    pub number_type: &'static str,
    /// In English.
    pub place: Option<&'static str>,
    /// All in words.
    #[serde(skip)]
    pub(super) described: Description,
}

impl From<Description> for NumberingView {
    fn from(described: Description) -> Self {
        let Description { region, number_type, place } = described;
        Self { region, number_type: number_type.name(), place, described }
    }
}

impl NumberView {
    pub(super) fn of(party: Party<'_>) -> Self {
        let text = |text: &[u8]| Some(super::words(text));
        let (kind, number) = match party {
            Party::Number(number) => ("number", Some(number.to_string())),
            Party::Extension(digits) => ("extension", Some(digits.to_string())),
            Party::Emergency(digits) => ("emergency number", Some(digits.to_string())),
            Party::ShortCode(digits) => ("short code", Some(digits.to_string())),
            Party::Feature(bytes) => ("feature", text(bytes)),
            Party::Name(bytes) => ("name", text(bytes)),
            Party::Withheld => ("withheld", None),
            Party::Unclassified(bytes) => ("no number", text(bytes)),
            Party::Missing => ("missing", None),
        };
        Self { kind, number, ..Self::default() }
    }
}

/// Who pays; or why that is not known.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HolderView {
    /// Id of the payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it was found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// That rule in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// The number held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The extension it is reported under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// The row of the allocations that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation: Option<String>,
    /// From when it was held; nothing for always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_from: Option<String>,
    /// Until when: the first moment outside; nothing for an open end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<String>,
    /// Why nobody is known to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// One side of a call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SideView {
    /// `retail`: what the payer is charged; `wholesale`: what the carrier charges the operator.
    pub side: &'static str,
    /// `rated`, `not chargeable` or `suspended`.
    pub status: &'static str,
    /// Why there is no charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The tariff that applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff: Option<TariffView>,
    /// The rows whose keys match, the most specific first.
    pub candidates: Vec<CandidateView>,
    /// The rows that price it, from when on: one, unless the tariff's version ends during the call.
    pub parts: Vec<PartView>,
    /// What it is charged for.
    pub charges: Vec<ChargeView>,
    /// What allowances and volume tiers made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<AllowanceView>,
    /// From the charges to the one amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<SumView>,
    /// Where calls of the row go, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The amount just before the rounding of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrounded: Option<String>,
    /// What is posted: that of the sum, or what allowances and volume tiers leave of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
}

/// A tariff.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TariffView {
    /// The one that the payer and site are on.
    pub id: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The settings file of the version in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From when the version is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A row whose key matches.
#[derive(Clone, Debug, Serialize)]
pub struct CandidateView {
    /// Whether it decides.
    pub decides: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What it is found by, as decks write it.
    pub key: String,
    /// Its destination.
    pub destination: String,
    /// What else it asks for: columns and what stands in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<(String, String)>,
    /// From when it applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// `blocked` or `unknown`, if it has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// Its tariff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff: Option<String>,
    /// Its deck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// A row that prices the call, or the part of it that one version prices.
#[derive(Clone, Debug, Serialize)]
pub struct PartView {
    /// From when on, in charged time from the answer.
    pub from_s: String,
    /// What the row is found by.
    pub key: String,
    /// Where calls of it go.
    pub destination: String,
    /// Its tariff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff: Option<String>,
    /// The settings file of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_file: Option<String>,
    /// Its deck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The clock by which its bands are read.
    pub time: TimeView,
    /// Who gets the time that rounding up adds at an edge: `end`, `next` or `alone`.
    pub overrun: &'static str,
    /// When the minimum is applied.
    pub minimum_stage: &'static str,
}

/// When that is on the clock that counts.
#[derive(Clone, Debug, Serialize)]
pub struct TimeView {
    /// The zone of the clock.
    pub zone: String,
    /// The beginning of the part on that clock.
    pub local: String,
    /// What kind of day that is to the tariff: `mon` to `sun`, `holiday`, or one of its own.
    pub day_type: String,
    /// The band at that time.
    pub band: String,
}

/// A charge: the row's own usage (without a name), a named one, or a surcharge.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChargeView {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `usage`, `access`, `service` or `surcharge`.
    pub tag: &'static str,
    /// Which of the side's parts it is of.
    pub part: usize,
    /// A call shorter than this is free; nothing for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_below_s: Option<String>,
    /// Whether it is.
    pub is_free: bool,
    /// How talk time is rounded first: `up 1s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_rounding: Option<(String, String)>,
    /// Taken off the talk time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtract_s: Option<String>,
    /// At least so much is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_duration_s: Option<String>,
    /// Talk time after all that.
    pub charged_s: String,
    /// First increment; nothing where it is the time that the price is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_increment_s: Option<String>,
    /// Its steps.
    pub steps: Vec<StepView>,
    /// Time billed.
    pub billed_s: String,
    /// The call, stretch by stretch.
    pub stretches: Vec<StretchView>,
    /// What is due once for steps that are reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<EntryView>,
    /// What it is worked out from, if it is a mark-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_up: Option<MarkUpView>,
    /// All stretches and entries together.
    pub stretches_sum: String,
    /// The most that usage costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<CapView>,
    /// How usage is rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_rounding: Option<RoundingView>,
    /// Usage after cap and rounding.
    pub usage: String,
    /// Once per call.
    pub connection: String,
    /// The least that it comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    /// Whether that was more.
    pub minimum_applied: bool,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
    /// Whether that was less.
    pub maximum_applied: bool,
    /// How it is rounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounding: Option<RoundingView>,
    /// What it comes to.
    pub amount: String,
    /// Whether it is added after the call is rounded.
    pub after_rounding: bool,
}

/// A step of a charge.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// Where it begins, in charged time from the answer.
    pub from_s: String,
    /// Its further increment; nothing where it is the time that the price is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub further_increment_s: Option<String>,
}

/// A stretch at one price.
#[derive(Clone, Debug, Serialize)]
pub struct StretchView {
    /// Where it begins, in charged time from the answer.
    pub from_s: String,
    /// How much charged time lies in it.
    pub length_s: String,
    /// How much of it is billed.
    pub billed_s: String,
    /// How much of that an allowance has paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered_s: Option<String>,
    /// The step, from 0.
    pub step: u16,
    /// The band.
    pub band: String,
    /// The price.
    pub price: String,
    /// The time that it is for; 0 for the call as a whole.
    pub per_s: String,
    /// What it comes to.
    pub amount: String,
}

/// What is due for a step that is reached.
#[derive(Clone, Debug, Serialize)]
pub struct EntryView {
    /// The step, from 0.
    pub step: u16,
    /// Where it begins.
    pub from_s: String,
    /// What is due.
    pub amount: String,
}

/// A cap.
#[derive(Clone, Debug, Serialize)]
pub struct CapView {
    /// The most.
    pub charge: String,
    /// For so much billed time; nothing for the whole call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_s: Option<String>,
    /// What comes after: `price`, `free`, `whole`, or a price of its own.
    pub then: &'static str,
    /// That price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then_price: Option<String>,
    /// The time that it is for; 0 for once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then_per_s: Option<String>,
    /// Whether it made a difference.
    pub applied: bool,
}

/// A mark-up of the carrier's charge.
#[derive(Clone, Debug, Serialize)]
pub struct MarkUpView {
    /// The carrier's charge.
    pub carrier_charge: String,
    /// Multiplied by this.
    pub factor: String,
}

/// A rounding.
#[derive(Clone, Debug, Serialize)]
pub struct RoundingView {
    /// `up`, `down`, `half-up`, `half-even`.
    pub rule: &'static str,
    /// To multiples of this.
    pub step: String,
}

impl RoundingView {
    pub(super) fn of(rounding: Rounding) -> Self {
        Self { rule: rounding.rule.name(), step: rounding.step.to_string() }
    }
}

/// What allowances and volume tiers made of the charge, with the other calls of the payer's period taken together.
#[derive(Clone, Debug, Serialize)]
pub struct AllowanceView {
    /// Time taken from allowances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_s: Option<String>,
    /// How much of the charged time, from the answer on, they cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered_s: Option<String>,
    /// What the call would cost without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_without: Option<String>,
    /// Whether the sum shows it; if not, the sum is that of the call without allowances.
    pub is_in_the_sum: bool,
}

/// From the charges to the amount.
#[derive(Clone, Debug, Serialize)]
pub struct SumView {
    /// All charges but those added after the rounding.
    pub charges: String,
    /// The least that the call costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    /// Whether that was more.
    pub minimum_applied: bool,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
    /// Whether that was less.
    pub maximum_applied: bool,
    /// Whether the call is too short to be charged, so that no minimum counts.
    pub is_free: bool,
    /// The rounding of the call; without one, the ledger's: to ten decimals, half up.
    pub rounding: RoundingView,
    /// Whether the tariff names it.
    pub rounding_named: bool,
    /// Charges added after the rounding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_rounding: Option<String>,
    /// What that comes to, posted to ten decimals.
    pub charge: String,
}

/// Seconds with as many decimals as needed.
pub(super) fn seconds(duration: Duration) -> String {
    let text = duration.to_string();
    text.strip_suffix('s').unwrap_or(&text).to_owned()
}

/// A price, unless it is zero.
pub(super) fn unless_zero(price: Price) -> Option<String> {
    (price != Price::ZERO).then(|| price.ratio().to_string())
}

/// A duration, unless it is zero.
pub(super) fn unless_none(duration: Duration) -> Option<String> {
    (duration != Duration::ZERO).then(|| seconds(duration))
}
