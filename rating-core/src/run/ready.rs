//! A project read and made ready for a month: everything that the run's id is a hash of, before anything is rated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::allowances;
use super::closing::{self, Closed};
use super::engine::Engine;
use super::first_pass::InputFile;
use super::hashing::FileHasher;
use super::history::History;
use super::month::{SOFTWARE_VERSION, judge_files};
use super::project::{Project, StandIns, role};
use super::publish::hex;
use super::storage::{Storage, StorageError};
use super::{Options, RunError};
use crate::finding::{Finding, Findings};
use crate::ids::SiteId;
use crate::rating::allowance::{AccountKey, Balance};
use crate::time::{Instant, Month, ZONE_DATABASE_VERSION};

/// A project, and which month of it goes where.
pub(super) struct Opened {
    pub(super) project: Project,
    pub(super) month: Month,
    pub(super) out: PathBuf,
    only: Option<SiteId>,
    warnings: Findings,
}

impl Opened {
    /// Reads the project that the options name.
    ///
    /// # Errors
    ///
    /// If it is no project, or not a valid one, or has no such site.
    pub(super) fn read(storage: &dyn Storage, options: &Options, stand_ins: &StandIns) -> Result<Self, RunError> {
        let (project, warnings) = Project::load_with(storage, &options.project, options.known_at, stand_ins)?;
        let Some(project) = project else { return Err(RunError::Invalid(warnings)) };
        let month = options.month.or(project.settings.month).unwrap_or(options.default_month);
        let only = find_site(&project, options.site.as_deref())?;
        let out = options.out.clone().unwrap_or_else(|| options.project.join(super::inputs::OUTPUT_FOLDER));
        Ok(Self { project, month, out, only, warnings })
    }

    /// With every file that the sources' patterns find.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or what earlier months left behind is not whole.
    pub(super) fn with_found_inputs(mut self, storage: &dyn Storage, options: &Options) -> Result<Ready, RunError> {
        let files = inputs(storage, &self.project, &mut self.warnings)?;
        self.with_inputs(storage, options, files)
    }

    /// With these files, in canonical order.
    ///
    /// # Errors
    ///
    /// If what earlier months left behind is not whole.
    pub(super) fn with_inputs(
        self,
        storage: &dyn Storage,
        options: &Options,
        files: Vec<InputFile>,
    ) -> Result<Ready, RunError> {
        let Self { mut project, month, out, only, mut warnings } = self;
        warn_of_same_content(&files, &mut warnings);
        let (opening, published) = allowances::opening(storage, &project, &out, month, &mut warnings)?;
        if warnings.has_errors() {
            return Err(RunError::Invalid(warnings));
        }
        project.references.extend(published);
        let (history, books) = books(storage, &out, month)?;
        project.references.extend(history.iter().map(reference));
        let id = run_id(&project, month, options, &files);
        if let Some(expected) = options.expected.as_ref().filter(|expected| **expected != id) {
            return Err(RunError::Invalid(changed_since(expected, &id)));
        }
        let (known_at, retail_only, draft) = (options.known_at, options.retail_only, options.draft);
        Ok(Ready {
            project,
            month,
            out,
            only,
            known_at,
            retail_only,
            draft,
            files,
            opening,
            history,
            books,
            id,
            warnings,
        })
    }
}

/// Everything that a month is made from.
pub(super) struct Ready {
    /// The project.
    pub(super) project: Project,
    /// The month.
    pub(super) month: Month,
    /// Where it is published.
    pub(super) out: PathBuf,
    /// The only site that is run, if it is not all.
    pub(super) only: Option<SiteId>,
    /// Whether only what payers are charged is rated.
    pub(super) retail_only: bool,
    /// As of when the directory is known; `None` is now.
    pub(super) known_at: Option<Instant>,
    /// Whether it is only to be looked at.
    pub(super) draft: bool,
    /// Every input file, in canonical order.
    pub(super) files: Vec<InputFile>,
    /// How accounts of allowances stand when the month begins.
    pub(super) opening: BTreeMap<AccountKey, Balance>,
    /// The closed months that lead up to it.
    pub(super) history: Vec<Closed>,
    /// The month itself, if it is closed.
    pub(super) books: Option<Closed>,
    /// The run's id.
    pub(super) id: String,
    /// What is worth a look.
    pub(super) warnings: Findings,
}

impl Ready {
    /// What rates its records, by the books of the closed months that lead up to it.
    #[must_use]
    pub(super) fn engine<'r>(&'r self, storage: &'r dyn Storage) -> Engine<'r> {
        let history = History::new(storage, &self.out, self.history.clone());
        let history = (!self.history.is_empty()).then_some(history);
        Engine::new(&self.project, self.month, self.only).with_history(history).retail_only(self.retail_only)
    }

    /// Whether the month is not closed.
    ///
    /// # Errors
    ///
    /// `run.month_closed` if it is.
    pub(super) fn check_open(&self) -> Result<(), RunError> {
        self.books.as_ref().map_or(Ok(()), |books| Err(RunError::Invalid(closed_for(books))))
    }
}

/// The closed months that lead up to a month without a gap, and the month itself if it is closed.
fn books(storage: &dyn Storage, out: &Path, month: Month) -> Result<(Vec<Closed>, Option<Closed>), RunError> {
    let mut closed = closing::closed_months(storage, out)?;
    let own = closed.iter().find(|closed| closed.month == month).cloned();
    closed.retain(|closed| closed.month < month);
    if closed.last().is_some_and(|last| last.month.next() != month) {
        closed.clear();
    }
    Ok((closed, own))
}

/// A closed month is an input of the month that follows it.
fn reference(closed: &Closed) -> super::project::ReferenceFile {
    let path = format!("closed: versions/{}/month={}/manifest.json", closed.run, closed.month);
    super::project::ReferenceFile { path, sha256: closed.manifest_sha256.clone(), role: role::CLOSED_MONTH }
}

fn closed_for(books: &Closed) -> Findings {
    let (month, next) = (books.month, books.month.next());
    let mut findings = Findings::default();
    findings.push(
        Finding::error(
            "run.month_closed",
            format!("{month} is closed with `{}`, and its files, tables or this program are not the same any more", books.run),
        )
        .help(format!(
            "run {next}: records that came since are late calls there. To make {month} anew, open it again first: `rating reopen`"
        )),
    );
    findings
}

fn changed_since(expected: &str, id: &str) -> Findings {
    let mut findings = Findings::default();
    findings.push(
        Finding::error(
            "run.inputs_changed",
            format!(
                "files, tables or this program are not what `{expected}` was made from: what is there now is `{id}`"
            ),
        )
        .help("look at the month as it is now, and then publish that"),
    );
    findings
}

fn find_site(project: &Project, name: Option<&str>) -> Result<Option<SiteId>, RunError> {
    let Some(name) = name else { return Ok(None) };
    match project.directory.site_id(name) {
        Some(site) => Ok(Some(site)),
        None => {
            let ids: Vec<&str> = project.settings.sites.iter().map(|site| site.id.as_str()).collect();
            Err(RunError::Usage(format!("there is no site `{name}`; the sites are {}", ids.join(", "))))
        }
    }
}

/// Every input file with its hash, in canonical order.
fn inputs(storage: &dyn Storage, project: &Project, warnings: &mut Findings) -> Result<Vec<InputFile>, RunError> {
    let mut named = Vec::new();
    for source in project.sources() {
        let found = project.files_of(storage, source)?;
        judge_files(project, source, &found, warnings);
        named.extend(found.files.into_iter().map(|path| (source, path)));
    }
    if warnings.has_errors() {
        return Err(RunError::Invalid(std::mem::take(warnings)));
    }
    if named.len() >= crate::source::RecordId::MAX_FILES as usize {
        return Err(RunError::Usage(format!("{} input files are more than one run can have", named.len())));
    }
    named
        .into_par_iter()
        .map_init(FileHasher::new, |hasher, (source, path)| {
            let full = project.root.join(&path);
            let mut reader = storage.open(&full)?;
            let stamp = Some(storage.stamp(&full)?);
            let (sha256, bytes) =
                hasher.hash(&mut *reader).map_err(|error| super::storage::failed("read", &full, error))?;
            Ok(InputFile { source, path, sha256, bytes, stamp })
        })
        .collect::<Result<_, StorageError>>()
        .map_err(RunError::from)
}

/// Warns of files that have the content of another.
fn warn_of_same_content(files: &[InputFile], warnings: &mut Findings) {
    let mut first_with: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes > 0) {
        if let Some(first) = first_with.get(file.sha256.as_str()) {
            warnings.push(
                Finding::warning("run.same_content", format!("`{}` has the same content as `{first}`", file.path))
                    .in_file(file.path.clone())
                    .help("at one site its records are duplicates and charged once; at two sites they would be charged twice: name the \
                           file in one source only"),
            );
        } else {
            first_with.insert(file.sha256.as_str(), file.path.as_str());
        }
    }
}

/// The run's id: a hash of everything that its bytes depend on.
fn run_id(project: &Project, month: Month, options: &Options, files: &[InputFile]) -> String {
    let mut hash = Sha256::new();
    let mut line = |parts: &[&str]| {
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
    };
    line(&["rating", SOFTWARE_VERSION, ZONE_DATABASE_VERSION, &month.to_string()]);
    line(&["site", options.site.as_deref().unwrap_or("*")]);
    line(&["known_at", &options.known_at.map_or_else(String::new, crate::time::Instant::to_rfc3339)]);
    if options.retail_only {
        line(&["sides", "retail"]);
    }
    for reference in &project.references {
        line(&["reference", &reference.path, &reference.sha256]);
    }
    for file in files {
        line(&["input", &file.source.0.to_string(), &file.path, &file.sha256]);
    }
    format!("{month}-{}", &hex(&hash.finalize())[..16])
}
