//! One tree of the prefixes of a book's tariffs, so that a number is walked once for all that are asked about it.
//!
//! What a version has for the longest of its own prefixes is kept by the places of that tree, in entries of sixteen bytes:
//! most calls read nothing else of an index or a row. A version with few prefixes would get many entries for nothing: it is
//! walked by itself.

use super::book::Tariff;
use super::trie::{NONE, Place, Trie};
use crate::number::Digits;

/// Entries of a version for each prefix of its own, at the most.
const MOST_ENTRIES: usize = 4;

/// The tree.
#[derive(Debug)]
pub(super) struct Together {
    prefixes: Trie,
    /// By the first [`HEAD`] digits: where they lead.
    heads: Box<[Place]>,
}

/// How many digits are looked up at once; a number has more.
pub(super) const HEAD: usize = 4;
const HEADS: usize = 10_usize.pow(HEAD as u32);

impl Together {
    /// The tree of all versions that are large enough; they get their entries.
    pub(super) fn build(tariffs: &mut [Tariff]) -> Self {
        let mut prefixes = Trie::new();
        let mut known: Vec<Digits> = Vec::new();
        let mut sizes: Vec<(usize, usize, usize)> = Vec::new();
        for (tariff, versions) in tariffs.iter().map(Tariff::versions).enumerate() {
            sizes.extend(versions.iter().enumerate().map(|(version, of)| (of.prefixes().count(), tariff, version)));
        }
        sizes.sort_unstable_by_key(|(size, tariff, version)| (std::cmp::Reverse(*size), *tariff, *version));
        let mut joined = Vec::new();
        for (size, tariff, version) in sizes {
            if size == 0 || size * MOST_ENTRIES < known.len() {
                break;
            }
            let Some(of) = tariffs.get(tariff).and_then(|tariff| tariff.versions().get(version)) else { continue };
            for prefix in of.prefixes() {
                let fresh = u32::try_from(known.len()).unwrap_or(NONE);
                if usize::from(prefixes.end_of(prefix).len) != prefix.len() {
                    prefixes.insert(prefix, fresh);
                    known.push(prefix);
                }
            }
            joined.push((tariff, version));
        }
        for (tariff, version) in joined {
            if let Some(of) = tariffs.get_mut(tariff).and_then(|tariff| tariff.version_mut(version)) {
                of.join(&known);
            }
        }
        let heads = (0..HEADS).map(|value| {
            let digits = [value / 1_000, value / 100 % 10, value / 10 % 10, value % 10];
            let mut place = Place::ROOT;
            for (depth, digit) in digits.into_iter().enumerate() {
                prefixes.step(&mut place, depth, digit as u8);
            }
            place
        });
        Self { heads: heads.collect(), prefixes }
    }

    /// Where the first digits of a number lead.
    #[inline]
    pub(super) fn head(&self, digits: &[u8; 16]) -> Place {
        let [a, b, c, d, ..] = digits.map(usize::from);
        self.heads.get(a * 1_000 + b * 100 + c * 10 + d).copied().unwrap_or(Place::ROOT)
    }

    /// One more step: see [`Trie::step`].
    #[inline]
    pub(super) fn step(&self, place: &mut Place, depth: usize, digit: u8) {
        self.prefixes.step(place, depth, digit);
    }
}
