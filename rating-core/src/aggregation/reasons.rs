//! Why calls were not rated, or not charged.

use super::{Amounts, Elapsed, add_charge};
use crate::ids::{SiteId, SourceId};
use crate::rating::{CallRow, Side};
use crate::source::RecordId;
use crate::time::Instant;

/// One of the two sides on which a call is rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SideName {
    /// What the payer is charged.
    Retail,
    /// What the carrier charges the operator.
    Wholesale,
}

impl SideName {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retail => "retail",
            Self::Wholesale => "wholesale",
        }
    }
}

/// Why sides of calls at one site were not rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReasonKey {
    /// The site.
    pub site: SiteId,
    /// Which side.
    pub side: SideName,
    /// The stable code.
    pub code: &'static str,
}

/// The first call with a reason, in canonical order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its record.
    pub record: RecordId,
    /// Where it came from.
    pub source: SourceId,
    /// The instant that decides.
    pub charging_at: Instant,
    /// The digits keyed, the first 64 bytes.
    pub dialled: Box<[u8]>,
}

impl Example {
    pub(super) const DIALLED_BYTES: usize = 64;

    pub(super) fn of(row: &CallRow<'_>) -> Self {
        let dialled = row.dialled.get(..Self::DIALLED_BYTES).unwrap_or(row.dialled);
        Self { record: row.record, source: row.source, charging_at: row.charging_at, dialled: dialled.into() }
    }
}

/// What the calls with one reason come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonSums {
    /// How many calls.
    pub calls: u64,
    /// Their talk time.
    pub duration: Elapsed,
    /// What their other side was rated at: the money at stake, as far as it can be told.
    pub at_stake: Amounts,
    /// The first of them.
    pub example: Example,
}

impl ReasonSums {
    fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.duration = self.duration.plus(other.duration);
        self.at_stake.merge(&other.at_stake);
        if other.example.record < self.example.record {
            self.example = other.example;
        }
    }
}

/// Sums by reason, sorted by key: a site has a dozen of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons(Vec<(ReasonKey, ReasonSums)>);

impl Reasons {
    /// How many are tried one by one before they are searched.
    const TRIED: usize = 12;

    /// Counts a call; `other` is its other side.
    pub(super) fn count(&mut self, key: ReasonKey, row: &CallRow<'_>, other: &Side) {
        // The same code is nearly always the same text at the same place, so its bytes need not be looked at.
        let same =
            |known: &ReasonKey| known.side == key.side && known.site == key.site && std::ptr::eq(known.code, key.code);
        let place = self.0.iter().take(Self::TRIED).position(|(known, _)| same(known));
        let place = place.unwrap_or_else(|| self.place(key, row));
        let Some((_, sums)) = self.0.get_mut(place) else { return };
        sums.calls += 1;
        sums.duration.add(row.duration);
        add_charge(&mut sums.at_stake, other);
        if row.record < sums.example.record {
            sums.example = Example::of(row);
        }
    }

    #[cold]
    fn place(&mut self, key: ReasonKey, row: &CallRow<'_>) -> usize {
        self.0.binary_search_by_key(&key, |(known, _)| *known).unwrap_or_else(|free| {
            let example = Example::of(row);
            let none = ReasonSums { calls: 0, duration: Elapsed::ZERO, at_stake: Amounts::default(), example };
            self.0.insert(free, (key, none));
            free
        })
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (key, sums) in other.0 {
            match self.0.binary_search_by_key(&key, |(known, _)| *known) {
                Ok(place) => {
                    if let Some((_, have)) = self.0.get_mut(place) {
                        have.merge(sums);
                    }
                }
                Err(free) => self.0.insert(free, (key, sums)),
            }
        }
    }

    pub(super) fn listed(&self) -> Vec<(ReasonKey, &ReasonSums)> {
        self.iter().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ReasonKey, &ReasonSums)> + '_ {
        self.0.iter().map(|(key, sums)| (*key, sums))
    }
}
