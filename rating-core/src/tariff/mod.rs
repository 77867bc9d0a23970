//! Prices, dated: decks and settings that people write, and the flat tables they are compiled to.
//!
//! What people write is a settings file per version of a tariff (TOML) and its rate decks (CSV); `docs/tariff-guide.md`
//! teaches both. [`TariffBook::read`] checks them, reports every mistake in one pass, and compiles them to a
//! [`TariffVersion`] each: a digit tree, a table of rows, a table of price plans, and the bands of the week.
//!
//! A row applies by the start of charging: version, row validity, band and day type are all taken at that instant, on the
//! clock that the tariff names. Intervals are half-open.

mod bands;
mod book;
pub mod calendar;
mod caller_zones;
mod charge;
mod charge_settings;
mod days;
mod deck;
mod notation;
mod settings;
mod times;
mod trie;
mod version;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use book::{SiteClock, Tariff, TariffBook};
pub use charge::{
    AfterCap, Boundary, Cap, ChargeView, Connection, DurationRounding, DurationRule, MinimumStage, Overrun, Rate,
    Rates, Roundings, Step, Steps, Tag, Terms,
};
pub use version::{Called, Cost, Match, Plan, RowView, TariffVersion};

use crate::number::{Digits, E164};

/// What a row of a deck is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DestinationKey {
    /// Numbers that begin with these digits, country code first. The longest one wins.
    Prefix(Digits),
    /// This number alone; wins over every prefix.
    Number(E164),
    /// This short code alone; wins over every short prefix.
    ShortCode(Digits),
    /// Short codes that begin with these digits. The longest one wins.
    ShortPrefix(Digits),
    /// Calls inside the site.
    Internal,
}

impl std::fmt::Display for DestinationKey {
    /// As decks write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Prefix(digits) => write!(f, "{digits}"),
            Self::Number(number) => write!(f, "number:{number}"),
            Self::ShortCode(digits) => write!(f, "short:{digits}"),
            Self::ShortPrefix(digits) => write!(f, "short:{digits}*"),
            Self::Internal => f.write_str("internal"),
        }
    }
}
