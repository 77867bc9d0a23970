//! Prefix look-up: a flat tree of decimal digits.

/// What hangs at one prefix: a value for numbers of certain lengths.
#[derive(Clone, Copy, Debug)]
struct Entry<V> {
    node: u32,
    lengths: Lengths,
    value: V,
}

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

#[derive(Clone, Copy, Debug)]
struct Node {
    children: [u32; 10],
    /// First entry of this node in `entries`, and how many there are.
    first: u32,
    count: u32,
}

impl Node {
    const EMPTY: Self = Self { children: [0; 10], first: 0, count: 0 };
}

/// Values at digit prefixes. Look-ups walk integers and allocate nothing.
#[derive(Clone, Debug)]
pub(super) struct PrefixTree<V> {
    nodes: Vec<Node>,
    entries: Vec<Entry<V>>,
    /// Where the first [`HEAD`] digits lead, if that was worked out: see [`PrefixTree::with_heads`].
    heads: Box<[Head]>,
    /// What stands on the way there, for all heads, with its depth.
    ways: Vec<(Entry<V>, u8)>,
}

/// How many digits are looked up at once.
const HEAD: usize = 3;

/// Where the first digits lead.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// The node, or 0 if there is none.
    node: u32,
    /// What stands on the way, that node included, as a range of `ways`.
    begin: u32,
    end: u32,
    /// All lengths that stand there.
    lengths: Lengths,
}

impl<V: Copy> PrefixTree<V> {
    /// Builds the tree. Of two values at one prefix and for one length, the later wins.
    pub(super) fn build(rows: impl IntoIterator<Item = (Vec<u8>, Lengths, V)>) -> Self {
        let mut nodes = vec![Node::EMPTY];
        let mut entries = Vec::new();
        for (prefix, lengths, value) in rows {
            let mut at = 0_usize;
            for byte in &prefix {
                let digit = usize::from(byte.wrapping_sub(b'0'));
                let Some(next) = nodes.get(at).and_then(|node| node.children.get(digit)).copied() else { break };
                if next == 0 {
                    let new = nodes.len();
                    nodes.push(Node::EMPTY);
                    nodes[at].children[digit] = u32::try_from(new).unwrap_or(0);
                    at = new;
                } else {
                    at = next as usize;
                }
            }
            entries.push(Entry { node: u32::try_from(at).unwrap_or(0), lengths, value });
        }
        entries.reverse();
        entries.sort_by_key(|entry| entry.node);
        for (index, entry) in entries.iter().enumerate() {
            let node = &mut nodes[entry.node as usize];
            if node.count == 0 {
                node.first = u32::try_from(index).unwrap_or(0);
            }
            node.count += 1;
        }
        Self { nodes, entries, heads: Box::default(), ways: Vec::new() }
    }

    /// The same tree, in which the first digits of a number are one step: for trees that are asked for each call.
    pub(super) fn with_heads(mut self) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(0);
        let mut ways = Vec::new();
        let head = |value: usize| {
            let begin = place(ways.len());
            let digits = [value / 100, value / 10 % 10, value % 10];
            let mut at = Some(0_usize);
            for depth in 0..=HEAD {
                let Some(node) = at.and_then(|at| self.nodes.get(at)) else { break };
                // Of the entries of one node the one that wins comes last.
                let (first, count) = (node.first as usize, node.count as usize);
                let entries = self.entries.get(first..first + count).unwrap_or_default();
                ways.extend(entries.iter().rev().map(|entry| (*entry, depth as u8)));
                let Some(digit) = digits.get(depth) else { break };
                at = node.children.get(*digit).map(|next| *next as usize).filter(|next| *next != 0);
            }
            let way = ways.get(begin as usize..).unwrap_or_default();
            let lengths = Lengths(way.iter().fold(0, |all, (entry, _)| all | entry.lengths.0));
            Head { node: at.map_or(0, place), begin, end: place(ways.len()), lengths }
        };
        self.heads = (0..1_000).map(head).collect();
        self.ways = ways;
        self
    }

    /// The value at the longest prefix of `digits` (ASCII) that is meant for numbers of that length, and how long that
    /// prefix is.
    #[inline]
    pub(super) fn longest(&self, digits: &[u8]) -> Option<(V, usize)> {
        let mut best = None;
        self.walk(digits, |entry, depth| {
            if entry.lengths.contains(digits.len()) {
                best = Some((entry.value, depth));
            }
        });
        best
    }

    /// The lengths allowed by any prefix of `digits`.
    pub(super) fn lengths(&self, digits: &[u8]) -> Lengths {
        let mut all = Lengths::NONE;
        let from = match self.head(digits) {
            Some(head) => {
                all = head.lengths;
                self.behind(head, digits)
            }
            None => Some((0, 0)),
        };
        if let Some(from) = from {
            self.walk_from(from, digits, |entry, _| all = Lengths(all.0 | entry.lengths.0));
        }
        all
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

    /// The node that the digit behind a head leads to, and its depth.
    #[inline]
    fn behind(&self, head: &Head, digits: &[u8]) -> Option<(usize, usize)> {
        if head.node == 0 {
            return None;
        }
        let digit = usize::from(digits.get(HEAD)?.wrapping_sub(b'0'));
        let next = *self.nodes.get(head.node as usize)?.children.get(digit)?;
        (next != 0).then_some((next as usize, HEAD + 1))
    }

    /// Visits the entries on the path of `digits`, shortest prefix first; at one prefix the entry that wins last.
    #[inline]
    fn walk(&self, digits: &[u8], mut visit: impl FnMut(&Entry<V>, usize)) {
        let Some(head) = self.head(digits) else { return self.walk_from((0, 0), digits, visit) };
        for (entry, depth) in self.ways.get(head.begin as usize..head.end as usize).unwrap_or_default() {
            visit(entry, usize::from(*depth));
        }
        if let Some(from) = self.behind(head, digits) {
            self.walk_from(from, digits, visit);
        }
    }

    /// Visits the entries from a node on, which so many digits have led to.
    #[inline]
    fn walk_from(&self, (node, from): (usize, usize), digits: &[u8], mut visit: impl FnMut(&Entry<V>, usize)) {
        let mut at = node;
        for depth in from..=digits.len() {
            let Some(node) = self.nodes.get(at) else { return };
            let (first, count) = (node.first as usize, node.count as usize);
            for entry in self.entries.get(first..first + count).unwrap_or_default().iter().rev() {
                visit(entry, depth);
            }
            let Some(digit) = digits.get(depth) else { return };
            at = match node.children.get(usize::from(digit.wrapping_sub(b'0'))) {
                Some(next) if *next != 0 => *next as usize,
                _ => return,
            };
        }
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
        fn a_tree_with_heads_answers_as_one_without(
            rows in proptest::collection::vec(("[0-2]{0,6}", 4_u8..8), 0..30),
            numbers in proptest::collection::vec("[0-2*]{0,8}", 1..30),
        ) {
            let rows = rows.into_iter().zip(0_u32..).map(|((prefix, length), value)| {
                let lengths = if length == 4 { Lengths::ANY } else { Lengths::NONE.with(length) };
                (prefix.into_bytes(), lengths, value)
            });
            let tree = PrefixTree::build(rows);
            let with_heads = tree.clone().with_heads();
            for number in numbers {
                prop_assert_eq!(with_heads.longest(number.as_bytes()), tree.longest(number.as_bytes()), "{}", number);
                prop_assert_eq!(with_heads.lengths(number.as_bytes()), tree.lengths(number.as_bytes()), "{}", number);
            }
        }
    }
}
