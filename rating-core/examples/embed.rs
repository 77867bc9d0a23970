//! Rates calls without a file: by themselves, and as an Arrow record batch. `cargo run --example embed`
//!
//! `docs/embedding.md` explains each step.

use std::error::Error;
use std::sync::Arc;

use rating_core::rating::{CallRow, Outcome};
use rating_core::run::RunError;
use rating_core::run::batch::arrow::array::{
    ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use rating_core::run::batch::{self, BatchError, Desk, PlainCall};
use rating_core::run::project::Project;
use rating_core::time::{Duration, Instant};

/// What a project's folder holds, by its paths: here one site of one operator, one company, two tariffs.
const PROJECT: [(&str, &str); 8] = [
    (
        "rating.toml",
        r#"
        source = []
        [operator]
        id = "harbour"
        currency = "GBP"
        zone = "Europe/London"
        [[site]]
        id = "ldn"
        zone = "Europe/London"
        country = "GB"
        outside_line = ["9"]
        extensions = ["2000-2099"]
        [directory]
        occupiers = "occupiers.csv"
        allocations = "allocations.csv"
        [tariffs]
        files = ["retail.toml", "wholesale.toml"]
        assignments = "assignments.csv""#,
    ),
    ("occupiers.csv", "id,name\nacme,Acme Ltd\n"),
    ("allocations.csv", "id,holder,site,extension,from,until\n1,acme,ldn,2001,2026-01-01,\n"),
    ("retail.toml", "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"retail.csv\"]"),
    ("retail.csv", "prefix,destination,price,increments\n44,United Kingdom,2.4p/min,60/60\n"),
    ("wholesale.toml", "id = \"wholesale\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"wholesale.csv\"]"),
    ("wholesale.csv", "prefix,destination,price\n44,GB fixed,0.42p/min\n"),
    ("assignments.csv", "side,payer,site,tariff\nretail,*,*,retail\nwholesale,*,*,wholesale\n"),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Compiled once, and shared: every mistake is told at once, with its place and what to do.
    let project = match batch::project(PROJECT) {
        Ok((project, _worth_a_look)) => project,
        Err(RunError::Invalid(mistakes)) => {
            mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
            return Err("the project has mistakes".into());
        }
        Err(error) => return Err(error.into()),
    };
    let desk = Desk::new(&project)?;
    one_by_one(&project, &desk)?;
    as_a_batch(&desk)
}

fn one_by_one(project: &Project, desk: &Desk<'_>) -> Result<(), Box<dyn Error>> {
    let ldn = desk.site("ldn").ok_or("no such site")?;
    let at = Instant::parse_rfc3339("2026-10-01T08:15:09Z").ok_or("no instant")?;
    let numbers: [&[u8]; 2] = [b"901614960123", b"+33140205050"];
    let calls = numbers.map(|called| PlainCall {
        calling: b"2001",
        called,
        ..PlainCall::answered(ldn, at, Duration::from_seconds(61))
    });
    for (row, called) in desk.calls(calls).zip(numbers) {
        let row = row?;
        let payer = row.payer.and_then(|payer| project.directory.payers().get(payer.index()));
        let payer = payer.map_or("nobody known", |payer| payer.id.as_str());
        println!("{}: {payer} {}", String::from_utf8_lossy(called), charge(&row));
    }
    Ok(())
}

/// What the payer's side of a call comes to.
fn charge(row: &CallRow<'_>) -> String {
    match row.retail.outcome {
        Outcome::Rated(priced) => format!("pays {} for {}", priced.charge, priced.billed),
        Outcome::NotChargeable(why) => format!("is not charged: {why}"),
        Outcome::Suspended(why) => format!("cannot be charged yet: {why}"),
    }
}

fn as_a_batch(desk: &Desk<'_>) -> Result<(), Box<dyn Error>> {
    // 08:15:09 UTC on the first of October 2026.
    let answered_at = TimestampSecondArray::from(vec![1_790_842_509; 2]).with_timezone("UTC");
    let calls = RecordBatch::try_from_iter([
        ("site", Arc::new(StringArray::from(vec!["ldn", "ldn"])) as ArrayRef),
        ("answered_at", Arc::new(answered_at)),
        ("duration_s", Arc::new(Int64Array::from(vec![61, 120]))),
        ("calling", Arc::new(StringArray::from(vec!["2001", "2001"]))),
        ("called", Arc::new(StringArray::from(vec!["901614960123", "901614960123"]))),
    ])?;
    let rated = match desk.batch(&calls) {
        Ok(rated) => rated,
        Err(BatchError::Columns(mistakes)) => {
            mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
            return Err("the batch has mistakes".into());
        }
        Err(error) => return Err(error.into()),
    };
    rated.faults.iter().for_each(|fault| eprintln!("{fault:?}"));
    let cost: &Decimal128Array =
        rated.rows.column_by_name("cost").and_then(|column| column.as_primitive_opt()).ok_or("no cost")?;
    (0..cost.len()).for_each(|row| println!("row {row}: {}", cost.value_as_string(row)));
    Ok(())
}
