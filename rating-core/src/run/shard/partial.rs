//! A partial file: what the first pass made of one shard, in sections, with the plan's hash before and its own behind.
//!
//! It is written under a temporary name that nobody else has, synced, and given its name in one step: under its name it is
//! whole or not there. The layout is in `docs/file-formats.md`; numbers are little endian.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::RunError;
use super::super::publish::hex;
use super::super::storage::{Output, Storage, StorageError, failed};
use super::plan::folder_of;
use super::refuse;
use crate::finding::Finding;

/// The first bytes of a partial file, its layout's version among them.
const MAGIC: &[u8; 8] = b"RATPART\x02";

/// Bytes before the sections: the magic, the plan's hash, the shard's number, how many there are.
const HEAD: usize = MAGIC.len() + 32 + 2 * 4;

/// Bytes of an entry of the table of sections, which lies behind them: what it holds, of which partition, its length.
const ENTRY: usize = 4 + 4 + 8;

/// Bytes behind the table: how many entries it has, and SHA-256 of all that comes before it.
const TAIL: usize = 8 + SUM;

/// The hash at the end.
const SUM: usize = 32;

/// The name of a section: what it holds, and of which partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Section {
    /// What it holds.
    pub(super) kind: Kind,
    /// Of which partition; 0 if it is not cut into partitions.
    pub(super) partition: u32,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Kind {
    /// Totals and what became of each file, as JSON.
    Head = 1,
    /// Rejected records that are listed.
    Rejects = 2,
    /// Where each payer's days lie in the rows.
    Runs = 3,
    /// Rated calls.
    Rows = 4,
    /// Keys that duplicates are found by.
    Keys = 5,
    /// Records that wait for others, as they were written.
    Legs = 6,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Head, Self::Rejects, Self::Runs, Self::Rows, Self::Keys, Self::Legs];
}

/// A number that no other attempt has, in this process or another, on this machine or another.
fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What the names of files begin with that an attempt at `path` writes aside: hidden, and of no other file.
fn aside_prefix(path: &Path) -> String {
    format!(".{}.attempt-", path.file_name().unwrap_or_default().to_string_lossy())
}

/// A name beside `path` that no other attempt has.
pub(super) fn aside(path: &Path) -> PathBuf {
    folder_of(path).join(format!("{}{:016x}", aside_prefix(path), nonce()))
}

/// Removes what attempts that were killed left beside `path`. Whoever still tries fails, and has no reason to.
pub(super) fn sweep(storage: &dyn Storage, path: &Path) -> Result<(), StorageError> {
    let (folder, prefix) = (folder_of(path), aside_prefix(path));
    for entry in storage.list(folder)?.iter().filter(|entry| entry.name.starts_with(&prefix)) {
        storage.remove(&folder.join(&entry.name))?;
    }
    Ok(())
}

/// Gives what was written aside its name: synced before, and the folder after.
fn settle(storage: &dyn Storage, aside: &Path, path: &Path) -> Result<(), StorageError> {
    storage.sync_file(aside)?;
    storage.rename(aside, path)?;
    storage.sync_folder(folder_of(path))
}

/// Writes a whole file under its name in one step.
///
/// # Errors
///
/// If the disk refuses; then there is what was there before.
pub(super) fn write_whole(storage: &dyn Storage, path: &Path, content: &[u8]) -> Result<(), StorageError> {
    storage.create_folder(folder_of(path))?;
    let aside = aside(path);
    let written = (|| {
        let mut output = storage.create(&aside)?;
        output.write_all(content).and_then(|()| output.flush()).map_err(|error| failed("write", &aside, error))?;
        drop(output);
        settle(storage, &aside, path)
    })();
    if written.is_err() {
        let _ = storage.remove(&aside);
    }
    written
}

/// Refuses to put a partial file in the place of something else: what is no partial file, or another shard's of the same
/// plan.
///
/// # Errors
///
/// [`RunError::Usage`] if it would.
pub(super) fn check_place(storage: &dyn Storage, path: &Path, of: Of) -> Result<(), RunError> {
    if !storage.exists(path) {
        return Ok(());
    }
    let shown = path.display();
    let head = storage.read_at(path, 0, HEAD).unwrap_or_default();
    if head.is_empty() || head.get(..7) != MAGIC.get(..7) {
        let words = format!("`{shown}` is there and is no partial file: name another, or a folder with `/` behind it");
        return Err(RunError::Usage(words));
    }
    let other = word(&head, MAGIC.len() + 32);
    if head.get(MAGIC.len()..MAGIC.len() + 32) == Some(&of.plan) && other != of.shard {
        let words = format!(
            "`{shown}` is the partial file of shard {other} of this plan: give shard {} a file of its own, or name a folder \
             with `/` behind it",
            of.shard
        );
        return Err(RunError::Usage(words));
    }
    Ok(())
}

/// Of which plan and which shard a partial file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Of {
    /// SHA-256 of the plan's manifest.
    pub(super) plan: [u8; 32],
    /// The shard's number, from 1.
    pub(super) shard: u32,
    /// How many there are.
    pub(super) shards: u32,
}

/// A partial file being written. What is not finished is gone when this is dropped.
pub(super) struct Writer<'s> {
    storage: &'s dyn Storage,
    path: PathBuf,
    aside: PathBuf,
    /// Nothing once it is closed.
    output: Option<Box<dyn Output>>,
    hash: Sha256,
    written: u64,
    /// The sections so far, and where each begins.
    table: Vec<(Section, u64)>,
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.output.take().is_some() {
            let _ = self.storage.remove(&self.aside);
        }
    }
}

impl<'s> Writer<'s> {
    /// Begins the partial file `path`, aside.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn begin(storage: &'s dyn Storage, path: &Path, of: Of) -> Result<Self, StorageError> {
        storage.create_folder(folder_of(path))?;
        let aside = aside(path);
        let output = Some(storage.create(&aside)?);
        let (hash, table) = (Sha256::new(), Vec::new());
        let mut writer = Self { storage, path: path.to_owned(), aside, output, hash, written: 0, table };
        writer.put(MAGIC)?;
        writer.put(&of.plan)?;
        writer.put(&of.shard.to_le_bytes())?;
        writer.put(&of.shards.to_le_bytes())?;
        Ok(writer)
    }

    /// Begins a section.
    pub(super) fn section(&mut self, kind: Kind, partition: u32) {
        self.table.push((Section { kind, partition }, self.written));
    }

    /// Adds bytes to the section that was begun last.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.hash.update(bytes);
        self.written += bytes.len() as u64;
        match &mut self.output {
            Some(output) => output.write_all(bytes).map_err(|error| failed("write", &self.aside, error)),
            None => Ok(()),
        }
    }

    /// Ends the file and gives it its name; SHA-256 of all of it, and its size.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn finish(mut self) -> Result<(String, u64), StorageError> {
        let ends = self.table.iter().skip(1).map(|(_, start)| *start).chain([self.written]);
        let mut table = Vec::with_capacity(self.table.len() * ENTRY + 8);
        for ((section, start), end) in self.table.iter().zip(ends) {
            table.extend_from_slice(&(section.kind as u32).to_le_bytes());
            table.extend_from_slice(&section.partition.to_le_bytes());
            table.extend_from_slice(&(end - start).to_le_bytes());
        }
        table.extend_from_slice(&(self.table.len() as u64).to_le_bytes());
        self.put(&table)?;
        let sum = self.hash.clone().finalize();
        self.put(&sum)?;
        if let Some(output) = &mut self.output {
            output.flush().map_err(|error| failed("write", &self.aside, error))?;
        }
        let closed = self.output.take();
        drop(closed);
        if let Err(error) = settle(self.storage, &self.aside, &self.path) {
            let _ = self.storage.remove(&self.aside);
            return Err(error);
        }
        Ok((hex(&self.hash.clone().finalize()), self.written))
    }
}

/// A partial file that is whole, and where its sections are.
#[derive(Debug)]
pub(super) struct Partial {
    /// The file.
    pub(super) path: PathBuf,
    /// Of which plan and shard it is.
    pub(super) of: Of,
    /// SHA-256 of the whole file, hexadecimal.
    pub(super) sha256: String,
    /// Its size.
    pub(super) bytes: u64,
    sections: BTreeMap<Section, (u64, u64)>,
}

impl Partial {
    /// Reads a partial file from beginning to end, and finds it whole and of this plan, or refuses it.
    ///
    /// # Errors
    ///
    /// [`RunError::Incomplete`] if it is not; [`RunError::Storage`] if it cannot be read.
    pub(super) fn open(storage: &dyn Storage, path: &Path, plan: &[u8; 32]) -> Result<Self, RunError> {
        let shown = path.display().to_string();
        let damaged = |words: &str| {
            let finding = Finding::error("shard.damaged", format!("`{shown}` is not whole: {words}"));
            incomplete(finding.in_file(shown.clone()).help("rate that shard again: `rating rate-shard`"))
        };
        let size = storage.size(path)?;
        let Some(length) = size.checked_sub(SUM as u64).filter(|length| *length >= (HEAD + TAIL - SUM) as u64) else {
            return Err(damaged("it is cut short"));
        };
        let sum = storage.read_at(path, length, SUM)?;
        let mut reader = storage.open(path)?.take(length);
        let mut hash = Sha256::new();
        let hashed = std::io::copy(&mut reader, &mut hash).map_err(|error| failed("read", path, error))?;
        let mut whole = hash.clone();
        whole.update(&sum);
        let head = storage.read_at(path, 0, HEAD)?;
        if head.get(..7) != MAGIC.get(..7) {
            return Err(damaged("it is no partial file of a shard"));
        }
        if head.get(..8) != Some(MAGIC) {
            return Err(damaged("it has the layout of another version of this program"));
        }
        if hashed != length || hash.finalize().as_slice() != sum {
            return Err(damaged("its checksum is another"));
        }
        let mut own = [0; 32];
        own.copy_from_slice(&head[MAGIC.len()..MAGIC.len() + 32]);
        if own != *plan {
            let words = format!("`{shown}` is of another plan ({})", hex(&own));
            let finding = Finding::error("shard.other_plan", words).in_file(shown);
            let help = "rate the shard by this plan: `rating rate-shard`; parts of two plans never make a month";
            return Err(incomplete(finding.help(help)));
        }
        let (shard, shards) = (word(&head, MAGIC.len() + 32), word(&head, MAGIC.len() + 36));
        // What comes from here on was written by this program: the checksum says so.
        let no_table = || RunError::Internal(format!("the table of sections of `{shown}` does not fit"));
        let end = length - 8;
        let count = usize::try_from(long(&storage.read_at(path, end, 8)?, 0)).unwrap_or(usize::MAX);
        let bytes = count.checked_mul(ENTRY).ok_or_else(no_table)?;
        let start = end.checked_sub(bytes as u64).filter(|start| *start >= HEAD as u64).ok_or_else(no_table)?;
        let mut sections = BTreeMap::new();
        let mut offset = HEAD as u64;
        for entry in storage.read_at(path, start, bytes)?.chunks_exact(ENTRY) {
            let kind = Kind::ALL.into_iter().find(|kind| *kind as u32 == word(entry, 0)).ok_or_else(no_table)?;
            let length = long(entry, 8);
            sections.insert(Section { kind, partition: word(entry, 4) }, (offset, length));
            offset = offset.checked_add(length).filter(|end| *end <= start).ok_or_else(no_table)?;
        }
        if offset != start {
            return Err(no_table());
        }
        Ok(Self {
            path: path.to_owned(),
            of: Of { plan: own, shard, shards },
            sha256: hex(&whole.finalize()),
            bytes: size,
            sections,
        })
    }

    /// Where a section lies: offset and length; nothing if there is none.
    #[must_use]
    pub(super) fn place(&self, section: Section) -> (u64, u64) {
        self.sections.get(&section).copied().unwrap_or((0, 0))
    }

    /// Reads a section.
    ///
    /// # Errors
    ///
    /// If the file cannot be read any more.
    pub(super) fn read(&self, storage: &dyn Storage, section: Section) -> Result<Vec<u8>, StorageError> {
        let (offset, length) = self.place(section);
        if length == 0 {
            return Ok(Vec::new());
        }
        storage.read_at(&self.path, offset, usize::try_from(length).unwrap_or(usize::MAX))
    }
}

/// A number of four bytes; nothing beyond the end.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// A number of eight bytes; nothing beyond the end.
pub(super) fn long(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// One finding that says that a shard is not there, or not as it should be.
pub(super) fn incomplete(finding: Finding) -> RunError {
    match refuse(finding) {
        RunError::Invalid(findings) => RunError::Incomplete(findings),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::storage::{Disk, Failing};
    use super::*;

    const PLAN: [u8; 32] = [7; 32];

    fn write(storage: &dyn Storage, path: &Path, rows: &[u8]) -> Result<(String, u64), StorageError> {
        let mut writer = Writer::begin(storage, path, Of { plan: PLAN, shard: 2, shards: 5 })?;
        for (kind, partition, bytes) in
            [(Kind::Head, 0, b"head".as_slice()), (Kind::Rows, 0, rows), (Kind::Rows, 1, b""), (Kind::Keys, 1, b"key")]
        {
            writer.section(kind, partition);
            writer.put(bytes)?;
        }
        writer.finish()
    }

    fn code(result: Result<Partial, RunError>) -> String {
        match result {
            Ok(_) => "whole".to_owned(),
            Err(RunError::Incomplete(findings)) => findings.iter().map(|finding| finding.code).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn sections_come_back_and_the_hash_is_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parts/shard-2.part");
        let (sha256, bytes) = write(&Disk, &path, b"many rows").unwrap();
        let content = std::fs::read(&path).unwrap();
        assert_eq!((sha256.as_str(), bytes), (hex(&Sha256::digest(&content)).as_str(), content.len() as u64));
        let partial = Partial::open(&Disk, &path, &PLAN).unwrap();
        assert_eq!((partial.of.shard, partial.of.shards), (2, 5));
        assert_eq!((&partial.sha256, partial.bytes), (&sha256, bytes));
        let read = |kind, partition| partial.read(&Disk, Section { kind, partition }).unwrap();
        assert_eq!(read(Kind::Head, 0), b"head");
        assert_eq!(read(Kind::Rows, 0), b"many rows");
        assert_eq!(read(Kind::Rows, 1), b"");
        assert_eq!(read(Kind::Keys, 1), b"key");
        assert_eq!(read(Kind::Legs, 0), b"", "there is no such section");
        // Again: the same bytes, and nothing beside them.
        assert_eq!(write(&Disk, &path, b"many rows").unwrap(), (sha256, bytes));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_partial_file_with_any_byte_changed_or_missing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write(&Disk, &path, b"rows").unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert_eq!(code(Partial::open(&Disk, &path, &PLAN)), "shard.damaged", "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(code(Partial::open(&Disk, &path, &PLAN)), "shard.damaged", "cut at {at}");
        }
        std::fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
        assert_eq!(code(Partial::open(&Disk, &path, &PLAN)), "shard.damaged", "longer");
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(code(Partial::open(&Disk, &path, &PLAN)), "whole");
        assert_eq!(code(Partial::open(&Disk, &path, &[8; 32])), "shard.other_plan");
    }

    #[test]
    fn whichever_call_fails_the_old_file_or_the_new_one_is_there_whole() {
        for for_ever in [false, true] {
            let mut call = 0;
            loop {
                call += 1;
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("x");
                write(&Disk, &path, b"old").unwrap();
                let failing = Failing::new(Disk, call, for_ever, std::io::ErrorKind::StorageFull);
                let done = write(&failing, &path, b"new rows");
                let partial = Partial::open(&Disk, &path, &PLAN).unwrap();
                let rows = partial.read(&Disk, Section { kind: Kind::Rows, partition: 0 }).unwrap();
                let succeeded = done.is_ok();
                match done {
                    Ok(_) => assert_eq!(rows, b"new rows"),
                    Err(_) => assert!(rows == b"old" || rows == b"new rows", "call {call}"),
                }
                if succeeded && failing.calls() < call {
                    break;
                }
            }
            assert!(call > 5, "only {call} calls");
        }
    }

    #[test]
    fn what_killed_attempts_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let left = aside(&path);
        assert_ne!(left, aside(&path));
        for file in [&left, &path, &folder.path().join("y"), &aside(&folder.path().join("y"))] {
            std::fs::write(file, "").unwrap();
        }
        sweep(&Disk, &path).unwrap();
        assert!(!left.exists() && path.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
