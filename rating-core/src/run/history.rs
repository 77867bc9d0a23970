//! The index of a month: which records were its calls, and what became of them, in 17 bytes a record.
//!
//! A month that is closed is never rated again; but its records may come again, under other names, and records that
//! belonged to it may come late. Both are told apart by the keys that find duplicates within a run: the index keeps 128
//! bits of each. So [`hash`] must give the same bits in every later version of this program, on every machine: it is
//! SipHash-1-3 over a written-down order of bytes, and a test pins what comes out.
//!
//! The layout is in `docs/file-formats.md`.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::RunError;
use super::aside::Block;
use super::closing::Closed;
use super::keys::{self, Key};
use super::publish::{Stage, hex};
use super::storage::Storage;
use crate::cdr::Cdr;
use crate::finding::{Finding, Findings};
use crate::rating::{CallRow, Outcome};
use crate::source::RecordId;
use crate::time::Month;

/// The first bytes of an index, its layout's version among them.
const MAGIC: &[u8; 8] = b"RATIDX\x00\x02";

/// Bytes of one entry.
const ENTRY: usize = 17;

/// Bytes before the entries: the magic and the month.
const HEAD: usize = MAGIC.len() + 7;

/// Bytes after them: how many there are. The manifest has the checksum of the file.
const TAIL: usize = 8;

/// Set in the status of a record that corrects an earlier month.
const LATE: u8 = 0x80;

/// The side stands in the books of a closed month already; the row is there for the other side.
pub(super) const SETTLED_BEFORE: &str = "run.settled_before";

/// A late call of somebody whose allowance for its month is settled.
pub(super) const LATE_ALLOWANCE: &str = "run.late_allowance";

/// 128 bits of a record's key.
pub(super) type Hash = (u64, u64);

/// Within what records are compared: a site and a format, by their names, so that it is the same in every month whatever
/// order settings are written in.
#[must_use]
pub(super) fn scope(site: &str, format: &str) -> u64 {
    hash(0, None, &[site.as_bytes(), format.as_bytes()]).0
}

/// The hash of a record's exact key.
#[must_use]
pub(super) fn hash_of(scope: u64, cdr: &Cdr<'_>) -> Hash {
    let (parts, at) = cdr.exact_key();
    hash(scope, at, &parts)
}

/// Keys of at most this many bytes are hashed in one go; nearly all are a hundred or two.
const KEY_BYTES: usize = 256;

/// The hash of a key. Its bytes are the scope; `U` (UTC), `L` (a clock reading) or 0, and the time in milliseconds; then
/// index, length and bytes of each part that is not empty (so that a format that one day has a further part gives the old
/// keys for records without it).
#[must_use]
pub(super) fn hash(scope: u64, at: Option<(bool, i64)>, parts: &[&[u8]]) -> Hash {
    let (kind, millis) = match at {
        None => (0, 0),
        Some((utc, millis)) => (if utc { b'U' } else { b'L' }, millis),
    };
    let mut head = [0; 17];
    head[..8].copy_from_slice(&scope.to_le_bytes());
    head[8] = kind;
    head[9..].copy_from_slice(&millis.to_le_bytes());
    // Records are shorter than 16 MiB by far.
    let label = |index: u32, part: &[u8]| (u32::try_from(part.len()).unwrap_or(u32::MAX) << 8 | index).to_le_bytes();
    let parts = || (0..).zip(parts).filter(|(_, part)| !part.is_empty());
    let mut hasher = SipHasher13::new_with_keys(0x7261_7469_6e67_2d69, 0x6e64_6578_2d76_3032);
    let length = parts().fold(head.len(), |length, (_, part)| length + 4 + part.len());
    let mut buffer = [0; KEY_BYTES];
    let hash = match buffer.get_mut(..length) {
        Some(key) => {
            let (start, mut rest) = key.split_at_mut(head.len());
            start.copy_from_slice(&head);
            for (index, part) in parts() {
                let (start, after) = rest.split_at_mut(4);
                start.copy_from_slice(&label(index, part));
                let (text, after) = after.split_at_mut(part.len());
                text.copy_from_slice(part);
                rest = after;
            }
            hasher.hash(key)
        }
        None => {
            hasher.write(&head);
            for (index, part) in parts() {
                hasher.write(&label(index, part));
                hasher.write(part);
            }
            hasher.finish128()
        }
    };
    (hash.h1, hash.h2)
}

/// What became of a record, as the index keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// Its payer is charged, and nothing is missing on the other side.
    Billed,
    /// Nothing is due, and nothing is missing on the other side.
    NotChargeable,
    /// The retail side is suspended, the wholesale side is settled.
    SuspendedRetail,
    /// The wholesale side is suspended, the retail side is settled.
    SuspendedWholesale,
    /// Both sides are suspended.
    SuspendedBoth,
    /// It is part of a call that another record stands for.
    Merged,
}

impl Status {
    const ALL: [Self; 6] = [
        Self::Billed,
        Self::NotChargeable,
        Self::SuspendedRetail,
        Self::SuspendedWholesale,
        Self::SuspendedBoth,
        Self::Merged,
    ];

    /// The status of a call.
    #[must_use]
    pub(super) fn of(row: &CallRow<'_>) -> Self {
        let suspended = |outcome: &Outcome| matches!(outcome, Outcome::Suspended(_));
        let payer_side =
            if row.payer == Some(crate::ids::PayerId::OPERATOR) { &row.wholesale.outcome } else { &row.retail.outcome };
        match (suspended(&row.retail.outcome), suspended(&row.wholesale.outcome)) {
            (true, true) => Self::SuspendedBoth,
            (true, false) => Self::SuspendedRetail,
            (false, true) => Self::SuspendedWholesale,
            (false, false) if matches!(payer_side, Outcome::Rated(_)) => Self::Billed,
            (false, false) => Self::NotChargeable,
        }
    }

    /// Whether the retail side, and the wholesale side, still waits for a price.
    #[must_use]
    pub(super) const fn pending(self) -> (bool, bool) {
        match self {
            Self::SuspendedRetail => (true, false),
            Self::SuspendedWholesale => (false, true),
            Self::SuspendedBoth => (true, true),
            Self::Billed | Self::NotChargeable | Self::Merged => (false, false),
        }
    }

    /// The byte of the index.
    #[must_use]
    pub(super) const fn byte(self, late: bool) -> u8 {
        self as u8 | if late { LATE } else { 0 }
    }

    /// Whether a byte of the index is of a record that corrects an earlier month.
    #[must_use]
    pub(super) const fn is_late(byte: u8) -> bool {
        byte & LATE != 0
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte & !LATE)).copied()
    }
}

/// The file of a month's index, below the month's folder.
#[must_use]
pub(super) fn file(month: Month) -> String {
    format!("all-sites/{}_all-sites_record-index.bin", month.compact())
}

/// Writes the index of a month. `sorted` are the keys of records, by partition, `legs` those of records that were
/// assembled to calls, `changed` what became of records between the passes and the end, by record.
///
/// # Errors
///
/// If keys cannot be read back, or the disk refuses.
pub(super) fn write(
    stage: &Stage<'_>,
    month: Month,
    sorted: &[Block],
    legs: &[Key],
    changed: &BTreeMap<u64, u8>,
) -> Result<(), RunError> {
    use std::io::Write as _;
    let mut output = stage.create(&file(month))?;
    let mut count = 0_u64;
    let mut put = |bytes: &[u8]| output.write_all(bytes).map_err(|error| output.failed(error));
    put(MAGIC)?;
    put(month.to_string().as_bytes())?;
    let mut legs = legs.to_vec();
    legs.sort_unstable();
    let partitions: Vec<(usize, &Block)> = sorted.iter().enumerate().collect();
    // A few at a time, in order: partitions are cut by the leading bits, so what comes out is sorted as a whole.
    for window in partitions.chunks(rayon::current_num_threads().max(1)) {
        let done: Vec<Vec<u8>> = window
            .par_iter()
            .map(|(partition, block)| entries(block, &legs, changed, *partition))
            .collect::<Result<_, RunError>>()?;
        for bytes in done {
            count += (bytes.len() / ENTRY) as u64;
            put(&bytes)?;
        }
    }
    put(&count.to_le_bytes())?;
    output.finish()?;
    Ok(())
}

fn entries(block: &Block, legs: &[Key], changed: &BTreeMap<u64, u8>, partition: usize) -> Result<Vec<u8>, RunError> {
    let mut keys = keys::read(std::slice::from_ref(block))?;
    let before = keys.len();
    // Partitions are cut by the leading bits: one's legs are a stretch of those sorted by their hashes.
    let from = legs.partition_point(|key| key.partition() < partition);
    keys.extend(legs.get(from..).unwrap_or_default().iter().take_while(|key| key.partition() == partition));
    if keys.len() > before {
        keys.sort();
    }
    // Of records with one key the first stands for them all.
    keys.dedup_by_key(|key| key.hash);
    let mut out = Vec::with_capacity(keys.len() * ENTRY);
    for key in keys {
        out.extend_from_slice(&key.hash.0.to_le_bytes());
        out.extend_from_slice(&key.hash.1.to_le_bytes());
        let status = if changed.is_empty() { None } else { changed.get(&key.record) };
        out.push(status.copied().unwrap_or(key.status));
    }
    Ok(out)
}

/// An index read back.
#[derive(Debug, Default)]
struct Index(Vec<u8>);

impl Index {
    /// Checks an index's bytes; what is wrong with them, in words.
    fn read(mut bytes: Vec<u8>, month: Month) -> Result<Self, String> {
        let (mark, version) = MAGIC.split_at(MAGIC.len() - 1);
        match bytes.strip_prefix(mark) {
            None => return Err("it is no index".to_owned()),
            Some(rest) if !rest.starts_with(version) => {
                let (theirs, ours) = (rest.first().copied().unwrap_or(0), version[0]);
                return Err(format!("its layout has version {theirs}, and this program knows version {ours}"));
            }
            Some(_) => {}
        }
        if bytes.get(MAGIC.len()..HEAD) != Some(month.to_string().as_bytes()) {
            return Err("it is the index of another month".to_owned());
        }
        let Some(end) = bytes.len().checked_sub(TAIL).filter(|end| *end >= HEAD) else {
            return Err("it is cut short".to_owned());
        };
        let counted = u64::from_le_bytes(bytes[end..].try_into().unwrap_or([0; 8])).checked_mul(ENTRY as u64);
        if counted != Some((end - HEAD) as u64) {
            return Err("it has more or fewer records than it says".to_owned());
        }
        bytes.truncate(end);
        bytes.drain(..HEAD);
        Ok(Self(bytes))
    }

    fn entry(&self, index: usize) -> Option<(Hash, u8)> {
        let bytes = self.0.get(index * ENTRY..index * ENTRY + ENTRY)?;
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or([0; 8]));
        Some(((word(&bytes[..8]), word(&bytes[8..16])), bytes[16]))
    }

    fn len(&self) -> usize {
        self.0.len() / ENTRY
    }

    fn find(&self, hash: Hash) -> Option<u8> {
        let (mut from, mut until) = (0, self.len());
        while from < until {
            let middle = from + (until - from) / 2;
            let (found, status) = self.entry(middle)?;
            match found.cmp(&hash) {
                std::cmp::Ordering::Equal => return Some(status),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => until = middle,
            }
        }
        None
    }

    /// The entries that correct an earlier month.
    fn late(&self) -> Vec<(Hash, u8)> {
        (0..self.len()).filter_map(|index| self.entry(index)).filter(|(_, status)| Status::is_late(*status)).collect()
    }
}

/// What the records of closed months came to, for the month that follows them. Each index is read when it is first asked
/// for, and checked against the manifest that the month was closed with.
pub(super) struct History<'s> {
    storage: &'s dyn Storage,
    out: PathBuf,
    /// Without a gap, in order.
    closed: Vec<Closed>,
    own: Vec<OnceLock<Index>>,
    /// What corrects an earlier month, of all of them: the latest word on each record.
    late: OnceLock<BTreeMap<Hash, u8>>,
    damage: Mutex<Findings>,
}

impl<'s> History<'s> {
    /// The history that these closed months make.
    #[must_use]
    pub(super) fn new(storage: &'s dyn Storage, out: &Path, closed: Vec<Closed>) -> Self {
        let own = closed.iter().map(|_| OnceLock::new()).collect();
        Self { storage, out: out.to_owned(), closed, own, late: OnceLock::new(), damage: Mutex::default() }
    }

    /// The closed months, in order.
    #[must_use]
    pub(super) fn closed(&self) -> &[Closed] {
        &self.closed
    }

    /// What the books of a closed month, or a month closed since, say of a record; `None` if they do not know it.
    #[must_use]
    pub(super) fn find(&self, month: Month, hash: Hash) -> Option<Status> {
        let late = self.late.get_or_init(|| {
            let mut late = BTreeMap::new();
            for closed in &self.closed {
                late.extend(self.load(closed).late());
            }
            late
        });
        let at = self.closed.iter().position(|closed| closed.month == month)?;
        let status = match late.get(&hash) {
            Some(status) => Some(*status),
            None => self.own.get(at)?.get_or_init(|| self.load(&self.closed[at])).find(hash),
        };
        status.and_then(Status::from_byte)
    }

    /// Reads and checks an index. What is wrong is kept for [`History::check`], and nothing is published then.
    fn load(&self, closed: &Closed) -> Index {
        let folder = self.out.join("versions").join(&closed.run).join(format!("month={}", closed.month));
        let path = folder.join(file(closed.month));
        let read = || -> Result<Index, String> {
            let bytes = self.storage.read(&path).map_err(|error| error.to_string())?;
            if hex(&Sha256::digest(&bytes)) != closed.index_sha256 {
                return Err("it is not the file that the manifest lists".to_owned());
            }
            Index::read(bytes, closed.month)
        };
        read().unwrap_or_else(|words| {
            if let Ok(mut damage) = self.damage.lock() {
                let finding = damaged(closed.month, &format!("the record index `{}`: {words}", path.display()));
                if !damage.iter().any(|known| *known == finding) {
                    damage.push(finding);
                }
            }
            Index::default()
        })
    }

    /// Whether everything that was asked for could be read.
    ///
    /// # Errors
    ///
    /// What could not.
    pub(super) fn check(&self) -> Result<(), RunError> {
        let damage = self.damage.lock().map_or_else(|_| Findings::default(), |damage| damage.clone());
        if damage.has_errors() { Err(RunError::Invalid(damage)) } else { Ok(()) }
    }
}

/// Something that a closed month consists of is not as it was.
pub(super) fn damaged(month: Month, words: &str) -> Finding {
    Finding::error("run.closed_month_damaged", format!("{month} is closed, and is not as it was closed: {words}"))
        .help("bring its folder in `versions`, and `current`, back from a copy; without them nothing tells which of its calls were billed")
}

/// The log has a closed month whose own file is gone: it is lost, or the closing was interrupted between the two.
pub(super) fn lost(month: Month, file: &Path, run: &str) -> Finding {
    let words = format!("{month} was closed with `{run}`, as the log says, and `{}` is gone", file.display());
    Finding::error("run.closed_month_damaged", words)
        .help(format!("bring the file back from a copy; if its closing was interrupted, close {month} again"))
}

/// What became of the records of closed months that came again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HistoryCounts {
    /// They stand in the books of a closed month: charged, not chargeable, or part of such a call.
    pub settled: u64,
    /// They are suspended there, and still cannot be rated.
    pub still_suspended: u64,
    /// The first of these.
    pub first_suspended: Option<RecordId>,
}

impl HistoryCounts {
    /// Counts a record that is still suspended.
    pub(super) fn suspended(&mut self, record: RecordId) {
        self.merge(&Self { settled: 0, still_suspended: 1, first_suspended: Some(record) });
    }

    /// Adds the counts of other records.
    pub(super) fn merge(&mut self, other: &Self) {
        self.settled += other.settled;
        self.still_suspended += other.still_suspended;
        self.first_suspended = match (self.first_suspended, other.first_suspended) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Indices of years ago must be found again: these values may never change. They were worked out apart from this
    /// program, by an implementation of SipHash with 128 bits that gives the test vectors of its authors.
    #[test]
    fn the_hash_of_a_key_is_the_same_for_ever() {
        assert_eq!(scope("ldn", "asterisk"), SCOPE);
        let key: [&[u8]; 4] = [b"1790842502.66", b"2001", b"", b"x"];
        for (at, expected) in [
            (None, (0xc965_6664_8cc7_117d, 0x873b_8ebe_61c0_4109)),
            (Some((true, 1_790_842_502_000)), (0x8112_2063_bab7_7706, 0xb0b9_e6f3_25ed_b6cf)),
            (Some((false, -1)), (0xf29c_1021_2ea1_e4ca, 0x6e16_c09d_cbb5_ecae)),
        ] {
            assert_eq!(hash(SCOPE, at, &key), expected);
        }
        // A thousand bytes, more than are hashed in one go.
        let long = b"0123456789".repeat(100);
        let expected = (0xf96d_6a99_aa1d_4dc4, 0x4e42_559f_eae6_8993);
        assert_eq!(hash(SCOPE, Some((false, 1_790_842_502_000)), &[&long, b"1"]), expected);
        // A part that is empty is no part, wherever parts are added.
        assert_eq!(hash(SCOPE, None, &[b"1790842502.66", b"2001", b"", b"x", b"", b""]), hash(SCOPE, None, &key));
        // Where one part ends is told.
        assert_ne!(hash(1, None, &[b"ab", b"c"]), hash(1, None, &[b"a", b"bc"]));
        assert_ne!(hash(1, None, &[b"", b"a"]), hash(1, None, &[b"a", b""]));
        assert_ne!(hash(1, None, &[b"a"]), hash(2, None, &[b"a"]));
        assert_ne!(hash(1, Some((true, 0)), &[b"a"]), hash(1, None, &[b"a"]));
    }

    /// The longest key that is hashed in one go, one byte less and one more: both ways of hashing agree.
    #[test]
    fn a_key_of_any_length_is_hashed_as_its_bytes_in_a_row() {
        for length in KEY_BYTES - 40..KEY_BYTES + 40 {
            let text = vec![b'7'; length];
            let mut bytes = 3_u64.to_le_bytes().to_vec();
            bytes.extend_from_slice(&[0; 9]);
            bytes.extend_from_slice(&(u32::try_from(length).unwrap() << 8).to_le_bytes());
            bytes.extend_from_slice(&text);
            let whole = SipHasher13::new_with_keys(0x7261_7469_6e67_2d69, 0x6e64_6578_2d76_3032).hash(&bytes);
            assert_eq!(hash(3, None, &[&text]), (whole.h1, whole.h2), "{length}");
        }
    }

    const SCOPE: u64 = 0xb7f6_66e4_0a19_1bf7;

    fn index(entries: &[(Hash, u8)]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(b"2026-10");
        for ((one, two), status) in entries {
            bytes.extend_from_slice(&one.to_le_bytes());
            bytes.extend_from_slice(&two.to_le_bytes());
            bytes.push(*status);
        }
        bytes.extend_from_slice(&(entries.len() as u64).to_le_bytes());
        bytes
    }

    #[test]
    fn an_index_finds_what_it_has_and_nothing_else() {
        let month = Month::parse("2026-10").unwrap();
        let entries = [((1, 9), 0), ((1, 10), 2), ((7, 0), Status::Billed.byte(true)), ((u64::MAX, u64::MAX), 5)];
        let read = Index::read(index(&entries), month).unwrap();
        for (hash, status) in entries {
            assert_eq!(read.find(hash), Some(status));
        }
        for hash in [(0, 0), (1, 8), (1, 11), (7, 1), (u64::MAX, 0)] {
            assert_eq!(read.find(hash), None);
        }
        assert_eq!(read.late(), [((7, 0), 0x80)]);
        assert_eq!(Index::read(index(&[]), month).unwrap().len(), 0);
    }

    /// That no other byte has changed the manifest's checksum tells.
    #[test]
    fn an_index_of_another_month_or_layout_or_length_is_refused() {
        let month = Month::parse("2026-10").unwrap();
        let whole = index(&[((u64::MAX, 9), 0), ((u64::MAX, u64::MAX), 2)]);
        for at in 0..whole.len() {
            assert!(Index::read(whole[..at].to_vec(), month).is_err(), "cut at {at}");
        }
        assert!(Index::read(whole.clone(), month.next()).is_err());
        let mut before = whole;
        before[MAGIC.len() - 1] = 1;
        assert_eq!(
            Index::read(before, month).unwrap_err(),
            "its layout has version 1, and this program knows version 2"
        );
    }

    #[test]
    fn bytes_of_the_status_come_back() {
        for status in Status::ALL {
            for late in [false, true] {
                assert_eq!(Status::from_byte(status.byte(late)), Some(status));
            }
        }
        assert_eq!(Status::from_byte(6), None);
    }
}
