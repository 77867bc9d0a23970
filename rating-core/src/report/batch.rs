//! The one table type: a schema, columns, rows; and views of it for the writers.

use std::ops::Range;
use std::sync::Arc;

use super::cells::Column;
use crate::ids::SiteId;
use crate::time::Zone;

/// What a column holds, and how each writer writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A phone number, extension, or what stands in its place. Text: leading zeros and fifteen digits count.
    Number,
    /// A whole number; 64 bits in Parquet.
    Integer,
    /// Posted money in the major unit, ten decimals; `decimal(38, 10)` in Parquet. CSV drops trailing zeros after the
    /// second decimal.
    Amount,
    /// A price in the major unit, twelve decimals; `decimal(38, 12)` in Parquet. CSV as for amounts.
    Price,
    /// A number with up to twelve decimals; `decimal(38, 12)` in Parquet. CSV drops trailing zeros.
    Decimal,
    /// Elapsed seconds, three decimals; `decimal(18, 3)` in Parquet. CSV drops trailing zeros.
    Seconds,
    /// An instant: `timestamp(ms, UTC)` in Parquet; in CSV ISO 8601 on the clock of the row's site, with its offset.
    Instant,
    /// `true` or `false`.
    Boolean,
}

/// One column of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name, in CSV and Parquet.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every row has a value; other cells may be null, that is empty in CSV.
    pub required: bool,
}

/// Where a table's total rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Totals {
    /// The table has none.
    None,
    /// In the spreadsheet profile of CSV.
    Spreadsheet,
    /// In both profiles of CSV.
    EveryCsv,
}

/// The columns of a table, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// What the table is called.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<ColumnSpec>,
    /// Where its total rows are written.
    pub totals: Totals,
}

/// A table: columns of equal length, total rows last.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(super) schema: Arc<Schema>,
    pub(super) columns: Vec<Column>,
    /// For each list, the code of each row: which cell of a column that follows the list is the row's.
    pub(super) codes: Vec<Vec<u32>>,
    /// Rows that are not totals.
    detail_rows: usize,
    all_rows: usize,
    clocks: Clocks,
}

/// Which zone the instants of each row are shown in.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    pub(super) zones: Arc<[Zone]>,
    /// The site behind each code of the first list; none where no column is an instant.
    pub(super) sites: Vec<SiteId>,
}

impl Batch {
    /// A table whose columns have a cell for each row.
    ///
    /// # Panics
    ///
    /// If the columns differ in length or number from each other or the schema: a fault of a row builder.
    pub(super) fn new(schema: Arc<Schema>, columns: Vec<Column>, total_rows: usize) -> Self {
        Self::coded(schema, columns, Vec::new(), total_rows, Clocks::default())
    }

    /// A table some of whose columns have a cell for each code of a list.
    ///
    /// # Panics
    ///
    /// As [`Batch::new`], or if a list of codes is missing.
    pub(super) fn coded(
        schema: Arc<Schema>,
        columns: Vec<Column>,
        codes: Vec<Vec<u32>>,
        total_rows: usize,
        clocks: Clocks,
    ) -> Self {
        assert_eq!(schema.columns.len(), columns.len(), "columns of {}", schema.name);
        let rows_of = |column: &Column| match column.codes {
            Some(list) => codes.get(list).map(Vec::len),
            None => Some(column.cells.len()),
        };
        let rows = columns.first().and_then(rows_of).unwrap_or(0);
        for (spec, column) in schema.columns.iter().zip(&columns) {
            assert_eq!(rows_of(column), Some(rows), "cells of column {} of {}", spec.name, schema.name);
        }
        Self { schema, columns, codes, detail_rows: rows.saturating_sub(total_rows), all_rows: rows, clocks }
    }

    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many rows there are, total rows left out.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.detail_rows
    }

    /// All of it.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View {
            batch: self,
            schema: self.schema.clone(),
            detail: 0..self.detail_rows,
            totals: self.detail_rows..self.all_rows,
        }
    }

    /// Some of its rows, clipped to those there are; without totals.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> View<'_> {
        let end = rows.end.min(self.detail_rows);
        View { batch: self, schema: self.schema.clone(), detail: rows.start.min(end)..end, totals: 0..0 }
    }

    /// The first columns of some rows, under a schema that has only these; `None` if it is not a beginning of this one.
    pub(super) fn leading_columns(&self, schema: Arc<Schema>, rows: Range<usize>) -> Option<View<'_>> {
        let same = self.schema.columns.get(..schema.columns.len())? == schema.columns;
        same.then(|| View { schema, ..self.slice(rows) })
    }

    /// The cell of a column that is the row's.
    #[inline]
    pub(super) fn cell_of(&self, column: &Column, row: usize) -> usize {
        match column.codes {
            None => row,
            Some(list) => {
                self.codes.get(list).and_then(|codes| codes.get(row)).map_or(usize::MAX, |code| *code as usize)
            }
        }
    }

    pub(super) fn site(&self, row: usize) -> Option<SiteId> {
        let code = self.codes.first()?.get(row)?;
        self.clocks.sites.get(*code as usize).copied()
    }

    /// The zone of the row's site.
    pub(super) fn zone(&self, row: usize) -> Option<&Zone> {
        self.clocks.zones.get(self.site(row)?.index())
    }
}

/// Rows and columns of a batch that a writer is to write.
#[derive(Clone, Debug)]
pub struct View<'b> {
    pub(super) batch: &'b Batch,
    pub(super) schema: Arc<Schema>,
    pub(super) detail: Range<usize>,
    pub(super) totals: Range<usize>,
}

impl<'b> View<'b> {
    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many rows there are, total rows left out.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.detail.len()
    }

    /// Its rows in groups of [`ROW_GROUP_ROWS`](super::ROW_GROUP_ROWS).
    pub fn row_groups(&self) -> impl Iterator<Item = Self> + '_ {
        self.detail.clone().step_by(super::ROW_GROUP_ROWS).map(|start| {
            let end = self.detail.end.min(start + super::ROW_GROUP_ROWS);
            Self { detail: start..end, totals: 0..0, ..self.clone() }
        })
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.batch.columns.iter().take(self.schema.columns.len())
    }
}

/// Declares a table once: its columns in order, each with its type, the list of codes that it follows (`@list`, if it does
/// not have a cell for each row), and `required` where no cell is null.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ident $(@$codes:ident)? $($required:ident)?,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name {
            $($field: column::$type,)*
        }

        impl $name {
            const COLUMNS: &'static [ColumnSpec] = &[$(
                ColumnSpec {
                    name: stringify!($field),
                    kind: column::$type::KIND,
                    required: table!(@required $($required)?),
                },
            )*];

            fn into_columns(self) -> Vec<Column> {
                vec![$(table!(@follow self.$field.into_column(), $($codes)?),)*]
            }

            /// Takes the buffers of columns that an earlier table of the kind ended up as.
            #[allow(dead_code, reason = "tables of sums are built once")]
            fn refill(&mut self, columns: &mut impl Iterator<Item = Column>) {
                $(
                    if let Some(column) = columns.next() {
                        self.$field.refill(column.cells);
                    }
                )*
            }
        }
    };
    (@required required) => { true };
    (@required) => { false };
    (@follow $column:expr,) => { $column };
    (@follow $column:expr, $codes:ident) => { Column { codes: Some($codes), ..$column } };
}

pub(super) use table;
