//! Every finding has a folder in `testdata/findings` with tables that cause it, and the lines it is shown by.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::{Directory, Files, Site};
use super::operator;
use crate::finding::{Findings, SourceText};
use crate::time::Zone;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/findings")
}

fn reproducers() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("directory."))
        .collect();
    folders.sort();
    folders
}

fn found(folder: &Path) -> String {
    findings(folder).iter().map(|finding| format!("{finding}\n")).collect()
}

fn findings(folder: &Path) -> Findings {
    let table = |name: &str| -> Vec<Arc<SourceText>> {
        fs::read_to_string(folder.join(name)).into_iter().map(|text| SourceText::new(name, text)).collect()
    };
    let files = Files {
        occupiers: table("occupiers.csv"),
        contracts: table("contracts.csv"),
        services: table("services.csv"),
        numbers: table("numbers.csv"),
        allocations: table("allocations.csv"),
        account_codes: table("account_codes.csv"),
    };
    let sites: Vec<Site> = fs::read_to_string(folder.join("sites.txt"))
        .unwrap_or_else(|_| "ldn Europe/London\n".to_owned())
        .lines()
        .map(|line| {
            let (id, zone) = line.split_once(' ').unwrap();
            Site { id: id.to_owned(), name: id.to_owned(), zone: Zone::load(zone).unwrap() }
        })
        .collect();
    let mut findings = Findings::default();
    let _ = Directory::read(&files, &operator(), &sites, None, &mut findings);
    findings
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
    let sources = [
        include_str!("../rows.rs"),
        include_str!("../history.rs"),
        include_str!("../holdings.rs"),
        include_str!("../checks.rs"),
    ];
    let codes: BTreeSet<&str> = sources
        .iter()
        .flat_map(|text| text.split('"'))
        .filter(|text| text.strip_prefix("directory.").is_some_and(|rest| !rest.contains([' ', '\n'])))
        .collect();
    let folders = reproducers();
    let folders: BTreeSet<&str> = folders.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(codes, folders);
}

#[test]
fn two_rows_in_conflict_are_both_shown_and_a_slip_of_the_finger_is_named() {
    let shown = |name: &str| -> Vec<String> {
        let findings = findings(&folder().join(name));
        findings
            .iter()
            .map(|finding| {
                let lines = finding.labels.iter().map(|label| label.source.position(label.span.start).0.to_string());
                format!("{} {}", lines.collect::<Vec<_>>().join("+"), finding.help.as_deref().unwrap_or("no help"))
            })
            .collect()
    };
    let meet = "end one before the other begins; intervals that meet do not overlap";
    assert_eq!(
        shown("directory.number_held_twice"),
        [format!("3+2 {meet}"), format!("5+4 {meet}"), format!("7+6 {meet}")]
    );
    assert_eq!(
        shown("directory.unknown_occupier"),
        ["2 did you mean `acme`?", "2 did you mean `birch`?", "2 add it to the occupiers; the operator is `harbour`"]
    );
}
