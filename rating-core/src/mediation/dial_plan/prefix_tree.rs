//! Prefix look-up: a flat tree of decimal digits.
//!
//! What a number of some length finds is worked out for every node beforehand, from all that stands on the way there: a
//! look-up goes as deep as the digits lead, and reads the answer.

/// A set of number lengths from 0 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths(u16);

impl Lengths {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ANY: Self = Self(u16::MAX);

    pub(super) const fn with(self, length: u8) -> Self {
        if length < 16 { Self(self.0 | (1 << length)) } else { self }
    }

    pub(super) const fn contains(self, length: usize) -> bool {
        length < 16 && self.0 & (1 << length) != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn longest(self) -> usize {
        (0..16).rev().find(|length| self.contains(*length)).unwrap_or(0)
    }
}

/// What numbers find, by their lengths: the value, and how long its prefix is.
type Answers<V> = [Option<(V, u8)>; 16];

/// Values at digit prefixes. Look-ups walk integers and allocate nothing.
#[derive(Clone, Debug)]
pub(super) struct PrefixTree<V> {
    /// The node that each digit leads to; 0 is none.
    children: Vec<[u32; 10]>,
    /// By node: its place in `answers`, and all lengths that stand on the way to it, itself included.
    places: Vec<(u32, Lengths)>,
    answers: Vec<Answers<V>>,
    /// Where the first [`HEAD`] digits lead, if that was worked out: see [`PrefixTree::with_heads`].
    heads: Box<[Head]>,
}

/// How many digits are looked up at once.
const HEAD: usize = 3;

/// Where the first digits lead.
#[derive(Clone, Copy, Debug)]
struct Head {
    node: u32,
    /// Whether all of them led there, and further ones may lead on.
    goes_on: bool,
}

impl<V: Copy> PrefixTree<V> {
    /// Builds the tree. Of two values at one prefix and for one length, the later wins.
    pub(super) fn build(rows: impl IntoIterator<Item = (Vec<u8>, Lengths, V)>) -> Self {
        let mut children = vec![[0_u32; 10]];
        let mut entries: Vec<(usize, Lengths, (V, u8))> = Vec::new();
        for (prefix, lengths, value) in rows {
            let mut at = 0_usize;
            for byte in &prefix {
                let digit = usize::from(byte.wrapping_sub(b'0'));
                let Some(next) = children.get(at).and_then(|node| node.get(digit)).copied() else { break };
                if next == 0 {
                    let new = children.len();
                    children.push([0; 10]);
                    children[at][digit] = u32::try_from(new).unwrap_or(0);
                    at = new;
                } else {
                    at = next as usize;
                }
            }
            entries.push((at, lengths, (value, u8::try_from(prefix.len()).unwrap_or(u8::MAX))));
        }
        entries.sort_by_key(|(node, ..)| *node);
        // A node comes before those that it leads to, so that what it finds is known when they ask for it.
        let mut places = vec![(0, Lengths::NONE); children.len()];
        let mut answers: Vec<Answers<V>> = vec![[None; 16]];
        let mut entries = entries.as_slice();
        for node in 0..children.len() {
            let count = entries.iter().take_while(|(at, ..)| *at == node).count();
            let (own, others) = entries.split_at(count);
            entries = others;
            if let Some((before, lengths)) = places.get(node).copied().filter(|_| count > 0) {
                let mut found = answers.get(before as usize).copied().unwrap_or([None; 16]);
                let mut all = lengths;
                for (_, lengths, answer) in own {
                    all = Lengths(all.0 | lengths.0);
                    for (_, found) in found.iter_mut().enumerate().filter(|(length, _)| lengths.contains(*length)) {
                        *found = Some(*answer);
                    }
                }
                places[node] = (u32::try_from(answers.len()).unwrap_or(0), all);
                answers.push(found);
            }
            for next in children[node].into_iter().filter(|next| *next != 0) {
                places[next as usize] = places[node];
            }
        }
        Self { children, places, answers, heads: Box::default() }
    }

    /// The same tree, in which the first digits of a number are one step: for trees that are asked for each call.
    pub(super) fn with_heads(mut self) -> Self {
        let head = |value: usize| {
            let digits = [value / 100, value / 10 % 10, value % 10].map(|digit| b'0' + digit as u8);
            let (node, depth) = self.walk((0, 0), &digits);
            Head { node: u32::try_from(node).unwrap_or(0), goes_on: depth == HEAD }
        };
        self.heads = (0..1_000).map(head).collect();
        self
    }

    /// The value at the longest prefix of `digits` (ASCII) that is meant for numbers of that length, and how long that
    /// prefix is.
    #[inline]
    pub(super) fn longest(&self, digits: &[u8]) -> Option<(V, usize)> {
        let (place, _) = self.place(digits);
        let (value, len) = (*self.answers.get(place as usize)?.get(digits.len())?)?;
        Some((value, usize::from(len)))
    }

    /// The lengths allowed by any prefix of `digits`.
    #[inline]
    pub(super) fn lengths(&self, digits: &[u8]) -> Lengths {
        self.place(digits).1
    }

    /// What stands at the last node that `digits` lead to.
    #[inline]
    fn place(&self, digits: &[u8]) -> (u32, Lengths) {
        let node = match self.head(digits) {
            Some(head) if head.goes_on => self.walk((head.node as usize, HEAD), digits).0,
            Some(head) => head.node as usize,
            None => self.walk((0, 0), digits).0,
        };
        self.places.get(node).copied().unwrap_or((0, Lengths::NONE))
    }

    /// Where the first digits lead, if that was worked out.
    #[inline]
    fn head(&self, digits: &[u8]) -> Option<&Head> {
        let [hundreds, tens, ones] = digits.first_chunk::<HEAD>()?.map(|digit| usize::from(digit.wrapping_sub(b'0')));
        if hundreds.max(tens).max(ones) > 9 {
            return None;
        }
        self.heads.get(hundreds * 100 + tens * 10 + ones)
    }

    /// From a node that so many digits have led to: the last that they lead to, and how many do.
    #[inline]
    fn walk(&self, (mut node, from): (usize, usize), digits: &[u8]) -> (usize, usize) {
        let mut depth = from;
        for digit in digits.get(from..).unwrap_or_default() {
            let next = self.children.get(node).and_then(|node| node.get(usize::from(digit.wrapping_sub(b'0'))));
            match next {
                Some(next) if *next != 0 => node = *next as usize,
                _ => break,
            }
            depth += 1;
        }
        (node, depth)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_prefix_that_is_meant_for_the_length_wins() {
        let ten = Lengths::NONE.with(10);
        let tree = PrefixTree::build([
            (b"1".to_vec(), Lengths::ANY, 'a'),
            (b"15".to_vec(), ten, 'b'),
            (b"7".to_vec(), Lengths::ANY, 'c'),
            (b"7".to_vec(), Lengths::ANY, 'd'),
        ]);
        assert_eq!(tree.longest(b"1512345678"), Some(('b', 2)));
        assert_eq!(tree.longest(b"15123456"), Some(('a', 1)));
        assert_eq!(tree.longest(b"7"), Some(('d', 1)), "of two, the later wins");
        assert_eq!(tree.longest(b"2"), None);
        assert_eq!(tree.longest(b"*7"), None);
        assert!(tree.lengths(b"15").contains(10));
        assert_eq!(ten.longest(), 10);
    }

    proptest! {
        #[test]
        fn a_tree_answers_as_a_search_through_its_rows(
            rows in proptest::collection::vec(("[0-2]{0,6}", 4_u8..8), 0..30),
            numbers in proptest::collection::vec("[0-2*]{0,8}", 1..30),
        ) {
            let rows: Vec<(Vec<u8>, Lengths, u32)> = rows.into_iter().zip(0_u32..).map(|((prefix, length), value)| {
                let lengths = if length == 4 { Lengths::ANY } else { Lengths::NONE.with(length) };
                (prefix.into_bytes(), lengths, value)
            }).collect();
            let tree = PrefixTree::build(rows.iter().cloned());
            let with_heads = tree.clone().with_heads();
            for number in numbers {
                let number = number.as_bytes();
                let matching = || rows.iter().filter(|(prefix, ..)| number.starts_with(prefix));
                // The last of equal ones is the maximum.
                let longest = matching()
                    .filter(|(_, lengths, _)| lengths.contains(number.len()))
                    .max_by_key(|(prefix, ..)| prefix.len())
                    .map(|(prefix, _, value)| (*value, prefix.len()));
                let lengths = Lengths(matching().fold(0, |all, (_, lengths, _)| all | lengths.0));
                for tree in [&tree, &with_heads] {
                    prop_assert_eq!(tree.longest(number), longest, "{:?}", number);
                    prop_assert_eq!(tree.lengths(number), lengths, "{:?}", number);
                }
            }
        }
    }
}
