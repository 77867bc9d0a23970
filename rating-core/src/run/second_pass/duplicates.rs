//! Whether a record is equal to an earlier one.

/// Bits of the filter for each record listed.
const BITS: usize = 16;

/// Records that are equal to an earlier one. Nearly every record asked for is not, which a few bits tell; what they do not
/// rule out is looked up.
pub(super) struct Duplicates<'d> {
    sorted: &'d [u64],
    bits: Vec<u64>,
}

impl<'d> Duplicates<'d> {
    /// From their list, sorted.
    pub(super) fn new(sorted: &'d [u64]) -> Self {
        let words = (sorted.len() * BITS / 64 + 1).next_power_of_two();
        let mut duplicates = Self { sorted, bits: vec![0; words] };
        for record in sorted {
            let (word, bit) = duplicates.place(*record);
            if let Some(word) = duplicates.bits.get_mut(word) {
                *word |= bit;
            }
        }
        duplicates
    }

    fn place(&self, record: u64) -> (usize, u64) {
        // Offsets of records differ in their low bits; a product brings these up.
        let mixed = (record ^ record >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> 32) as usize & (self.bits.len() - 1), 1 << (mixed >> 26 & 63))
    }

    /// Whether the record is listed.
    #[inline]
    pub(super) fn contains(&self, record: u64) -> bool {
        let (word, bit) = self.place(record);
        self.bits.get(word).is_some_and(|word| word & bit != 0) && self.sorted.binary_search(&record).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_duplicate_if_it_is_listed_and_not_else() {
        for count in [0, 1, 2, 1_000_u64] {
            let listed: Vec<u64> = (0..count).map(|n| n * 7_919 + ((n % 3) << 44)).collect();
            let mut sorted = listed.clone();
            sorted.sort_unstable();
            let duplicates = Duplicates::new(&sorted);
            assert!(listed.iter().all(|record| duplicates.contains(*record)));
            assert!((0..50_000).filter(|n| !listed.contains(n)).all(|record| !duplicates.contains(record)));
        }
    }
}
