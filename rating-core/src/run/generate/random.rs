//! Draws that depend on a seed and a place alone: no state is carried from one record to the next.

/// What a stream of draws is for; two streams with the same seed and place are unrelated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Call = 1,
    Slot = 2,
    Copy = 3,
    Pool = 4,
    Prefix = 5,
    Destination = 6,
    Allocation = 7,
}

/// A stream of draws (splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub(super) struct Draws(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mixed(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Draws {
    pub(super) const fn new(seed: u64, stream: Stream, place: u64) -> Self {
        let stream = mixed(seed.wrapping_add(GOLDEN.wrapping_mul(stream as u64)));
        Self(mixed(stream ^ mixed(place.wrapping_add(GOLDEN))))
    }

    #[inline]
    pub(super) const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// 0 to `limit - 1`, evenly; 0 if `limit` is 0.
    #[inline]
    pub(super) const fn below(&mut self, limit: u64) -> u64 {
        scaled(self.word() >> 32, limit)
    }

    /// 0 to `limit - 1`, the small ones more often: as `limit * u^1.5` is, with `u` even in [0, 1).
    #[inline]
    pub(super) fn below_skewed(&mut self, limit: u64) -> u64 {
        let u = self.word() >> 32;
        scaled((u * (u << 32).isqrt()) >> 32, limit)
    }

    /// 0 to `limit - 1`, the small ones far more often: as `limit * u^3` is.
    #[inline]
    pub(super) const fn below_steep(&mut self, limit: u64) -> u64 {
        let u = self.word() >> 32;
        scaled((((u * u) >> 32) * u) >> 32, limit)
    }

    /// Whole seconds, exponentially distributed with the given mean, in integers throughout: `-mean * ln(u)`.
    #[inline]
    pub(super) const fn exponential(&mut self, mean: u64) -> u64 {
        const LN_2_Q16: u64 = 45_426;
        (minus_log2_q16(self.word()) * mean * LN_2_Q16) >> 32
    }
}

/// `limit * share / 2^32`.
#[inline]
const fn scaled(share: u64, limit: u64) -> u64 {
    ((share as u128 * limit as u128) >> 32) as u64
}

/// `-log2(word / 2^64)` in units of 2^-16, by squaring the mantissa once per bit.
const fn minus_log2_q16(word: u64) -> u64 {
    let word = word | 1;
    let zeros = word.leading_zeros();
    let mut mantissa = (word << zeros) >> 32;
    let mut fraction = 0;
    let mut bit = 1 << 15;
    while bit != 0 {
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >> 32 != 0 {
            fraction |= bit;
            mantissa >>= 1;
        }
        bit >>= 1;
    }
    ((zeros as u64 + 1) << 16) - fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_the_sixteenth_bit() {
        assert_eq!(minus_log2_q16(1 << 63), 1 << 16); // one half
        assert_eq!(minus_log2_q16(1 << 60), 4 << 16); // one sixteenth
        // 3/4: 2 - log2(3) = 0.41503749927884 × 65536 = 27199.9
        assert!((27_199..=27_200).contains(&minus_log2_q16(3 << 62)));
    }

    #[test]
    fn draws_have_the_distribution_that_their_name_says() {
        let mut draws = Draws::new(1, Stream::Call, 0);
        let mean = |total: u64| total / 100_000;
        // Means of 1000·u, 1000·u^1.5 and 1000·u^3 are 500, 400 and 250; that of the exponential is its parameter, less
        // half a second for the seconds cut off.
        assert!((495..=505).contains(&mean((0..100_000).map(|_| draws.below(1_000)).sum())));
        assert!((395..=405).contains(&mean((0..100_000).map(|_| draws.below_skewed(1_000)).sum())));
        assert!((246..=254).contains(&mean((0..100_000).map(|_| draws.below_steep(1_000)).sum())));
        assert!((147..=152).contains(&mean((0..100_000).map(|_| draws.exponential(150)).sum())));
    }

    #[test]
    fn streams_and_places_are_unrelated() {
        let first = |stream, place| Draws::new(7, stream, place).word();
        let mut words = vec![
            first(Stream::Call, 0),
            first(Stream::Call, 1),
            first(Stream::Slot, 0),
            first(Stream::Slot, 1),
            Draws::new(8, Stream::Call, 0).word(),
        ];
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 5);
    }
}
