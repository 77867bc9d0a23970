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
    /// What was numbered last: values often come in runs.
    last: Option<(u64, u32)>,
    /// Number of an id, plus one, where values are ids of a short list.
    by_id: Vec<u32>,
}

const FEWEST_SLOTS: usize = 64;

impl Distinct {
    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.slots.resize(FEWEST_SLOTS, 0);
        self.words.clear();
        self.firsts.clear();
        self.last = None;
    }

    /// Begins anew with values that are ids below `count`.
    pub(super) fn clear_for_ids(&mut self, count: usize) {
        self.firsts.clear();
        self.by_id.clear();
        self.by_id.resize(count + 1, 0);
    }

    /// The number of an id, which `cell` has; ids that are not below the count, and name nothing, have all one number.
    #[inline]
    pub(super) fn number_id(&mut self, id: u32, cell: u32) -> u32 {
        let at = (id as usize).min(self.by_id.len().saturating_sub(1));
        let Some(number) = self.by_id.get_mut(at) else { return 0 };
        if *number == 0 {
            self.firsts.push(cell);
            *number = self.firsts.len() as u32;
        }
        *number - 1
    }

    /// Numbers milliseconds of `cells` that are whole seconds, and not very many, by the place of each: no value is looked
    /// for. `false` if they are not, and nothing is numbered then.
    pub(super) fn number_seconds(&mut self, millis: &[i64], cells: &[u32], numbers: &mut Vec<u32>) -> bool {
        /// As many seconds as a table of 128 KiB has.
        const MOST: u64 = 32_768;
        numbers.clear();
        let mut odd = 0;
        numbers.extend(millis.iter().map(|millis| {
            // What is below zero is more than the most, too.
            let millis = *millis as u64;
            let seconds = (millis / 1_000).min(MOST);
            odd |= millis ^ (seconds * 1_000);
            seconds as u32
        }));
        if odd != 0 || numbers.len() != cells.len() {
            return false;
        }
        self.clear_for_ids(numbers.iter().max().map_or(0, |most| *most as usize + 1));
        for (number, cell) in numbers.iter_mut().zip(cells) {
            *number = self.number_id(*number, *cell);
        }
        true
    }

    /// How many values were met.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The number of the value of `cell`, whose word is `word`. Equal values have equal words; where the reverse does not
    /// hold, `same` says whether the value is that of an earlier cell.
    #[inline]
    pub(super) fn number(&mut self, word: u64, cell: u32, same: impl Fn(u32) -> bool) -> u32 {
        if let Some((last, number)) = self.last
            && last == word
            && self.firsts.get(number as usize).is_some_and(|first| same(*first))
        {
            return number;
        }
        let number = self.look_up(word, cell, same);
        self.last = Some((word, number));
        number
    }

    #[inline]
    fn look_up(&mut self, word: u64, cell: u32, same: impl Fn(u32) -> bool) -> u32 {
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
