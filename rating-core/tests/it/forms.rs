//! Which forms of a report are asked for changes which files there are, never what is in one of them.

use std::collections::BTreeMap;

use crate::support::{files_below, run_month, testdata, write_files};

/// The demo's published files with these `[reports]`, by path below the month; the manifest tells of the settings, so it
/// may differ.
fn published(reports: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = files_below(&testdata().join("demo"));
    files.retain(|path, _| !path.starts_with("out/"));
    files.get_mut("rating.toml").unwrap().extend_from_slice(format!("\n[reports]\n{reports}\n").as_bytes());
    write_files(folder.path(), &files);
    let out = folder.path().join("out");
    run_month(folder.path(), &out, 2);
    let month = |path: String| path.split_once("/month=").map(|(_, path)| path.to_owned());
    (files_below(&out).into_iter())
        .filter_map(|(path, content)| Some((month(path)?, content)))
        .filter(|(path, _)| !path.ends_with("manifest.json"))
        .collect()
}

fn is_payers(path: &str) -> bool {
    path.contains("/payer=")
}

fn is_itemised_csv(path: &str) -> bool {
    is_payers(path) && path.contains("_itemised_") && path.ends_with(".csv")
}

#[test]
fn every_form_is_the_same_file_whether_or_not_the_others_are_asked_for() {
    let all = published("");
    assert!(all.keys().any(|path| is_itemised_csv(path)));
    for (reports, stays) in [
        ("itemised_csv = true", (|_| true) as fn(&str) -> bool),
        ("itemised_csv = false", |path| !is_itemised_csv(path)),
        ("payer_parquet = false", |path| !is_payers(path) || !path.ends_with(".parquet")),
        ("itemised_parquet = false", |path| {
            !(is_payers(path) && path.contains("_itemised_") && path.ends_with(".parquet"))
        }),
        ("itemised_csv = false\npayer_parquet = false", |path| {
            !is_itemised_csv(path) && (!is_payers(path) || !path.ends_with(".parquet"))
        }),
        ("csv = [\"machine\"]\nitemised_csv = false", |path| {
            !is_itemised_csv(path) && (path.ends_with(".machine.csv") || !path.ends_with(".csv"))
        }),
    ] {
        let found = published(reports);
        let expected: Vec<&String> = all.keys().filter(|path| stays(path)).collect();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected, "{reports}");
        for (path, content) in &found {
            assert!(all.get(path) == Some(content), "{reports}: {path} differs");
        }
    }
}
