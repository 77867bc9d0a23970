//! A copy of everything that the service keeps, and a data folder made from one: whole, or not there at all.
//!
//! ```text
//! copy/
//!   rating.db        the database, as it was at one moment
//!   cdr/ files/ out/ projects/ runs/ project
//!   SHA256SUMS       what each file is, as `sha256sum -c` reads it
//! ```
//!
//! Either is made aside and renamed when it is complete and on the disk. While a copy is made no month runs, so that what is
//! published and what the database says of it belong together; everything else of a service goes on. Files of switches and
//! of tariffs are only ever added, so those that the database names are in the copy, which is made of it first.
//!
//! Left out is what is made anew when it is needed (`tmp`, `index`), what a broken run left behind, and mails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use rating_core::run::publish::hex;
use rating_core::run::storage::{Lock, Storage, StorageError, failed};
use sha2::{Digest, Sha256};

use crate::error::{Problem, Result};
use crate::publish::Refusal;
use crate::store::Store;

/// What is copied beside the database: folders, and the link to the last project.
const KEPT: [&str; 6] = ["cdr", "files", "out", "project", "projects", "runs"];
const DATABASE: &str = "rating.db";
const SUMS: &str = "SHA256SUMS";

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many files, the database apart.
    pub files: u64,
    /// How many bytes, with the database.
    pub bytes: u64,
}

/// Copies what a service keeps in `data` to `to`, which is not there yet or empty. The service may run.
///
/// # Errors
///
/// `backup.nothing_there`, `backup.target_not_free`, `publish.busy` while a month runs, or the disk refuses: `to` is then as
/// it was.
pub async fn back_up(storage: &dyn Storage, data: &Path, to: &Path) -> Result<Copied> {
    if !storage.exists(&data.join(DATABASE)) {
        return Err(Problem::new("backup.nothing_there", format!("{} is no data folder of a service", data.display()))
            .help("name it with --data"));
    }
    let aside = aside(storage, to)?;
    let root = storage.resolve(data).map_err(disk)?;
    let parent = storage.resolve(aside.parent().unwrap_or(Path::new("."))).map_err(disk)?;
    if parent.starts_with(&root) {
        return Err(Problem::new("backup.target_not_free", format!("{} is within the data folder", to.display()))
            .help("choose a folder elsewhere, on another disk at best"));
    }
    let done = fill(storage, &root, &aside).await;
    finish(storage, done, &aside, to)
}

/// Makes a data folder `data`, which is not there yet or empty, from a copy.
///
/// # Errors
///
/// `backup.nothing_there`, `backup.target_not_free`; `backup.damaged`, if the copy is not what it was; a database of a newer
/// version; or the disk refuses: `data` is then as it was.
pub async fn restore(storage: &dyn Storage, from: &Path, data: &Path) -> Result<Copied> {
    if !storage.exists(&from.join(DATABASE)) || !storage.exists(&from.join(SUMS)) {
        return Err(Problem::new("backup.nothing_there", format!("{} is no copy of a service's data", from.display()))
            .help("such a copy is made by `rating backup`"));
    }
    let aside = aside(storage, data)?;
    let root = storage.resolve(from).map_err(disk)?;
    let done = unpack(storage, &root, &aside).await;
    finish(storage, done, &aside, data)
}

/// Where a folder is made before it has its name.
fn aside(storage: &dyn Storage, target: &Path) -> Result<PathBuf> {
    let taken = storage.exists(target) && !storage.list(target).map_err(disk)?.is_empty();
    let Some(name) = target.file_name().filter(|_| !taken) else {
        return Err(Problem::new("backup.target_not_free", format!("{} is there and not empty", target.display()))
            .help("nothing is overwritten: choose another folder, or move this one away"));
    };
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage.create_folder(parent).map_err(disk)?;
    let aside = parent.join(format!(".partial-{}", name.to_string_lossy()));
    storage.remove(&aside).map_err(disk)?;
    storage.create_folder(&aside).map_err(disk)?;
    Ok(aside)
}

/// Gives a complete folder its name, or removes one that is not.
fn finish(storage: &dyn Storage, done: Result<Copied>, aside: &Path, target: &Path) -> Result<Copied> {
    let done = done.and_then(|copied| {
        storage.rename(aside, target).map_err(disk)?;
        Ok(copied)
    });
    match done {
        Ok(copied) => {
            storage.sync_folder(aside.parent().unwrap_or(Path::new("."))).map_err(disk)?;
            Ok(copied)
        }
        Err(problem) => {
            // A full disk wants its room back; what is to be told is why it was not done.
            let _ = storage.remove(aside);
            Err(problem)
        }
    }
}

async fn fill(storage: &dyn Storage, data: &Path, aside: &Path) -> Result<Copied> {
    let _locks = [lock(storage, &data.join("out"))?, lock(storage, &data.join("projects"))?];
    Store::copy(&data.join(DATABASE), &aside.join(DATABASE)).await?;
    let mut copy = Copy { storage, from: data, to: aside, sums: BTreeMap::new(), copied: Copied::default() };
    let sum = copy.sum(DATABASE)?;
    copy.sums.insert(DATABASE.to_owned(), sum);
    for name in KEPT {
        if storage.exists(&data.join(name)) {
            copy.entry(name)?;
        }
    }
    let mut sums = String::new();
    for (path, sum) in &copy.sums {
        let _ = writeln!(sums, "{sum}  {path}");
    }
    let copied = copy.copied;
    copy.write(SUMS, &mut sums.as_bytes())?;
    storage.sync_folder(aside).map_err(disk)?;
    Ok(copied)
}

async fn unpack(storage: &dyn Storage, from: &Path, aside: &Path) -> Result<Copied> {
    let said = String::from_utf8_lossy(&storage.read(&from.join(SUMS)).map_err(disk)?).into_owned();
    let mut copy = Copy { storage, from, to: aside, sums: BTreeMap::new(), copied: Copied::default() };
    copy.entry(DATABASE)?;
    copy.copied.files = 0;
    for name in KEPT {
        if storage.exists(&from.join(name)) {
            copy.entry(name)?;
        }
    }
    let expected: BTreeMap<String, String> = said
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, path)| (path.to_owned(), sum.to_owned()))
        .collect();
    let paths = expected.keys().chain(copy.sums.keys());
    if let Some(path) = paths.into_iter().find(|path| expected.get(*path) != copy.sums.get(*path)) {
        let what = format!("`{path}` of {} is not what was copied: missing, changed or added", from.display());
        return Err(
            Problem::new("backup.damaged", what).help("take another copy; `sha256sum -c SHA256SUMS` lists them")
        );
    }
    // Opened as the service would, so that it is known to open, and is of this version.
    let store = Store::open(&aside.join(DATABASE)).await?;
    store.ping().await?;
    store.close().await;
    storage.sync_file(&aside.join(DATABASE)).map_err(disk)?;
    storage.sync_folder(aside).map_err(disk)?;
    Ok(copy.copied)
}

/// Holds up the runs that would change a folder; there are none if it is not there.
fn lock(storage: &dyn Storage, folder: &Path) -> Result<Option<Box<dyn Lock>>> {
    if !storage.exists(folder) {
        return Ok(None);
    }
    let lock = storage.lock(&folder.join(".lock"), "makes a copy\n").map_err(disk)?;
    lock.map(Some).ok_or_else(|| {
        Problem::new("publish.busy", "a month runs in the data folder").help("try again when it is done")
    })
}

fn disk(error: StorageError) -> Problem {
    let refusal = Refusal::from(error);
    Problem::new(refusal.code, refusal.detail)
}

/// A copy under way.
struct Copy<'a> {
    storage: &'a dyn Storage,
    from: &'a Path,
    to: &'a Path,
    sums: BTreeMap<String, String>,
    copied: Copied,
}

impl Copy<'_> {
    /// Copies what is at a path: a file, a folder with all in it, or a link that leads to something else in the folder. Where
    /// a link leads out of the folder, what is there is copied.
    fn entry(&mut self, path: &str) -> Result<()> {
        let from = self.from.join(path);
        let parent = from.parent().unwrap_or(self.from).to_owned();
        let name = from.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let entries = self.storage.list(&parent).map_err(disk)?;
        let Some(entry) = entries.into_iter().find(|entry| entry.name == name) else { return Ok(()) };
        self.copy(path, entry.is_folder, entry.is_link)
    }

    fn copy(&mut self, path: &str, is_folder: bool, is_link: bool) -> Result<()> {
        let (from, to) = (self.from.join(path), self.to.join(path));
        if is_link {
            let target = self.storage.read_link(&from).map_err(disk)?.unwrap_or_default();
            if stays_within(path, &target) {
                return self.storage.link(&target, &to).map_err(disk);
            }
            let real = self.storage.resolve(&from).map_err(disk)?;
            if self.from.starts_with(&real) {
                let what = format!("{} leads to a folder that it is in", from.display());
                return Err(Problem::new("backup.nothing_there", what).help("remove that link"));
            }
        }
        if is_folder {
            self.storage.create_folder(&to).map_err(disk)?;
            let mut entries = self.storage.list(&from).map_err(disk)?;
            entries.sort_by(|left, right| left.name.cmp(&right.name));
            // What begins with a dot is a lock, or was never finished.
            for entry in entries.into_iter().filter(|entry| !entry.name.starts_with('.')) {
                self.copy(&format!("{path}/{}", entry.name), entry.is_folder, entry.is_link)?;
            }
            return self.storage.sync_folder(&to).map_err(disk);
        }
        let mut reader = self.storage.open(&from).map_err(disk)?;
        let sum = self.write(path, &mut reader)?;
        self.sums.insert(path.to_owned(), sum);
        self.copied.files += 1;
        Ok(())
    }

    /// Writes a file, and gives its sum.
    fn write(&mut self, path: &str, reader: &mut dyn std::io::Read) -> Result<String> {
        let to = self.to.join(path);
        let mut writer = self.storage.create(&to).map_err(disk)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length =
                reader.read(&mut buffer).map_err(|error| disk(failed("read", &self.from.join(path), error)))?;
            let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else { break };
            hash.update(read);
            writer.write_all(read).map_err(|error| disk(failed("write", &to, error)))?;
            self.copied.bytes += u64::try_from(length).unwrap_or_default();
        }
        writer.flush().map_err(|error| disk(failed("write", &to, error)))?;
        drop(writer);
        self.storage.sync_file(&to).map_err(disk)?;
        Ok(hex(&hash.finalize()))
    }

    /// The sum of a file that is there already.
    fn sum(&mut self, path: &str) -> Result<String> {
        let to = self.to.join(path);
        let mut hash = Sha256::new();
        let mut reader = self.storage.open(&to).map_err(disk)?;
        self.copied.bytes += std::io::copy(&mut reader, &mut hash).map_err(|error| disk(failed("read", &to, error)))?;
        self.storage.sync_file(&to).map_err(disk)?;
        Ok(hex(&hash.finalize()))
    }
}

/// Whether a link at a path of a folder leads to something else in that folder.
fn stays_within(path: &str, target: &Path) -> bool {
    let mut depth = path.matches('/').count();
    target.components().all(|part| match part {
        Component::ParentDir => depth.checked_sub(1).map(|less| depth = less).is_some(),
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::RootDir | Component::Prefix(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_within_the_folder_or_leads_out_of_it() {
        for (path, target, expected) in [
            ("project", "projects/0f", true),
            ("projects/0f/cdr", "../../cdr", true),
            ("projects/0f/cdr", "../../../cdr", false),
            ("cdr", "/mnt/cdr", false),
            ("cdr", "../other", false),
        ] {
            assert_eq!(stays_within(path, Path::new(target)), expected, "{path} -> {target}");
        }
    }
}
