//! The stories in `testdata/scenarios`: whole small projects, with what is to be published for them, byte for byte.
//!
//! A story's folder holds a project, a `README.md` that works the sum out by hand, and for each run of it a folder
//! `expected/YYYY-MM` (`expected/YYYY-MM@YYYY-MM-DD` runs with the directory as it was known when that day began, UTC).
//! There are the machine CSV of each payer's itemised calls, the charges by occupier over all sites, the exceptions, the
//! rejected records if there are any, and the control figures as `control.txt`.
//!
//! A new story begins with empty folders `expected/YYYY-MM`. `UPDATE_EXPECTED=1 cargo test scenarios` writes what was
//! published over what was expected. The expected files state rules: a changed one is right only if the sum in the
//! story's README says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rating_core::run::storage::Disk;
use rating_core::run::{Options, Silent, Summary, month};
use rating_core::time::{Instant, Month};

use crate::support::{files_below, no_month, testdata};

type Files = BTreeMap<String, String>;

#[test]
fn every_story_is_published_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut stories = 0;
    let mut failures = String::new();
    let mut folders: Vec<_> = fs::read_dir(testdata().join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .collect();
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for folder in folders {
        let story = folder.file_name().into_string().unwrap();
        let project = folder.path();
        assert!(project.join("README.md").is_file(), "{story}: no README.md says how the sum is worked out");
        let runs = runs(&project);
        assert!(!runs.is_empty(), "{story}: no `expected/YYYY-MM` says which month to run");
        for run in runs {
            stories += 1;
            let published = published(&project, &run);
            let folder = project.join("expected").join(&run);
            if update {
                replace(&folder, &published);
            }
            let expected = read(&folder);
            for difference in differences(&expected, &published) {
                writeln!(failures, "\n{story}, {run}: {difference}").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(stories >= 20, "only {stories} runs of stories were found");
}

/// The names of the folders below `expected`.
fn runs(project: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(project.join("expected")) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Runs a story's month and takes from what was published the files that the story shows.
fn published(project: &Path, run: &str) -> Files {
    let out = tempfile::tempdir().unwrap();
    let (name, known) = run.split_once('@').map_or((run, None), |(month, day)| (month, Some(day)));
    let options = Options {
        month: Some(Month::parse(name).unwrap_or_else(|| panic!("`expected/{run}` does not begin with a month"))),
        known_at: known.map(|day| Instant::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap()),
        out: Some(out.path().to_owned()),
        ..Options::new(project, no_month())
    };
    let summary =
        month(&Disk, &options, &Silent).unwrap_or_else(|error| panic!("{} {run}: {error:?}", project.display()));
    let mut shown = Files::from([("control.txt".to_owned(), control(&summary))]);
    for (path, content) in files_below(&summary.folder.canonicalize().unwrap()) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let text = || String::from_utf8(content.clone()).unwrap();
        let itemised = folder.contains("/payer=") && name.contains("_itemised_") && name.ends_with(".machine.csv");
        let all_sites = folder == "all-sites" && name.ends_with(".machine.csv") && !name.contains("rejected-records");
        let rejected =
            folder == "all-sites" && name.ends_with("_rejected-records.machine.csv") && text().lines().count() > 1;
        if itemised || all_sites || rejected {
            let earlier = shown.insert(name.to_owned(), text());
            assert!(earlier.is_none(), "two published files are called {name}");
        }
    }
    shown
}

/// The control figures, one a line; money in full.
fn control(summary: &Summary) -> String {
    let (records, calls) = (&summary.records, &summary.calls);
    let mut text = String::new();
    for (name, count) in [
        ("records", records.records),
        ("records used in calls", records.used),
        ("records merged", records.merged),
        ("records duplicate", records.duplicate),
        ("records not calls", records.not_a_call),
        ("records of other months", records.other_period),
        ("records waiting", records.waiting),
        ("records rejected", records.rejected),
        ("calls", calls.calls),
        ("calls rated", calls.rated),
        ("calls not chargeable", calls.not_chargeable),
        ("calls suspended", calls.suspended),
        ("near duplicates", summary.near_duplicates),
    ] {
        writeln!(text, "{name}: {count}").unwrap();
    }
    for (side, amounts) in [("retail", &summary.retail), ("wholesale", &summary.wholesale)] {
        for (currency, total) in amounts {
            writeln!(text, "{side}: {total} {currency}").unwrap();
        }
    }
    text
}

fn read(folder: &Path) -> Files {
    files_below(folder).into_iter().map(|(name, content)| (name, String::from_utf8(content).unwrap())).collect()
}

fn replace(folder: &Path, files: &Files) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir_all(folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

/// What differs, in words: file by file, line by line, and for CSV cell by cell.
fn differences(expected: &Files, published: &Files) -> Vec<String> {
    let names: BTreeSet<&String> = expected.keys().chain(published.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        match (expected.get(name), published.get(name)) {
            (Some(expected), Some(published)) if expected == published => {}
            (Some(expected), Some(published)) => {
                found.push(format!("{name} differs\n{}", lines(name, expected, published)));
            }
            (Some(_), None) => found.push(format!("{name} was expected and not published")),
            (None, Some(published)) => found.push(format!("{name} was published and not expected:\n{published}")),
            (None, None) => {}
        }
    }
    found
}

fn lines(name: &str, expected: &str, published: &str) -> String {
    let mut text = String::new();
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.split('\n').collect(), published.split('\n').collect());
    let header: Vec<&str> = old.first().map_or_else(Vec::new, |line| line.trim_end().split(',').collect());
    for number in 0..old.len().max(new.len()) {
        let (left, right) = (old.get(number).copied(), new.get(number).copied());
        if left == right {
            continue;
        }
        for (sign, line) in [('-', left), ('+', right)] {
            if let Some(line) = line {
                writeln!(text, "  {sign}{:>3} {}", number + 1, line.escape_debug()).unwrap();
            }
        }
        if let (true, Some(left), Some(right)) = (name.ends_with(".csv") && number > 0, left, right) {
            for (column, (left, right)) in left.split(',').zip(right.split(',')).enumerate() {
                if left != right {
                    let column = header.get(column).unwrap_or(&"?");
                    writeln!(text, "      {column}: expected `{left}`, published `{right}`").unwrap();
                }
            }
        }
    }
    text
}
