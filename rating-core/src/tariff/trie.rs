//! Longest-prefix look-up: a tree of digits in flat arrays.

use crate::number::{Digits, MAX_DIGITS};

/// "No such child", "no row".
pub(super) const NONE: u32 = u32::MAX;

/// A node: ten children by digit, and the head of the chain of rows keyed by the digits that lead here.
#[derive(Clone, Debug)]
struct Node {
    children: [u32; 10],
    head: u32,
}

impl Node {
    const EMPTY: Self = Self { children: [NONE; 10], head: NONE };
}

/// Prefixes of digits and the row chains that hang on them. Node 0 is the root. Prefixes that are added in text order
/// lie in memory in the order in which a walk reads them.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

impl Trie {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::EMPTY] }
    }

    /// Hangs the chain that begins with row `head` on `digits`.
    pub(super) fn insert(&mut self, digits: Digits, head: u32) {
        let mut buffer = [0; MAX_DIGITS];
        let mut at = 0;
        for digit in digits.write(&mut buffer) {
            let slot = usize::from(digit - b'0');
            let next = self.nodes[at].children[slot];
            at = if next == NONE {
                let new = self.nodes.len();
                self.nodes[at].children[slot] = u32::try_from(new).unwrap_or(NONE);
                self.nodes.push(Node::EMPTY);
                new
            } else {
                next as usize
            };
        }
        self.nodes[at].head = head;
    }

    /// Calls `visit` with the length and the chain of every prefix of `digits` that has one, shortest first.
    #[inline]
    pub(super) fn walk(&self, digits: Digits, mut visit: impl FnMut(usize, u32)) {
        let mut buffer = [0; MAX_DIGITS];
        let mut at = 0_usize;
        for (index, digit) in digits.write(&mut buffer).iter().enumerate() {
            let next = self.nodes[at].children[usize::from(digit - b'0') % 10];
            let Some(node) = self.nodes.get(next as usize) else { return };
            if node.head != NONE {
                visit(index + 1, node.head);
            }
            at = next as usize;
        }
    }

    /// Memory of the nodes in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
    }
}
