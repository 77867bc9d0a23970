//! Typed columns: text in one heap, names as ids, everything else as integers.

use std::borrow::Cow;

use super::batch::Kind;
use super::names::Dictionary;
use crate::aggregation::Elapsed;
use crate::ids::SiteId;
use crate::money::{self, Currency, Total};
use crate::number::{Digits, E164, MAX_DIGITS, Party};
use crate::time::{Duration, Instant};

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

/// Which cells are null; costs nothing while none is.
#[derive(Clone, Debug, Default)]
pub(super) struct Nulls {
    rows: usize,
    /// Whether each row has a value; empty while all have.
    valid: Vec<bool>,
}

impl Nulls {
    #[inline]
    fn push(&mut self, valid: bool) {
        if !valid && self.valid.is_empty() {
            self.valid.resize(self.rows, true);
        }
        // An empty list stands for "all valid", and stays one as long as that is so.
        if !valid || !self.valid.is_empty() {
            self.valid.push(valid);
        }
        self.rows += 1;
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.valid.get(row).is_some_and(|valid| !valid)
    }

    #[cfg(feature = "parquet")]
    pub(super) fn valid(&self) -> Option<&[bool]> {
        (!self.valid.is_empty()).then_some(&self.valid)
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
    fn push(&mut self, value: Option<T>) {
        self.values.push(value.unwrap_or_default());
        self.nulls.push(value.is_some());
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<T> {
        if self.nulls.is_null(row) { None } else { self.values.get(row).copied() }
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
    fn push(&mut self, text: &[u8]) {
        if text.iter().all(|byte| (b' '..0x7f).contains(byte)) {
            self.bytes.extend_from_slice(text);
        } else {
            self.bytes.extend_from_slice(clean(text).as_bytes());
        }
        self.end(true);
    }

    #[inline]
    fn end(&mut self, valid: bool) {
        self.ends.push(self.bytes.len());
        self.nulls.push(valid);
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        if self.nulls.is_null(row) {
            return None;
        }
        self.bytes.get(*self.ends.get(row)?..*self.ends.get(row + 1)?)
    }
}

/// One column of a batch, whatever its kind.
#[derive(Clone, Debug)]
pub(super) enum Column {
    Text(Heap),
    Number(Heap),
    Name(Values<u32>, Dictionary),
    Integer(Values<i64>),
    Amount(Values<i128>),
    Price(Values<i128>),
    Decimal(Values<i128>),
    Seconds(Values<i128>),
    Instant(Values<i64>),
    Boolean(Values<bool>),
}

impl Column {
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Text(heap) | Self::Number(heap) => heap.ends.len() - 1,
            Self::Name(ids, _) => ids.values.len(),
            Self::Integer(values) | Self::Instant(values) => values.values.len(),
            Self::Amount(values) | Self::Price(values) | Self::Decimal(values) | Self::Seconds(values) => {
                values.values.len()
            }
            Self::Boolean(values) => values.values.len(),
        }
    }
}

/// Free text.
#[derive(Default)]
pub(super) struct Text(Heap);

impl Text {
    pub(super) const KIND: Kind = Kind::Text;

    #[inline]
    pub(super) fn push(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.0.push(text),
            None => self.0.end(false),
        }
    }

    pub(super) fn into_column(self) -> Column {
        Column::Text(self.0)
    }
}

/// Phone numbers, extensions and what stands in their place.
#[derive(Default)]
pub(super) struct Number(Heap);

impl Number {
    pub(super) const KIND: Kind = Kind::Number;

    #[inline]
    pub(super) fn push_e164(&mut self, number: Option<E164>) {
        if let Some(number) = number {
            self.0.bytes.push(b'+');
            self.0.bytes.extend_from_slice(number.digits().write(&mut [0; MAX_DIGITS]));
        }
        self.0.end(number.is_some());
    }

    #[inline]
    pub(super) fn push_digits(&mut self, digits: Option<Digits>) {
        if let Some(digits) = digits {
            self.0.bytes.extend_from_slice(digits.write(&mut [0; MAX_DIGITS]));
        }
        self.0.end(digits.is_some());
    }

    /// A party as reports show it: `+` and digits, digits, text as written, the word `withheld`, or nothing.
    #[inline]
    pub(super) fn push(&mut self, party: Party<'_>) {
        match party {
            Party::Number(number) => self.push_e164(Some(number)),
            Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => {
                self.push_digits(Some(digits));
            }
            Party::Feature(text) | Party::Name(text) | Party::Unclassified(text) => self.0.push(text),
            Party::Withheld => self.0.push(b"withheld"),
            Party::Missing => self.0.end(false),
        }
    }

    /// What stands in the place of a number, as it is.
    pub(super) fn push_text(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.0.push(text),
            None => self.0.end(false),
        }
    }

    pub(super) fn into_column(self) -> Column {
        Column::Number(self.0)
    }
}

/// Names of the project, by id.
#[derive(Default)]
pub(super) struct Name {
    ids: Values<u32>,
    dictionary: Dictionary,
}

impl Name {
    pub(super) const KIND: Kind = Kind::Text;

    pub(super) fn of(dictionary: &Dictionary) -> Self {
        Self { ids: Values::default(), dictionary: dictionary.clone() }
    }

    #[inline]
    pub(super) fn push(&mut self, id: Option<u32>) {
        self.ids.push(id);
    }

    pub(super) fn into_column(self) -> Column {
        Column::Name(self.ids, self.dictionary)
    }
}

/// Words of our own (codes, classes, currencies): few, so each is kept once.
#[derive(Default)]
pub(super) struct Word {
    ids: Values<u32>,
    words: Vec<Box<str>>,
    last: u32,
}

impl Word {
    pub(super) const KIND: Kind = Kind::Text;

    #[inline]
    pub(super) fn push(&mut self, word: Option<&str>) {
        let id = word.map(|word| self.id(word));
        self.ids.push(id);
    }

    #[inline]
    pub(super) fn push_currency(&mut self, currency: Option<Currency>) {
        self.push(currency.as_ref().map(Currency::code));
    }

    fn id(&mut self, word: &str) -> u32 {
        if self.words.get(self.last as usize).is_some_and(|last| **last == *word) {
            return self.last;
        }
        let at = self.words.iter().position(|known| **known == *word).unwrap_or_else(|| {
            self.words.push(word.into());
            self.words.len() - 1
        });
        self.last = u32::try_from(at).unwrap_or(u32::MAX);
        self.last
    }

    pub(super) fn into_column(self) -> Column {
        Column::Name(self.ids, Dictionary::new(&self.words))
    }
}

/// Counts and positions.
#[derive(Default)]
pub(super) struct Integer(Values<i64>);

impl Integer {
    pub(super) const KIND: Kind = Kind::Integer;

    /// # Panics
    ///
    /// Beyond 9.2 × 10¹⁸.
    #[inline]
    pub(super) fn push(&mut self, value: Option<u64>) {
        assert!(value.is_none_or(|value| i64::try_from(value).is_ok()), "a count does not fit its column");
        self.0.push(value.map(|value| value as i64));
    }

    pub(super) fn into_column(self) -> Column {
        Column::Integer(self.0)
    }
}

macro_rules! decimals {
    ($($(#[$doc:meta])* $name:ident from $input:ty: $units:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name(Values<i128>);

        impl $name {
            pub(super) const KIND: Kind = Kind::$name;

            #[inline]
            pub(super) fn push(&mut self, value: Option<$input>) {
                self.0.push(value.map($units));
            }

            pub(super) fn into_column(self) -> Column {
                Column::$name(self.0)
            }
        }
    )*};
}

decimals! {
    /// Posted money.
    Amount from Total: Total::units;
    /// Prices.
    Price from money::Price: |price| i128::from(price.units());
    /// Numbers in 10⁻¹².
    Decimal from i128: |units| units;
    /// Elapsed time.
    Seconds from Elapsed: Elapsed::as_millis;
}

/// Instants; written in UTC, or on the clock of the row's site.
#[derive(Default)]
pub(super) struct Moment(Values<i64>);

impl Moment {
    pub(super) const KIND: Kind = Kind::Instant;

    #[inline]
    pub(super) fn push(&mut self, at: Option<Instant>) {
        self.0.push(at.map(Instant::as_millis));
    }

    pub(super) fn into_column(self) -> Column {
        Column::Instant(self.0)
    }
}

/// Yes or no.
#[derive(Default)]
pub(super) struct Boolean(Values<bool>);

impl Boolean {
    pub(super) const KIND: Kind = Kind::Boolean;

    #[inline]
    pub(super) fn push(&mut self, value: Option<bool>) {
        self.0.push(value);
    }

    pub(super) fn into_column(self) -> Column {
        Column::Boolean(self.0)
    }
}

impl Seconds {
    #[inline]
    pub(super) fn push_duration(&mut self, duration: Option<Duration>) {
        self.push(duration.map(Elapsed::from));
    }
}

impl Name {
    #[inline]
    pub(super) fn push_site(&mut self, site: SiteId) {
        self.push(Some(site.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_made_readable_once_for_every_writer() {
        for (written, expected) in [
            (&b"plain"[..], "plain"),
            ("Zoë & Söhne".as_bytes(), "Zoë & Söhne"),
            (b"Zo\xeb", "Zo\u{fffd}"),
            (b"a\xff\xfeb", "a\u{fffd}\u{fffd}b"),
            (b"a\tb\r\nc\0d\x1b[2Je\x7f", "a\u{fffd}b\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}[2Je\u{fffd}"),
            ("a\u{85}b\u{2028}c\u{202e}d\u{2066}e\u{feff}".as_bytes(), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}"),
            (b"", ""),
        ] {
            assert_eq!(clean(written), expected);
            let mut heap = Heap::default();
            heap.push(written);
            assert_eq!(heap.get(0), Some(expected.as_bytes()));
        }
    }

    #[test]
    fn a_null_is_not_an_empty_text_nor_a_zero() {
        let mut text = Text::default();
        for cell in [Some(&b"a"[..]), Some(b""), None, Some(b"b")] {
            text.push(cell);
        }
        let Column::Text(heap) = text.into_column() else { panic!("text") };
        let cells: Vec<_> = (0..5).map(|row| heap.get(row)).collect();
        assert_eq!(cells, [Some(&b"a"[..]), Some(b""), None, Some(b"b"), None]);

        let mut counts = Integer::default();
        for cell in [None, Some(0), Some(7)] {
            counts.push(cell);
        }
        let Column::Integer(values) = counts.into_column() else { panic!("integers") };
        assert_eq!([values.get(0), values.get(1), values.get(2)], [None, Some(0), Some(7)]);
    }

    #[test]
    fn parties_read_as_what_they_are() {
        let digits = |text: &str| Digits::parse(text.as_bytes()).unwrap();
        for (party, expected) in [
            (Party::Number(E164::parse(b"+442079460958").unwrap()), Some("+442079460958")),
            (Party::Extension(digits("0201")), Some("0201")),
            (Party::Emergency(digits("999")), Some("999")),
            (Party::ShortCode(digits("101")), Some("101")),
            (Party::Feature(b"*60"), Some("*60")),
            (Party::Name(b"client\xff1"), Some("client\u{fffd}1")),
            (Party::Withheld, Some("withheld")),
            (Party::Missing, None),
        ] {
            let mut number = Number::default();
            number.push(party);
            let Column::Number(heap) = number.into_column() else { panic!("number") };
            assert_eq!(heap.get(0), expected.map(str::as_bytes));
        }
    }
}
