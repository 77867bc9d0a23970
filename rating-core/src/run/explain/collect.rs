//! Keeps the sum as the rater does it.

use crate::ids::TariffId;
use crate::money::{Charge, Price, Ratio};
use crate::rating::{ChargeWorking, Entry, Show, Stretch};
use crate::tariff::{Tag, Terms};
use crate::time::Duration;

/// A row that prices the call from a moment on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) tariff: TariffId,
    pub(super) version: u16,
    pub(super) row: u32,
    pub(super) from: Duration,
}

/// A charge, with what was shown before it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) part: usize,
    pub(super) name: String,
    pub(super) tag: Tag,
    pub(super) terms: Terms,
    pub(super) mark_up: Option<(Charge, i64)>,
    pub(super) free: bool,
    pub(super) charged: Duration,
    pub(super) billed: Duration,
    pub(super) stretches: Ratio,
    pub(super) usage: Ratio,
    pub(super) capped: bool,
    pub(super) connection: Price,
    pub(super) minimum_applied: bool,
    pub(super) maximum_applied: bool,
    pub(super) amount: Ratio,
    pub(super) after_rounding: bool,
    pub(super) walked: Vec<Stretch>,
    pub(super) entered: Vec<Entry>,
}

/// Everything that was shown.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) parts: Vec<Part>,
    pub(super) charges: Vec<Kept>,
    stretches: Vec<Stretch>,
    entries: Vec<Entry>,
}

impl Show for Collected {
    fn part(&mut self, tariff: TariffId, version: u16, row: u32, from: Duration) {
        self.parts.push(Part { tariff, version, row, from });
    }

    fn stretch(&mut self, stretch: &Stretch) {
        self.stretches.push(*stretch);
    }

    fn entry(&mut self, entry: &Entry) {
        self.entries.push(*entry);
    }

    fn charge(&mut self, charge: &ChargeWorking<'_>) {
        self.charges.push(Kept {
            part: self.parts.len().saturating_sub(1),
            name: charge.name.to_owned(),
            tag: charge.tag,
            terms: charge.terms.clone(),
            mark_up: charge.wholesale,
            free: charge.free,
            charged: charge.charged,
            billed: charge.billed,
            stretches: charge.stretches,
            usage: charge.usage,
            capped: charge.capped,
            connection: charge.connection,
            minimum_applied: charge.minimum_applied,
            maximum_applied: charge.maximum_applied,
            amount: charge.amount,
            after_rounding: charge.after_rounding,
            walked: std::mem::take(&mut self.stretches),
            entered: std::mem::take(&mut self.entries),
        });
    }
}
