//! How the cells of a column are kept: text in one heap, numbers packed, names as ids, everything else as integers.

use std::borrow::Cow;
#[cfg(feature = "parquet")]
use std::ops::Range;

use super::names::Dictionary;
use crate::ids::Interner;
use crate::number::{Digits, MAX_DIGITS};

/// Text as it may be written: UTF-8, without characters that control a reader (see [text](super#text)).
pub(super) fn clean(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text)
        && !text.chars().any(is_unprintable)
    {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        cleaned.extend(chunk.valid().chars().map(|c| if is_unprintable(c) { char::REPLACEMENT_CHARACTER } else { c }));
        if !chunk.invalid().is_empty() {
            cleaned.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(cleaned)
}

/// C0, DEL and C1 controls; line and paragraph separators; bidirectional embeddings, overrides and isolates; the
/// byte-order mark.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether all bytes are printable ASCII, so that [`clean`] would change nothing. Eight bytes at a time.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // A borrow can only come out of a byte that is itself below the limit, so the test for "any" is exact.
    let odd = |eight: u64| {
        let below_blank = eight.wrapping_sub(ONES * 0x20) & !eight;
        let delete = eight ^ (ONES * 0x7f);
        (eight | below_blank | (delete.wrapping_sub(ONES) & !delete)) & HIGHS
    };
    let (eights, rest) = text.as_chunks::<8>();
    let mut last = [b' '; 8];
    for (into, byte) in last.iter_mut().zip(rest) {
        *into = *byte;
    }
    eights.iter().fold(odd(u64::from_le_bytes(last)), |found, eight| found | odd(u64::from_le_bytes(*eight))) == 0
}

/// Which cells are null; costs nothing while none is.
#[derive(Clone, Debug, Default)]
pub(super) struct Nulls {
    /// Whether each row has a value; empty while all have.
    valid: Vec<bool>,
}

impl Nulls {
    /// Says of row number `row`, the next, whether it has a value.
    #[inline]
    pub(super) fn push(&mut self, valid: bool, row: usize) {
        if !valid && self.valid.is_empty() {
            self.valid.resize(row, true);
        }
        // An empty list stands for "all valid", and stays one as long as that is so.
        if !valid || !self.valid.is_empty() {
            self.valid.push(valid);
        }
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.valid.get(row).is_some_and(|valid| !valid)
    }

    /// Which of some rows have a value; `None` if all of the column have.
    #[cfg(feature = "parquet")]
    pub(super) fn valid(&self, rows: &Range<usize>) -> Option<&[bool]> {
        if self.valid.is_empty() { None } else { self.valid.get(rows.clone()) }
    }

    fn clear(&mut self) {
        self.valid.clear();
    }
}

/// Integers, or something kept as integers.
#[derive(Clone, Debug)]
pub(super) struct Values<T> {
    pub(super) values: Vec<T>,
    pub(super) nulls: Nulls,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), nulls: Nulls::default() }
    }
}

impl<T: Copy + Default> Values<T> {
    #[inline]
    pub(super) fn push(&mut self, value: Option<T>) {
        self.nulls.push(value.is_some(), self.values.len());
        self.values.push(value.unwrap_or_default());
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<T> {
        if self.nulls.is_null(row) { None } else { self.values.get(row).copied() }
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.nulls.clear();
    }
}

/// Text of any kind; all cells lie in one heap.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    pub(super) bytes: Vec<u8>,
    /// Where each cell ends; the first entry is 0.
    pub(super) ends: Vec<usize>,
    pub(super) nulls: Nulls,
}

impl Default for Heap {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: vec![0], nulls: Nulls::default() }
    }
}

impl Heap {
    #[inline]
    pub(super) fn push(&mut self, text: Option<&[u8]>) {
        if let Some(text) = text {
            if is_plain(text) {
                self.bytes.extend_from_slice(text);
            } else {
                self.bytes.extend_from_slice(clean(text).as_bytes());
            }
        }
        self.nulls.push(text.is_some(), self.ends.len() - 1);
        self.ends.push(self.bytes.len());
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        if self.nulls.is_null(row) {
            return None;
        }
        self.bytes.get(*self.ends.get(row)?..*self.ends.get(row + 1)?)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.truncate(1);
        self.nulls.clear();
    }
}

/// A phone number, extension or what stands in its place, in one word: equal words are equal texts.
///
/// Digits as [`Digits`] packs them, with a mark where a `+` stands before them; or the number of a text that is kept
/// beside the words, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed(pub(super) u64);

impl Packed {
    /// No number.
    pub(super) const NONE: Self = Self(u64::MAX);
    const PLUS: u64 = 1 << 63;
    const TEXT: u64 = 1 << 62;

    #[inline]
    pub(super) const fn digits(digits: Digits) -> Self {
        Self(digits.to_bits())
    }

    #[inline]
    pub(super) const fn international(digits: Digits) -> Self {
        Self(digits.to_bits() | Self::PLUS)
    }
}

/// The longest number, with its `+`.
pub(super) const NUMBER_BYTES: usize = MAX_DIGITS + 1;

/// Numbers, and the texts that stand in their place.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    pub(super) packed: Vec<Packed>,
    texts: Interner,
}

impl Numbers {
    #[inline]
    pub(super) fn push(&mut self, packed: Packed) {
        self.packed.push(packed);
    }

    pub(super) fn push_text(&mut self, text: &[u8]) {
        let id = self.texts.intern(&clean(text));
        self.packed.push(Packed(Packed::TEXT | u64::from(id)));
    }

    #[inline]
    pub(super) fn packed(&self, row: usize) -> Option<Packed> {
        self.packed.get(row).copied().filter(|packed| *packed != Packed::NONE)
    }

    /// A cell as text; `buffer` holds it if it is digits.
    #[cfg(any(test, feature = "parquet"))]
    #[inline]
    pub(super) fn write<'t>(&'t self, packed: Packed, buffer: &'t mut [u8; NUMBER_BYTES]) -> &'t [u8] {
        match as_digits(packed) {
            Some((text, from)) => {
                *buffer = text;
                buffer.get(from..).unwrap_or_default()
            }
            None => self.text(packed),
        }
    }

    /// The text that stands in the place of a number.
    pub(super) fn text(&self, packed: Packed) -> &[u8] {
        self.texts.name(u32::try_from(packed.0 & !Packed::TEXT).unwrap_or(u32::MAX)).as_bytes()
    }

    pub(super) fn clear(&mut self) {
        self.packed.clear();
        if !self.texts.is_empty() {
            self.texts = Interner::default();
        }
    }
}

/// The digits of a number at the end of sixteen bytes, its `+` before them, and where it begins; `None` for text.
#[inline]
pub(super) fn as_digits(packed: Packed) -> Option<([u8; NUMBER_BYTES], usize)> {
    if packed.0 & Packed::TEXT != 0 {
        return None;
    }
    let digits = Digits::from_bits(packed.0 & !Packed::PLUS)?;
    let value = digits.value();
    let high = eight_digits(value / 100_000_000).to_le_bytes();
    let low = eight_digits(value % 100_000_000).to_le_bytes();
    let mut text = [0; NUMBER_BYTES];
    for (into, byte) in text.iter_mut().zip(high.into_iter().chain(low)) {
        *into = byte;
    }
    let mut from = NUMBER_BYTES - digits.len();
    if packed.0 & Packed::PLUS != 0 {
        from -= 1;
        if let Some(sign) = text.get_mut(from) {
            *sign = b'+';
        }
    }
    Some((text, from))
}

/// Eight decimal digits of a number below 10⁸ as ASCII, the first in the lowest byte: halves, quarters and single digits are
/// divided apart side by side in one word.
#[inline]
pub(super) const fn eight_digits(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    // ⌊x / 100⌋ = ⌊5,243 x / 2¹⁹⌋ for x < 10,000; ⌊x / 10⌋ = ⌊103 x / 2¹⁰⌋ for x < 100.
    let hundreds = ((fours * 5_243) >> 19) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    (tens | ((twos - tens * 10) << 8)) + 0x3030_3030_3030_3030
}

/// The id of no name: a null.
pub(super) const NO_NAME: u32 = u32::MAX;

/// Cells in one of the forms in which they are kept.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    Text(Heap),
    Numbers(Numbers),
    /// Ids of names, or [`NO_NAME`].
    Names(Vec<u32>, Dictionary),
    /// Whatever 64 bits hold: counts, single charges, prices, durations and instants in milliseconds, truth as 1 or 0.
    Units(Values<i64>),
    /// Sums.
    Wide(Values<i128>),
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(heap) => heap.ends.len() - 1,
            Self::Numbers(numbers) => numbers.packed.len(),
            Self::Names(ids, _) => ids.len(),
            Self::Units(values) => values.values.len(),
            Self::Wide(values) => values.values.len(),
        }
    }
}

/// One column of a batch: a cell for each row, or for each code that rows have in one of the batch's lists of codes.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Which list of codes says the cell of a row; `None` if cells are by row.
    pub(super) codes: Option<usize>,
    pub(super) cells: Cells,
}

impl From<Cells> for Column {
    fn from(cells: Cells) -> Self {
        Self { codes: None, cells }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_made_readable_once_for_every_writer() {
        for (written, expected) in [
            (&b"plain"[..], "plain"),
            (b"longer than eight bytes", "longer than eight bytes"),
            ("Zoë & Söhne".as_bytes(), "Zoë & Söhne"),
            (b"Zo\xeb", "Zo\u{fffd}"),
            (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b"),
            (b"a\tb\r\nc\0d\x1b[2Je\x7f", "a\u{fffd}b\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}[2Je\u{fffd}"),
            ("a\u{85}b\u{2028}c\u{202e}d\u{2066}e\u{feff}".as_bytes(), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}"),
            (b"", ""),
        ] {
            assert_eq!(clean(written), expected);
            let mut heap = Heap::default();
            heap.push(Some(written));
            assert_eq!(heap.get(0), Some(expected.as_bytes()));
        }
    }

    #[test]
    fn every_byte_is_judged_at_every_place_as_it_is_alone() {
        for length in 1..20 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b' '; length];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), (b' '..0x7f).contains(&byte), "{byte} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn plain_text_is_printable_ascii(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(is_plain(&text), text.iter().all(|byte| (b' '..0x7f).contains(byte)));
        }

        #[test]
        fn packed_numbers_are_written_as_their_digits(text in "[0-9]{0,15}") {
            let digits = Digits::parse(text.as_bytes()).unwrap();
            let numbers = Numbers::default();
            let mut buffer = [0; NUMBER_BYTES];
            prop_assert_eq!(numbers.write(Packed::digits(digits), &mut buffer), text.as_bytes());
            let mut buffer = [0; NUMBER_BYTES];
            let international = format!("+{text}");
            prop_assert_eq!(numbers.write(Packed::international(digits), &mut buffer), international.as_bytes());
        }
    }

    #[test]
    fn a_null_is_not_an_empty_text_nor_a_zero() {
        let mut heap = Heap::default();
        for cell in [Some(&b"a"[..]), Some(b""), None, Some(b"b")] {
            heap.push(cell);
        }
        assert_eq!(
            [heap.get(0), heap.get(1), heap.get(2), heap.get(3)],
            [Some(&b"a"[..]), Some(b""), None, Some(b"b")]
        );
        let mut values = Values::<i64>::default();
        for cell in [None, Some(0), Some(7)] {
            values.push(cell);
        }
        assert_eq!([values.get(0), values.get(1), values.get(2)], [None, Some(0), Some(7)]);
    }
}
