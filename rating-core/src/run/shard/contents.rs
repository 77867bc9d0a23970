//! What is in a partial file: a first pass, in an order that no number of threads changes.
//!
//! Rows are sorted by payer, time and record and keep the form that a run sets them aside in; keys and records that wait
//! for others are sorted within their partitions. So the same files give the same bytes, and a merge reads them where they
//! lie.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::RunError;
use super::super::aside::Kept;
use super::super::completeness::Frames;
use super::super::control::Counts;
use super::super::engine::Engine;
use super::super::first_pass::{FileResult, FirstPass, InputFile, LEG_PARTITIONS, Leg, RejectedRecord};
use super::super::history::HistoryCounts;
use super::super::inputs::{Spares, Stream};
use super::super::keys::{self, KEY_PARTITIONS};
use super::super::publish::hex;
use super::super::spill::{GroupKey, Rows, Run, Stretch};
use super::super::storage::{Storage, StorageError};
use super::acknowledgement::{Acknowledgement, Sums, Totals, agree};
use super::partial::{Kind, Of, Partial, Section, Writer, long, word};
use crate::cdr::RejectReason;
use crate::finding::{Finding, Findings};
use crate::money::Total;
use crate::rating::Outcome;
use crate::source::RecordId;

/// How many bytes of rows are sorted at once, and how long a run is, about.
const WINDOW: usize = 8 << 20;

/// How long a run may be: its places are numbers of four bytes.
const LONGEST_RUN: u64 = 1 << 30;

/// Bytes of a stored stretch.
const STRETCH: usize = 7 * 4;

/// What stands in the head besides the totals.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    run: String,
    totals: Totals,
    files: Vec<FileHead>,
    not_a_call: Vec<u64>,
    history: HistoryHead,
}

/// What became of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHead {
    layout: String,
    refused: bool,
    damage: Option<String>,
    clock: Option<i64>,
    begins: u64,
    ends: u64,
    declared: Option<u64>,
    in_frames: u64,
    rejected: Vec<u64>,
    records: u64,
    not_a_call: u64,
    other_period: u64,
    rejected_records: u64,
    /// SHA-256 of what tells its layout, if that is wanted again: the file was refused, or records of it wait for others.
    beginning: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryHead {
    settled: u64,
    still_suspended: u64,
    first_suspended: Option<u64>,
}

/// Which part of a month's files a first pass is of, and what they are.
pub(super) struct Source<'s> {
    pub(super) storage: &'s dyn Storage,
    pub(super) engine: &'s Engine<'s>,
    /// Every file of the month.
    pub(super) files: &'s [InputFile],
    /// Those of the shard.
    pub(super) range: Range<usize>,
    /// The run that the shard is a part of.
    pub(super) run: &'s str,
}

/// Writes the partial file of a shard.
///
/// # Errors
///
/// If what was set aside cannot be read back, the disk refuses, or a record vanished.
pub(super) fn write(source: &Source<'_>, path: &Path, of: Of, first: &FirstPass) -> Result<Acknowledgement, RunError> {
    let mut writer = Writer::begin(source.storage, path, of)?;
    let mut totals = totals(source, first);
    let (mut retail, mut wholesale) = (Sums::default(), Sums::default());
    writer.section(Kind::Rows, 0);
    let mut runs: Vec<(u64, Vec<Stretch>)> = Vec::new();
    let windows = windows(first);
    for some in windows.chunks(rayon::current_num_threads().max(1) * 2) {
        let sorted: Vec<Sorted> =
            some.par_iter().map(|window| sort(source.engine, first, window)).collect::<Result<_, StorageError>>()?;
        for sorted in sorted {
            writer.put(&sorted.bytes)?;
            retail.merge(&sorted.retail);
            wholesale.merge(&sorted.wholesale);
            totals.calls += sorted.stretches.iter().map(|stretch| u64::from(stretch.rows)).sum::<u64>();
            append(&mut runs, sorted);
        }
    }
    writer.section(Kind::Runs, 0);
    writer.put(&runs_to_bytes(&runs))?;
    for (partition, blocks) in first.keys.iter().enumerate() {
        let mut bytes = Vec::new();
        keys::read_sorted(blocks)?.iter().for_each(|key| key.write(&mut bytes));
        writer.section(Kind::Keys, number(partition));
        writer.put(&bytes)?;
    }
    for (partition, blocks) in first.legs.iter().enumerate() {
        let mut stored = Vec::new();
        for block in blocks {
            block.take(0, block.len(), &mut stored)?;
        }
        let mut legs = Leg::read_all(&stored);
        legs.sort_by_key(|leg| (leg.record, leg.link));
        totals.set_aside += legs.iter().filter(|leg| leg.link == 0).count() as u64;
        let mut bytes = Vec::with_capacity(stored.len());
        legs.iter().for_each(|leg| leg.write(&mut bytes));
        writer.section(Kind::Legs, number(partition));
        writer.put(&bytes)?;
    }
    writer.section(Kind::Rejects, 0);
    writer.put(&rejects_to_bytes(&first.rejects))?;
    (totals.retail, totals.wholesale) = (retail.to_texts(), wholesale.to_texts());
    totals.check().map_err(RunError::Unbalanced)?;
    let head = head(source, first, &totals)?;
    writer.section(Kind::Head, 0);
    writer.put(&head)?;
    let (sha256, bytes) = writer.finish()?;
    Ok(Acknowledgement {
        plan: hex(&of.plan),
        run: source.run.to_owned(),
        shard: of.shard,
        of: of.shards,
        sha256,
        bytes,
        totals,
    })
}

fn number(partition: usize) -> u32 {
    u32::try_from(partition).unwrap_or(u32::MAX)
}

/// What the files' counts say.
fn totals(source: &Source<'_>, first: &FirstPass) -> Totals {
    let mut totals = Totals::default();
    for (input, result) in source.files.iter().zip(&first.files).take(source.range.end).skip(source.range.start) {
        totals.files += 1;
        totals.input_bytes += input.bytes;
        totals.add_counts(&result.counts);
    }
    totals
}

/// Stretches of one payer that are sorted at once: the run that each lies in, and which of its stretches it is.
struct Window {
    key: GroupKey,
    stretches: Vec<(usize, usize)>,
}

/// The rows of all runs in windows: payer by payer, day by day.
fn windows(first: &FirstPass) -> Vec<Window> {
    let mut all: Vec<(GroupKey, i32, usize, usize)> = Vec::new();
    for (run, of) in first.runs.iter().enumerate() {
        all.extend(of.stretches.iter().enumerate().map(|(at, stretch)| (stretch.key, stretch.day, run, at)));
    }
    all.sort_unstable();
    let length = |run: usize, at: usize| {
        first.runs.get(run).and_then(|run| run.stretches.get(at)).map_or(0, |stretch| stretch.length as usize)
    };
    let mut windows: Vec<Window> = Vec::new();
    let (mut last, mut bytes) = (None, 0);
    for (key, day, run, at) in all {
        // A day of a payer is never cut; a payer whose days do not fit is.
        let same_day = last == Some((key, day));
        let same = last.is_some_and(|(other, _)| other == key) && (same_day || bytes < WINDOW);
        if !same {
            windows.push(Window { key, stretches: Vec::new() });
            bytes = 0;
        }
        if let Some(window) = windows.last_mut() {
            window.stretches.push((run, at));
        }
        bytes += length(run, at);
        last = Some((key, day));
    }
    for window in &mut windows {
        // In the order in which they lie, so that neighbours are read at once.
        window.stretches.sort_unstable();
    }
    windows
}

/// Rows in order, where each day lies among them, and what they come to.
struct Sorted {
    bytes: Vec<u8>,
    stretches: Vec<Stretch>,
    retail: Sums,
    wholesale: Sums,
}

fn sort(engine: &Engine<'_>, first: &FirstPass, window: &Window) -> Result<Sorted, StorageError> {
    let stretches = window
        .stretches
        .iter()
        .filter_map(|(run, at)| first.runs.get(*run).and_then(|run| Some((run, run.stretches.get(*at)?))));
    let rows = Rows::gather(window.key, stretches)?;
    let (retail, wholesale) = sums(engine, &rows);
    let (bytes, stretches) = rows.in_order();
    Ok(Sorted { bytes, stretches, retail, wholesale })
}

/// What rows were rated to.
fn sums(engine: &Engine<'_>, rows: &Rows) -> (Sums, Sums) {
    let (mut retail, mut wholesale) = (Sums::default(), Sums::default());
    for row in rows.iter(engine) {
        for (side, sums) in [(&row.retail, &mut retail), (&row.wholesale, &mut wholesale)] {
            if let (Outcome::Rated(priced), Some(currency)) = (&side.outcome, side.currency) {
                sums.add(currency, Total::from(priced.charge));
            }
        }
    }
    (retail, wholesale)
}

/// Adds rows to the last run, or to a new one.
fn append(runs: &mut Vec<(u64, Vec<Stretch>)>, sorted: Sorted) {
    let length = sorted.bytes.len() as u64;
    match runs.last_mut() {
        Some((bytes, stretches)) if *bytes + length <= LONGEST_RUN => {
            let before = u32::try_from(*bytes).unwrap_or(u32::MAX);
            stretches.extend(
                sorted.stretches.into_iter().map(|stretch| Stretch { start: stretch.start + before, ..stretch }),
            );
            *bytes += length;
        }
        _ => runs.push((length, sorted.stretches)),
    }
}

fn runs_to_bytes(runs: &[(u64, Vec<Stretch>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (bytes, stretches) in runs {
        out.extend_from_slice(&bytes.to_le_bytes());
        out.extend_from_slice(&(stretches.len() as u64).to_le_bytes());
        for stretch in stretches {
            let Stretch { key, day, start, length, rows, last_ms } = stretch;
            out.extend_from_slice(&key.site.to_le_bytes());
            out.extend_from_slice(&key.payer.to_le_bytes());
            out.extend_from_slice(&day.to_le_bytes());
            for number in [start, length, rows, last_ms] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
    }
    out
}

fn runs_from_bytes(mut bytes: &[u8]) -> Option<Vec<(u64, Vec<Stretch>)>> {
    let mut runs = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(16)?;
        let count = usize::try_from(long(head, 8)).ok()?;
        let (stored, rest) = rest.split_at_checked(count.checked_mul(STRETCH)?)?;
        let stretch = |bytes: &[u8]| Stretch {
            key: GroupKey { site: word(bytes, 0), payer: word(bytes, 4) },
            day: word(bytes, 8).cast_signed(),
            start: word(bytes, 12),
            length: word(bytes, 16),
            rows: word(bytes, 20),
            last_ms: word(bytes, 24),
        };
        runs.push((long(head, 0), stored.chunks_exact(STRETCH).map(stretch).collect()));
        bytes = rest;
    }
    Some(runs)
}

fn rejects_to_bytes(rejects: &[RejectedRecord]) -> Vec<u8> {
    let mut out = Vec::new();
    for reject in rejects {
        out.extend_from_slice(&reject.id.to_bits().to_le_bytes());
        out.extend_from_slice(&reject.number.to_le_bytes());
        out.extend_from_slice(&(reject.reason as u32).to_le_bytes());
        out.extend_from_slice(&reject.column.to_le_bytes());
        out.extend_from_slice(&u32::try_from(reject.shown.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&reject.shown);
    }
    out
}

fn rejects_from_bytes(mut bytes: &[u8]) -> Option<Vec<RejectedRecord>> {
    let mut rejects = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(28)?;
        let (shown, rest) = rest.split_at_checked(word(head, 24) as usize)?;
        rejects.push(RejectedRecord {
            id: RecordId::from_bits(long(head, 0)),
            number: long(head, 8),
            reason: *RejectReason::ALL.get(word(head, 16) as usize)?,
            column: word(head, 20),
            shown: shown.to_vec(),
        });
        bytes = rest;
    }
    Some(rejects)
}

/// Why a file was refused: code, words, help.
type Refused = Option<(&'static str, String, String)>;

/// SHA-256 of the beginning of a file, from which its layout is told; and why it is refused, if it is.
fn beginning(storage: &dyn Storage, engine: &Engine<'_>, file: &InputFile) -> Result<(String, Refused), StorageError> {
    let path = engine.project.root.join(&file.path);
    let mut stream = Stream::open_beginning(storage, &path, file.bytes, &mut Spares::default())?;
    let (head, whole) = stream.head()?;
    let mut hash = Sha256::new();
    hash.update([u8::from(whole)]);
    hash.update(head);
    let refused = engine.open(file.source, &file.path, head, whole).err();
    Ok((hex(&hash.finalize()), refused.map(|error| (error.code(), error.to_string(), error.help()))))
}

fn head(source: &Source<'_>, first: &FirstPass, totals: &Totals) -> Result<Vec<u8>, RunError> {
    let mut files = Vec::new();
    for index in source.range.clone() {
        let (Some(input), Some(result)) = (source.files.get(index), first.files.get(index)) else { continue };
        let FileResult { layout, reader: _, refused, damage, clock, frames, rejected, counts } = result;
        let waits = first.leg_files.contains(&number(index));
        files.push(FileHead {
            layout: layout.clone(),
            refused: refused.is_some(),
            damage: damage.clone(),
            clock: *clock,
            begins: frames.begins,
            ends: frames.ends,
            declared: frames.declared,
            in_frames: frames.records,
            rejected: rejected.to_vec(),
            records: counts.records,
            not_a_call: counts.not_a_call,
            other_period: counts.other_period,
            rejected_records: counts.rejected,
            beginning: if waits || refused.is_some() {
                Some(beginning(source.storage, source.engine, input)?.0)
            } else {
                None
            },
        });
    }
    let head = Head {
        run: source.run.to_owned(),
        totals: totals.clone(),
        files,
        not_a_call: first.not_a_call.to_vec(),
        history: HistoryHead {
            settled: first.history.settled,
            still_suspended: first.history.still_suspended,
            first_suspended: first.history.first_suspended.map(RecordId::to_bits),
        },
    };
    serde_json::to_vec(&head).map_err(|error| RunError::Internal(format!("a shard's head cannot be written: {error}")))
}

/// A partial file that was read as far as memory is to hold it.
pub(super) struct Read {
    partial: Partial,
    head: Head,
}

impl Read {
    /// Reads what a partial file says of itself.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn new(storage: &dyn Storage, partial: Partial) -> Result<Self, RunError> {
        let bytes = partial.read(storage, Section { kind: Kind::Head, partition: 0 })?;
        let head = serde_json::from_slice(&bytes)
            .map_err(|error| RunError::Internal(format!("the head of `{}`: {error}", partial.path.display())))?;
        Ok(Self { partial, head })
    }

    /// What was acknowledged when it was written.
    #[must_use]
    pub(super) fn acknowledgement(&self) -> Acknowledgement {
        let Partial { of, sha256, bytes, .. } = &self.partial;
        Acknowledgement {
            plan: hex(&of.plan),
            run: self.head.run.clone(),
            shard: of.shard,
            of: of.shards,
            sha256: sha256.clone(),
            bytes: *bytes,
            totals: self.head.totals.clone(),
        }
    }

    /// The file, as it is shown.
    #[must_use]
    pub(super) fn path(&self) -> String {
        self.partial.path.display().to_string()
    }

    /// The shard's number.
    #[must_use]
    pub(super) fn shard(&self) -> u32 {
        self.partial.of.shard
    }
}

/// The first pass of a month, out of its shards, in order.
///
/// # Errors
///
/// If a file cannot be read, what is in it is not what it says, or a file whose records wait for others has changed.
pub(super) fn first_pass(
    storage: &dyn Storage,
    engine: &Engine<'_>,
    files: &[InputFile],
    shards: &[Read],
) -> Result<FirstPass, RunError> {
    let mut first = FirstPass {
        keys: vec![Vec::new(); KEY_PARTITIONS],
        legs: vec![Vec::new(); LEG_PARTITIONS],
        ..FirstPass::default()
    };
    let mut changed = Findings::default();
    for shard in shards {
        add(storage, engine, files, shard, &mut first, &mut changed)?;
    }
    if changed.has_errors() {
        return Err(RunError::Invalid(changed));
    }
    if first.files.len() != files.len() {
        return Err(RunError::Internal("the shards have other files than the plan".to_owned()));
    }
    Ok(first)
}

fn add(
    storage: &dyn Storage,
    engine: &Engine<'_>,
    files: &[InputFile],
    shard: &Read,
    first: &mut FirstPass,
    changed: &mut Findings,
) -> Result<(), RunError> {
    let Read { partial, head } = shard;
    let name = partial.path.display().to_string();
    let broken = || RunError::Internal(format!("`{name}` has a section that cannot be read"));
    let read = |kind| partial.read(storage, Section { kind, partition: 0 });
    let mut found = Totals::default();
    for file in &head.files {
        let index = first.files.len();
        let input = files.get(index).ok_or_else(broken)?;
        let mut refused = None;
        if let Some(hash) = &file.beginning {
            let words = match beginning(storage, engine, input) {
                Ok((found, why)) if found == *hash => {
                    refused = why;
                    None
                }
                Ok(_) => Some(format!("`{}` is not what it was when its shard was rated", input.path)),
                Err(error) if error.error.kind() == ErrorKind::NotFound => Some(format!("`{}` is gone", input.path)),
                Err(error) => return Err(error.into()),
            };
            if let Some(words) = words {
                let finding = Finding::error("shard.input_changed", words).in_file(input.path.clone());
                changed.push(finding.help(super::PLAN_AGAIN));
            } else if refused.is_some() != file.refused {
                return Err(broken());
            }
            if !file.refused {
                first.leg_files.insert(number(index));
            }
        }
        let result = result(file, refused).ok_or_else(broken)?;
        found.files += 1;
        found.input_bytes += input.bytes;
        found.add_counts(&result.counts);
        first.files.push(result);
    }
    for (sum, count) in first.not_a_call.iter_mut().zip(&head.not_a_call) {
        *sum += count;
    }
    first.history.merge(&HistoryCounts {
        settled: head.history.settled,
        still_suspended: head.history.still_suspended,
        first_suspended: head.history.first_suspended.map(RecordId::from_bits),
    });
    first.rejects.extend(rejects_from_bytes(&read(Kind::Rejects)?).ok_or_else(broken)?);
    let kept = Kept::open(storage, &partial.path)?;
    let block = |kind, partition| {
        let (offset, length) = partial.place(Section { kind, partition: number(partition) });
        (length > 0).then(|| kept.block(offset, usize::try_from(length).unwrap_or(usize::MAX)))
    };
    for (partition, blocks) in first.keys.iter_mut().enumerate() {
        blocks.extend(block(Kind::Keys, partition));
    }
    for (partition, blocks) in first.legs.iter_mut().enumerate() {
        let own = block(Kind::Legs, partition);
        if let Some(block) = &own {
            found.set_aside += Leg::read_all(&block.read()?).iter().filter(|leg| leg.link == 0).count() as u64;
        }
        blocks.extend(own);
    }
    let (mut start, length) = partial.place(Section { kind: Kind::Rows, partition: 0 });
    let end = start + length;
    let mut runs = Vec::new();
    for (bytes, stretches) in runs_from_bytes(&read(Kind::Runs)?).ok_or_else(broken)? {
        let block = kept.block(start, usize::try_from(bytes).unwrap_or(usize::MAX));
        runs.push(Run { block, stretches });
        start = start.checked_add(bytes).filter(|start| *start <= end).ok_or_else(broken)?;
    }
    if start != end {
        return Err(broken());
    }
    count_rows(engine, &runs, &mut found)?;
    agree(&name, &head.totals, &found)?;
    first.runs.extend(runs);
    Ok(())
}

/// Adds up all rows once more: a shard's totals are those of what is in it, by the tables that its month is made with.
fn count_rows(engine: &Engine<'_>, runs: &[Run], found: &mut Totals) -> Result<(), StorageError> {
    // Stretches of one payer that lie behind each other, as many as are held at once.
    let mut windows: Vec<(&Run, Range<usize>)> = Vec::new();
    for run in runs {
        let mut bytes = 0;
        for (at, stretch) in run.stretches.iter().enumerate() {
            let length = stretch.length as usize;
            match windows.last_mut() {
                Some((of, range))
                    if std::ptr::eq(*of, run)
                        && run.stretches.get(range.start).is_some_and(|first| first.key == stretch.key)
                        && bytes + length <= WINDOW =>
                {
                    range.end = at + 1;
                    bytes += length;
                }
                _ => {
                    windows.push((run, at..at + 1));
                    bytes = length;
                }
            }
        }
    }
    let sums: Vec<(u64, Sums, Sums)> = windows
        .par_iter()
        .map(|(run, range)| {
            let stretches = run.stretches.get(range.clone()).unwrap_or_default();
            let Some(first) = stretches.first() else { return Ok((0, Sums::default(), Sums::default())) };
            let rows = Rows::gather(first.key, stretches.iter().map(|stretch| (*run, stretch)))?;
            let (retail, wholesale) = sums(engine, &rows);
            Ok((rows.len() as u64, retail, wholesale))
        })
        .collect::<Result<_, StorageError>>()?;
    let (mut retail, mut wholesale) = (Sums::default(), Sums::default());
    for (rows, of_retail, of_wholesale) in &sums {
        found.calls += rows;
        retail.merge(of_retail);
        wholesale.merge(of_wholesale);
    }
    (found.retail, found.wholesale) = (retail.to_texts(), wholesale.to_texts());
    Ok(())
}

/// What a run knows of a file.
fn result(file: &FileHead, refused: Refused) -> Option<FileResult> {
    Some(FileResult {
        reader: None,
        layout: file.layout.clone(),
        refused,
        damage: file.damage.clone(),
        clock: file.clock,
        frames: Frames { begins: file.begins, ends: file.ends, declared: file.declared, records: file.in_frames },
        rejected: file.rejected.as_slice().try_into().ok()?,
        counts: Counts {
            records: file.records,
            not_a_call: file.not_a_call,
            other_period: file.other_period,
            rejected: file.rejected_records,
            ..Counts::default()
        },
    })
}
