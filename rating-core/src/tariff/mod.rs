//! Prices, dated: decks and settings that people write, and the flat tables they are compiled to.
//!
//! What people write is a settings file per version of a tariff (TOML) and its rate decks (CSV); `docs/tariff-guide.md`
//! teaches both. [`TariffBook::read`] checks them, reports every mistake in one pass, and compiles them to a
//! [`TariffVersion`] each: a digit tree, a table of rows, a table of price plans, and the bands of the week.
//!
//! A row applies by the start of charging: version, row validity, band and day type are all taken at that instant, on the
//! clock that the tariff names. Intervals are half-open.

mod ahead;
mod bands;
mod book;
pub mod calendar;
mod caller_zones;
pub mod cgrates;
mod charge;
mod charge_settings;
mod conditions;
mod days;
mod deck;
pub mod import;
mod index;
mod inherit;
mod key;
pub mod lint;
mod lookup;
mod notation;
mod origin;
mod query;
mod scheme;
mod settings;
mod times;
mod together;
mod trie;
mod vat;
mod version;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use ahead::Walks;
pub use book::{SiteClock, Tariff, TariffBook};
pub use charge::{
    AfterCap, Boundary, Cap, ChargeView, Connection, DurationRounding, DurationRule, MinimumStage, Overrun, Rate,
    Rates, Roundings, Step, Steps, Tag, Terms,
};
pub use conditions::CONDITION_COLUMNS;
pub use inherit::{Found, Start};
pub use key::DestinationKey;
pub use lookup::{Candidate, Level, Lost, Way};
pub use query::{Called, Caller, CallerType, Match, Query};
pub use scheme::{
    Allowance, CarryOver, Change, Crossing, Eligible, Kind as SchemeKind, MILLION, Measure, PerCall, Period, Quantity,
    Scheme, Schemes, Scope, Share, SubLimit, Tier, Volume, Weighted,
};
pub use vat::{TaxPoint, Vat, VatStage};
pub use version::{Cost, Plan, RowView, TariffVersion};
