//! Which values occur, in the order in which they are first met.

use crate::report::codes::mix;

/// Values given numbers as they are met; what a dictionary page holds.
#[derive(Default)]
pub(super) struct Distinct {
    /// Number of a value, plus one, by its hash; zero where there is none.
    slots: Vec<u32>,
    words: Vec<u64>,
    /// The cell in which each value was first met.
    pub(super) firsts: Vec<u32>,
}

const FEWEST_SLOTS: usize = 64;

impl Distinct {
    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.slots.resize(FEWEST_SLOTS, 0);
        self.words.clear();
        self.firsts.clear();
    }

    /// How many values were met.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The number of the value of `cell`, whose word is `word`. Equal values have equal words; where the reverse does not
    /// hold, `same` says whether the value is that of an earlier cell.
    #[inline]
    pub(super) fn number(&mut self, word: u64, cell: u32, same: impl Fn(u32) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = Self::hash(word) as usize & mask;
        loop {
            // The mask keeps the index inside, and a table is never more than half full.
            let Some(slot) = self.slots.get_mut(at) else { return 0 };
            if *slot == 0 {
                let number = self.firsts.len() as u32;
                *slot = number + 1;
                self.words.push(word);
                self.firsts.push(cell);
                if self.firsts.len() * 2 > mask {
                    self.grow();
                }
                return number;
            }
            let number = *slot - 1;
            let first = || self.firsts.get(number as usize).is_some_and(|first| same(*first));
            if self.words.get(number as usize) == Some(&word) && first() {
                return number;
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    fn hash(word: u64) -> u64 {
        mix(word, 0)
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 4 - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for (number, word) in (1..).zip(&self.words) {
            let mut at = Self::hash(*word) as usize & mask;
            while let Some(slot) = self.slots.get_mut(at) {
                if *slot == 0 {
                    *slot = number;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
    }
}
