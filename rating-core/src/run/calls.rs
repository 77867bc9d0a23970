//! The calls of a project one by one, in canonical order, for those that look at single ones: explanations and checks.
//!
//! What is a call, which record stands for it, and which records are duplicates is decided by the same functions that a
//! month is run by; but on one thread, and nothing is set aside on disk.

use super::RunError;
use super::engine::Engine;
use super::history;
use super::inputs::{Piece, Spares, Stream};
use super::storage::Storage;
use crate::cdr::{Cdr, FileError, Group, Kind, Reader, Reject};
use crate::ids::SourceId;
use crate::mediation::{Assembled, Call, Mediated, MediationReason, WaitsFor};
use crate::source::RecordId;
use std::collections::{BTreeMap, BTreeSet};

/// An input file.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// Whose.
    pub(super) source: SourceId,
    /// Path below the project.
    pub(super) path: String,
}

/// A call, and why mediation gave it up, if it did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// The call.
    pub(super) call: Call<'a>,
    /// The hash of the key of the record that stands for it.
    pub(super) hash: history::Hash,
    /// What kind of record that is.
    pub(super) kind: Kind<'a>,
    /// Why it cannot be rated.
    pub(super) suspended: Option<MediationReason>,
    /// The records that it was put together from, in time; empty for a call of one record.
    pub(super) members: &'a [Member<'a>],
}

/// A record of a call that has several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    /// The record as a call by itself.
    pub(super) alone: Call<'a>,
    /// What kind of record it is.
    pub(super) kind: Kind<'a>,
    /// What it is to the call.
    pub(super) role: MemberRole,
}

/// What a record is to a call of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberRole {
    /// It stands for the call.
    Stands,
    /// It is part of it.
    Merged,
    /// It is a call by itself, and tells how a party came in.
    Tells,
}

/// A record that waits, and those that it has found so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting<'a> {
    /// The record as a call by itself.
    pub(super) alone: Call<'a>,
    /// What has not come.
    pub(super) waits_for: WaitsFor,
    /// All records of its group that wait, in time, itself among them.
    pub(super) with: &'a [Member<'a>],
}

/// All input files in canonical order.
///
/// # Errors
///
/// If a folder cannot be listed.
pub(super) fn inputs(storage: &dyn Storage, engine: &Engine<'_>) -> Result<Vec<Input>, RunError> {
    let mut inputs = Vec::new();
    for source in engine.project.sources() {
        let found = engine.project.files_of(storage, source)?;
        inputs.extend(found.files.into_iter().map(|path| Input { source, path }));
    }
    Ok(inputs)
}

/// A record that waits for its partner: where it is from, and its bytes.
struct Half {
    source: SourceId,
    id: RecordId,
    raw: Vec<u8>,
}

/// What a reader of all records sees.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'a> {
    /// A call.
    Call(&'a Found<'a>),
    /// A record that cannot be read, and its number in its file, from 1.
    Rejected(Reject<'a>, u64),
    /// A file that is none of its source's: which, why, and what to do.
    Refused(u32, &'a FileError),
    /// A record that waits for others.
    Waiting(&'a Waiting<'a>),
}

/// Shows every call to `visit`, those put together from halves last. Records equal to an earlier one are passed over;
/// files that are none of their source's are, too.
///
/// # Errors
///
/// If a file cannot be read.
pub(super) fn each(
    storage: &dyn Storage,
    engine: &Engine<'_>,
    inputs: &[Input],
    visit: &mut dyn FnMut(&Found<'_>),
) -> Result<(), RunError> {
    every(storage, engine, inputs, &mut |seen| {
        if let Seen::Call(found) = seen {
            visit(found);
        }
    })
}

/// Shows every call to `visit`, and what is none because something is wrong or missing; what needs several records last.
/// Records equal to an earlier one are passed over.
///
/// # Errors
///
/// If a file cannot be read.
pub(super) fn every(
    storage: &dyn Storage,
    engine: &Engine<'_>,
    inputs: &[Input],
    visit: &mut dyn FnMut(&Seen<'_>),
) -> Result<(), RunError> {
    let mut seen: BTreeSet<(u64, u64)> = BTreeSet::new();
    let mut readers: BTreeMap<u32, Reader> = BTreeMap::new();
    let mut halves: BTreeMap<(u32, [Vec<u8>; 3]), Vec<Half>> = BTreeMap::new();
    for (file, input) in (0_u32..).zip(inputs) {
        let mut stream = Stream::open(storage, &engine.project.root.join(&input.path))?;
        let opened = {
            let (head, whole) = stream.head()?;
            engine.open(input.source, &input.path, head, whole)
        };
        let reader = match opened {
            Ok(reader) => reader,
            Err(error) => {
                visit(&Seen::Refused(file, &error));
                continue;
            }
        };
        let mut number = 0;
        stream.skip(reader.body_start());
        let mut needs_reader = false;
        let mut spares = Spares::default();
        loop {
            let chunk = match stream.next_of(&reader, &mut spares)? {
                None => break,
                Some(Piece::TooLong(chunk)) => {
                    number += 1;
                    visit(&Seen::Rejected(reader.too_long(file, chunk.offset, &chunk.bytes), number));
                    continue;
                }
                Some(Piece::Records(chunk)) => chunk,
            };
            for record in reader.records(file, chunk.offset, &chunk.bytes, chunk.last) {
                number += 1;
                let cdr = match record {
                    Ok(cdr) => cdr,
                    Err(reject) => {
                        visit(&Seen::Rejected(reject, number));
                        continue;
                    }
                };
                let hash = history::hash_of(engine.duplicate_scope(input.source), &cdr);
                if !seen.insert(hash) {
                    continue;
                }
                let found = |call, suspended| Found { call, hash, kind: cdr.kind, suspended, members: &[] };
                match engine.mediate(input.source, &cdr) {
                    Mediated::Call(call) => visit(&Seen::Call(&found(call, None))),
                    Mediated::Suspended(call, why) => visit(&Seen::Call(&found(call, Some(why)))),
                    Mediated::Linked(call, groups) => {
                        needs_reader = true;
                        for group in groups.into_iter().filter(|group| *group != Group::default()) {
                            let half = Half { source: input.source, id: call.cdr.id, raw: call.cdr.raw.to_vec() };
                            halves.entry((input.source.0, group.map(<[u8]>::to_vec))).or_default().push(half);
                        }
                        visit(&Seen::Call(&found(call, None)));
                    }
                    Mediated::NotACall(_) => {}
                    Mediated::NeedsPartner(group) => {
                        needs_reader = true;
                        let half = Half { source: input.source, id: cdr.id, raw: cdr.raw.to_vec() };
                        halves.entry((input.source.0, group.map(<[u8]>::to_vec))).or_default().push(half);
                    }
                }
            }
        }
        if needs_reader {
            readers.insert(file, reader);
        }
    }
    for group in halves.values() {
        let cdrs: Vec<Cdr<'_>> =
            group.iter().filter_map(|half| readers.get(&half.id.file())?.parse_one(half.id, &half.raw).ok()).collect();
        let Some(source) = group.first().map(|half| half.source) else { continue };
        let verdicts = engine.assemble(source, &cdrs);
        let members = |role: &dyn Fn(usize, &Assembled<'_>) -> Option<MemberRole>| {
            let mut members: Vec<Member<'_>> = verdicts
                .iter()
                .zip(&cdrs)
                .enumerate()
                .filter_map(|(index, (verdict, cdr))| {
                    Some(Member { role: role(index, verdict)?, alone: engine.alone(source, cdr)?, kind: cdr.kind })
                })
                .collect();
            members.sort_by_key(|member| (member.alone.setup_at, member.alone.cdr.id));
            members
        };
        for (index, (verdict, cdr)) in verdicts.iter().zip(&cdrs).enumerate() {
            let (call, suspended) = match verdict {
                Assembled::Call(call) => (*call, None),
                Assembled::Suspended(call, why) => (*call, Some(*why)),
                _ => continue,
            };
            let of_call = members(&|other, verdict| match verdict {
                _ if other == index => Some(MemberRole::Stands),
                Assembled::MergedInto(stands) if *stands == index => Some(MemberRole::Merged),
                Assembled::Elsewhere => Some(MemberRole::Tells),
                _ => None,
            });
            let members = if of_call.len() > 1 { of_call.as_slice() } else { &[] };
            let hash = history::hash_of(engine.duplicate_scope(source), cdr);
            visit(&Seen::Call(&Found { call, hash, kind: cdr.kind, suspended, members }));
        }
        let waiting = members(&|_, verdict| match verdict {
            Assembled::Waiting(_) => Some(MemberRole::Merged),
            _ => None,
        });
        for (verdict, cdr) in verdicts.iter().zip(&cdrs) {
            if let (Assembled::Waiting(waits_for), Some(alone)) = (verdict, engine.alone(source, cdr)) {
                visit(&Seen::Waiting(&Waiting { alone, waits_for: *waits_for, with: &waiting }));
            }
        }
    }
    Ok(())
}
