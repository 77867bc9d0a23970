//! Tests of assignments.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Assignments, Names, SideKind};
use crate::finding::{Findings, SourceText};
use crate::ids::{PayerId, SiteId, TariffId};
use crate::time::{Instant, Zone};

const HEADER: &str = "side,payer,site,tariff,from,until\n";

fn zone(name: &str) -> Zone {
    Zone::load(name).unwrap_or_else(|| panic!("{name}"))
}

fn read(text: &str, payers: &[&str], sites: &[(&str, &Zone)], tariffs: &[&str]) -> (Assignments, Vec<String>) {
    let london = zone("Europe/London");
    let names =
        Names { payers, sites, tariffs, allowances: &[("inclusive", false), ("pool", true)], operator_zone: &london };
    let mut findings = Findings::default();
    let source = SourceText::new("assignments.csv", text);
    let assignments = Assignments::read(&[source], &names, &mut findings);
    (assignments, findings.iter().map(ToString::to_string).collect())
}

/// Side, payer, site, instant, and the tariff expected.
type Case<'c> = (&'c str, Option<u32>, u32, &'c str, Option<&'c str>);

/// Asks with payers `harbour` (the operator), `acme`, `birch`; sites `ldn`, `nyc`; tariffs named by letters.
fn check(rows: &str, cases: &[Case<'_>]) {
    const TARIFFS: [&str; 5] = ["a", "b", "c", "d", "w"];
    let (london, new_york) = (zone("Europe/London"), zone("America/New_York"));
    let sites = [("ldn", &london), ("nyc", &new_york)];
    let (assignments, found) = read(&format!("{HEADER}{rows}"), &["harbour", "acme", "birch"], &sites, &TARIFFS);
    assert_eq!(found, [""; 0]);
    for (side, payer, site, at, expected) in cases {
        let side = SideKind::from_name(side).unwrap();
        let instant = Instant::parse_rfc3339(at).unwrap();
        let tariff = assignments.tariff(side, payer.map(PayerId), SiteId(*site), instant);
        let name = tariff.map(|TariffId(index)| TARIFFS[index as usize]);
        assert_eq!(name, *expected, "{side:?} payer {payer:?} site {site} at {at}");
    }
}

#[test]
fn the_most_specific_row_in_force_decides() {
    check(
        "retail,*,*,a,,\nretail,*,ldn,b,,\nretail,acme,*,c,,\nretail,acme,ldn,d,2026-07-01,2026-08-01\n",
        &[
            ("retail", Some(2), 1, "2026-07-15T12:00:00Z", Some("a")),
            ("retail", Some(2), 0, "2026-07-15T12:00:00Z", Some("b")),
            ("retail", Some(1), 1, "2026-07-15T12:00:00Z", Some("c")),
            ("retail", Some(1), 0, "2026-07-15T12:00:00Z", Some("d")),
            // Out of its interval, the next level decides.
            ("retail", Some(1), 0, "2026-08-15T12:00:00Z", Some("c")),
            // Nobody known to pay: only rows for all payers apply.
            ("retail", None, 0, "2026-07-15T12:00:00Z", Some("b")),
            ("retail", None, 1, "2026-07-15T12:00:00Z", Some("a")),
            ("wholesale", Some(1), 0, "2026-07-15T12:00:00Z", None),
        ],
    );
}

#[test]
fn rows_that_meet_change_over_at_the_instant() {
    check(
        "retail,*,*,b,2026-07-01,2026-08-01\nretail,*,*,a,,2026-07-01\nretail,*,*,c,2026-08-02,\n",
        &[
            // 1 July begins in London at 23:00Z.
            ("retail", Some(1), 0, "2026-06-30T22:59:59.999Z", Some("a")),
            ("retail", Some(1), 0, "2026-06-30T23:00:00Z", Some("b")),
            ("retail", Some(1), 0, "2026-07-31T22:59:59.999Z", Some("b")),
            // A gap of one day.
            ("retail", Some(1), 0, "2026-07-31T23:00:00Z", None),
            ("retail", Some(1), 0, "2026-08-01T22:59:59.999Z", None),
            ("retail", Some(1), 0, "2026-08-01T23:00:00Z", Some("c")),
        ],
    );
}

#[test]
fn a_day_begins_at_the_site_of_the_row() {
    check(
        "retail,*,nyc,a,2026-07-01,\nretail,*,*,b,2026-07-01,\n",
        &[
            // 1 July begins in London at 23:00Z on 30 June, in New York at 04:00Z on 1 July.
            ("retail", Some(1), 1, "2026-06-30T23:00:00Z", Some("b")),
            ("retail", Some(1), 1, "2026-07-01T03:59:59.999Z", Some("b")),
            ("retail", Some(1), 1, "2026-07-01T04:00:00Z", Some("a")),
        ],
    );
}

#[test]
fn on_the_wholesale_side_the_operator_stands_for_all_payers() {
    check(
        "wholesale,harbour,*,w,,\nwholesale,birch,*,a,,\n",
        &[
            ("wholesale", Some(0), 0, "2026-07-15T12:00:00Z", Some("w")),
            ("wholesale", Some(1), 0, "2026-07-15T12:00:00Z", Some("w")),
            ("wholesale", Some(2), 0, "2026-07-15T12:00:00Z", Some("a")),
            ("wholesale", None, 0, "2026-07-15T12:00:00Z", Some("w")),
            ("retail", Some(0), 0, "2026-07-15T12:00:00Z", None),
        ],
    );
}

#[test]
fn every_row_inside_a_longer_one_is_refused() {
    let rows = "retail,*,*,a,,\nretail,*,*,b,2026-01-01,2026-02-01\nretail,*,*,c,2026-03-01,2026-04-01\n";
    let (_, found) = read(&format!("{HEADER}{rows}"), &["harbour"], &[], &["a", "b", "c"]);
    let lines: Vec<&str> = found.iter().filter_map(|line| line.split(": retail").next()).collect();
    assert_eq!(
        lines,
        ["assignments.csv:3:1: error[assignment.overlap]", "assignments.csv:4:1: error[assignment.overlap]"]
    );
}

fn reproducers() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/findings"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("assignment."))
        .collect();
    folders.sort();
    folders
}

/// The findings of a reproducer's folder. Payers are the operator `harbour` and its `occupiers.csv` (id first).
fn found(folder: &Path) -> String {
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (occupiers, tariffs, sites) = (text("occupiers.csv"), text("tariffs.txt"), text("sites.txt"));
    let occupiers = occupiers.lines().skip(1).filter_map(|line| line.split(',').next());
    let payers: Vec<&str> = std::iter::once("harbour").chain(occupiers).collect();
    let tariffs: Vec<&str> = tariffs.lines().collect();
    let sites: Vec<(&str, Zone)> =
        sites.lines().filter_map(|line| line.split_once(' ')).map(|(id, name)| (id, zone(name))).collect();
    let sites: Vec<(&str, &Zone)> = sites.iter().map(|(id, zone)| (*id, zone)).collect();
    let (_, found) = read(&text("assignments.csv"), &payers, &sites, &tariffs);
    found.into_iter().map(|line| line + "\n").collect()
}

#[test]
fn every_reproducer_is_found_as_its_page_says() {
    for folder in reproducers() {
        let code = folder.file_name().unwrap().to_str().unwrap();
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let found = found(&folder);
        assert_eq!(found, expected, "{code}");
        assert!(found.contains(&format!("[{code}]")), "{code} is not found in its own folder");
    }
}

#[test]
fn every_code_has_a_reproducer() {
    let codes: BTreeSet<&str> = concat!(include_str!("../assignment.rs"), include_str!("schemes.rs"))
        .split('"')
        .filter(|text| text.strip_prefix("assignment.").is_some_and(|rest| !rest.contains([' ', '\n'])))
        .collect();
    let folders = reproducers();
    let folders: BTreeSet<&str> = folders.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(codes, folders);
}
