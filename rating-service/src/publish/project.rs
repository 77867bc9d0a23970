//! A snapshot of the database as a project of the engine.
//!
//! ```text
//! data/
//!   cdr/<source>/…             the switches' files, as they came
//!   projects/<hash>/           a snapshot: rating.toml, directory/, tables/, tariffs/, …; never changed
//!     cdr -> ../../cdr         (or the files that a month was checked with, one link each)
//!     out -> ../../out
//!   project -> projects/<hash> the last one that was written
//!   out/                       versions, drafts, current, closed: the engine's
//! ```
//!
//! # Why a folder for each snapshot
//!
//! Tables that are replaced in one stable folder can be read half old and half new by a command that runs beside the
//! service, and what a month was made from is gone with the next change. A folder that is named by the hash of what is in it
//! is written once, aside, and renamed; it is never changed after that, so whoever reads it sees one snapshot; the
//! same rows give the same folder, and nothing is written. It costs the size of the tables for each state that was run,
//! and [`prune`] removes those that no run names.
//!
//! The switches' files, by far the largest part, are not in it: a link leads to them. What a run publishes depends on
//! paths below the project and on contents, never on where the project is, so `rating run data/projects/<hash>` gives the
//! same run with the same id as the service.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use rating_core::ids::file_name_fault;
use rating_core::run::project::SETTINGS_FILE;
use rating_core::run::publish::hex;
use rating_core::run::storage::{Storage, failed};
use rating_core::time::Zone;
use sha2::{Digest, Sha256};

use super::refusal::{Refusal, Result};
use crate::store::snapshot::Snapshot;

mod tables;

/// The folder of the switches' files, in the data folder and in each project.
pub const CDR: &str = "cdr";
/// The folder of what is published, in the data folder and in each project.
pub const OUT: &str = "out";
/// The folder of the projects, in the data folder.
const PROJECTS: &str = "projects";
/// The link to the last project that was written, in the data folder.
const LATEST: &str = "project";
/// The folders that files of a snapshot may stand in.
const FILE_FOLDERS: [&str; 5] = ["tariffs", "allowances", "calendars", "templates", "balances"];

/// A project as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its folder.
    pub folder: PathBuf,
    /// The hash of all that is in it, which names the folder: 32 hexadecimal digits.
    pub hash: String,
}

/// What a file of a project is made from.
enum Content<'s> {
    Made(Vec<u8>),
    Stored(&'s Path),
}

/// Writes a snapshot as a project below `data`, unless it is there already, whole. With `inputs` the project reads these
/// files of the switches and no others (paths below the project, `cdr/ldn-pbx/m.csv`); without, all there are.
///
/// # Errors
///
/// If a path cannot be one, a stored file is not what its hash says, a source's settings are no TOML, or the disk refuses.
/// No project is half-written then.
pub fn write(
    storage: &dyn Storage,
    data: &Path,
    snapshot: &Snapshot,
    inputs: Option<&BTreeSet<String>>,
) -> Result<Written> {
    let mut contents: BTreeMap<String, Content<'_>> =
        tables::made(snapshot)?.into_iter().map(|(path, bytes)| (path, Content::Made(bytes))).collect();
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    for (path, content) in &contents {
        if let Content::Made(bytes) = content {
            hashes.insert(path.clone(), hex(&Sha256::digest(bytes)));
        }
    }
    let mut folded = BTreeSet::new();
    for file in &snapshot.files {
        check_path(&file.path)?;
        if !folded.insert(file.path.to_ascii_lowercase()) {
            let detail =
                format!("two files are called `{}`; capital and small letters do not tell names apart", file.path);
            return Err(Refusal::new("publish.file_path", detail));
        }
        contents.insert(file.path.clone(), Content::Stored(&file.stored));
        hashes.insert(file.path.clone(), file.sha256.to_ascii_lowercase());
    }
    let mut links: BTreeMap<String, PathBuf> = BTreeMap::new();
    links.insert(OUT.to_owned(), Path::new("../..").join(OUT));
    match inputs {
        None => {
            links.insert(CDR.to_owned(), Path::new("../..").join(CDR));
        }
        Some(paths) => {
            for path in paths {
                links.insert(path.clone(), input_link(path)?);
            }
        }
    }
    let hash = hash(&hashes, &links);
    let projects = data.join(PROJECTS);
    for folder in [&projects, &data.join(CDR), &data.join(OUT)] {
        storage.create_folder(folder)?;
    }
    let Some(_lock) = storage.lock(&projects.join(".lock"), "writes a project\n")? else {
        return Err(Refusal::new("publish.busy", "another process writes a project").help("try again in a moment"));
    };
    let folder = projects.join(&hash);
    if !is_whole(storage, &folder, &hashes, &links)? {
        let aside = projects.join(format!(".partial-{hash}"));
        storage.remove(&aside)?;
        let done = fill(storage, &aside, &contents, &hashes, &links).and_then(|()| {
            // What stands there was changed by somebody.
            storage.remove(&folder)?;
            storage.rename(&aside, &folder)?;
            storage.sync_folder(&projects).map_err(Refusal::from)
        });
        if let Err(refusal) = done {
            // A full disk wants its room back; what is to be told is why the project was not written.
            let _ = storage.remove(&aside);
            return Err(refusal);
        }
    }
    point(storage, data, &hash)?;
    Ok(Written { folder, hash })
}

/// The folder of a project that was written before; `None` if it is gone.
#[must_use]
pub fn folder_of(storage: &dyn Storage, data: &Path, hash: &str) -> Option<PathBuf> {
    let plain = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let folder = data.join(PROJECTS).join(hash);
    (plain && storage.exists(&folder)).then_some(folder)
}

/// The clocks of the sites of a project that was written before; none if it is gone.
pub(super) fn zones(storage: &dyn Storage, data: &Path, hash: &str) -> BTreeMap<String, Zone> {
    let settings = folder_of(storage, data, hash).and_then(|folder| storage.read(&folder.join(SETTINGS_FILE)).ok());
    let settings = settings.and_then(|bytes| String::from_utf8(bytes).ok());
    let settings: toml::Table = settings.and_then(|text| text.parse().ok()).unwrap_or_default();
    let sites = settings.get("site").and_then(toml::Value::as_array).into_iter().flatten();
    let text = |of: &toml::Value, key: &str| of.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    sites.filter_map(|site| Some((text(site, "id")?, Zone::load(&text(site, "zone")?)?))).collect()
}

/// Removes the projects that are neither in `keep` nor the last one written; says how many.
///
/// # Errors
///
/// If the disk refuses.
pub fn prune(storage: &dyn Storage, data: &Path, keep: &BTreeSet<String>) -> Result<usize> {
    let projects = data.join(PROJECTS);
    if !storage.exists(&projects) {
        return Ok(0);
    }
    let Some(_lock) = storage.lock(&projects.join(".lock"), "removes projects\n")? else { return Ok(0) };
    let latest = storage.read_link(&data.join(LATEST))?;
    let latest = latest.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let mut removed = 0;
    for entry in storage.list(&projects)? {
        if entry.name.starts_with('.') || keep.contains(&entry.name) || latest.as_ref() == Some(&entry.name) {
            continue;
        }
        // What is removed has no name first: nobody reads a project of which half is gone.
        let aside = projects.join(format!(".removed-{}", entry.name));
        storage.rename(&projects.join(&entry.name), &aside)?;
        storage.remove(&aside)?;
        removed += 1;
    }
    Ok(removed)
}

/// A path of a snapshot's file: in one of the folders there are, and of names that any system can have.
pub(super) fn check_path(path: &str) -> Result<()> {
    let refuse = |why: String| {
        Err(Refusal::new("publish.file_path", format!("`{path}` cannot be the path of a file: {why}"))
            .help(format!("put it in one of the folders {}", FILE_FOLDERS.join(", "))))
    };
    let (folder, rest) = path.split_once('/').unwrap_or((path, ""));
    if !FILE_FOLDERS.contains(&folder) {
        return refuse("it is in none of the folders that files may be in".to_owned());
    }
    match rest.split('/').find_map(|part| file_name_fault(part).map(|fault| (part, fault))) {
        Some((part, fault)) => refuse(format!("`{part}` {fault}")),
        None => Ok(()),
    }
}

/// Where the link to one of the switches' files leads.
fn input_link(path: &str) -> Result<PathBuf> {
    let parts: Vec<&str> = path.split('/').collect();
    let plain = |part: &&str| !part.is_empty() && !part.starts_with('.');
    if parts.len() < 3 || parts.first() != Some(&CDR) || !parts.iter().all(plain) {
        return Err(Refusal::new("publish.file_path", format!("`{path}` is no path of a switch's file")));
    }
    // From the folder of the link to the data folder: out of the project, and out of the folder of all projects.
    let up: PathBuf = std::iter::repeat_n("..", parts.len() + 1).collect();
    Ok(up.join(path))
}

/// A hash of everything in a project.
fn hash(hashes: &BTreeMap<String, String>, links: &BTreeMap<String, PathBuf>) -> String {
    let mut hash = Sha256::new();
    let mut put = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    };
    for (path, sha256) in hashes {
        put(path);
        put(sha256);
    }
    for (path, target) in links {
        put(path);
        put(&target.to_string_lossy());
    }
    hex(&hash.finalize()).chars().take(32).collect()
}

/// Whether a project's folder has all it should, as it should be, and nothing else.
fn is_whole(
    storage: &dyn Storage,
    folder: &Path,
    hashes: &BTreeMap<String, String>,
    links: &BTreeMap<String, PathBuf>,
) -> Result<bool> {
    if !storage.exists(folder) {
        return Ok(false);
    }
    let (mut files, mut found_links) = (0, 0);
    let mut left = vec![String::new()];
    while let Some(below) = left.pop() {
        for entry in storage.list(&folder.join(&below))? {
            let path = if below.is_empty() { entry.name } else { format!("{below}/{}", entry.name) };
            if entry.is_link {
                if links.get(&path) != storage.read_link(&folder.join(&path))?.as_ref() {
                    return Ok(false);
                }
                found_links += 1;
            } else if entry.is_folder {
                left.push(path);
            } else {
                let Some(expected) = hashes.get(&path) else { return Ok(false) };
                if sha256(storage, &folder.join(&path))? != *expected {
                    return Ok(false);
                }
                files += 1;
            }
        }
    }
    Ok(files == hashes.len() && found_links == links.len())
}

fn sha256(storage: &dyn Storage, path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut reader = storage.open(path)?;
    std::io::copy(&mut reader, &mut hash).map_err(|error| failed("read", path, error))?;
    Ok(hex(&hash.finalize()))
}

/// Writes all of a project's files, and makes them last.
fn fill(
    storage: &dyn Storage,
    folder: &Path,
    contents: &BTreeMap<String, Content<'_>>,
    hashes: &BTreeMap<String, String>,
    links: &BTreeMap<String, PathBuf>,
) -> Result<()> {
    let mut folders = BTreeSet::from([folder.to_owned()]);
    for path in contents.keys().chain(links.keys()) {
        let within = Path::new(path).ancestors().skip(1);
        folders.extend(within.map(|above| folder.join(above)));
    }
    for folder in &folders {
        storage.create_folder(folder)?;
    }
    for (path, content) in contents {
        let to = folder.join(path);
        match content {
            Content::Made(bytes) => {
                let mut file = storage.create(&to)?;
                file.write_all(bytes).and_then(|()| file.flush()).map_err(|error| failed("write", &to, error))?;
            }
            Content::Stored(stored) => {
                let copied = copy(storage, stored, &to)?;
                if hashes.get(path) != Some(&copied) {
                    let detail = format!("the content of `{path}` is not what was stored");
                    return Err(Refusal::new("publish.file_changed", detail)
                        .help("upload the file again, or bring it back from a copy"));
                }
            }
        }
        storage.sync_file(&to)?;
    }
    for (path, target) in links {
        storage.link(target, &folder.join(path))?;
    }
    // Deepest first, so that a folder is synced after what is in it.
    for folder in folders.iter().rev() {
        storage.sync_folder(folder)?;
    }
    Ok(())
}

/// Copies a file, and gives the hash of what was copied.
fn copy(storage: &dyn Storage, from: &Path, to: &Path) -> Result<String> {
    let mut reader = storage.open(from)?;
    let mut writer = storage.create(to)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = reader.read(&mut buffer).map_err(|error| failed("read", from, error))?;
        let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        writer.write_all(read).map_err(|error| failed("write", to, error))?;
    }
    writer.flush().map_err(|error| failed("write", to, error))?;
    Ok(hex(&hash.finalize()))
}

/// Makes `data/project` lead to a project.
fn point(storage: &dyn Storage, data: &Path, hash: &str) -> Result<()> {
    let (link, target) = (data.join(LATEST), Path::new(PROJECTS).join(hash));
    if storage.read_link(&link).is_ok_and(|found| found.as_ref() == Some(&target)) {
        return Ok(());
    }
    let fresh = data.join(format!(".{LATEST}.new"));
    storage.remove(&fresh)?;
    storage.link(&target, &fresh)?;
    storage.rename(&fresh, &link)?;
    storage.sync_folder(data)?;
    Ok(())
}
