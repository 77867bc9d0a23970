//! What is worked on at once: some payers whole, or some days of one that has many calls.
//!
//! Units are cut by how many rows payers and days have, and by nothing else, so they are the same in every run.

use std::collections::BTreeMap;

use crate::run::spill::{GroupKey, Run, Stretch};

/// A unit of payers has about so many rows: a row group.
const UNIT_ROWS: u64 = 16_384;
/// A payer with more rows is cut by days, of about so many rows each: what is held at once is bounded by a day's.
const SLICE_ROWS: u64 = 32_768;
const WHOLE_ROWS: u64 = 2 * SLICE_ROWS;

/// Where every payer's rows are.
pub(super) struct Groups<'r> {
    runs: Vec<&'r Run>,
    /// Run and stretch, by group; in a run they are in order.
    places: BTreeMap<GroupKey, Vec<(u32, u32)>>,
}

/// All rows of a payer, or those of some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Whose.
    pub(super) key: GroupKey,
    /// From this day on; `None` from the first.
    pub(super) from: Option<i32>,
    /// Until this day, exclusive; `None` to the last.
    pub(super) until: Option<i32>,
}

impl Share {
    /// Whether these are all rows of the payer.
    pub(super) const fn is_whole(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }
}

/// Shares of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) site: u32,
    pub(super) shares: Vec<Share>,
}

impl<'r> Groups<'r> {
    pub(super) fn new(runs: Vec<&'r Run>) -> Self {
        let mut places: BTreeMap<GroupKey, Vec<(u32, u32)>> = BTreeMap::new();
        for (run, of) in (0_u32..).zip(&runs) {
            let mut numbers = (0_u32..).zip(&of.stretches).peekable();
            while let Some((first, stretch)) = numbers.next() {
                let own = places.entry(stretch.key).or_default();
                own.push((run, first));
                while let Some((number, _)) = numbers.next_if(|(_, next)| next.key == stretch.key) {
                    own.push((run, number));
                }
            }
        }
        Self { runs, places }
    }

    /// Everybody with rows, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = GroupKey> + '_ {
        self.places.keys().copied()
    }

    /// The stretches of a payer.
    pub(super) fn stretches(&self, key: GroupKey) -> impl Iterator<Item = (&'r Run, &'r Stretch)> + Clone + '_ {
        let places = self.places.get(&key).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|(run, stretch)| {
            let run = *self.runs.get(*run as usize)?;
            Some((run, run.stretches.get(*stretch as usize)?))
        })
    }

    /// Whether a payer has so many rows that they are not held at once.
    pub(super) fn is_large(&self, key: GroupKey) -> bool {
        self.stretches(key).map(|(_, stretch)| u64::from(stretch.rows)).sum::<u64>() > WHOLE_ROWS
    }

    /// Everything there is to do, in the order of sites, payers and days.
    pub(super) fn units(&self) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let mut open: Option<(Unit, u64)> = None;
        for key in self.keys() {
            if open.as_ref().is_some_and(|(unit, rows)| unit.site != key.site || *rows >= UNIT_ROWS) {
                units.extend(open.take().map(|(unit, _)| unit));
            }
            let rows = self.stretches(key).map(|(_, stretch)| u64::from(stretch.rows)).sum::<u64>();
            if rows > WHOLE_ROWS {
                units.extend(open.take().map(|(unit, _)| unit));
                let slices = self.slices(key).into_iter();
                units.extend(slices.map(|share| Unit { site: key.site, shares: vec![share] }));
                continue;
            }
            let (unit, so_far) = open.get_or_insert_with(|| (Unit { site: key.site, shares: Vec::new() }, 0));
            unit.shares.push(Share { key, from: None, until: None });
            *so_far += rows;
        }
        units.extend(open.map(|(unit, _)| unit));
        units
    }

    fn slices(&self, key: GroupKey) -> Vec<Share> {
        let mut days: BTreeMap<i32, u64> = BTreeMap::new();
        for (_, stretch) in self.stretches(key) {
            *days.entry(stretch.day).or_default() += u64::from(stretch.rows);
        }
        let mut slices: Vec<Share> = Vec::new();
        let mut rows = u64::MAX;
        for (day, count) in days {
            if rows >= SLICE_ROWS {
                if let Some(last) = slices.last_mut() {
                    last.until = Some(day);
                }
                slices.push(Share { key, from: (!slices.is_empty()).then_some(day), until: None });
                rows = 0;
            }
            rows += count;
        }
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aside::Store;

    fn run(stretches: &[(u32, u32, i32, u32)]) -> Run {
        let stretch = |(site, payer, day, rows): &(u32, u32, i32, u32)| Stretch {
            key: GroupKey { site: *site, payer: *payer },
            day: *day,
            start: 0,
            length: 0,
            rows: *rows,
            last_ms: 0,
        };
        let block = Store::in_memory().appender().put(b"").unwrap();
        Run { block, stretches: stretches.iter().map(stretch).collect() }
    }

    #[test]
    fn payers_are_worked_on_together_and_large_ones_by_days() {
        let runs = [
            run(&[(0, 1, 5, 10_000), (0, 2, 5, 10_000), (0, 3, 5, 20_000), (0, 3, 6, 20_000), (1, 1, 5, 1)]),
            run(&[(0, 3, 6, 20_000), (0, 3, 7, 40_000), (0, 3, 9, 1), (1, 1, 4, 1), (1, 1, 5, 1)]),
        ];
        let groups = Groups::new(runs.iter().collect());
        let share = |site, payer, from, until| Share { key: GroupKey { site, payer }, from, until };
        let units: Vec<(u32, Vec<Share>)> = groups.units().into_iter().map(|unit| (unit.site, unit.shares)).collect();
        assert_eq!(
            units,
            [
                (0, vec![share(0, 1, None, None), share(0, 2, None, None)]),
                // 20,000 on day 5 are too few, 60,000 with day 6 are enough; 40,000 on day 7; 1 on day 9.
                (0, vec![share(0, 3, None, Some(7))]),
                (0, vec![share(0, 3, Some(7), Some(9))]),
                (0, vec![share(0, 3, Some(9), None)]),
                (1, vec![share(1, 1, None, None)]),
            ]
        );
        assert!(groups.is_large(GroupKey { site: 0, payer: 3 }) && !groups.is_large(GroupKey { site: 0, payer: 2 }));
        // How rows came to be in runs makes no difference.
        let one = [run(&[(0, 1, 5, 10_000), (0, 2, 5, 10_000)]), run(&[(0, 3, 5, 20_000), (0, 3, 6, 40_000)])];
        let other = [run(&[(0, 3, 7, 40_000), (0, 3, 9, 1), (1, 1, 4, 1)]), run(&[(1, 1, 5, 2)])];
        assert_eq!(Groups::new(one.iter().chain(&other).collect()).units(), groups.units());
    }
}
