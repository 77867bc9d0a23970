//! Rows of a published Parquet file read back as texts, as the machine profile of CSV writes them.

use std::io;
use std::ops::Range;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::ChunkReader;
use ::parquet::schema::types::SchemaDescriptor;
use arrow::array::{
    Array, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};

use super::super::batch::Kind;
use super::super::csv::{Clock, write_units};
use crate::time::{Instant, Zone};

/// Rows that are decoded together.
const BATCH_ROWS: usize = 8_192;

fn no_table(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is no published table: {what}"))
}

/// Shows the rows of a published table to `see`, in the order of the file: the cells of `columns`, `None` for a null.
/// Instants are on the clock of `zone`. With `only`, a column and a text, rows that have this text in this column; row
/// groups that cannot have it are not read, so one payer of a site's table is found without the others.
///
/// # Errors
///
/// If the file cannot be read or is no such table; and the first error of `see`.
pub fn read_rows(
    file: impl ChunkReader + 'static,
    columns: &[(&str, Kind)],
    zone: &Zone,
    only: Option<(&str, &str)>,
    see: &mut dyn FnMut(&[Option<&str>]) -> io::Result<()>,
) -> io::Result<()> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(no_table)?;
    let schema = reader.parquet_schema();
    let wanted = columns.iter().map(|(name, _)| *name).chain(only.map(|(name, _)| name));
    let mask = ProjectionMask::columns(schema, wanted);
    let groups = reader.metadata().row_groups().iter().enumerate();
    let groups = groups.filter(|(_, group)| only.is_none_or(|(name, value)| may_have(schema, group, name, value)));
    let groups = groups.map(|(at, _)| at).collect();
    let reader = reader.with_projection(mask).with_row_groups(groups).with_batch_size(BATCH_ROWS);
    for batch in reader.build().map_err(no_table)? {
        read_batch(&batch.map_err(no_table)?, columns, zone, only, see)?;
    }
    Ok(())
}

/// Whether rows of a group may have a text in a column, by the column's least and greatest.
fn may_have(schema: &SchemaDescriptor, group: &RowGroupMetaData, name: &str, value: &str) -> bool {
    let Some(at) = schema.columns().iter().position(|column| column.name() == name) else { return true };
    let Some(statistics) = group.columns().get(at).and_then(|column| column.statistics()) else { return true };
    // What is kept of long texts is their beginning, and is a bound all the same.
    statistics.min_bytes_opt().is_none_or(|least| least <= value.as_bytes())
        && statistics.max_bytes_opt().is_none_or(|greatest| value.as_bytes() <= greatest)
}

/// A column of a batch, as what it is.
enum Cells<'b> {
    Text(&'b StringArray),
    Decimal(&'b Decimal128Array),
    Whole(&'b Int64Array),
    Instant(&'b TimestampMillisecondArray),
    Boolean(&'b BooleanArray),
}

impl<'b> Cells<'b> {
    fn of(batch: &'b RecordBatch, name: &str, kind: Kind) -> io::Result<Self> {
        let column = batch.column_by_name(name).ok_or_else(|| no_table(format_args!("it has no column `{name}`")))?;
        let any = column.as_any();
        let cells = match kind {
            Kind::Text | Kind::Number => any.downcast_ref().map(Self::Text),
            Kind::Integer => any.downcast_ref().map(Self::Whole),
            Kind::Instant => any.downcast_ref().map(Self::Instant),
            Kind::Boolean => any.downcast_ref().map(Self::Boolean),
            Kind::Amount | Kind::Price | Kind::Decimal | Kind::Seconds => any.downcast_ref().map(Self::Decimal),
        };
        cells.ok_or_else(|| no_table(format_args!("column `{name}` is of another type")))
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(column) => column.is_null(row),
            Self::Decimal(column) => column.is_null(row),
            Self::Whole(column) => column.is_null(row),
            Self::Instant(column) => column.is_null(row),
            Self::Boolean(column) => column.is_null(row),
        }
    }

    fn write(&self, row: usize, kind: Kind, zone: &Zone, clock: &mut Clock, out: &mut Vec<u8>) {
        match self {
            Self::Text(column) => out.extend_from_slice(column.value(row).as_bytes()),
            Self::Decimal(column) => write_units(kind, column.value(row), out),
            Self::Whole(column) => write_units(kind, i128::from(column.value(row)), out),
            Self::Boolean(column) => {
                let text: &[u8] = if column.value(row) { b"true" } else { b"false" };
                out.extend_from_slice(text);
            }
            Self::Instant(column) => {
                let instant = Instant::from_millis(column.value(row));
                clock.write(instant, zone.offset_at(instant), out);
            }
        }
    }
}

fn read_batch(
    batch: &RecordBatch,
    columns: &[(&str, Kind)],
    zone: &Zone,
    only: Option<(&str, &str)>,
    see: &mut dyn FnMut(&[Option<&str>]) -> io::Result<()>,
) -> io::Result<()> {
    let cells = columns.iter().map(|(name, kind)| Cells::of(batch, name, *kind));
    let cells = cells.collect::<io::Result<Vec<_>>>()?;
    let only = only.map(|(name, value)| Cells::of(batch, name, Kind::Text).map(|cells| (cells, value))).transpose()?;
    let mut clock = Clock::default();
    let mut texts = Vec::new();
    let mut places: Vec<Option<Range<usize>>> = Vec::with_capacity(columns.len());
    for row in 0..batch.num_rows() {
        if let Some((Cells::Text(column), value)) = &only
            && (column.is_null(row) || column.value(row) != *value)
        {
            continue;
        }
        texts.clear();
        places.clear();
        for (cells, (_, kind)) in cells.iter().zip(columns) {
            let start = texts.len();
            if cells.is_null(row) {
                places.push(None);
            } else {
                cells.write(row, *kind, zone, &mut clock, &mut texts);
                places.push(Some(start..texts.len()));
            }
        }
        let all = std::str::from_utf8(&texts).map_err(no_table)?;
        let shown: Vec<Option<&str>> =
            places.iter().map(|place| place.clone().and_then(|place| all.get(place))).collect();
        see(&shown)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::text_rows::TextRows;
    use super::super::write;
    use super::*;

    const COLUMNS: [(&str, Kind); 9] = [
        ("payer_id", Kind::Text),
        ("called", Kind::Number),
        ("calls", Kind::Integer),
        ("cost", Kind::Amount),
        ("rate", Kind::Price),
        ("day", Kind::Decimal),
        ("duration_s", Kind::Seconds),
        ("at", Kind::Instant),
        ("answered", Kind::Boolean),
    ];

    fn rows(file: &[u8], columns: &[(&str, Kind)], only: Option<(&str, &str)>) -> Vec<Vec<Option<String>>> {
        let zone = Zone::load("Europe/London").unwrap();
        let mut found = Vec::new();
        read_rows(bytes::Bytes::copy_from_slice(file), columns, &zone, only, &mut |cells| {
            found.push(cells.iter().map(|cell| cell.map(str::to_owned)).collect());
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn what_is_written_comes_back_as_machine_csv_has_it() {
        let one = ["acme", "+4420", "3", "-0.0425", "2.40", "0.5", "61.5", "2026-10-25T01:29:50+01:00", "true"];
        let other = ["bolt", "0201", "0", "0.00", "0.00", "7", "0", "2026-10-25T01:29:50+00:00", "false"];
        let mut table = TextRows::new("test", &COLUMNS);
        table.push(&one.map(Some)).unwrap();
        table.push(&other.map(Some)).unwrap();
        table.push(&[Some("")]).unwrap();
        let file = write(&table.finish().view(), Vec::new()).unwrap();
        let owned = |row: [&str; 9]| row.map(|cell| Some(cell.to_owned())).to_vec();
        let mut empty = vec![None; 9];
        empty[0] = Some(String::new());
        assert_eq!(rows(&file, &COLUMNS, None), [owned(one), owned(other), empty]);
        // Columns in any order, and the rows of one payer.
        let two = [("at", Kind::Instant), ("cost", Kind::Amount)];
        let found = rows(&file, &two, Some(("payer_id", "bolt")));
        assert_eq!(found, [vec![Some("2026-10-25T01:29:50+00:00".to_owned()), Some("0.00".to_owned())]]);
        assert!(rows(&file, &two, Some(("payer_id", "cedar"))).is_empty());
    }

    #[test]
    fn what_is_no_such_table_is_refused() {
        let zone = Zone::utc();
        let mut table = TextRows::new("test", &COLUMNS);
        table.push(&[]).unwrap();
        let file = write(&table.finish().view(), Vec::new()).unwrap();
        for (bytes, column) in
            [(b"PAR1".to_vec(), COLUMNS[0]), (file.clone(), ("cost", Kind::Text)), (file, ("other", Kind::Text))]
        {
            let read = read_rows(bytes::Bytes::from(bytes), &[column], &zone, None, &mut |_| Ok(()));
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
