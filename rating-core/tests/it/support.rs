//! What several integration tests need: folders, runs, and the published bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rating_core::run::storage::Disk;
use rating_core::run::{Options, Silent, Summary, month};
use rating_core::time::Month;

/// The repository's `testdata`.
pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

/// A month that no test runs by accident.
pub(crate) fn no_month() -> Month {
    Month::parse("2000-01").unwrap()
}

/// Runs the month that a project names, with as many threads and into the folder given.
pub(crate) fn run_month(project: &Path, out: &Path, threads: usize) -> Summary {
    let options = Options { out: Some(out.to_owned()), threads, ..Options::new(project, no_month()) };
    month(&Disk, &options, &Silent).unwrap_or_else(|error| panic!("{}: {error}", project.display()))
}

/// Every file below a folder with its content, by path with `/`; links are not followed.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                left.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() {
                found.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// Writes files below a folder.
pub(crate) fn write_files<'f>(folder: &Path, files: impl IntoIterator<Item = (&'f String, &'f Vec<u8>)>) {
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}
