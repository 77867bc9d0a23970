//! Looking at 64 bytes at once: where among them the signs stand that divide a file, one bit for each byte. Eight bytes at
//! a time in a register, without a branch.

/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 64;

/// Where signs stand in a block: bit 0 is the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) quotes: u64,
    pub(super) delimiters: u64,
    pub(super) line_ends: u64,
    /// Whether there are NULs.
    pub(super) has_nul: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = ONES * 0x7F;
const HIGH: u64 = ONES * 0x80;

/// The high bits of eight bytes as one byte.
#[inline]
const fn gathered(high_bits: u64) -> u64 {
    // The product has them in its highest byte.
    (high_bits & HIGH).wrapping_mul(0x0002_0408_1020_4081) >> 56
}

/// What stands in a block.
#[inline]
pub(super) fn signs(block: &[u8; BLOCK], delimiter: u8, line_end: u8) -> Signs {
    let (words, _) = block.as_chunks::<8>();
    let [quote, delimiter, line_end] = [b'"', delimiter, line_end].map(|sign| ONES * u64::from(sign));
    let (mut quotes, mut delimiters, mut line_ends) = (0, 0, 0);
    let (mut all, mut any) = (HIGH, 0);
    for word in words.iter().rev() {
        let word = u64::from_le_bytes(*word);
        any |= word;
        // Where no byte has its high bit set, adding 0x7F sets it in all but those that are zero.
        all &= word.wrapping_add(LOW);
        quotes = (quotes << 8) | gathered((word ^ quote).wrapping_add(LOW));
        delimiters = (delimiters << 8) | gathered((word ^ delimiter).wrapping_add(LOW));
        line_ends = (line_ends << 8) | gathered((word ^ line_end).wrapping_add(LOW));
    }
    if (any | delimiter) & HIGH != 0 {
        return signs_of_any(words, quote, delimiter, line_end);
    }
    Signs { quotes: !quotes, delimiters: !delimiters, line_ends: !line_ends, has_nul: all & HIGH != HIGH }
}

/// The same where some bytes are not ASCII.
#[cold]
fn signs_of_any(words: &[[u8; 8]], quote: u64, delimiter: u64, line_end: u64) -> Signs {
    let find = |sign: u64| {
        words.iter().rev().fold(0, |bits, word| {
            let other = u64::from_le_bytes(*word) ^ sign;
            // The high bit of every byte that is not zero.
            (bits << 8) | gathered(((other & LOW) + LOW) | other)
        })
    };
    Signs {
        quotes: !find(quote),
        delimiters: !find(delimiter),
        line_ends: !find(line_end),
        has_nul: find(0) != u64::MAX,
    }
}

/// For every bit, whether the bits up to and with it have an odd number of ones: of quotes, from each opening one to just
/// before the closing one.
#[inline]
pub(super) const fn odd_up_to(bits: u64) -> u64 {
    let bits = bits ^ (bits << 1);
    let bits = bits ^ (bits << 2);
    let bits = bits ^ (bits << 4);
    let bits = bits ^ (bits << 8);
    let bits = bits ^ (bits << 16);
    bits ^ (bits << 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![4 => b' '..=b'~', 1 => Just(b'"'), 1 => Just(b','), 1 => Just(b'\n'), 1 => Just(1)]
    }

    proptest! {
        #[test]
        fn bits_stand_for_the_bytes_that_are_the_sign(
            block in proptest::collection::vec(byte(), BLOCK),
            odd in proptest::collection::vec((0..BLOCK, prop_oneof![Just(0), Just(0x80), Just(0xAC), any::<u8>()]), 0..3),
            delimiter in prop_oneof![Just(b','), any::<u8>()],
            line_end in prop_oneof![Just(b'\n'), Just(b'\r')],
        ) {
            let mut block: [u8; BLOCK] = block.try_into().unwrap();
            for (place, byte) in odd {
                block[place] = byte;
            }
            let expected = |sign: u8| block.iter().rev().fold(0, |bits, byte| (bits << 1) | u64::from(*byte == sign));
            prop_assert_eq!(signs(&block, delimiter, line_end), Signs {
                quotes: expected(b'"'),
                delimiters: expected(delimiter),
                line_ends: expected(line_end),
                has_nul: block.contains(&0),
            });
        }

        #[test]
        fn ones_are_counted_up_to_each_bit(bits in any::<u64>()) {
            let odd = odd_up_to(bits);
            for place in 0..64 {
                prop_assert_eq!((odd >> place) & 1, u64::from((bits << (63 - place)).count_ones() % 2));
            }
        }
    }
}
