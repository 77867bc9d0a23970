//! Whether records with one hash have one key: they are read once more, and their keys compared byte by byte.
//!
//! Duplicates are looked for by hashes, because these are small; what is found is only believed when the records
//! themselves say so. They are few, so reading them again costs little.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use super::RunError;
use super::engine::Engine;
use super::first_pass::{FileResult, InputFile};
use super::history::{self, Hash};
use super::inputs::{Piece, Spares, Stream};
use super::storage::{Storage, StorageError, failed};
use super::unchanged;
use crate::cdr::records::MIN_BUFFER_BYTES;
use crate::cdr::{Cdr, Reader};
use crate::source::RecordId;

/// How many pairs are looked at in one go: what bounds the keys in memory.
const AT_ONCE: usize = 100_000;

/// How much is read of a file to have one record; more if that does not do.
const WINDOW: usize = 4_096;

/// Records whose keys have one hash.
pub(super) struct Alike {
    /// The hash, as it was when the records were rated.
    pub(super) hash: Hash,
    /// The records, in order.
    pub(super) records: Vec<u64>,
}

/// The keys of some records, one after the other.
#[derive(Default)]
struct Keys {
    bytes: Vec<u8>,
    places: BTreeMap<u64, (usize, usize)>,
    hashes: BTreeMap<u64, Hash>,
}

impl Keys {
    fn add(&mut self, scope: u64, cdr: &Cdr<'_>) {
        let start = self.bytes.len();
        let (parts, at) = cdr.exact_key();
        self.bytes.extend_from_slice(&scope.to_le_bytes());
        for part in parts {
            self.bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            self.bytes.extend_from_slice(part);
        }
        if let Some((utc, millis)) = at {
            self.bytes.push(u8::from(utc));
            self.bytes.extend_from_slice(&millis.to_le_bytes());
        }
        self.places.insert(cdr.id.to_bits(), (start, self.bytes.len()));
        self.hashes.insert(cdr.id.to_bits(), history::hash_of(scope, cdr));
    }

    fn get(&self, record: u64) -> Option<&[u8]> {
        let (start, end) = self.places.get(&record)?;
        self.bytes.get(*start..*end)
    }
}

/// Of records with one hash, those whose key is that of an earlier one. `groups` has the records of each hash that several
/// have, in order; what comes out is sorted.
///
/// # Errors
///
/// If a file cannot be read; `run.file_changed` if a record is not what it was when it was rated.
pub(super) fn duplicates(
    engine: &Engine<'_>,
    storage: &dyn Storage,
    files: &[InputFile],
    known: &[FileResult],
    groups: &[Alike],
) -> Result<Vec<u64>, RunError> {
    let mut found = Vec::new();
    let mut rest = groups;
    while !rest.is_empty() {
        let mut records = 0;
        let many = rest.iter().take_while(|group| {
            records += group.records.len();
            records <= AT_ONCE
        });
        let (now, later) = rest.split_at(many.count().max(1).min(rest.len()));
        rest = later;
        let keys = read(engine, storage, files, known, now)?;
        for group in now {
            let differs = |record: &&u64| keys.hashes.get(*record) != Some(&group.hash);
            if let Some(record) = group.records.iter().find(differs) {
                return Err(changed(files, *record));
            }
            found.extend(repeated(&keys, &group.records));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Those of some records whose key is that of an earlier one.
fn repeated(keys: &Keys, records: &[u64]) -> Vec<u64> {
    // The first record of each key stands.
    let mut seen: Vec<&[u8]> = Vec::with_capacity(1);
    let mut repeated = Vec::new();
    for record in records {
        let Some(key) = keys.get(*record) else { continue };
        if seen.contains(&key) { repeated.push(*record) } else { seen.push(key) }
    }
    repeated
}

fn read(
    engine: &Engine<'_>,
    storage: &dyn Storage,
    files: &[InputFile],
    known: &[FileResult],
    groups: &[Alike],
) -> Result<Keys, RunError> {
    let mut wanted: Vec<u64> = groups.iter().flat_map(|group| &group.records).copied().collect();
    wanted.sort_unstable();
    let (mut keys, mut spares) = (Keys::default(), Spares::default());
    for records in wanted.chunk_by(|one, other| RecordId::from_bits(*one).file() == RecordId::from_bits(*other).file())
    {
        let Some(first) = records.first() else { continue };
        let index = RecordId::from_bits(*first).file();
        let file = files.get(index as usize).ok_or_else(|| changed(files, *first))?;
        let path = engine.project.root.join(&file.path);
        let scope = engine.duplicate_scope(file.source);
        let reader = match known.get(index as usize).and_then(|file| file.reader.as_ref()) {
            Some(reader) if reader.min_buffer() <= MIN_BUFFER_BYTES => Arc::clone(reader),
            _ => {
                let opened = Stream::open_beginning(storage, &path, file.bytes, &mut spares);
                let mut stream = opened.map_err(|error| unreadable(files, *first, error))?;
                let opened = {
                    let (head, whole) = stream.head()?;
                    engine.open(file.source, &file.path, head, whole)
                };
                let reader = opened.map_err(|_| changed(files, *first))?;
                // What is packed, or is read with what stands before it, is read from its beginning.
                if stream.packed_with().is_some() || reader.min_buffer() > MIN_BUFFER_BYTES {
                    all(&mut stream, &reader, index, records, &mut spares, |cdr| keys.add(scope, cdr))?;
                    continue;
                }
                Arc::new(reader)
            }
        };
        let handle = storage.open_at(&path).map_err(|error| unreadable(files, *first, error))?;
        for record in records {
            let id = RecordId::from_bits(*record);
            let mut length = WINDOW;
            loop {
                let left = usize::try_from(file.bytes.saturating_sub(id.offset())).unwrap_or(usize::MAX);
                let mut window = vec![0; length.min(left)];
                let read = handle.read_at(id.offset(), &mut window);
                read.map_err(|error| unreadable(files, *record, failed("read", &path, error)))?;
                let at_end = window.len() == left;
                let end = reader.split_point(&window, at_end);
                if end == 0 && !at_end && length < 2 * MIN_BUFFER_BYTES {
                    length *= 8;
                    continue;
                }
                let whole = window.get(..end).unwrap_or_default();
                match reader.records(index, id.offset(), whole, at_end && end == left).next() {
                    Some(Ok(cdr)) if cdr.id == id => keys.add(scope, &cdr),
                    _ => return Err(changed(files, *record)),
                }
                break;
            }
        }
    }
    Ok(keys)
}

/// Reads a file and shows those of its records that are wanted, in order.
fn all(
    stream: &mut Stream,
    reader: &Reader,
    index: u32,
    records: &[u64],
    spares: &mut Spares,
    mut show: impl FnMut(&Cdr<'_>),
) -> Result<(), RunError> {
    stream.skip(reader.body_start());
    let mut rest = records;
    while let (Some(piece), false) = (stream.next_of(reader, spares)?, rest.is_empty()) {
        let Piece::Records(chunk) = piece else { continue };
        for cdr in reader.records(index, chunk.offset, &chunk.bytes, chunk.last).flatten() {
            if let Some((next, later)) = rest.split_first()
                && *next == cdr.id.to_bits()
            {
                show(&cdr);
                rest = later;
            }
        }
        spares.give(chunk.bytes);
    }
    Ok(())
}

fn changed(files: &[InputFile], record: u64) -> RunError {
    let id = RecordId::from_bits(record);
    let path = files.get(id.file() as usize).map_or("", |file| file.path.as_str());
    unchanged::refuse(path)
}

/// A file that is gone or shorter has changed, too; any other trouble is the disk's.
fn unreadable(files: &[InputFile], record: u64, error: StorageError) -> RunError {
    match error.error.kind() {
        ErrorKind::NotFound | ErrorKind::UnexpectedEof => changed(files, record),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::run::calls;
    use crate::run::project::Project;
    use crate::run::storage::Disk;
    use crate::time::Month;

    #[test]
    fn what_has_one_hash_is_a_duplicate_only_if_it_has_one_key() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/demo");
        let project = Project::load(&Disk, &root, None).unwrap().0.unwrap();
        let engine = Engine::new(&project, Month::parse("2026-10").unwrap(), None);
        let inputs = calls::inputs(&Disk, &engine).unwrap();
        let files: Vec<InputFile> = inputs
            .iter()
            .map(|input| InputFile {
                source: input.source,
                path: input.path.clone(),
                sha256: String::new(),
                bytes: Disk.size(&root.join(&input.path)).unwrap(),
                stamp: None,
            })
            .collect();
        let mut records = Vec::new();
        calls::each(&Disk, &engine, &inputs, &mut |found| records.push(found.call.cdr.id.to_bits())).unwrap();
        assert!(records.len() > 20);
        let hash = (0, 0);
        let all = Alike { hash, records: records.clone() };
        let keys = read(&engine, &Disk, &files, &[], std::slice::from_ref(&all)).unwrap();
        // As if all records of the demo had one hash: each has a key of its own.
        assert!(repeated(&keys, &records).is_empty());
        // The same record twice has the same key.
        let twice = |record: &u64| Alike { hash: keys.hashes[record], records: vec![*record, *record] };
        let twice: Vec<Alike> = records.iter().map(twice).collect();
        let confirmed = |groups: &[Alike]| duplicates(&engine, &Disk, &files, &[], groups);
        let mut sorted = records.clone();
        sorted.sort_unstable();
        assert_eq!(confirmed(&twice).unwrap(), sorted);
        // A record whose key has another hash now is not what it was when it was rated.
        let Err(RunError::Invalid(findings)) = confirmed(&[all]) else { panic!("the file has changed") };
        assert_eq!(findings.iter().next().unwrap().code, "run.file_changed");
    }
}
