//! Files in memory, read-only.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Entry, Lock, Output, ReadAt, Result, Storage, failed};

/// Files in memory by their paths: for projects that are made from texts and for what shall touch no disk. Whoever writes is
/// refused.
///
/// # Example
///
/// ```
/// use rating_core::run::storage::{Memory, Storage};
/// let files: Memory = [("project/rating.toml", "month = \"2026-10\"")].into_iter().collect();
/// assert_eq!(files.read("project/rating.toml".as_ref()).unwrap(), b"month = \"2026-10\"");
/// assert!(files.create("project/out".as_ref()).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<PathBuf, Arc<[u8]>>);

impl Memory {
    /// Adds a file, or replaces the one of that path.
    pub fn put(&mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), content.into().into());
    }

    /// The files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().map(|(path, content)| (path.as_path(), &**content))
    }

    fn file(&self, path: &Path) -> Result<Arc<[u8]>> {
        self.0.get(path).cloned().ok_or_else(|| failed("open", path, io::ErrorKind::NotFound.into()))
    }
}

impl<P: Into<PathBuf>, C: Into<Vec<u8>>> FromIterator<(P, C)> for Memory {
    fn from_iter<F: IntoIterator<Item = (P, C)>>(files: F) -> Self {
        let mut memory = Self::default();
        for (path, content) in files {
            memory.put(path, content);
        }
        memory
    }
}

fn refused<T>(path: &Path) -> Result<T> {
    Err(failed("write", path, io::ErrorKind::ReadOnlyFilesystem.into()))
}

impl ReadAt for Arc<[u8]> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let part = usize::try_from(offset).ok().and_then(|start| self.get(start..start.checked_add(into.len())?));
        into.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl Storage for Memory {
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.file(path)?)))
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> Result<Vec<u8>> {
        let file = self.file(path)?;
        let part = usize::try_from(offset).ok().and_then(|start| file.get(start..start.checked_add(length)?));
        part.map(<[u8]>::to_vec).ok_or_else(|| failed("read", path, io::ErrorKind::UnexpectedEof.into()))
    }

    fn open_at(&self, path: &Path) -> Result<Box<dyn ReadAt>> {
        Ok(Box::new(self.file(path)?))
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>> {
        let mut entries = BTreeSet::new();
        for path in self.0.keys() {
            if let Ok(below) = path.strip_prefix(folder) {
                let mut parts = below.components();
                if let Some(name) = parts.next() {
                    entries.insert((name.as_os_str().to_string_lossy().into_owned(), parts.next().is_some()));
                }
            }
        }
        Ok(entries.into_iter().map(|(name, is_folder)| Entry { name, is_folder, is_link: false }).collect())
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn size(&self, path: &Path) -> Result<u64> {
        Ok(self.file(path)?.len() as u64)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn Output>> {
        refused(path)
    }

    fn create_folder(&self, path: &Path) -> Result<()> {
        refused(path)
    }

    fn sync_file(&self, path: &Path) -> Result<()> {
        refused(path)
    }

    fn sync_folder(&self, path: &Path) -> Result<()> {
        refused(path)
    }

    fn rename(&self, _: &Path, to: &Path) -> Result<()> {
        refused(to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        refused(path)
    }

    fn link(&self, _: &Path, link: &Path) -> Result<()> {
        refused(link)
    }

    fn read_link(&self, _: &Path) -> Result<Option<PathBuf>> {
        Ok(None)
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn lock(&self, path: &Path, _: &str) -> Result<Option<Box<dyn Lock>>> {
        refused(path)
    }
}
