//! Combinations that come again and again, each kept once and known by a code.
//!
//! Ten columns follow from which row of a tariff priced a call, four from the file it is in: a call's row has one code
//! for each such group, and the columns of the group have a cell for each code. Codes are given in the order in which
//! combinations are first met.

use hashbrown::HashTable;

/// What a code stands for.
pub(super) trait Key: Copy + PartialEq {
    /// Whether the next row's combination is often that of the last row.
    const RUNS: bool;

    /// The combination in one word; equal ones are equal in it.
    fn word(&self) -> u64;
}

/// A multiplication that mixes two words into one (the upper half of the product into the lower).
#[inline]
pub(super) const fn mix(one: u64, other: u64) -> u64 {
    let product = (one ^ 0x9e37_79b9_7f4a_7c15) as u128 * (other ^ 0xd1b5_4a32_d192_ed03) as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// The codes of rows, and what they stand for.
#[derive(Debug)]
pub(super) struct Codes<K> {
    /// The code of each row.
    pub(super) rows: Vec<u32>,
    keys: Vec<K>,
    by_word: HashTable<u32>,
    last: u32,
}

impl<K> Default for Codes<K> {
    fn default() -> Self {
        Self { rows: Vec::new(), keys: Vec::new(), by_word: HashTable::new(), last: 0 }
    }
}

impl<K: Key> Codes<K> {
    /// Gives the next row its code; `true` if the combination is new and has the next code.
    #[inline]
    pub(super) fn push(&mut self, key: K) -> bool {
        if K::RUNS && self.keys.get(self.last as usize) == Some(&key) {
            self.rows.push(self.last);
            return false;
        }
        let Self { rows, keys, by_word, last } = self;
        let word = key.word();
        if let Some(code) = by_word.find(word, |code| keys.get(*code as usize) == Some(&key)) {
            *last = *code;
            rows.push(*code);
            return false;
        }
        let code = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        keys.push(key);
        by_word.insert_unique(word, code, |code| keys.get(*code as usize).map_or(0, Key::word));
        *last = code;
        rows.push(code);
        true
    }

    /// Begins anew with the buffer of an earlier list.
    pub(super) fn refill(&mut self, mut rows: Vec<u32>) {
        rows.clear();
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Key for (u32, bool) {
        const RUNS: bool = true;

        fn word(&self) -> u64 {
            // Few words, so that different combinations meet in one.
            u64::from(self.0 % 3)
        }
    }

    #[test]
    fn codes_follow_the_order_in_which_combinations_are_met() {
        let mut codes = Codes::default();
        let new: Vec<bool> =
            [(7, true), (7, true), (4, true), (7, false), (7, true), (4, true)].map(|key| codes.push(key)).into();
        assert_eq!(codes.rows, [0, 0, 1, 2, 0, 1]);
        assert_eq!(new, [true, false, true, true, false, false]);
    }
}
