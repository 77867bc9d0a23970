//! Closing a month: its version in force becomes the books, and no run changes it any more.
//!
//! `out/closed/month=YYYY-MM.json` says which run a month was closed with, and the SHA-256 of its manifest, which in turn
//! has that of every file. `out/closed/log.jsonl` has a line for each time that a month was closed or opened again; lines
//! are only ever added. Months are closed in order, the first may be any.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::history;
use super::publish::hex;
use super::storage::{Storage, failed};
use super::{RunError, month};
use crate::finding::Findings;
use crate::time::{Date, Month};

/// The folder of what is closed, below the output folder.
const FOLDER: &str = "closed";

/// The file of all closings and openings, in that folder.
const LOG: &str = "log.jsonl";

/// The version of these files' layout.
const LAYOUT: u64 = 1;

/// A closed month.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The month.
    pub month: Month,
    /// The run that is its books.
    pub run: String,
    /// SHA-256 of that run's manifest, hexadecimal.
    pub manifest_sha256: String,
    /// SHA-256 of its record index, by the manifest.
    pub index_sha256: String,
    /// Who closed it, if that was said.
    pub by: Option<String>,
    /// What was said about it.
    pub note: Option<String>,
    /// The day, if it was given; nothing here reads a clock.
    pub on: Option<Date>,
}

/// Which month is to be closed or opened, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct CloseOptions {
    /// The project's folder.
    pub project: PathBuf,
    /// Where its output is; `None` is `out` in the project.
    pub out: Option<PathBuf>,
    /// The month.
    pub month: Month,
    /// Who does it.
    pub by: Option<String>,
    /// Why, or anything else worth keeping.
    pub note: Option<String>,
    /// The day, if it is to be kept.
    pub on: Option<Date>,
}

impl CloseOptions {
    /// A month of a project, with nothing said about it.
    #[must_use]
    pub fn new(project: impl Into<PathBuf>, month: Month) -> Self {
        Self { project: project.into(), out: None, month, by: None, note: None, on: None }
    }

    fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| self.project.join(super::inputs::OUTPUT_FOLDER))
    }
}

/// What closing a month came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The month as it is closed.
    pub closed: Closed,
    /// Whether it was closed already, with this very run: then nothing was written.
    pub already: bool,
    /// Calls that stay suspended on their payer's side.
    pub suspended: u64,
    /// Records that still wait for a partner.
    pub waiting: u64,
}

/// What opening a month again came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopening {
    /// The month as it was closed.
    pub closed: Closed,
    /// The month after it has a version in force that goes by the closed books, and must be run again.
    pub run_again: Option<Month>,
}

/// The closed months of an output folder, in order, each checked against what is published.
///
/// # Errors
///
/// [`RunError::Invalid`] if what is published is not what was closed, the months are not in a row, or the log has one that
/// is gone.
pub fn closed_months(storage: &dyn Storage, out: &Path) -> Result<Vec<Closed>, RunError> {
    closed_but(storage, out, None)
}

/// The closed months, where one is closed again: that one may be gone, for its closing may have been interrupted.
fn closed_but(storage: &dyn Storage, out: &Path, again: Option<Month>) -> Result<Vec<Closed>, RunError> {
    let folder = out.join(FOLDER);
    let mut found = Vec::new();
    if !storage.exists(&folder) {
        return Ok(found);
    }
    let mut findings = Findings::default();
    for entry in storage.list(&folder)? {
        let name = entry.name.strip_prefix("month=").and_then(|name| name.strip_suffix(".json"));
        let Some(month) = name.and_then(Month::parse) else { continue };
        match read(storage, out, month)? {
            Ok(closed) => found.push(closed),
            Err(words) => findings.push(history::damaged(month, &words)),
        }
    }
    for (month, run) in in_log(storage, out)? {
        if again != Some(month) && !storage.exists(&file(out, month)) {
            findings.push(history::lost(month, &file(out, month), &run));
        }
    }
    found.sort_by_key(|closed| closed.month);
    for pair in found.windows(2) {
        if pair[0].month.next() != pair[1].month && findings.is_empty() {
            let words = format!("{} before it is not closed", pair[1].month.previous());
            findings.push(history::damaged(pair[1].month, &words));
        }
    }
    if findings.has_errors() { Err(RunError::Invalid(findings)) } else { Ok(found) }
}

/// The months that are closed by the last that the log says of them, each with its run. Lines that say nothing of the kind
/// are passed over.
fn in_log(storage: &dyn Storage, out: &Path) -> Result<BTreeMap<Month, String>, RunError> {
    let path = out.join(FOLDER).join(LOG);
    let mut closed = BTreeMap::new();
    if !storage.exists(&path) {
        return Ok(closed);
    }
    for line in storage.read(&path)?.split(|byte| *byte == b'\n') {
        let said: Value = serde_json::from_slice(line).unwrap_or_default();
        let Some(month) = said["month"].as_str().and_then(Month::parse) else { continue };
        match said["event"].as_str() {
            Some("closed") => {
                closed.insert(month, text(&said["run"]).unwrap_or_default());
            }
            Some("reopened") => {
                closed.remove(&month);
            }
            _ => (),
        }
    }
    Ok(closed)
}

fn file(out: &Path, month: Month) -> PathBuf {
    out.join(FOLDER).join(format!("month={month}.json"))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A closed month, or what is wrong with it.
fn read(storage: &dyn Storage, out: &Path, month: Month) -> Result<Result<Closed, String>, RunError> {
    let path = file(out, month);
    let document: Value = serde_json::from_slice(&storage.read(&path)?).unwrap_or_default();
    let said = (text(&document["run"]), text(&document["manifest_sha256"]));
    let (true, (Some(run), Some(manifest_sha256))) = (document["closed"] == json!(LAYOUT), said) else {
        return Ok(Err(format!("`{}` does not say with which run", path.display())));
    };
    let version = match in_force(storage, out, month)? {
        Some(version) if version.run == run && version.manifest_sha256 == manifest_sha256 => version,
        Some(version) if version.run == run => {
            return Ok(Err(format!("the manifest of `{run}` has changed since")));
        }
        Some(version) => return Ok(Err(format!("it was closed with `{run}`, and `{}` is in force", version.run))),
        None => return Ok(Err(format!("it was closed with `{run}`, and no version is in force"))),
    };
    let Some(index_sha256) = version.output_sha256(&history::file(month)) else {
        return Ok(Err(format!("the manifest of `{run}` lists no record index")));
    };
    Ok(Ok(Closed {
        month,
        run,
        manifest_sha256,
        index_sha256,
        by: text(&document["by"]),
        note: text(&document["note"]),
        on: document["on"].as_str().and_then(Date::parse),
    }))
}

/// A month's version in force.
pub(super) struct InForce {
    /// Its run.
    pub(super) run: String,
    /// SHA-256 of its manifest.
    pub(super) manifest_sha256: String,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its manifest.
    pub(super) manifest: Value,
}

impl InForce {
    fn output_sha256(&self, path: &str) -> Option<String> {
        let outputs = self.manifest["outputs"].as_array()?;
        outputs.iter().find(|file| file["path"] == path).and_then(|file| text(&file["sha256"]))
    }

    /// The closed months that it goes by, each with its run.
    fn goes_by(&self) -> Vec<(String, String)> {
        let closed = self.manifest["closed_months"].as_array().into_iter().flatten();
        closed.filter_map(|month| Some((text(&month["month"])?, text(&month["manifest_sha256"])?))).collect()
    }
}

/// The version of a month that is in force, if there is one.
///
/// # Errors
///
/// If its manifest cannot be read.
pub(super) fn in_force(storage: &dyn Storage, out: &Path, month: Month) -> Result<Option<InForce>, RunError> {
    let current = out.join("current");
    let link = current.join(format!("month={month}"));
    let Some(target) = storage.read_link(&link)? else { return Ok(None) };
    let folder = current.join(&target);
    let bytes = storage.read(&folder.join("manifest.json"))?;
    let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let run = target.iter().rev().nth(1).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // The folder as it is named on the shelf, without the way up through `current`.
    let folder = out.join("versions").join(&run).join(format!("month={month}"));
    Ok(Some(InForce { run, manifest_sha256: hex(&Sha256::digest(&bytes)), folder, manifest }))
}

/// Closes a month: its version in force is its books from now on.
///
/// # Errors
///
/// [`RunError::Usage`] if it is not published, not the next in order, was run before the month before it was closed, or its
/// files are not as its manifest says; [`RunError::Invalid`] if an earlier month is not as it was closed; else [`RunError::Locked`] and [`RunError::Storage`].
pub fn close(storage: &dyn Storage, options: &CloseOptions) -> Result<Closing, RunError> {
    let (out, month) = (options.out(), options.month);
    require_project(storage, options)?;
    let usage = |words: String| Err(RunError::Usage(words));
    if !storage.exists(&out) {
        return usage(format!("{month} has not been published: run it first"));
    }
    let _lock = month::take_lock(storage, &out, month)?;
    let closed = closed_but(storage, &out, Some(month))?;
    let Some(version) = in_force(storage, &out, month)? else {
        return usage(format!("{month} has not been published: run it first"));
    };
    let count = |of: &str, key: &str| version.manifest["control"][of][key].as_u64().unwrap_or(0);
    let (suspended, waiting) = (count("calls", "suspended"), count("records", "waiting"));
    if let Some(closed) = closed.iter().find(|closed| closed.month == month) {
        return Ok(Closing { closed: closed.clone(), already: true, suspended, waiting });
    }
    if let Some(last) = closed.last()
        && last.month.next() != month
    {
        let next = last.month.next();
        return usage(format!("months are closed in order: {} is closed, so {next} is next, not {month}", last.month));
    }
    let goes_by: Vec<(String, String)> =
        closed.iter().map(|closed| (closed.month.to_string(), closed.manifest_sha256.clone())).collect();
    if version.goes_by() != goes_by {
        let before = month.previous();
        return usage(format!(
            "the version of {month} in force was made before {before} was closed as it is now, and may lack its late calls: run {month} again, then close it"
        ));
    }
    let closed = Closed {
        month,
        index_sha256: check_files(storage, &version, month)?,
        run: version.run,
        manifest_sha256: version.manifest_sha256,
        by: options.by.clone(),
        note: options.note.clone(),
        on: options.on,
    };
    storage.create_folder(&out.join(FOLDER))?;
    log(storage, &out, "closed", &closed)?;
    let mut document = document(&closed);
    document["closed"] = json!(LAYOUT);
    replace(storage, &out, &file(&out, month), format!("{document:#}\n").as_bytes())?;
    Ok(Closing { closed, already: false, suspended, waiting })
}

/// Opens the last closed month again, so that it can be run.
///
/// # Errors
///
/// [`RunError::Usage`] if it is not the last closed month, or nobody says who and why; else as [`close`].
pub fn reopen(storage: &dyn Storage, options: &CloseOptions) -> Result<Reopening, RunError> {
    let (out, month) = (options.out(), options.month);
    require_project(storage, options)?;
    let usage = |words: String| Err(RunError::Usage(words));
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    if !given(&options.by) || !given(&options.note) {
        return usage("opening a closed month needs to say who does it and why: --by NAME --note TEXT".to_owned());
    }
    if !storage.exists(&out.join(FOLDER)) {
        return usage("no month is closed".to_owned());
    }
    let _lock = month::take_lock(storage, &out, month)?;
    let mut closed = closed_months(storage, &out)?;
    let last = closed.pop();
    let closed = match last {
        Some(last) if last.month == month => last,
        Some(last) => {
            return usage(format!("only the last closed month can be opened again, which is {}", last.month));
        }
        None => return usage("no month is closed".to_owned()),
    };
    let again = Closed { by: options.by.clone(), note: options.note.clone(), on: options.on, ..closed.clone() };
    log(storage, &out, "reopened", &again)?;
    storage.remove(&file(&out, month))?;
    storage.sync_folder(&out.join(FOLDER))?;
    let next = in_force(storage, &out, month.next())?;
    let run_again = next.filter(|version| !version.goes_by().is_empty()).map(|_| month.next());
    Ok(Reopening { closed, run_again })
}

fn require_project(storage: &dyn Storage, options: &CloseOptions) -> Result<(), RunError> {
    let settings = options.project.join(super::project::SETTINGS_FILE);
    if storage.exists(&settings) {
        return Ok(());
    }
    Err(RunError::Usage(format!("there is no project: `{}` is not there", settings.display())))
}

/// Checks every file of a version against its manifest, and gives the hash of its record index.
fn check_files(storage: &dyn Storage, version: &InForce, month: Month) -> Result<String, RunError> {
    for file in version.manifest["outputs"].as_array().into_iter().flatten() {
        let path = file["path"].as_str().unwrap_or_default();
        let full = version.folder.join(path);
        let mut hash = Sha256::new();
        let mut reader = storage.open(&full)?;
        std::io::copy(&mut reader, &mut hash).map_err(|error| failed("read", &full, error))?;
        if file["sha256"] != json!(hex(&hash.finalize())) {
            let (file, run) = (full.display(), &version.run);
            return Err(RunError::Usage(format!(
                "`{file}` is not as it was published: remove the folder `{run}` in `versions`, run {month} again, and then close it"
            )));
        }
    }
    let words = "was made by a version of this program that kept no record index: run it again, then close it";
    version
        .output_sha256(&history::file(month))
        .ok_or_else(|| RunError::Usage(format!("the version of {month} in force {words}")))
}

fn document(closed: &Closed) -> Value {
    let mut document = json!({
        "month": closed.month.to_string(),
        "run": closed.run,
        "manifest_sha256": closed.manifest_sha256,
    });
    let said =
        [("by", closed.by.clone()), ("note", closed.note.clone()), ("on", closed.on.map(|date| date.to_string()))];
    for (key, value) in said {
        if let Some(value) = value {
            document[key] = value.into();
        }
    }
    document
}

/// Adds a line to the log. It is written before what it tells of is done: a line too many can be seen through, one that is
/// missing cannot.
fn log(storage: &dyn Storage, out: &Path, event: &str, closed: &Closed) -> Result<(), RunError> {
    let path = out.join(FOLDER).join(LOG);
    let mut bytes = if storage.exists(&path) { storage.read(&path)? } else { Vec::new() };
    let mut line = document(closed);
    line["event"] = event.into();
    bytes.extend_from_slice(format!("{line}\n").as_bytes());
    replace(storage, out, &path, &bytes)
}

/// Writes a file in one step: whoever reads it sees the old one or the new one.
fn replace(storage: &dyn Storage, out: &Path, path: &Path, content: &[u8]) -> Result<(), RunError> {
    let fresh = out.join(FOLDER).join(".new");
    let mut file = storage.create(&fresh)?;
    file.write_all(content).and_then(|()| file.flush()).map_err(|error| failed("write", &fresh, error))?;
    drop(file);
    storage.sync_file(&fresh)?;
    storage.rename(&fresh, path)?;
    storage.sync_folder(&out.join(FOLDER))?;
    Ok(())
}
