//! Formats that a project describes itself: a [`Template`] says where the fields stand and how they are written.
//!
//! A template is a TOML file (docs/templates.md has the guide). It is compiled once; reading a record by it allocates
//! nothing. The formats of the wholesale and header-driven kind that come with the program are templates, too.

mod clock;
mod engine;
mod length;
mod read;
mod rules;

pub(super) use clock::Day;
pub(super) use engine::{Verdicts, lacks};

use std::sync::Arc;

use clock::Pattern;
use length::Length;
use rules::Rule;

use super::End;
use super::reader::{FileError, Format, Options};
use super::switch::{Entry, Head, Opened, Sign};

/// What a project's template says, compiled.
///
/// # Example
///
/// ```
/// use rating_core::cdr::{open, Format, Options, Template};
/// use rating_core::finding::{Findings, SourceText};
/// let source = SourceText::new("switches/acme.toml", r#"
///     kind = "delimited"
///     delimiter = ";"
///     [fields]
///     setup = "Started"
///     calling = "From"
///     dialled = "To"
///     talk = "Seconds"
///     [times]
///     format = "DD.MM.YYYY hh:mm:ss"
/// "#);
/// let mut findings = Findings::default();
/// let template = Template::read(&source, &mut findings).unwrap();
/// let file = b"From;To;Started;Seconds\n2001;+442079460000;05.10.2026 09:30:00;61\n";
/// let options = Options { template: Some(template.into()), ..Options::default() };
/// let reader = open(Format::Delimited, &options, file, true).unwrap();
/// let cdr = reader.records(0, 0, file, true).next().unwrap().unwrap();
/// assert_eq!((cdr.dialled, cdr.talk.to_string().as_str()), (&b"+442079460000"[..], "61s"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    name: String,
    kind: Kind,
    header: Header,
    skip_lines: usize,
    latin1: bool,
    /// Names of the columns where the file does not name them.
    order: Vec<Name>,
    /// Fewest and most columns of a record, or bytes of a line.
    width: Option<(usize, usize)>,
    nul_padding: bool,
    /// By slot: the fields first, then the columns that rules alone ask for.
    specs: Vec<Spec>,
    utc: bool,
    setup: Moment,
    answer: Moment,
    end: Moment,
    /// Other ways in which files may write the times that `format` is of; one file writes them in one way.
    alternatives: Vec<Pattern>,
    date_record: Option<Pattern>,
    talk: Length,
    duration: Length,
    ring: Length,
    /// Texts in a duration that say that there is none.
    unset: Vec<Vec<u8>>,
    lost_zero: bool,
    currency: String,
    answered_when: Rule,
    unanswered_when: Rule,
    skip_when: Rule,
    marker_when: Rule,
    begin_when: Rule,
    end_when: Rule,
    /// Slot of the number of records in a marker.
    count: Option<usize>,
    not_voice_when: Rule,
    voice_when: Rule,
    directions: Vec<(Rule, Direction)>,
    otherwise: Option<Direction>,
    /// Ways in which caller and called party stand in each other's columns.
    swapped: Vec<Direction>,
    parts: Parts,
    /// Slots of the duplicate key.
    key: Vec<usize>,
}

/// How records are cut into fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Delimited {
        delimiter: u8,
        /// Whether a blank follows the delimiter.
        blank: bool,
        quoting: Quoting,
    },
    Fixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoting {
    Rfc4180,
    None,
    Backslash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    None,
    Names,
    Optional,
}

/// A column's name, to be compared: without case, blanks and punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    /// As written.
    text: String,
    /// With what stands in brackets.
    full: Vec<u8>,
    /// Without.
    bare: Vec<u8>,
}

/// Where a field stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Spec {
    #[default]
    Nowhere,
    /// Column, from 0.
    Position(u16),
    /// Under one of these names.
    Names(Vec<Name>),
    /// From, and behind the last byte.
    Range(usize, usize),
}

/// How a time is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Moment {
    whole: Pattern,
    date: Pattern,
    time: Pattern,
}

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    In,
    Out,
    Internal,
    Forwarded,
}

impl Direction {
    const fn ends(self) -> [End; 2] {
        match self {
            Self::In => [End::Outside, End::Inside],
            Self::Out => [End::Inside, End::Outside],
            Self::Internal => [End::Inside, End::Inside],
            Self::Forwarded => [End::Outside, End::Outside],
        }
    }
}

/// What records of one call have in common, and what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    group: Vec<usize>,
    interim_when: Rule,
    final_when: Rule,
    more_when: Rule,
    last_when: Rule,
    /// By rank.
    legs: Vec<Rule>,
    revision: bool,
}

/// The fields of a record, in the order of their slots.
const FIELDS: [&str; 32] = [
    "id",
    "setup",
    "setup_date",
    "setup_time",
    "answer",
    "answer_date",
    "answer_time",
    "end",
    "end_date",
    "end_time",
    "duration",
    "talk",
    "ring",
    "disposition",
    "calling",
    "dialled",
    "reached",
    "outpulsed",
    "forwarder",
    "account",
    "extension",
    "context",
    "trunk_in",
    "trunk_out",
    "direction",
    "charge",
    "currency",
    "call_id",
    "leg",
    "sequence",
    "type",
    "partial",
];

/// Slots.
mod slot {
    pub(super) const ID: usize = 0;
    pub(super) const SETUP: usize = 1;
    pub(super) const ANSWER: usize = 4;
    pub(super) const END: usize = 7;
    pub(super) const DURATION: usize = 10;
    pub(super) const TALK: usize = 11;
    pub(super) const RING: usize = 12;
    pub(super) const CALLING: usize = 14;
    pub(super) const DIALLED: usize = 15;
    pub(super) const REACHED: usize = 16;
    pub(super) const OUTPULSED: usize = 17;
    pub(super) const FORWARDER: usize = 18;
    pub(super) const ACCOUNT: usize = 19;
    pub(super) const EXTENSION: usize = 20;
    pub(super) const CONTEXT: usize = 21;
    pub(super) const TRUNK_IN: usize = 22;
    pub(super) const TRUNK_OUT: usize = 23;
    pub(super) const DIRECTION: usize = 24;
    pub(super) const CHARGE: usize = 25;
    pub(super) const CURRENCY: usize = 26;
    pub(super) const CALL_ID: usize = 27;
    pub(super) const LEG: usize = 28;
    pub(super) const SEQUENCE: usize = 29;
}

impl Name {
    fn new(text: &str, bytes: &[u8]) -> Self {
        Self { text: text.to_owned(), full: bare_name(bytes, true), bare: bare_name(bytes, false) }
    }
}

/// A column's name without case, blanks and punctuation, and without words in brackets unless they are kept.
fn bare_name(text: &[u8], keep_brackets: bool) -> Vec<u8> {
    let mut depth = 0_u32;
    let mut bare = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'(' | b'[' if !keep_brackets => depth += 1,
            b')' | b']' if !keep_brackets => depth = depth.saturating_sub(1),
            byte if depth == 0 && (byte.is_ascii_alphanumeric() || !byte.is_ascii()) => {
                bare.push(byte.to_ascii_lowercase());
            }
            _ => {}
        }
    }
    bare
}

impl Template {
    /// Its name, shown as the layout of its files.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its files lost the national zero of numbers to a spreadsheet.
    #[must_use]
    pub const fn loses_zero(&self) -> bool {
        self.lost_zero
    }

    /// The format that reads by it: [`Format::Delimited`] or [`Format::Fixed`].
    #[must_use]
    pub const fn format(&self) -> Format {
        match self.kind {
            Kind::Delimited { .. } => Format::Delimited,
            Kind::Fixed => Format::Fixed,
        }
    }
}

/// The entry of both formats of templates: nothing is recognised by a template that is not there.
pub(super) const ENTRY: Entry = Entry { layouts: &[], open, recognise };

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    match &options.template {
        Some(template) => open_with(template, head, options),
        None => Err(FileError::Unreadable {
            what: "cannot be read without a template".into(),
            help: "name one in the source's settings: `template = \"switches/acme.toml\"`".into(),
        }),
    }
}

fn recognise(_head: Head<'_>) -> Option<Sign> {
    None
}

/// A template that comes with the program.
pub(super) fn preset(name: &str, text: &str) -> Option<Arc<Template>> {
    let source = crate::finding::SourceText::new(name, text);
    Template::read(&source, &mut crate::finding::Findings::default()).map(Arc::new)
}

/// Opens a file by a template.
pub(super) fn open_with(template: &Arc<Template>, head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    engine::Engine::open(template, head, options)
}

#[cfg(test)]
pub(in crate::cdr) mod tests;
