//! The ways from a call to the rows of a version, and rows that stand in each other's.

use super::DestinationKey;
use super::deck::Rows;
use super::trie::{NONE, Trie};
use crate::finding::{Finding, Findings};
use crate::number::{Digits, E164, NumberClass};
use crate::time::Interval;

const CLASSES: usize = NumberClass::ALL.len();

/// The ways to the rows of one direction: to the first row of each key, which leads to the others.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) prefixes: Trie,
    pub(super) short_prefixes: Trie,
    numbers: Box<[(E164, u32)]>,
    short_codes: Box<[(Digits, u32)]>,
    /// By their texts.
    codes: Box<[(Box<str>, u32)]>,
    classes: [u32; CLASSES],
    pub(super) any: u32,
    pub(super) internal: u32,
}

impl Index {
    pub(super) fn number(&self, number: E164) -> u32 {
        exact(&self.numbers, number)
    }

    pub(super) fn short_code(&self, code: Digits) -> u32 {
        exact(&self.short_codes, code)
    }

    pub(super) fn code(&self, code: &[u8]) -> u32 {
        if code.is_empty() {
            return NONE;
        }
        match self.codes.binary_search_by(|(have, _)| have.as_bytes().cmp(code)) {
            Ok(at) => self.codes.get(at).map_or(NONE, |(_, row)| *row),
            Err(_) => NONE,
        }
    }

    pub(super) fn class(&self, class: NumberClass) -> u32 {
        let place = NumberClass::ALL.iter().position(|have| *have == class);
        place.and_then(|place| self.classes.get(place)).copied().unwrap_or(NONE)
    }

    pub(super) fn bytes(&self) -> usize {
        self.prefixes.bytes()
            + self.short_prefixes.bytes()
            + size_of_val(&*self.numbers)
            + size_of_val(&*self.short_codes)
            + size_of_val(&*self.codes)
    }
}

#[inline]
fn exact<K: Ord + Copy>(table: &[(K, u32)], key: K) -> u32 {
    match table.binary_search_by_key(&key, |(have, _)| *have) {
        Ok(at) => table.get(at).map_or(NONE, |(_, row)| *row),
        Err(_) => NONE,
    }
}

/// The ways to all rows: those for calls out (and inside), and those for calls in, if there are any. Rows of one key are
/// chained; two that may both price a call are refused.
pub(super) fn build(
    rows: &mut Rows,
    validities: &[Interval],
    sites: usize,
    findings: &mut Findings,
) -> (Index, Option<Box<Index>>) {
    // Text order puts a prefix before what extends it, so the tree is laid out as it is walked.
    let mut order: Vec<Keyed> = (rows.rows.iter().zip(0..))
        .map(|(row, index)| ((rows.terms(row.terms).inbound, sort_key(row.key)), index))
        .collect();
    order.sort_unstable();
    let inbound_from = order.partition_point(|((inbound, _), _)| !inbound);
    let (out, inbound) = order.split_at(inbound_from);
    let mut conflicts = Conflicts::default();
    let mut one = |order: &[Keyed]| build_one(order, rows, validities, sites, &mut conflicts, findings);
    let outbound = one(out);
    (outbound, (!inbound.is_empty()).then(|| Box::new(one(inbound))))
}

fn build_one(
    order: &[Keyed],
    rows: &mut Rows,
    validities: &[Interval],
    sites: usize,
    conflicts: &mut Conflicts,
    findings: &mut Findings,
) -> Index {
    let (mut prefixes, mut short_prefixes) = (Trie::new(), Trie::new());
    let (mut numbers, mut short_codes, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    let mut classes = [NONE; CLASSES];
    let (mut any, mut internal) = (NONE, NONE);
    for group in order.chunk_by(|left, right| left.0 == right.0) {
        let Some((_, head)) = group.first().copied() else { continue };
        if group.len() > 1 {
            conflicts.check(group, rows, validities, sites, findings);
            for pair in group.windows(2) {
                rows.rows[pair[0].1 as usize].next = pair[1].1;
            }
        }
        match rows.rows[head as usize].key {
            DestinationKey::Prefix(digits) => prefixes.insert(digits, head),
            DestinationKey::ShortPrefix(digits) => short_prefixes.insert(digits, head),
            DestinationKey::Number(number) => numbers.push((number, head)),
            DestinationKey::ShortCode(code) => short_codes.push((code, head)),
            DestinationKey::Code(code) => codes.push((rows.codes.name(code).into(), head)),
            DestinationKey::Class(class) => {
                let place = NumberClass::ALL.iter().position(|have| *have == class);
                if let Some(slot) = place.and_then(|place| classes.get_mut(place)) {
                    *slot = head;
                }
            }
            DestinationKey::Any => any = head,
            DestinationKey::Internal => internal = head,
        }
    }
    numbers.sort_unstable();
    short_codes.sort_unstable();
    codes.sort_unstable();
    Index {
        prefixes,
        short_prefixes,
        numbers: numbers.into(),
        short_codes: short_codes.into(),
        codes: codes.into(),
        classes,
        any,
        internal,
    }
}

/// What rows are sorted by: direction, kind of key, then its digits as text.
type SortKey = (u8, (u64, usize));
/// A row and its sort key.
type Keyed = ((bool, SortKey), u32);

fn sort_key(key: DestinationKey<u32>) -> SortKey {
    match key {
        DestinationKey::Prefix(digits) => (0, digits.text_order()),
        DestinationKey::Number(number) => (1, number.digits().text_order()),
        DestinationKey::ShortCode(digits) => (2, digits.text_order()),
        DestinationKey::ShortPrefix(digits) => (3, digits.text_order()),
        DestinationKey::Internal => (4, (0, 0)),
        DestinationKey::Code(code) => (5, (u64::from(code), 0)),
        DestinationKey::Class(class) => (6, (class as u64, 0)),
        DestinationKey::Any => (7, (0, 0)),
    }
}

/// Rows of one key that may price one call.
#[derive(Default)]
struct Conflicts {
    reported: usize,
}

impl Conflicts {
    /// A deck pasted twice has as many conflicts as rows; this many show what happened.
    const MOST: usize = 20;

    /// Two rows of one key conflict if they fill the same columns, every one of which may hold for one call, and are valid
    /// at one time: nothing would choose between them.
    fn check(&mut self, group: &[Keyed], rows: &Rows, validities: &[Interval], sites: usize, findings: &mut Findings) {
        let mut found: Vec<(u32, u32)> = Vec::new();
        let condition = |row: u32| rows.rows.get(row as usize).map_or(0, |row| rows.terms(row.terms).condition);
        let mut by_columns: Vec<(u16, u32)> =
            group.iter().map(|(_, row)| (rows.conditions.filled(condition(*row)), *row)).collect();
        by_columns.sort_unstable();
        let mut alike: Vec<u32> = Vec::new();
        for same_columns in by_columns.chunk_by(|left, right| left.0 == right.0).filter(|rows| rows.len() > 1) {
            let first = condition(same_columns[0].1);
            let pairwise = rows.conditions.has_more_than_origin(first);
            let mut check = |alike: &[u32]| {
                if pairwise {
                    self::pairwise(alike, rows, validities, sites, &condition, &mut found);
                } else {
                    overlapping(alike, rows, validities, sites, &mut found);
                }
            };
            if rows.conditions.origins(first).is_none() {
                alike.clear();
                alike.extend(same_columns.iter().map(|(_, row)| *row));
                check(&alike);
                continue;
            }
            // Rows that name one and the same origin; a longer one wins over a shorter.
            let mut items: Vec<(Option<Digits>, bool, u32)> = Vec::new();
            for (_, row) in same_columns {
                let Some(origins) = rows.conditions.origins(condition(*row)) else { continue };
                items.extend(origins.prefixes.iter().map(|prefix| (Some(*prefix), false, *row)));
                items.extend(origins.missing.then_some((None, false, *row)));
                items.extend(origins.invalid.then_some((None, true, *row)));
            }
            items.sort_unstable();
            for shared in items.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
                if shared.len() > 1 {
                    alike.clear();
                    alike.extend(shared.iter().map(|(.., row)| *row));
                    check(&alike);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        for (first, second) in found {
            self.report((first, second), rows, findings);
        }
    }

    fn report(&mut self, (first, second): (u32, u32), rows: &Rows, findings: &mut Findings) {
        self.reported += 1;
        if self.reported > Self::MOST {
            return;
        }
        let Some(row) = rows.rows.get(first as usize) else { return };
        let key = row.key.map_code(|code| rows.codes.name(code));
        let conditional = rows.terms(row.terms).condition != 0;
        let mut finding =
            Finding::error("tariff.rows_conflict", format!("two rows for `{key}` apply at the same time"));
        finding.labels.extend(rows.label(second as usize, "this row"));
        finding.labels.extend(rows.label(first as usize, "and this one"));
        let help = if conditional {
            "their conditions may hold for one call, and none of the two has more of them: narrow one, or remove it"
        } else {
            "end the old row with `until` where the new one begins, or remove one"
        };
        findings.push(finding.help(if self.reported == Self::MOST {
            format!("there are more of these; {help}")
        } else {
            help.to_owned()
        }));
    }
}

fn validity(row: u32, rows: &Rows, validities: &[Interval], sites: usize, site: usize) -> Interval {
    let validity = rows.rows.get(row as usize).map_or(0, |row| rows.terms(row.terms).validity);
    validities[validity as usize * sites + site]
}

/// Pairs of rows that are valid at one time at some site, by sorting: of each clash at least one pair.
fn overlapping(alike: &[u32], rows: &Rows, validities: &[Interval], sites: usize, found: &mut Vec<(u32, u32)>) {
    for site in 0..sites {
        let mut sorted: Vec<(Interval, u32)> =
            alike.iter().map(|row| (validity(*row, rows, validities, sites, site), *row)).collect();
        sorted.sort_unstable_by_key(|(interval, row)| (interval.from, interval.until, *row));
        let Some((mut reaching, rest)) = sorted.split_first().map(|(first, rest)| (*first, rest)) else { return };
        for next in rest {
            if reaching.0.overlaps(next.0) && reaching.1 != next.1 {
                found.push((reaching.1.min(next.1), reaching.1.max(next.1)));
            }
            if next.0.until > reaching.0.until {
                reaching = *next;
            }
        }
    }
}

/// Pairs of rows that are valid at one time at some site and whose conditions may hold for one call.
fn pairwise(
    alike: &[u32],
    rows: &Rows,
    validities: &[Interval],
    sites: usize,
    condition: &impl Fn(u32) -> u32,
    found: &mut Vec<(u32, u32)>,
) {
    for (index, one) in alike.iter().enumerate() {
        for other in alike.iter().skip(index + 1).filter(|other| *other != one) {
            let valid = |row: u32, site: usize| validity(row, rows, validities, sites, site);
            if rows.conditions.may_both_hold(condition(*one), condition(*other))
                && (0..sites).any(|site| valid(*one, site).overlaps(valid(*other, site)))
            {
                found.push((*one.min(other), *one.max(other)));
            }
        }
    }
}
