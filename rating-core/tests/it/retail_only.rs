//! A run of the retail side alone charges what a whole run charges, and says nothing of what it did not look at.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rating_core::run::publish::Published;
use rating_core::run::storage::Disk;
use rating_core::run::{Options, Silent, Summary, month};

use crate::support::{files_below, no_month, run_month, testdata, write_files};

/// Copies the demo, published output apart.
fn demo(project: &Path) {
    let mut files = files_below(&testdata().join("demo"));
    files.retain(|path, _| !path.starts_with("out/"));
    write_files(project, &files);
}

fn retail_only(project: &Path, out: &Path, threads: usize) -> Summary {
    let options =
        Options { retail_only: true, out: Some(out.to_owned()), threads, ..Options::new(project, no_month()) };
    month(&Disk, &options, &Silent).unwrap()
}

/// The files of those who rent, by path below the month.
fn occupiers(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_below(folder);
    files.retain(|path, _| path.contains("/payer=") && !path.contains("/payer=harbour/"));
    files
}

#[test]
fn occupiers_are_charged_the_same_and_the_month_in_force_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (project, out) = (folder.path().join("project"), folder.path().join("out"));
    demo(&project);
    let whole = run_month(&project, &out, 2);
    let in_force = fs::read_link(out.join("current/month=2026-10")).unwrap();
    let half = retail_only(&project, &out, 2);
    assert_ne!(half.run, whole.run);
    assert_eq!(half.published, Published::Draft);
    assert!(half.folder.starts_with(out.join("drafts")), "{}", half.folder.display());
    assert_eq!(fs::read_link(out.join("current/month=2026-10")).unwrap(), in_force);

    assert_eq!((&half.retail, half.records), (&whole.retail, whole.records));
    let (of_whole, of_half) = (occupiers(&whole.folder), occupiers(&half.folder));
    assert!(of_whole.len() > 10 && of_whole.keys().eq(of_half.keys()));
    for (path, content) in &of_whole {
        assert!(of_half.get(path) == Some(content), "{path} differs");
    }
}

#[test]
fn the_wholesale_side_is_unknown_and_not_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (project, out) = (folder.path().join("project"), folder.path().join("out"));
    demo(&project);
    let half = retail_only(&project, &out, 1);
    assert_eq!(half.wholesale, []);
    assert!(half.suspended.iter().any(|aside| aside.code == "rating.wholesale_not_rated"), "{:?}", half.suspended);
    let manifest = fs::read_to_string(half.folder.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"sides\": \"retail\""));
    let margins = half.folder.join("site=ldn/202610_ldn_margin.machine.csv");
    let mut table = csv::Reader::from_path(margins).unwrap();
    let header = table.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (amount, margin, status) = (column("operator_amount"), column("margin"), column("wholesale_status"));
    let mut billable = 0;
    for row in table.records() {
        let row = row.unwrap();
        assert_eq!(&row[amount], "");
        if &row[status] == "incomplete" {
            assert_eq!(&row[margin], "");
            billable += 1;
        }
    }
    assert!(billable > 0);
}

#[test]
fn any_number_of_threads_gives_the_same_draft() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    demo(&project);
    let files = |threads: usize| {
        let half = retail_only(&project, &folder.path().join(format!("out{threads}")), threads);
        files_below(&half.folder)
    };
    assert!(files(1) == files(3));
}
