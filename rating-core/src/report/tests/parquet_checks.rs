//! What Parquet files say, read back with the `parquet` crate's reader.

use std::collections::BTreeMap;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimestampMillisecondType};

use super::*;
use crate::time::Instant;

fn reader(file: &[u8]) -> ParquetRecordBatchReaderBuilder<std::fs::File> {
    let mut opened = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut opened, file).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(opened).unwrap()
}

/// Every cell as text, by column name; null is `None`.
pub(super) fn read(file: &[u8]) -> BTreeMap<String, Vec<Option<String>>> {
    let builder = reader(file);
    let mut columns: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for field in builder.schema().fields() {
        columns.insert(field.name().clone(), Vec::new());
    }
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let cells = (0..array.len()).map(|row| array.is_valid(row).then(|| cell_text(array, row)));
            columns.get_mut(field.name()).unwrap().extend(cells);
        }
    }
    columns
}

fn cell_text(array: &dyn Array, row: usize) -> String {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Timestamp(_, Some(zone)) => {
            assert_eq!(&**zone, "UTC");
            Instant::from_millis(array.as_primitive::<TimestampMillisecondType>().value(row)).to_rfc3339()
        }
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        other => panic!("{other}"),
    }
}

/// A CSV cell in the form in which `cell_text` gives it.
fn canonical(kind: Kind, cell: &str) -> String {
    let decimals = |scale: usize| {
        let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
        format!("{whole}.{fraction:0<scale$}")
    };
    match kind {
        Kind::Amount => decimals(10),
        Kind::Price | Kind::Decimal => decimals(12),
        Kind::Seconds => decimals(3),
        Kind::Instant => Instant::parse_rfc3339(cell).unwrap().to_rfc3339(),
        Kind::Text | Kind::Number | Kind::Integer | Kind::Boolean => cell.to_owned(),
    }
}

pub(super) fn check_same(table: &Batch) {
    let file = parquet::write(&table.view(), Vec::new()).unwrap();
    let columns = read(&file);
    let rows = parsed(&csv_text(&table.view(), Profile::Machine));
    assert_eq!(columns.len(), table.schema().columns.len());
    for spec in &table.schema().columns {
        let from_csv: Vec<_> = rows
            .iter()
            .filter(|row| row.iter().all(|(name, cell)| name != "row" || cell != "total"))
            .map(|row| cell(row, spec.name))
            .map(|cell| (!cell.is_empty()).then(|| canonical(spec.kind, cell)))
            .collect();
        assert_eq!(columns[spec.name], from_csv, "{} of {}", spec.name, table.schema().name);
        assert!(!spec.required || !from_csv.contains(&None), "{} is required", spec.name);
    }
}

#[test]
fn csv_and_parquet_have_the_same_columns_and_cells() {
    let names = names();
    let mut tables = operator_tables(&names, &month());
    tables.extend(payer_tables(&names, &month(), ACME));
    tables.extend(payer_tables(&names, &month(), LANDLORD));
    tables.extend(operator_tables(&names, &[]));
    for table in &tables {
        check_same(table);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn csv_and_parquet_agree_on_any_calls(calls in any_calls()) {
        let names = names();
        let mut tables = operator_tables(&names, &calls);
        tables.extend(payer_tables(&names, &calls, ACME));
        for table in &tables {
            check_same(table);
        }
    }
}

#[test]
fn types_are_decimal_and_utc_timestamp() {
    let names = names();
    let file = parquet::write(&site_itemised(&names, &month()).view(), Vec::new()).unwrap();
    let builder = reader(&file);
    for (column, expected) in [
        ("cost", DataType::Decimal128(38, 10)),
        ("operator_amount", DataType::Decimal128(38, 10)),
        ("rate", DataType::Decimal128(38, 12)),
        ("duration_s", DataType::Decimal128(18, 3)),
        ("charged_at", DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, Some("UTC".into()))),
        ("site", DataType::Utf8),
        ("calling", DataType::Utf8),
        ("record_offset", DataType::Int64),
        ("answered", DataType::Boolean),
    ] {
        assert_eq!(builder.schema().field_with_name(column).unwrap().data_type(), &expected, "{column}");
    }
    assert_eq!(builder.metadata().file_metadata().created_by(), Some("rating-core"));
    assert_eq!(builder.metadata().file_metadata().key_value_metadata(), None);
}

#[test]
fn bytes_depend_on_rows_and_row_groups_alone() {
    let names = names();
    let calls = month();
    let whole = site_itemised(&names, &calls);
    // Other batches, in which words were met in another order, and another thread.
    let parts = [site_itemised(&names, &calls[2..]), site_itemised(&names, &calls[..2])];
    let encoder = parquet::Encoder::new(whole.schema()).unwrap();
    let write = |groups: Vec<parquet::RowGroup>| {
        let mut writer = parquet::Writer::new(&encoder, Vec::new()).unwrap();
        groups.into_iter().for_each(|group| writer.write(group).unwrap());
        writer.finish().unwrap()
    };
    let from_slices = write(vec![
        encoder.encode(&whole.slice(0..2)).unwrap(),
        encoder.encode(&whole.slice(2..2)).unwrap(),
        encoder.encode(&whole.slice(2..usize::MAX)).unwrap(),
    ]);
    let from_parts = std::thread::scope(|scope| {
        let second = scope.spawn(|| encoder.encode(&parts[0].view()).unwrap());
        let first = scope.spawn(|| encoder.encode(&parts[1].view()).unwrap());
        write(vec![first.join().unwrap(), second.join().unwrap()])
    });
    assert!(from_slices == from_parts);
    assert_eq!(reader(&from_slices).metadata().num_row_groups(), 2, "no row group without rows");
}

#[test]
fn row_groups_are_small_so_that_one_payer_reads_fast() {
    let names = names();
    let calls = vec![call(); ROW_GROUP_ROWS + 1];
    let file = parquet::write(&site_itemised(&names, &calls).view(), Vec::new()).unwrap();
    let builder = reader(&file);
    let rows: Vec<i64> = builder.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(rows, [ROW_GROUP_ROWS as i64, 1]);
}

#[test]
fn rows_of_another_table_are_refused() {
    let names = names();
    let encoder = parquet::Encoder::new(&Itemised::payer_schema()).unwrap();
    let site = site_itemised(&names, &month());
    let error = encoder.encode(&site.view()).err().unwrap();
    assert_eq!(error.to_string(), "rows of table `site_itemised` offered to a file of `itemised`");
}

#[test]
fn seconds_beyond_the_columns_type_are_an_error_not_a_wrong_figure() {
    let names = names();
    let mut endless = call();
    endless.duration = Duration::from_millis(i64::MAX);
    let table = site_itemised(&names, &[endless]);
    assert!(matches!(parquet::write(&table.view(), Vec::new()), Err(parquet::WriteError::Columns(_))));
}
