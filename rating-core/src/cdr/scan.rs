//! Looking at 64 bytes at once: where among them the signs stand that divide a file, one bit for each byte. Sixteen bytes
//! are compared by one instruction, where the processor has one.

use wide::u8x16;

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

/// What stands in a block.
#[inline]
pub(super) fn signs(block: &[u8; BLOCK], delimiter: u8, line_end: u8) -> Signs {
    let [quote, delimiter, line_end, nul] = [b'"', delimiter, line_end, 0].map(u8x16::splat);
    let (mut quotes, mut delimiters, mut line_ends, mut nuls) = (0, 0, 0, 0);
    let (lanes, _) = block.as_chunks();
    for lane in lanes.iter().rev() {
        let lane = u8x16::new(*lane);
        let push = |bits: u64, sign: u8x16| (bits << 16) | u64::from(lane.simd_eq(sign).to_bitmask());
        quotes = push(quotes, quote);
        delimiters = push(delimiters, delimiter);
        line_ends = push(line_ends, line_end);
        nuls = push(nuls, nul);
    }
    Signs { quotes, delimiters, line_ends, has_nul: nuls != 0 }
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
