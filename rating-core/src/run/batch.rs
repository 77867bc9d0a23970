//! Rates calls that a program hands over in memory: records one by one, a switch's bytes, Arrow record batches.
//!
//! A [`Desk`] stands over a compiled [`Project`] and answers what each call costs on both sides and who pays, by the same
//! functions that a month is run by. It opens no file, keeps nothing between calls and changes nothing, so threads share
//! one, and the same call has the same answer whatever came before it.
//!
//! | handed over | by | answer for each |
//! | --- | --- | --- |
//! | borrowed records | [`Desk::calls`], [`Desk::call`] | [`CallRow`], or a [`CallFault`] |
//! | bytes that a switch wrote | [`Desk::switch_file`] and [`SwitchFile::rate`] | [`CallRow`], or [`Unrated`] |
//! | an Arrow record batch | `Desk::batch` (feature `arrow`) | one row, both sides |
//!
//! # Reference data
//!
//! It is a project as on disk, from wherever its texts come: [`project`] takes them by their names. A program that only
//! hands over plain records has no switch files; its `rating.toml` says `source = []`.
//!
//! # What is no part of it
//!
//! Whatever needs more than the one call is done by a month's run only, and is left out here by name:
//!
//! - **Allowances and volume tiers** are used up in call order. [`Desk::new`] refuses a project where anybody has them
//!   (`batch.allowances`). [`Desk::before_allowances`] takes it and gives what each call costs before them; the column of
//!   a record batch is then called `cost_before_allowances`.
//! - **Calls of several records** (legs, halves, INVITE and BYE, interim records) are not put together: each such record is
//!   answered with [`Unrated::PartOfACall`] (`batch.part_of_a_call`).
//! - **Duplicates** are not looked for: who hands a call over twice has it rated twice.
//! - **Closed months and periods**: every call is rated by the tariffs and holders of its own time, whatever month it is of
//!   and whether that is closed. Nothing is carried into another month.
//! - **What belongs to a bill**: VAT, the rounding of a month, contracted lines, margins across currencies.
//!
//! # Example: what two calls cost
//!
//! ```
//! use rating_core::run::batch::{self, Desk, PlainCall};
//! use rating_core::rating::Outcome;
//! use rating_core::time::{Duration, Instant};
//!
//! let (project, _warnings) = batch::project([
//!     ("rating.toml", r#"
//!         source = []                       # no switch files: calls are handed over
//!         [operator]
//!         id = "harbour"
//!         currency = "GBP"
//!         zone = "Europe/London"
//!         [[site]]
//!         id = "ldn"
//!         zone = "Europe/London"
//!         country = "GB"
//!         outside_line = ["9"]
//!         extensions = ["2000-2099"]
//!         [directory]
//!         occupiers = "occupiers.csv"
//!         allocations = "allocations.csv"
//!         [tariffs]
//!         files = ["retail.toml"]
//!         assignments = "assignments.csv""#),
//!     ("occupiers.csv", "id,name\nacme,Acme Ltd\n"),
//!     ("allocations.csv", "id,holder,site,extension,from,until\n1,acme,ldn,2001,2026-01-01,\n"),
//!     ("retail.toml", "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"retail.csv\"]"),
//!     ("retail.csv", "prefix,destination,price,increments\n44,United Kingdom,2.4p/min,60/60\n"),
//!     ("assignments.csv", "side,payer,site,tariff\nretail,*,*,retail\nwholesale,*,*,retail\n"),
//! ])?;
//! let desk = Desk::new(&project)?;
//!
//! let ldn = desk.site("ldn").unwrap();
//! let at = Instant::parse_rfc3339("2026-10-01T08:15:09Z").unwrap();
//! let call = PlainCall { calling: b"2001", called: b"901614960123", ..PlainCall::answered(ldn, at, Duration::from_seconds(61)) };
//! let calls = [call, PlainCall { calling: b"2099", ..call }];
//!
//! let mut told = Vec::new();
//! for row in desk.calls(calls) {
//!     let row = row?; // a value that no call can have
//!     let payer = row.payer.map_or("nobody", |payer| &*project.directory.payers()[payer.index()].id);
//!     told.push(match row.retail.outcome {
//!         Outcome::Rated(priced) => format!("{payer} pays {}", priced.charge),
//!         Outcome::NotChargeable(code) => format!("free: {code}"),
//!         Outcome::Suspended(code) => format!("{payer} pays: {code}"),
//!     });
//! }
//! // 61 s are two minutes begun: 2 × 2.4p.
//! assert_eq!(told, ["acme pays 0.048", "nobody pays: attribution.extension_unknown"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "arrow")]
mod answers;
#[cfg(feature = "arrow")]
mod columns;
mod plain;
mod switch;

use std::path::{Path, PathBuf};

/// The Arrow whose record batches `Desk::batch` takes, so that a program's own is of the same version.
#[cfg(feature = "arrow")]
pub use arrow;

#[cfg(feature = "arrow")]
pub use answers::RatedBatch;
pub use plain::{CallFault, FaultReason, PlainCall};
pub use switch::{SwitchFile, Unrated};

use super::RunError;
use super::engine::Engine;
use super::project::Project;
use super::storage::{Memory, Storage as _};
use crate::attribution::attribute;
use crate::cdr::FileError;
use crate::finding::Findings;
use crate::ids::{SiteId, SourceId};
use crate::mediation::{Call, Mediator, SourceSettings};
use crate::rating::CallRow;
use crate::time::{Date, Month};

/// A project compiled from texts: its `rating.toml` and every file that it names, each by its path below the project. What
/// is worth a look is in the findings; none of them is an error.
///
/// It is large and never changes: compile it once, and share it.
///
/// # Errors
///
/// [`RunError::Usage`] if there is no `rating.toml`, or two files have one path, [`RunError::Invalid`] with every mistake there is.
///
/// # Example
///
/// ```
/// use rating_core::run::{RunError, batch};
/// let Err(RunError::Invalid(mistakes)) = batch::project([("rating.toml", "mnth = \"2026-10\"")]) else { panic!() };
/// assert!(mistakes.iter().any(|mistake| mistake.code == "settings.unknown_key"));
/// ```
pub fn project<P: Into<PathBuf>, C: Into<Vec<u8>>>(
    files: impl IntoIterator<Item = (P, C)>,
) -> Result<(Project, Findings), RunError> {
    let mut memory = Memory::default();
    for (path, content) in files {
        let path = path.into();
        if memory.exists(&path) {
            return Err(RunError::Usage(format!("`{}` is given twice", path.display())));
        }
        memory.put(path, content);
    }
    match Project::load(&memory, Path::new(""), None)? {
        (Some(project), findings) => Ok((project, findings)),
        (None, findings) => Err(RunError::Invalid(findings)),
    }
}

/// Why a desk does not take what it is given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Occupiers have allowances or volume tiers, which are used up in call order: see [the module](self).
    #[error(
        "occupiers have allowances or volume tiers, which a month's run settles in call order; `Desk::before_allowances` \
         gives what calls cost before them"
    )]
    Allowances,
    /// The project has no source of that name.
    #[error("there is no source `{0}` in the project")]
    SourceUnknown(String),
    /// The bytes are not of the source's format.
    #[error("{0}: {help}", help = .0.help())]
    File(#[from] FileError),
    /// Columns of a record batch are missing, of another type or not known.
    #[error("{}", wrong_columns(.0))]
    Columns(Findings),
    /// The answers do not fit into a record batch: a fault of this program.
    #[cfg(feature = "arrow")]
    #[error("the answers do not fit into a record batch")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// How many columns are wrong, and the first in words.
fn wrong_columns(findings: &Findings) -> String {
    let first = findings.iter().next().map_or_else(String::new, ToString::to_string);
    match findings.len() {
        0 | 1 => format!("a column of the record batch is not as it must be: {first}"),
        more => format!("{more} of the record batch's columns are not as they must be; the first: {first}"),
    }
}

impl BatchError {
    /// Stable code; that of columns is in each finding, and this the first one's.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Allowances => "batch.allowances",
            Self::SourceUnknown(_) => "batch.source_unknown",
            Self::File(error) => error.code(),
            Self::Columns(findings) => findings.iter().next().map_or("", |finding| finding.code),
            #[cfg(feature = "arrow")]
            Self::Arrow(_) => "",
        }
    }
}

/// Rates calls by a project: see [the module](self). Threads share one; it is cheap to make another.
pub struct Desk<'p> {
    engine: Engine<'p>,
    /// Reads the numbers of plain calls: one for each site, without a switch's channels and contexts.
    mediators: Vec<Mediator>,
    #[cfg(feature = "arrow")]
    names: answers::Names,
    before_allowances: bool,
}

impl<'p> Desk<'p> {
    /// A desk for a project in which every call has its price by itself.
    ///
    /// # Errors
    ///
    /// [`BatchError::Allowances`], if occupiers have allowances or volume tiers.
    pub fn new(project: &'p Project) -> Result<Self, BatchError> {
        if project.assignments.has_allowances() {
            return Err(BatchError::Allowances);
        }
        Ok(Self { before_allowances: false, ..Self::before_allowances(project) })
    }

    /// A desk for any project. Where occupiers have allowances or volume tiers, charges are those before them: what a
    /// month's run charges in the end may be less.
    #[must_use]
    pub fn before_allowances(project: &'p Project) -> Self {
        let sources = project.settings.sources.len();
        let mediator = |(site, plan): (usize, &std::sync::Arc<_>)| {
            // Plain calls are of no source of the project: each site has one behind them.
            let (source, site_id) = (u32::try_from(sources + site).ok()?, u32::try_from(site).ok()?);
            let (source, site) = (SourceId(source), SiteId(site_id));
            let settings = SourceSettings::default();
            Some(Mediator::new(source, site, project.zone(site).clone(), std::sync::Arc::clone(plan), settings))
        };
        Self {
            // Which month does not matter: no call is asked whether it belongs to it.
            engine: Engine::new(project, Month::of(Date::from_days(0)), None),
            mediators: project.plans.iter().enumerate().map_while(mediator).collect(),
            #[cfg(feature = "arrow")]
            names: answers::Names::of(project),
            before_allowances: true,
        }
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &'p Project {
        self.engine.project
    }

    /// Whether charges are those [before allowances](Self::before_allowances).
    #[must_use]
    pub const fn is_before_allowances(&self) -> bool {
        self.before_allowances
    }

    /// A site by its id.
    #[must_use]
    pub fn site(&self, id: &str) -> Option<SiteId> {
        self.project().directory.site_id(id)
    }

    /// Rates one call.
    ///
    /// # Errors
    ///
    /// [`CallFault`], the first, if a value is one that no call can have. That a call has no price is no error: its sides
    /// say why.
    pub fn call<'a>(&'a self, call: &PlainCall<'a>) -> Result<CallRow<'a>, CallFault> {
        self.numbered(0, call)
    }

    /// Rates calls one after the other, without allocating anything for them. Each has one answer, in the same order;
    /// faults and rows are numbered from 0.
    pub fn calls<'a, I>(&'a self, calls: I) -> impl Iterator<Item = Result<CallRow<'a>, CallFault>> + use<'a, 'p, I>
    where
        I: IntoIterator<Item = PlainCall<'a>>,
    {
        (0..).zip(calls).map(|(row, call)| self.numbered(row, &call))
    }

    /// Reads what a source of the project writes. `name` is the file's name without folders, or whatever may stand for one
    /// (some formats have no year but there); `head` the beginning of its bytes, which shows the layout: the first
    /// [`HEAD_BYTES`](crate::cdr::HEAD_BYTES), or all there are if `whole`.
    ///
    /// # Errors
    ///
    /// [`BatchError::SourceUnknown`], or [`BatchError::File`] if the bytes are not of its format.
    pub fn switch_file(
        &self,
        source: &str,
        name: &str,
        head: &[u8],
        whole: bool,
    ) -> Result<SwitchFile<'_, 'p>, BatchError> {
        let sources = &self.project().settings.sources;
        let found = sources.iter().zip(0..).find(|(settings, _)| settings.id == source);
        let Some((_, id)) = found else { return Err(BatchError::SourceUnknown(source.to_owned())) };
        let source = SourceId(id);
        Ok(SwitchFile { desk: self, source, reader: self.engine.open(source, name, head, whole)? })
    }

    fn numbered<'a>(&'a self, row: u64, call: &PlainCall<'a>) -> Result<CallRow<'a>, CallFault> {
        let fault = |(column, reason)| CallFault { row, column, reason };
        match call.faults().into_iter().flatten().next() {
            Some(first) => Err(fault(first)),
            None => self.checked(row, call).ok_or_else(|| fault(("site", FaultReason::SiteUnknown))),
        }
    }

    /// The row of a call without faults; `None` if there is no such site.
    fn checked<'a>(&'a self, row: u64, call: &PlainCall<'a>) -> Option<CallRow<'a>> {
        let mediator = self.mediators.get(call.site.index())?;
        Some(self.charge(mediator.alone(&call.record(row)), None))
    }

    /// Who pays for a call, and what.
    fn charge<'a>(&self, call: Call<'a>, suspended: Option<&'static str>) -> CallRow<'a> {
        self.engine.charge(attribute(&call, &self.project().directory), suspended)
    }
}

#[cfg(test)]
mod tests;
