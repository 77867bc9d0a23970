//! Opening a file and reading its records, whatever the format.

use std::fmt;
use std::sync::Arc;

use memchr::memchr;

use crate::source::RecordId;
use crate::time::Instant;

use super::asterisk::{self, Asterisk};
use super::cucm::{self, Cucm};
use super::fields::Separator;
use super::records::{self, Framing, KEPT_OF_TOO_LONG, Line, LineEnd, MAX_RECORD_BYTES, Step};
use super::switch::{Entry, Head, Scratch, Sign, Switch};
use super::template::{self, Template};
use super::times::DateOrder;
use super::{BYTE_ORDER_MARK, Cdr, Fault, Kind, NotACall, Reject, RejectReason};

/// How much of a file [`open`] looks at: the caller gives it the first 1 MiB, or all of a shorter file.
pub const HEAD_BYTES: usize = 1 << 20;

/// A family of switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// Asterisk and FreePBX.
    Asterisk,
    /// Cisco Unified Communications Manager.
    CiscoCucm,
    /// FreeSWITCH: CSV templates and JSON.
    FreeSwitch,
    /// 3CX.
    ThreeCx,
    /// BroadWorks: CSV and XML.
    BroadWorks,
    /// Avaya IP Office SMDR.
    IpOffice,
    /// Mitel 3300 and MiVoice Business SMDR.
    Mitel,
    /// The UK standard for wholesale CDRs, as Gamma and others send it.
    UkWholesale,
    /// Microsoft Teams: PSTN usage and Direct Routing.
    Teams,
    /// OpenSIPS and Kamailio accounting.
    SipAcc,
    /// Kazoo: CSV and JSON.
    Kazoo,
    /// Yeastar P series.
    Yeastar,
    /// Grandstream UCM.
    Grandstream,
    /// Oracle (Acme Packet) session border controllers.
    OracleSbc,
    /// Delimited files that the project describes.
    Delimited,
    /// Files of fixed positions that the project describes.
    Fixed,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 16] = [
        Self::Asterisk,
        Self::CiscoCucm,
        Self::FreeSwitch,
        Self::ThreeCx,
        Self::BroadWorks,
        Self::IpOffice,
        Self::Mitel,
        Self::UkWholesale,
        Self::Teams,
        Self::SipAcc,
        Self::Kazoo,
        Self::Yeastar,
        Self::Grandstream,
        Self::OracleSbc,
        Self::Delimited,
        Self::Fixed,
    ];

    /// The name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asterisk => "asterisk",
            Self::CiscoCucm => "cisco-cucm",
            Self::FreeSwitch => "freeswitch",
            Self::ThreeCx => "3cx",
            Self::BroadWorks => "broadworks",
            Self::IpOffice => "avaya-ip-office",
            Self::Mitel => "mitel-3300",
            Self::UkWholesale => "uk-wholesale",
            Self::Teams => "teams",
            Self::SipAcc => "opensips",
            Self::Kazoo => "kazoo",
            Self::Yeastar => "yeastar",
            Self::Grandstream => "grandstream",
            Self::OracleSbc => "oracle-sbc",
            Self::Delimited => "delimited",
            Self::Fixed => "fixed",
        }
    }

    /// The inverse of [`Format::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The layouts that settings can name. A file whose layout is not named shows it.
    #[must_use]
    pub fn layouts(self) -> &'static [&'static str] {
        match self {
            Self::Asterisk => &asterisk::LAYOUTS,
            _ => self.entry().map_or(&[], |entry| entry.layouts),
        }
    }

    /// What reads it; `None` for the two that this module reads itself.
    const fn entry(self) -> Option<&'static Entry> {
        Some(match self {
            Self::Asterisk | Self::CiscoCucm => return None,
            Self::FreeSwitch => &super::freeswitch::ENTRY,
            Self::ThreeCx => &super::three_cx::ENTRY,
            Self::BroadWorks => &super::broadworks::ENTRY,
            Self::IpOffice => &super::ip_office::ENTRY,
            Self::Mitel => &super::mitel::ENTRY,
            Self::UkWholesale => &super::uk_wholesale::ENTRY,
            Self::Teams => &super::teams::ENTRY,
            Self::SipAcc => &super::acc::ENTRY,
            Self::Kazoo => &super::kazoo::ENTRY,
            Self::Yeastar => &super::yeastar::ENTRY,
            Self::Grandstream => &super::grandstream::ENTRY,
            Self::OracleSbc => &super::acme::ENTRY,
            Self::Delimited | Self::Fixed => &template::ENTRY,
        })
    }
}

/// What a project says about a source's files, and what is known of the file besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The layout, one of [`Format::layouts`]; `None` if the file shows it.
    pub layout: Option<String>,
    /// The columns in order, for switches whose administrator chooses them. An Asterisk `cdr_custom` template: by the names
    /// of Asterisk's CDR variables (`src`, `dst`, `start`, …), in any case; other names stand for columns that are not
    /// read; needed are at least `dst`, `start` (or `calldate`), `billsec` and `disposition`. 3CX: by the names of its fields.
    pub columns: Vec<String>,
    /// The year of dates that have none (Mitel), where the file's name does not tell it.
    pub year: Option<i32>,
    /// How the project describes the files, for [`Format::Delimited`] and [`Format::Fixed`].
    pub template: Option<Arc<Template>>,
    /// The file's name without folders: evidence for formats that write no year.
    pub file_name: String,
}

/// Why a file as a whole cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// The file is UTF-16 (it begins with that byte order mark).
    Utf16,
    /// The file is compressed, an archive or a spreadsheet.
    NotText {
        /// What it looks like.
        looks_like: &'static str,
    },
    /// CUCM: the line of types is there, the line of names before it is not.
    TypesOnlyHeader,
    /// CUCM: the first line is no header.
    HeaderMissing,
    /// The header, or the list of columns in the settings, lacks a column that is needed.
    ColumnMissing {
        /// Its name.
        column: &'static str,
    },
    /// Records are there, and none fits a known layout.
    UnknownLayout {
        /// Number of columns of the first record.
        columns: usize,
    },
    /// The file is of another format than the settings say.
    WrongFormat {
        /// The format it looks like.
        looks_like: Format,
        /// What gave it away.
        because: String,
    },
    /// Dates have no year, and neither the settings nor the file's name tell it.
    YearUnknown,
    /// What else a format has to say about a file that it cannot read.
    Unreadable {
        /// What is wrong, in words that go on from “the file”.
        what: String,
        /// How to mend it.
        help: String,
    },
}

impl FileError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Utf16 => "cdr.file_utf16",
            Self::NotText { .. } => "cdr.file_not_text",
            Self::TypesOnlyHeader => "cdr.file_types_only_header",
            Self::HeaderMissing => "cdr.file_header_missing",
            Self::ColumnMissing { .. } => "cdr.file_column_missing",
            Self::UnknownLayout { .. } => "cdr.file_unknown_layout",
            Self::WrongFormat { .. } => "cdr.file_wrong_format",
            Self::YearUnknown => "cdr.file_year_unknown",
            Self::Unreadable { .. } => "cdr.file_unreadable",
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Utf16 => "save it as UTF-8 or as the switch wrote it".into(),
            Self::NotText { .. } => "give the text file the switch wrote; of compressed files gzip and zstd are read".into(),
            Self::TypesOnlyHeader => {
                "fetch the file again with its first line, which begins with \"cdrRecordType\"; columns are read by name".into()
            }
            Self::HeaderMissing => "the first line must name the columns and begin with \"cdrRecordType\"".into(),
            Self::ColumnMissing { column } => format!("add `{column}` to what the switch exports, or to the columns in the settings"),
            Self::UnknownLayout { .. } => {
                "`rating inspect` on the file tells what it looks like; name the format and layout in the source's settings (for \
                 Asterisk cdr_csv, freepbx_table, or cdr_custom with its columns)"
                    .into()
            }
            Self::WrongFormat { looks_like, .. } => {
                format!("set the source's format to `{}` (`rating inspect` on the file prints the settings)", looks_like.name())
            }
            Self::YearUnknown => {
                "say `year = 2026` in the source's settings, or keep each year's (or month's) files under names with the date in \
                 them, such as `smdr-2026-10-03.log`"
                    .into()
            }
            Self::Unreadable { help, .. } => help.clone(),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf16 => f.write_str("the file is UTF-16"),
            Self::NotText { looks_like } => write!(f, "the file is no text but {looks_like}"),
            Self::TypesOnlyHeader => f.write_str("the header has the types of the columns but not their names"),
            Self::HeaderMissing => f.write_str("the header is missing"),
            Self::ColumnMissing { column } => write!(f, "the column `{column}` is missing"),
            Self::UnknownLayout { columns } => {
                write!(f, "no known layout fits: the first record has {columns} columns")
            }
            Self::WrongFormat { looks_like, because } => {
                write!(f, "the file looks like `{}`: {because}", looks_like.name())
            }
            Self::YearUnknown => f.write_str("its dates have no year"),
            Self::Unreadable { what, .. } => write!(f, "the file {what}"),
        }
    }
}

impl std::error::Error for FileError {}

/// What the beginning of a file tells besides its layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Asterisk: the local clock less the epoch in unique ids, in minutes, the median over the beginning of the file:
    /// +60 is a clock an hour east of UTC. To be compared with the zone in the source's settings.
    pub epoch_offset_minutes: Option<i32>,
    /// How many records that median is of.
    pub epoch_evidence: u32,
    /// The epoch of the record that has that median: the moment at which the zone's offset should be the same.
    pub epoch_at: Option<Instant>,
    /// The order of day and month, where dates with slashes show it.
    pub date_order: Option<DateOrder>,
    /// A file of CUCM quality records (CMR): it has no calls.
    pub quality_records: bool,
    /// The times have no seconds (a spreadsheet took them): they are read as the full minute.
    pub minutes_only: bool,
}

#[derive(Clone, Debug)]
enum Inner {
    Asterisk(Asterisk),
    Cucm(Cucm),
    Switch(Arc<dyn Switch>),
}

/// Reads the records of one file. Immutable: chunks of the file can be read on several threads with one reader.
#[derive(Clone, Debug)]
pub struct Reader {
    inner: Inner,
    framing: Framing,
    /// What stands between the columns of a record, where end and columns of it are found together: see
    /// [`Fields::scan`](super::fields::Fields::scan).
    scanned: Option<Separator>,
    body_start: usize,
    /// Number of columns of the first record, by which a cut-off last line is told.
    width: usize,
}

/// Looks at the beginning of a file and finds out how to read it.
///
/// `head` is the first [`HEAD_BYTES`] of the file, or the `whole_file_in_head`. An empty file, or one with a header
/// and nothing else, opens and has no records.
///
/// # Errors
///
/// See [`FileError`].
///
/// # Example
///
/// ```
/// use rating_core::cdr::{open, Format, Options};
/// let file = b"\"\",\"101\",\"0207946000\",\"internal\",\"101\",\"SIP/101-01\",\"SIP/trunk-02\",\"Dial\",\"\",\
///     \"2026-07-01 09:00:00\",\"2026-07-01 09:00:05\",\"2026-07-01 09:01:05\",65,60,\"ANSWERED\",\"DOCUMENTATION\"\n";
/// let reader = open(Format::Asterisk, &Options::default(), file, true).unwrap();
/// let cdrs: Vec<_> = reader.records(0, 0, file, true).map(Result::unwrap).collect();
/// assert_eq!(cdrs[0].dialled, b"0207946000");
/// assert_eq!(cdrs[0].talk.to_string(), "60s");
/// ```
pub fn open(format: Format, options: &Options, head: &[u8], whole_file_in_head: bool) -> Result<Reader, FileError> {
    let looks_like = match head {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Err(FileError::Utf16),
        [0x1F, 0x8B, ..] => "gzip",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive or a spreadsheet",
        _ => "",
    };
    if !looks_like.is_empty() {
        return Err(FileError::NotText { looks_like });
    }
    let reader = match open_as(format, options, head, whole_file_in_head) {
        Ok(reader) => reader,
        Err(
            error @ (FileError::HeaderMissing
            | FileError::UnknownLayout { .. }
            | FileError::ColumnMissing { .. }
            | FileError::Unreadable { .. }),
        ) => {
            return Err(other_format(format, head, whole_file_in_head).unwrap_or(error));
        }
        Err(error) => return Err(error),
    };
    // A file of which nothing at the beginning can be read is more likely of another format than broken throughout.
    let nothing_readable = {
        let mut beginning = reader.head_records(head, whole_file_in_head).take(50).peekable();
        beginning.peek().is_some() && beginning.all(|record| record.is_err())
    };
    if nothing_readable && let Some(error) = other_format(format, head, whole_file_in_head) {
        return Err(error);
    }
    Ok(reader)
}

/// What the beginning of a file looks like: every format that it may be, the likeliest first.
///
/// `head` is what [`open`] takes.
///
/// # Example
///
/// ```
/// use rating_core::cdr::{recognise, Format};
/// let file = b"\"\",\"101\",\"0207946000\",\"internal\",\"101\",\"SIP/101-01\",\"SIP/trunk-02\",\"Dial\",\"\",\
///     \"2026-07-01 09:00:00\",\"2026-07-01 09:00:05\",\"2026-07-01 09:01:05\",65,60,\"ANSWERED\",\"DOCUMENTATION\"\n";
/// assert_eq!(recognise(file, true)[0].0, Format::Asterisk);
/// ```
#[must_use]
pub fn recognise(head: &[u8], whole_file_in_head: bool) -> Vec<(Format, Sign)> {
    let beginning = Head::new(head, whole_file_in_head);
    let mut signs: Vec<(Format, Sign)> = Format::ALL
        .into_iter()
        .filter_map(|format| {
            let sign = match (format, format.entry()) {
                (_, Some(entry)) => (entry.recognise)(beginning),
                (Format::CiscoCucm, None) => cucm::recognise(beginning),
                (_, None) => asterisk::recognise(beginning),
            };
            Some((format, sign?))
        })
        .collect();
    signs.sort_by_key(|(_, sign)| std::cmp::Reverse(sign.certainty));
    signs
}

/// A file with nothing in it.
#[derive(Debug)]
struct Empty;

impl Switch for Empty {
    fn layout_name(&self) -> &str {
        "empty"
    }

    fn framing(&self) -> Framing {
        Framing::default()
    }

    fn parse<'a>(
        &'a self,
        _: (RecordId, &'a [u8]),
        _: &'a [u8],
        _: &mut Scratch,
        _: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        Err(Fault::record(RejectReason::Malformed))
    }
}

/// That a file is another format's, if it clearly is.
fn other_format(format: Format, head: &[u8], whole: bool) -> Option<FileError> {
    let (looks_like, sign) = recognise(head, whole).into_iter().next()?;
    (looks_like != format && sign.certainty >= 80)
        .then(|| FileError::WrongFormat { looks_like, because: sign.because.join("; ") })
}

fn open_as(format: Format, options: &Options, head: &[u8], whole_file_in_head: bool) -> Result<Reader, FileError> {
    let beginning = Head::new(head, whole_file_in_head);
    let mut scratch = Scratch::new();
    let lines = |framing| HeadLines::new(head, framing, whole_file_in_head);
    let csv = Framing::from(beginning.line_end);
    let texts = || lines(csv).map(|(_, text)| text);
    let (inner, framing, header_lines) = match (format, format.entry()) {
        (_, Some(_)) if whole_file_in_head && beginning.text().trim_ascii().is_empty() => {
            (Inner::Switch(Arc::new(Empty)), csv, 0)
        }
        (_, Some(entry)) => {
            let opened = (entry.open)(beginning, options)?;
            let framing = opened.switch.framing();
            (Inner::Switch(opened.switch), framing, opened.header_lines)
        }
        (Format::CiscoCucm, None) => {
            let (cucm, header_lines) = Cucm::open(texts().take(2), &mut scratch.fields)?;
            (Inner::Cucm(cucm), csv, header_lines)
        }
        (_, None) => {
            if texts().next().is_some_and(|first| cucm::is_header(first, &mut scratch.fields)) {
                return Err(FileError::HeaderMissing);
            }
            let (asterisk, has_header) = Asterisk::open(options, texts(), &mut scratch.fields)?;
            (Inner::Asterisk(asterisk), csv, usize::from(has_header))
        }
    };
    let body_start = match header_lines.checked_sub(1) {
        Some(last) => lines(framing).nth(last).map_or(0, |(line, _)| line.next),
        None if head.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len(),
        None => 0,
    };
    let scanned = match (framing, &inner) {
        (Framing::Quoted { delimiter, .. }, _) => Some(Separator::Quoted(delimiter)),
        (Framing::Lines(_), Inner::Switch(switch)) => switch.separator(),
        _ => None,
    };
    let mut reader = Reader { inner, framing, scanned, body_start, width: 0 };
    let mut body = lines(framing).map(|(_, text)| text).skip(header_lines).take(200);
    reader.width = body.find_map(|text| reader.width_of(text, &mut scratch)).unwrap_or(0);
    Ok(reader)
}

impl Reader {
    /// The name of the layout found.
    #[must_use]
    pub fn layout_name(&self) -> &str {
        match &self.inner {
            Inner::Asterisk(asterisk) => asterisk.layout_name(),
            Inner::Cucm(cucm) => cucm.layout_name(),
            Inner::Switch(switch) => switch.layout_name(),
        }
    }

    /// The records of a file's beginning that are complete.
    fn head_records<'a>(
        &'a self,
        head: &'a [u8],
        whole: bool,
    ) -> impl Iterator<Item = Result<Cdr<'a>, Reject<'a>>> + 'a {
        let end = self.split_point(head, whole);
        let chunk = head.get(self.body_start..end).unwrap_or_default();
        self.records(0, self.body_start as u64, chunk, whole)
    }

    /// Where the first record begins: behind byte order mark and header lines.
    #[must_use]
    pub const fn body_start(&self) -> usize {
        self.body_start
    }

    /// What ends the lines of the file.
    #[must_use]
    pub const fn line_end(&self) -> LineEnd {
        self.framing.line_end()
    }

    /// What the records of the file are: needed for [`records::split_point`].
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// What the beginning of the file tells besides its layout.
    #[must_use]
    pub fn notes(&self) -> Notes {
        match &self.inner {
            Inner::Asterisk(asterisk) => {
                let (minutes, evidence, at) = match asterisk.epoch_offset() {
                    Some((minutes, evidence, at)) => (Some(minutes), evidence, Some(at)),
                    None => (None, 0, None),
                };
                Notes {
                    epoch_offset_minutes: minutes,
                    epoch_evidence: evidence,
                    epoch_at: at,
                    date_order: asterisk.date_order(),
                    ..Notes::default()
                }
            }
            Inner::Switch(switch) => switch.notes(),
            Inner::Cucm(cucm) => Notes { quality_records: cucm.is_quality_file(), ..Notes::default() },
        }
    }

    /// The smallest buffer at which a caller of [`Reader::split_point`] may give up: that of [`records::split_point`].
    #[must_use]
    pub const fn min_buffer(&self) -> usize {
        self.framing.min_buffer()
    }

    /// End of the last complete record in a buffer that begins at a record boundary; see [`records::split_point`],
    /// which also says what to do where it is 0.
    #[must_use]
    pub fn split_point(&self, buffer: &[u8], at_end_of_file: bool) -> usize {
        records::split_point(buffer, at_end_of_file, self.framing)
    }

    /// The records of a chunk that begins and ends at record boundaries.
    ///
    /// `file` is the file's index in the canonical order and `base_offset` the chunk's offset in the uncompressed file;
    /// together they must be in [`RecordId`]'s limits. The first chunk may include the header ([`Reader::body_start`]
    /// need not be cut off: header lines and blank lines give no item, wherever they stand). `last` says that the chunk
    /// ends where the file ends.
    #[must_use]
    pub fn records<'a>(&'a self, file: u32, base_offset: u64, chunk: &'a [u8], last: bool) -> Records<'a> {
        let mark = if base_offset == 0 && chunk.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Records {
            reader: self,
            file,
            base_offset,
            chunk,
            last,
            position: mark,
            // Scanning sees NULs; what cannot be scanned is looked at record by record.
            has_nul: self.scanned.is_some() || memchr(0, chunk).is_some(),
            skipped: Skipped { bytes: mark as u64, ..Skipped::default() },
            scratch: Scratch::new(),
        }
    }

    /// Reads one stored record again, its line end taken off.
    ///
    /// Gives what [`Reader::records`] gave, except that a cut-off last line cannot be told from a record with too few
    /// columns, and that of a record too long only the beginning was kept.
    ///
    /// # Errors
    ///
    /// The reject it was.
    pub fn parse_one<'a>(&'a self, id: RecordId, raw: &'a [u8]) -> Result<Cdr<'a>, Reject<'a>> {
        let has_nul = memchr(0, raw).is_some();
        let mut cdr = Cdr::blank(id, raw);
        match self.parse((id, raw), has_nul, &mut Scratch::new(), &mut cdr) {
            Ok(()) => Ok(cdr),
            Err(fault) => Err(fault.reject(id, raw)),
        }
    }

    /// The reject for a line longer than [`MAX_RECORD_BYTES`] whose end the caller has not read;
    /// `beginning` is what the caller has of it, of which at most [`KEPT_OF_TOO_LONG`] bytes are kept.
    #[must_use]
    pub fn too_long<'a>(&self, file: u32, offset: u64, beginning: &'a [u8]) -> Reject<'a> {
        let raw = beginning.get(..KEPT_OF_TOO_LONG).unwrap_or(beginning);
        Fault::record(RejectReason::RecordTooLong).reject(record_id(file, offset), raw)
    }

    #[inline]
    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        has_nul: bool,
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        if raw.len() > MAX_RECORD_BYTES {
            return Err(Fault::record(RejectReason::RecordTooLong));
        }
        let text = if raw.first() == Some(&BYTE_ORDER_MARK[0]) {
            raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw)
        } else {
            raw
        };
        let parsed = match &self.inner {
            Inner::Asterisk(asterisk) => asterisk.read((id, raw), text, &mut scratch.fields, &mut scratch.cache, cdr),
            Inner::Cucm(cucm) => cucm.parse((id, raw), text, &mut scratch.fields, cdr),
            Inner::Switch(switch) => switch.parse((id, raw), text, scratch, cdr),
        };
        if has_nul && memchr(0, raw).is_some() {
            return Err(match parsed {
                Err(fault) if fault.reason < RejectReason::NulBytes => fault,
                _ => Fault::record(RejectReason::NulBytes),
            });
        }
        parsed
    }

    /// Number of columns, where the record can be split at all.
    fn width_of(&self, raw: &[u8], scratch: &mut Scratch) -> Option<usize> {
        match &self.inner {
            Inner::Asterisk(asterisk) => asterisk.width(raw, &mut scratch.fields),
            Inner::Cucm(cucm) => Some(cucm.width()),
            Inner::Switch(switch) => switch.width(raw, scratch),
        }
    }

    /// Looks again at a record that cannot be read: a header line, a line cut off by the end of the file, or what it
    /// was taken for.
    #[cold]
    fn reconsider(&self, fault: Fault, line: (u64, &[u8]), cut_off: bool, scratch: &mut Scratch) -> Reconsidered {
        let (offset, raw) = line;
        if offset < self.body_start as u64 {
            return Reconsidered::Header;
        }
        if fault.reason <= RejectReason::NulBytes {
            return Reconsidered::Reject(fault);
        }
        let same_header = match &self.inner {
            Inner::Asterisk(asterisk) => asterisk.is_same_header(raw, &mut scratch.fields),
            Inner::Cucm(cucm) => cucm.is_same_header(raw, &mut scratch.fields),
            Inner::Switch(switch) => switch.is_same_header(raw, scratch),
        };
        use RejectReason::{ColumnCount, Malformed, QuoteNotClosed};
        match same_header {
            Some(true) => Reconsidered::Header,
            Some(false) => Reconsidered::Reject(Fault::record(RejectReason::HeaderChanged)),
            None if cut_off && matches!(fault.reason, QuoteNotClosed | ColumnCount | Malformed) => {
                Reconsidered::Reject(Fault::record(RejectReason::Truncated))
            }
            None => Reconsidered::Reject(fault),
        }
    }
}

enum Reconsidered {
    Header,
    Reject(Fault),
}

/// Beyond the limits of a [`RecordId`], which the caller was asked to keep, every record gets the last one.
#[inline]
fn record_id(file: u32, offset: u64) -> RecordId {
    RecordId::new(file, offset).unwrap_or(RecordId::from_bits(u64::MAX))
}

/// What gave no item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Header lines, at the beginning or in the middle of a file put together from several.
    pub header_lines: u64,
    /// Lines with nothing on them.
    pub blank_lines: u64,
    /// Bytes of both, line ends included, of line ends behind records, of what stands between JSON objects or XML elements, and of a
    /// byte order mark at the beginning. Together with the records' lengths this is
    /// the chunk's length (where no record is too long: of those a reject keeps only the beginning).
    pub bytes: u64,
}

/// The records of a chunk: see [`Reader::records`].
pub struct Records<'a> {
    reader: &'a Reader,
    file: u32,
    base_offset: u64,
    chunk: &'a [u8],
    last: bool,
    position: usize,
    has_nul: bool,
    skipped: Skipped,
    scratch: Scratch,
}

impl<'a> Records<'a> {
    /// Reads the next record into `cdr`, in the place of the one that was there: records are large, and this way none is
    /// copied. `None` at the end of the chunk; after a reject what is in `cdr` means nothing.
    #[inline]
    pub fn read(&mut self, cdr: &mut Cdr<'a>) -> Option<Result<(), Reject<'a>>> {
        loop {
            let scanned = self.reader.scanned.and_then(|separator| {
                self.scratch.fields.scan(self.chunk, self.position, separator, self.reader.framing.line_end())
            });
            let (line, has_nul) = match scanned {
                Some(line) => (line, false),
                None => (self.step()?, self.has_nul),
            };
            self.skipped.bytes += line.start.saturating_sub(self.position) as u64;
            self.position = line.next;
            let raw = self.chunk.get(line.start..line.end)?;
            let line_end = (line.next - line.end) as u64;
            self.skipped.bytes += line_end;
            if raw.is_empty() {
                self.skipped.blank_lines += 1;
                continue;
            }
            let offset = self.base_offset.saturating_add(line.start as u64);
            let id = record_id(self.file, offset);
            let fault = match self.reader.parse((id, raw), has_nul, &mut self.scratch, cdr) {
                Ok(()) => {
                    let is_whole = !self.last
                        || line.is_terminated()
                        || self.scratch.fields.count() >= self.reader.width
                        || matches!(cdr.kind, Kind::NotACall(NotACall::QualityRecord | NotACall::Marker));
                    if is_whole {
                        return Some(Ok(()));
                    }
                    Fault::record(RejectReason::Truncated)
                }
                Err(fault) => {
                    let cut_off = self.last && !line.is_terminated() && line.next == self.chunk.len();
                    match self.reader.reconsider(fault, (offset, raw), cut_off, &mut self.scratch) {
                        Reconsidered::Header => {
                            self.skipped.header_lines += 1;
                            self.skipped.bytes += raw.len() as u64;
                            continue;
                        }
                        Reconsidered::Reject(fault) => fault,
                    }
                }
            };
            let raw =
                if fault.reason == RejectReason::RecordTooLong { &raw[..KEPT_OF_TOO_LONG.min(raw.len())] } else { raw };
            return Some(Err(fault.reject(id, raw)));
        }
    }

    /// What gave no item so far.
    #[must_use]
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The next record, whatever it is like; `None` at the end of the chunk.
    fn step(&mut self) -> Option<Line> {
        match records::step(self.chunk, self.position, self.reader.framing, true) {
            Step::Record(line) => Some(line),
            Step::End | Step::Incomplete => {
                self.skipped.bytes += self.chunk.len().saturating_sub(self.position) as u64;
                self.position = self.chunk.len();
                None
            }
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Cdr<'a>, Reject<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let mut cdr = Cdr::blank(RecordId::from_bits(0), &[]);
        Some(self.read(&mut cdr)?.map(|()| cdr))
    }
}

/// The lines of a file's beginning that are complete and not blank.
#[derive(Clone)]
pub(super) struct HeadLines<'h> {
    head: &'h [u8],
    framing: Framing,
    whole: bool,
    position: usize,
}

impl<'h> HeadLines<'h> {
    pub(super) const fn new(head: &'h [u8], framing: Framing, whole: bool) -> Self {
        Self { head, framing, whole, position: 0 }
    }
}

impl<'h> Iterator for HeadLines<'h> {
    type Item = (Line, &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let Step::Record(line) = records::step(self.head, self.position, self.framing, self.whole) {
            self.position = line.next;
            let text = self.head.get(line.start..line.end)?;
            let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
            if !text.is_empty() && text.len() <= MAX_RECORD_BYTES {
                return Some((line, text));
            }
        }
        None
    }
}
