//! What a month closes with is what the next one opens with, and nothing is guessed.

use std::path::Path;

use rating_core::run::storage::Disk;
use rating_core::run::{Options, RunError, Silent, Summary, month};
use rating_core::time::Month;

use crate::support::{no_month, testdata};

fn run(out: &Path, name: &str) -> Result<Summary, RunError> {
    let project = testdata().join("scenarios/allowance_of_a_billing_month");
    let month_of = Month::parse(name).unwrap();
    let options = Options { month: Some(month_of), out: Some(out.to_owned()), ..Options::new(project, no_month()) };
    month(&Disk, &options, &Silent)
}

fn table(summary: &Summary, report: &str) -> Vec<Vec<String>> {
    let name = format!("all-sites/{}_all-sites_{report}.machine.csv", summary.month.compact());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(summary.folder.join(name)).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn cell<'t>(table: &'t [Vec<String>], row: usize, column: &str) -> &'t str {
    let at = table[0].iter().position(|name| name == column).unwrap();
    &table[row][at]
}

#[test]
fn a_month_opens_with_what_the_month_before_was_published_with() {
    let out = tempfile::tempdir().unwrap();
    let june = run(out.path(), "2026-06").unwrap();
    let closing = table(&june, "allowance-balances");
    assert_eq!(
        ["as_of", "period_from", "used_s"].map(|column| cell(&closing, 1, column)),
        ["2026-07-01", "2026-06-15", "400"]
    );
    let july = run(out.path(), "2026-07").unwrap();
    // 300 s on 2 July find 600 − 400 = 200 s: 100 s are charged.
    assert_eq!(july.retail[0].1.to_string(), "0.10");
    let accounts = table(&july, "allowances");
    assert_eq!(
        ["period_from", "granted_s", "used_s", "left_s", "saved"].map(|column| cell(&accounts, 1, column)),
        ["2026-06-15", "600", "600", "0", "0.20"]
    );
    assert_eq!(cell(&accounts, 2, "period_from"), "2026-07-15");
    // What it opened with is one of its inputs, and part of its id.
    let manifest = std::fs::read_to_string(july.folder.join("manifest.json")).unwrap();
    assert!(manifest.contains("published: current/month=2026-06/all-sites/202606_all-sites_allowance-balances"));
    assert_eq!(run(out.path(), "2026-07").unwrap().run, july.run);
}

#[test]
fn without_the_month_before_nothing_is_guessed() {
    let out = tempfile::tempdir().unwrap();
    let Err(RunError::Invalid(findings)) = run(out.path(), "2026-07") else { panic!("July was run") };
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["allowance.opening_balance_missing"]);
}
