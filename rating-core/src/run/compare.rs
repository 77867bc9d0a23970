//! Two ways to see the same calls, and what lies between them: [`diff`](super::diff) compares two published
//! versions.
//!
//! A [`Delta`] is one call that is not the same in both: it came, it went, or it changed. Every delta has exactly one
//! [`Cause`], so the sums by cause (and by site, occupier, destination) add up to the difference of the totals; that is
//! asserted, in release builds too.

mod cause;
mod lines;
mod sums;

pub(super) use cause::{Evidence, FileFate};
pub(super) use sums::{Sums, side_by_side};

pub use cause::Cause;
pub use lines::csv_header;
pub(super) use lines::line as write_line;

use crate::aggregation::SideName;
use crate::money::{Charge, Currency, Total};
use crate::report::{PublishedCall, PublishedSide};
use crate::time::Month;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// Both have it, and not the same.
    Changed,
}

impl Change {
    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A call that is not the same in both.
#[derive(Clone, Copy, Debug)]
pub struct Delta<'d> {
    /// Why.
    pub cause: Cause,
    /// What exactly: the file, the row and its prices, the allocation's files.
    pub what: &'d str,
    /// As the first has it.
    pub before: Option<&'d PublishedCall<&'d str>>,
    /// As the second has it.
    pub after: Option<&'d PublishedCall<&'d str>>,
}

impl Delta<'_> {
    /// What became of it.
    #[must_use]
    pub const fn change(&self) -> Change {
        match (self.before, self.after) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Changed,
        }
    }
}

/// An amount in the first and in the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// In the first.
    pub before: Total,
    /// In the second.
    pub after: Total,
}

impl Amounts {
    /// The second less the first.
    #[must_use]
    pub const fn difference(self) -> Total {
        self.after.minus(self.before)
    }
}

/// Amounts of one side and currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Which side.
    pub side: SideName,
    /// In this currency.
    pub currency: Currency,
    /// How much.
    pub amounts: Amounts,
}

/// Deltas that have something in common, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What they have in common: the cause and what it was, the site, the site and the occupier, …
    pub names: Vec<String>,
    /// How many deltas.
    pub calls: u64,
    /// What these calls come to, by side and currency; amounts that stay the same are left out.
    pub money: Vec<Money>,
}

/// One delta by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneCall {
    /// Why.
    pub cause: Cause,
    /// What exactly.
    pub what: String,
    /// As the first has it.
    pub before: Option<PublishedCall<String>>,
    /// As the second has it.
    pub after: Option<PublishedCall<String>>,
}

impl OneCall {
    /// The call, as the second has it or else the first.
    #[must_use]
    pub fn call(&self) -> Option<&PublishedCall<String>> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// What lies between two versions of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The month.
    pub month: Month,
    /// The first, as it is called: its run, or a word.
    pub before: String,
    /// The second.
    pub after: String,
    /// What went into them and is not the same: files of records, settings and tables, the software.
    pub inputs: Vec<String>,
    /// Calls in the first.
    pub calls_before: u64,
    /// Calls in the second.
    pub calls_after: u64,
    /// Calls that only the second has.
    pub added: u64,
    /// Calls that only the first has.
    pub removed: u64,
    /// Calls that are not the same.
    pub changed: u64,
    /// Calls that are the same and stand in another file or place.
    pub moved: u64,
    /// All money of both, by side and currency.
    pub totals: Vec<Money>,
    /// By cause and what it was, the largest first.
    pub causes: Vec<Line>,
    /// By site.
    pub sites: Vec<Line>,
    /// By site and occupier.
    pub occupiers: Vec<Line>,
    /// By destination.
    pub destinations: Vec<Line>,
    /// By day on the site's clock, in order; empty where the clocks are not known.
    pub days: Vec<Line>,
    /// Sides of calls that are suspended only in one: `newly suspended` or `released`, the side, the reason.
    pub suspended: Vec<Line>,
    /// The ten calls that explain most.
    pub most: Vec<OneCall>,
}

impl Comparison {
    /// Whether there is no difference at all between the calls.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.added == 0 && self.removed == 0 && self.changed == 0
    }
}

/// Both sides of a call.
fn sides<T>(call: &PublishedCall<T>) -> [(SideName, &PublishedSide<T>); 2] {
    [(SideName::Retail, &call.retail), (SideName::Wholesale, &call.wholesale)]
}

/// What a side is charged, if it is.
fn charge<T: AsRef<str>>(side: &PublishedSide<T>) -> Option<(Currency, Charge)> {
    Some((Currency::parse(side.currency.as_ref())?, side.charge?))
}

#[cfg(test)]
mod tests;
