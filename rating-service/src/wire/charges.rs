//! What calls cost, on the wire. Amounts are exact decimals as text, by currency; times are seconds as text, with as many
//! decimals as the reports have. What the level of information switches off is absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Charged calls, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sums {
    /// How many; at 0.00 too.
    pub calls: u64,
    /// Their talk time, in seconds.
    #[schema(example = "3724.5")]
    pub duration_s: String,
    /// Their time after minimum and increments, in seconds.
    #[schema(example = "3780")]
    pub billed_duration_s: String,
    /// What they cost before tax, by currency.
    #[schema(example = json!({ "GBP": "12.3456" }))]
    pub charge: BTreeMap<String, String>,
    /// Their VAT by currency, where the tariff works it out call by call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vat: BTreeMap<String, String>,
}

/// What an occupier's calls cost, month by month.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Spend {
    /// The occupier.
    pub occupier: String,
    /// Its name.
    pub name: String,
    /// Months, the newest last.
    pub months: Vec<MonthOfSpend>,
}

/// What an occupier's calls of a month cost.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MonthOfSpend {
    /// `2026-10`.
    pub month: String,
    /// Whether it is not over yet at any of the sites: what stands here is as far as it has come.
    pub provisional: bool,
    /// All sites together, if sums are shown and there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Sums>,
    /// Site by site.
    pub sites: Vec<SiteOfSpend>,
}

/// Whether the charges of a month are there at a site, and if not, why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct State {
    /// The site.
    pub site: String,
    /// Its name.
    pub site_name: String,
    /// Its clock.
    #[schema(example = "Europe/London")]
    pub zone: String,
    /// Whether they are there.
    pub available: bool,
    /// Whether the month is not over: as far as it has come.
    pub provisional: bool,
    /// The day that a month that is not over has come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The run that they are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Why not: `telephony-not-managed`, `month-not-complete`, `no-voice-service`, `not-published`, `no-data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The first instant at which they can be there, if that lies ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
}

/// What an occupier's calls of a month at a site cost.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SiteOfSpend {
    /// Whether that is there.
    #[serde(flatten)]
    pub state: State,
    /// All calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Sums>,
}

/// An occupier's charges of a month, site by site: nothing is added up across sites.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MonthOfCharges {
    /// The occupier.
    pub occupier: String,
    /// Its name.
    pub name: String,
    /// `2026-10`.
    pub month: String,
    /// What of the calls the caller is shown.
    pub level: Level,
    /// Each site.
    pub sites: Vec<SiteOfCharges>,
}

/// What of an occupier's calls somebody is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ShownLevel)]
pub struct Level {
    /// Sums.
    pub summary: bool,
    /// Calls one by one.
    pub itemised: bool,
    /// The numbers at the other end in full, not masked.
    pub called_in_full: bool,
    /// The month before it is over.
    pub usage_to_date: bool,
    /// What is left of allowances.
    pub allowance_left: bool,
}

/// An occupier's charges of a month at a site. Each list equals the published report of its name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SiteOfCharges {
    /// Whether they are there.
    #[serde(flatten)]
    pub state: State,
    /// All charged calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Sums>,
    /// By destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<OfDestination>>,
    /// By extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Vec<OfExtension>>,
    /// By day of the week and hour at the site; hours without a charged call left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<OfHour>>,
    /// What became of the calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Counts>,
    /// The ten calls that cost most, in each currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dearest: Option<Vec<Call>>,
    /// The ten longest calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Vec<Call>>,
    /// Allowances, what was used and what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowances: Option<Vec<Allowance>>,
}

/// Charged calls to a destination.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfDestination {
    /// The destination's name in the tariff.
    pub destination: String,
    /// The calls.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Charged calls of an extension; or of a number, where no extension is known.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfExtension {
    /// The extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Its number; none if it had two in the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The label that the number has now, if the occupier still holds it and the caller may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The calls.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Charged calls of an hour of the week.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfHour {
    /// 1 (Monday) to 7 (Sunday).
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: u8,
    /// 0 to 23, on the site's clock.
    #[schema(maximum = 23)]
    pub hour: u8,
    /// The calls.
    #[serde(flatten)]
    pub sums: Sums,
}

/// What became of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// All.
    pub calls: u64,
    /// Charged, at 0.00 too.
    pub charged: u64,
    /// Not chargeable: inbound, internal, unanswered, emergency.
    pub not_chargeable: u64,
    /// Charged to nobody for now.
    pub suspended: u64,
}

/// A call, as far as the caller is shown it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Call {
    /// What it is named by here, in every version of its month.
    #[schema(example = "3f2a91c07be4d518")]
    pub id: String,
    /// What the switch calls it.
    pub call_id: String,
    /// The site.
    pub site: String,
    /// When it was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// The instant that decides month, price and holder: the answer.
    pub charged_at: String,
    /// The extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// The occupier's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calling: Option<String>,
    /// The digits keyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialled: Option<String>,
    /// Who was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The destination's name in the tariff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The class of the called number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// `outbound`, `inbound`, `internal`, `forwarded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// Whether anybody answered.
    pub answered: bool,
    /// Talk time in seconds.
    pub duration_s: String,
    /// After minimum and increments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_duration_s: Option<String>,
    /// Taken from allowances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance_taken_s: Option<String>,
    /// What it costs, before tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// VAT, where the tariff works it out call by call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat: Option<String>,
    /// Currency of the cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The tariff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff: Option<String>,
    /// The tariff's band of the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
    /// `charged`, `not chargeable` or `suspended`.
    pub status: String,
    /// The stable code of the latter two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The closed month that a late call corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusts_month: Option<String>,
}

/// How an allowance stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Allowance {
    /// Its name.
    pub allowance: String,
    /// The group that shares it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `allowance` or `tier` and the like, as the report has it.
    pub kind: String,
    /// The line that it is of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// First day.
    pub period_from: String,
    /// The day after the last.
    pub period_until: String,
    /// What was granted, by unit: `s` (seconds), `calls`, `money`.
    pub granted: BTreeMap<String, String>,
    /// What was carried over from the period before.
    pub carried: BTreeMap<String, String>,
    /// What was used.
    pub used: BTreeMap<String, String>,
    /// What is left.
    pub left: BTreeMap<String, String>,
    /// Calls that it covered, wholly or in part.
    pub calls: u64,
    /// What they would have cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
    /// Currency of money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How it stands.
    pub status: String,
}

/// A page of calls.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Calls {
    /// The month.
    pub month: String,
    /// The run that they are of.
    pub run: String,
    /// Whether the month is not over.
    pub provisional: bool,
    /// The calls, in time.
    pub items: Vec<Call>,
    /// Where the next page begins: send it as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why a call costs what it costs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    /// The call.
    pub id: String,
    /// Its month.
    pub month: String,
    /// The run that it is of.
    pub run: String,
    /// In words, line by line; absent where numbers are masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// As data: `rating explain --format json` has the same.
    #[schema(value_type = Object)]
    pub explanation: serde_json::Value,
}
