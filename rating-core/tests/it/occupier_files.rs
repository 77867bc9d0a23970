//! What occupiers are given never shows what the carrier charges the operator.
//!
//! The demo's carriers are replaced by one whose every word and figure is a canary: a tariff, destinations and a currency
//! that nothing else has, and 7.3731 for each call. Then every cell of every occupier's file is searched for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{files_below, run_month, testdata, write_files};

const WORDS: [&str; 5] = ["canary", "XTS", "wholesale", "operator", "margin"];

/// The demo with the canary for a carrier.
fn project() -> BTreeMap<String, Vec<u8>> {
    let mut files = files_below(&testdata().join("demo"));
    files.retain(|path, _| !path.starts_with("tariffs/wholesale") && !path.starts_with("out/"));
    let mut text = |path: &str, text: &str| files.insert(path.to_owned(), text.as_bytes().to_vec());
    text(
        "tariffs/buying.toml",
        r#"id = "canary-tariff"
currency = "XTS"
from = "2026-01-01"
prices = "XTS/min"
connection_charge = "7.3731 XTS"
decks = ["buying.csv"]
fallback = ["premium", "personal", "paging", "service", "directory", "satellite", "short_code"]
"#,
    );
    let rows: String = (1..=9).map(|digit| format!("{digit},Canary {digit},0\n")).collect();
    text("tariffs/buying.csv", &format!("prefix,destination,price\n{rows}"));
    text(
        "tariffs/assignments.csv",
        "side,payer,site,tariff,from,until
retail,*,ldn,retail-gb,2026-01-01,
retail,*,nyc,retail-us,2026-01-01,
wholesale,*,*,canary-tariff,2026-01-01,
",
    );
    text("tariffs/exchange_rates.csv", "from_currency,to_currency,rate,from,until\nXTS,GBP,0.01,,\nXTS,USD,0.01,,\n");
    files
}

/// 7.3731 for each of so many calls, and so much of a margin as it takes away at 0.01: as they would be written.
fn figures() -> BTreeSet<String> {
    let decimal = |units: u64, scale: usize| {
        let (whole, fraction) = (units / 10_u64.pow(scale as u32), units % 10_u64.pow(scale as u32));
        format!("{whole}.{fraction:0scale$}").trim_end_matches('0').to_owned()
    };
    (1..=60).flat_map(|calls| [decimal(calls * 73_731, 4), decimal(calls * 73_731, 6)]).collect()
}

/// The canaries in a text of cells; a figure counts only as a whole cell.
fn canaries<'c>(cells: impl IntoIterator<Item = &'c str>) -> Vec<String> {
    let figures = figures();
    cells
        .into_iter()
        .filter(|cell| {
            let lower = cell.to_lowercase();
            let number = cell.trim_start_matches('-').trim_end_matches('0');
            WORDS.iter().any(|word| lower.contains(&word.to_lowercase())) || figures.contains(number)
        })
        .map(str::to_owned)
        .collect()
}

/// Every cell, and every name of a column.
fn cells(path: &str, content: &[u8]) -> Vec<String> {
    match path.rsplit_once('.') {
        Some((_, "csv")) => {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content);
            reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect()
        }
        #[cfg(feature = "parquet")]
        Some((_, "parquet")) => parquet_cells(content),
        // The index of records: hashes alone.
        Some((_, "bin")) if path.ends_with("_record-index.bin") => Vec::new(),
        other => panic!("{path}: a kind of file that this test cannot read: {other:?}"),
    }
}

#[cfg(feature = "parquet")]
fn parquet_cells(content: &[u8]) -> Vec<String> {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimestampMillisecondType};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, content).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut cells = dictionary_cells(content);
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            cells.push(field.name().clone());
            for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
                cells.push(match column.data_type() {
                    DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
                    DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
                    DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
                    DataType::Timestamp(..) => column.as_primitive::<TimestampMillisecondType>().value(row).to_string(),
                    DataType::Boolean => column.as_boolean().value(row).to_string(),
                    other => panic!("{other}"),
                });
            }
        }
    }
    cells
}

/// Every text in a dictionary page, used by a row or not, as one cell a page: what a reader of values never sees.
#[cfg(feature = "parquet")]
fn dictionary_cells(content: &[u8]) -> Vec<String> {
    use parquet::column::page::Page;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, content).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let mut cells = Vec::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).unwrap();
        for column in 0..group.num_columns() {
            for page in group.get_column_page_reader(column).unwrap() {
                if let page @ Page::DictionaryPage { .. } = page.unwrap() {
                    cells.push(String::from_utf8_lossy(page.buffer()).into_owned());
                }
            }
        }
    }
    cells
}

#[test]
fn occupier_files_never_hold_an_operator_amount() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &project());
    let summary = run_month(folder.path(), &folder.path().join("out"), 2);
    let mut searched = 0;
    for (path, content) in files_below(&summary.folder.canonicalize().unwrap()) {
        if path.ends_with(".json") || path.ends_with("_rejected-records.machine.csv") {
            continue;
        }
        let cells = cells(&path, &content);
        let found = canaries(cells.iter().map(String::as_str));
        let own = path.contains("/payer=harbour/");
        if path.contains("/payer=") && !own {
            assert!(found.is_empty(), "{path}: {found:?}");
            assert!(cells.len() >= 16, "{path}: {cells:?}");
            searched += 1;
        } else if path.contains("_call-charges") || path.ends_with("/itemised.parquet") || path.contains("_itemised_") {
            // The canaries sing where they may: what the search finds nothing in is not just misread.
            assert!(
                found.iter().any(|cell| cell.starts_with(|first: char| first.is_ascii_digit())),
                "{path}: {found:?}"
            );
            assert!(found.iter().any(|cell| cell == "XTS"), "{path}: {found:?}");
        }
    }
    let kinds = if cfg!(feature = "parquet") { 3 } else { 2 };
    // Five occupiers at their sites, three reports each.
    assert_eq!(searched, 5 * 3 * kinds);
}

#[test]
fn the_search_finds_what_it_looks_for() {
    assert_eq!(canaries(["7.3731", "0.12", "Canary 4", "-0.073731", "14.7462", "7.3732"]).len(), 4);
    assert_eq!(canaries(["7.3731000000", "operator_amount", "XTS", "client_amount", "73.731"]).len(), 4);
}
