//! What a format of its own is: how it is recognised, opened and read.
//!
//! Asterisk and CUCM came first and stand beside this in `reader`; every other format is an [`Entry`] whose
//! [`Switch`] reads the records of one file.

use std::fmt;
use std::sync::Arc;

use super::fields::{Fields, Separator};
use super::reader::{FileError, Notes, Options};
use super::records::{Framing, LineEnd};
use super::times::{DateCache, LastDay};
use super::{BYTE_ORDER_MARK, Cdr, Fault};
use crate::source::RecordId;

/// What a parser may use over and over.
pub(super) struct Scratch {
    pub(super) fields: Fields,
    pub(super) cache: DateCache,
    pub(super) last_day: LastDay,
    /// What the rules of the file's template said last.
    pub(super) verdicts: super::template::Verdicts,
    /// The day that the last date record of the chunk named, and the latest second of it that a record told.
    pub(super) day: Option<(super::template::Day, i64)>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            fields: Fields::new(),
            cache: DateCache::new(),
            last_day: LastDay::default(),
            verdicts: super::template::Verdicts::default(),
            day: None,
        }
    }
}

/// Reads the records of one file. Has no state between records, so that chunks can be read on several threads.
pub(super) trait Switch: fmt::Debug + Send + Sync {
    /// The name of the layout found.
    fn layout_name(&self) -> &str;

    /// What the file's records are.
    fn framing(&self) -> Framing;

    /// For files of [`Framing::Lines`]: at what every line is split first of all, if it is. Then its end and its columns are
    /// found together.
    fn separator(&self) -> Option<Separator> {
        None
    }

    /// Reads a record into `cdr`, in the place of the one that was there: records are large. `text` is its bytes
    /// without a byte order mark; the [`Cdr`] keeps them whole.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and in which column; then what is in `cdr` means nothing.
    fn parse<'a>(
        &'a self,
        record: (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault>;

    /// Whether a line can be read as a record.
    fn reads(&self, line: &[u8], scratch: &mut Scratch) -> bool {
        let id = RecordId::from_bits(0);
        self.parse((id, line), line, scratch, &mut Cdr::blank(id, line)).is_ok()
    }

    /// Number of columns of a record, where they are counted, by which a line cut off at the end of the file is told.
    fn width(&self, _text: &[u8], _scratch: &mut Scratch) -> Option<usize> {
        None
    }

    /// Whether a record that cannot be read is a header line: of this file's columns (`true`) or of others.
    fn is_same_header(&self, _text: &[u8], _scratch: &mut Scratch) -> Option<bool> {
        None
    }

    /// What the beginning of the file tells besides its layout.
    fn notes(&self) -> Notes {
        Notes::default()
    }
}

/// The beginning of a file, for recognising and opening it.
#[derive(Clone, Copy)]
pub(super) struct Head<'h> {
    /// The bytes, byte order mark included.
    pub(super) bytes: &'h [u8],
    /// Whether that is all there is.
    pub(super) whole: bool,
    /// What ends its lines.
    pub(super) line_end: LineEnd,
}

impl<'h> Head<'h> {
    pub(super) fn new(bytes: &'h [u8], whole: bool) -> Self {
        Self { bytes, whole, line_end: LineEnd::detect(bytes) }
    }

    /// The complete records that are not blank, without byte order mark; at most 1,000.
    pub(super) fn records(self, framing: Framing) -> impl Iterator<Item = &'h [u8]> + Clone {
        super::reader::HeadLines::new(self.bytes, framing, self.whole).map(|(_, text)| text).take(1_000)
    }

    /// The complete lines that are not blank, each on its own, without byte order mark; at most 1,000.
    pub(super) fn lines(self) -> impl Iterator<Item = &'h [u8]> + Clone {
        self.records(Framing::Lines(self.line_end))
    }

    /// Lines in which quotes may hold line ends.
    pub(super) const fn quoted(self, delimiter: u8) -> Framing {
        Framing::Quoted { line_end: self.line_end, delimiter }
    }

    /// The text behind a byte order mark.
    pub(super) fn text(self) -> &'h [u8] {
        self.bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(self.bytes)
    }
}

/// A file opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// What reads its records.
    pub(super) switch: Arc<dyn Switch>,
    /// How many records at the beginning are header lines, to be passed over.
    pub(super) header_lines: usize,
}

/// That a file looks like a format's, and how one knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sign {
    /// The layout, as settings and manifests name it.
    pub layout: String,
    /// How sure, in per cent: 100 for what nothing else writes, 80 and more for what a person would take for granted, below 50
    /// for a guess.
    pub certainty: u8,
    /// What gave it away, one thing a line, in words for a person: “the first line has CUCM's column names”.
    pub because: Vec<String>,
}

impl Sign {
    pub(super) fn new(layout: impl Into<String>, certainty: u8, because: impl Into<String>) -> Self {
        Self { layout: layout.into(), certainty, because: vec![because.into()] }
    }
}

/// A format: see [`Switch`].
pub(super) struct Entry {
    /// The layouts that settings can name; what is not named is recognised.
    pub(super) layouts: &'static [&'static str],
    /// Finds out how to read a file.
    pub(super) open: fn(Head<'_>, &Options) -> Result<Opened, FileError>,
    /// Whether the beginning of a file looks like this format.
    pub(super) recognise: fn(Head<'_>) -> Option<Sign>,
}
