//! Builders of columns, one for each thing that a column can say.

use super::batch::Kind;
use super::cells::{Cells, Column, Heap, NO_NAME, Numbers, Packed, Values};
use super::names::Dictionary;
use crate::aggregation::Elapsed;
use crate::ids::SiteId;
use crate::money::{self, Currency, Total};
use crate::number::{Digits, E164, Party};
use crate::time::{Duration, Instant};

/// Free text.
#[derive(Default)]
pub(super) struct Text(Heap);

impl Text {
    pub(super) const KIND: Kind = Kind::Text;

    #[inline]
    pub(super) fn push(&mut self, text: Option<&[u8]>) {
        self.0.push(text);
    }

    pub(super) fn into_column(self) -> Column {
        Cells::Text(self.0).into()
    }

    pub(super) fn refill(&mut self, cells: Cells) {
        if let Cells::Text(mut heap) = cells {
            heap.clear();
            self.0 = heap;
        }
    }
}

/// Phone numbers, extensions and what stands in their place.
#[derive(Default)]
pub(super) struct Number(Numbers);

impl Number {
    pub(super) const KIND: Kind = Kind::Number;

    #[inline]
    pub(super) fn push_e164(&mut self, number: Option<E164>) {
        self.0.push(number.map_or(Packed::NONE, |number| Packed::international(number.digits())));
    }

    #[inline]
    pub(super) fn push_digits(&mut self, digits: Option<Digits>) {
        self.0.push(digits.map_or(Packed::NONE, Packed::digits));
    }

    /// A party as reports show it: `+` and digits, digits, text as written, the word `withheld`, or nothing.
    #[inline]
    pub(super) fn push(&mut self, party: Party<'_>) {
        match party {
            Party::Number(number) => self.push_e164(Some(number)),
            Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => {
                self.push_digits(Some(digits));
            }
            Party::Feature(text) | Party::Name(text) | Party::Unclassified(text) => self.0.push_text(text),
            Party::Withheld => self.0.push_text(b"withheld"),
            Party::Missing => self.push_digits(None),
        }
    }

    /// What stands in the place of a number, as it is.
    pub(super) fn push_text(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.0.push_text(text),
            None => self.push_digits(None),
        }
    }

    pub(super) fn into_column(self) -> Column {
        Cells::Numbers(self.0).into()
    }

    pub(super) fn refill(&mut self, cells: Cells) {
        if let Cells::Numbers(mut numbers) = cells {
            numbers.clear();
            self.0 = numbers;
        }
    }
}

/// Names of the project, by id.
#[derive(Default)]
pub(super) struct Name {
    ids: Vec<u32>,
    dictionary: Dictionary,
}

impl Name {
    pub(super) const KIND: Kind = Kind::Text;

    pub(super) fn of(dictionary: &Dictionary) -> Self {
        Self { ids: Vec::new(), dictionary: dictionary.clone() }
    }

    #[inline]
    pub(super) fn push(&mut self, id: Option<u32>) {
        self.ids.push(id.unwrap_or(NO_NAME));
    }

    #[inline]
    pub(super) fn push_site(&mut self, site: SiteId) {
        self.push(Some(site.0));
    }

    pub(super) fn into_column(self) -> Column {
        Cells::Names(self.ids, self.dictionary).into()
    }

    pub(super) fn refill(&mut self, cells: Cells) {
        if let Cells::Names(mut ids, _) = cells {
            ids.clear();
            self.ids = ids;
        }
    }
}

/// Words of our own (codes, classes, currencies): few, so each is kept once.
#[derive(Default)]
pub(super) struct Word {
    ids: Vec<u32>,
    words: Vec<Box<str>>,
    last: u32,
}

impl Word {
    pub(super) const KIND: Kind = Kind::Text;

    #[inline]
    pub(super) fn push(&mut self, word: Option<&str>) {
        let id = word.map_or(NO_NAME, |word| self.id(word));
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
        self.last = u32::try_from(at).unwrap_or(NO_NAME);
        self.last
    }

    pub(super) fn into_column(self) -> Column {
        Cells::Names(self.ids, Dictionary::new(&self.words)).into()
    }

    pub(super) fn refill(&mut self, cells: Cells) {
        if let Cells::Names(mut ids, _) = cells {
            ids.clear();
            self.ids = ids;
        }
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $kind:ident in $cells:ident of $unit:ty, from $input:ty: $units:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name(Values<$unit>);

        impl $name {
            pub(super) const KIND: Kind = Kind::$kind;

            #[inline]
            pub(super) fn push(&mut self, value: Option<$input>) {
                self.0.push(value.map($units));
            }

            pub(super) fn into_column(self) -> Column {
                Cells::$cells(self.0).into()
            }

            #[allow(dead_code, reason = "tables of sums are built once")]
            pub(super) fn refill(&mut self, cells: Cells) {
                if let Cells::$cells(mut values) = cells {
                    values.clear();
                    self.0 = values;
                }
            }
        }
    )*};
}

numbers! {
    /// Counts and positions. A count beyond 9.2 × 10¹⁸ is a fault of ours, and panics.
    Integer: Integer in Units of i64, from u64: count;
    /// Sums of posted money.
    Amount: Amount in Wide of i128, from Total: Total::units;
    /// Posted charges.
    Charge: Amount in Units of i64, from money::Charge: money::Charge::units;
    /// Prices.
    Price: Price in Units of i64, from money::Price: money::Price::units;
    /// Numbers in 10⁻¹².
    Decimal: Decimal in Wide of i128, from i128: |units| units;
    /// Elapsed time, added up.
    Seconds: Seconds in Wide of i128, from Elapsed: Elapsed::as_millis;
    /// Elapsed time of one call.
    Span: Seconds in Units of i64, from Duration: Duration::as_millis;
    /// Instants; written in UTC, or on the clock of the row's site.
    Moment: Instant in Units of i64, from Instant: Instant::as_millis;
    /// Yes or no.
    Boolean: Boolean in Units of i64, from bool: i64::from;
}

fn count(count: u64) -> i64 {
    assert!(i64::try_from(count).is_ok(), "a count does not fit its column");
    count as i64
}

#[cfg(test)]
mod tests {
    use super::super::cells::NUMBER_BYTES;
    use super::*;

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
            let Cells::Numbers(numbers) = number.into_column().cells else { panic!("numbers") };
            let mut buffer = [0; NUMBER_BYTES];
            let cell = numbers.packed(0).map(|packed| numbers.write(packed, &mut buffer));
            assert_eq!(cell, expected.map(str::as_bytes));
        }
    }
}
