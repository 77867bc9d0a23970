//! Everything that a run of a month needs to know, as it stood at one moment: plain rows, as the engine's tables have them.
//!
//! A [`Snapshot`] is what the database is asked for before a run, in one transaction; `publish` writes it as a project of
//! the engine. Texts are in the engine's own formats (`docs/file-formats.md`): numbers `+44…`, dates `YYYY-MM-DD` and
//! instants with their offset, intervals half-open; an empty text is an empty cell. Nothing is checked here: the engine
//! judges a project, and says what is wrong with file, line and column.
//!
//! The order of rows does not matter: tables are sorted when they are written, so that the same rows give the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A text of a table; empty if there is nothing to say.
pub type Cell = String;

/// Everything that a run needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Who runs the sites and pays the carriers.
    pub operator: Operator,
    /// The sites.
    pub sites: Vec<Site>,
    /// The switches.
    pub sources: Vec<Source>,
    /// Who rents.
    pub occupiers: Vec<Occupier>,
    /// Their contracts.
    pub contracts: Vec<Contract>,
    /// The voice lines that contracts bring.
    pub services: Vec<Service>,
    /// Every number and its site.
    pub numbers: Vec<Number>,
    /// Who holds what: all rows of the history, those that were superseded too.
    pub allocations: Vec<Allocation>,
    /// Codes that decide who pays for a call.
    pub account_codes: Vec<AccountCode>,
    /// Tariffs and what else stands in files of its own.
    pub files: Vec<File>,
    /// Who is on which tariff and allowance.
    pub assignments: Vec<Assignment>,
    /// For margins across currencies.
    pub exchange_rates: Vec<ExchangeRate>,
    /// How accounts of allowances stood when the first month began: the path of one of the [`files`](Self::files), such as
    /// `balances/opening.csv`.
    pub opening_balances: Option<String>,
    /// Gaps in the input that somebody accepted.
    pub accepted_gaps: Vec<AcceptedGap>,
    /// What contracted lines cost the operator, if that is to be reported.
    pub usage: Option<Usage>,
    /// What is written.
    pub reports: Reports,
    /// When a run that finished is still not good.
    pub limits: Limits,
}

/// Who runs the sites and pays the carriers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// Id in reports and file names; the operator is a payer too.
    pub id: String,
    /// Name in reports.
    pub name: String,
    /// ISO 4217 code.
    pub currency: String,
    /// IANA zone of dates that belong to no site.
    pub zone: String,
}

/// A site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Id in reports and file names.
    pub id: String,
    /// Name in reports.
    pub name: String,
    /// IANA zone of the clock on its wall.
    pub zone: String,
    /// ISO 3166-1 code of its dial plan.
    pub country: String,
    /// For local numbers, without the national prefix; empty if there is none.
    pub area_code: String,
    /// Digits keyed for a line; empty if the switch never records them.
    pub outside_line: Vec<String>,
    /// Ranges of extensions, `2000-2999`.
    pub extensions: Vec<String>,
    /// Built-in calendars (`GB-ENG`) and paths of [`Snapshot::files`] (`calendars/closed.csv`).
    pub holidays: Vec<String>,
}

/// A switch. Its files stand below `cdr/<id>/` of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Id in reports, and the name of the folder of its files.
    pub id: String,
    /// The site it stands at.
    pub site: String,
    /// What it writes: `asterisk`, `cisco-cucm`, …
    pub format: String,
    /// IANA zone of its clock, which need not be the site's.
    pub zone: String,
    /// Further keys of `[[source]]` as TOML text: `trunks = ["PJSIP/carrier*"]`, a table `[expect]`. May not say `id`, `site`,
    /// `format`, `zone` or `files`.
    pub settings: String,
}

/// Who rents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occupier {
    /// Id in reports and file names.
    pub id: Cell,
    /// Name in reports.
    pub name: Cell,
    /// What the billing system calls it.
    pub billing_reference: Cell,
}

/// A contract of an occupier at a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// Its id.
    pub id: Cell,
    /// Whose it is.
    pub occupier: Cell,
    /// Where.
    pub site: Cell,
    /// From when.
    pub from: Cell,
    /// Until when, that not included.
    pub until: Cell,
}

/// A voice service of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: Cell,
    /// The contract that brings it.
    pub contract: Cell,
    /// How many voice lines it is.
    pub lines: u64,
    /// From when.
    pub from: Cell,
    /// Until when, that not included.
    pub until: Cell,
}

/// A number, or a range of numbers, and its site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// The number, or the first of the range: `+44…`.
    pub number: Cell,
    /// The last of the range; empty for a single one.
    pub last: Cell,
    /// The site where it can be used.
    pub site: Cell,
    /// `ddi` or `main`.
    pub kind: Cell,
}

/// A row of the history of who holds what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocation {
    /// Its id.
    pub id: Cell,
    /// An occupier, or the operator; empty in a row that takes another back.
    pub holder: Cell,
    /// Where.
    pub site: Cell,
    /// The number, or the first of a range.
    pub number: Cell,
    /// The last of the range.
    pub last: Cell,
    /// The extension, or that of the first number.
    pub extension: Cell,
    /// From when.
    pub from: Cell,
    /// Until when, that not included.
    pub until: Cell,
    /// When it was recorded: RFC 3339.
    pub recorded_at: Cell,
    /// The row that it stands in place of.
    pub supersedes: Cell,
}

/// A code that decides who pays for a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct AccountCode {
    /// The code as it is keyed.
    pub code: Cell,
    /// Who pays.
    pub holder: Cell,
    /// At this site only.
    pub site: Cell,
    /// From when.
    pub from: Cell,
    /// Until when, that not included.
    pub until: Cell,
}

/// A file of the project that somebody wrote or uploaded, and where its content is kept.
///
/// What it is for follows from the folder that its path begins with: `tariffs/` for settings of tariffs (`.toml`, at any
/// depth) and the decks and tables that these name relative to themselves, `allowances/` for definitions of allowances
/// and volume tiers (`.toml`), `calendars/`, `templates/` and `balances/` for what settings name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Where it stands in the project, with `/` between: `tariffs/retail-gb.toml`.
    pub path: String,
    /// Where its content is.
    pub stored: PathBuf,
    /// SHA-256 of the content, hexadecimal: what is found there must be this.
    pub sha256: String,
}

/// Who is on which tariff or allowance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// `retail`, `wholesale` or `allowance`.
    pub side: Cell,
    /// A payer, or `*`.
    pub payer: Cell,
    /// A site, or `*`.
    pub site: Cell,
    /// The tariff or allowance.
    pub tariff: Cell,
    /// From when.
    pub from: Cell,
    /// Until when, that not included.
    pub until: Cell,
    /// How many of it, for allowances.
    pub quantity: Cell,
    /// Those who share it, for allowances.
    pub group: Cell,
}

/// What one unit of a currency is worth in another.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct ExchangeRate {
    /// ISO 4217 code.
    pub from_currency: Cell,
    /// ISO 4217 code.
    pub to_currency: Cell,
    /// At most twelve decimals.
    pub rate: Cell,
    /// From when.
    pub from: Cell,
    /// Until when, that not included.
    pub until: Cell,
}

/// A gap in the input that somebody accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptedGap {
    /// Its name, `ldn-pbx:sequence:12-14`.
    pub gap: Cell,
    /// Who accepted it.
    pub accepted_by: Cell,
    /// Why.
    pub reason: Cell,
}

/// What contracted voice lines cost the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Lines of all sites together that cost nothing.
    pub allowance: u64,
    /// Of a line above them: `10.00 GBP`.
    pub price_per_month: String,
    /// How the charge of a day is rounded, rule and step (`half-up`, `0.01 GBP`); `None` is half up to the minor unit.
    pub rounding: Option<(String, String)>,
    /// Lines that cost nothing at a site, for the report of that site.
    pub sites: BTreeMap<String, u64>,
}

/// What is written. CSV for programs is written in any case: downloads are rendered from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports {
    /// CSV for spreadsheets.
    pub spreadsheet: bool,
    /// Parquet beside each payer's CSV.
    pub payer_parquet: bool,
}

impl Default for Reports {
    fn default() -> Self {
        Self { spreadsheet: true, payer_parquet: true }
    }
}

/// When a run that finished is still not good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Share of all calls that may be suspended, `0.1%`; empty is the engine's own.
    pub suspended: String,
    /// Share of all records that may be rejected; empty is the engine's own.
    pub rejected: String,
}
