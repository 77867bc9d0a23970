//! What each run was made from, for the record: `data/runs/<run>.json`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rating_core::run::storage::{Storage, failed};
use rating_core::time::{Date, Month};
use serde_json::{Value, json};

use super::refusal::Result;

/// The folder, in the data folder.
const RUNS: &str = "runs";

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its id.
    pub(super) run: String,
    /// Its month.
    pub(super) month: Month,
    /// The hash of the project that it was made from.
    pub(super) project: String,
    /// The day on which it was made, if its month was not over then.
    pub(super) to_date: Option<Date>,
}

/// Whether a text is the id of a run of a month, and so the name of a folder and nothing else.
pub(super) fn is_run_of(month: Month, run: &str) -> bool {
    let digits = run.strip_prefix(&month.to_string()).and_then(|rest| rest.strip_prefix('-'));
    digits.is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}

fn path(data: &Path, run: &str) -> PathBuf {
    data.join(RUNS).join(format!("{run}.json"))
}

/// What is kept of a run; `None` if nothing is.
pub(super) fn read(storage: &dyn Storage, data: &Path, run: &str) -> Result<Option<Kept>> {
    let path = path(data, run);
    if !storage.exists(&path) {
        return Ok(None);
    }
    let document: Value = serde_json::from_slice(&storage.read(&path)?).unwrap_or_default();
    let month = document["month"].as_str().and_then(Month::parse);
    let project = document["project"].as_str().map(str::to_owned);
    let to_date = document["to_date"].as_str().and_then(Date::parse);
    Ok(month.zip(project).map(|(month, project)| Kept { run: run.to_owned(), month, project, to_date }))
}

/// Keeps what a run was made from.
pub(super) fn keep(storage: &dyn Storage, data: &Path, kept: &Kept) -> Result<()> {
    let folder = data.join(RUNS);
    storage.create_folder(&folder)?;
    let (path, fresh) = (path(data, &kept.run), folder.join(".new"));
    let (month, project) = (kept.month.to_string(), &kept.project);
    let to_date = kept.to_date.map(|date| date.to_string());
    let document = json!({ "run": kept.run, "month": month, "project": project, "to_date": to_date });
    let mut file = storage.create(&fresh)?;
    let written = file.write_all(format!("{document:#}\n").as_bytes()).and_then(|()| file.flush());
    written.map_err(|error| failed("write", &fresh, error))?;
    drop(file);
    storage.sync_file(&fresh)?;
    storage.rename(&fresh, &path)?;
    storage.sync_folder(&folder)?;
    Ok(())
}

/// Forgets a run.
pub(super) fn forget(storage: &dyn Storage, data: &Path, run: &str) -> Result<()> {
    storage.remove(&path(data, run))?;
    Ok(())
}

/// Everything that is kept, in the order of the ids.
pub(super) fn all(storage: &dyn Storage, data: &Path) -> Result<Vec<Kept>> {
    let folder = data.join(RUNS);
    if !storage.exists(&folder) {
        return Ok(Vec::new());
    }
    let names: BTreeSet<String> = storage.list(&folder)?.into_iter().map(|entry| entry.name).collect();
    let runs = names.iter().filter_map(|name| name.strip_suffix(".json"));
    runs.filter_map(|run| read(storage, data, run).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_month_and_a_hash_and_nothing_else() {
        let month = Month::parse("2026-10").unwrap();
        assert!(is_run_of(month, "2026-10-0123456789abcdef"));
        for other in [
            "2026-11-0123456789abcdef",
            "2026-10-0123456789abcde",
            "2026-10-0123456789ABCDEF",
            "2026-10-0123456789abcdef/..",
            "2026-10-../../../../etc/x",
            "2026-10",
            "",
        ] {
            assert!(!is_run_of(month, other), "{other}");
        }
    }
}
