//! Which call of the carrier's is which of ours.

use std::collections::BTreeMap;

use super::{Our, Their};
use crate::time::Duration;

/// How near two calls must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How far their beginnings may be apart.
    pub(super) tolerance: Duration,
}

const HOUR: i64 = 3_600_000;

/// The largest difference of two clocks, in hours.
const MOST_HOURS: i64 = 14;

/// Places in both lists.
type Pairs = Vec<(usize, usize)>;

/// Hours, and calls that were found so.
type Clock = Vec<(i64, u64)>;

/// Pairs of places in both lists, and by how many hours the carrier's clock is ahead for how many of them.
pub(super) fn matched(ours: &[Our], theirs: &[Their], bounds: Bounds) -> (Pairs, Clock) {
    let mut by_called: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, their) in theirs.iter().enumerate() {
        by_called.entry(their.called).or_default().push(index);
    }
    for list in by_called.values_mut() {
        list.sort_by_key(|index| theirs.get(*index).map(|their| (their.at, *index)));
    }
    let mut left = Left { ours: vec![true; ours.len()], theirs: vec![true; theirs.len()] };
    let (mut pairs, mut clock) = (Vec::new(), Vec::new());
    let search = Search { ours, theirs, by_called, bounds };
    // The clock by which most calls are found comes first; of equals the nearest. Others only for what is left, and only
    // where duration and caller agree too.
    let mut order: Vec<(std::cmp::Reverse<usize>, i64, i64)> = (-MOST_HOURS..=MOST_HOURS)
        .map(|hours| (std::cmp::Reverse(search.candidates(hours, &left, hours != 0).len()), hours.abs(), hours))
        .collect();
    order.sort_unstable();
    for (rank, (_, _, hours)) in order.into_iter().enumerate() {
        let mut candidates = search.candidates(hours, &left, rank > 0 || hours != 0);
        candidates.sort_unstable();
        let before = pairs.len();
        for (_, our, their) in candidates {
            if left.ours.get(our) == Some(&true) && left.theirs.get(their) == Some(&true) {
                (left.ours[our], left.theirs[their]) = (false, false);
                pairs.push((our, their));
            }
        }
        let found = (pairs.len() - before) as u64;
        if found > 0 && hours != 0 {
            clock.push((hours, found));
        }
    }
    pairs.sort_unstable();
    (pairs, clock)
}

struct Left {
    ours: Vec<bool>,
    theirs: Vec<bool>,
}

/// How well two calls agree: other callers, then beginnings apart, then durations apart. Less is better.
type Cost = (u8, i64, i64);

struct Search<'s> {
    ours: &'s [Our],
    theirs: &'s [Their],
    by_called: BTreeMap<u32, Vec<usize>>,
    bounds: Bounds,
}

impl Search<'_> {
    /// Pairs that may be one call, by a clock so many hours ahead.
    fn candidates(&self, hours: i64, left: &Left, strict: bool) -> Vec<(Cost, usize, usize)> {
        let tolerance = self.bounds.tolerance.as_millis();
        let mut found = Vec::new();
        for (index, our) in self.ours.iter().enumerate().filter(|(index, _)| left.ours.get(*index) == Some(&true)) {
            let Some(list) = self.by_called.get(&our.called) else { continue };
            let begins = [Some(our.at), our.setup].map(|at| at.map(|at| at.as_millis() + hours * HOUR));
            let first = begins.iter().flatten().min().copied().unwrap_or(0) - tolerance;
            let last = begins.iter().flatten().max().copied().unwrap_or(0) + tolerance;
            let at = |index: &usize| self.theirs.get(*index).map_or(i64::MAX, |their| their.at.as_millis());
            let start = list.partition_point(|index| at(index) < first);
            for their_index in list.iter().skip(start).take_while(|index| at(index) <= last) {
                let Some(their) = self.theirs.get(*their_index) else { continue };
                if left.theirs.get(*their_index) != Some(&true) {
                    continue;
                }
                let apart =
                    begins.iter().flatten().map(|begin| (begin - their.at.as_millis()).abs()).min().unwrap_or(i64::MAX);
                let longer = (our.duration.as_millis() - their.duration.as_millis()).abs();
                let callers = match their.caller {
                    Some(caller) if our.callers.contains(&Some(caller)) => 0,
                    Some(_) if our.callers.iter().any(Option::is_some) => continue,
                    _ => 1,
                };
                if apart > tolerance || (strict && longer > tolerance) {
                    continue;
                }
                found.push(((callers, apart, longer), index, *their_index));
            }
        }
        found
    }
}
