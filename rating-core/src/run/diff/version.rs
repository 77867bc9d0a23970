//! Published versions: finding one, and what its manifest says.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::compare::{Evidence, FileFate};
use super::super::inputs::OUTPUT_FOLDER;
use super::super::manifest;
use super::super::publish::hex;
use super::super::storage::{Storage, failed};
use super::{DiffOptions, Key};
use crate::money::{Currency, Total};
use crate::report::PublishedCall;
use crate::run::RunError;
use crate::run::project::{SETTINGS_FILE, role};
use crate::time::Month;

/// The name of a site's table of all its calls.
const ITEMISED: &str = "itemised.parquet";

/// A published version.
pub(super) struct Version {
    /// The folder with its manifest.
    folder: PathBuf,
    /// Which of the two it is.
    is_second: bool,
    /// Its id.
    pub(super) run: String,
    pub(super) month: Month,
    /// The only site that it is of, if it is a draft of one.
    site: Option<String>,
    pub(super) calls: u64,
    pub(super) retail: Vec<(Currency, Total)>,
    pub(super) wholesale: Vec<(Currency, Total)>,
    /// Each site's table and its SHA-256, by path.
    pub(super) itemised: BTreeMap<String, String>,
    /// Files of records: source, path and SHA-256, in order.
    inputs: Vec<(String, String, String)>,
    /// Reference files: role and SHA-256, by path.
    references: BTreeMap<String, (String, String)>,
    software: String,
    known_at: String,
}

impl Version {
    /// Reads a file of it, and proves that it is what was published.
    pub(super) fn read(&self, storage: &dyn Storage, path: &str) -> Result<Vec<u8>, RunError> {
        let bytes = storage.read(&self.folder.join(path))?;
        if self.itemised.get(path).is_some_and(|hash| *hash != hex(&Sha256::digest(&bytes))) {
            return Err(
                self.damaged(path, "its content is not what was published (its SHA-256 differs from the manifest's)")
            );
        }
        Ok(bytes)
    }

    /// A file of it is damaged.
    pub(super) fn damaged(&self, path: &str, why: &str) -> RunError {
        let error = io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        failed("read", &self.folder.join(path), error).into()
    }

    fn open(storage: &dyn Storage, folder: PathBuf, is_second: bool) -> Result<Self, RunError> {
        let path = folder.join("manifest.json");
        let manifest: Value = serde_json::from_slice(&storage.read(&path)?).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let month = manifest["month"].as_str().and_then(Month::parse);
        let (Some(month), Some(1..=manifest::LAYOUT)) = (month, manifest["manifest"].as_u64()) else {
            let error = io::Error::new(io::ErrorKind::InvalidData, "it is no manifest that this program knows");
            return Err(failed("read", &path, error).into());
        };
        let list = |key: &str| manifest[key].as_array().cloned().unwrap_or_default();
        let outputs = list("outputs");
        let itemised: BTreeMap<String, String> = outputs
            .iter()
            .filter(|file| text(&file["path"]).rsplit('/').next() == Some(ITEMISED))
            .map(|file| (text(&file["path"]), text(&file["sha256"])))
            .collect();
        let calls = manifest["control"]["calls"]["calls"].as_u64().unwrap_or(0);
        if calls > 0 && itemised.is_empty() {
            return Err(RunError::Usage(format!(
                "`{}` has no {ITEMISED}: it was published without Parquet, and cannot be compared",
                folder.display()
            )));
        }
        let inputs = list("inputs");
        let inputs = inputs.iter().map(|file| (text(&file["source"]), text(&file["path"]), text(&file["sha256"])));
        let references = list("references");
        let references = references.iter().map(|file| {
            let path = text(&file["path"]);
            let role = file["role"].as_str().map_or_else(|| role_of(&path), str::to_owned);
            (path, (role, text(&file["sha256"])))
        });
        Ok(Self {
            is_second,
            run: text(&manifest["run"]),
            month,
            site: manifest["site"].as_str().map(str::to_owned),
            calls,
            retail: manifest::read_money(&manifest["control"]["retail"]),
            wholesale: manifest::read_money(&manifest["control"]["wholesale"]),
            itemised,
            inputs: inputs.collect(),
            references: references.collect(),
            software: format!("{} with zones {}", text(&manifest["software"]), text(&manifest["zone_database"])),
            known_at: text(&manifest["directory_known_at"]),
            folder,
        })
    }
}

/// What a reference file is for, where an old manifest does not say it.
fn role_of(path: &str) -> String {
    let is = |word: &str| path.to_lowercase().contains(word);
    match path {
        SETTINGS_FILE => role::SETTINGS,
        _ if is("assignment") => role::ASSIGNMENTS,
        _ if is("allowance") => role::ALLOWANCES,
        _ if is("exchange") => role::EXCHANGE_RATES,
        _ if is("tariff") => role::TARIFF,
        _ => role::DIRECTORY,
    }
    .to_owned()
}

/// The files of records of both versions, numbered: those of the first, then those that only the second has.
pub(super) struct Files {
    /// By source, then path.
    numbers: [HashMap<String, HashMap<String, u32>>; 2],
}

impl Files {
    /// A file of the second is one of the first if it has its source and path, or its source and content and the first
    /// has no file of that name.
    pub(super) fn of(before: &Version, after: &Version) -> Self {
        type Numbers = HashMap<String, HashMap<String, u32>>;
        let (mut one, mut other) = (Numbers::new(), Numbers::new());
        let mut next = 0_u32;
        let mut number = || {
            next += 1;
            next
        };
        for (source, path, _) in &before.inputs {
            one.entry(source.clone()).or_default().insert(path.clone(), number());
        }
        let has = |version: &Version, source: &str, path: &str| {
            version.inputs.iter().any(|(of, at, _)| of == source && at == path)
        };
        let gone: HashMap<(&str, &str), &str> = (before.inputs.iter().rev())
            .filter(|(source, path, _)| !has(after, source, path))
            .map(|(source, path, hash)| ((source.as_str(), hash.as_str()), path.as_str()))
            .collect();
        for (source, path, hash) in &after.inputs {
            let number_of = |path: &str| one.get(source).and_then(|files| files.get(path)).copied();
            let renamed = || gone.get(&(source.as_str(), hash.as_str())).and_then(|old| number_of(old));
            let old = number_of(path).or_else(renamed);
            other.entry(source.clone()).or_default().insert(path.clone(), old.unwrap_or_else(&mut number));
        }
        Self { numbers: [one, other] }
    }

    /// Where a call's record stands.
    pub(super) fn key(&self, version: &Version, call: &PublishedCall<&str>) -> Key {
        let numbers = &self.numbers[usize::from(version.is_second)];
        let number = numbers.get(call.source).and_then(|files| files.get(call.file));
        (number.copied().unwrap_or(0), call.offset)
    }
}

/// What went into two versions and is not the same.
pub(super) fn evidence(before: &Version, after: &Version) -> Evidence {
    let mut evidence = Evidence::default();
    let by_name = |version: &Version| -> BTreeMap<(String, String), String> {
        version.inputs.iter().map(|(source, path, hash)| ((source.clone(), path.clone()), hash.clone())).collect()
    };
    let (one, other) = (by_name(before), by_name(after));
    // A file that was only renamed explains nothing.
    let renamed = |in_other: &BTreeMap<(String, String), String>,
                   own: &BTreeMap<(String, String), String>,
                   source: &str,
                   hash: &str| {
        in_other.iter().any(|(name, of)| name.0 == source && of == hash && !own.contains_key(name))
    };
    for (name, hash) in &one {
        match other.get(name) {
            Some(now) if now == hash => {}
            Some(_) => drop(evidence.files.insert(name.clone(), FileFate::Changed)),
            None if renamed(&other, &one, &name.0, hash) => {}
            None => drop(evidence.files.insert(name.clone(), FileFate::Gone)),
        }
    }
    for (name, hash) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
        if !renamed(&one, &other, &name.0, hash) {
            evidence.files.insert(name.clone(), FileFate::New);
        }
    }
    for (path, (role, hash)) in before.references.iter().chain(&after.references) {
        let same = |version: &Version| version.references.get(path).is_some_and(|(_, of)| of == hash);
        if !(same(before) && same(after)) {
            evidence.references.entry(role.clone()).or_default().insert(path.clone());
        }
    }
    if before.software != after.software {
        evidence.software = Some(format!("{} -> {}", before.software, after.software));
    }
    evidence.known_at = before.known_at != after.known_at;
    evidence
}

/// Finds both versions.
///
/// # Errors
///
/// [`RunError::Usage`] if one is not there, or they cannot be compared.
pub(super) fn find(storage: &dyn Storage, options: &DiffOptions) -> Result<(Version, Version), RunError> {
    let out = match (&options.out, &options.project) {
        (Some(out), _) => Some(out.clone()),
        (None, Some(project)) => Some(project.join(OUTPUT_FOLDER)),
        (None, None) => None,
    };
    let named = |text: &str, other: &str| folder(storage, out.as_deref(), options.month, text, other);
    let before = Version::open(storage, named(&options.before, &options.after)?, false)?;
    let after = Version::open(storage, named(&options.after, &options.before)?, true)?;
    if before.month != after.month {
        return Err(RunError::Usage(format!(
            "`{}` is of {} and `{}` of {}: compare versions of one month",
            options.before, before.month, options.after, after.month
        )));
    }
    if before.site != after.site {
        let of = |site: &Option<String>| {
            site.clone().map_or_else(|| "all sites".to_owned(), |site| format!("site `{site}` alone"))
        };
        return Err(RunError::Usage(format!(
            "`{}` is of {} and `{}` of {}: compare versions of the same sites",
            options.before,
            of(&before.site),
            options.after,
            of(&after.site)
        )));
    }
    Ok((before, after))
}

/// The folder with the manifest of the version that `text` names.
fn folder(
    storage: &dyn Storage,
    out: Option<&Path>,
    month: Option<Month>,
    text: &str,
    other: &str,
) -> Result<PathBuf, RunError> {
    if let Some(out) = out {
        let month = match text {
            "current" => Some(month.or_else(|| month_of(other)).map_or_else(|| only_month(storage, out), Ok)?),
            text => Month::parse(text),
        };
        if let Some(month) = month {
            let folder = out.join("current").join(format!("month={month}"));
            if storage.exists(&folder.join("manifest.json")) {
                return Ok(folder);
            }
            return Err(RunError::Usage(format!("{month} has not been published in `{}`", out.display())));
        }
        if let Some(folder) = run(storage, out, text)? {
            return Ok(folder);
        }
    }
    let path = Path::new(text);
    if storage.exists(&path.join("manifest.json")) {
        return Ok(path.to_owned());
    }
    if let Some(folder) = month_below(storage, path)? {
        return Ok(folder);
    }
    Err(RunError::Usage(match out {
        Some(out) => format!("there is no version `{text}` in `{}`: {}", out.display(), known(storage, out)),
        None => format!("there is no version in `{text}`: give a folder of `versions`, or the project and two runs"),
    }))
}

/// `month=YYYY-MM` below the folder of a version.
fn month_below(storage: &dyn Storage, version: &Path) -> Result<Option<PathBuf>, RunError> {
    if !storage.exists(version) {
        return Ok(None);
    }
    let Ok(entries) = storage.list(version) else { return Ok(None) };
    let mut names: Vec<String> =
        entries.into_iter().map(|entry| entry.name).filter(|name| name.starts_with("month=")).collect();
    names.sort();
    let folders = names.into_iter().map(|name| version.join(name));
    let mut found: Vec<PathBuf> = folders.filter(|folder| storage.exists(&folder.join("manifest.json"))).collect();
    match found.len() {
        0 => Ok(None),
        1 => Ok(found.pop()),
        _ => Err(RunError::Usage(format!("`{}` holds several months: name the folder of one", version.display()))),
    }
}

/// The month that a run's id begins with.
fn month_of(text: &str) -> Option<Month> {
    Month::parse(text.get(..7)?)
}

fn only_month(storage: &dyn Storage, out: &Path) -> Result<Month, RunError> {
    let entries = storage.list(&out.join("current")).unwrap_or_default();
    let mut months: Vec<Month> =
        entries.iter().filter_map(|entry| Month::parse(entry.name.strip_prefix("month=")?)).collect();
    months.sort();
    match months.as_slice() {
        [] => Err(RunError::Usage(format!("no month has been published in `{}`", out.display()))),
        [month] => Ok(*month),
        months => {
            let months: Vec<String> = months.iter().map(Month::to_string).collect();
            Err(RunError::Usage(format!("`current` could be {}: name the month with --month", months.join(", "))))
        }
    }
}

/// Runs of a shelf, sorted.
fn runs(storage: &dyn Storage, out: &Path, shelf: &str) -> Vec<String> {
    let entries = storage.list(&out.join(shelf)).unwrap_or_default();
    let mut names: Vec<String> =
        entries.into_iter().map(|entry| entry.name).filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// A run by its id or the beginning of it.
fn run(storage: &dyn Storage, out: &Path, text: &str) -> Result<Option<PathBuf>, RunError> {
    // What leads elsewhere is no id.
    if text.is_empty() || text.contains(['/', '\\']) || text.starts_with('.') {
        return Ok(None);
    }
    let mut found: Vec<(&str, String)> = Vec::new();
    for shelf in ["versions", "drafts"] {
        let names = runs(storage, out, shelf);
        if names.iter().any(|name| name == text) {
            return month_below(storage, &out.join(shelf).join(text));
        }
        found.extend(names.into_iter().filter(|name| name.starts_with(text)).map(|name| (shelf, name)));
    }
    match found.as_slice() {
        [] => Ok(None),
        [(shelf, name)] => month_below(storage, &out.join(shelf).join(name)),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name)| name.as_str()).collect();
            Err(RunError::Usage(format!("`{text}` could be {}", names.join(", "))))
        }
    }
}

/// What there is to compare.
fn known(storage: &dyn Storage, out: &Path) -> String {
    let runs: Vec<String> = ["versions", "drafts"].iter().flat_map(|shelf| runs(storage, out, shelf)).collect();
    if runs.is_empty() {
        "nothing has been published there".to_owned()
    } else {
        format!("there are {}", runs.join(", "))
    }
}
