//! Telephone numbers: digits packed with their length, the parties of a call, and classes of numbers.
//!
//! Identity of a number is its digits and nothing else. [`Digits`] packs up to fifteen decimal digits (the most that
//! ITU-T E.164 allows) and their count into one `u64`, so that comparing, hashing and storing a number costs one word
//! and leading zeros are kept. [`E164`] is a [`Digits`] known to be an international number: country code first.

pub mod numbering;

use std::fmt;

/// The most digits an international number may have (ITU-T E.164, 6.1).
pub const MAX_DIGITS: usize = 15;

const LENGTH_SHIFT: u32 = 56;
const VALUE_MASK: u64 = (1 << LENGTH_SHIFT) - 1;

/// `10^n` for the lengths that [`Digits`] can have.
const POW10: [u64; MAX_DIGITS + 1] = {
    let mut table = [1_u64; MAX_DIGITS + 1];
    let mut n = 1;
    while n <= MAX_DIGITS {
        table[n] = table[n - 1] * 10;
        n += 1;
    }
    table
};

/// Up to fifteen decimal digits and their count, in one word. `007` and `7` differ.
///
/// The order is by length first, then by value; use [`Digits::text_order`] for the order a person expects in a list.
///
/// # Example: leading zeros are part of the identity
///
/// ```
/// use rating_core::number::Digits;
/// let digits = Digits::parse(b"007").unwrap();
/// assert_eq!(digits.to_string(), "007");
/// assert_ne!(Some(digits), Digits::parse(b"7"));
/// assert_eq!(Digits::parse(b"0x7"), None);
/// assert_eq!(Digits::parse(b"1234567890123456"), None); // sixteen digits
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digits(u64);

impl Digits {
    /// No digits at all.
    pub const EMPTY: Self = Self(0);

    /// Packs `text` if it is 0 to 15 ASCII digits and nothing else.
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let len = text.len();
        if len > MAX_DIGITS {
            return None;
        }
        // Long texts are read as two words that share what is in both.
        if let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) {
            let (head, tail) = (swar::digits(*head)?, swar::digits(*tail)?);
            let shared = 8 * (16 - len as u32);
            let tail = tail.checked_shr(shared).map_or(0, |tail| tail << shared);
            return Some(Self::pack(swar::value(head) * POW10[len - 8] + swar::value(tail), len));
        }
        if let (Some(&[a, b, c, d]), Some(&[e, f, g, h])) = (text.first_chunk(), text.last_chunk()) {
            let (head, tail) = (
                swar::digits([a, b, c, d, b'0', b'0', b'0', b'0'])?,
                swar::digits([b'0', b'0', b'0', b'0', e, f, g, h])?,
            );
            let head = (head << (8 * (8 - len as u32))) & u64::from(u32::MAX);
            return Some(Self::pack(swar::value(head | tail), len));
        }
        let mut value = 0_u64;
        for byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u64::from(digit);
        }
        Some(Self::pack(value, len))
    }

    #[inline]
    const fn pack(value: u64, len: usize) -> Self {
        Self(value | ((len as u64) << LENGTH_SHIFT))
    }

    /// The packed word: value in the low 56 bits, length in the high 8. Stable, for storage.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`Digits::to_bits`]; `None` if the word was not made by it.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        let len = usize::try_from(bits >> LENGTH_SHIFT).ok()?;
        let limit = *POW10.get(len)?;
        ((bits & VALUE_MASK) < limit).then_some(Self(bits))
    }

    /// How many digits there are, 0 to 15.
    #[must_use]
    #[inline]
    pub const fn len(self) -> usize {
        (self.0 >> LENGTH_SHIFT) as usize
    }

    /// Whether there are no digits.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The digits read as one number; leading zeros do not show here.
    #[must_use]
    #[inline]
    pub const fn value(self) -> u64 {
        self.0 & VALUE_MASK
    }

    /// The first `len` digits, or all of them if there are fewer.
    #[must_use]
    #[inline]
    pub fn prefix(self, len: usize) -> Self {
        let have = self.len();
        if len >= have {
            return self;
        }
        Self::pack(self.value() / POW10[have - len], len)
    }

    /// What is left after the first `len` digits.
    #[must_use]
    #[inline]
    pub fn strip(self, len: usize) -> Self {
        let have = self.len();
        if len >= have {
            return Self::EMPTY;
        }
        Self::pack(self.value() % POW10[have - len], have - len)
    }

    /// Whether these digits begin with all of `prefix`.
    #[must_use]
    #[inline]
    pub fn starts_with(self, prefix: Self) -> bool {
        prefix.len() <= self.len() && self.prefix(prefix.len()) == prefix
    }

    /// `self` followed by `other`; `None` if that is more than fifteen digits.
    #[must_use]
    #[inline]
    pub fn concat(self, other: Self) -> Option<Self> {
        let len = self.len() + other.len();
        if len > MAX_DIGITS {
            return None;
        }
        Some(Self::pack(self.value() * POW10[other.len()] + other.value(), len))
    }

    /// The digit at `index` from the left, 0 to 9.
    #[must_use]
    #[inline]
    pub fn digit(self, index: usize) -> Option<u8> {
        let len = self.len();
        if index >= len {
            return None;
        }
        Some(((self.value() / POW10[len - 1 - index]) % 10) as u8)
    }

    /// The next number of the same length, for walking a range; `None` after 99…9.
    #[must_use]
    pub fn successor(self) -> Option<Self> {
        let next = self.value() + 1;
        (next < POW10[self.len()]).then_some(Self::pack(next, self.len()))
    }

    /// The digits one by one, each 0 to 9, then zeros.
    #[must_use]
    #[inline]
    pub const fn each(self) -> [u8; 16] {
        let (high, low) = (self.value() / 100_000_000, self.value() % 100_000_000);
        let all = (swar::split(high) as u128) | ((swar::split(low) as u128) << 64);
        // Of sixteen digits the first ones are no part of it; of none there is nothing to shift.
        let skipped = 8 * (16 - self.len() as u32);
        match all.checked_shr(skipped) {
            Some(digits) => digits.to_le_bytes(),
            None => [0; 16],
        }
    }

    /// Writes the digits as ASCII into `buffer` and returns the part used.
    #[inline]
    pub fn write(self, buffer: &mut [u8; MAX_DIGITS]) -> &[u8] {
        let text = u128::from_le_bytes(self.each()) | u128::from_le_bytes([b'0'; 16]);
        let [text @ .., _] = text.to_le_bytes();
        *buffer = text;
        &buffer[..self.len()]
    }

    /// A key that sorts as text does: `2` after `10`, `01` before `1`.
    #[must_use]
    pub fn text_order(self) -> (u64, usize) {
        (self.value() * POW10[MAX_DIGITS - self.len()], self.len())
    }
}

/// Eight decimal digits in one word, the first in the lowest byte.
mod swar {
    /// The digits of a text, if it is nothing else.
    #[inline]
    pub(super) const fn digits(text: [u8; 8]) -> Option<u64> {
        const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
        let word = u64::from_le_bytes(text);
        // `0` to `9` are 0x30 to 0x39: six more than any of them is still 0x3_.
        let is_digits = word & HIGH == 0x3030_3030_3030_3030
            && word.wrapping_add(0x0606_0606_0606_0606) & HIGH == 0x3030_3030_3030_3030;
        if is_digits { Some(word & !HIGH) } else { None }
    }

    /// The digits read as one number: pairs of digits first, then pairs of those, and again.
    #[inline]
    pub(super) const fn value(digits: u64) -> u64 {
        let pairs = (digits.wrapping_mul((10 << 8) | 1) >> 8) & 0x00FF_00FF_00FF_00FF;
        let fours = (pairs.wrapping_mul((100 << 16) | 1) >> 16) & 0x0000_FFFF_0000_FFFF;
        fours.wrapping_mul((10_000 << 32) | 1) >> 32
    }

    /// The inverse of [`value`], for numbers below 10^8.
    #[inline]
    pub(super) const fn split(value: u64) -> u64 {
        let fours = (value / 10_000) | ((value % 10_000) << 32);
        // Divisions by 100 and 10 in each lane, exact for all that a lane can hold.
        let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
        let pairs = hundreds | ((fours - hundreds * 100) << 16);
        let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
        tens | ((pairs - tens * 10) << 8)
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        write!(f, "{:0width$}", self.value(), width = self.len())
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// An international number: country code and national significant number, 5 to 15 digits, no leading zero.
///
/// The lower bound is ours: shorter strings are short codes or extensions in every plan shipped here. Whether the
/// number exists is not asked; a bill does not depend on it.
///
/// # Example
///
/// ```
/// use rating_core::number::E164;
/// let number = E164::parse("+44 20 7946 0958".as_bytes()).unwrap();
/// assert_eq!(number.to_string(), "+442079460958");
/// assert_eq!(E164::parse(b"02079460958"), None); // national: no country code
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct E164(Digits);

impl E164 {
    /// The fewest digits accepted.
    pub const MIN_DIGITS: usize = 5;

    /// Accepts 5 to 15 digits that do not begin with zero.
    #[must_use]
    #[inline]
    pub fn new(digits: Digits) -> Option<Self> {
        // The first digit is not zero if the value has as many digits as the text.
        (digits.len() >= Self::MIN_DIGITS && digits.value() >= POW10[digits.len() - 1]).then_some(Self(digits))
    }

    /// Reads a number as tables write it: an optional `+`, digits, and blanks, hyphens, dots or parentheses between.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(b"+").unwrap_or(text);
        let mut digits = Digits::EMPTY;
        for byte in text {
            match byte {
                b'0'..=b'9' => digits = digits.concat(Digits::parse(&[*byte])?)?,
                b' ' | b'-' | b'.' | b'(' | b')' => {}
                _ => return None,
            }
        }
        Self::new(digits)
    }

    /// The digits, country code first, without `+`.
    #[must_use]
    #[inline]
    pub const fn digits(self) -> Digits {
        self.0
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One side of a call after normalisation. Text borrows from the record it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party<'a> {
    /// An international number.
    Number(E164),
    /// An extension of the site, digits only.
    Extension(Digits),
    /// An emergency number of the site's country, as keyed: `999`, `112`, `911`.
    Emergency(Digits),
    /// A short or service code of the site's country that has no international form: `101`, `118500`, `411`.
    ShortCode(Digits),
    /// A feature code of the switch, such as `*60`, or an application name such as `s` or `voicemail`.
    Feature(&'a [u8]),
    /// A name where a number was expected: `client1`, a SIP user.
    Name(&'a [u8]),
    /// The caller withheld the number (`anonymous`, `restricted`, …).
    Withheld,
    /// Something else; kept as written and never priced.
    Unclassified(&'a [u8]),
    /// Nothing was recorded.
    Missing,
}

impl<'a> Party<'a> {
    /// The international number, if that is what it is.
    #[must_use]
    #[inline]
    pub const fn e164(self) -> Option<E164> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The extension, if that is what it is.
    #[must_use]
    #[inline]
    pub const fn extension(self) -> Option<Digits> {
        match self {
            Self::Extension(digits) => Some(digits),
            _ => None,
        }
    }

    /// The text that was written, for the variants that keep it.
    #[must_use]
    pub const fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Feature(text) | Self::Name(text) | Self::Unclassified(text) => Some(text),
            _ => None,
        }
    }
}

/// What kind of destination a number is, by the numbering plan. It never chooses a price; it guards against one:
/// a number of a [protected](NumberClass::is_protected) class is not priced by a shorter prefix (`tariffs`: decks are
/// incomplete, and a country row must not price a premium call).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NumberClass {
    /// Not told apart by the plan: an ordinary number.
    #[default]
    Ordinary,
    /// Fixed line with a place.
    Geographic,
    /// Non-geographic at geographic price (British 03).
    NonGeographic,
    /// Mobile.
    Mobile,
    /// Personal numbering (British 070).
    Personal,
    /// Paging (British 076).
    Paging,
    /// Shared-cost or service-charge number (British 084, 087; German 0180).
    Service,
    /// Premium rate (British 09, American 900).
    Premium,
    /// Free to the caller (0800, 116xxx).
    Free,
    /// Directory enquiries (118xxx, 411).
    Directory,
    /// Satellite and shared country codes (870, 878, 881, 882, 883, 979).
    Satellite,
    /// A short code without international form.
    ShortCode,
    /// An emergency number.
    Emergency,
    /// An extension of the same switch.
    Internal,
}

impl NumberClass {
    /// Every class, in the order of their stable names.
    pub const ALL: [Self; 14] = [
        Self::Ordinary,
        Self::Geographic,
        Self::NonGeographic,
        Self::Mobile,
        Self::Personal,
        Self::Paging,
        Self::Service,
        Self::Premium,
        Self::Free,
        Self::Directory,
        Self::Satellite,
        Self::ShortCode,
        Self::Emergency,
        Self::Internal,
    ];

    /// The name used in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Geographic => "geographic",
            Self::NonGeographic => "non_geographic",
            Self::Mobile => "mobile",
            Self::Personal => "personal",
            Self::Paging => "paging",
            Self::Service => "service",
            Self::Premium => "premium",
            Self::Free => "free",
            Self::Directory => "directory",
            Self::Satellite => "satellite",
            Self::ShortCode => "short_code",
            Self::Emergency => "emergency",
            Self::Internal => "internal",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether a row with a shorter prefix than the class's own range must not price such a number: premium,
    /// personal, paging, service, directory, satellite and short codes.
    #[must_use]
    pub const fn is_protected(self) -> bool {
        matches!(
            self,
            Self::Premium
                | Self::Personal
                | Self::Paging
                | Self::Service
                | Self::Directory
                | Self::Satellite
                | Self::ShortCode
        )
    }
}

/// Which way a call went, seen from the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the site to the outside.
    Outbound,
    /// From the outside to the site.
    Inbound,
    /// Inside the site.
    Internal,
    /// From the outside through the site to the outside: forwarded or transferred.
    Forwarded,
    /// The record does not tell.
    Unknown,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 5] = [Self::Outbound, Self::Inbound, Self::Internal, Self::Forwarded, Self::Unknown];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Internal => "internal",
            Self::Forwarded => "forwarded",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Digits {
        Digits::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn prefix_strip_and_concat_are_text_operations() {
        for text in ["", "0", "007", "442079460958", "999999999999999", "000000000000000"] {
            let whole = digits(text);
            assert_eq!(whole.to_string(), text);
            assert_eq!(Digits::from_bits(whole.to_bits()), Some(whole));
            for cut in 0..=text.len() {
                assert_eq!(whole.prefix(cut), digits(&text[..cut]));
                assert_eq!(whole.strip(cut), digits(&text[cut..]));
                assert!(whole.starts_with(digits(&text[..cut])));
                assert_eq!(digits(&text[..cut]).concat(digits(&text[cut..])), Some(whole));
            }
        }
    }

    #[test]
    fn digits_are_read_and_written_alike_at_every_length() {
        // Every length, with digits that differ from place to place; then every number of four digits in each lane.
        for len in 0..=MAX_DIGITS {
            for first in 0..10 {
                let text: String = (0..len).map(|place| char::from(b'0' + ((first + 7 * place) % 10) as u8)).collect();
                let read = digits(&text);
                assert_eq!((read.len(), read.to_string()), (len, text.clone()));
                let value = text.bytes().fold(0_u64, |value, byte| value * 10 + u64::from(byte - b'0'));
                assert_eq!(read.value(), value);
                assert_eq!(read.write(&mut [0; MAX_DIGITS]), text.as_bytes());
                for place in 0..len {
                    for other in [b'/', b':', b' ', 0, 0xB5, 0xFF, b'a'] {
                        let mut broken = text.clone().into_bytes();
                        broken[place] = other;
                        assert_eq!(Digits::parse(&broken), None, "{broken:?}");
                    }
                }
            }
        }
        for four in 0..10_000_u64 {
            for text in [format!("{four:04}1230987"), format!("987{four:04}0123"), format!("12345678{four:04}")] {
                assert_eq!(digits(&text).to_string(), text);
                assert_eq!(digits(&text).write(&mut [0; MAX_DIGITS]), text.as_bytes());
            }
        }
    }

    #[test]
    fn text_order_is_the_order_of_the_texts() {
        let mut texts = ["2", "10", "1", "01", "100", "099", "44", "4420"];
        texts.sort_unstable();
        let mut by_key = texts;
        by_key.sort_by_key(|text| digits(text).text_order());
        assert_eq!(texts, by_key);
    }

    #[test]
    fn sixteen_digits_and_foreign_words_are_refused() {
        assert_eq!(digits("999999999999999").concat(digits("1")), None);
        assert_eq!(Digits::from_bits(u64::MAX), None);
        assert_eq!(Digits::from_bits((1 << 56) | 10), None); // one digit, value ten
    }
}
