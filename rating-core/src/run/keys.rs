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
    const BYTES: usize = 25;

    /// The key of a record. Equal keys give equal hashes; whether equal hashes are of equal keys is
    /// [looked up](super::exact).
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

/// Reads the keys of a partition back, sorted by hash, then record.
///
/// # Errors
///
/// If they cannot be read.
pub(super) fn read_sorted(blocks: &[Block]) -> Result<Vec<Key>> {
    let mut keys = read(blocks)?;
    sort(&mut keys);
    Ok(keys)
}

/// Sorts the keys of one partition. Hashes are spread evenly, so that the bits below the partition's tell the place of a key
/// but for a few neighbours, which are compared.
fn sort(keys: &mut Vec<Key>) {
    const ASIDE: u32 = KEY_PARTITIONS.trailing_zeros();
    let bits = keys.len().checked_ilog2().unwrap_or(0).saturating_sub(2).min(16);
    if bits == 0 {
        return keys.sort_unstable();
    }
    let bucket = |key: &Key| (key.hash.0 << ASIDE >> (u64::BITS - bits)) as usize;
    let mut ends = vec![0_usize; (1 << bits) + 1];
    for key in keys.iter() {
        if let Some(count) = ends.get_mut(bucket(key) + 1) {
            *count += 1;
        }
    }
    let mut before = 0;
    for end in &mut ends {
        before += *end;
        *end = before;
    }
    // Each entry is where its bucket begins, and becomes where it ends.
    let mut sorted = vec![Key { hash: (0, 0), record: 0, status: 0 }; keys.len()];
    for key in keys.iter() {
        if let Some(at) = ends.get_mut(bucket(key))
            && let Some(place) = sorted.get_mut(*at)
        {
            *place = *key;
            *at += 1;
        }
    }
    let mut from = 0;
    for end in ends {
        if end > from + 1
            && let Some(few) = sorted.get_mut(from..end)
        {
            few.sort_unstable();
        }
        from = end;
    }
    *keys = sorted;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::aside::Store;
    use super::*;

    #[test]
    fn keys_are_sorted_however_they_are_spread() {
        let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // All are of the first partition.
        for (count, shift) in [(0, 8), (1, 8), (7, 8), (100, 8), (5_000, 8), (5_000, 40), (5_000, 63), (300_000, 16)] {
            let key = |n: u64| Key { hash: (spread(n) >> shift, spread(n % 7)), record: n % 3, status: 0 };
            let mut keys: Vec<Key> = (0..count).map(key).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort(&mut keys);
            assert!(keys == expected, "{count} keys, shifted by {shift}");
        }
    }

    proptest! {
        #[test]
        fn keys_come_back_as_they_were(
            bits in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u8>()), 0..200),
        ) {
            let one = |(one, two, record, status)| Key { hash: (one, two), record, status };
            let keys: Vec<Key> = bits.into_iter().map(one).collect();
            let block = set_aside(&keys, &mut Store::in_memory().appender()).unwrap();
            prop_assert_eq!(read(&[block]).unwrap(), keys);
        }
    }
}
