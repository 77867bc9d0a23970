//! What every kind of file is turned into before anything is written.

use super::cells::{Amount, Increments, Standing};
use super::{ColumnUse, Counts, Reject};
use crate::money::Currency;
use crate::number::Digits;
use crate::tariff::notation::When;
use crate::time::Zone;

/// What an offer is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    Prefix(Digits),
    /// Anything else, as decks write it: `code:UK GEOGRAPHIC`.
    Written(Box<str>),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prefix(digits) => write!(f, "{digits}"),
            Self::Written(text) => f.write_str(text),
        }
    }
}

/// What else must hold for a row to apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Conditions {
    /// Index of the list of caller prefixes in [`Batch::zones`].
    pub(super) origin: Option<u16>,
    /// `in`, or empty.
    pub(super) direction: &'static str,
    pub(super) caller_type: &'static str,
    pub(super) only_class: &'static str,
}

/// A step of a price that changes with the length of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// From which second of the call on, in milliseconds.
    pub(super) from: i64,
    pub(super) price: Amount,
    /// Due once when the step is entered.
    pub(super) charge: Option<Amount>,
    pub(super) increments: Increments,
}

/// What a row costs. Two rows are the same offer if these are equal; names do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) price: Option<Amount>,
    /// Instead of `price`, by index in [`Batch::bands`].
    pub(super) bands: Vec<(usize, Amount)>,
    pub(super) connection: Option<Amount>,
    /// Instead of `connection`.
    pub(super) connection_bands: Vec<(usize, Amount)>,
    pub(super) minimum: Option<Amount>,
    pub(super) maximum: Option<Amount>,
    pub(super) increments: Option<Increments>,
    /// Calls shorter than this (ms) cost nothing.
    pub(super) free_below: i64,
    /// Milliseconds that are not charged.
    pub(super) subtract: i64,
    /// Instead of `price` and `increments`.
    pub(super) steps: Vec<Step>,
}

impl Terms {
    /// Whether a row of a deck cannot say it alone, so that it needs a `[charges.…]`.
    pub(super) fn needs_charge(&self) -> bool {
        !self.steps.is_empty() || !self.connection_bands.is_empty()
    }
}

/// A row of a file (or several rows that are one), understood.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    /// The rows, by index in [`Batch::rows`].
    pub(super) rows: Vec<u32>,
    pub(super) keys: Vec<Key>,
    pub(super) destination: String,
    pub(super) conditions: Conditions,
    pub(super) terms: Terms,
    pub(super) standing: Standing,
    pub(super) from: Option<When>,
    pub(super) until: Option<When>,
    /// Whether the row is rejected, and stands only to stop the search.
    pub(super) rejected: bool,
    /// Whether it comes of a row that has an offer of its own, which says what became of the row.
    pub(super) aside: bool,
}

/// Where a row of a file is, for rejects that show only later.
#[derive(Clone, Debug)]
pub(super) struct RowPlace {
    pub(super) file: u16,
    pub(super) line: u32,
    pub(super) raw: Box<str>,
    pub(super) state: RowState,
}

/// What became of a row. Of several offers of one row the best counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowState {
    /// Not yet known; nobody's at the end.
    Pending,
    Rejected,
    Closed,
    Duplicate,
    Imported,
}

/// A list of caller prefixes with the name that the tariff gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OriginZone {
    pub(super) name: String,
    pub(super) prefixes: Vec<Digits>,
}

/// All that was read of a request.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) offers: Vec<Offer>,
    pub(super) rows: Vec<RowPlace>,
    pub(super) rejects: Vec<Reject>,
    pub(super) counts: Counts,
    pub(super) columns: Vec<ColumnUse>,
    pub(super) notes: Vec<String>,
    pub(super) bands: Vec<String>,
    pub(super) zones: Vec<OriginZone>,
    pub(super) basis: Basis,
}

/// What holds for the whole tariff.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    pub(super) id: String,
    pub(super) currency: Currency,
    pub(super) from: String,
    pub(super) unit: String,
    pub(super) fees: String,
    /// Decimals between the major unit and that of bare fees.
    pub(super) fee_minor: u32,
    pub(super) increments: Option<Increments>,
    pub(super) zone_name: Option<String>,
    pub(super) zone: Zone,
}
