//! Calls that are nearly the same as one before.

use std::collections::VecDeque;

use crate::rating::CallRow;
use crate::run::spill::{Prices, Rows};
use crate::source::RecordId;
use crate::time::{Duration, Instant};

/// Nearly equal calls begin within this of each other and last as long, within the same.
pub(super) const NEAR: Duration = Duration::from_seconds(1);

/// How many calls of one second are looked at: a flood of calls must not make this quadratic.
const WINDOW: usize = 64;

/// Answered calls of one payer, in time, that are nearly the same as one before: same parties, begun and lasting the
/// same within a second. Each is listed with the earlier one, sorted by record. Calls before `from` are looked at, and not
/// listed; those that `skip` names are not there at all.
pub(super) fn near_duplicates(
    rows: &Rows,
    prices: &dyn Prices,
    from: Option<Instant>,
    skip: impl Fn(&CallRow<'_>) -> bool,
) -> Vec<(RecordId, RecordId)> {
    let mut near = Vec::new();
    let mut window: VecDeque<CallRow<'_>> = VecDeque::new();
    let close = |one: Option<Instant>, other: Option<Instant>| {
        one.zip(other).is_some_and(|(one, other)| other.since(one) <= NEAR)
    };
    for index in 0..rows.len() {
        let at = rows.charging_at(index);
        // Nearly every call is alone in its second, and need not be looked at.
        let before = index.checked_sub(1).and_then(|before| rows.charging_at(before));
        if !close(before, at) && !close(at, rows.charging_at(index + 1)) {
            continue;
        }
        let Some(row) = rows.get(index, prices).filter(|row| row.answered && !skip(row)) else { continue };
        while window.front().is_some_and(|old| row.charging_at.since(old.charging_at) > NEAR) {
            window.pop_front();
        }
        let alike = |old: &CallRow<'_>| {
            old.called == row.called
                && old.calling == row.calling
                && old.dialled == row.dialled
                && (old.duration.as_millis() - row.duration.as_millis()).abs() <= NEAR.as_millis()
        };
        if from.is_none_or(|from| row.charging_at >= from)
            && let Some(old) = window.iter().find(|old| alike(old))
        {
            near.push((row.record, old.record));
        }
        if window.len() < WINDOW {
            window.push_back(row);
        }
    }
    near.sort_unstable();
    near
}
