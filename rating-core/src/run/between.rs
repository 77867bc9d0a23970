//! Between the passes: duplicates are found and halves of one call put together, one partition at a time.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::RunError;
use super::aside::{Appender, Block, Store};
use super::engine::{Arrived, Engine, Fate};
use super::exact::{self, Alike};
use super::first_pass::{FirstPass, InputFile, LEG_PARTITIONS, Leg};
use super::history::{HistoryCounts, Status};
use super::inputs::{Spares, Stream};
use super::keys::{self, Key};
use super::spill::{RowBuffer, Run};
use super::storage::{Storage, StorageError};
use super::unchanged;
use crate::cdr::{Cdr, Kind, Reader};
use crate::ids::SourceId;
use crate::mediation::{Assembled, Mediated, WaitsFor};
use crate::source::RecordId;

/// What came of it.
#[derive(Default)]
pub(super) struct Joined {
    /// Records that are equal to an earlier one, sorted.
    pub(super) duplicates: Vec<u64>,
    /// Rows of assembled calls, one run a partition.
    pub(super) runs: Vec<Run>,
    /// What became of the records that were set aside.
    pub(super) legs: Vec<(RecordId, LegFate)>,
    /// Keys of records that are calls by themselves, sorted, by partition.
    pub(super) sorted: Vec<Block>,
    /// Keys of those that stand for a call of several or belong to one, for the record index.
    pub(super) keys: Vec<Key>,
    /// Records that the books of closed months know.
    pub(super) history: HistoryCounts,
}

/// What became of a record that needed another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegFate {
    /// It stands for a call of the month.
    Used,
    /// Another record stands for its call.
    Merged,
    /// The same record was there before.
    Duplicate,
    /// What it needs has not come.
    Waiting(WaitsFor),
    /// Its call belongs to another month.
    OtherPeriod,
    /// It cannot be read again: a fault of this program, found by the control figures.
    Lost,
}

/// Finds duplicates and assembles calls. The keys of the first pass are gone after it.
///
/// # Errors
///
/// If what was set aside cannot be read.
pub(super) fn run(
    engine: &Engine<'_>,
    storage: &dyn Storage,
    files: &[InputFile],
    first: &mut FirstPass,
    store: &Store<'_>,
) -> Result<Joined, RunError> {
    let partitions: Vec<(Block, Vec<Alike>)> = (std::mem::take(&mut first.keys).into_par_iter())
        .map_init(|| store.appender(), |appender, blocks| with_one_hash(blocks, store, appender))
        .collect::<Result<_, StorageError>>()?;
    let (sorted, groups): (Vec<Block>, Vec<Vec<Alike>>) = partitions.into_iter().unzip();
    let groups: Vec<Alike> = groups.into_iter().flatten().collect();
    let duplicates = exact::duplicates(engine, storage, files, &first.files, &groups)?;
    let mut joined = Joined { duplicates, sorted, ..Joined::default() };
    if !first.leg_files.is_empty() {
        let readers = reopen(engine, storage, files, first)?;
        let assembled: Vec<Assembly> = (0..LEG_PARTITIONS)
            .into_par_iter()
            .map(|partition| assemble(engine, &mut store.appender(), first, &readers, partition))
            .collect::<Result<_, StorageError>>()?;
        for assembly in assembled {
            joined.legs.extend(assembly.fates);
            joined.keys.extend(assembly.keys);
            joined.history.merge(&assembly.history);
            joined.runs.extend(assembly.run);
        }
    }
    Ok(joined)
}

/// The keys of a partition, sorted; and the records whose hash others have, too: those of each such hash in order.
fn with_one_hash(
    blocks: Vec<Block>,
    store: &Store<'_>,
    appender: &mut Appender<'_>,
) -> Result<(Block, Vec<Alike>), StorageError> {
    let sorted = keys::read_sorted(&blocks)?;
    store.give_back(blocks);
    let groups = sorted.chunk_by(|one, other| one.hash == other.hash).filter(|group| group.len() > 1);
    let alike = |group: &[Key]| {
        let hash = group.first()?.hash;
        Some(Alike { hash, records: group.iter().map(|key| key.record).collect() })
    };
    let groups = groups.filter_map(alike).collect();
    Ok((keys::set_aside(&sorted, appender)?, groups))
}

/// Readers of the files that set records aside, by file index.
fn reopen(
    engine: &Engine<'_>,
    storage: &dyn Storage,
    files: &[InputFile],
    first: &FirstPass,
) -> Result<BTreeMap<u32, Reader>, RunError> {
    let mut readers = BTreeMap::new();
    for index in &first.leg_files {
        let Some(file) = files.get(*index as usize) else { continue };
        let path = engine.project.root.join(&file.path);
        let mut stream = Stream::open_beginning(storage, &path, file.bytes, &mut Spares::default())?;
        let (head, whole) = stream.head()?;
        let reader = engine.open(file.source, &file.path, head, whole).map_err(|_| unchanged::refuse(&file.path))?;
        readers.insert(*index, reader);
    }
    Ok(readers)
}

/// Records of a site that share a pair's name, each with its source.
type Pair<'a> = Vec<(SourceId, Cdr<'a>)>;

struct Assembly {
    run: Option<Run>,
    fates: Vec<(RecordId, LegFate)>,
    keys: Vec<Key>,
    history: HistoryCounts,
}

fn assemble(
    engine: &Engine<'_>,
    appender: &mut Appender<'_>,
    first: &FirstPass,
    readers: &BTreeMap<u32, Reader>,
    partition: usize,
) -> Result<Assembly, StorageError> {
    let mut bytes = Vec::new();
    for block in first.legs.get(partition).into_iter().flatten() {
        block.take(0, block.len(), &mut bytes)?;
    }
    let mut legs = Leg::read_all(&bytes);
    // Workers came by in any order; a group's records are looked at in the canonical one.
    legs.sort_by_key(|leg| (leg.record, leg.link));
    let mut fates = Vec::new();
    let mut groups: BTreeMap<(u64, crate::cdr::Group<'_>), Pair<'_>> = BTreeMap::new();
    for leg in legs {
        let read = readers.get(&leg.record.file()).map(|reader| reader.parse_one(leg.record, leg.raw));
        match read {
            Some(Ok(cdr)) => {
                let group = match (engine.mediate(leg.source, &cdr), leg.link) {
                    (Mediated::NeedsPartner(group), 0) => group,
                    (Mediated::Linked(_, [group, _]), 1) | (Mediated::Linked(_, [_, group]), 2) => group,
                    _ => {
                        fates.push((leg.record, LegFate::Lost));
                        continue;
                    }
                };
                groups.entry((engine.duplicate_scope(leg.source), group)).or_default().push((leg.source, cdr));
            }
            _ => fates.push((leg.record, LegFate::Lost)),
        }
    }
    let mut rows = RowBuffer::default();
    let (mut keys, mut history) = (Vec::new(), HistoryCounts::default());
    for group in groups.into_values() {
        // The same record may be in two sources of a site; but two switches of a site count their channels alike, so only
        // halves out of one source belong together.
        let mut seen = std::collections::BTreeSet::new();
        let mut by_source: BTreeMap<SourceId, Vec<Cdr<'_>>> = BTreeMap::new();
        for (source, cdr) in group {
            if seen.insert(cdr.exact_key()) {
                by_source.entry(source).or_default().push(cdr);
            } else if !matches!(cdr.kind, Kind::Split { .. }) {
                fates.push((cdr.id, LegFate::Duplicate));
            }
        }
        for (source, halves) in by_source {
            let scope = engine.duplicate_scope(source);
            let verdicts = engine.assemble(source, &halves);
            // What became of the calls that records stand for, so that the others share it.
            let mut of_call: Vec<Option<u8>> = vec![None; halves.len()];
            for (index, (verdict, cdr)) in verdicts.iter().zip(&halves).enumerate() {
                let (call, suspended) = match verdict {
                    Assembled::Call(call) => (call, None),
                    Assembled::Suspended(call, why) => (call, Some(why.code())),
                    _ => continue,
                };
                let key = Key::of(scope, cdr, 0);
                let fate = match engine.finish(Arrived { call: *call, suspended, hash: key.hash }, &mut rows) {
                    Fate::Row(status) => {
                        of_call[index] = Some(status);
                        keys.push(Key { status, ..key });
                        LegFate::Used
                    }
                    Fate::OtherPeriod => LegFate::OtherPeriod,
                    Fate::Settled => {
                        history.settled += 1;
                        LegFate::OtherPeriod
                    }
                    Fate::StillSuspended => {
                        history.suspended(cdr.id);
                        LegFate::OtherPeriod
                    }
                };
                fates.push((cdr.id, fate));
            }
            for (verdict, cdr) in verdicts.iter().zip(&halves) {
                let fate = match verdict {
                    Assembled::Call(_) | Assembled::Suspended(..) | Assembled::Elsewhere => continue,
                    Assembled::MergedInto(stands) => {
                        if let Some(of_call) = of_call.get(*stands).copied().flatten() {
                            keys.push(Key::of(scope, cdr, Status::Merged.byte(Status::is_late(of_call))));
                        }
                        LegFate::Merged
                    }
                    Assembled::Waiting(waits_for) => LegFate::Waiting(*waits_for),
                };
                fates.push((cdr.id, fate));
            }
        }
    }
    let run = if rows.is_empty() { None } else { Some(rows.set_aside(appender)?) };
    Ok(Assembly { run, fates, keys, history })
}
