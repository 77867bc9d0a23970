//! Two published versions of a month, call by call, and why each difference is there.
//!
//! A call is the same in both if its record is: the same place of the same file. A file is the same if its source and
//! path are, or its source and content (it was renamed). What is left is matched by what the calls were (id, parties, instant,
//! duration), as when a record comes in another file, then by source and id alone, as when a record was corrected.
//!
//! Memory: about 50 bytes for each call of the sites that differ, and the file of one site; only calls that are not the same are read a
//! second time, two hundred thousand at once.

mod pairs;
mod version;

use std::io::Write;
use std::path::PathBuf;

use foldhash::fast::FixedState;

use self::pairs::{Entry, Key, Pair, pairs};
use self::version::{Files, Version};
use super::RunError;
use super::compare::{Comparison, Delta, Sums, csv_header, side_by_side};
use super::storage::Storage;
use crate::aggregation::SideName;
use crate::ids::Interner;
use crate::report::{PublishedCall, ReadError, read_calls};
use crate::time::Month;

/// How many pairs are read in full at once.
const AT_ONCE: usize = 200_000;

/// What to compare.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// The project's folder, if versions are named by run or month.
    pub project: Option<PathBuf>,
    /// Where its output is; `None` is `out` in the project.
    pub out: Option<PathBuf>,
    /// The month that `current` means; `None` if there is but one.
    pub month: Option<Month>,
    /// The first version: a run's id or the beginning of one, a month (its version in force), `current`, or a folder.
    pub before: String,
    /// The second.
    pub after: String,
}

/// Compares two published versions; with `csv`, every delta is written there as a line of CSV, in the order of the files.
///
/// # Errors
///
/// [`RunError::Usage`] if a version is not there, or they are not of one month; [`RunError::Storage`] if a file cannot be
/// read or is not what its manifest says; [`RunError::Internal`] if the differences do not add up.
pub fn diff(storage: &dyn Storage, options: &DiffOptions, csv: Option<&mut dyn Write>) -> Result<Comparison, RunError> {
    let (before, after) = version::find(storage, options)?;
    let evidence = version::evidence(&before, &after);
    let mut sums = Sums::new(None);
    let mut moved = 0;
    let mut csv = Csv::begin(csv)?;
    let files = Files::of(&before, &after);
    let [one, other] = differing(&before, &after);
    let read = |version: &Version, sites: &[String]| -> Result<Vec<Entry>, RunError> {
        let mut entries = Vec::new();
        each(storage, version, sites, &mut |call| entries.push(entry(&files, version, call)))?;
        Ok(entries)
    };
    let (found, same_elsewhere) = pairs(read(&before, &one)?, read(&after, &other)?);
    moved += same_elsewhere;
    for pairs in found.chunks(AT_ONCE) {
        let mut texts = Interner::default();
        texts.intern("");
        let mut rows = |version: &Version, sites: &[String], key: &dyn Fn(&Pair) -> Option<Key>| {
            take(storage, &files, (version, sites), pairs.iter().filter_map(key).collect(), &mut texts)
        };
        let of_one = rows(&before, &one, &|pair| pair.0)?;
        let of_other = rows(&after, &other, &|pair| pair.1)?;
        let get = |rows: &[(Key, PublishedCall<u32>)], key: Option<Key>| {
            let at = rows.binary_search_by_key(&key?, |(key, _)| *key).ok()?;
            Some(rows.get(at)?.1.map(&mut |text| texts.name(text)))
        };
        for pair in pairs {
            let (one, other) = (get(&of_one, pair.0), get(&of_other, pair.1));
            let (cause, what) = evidence.cause(one.as_ref(), other.as_ref());
            let delta = Delta { cause, what: &what, before: one.as_ref(), after: other.as_ref() };
            sums.add(&delta);
            csv.delta(&delta)?;
        }
    }
    csv.end()?;
    let mut totals = side_by_side(SideName::Retail, &before.retail, &after.retail);
    totals.extend(side_by_side(SideName::Wholesale, &before.wholesale, &after.wholesale));
    let comparison = sums.finish(before.month, &totals, (before.calls, after.calls))?;
    Ok(Comparison { before: before.run, after: after.run, inputs: evidence.lines(), moved, ..comparison })
}

/// The sites' tables that are not the same in both.
fn differing(before: &Version, after: &Version) -> [Vec<String>; 2] {
    let only = |of: &Version, other: &Version| {
        of.itemised
            .iter()
            .filter(|(path, hash)| other.itemised.get(*path) != Some(hash))
            .map(|(path, _)| path.clone())
            .collect()
    };
    [only(before, after), only(after, before)]
}

fn each(
    storage: &dyn Storage,
    version: &Version,
    sites: &[String],
    visit: &mut dyn FnMut(&PublishedCall<&str>),
) -> Result<(), RunError> {
    for path in sites {
        let bytes = version.read(storage, path)?;
        read_calls(bytes, visit).map_err(|error| match error {
            ReadError::NotBuilt => RunError::Usage(error.to_string()),
            error => version.damaged(path, &error.to_string()),
        })?;
    }
    Ok(())
}

fn entry(files: &Files, version: &Version, call: &PublishedCall<&str>) -> Entry {
    use std::hash::BuildHasher;
    let hash = |seed: u64| FixedState::with_seed(seed);
    let content = PublishedCall { source: "", file: "", offset: 0, ..*call };
    let identity = (call.call_id, call.charged_at, call.duration, call.calling, call.dialled, call.answered);
    Entry {
        key: files.key(version, call),
        call: hash(0xca11).hash_one((call.source, call.call_id)),
        has_id: !call.call_id.is_empty(),
        identity: hash(0x1de).hash_one(identity),
        content: (hash(0xc0).hash_one(content), hash(0x17e).hash_one(content)),
    }
}

/// The rows with these keys, in the order of the keys.
fn take(
    storage: &dyn Storage,
    files: &Files,
    (version, sites): (&Version, &[String]),
    mut wanted: Vec<Key>,
    texts: &mut Interner,
) -> Result<Vec<(Key, PublishedCall<u32>)>, RunError> {
    wanted.sort_unstable();
    let mut rows = Vec::with_capacity(wanted.len());
    if wanted.is_empty() {
        return Ok(rows);
    }
    each(storage, version, sites, &mut |call| {
        let key = files.key(version, call);
        if wanted.binary_search(&key).is_ok() {
            rows.push((key, call.map(&mut |text| texts.intern(text))));
        }
    })?;
    rows.sort_by_key(|(key, _)| *key);
    Ok(rows)
}

/// Lines of CSV, if anybody wants them.
pub(super) struct Csv<'w> {
    out: Option<&'w mut dyn Write>,
    buffer: Vec<u8>,
}

impl<'w> Csv<'w> {
    pub(super) fn begin(out: Option<&'w mut dyn Write>) -> Result<Self, RunError> {
        let mut csv = Self { out, buffer: csv_header() };
        csv.flush()?;
        Ok(csv)
    }

    pub(super) fn delta(&mut self, delta: &Delta<'_>) -> Result<(), RunError> {
        if self.out.is_some() {
            delta.write_csv(&mut self.buffer);
        }
        if self.buffer.len() > 1 << 16 { self.flush() } else { Ok(()) }
    }

    pub(super) fn end(mut self) -> Result<(), RunError> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), RunError> {
        if let Some(out) = &mut self.out {
            let done = out.write_all(&self.buffer).and_then(|()| out.flush());
            done.map_err(|error| super::storage::failed("write", std::path::Path::new("the CSV file"), error))?;
        }
        self.buffer.clear();
        Ok(())
    }
}
