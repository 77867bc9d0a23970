//! The first pass: every chunk of every file is parsed, mediated, attributed and rated, and its rows set aside.
//!
//! Workers take chunks as they come; what a chunk contributes is the same whoever takes it and whenever. Records that
//! need another record (halves of a `Local` channel) are set aside as they are written; keys of all records are set
//! aside to find duplicates. Both are cut into [`PARTITIONS`] by hash, so that the work between the passes holds one
//! partition at a time.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use foldhash::fast::FixedState;

use super::aside::{Appender, Block, Partitions, Store};
use super::completeness::Frames;
use super::control::Counts;
use super::engine::{Arrived, Engine, Fate};
use super::history::HistoryCounts;
use super::inputs::{Buffer, Piece, Spares, Stream};
use super::keys::{KEY_PARTITIONS, Key};
use super::spill::{RowBuffer, Run};
use super::storage::{Stamp, Storage, StorageError};
use super::{Progress, RunError};
use crate::cdr::{Cdr, Group, Kind, NotACall, Reader, Reject, RejectReason};
use crate::ids::SourceId;
use crate::mediation::{Call, Lines, Mediated};
use crate::source::RecordId;

/// Into how many parts set-aside records are cut.
pub(super) const LEG_PARTITIONS: usize = 64;

/// How many bytes of rows a worker sorts and sets aside at once: what stays in a core's own cache, for they are picked out of
/// it in another order than they came.
const RUN_BYTES: usize = 2 << 20;

/// How many calls are rated together: enough that their look-ups wait for memory together, and few enough to stay near.
const BLOCK: usize = 64;

/// How many bytes of a partition a worker sets aside at once.
const PARTITION_BYTES: usize = 16 << 10;

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
    /// What it looked like before it was hashed, if it was in this process.
    pub(super) stamp: Option<Stamp>,
}

/// What is known of a file once it has been read.
#[derive(Clone, Debug, Default)]
pub(super) struct FileResult {
    /// The layout recognised, or why the file as a whole was refused.
    pub(super) layout: String,
    /// What reads it, unless it is packed or was read elsewhere.
    pub(super) reader: Option<Arc<Reader>>,
    /// Why the file as a whole was refused: code, words, help.
    pub(super) refused: Option<(&'static str, String, String)>,
    /// Why a packed file ended early.
    pub(super) damage: Option<String>,
    /// What the records tell of the clock: minutes by which the unique ids' epochs lie after the source's zone.
    pub(super) clock: Option<i64>,
    /// What its markers say.
    pub(super) frames: Frames,
    /// How many were rejected, by the index of the reason in [`RejectReason::ALL`].
    pub(super) rejected: [u64; RejectReason::ALL.len()],
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

/// A chunk, and what of it must be known in canonical order.
struct Part {
    /// Index of the file.
    file: u32,
    /// Offset of the chunk.
    offset: u64,
    /// Records in it.
    records: u64,
    /// Rejected records, the first of each reason and as many more as are listed.
    rejects: Vec<RejectedRecord>,
}

/// All that the first pass found.
#[derive(Default)]
pub(super) struct FirstPass {
    /// Rows, in no order.
    pub(super) runs: Vec<Run>,
    /// Keys, by partition.
    pub(super) keys: Vec<Vec<Block>>,
    /// Records that wait for others, by partition.
    pub(super) legs: Vec<Vec<Block>>,
    /// Files that have such records.
    pub(super) leg_files: BTreeSet<u32>,
    /// By file.
    pub(super) files: Vec<FileResult>,
    /// Rejected records in canonical order: of each chunk the first of each reason, and as many more as are listed.
    pub(super) rejects: Vec<RejectedRecord>,
    /// How many were no calls, by the index of the reason in [`NotACall::ALL`].
    pub(super) not_a_call: [u64; NotACall::ALL.len()],
    /// Records that the books of closed months know.
    pub(super) history: HistoryCounts,
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
    pub(super) fn write(&self, out: &mut Vec<u8>) {
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
    reader: Arc<Reader>,
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
    store: &'p Store<'p>,
    progress: &'p dyn Progress,
    /// The index behind the last file that is read.
    until: usize,
    queue: Mutex<Queue>,
    ready: Condvar,
    results: Mutex<Results>,
    error: Mutex<Option<StorageError>>,
    stop: AtomicBool,
}

/// What workers hand over.
#[derive(Default)]
struct Results {
    parts: Vec<Part>,
    /// How many rejected records are kept in `parts`.
    listed: usize,
    first: FirstPass,
}

impl Results {
    /// Adds a chunk. Of rejected records that are too many to be listed those are forgotten that come last.
    fn add(&mut self, part: Part) {
        self.listed += part.rejects.len();
        self.parts.push(part);
        if self.listed > 2 * LISTED_REJECTS {
            self.parts.sort_unstable_by_key(|part| (part.file, part.offset));
            let mut before = 0;
            for part in &mut self.parts {
                let own = part.rejects.len();
                if before > LISTED_REJECTS {
                    let mut seen = BTreeSet::new();
                    part.rejects.retain(|reject| seen.insert(reject.reason as usize));
                }
                before += own;
            }
            self.listed = self.parts.iter().map(|part| part.rejects.len()).sum();
        }
    }
}

/// A lock whose holder panicked protects nothing that a run that is failing anyway still needs.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs the first pass over those of `files` (in canonical order) that are in `range`, on the current thread pool; what it
/// sets aside goes to `store`.
///
/// # Errors
///
/// If a file cannot be read or a row not set aside.
pub(super) fn run(
    engine: &Engine<'_>,
    storage: &dyn Storage,
    files: &[InputFile],
    range: Range<usize>,
    store: &Store<'_>,
    progress: &dyn Progress,
) -> Result<FirstPass, RunError> {
    let mut results = Results::default();
    results.first.files = vec![FileResult::default(); files.len()];
    results.first.keys = vec![Vec::new(); KEY_PARTITIONS];
    results.first.legs = vec![Vec::new(); LEG_PARTITIONS];
    let shared = Shared {
        engine,
        storage,
        files,
        store,
        progress,
        until: range.end.min(files.len()),
        queue: Mutex::new(Queue { next: range.start, ..Queue::default() }),
        ready: Condvar::new(),
        results: Mutex::new(results),
        error: Mutex::new(None),
        stop: AtomicBool::new(false),
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
    let Results { mut parts, mut first, .. } =
        shared.results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    parts.sort_unstable_by_key(|part| (part.file, part.offset));
    number_records(&mut parts, files.len());
    first.rejects = parts.into_iter().flat_map(|part| part.rejects).collect();
    Ok(first)
}

/// Numbers rejects within their files, now that every chunk's record count is known.
fn number_records(parts: &mut [Part], files: usize) {
    let mut before = vec![0_u64; files];
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
        let mut worker = Worker::new(self);
        let mut spares = Spares::default();
        while let Some(mut file) = self.take_file(&mut spares)? {
            let reader = Arc::clone(&file.reader);
            let piece = file.stream.next_of(&reader, &mut spares);
            let index = file.index;
            let stored = file.stream.stored_progress();
            match piece {
                Err(error) => {
                    self.give_back(None);
                    return Err(error);
                }
                Ok(None) => {
                    if let Some(damage) = file.stream.damage() {
                        let damage = Some(damage.to_owned());
                        locked(&self.results).first.files[index as usize].damage = damage;
                    }
                    self.give_back(None);
                    self.progress.advance(0, stored);
                }
                Ok(Some(piece)) => {
                    self.give_back(Some(file));
                    spares.give(worker.piece(index, &reader, piece, stored)?);
                }
            }
        }
        worker.finish()
    }

    /// A file to read a chunk from: one that is open, or the next one opened, or one that another worker gives back.
    fn take_file(&self, spares: &mut Spares) -> Result<Option<OpenFile>, StorageError> {
        let mut queue = locked(&self.queue);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if let Some(file) = queue.open.pop() {
                queue.reading += 1;
                return Ok(Some(file));
            }
            if queue.next < self.until {
                let index = queue.next;
                queue.next += 1;
                queue.reading += 1;
                drop(queue);
                match self.open(index, spares) {
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
    fn open(&self, index: usize, spares: &mut Spares) -> Result<Option<OpenFile>, StorageError> {
        let Some(file) = self.files.get(index) else { return Ok(None) };
        let path = self.engine.project.root.join(&file.path);
        let mut stream = Stream::open_beginning(self.storage, &path, file.bytes, spares)?;
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let opened = {
            let (head, whole) = stream.head()?;
            self.engine.open(file.source, &file.path, head, whole)
        };
        match opened {
            Ok(reader) => {
                let reader = Arc::new(reader);
                {
                    let mut results = locked(&self.results);
                    let result = &mut results.first.files[index];
                    result.layout = reader.layout_name().to_owned();
                    result.clock = self.engine.clock_difference(file.source, &reader);
                    result.reader = stream.packed_with().is_none().then(|| Arc::clone(&reader));
                }
                stream.skip(reader.body_start());
                Ok(Some(OpenFile { index: number, stream, reader }))
            }
            Err(error) => {
                let mut results = locked(&self.results);
                let result = &mut results.first.files[index];
                result.refused = Some((error.code(), error.to_string(), error.help()));
                result.counts.records += 1;
                result.counts.rejected += 1;
                Ok(None)
            }
        }
    }
}

/// What one worker gathers.
struct Worker<'s> {
    shared: &'s Shared<'s>,
    appender: Appender<'s>,
    runs: Vec<Run>,
    rows: RowBuffer,
    keys: Partitions<'s>,
    legs: Partitions<'s>,
    leg_files: BTreeSet<u32>,
    not_a_call: [u64; NotACall::ALL.len()],
    history: HistoryCounts,
    /// Telephones met lately.
    lines: Lines,
}

impl<'s> Worker<'s> {
    fn new(shared: &'s Shared<'s>) -> Self {
        Self {
            shared,
            appender: shared.store.appender(),
            runs: Vec::new(),
            rows: RowBuffer::default(),
            keys: Partitions::new(shared.store, KEY_PARTITIONS, PARTITION_BYTES),
            legs: Partitions::new(shared.store, LEG_PARTITIONS, PARTITION_BYTES),
            leg_files: BTreeSet::new(),
            not_a_call: [0; NotACall::ALL.len()],
            history: HistoryCounts::default(),
            lines: Lines::default(),
        }
    }

    /// Works on a piece of a file; gives its buffer back.
    fn piece(&mut self, file: u32, reader: &Reader, piece: Piece, stored: u64) -> Result<Buffer, StorageError> {
        let Some(source) = self.shared.files.get(file as usize).map(|file| file.source) else {
            return Ok(Buffer::default());
        };
        let (chunk, is_whole) = match piece {
            Piece::Records(chunk) => (chunk, true),
            Piece::TooLong(chunk) => (chunk, false),
        };
        let mut work = ChunkWork::new(self, source);
        if is_whole {
            let mut records = reader.records(file, chunk.offset, &chunk.bytes, chunk.last);
            let mut cdr = Cdr::blank(RecordId::from_bits(0), &[]);
            while let Some(read) = records.read(&mut cdr) {
                work.record(read.map(|()| &cdr))?;
            }
            work.finish_block()?;
        } else {
            work.record(Err(reader.too_long(file, chunk.offset, &chunk.bytes)))?;
        }
        let (counts, frames, rejected, rejects) = (work.counts, work.frames, work.rejected, work.rejects);
        self.shared.progress.advance(counts.records, stored);
        if self.rows.bytes() >= RUN_BYTES {
            self.runs.push(self.rows.set_aside(&mut self.appender)?);
        }
        let mut results = locked(&self.shared.results);
        if let Some(result) = results.first.files.get_mut(file as usize) {
            result.counts += counts;
            result.frames.merge(frames);
            for (sum, count) in result.rejected.iter_mut().zip(rejected) {
                *sum += count;
            }
        }
        results.add(Part { file, offset: chunk.offset, records: counts.records, rejects });
        Ok(chunk.bytes)
    }

    fn finish(mut self) -> Result<(), StorageError> {
        if !self.rows.is_empty() {
            self.runs.push(self.rows.set_aside(&mut self.appender)?);
        }
        let (keys, legs) = (self.keys.finish()?, self.legs.finish()?);
        let mut results = locked(&self.shared.results);
        let first = &mut results.first;
        first.runs.append(&mut self.runs);
        for (all, own) in [(&mut first.keys, keys), (&mut first.legs, legs)] {
            for (all, mut own) in all.iter_mut().zip(own) {
                all.append(&mut own);
            }
        }
        first.leg_files.append(&mut self.leg_files);
        for (sum, count) in first.not_a_call.iter_mut().zip(self.not_a_call) {
            *sum += count;
        }
        first.history.merge(&self.history);
        Ok(())
    }
}

/// What one chunk gathers.
struct ChunkWork<'w, 's, 'b> {
    worker: &'w mut Worker<'s>,
    engine: &'s Engine<'s>,
    /// Calls that go on together.
    block: Vec<Arrived<'b>>,
    source: SourceId,
    scope: u64,
    rejects: Vec<RejectedRecord>,
    rejected: [u64; RejectReason::ALL.len()],
    counts: Counts,
    frames: Frames,
}

impl<'w, 's: 'b, 'b> ChunkWork<'w, 's, 'b> {
    fn new(worker: &'w mut Worker<'s>, source: SourceId) -> Self {
        let engine = worker.shared.engine;
        Self {
            worker,
            engine,
            block: Vec::with_capacity(BLOCK),
            source,
            scope: engine.duplicate_scope(source),
            rejects: Vec::new(),
            rejected: [0; RejectReason::ALL.len()],
            counts: Counts::default(),
            frames: Frames::default(),
        }
    }

    fn record(&mut self, record: Result<&Cdr<'b>, Reject<'_>>) -> Result<(), StorageError> {
        self.counts.records += 1;
        let cdr = match record {
            Ok(cdr) => cdr,
            Err(reject) => {
                self.frames.records += 1;
                self.reject(&reject);
                return Ok(());
            }
        };
        match (cdr.frame, cdr.kind) {
            (Some(frame), _) => self.frames.add(frame),
            (None, Kind::NotACall(NotACall::Marker)) => {}
            _ => self.frames.records += 1,
        }
        match self.engine.mediate_one_of(self.source, cdr, &mut self.worker.lines) {
            Mediated::NotACall(why) => {
                self.counts.not_a_call += 1;
                if let Some(count) = self.worker.not_a_call.get_mut(why as usize) {
                    *count += 1;
                }
                Ok(())
            }
            Mediated::NeedsPartner(group) => self.set_aside(cdr, group, 0),
            Mediated::Linked(call, groups) => {
                for (group, link) in groups.into_iter().zip(1..).filter(|(group, _)| *group != Group::default()) {
                    self.set_aside(cdr, group, link)?;
                }
                self.call(cdr, call, None)
            }
            Mediated::Call(call) => self.call(cdr, call, None),
            Mediated::Suspended(call, reason) => self.call(cdr, call, Some(reason.code())),
        }
    }

    fn set_aside(&mut self, cdr: &Cdr<'_>, group: Group<'_>, link: u8) -> Result<(), StorageError> {
        let hash = FixedState::with_seed(0x1e6).hash_one((self.scope, group));
        let partition = (hash >> 58) as usize % LEG_PARTITIONS;
        let legs = &mut self.worker.legs;
        Leg { source: self.source, record: cdr.id, link, raw: cdr.raw }.write(legs.buffer(partition));
        self.worker.leg_files.insert(cdr.id.file());
        legs.flush_full(partition)
    }

    /// A call waits until its block is full.
    #[inline]
    fn call(&mut self, cdr: &Cdr<'b>, call: Call<'b>, suspended: Option<&'static str>) -> Result<(), StorageError> {
        let Key { hash, .. } = Key::of(self.scope, cdr, 0);
        self.block.push(Arrived { call, suspended, hash });
        if self.block.len() == BLOCK { self.finish_block() } else { Ok(()) }
    }

    /// Attributes and rates the calls that wait, and sets their rows and keys aside.
    fn finish_block(&mut self) -> Result<(), StorageError> {
        let Self { worker, engine, block, counts, .. } = self;
        let Worker { rows, keys, history, .. } = &mut **worker;
        let mut set_aside = Ok(());
        engine.finish_all(block, rows, |place, fate| {
            let Some(arrived) = block.get(place) else { return };
            let id = arrived.call.cdr.id;
            match fate {
                Fate::Row(status) => {
                    let key = Key { hash: arrived.hash, record: id.to_bits(), status };
                    let partition = key.partition();
                    key.write(keys.buffer(partition));
                    if let Err(error) = keys.flush_full(partition) {
                        set_aside = Err(error);
                    }
                    return;
                }
                Fate::OtherPeriod => {}
                Fate::Settled => history.settled += 1,
                Fate::StillSuspended => history.suspended(id),
            }
            counts.other_period += 1;
        });
        block.clear();
        set_aside
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
}
