//! A month becomes visible whole or not at all.
//!
//! Files are written aside in `versions/.partial-RUN` and hashed; once all are written they are synced (together, which
//! costs a fraction of syncing each as it is finished), then their folders; then the folder gets its name
//! `versions/RUN` in one rename, and `current/month=YYYY-MM` is made to point at it by one more. Whoever reads through
//! `current` sees the old month or the new one, never a mixture. A published version is never touched again.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::storage::{Output, Result, Storage, failed};
use crate::time::Month;

/// The folder of runs that are or were in force, below the output folder.
const VERSIONS: &str = "versions";

/// The folder of runs that are looked at.
const DRAFTS: &str = "drafts";

/// SHA-256 as 64 hexadecimal digits.
#[must_use]
pub fn hex(hash: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedFile {
    /// Path below `month=YYYY-MM`, with `/` between.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
}

/// Where a run's output goes.
pub struct Stage<'s> {
    storage: &'s dyn Storage,
    out: PathBuf,
    run: String,
    month: Month,
    /// [`VERSIONS`] or [`DRAFTS`].
    shelf: &'static str,
    /// It is the whole of a month, both sides, by all that is known: what a version in force is, or can become.
    whole: bool,
    /// Nothing is written; files are hashed all the same.
    dry: bool,
    files: Mutex<Vec<PublishedFile>>,
    /// As they are written: thousands of paths with one beginning are not compared name by name.
    folders: Mutex<BTreeSet<OsString>>,
}

/// What became of a run's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is the version in force, and was not before.
    Now,
    /// It already was the version in force: nothing was written.
    Already,
    /// It stands aside as a draft.
    Draft,
    /// Nothing was to be written.
    DryRun,
}

impl<'s> Stage<'s> {
    /// Prepares to write run `run` of `month` below `out`. A draft never becomes the version in force; a dry run writes
    /// nothing at all.
    #[must_use]
    pub fn new(storage: &'s dyn Storage, out: &Path, run: &str, month: Month, draft: bool, dry: bool) -> Self {
        Self {
            storage,
            out: out.to_owned(),
            run: run.to_owned(),
            month,
            shelf: if draft { DRAFTS } else { VERSIONS },
            whole: !draft,
            dry,
            files: Mutex::default(),
            folders: Mutex::default(),
        }
    }

    /// The same for a draft that has all that a published month has, and can become one.
    #[must_use]
    pub(super) fn of_a_month(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Whether what is written is a month that is published, or can be.
    pub(super) fn is_of_a_month(&self) -> bool {
        !self.dry && self.whole
    }

    fn month_folder(&self) -> String {
        format!("month={}", self.month)
    }

    /// Where the run is written before it is whole.
    pub(super) fn partial(&self) -> PathBuf {
        self.out.join(self.shelf).join(format!(".partial-{}", self.run))
    }

    /// Whether it is a draft, which never becomes the version in force.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.shelf == DRAFTS
    }

    /// Whether it is written to become the version in force.
    pub(super) fn is_published(&self) -> bool {
        !self.dry && !self.is_draft()
    }

    /// Where the finished run will stand.
    #[must_use]
    pub fn version(&self) -> PathBuf {
        self.out.join(self.shelf).join(&self.run)
    }

    /// The link that names the version in force.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.out.join("current").join(self.month_folder())
    }

    fn target(&self) -> PathBuf {
        Path::new("..").join(self.shelf).join(&self.run).join(self.month_folder())
    }

    /// Whether this very run is the version in force already.
    ///
    /// # Errors
    ///
    /// If the link cannot be read.
    pub fn is_current(&self) -> Result<bool> {
        Ok(self.is_complete() && self.storage.read_link(&self.current())?.is_some_and(|target| target == self.target()))
    }

    /// Clears what an interrupted run left behind and makes the folder to write in.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn begin(&self) -> Result<()> {
        if self.dry {
            return Ok(());
        }
        let shelf = self.out.join(self.shelf);
        self.storage.create_folder(&shelf)?;
        for entry in self.storage.list(&shelf)? {
            if entry.name.starts_with(".partial-") {
                self.storage.remove(&shelf.join(entry.name))?;
            }
        }
        self.folder(&self.partial().join(self.month_folder()))
    }

    fn folder(&self, path: &Path) -> Result<()> {
        let name = path.as_os_str();
        let is_new =
            self.folders.lock().is_ok_and(|mut folders| !folders.contains(name) && folders.insert(name.to_owned()));
        if is_new { self.storage.create_folder(path) } else { Ok(()) }
    }

    /// Starts a file below `month=YYYY-MM`.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn create(&self, path: &str) -> Result<StageFile<'_>> {
        let full = self.partial().join(self.month_folder()).join(path);
        let output = if self.dry {
            None
        } else {
            if let Some(folder) = full.parent() {
                self.folder(folder)?;
            }
            Some(self.storage.create(&full)?)
        };
        Ok(StageFile { stage: self, path: path.to_owned(), full, output, hash: Sha256::new(), bytes: 0 })
    }

    /// Writes a whole file.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let mut file = self.create(path)?;
        file.write_all(content).map_err(|error| failed("write", &file.full, error))?;
        file.finish()
    }

    /// The files finished so far, sorted by path.
    #[must_use]
    pub fn files(&self) -> Vec<PublishedFile> {
        let mut files = self.files.lock().map_or_else(|_| Vec::new(), |files| files.clone());
        files.sort();
        files
    }

    /// Makes the run visible: syncs its files and folders, names it, and points the month at it (drafts are only named).
    ///
    /// # Errors
    ///
    /// If the disk refuses; the version in force is then still the old one.
    pub fn commit(self) -> Result<Published> {
        if self.dry {
            return Ok(Published::DryRun);
        }
        let month = self.partial().join(self.month_folder());
        self.files().par_iter().try_for_each(|file| self.storage.sync_file(&month.join(&file.path)))?;
        let folders = self.folders.lock().map_or_else(|_| BTreeSet::new(), |folders| folders.clone());
        // Deepest first, so that a folder is synced after what is in it; those between are few and synced too.
        let mut all = BTreeSet::new();
        for folder in folders.iter().map(Path::new) {
            all.extend(folder.ancestors().take_while(|path| path.starts_with(self.partial())).map(Path::to_owned));
        }
        for folder in all.iter().rev() {
            self.storage.sync_folder(folder)?;
        }
        let shelf = self.out.join(self.shelf);
        // What stands there is a draft, or a version that somebody damaged.
        let old = shelf.join(format!(".partial-old-{}", self.run));
        if self.storage.exists(&self.version()) {
            self.storage.rename(&self.version(), &old)?;
        }
        self.storage.rename(&self.partial(), &self.version())?;
        self.storage.remove(&old)?;
        self.storage.sync_folder(&shelf)?;
        if self.is_draft() {
            return Ok(Published::Draft);
        }
        self.point()?;
        Ok(Published::Now)
    }

    /// Makes the month point at this run, which is complete on its shelf.
    ///
    /// # Errors
    ///
    /// If the disk refuses; the link is then still the old one.
    pub fn point(&self) -> Result<()> {
        let current = self.out.join("current");
        self.storage.create_folder(&current)?;
        let fresh = current.join(format!(".{}.new", self.month_folder()));
        self.storage.remove(&fresh)?;
        self.storage.link(&self.target(), &fresh)?;
        self.storage.rename(&fresh, &self.current())?;
        self.storage.sync_folder(&current)
    }

    /// Whether this run stands complete on its shelf, in force or not: its manifest is there, and every file that the
    /// manifest lists, with its size.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let month = self.version().join(self.month_folder());
        if self.is_draft() || !self.storage.exists(&month.join("manifest.json")) {
            return false;
        }
        let Ok(manifest) = self.storage.read(&month.join("manifest.json")) else { return false };
        let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
        manifest["outputs"].as_array().into_iter().flatten().all(|file| {
            let path = file["path"].as_str().unwrap_or("");
            self.storage.size(&month.join(path)).is_ok_and(|size| Some(size) == file["bytes"].as_u64())
        })
    }

    /// Puts the draft of this very run on the shelf of versions, if there is one that can be published as it stands: all
    /// its files are what its manifest says, and every gap was accepted. Else nothing happens, and the month is rated.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn adopt(&self) -> Result<()> {
        let draft = self.out.join(DRAFTS).join(&self.run);
        if self.is_draft() || self.storage.exists(&self.version()) || !self.is_publishable(&draft) {
            return Ok(());
        }
        let shelf = self.out.join(VERSIONS);
        self.storage.create_folder(&shelf)?;
        self.storage.rename(&draft, &self.version())?;
        self.storage.sync_folder(&self.out.join(DRAFTS))?;
        self.storage.sync_folder(&shelf)
    }

    fn is_publishable(&self, draft: &Path) -> bool {
        let month = draft.join(self.month_folder());
        if !self.storage.exists(&month.join("manifest.json")) {
            return false;
        }
        let Ok(manifest) = self.storage.read(&month.join("manifest.json")) else { return false };
        let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (files, gaps) = (list(&manifest["outputs"]), list(&manifest["completeness"]["gaps"]));
        let index = super::history::file(self.month);
        manifest["run"] == *self.run
            && files.iter().any(|file| file["path"] == *index)
            && gaps.iter().all(|gap| gap["accepted_by"].is_string())
            && files.par_iter().all(|file| {
                let path = month.join(file["path"].as_str().unwrap_or_default());
                self.sha256(&path).is_some_and(|hash| file["sha256"] == *hash)
            })
    }

    fn sha256(&self, path: &Path) -> Option<String> {
        let mut hash = Sha256::new();
        io::copy(&mut self.storage.open(path).ok()?, &mut hash).ok()?;
        Some(hex(&hash.finalize()))
    }
}

/// A file being written aside; it counts as published only after [`StageFile::finish`].
pub struct StageFile<'s> {
    stage: &'s Stage<'s>,
    path: String,
    full: PathBuf,
    output: Option<Box<dyn Output>>,
    hash: Sha256,
    bytes: u64,
}

impl Write for StageFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.output {
            Some(output) => output.write(bytes)?,
            None => bytes.len(),
        };
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.as_mut().map_or(Ok(()), |output| output.flush())
    }
}

impl StageFile<'_> {
    /// Closes the file and enters it in the list of what is published.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn finish(mut self) -> Result<()> {
        if let Some(output) = &mut self.output {
            output.flush().map_err(|error| failed("write", &self.full, error))?;
        }
        if let Ok(mut files) = self.stage.files.lock() {
            files.push(PublishedFile { path: self.path, bytes: self.bytes, sha256: hex(&self.hash.finalize()) });
        }
        Ok(())
    }

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|error| self.failed(error))
    }

    /// An error of writing this file, with its path.
    #[must_use]
    pub fn failed(&self, error: io::Error) -> super::storage::StorageError {
        failed("write", &self.full, error)
    }
}

#[cfg(test)]
mod tests {
    use super::super::storage::{Disk, Failing};
    use super::*;

    fn publish(storage: &dyn Storage, out: &Path, run: &str, content: &str) -> Result<Published> {
        let month = Month::parse("2026-10").unwrap();
        let stage = Stage::new(storage, out, run, month, false, false);
        if stage.is_current()? {
            return Ok(Published::Already);
        }
        stage.begin()?;
        stage.write("site=ldn/a.csv", content.as_bytes())?;
        stage.write("site=ldn/payer=x/b.csv", content.as_bytes())?;
        stage.write("manifest.json", content.as_bytes())?;
        stage.commit()
    }

    /// What a reader sees through `current`, or nothing.
    fn seen(out: &Path) -> Option<String> {
        let month = out.join("current/month=2026-10");
        let texts: Vec<String> = ["site=ldn/a.csv", "site=ldn/payer=x/b.csv", "manifest.json"]
            .iter()
            .filter_map(|path| std::fs::read_to_string(month.join(path)).ok())
            .collect();
        if texts.is_empty() {
            return None;
        }
        assert!(texts.len() == 3 && texts.iter().all(|text| *text == texts[0]), "a mixture: {texts:?}");
        texts.into_iter().next()
    }

    #[test]
    fn the_same_run_twice_writes_once_and_another_stands_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        assert_eq!(publish(&Disk, out, "one", "1").unwrap(), Published::Now);
        assert_eq!(publish(&Disk, out, "one", "1").unwrap(), Published::Already);
        assert_eq!(publish(&Disk, out, "two", "2").unwrap(), Published::Now);
        assert_eq!(seen(out).as_deref(), Some("2"));
        assert_eq!(std::fs::read_to_string(out.join("versions/one/month=2026-10/manifest.json")).unwrap(), "1");
    }

    #[test]
    fn whichever_call_fails_a_reader_sees_the_old_month_or_the_new_one() {
        for for_ever in [false, true] {
            let mut succeeded = false;
            for call in 1..200 {
                let folder = tempfile::tempdir().unwrap();
                let out = folder.path();
                publish(&Disk, out, "old", "old").unwrap();
                let failing = Failing::new(Disk, call, for_ever, io::ErrorKind::StorageFull);
                let result = publish(&failing, out, "new", "new");
                let shown = seen(out);
                match &result {
                    Ok(_) => assert_eq!(shown.as_deref(), Some("new")),
                    Err(_) => assert!(matches!(shown.as_deref(), Some("old" | "new")), "call {call}"),
                }
                // A later run always heals.
                publish(&Disk, out, "new", "new").unwrap();
                assert_eq!(seen(out).as_deref(), Some("new"), "call {call}");
                assert!(std::fs::read_dir(out.join("versions")).unwrap().count() == 2);
                if result.is_ok() && failing.calls() < call {
                    succeeded = true;
                    break;
                }
            }
            assert!(succeeded, "the sweep never got past the last call");
        }
    }

    #[test]
    fn a_dry_run_writes_nothing_and_a_draft_is_not_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let month = Month::parse("2026-10").unwrap();
        let dry = Stage::new(&Disk, folder.path(), "r", month, false, true);
        dry.begin().unwrap();
        dry.write("a", b"x").unwrap();
        assert_eq!(dry.files().len(), 1);
        assert_eq!(dry.commit().unwrap(), Published::DryRun);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let draft = Stage::new(&Disk, folder.path(), "r", month, true, false);
        draft.begin().unwrap();
        draft.write("a", b"x").unwrap();
        assert_eq!(draft.commit().unwrap(), Published::Draft);
        assert!(!folder.path().join("current").exists());
    }
}
