//! Other people's tables: bytes to rows of cells, with the place of each.
//!
//! Nothing is repaired here. A byte order mark, either line end, and any of four separators are understood; what is not
//! text is refused with the byte.

use super::{Fault, Place};

/// A file handed in for import.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Its name, as findings show it.
    pub name: String,
    /// Its content, unread.
    pub bytes: Vec<u8>,
}

/// The largest file that is read: far above any deck, far below what would hurt.
const MOST_BYTES: usize = 256 << 20;

/// A file as text, still without columns.
#[derive(Debug)]
pub(super) struct Text<'f> {
    pub(super) file: u16,
    pub(super) text: &'f str,
}

/// The bytes as text; a byte order mark is dropped.
///
/// # Errors
///
/// What the file is instead, and where that shows.
pub(super) fn decode(file: u16, input: &InputFile) -> Result<Text<'_>, Box<Fault>> {
    let refuse = |code, message: String, help: &str| {
        let place = Place { file, line: 0, column: None };
        Err(Box::new(Fault { place, ..Fault::new(code, message, help) }))
    };
    let bytes = input.bytes.as_slice();
    if bytes.len() > MOST_BYTES {
        let message = format!("{} bytes are more than a rate deck has", bytes.len());
        return refuse("import.not_text", message, "cut the file into parts of at most 256 MiB");
    }
    const MAGIC: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "a spreadsheet (xlsx, ods) or a zip archive"),
        (b"\xd0\xcf\x11\xe0", "a spreadsheet (xls)"),
        (b"\x1f\x8b", "compressed (gzip)"),
        (b"\xfd7zXZ", "compressed (xz)"),
        (b"%PDF", "a PDF document"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
    ];
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let help = "unpack it, or open it and save it as CSV in UTF-8";
        return refuse("import.not_text", format!("the file is {what}, not a text table"), help);
    }
    if let Some(at) = memchr::memchr(0, bytes) {
        let message = format!("byte {at} of the file is NUL, which no text has");
        return refuse("import.not_text", message, "save the table as CSV in UTF-8");
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let skipped = bytes.len() - body.len();
    match std::str::from_utf8(body) {
        Ok(text) if text.trim().is_empty() => {
            refuse("import.empty", "the file is empty".to_owned(), "look where it came from")
        }
        Ok(text) => Ok(Text { file, text }),
        Err(error) => {
            let at = error.valid_up_to();
            let line = memchr::memchr_iter(b'\n', body.get(..at).unwrap_or(&[])).count() + 1;
            let byte = body.get(at).copied().unwrap_or(0);
            let message = format!("byte {} of the file (0x{byte:02X}, line {line}) is not UTF-8", at + skipped);
            let help = "it is most likely Windows-1252: convert it with `iconv -f WINDOWS-1252 -t UTF-8`";
            let place = Place { file, line: u32::try_from(line).unwrap_or(0), column: None };
            Err(Box::new(Fault { place, ..Fault::new("import.not_utf8", message, help) }))
        }
    }
}

/// Rows of cells, all of one file.
#[derive(Debug)]
pub(super) struct Sheet<'f> {
    pub(super) file: u16,
    text: &'f str,
    /// All cells, one after the other, trimmed.
    cells: String,
    ends: Vec<u32>,
    records: Vec<Record>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    /// First cell.
    cell: u32,
    /// How many cells.
    width: u32,
    line: u32,
    start: u32,
    end: u32,
}

/// One row of a sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct SheetRow<'s> {
    sheet: &'s Sheet<'s>,
    record: Record,
}

/// The separators that tables are written with, in the order in which they are tried.
pub(super) const SEPARATORS: [(u8, &str); 4] = [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab"), (b'|', "bar")];

impl<'f> Sheet<'f> {
    pub(super) fn read(text: &Text<'f>, separator: u8) -> Self {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(text.text.as_bytes());
        let mut sheet =
            Self { file: text.file, text: text.text, cells: String::new(), ends: Vec::new(), records: Vec::new() };
        let bytes = text.text.as_bytes();
        let mut record = csv::StringRecord::new();
        let (mut line, mut counted) = (1_usize, 0_usize);
        let short = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        // The text is UTF-8 already and rows may have any width, so reading cannot fail.
        while let Ok(true) = reader.read_record(&mut record) {
            let mut start = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
            let end = usize::try_from(reader.position().byte()).unwrap_or(bytes.len()).min(bytes.len());
            // The reader tells where it stood before it skipped empty lines.
            while matches!(bytes.get(start), Some(b'\r' | b'\n')) {
                start += 1;
            }
            line += memchr::memchr_iter(b'\n', bytes.get(counted..start).unwrap_or(&[])).count();
            counted = start.max(counted);
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let cell = short(sheet.ends.len());
            for text in &record {
                sheet.cells.push_str(trim(text));
                sheet.ends.push(short(sheet.cells.len()));
            }
            let width = short(record.len());
            sheet.records.push(Record { cell, width, line: short(line), start: short(start), end: short(end) });
        }
        sheet
    }

    /// The rows that are not empty, in file order.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = SheetRow<'_>> {
        self.records.iter().map(|record| SheetRow { sheet: self, record: *record })
    }

    /// One of them.
    pub(super) fn row(&self, index: usize) -> Option<SheetRow<'_>> {
        self.records.get(index).map(|record| SheetRow { sheet: self, record: *record })
    }
}

/// Without blanks at both ends, no-break spaces included.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{a0}' | '\u{202f}' | '\u{feff}'))
}

impl<'s> SheetRow<'s> {
    /// A cell; empty beyond the row's end.
    pub(super) fn cell(self, column: usize) -> &'s str {
        if column >= self.record.width as usize {
            return "";
        }
        let at = self.record.cell as usize + column;
        let ends = &self.sheet.ends;
        let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        ends.get(at).and_then(|end| self.sheet.cells.get(start as usize..*end as usize)).unwrap_or("")
    }

    /// How many cells it has, trailing empty ones not counted.
    pub(super) fn filled_width(self) -> usize {
        let width = self.record.width as usize;
        (0..width).rev().find(|column| !self.cell(*column).is_empty()).map_or(0, |last| last + 1)
    }

    /// How many cells it has.
    pub(super) const fn width(self) -> usize {
        self.record.width as usize
    }

    pub(super) const fn line(self) -> u32 {
        self.record.line
    }

    pub(super) const fn file(self) -> u16 {
        self.sheet.file
    }

    /// The row as it stands in its file, without the line end.
    pub(super) fn raw(self) -> &'s str {
        let (start, end) = (self.record.start as usize, self.record.end as usize);
        self.sheet.text.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n'])
    }

    /// Over how many lines it stands: more than one if a quote holds a line end.
    pub(super) fn lines(self) -> usize {
        memchr::memchr_iter(b'\n', self.raw().as_bytes()).count() + 1
    }
}
