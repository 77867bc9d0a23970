//! Bytes set aside within a run: in memory while they are few, in files of the work folder when they are many.
//!
//! Every worker appends to a file of its own; what was appended is read back in any order, by any thread. Nothing
//! outlives the run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::storage::{Output, ReadAt, Result, Storage, failed};

/// How many bytes are kept in memory before further ones go to files.
const IN_MEMORY: u64 = 56 << 20;

/// The place of a run's bytes.
pub struct Store<'s> {
    storage: &'s dyn Storage,
    /// Where files go; without a folder everything stays in memory.
    folder: Option<PathBuf>,
    kept: AtomicU64,
    files: AtomicUsize,
}

/// A file that one worker appends to.
struct File {
    path: PathBuf,
    reader: Box<dyn ReadAt>,
}

/// Bytes that were set aside.
#[derive(Clone)]
pub struct Block(Place);

#[derive(Clone)]
enum Place {
    Memory(Arc<Vec<u8>>),
    File { file: Arc<File>, offset: u64, length: usize },
}

impl<'s> Store<'s> {
    /// A place for bytes; `folder` is made for nothing else, and is there.
    #[must_use]
    pub fn new(storage: &'s dyn Storage, folder: Option<PathBuf>) -> Self {
        Self { storage, folder, kept: AtomicU64::new(0), files: AtomicUsize::new(0) }
    }

    /// A place in memory alone.
    #[must_use]
    pub fn in_memory() -> Store<'static> {
        Store::new(&super::storage::Disk, None)
    }

    /// What appends, for one worker.
    #[must_use]
    pub fn appender(&self) -> Appender<'_> {
        Appender { store: self, open: None }
    }

    /// Whether `length` more bytes stay in memory.
    fn keeps(&self, length: usize) -> bool {
        let length = length as u64;
        if self.folder.is_none() || self.kept.fetch_add(length, Ordering::Relaxed) + length <= IN_MEMORY {
            return true;
        }
        self.kept.fetch_sub(length, Ordering::Relaxed);
        false
    }

    /// Forgets bytes that are no longer needed: those in memory make room for others.
    pub fn give_back(&self, blocks: Vec<Block>) {
        for Block(place) in blocks {
            if let Place::Memory(bytes) = place
                && let Some(bytes) = Arc::into_inner(bytes)
                && self.folder.is_some()
            {
                self.kept.fetch_sub(bytes.len() as u64, Ordering::Relaxed);
            }
        }
    }
}

/// Appends to the file of one worker.
pub struct Appender<'s> {
    store: &'s Store<'s>,
    open: Option<(Arc<File>, Box<dyn Output>, u64)>,
}

impl Appender<'_> {
    /// Sets bytes aside.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn put(&mut self, bytes: &[u8]) -> Result<Block> {
        self.put_pieces(bytes.len(), |sink| sink(bytes))
    }

    /// Sets `length` bytes aside that `pieces` hands over one after the other.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn put_pieces(
        &mut self,
        length: usize,
        pieces: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
    ) -> Result<Block> {
        let folder = match &self.store.folder {
            Some(folder) if !self.store.keeps(length) => folder,
            _ => {
                let mut kept = Vec::with_capacity(length);
                pieces(&mut |piece| {
                    kept.extend_from_slice(piece);
                    Ok(())
                })?;
                return Ok(Block(Place::Memory(Arc::new(kept))));
            }
        };
        let (file, output, end) = match &mut self.open {
            Some(open) => open,
            none => {
                let number = self.store.files.fetch_add(1, Ordering::Relaxed);
                let path = folder.join(format!("aside-{number}"));
                let output = self.store.storage.create(&path)?;
                let reader = self.store.storage.open_at(&path)?;
                none.insert((Arc::new(File { path, reader }), output, 0))
            }
        };
        let offset = *end;
        pieces(&mut |piece| {
            *end += piece.len() as u64;
            output.write_all(piece).map_err(|error| failed("write", &file.path, error))
        })?;
        Ok(Block(Place::File { file: Arc::clone(file), offset, length }))
    }
}

/// A file that was written by somebody else, and holds what was set aside.
pub struct Kept(Arc<File>);

impl Kept {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self> {
        Ok(Self(Arc::new(File { path: path.to_owned(), reader: storage.open_at(path)? })))
    }

    /// Bytes of it.
    #[must_use]
    pub fn block(&self, offset: u64, length: usize) -> Block {
        Block(Place::File { file: Arc::clone(&self.0), offset, length })
    }
}

impl Block {
    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Place::Memory(bytes) => bytes.len(),
            Place::File { length, .. } => *length,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends `length` bytes from `start` to `into`; what lies beyond the end is left out.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn take(&self, start: usize, length: usize, into: &mut Vec<u8>) -> Result<()> {
        let start = start.min(self.len());
        let length = length.min(self.len() - start);
        match &self.0 {
            Place::Memory(bytes) => into.extend_from_slice(bytes.get(start..start + length).unwrap_or_default()),
            Place::File { file, offset, .. } => {
                let at = into.len();
                into.resize(at + length, 0);
                let fresh = into.get_mut(at..).unwrap_or_default();
                file.reader.read_at(offset + start as u64, fresh).map_err(|error| failed("read", &file.path, error))?;
            }
        }
        Ok(())
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.len());
        self.take(0, self.len(), &mut bytes)?;
        Ok(bytes)
    }
}

/// Bytes by partition: each worker fills one buffer for each, and sets it aside when it is full.
pub struct Partitions<'s> {
    appender: Appender<'s>,
    buffers: Vec<Vec<u8>>,
    full: usize,
    blocks: Vec<Vec<Block>>,
}

impl<'s> Partitions<'s> {
    /// As many partitions, whose buffers are full at so many bytes.
    #[must_use]
    pub fn new(store: &'s Store<'s>, partitions: usize, full: usize) -> Self {
        Self {
            appender: store.appender(),
            buffers: vec![Vec::new(); partitions],
            full,
            blocks: vec![Vec::new(); partitions],
        }
    }

    /// The buffer of a partition, to append one whole entry to. Call [`Partitions::flush_full`] after it.
    #[inline]
    pub fn buffer(&mut self, partition: usize) -> &mut Vec<u8> {
        let last = self.buffers.len() - 1;
        &mut self.buffers[partition.min(last)]
    }

    /// Sets a partition's buffer aside if it is full.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    #[inline]
    pub fn flush_full(&mut self, partition: usize) -> Result<()> {
        if self.buffer(partition).len() >= self.full { self.flush(partition) } else { Ok(()) }
    }

    #[cold]
    fn flush(&mut self, partition: usize) -> Result<()> {
        if let (Some(buffer), Some(blocks)) = (self.buffers.get_mut(partition), self.blocks.get_mut(partition))
            && !buffer.is_empty()
        {
            blocks.push(self.appender.put(buffer)?);
            buffer.clear();
        }
        Ok(())
    }

    /// All blocks, by partition.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn finish(mut self) -> Result<Vec<Vec<Block>>> {
        for partition in 0..self.buffers.len() {
            self.flush(partition)?;
        }
        Ok(self.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::super::storage::Disk;
    use super::*;

    #[test]
    fn what_is_set_aside_comes_back_from_memory_and_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&Disk, Some(folder.path().to_owned()));
        let big = vec![7; IN_MEMORY as usize - b"memory".len()];
        let (mut one, mut two) = (store.appender(), store.appender());
        let blocks = [
            one.put(b"memory").unwrap(),
            one.put(&big).unwrap(),
            two.put(b"of two").unwrap(),
            one.put(b"file").unwrap(),
        ];
        assert!(matches!(blocks[0].0, Place::Memory(_)) && matches!(blocks[3].0, Place::File { .. }));
        let read: Vec<Vec<u8>> = blocks.iter().map(|block| block.read().unwrap()).collect();
        assert_eq!(read, [b"memory".to_vec(), big, b"of two".to_vec(), b"file".to_vec()]);
        let mut middle = b"<".to_vec();
        blocks[3].take(1, 2, &mut middle).unwrap();
        blocks[0].take(4, 99, &mut middle).unwrap();
        assert_eq!(middle, b"<ilry");
    }

    #[test]
    fn what_is_given_back_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&Disk, Some(folder.path().to_owned()));
        let mut appender = store.appender();
        let big = vec![7; IN_MEMORY as usize];
        let in_memory = |block: &Block| matches!(block.0, Place::Memory(_));
        let (one, two) = (appender.put(&big).unwrap(), appender.put(b"file").unwrap());
        assert!(in_memory(&one) && !in_memory(&two));
        // Somebody else still has it.
        store.give_back(vec![one.clone()]);
        assert!(!in_memory(&appender.put(b"file").unwrap()));
        store.give_back(vec![one, two]);
        assert!(in_memory(&appender.put(&big).unwrap()));
    }

    #[test]
    fn partitions_keep_their_entries_apart_and_in_order() {
        let store = Store::in_memory();
        let mut partitions = Partitions::new(&store, 3, 4);
        for entry in 0..10_u8 {
            let partition = usize::from(entry % 3);
            partitions.buffer(partition).extend_from_slice(&[entry, entry]);
            partitions.flush_full(partition).unwrap();
        }
        let blocks = partitions.finish().unwrap();
        let read: Vec<Vec<u8>> =
            blocks.iter().map(|blocks| blocks.iter().flat_map(|block| block.read().unwrap()).collect()).collect();
        assert_eq!(read, [vec![0, 0, 3, 3, 6, 6, 9, 9], vec![1, 1, 4, 4, 7, 7], vec![2, 2, 5, 5, 8, 8]]);
        assert_eq!(blocks[0].len(), 2);
    }
}
