//! Our wholesale charges against what the carrier says of the same calls.
//!
//! The month is rated as ever (a dry run), and each call with a wholesale side is looked for in the carrier's file: the same called
//! number, the same caller where both know one, begun within a tolerance (at the answer or the set-up, and where the
//! carrier's clock is whole hours off, by that clock), one to one, the nearest first. Every call of either then lies in exactly one
//! part, so both totals are the sums of the parts; that is asserted.

mod carrier;
mod matching;
mod prices;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use self::matching::{Bounds, matched};
use super::compare::{Amounts, Money};
use super::month::watched;
use super::project::{Project, StandIns};
use super::second_pass::Watch;
use super::storage::Storage;
use super::{Options, Progress, RunError};
use crate::aggregation::SideName;
use crate::ids::{Interner, SiteId, TariffId};
use crate::money::{Charge, Currency, Total};
use crate::number::{E164, Party};
use crate::rating::{CallRow, Outcome, Priced};
use crate::report::Names;
use crate::time::{Duration, Instant, Month, Zone};

/// What to compare with.
#[derive(Clone, Debug)]
pub struct ReconcileOptions {
    /// How the month is run; nothing is written.
    pub run: Options,
    /// The carrier's files, as the caller has them.
    pub files: Vec<PathBuf>,
    /// Read them as this source's: its format, zone and site.
    pub source: Option<String>,
    /// Or by a format; plain CSV if there is neither.
    pub format: Option<String>,
    /// The carrier's clock, where the files have no offsets; `None` is the source's, or the site's.
    pub zone: Option<Zone>,
    /// How far the beginnings of one call may be apart.
    pub tolerance: Duration,
}

/// One call of ours.
#[derive(Clone, Debug)]
struct Our {
    record: u64,
    call_id: Vec<u8>,
    place: (u32, u64),
    payer: u32,
    called: u32,
    /// Who called, as the carrier may see it: the number shown, or the one held.
    callers: [Option<E164>; 2],
    at: Instant,
    setup: Option<Instant>,
    duration: Duration,
    site: SiteId,
    priced: Option<(TariffId, u16, Priced)>,
    reason: &'static str,
    currency: Option<Currency>,
}

/// One call of the carrier's.
#[derive(Clone, Debug)]
struct Their {
    file: u32,
    /// Line or record, from 1.
    line: u64,
    reference: String,
    called: u32,
    caller: Option<E164>,
    at: Instant,
    duration: Duration,
    charge: Charge,
    currency: Currency,
    /// Decimals of the price as written.
    decimals: u32,
}

/// Calls that are alike in how the two compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How they compare: `same`, `rounding`, `duration`, `increments`, `band`, `rate`, `currency`, `not priced here`, `only here`,
    /// `only the carrier`, `other month`.
    pub cause: &'static str,
    /// What exactly.
    pub what: String,
    /// How many calls.
    pub calls: u64,
    /// How many of them last another time there.
    pub other_durations: u64,
    /// The carrier's time less ours, in milliseconds.
    pub longer_millis: i128,
    /// Money: ours is before, theirs after.
    pub money: Vec<Money>,
    /// The first of them.
    pub example: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// The month.
    pub month: Month,
    /// Our calls with a wholesale side.
    pub ours: u64,
    /// The carrier's.
    pub theirs: u64,
    /// Calls that both have.
    pub matched: u64,
    /// Lines of the carrier's that could not be read, and the first of them.
    pub unreadable: u64,
    /// Where the first of these is, and why.
    pub first_unreadable: Option<String>,
    /// By how many hours the carrier's clock is ahead, and how many calls were found so.
    pub clock: Vec<(i64, u64)>,
    /// All money, by currency: ours is before, theirs after.
    pub totals: Vec<Money>,
    /// Its parts; they add up to the totals.
    pub parts: Vec<Part>,
}

/// Keeps our calls.
#[derive(Default)]
struct Ours(Mutex<(Interner, Vec<Our>)>);

impl Watch for Ours {
    fn calls(&self, project: &Project, _: &Names, rows: &[CallRow<'_>]) {
        let mut inner = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (texts, ours) = &mut *inner;
        for row in rows {
            let (priced, reason) = match &row.wholesale.outcome {
                Outcome::Rated(priced) => {
                    (row.wholesale.tariff.map(|tariff| (tariff, row.wholesale.version, *priced)), "")
                }
                Outcome::Suspended(code) if row.answered => (None, *code),
                _ => continue,
            };
            let shown = match row.calling {
                Party::Number(number) => Some(number),
                _ => None,
            };
            let payer = row.payer.and_then(|payer| project.directory.payers().get(payer.index()));
            ours.push(Our {
                record: row.record.to_bits(),
                call_id: row.call_id.to_vec(),
                place: (row.record.file(), row.record.offset()),
                payer: texts.intern(payer.map_or("", |payer| &*payer.id)),
                called: texts.intern(&party(row.called)),
                callers: [shown, row.number],
                at: row.charging_at,
                setup: row.setup_at,
                duration: row.duration,
                site: row.site,
                priced,
                reason,
                currency: row.wholesale.currency,
            });
        }
    }
}

fn party(party: Party<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match party {
        Party::Number(number) => number.to_string(),
        Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => digits.to_string(),
        Party::Feature(bytes) | Party::Name(bytes) | Party::Unclassified(bytes) => text(bytes),
        Party::Withheld | Party::Missing => String::new(),
    }
}

/// Compares our wholesale charges with the carrier's files; with `csv`, every call of either is written there.
///
/// # Errors
///
/// As [`month`](super::month()); [`RunError::Usage`] for a file, source or format that there is not;
/// [`RunError::Internal`] if the parts do not add up.
pub fn reconcile(
    storage: &dyn Storage,
    options: &ReconcileOptions,
    progress: &dyn Progress,
    csv: Option<&mut dyn Write>,
) -> Result<Reconciliation, RunError> {
    let (project, findings) = Project::load(storage, &options.run.project, options.run.known_at)?;
    let Some(project) = project else { return Err(RunError::Invalid(findings)) };
    let (site, carrier) = carrier::Carrier::of(&project, options)?;
    let site_id = project.settings.sites.get(site.index()).map(|site| site.id.clone());
    let run = Options { dry_run: true, site: site_id, ..options.run.clone() };
    let ours = Ours::default();
    let summary = watched(storage, &run, progress, &StandIns::default(), Some(&ours))?;
    let (mut texts, mut ours) = ours.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    ours.sort_unstable_by_key(|our| our.record);
    let read = carrier.read(storage, &options.files, &mut texts)?;
    let zone = project.zone(site);
    let (from, until) = summary.month.bounds(zone);
    let bounds = Bounds { tolerance: options.tolerance };
    let (pairs, clock) = matched(&ours, &read.calls, bounds);
    let mut report = Report { texts: &texts, files: &options.files, parts: BTreeMap::new(), lines: Vec::new() };
    if csv.is_some() {
        report.lines.extend_from_slice(HEADER.as_bytes());
    }
    let mut found = vec![false; read.calls.len()];
    let mut of_ours = vec![None; ours.len()];
    for (our, their) in &pairs {
        if let (Some(found), Some(of)) = (found.get_mut(*their), of_ours.get_mut(*our)) {
            (*found, *of) = (true, Some(*their));
        }
    }
    for (our, their) in ours.iter().zip(&of_ours) {
        let their = their.and_then(|their| read.calls.get(their));
        let (cause, what) = match their {
            Some(their) => prices::cause(&project, our, their),
            None => ("only here", String::new()),
        };
        report.add(cause, what, Some(our), their, csv.is_some());
    }
    for (their, found) in read.calls.iter().zip(&found) {
        if !found {
            let inside = from <= their.at && their.at < until;
            let cause = if inside { "only the carrier" } else { "other month" };
            report.add(cause, String::new(), None, Some(their), csv.is_some());
        }
    }
    if let Some(out) = csv {
        let written = out.write_all(&report.lines).and_then(|()| out.flush());
        written.map_err(|error| super::storage::failed("write", std::path::Path::new("the CSV file"), error))?;
    }
    let totals = totals(&ours, &read.calls);
    let parts = report.finish(&totals, ours.len() as u64, read.calls.len() as u64)?;
    Ok(Reconciliation {
        month: summary.month,
        ours: ours.len() as u64,
        theirs: read.calls.len() as u64,
        matched: pairs.len() as u64,
        unreadable: read.unreadable,
        first_unreadable: read.first_unreadable,
        clock,
        totals,
        parts,
    })
}

fn ours_of(our: &Our) -> Option<(Currency, Charge)> {
    Some((our.currency?, our.priced.as_ref()?.2.charge))
}

fn money(of: &BTreeMap<Currency, Amounts>) -> Vec<Money> {
    of.iter()
        .map(|(currency, amounts)| Money { side: SideName::Wholesale, currency: *currency, amounts: *amounts })
        .collect()
}

fn totals(ours: &[Our], theirs: &[Their]) -> Vec<Money> {
    let mut totals: BTreeMap<Currency, Amounts> = BTreeMap::new();
    for (currency, charge) in ours.iter().filter_map(ours_of) {
        totals.entry(currency).or_default().before.add(charge);
    }
    for their in theirs {
        totals.entry(their.currency).or_default().after.add(their.charge);
    }
    money(&totals)
}

#[derive(Default)]
struct Gathered {
    calls: u64,
    pairs: u64,
    ours: u64,
    theirs: u64,
    other_durations: u64,
    longer_millis: i128,
    money: BTreeMap<Currency, Amounts>,
    example: String,
}

struct Report<'r> {
    texts: &'r Interner,
    files: &'r [PathBuf],
    parts: BTreeMap<(&'static str, String), Gathered>,
    lines: Vec<u8>,
}

const HEADER: &str = "cause,what,payer,call_id,record_offset,called,answered_at,duration_s,amount,currency,\
carrier_file,carrier_line,carrier_reference,carrier_called,carrier_start,carrier_duration_s,carrier_amount,carrier_currency,difference\r\n";

fn seconds(duration: Duration) -> String {
    duration.to_string().trim_end_matches('s').to_owned()
}

impl Report<'_> {
    fn add(&mut self, cause: &'static str, what: String, our: Option<&Our>, their: Option<&Their>, csv: bool) {
        if csv {
            self.line(cause, &what, our, their);
        }
        let example = match (our, their) {
            (Some(our), _) => {
                let at = our.at.to_rfc3339();
                let id = String::from_utf8_lossy(&our.call_id).into_owned();
                format!("{id} {} {at} {}", self.texts.name(our.called), our.duration)
            }
            (None, Some(their)) => {
                let at = their.at.to_rfc3339();
                format!("{} {at} {}", self.texts.name(their.called), their.duration)
            }
            (None, None) => return,
        };
        let part = self.parts.entry((cause, what)).or_default();
        part.calls += 1;
        part.ours += u64::from(our.is_some());
        part.theirs += u64::from(their.is_some());
        part.pairs += u64::from(our.is_some() && their.is_some());
        if part.example.is_empty() {
            part.example = example;
        }
        if let (Some(our), Some(their)) = (our, their) {
            let longer = i128::from(their.duration.as_millis()) - i128::from(our.duration.as_millis());
            part.other_durations += u64::from(longer != 0);
            part.longer_millis += longer;
        }
        if let Some((currency, charge)) = our.and_then(ours_of) {
            part.money.entry(currency).or_default().before.add(charge);
        }
        if let Some(their) = their {
            part.money.entry(their.currency).or_default().after.add(their.charge);
        }
    }

    fn line(&mut self, cause: &str, what: &str, our: Option<&Our>, their: Option<&Their>) {
        let mut cells = vec![cause.to_owned(), what.to_owned()];
        let charged = our.and_then(ours_of);
        match our {
            Some(our) => cells.extend([
                self.texts.name(our.payer).to_owned(),
                String::from_utf8_lossy(&our.call_id).into_owned(),
                our.place.1.to_string(),
                self.texts.name(our.called).to_owned(),
                our.at.to_rfc3339(),
                seconds(our.duration),
                charged.map_or_else(String::new, |(_, charge)| charge.to_string()),
                our.currency.map_or_else(String::new, |currency| currency.to_string()),
            ]),
            None => cells.extend(std::iter::repeat_n(String::new(), 8)),
        }
        match their {
            Some(their) => cells.extend([
                self.files.get(their.file as usize).map_or_else(String::new, |path| path.display().to_string()),
                their.line.to_string(),
                their.reference.clone(),
                self.texts.name(their.called).to_owned(),
                their.at.to_rfc3339(),
                seconds(their.duration),
                their.charge.to_string(),
                their.currency.to_string(),
            ]),
            None => cells.extend(std::iter::repeat_n(String::new(), 8)),
        }
        let units = |charge: Option<Charge>| i128::from(charge.unwrap_or_default().units());
        let comparable = match (charged, their) {
            (Some((currency, _)), Some(their)) => currency == their.currency,
            _ => true,
        };
        let difference =
            Total::from_units(units(their.map(|their| their.charge)) - units(charged.map(|(_, charge)| charge)));
        cells.push(if comparable { difference.to_string() } else { String::new() });
        super::compare::write_line(&cells, &mut self.lines);
    }

    /// The parts, the largest difference first, which are proved to be all of both.
    fn finish(self, totals: &[Money], ours: u64, theirs: u64) -> Result<Vec<Part>, RunError> {
        let mut sums: BTreeMap<Currency, Amounts> = BTreeMap::new();
        let (mut of_ours, mut of_theirs) = (0, 0);
        for part in self.parts.values() {
            of_ours += part.ours;
            of_theirs += part.theirs;
            for (currency, amounts) in &part.money {
                let sum = sums.entry(*currency).or_default();
                sum.before = sum.before.plus(amounts.before);
                sum.after = sum.after.plus(amounts.after);
            }
        }
        if money(&sums) != totals || (of_ours, of_theirs) != (ours, theirs) {
            return Err(RunError::Internal("the parts of the reconciliation do not add up to both totals".to_owned()));
        }
        let mut parts: Vec<Part> = self
            .parts
            .into_iter()
            .map(|((cause, what), part)| Part {
                cause,
                what,
                calls: part.calls,
                other_durations: part.other_durations,
                longer_millis: part.longer_millis,
                money: money(&part.money),
                example: part.example,
            })
            .collect();
        let size = |part: &Part| {
            part.money.iter().map(|money| money.amounts.difference().units().unsigned_abs()).max().unwrap_or(0)
        };
        parts.sort_by_key(|part| std::cmp::Reverse((size(part), part.calls)));
        Ok(parts)
    }
}
