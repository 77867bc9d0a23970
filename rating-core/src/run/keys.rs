//! Keys of records: what tells which of them are the same.
//!
//! Workers set keys aside in the order in which they come, cut into partitions by the leading bits of their hash. Between
//! the passes each partition is sorted once: equal hashes lie beside each other then, and the record index is written from
//! what was sorted.

use super::aside::{Appender, Block};
use super::history;
use super::storage::Result;
use crate::cdr::Cdr;

/// Into how many parts keys are cut.
pub(super) const KEY_PARTITIONS: usize = 256;

/// A key: the hash of the format's exact key, and the record that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    const BYTES: usize = 25;

    /// The key of a record. Equal keys give equal hashes; different ones differ in 128 bits but for a chance that no
    /// number of records on this planet makes worth naming (10⁻²⁰ at 10⁹ records).
    #[must_use]
    pub(super) fn of(scope: u64, cdr: &Cdr<'_>, status: u8) -> Self {
        Self { hash: history::hash_of(scope, cdr), record: cdr.id.to_bits(), status }
    }

    /// Partitions are cut by the leading bits, so keys sorted partition by partition are sorted as a whole.
    pub(super) fn partition(&self) -> usize {
        (self.hash.0 >> 56) as usize % KEY_PARTITIONS
    }

    /// Appends its bytes.
    #[inline]
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.hash.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.hash.1.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.record.to_le_bytes());
        bytes[24] = self.status;
        out.extend_from_slice(&bytes);
    }

    fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let word =
            |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
        Self { hash: (word(0), word(8)), record: word(16), status: bytes[24] }
    }
}

/// Reads keys back.
///
/// # Errors
///
/// If they cannot be read.
pub(super) fn read(blocks: &[Block]) -> Result<Vec<Key>> {
    let mut bytes = Vec::new();
    let mut keys = Vec::with_capacity(blocks.iter().map(Block::len).sum::<usize>() / Key::BYTES);
    for block in blocks {
        bytes.clear();
        block.take(0, block.len(), &mut bytes)?;
        keys.extend(bytes.as_chunks().0.iter().map(Key::read));
    }
    Ok(keys)
}

/// Sets sorted keys aside.
///
/// # Errors
///
/// If a file cannot be written.
pub(super) fn set_aside(keys: &[Key], appender: &mut Appender<'_>) -> Result<Block> {
    let mut bytes = Vec::with_capacity(keys.len() * Key::BYTES);
    for key in keys {
        key.write(&mut bytes);
    }
    appender.put(&bytes)
}

/// How many bits behind those of the partition keys are cut by before they are compared.
const CUT_BITS: u32 = 12;

/// Sorts the keys of one partition, by hash, then record. Hashes are spread evenly, so most of the order is found by
/// counting.
#[must_use]
pub(super) fn sorted(keys: &[Key]) -> Vec<Key> {
    let cut = |key: &Key| (key.hash.0 << 8 >> (64 - CUT_BITS)) as usize;
    let mut ends = vec![0_u32; (1 << CUT_BITS) + 1];
    for key in keys {
        ends[cut(key) + 1] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let mut starts = ends.clone();
    let mut sorted = vec![Key::default(); keys.len()];
    for key in keys {
        let start = &mut starts[cut(key)];
        if let Some(place) = sorted.get_mut(*start as usize) {
            *place = *key;
        }
        *start += 1;
    }
    let mut rest = sorted.as_mut_slice();
    for bounds in ends.windows(2) {
        let (own, later) = rest.split_at_mut((bounds[1] - bounds[0]) as usize);
        own.sort_unstable();
        rest = later;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::aside::Store;
    use super::*;

    proptest! {
        #[test]
        fn sorting_by_counting_is_sorting(
            bits in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), 0_u8..8), 0..200),
            few in proptest::collection::vec((0_u64..4, 0_u64..3, 0_u64..5, 0_u8..2), 0..50),
        ) {
            // Any bits of a partition, some of them close together.
            let one = |(one, two, record, status): (u64, u64, u64, u8)| Key {
                hash: (one >> 8 | 0x7f << 56, two),
                record,
                status,
            };
            let keys: Vec<Key> = bits.into_iter().chain(few).map(one).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            prop_assert_eq!(sorted(&keys), expected);
            let block = set_aside(&keys, &mut Store::in_memory().appender()).unwrap();
            prop_assert_eq!(read(&[block]).unwrap(), keys);
        }
    }
}
