//! Runs months: one at a time, on a thread that may block, with its progress told through a channel.
//!
//! A month is *checked*: the engine makes a draft of all of it, which never is in force. Somebody looks at it, and it is
//! *published*: if it is still made from the same files, tables and program, that very draft becomes the version in force;
//! else nothing is published and the refusal says what changed. A month that is not over gets a *preview*, which is marked as
//! provisional and cannot be published.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rating_core::run::closing::{self, CloseOptions, Closing, Reopening};
use rating_core::run::compare::Comparison;
use rating_core::run::diff::{DiffOptions, diff};
use rating_core::run::publish::{Published, hex};
use rating_core::run::storage::{Disk, Storage};
use rating_core::run::{self, Options, Summary};
use rating_core::time::{Date, Month};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::project::{self, CDR, OUT, Written};
use super::published::{Archive, Door, Version};
use super::refusal::{Found, Refusal, Result, found};
use super::runs::{self, Kept};
use crate::store::snapshot::Snapshot;

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes of input, as stored.
    pub bytes: u64,
    /// Of them, rated.
    pub bytes_done: u64,
    /// Records rated.
    pub records: u64,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Another run is not done yet.
    #[default]
    Waiting,
    /// Tables are read and files are hashed.
    Reading,
    /// Records are rated.
    Rating,
    /// Reports are written.
    Writing,
    /// It is done, or was refused.
    Done,
}

impl Phase {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Rating => "rating",
            Self::Writing => "writing",
            Self::Done => "done",
        }
    }
}

/// Where progress is told; whoever watches sees the latest state, and slows nothing down.
pub type Teller = watch::Sender<Progress>;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the engine says of it. Its `folder` has the reports.
    pub summary: Summary,
    /// The hash of the project that it was made from.
    pub project: String,
    /// It is of a month that is not over.
    pub provisional: bool,
    /// What is worth a look: of settings and files, then calls and records that were set aside, by reason.
    pub findings: Vec<Found>,
}

/// What becomes of switches' files that came after a month was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewFiles {
    /// The month is not published: somebody should look at it with them.
    Refuse,
    /// The month is published without them, as it was checked. Their calls of the month come with the next run of it.
    LeaveOut,
}

/// Who closes or opens a month, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub by: Option<String>,
    /// Why, or anything else worth keeping.
    pub note: Option<String>,
    /// The day, by the caller's clock.
    pub on: Option<Date>,
}

/// The engine of a data folder.
#[derive(Clone)]
pub struct Engine {
    data: PathBuf,
    storage: Door,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Engine {
    /// The engine of a data folder. There is to be one for each: clones of it take turns.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self::with(data, Arc::new(Disk))
    }

    /// The same, by another door to the disk.
    #[must_use]
    pub fn with(data: &Path, storage: Door) -> Self {
        Self { data: data.to_owned(), storage, turn: Arc::default() }
    }

    /// The door to the disk.
    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// The data folder.
    pub(super) fn data_folder(&self) -> &Path {
        &self.data
    }

    /// What is published.
    #[must_use]
    pub fn archive(&self) -> Archive {
        Archive::with(&self.data, Arc::clone(&self.storage))
    }

    /// Does something that may block, when it is its turn. It is done to its end even if nobody waits for it any more.
    async fn alone<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Result<T> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let engine = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&engine);
            drop(turn);
            done
        });
        done.await.map_err(Refusal::internal)?
    }

    /// Finds everything that is wrong with settings, directory and tariffs, without rating anything.
    ///
    /// # Errors
    ///
    /// If the project cannot be written or read at all.
    pub async fn look(&self, snapshot: Snapshot) -> Result<Vec<Found>> {
        self.alone(move |engine| {
            let written = project::write(&*engine.storage, &engine.data, &snapshot, None)?;
            Ok(found(&run::check(&*engine.storage, &written.folder)?))
        })
        .await
    }

    /// Checks a month: makes a draft of all of it, to be looked at and published by its run.
    ///
    /// # Errors
    ///
    /// If the project is not valid, the totals do not balance, or the disk refuses.
    pub async fn check(&self, snapshot: Snapshot, month: Month, teller: Option<Teller>) -> Result<Outcome> {
        self.alone(move |engine| {
            let told = Told::new(teller);
            engine.draft(&snapshot, month, None, &told)
        })
        .await
    }

    /// Makes a preview of a month that is not over, as of `today` by the caller's clock, in place of the one before.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub async fn preview(
        &self,
        snapshot: Snapshot,
        month: Month,
        today: Date,
        teller: Option<Teller>,
    ) -> Result<Outcome> {
        self.alone(move |engine| {
            let told = Told::new(teller);
            let outcome = engine.draft(&snapshot, month, Some(today), &told)?;
            for kept in runs::all(&*engine.storage, &engine.data)? {
                if kept.to_date.is_some() && kept.month == month && kept.run != outcome.summary.run {
                    engine.remove_draft(month, &kept.run)?;
                }
            }
            Ok(outcome)
        })
        .await
    }

    /// Publishes a month that was checked: the draft of that run becomes the version in force.
    ///
    /// # Errors
    ///
    /// `publish.changed_since_check` if files, tables or the program are not what the draft was made from; it says which.
    /// `publish.no_such_version` if there is no such draft, or it is a preview. Else as [`check`](Self::check), and
    /// `publish.input_incomplete`, `publish.month_closed`.
    pub async fn publish(
        &self,
        snapshot: Snapshot,
        month: Month,
        run: String,
        new_files: NewFiles,
        teller: Option<Teller>,
    ) -> Result<Outcome> {
        self.alone(move |engine| {
            let told = Told::new(teller);
            engine.publish_now(&snapshot, month, &run, new_files, &told)
        })
        .await
    }

    /// Removes a draft.
    ///
    /// # Errors
    ///
    /// `publish.no_such_version` if there is none.
    pub async fn discard(&self, month: Month, run: String) -> Result<()> {
        self.alone(move |engine| engine.remove_draft(month, &run)).await
    }

    /// Closes a month: its version in force is its books from now on.
    ///
    /// # Errors
    ///
    /// `publish.refused` if it is not published or not the next to be closed; the detail says why.
    pub async fn close(&self, month: Month, said: Said) -> Result<Closing> {
        self.alone(move |engine| Ok(closing::close(&*engine.storage, &engine.close_options(month, said))?)).await
    }

    /// Opens the last closed month again.
    ///
    /// # Errors
    ///
    /// `publish.refused` if it is not the last closed month, or nobody says who and why.
    pub async fn reopen(&self, month: Month, said: Said) -> Result<Reopening> {
        self.alone(move |engine| Ok(closing::reopen(&*engine.storage, &engine.close_options(month, said))?)).await
    }

    /// Compares two versions of a month, drafts included, call by call. It waits for no run: versions are never changed.
    ///
    /// # Errors
    ///
    /// `publish.no_such_version` if one is not there.
    pub async fn compare(&self, month: Month, before: String, after: String) -> Result<Comparison> {
        let engine = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let folder = |run: &str| engine.version(month, run).map(|version| version.folder().display().to_string());
            let options = DiffOptions {
                project: None,
                out: Some(engine.data.join(OUT)),
                month: Some(month),
                before: folder(&before)?,
                after: folder(&after)?,
            };
            Ok(diff(&*engine.storage, &options, None)?)
        });
        done.await.map_err(Refusal::internal)?
    }

    /// Removes projects that no run was made from, and gives their number.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub async fn prune(&self) -> Result<usize> {
        self.alone(|engine| {
            let keep = runs::all(&*engine.storage, &engine.data)?.into_iter().map(|kept| kept.project).collect();
            project::prune(&*engine.storage, &engine.data, &keep)
        })
        .await
    }

    fn close_options(&self, month: Month, said: Said) -> CloseOptions {
        let project = self.data.join("project");
        let out = Some(self.data.join(OUT));
        CloseOptions { out, by: said.by, note: said.note, on: said.on, ..CloseOptions::new(project, month) }
    }

    fn version(&self, month: Month, run: &str) -> Result<Version> {
        let version = self.archive().version(month, run)?;
        version.ok_or_else(|| {
            Refusal::new("publish.no_such_version", format!("there is no run `{run}` of {month}"))
                .help("check the month again")
        })
    }

    fn remove_draft(&self, month: Month, run: &str) -> Result<()> {
        let version = self.version(month, run)?;
        let draft = self.data.join(OUT).join("drafts").join(run);
        if !version.folder().starts_with(&draft) {
            let detail = format!("`{run}` is published, and what is published is never removed");
            return Err(Refusal::new("publish.refused", detail));
        }
        runs::forget(&*self.storage, &self.data, run)?;
        self.storage.remove(&draft)?;
        Ok(())
    }

    fn run(&self, written: &Written, month: Month, options: Options, told: &Told) -> Result<Summary> {
        told.phase(Phase::Reading);
        let options =
            Options { project: written.folder.clone(), month: Some(month), out: Some(self.data.join(OUT)), ..options };
        Ok(run::month(&*self.storage, &options, told)?)
    }

    fn draft(&self, snapshot: &Snapshot, month: Month, to_date: Option<Date>, told: &Told) -> Result<Outcome> {
        told.phase(Phase::Reading);
        let written = project::write(&*self.storage, &self.data, snapshot, None)?;
        let options = Options { draft: true, ..Options::new(&written.folder, month) };
        let summary = self.run(&written, month, options, told)?;
        // A preview that is what somebody checked stays checked.
        let before = runs::read(&*self.storage, &self.data, &summary.run)?;
        let checked = before.is_some_and(|before| before.to_date.is_none()) || summary.published == Published::Already;
        self.finished(summary, &written, to_date.filter(|_| !checked))
    }

    fn finished(&self, summary: Summary, written: &Written, to_date: Option<Date>) -> Result<Outcome> {
        let (run, project) = (summary.run.clone(), written.hash.clone());
        let kept = Kept { run, month: summary.month, project: project.clone(), to_date };
        runs::keep(&*self.storage, &self.data, &kept)?;
        let findings = findings(&summary);
        Ok(Outcome { summary, project, provisional: to_date.is_some(), findings })
    }

    fn publish_now(
        &self,
        snapshot: &Snapshot,
        month: Month,
        run: &str,
        new_files: NewFiles,
        told: &Told,
    ) -> Result<Outcome> {
        told.phase(Phase::Reading);
        let version = self.version(month, run)?;
        if version.is_provisional() {
            let detail = format!("`{run}` is a preview, made before {month} was over");
            return Err(Refusal::new("publish.no_such_version", detail).help("check the month, then publish that"));
        }
        let checked = version.inputs();
        let came: Vec<String> = self.cdrs(snapshot)?.into_iter().filter(|path| !checked.contains_key(path)).collect();
        if new_files == NewFiles::Refuse && !came.is_empty() {
            let detail = format!("files came since {month} was checked: {}", some(&came));
            return Err(Refusal::new("publish.changed_since_check", detail)
                .help("check the month again with them, or publish it without them"));
        }
        let inputs = (!came.is_empty()).then(|| checked.keys().cloned().collect());
        let written = project::write(&*self.storage, &self.data, snapshot, inputs.as_ref())?;
        let options = Options { expected: Some(run.to_owned()), ..Options::new(&written.folder, month) };
        let summary = match self.run(&written, month, options, told) {
            Err(refusal) if refusal.findings.iter().any(|found| found.code == "run.inputs_changed") => {
                return Err(self.changed(&version, &written, refusal));
            }
            other => other?,
        };
        self.finished(summary, &written, None)
    }

    /// Says what is not what a draft was made from.
    fn changed(&self, version: &Version, written: &Written, refusal: Refusal) -> Refusal {
        let mut changed = Vec::new();
        for (path, sha256) in version.references().into_iter().chain(version.inputs()) {
            // Closed months and the balances of the month before are named by words that are no path of the project.
            let is_path = !path.contains(": ");
            if is_path && self.sha256(&written.folder.join(&path)).as_ref() != Some(&sha256) {
                changed.push(path);
            }
        }
        let what = match changed.as_slice() {
            [] => "tables that are new, closed months, or this program".to_owned(),
            changed => some(changed),
        };
        let detail = format!("since {} was checked, this changed: {what}", version.month);
        let code = "publish.changed_since_check";
        Refusal {
            findings: refusal.findings,
            ..Refusal::new(code, detail).help("check the month again, look at it, then publish that")
        }
    }

    fn sha256(&self, path: &Path) -> Option<String> {
        let mut hash = Sha256::new();
        std::io::copy(&mut self.storage.open(path).ok()?, &mut hash).ok()?;
        Some(hex(&hash.finalize()))
    }

    /// The switches' files that there are, as paths below a project.
    fn cdrs(&self, snapshot: &Snapshot) -> Result<BTreeSet<String>> {
        let mut files = BTreeSet::new();
        let mut left: Vec<String> = snapshot.sources.iter().map(|source| format!("{CDR}/{}", source.id)).collect();
        while let Some(folder) = left.pop() {
            let full = self.data.join(&folder);
            if !self.storage.exists(&full) {
                continue;
            }
            for entry in self.storage.list(&full)? {
                if entry.name.starts_with('.') {
                    continue;
                }
                let path = format!("{folder}/{}", entry.name);
                // What a link leads to is the engine's to follow: it is not asked whether it leads in a circle.
                if entry.is_folder && !entry.is_link {
                    left.push(path);
                } else if !entry.is_folder {
                    files.insert(path);
                }
            }
        }
        Ok(files)
    }
}

/// The first of a list, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// Everything worth a look about a run.
fn findings(summary: &Summary) -> Vec<Found> {
    let mut findings = found(&summary.warnings);
    for aside in summary.suspended.iter().chain(&summary.rejected) {
        let (calls, side) = match aside.side {
            Some(side) => ("call", format!(" ({})", side.name())),
            None => ("record", String::new()),
        };
        let many = if aside.count == 1 { "" } else { "s" };
        let stake: Vec<String> =
            aside.at_stake.iter().map(|(currency, total)| format!("{total} {}", currency.code())).collect();
        let stake = if stake.is_empty() { String::new() } else { format!("; at stake: {}", stake.join(", ")) };
        findings.push(Found {
            code: aside.code.clone(),
            severity: "warning",
            place: aside.example.clone(),
            what: format!("{} {calls}{many} set aside{side}, such as {}{stake}", aside.count, aside.looks_like),
            how: Some(run::help(&aside.code).to_owned()).filter(|how| !how.is_empty()),
        });
    }
    findings
}

/// Tells how far a run is.
struct Told(Option<Teller>);

impl Told {
    fn new(teller: Option<Teller>) -> Self {
        Self(teller)
    }

    fn tell(&self, change: impl FnOnce(&mut Progress)) {
        if let Some(teller) = &self.0 {
            teller.send_modify(change);
        }
    }

    fn phase(&self, phase: Phase) {
        self.tell(|progress| progress.phase = phase);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.phase(Phase::Done);
    }
}

impl run::Progress for Told {
    fn begin(&self, bytes: u64) {
        self.tell(|progress| *progress = Progress { phase: Phase::Rating, bytes, ..Progress::default() });
    }

    fn advance(&self, records: u64, bytes: u64) {
        self.tell(|progress| {
            progress.records += records;
            progress.bytes_done += bytes;
        });
    }

    fn writing(&self) {
        self.phase(Phase::Writing);
    }
}
