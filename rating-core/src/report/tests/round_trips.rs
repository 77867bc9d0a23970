//! Columns of every kind, of every length that matters, with every pattern of nulls, there and back.

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMillisecondType};

use super::parquet_checks::{check_same, read};
use super::*;
use crate::aggregation::Elapsed;
use crate::money::{self, Currency};
use crate::report::batch::{Clocks, ColumnSpec};
use crate::report::cells::Column;
use crate::report::column;
use crate::time::Instant;

/// A number for each place, the same in every run.
fn draw(seed: u64, row: usize) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(row as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How cells repeat and which are null.
#[derive(Clone, Copy, Debug)]
struct Pattern {
    rows: usize,
    /// How many different values there are; 0 for as many as rows.
    values: u64,
    /// Of eight rows so many are null, in stretches of `stretch` rows.
    nulls: u64,
    stretch: usize,
}

impl Pattern {
    fn cells(self, seed: u64) -> impl Iterator<Item = Option<u64>> {
        (0..self.rows).map(move |row| {
            let drawn = draw(seed, row);
            let value = if self.values == 0 { drawn } else { draw(seed ^ 77, (drawn % self.values) as usize) };
            (draw(seed ^ 5, row / self.stretch) % 8 >= self.nulls).then_some(value)
        })
    }
}

/// A table with a column of every kind, each once by row and once by code.
fn table(pattern: Pattern) -> Batch {
    let dictionary = Dictionary::new((0..300).map(|id| format!("name {id}")));
    let mut columns: Vec<(ColumnSpec, Column)> = Vec::new();
    let mut codes: Vec<Vec<u32>> = vec![Vec::new(), Vec::new()];
    for row in 0..pattern.rows {
        codes[0].push((draw(1, row) % 40) as u32);
        codes[1].push(if row % 100 < 90 { 7 } else { (draw(2, row) % 9_000) as u32 });
    }
    let by_code = Pattern { rows: 9_000, ..pattern };
    macro_rules! column {
        ($name:literal, $type:ident, $build:expr) => {
            for (list, name) in
                [(None, $name), (Some(0), concat!($name, "_by_code")), (Some(1), concat!($name, "_by_code_in_runs"))]
            {
                let pattern = if list.is_some() { by_code } else { pattern };
                let build: fn(Pattern) -> column::$type = $build;
                let spec = ColumnSpec { name, kind: column::$type::KIND, required: false };
                columns.push((spec, Column { codes: list, ..build(pattern).into_column() }));
            }
        };
        ($name:literal, $type:ident, $seed:literal, $cell:expr) => {
            column!($name, $type, |pattern| {
                let mut column = column::$type::default();
                let cell = $cell;
                pattern.cells($seed).for_each(|value| column.push(value.map(cell)));
                column
            })
        };
    }
    column!("text", Text, |pattern| {
        let mut column = column::Text::default();
        let text = |value: u64| format!("{}.{}", 1_792_888_190 + value % 5_000, "é".repeat((value % 7) as usize));
        pattern.cells(11).for_each(|value| column.push(value.map(text).as_ref().map(String::as_bytes)));
        column
    });
    column!("number", Number, |pattern| {
        let mut column = column::Number::default();
        pattern.cells(12).for_each(|value| match value {
            Some(value) if value % 11 == 0 => column.push(Party::Withheld),
            Some(value) if value % 13 == 0 => column.push(Party::Name(format!("line {}", value % 50).as_bytes())),
            Some(value) if value % 2 == 0 => {
                column.push_digits(Digits::parse((value % 100_000).to_string().as_bytes()));
            }
            Some(value) => {
                column.push_e164(E164::parse((1_000_000 + value % 999_999_999_000_000).to_string().as_bytes()))
            }
            None => column.push(Party::Missing),
        });
        column
    });
    column!("word", Word, |pattern| {
        let mut column = column::Word::default();
        pattern.cells(13).for_each(|value| column.push(value.map(|value| ["one", "two", "three"][value as usize % 3])));
        column
    });
    column!("currency", Word, |pattern| {
        let mut column = column::Word::default();
        pattern.cells(14).for_each(|value| column.push_currency(value.and_then(|_| Currency::parse("GBP"))));
        column
    });
    column!("integer", Integer, 15, |value| value >> 1);
    column!("amount", Amount, 16, |value| Total::from_units(i128::from(value) - (1 << 63)));
    column!("sum", Amount, 17, |value| Total::from_units((i128::from(value) - (1 << 63)) << 62));
    column!("charge", Charge, 18, |value| Charge::from_units((value % 1_000_000) as i64 - 500_000));
    column!("price", Price, 19, |value| money::Price::from_units((value >> 20) as i64));
    column!("decimal", Decimal, 20, |value| i128::from(value) * 1_000_000);
    column!("seconds", Seconds, 21, |value| Elapsed::from(Duration::from_millis((value % 1_000_000_000) as i64)));
    column!("span", Span, 22, |value| Duration::from_millis((value % 1_000_000_000_000_000) as i64));
    column!("boolean", Boolean, 23, |value| value % 3 == 0);
    let mut name = column::Name::of(&dictionary);
    pattern.cells(24).for_each(|value| name.push(value.map(|value| (value % 300) as u32)));
    columns.push((ColumnSpec { name: "name", kind: Kind::Text, required: false }, name.into_column()));
    let mut moment = column::Moment::default();
    let at = |value| Instant::from_millis((value % 4_000_000_000_000) as i64);
    pattern.cells(25).for_each(|value| moment.push(value.map(at)));
    columns.push((ColumnSpec { name: "moment", kind: Kind::Instant, required: false }, moment.into_column()));
    let mut always = column::Integer::default();
    (0..pattern.rows).for_each(|row| always.push(Some(row as u64 * 3)));
    columns.push((ColumnSpec { name: "always", kind: Kind::Integer, required: true }, always.into_column()));
    let (specs, columns) = columns.into_iter().unzip();
    let schema = std::sync::Arc::new(Schema { name: "every_kind", columns: specs, totals: Totals::None });
    Batch::coded(schema, columns, codes, 0, Clocks::default())
}

#[test]
fn every_kind_of_column_is_read_as_it_was_written() {
    for rows in [0, 1, 2, 7, 8, 31, 32, 33, 129, 1_023, 1_025, 3_000] {
        for (values, nulls, stretch) in [(0, 0, 1), (0, 3, 1), (1, 0, 1), (1, 8, 1), (3, 2, 100), (200, 1, 7)] {
            check_same(&table(Pattern { rows, values, nulls, stretch }));
        }
    }
}

#[test]
fn a_row_group_and_one_row_more_are_read_as_they_were_written() {
    for (values, nulls) in [(0, 1), (2_000, 0)] {
        check_same(&table(Pattern { rows: ROW_GROUP_ROWS + 1, values, nulls, stretch: 3 }));
    }
}

/// A table of one column.
fn alone(kind: Kind, column: Column) -> Batch {
    let columns = vec![ColumnSpec { name: "column", kind, required: false }];
    Batch::new(std::sync::Arc::new(Schema { name: "alone", columns, totals: Totals::None }), vec![column], 0)
}

#[test]
fn huge_texts_and_many_that_share_their_beginnings_come_back() {
    let mut texts: Vec<String> = (0..2_000).map(|n| format!("{}{n}", "a common beginning ".repeat(n % 40))).collect();
    texts.push("x".repeat(3_000_000));
    texts.push(String::new());
    let mut column = column::Text::default();
    texts.iter().for_each(|text| column.push(Some(text.as_bytes())));
    let file = parquet::write(&alone(Kind::Text, column.into_column()).view(), Vec::new()).unwrap();
    let expected: Vec<_> = texts.into_iter().map(Some).collect();
    assert!(read(&file)["column"] == expected);
}

#[test]
fn sums_up_to_38_digits_come_back_and_greater_ones_are_refused() {
    let most = 10_i128.pow(38) - 1;
    for rows in [3, 2_000] {
        let mut column = column::Amount::default();
        (0..rows).for_each(|row| column.push(Some(Total::from_units([most, -most, 0][row % 3]))));
        check_same(&alone(Kind::Amount, column.into_column()));
        for beyond in [most + 1, -most - 1, i128::MAX, i128::MIN] {
            let mut column = column::Amount::default();
            (0..rows).for_each(|_| column.push(Some(Total::from_units(beyond))));
            let table = alone(Kind::Amount, column.into_column());
            let error = parquet::write(&table.view(), Vec::new()).err().unwrap();
            assert_eq!(error.to_string(), "a value of column `column` does not fit its Parquet type");
        }
    }
}

#[test]
fn a_file_holds_nothing_but_the_values_of_its_rows() {
    let table = table(Pattern { rows: 3_000, values: 200, nulls: 1, stretch: 1 });
    let part = table.slice(100..150);
    let file = parquet::write(&part, Vec::new()).unwrap();
    let text = String::from_utf8_lossy(&file);
    let shown = csv_text(&part, Profile::Machine);
    for id in 0..300 {
        // The blank and the end of the cell keep `name 1` apart from `name 12`.
        let name = format!("name {id}");
        let is_shown = shown.contains(&format!(",{name},"));
        let is_in_file = text
            .match_indices(&name)
            .any(|(at, _)| !text[at + name.len()..].starts_with(|next: char| next.is_ascii_digit()));
        assert_eq!(is_in_file, is_shown, "{name}");
    }
}

#[test]
fn buffers_that_are_used_again_bring_nothing_with_them() {
    let (names, calls) = (names(), month());
    let write = |table: &Batch| parquet::write(&table.view(), Vec::new()).unwrap();
    let expected = site_itemised(&names, &calls[..2]);
    let mut again = Itemised::for_site_again(&names, site_itemised(&names, &calls));
    calls[..2].iter().for_each(|call| again.push(call));
    let again = again.finish();
    assert!(write(&again) == write(&expected));
    assert_eq!(csv_text(&again.view(), Profile::Spreadsheet), csv_text(&expected.view(), Profile::Spreadsheet));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_instants_and_counts_come_back(values in proptest::collection::vec(any::<i64>(), 0..400), shift in 0..64_u32) {
        let mut moments = column::Moment::default();
        values.iter().for_each(|value| moments.push(Some(Instant::from_millis(value >> shift))));
        let file = parquet::write(&alone(Kind::Instant, moments.into_column()).view(), Vec::new()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap().build().unwrap();
        let found: Vec<i64> = reader
            .flat_map(|batch| batch.unwrap().column(0).as_primitive::<TimestampMillisecondType>().values().to_vec())
            .collect();
        prop_assert_eq!(found, values.iter().map(|value| value >> shift).collect::<Vec<_>>());

        let mut counts = column::Integer::default();
        values.iter().for_each(|value| counts.push(Some(value.unsigned_abs() >> 1 >> shift)));
        let file = parquet::write(&alone(Kind::Integer, counts.into_column()).view(), Vec::new()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap().build().unwrap();
        let found: Vec<i64> =
            reader.flat_map(|batch| batch.unwrap().column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
        prop_assert_eq!(found, values.iter().map(|value| (value.unsigned_abs() >> 1 >> shift) as i64).collect::<Vec<_>>());
    }
}
