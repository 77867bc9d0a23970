//! The one door to the disk.
//!
//! [`Storage`] is everything the library asks of a file system. [`Disk`] is the real one; [`Failing`] fails on the n-th
//! call, so that a test can prove for every call that a failure leaves nothing half-written in sight; [`Memory`] has files
//! that are on no disk. Each error carries the path and what was being done.

mod memory;

pub use memory::Memory;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file system call that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{path}`: {error}")]
pub struct StorageError {
    /// What was being done: `read`, `write`, …
    pub action: &'static str,
    /// To which path.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub error: io::Error,
}

/// The result of a file system call.
pub type Result<T> = std::result::Result<T, StorageError>;

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the folder. Names that are not UTF-8 are given with U+FFFD in place of what is not.
    pub name: String,
    /// Whether it is a folder (links are followed).
    pub is_folder: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

/// What a file looks like without being read: while it is written to, this changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written to last, if that is known.
    pub modified: Option<std::time::SystemTime>,
}

/// A file being written. What was written survives a power loss only after [`Storage::sync_file`].
pub trait Output: Write + Send {}

/// A file that is read in places, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// Fills `into` with the bytes at `offset`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is shorter.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

/// Keeps a lock until dropped.
pub trait Lock: Send {}

/// Everything the library asks of a file system.
pub trait Storage: Sync {
    /// Opens a file for reading from its beginning.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is a folder.
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>>;

    /// Reads `length` bytes at `offset` of a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is shorter.
    fn read_at(&self, path: &Path, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// Opens a file to read it in places.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    fn open_at(&self, path: &Path) -> Result<Box<dyn ReadAt>>;

    /// The names in a folder, in no particular order.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    fn list(&self, folder: &Path) -> Result<Vec<Entry>>;

    /// A path with every link in it followed: two paths are one folder if this is the same.
    ///
    /// # Errors
    ///
    /// If there is nothing of that name.
    fn resolve(&self, path: &Path) -> Result<PathBuf>;

    /// Size of a file in bytes.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    fn size(&self, path: &Path) -> Result<u64>;

    /// What tells without reading a file whether it was written to since.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    fn stamp(&self, path: &Path) -> Result<Stamp> {
        Ok(Stamp { bytes: self.size(path)?, modified: None })
    }

    /// Creates a file, or empties the one there is.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    fn create(&self, path: &Path) -> Result<Box<dyn Output>>;

    /// Creates a folder and those above it.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    fn create_folder(&self, path: &Path) -> Result<()>;

    /// Makes what was written to a closed file survive a power loss. Never retried after a failure: the first failure may
    /// have dropped the data.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    fn sync_file(&self, path: &Path) -> Result<()>;

    /// Makes the names in a folder survive a power loss.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    fn sync_folder(&self, path: &Path) -> Result<()>;

    /// Gives a file or folder another name in one step, replacing a file or link that has it.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file, or a folder with all that is in it; nothing there is fine.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Makes `link` a symbolic link to `target` (as written, relative to the link's folder).
    ///
    /// # Errors
    ///
    /// If the system refuses.
    fn link(&self, target: &Path, link: &Path) -> Result<()>;

    /// What a symbolic link points at; `None` if there is no such link.
    ///
    /// # Errors
    ///
    /// If the system refuses for another reason.
    fn read_link(&self, link: &Path) -> Result<Option<PathBuf>>;

    /// Whether there is anything of that name.
    fn exists(&self, path: &Path) -> bool;

    /// Takes the exclusive lock that `path` stands for, leaving `holder` in the file for others to read; `None` if
    /// somebody else has it. The system releases it when its holder dies, so a lock is never stale.
    ///
    /// # Errors
    ///
    /// If the file cannot be made.
    fn lock(&self, path: &Path, holder: &str) -> Result<Option<Box<dyn Lock>>>;

    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open(path)?.read_to_end(&mut content).map_err(|error| failed("read", path, error))?;
        Ok(content)
    }
}

/// An error of `action` on `path`.
#[must_use]
pub fn failed(action: &'static str, path: &Path, error: io::Error) -> StorageError {
    StorageError { action, path: path.to_owned(), error }
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Output for File {}

impl ReadAt for File {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, into, offset)
    }
}

struct DiskLock {
    /// Held for its lock.
    file: File,
}

impl Lock for DiskLock {}

impl Drop for DiskLock {
    fn drop(&mut self) {
        // A process that another thread has just begun has this file, too, until it runs its own program: the lock would be
        // held until then.
        let _ = self.file.unlock();
    }
}

impl Storage for Disk {
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        // Looked at before it is opened: a pipe would wait for somebody to write, a device may never end.
        let metadata = fs::metadata(path).map_err(|error| failed("open", path, error))?;
        if metadata.is_dir() {
            return Err(failed("open", path, io::Error::from(io::ErrorKind::IsADirectory)));
        }
        if !metadata.is_file() {
            return Err(failed("open", path, io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device")));
        }
        Ok(Box::new(File::open(path).map_err(|error| failed("open", path, error))?))
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut content = vec![0; length];
        self.open_at(path)?.read_at(offset, &mut content).map_err(|error| failed("read", path, error))?;
        Ok(content)
    }

    fn open_at(&self, path: &Path) -> Result<Box<dyn ReadAt>> {
        Ok(Box::new(File::open(path).map_err(|error| failed("open", path, error))?))
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed("list", folder, error))? {
            let entry = entry.map_err(|error| failed("list", folder, error))?;
            let kind = entry.file_type().map_err(|error| failed("list", folder, error))?;
            let is_link = kind.is_symlink();
            let is_folder = if is_link {
                fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir())
            } else {
                kind.is_dir()
            };
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), is_folder, is_link });
        }
        Ok(entries)
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf> {
        fs::canonicalize(path).map_err(|error| failed("follow", path, error))
    }

    fn size(&self, path: &Path) -> Result<u64> {
        fs::metadata(path).map(|metadata| metadata.len()).map_err(|error| failed("look at", path, error))
    }

    fn stamp(&self, path: &Path) -> Result<Stamp> {
        let metadata = fs::metadata(path).map_err(|error| failed("look at", path, error))?;
        Ok(Stamp { bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    fn create(&self, path: &Path) -> Result<Box<dyn Output>> {
        Ok(Box::new(File::create(path).map_err(|error| failed("create", path, error))?))
    }

    fn create_folder(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path).map_err(|error| failed("create the folder", path, error))
    }

    fn sync_file(&self, path: &Path) -> Result<()> {
        File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.sync_all())
            .map_err(|error| failed("sync", path, error))
    }

    fn sync_folder(&self, path: &Path) -> Result<()> {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| failed("sync the folder", path, error))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|error| failed("rename to", to, error))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let removed = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
            _ => Ok(()),
        }
    }

    fn link(&self, target: &Path, link: &Path) -> Result<()> {
        std::os::unix::fs::symlink(target, link).map_err(|error| failed("link", link, error))
    }

    fn read_link(&self, link: &Path) -> Result<Option<PathBuf>> {
        match fs::read_link(link) {
            Ok(target) => Ok(Some(target)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read the link", link, error)),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    fn lock(&self, path: &Path, holder: &str) -> Result<Option<Box<dyn Lock>>> {
        // The lock is written to; a link would lead that elsewhere.
        if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(failed("lock", path, io::Error::other("it is no ordinary file; remove it")));
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| failed("open the lock", path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(failed("lock", path, error)),
        }
        let mut lock = DiskLock { file };
        lock.file
            .set_len(0)
            .and_then(|()| lock.file.write_all(holder.as_bytes()))
            .map_err(|error| failed("write the lock", path, error))?;
        Ok(Some(Box::new(lock)))
    }
}

/// A storage whose n-th call fails (and, if so asked, all after it): for tests of what a failure leaves behind.
#[derive(Debug)]
pub struct Failing<S> {
    inner: S,
    calls: AtomicU64,
    fail_at: u64,
    for_ever: bool,
    kind: io::ErrorKind,
}

impl<S> Failing<S> {
    /// Fails call number `fail_at` (from 1) with `kind`, and every later one too if `for_ever`.
    pub fn new(inner: S, fail_at: u64, for_ever: bool, kind: io::ErrorKind) -> Self {
        Self { inner, calls: AtomicU64::new(0), fail_at, for_ever, kind }
    }

    /// How many calls there were so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn count(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if call == self.fail_at || (self.for_ever && call > self.fail_at) {
            return Err(io::Error::from(self.kind));
        }
        Ok(())
    }

    /// How many calls of a file just opened succeed. Its own calls take the numbers after its opening: the failing one is
    /// inside if it comes soon.
    fn left_of_file(&self) -> u64 {
        let calls = self.calls();
        if self.fail_at > calls && self.fail_at - calls <= 2 { self.fail_at - calls - 1 } else { u64::MAX }
    }

    fn check(&self, action: &'static str, path: &Path) -> Result<()> {
        self.count().map_err(|error| failed(action, path, error))
    }
}

/// A file whose writes count as calls. The storage outlives every file it hands out only within a borrow, so
/// the file keeps its own copy of what decides.
struct FailingOutput {
    inner: Box<dyn Output>,
    left: u64,
    kind: io::ErrorKind,
}

impl Write for FailingOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::from(self.kind));
        }
        self.left -= 1;
        // Short writes are legal and must be survived.
        let half = bytes.len().div_ceil(2);
        self.inner.write(&bytes[..half])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Output for FailingOutput {}

/// A file of which reads count as calls, as [`FailingOutput`].
struct FailingReadAt {
    inner: Box<dyn ReadAt>,
    left: AtomicU64,
    kind: io::ErrorKind,
}

impl ReadAt for FailingReadAt {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(io::Error::from(self.kind));
        }
        self.inner.read_at(offset, into)
    }
}

impl<S: Storage> Storage for Failing<S> {
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        self.check("open", path)?;
        self.inner.open(path)
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.check("read", path)?;
        self.inner.read_at(path, offset, length)
    }

    fn open_at(&self, path: &Path) -> Result<Box<dyn ReadAt>> {
        self.check("open", path)?;
        let inner = self.inner.open_at(path)?;
        Ok(Box::new(FailingReadAt { inner, left: self.left_of_file().into(), kind: self.kind }))
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>> {
        self.check("list", folder)?;
        self.inner.list(folder)
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf> {
        self.check("follow", path)?;
        self.inner.resolve(path)
    }

    fn size(&self, path: &Path) -> Result<u64> {
        self.check("look at", path)?;
        self.inner.size(path)
    }

    fn stamp(&self, path: &Path) -> Result<Stamp> {
        self.check("look at", path)?;
        self.inner.stamp(path)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn Output>> {
        self.check("create", path)?;
        let inner = self.inner.create(path)?;
        Ok(Box::new(FailingOutput { inner, left: self.left_of_file(), kind: self.kind }))
    }

    fn create_folder(&self, path: &Path) -> Result<()> {
        self.check("create the folder", path)?;
        self.inner.create_folder(path)
    }

    fn sync_file(&self, path: &Path) -> Result<()> {
        self.check("sync", path)?;
        self.inner.sync_file(path)
    }

    fn sync_folder(&self, path: &Path) -> Result<()> {
        self.check("sync the folder", path)?;
        self.inner.sync_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.check("rename to", to)?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.check("remove", path)?;
        self.inner.remove(path)
    }

    fn link(&self, target: &Path, link: &Path) -> Result<()> {
        self.check("link", link)?;
        self.inner.link(target, link)
    }

    fn read_link(&self, link: &Path) -> Result<Option<PathBuf>> {
        self.check("read the link", link)?;
        self.inner.read_link(link)
    }

    fn exists(&self, path: &Path) -> bool {
        self.inner.exists(path)
    }

    fn lock(&self, path: &Path, holder: &str) -> Result<Option<Box<dyn Lock>>> {
        self.check("lock", path)?;
        self.inner.lock(path, holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_though_another_process_has_its_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let file = File::create(&path).unwrap();
        file.try_lock().unwrap();
        // As a process has it that begins just now.
        let copy = file.try_clone().unwrap();
        let lock = DiskLock { file };
        assert!(Disk.lock(&path, "another\n").unwrap().is_none());
        drop(lock);
        assert!(Disk.lock(&path, "another\n").unwrap().is_some());
        drop(copy);
    }
}
