//! Splitting one record into its columns, broken quoting included.
//!
//! Switches write CSV by hand: a caller's name may hold quotes nobody doubled (`"User 10" <114>`, `""Name" <1115>"`).
//! So there are three [`Reading`]s of a stray quote. The caller tries them in order and takes the first that gives a
//! number of columns the format has.

use memchr::memchr;

use super::records::{Line, LineEnd};
use super::scan::{BLOCK, Signs, odd_up_to, signs};
use super::{BYTE_ORDER_MARK, RejectReason};

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
    /// As many columns as there are between `ends`, if the record was scanned and quotes are no letters in it; else none.
    regular: usize,
    /// The record last scanned: while it is here, the columns are those between `ends` and `spans` says nothing.
    scanned: Option<Scanned>,
    /// Behind a sentinel for the beginning of the record: where each column scanned ends, quotes included.
    ends: Box<[u32; MAX_COLUMNS + 2 * BLOCK]>,
}

/// Which record was scanned, so that splitting it finds the work done. A record is known by where it is in memory, which
/// is enough: [`Fields::scan`] forgets it before it looks at another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Scanned {
    address: usize,
    length: usize,
    separator: Separator,
}

impl Scanned {
    #[inline]
    fn of(raw: &[u8], separator: Separator) -> Self {
        Self { address: raw.as_ptr().addr(), length: raw.len(), separator }
    }
}

/// What stands between the columns of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// This byte outside quotes: [`Fields::split_at`].
    Quoted(u8),
    /// This byte, quotes being letters like any other: [`Fields::split_bare`].
    Bare(u8),
}

impl Fields {
    pub(super) fn new() -> Self {
        Self {
            spans: Box::new([Span::default(); MAX_COLUMNS]),
            count: 0,
            regular: 0,
            scanned: None,
            ends: Box::new([u32::MAX; MAX_COLUMNS + 2 * BLOCK]),
        }
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
        let text = if column < self.regular {
            // The quotes of a record that was scanned are regular: a field that begins with one ends with one.
            match self.scanned_column(raw, column) {
                Some([b'"', inside @ .., _]) => inside,
                text => text.unwrap_or_default(),
            }
        } else {
            self.split_column(raw, column)
        };
        not_null(text)
    }

    /// A column of a record that was not scanned, or whose quotes are letters.
    fn split_column<'a>(&self, raw: &'a [u8], column: usize) -> &'a [u8] {
        let text = match self.scanned {
            _ if column >= self.count => None,
            Some(_) => self.scanned_column(raw, column),
            None => self.spans.get(column).and_then(|span| raw.get(span.start as usize..span.end as usize)),
        };
        text.unwrap_or_default()
    }

    /// The last column.
    pub(super) fn last<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        self.get(raw, self.count.checked_sub(1).and_then(|last| u16::try_from(last).ok()).unwrap_or(NO_COLUMN))
    }

    #[inline]
    fn scanned_column<'a>(&self, raw: &'a [u8], column: usize) -> Option<&'a [u8]> {
        let [before, end] = *self.ends.get(column..)?.first_chunk()?;
        raw.get(before.wrapping_add(1) as usize..end as usize)
    }

    /// Finds the end of the record that begins at `start`, and its columns on the way: every byte is looked at once.
    /// Splitting the record at this `separator` afterwards costs nothing.
    ///
    /// `None` for what is not as it nearly always is: a record whose quotes are not regular, of more than one line, without a
    /// line end, with NULs in it, behind a byte order mark, or very long. Then nothing is known, and [`step`] and
    /// [`Fields::split_at`] tell; of all others this gives what they give.
    ///
    /// [`step`]: super::records::step
    #[inline]
    pub(super) fn scan(
        &mut self,
        buffer: &[u8],
        start: usize,
        separator: Separator,
        line_end: LineEnd,
    ) -> Option<Line> {
        let (delimiter, any_quotes) = match separator {
            Separator::Quoted(delimiter) => (delimiter, u64::MAX),
            Separator::Bare(delimiter) => (delimiter, 0),
        };
        self.clear();
        let text = buffer.get(start..)?;
        if text.first() == Some(&BYTE_ORDER_MARK[0]) {
            return None;
        }
        let (mut rest, mut offset) = (text, 0_u32);
        let mut found = 0_usize;
        // All ones while a quote is open; whether the byte before allows an opening quote, and whether it is a closing one.
        let (mut open, mut may_open, mut closed) = (0_u64, 1_u64, 0_u64);
        let mut odd = 0_u64;
        loop {
            let padded: [u8; BLOCK];
            let (block, behind) = match rest.split_first_chunk::<BLOCK>() {
                Some(split) => split,
                None => {
                    padded = padded_to_block(rest);
                    (&padded, &[][..])
                }
            };
            let Signs { quotes, delimiters, line_ends, has_nul } = signs(block, delimiter, line_end.byte());
            // The bits before the line end, or all where there is none.
            let upto = line_ends.wrapping_sub(1) & !line_ends;
            let quotes = quotes & upto & any_quotes;
            let inside = odd_up_to(quotes) ^ open;
            let ends = delimiters & upto & !inside;
            let (opening, closing) = (quotes & inside, quotes & !inside);
            // A quote opens at the beginning of a field, or is the second of two; what follows one that closes is the
            // second of two, or the end of the field.
            odd |= opening & !(((ends | closing) << 1) | may_open);
            let strays = ((closing << 1) | closed) & upto & !(ends | opening);
            odd |= u64::from(has_nul);

            let most = self.ends.get_mut(found + 1..)?.first_chunk_mut::<BLOCK>()?;
            let mut bits = ends;
            // Nearly always there are fewer than eight; what is written too much is written over.
            for end in &mut most[..8] {
                *end = offset + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
            let in_block = ends.count_ones() as usize;
            if bits != 0 {
                for end in most[8..].iter_mut().take(in_block - 8) {
                    *end = offset + bits.trailing_zeros();
                    bits &= bits.wrapping_sub(1);
                }
            }
            found += in_block;
            if found >= MAX_COLUMNS {
                return None;
            }
            if line_ends != 0 {
                let place = line_ends.trailing_zeros();
                let length = offset + place;
                // A CR before the LF is none of the record's.
                let is_cr = line_end == LineEnd::Lf && length > 0 && text.get(length as usize - 1) == Some(&b'\r');
                let strays = if is_cr && place > 0 { strays & !(1 << (place - 1)) } else { strays };
                if (odd | strays) != 0 || (inside >> place) & 1 != 0 {
                    return None;
                }
                let end = length - u32::from(is_cr);
                *self.ends.get_mut(found + 1)? = end;
                self.count = found + 1;
                self.regular = if any_quotes == 0 { 0 } else { self.count };
                let raw = text.get(..end as usize)?;
                self.scanned = Some(Scanned::of(raw, separator));
                return Some(Line { start, end: start + end as usize, next: start + length as usize + 1 });
            }
            odd |= strays;
            open = 0_u64.wrapping_sub(inside >> 63);
            (may_open, closed) = ((ends | closing) >> 63, closing >> 63);
            offset += 64;
            if odd != 0 || behind.is_empty() || offset >= LONGEST_SCANNED {
                return None;
            }
            rest = behind;
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
        if self.scanned == Some(Scanned::of(raw, Separator::Bare(delimiter))) {
            return Ok(());
        }
        let mut position = 0;
        self.clear();
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
        self.regular = 0;
        self.scanned = None;
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
        if self.scanned == Some(Scanned::of(raw, Separator::Quoted(delimiter))) && reading == Reading::FirstQuoteCloses
        {
            return Ok(Shape::Regular);
        }
        let mut shape = Shape::Regular;
        let mut position = 0;
        self.clear();
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

/// A text, unless it is what stands for none in a database dump.
#[inline]
pub(super) const fn not_null(text: &[u8]) -> &[u8] {
    match text {
        b"NULL" | b"\\N" => &[],
        text => text,
    }
}

/// Longer records are not scanned.
const LONGEST_SCANNED: u32 = 16 << 10;

/// The end of a buffer as a block; what is behind it is no sign of anything, for there is no line end before it.
#[cold]
fn padded_to_block(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [1; BLOCK];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    block
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

    use super::super::records::{Framing, Step, step};
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
    fn a_record_with_a_column_too_many_is_not_scanned() {
        for (delimiters, scanned) in [(MAX_COLUMNS - 1, true), (MAX_COLUMNS, false), (MAX_COLUMNS + 100, false)] {
            let file = format!("{}\n", ",".repeat(delimiters));
            let mut fields = Fields::new();
            assert_eq!(
                fields.scan(file.as_bytes(), 0, Separator::Quoted(b','), LineEnd::Lf).is_some(),
                scanned,
                "{delimiters}"
            );
        }
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
        fn what_is_scanned_is_what_stepping_and_splitting_give(
            file in "(\"|\"\"|,|;|\n|\r|\r\n|,\"|\",\"|\",|\"\n|\"\r\n|[a-z]{1,30}|NULL|\\\\N|é|\0|\u{FEFF}|(\"[a-z ,]{0,60}\",)|(\"(\"\"[a-z]{3,9}\"\" <1>|)\",)){0,60}",
            semicolons in any::<bool>(),
            cr in any::<bool>(),
        ) {
            let delimiter = if semicolons { b';' } else { b',' };
            let line_end = if cr { LineEnd::Cr } else { LineEnd::Lf };
            let (mut scanned, mut split, mut start) = (Fields::new(), Fields::new(), 0);
            let file = file.as_bytes();
            while let Step::Record(line) = step(file, start, Framing::Quoted { line_end, delimiter }, true) {
                let raw = &file[line.start..line.end];
                let shape = split.split_at(raw, delimiter, Reading::FirstQuoteCloses);
                match scanned.scan(file, start, Separator::Quoted(delimiter), line_end) {
                    Some(found) => {
                        prop_assert_eq!(found, line);
                        prop_assert_eq!(memchr(0, raw), None);
                        prop_assert!(!raw.starts_with(BYTE_ORDER_MARK));
                        prop_assert_eq!(shape, Ok(Shape::Regular));
                        prop_assert_eq!(scanned.split_at(raw, delimiter, Reading::FirstQuoteCloses), shape);
                        prop_assert!(scanned.scanned.is_some(), "it is not split again");
                        prop_assert_eq!(scanned.count(), split.count());
                        for column in 0..600 {
                            prop_assert_eq!(scanned.get(raw, column), split.get(raw, column));
                        }
                        prop_assert_eq!(scanned.last(raw), split.last(raw));
                    }
                    // And the quick way is taken wherever there is no reason against it.
                    None => prop_assert!(
                        shape != Ok(Shape::Regular)
                            || !line.is_terminated()
                            || [b'"', b'\r', 0xEF].iter().any(|sign| raw.contains(sign))
                            || file.contains(&0)
                            || raw.len() > 8_000
                    ),
                }
                start = line.next;
            }
        }

        #[test]
        fn lines_without_quotes_are_scanned_as_they_are_split(
            file in "(\"|,|\n|\r|\r\n|[a-z]{1,30}|NULL|é|\0|\u{FEFF}|[a-z ,]{0,60}){0,60}",
            cr in any::<bool>(),
        ) {
            let line_end = if cr { LineEnd::Cr } else { LineEnd::Lf };
            let (mut scanned, mut split, mut start) = (Fields::new(), Fields::new(), 0);
            let file = file.as_bytes();
            while let Step::Record(line) = step(file, start, Framing::Lines(line_end), true) {
                let raw = &file[line.start..line.end];
                split.split_bare(raw, b',').unwrap();
                match scanned.scan(file, start, Separator::Bare(b','), line_end) {
                    Some(found) => {
                        prop_assert_eq!(found, line);
                        prop_assert_eq!(scanned.split_bare(raw, b','), Ok(()));
                        prop_assert!(scanned.scanned.is_some(), "it is not split again");
                        prop_assert_eq!(scanned.count(), split.count());
                        for column in 0..600 {
                            prop_assert_eq!(scanned.get(raw, column), split.get(raw, column));
                        }
                    }
                    None => prop_assert!(!line.is_terminated() || raw.first() == Some(&0xEF) || file.contains(&0)),
                }
                start = line.next;
            }
        }

        #[test]
        fn records_as_switches_write_them_are_scanned(
            record in proptest::collection::vec("[0-9]{0,9}|\"[ -!#-~]{0,70}\"|\"(\"\"[a-z, ]{0,9}\"\" <[0-9]{1,4}>)\"|[a-zé]{0,40}", 1..40),
            carriage_return in any::<bool>(),
        ) {
            let record = record.join(",");
            let file = format!("{record}{}x", if carriage_return { "\r\n" } else { "\n" });
            let mut fields = Fields::new();
            let found = fields.scan(file.as_bytes(), 0, Separator::Quoted(b','), LineEnd::Lf);
            // Only where a CR behind a quote begins a block is it told the other way.
            let length = record.len();
            let is_at_the_seam = carriage_return && record.ends_with('"') && (length + 1) % BLOCK == 0;
            let expected = Line { start: 0, end: length, next: file.len() - 1 };
            prop_assert_eq!(found, (!is_at_the_seam).then_some(expected));
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
