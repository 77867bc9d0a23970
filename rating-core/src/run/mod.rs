//! The roof: drives every floor. The only module that opens files, and only through [`storage`].
//!
//! | to | there is |
//! | --- | --- |
//! | run a month and publish it | [`month`](fn@month) |
//! | find what is wrong with a project, or worth a look | [`check`], [`check_tariffs`], [`check_calls`] |
//! | rate calls that a program hands over | [`batch`] |
//! | ask one tariff what a call costs | [`quote`] |
//! | show why a call costs what it costs | [`explain`] |
//! | compare two versions of a month; see one with a draft; compare it with a carrier's bill | [`diff`], [`what_if`], [`reconcile`] |
//! | work off what is charged to nobody | [`suspense`], [`recycle`] |
//! | close a month | [`closing`] |
//! | know what a switch's file is | [`inspect`] |
//! | read numbers; make a project to try things on | [`numbers`], [`generate`] |
//!
//! Whatever reads or writes takes a [`storage::Storage`], so that an embedder may bring another than the disk.

mod allowances;
pub mod aside;
pub mod batch;
mod between;
mod bills;
mod calls;
pub mod closing;
mod codes;
pub mod compare;
pub mod completeness;
pub mod control;
pub mod diff;
mod engine;
mod exact;
mod exceptions;
pub mod exchange;
pub mod explain;
mod first_pass;
pub mod generate;
mod hashing;
mod history;
pub mod inputs;
pub mod inspect;
mod keys;
mod lint;
mod manifest;
mod month;
pub mod numbers;
mod parquet_file;
pub mod project;
pub mod publish;
pub mod quote;
mod ready;
pub mod reconcile;
pub mod recycle;
mod second_pass;
pub mod settings;
pub mod shard;
pub mod spill;
pub mod storage;
pub mod suspense;
mod unchanged;
mod usage;
mod usage_settings;
pub mod what_if;

use std::path::PathBuf;

use crate::finding::Findings;
use crate::money::{Currency, Total};
use crate::time::{Instant, Month};
use control::{CallCounts, Counts};
use publish::Published;
use storage::StorageError;

pub use codes::help;
pub use lint::{check_calls, check_tariffs};
pub use month::{SOFTWARE_VERSION, check, month};

/// How to run a month.
#[derive(Clone, Debug)]
pub struct Options {
    /// The project's folder.
    pub project: PathBuf,
    /// Which month; `None` takes the one that `rating.toml` names, or `default_month`.
    pub month: Option<Month>,
    /// The month to run if neither the caller nor the project names one: the last complete month, by the caller's clock
    /// (the library has none).
    pub default_month: Month,
    /// Only this site, as a draft that never becomes the version in force.
    pub site: Option<String>,
    /// Rate what payers are charged and not what carriers charge, as a draft that never becomes the version in force.
    pub retail_only: bool,
    /// Where the output goes; `None` is `out` in the project.
    pub out: Option<PathBuf>,
    /// How many threads; 0 is one for each processor.
    pub threads: usize,
    /// Write nothing.
    pub dry_run: bool,
    /// Use the directory as it was known at this instant, as a draft; `None` is all that is known now.
    pub known_at: Option<Instant>,
    /// Make a draft of the whole month, to be looked at before it is published: it has the id and the bytes that the
    /// published month will have. Running the month without this, while nothing that it is made from has changed, makes
    /// that draft the version in force and rates nothing again. Gaps that nobody accepted do not stop a draft.
    pub draft: bool,
    /// Go on only if this is the run's id: what it is made from is what somebody looked at. Else [`RunError::Invalid`]
    /// with `run.inputs_changed`.
    pub expected: Option<String>,
}

impl Options {
    /// Runs the project's month with everything else as usual.
    #[must_use]
    pub fn new(project: impl Into<PathBuf>, default_month: Month) -> Self {
        Self {
            project: project.into(),
            month: None,
            default_month,
            site: None,
            retail_only: false,
            out: None,
            threads: 0,
            dry_run: false,
            known_at: None,
            draft: false,
            expected: None,
        }
    }
}

/// Told how far a run is. Called from several threads.
pub trait Progress: Sync {
    /// The run begins: this many bytes of input (as stored).
    fn begin(&self, _bytes: u64) {}
    /// This many more records are rated, and this many more bytes of input (as stored) read for them.
    fn advance(&self, _records: u64, _bytes: u64) {}
    /// The records are all rated; reports are being written.
    fn writing(&self) {}
}

/// Progress that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}

/// Why a month was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Settings, directory or tariffs are wrong; nothing was rated.
    #[error("the project has {} that must be mended first", mistakes(.0))]
    Invalid(Findings),
    /// Files are missing or not whole, and nobody accepted it. Nothing was published.
    #[error("the input is incomplete, nothing was published")]
    Incomplete(Findings),
    /// Parts of a month say other things than were said of them, or than are in them. Nothing was published.
    #[error("the shards do not agree, nothing was published")]
    Disagree(Findings),
    /// The caller asked for something the project does not have.
    #[error("{0}")]
    Usage(String),
    /// The totals do not balance: a fault of this program. Nothing was published.
    #[error("the totals do not balance, nothing was published: {0}")]
    Unbalanced(String),
    /// Another run holds the lock.
    #[error("another run holds the lock: {0}")]
    Locked(String),
    /// The disk refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A fault of this program.
    #[error("internal error: {0}")]
    Internal(String),
}

/// How many findings keep a run from beginning: what is merely worth a look is not counted.
fn mistakes(findings: &Findings) -> String {
    match findings.errors() {
        1 => "1 mistake".to_owned(),
        count => format!("{count} mistakes"),
    }
}

/// Calls or records set aside for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The reason's code.
    pub code: String,
    /// Which side of the calls; `None` for records.
    pub side: Option<crate::aggregation::SideName>,
    /// How many.
    pub count: u64,
    /// Where the first one stands: `file:record` or `file@offset`.
    pub example: String,
    /// What it looks like.
    pub looks_like: String,
    /// Money that can be told to be at stake.
    pub at_stake: Vec<(Currency, Total)>,
}

/// Calls of a closed month that are in the reports of the month after it: they came late, or could not be rated before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The month that they correct.
    pub month: Month,
    /// How many, by what became of them.
    pub calls: CallCounts,
    /// What occupiers are charged for them, by currency; part of the month's sum.
    pub retail: Vec<(Currency, Total)>,
    /// What the operator is charged for them, by currency; part of the month's sum.
    pub wholesale: Vec<(Currency, Total)>,
}

/// The holidays of a calendar that is built in (`GB-ENG`), in order; `None` if there is no such calendar.
///
/// # Example
///
/// ```
/// let days = rating_core::run::holidays("GB-ENG").unwrap();
/// assert!(days.iter().any(|day| day.to_string() == "2026-12-25"));
/// ```
#[must_use]
pub fn holidays(calendar: &str) -> Option<Vec<crate::time::Date>> {
    crate::tariff::calendar::dates(calendar)
}

/// The ids of the built-in calendars: `GB-ENG`, `IE`.
#[must_use]
pub fn calendars() -> Vec<String> {
    crate::tariff::calendar::ids().collect()
}

/// The countries whose dial plan is known, by their ISO 3166-1 codes.
#[must_use]
pub fn countries() -> Vec<String> {
    crate::mediation::dial_plan::Countries::embedded().ids().map(str::to_owned).collect()
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The month.
    pub month: Month,
    /// The run's id: a hash of all that went in.
    pub run: String,
    /// Whether and how it was published.
    pub published: Published,
    /// The folder with the reports.
    pub folder: PathBuf,
    /// What became of the records.
    pub records: Counts,
    /// What became of the calls.
    pub calls: CallCounts,
    /// What occupiers are charged, by currency.
    pub retail: Vec<(Currency, Total)>,
    /// What the operator is charged, by currency.
    pub wholesale: Vec<(Currency, Total)>,
    /// Suspended calls by reason.
    pub suspended: Vec<Aside>,
    /// Rejected records by reason.
    pub rejected: Vec<Aside>,
    /// Late calls, by the month that they correct; part of everything above.
    pub late: Vec<Late>,
    /// Records of other months that stand in the books of closed months, and those that are suspended there still.
    pub in_closed_months: (u64, u64),
    /// Whether the month is closed.
    pub closed: bool,
    /// Nearly equal calls, all rated, listed for a decision.
    pub near_duplicates: u64,
    /// How many input files there were.
    pub files: usize,
    /// Things worth a look that stopped nothing.
    pub warnings: Findings,
    /// What should have been there and was not. A month that is published has none that nobody accepted.
    pub gaps: Vec<completeness::Gap>,
    /// Whether suspended or rejected are above the project's limits.
    pub above_limit: bool,
}
