//! A file system in memory, read-only: benches of whole runs measure no disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rating_core::run::storage::{Entry, Lock, Output, Result, Storage, failed};

/// Files by their paths. Whoever writes is refused.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<PathBuf, Arc<[u8]>>);

impl Memory {
    /// Adds a file.
    pub fn put(&mut self, path: PathBuf, content: Vec<u8>) {
        self.0.insert(path, content.into());
    }

    /// How many bytes of files there are whose path has `part` in it.
    #[must_use]
    pub fn bytes(&self, part: &str) -> u64 {
        let named = self.0.iter().filter(|(path, _)| path.to_string_lossy().contains(part));
        named.map(|(_, content)| content.len() as u64).sum()
    }

    fn file(&self, path: &Path) -> Result<Arc<[u8]>> {
        self.0.get(path).cloned().ok_or_else(|| failed("open", path, io::ErrorKind::NotFound.into()))
    }
}

fn refused<T>(path: &Path) -> Result<T> {
    Err(failed("write", path, io::ErrorKind::ReadOnlyFilesystem.into()))
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
