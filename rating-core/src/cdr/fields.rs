//! Splitting one record into its columns, broken quoting included.
//!
//! Switches write CSV by hand: a caller's name may hold quotes nobody doubled (`"User 10" <114>`, `""Name" <1115>"`).
//! So there are three [`Reading`]s of a stray quote. The caller tries them in order and takes the first that gives a
//! number of columns the format has.

use memchr::memchr;

use super::RejectReason;

/// The most columns a record may have.
pub(super) const MAX_COLUMNS: usize = 512;

/// No such column in this layout.
pub(super) const NO_COLUMN: u16 = u16::MAX;

/// How text after a closing quote, or a quote that never closes, is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The first lone quote closes; what follows up to the next comma belongs to the field: `"User 10" <114>`.
    FirstQuoteCloses,
    /// Only a quote before a comma (or the end) closes: `""Doe, John" <1115>"`.
    LastQuoteCloses,
    /// A field whose quotes do not fit has none: `"User 10,114,…`.
    Literal,
}

impl Reading {
    /// In the order to try them.
    pub(super) const ALL: [Self; 3] = [Self::FirstQuoteCloses, Self::LastQuoteCloses, Self::Literal];
}

/// What became of splitting a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Quoting as RFC 4180 has it.
    Regular,
    /// Some field needed one of the [`Reading`]s.
    Irregular,
    /// A quote was opened and never closed; the last field runs to the end.
    Open,
}

#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

/// Where the columns of the record last split are. Reused from record to record.
pub(super) struct Fields {
    spans: Box<[Span; MAX_COLUMNS]>,
    count: usize,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self { spans: Box::new([Span::default(); MAX_COLUMNS]), count: 0 }
    }

    /// Number of columns of the record last split.
    #[inline]
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The bytes of a column (counted from 0) inside its quotes; empty if there is no such column. The literal `NULL`
    /// and `\N` of a database dump are empty too.
    #[inline]
    pub(super) fn get<'a>(&self, raw: &'a [u8], column: u16) -> &'a [u8] {
        let column = usize::from(column);
        if column >= self.count {
            return &[];
        }
        let text = self.spans.get(column).and_then(|span| raw.get(span.start as usize..span.end as usize));
        match text {
            Some(b"NULL" | b"\\N") | None => &[],
            Some(text) => text,
        }
    }

    /// Splits `raw` at its commas.
    ///
    /// # Errors
    ///
    /// [`RejectReason::TooManyColumns`] beyond [`MAX_COLUMNS`].
    #[inline]
    pub(super) fn split(&mut self, raw: &[u8], reading: Reading) -> Result<Shape, RejectReason> {
        self.split_at(raw, b',', reading)
    }

    /// Splits `raw` at every `delimiter`, quotes being letters like any other.
    ///
    /// # Errors
    ///
    /// [`RejectReason::TooManyColumns`] beyond [`MAX_COLUMNS`].
    pub(super) fn split_bare(&mut self, raw: &[u8], delimiter: u8) -> Result<(), RejectReason> {
        let mut position = 0;
        self.count = 0;
        loop {
            let end = find(delimiter, raw, position).unwrap_or(raw.len());
            self.push(position, end)?;
            if end >= raw.len() {
                return Ok(());
            }
            position = end + 1;
        }
    }

    /// Forgets the columns of the record before, for parsers that find them on their own: see [`Fields::push`].
    pub(super) const fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds a column: its bytes in the record.
    ///
    /// # Errors
    ///
    /// [`RejectReason::TooManyColumns`] beyond [`MAX_COLUMNS`].
    pub(super) fn push(&mut self, start: usize, end: usize) -> Result<(), RejectReason> {
        let Some(span) = self.spans.get_mut(self.count) else { return Err(RejectReason::TooManyColumns) };
        *span = Span { start: offset(start), end: offset(end) };
        self.count += 1;
        Ok(())
    }

    /// Splits `raw` at every `delimiter` that stands outside quotes.
    ///
    /// # Errors
    ///
    /// [`RejectReason::TooManyColumns`] beyond [`MAX_COLUMNS`].
    #[inline]
    pub(super) fn split_at(&mut self, raw: &[u8], delimiter: u8, reading: Reading) -> Result<Shape, RejectReason> {
        let mut shape = Shape::Regular;
        let mut position = 0;
        self.count = 0;
        loop {
            let (start, end, next) = if raw.get(position) == Some(&b'"') {
                match quoted(raw, position, delimiter, reading) {
                    Quoted::Regular { end } => (position + 1, end, end + 1),
                    Quoted::Irregular { start, end, next } => {
                        shape = if shape == Shape::Open { Shape::Open } else { Shape::Irregular };
                        (start, end, next)
                    }
                    Quoted::Open => {
                        shape = Shape::Open;
                        (position + 1, raw.len(), raw.len())
                    }
                }
            } else {
                let end = find(delimiter, raw, position).unwrap_or(raw.len());
                (position, end, end)
            };
            self.push(start, end)?;
            if next >= raw.len() {
                return Ok(shape);
            }
            position = next + 1; // past the delimiter
        }
    }
}

/// Offsets within a record fit: records are at most 1 MiB, and `u32::MAX` makes a longer one's field empty, not wrong.
#[inline]
fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

enum Quoted {
    /// Content from behind the opening quote to `end`, where the closing quote is; a comma or nothing follows it.
    Regular {
        end: usize,
    },
    Irregular {
        start: usize,
        end: usize,
        next: usize,
    },
    Open,
}

#[inline]
fn quoted(raw: &[u8], open: usize, delimiter: u8, reading: Reading) -> Quoted {
    let mut search = open + 1;
    let mut stray = false;
    loop {
        let Some(quote) = find(b'"', raw, search) else {
            return if reading == Reading::Literal { to_next(raw, delimiter, open, open) } else { Quoted::Open };
        };
        match raw.get(quote + 1) {
            None if stray => return Quoted::Irregular { start: open + 1, end: quote, next: quote + 1 },
            None => return Quoted::Regular { end: quote },
            Some(&byte) if byte == delimiter && stray => {
                return Quoted::Irregular { start: open + 1, end: quote, next: quote + 1 };
            }
            Some(&byte) if byte == delimiter => return Quoted::Regular { end: quote },
            Some(b'"') => search = quote + 2,
            Some(_) => match reading {
                Reading::FirstQuoteCloses => return to_next(raw, delimiter, open, quote + 1),
                Reading::LastQuoteCloses => {
                    stray = true;
                    search = quote + 1;
                }
                Reading::Literal => return to_next(raw, delimiter, open, open),
            },
        }
    }
}

fn to_next(raw: &[u8], delimiter: u8, start: usize, from: usize) -> Quoted {
    let end = find(delimiter, raw, from).unwrap_or(raw.len());
    Quoted::Irregular { start, end, next: end }
}

/// Whether a quote is still open at the end of `line`, read as [`Reading::FirstQuoteCloses`].
pub(super) fn is_open(line: &[u8], delimiter: u8) -> bool {
    let mut position = 0;
    loop {
        let next = if line.get(position) == Some(&b'"') {
            match quoted(line, position, delimiter, Reading::FirstQuoteCloses) {
                Quoted::Regular { end } => end + 1,
                Quoted::Irregular { next, .. } => next,
                Quoted::Open => return true,
            }
        } else {
            find(delimiter, line, position).unwrap_or(line.len())
        };
        if next >= line.len() {
            return false;
        }
        position = next + 1;
    }
}

/// Position of the first `needle` at or after `from`. Fields are short: the first 16 bytes are looked at eight at a time
/// in a register, what is left by `memchr`.
#[inline]
fn find(needle: u8, text: &[u8], from: usize) -> Option<usize> {
    let mut position = from;
    let mut rest = text.get(from..)?;
    for _ in 0..2 {
        let Some((word, tail)) = rest.split_first_chunk::<8>() else { break };
        let hits = zero_bytes(u64::from_le_bytes(*word) ^ (ONES * u64::from(needle)));
        if hits != 0 {
            return Some(position + (hits.trailing_zeros() / 8) as usize);
        }
        position += 8;
        rest = tail;
    }
    memchr(needle, rest).map(|found| position + found)
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The high bit of every byte that is zero; above the lowest such byte there may be false ones.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, reading: Reading, shape: Shape, columns: &[&str]) {
        let mut fields = Fields::new();
        assert_eq!(fields.split(raw.as_bytes(), reading), Ok(shape), "{raw}");
        let found: Vec<_> = (0..fields.count())
            .map(|column| {
                String::from_utf8_lossy(fields.get(raw.as_bytes(), u16::try_from(column).unwrap())).into_owned()
            })
            .collect();
        assert_eq!(found, columns, "{raw}");
    }

    #[test]
    fn regular_quoting_is_rfc_4180_with_doubled_quotes_kept() {
        use Reading::FirstQuoteCloses as First;
        check("", First, Shape::Regular, &[""]);
        check("a,b", First, Shape::Regular, &["a", "b"]);
        check(",", First, Shape::Regular, &["", ""]);
        check(r#""a,b",c,"""#, First, Shape::Regular, &["a,b", "c", ""]);
        check(r#""""Test"" <105>",x"#, First, Shape::Regular, &[r#"""Test"" <105>"#, "x"]);
        check(r#"""""" <client1>","client1""#, First, Shape::Regular, &[r#""""" <client1>"#, "client1"]);
        check("a,NULL,\\N,\"NULL\"", First, Shape::Regular, &["a", "", "", ""]);
        check("name with a stray \" quote,x", First, Shape::Regular, &["name with a stray \" quote", "x"]);
    }

    #[test]
    fn text_after_a_closing_quote_belongs_to_the_field() {
        check(r#""User 10" <114>,114"#, Reading::FirstQuoteCloses, Shape::Irregular, &[r#""User 10" <114>"#, "114"]);
        check(r#""Doe, J" <114>,114"#, Reading::FirstQuoteCloses, Shape::Irregular, &[r#""Doe, J" <114>"#, "114"]);
        check(r#"""Name" <1115>",x"#, Reading::FirstQuoteCloses, Shape::Irregular, &[r#"""Name" <1115>""#, "x"]);
    }

    #[test]
    fn the_other_readings_find_commas_inside_undoubled_quotes_and_literal_quotes() {
        check(r#"""Doe, J" <1115>",x"#, Reading::LastQuoteCloses, Shape::Irregular, &[r#""Doe, J" <1115>"#, "x"]);
        check(r#""User,114,"SIP/1,60",8"#, Reading::Literal, Shape::Irregular, &["\"User", "114", "SIP/1,60", "8"]);
        check(r#"a,"never closed,b"#, Reading::Literal, Shape::Irregular, &["a", "\"never closed", "b"]);
        check(r#"a,"never closed,b"#, Reading::FirstQuoteCloses, Shape::Open, &["a", "never closed,b"]);
    }

    #[test]
    fn a_column_too_many_is_refused() {
        let mut fields = Fields::new();
        let most = ",".repeat(MAX_COLUMNS - 1);
        assert_eq!(fields.split(most.as_bytes(), Reading::FirstQuoteCloses), Ok(Shape::Regular));
        assert_eq!(fields.count(), MAX_COLUMNS);
        let more = ",".repeat(1_000_000);
        assert_eq!(fields.split(more.as_bytes(), Reading::FirstQuoteCloses), Err(RejectReason::TooManyColumns));
    }

    proptest! {
        #[test]
        fn find_agrees_with_memchr(text in proptest::collection::vec(0_u8..4, 0..60), needle in 0_u8..4, from in 0_usize..70) {
            let expected = text.get(from..).and_then(|rest| memchr(needle, rest)).map(|found| found + from);
            prop_assert_eq!(find(needle, &text, from), expected);
        }

        #[test]
        fn splitting_never_panics_and_regular_text_splits_like_the_csv_crate(text in "[a\",\\n]{0,40}") {
            let mut fields = Fields::new();
            for reading in Reading::ALL {
                prop_assert!(fields.split(text.as_bytes(), reading).is_ok());
            }
            let shape = fields.split(text.as_bytes(), Reading::FirstQuoteCloses);
            prop_assert_eq!(shape == Ok(Shape::Open), is_open(text.as_bytes(), b','));
            if shape == Ok(Shape::Regular) && !text.is_empty() && !text.contains('\n') {
                let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
                let record = reader.byte_records().next().unwrap().unwrap();
                prop_assert_eq!(record.len(), fields.count());
            }
        }
    }
}
