//! Fifth floor: sums and itemised rows to CSV and Parquet.
//!
//! Nothing is decided here. A report is a [`Batch`] of typed columns, built once; every writer ([`csv`], `parquet`) takes
//! a [`View`] of it, so they cannot disagree.
//!
//! | report | built by | for whom |
//! | --- | --- | --- |
//! | itemised calls | [`Itemised::for_payer`], [`Itemised::for_site`] | the payer; the operator |
//! | per-extension summary | [`extension_summary`] | the payer |
//! | destination analysis | [`payer_destinations`], [`site_destinations`] | the payer; the operator |
//! | charges by occupier | [`charges_by_occupier`] | the operator, per site or for all sites |
//! | exceptions | [`exceptions`] | the operator |
//! | margin | [`margins`] | the operator, per site |
//! | usage | [`usage`](fn@usage) | the operator, per site and for all sites |
//! | bill | [`bills`] | the payer; the operator, per site and for all sites |
//! | allowances | [`allowances`] | the payer; the operator, per site and for all sites |
//! | balances between months | [`allowance_balances`] | the next month |
//!
//! Whether a month's report is there to be read, and if not, why, says [`availability`].
//!
//! What a payer is given never contains a wholesale price, charge, tariff, destination or reason: the tables built for
//! payers have no such column. The operator is a payer like any other for its own calls, and there *cost* is what the
//! carrier charges; in the operator's tables the client amount of these calls is blank.
//!
//! # Total rows
//!
//! A total row is the last of its table and says so in the column `row`. Destination analyses have it in every CSV file,
//! per-extension summaries in the spreadsheet profile only. Parquet never has it, so a sum over a column is right. There
//! is one total row per currency, since amounts in two currencies do not add up.
//!
//! # Text
//!
//! Text that is not UTF-8 is written with U+FFFD in place of what cannot be read, in CSV and Parquet alike. The same
//! stands for control characters, line and paragraph separators and characters that reverse the reading direction: what
//! a person on the telephone network could put there to disturb a reader.

mod allowances;
pub mod availability;
mod batch;
mod bill;
mod cells;
mod codes;
mod column;
pub mod csv;
mod exceptions;
mod file_name;
mod itemised;
mod margin;
mod names;
#[cfg(feature = "parquet")]
pub mod parquet;
mod published;
mod summary;
mod text_rows;
mod usage;

pub use allowances::{AllowanceReader, BalanceLine, allowance_balances, allowances};
pub use batch::{Batch, ColumnSpec, Kind, Schema, Totals, View};
pub use bill::bills;
pub use exceptions::{Exception, ExceptionKind, exceptions};
pub use file_name::{Report, Scope, file_name, safe_name};
pub use itemised::Itemised;
pub use margin::margins;
pub use names::{Dictionary, NameLists, Names};
pub use published::{PublishedCall, PublishedSide, ReadError, read_calls};
pub use summary::{charges_by_occupier, extension_summary, payer_destinations, site_destinations};
pub use text_rows::TextRows;
pub use usage::usage;

/// Rows of one row group of an itemised Parquet file: small, so that one payer's calls are read without the others'.
pub const ROW_GROUP_ROWS: usize = 16_384;

#[cfg(test)]
mod tests;
