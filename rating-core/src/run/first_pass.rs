//! The first pass: every chunk of every file is parsed, mediated, attributed and rated, and its rows set aside.
//!
//! Workers take chunks as they come; what a chunk contributes is the same whoever takes it and whenever. Records that
//! need another record (halves of a `Local` channel) are set aside as they are written; keys of all records are set
//! aside to find duplicates. Both are cut into [`PARTITIONS`] by hash, so that the work between the passes holds one
//! partition at a time.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use foldhash::fast::FixedState;

use super::completeness::Frames;
use super::control::Counts;
use super::engine::{Engine, Fate};
use super::history::{self, HistoryCounts};
use super::inputs::{Chunk, Piece, Stream};
use super::spill::{RowBuffer, Spilled, Stretch};
use super::storage::{Storage, StorageError};
use super::{Progress, RunError};
use crate::cdr::records::LineEnd;
use crate::cdr::{Cdr, Group, Kind, NotACall, Reader, Reject, RejectReason};
use crate::ids::SourceId;
use crate::mediation::{Call, Mediated};
use crate::source::RecordId;

/// Into how many parts keys and set-aside records are cut.
pub(super) const PARTITIONS: usize = 64;

/// How many bytes of set-aside rows are kept in memory before further ones go to files.
const IN_MEMORY: u64 = 96 << 20;

/// How many rejected records are listed one by one; beyond that they are only counted.
pub(super) const LISTED_REJECTS: usize = 100_000;

/// How much of a rejected record is shown.
const SHOWN_OF_REJECT: usize = 200;

/// How many of one chunk's rejected records are listed.
const LISTED_IN_CHUNK: usize = 500;

/// An input file, opened far enough to know its layout.
#[derive(Debug)]
pub(super) struct InputFile {
    /// Whose file.
    pub(super) source: SourceId,
    /// Path below the project.
    pub(super) path: String,
    /// SHA-256 of the file as stored, hexadecimal.
    pub sha256: String,
    /// Size as stored.
    pub(super) bytes: u64,
}

/// What is known of a file once it has been read.
#[derive(Clone, Debug, Default)]
pub(super) struct FileResult {
    /// The layout recognised, or why the file as a whole was refused.
    pub(super) layout: String,
    /// Why the file as a whole was refused: code, words, help.
    pub(super) refused: Option<(&'static str, String, String)>,
    /// Why a packed file ended early.
    pub(super) damage: Option<String>,
    /// What the records tell of the clock: minutes by which the unique ids' epochs lie after the source's zone.
    pub(super) clock: Option<i64>,
    /// What its markers say.
    pub(super) frames: Frames,
    /// What became of its records (`used`, `duplicate`, `merged`, `waiting` are filled in later).
    pub(super) counts: Counts,
}

/// A rejected record, for the exceptions.
#[derive(Clone, Debug)]
pub(super) struct RejectedRecord {
    /// Where.
    pub(super) id: RecordId,
    /// Its number in the file, from 1.
    pub(super) number: u64,
    /// Why.
    pub(super) reason: RejectReason,
    /// The column at fault, from 1; 0 for the whole record.
    pub(super) column: u32,
    /// Its beginning.
    pub(super) shown: Vec<u8>,
}

/// What one chunk contributed.
pub(super) struct Part {
    /// Index of the file.
    pub(super) file: u32,
    /// Offset of the chunk.
    pub(super) offset: u64,
    /// Records in it.
    pub(super) records: u64,
    /// The run of rows, then keys by partition, then set-aside records by partition.
    pub(super) bytes: Spilled,
    /// Where each payer's rows lie.
    pub(super) stretches: Vec<Stretch>,
    /// Where each partition's keys lie: offset and length.
    pub(super) keys: Vec<(u64, usize)>,
    /// Where each partition's set-aside records lie.
    pub(super) legs: Vec<(u64, usize)>,
    /// Rejected records, the first of each reason and as many more as are listed.
    pub(super) rejects: Vec<RejectedRecord>,
    /// How many were rejected, by the index of the reason in [`RejectReason::ALL`].
    pub(super) rejected: [u64; RejectReason::ALL.len()],
    /// How many were no calls, by the index of the reason in [`NotACall::ALL`].
    pub(super) not_a_call: [u64; NotACall::ALL.len()],
    /// Records that the books of closed months know.
    pub(super) history: HistoryCounts,
}

/// All that the first pass found.
pub(super) struct FirstPass {
    /// By file and offset.
    pub(super) parts: Vec<Part>,
    /// By file.
    pub(super) files: Vec<FileResult>,
}

/// A key: the hash of the format's exact key, and the record that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// 128 bits of hash, site and format mixed in.
    pub(super) hash: history::Hash,
    /// The record.
    pub(super) record: u64,
    /// What became of it, as the record index has it.
    pub(super) status: u8,
}

impl Key {
    /// Bytes of a stored key.
    pub(super) const BYTES: usize = 25;

    /// The key of a record. Equal keys give equal hashes; different ones differ in 128 bits but for a chance that no
    /// number of records on this planet makes worth naming (10⁻²⁰ at 10⁹ records).
    #[must_use]
    pub(super) fn of(scope: u64, cdr: &Cdr<'_>, status: u8) -> Self {
        Self { hash: history::hash_of(scope, cdr), record: cdr.id.to_bits(), status }
    }

    pub(super) fn partition(&self) -> usize {
        (self.hash.0 >> 58) as usize % PARTITIONS
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hash.0.to_le_bytes());
        out.extend_from_slice(&self.hash.1.to_le_bytes());
        out.extend_from_slice(&self.record.to_le_bytes());
        out.push(self.status);
    }

    /// Reads stored keys.
    pub(super) fn read_all(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or([0; 8]));
        bytes.chunks_exact(Self::BYTES).map(move |bytes| Self {
            hash: (word(&bytes[..8]), word(&bytes[8..16])),
            record: word(&bytes[16..24]),
            status: bytes[24],
        })
    }
}

/// A record set aside until its partner comes: as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg<'a> {
    /// Where it came from.
    pub(super) source: SourceId,
    /// The record.
    pub(super) record: RecordId,
    /// 0 for a record that is counted where it is put together with others; else it is a reference: the record was counted
    /// where it was read, and is here by the first or second of its [groups](Mediated::Linked).
    pub(super) link: u8,
    /// Its bytes.
    pub(super) raw: &'a [u8],
}

impl<'a> Leg<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.source.0.to_le_bytes());
        out.extend_from_slice(&self.record.to_bits().to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.raw.len()).unwrap_or(0).to_le_bytes());
        out.push(self.link);
        out.extend_from_slice(self.raw);
    }

    /// Reads stored records.
    #[must_use]
    pub(super) fn read_all(mut bytes: &'a [u8]) -> Vec<Self> {
        let mut legs = Vec::new();
        while let Some((head, rest)) = bytes.split_at_checked(17) {
            let source = SourceId(u32::from_le_bytes(head[..4].try_into().unwrap_or([0; 4])));
            let record = RecordId::from_bits(u64::from_le_bytes(head[4..12].try_into().unwrap_or([0; 8])));
            let length = u32::from_le_bytes(head[12..16].try_into().unwrap_or([0; 4])) as usize;
            let Some((raw, rest)) = rest.split_at_checked(length) else { break };
            legs.push(Self { source, record, link: head[16], raw });
            bytes = rest;
        }
        legs
    }
}

struct OpenFile {
    index: u32,
    stream: Stream,
    reader: std::sync::Arc<Reader>,
}

#[derive(Default)]
struct Queue {
    next: usize,
    open: Vec<OpenFile>,
    /// Files that some worker is reading a chunk from right now.
    reading: usize,
}

struct Shared<'p> {
    engine: &'p Engine<'p>,
    storage: &'p dyn Storage,
    files: &'p [InputFile],
    work: Option<&'p std::path::Path>,
    progress: &'p dyn Progress,
    queue: Mutex<Queue>,
    ready: Condvar,
    results: Mutex<(Vec<Part>, Vec<FileResult>)>,
    error: Mutex<Option<StorageError>>,
    stop: AtomicBool,
    spilled: AtomicU64,
    parts: AtomicU64,
}

/// A lock whose holder panicked protects nothing that a run that is failing anyway still needs.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn line_end_byte(reader: &Reader) -> u8 {
    match reader.line_end() {
        LineEnd::Lf => b'\n',
        LineEnd::Cr => b'\r',
    }
}

/// Runs the first pass over `files` (in canonical order) on the current thread pool. `work` is the folder for rows that
/// do not fit into memory; without one (a dry run) they all stay there.
///
/// # Errors
///
/// If a file cannot be read or a row not set aside.
pub(super) fn run(
    engine: &Engine<'_>,
    storage: &dyn Storage,
    files: &[InputFile],
    work: Option<&std::path::Path>,
    progress: &dyn Progress,
) -> Result<FirstPass, RunError> {
    let shared = Shared {
        engine,
        storage,
        files,
        work,
        progress,
        queue: Mutex::default(),
        ready: Condvar::new(),
        results: Mutex::new((Vec::new(), vec![FileResult::default(); files.len()])),
        error: Mutex::new(None),
        stop: AtomicBool::new(false),
        spilled: AtomicU64::new(0),
        parts: AtomicU64::new(0),
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                if let Err(error) = shared.work() {
                    shared.stop.store(true, Ordering::Relaxed);
                    locked(&shared.error).get_or_insert(error);
                    shared.ready.notify_all();
                }
            });
        }
    });
    if let Some(error) = locked(&shared.error).take() {
        return Err(error.into());
    }
    let (mut parts, mut files) = shared.results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    parts.sort_by_key(|part| (part.file, part.offset));
    number_records(&mut parts, &mut files);
    Ok(FirstPass { parts, files })
}

/// Numbers rejects within their files, now that every chunk's record count is known.
fn number_records(parts: &mut [Part], files: &mut [FileResult]) {
    let mut before = vec![0_u64; files.len()];
    for part in parts {
        let Some(before) = before.get_mut(part.file as usize) else { continue };
        for reject in &mut part.rejects {
            reject.number += *before;
        }
        *before += part.records;
    }
}

impl Shared<'_> {
    fn work(&self) -> Result<(), StorageError> {
        while let Some(mut file) = self.take_file()? {
            let reader = std::sync::Arc::clone(&file.reader);
            let piece = file.stream.next_piece(
                |buffer, at_end| reader.split_point(buffer, at_end),
                reader.min_buffer(),
                line_end_byte(&reader),
            );
            let index = file.index;
            let stored = file.stream.stored_progress();
            match piece {
                Err(error) => {
                    self.give_back(None);
                    return Err(error);
                }
                Ok(None) => {
                    if let Some(damage) = file.stream.damage() {
                        locked(&self.results).1[index as usize].damage = Some(damage.to_owned());
                    }
                    self.give_back(None);
                    self.progress.advance(0, stored);
                }
                Ok(Some(piece)) => {
                    self.give_back(Some(file));
                    self.piece(index, &reader, &piece, stored)?;
                }
            }
        }
        Ok(())
    }

    /// A file to read a chunk from: one that is open, or the next one opened, or one that another worker gives back.
    fn take_file(&self) -> Result<Option<OpenFile>, StorageError> {
        let mut queue = locked(&self.queue);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if let Some(file) = queue.open.pop() {
                queue.reading += 1;
                return Ok(Some(file));
            }
            if queue.next < self.files.len() {
                let index = queue.next;
                queue.next += 1;
                queue.reading += 1;
                drop(queue);
                match self.open(index) {
                    Ok(Some(file)) => return Ok(Some(file)),
                    Ok(None) => self.give_back(None),
                    Err(error) => {
                        self.give_back(None);
                        return Err(error);
                    }
                }
                queue = locked(&self.queue);
                continue;
            }
            if queue.reading == 0 {
                return Ok(None);
            }
            queue = self.ready.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn give_back(&self, file: Option<OpenFile>) {
        let mut queue = locked(&self.queue);
        queue.reading = queue.reading.saturating_sub(1);
        queue.open.extend(file);
        drop(queue);
        self.ready.notify_all();
    }

    /// Opens a file and decides on its layout. A file that is no such file is refused as one rejected record.
    fn open(&self, index: usize) -> Result<Option<OpenFile>, StorageError> {
        let Some(file) = self.files.get(index) else { return Ok(None) };
        let mut stream = Stream::open(self.storage, &self.engine.project.root.join(&file.path))?;
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let opened = {
            let (head, whole) = stream.head()?;
            self.engine.open(file.source, &file.path, head, whole)
        };
        match opened {
            Ok(reader) => {
                {
                    let mut results = locked(&self.results);
                    results.1[index].layout = reader.layout_name().to_owned();
                    results.1[index].clock = self.engine.clock_difference(file.source, &reader);
                }
                stream.skip(reader.body_start());
                Ok(Some(OpenFile { index: number, stream, reader: std::sync::Arc::new(reader) }))
            }
            Err(error) => {
                let mut results = locked(&self.results);
                let result = &mut results.1[index];
                result.refused = Some((error.code(), error.to_string(), error.help()));
                result.counts.records += 1;
                result.counts.rejected += 1;
                Ok(None)
            }
        }
    }

    fn piece(&self, file: u32, reader: &Reader, piece: &Piece, stored: u64) -> Result<(), StorageError> {
        let Some(source) = self.files.get(file as usize).map(|file| file.source) else { return Ok(()) };
        let mut chunk_work = ChunkWork::new(self, source);
        let chunk: &Chunk = match piece {
            Piece::Records(chunk) => {
                for record in reader.records(file, chunk.offset, &chunk.bytes, chunk.last) {
                    chunk_work.record(record);
                }
                chunk
            }
            Piece::TooLong(chunk) => {
                chunk_work.record(Err(reader.too_long(file, chunk.offset, &chunk.bytes)));
                chunk
            }
        };
        self.progress.advance(chunk_work.counts.records, stored);
        let offset = chunk.offset;
        chunk_work.finish(file, offset)
    }
}

/// What one chunk gathers.
struct ChunkWork<'s> {
    shared: &'s Shared<'s>,
    source: SourceId,
    scope: u64,
    rows: RowBuffer,
    keys: Vec<Key>,
    /// Set-aside records, one after the other, and for each its partition and place.
    leg_bytes: Vec<u8>,
    legs: Vec<(usize, std::ops::Range<usize>)>,
    rejects: Vec<RejectedRecord>,
    rejected: [u64; RejectReason::ALL.len()],
    not_a_call: [u64; NotACall::ALL.len()],
    history: HistoryCounts,
    counts: Counts,
    frames: Frames,
}

impl<'s> ChunkWork<'s> {
    fn new(shared: &'s Shared<'s>, source: SourceId) -> Self {
        Self {
            shared,
            source,
            scope: shared.engine.duplicate_scope(source),
            rows: RowBuffer::default(),
            keys: Vec::new(),
            leg_bytes: Vec::new(),
            legs: Vec::new(),
            rejects: Vec::new(),
            rejected: [0; RejectReason::ALL.len()],
            not_a_call: [0; NotACall::ALL.len()],
            history: HistoryCounts::default(),
            counts: Counts::default(),
            frames: Frames::default(),
        }
    }

    fn record(&mut self, record: Result<Cdr<'_>, Reject<'_>>) {
        self.counts.records += 1;
        match record.as_ref().ok().map(|cdr| (cdr.frame, cdr.kind)) {
            Some((Some(frame), _)) => self.frames.add(frame),
            Some((None, Kind::NotACall(NotACall::Marker))) => {}
            _ => self.frames.records += 1,
        }
        let cdr = match record {
            Ok(cdr) => cdr,
            Err(reject) => return self.reject(&reject),
        };
        match self.shared.engine.mediate(self.source, cdr) {
            Mediated::NotACall(why) => {
                self.counts.not_a_call += 1;
                if let Some(count) = self.not_a_call.get_mut(why as usize) {
                    *count += 1;
                }
            }
            Mediated::NeedsPartner(cdr, group) => {
                self.set_aside(&cdr, group, 0);
            }
            Mediated::Linked(call, groups) => {
                for (group, link) in groups.into_iter().zip(1..).filter(|(group, _)| *group != Group::default()) {
                    self.set_aside(&call.cdr, group, link);
                }
                self.call(call, None);
            }
            Mediated::Call(call) => self.call(call, None),
            Mediated::Suspended(call, reason) => self.call(call, Some(reason.code())),
        }
    }

    fn set_aside(&mut self, cdr: &Cdr<'_>, group: Group<'_>, link: u8) {
        let hash = FixedState::with_seed(0x1e6).hash_one((self.scope, group));
        let partition = (hash >> 58) as usize % PARTITIONS;
        let start = self.leg_bytes.len();
        Leg { source: self.source, record: cdr.id, link, raw: cdr.raw }.write(&mut self.leg_bytes);
        self.legs.push((partition, start..self.leg_bytes.len()));
    }

    fn call(&mut self, call: Call<'_>, suspended: Option<&'static str>) {
        let key = Key::of(self.scope, &call.cdr, 0);
        match self.shared.engine.finish(call, suspended, key.hash, &mut self.rows) {
            Fate::Row(status) => return self.keys.push(Key { status, ..key }),
            Fate::OtherPeriod => {}
            Fate::Settled => self.history.settled += 1,
            Fate::StillSuspended => self.history.suspended(call.cdr.id),
        }
        self.counts.other_period += 1;
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        self.counts.rejected += 1;
        let first = match self.rejected.get_mut(reject.reason as usize) {
            Some(count) => {
                *count += 1;
                *count == 1
            }
            None => false,
        };
        // Chunks are cut the same way in every run, so the list is too.
        if first || self.rejects.len() < LISTED_IN_CHUNK {
            self.rejects.push(RejectedRecord {
                id: reject.id,
                number: self.counts.records,
                reason: reject.reason,
                column: reject.column,
                shown: reject.raw.iter().take(SHOWN_OF_REJECT).copied().collect(),
            });
        }
    }

    fn finish(mut self, file: u32, offset: u64) -> Result<(), StorageError> {
        let (mut bytes, stretches) = self.rows.into_run();
        self.keys.sort_unstable();
        let mut keys = Vec::with_capacity(PARTITIONS);
        let mut rest = self.keys.as_slice();
        for partition in 0..PARTITIONS {
            let end = rest.partition_point(|key| key.partition() <= partition);
            let start = bytes.len();
            for key in &rest[..end] {
                key.write(&mut bytes);
            }
            keys.push((start as u64, bytes.len() - start));
            rest = &rest[end..];
        }
        self.legs.sort_by_key(|(partition, _)| *partition);
        let mut legs = Vec::with_capacity(PARTITIONS);
        let mut rest = self.legs.as_slice();
        for partition in 0..PARTITIONS {
            let end = rest.partition_point(|(of, _)| *of <= partition);
            let start = bytes.len();
            for (_, leg) in &rest[..end] {
                bytes.extend_from_slice(&self.leg_bytes[leg.clone()]);
            }
            legs.push((start as u64, bytes.len() - start));
            rest = &rest[end..];
        }
        let shared = self.shared;
        let length = bytes.len() as u64;
        let before = shared.spilled.fetch_add(length, Ordering::Relaxed);
        let path = shared
            .work
            .filter(|_| before + length > IN_MEMORY)
            .map(|work| work.join(format!("part-{}", shared.parts.fetch_add(1, Ordering::Relaxed))));
        let bytes = Spilled::put(bytes, path, shared.storage)?;
        let mut results = locked(&shared.results);
        results.1[file as usize].counts += self.counts;
        results.1[file as usize].frames.merge(self.frames);
        results.0.push(Part {
            file,
            offset,
            records: self.counts.records,
            bytes,
            stretches,
            keys,
            legs,
            rejects: self.rejects,
            rejected: self.rejected,
            not_a_call: self.not_a_call,
            history: self.history,
        });
        Ok(())
    }
}
