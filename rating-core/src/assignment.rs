//! Who is on which tariff, from when.
//!
//! Read from a table with the columns `side` `payer` `site` `tariff` \[`from` `until` `quantity` `group`\]. `side` is
//! `retail` (what a payer is charged), `wholesale` (what the carrier charges the operator) or `allowance` (what a payer has
//! besides; `tariff` then names an allowance or volume tiers). `payer` and `site` are an id or `*` for all.
//!
//! Of the rows in force at an instant the most specific decides: payer and site, then payer alone, then site alone,
//! then `*` for both. Rows that name the same payer and site may meet but not overlap. Where no row is in force there is
//! no tariff: gaps are legal, and calls that fall into one are suspended.
//!
//! On the wholesale side it is always the operator who pays, so the operator's id there says the same as `*`; an
//! occupier's id narrows the row to that occupier's calls. Dates are days at the row's site, or in the operator's zone
//! where the site is `*`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::table::{Row, Table};
use crate::finding::{Finding, Findings, SourceText, did_you_mean};
use crate::ids::{PayerId, SiteId, TariffId};
use crate::time::{Instant, Interval, Zone};

mod schemes;
#[cfg(test)]
mod tests;

pub use schemes::Held;
use schemes::{SchemeRow, SchemeRows};

/// One of the two sides on which every call is rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SideKind {
    /// What the payer is charged.
    Retail,
    /// What the carrier charges the operator.
    Wholesale,
}

impl SideKind {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Retail, Self::Wholesale];

    /// The name in tables and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retail => "retail",
            Self::Wholesale => "wholesale",
        }
    }

    /// The side of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name)
    }
}

/// The names that assignments refer to. Each list is in the order of the ids it stands for.
#[derive(Clone, Copy, Debug)]
pub struct Names<'n> {
    /// Ids of the payers; the first is the operator's.
    pub payers: &'n [&'n str],
    /// Ids of the sites, each with its zone.
    pub sites: &'n [(&'n str, &'n Zone)],
    /// Ids of the tariffs.
    pub tariffs: &'n [&'n str],
    /// Names of the allowances and volume tiers, each with whether groups share it.
    pub allowances: &'n [(&'n str, bool)],
    /// The zone of dates where the site is `*`.
    pub operator_zone: &'n Zone,
}

/// Who is on which tariff, compiled: a look-up compares integers only.
///
/// # Example: an occupier with a tariff of its own from July on
///
/// ```
/// use rating_core::assignment::{Assignments, Names, SideKind};
/// use rating_core::finding::{Findings, SourceText};
/// use rating_core::ids::{PayerId, SiteId, TariffId};
/// use rating_core::time::{Instant, Zone};
///
/// let london = Zone::load("Europe/London").unwrap();
/// let names = Names {
///     payers: &["harbour", "acme"],
///     sites: &[("ldn", &london)],
///     tariffs: &["acme-2026", "standard"],
///     allowances: &[],
///     operator_zone: &london,
/// };
/// let table = SourceText::new(
///     "assignments.csv",
///     "side,payer,site,tariff,from,until\nretail,*,*,standard,,\nretail,acme,*,acme-2026,2026-07-01,\n",
/// );
/// let mut findings = Findings::default();
/// let assignments = Assignments::read(&[table], &names, &mut findings);
/// assert!(findings.is_empty());
///
/// let tariff = |at: &str| {
///     let at = Instant::parse_rfc3339(at).unwrap();
///     assignments.tariff(SideKind::Retail, Some(PayerId(1)), SiteId(0), at)
/// };
/// assert_eq!(tariff("2026-06-30T23:59:59.999+01:00"), Some(TariffId(1)));
/// assert_eq!(tariff("2026-07-01T00:00:00+01:00"), Some(TariffId(0)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Assignments {
    retail: Levels,
    wholesale: Levels,
    allowances: SchemeRows,
}

/// The assignments of one side, the most specific level first.
type Levels = [Level; 4];

/// Assignments that name as much: by key (payer and site, [`ANY`] for `*`) and beginning.
#[derive(Clone, Debug, Default)]
struct Level(Vec<Entry>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: u64,
    from: Instant,
    until: Instant,
    tariff: TariffId,
}

/// Stands for `*`: no id is as large, since ids are counted from 0.
const ANY: u32 = u32::MAX;

const fn key(payer: u32, site: u32) -> u64 {
    ((payer as u64) << 32) | site as u64
}

impl Level {
    #[inline]
    fn at(&self, key: u64, at: Instant) -> Option<TariffId> {
        let begun = self.0.partition_point(|entry| (entry.key, entry.from) <= (key, at));
        let entry = self.0.get(begun.checked_sub(1)?)?;
        (entry.key == key && at < entry.until).then_some(entry.tariff)
    }
}

/// A row understood.
struct Assignment<'t> {
    row: Row<'t>,
    side: SideKind,
    payer: u32,
    site: u32,
    tariff: TariffId,
    valid: Interval,
}

impl Assignments {
    /// Reads and checks the tables. Reports every mistake; rows in error are left out.
    #[must_use]
    pub fn read(files: &[Arc<SourceText>], names: &Names<'_>, findings: &mut Findings) -> Self {
        let tables: Vec<Table> = files
            .iter()
            .map(|file| {
                Table::read(
                    file,
                    &["side", "payer", "site", "tariff"],
                    &["from", "until", "quantity", "group"],
                    findings,
                )
            })
            .collect();
        let known = Known::new(names);
        let mut by_key: BTreeMap<(SideKind, u64), Vec<Assignment<'_>>> = BTreeMap::new();
        let mut schemes: Vec<SchemeRow<'_>> = Vec::new();
        for row in tables.iter().flat_map(Table::rows) {
            let mut reader = Reader { names, known: &known, findings };
            if reader.assigns_scheme(row) {
                schemes.extend(reader.scheme(row));
            } else if let Some(assignment) = reader.assignment(row) {
                let key = (assignment.side, key(assignment.payer, assignment.site));
                by_key.entry(key).or_default().push(assignment);
            }
        }
        let mut assignments = Self { allowances: SchemeRows::new(schemes, names, findings), ..Self::default() };
        for ((side, key), mut rows) in by_key {
            rows.sort_by_key(|assignment| assignment.valid.from);
            overlaps(&rows, names, findings);
            let levels = match side {
                SideKind::Retail => &mut assignments.retail,
                SideKind::Wholesale => &mut assignments.wholesale,
            };
            let Some(first) = rows.first() else { continue };
            let [both, payer, site, neither] = levels;
            let level = match (first.payer == ANY, first.site == ANY) {
                (false, false) => both,
                (false, true) => payer,
                (true, false) => site,
                (true, true) => neither,
            };
            // Keys come in ascending order, and the rows of a key by their beginnings: the level stays sorted.
            level.0.extend(rows.iter().map(|assignment| Entry {
                key,
                from: assignment.valid.from,
                until: assignment.valid.until,
                tariff: assignment.tariff,
            }));
        }
        assignments
    }

    /// The tariff of one side of a call: that of its payer (`None` if not known: only rows for all payers apply) and
    /// site at an instant; `None` if no row is in force.
    #[must_use]
    #[inline]
    pub fn tariff(&self, side: SideKind, payer: Option<PayerId>, site: SiteId, at: Instant) -> Option<TariffId> {
        let [both, own, place, all] = match side {
            SideKind::Retail => &self.retail,
            SideKind::Wholesale => &self.wholesale,
        };
        payer
            .and_then(|payer| both.at(key(payer.0, site.0), at).or_else(|| own.at(key(payer.0, ANY), at)))
            .or_else(|| place.at(key(ANY, site.0), at))
            .or_else(|| all.at(key(ANY, ANY), at))
    }
}

/// Refuses rows for one payer and site that overlap. The rows come in the order of their beginnings.
fn overlaps(rows: &[Assignment<'_>], names: &Names<'_>, findings: &mut Findings) {
    let mut longest: Option<&Assignment<'_>> = None;
    for late in rows {
        if let Some(early) = longest.filter(|early| early.valid.overlaps(late.valid)) {
            let zone = names.sites.get(late.site as usize).map_or(names.operator_zone, |(_, zone)| zone);
            let both = early.valid.intersection(late.valid).in_words(zone);
            let (one, other) = (names.tariff(early.tariff), names.tariff(late.tariff));
            let message = if one == other {
                format!("{} tariff `{one}` is assigned twice at once, {both}", late.side.name())
            } else {
                format!("{} tariffs `{one}` and `{other}` are in force at once, {both}", late.side.name())
            };
            let finding = Finding::error("assignment.overlap", message)
                .at(late.row.whole(late.valid.in_words(zone)))
                .at(early.row.whole(early.valid.in_words(zone)))
                .help("end one before the other begins, or name a payer or site in one of them");
            findings.push(finding);
        }
        if longest.is_none_or(|before| before.valid.until < late.valid.until) {
            longest = Some(late);
        }
    }
}

impl<'n> Names<'n> {
    fn tariff(&self, tariff: TariffId) -> &'n str {
        self.tariffs.get(tariff.index()).copied().unwrap_or_default()
    }
}

/// Names with their ids.
type Ids<'n> = BTreeMap<&'n str, u32>;

struct Known<'n> {
    sides: Ids<'n>,
    payers: Ids<'n>,
    sites: Ids<'n>,
    tariffs: Ids<'n>,
    allowances: Ids<'n>,
}

impl<'n> Known<'n> {
    fn new(names: &Names<'n>) -> Self {
        Self {
            sides: SideKind::ALL.map(SideKind::name).into_iter().zip(0..).collect(),
            payers: names.payers.iter().copied().zip(0..).collect(),
            sites: names.sites.iter().map(|(id, _)| *id).zip(0..).collect(),
            tariffs: names.tariffs.iter().copied().zip(0..).collect(),
            allowances: names.allowances.iter().map(|(name, _)| *name).zip(0..).collect(),
        }
    }
}

struct Reader<'r, 'n> {
    names: &'r Names<'n>,
    known: &'r Known<'n>,
    findings: &'r mut Findings,
}

impl Reader<'_, '_> {
    fn assignment<'t>(&mut self, row: Row<'t>) -> Option<Assignment<'t>> {
        let known = self.known;
        let side = self.name(row, "side", "assignment.unknown_side", &known.sides);
        let side = side.and_then(|index| SideKind::ALL.get(index as usize).copied());
        let payer = self.name_or_any(row, "payer", "assignment.unknown_payer", &known.payers);
        let site = self.name_or_any(row, "site", "assignment.unknown_site", &known.sites);
        let tariff = self.name(row, "tariff", "assignment.unknown_tariff", &known.tariffs);
        let zone = site
            .and_then(|site| self.names.sites.get(site as usize))
            .map_or(self.names.operator_zone, |(_, zone)| zone);
        let valid = self.valid(row, zone);
        let (side, mut payer) = (side?, payer?);
        if payer == PayerId::OPERATOR.0 {
            match side {
                SideKind::Wholesale => payer = ANY,
                SideKind::Retail => {
                    let finding =
                        Finding::warning("assignment.retail_operator", "the operator is not charged for its own calls")
                            .at(row.label(row.column("payer"), "the operator"))
                            .help("this row is never used; write `wholesale` for what the carrier charges");
                    self.findings.push(finding);
                }
            }
        }
        Some(Assignment { row, side, payer, site: site?, tariff: TariffId(tariff?), valid: valid? })
    }

    fn name_or_any(&mut self, row: Row<'_>, column: &str, code: &'static str, known: &Ids<'_>) -> Option<u32> {
        if row.cell(row.column(column)) == "*" { Some(ANY) } else { self.name(row, column, code, known) }
    }

    /// The id of the name in a cell.
    fn name(&mut self, row: Row<'_>, column: &str, code: &'static str, known: &Ids<'_>) -> Option<u32> {
        let given = row.required(row.column(column), self.findings)?;
        if let Some(id) = known.get(given) {
            return Some(*id);
        }
        let help = match did_you_mean(given, known.keys().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if column == "side" => "write `retail`, `wholesale` or `allowance`".to_owned(),
            None if column == "tariff" => "tariffs are named in the project's settings".to_owned(),
            None => format!("write the id of a {column}, or `*` for all"),
        };
        let finding = Finding::error(code, format!("there is no {column} `{given}`"))
            .at(row.label(row.column(column), "not known"))
            .help(help);
        self.findings.push(finding);
        None
    }

    fn valid(&mut self, row: Row<'_>, zone: &Zone) -> Option<Interval> {
        let from = self.bound(row, "from", zone, Instant::MIN);
        let until = self.bound(row, "until", zone, Instant::MAX);
        let valid = Interval { from: from?, until: until? };
        if !valid.is_empty() {
            return Some(valid);
        }
        let message =
            if valid.from == valid.until { "the interval is empty" } else { "the interval ends before it begins" };
        let finding = Finding::error("assignment.interval_empty", message)
            .at(row.label(row.column("until"), "the first moment outside"))
            .at(row.label(row.column("from"), "the first moment inside"))
            .help("`until` is not part of the interval: for the whole of July write 2026-07-01 and 2026-08-01");
        self.findings.push(finding);
        None
    }

    fn bound(&mut self, row: Row<'_>, name: &str, zone: &Zone, open: Instant) -> Option<Instant> {
        let column = row.column(name);
        let Some(given) = row.filled(column) else { return Some(open) };
        let bound = zone.bound(given);
        if bound.is_none() {
            let finding =
                Finding::error("assignment.date_malformed", format!("`{given}` is neither a date nor an instant"))
                    .at(row.label(column, "not a time"))
                    .help("write a day, `2026-07-01`, or an instant with its offset, `2026-07-01T14:00:00+01:00`");
            self.findings.push(finding);
        }
        bound
    }
}
