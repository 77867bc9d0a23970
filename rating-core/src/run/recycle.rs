//! Recycling: a month is run again after something was mended, and published only if nothing but suspended calls changed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::closing::{self, InForce};
use super::inputs::OUTPUT_FOLDER;
use super::project::Project;
use super::publish::Published;
use super::storage::Storage;
use super::{Options, Progress, RunError, Summary, month};
use crate::aggregation::SideName;
use crate::finding::{Finding, Findings};
use crate::money::{Charge, Currency, Total};
use crate::report::{PublishedCall, PublishedSide, read_calls};
use crate::time::Month;

/// Which month is to be recycled.
#[derive(Clone, Debug)]
pub struct RecycleOptions {
    /// The project's folder.
    pub project: PathBuf,
    /// Where its output is; `None` is `out` in the project.
    pub out: Option<PathBuf>,
    /// The month; `None` takes the one that `rating.toml` names, or `default_month`. What a fix releases of a closed month
    /// goes into the month that follows the last closed one.
    pub month: Option<Month>,
    /// The month if nobody names one.
    pub default_month: Month,
    /// How many threads; 0 is one for each processor.
    pub threads: usize,
    /// Only say what would be released. (The month is written aside to compare it, and removed.)
    pub dry_run: bool,
}

/// Calls that a fix released, by what held them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Released {
    /// Which side was suspended.
    pub side: SideName,
    /// Why: the code.
    pub code: String,
    /// The closed month that they correct, if it is one.
    pub corrects: Option<Month>,
    /// How many.
    pub calls: u64,
    /// What is charged for them now, by currency.
    pub charges: Vec<(Currency, Total)>,
}

/// What recycling a month came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recycled {
    /// The month that was run: the one asked for, or the one that follows the last closed month.
    pub month: Month,
    /// Whether it was published; nothing is if nothing is released.
    pub published: Published,
    /// The run.
    pub run: String,
    /// What was released, by side, reason and month.
    pub released: Vec<Released>,
    /// Calls of the month that are still suspended on their payer's side.
    pub suspended: u64,
    /// What the run said besides.
    pub summary: Summary,
}

impl RecycleOptions {
    /// Recycles a month of a project.
    #[must_use]
    pub fn new(project: impl Into<PathBuf>, default_month: Month) -> Self {
        Self { project: project.into(), out: None, month: None, default_month, threads: 0, dry_run: false }
    }
}

/// How many of the calls that would change are shown.
const SHOWN: usize = 10;

/// Where a record stands: its file below the project, and the offset in it.
type Place = (String, u64);

/// 128 bits of all that a version says of a call.
type Content = (u64, u64);

/// Rates what was suspended and is no more, with the tariffs and tables of today, and publishes it if no other call would
/// change.
///
/// # Errors
///
/// [`RunError::Invalid`] with the code `run.recycle_refused` if another call would change: nothing is published then;
/// [`RunError::Usage`] if the month has no version in force, or one without Parquet; else as for [`super::month`].
pub fn recycle(storage: &dyn Storage, options: &RecycleOptions, progress: &dyn Progress) -> Result<Recycled, RunError> {
    if !cfg!(feature = "parquet") {
        return Err(RunError::Usage(
            "what would change is compared with published Parquet: this program has no Parquet".to_owned(),
        ));
    }
    let (project, findings) = Project::load(storage, &options.project, None)?;
    let Some(project) = project else { return Err(RunError::Invalid(findings)) };
    let asked = options.month.or(project.settings.month).unwrap_or(options.default_month);
    let out = options.out.clone().unwrap_or_else(|| options.project.join(OUTPUT_FOLDER));
    let closed = closing::closed_months(storage, &out)?;
    let month = match closed.last() {
        Some(last) if closed.iter().any(|closed| closed.month == asked) => last.month.next(),
        _ => asked,
    };
    let Some(before) = closing::in_force(storage, &out, month)? else {
        let why = if month == asked { String::new() } else { format!("{asked} is closed, and ") };
        return Err(RunError::Usage(format!(
            "{why}{month} has not been published: run it; what is released is charged in it"
        )));
    };
    let compare = Compare { storage, out: &out, month, before: &before };
    let released = Mutex::new(Vec::new());
    let gate = |folder: &Path, of_books: &BTreeSet<Place>| {
        let found = compare.released(folder, of_books)?;
        let publish = !found.is_empty() && !options.dry_run;
        *released.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = found;
        Ok(publish)
    };
    let run = Options {
        month: Some(month),
        out: options.out.clone(),
        threads: options.threads,
        ..Options::new(&options.project, options.default_month)
    };
    let summary = month::gated(storage, &run, progress, &gate)?;
    Ok(Recycled {
        month,
        published: summary.published,
        run: summary.run.clone(),
        released: released.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner),
        suspended: summary.calls.suspended,
        summary,
    })
}

struct Compare<'c> {
    storage: &'c dyn Storage,
    out: &'c Path,
    month: Month,
    before: &'c InForce,
}

/// What differs, by where the record stands.
#[derive(Default)]
struct Differences {
    places: BTreeMap<Place, [Option<PublishedCall<String>>; 2]>,
}

impl Compare<'_> {
    /// What is released in a version that stands aside.
    fn released(&self, after: &Path, of_books: &BTreeSet<Place>) -> Result<Vec<Released>, RunError> {
        let differences = self.differences(after)?;
        let reasons = self.reasons_in_books(&differences, of_books)?;
        let mut heaps = Heaps::new();
        let mut refused = Refused::default();
        for (place, pair) in &differences.places {
            match pair {
                [Some(before), Some(after)] if may_change(before, after) => {
                    for (name, one, other) in sides(before, after) {
                        if one.status == "suspended" && other.status != "suspended" {
                            count(&mut heaps, name, &one.reason, month_of(&after.adjusts_month), other);
                        }
                    }
                }
                [None, Some(after)] if of_books.contains(place) => {
                    let known = reasons.get(place);
                    for (name, index, other) in
                        [(SideName::Retail, 0, &after.retail), (SideName::Wholesale, 1, &after.wholesale)]
                    {
                        // A side that the books settled is there only because the other is released.
                        if other.reason == super::history::SETTLED_BEFORE || other.status == "suspended" {
                            continue;
                        }
                        let reason = known.map_or("run.suspended_in_closed_month", |reasons| reasons[index].as_str());
                        count(&mut heaps, name, reason, month_of(&after.adjusts_month), other);
                    }
                }
                pair => refused.add(place, pair),
            }
        }
        if refused.count > 0 {
            return Err(RunError::Invalid(refused.findings(self.month)));
        }
        let released = heaps.into_iter().map(|((side, code, corrects), (calls, charges))| Released {
            side,
            code,
            corrects,
            calls,
            charges: charges.into_iter().collect(),
        });
        Ok(released.collect())
    }

    fn differences(&self, after: &Path) -> Result<Differences, RunError> {
        let mut before: BTreeMap<Place, Content> = BTreeMap::new();
        self.each(&self.before.folder, &mut |call| {
            before.insert(place(call), content(call));
        })?;
        let mut differences = Differences::default();
        self.each(after, &mut |call| {
            let place = place(call);
            match before.remove(&place) {
                Some(known) if known == content(call) => {}
                found => {
                    let pair = differences.places.entry(place.clone()).or_default();
                    pair[1] = Some(call.map(&mut |text| text.to_owned()));
                    if let Some(known) = found {
                        before.insert(place, known);
                    }
                }
            }
        })?;
        // What is left of the version in force changed, or is gone.
        self.each(&self.before.folder, &mut |call| {
            let place = place(call);
            if before.contains_key(&place) {
                differences.places.entry(place).or_default()[0] = Some(call.map(&mut |text| text.to_owned()));
            }
        })?;
        Ok(differences)
    }

    /// Why the calls of closed months that are released were suspended there, where their records still stand in the same
    /// place.
    fn reasons_in_books(
        &self,
        differences: &Differences,
        of_books: &BTreeSet<Place>,
    ) -> Result<BTreeMap<Place, [String; 2]>, RunError> {
        let mut reasons = BTreeMap::new();
        let months: BTreeSet<Month> = differences
            .places
            .iter()
            .filter(|(place, _)| of_books.contains(place))
            .filter_map(|(_, pair)| month_of(&pair[1].as_ref()?.adjusts_month))
            .collect();
        for month in months {
            let Some(version) = closing::in_force(self.storage, self.out, month)? else { continue };
            self.each(&version.folder, &mut |call| {
                let place = place(call);
                if of_books.contains(&place) && is_suspended(call) {
                    reasons.insert(place, [call.retail.reason.to_owned(), call.wholesale.reason.to_owned()]);
                }
            })?;
        }
        Ok(reasons)
    }

    /// Shows every call of a version.
    fn each(&self, folder: &Path, visit: &mut dyn FnMut(&PublishedCall<&str>)) -> Result<(), RunError> {
        for entry in self.storage.list(folder)? {
            let path = folder.join(&entry.name).join("itemised.parquet");
            if !entry.name.starts_with("site=") || !self.storage.exists(&path) {
                continue;
            }
            read_calls(self.storage.read(&path)?, visit)
                .map_err(|error| RunError::Usage(format!("`{}` cannot be compared: {error}", path.display())))?;
        }
        Ok(())
    }
}

/// How many were released and what they cost, by side, reason, and the closed month they correct.
type Heaps = BTreeMap<(SideName, String, Option<Month>), (u64, BTreeMap<Currency, Total>)>;

fn count(heaps: &mut Heaps, side: SideName, reason: &str, corrects: Option<Month>, now: &PublishedSide<String>) {
    let (calls, charges) = heaps.entry((side, reason.to_owned(), corrects)).or_default();
    *calls += 1;
    if let Some((currency, charge)) = charged(now) {
        charges.entry(currency).or_default().add(charge);
    }
}

fn charged(side: &PublishedSide<String>) -> Option<(Currency, Charge)> {
    Some((Currency::parse(&side.currency)?, side.charge?))
}

type Sides<'a> = [(SideName, &'a PublishedSide<String>, &'a PublishedSide<String>); 2];

fn sides<'a>(before: &'a PublishedCall<String>, after: &'a PublishedCall<String>) -> Sides<'a> {
    [(SideName::Retail, &before.retail, &after.retail), (SideName::Wholesale, &before.wholesale, &after.wholesale)]
}

fn place(call: &PublishedCall<&str>) -> Place {
    (call.file.to_owned(), call.offset)
}

fn month_of(text: &str) -> Option<Month> {
    Month::parse(text)
}

fn is_suspended(call: &PublishedCall<&str>) -> bool {
    call.retail.status == "suspended" || call.wholesale.status == "suspended"
}

fn content(call: &PublishedCall<&str>) -> Content {
    let mut hasher = SipHasher24::new();
    call.hash(&mut hasher);
    let hash = hasher.finish128();
    (hash.h1, hash.h2)
}

/// Whether only what was suspended differs. A side that was not stays as it was; and where the payer's side was settled,
/// so does everything that the payer is shown.
fn may_change(before: &PublishedCall<String>, after: &PublishedCall<String>) -> bool {
    let retail = before.retail.status == "suspended";
    let wholesale = before.wholesale.status == "suspended";
    if retail {
        // Who pays, under which extension and number, and what was called may be known only now.
        return wholesale || before.wholesale == after.wholesale;
    }
    let settled = PublishedCall { wholesale: after.wholesale.clone(), ..before.clone() };
    wholesale && settled == *after
}

/// The calls for which recycling is refused.
#[derive(Default)]
struct Refused {
    count: u64,
    come: u64,
    gone: u64,
    first: Vec<(String, String)>,
    money: BTreeMap<Currency, Total>,
}

impl Refused {
    fn add(&mut self, place: &Place, pair: &[Option<PublishedCall<String>>; 2]) {
        self.count += 1;
        match pair {
            [None, Some(_)] => self.come += 1,
            [Some(_), None] => self.gone += 1,
            _ => {}
        }
        for (call, sign) in pair.iter().zip([-1, 1]) {
            if let Some((currency, charge)) = call.as_ref().and_then(|call| charged(&call.retail)) {
                let total = self.money.entry(currency).or_default();
                *total = if sign < 0 { total.minus(charge.into()) } else { total.plus(charge.into()) };
            }
        }
        if self.first.len() < SHOWN {
            let shown = |call: &Option<PublishedCall<String>>| match call {
                None => "not there".to_owned(),
                Some(call) => {
                    let payer = if call.payer.is_empty() { "nobody" } else { &call.payer };
                    let side = |side: &PublishedSide<String>| match charged(side) {
                        Some((currency, charge)) => format!("{charge} {currency}"),
                        None => format!("{} ({})", side.status, side.reason),
                    };
                    format!("{payer} {}, wholesale {}", side(&call.retail), side(&call.wholesale))
                }
            };
            let words = format!("{}@{}: {}, now {}", place.0, place.1, shown(&pair[0]), shown(&pair[1]));
            self.first.push((place.0.clone(), words));
        }
    }

    fn findings(&self, month: Month) -> Findings {
        let mut findings = Findings::default();
        let calls = match self.count {
            1 => format!("1 call of {month} that was not suspended"),
            count => format!("{count} calls of {month} that were not suspended"),
        };
        let money: Vec<String> = self.money.iter().map(|(currency, total)| format!("{total} {currency}")).collect();
        let money = if money.is_empty() { String::new() } else { format!(", retail by {} in all", money.join(" + ")) };
        let mut parts = Vec::new();
        for (count, what) in [(self.come, "new"), (self.gone, "gone")] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        findings.push(
            Finding::error(
                "run.recycle_refused",
                format!(
                    "{calls} of {month} that no suspension holds would change{parts}{money}: nothing was published"
                ),
            )
            .help(format!(
                "if that is meant, `rating run --month {month}` publishes all of it; else undo what changed them"
            )),
        );
        for (file, words) in &self.first {
            findings.push(Finding::warning("run.recycle_refused", words.clone()).in_file(file.clone()));
        }
        findings
    }
}
