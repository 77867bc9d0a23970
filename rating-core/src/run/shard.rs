//! A month in shards: planned once, rated by parts anywhere, merged to the very month that [`month`](fn@super::month) makes.
//!
//! [`plan`] pins every input and every table by its hash and cuts the inputs into shards of whole files. [`rate_shard`] is
//! the first pass over the files of one shard; what it finds goes into one partial file, which appears whole or not at all,
//! and is the same bytes each time. [`merge`] takes the partial files of all shards, each once, for what the first pass of a
//! run finds, and goes on as a run does: what needs several files (duplicates, calls of several records, allowances, tiers,
//! late calls) is settled there.
//!
//! Who starts the shards, how often and where, is nobody's business here; `docs/shards.md` has the contract.

mod acknowledgement;
mod contents;
mod partial;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::aside::Store;
use super::first_pass::{self, InputFile};
use super::month::{self, SOFTWARE_VERSION, take_lock};
use super::project::{Project, StandIns};
use super::publish::hex;
use super::ready::{Opened, Ready};
use super::storage::{Lock, Storage, StorageError, failed};
use super::unchanged;
use super::{Options, Progress, RunError, Summary};
use crate::finding::{Finding, Findings};
use crate::time::{Month, ZONE_DATABASE_VERSION};

pub use acknowledgement::{Acknowledgement, Totals};
pub use plan::{Cut, Input, MOST_SHARDS, Plan, Reference, Shard};

/// What to do when something is not what it was when the shards were planned.
const PLAN_AGAIN: &str = "bring it back, or plan the month again and rate all its shards: `rating plan`";

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// The project's folder.
    pub project: PathBuf,
    /// Which month; `None` takes the one that `rating.toml` names, or `default_month`.
    pub month: Option<Month>,
    /// The month to plan if neither the caller nor the project names one.
    pub default_month: Month,
    /// Where the month is going to be published; `None` is `out` in the project.
    pub publish: Option<PathBuf>,
    /// How it is cut.
    pub cut: Cut,
    /// The manifest to write.
    pub manifest: PathBuf,
    /// How many threads; 0 is one for each processor.
    pub threads: usize,
}

/// A plan that was written.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What it says.
    pub plan: Plan,
    /// SHA-256 of its bytes, hexadecimal: what partial files name it by.
    pub sha256: String,
    /// Things worth a look that stop nothing.
    pub warnings: Findings,
}

/// Where a plan's project is, for those who see it under another path than its manifest says.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The project's folder.
    pub project: Option<PathBuf>,
    /// The folder that the month is published in.
    pub publish: Option<PathBuf>,
}

/// Which shard is to be rated.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    /// The plan's manifest.
    pub manifest: PathBuf,
    /// The shard, from 1.
    pub shard: u32,
    /// The partial file to write; in a folder that is there, it is called `shard-00001.part`.
    pub out: PathBuf,
    /// Where the project is, if not where the manifest says.
    pub places: Places,
    /// How many threads; 0 is one for each processor.
    pub threads: usize,
}

/// What is to be merged.
#[derive(Clone, Debug)]
pub struct MergeOptions {
    /// The plan's manifest.
    pub manifest: PathBuf,
    /// The partial files, in any order; a folder stands for every `*.part` in it.
    pub partials: Vec<PathBuf>,
    /// What the shards answered, one line of JSON each, to be compared with what is in the files.
    pub acknowledgements: Option<PathBuf>,
    /// Where the project is, if not where the manifest says.
    pub places: Places,
    /// How many threads; 0 is one for each processor.
    pub threads: usize,
}

/// One error that stops everything.
fn refuse(finding: Finding) -> RunError {
    let mut findings = Findings::default();
    findings.push(finding);
    RunError::Invalid(findings)
}

/// Runs on as many threads as asked for.
fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> Result<T, RunError> + Send) -> Result<T, RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| RunError::Internal(format!("cannot start threads: {error}")))?;
    pool.install(work)
}

/// Plans a month in shards, and writes the plan's manifest. The same inputs, tables and cut give the same bytes.
///
/// # Errors
///
/// As for [`month`](fn@super::month), before anything is rated.
pub fn plan(storage: &dyn Storage, options: &PlanOptions) -> Result<Planned, RunError> {
    in_pool(options.threads, || {
        plan::check_place(storage, &options.manifest)?;
        let of_run = Options {
            month: options.month,
            out: options.publish.clone(),
            ..Options::new(&options.project, options.default_month)
        };
        let ready = Opened::read(storage, &of_run, &StandIns::default())?.with_found_inputs(storage, &of_run)?;
        if ready.books.as_ref().is_some_and(|books| books.run != ready.id) {
            ready.check_open()?;
        }
        let folder = plan::folder_of(&options.manifest);
        storage.create_folder(folder)?;
        let plan = Plan {
            plan: plan::LAYOUT,
            software: SOFTWARE_VERSION.to_owned(),
            zone_database: ZONE_DATABASE_VERSION.to_owned(),
            project: plan::way(storage, folder, &options.project)?,
            publish: plan::way(storage, folder, &ready.out)?,
            month: ready.month.to_string(),
            run: ready.id.clone(),
            references: references(&ready.project),
            files: ready.files.len() as u64,
            bytes: ready.files.iter().map(|file| file.bytes).sum(),
            shards: shards(&ready, options.cut),
        };
        let bytes = plan.to_bytes();
        partial::write_whole(storage, &options.manifest, &bytes)?;
        Ok(Planned { plan, sha256: plan::hex_of(&plan::hash_of(&bytes)), warnings: ready.warnings })
    })
}

fn references(project: &Project) -> Vec<Reference> {
    let of = |reference: &super::project::ReferenceFile| Reference {
        path: reference.path.clone(),
        sha256: reference.sha256.clone(),
        role: reference.role.to_owned(),
    };
    project.references.iter().map(of).collect()
}

fn shards(ready: &Ready, cut: Cut) -> Vec<Shard> {
    let sizes: Vec<u64> = ready.files.iter().map(|file| file.bytes).collect();
    let source =
        |file: &InputFile| ready.project.settings.sources.get(file.source.index()).map(|source| source.id.clone());
    let mut inputs = ready.files.iter().map(|file| Input {
        source: source(file).unwrap_or_default(),
        path: file.path.clone(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
    });
    (1..)
        .zip(plan::cut(&sizes, cut))
        .map(|(shard, count)| {
            let inputs: Vec<Input> = inputs.by_ref().take(count).collect();
            Shard { shard, bytes: inputs.iter().map(|input| input.bytes).sum(), inputs }
        })
        .collect()
}

/// A plan that was read, and its project as it is now: the same.
struct Opening {
    plan: Plan,
    hash: [u8; 32],
    ready: Ready,
    _lock: Option<Box<dyn Lock>>,
}

/// Reads a plan and its project, and refuses it if that is not what was planned. Whoever publishes holds the lock.
fn open(storage: &dyn Storage, manifest: &Path, places: &Places, publishes: bool) -> Result<Opening, RunError> {
    let bytes = storage.read(manifest)?;
    let shown = manifest.display().to_string();
    let plan = Plan::read(&shown, &bytes)?;
    if (plan.software.as_str(), plan.zone_database.as_str()) != (SOFTWARE_VERSION, ZONE_DATABASE_VERSION) {
        let words = format!(
            "the plan was made by version {} with zones {}, and this is {SOFTWARE_VERSION} with {ZONE_DATABASE_VERSION}",
            plan.software, plan.zone_database
        );
        let finding = Finding::error("shard.software_differs", words).in_file(shown);
        return Err(refuse(finding.help("use the same version everywhere, or plan the month again with this one")));
    }
    let folder = plan::folder_of(manifest);
    let project = places.project.clone().unwrap_or_else(|| folder.join(&plan.project));
    let month = plan.month().ok_or_else(|| RunError::Internal("a plan without a month".to_owned()))?;
    let options = Options {
        month: Some(month),
        out: Some(places.publish.clone().unwrap_or_else(|| folder.join(&plan.publish))),
        ..Options::new(project, month)
    };
    let opened = Opened::read(storage, &options, &StandIns::default())?;
    let lock = if publishes { Some(take_lock(storage, &opened.out, month)?) } else { None };
    let files = plan.input_files(&opened.project)?;
    let ready = opened.with_inputs(storage, &options, files)?;
    let mut findings = Findings::default();
    plan::changed_references(&plan.references, &references(&ready.project), &mut findings);
    if findings.has_errors() {
        return Err(RunError::Invalid(findings));
    }
    if ready.id != plan.run {
        let words = format!("the plan is for run `{}`, but what it pins is run `{}`", plan.run, ready.id);
        let finding = Finding::error("shard.plan_malformed", words).in_file(shown);
        return Err(refuse(finding.help("make it anew: `rating plan`; a plan is never edited by hand")));
    }
    Ok(Opening { hash: plan::hash_of(&bytes), plan, ready, _lock: lock })
}

/// Refuses input files that are not what was planned; notes what they look like, so that it shows if one is written to.
fn check_inputs(storage: &dyn Storage, project: &Project, files: &mut [InputFile]) -> Result<(), RunError> {
    let found: Vec<Option<String>> = files
        .par_iter_mut()
        .map(|file| {
            let path = project.root.join(&file.path);
            let mut hash = Sha256::new();
            file.stamp = storage.stamp(&path).ok();
            let read = storage.open(&path).and_then(|mut reader| {
                std::io::copy(&mut reader, &mut hash).map_err(|error| failed("read", &path, error))
            });
            match read {
                Ok(_) if hex(&hash.finalize()) == file.sha256 => Ok(None),
                Ok(_) => Ok(Some(format!("`{}` is not what it was when the shards were planned", file.path))),
                Err(error) if error.error.kind() == ErrorKind::NotFound => Ok(Some(format!("`{}` is gone", file.path))),
                Err(error) => Err(error),
            }
        })
        .collect::<Result<_, StorageError>>()?;
    let mut findings = Findings::default();
    for (file, words) in files.iter().zip(found) {
        if let Some(words) = words {
            findings.push(Finding::error("shard.input_changed", words).in_file(file.path.clone()).help(PLAN_AGAIN));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(RunError::Invalid(findings)) }
}

/// Rates the files of a shard and writes its partial file, which appears whole or not at all. Rated again, it is the same
/// bytes; several may rate one shard at one time.
///
/// # Errors
///
/// If the plan, the project or a file of the shard is not what it was ([`RunError::Invalid`]), there is no such shard
/// ([`RunError::Usage`]), or the disk refuses.
pub fn rate_shard(
    storage: &dyn Storage,
    options: &ShardOptions,
    progress: &dyn Progress,
) -> Result<Acknowledgement, RunError> {
    in_pool(options.threads, || {
        let Opening { plan, hash, mut ready, .. } = open(storage, &options.manifest, &options.places, false)?;
        let shards = u32::try_from(plan.shards.len()).unwrap_or(u32::MAX);
        let Some(range) = plan.range(options.shard) else {
            return Err(RunError::Usage(format!("there is no shard {}; the plan has {shards}, from 1", options.shard)));
        };
        let path = partial_file(storage, &options.out, options.shard);
        let of = partial::Of { plan: hash, shard: options.shard, shards };
        partial::check_place(storage, &path, of)?;
        check_inputs(storage, &ready.project, ready.files.get_mut(range.clone()).unwrap_or_default())?;
        // Beside the partial file, where there is room for it; whoever is killed leaves it to be swept.
        let work = partial::aside(&path);
        storage.create_folder(&work)?;
        let written = (|| {
            let engine = ready.engine(storage);
            let store = Store::new(storage, Some(work.clone()));
            progress.begin(ready.files.iter().take(range.end).skip(range.start).map(|file| file.bytes).sum());
            let first = first_pass::run(&engine, storage, &ready.files, range.clone(), &store, progress)?;
            engine.history().map_or(Ok(()), super::history::History::check)?;
            unchanged::check(storage, &ready.project, ready.files.get(range.clone()).unwrap_or_default())?;
            progress.writing();
            let source = contents::Source { storage, engine: &engine, files: &ready.files, range, run: &plan.run };
            contents::write(&source, &path, of, &first)
        })();
        let removed = storage.remove(&work);
        let acknowledgement = written?;
        removed?;
        Ok(acknowledgement)
    })
}

/// The partial file that is meant: in a folder it has the shard's name.
fn partial_file(storage: &dyn Storage, out: &Path, shard: u32) -> PathBuf {
    let is_folder = out.as_os_str().as_encoded_bytes().ends_with(b"/") || storage.list(out).is_ok();
    if is_folder { out.join(format!("shard-{shard:05}{PARTIAL}")) } else { out.to_owned() }
}

/// What the names of partial files in a folder end with.
const PARTIAL: &str = ".part";

/// Merges the partial files of all shards of a plan and publishes the month, with the bytes that
/// [`month`](fn@super::month) publishes.
///
/// # Errors
///
/// As for [`month`](fn@super::month); [`RunError::Incomplete`] unless there is each shard of the plan once, whole;
/// [`RunError::Disagree`] if totals are not what was said. Nothing is published then.
pub fn merge(storage: &dyn Storage, options: &MergeOptions, progress: &dyn Progress) -> Result<Summary, RunError> {
    in_pool(options.threads, || {
        let Opening { plan, hash, ready, _lock } = open(storage, &options.manifest, &options.places, true)?;
        let paths = partial_files(storage, &options.partials)?;
        let shards = whole(storage, &plan, &hash, &paths)?;
        if let Some(path) = &options.acknowledgements {
            let text = storage.read(path)?;
            let own: Vec<Acknowledgement> = shards.iter().map(contents::Read::acknowledgement).collect();
            acknowledgement::compare(&path.display().to_string(), &String::from_utf8_lossy(&text), &own)?;
        }
        let summary = month::merged(storage, &ready, progress, &|engine, _| {
            contents::first_pass(storage, engine, &ready.files, &shards)
        })?;
        // The month is published: that something cannot be tidied up changes nothing about it, and the next merge tries again.
        paths.iter().for_each(|path| drop(partial::sweep(storage, path)));
        Ok(summary)
    })
}

/// The files that are there, and for each folder every `*.part` in it.
fn partial_files(storage: &dyn Storage, given: &[PathBuf]) -> Result<Vec<PathBuf>, RunError> {
    let mut paths = Vec::new();
    for path in given.iter().filter(|path| storage.exists(path)) {
        match storage.list(path) {
            Ok(entries) => {
                let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
                names.retain(|name| name.ends_with(PARTIAL) && !name.starts_with('.'));
                names.sort_unstable();
                paths.extend(names.iter().map(|name| path.join(name)));
            }
            Err(_) => paths.push(path.clone()),
        }
    }
    let mut known = BTreeSet::new();
    let mut fresh = Vec::new();
    for path in paths {
        // One file may be named twice: by itself and by its folder.
        if known.insert(storage.resolve(&path)?) {
            fresh.push(path);
        }
    }
    Ok(fresh)
}

/// Every shard of the plan, once, whole, in order.
fn whole(
    storage: &dyn Storage,
    plan: &Plan,
    hash: &[u8; 32],
    paths: &[PathBuf],
) -> Result<Vec<contents::Read>, RunError> {
    let opened: Vec<Result<contents::Read, RunError>> = paths
        .par_iter()
        .map(|path| partial::Partial::open(storage, path, hash).and_then(|whole| contents::Read::new(storage, whole)))
        .collect();
    let mut findings = Findings::default();
    let mut found: BTreeMap<u32, contents::Read> = BTreeMap::new();
    for read in opened {
        let read = match read {
            Err(RunError::Incomplete(wrong)) => {
                findings.extend(wrong);
                continue;
            }
            read => read?,
        };
        if let Some(other) = found.get(&read.shard()) {
            let words = format!("shard {} is there twice: `{}` and `{}`", read.shard(), other.path(), read.path());
            findings.push(
                Finding::error("shard.repeated", words).in_file(read.path()).help(
                    "give each shard once: remove the one that was not acknowledged, or either if they are equal",
                ),
            );
            continue;
        }
        found.insert(read.shard(), read);
    }
    let missing: Vec<String> = plan
        .shards
        .iter()
        .filter(|shard| !found.contains_key(&shard.shard))
        .map(|shard| shard.shard.to_string())
        .collect();
    if !missing.is_empty() {
        const SHOWN: usize = 20;
        let more = if missing.len() > SHOWN { format!(" and {} more", missing.len() - SHOWN) } else { String::new() };
        let (what, are) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
        let shown = missing.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        let words = format!("{what} {shown}{more} of {} {are} missing", plan.shards.len());
        findings.push(Finding::error("shard.missing", words).help("rate what is missing: `rating rate-shard`"));
    }
    if findings.has_errors() { Err(RunError::Incomplete(findings)) } else { Ok(found.into_values().collect()) }
}
