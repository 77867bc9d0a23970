//! The calls of a project one by one, in canonical order, for those that look at single ones: explanations and checks.
//!
//! What is a call, which record stands for it, and which records are duplicates is decided by the same functions that a
//! month is run by; but on one thread, and nothing is set aside on disk.

use super::RunError;
use super::engine::Engine;
use super::history;
use super::inputs::{Piece, Stream};
use super::storage::Storage;
use crate::cdr::{Cdr, FileError, Reader, Reject, records};
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
    /// Why it cannot be rated.
    pub(super) suspended: Option<MediationReason>,
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
    /// A record that waits for others, and for what.
    Waiting(&'a Cdr<'a>, WaitsFor),
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
        let line_end = match reader.line_end() {
            records::LineEnd::Lf => b'\n',
            records::LineEnd::Cr => b'\r',
        };
        let mut needs_reader = false;
        loop {
            let split = |buffer: &[u8], at_end| reader.split_point(buffer, at_end);
            let chunk = match stream.next_piece(split, reader.min_buffer(), line_end)? {
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
                if !seen.insert(history::hash(engine.duplicate_scope(input.source), &cdr.key)) {
                    continue;
                }
                match engine.mediate(input.source, cdr) {
                    Mediated::Call(call) => visit(&Seen::Call(&Found { call, suspended: None })),
                    Mediated::Suspended(call, why) => visit(&Seen::Call(&Found { call, suspended: Some(why) })),
                    Mediated::NotACall(_) => {}
                    Mediated::NeedsPartner(cdr, group) => {
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
        for (verdict, cdr) in engine.assemble(source, &cdrs).into_iter().zip(&cdrs) {
            match verdict {
                Assembled::Call(call) => visit(&Seen::Call(&Found { call, suspended: None })),
                Assembled::Waiting(why) => visit(&Seen::Waiting(cdr, why)),
                Assembled::MergedInto(_) => {}
            }
        }
    }
    Ok(())
}
