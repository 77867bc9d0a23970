//! Sums by a small key.

use hashbrown::HashTable;

/// What sums are kept by: a few integers.
pub(super) trait Key: Copy + Ord {
    /// The key in one word, or as near to it as can be: where two keys agree in it, they are only slower to find.
    fn word(self) -> u64;
}

/// Sums, one beside the other in the order in which their keys came. The place of a key is found by its [word](Key::word),
/// and sums never move, so adding a call costs a look-up and the additions. Listing them needs their order, which is kept
/// until a new key comes.
#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    entries: Vec<(K, V)>,
    places: HashTable<u32>,
    /// Places by key; empty if it must be made anew.
    order: Vec<u32>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: HashTable::new(), order: Vec::new() }
    }
}

/// The high half of a product depends on every bit of the word, and so does the exclusive or of both halves.
#[inline]
fn hash(word: u64) -> u64 {
    let product = u128::from(word ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15_u128;
    #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

impl<K: Key, V: Default> Table<K, V> {
    /// The sums of `key`, nothing if it is new.
    ///
    /// # Panics
    ///
    /// If there are more keys than a place can count.
    #[inline]
    pub(super) fn entry(&mut self, key: K) -> &mut V {
        let hash = hash(key.word());
        let entries = &self.entries;
        let known = self.places.find(hash, |place| entries[*place as usize].0 == key).copied();
        let place = match known {
            Some(place) => place,
            None => self.insert(hash, key),
        };
        &mut self.entries[place as usize].1
    }

    #[cold]
    fn insert(&mut self, hash: u64, key: K) -> u32 {
        let place = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        assert!(place != u32::MAX, "more keys than a place can count");
        self.entries.push((key, V::default()));
        self.order.clear();
        let entries = &self.entries;
        self.places.insert_unique(hash, place, |place| self::hash(entries[*place as usize].0.word()));
        place
    }

    /// Keeps the order of the keys, so that listing them is cheap from now on.
    pub(super) fn settle(&mut self) {
        if self.order.len() != self.entries.len() {
            self.order = self.ordered();
        }
    }

    fn ordered(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).take(self.entries.len()).collect();
        order.sort_unstable_by_key(|place| self.entries[*place as usize].0);
        order
    }

    /// Calls `each` with every key and its sums, by key.
    pub(super) fn for_each<'t>(&'t self, mut each: impl FnMut(K, &'t V)) {
        let made;
        let order = match self.order.len() == self.entries.len() {
            true => &self.order,
            false => {
                made = self.ordered();
                &made
            }
        };
        for place in order {
            let (key, sums) = &self.entries[*place as usize];
            each(*key, sums);
        }
    }

    /// Keys and sums in no order that may be seen.
    pub(super) fn unordered(&self) -> impl Iterator<Item = (K, &V)> + '_ {
        self.entries.iter().map(|(key, sums)| (*key, sums))
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Key for (u8, u64) {
        fn word(self) -> u64 {
            self.1
        }
    }

    #[test]
    fn every_key_is_found_again_and_listed_in_order_whenever_it_came() {
        let mut table = Table::<(u8, u64), u64>::default();
        // 7919 is prime: every number below 1,000 comes once, in an order of its own; keys of two kinds share a word.
        for round in 1..=3 {
            for number in 0..1_000_u64 {
                let number = number * 7_919 % 1_000;
                *table.entry((u8::from(number % 2 == 0), number / 2)) += number * round;
            }
            if round == 2 {
                table.settle();
            }
        }
        *table.entry((2, 0)) += 7;
        let mut listed = Vec::new();
        table.for_each(|key, sum| listed.push((key, *sum)));
        // 1 + 2 + 3 rounds.
        let expected: Vec<((u8, u64), u64)> = (0..500)
            .map(|half| ((0, half), (half * 2 + 1) * 6))
            .chain((0..500).map(|half| ((1, half), half * 2 * 6)))
            .chain([((2, 0), 7)])
            .collect();
        assert_eq!(listed, expected);
        assert_eq!(table.len(), 1_001);
        table.settle();
        let mut again = Vec::new();
        table.for_each(|key, sum| again.push((key, *sum)));
        assert_eq!(again, expected);
    }
}
