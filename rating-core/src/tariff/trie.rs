//! Longest-prefix look-up: a tree of digits in one flat array.

use crate::number::{Digits, MAX_DIGITS};

/// "No such child", "no row".
pub(super) const NONE: u32 = u32::MAX;

/// Set in a slot that holds a row chain and not a node: nothing extends the digits that lead here.
const LEAF: u32 = 1 << 31;

/// The words of a node: the head of the chain of rows keyed by the digits that lead here, then a slot for each digit.
const NODE: [u32; 11] = [NONE; 11];

/// A node that nothing hangs on and nothing leads on from, behind the root.
const END: u32 = NODE.len() as u32;

/// Prefixes of digits and the row chains that hang on them.
///
/// A slot is [`NONE`], the head of a chain with [`LEAF`], or where the words of a node begin; those of the root begin at
/// 0; a walk that is over stands at [`END`]. Most prefixes of a deck are leaves, so that a walk reads one word for each digit of the longest prefix, and a deck of
/// 60,000 prefixes takes a megabyte. Prefixes that are added in text order lie in memory in the order of a walk.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    words: Vec<u32>,
}

/// How far a walk has come, and the longest prefix on the way that has a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the words of its node begin; [`END`] at the end.
    node: u32,
    /// Head of the chain; [`NONE`] if there is none so far.
    pub(super) head: u32,
    /// Digits of its prefix.
    pub(super) len: u8,
}

impl Place {
    /// Before the first digit.
    pub(super) const ROOT: Self = Self { node: 0, head: NONE, len: 0 };

    /// At the end of a walk that has found nothing.
    pub(super) const END: Self = Self { node: END, ..Self::ROOT };

    /// There are no more digits.
    #[inline]
    pub(super) const fn end(&mut self) {
        self.node = END;
    }

    /// Whether no further digit makes a difference.
    #[inline]
    pub(super) const fn is_end(self) -> bool {
        self.node == END
    }
}

impl Trie {
    pub(super) fn new() -> Self {
        Self { words: [NODE, NODE].concat() }
    }

    /// Hangs the chain that begins with row `head` on `digits`, of which there is one at least.
    pub(super) fn insert(&mut self, digits: Digits, head: u32) {
        let mut buffer = [0; MAX_DIGITS];
        let Some((last, path)) = digits.write(&mut buffer).split_last() else { return };
        let mut node = 0;
        for digit in path {
            let slot = node + slot_of(*digit);
            let next = self.words[slot];
            node = if next & LEAF == 0 {
                next as usize
            } else {
                let new = self.words.len();
                self.words.extend(NODE);
                // What ended here is a node's own chain from now on.
                self.words[new] = if next == NONE { NONE } else { next ^ LEAF };
                self.words[slot] = u32::try_from(new).unwrap_or(NONE);
                new
            };
        }
        let slot = node + slot_of(*last);
        match self.words[slot] {
            next if next & LEAF == 0 => self.words[next as usize] = head,
            _ => self.words[slot] = head | LEAF,
        }
    }

    /// One step of a walk: from where `depth` digits have led, by the next one. At the end it changes nothing.
    ///
    /// Without a branch that depends on what is read: a wrong guess would wait for it, and keep other walks waiting.
    #[inline]
    pub(super) fn step(&self, place: &mut Place, depth: usize, digit: u8) {
        let word = |at: usize| self.words.get(at).copied().unwrap_or(NONE);
        let slot = word(place.node as usize + 1 + usize::from(digit));
        let is_leaf = slot & LEAF != 0;
        // At a leaf the walk ends; what hangs there, if anything, is the longest.
        let node = if is_leaf { END } else { slot };
        let own = word(node as usize);
        let hanging = if slot == NONE { NONE } else { slot ^ LEAF };
        let head = if is_leaf { hanging } else { own };
        let found = head != NONE;
        place.node = node;
        place.head = if found { head } else { place.head };
        place.len = if found { depth as u8 + 1 } else { place.len };
    }

    /// Calls `visit` with the length and the chain of every prefix of `digits` that has one, shortest first.
    #[inline]
    pub(super) fn walk(&self, digits: Digits, mut visit: impl FnMut(usize, u32)) {
        let mut place = Place::ROOT;
        for (depth, digit) in digits.each().into_iter().enumerate().take(digits.len()) {
            place.head = NONE;
            self.step(&mut place, depth, digit);
            if place.head != NONE {
                visit(depth + 1, place.head);
            }
            if place.is_end() {
                return;
            }
        }
    }

    /// Where a walk of all `digits` ends.
    #[inline]
    pub(super) fn end_of(&self, digits: Digits) -> Place {
        let mut place = Place::ROOT;
        for (depth, digit) in digits.each().into_iter().enumerate().take(digits.len()) {
            self.step(&mut place, depth, digit);
            if place.is_end() {
                break;
            }
        }
        place
    }

    /// Memory of the nodes in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
    }
}

fn slot_of(digit: u8) -> usize {
    1 + usize::from(digit.wrapping_sub(b'0') % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_visits_every_prefix_in_whatever_order_they_were_added() {
        let prefixes = ["1", "12", "123456789012345", "1204", "2", "20", "0", "007"];
        let digits = |text: &str| Digits::parse(text.as_bytes()).unwrap();
        let given: Vec<(u32, &str)> = (0..).zip(prefixes).collect();
        let reversed = given.iter().rev().copied().collect();
        let mut sorted = given.clone();
        sorted.sort_unstable_by_key(|(_, prefix)| *prefix);
        for all in [given, reversed, sorted] {
            let mut trie = Trie::new();
            for (head, prefix) in &all {
                trie.insert(digits(prefix), *head);
            }
            for number in ["1", "12045", "123456789012345", "12345", "20", "0070", "00", "3", "", "120"] {
                let mut expected: Vec<(usize, u32)> = (0..)
                    .zip(prefixes)
                    .filter(|(_, prefix)| number.starts_with(prefix))
                    .map(|(head, prefix)| (prefix.len(), head))
                    .collect();
                expected.sort_unstable();
                let mut visited = Vec::new();
                trie.walk(digits(number), |len, head| visited.push((len, head)));
                assert_eq!(visited, expected, "{number}");
                let end = trie.end_of(digits(number));
                let longest = (end.head != NONE).then_some((usize::from(end.len), end.head));
                assert_eq!(longest, expected.last().copied(), "{number}");
            }
        }
    }
}
