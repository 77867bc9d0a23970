//! Switches, files, assignments and months on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A switch whose files are rated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// Id in reports, and name of the folder of its files.
    #[schema(example = "ldn-pbx")]
    pub id: String,
    /// The site it stands at.
    pub site: String,
    /// Its settings.
    pub settings: SourceSettings,
    /// When it was made.
    pub created_at: String,
}

/// A new switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// Id in reports, and name of the folder of its files; it stays.
    pub id: String,
    /// The site it stands at; it stays.
    pub site: String,
    /// Its settings.
    pub settings: SourceSettings,
}

/// A switch's settings, to be put in the place of those it has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// What it writes: `asterisk`, `cisco-cucm`, … (`rating inspect` tells).
    #[schema(example = "asterisk")]
    pub format: String,
    /// IANA zone of its clock, which need not be the site's.
    #[schema(example = "Europe/London")]
    pub zone: String,
    /// Further keys of `[[source]]` as TOML.
    #[serde(default)]
    #[schema(example = "trunks = [\"PJSIP/carrier*\"]")]
    pub further: String,
}

/// A file of a switch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CdrFile {
    /// Its name, below the folder of its source.
    pub name: String,
    /// Its size as it is stored.
    pub bytes: u64,
    /// SHA-256 of it as it is stored; of an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A file of the project: a tariff, a deck, a calendar, a template.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProjectFile {
    /// Where it stands in the project.
    #[schema(example = "tariffs/retail.toml")]
    pub path: String,
    /// Its size.
    pub bytes: i64,
    /// SHA-256 of its content.
    pub sha256: String,
    /// When it was put there.
    pub changed_at: String,
    /// Who did.
    pub changed_by: String,
}

/// Who is on which tariff or allowance.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
    /// Its id.
    pub id: String,
    /// What it says.
    pub settings: AssignmentSettings,
}

/// Who is on which tariff or allowance. Services that name a tariff assign it themselves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentSettings {
    /// `retail`, `wholesale` or `allowance`.
    pub side: String,
    /// An occupier, the operator, or `*`.
    pub payer: String,
    /// A site, or `*`.
    pub site: String,
    /// The tariff or allowance, by its id.
    pub tariff: String,
    /// From when: a day or an instant with its offset; left out, always.
    #[serde(default)]
    pub from: String,
    /// Until when, that not included; left out, for ever.
    #[serde(default)]
    pub until: String,
    /// How many of it, for allowances.
    #[serde(default)]
    pub quantity: String,
    /// Those who share it, for allowances.
    #[serde(default)]
    pub group: String,
}

/// A month: what is published of it, what waits, what runs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Month {
    /// `2026-10`.
    pub month: String,
    /// `draft` (nothing was checked), `checked`, `approved` or `published`: how far the newest of its runs that counts is.
    pub state: String,
    /// Whether it is closed: no run changes it any more.
    pub closed: bool,
    /// Whether it is over at every site.
    pub complete: bool,
    /// The run whose reports are in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<String>,
    /// The run under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<Running>,
    /// Why the last run that was asked for was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refusal: Option<Refusal>,
    /// The run that the last check came to, if that was there before: nothing has changed that went into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<String>,
    /// Its runs, the newest first.
    pub runs: Vec<Run>,
}

/// How far a run is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Running {
    /// `check`, `preview` or `publication`.
    pub what: String,
    /// `waiting`, `reading`, `rating`, `writing`, `done`.
    pub phase: String,
    /// Bytes of input, as stored.
    pub bytes: u64,
    /// Of them, rated.
    pub bytes_done: u64,
    /// Records rated.
    pub records: u64,
}

/// Why a run was not made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// Stable.
    pub code: String,
    /// What is the matter.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What is wrong with settings, tables, tariffs or files.
    pub findings: Vec<Finding>,
}

/// Something that the engine found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Stable.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// `file:line:column`, or a record.
    pub place: String,
    /// What is the matter.
    pub what: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// A run of a month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id: a hash of all that went in.
    pub run: String,
    /// `checked`, `approved`, `published`, `superseded` or `provisional`.
    pub state: String,
    /// When it was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
    /// When it was approved, and by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<Done>,
    /// When it was published, and by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Done>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// What is worth a look.
    pub findings: Vec<Finding>,
    /// What it stands beside, where one month is shown: the version before it, and the month before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
}

/// A run that another is looked at beside.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Beside {
    /// `version_before` or `month_before`.
    pub what: String,
    /// Its month.
    pub month: String,
    /// Its id.
    pub run: String,
    /// What it came to.
    pub totals: Totals,
    /// What the run comes to less what this one came to.
    pub difference: Difference,
}

/// What one run comes to less what another came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Records read.
    pub records: i64,
    /// Records that cannot be read.
    pub rejected: i64,
    /// Calls.
    pub calls: i64,
    /// Of them, charged.
    pub rated: i64,
    /// Of them, free.
    pub not_chargeable: i64,
    /// Of them, charged to nobody for now.
    pub suspended: i64,
    /// What occupiers are charged, in each currency of either: exact decimals as text.
    pub retail: BTreeMap<String, String>,
    /// What the operator is charged.
    pub wholesale: BTreeMap<String, String>,
}

/// Something done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// When.
    pub at: String,
    /// By whom: `user:…`, `token:…`.
    pub by: String,
}

/// What a run came to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Records read.
    pub records: u64,
    /// Records that cannot be read.
    pub rejected: u64,
    /// Calls.
    pub calls: u64,
    /// Of them, charged.
    pub rated: u64,
    /// Of them, free.
    pub not_chargeable: u64,
    /// Of them, charged to nobody for now.
    pub suspended: u64,
    /// What occupiers are charged, by currency: exact decimals as text.
    pub retail: BTreeMap<String, String>,
    /// What the operator is charged.
    pub wholesale: BTreeMap<String, String>,
    /// Whether suspended or rejected are above the limits.
    pub above_limit: bool,
}

/// Which run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhichRun {
    /// Its id.
    pub run: String,
}

/// What to publish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The run that was approved.
    pub run: String,
    /// Whether files that came since it was checked are left out. If not, and there are some, nothing is published.
    #[serde(default)]
    pub leave_new_files_out: bool,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Anything worth keeping; needed to open a month again.
    #[serde(default)]
    pub note: String,
}

/// A report, and whether it is there.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReportRow {
    /// The site.
    pub site: String,
    /// `itemised`, `extension-summary`, `destinations`, …
    pub report: String,
    /// Whether it can be downloaded.
    pub available: bool,
    /// The day as of which it is, if the month is not over: it is provisional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_date: Option<String>,
    /// Why not: `telephony-not-managed`, `month-not-complete`, `no-voice-service`, `not-published`, `no-data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason in words, with when it will be there if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The reports of a month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Reports {
    /// The month, `2026-10`: the one asked for, or the last complete one.
    pub month: String,
    /// Each report of each site.
    pub reports: Vec<ReportRow>,
}

/// What contracted voice lines cost the operator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageSettings {
    /// Lines of all sites together that cost nothing.
    pub allowance: u64,
    /// Of a line above them.
    #[schema(example = "10.00 GBP")]
    pub price_per_month: String,
    /// Lines that cost nothing at a site, for the report of that site.
    #[serde(default)]
    pub sites: BTreeMap<String, u64>,
}

/// When a run that finished is still not good.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Share of all calls that may be suspended; empty: 0.1%.
    #[serde(default)]
    #[schema(example = "0.1%")]
    pub suspended: String,
    /// Share of all records that may be rejected; empty: 0.1%.
    #[serde(default)]
    pub rejected: String,
}

/// A gap in the input that was accepted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GapAccepted {
    /// Its name, as the run gave it.
    #[schema(example = "ldn-pbx:sequence:12-14")]
    pub gap: String,
    /// Why it was accepted.
    pub reason: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: String,
}

/// A gap in the input that is accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedGap {
    /// Its name, as the run gave it.
    #[schema(example = "ldn-pbx:sequence:12-14")]
    pub gap: String,
    /// Why it is accepted.
    pub reason: String,
}
