//! Cutting a file into records, in chunks of any size.
//!
//! A record ends at a newline (LF, with or without a CR before it) that is not inside quotes. Because switches also
//! write broken quotes, a quote may not swallow what follows:
//!
//! 1. A line with an even number of `"` is a record.
//! 2. A line with an odd number is a record too, unless its last field is open: begins with a quote and has none that
//!    closes it.
//! 3. An open line goes on over the lines that follow as long as they are quoted strictly as RFC 4180 says, until a
//!    line ends outside quotes; together at most [`MAX_LINES`] lines and [`MAX_JOINED_BYTES`] bytes. If that does not
//!    come about, the open line alone is the record, and reading resumes with the next line.
//!
//! The rules look ahead at most [`MAX_JOINED_BYTES`], so records do not depend on how the file was cut into chunks.
//! In a file whose beginning has CR but no LF at all, CR takes the place of LF.

use memchr::{memchr, memchr_iter, memchr3, memmem, memrchr};

use super::BYTE_ORDER_MARK;
use super::fields::is_open;

/// The longest record, in bytes without its line end. A longer line is rejected as a whole.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// The most lines one record may span.
pub const MAX_LINES: usize = 16;

/// The most bytes a record of several lines may have.
pub const MAX_JOINED_BYTES: usize = 64 << 10;

/// The smallest buffer a caller of [`split_point`] may give up growing at. See there.
pub const MIN_BUFFER_BYTES: usize = MAX_RECORD_BYTES + MAX_JOINED_BYTES;

/// The same for files with date records: two hundred thousand calls of a day.
pub const MIN_DATED_BUFFER_BYTES: usize = 16 << 20;

/// How many bytes of a record that is too long are kept in its reject.
pub const KEPT_OF_TOO_LONG: usize = 4096;

/// What ends a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnd {
    /// LF, or CR LF.
    #[default]
    Lf,
    /// CR alone: a file of the old Macintosh kind.
    Cr,
}

impl LineEnd {
    /// What the beginning of a file shows: [`LineEnd::Cr`] only if there are CRs and no LF.
    #[must_use]
    pub fn detect(head: &[u8]) -> Self {
        if memchr(b'\n', head).is_none() && memchr(b'\r', head).is_some() { Self::Cr } else { Self::Lf }
    }

    #[inline]
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Lf => b'\n',
            Self::Cr => b'\r',
        }
    }
}

/// What a file's records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Lines, in which quotes may hold line ends: the rules of this module.
    Quoted {
        /// What ends a line.
        line_end: LineEnd,
        /// What stands between fields.
        delimiter: u8,
    },
    /// Lines, whatever stands on them.
    Lines(LineEnd),
    /// JSON objects: one after the other, one a line, or the members of an array. A line that begins with `{` begins an
    /// object also where the one before is not closed.
    Json,
    /// XML elements of this name; what stands between them is passed over. A start tag begins an element also where the one
    /// before is not closed.
    Xml {
        /// The element's name, as written.
        element: &'static str,
    },
    /// Lines, with NULs before and behind them that are none of theirs. Where some of them are date records, that is what
    /// the records behind them depend on: then chunks begin with one.
    Dated {
        /// What ends a line.
        line_end: LineEnd,
        /// What a date record looks like; empty if there are none.
        date: DateMask,
    },
}

/// The shape of a date record: `9` for a digit (or a blank before one), other bytes as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateMask {
    signs: [u8; Self::MOST],
    len: u8,
}

impl DateMask {
    /// The longest shape.
    pub const MOST: usize = 24;

    /// A shape of at most [`DateMask::MOST`] signs.
    #[must_use]
    pub fn new(mask: &[u8]) -> Option<Self> {
        let mut signs = [0; Self::MOST];
        signs.get_mut(..mask.len())?.copy_from_slice(mask);
        Some(Self { signs, len: u8::try_from(mask.len()).ok()? })
    }

    /// Whether there are no date records.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a line is a date record, blanks around it aside.
    #[must_use]
    #[inline]
    pub fn fits(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii();
        let signs = self.signs.get(..usize::from(self.len)).unwrap_or_default();
        line.len() == signs.len()
            && !signs.is_empty()
            && line.iter().zip(signs).all(|(byte, sign)| match sign {
                b'9' => byte.is_ascii_digit() || *byte == b' ',
                sign => byte == sign,
            })
    }
}

impl Framing {
    /// What ends a line, for formats of lines; LF for the others.
    #[must_use]
    #[inline]
    pub const fn line_end(self) -> LineEnd {
        match self {
            Self::Quoted { line_end, .. } | Self::Lines(line_end) | Self::Dated { line_end, .. } => line_end,
            Self::Json | Self::Xml { .. } => LineEnd::Lf,
        }
    }
}

impl Framing {
    /// The smallest buffer at which a caller of [`split_point`] may give up: files with date records are cut before one of
    /// them, and there may be one a day.
    #[must_use]
    pub const fn min_buffer(self) -> usize {
        match self {
            Self::Dated { date, .. } if !date.is_empty() => MIN_DATED_BUFFER_BYTES,
            _ => MIN_BUFFER_BYTES,
        }
    }
}

impl Default for Framing {
    fn default() -> Self {
        LineEnd::Lf.into()
    }
}

impl From<LineEnd> for Framing {
    /// Comma-separated lines.
    fn from(line_end: LineEnd) -> Self {
        Self::Quoted { line_end, delimiter: b',' }
    }
}

/// End of the last complete record in `buffer`, which begins at a record boundary.
///
/// For a caller that reads a file in blocks: append bytes to the buffer, ask for the split point, hand
/// `buffer[..point]` to [`Reader::records`](super::Reader::records) (on any thread), keep the rest as the beginning of
/// the next buffer. At the end of the file the split point is the buffer's end.
///
/// It is 0 if the buffer holds no complete record. Then:
///
/// - if the buffer is shorter than [`MIN_BUFFER_BYTES`], read more and ask again;
/// - otherwise it begins with a line longer than [`MAX_RECORD_BYTES`]. Take
///   [`Reader::too_long`](super::Reader::too_long) of the buffer as the one reject for that line, then throw away
///   bytes, reading on as needed, up to and including the next line end (LF; CR in a [`LineEnd::Cr`] file) or the end
///   of the file, and go on behind it.
///
/// Cutting any file so gives the same records and rejects as reading it in one piece.
///
/// # Example
///
/// ```
/// use rating_core::cdr::records::{split_point, LineEnd};
/// let buffer = b"1,2\n\"a name\nof two lines\",4\n5,\"half";
/// assert_eq!(split_point(buffer, false, LineEnd::Lf), 28);
/// assert_eq!(split_point(buffer, true, LineEnd::Lf), 35);
/// ```
#[must_use]
pub fn split_point(buffer: &[u8], at_end_of_file: bool, framing: impl Into<Framing>) -> usize {
    if at_end_of_file {
        return buffer.len();
    }
    let framing = framing.into();
    let mut boundary = match framing {
        Framing::Quoted { line_end, .. } => last_certain_boundary(buffer, line_end),
        Framing::Lines(line_end) => return memrchr(line_end.byte(), buffer).map_or(0, |last| last + 1),
        Framing::Dated { line_end, date } => return dated_boundary(buffer, line_end, date),
        Framing::Json | Framing::Xml { .. } => 0,
    };
    while let Step::Record(line) = step(buffer, boundary, framing, false) {
        boundary = line.next;
    }
    boundary
}

/// The last record boundary that can be told by walking backwards.
///
/// A record spans at most [`MAX_LINES`] lines and only lines with an odd number of quotes can begin one of several; so
/// behind `MAX_LINES` lines in a row with an even number there is a boundary, whatever came before.
fn last_certain_boundary(buffer: &[u8], line_end: LineEnd) -> usize {
    let Some(last) = memrchr(line_end.byte(), buffer) else { return 0 };
    let mut upper = last + 1;
    let mut candidate = upper;
    let mut even_lines = 0;
    while upper > 0 {
        let lower = memrchr(line_end.byte(), &buffer[..upper - 1]).map_or(0, |position| position + 1);
        if has_odd_quotes(&buffer[lower..upper]) {
            (even_lines, candidate) = (0, lower);
        } else {
            even_lines += 1;
            if even_lines == MAX_LINES {
                return candidate;
            }
        }
        upper = lower;
    }
    0
}

#[inline]
fn has_odd_quotes(line: &[u8]) -> bool {
    memchr_iter(b'"', line).count() % 2 == 1
}

/// One record's place in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins.
    pub(super) start: usize,
    /// Where it ends, before its line end.
    pub(super) end: usize,
    /// Where the next one begins.
    pub(super) next: usize,
}

impl Line {
    /// Whether it has a line end: only the last of a file may lack it.
    #[inline]
    pub(super) const fn is_terminated(self) -> bool {
        self.end < self.next
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The buffer is used up.
    End,
    /// What is left may be no complete record.
    Incomplete,
    Record(Line),
}

/// The record that begins at `start`, which is a boundary. If the buffer is `complete`, its end is a boundary too.
#[inline]
pub(super) fn step(buffer: &[u8], start: usize, framing: impl Into<Framing>, complete: bool) -> Step {
    let rest = match buffer.get(start..) {
        None | Some([]) => return Step::End,
        Some(rest) => rest,
    };
    let (line_end, delimiter) = match framing.into() {
        Framing::Quoted { line_end, delimiter } => (line_end, Some(delimiter)),
        Framing::Lines(line_end) => (line_end, None),
        Framing::Dated { line_end, .. } => return padded_step(buffer, start, line_end, complete),
        Framing::Json => return json_step(buffer, start, complete),
        Framing::Xml { element } => return xml_step(buffer, start, element, complete),
    };
    let line = match memchr(line_end.byte(), rest) {
        Some(length) => Line { start, end: start + length, next: start + length + 1 },
        None if complete => Line { start, end: buffer.len(), next: buffer.len() },
        None => return Step::Incomplete,
    };
    let text = &buffer[line.start..line.end];
    if let Some(delimiter) = delimiter
        && text.len() < MAX_JOINED_BYTES
        && has_odd_quotes(text)
        && begins_open(without_cr(text, line, line_end), delimiter)
    {
        match join(buffer, line, (line_end, delimiter), complete) {
            Join::Alone => {}
            Join::Undecided => return Step::Incomplete,
            Join::Until(joined) => return Step::Record(trimmed(buffer, joined, line_end)),
        }
    }
    Step::Record(trimmed(buffer, line, line_end))
}

/// The last place before a date record that is not the beginning; of files without any, before a line.
fn dated_boundary(buffer: &[u8], line_end: LineEnd, date: DateMask) -> usize {
    let Some(mut upper) = memrchr(line_end.byte(), buffer).map(|last| last + 1) else { return 0 };
    if date.is_empty() {
        return upper;
    }
    while upper > 0 {
        let lower = memrchr(line_end.byte(), &buffer[..upper - 1]).map_or(0, |position| position + 1);
        if lower > 0 && date.fits(without_nuls(&buffer[lower..upper])) {
            return lower;
        }
        upper = lower;
    }
    0
}

/// The line at `start`, without the NULs around it.
fn padded_step(buffer: &[u8], start: usize, line_end: LineEnd, complete: bool) -> Step {
    let rest = buffer.get(start..).unwrap_or_default();
    let line = match memchr(line_end.byte(), rest) {
        Some(length) => Line { start, end: start + length, next: start + length + 1 },
        None if complete => Line { start, end: buffer.len(), next: buffer.len() },
        None => return Step::Incomplete,
    };
    let line = trimmed(buffer, line, line_end);
    let text = buffer.get(line.start..line.end).unwrap_or_default();
    let before = text.iter().take_while(|byte| **byte == 0).count();
    let start = line.start + before;
    Step::Record(Line { start, end: start + without_nuls(text).len(), next: line.next })
}

fn without_nuls(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [0, rest @ ..] | [rest @ .., 0] = text {
        text = rest;
    }
    text
}

/// The JSON object that begins at or behind `start`; what stands outside objects and is no punctuation is a record up to the
/// end of its line, which no parser will read.
fn json_step(buffer: &[u8], start: usize, complete: bool) -> Step {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']');
    let rest = buffer.get(start..).unwrap_or_default();
    // A byte order mark is whitespace here.
    let mark = if rest.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let Some(skipped) = rest.iter().skip(mark).position(|byte| !is_between(byte)) else { return Step::End };
    let begin = start + mark + skipped;
    if buffer.get(begin) != Some(&b'{') {
        return match memchr(b'\n', &buffer[begin..]) {
            Some(length) => Step::Record(Line { start: begin, end: begin + length, next: begin + length + 1 }),
            None if complete => Step::Record(Line { start: begin, end: buffer.len(), next: buffer.len() }),
            None => Step::Incomplete,
        };
    }
    let (mut depth, mut quoted, mut position) = (0_u32, false, begin);
    while let Some(&byte) = buffer.get(position) {
        if quoted {
            // Strings have no line ends in JSON: one that has was never closed.
            match memchr3(b'"', b'\\', b'\n', &buffer[position..]) {
                None => break,
                Some(found) => {
                    position += found;
                    match buffer[position] {
                        b'\\' => position += 2,
                        b'"' => {
                            quoted = false;
                            position += 1;
                        }
                        _ => quoted = false,
                    }
                }
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    let end = position + 1;
                    let next = if buffer.get(end) == Some(&b'\n') { end + 1 } else { end };
                    return Step::Record(Line { start: begin, end, next });
                }
            }
            b'\n' if buffer.get(position + 1) == Some(&b'{') => {
                return Step::Record(Line { start: begin, end: position, next: position + 1 });
            }
            _ => {}
        }
        position += 1;
    }
    if complete { Step::Record(Line { start: begin, end: buffer.len(), next: buffer.len() }) } else { Step::Incomplete }
}

/// The XML element that begins at or behind `start`.
fn xml_step(buffer: &[u8], start: usize, element: &str, complete: bool) -> Step {
    let Some(begin) = next_tag(buffer, start, element, false).map(|(begin, _)| begin) else { return Step::End };
    match next_tag(buffer, begin + 1 + element.len(), element, true) {
        Some((again, Tag::Start)) => Step::Record(Line { start: begin, end: again, next: again }),
        Some((close, Tag::End)) => {
            let end = close + element.len() + 3;
            Step::Record(Line { start: begin, end, next: end })
        }
        None if complete => Step::Record(Line { start: begin, end: buffer.len(), next: buffer.len() }),
        None => Step::Incomplete,
    }
}

enum Tag {
    Start,
    End,
}

/// Where the next start tag of an element stands, or end tag if these count too.
fn next_tag(buffer: &[u8], from: usize, element: &str, or_end: bool) -> Option<(usize, Tag)> {
    let mut search = from;
    loop {
        let found = search + memmem::find(buffer.get(search..)?, element.as_bytes())?;
        let before = buffer.get(from..found).unwrap_or_default();
        let after = buffer.get(found + element.len());
        if or_end && before.ends_with(b"</") && after == Some(&b'>') {
            return Some((found - 2, Tag::End));
        }
        if before.ends_with(b"<") && after.is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'>') {
            return Some((found - 1, Tag::Start));
        }
        search = found + element.len();
    }
}

fn begins_open(line: &[u8], delimiter: u8) -> bool {
    is_open(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line), delimiter)
}

/// Takes the CR of a CR LF out of the record.
#[inline]
fn trimmed(buffer: &[u8], line: Line, line_end: LineEnd) -> Line {
    let text = without_cr(&buffer[line.start..line.end], line, line_end);
    Line { end: line.start + text.len(), ..line }
}

#[inline]
fn without_cr(text: &[u8], line: Line, line_end: LineEnd) -> &[u8] {
    match text {
        [head @ .., b'\r'] if line_end == LineEnd::Lf && line.is_terminated() => head,
        text => text,
    }
}

enum Join {
    /// The quote does not close as it should: the first line is the record.
    Alone,
    /// More bytes are needed to tell.
    Undecided,
    /// A record of several lines.
    Until(Line),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Inside,
    /// Behind a quote that closes the field or is the first of two.
    AfterQuote,
    /// Behind such a quote and a CR.
    AfterQuoteCr,
    FieldStart,
    Unquoted,
}

/// Rule 3: reads on behind an open first line.
fn join(buffer: &[u8], first: Line, (line_end, delimiter): (LineEnd, u8), complete: bool) -> Join {
    let limit = first.start + MAX_JOINED_BYTES;
    let end_of_line = line_end.byte();
    let mut quoting = Quoting::Inside;
    let mut lines = 1;
    for (position, &byte) in buffer.iter().enumerate().take(limit).skip(first.next) {
        if byte == end_of_line {
            if quoting != Quoting::Inside {
                return Join::Until(Line { start: first.start, end: position, next: position + 1 });
            }
            lines += 1;
        }
        // The line that begins behind this line end, or goes on here, may be one too many.
        if lines >= MAX_LINES && byte == end_of_line {
            return Join::Alone;
        }
        quoting = match (quoting, byte) {
            (Quoting::Inside, b'"') => Quoting::AfterQuote,
            (Quoting::Inside, _) | (Quoting::AfterQuote | Quoting::FieldStart, b'"') => Quoting::Inside,
            (Quoting::AfterQuote | Quoting::FieldStart | Quoting::Unquoted, byte) if byte == delimiter => {
                Quoting::FieldStart
            }
            (Quoting::AfterQuote, b'\r') => Quoting::AfterQuoteCr,
            (Quoting::AfterQuote | Quoting::AfterQuoteCr, _) | (Quoting::Unquoted, b'"') => return Join::Alone,
            (Quoting::FieldStart | Quoting::Unquoted, _) => Quoting::Unquoted,
        };
    }
    if buffer.len() >= limit {
        return Join::Alone;
    }
    if !complete {
        return Join::Undecided;
    }
    // A first line without a line end, or one still open at the end of the file, stands alone.
    if quoting == Quoting::Inside {
        return Join::Alone;
    }
    Join::Until(Line { start: first.start, end: buffer.len(), next: buffer.len() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The records of a whole file, line ends and blank lines included.
    fn whole(file: &[u8], line_end: LineEnd) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut start = 0;
        while let Step::Record(line) = step(file, start, line_end, true) {
            lines.push(line);
            start = line.next;
        }
        lines
    }

    #[track_caller]
    fn check(file: &str, records: &[&str]) {
        let found: Vec<_> =
            whole(file.as_bytes(), LineEnd::Lf).iter().map(|line| file[line.start..line.end].to_owned()).collect();
        assert_eq!(found, records, "{file:?}");
    }

    #[test]
    fn a_record_ends_at_a_newline_outside_quotes() {
        check("", &[]);
        check("a\nb\n", &["a", "b"]);
        check("a\r\nb", &["a", "b"]);
        check("a\n\nb\n", &["a", "", "b"]);
        check("1,\"two\nlines\",3\nb\n", &["1,\"two\nlines\",3", "b"]);
        check("1,\"two\r\nlines\"\r\nb\n", &["1,\"two\r\nlines\"", "b"]);
        check("1,\"two\nlines\"", &["1,\"two\nlines\""]);
    }

    #[test]
    fn a_broken_quote_swallows_nothing() {
        check("a,b\"c\nd\n", &["a,b\"c", "d"]);
        check("\"User 10\" <1\"14>,114\nd\n", &["\"User 10\" <1\"14>,114", "d"]);
        check("a,\"never closed\nb\nc\n", &["a,\"never closed", "b", "c"]);
        // Two broken lines: joining them would need `"x` behind a closing quote, which is no RFC 4180.
        check("\"a,1\n\"x\",\"y\"\n\"b,1\n", &["\"a,1", "\"x\",\"y\"", "\"b,1"]);
        check("a,\"open\n2,\"x\",3\n", &["a,\"open", "2,\"x\",3"]);
    }

    #[test]
    fn a_record_may_have_sixteen_lines_and_no_more() {
        let sixteen = format!("\"{}\"\nb\n", "x\n".repeat(MAX_LINES - 1).trim_end_matches("\n").to_owned() + "\n");
        assert_eq!(whole(sixteen.as_bytes(), LineEnd::Lf).len(), 2, "{sixteen:?}");
        let seventeen = format!("\"{}\"\nb\n", "x\n".repeat(MAX_LINES));
        assert_eq!(whole(seventeen.as_bytes(), LineEnd::Lf).len(), MAX_LINES + 2);
    }

    #[test]
    fn a_record_of_several_lines_has_at_most_64_kib() {
        for (filler, records) in [(MAX_JOINED_BYTES - 10, 1), (MAX_JOINED_BYTES, 2)] {
            let file = format!("\"a\n{}\"\n", "x".repeat(filler));
            assert_eq!(whole(file.as_bytes(), LineEnd::Lf).len(), records, "{filler}");
        }
    }

    #[test]
    fn lone_cr_ends_lines_only_where_there_is_no_lf() {
        assert_eq!(LineEnd::detect(b"a\rb\r"), LineEnd::Cr);
        assert_eq!(LineEnd::detect(b"a\rb\n"), LineEnd::Lf);
        assert_eq!(LineEnd::detect(b"a"), LineEnd::Lf);
        assert_eq!(whole(b"a\rb\r", LineEnd::Cr).len(), 2);
    }

    #[test]
    fn the_split_point_is_zero_only_while_no_record_is_complete() {
        assert_eq!(split_point(b"abc", false, LineEnd::Lf), 0);
        assert_eq!(split_point(b"\"ab\nc", false, LineEnd::Lf), 0);
        assert_eq!(split_point(b"abc", true, LineEnd::Lf), 3);
        // An open line is decided after 64 KiB at the latest, so a full buffer has a split point or no newline.
        let open = format!("\"a\n{}", "x".repeat(MAX_JOINED_BYTES));
        assert_eq!(split_point(open.as_bytes(), false, LineEnd::Lf), 3);
    }

    /// Cuts a file at [`split_point`]s, the way the documentation says, with blocks of the given sizes.
    fn in_chunks(file: &[u8], blocks: &[usize], line_end: LineEnd) -> Vec<Line> {
        let mut lines = Vec::new();
        let (mut base, mut read, mut turn) = (0, 0, 0);
        while base < file.len() {
            let block = blocks.get(turn % blocks.len()).copied().unwrap_or(1).max(1);
            turn += 1;
            read = (read + block).min(file.len());
            let at_end_of_file = read == file.len();
            let point = split_point(&file[base..read], at_end_of_file, line_end);
            let chunk = &file[base..base + point];
            lines.extend(whole(chunk, line_end).into_iter().map(|line| Line {
                start: base + line.start,
                end: base + line.end,
                next: base + line.next,
            }));
            base += point;
        }
        lines
    }

    proptest! {
        #[test]
        fn records_do_not_depend_on_the_chunks(
            file in "(a|b|,|\"|\"\"|\n|\r|\r\n|,\"|\",|\"\n|line,1\n|\"q\",2\n){0,120}",
            blocks in proptest::collection::vec(1_usize..40, 1..6),
            cr in any::<bool>(),
        ) {
            let line_end = if cr { LineEnd::Cr } else { LineEnd::Lf };
            let expected = whole(file.as_bytes(), line_end);
            prop_assert_eq!(in_chunks(file.as_bytes(), &blocks, line_end), expected.clone());
            // And they cover the file.
            let mut position = 0;
            for line in expected {
                prop_assert_eq!(line.start, position);
                prop_assert!(line.next - line.end <= 2);
                position = line.next;
            }
            prop_assert_eq!(position, file.len());
        }
    }
}
