//! What a month would come to with other tariffs, assignments or allocations, without publishing anything.
//!
//! The month is run twice as [`month`](super::month()) runs it, once as it is and once with the drafts in their places, both without
//! writing; so allowances, tiers, mark-ups and VAT are what they would be. Calls are compared as both runs report them.
//!
//! Memory: the calls of one run as dry runs keep them, and about 350 bytes for each call besides.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Mutex;

use super::compare::{Comparison, Delta, Evidence, Sums, csv_header, side_by_side};
use super::month::watched;
pub use super::project::StandIns;
use super::project::{Project, role};
use super::second_pass::Watch;
use super::storage::Storage;
use super::{Options, Progress, RunError};
use crate::aggregation::SideName;
use crate::ids::{Interner, TariffId};
use crate::money::Charge;
use crate::number::{Digits, E164, Party};
use crate::rating::{CallRow, Outcome, Side, flags};
use crate::report::{Names, PublishedCall, PublishedSide};
use crate::time::{Duration, Instant, Month, Zone};

/// Compares a month with what it would be with `stand_ins`; with `csv`, every call that would not be the same is written there as
/// a line of CSV, in canonical order. Nothing else is written.
///
/// # Errors
///
/// As [`month`](super::month()): with the findings, if a draft or the project does not load. [`RunError::Usage`] if there are
/// no stand-ins; [`RunError::Internal`] if the differences do not add up.
pub fn what_if(
    storage: &dyn Storage,
    options: &Options,
    stand_ins: &StandIns,
    progress: &dyn Progress,
    csv: Option<&mut dyn Write>,
) -> Result<Comparison, RunError> {
    let named = names_of(stand_ins);
    if named.is_empty() {
        return Err(RunError::Usage("say what would be another: `tariff=draft.toml`".to_owned()));
    }
    let options = Options { dry_run: true, ..options.clone() };
    // A draft with a mistake is told before anything is rated.
    let (project, findings) = Project::load_with(storage, &options.project, options.known_at, stand_ins)?;
    let Some(project) = project else { return Err(RunError::Invalid(findings)) };
    let zones: HashMap<String, Zone> =
        project.settings.sites.iter().map(|site| (site.id.clone(), site.zone.clone())).collect();
    drop(project);
    let day_of = |site: &str, at: Instant| Some(zones.get(site)?.to_local(at).date().to_string());
    let before = Before::default();
    let is = watched(storage, &options, progress, &StandIns::default(), Some(&before))?;
    let after = After(Mutex::new(Found::new(before, stand_ins, Sums::new(Some(&day_of)), csv.is_some())));
    let would_be = watched(storage, &options, progress, stand_ins, Some(&after))?;
    let (sums, lines) = after.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).finish();
    if let Some(out) = csv {
        let mut all = csv_header();
        all.extend(lines.into_iter().flat_map(|(_, line)| line));
        let written = out.write_all(&all).and_then(|()| out.flush());
        written.map_err(|error| super::storage::failed("write", std::path::Path::new("the CSV file"), error))?;
    }
    let mut totals = side_by_side(SideName::Retail, &is.retail, &would_be.retail);
    totals.extend(side_by_side(SideName::Wholesale, &is.wholesale, &would_be.wholesale));
    let comparison = sums.finish(is.month, &totals, (is.calls.calls, would_be.calls.calls))?;
    let inputs = named.iter().map(|(role, path)| format!("{role}: {path}")).collect();
    Ok(Comparison { before: "as it is".to_owned(), after: "what if".to_owned(), inputs, ..comparison })
}

/// Each stand-in, by what it stands in for.
fn names_of(stand_ins: &StandIns) -> Vec<(&'static str, String)> {
    let tariffs = stand_ins.tariffs.iter().map(|path| (role::TARIFF, path));
    let assignments = stand_ins.assignments.iter().map(|path| (role::ASSIGNMENTS, path));
    let allocations = stand_ins.allocations.iter().map(|path| (role::DIRECTORY, path));
    tariffs.chain(assignments).chain(allocations).map(|(role, path)| (role, path.display().to_string())).collect()
}

fn evidence(stand_ins: &StandIns) -> Evidence {
    let mut evidence = Evidence::default();
    for (role, path) in names_of(stand_ins) {
        evidence.references.entry(role.to_owned()).or_default().insert(path);
    }
    evidence
}

/// A row of a tariff.
type RowKey = (TariffId, u16, u32);

/// Ids of texts, and the rows of tariffs that were used, as texts.
#[derive(Default)]
struct Texts {
    texts: Interner,
    rows: HashMap<RowKey, u32>,
}

impl Texts {
    fn get(&mut self, text: &str) -> u32 {
        self.texts.intern(text)
    }

    fn name(&self, id: u32) -> &str {
        self.texts.name(id)
    }

    /// `447 (tariffs/retail-gb.csv:4)`.
    fn row(&mut self, project: &Project, side: &Side) -> u32 {
        let (Some(tariff), Outcome::Rated(priced)) = (side.tariff, &side.outcome) else { return self.get("") };
        let key = (tariff, side.version, priced.row);
        if let Some(known) = self.rows.get(&key) {
            return *known;
        }
        let version = project.book.tariff(tariff).and_then(|tariff| tariff.versions().get(usize::from(side.version)));
        let view = version.and_then(|version| version.row(priced.row, crate::ids::SiteId(u32::MAX)));
        let text = view.map_or_else(String::new, |view| format!("{} ({}:{})", view.key, view.file, view.line));
        let id = self.get(&text);
        self.rows.insert(key, id);
        id
    }

    fn side(&mut self, project: &Project, side: &Side) -> PublishedSide<u32> {
        let (status, reason) = match side.outcome {
            Outcome::Rated(_) => ("charged", ""),
            Outcome::NotChargeable(code) => ("not chargeable", code),
            Outcome::Suspended(code) => ("suspended", code),
        };
        let priced = match &side.outcome {
            Outcome::Rated(priced) => Some(priced),
            _ => None,
        };
        let tariff = side.tariff.and_then(|tariff| project.book.tariff(tariff)).map_or("", |tariff| tariff.id());
        let usage = priced.filter(|priced| priced.per > Duration::ZERO || priced.price > crate::money::Price::ZERO);
        PublishedSide {
            status: self.get(status),
            reason: self.get(reason),
            tariff: self.get(tariff),
            version: side.tariff.map(|_| i64::from(side.version)),
            destination: self.get(priced.map_or("", |priced| project.book.destination(priced.destination))),
            band: self.get(priced.map_or("", |priced| project.book.band(priced.band))),
            rate: usage.map(|priced| priced.price),
            per: usage.map(|priced| priced.per).filter(|per| *per > Duration::ZERO),
            connection: priced.map(|priced| priced.setup_fee),
            billed: priced.map(|priced| priced.billed),
            charge: priced.map(|priced| priced.charge),
            currency: self.get(side.currency.as_ref().map_or("", |currency| currency.code())),
        }
    }
}

/// What may be another with other tables; all else of a call is as its record has it.
#[derive(Clone, Copy, Debug)]
struct Kept {
    record: u64,
    site: u32,
    payer: u32,
    source: u32,
    file: u32,
    charged_at: Instant,
    extension: Option<Digits>,
    number: Option<E164>,
    allowance: Option<Duration>,
    vat: Option<Charge>,
    late: bool,
    retail: PublishedSide<u32>,
    wholesale: PublishedSide<u32>,
    rows: [u32; 2],
}

impl Kept {
    fn of(texts: &mut Texts, project: &Project, names: &Names, row: &CallRow<'_>) -> Self {
        let payers = project.directory.payers();
        let payer = row.payer.and_then(|payer| payers.get(payer.index())).map_or("", |payer| &*payer.id);
        let site = project.settings.sites.get(row.site.index()).map_or("", |site| &*site.id);
        let source = project.settings.sources.get(row.source.index()).map_or("", |source| &*source.id);
        Self {
            record: row.record.to_bits(),
            site: texts.get(site),
            payer: texts.get(payer),
            source: texts.get(source),
            file: texts.get(names.file(row.record.file())),
            charged_at: row.charging_at,
            extension: row.extension,
            number: row.number,
            allowance: row.allowance_taken,
            vat: row.vat,
            late: row.flags & flags::LATE != 0,
            retail: texts.side(project, &row.retail),
            wholesale: texts.side(project, &row.wholesale),
            rows: [texts.row(project, &row.retail), texts.row(project, &row.wholesale)],
        }
    }

    /// Whether it comes to the same, by whatever row.
    fn is_same(&self, other: &Self) -> bool {
        (self.site, self.payer, self.extension, self.number) == (other.site, other.payer, other.extension, other.number)
            && (self.allowance, self.vat, self.late) == (other.allowance, other.vat, other.late)
            && (self.retail, self.wholesale) == (other.retail, other.wholesale)
    }

    /// The call, as far as it is known.
    fn call(&self, texts: &mut Texts) -> PublishedCall<u32> {
        let none = texts.get("");
        let blank = PublishedCall::<u32>::default().map(&mut |_| none);
        PublishedCall {
            site: self.site,
            payer: self.payer,
            source: self.source,
            file: self.file,
            offset: crate::source::RecordId::from_bits(self.record).offset(),
            charged_at: Some(self.charged_at),
            extension: texts.get(&self.extension.map_or_else(String::new, |digits| digits.to_string())),
            number: texts.get(&self.number.map_or_else(String::new, |number| number.to_string())),
            allowance: self.allowance,
            vat: self.vat,
            retail: self.retail,
            wholesale: self.wholesale,
            ..blank
        }
    }
}

fn party(party: Party<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match party {
        Party::Number(number) => number.to_string(),
        Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => digits.to_string(),
        Party::Feature(bytes) | Party::Name(bytes) | Party::Unclassified(bytes) => text(bytes),
        Party::Withheld => "withheld".to_owned(),
        Party::Missing => String::new(),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Keeps what is.
#[derive(Default)]
struct Before(Mutex<(Texts, Vec<Kept>)>);

impl Watch for Before {
    fn calls(&self, project: &Project, names: &Names, rows: &[CallRow<'_>]) {
        let mut inner = locked(&self.0);
        let (texts, kept) = &mut *inner;
        kept.extend(rows.iter().map(|row| Kept::of(texts, project, names, row)));
    }
}

/// Compares what would be with what is.
struct After<'f>(Mutex<Found<'f>>);

struct Found<'f> {
    evidence: Evidence,
    texts: Texts,
    /// What is, by record, and whether it would be too.
    kept: Vec<(Kept, bool)>,
    sums: Sums<'f>,
    /// Lines of CSV, by record.
    lines: Option<Vec<(u64, Vec<u8>)>>,
}

impl<'f> Found<'f> {
    fn new(before: Before, stand_ins: &StandIns, sums: Sums<'f>, wants_csv: bool) -> Self {
        let (mut texts, mut kept) = before.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Rows of the drafts have other numbers.
        texts.rows.clear();
        kept.sort_unstable_by_key(|kept| kept.record);
        let kept = kept.into_iter().map(|kept| (kept, false)).collect();
        Self { evidence: evidence(stand_ins), texts, kept, sums, lines: wants_csv.then(Vec::new) }
    }

    fn call(&mut self, project: &Project, names: &Names, row: &CallRow<'_>) {
        let now = Kept::of(&mut self.texts, project, names, row);
        let at = self.kept.binary_search_by_key(&now.record, |(kept, _)| kept.record).ok();
        let before = at.and_then(|at| self.kept.get_mut(at)).map(|(kept, seen)| {
            *seen = true;
            *kept
        });
        if before.is_some_and(|before| before.is_same(&now)) {
            return;
        }
        let texts = &mut self.texts;
        let zones = project.settings.sites.get(row.site.index()).map(|site| &site.zone);
        let month = zones.filter(|_| now.late).map(|zone| Month::of(zone.to_local(row.charging_at).date()));
        // What the record says, whoever pays.
        let facts = PublishedCall {
            call_id: texts.get(&String::from_utf8_lossy(row.call_id)),
            started_at: row.setup_at,
            calling: texts.get(&party(row.calling)),
            dialled: texts.get(&String::from_utf8_lossy(row.dialled)),
            called: texts.get(&party(row.called)),
            forwarder: texts.get(&row.forwarder.map_or_else(String::new, party)),
            class: texts.get(row.class.name()),
            direction: texts.get(row.direction.name()),
            answered: row.answered,
            duration: row.duration,
            adjusts_month: texts.get(&month.map_or_else(String::new, |month| month.to_string())),
            ..now.call(texts)
        };
        let with = |kept: &Kept, texts: &mut Texts| {
            let own = kept.call(texts);
            PublishedCall {
                site: own.site,
                payer: own.payer,
                extension: own.extension,
                number: own.number,
                allowance: own.allowance,
                vat: own.vat,
                retail: own.retail,
                wholesale: own.wholesale,
                ..facts
            }
        };
        let is = before.map(|before| with(&before, texts));
        self.delta(now.record, (is, before.map(|before| before.rows)), (Some(facts), Some(now.rows)));
    }

    /// Adds a call that is not the same, with the rows that price it.
    fn delta(
        &mut self,
        record: u64,
        before: (Option<PublishedCall<u32>>, Option<[u32; 2]>),
        after: (Option<PublishedCall<u32>>, Option<[u32; 2]>),
    ) {
        let texts = &self.texts;
        let named = |call: Option<PublishedCall<u32>>| call.map(|call| call.map(&mut |id| texts.name(id)));
        let (one, other) = (named(before.0), named(after.0));
        let (cause, mut what) = self.evidence.cause(one.as_ref(), other.as_ref());
        for (at, side) in ["retail", "wholesale"].into_iter().enumerate() {
            let row = |rows: Option<[u32; 2]>| rows.map_or("", |rows| texts.name(rows[at]));
            let differs = |call: Option<PublishedCall<u32>>| call.map(|call| [call.retail, call.wholesale][at]);
            if differs(before.0) == differs(after.0) {
                continue;
            }
            let words = match (row(before.1), row(after.1)) {
                ("", "") => continue,
                (one, other) if one == other => one.to_owned(),
                (one, "") => format!("{one} -> none"),
                ("", other) => format!("none -> {other}"),
                (one, other) => format!("{one} -> {other}"),
            };
            what = format!("{what}; {side} row {words}");
        }
        let delta = Delta { cause, what: &what, before: one.as_ref(), after: other.as_ref() };
        self.sums.add(&delta);
        if let Some(lines) = &mut self.lines {
            let mut line = Vec::new();
            delta.write_csv(&mut line);
            lines.push((record, line));
        }
    }

    /// Calls that would not be, such as those that another site's clock puts into another month.
    fn finish(mut self) -> (Sums<'f>, Vec<(u64, Vec<u8>)>) {
        let gone: Vec<Kept> = self.kept.iter().filter(|(_, seen)| !seen).map(|(kept, _)| *kept).collect();
        for kept in gone {
            let call = kept.call(&mut self.texts);
            self.delta(kept.record, (Some(call), Some(kept.rows)), (None, None));
        }
        let mut lines = self.lines.unwrap_or_default();
        lines.sort();
        (self.sums, lines)
    }
}

impl Watch for After<'_> {
    fn calls(&self, project: &Project, names: &Names, rows: &[CallRow<'_>]) {
        let mut found = locked(&self.0);
        for row in rows {
            found.call(project, names, row);
        }
    }
}
