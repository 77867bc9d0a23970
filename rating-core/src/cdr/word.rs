//! Short texts as machine words: to be compared in one step.

/// Whether there are digits alone, or nothing at all.
#[inline]
pub(super) fn is_digits(text: &[u8]) -> bool {
    match (text.first_chunk(), text.last_chunk()) {
        (Some(head), Some(tail)) if text.len() <= 16 => are_digits(*head) && are_digits(*tail),
        _ => match (text.first_chunk(), text.last_chunk()) {
            (Some(&[a, b, c, d]), Some(&[e, f, g, h])) if text.len() <= 8 => are_digits([a, b, c, d, e, f, g, h]),
            _ => text.iter().all(u8::is_ascii_digit),
        },
    }
}

#[inline]
const fn are_digits(text: [u8; 8]) -> bool {
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let word = u64::from_le_bytes(text);
    // `0` to `9` are 0x30 to 0x39: six more than any of them is still 0x3_.
    word & HIGH == ZEROS && word.wrapping_add(0x0606_0606_0606_0606) & HIGH == ZEROS
}

/// A text of at most eight bytes without regard to the case of its ASCII letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    bytes: u64,
    len: u8,
}

impl Word {
    /// `None` if the text is longer.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        Some(Self { bytes: lower(loaded(text)?), len: text.len() as u8 })
    }
}

/// The bytes of a text of at most eight, zeros behind them.
#[inline]
fn loaded(text: &[u8]) -> Option<u64> {
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        _ if text.len() > 8 => None,
        // Two halves, which share what is in both.
        (Some(head), Some(tail)) => {
            let shared = 8 * (text.len() - 4);
            Some(u64::from(u32::from_le_bytes(*head)) | (u64::from(u32::from_le_bytes(*tail)) << shared))
        }
        _ => Some(text.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))),
    }
}

/// Every byte that is a capital letter made a small one.
#[inline]
const fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let low = word & !HIGH;
    // The high bit of each byte: from `A` on, and behind `Z`.
    let from_a = low + ONES * (0x80 - b'A' as u64);
    let behind_z = low + ONES * (0x7F - b'Z' as u64);
    let capitals = (from_a & !behind_z) & !word & HIGH;
    word | (capitals >> 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte =
            prop_oneof![Just(b'@'), Just(b'A'), Just(b'Z'), Just(b'['), Just(b'a'), Just(b'z'), Just(0), any::<u8>()];
        proptest::collection::vec(byte, 0..10)
    }

    proptest! {
        #[test]
        fn digits_are_told(text in "[0-9]{0,20}", odd in proptest::option::of((0_usize..20, any::<u8>()))) {
            let mut text = text.into_bytes();
            if let Some((at, byte)) = odd && let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            prop_assert_eq!(is_digits(&text), text.iter().all(u8::is_ascii_digit));
        }

        #[test]
        fn words_are_equal_where_texts_are_but_for_case(
            one in text(),
            other in text(),
            changed in proptest::option::of((0_usize..10, any::<u8>())),
        ) {
            let mut near = one.to_ascii_uppercase();
            if let Some((at, byte)) = changed && let Some(place) = near.get_mut(at) {
                *place = byte;
            }
            for other in [other, near, one.to_ascii_lowercase()] {
                let (a, b) = (Word::of(&one), Word::of(&other));
                prop_assert_eq!((a.is_some(), b.is_some()), (one.len() <= 8, other.len() <= 8));
                if a.is_some() && b.is_some() {
                    prop_assert_eq!(a == b, one.eq_ignore_ascii_case(&other));
                }
            }
        }
    }
}
