//! Bringing a template together with a file.

use std::sync::Arc;

use super::super::clock::{self, Parts, Pattern};
use super::super::{FIELDS, Header, Kind, Moment, Name, Quoting, Spec, Template, slot};
use super::Engine;
use crate::cdr::Stamp;
use crate::cdr::fields::{Fields, NO_COLUMN};
use crate::cdr::reader::{FileError, Options};
use crate::cdr::records::{DateMask, Framing};
use crate::cdr::switch::{Head, Opened};
use crate::cdr::times::LastDay;

/// How many records at the beginning are looked at for the header.
const PREAMBLE: usize = 20;

impl Engine {
    pub(in super::super) fn open(
        template: &Arc<Template>,
        head: Head<'_>,
        options: &Options,
    ) -> Result<Opened, FileError> {
        let mask = template
            .date_record
            .as_ref()
            .and_then(Pattern::mask)
            .and_then(|mask| DateMask::new(&mask))
            .unwrap_or_default();
        let framing = match template.kind {
            Kind::Delimited { delimiter, blank: false, quoting: Quoting::Rfc4180 } => head.quoted(delimiter),
            _ if template.nul_padding || !mask.is_empty() => Framing::Dated { line_end: head.line_end, date: mask },
            _ => Framing::Lines(head.line_end),
        };
        let mut engine = Self {
            template: Arc::clone(template),
            framing,
            columns: Vec::new(),
            ranges: template.ranges(),
            is_fixed: template.kind == Kind::Fixed,
            present: Vec::new(),
            asked: template.asked(),
            width: template.width,
            has_header: false,
            header: Box::default(),
            trailing: false,
            mask,
            named: clock::date_in_name(&options.file_name),
            year: options.year,
            minutes_only: template.lacks_seconds(),
        };
        let mut fields = Fields::new();
        let beginning = head.records(framing);
        let mut header_lines = template.skip_lines;
        if template.header == Header::None {
            engine.columns = template.places(&template.order);
        } else {
            let mut best: Option<Vec<String>> = None;
            for (index, record) in beginning.clone().enumerate().take(PREAMBLE).skip(template.skip_lines) {
                let names = engine.names(record, &mut fields);
                let columns = template.places(&names);
                let missing = template.missing(&columns);
                if missing.is_empty() {
                    engine.columns = columns;
                    engine.has_header = true;
                    engine.header = record.into();
                    engine.width = Some((names.len(), names.len()));
                    // What stands before it is a title, unless it looks like a record: files were put together.
                    let before = beginning.clone().take(index).skip(template.skip_lines);
                    let first = before.into_iter().position(|record| engine.looks_like_a_record(record, &mut fields));
                    header_lines = first.map_or(index + 1, |first| template.skip_lines + first);
                    break;
                }
                let is_best = best.as_ref().is_none_or(|best| missing.len() < best.len());
                if is_best {
                    best = Some(missing);
                }
            }
            if !engine.has_header && template.header == Header::Optional {
                engine.columns = template.places(&template.order);
                let first = beginning.clone().nth(template.skip_lines).unwrap_or_default();
                let fits = engine.split(first, &mut fields).is_ok() && engine.has_width(first, &fields);
                if !first.is_empty() && !fits {
                    return Err(FileError::UnknownLayout { columns: fields.count() });
                }
                // One file has one width.
                if fits {
                    engine.width = Some((fields.count(), fields.count()));
                }
            } else if !engine.has_header {
                let missing = best.unwrap_or_default();
                let needed = template.missing(&template.places(&[])).len();
                return Err(FileError::Unreadable {
                    what: if missing.len() >= needed {
                        format!("has no line with the names of `{}` columns", template.name)
                    } else {
                        format!("lacks columns that `{}` files have: {}", template.name, missing.join(", "))
                    },
                    help: "export it with its header line and those columns, or add the spellings of its header to the template".into(),
                });
            }
        }
        if let Some((_, most)) = engine.width {
            let mut body = beginning.clone().skip(header_lines).take(100).peekable();
            let has_one_more = |record: &[u8]| {
                let is_split = engine.split(record, &mut fields).is_ok() && fields.count() == most + 1;
                is_split && u16::try_from(most).is_ok_and(|last| fields.get(record, last).is_empty())
            };
            engine.trailing = template.kind != Kind::Fixed && body.peek().is_some() && body.all(has_one_more);
        }
        if template.needs_year() && engine.named.is_none() && engine.year.is_none() {
            return Err(FileError::YearUnknown);
        }
        if !template.alternatives.is_empty() {
            let records: Vec<&[u8]> = beginning.skip(header_lines).collect();
            engine.choose_format(&records, &mut fields)?;
        }
        engine.present = (0..engine.columns.len()).filter(|slot| engine.column(*slot) != NO_COLUMN).collect();
        Ok(Opened { switch: Arc::new(engine), header_lines })
    }

    /// Whether what stands before the header has as many columns as it, three of them filled, and a digit in a time: then it is
    /// no title.
    fn looks_like_a_record(&self, record: &[u8], fields: &mut Fields) -> bool {
        let fits = self.split(record, fields).is_ok() && self.has_width(record, fields);
        let filled = (0..).take(fields.count()).filter(|column| !fields.get(record, *column).trim_ascii().is_empty());
        let has_digit = |slot: usize| self.field(record, fields, slot).iter().any(u8::is_ascii_digit);
        fits && filled.count() >= 3 && (slot::SETUP..slot::DURATION).any(has_digit)
    }

    /// Of several ways to write times the one that all (or most) of the first records have.
    fn choose_format(&mut self, records: &[&[u8]], fields: &mut Fields) -> Result<(), FileError> {
        let mut texts: Vec<&[u8]> = Vec::new();
        for record in records {
            if self.split(record, fields).is_ok() {
                let text = self.field(record, fields, slot::SETUP);
                texts.extend((!text.is_empty()).then_some(text));
            }
        }
        let read = |pattern: &Pattern| -> Vec<Option<Stamp>> {
            let one = |text: &&[u8]| {
                let mut parts = Parts::default();
                pattern
                    .read(text, &mut parts)
                    .and_then(|()| parts.stamp(false, |_, _| None, || None, &mut LastDay::default()))
                    .ok()
                    .flatten()
            };
            texts.iter().map(one).collect()
        };
        let ways: Vec<(&Pattern, Vec<Option<Stamp>>)> = std::iter::once(&self.template.setup.whole)
            .chain(&self.template.alternatives)
            .map(|pattern| (pattern, read(pattern)))
            .collect();
        let count = |stamps: &[Option<Stamp>]| stamps.iter().flatten().count();
        let most = ways.iter().map(|(_, stamps)| count(stamps)).max().unwrap_or(0);
        let mut best = ways.iter().filter(|(_, stamps)| count(stamps) == most);
        let Some((pattern, stamps)) = best.next() else { return Ok(()) };
        if most > 0 && best.any(|(_, others)| others != stamps) {
            return Err(FileError::Unreadable {
                what: "does not show whether day or month comes first in its dates".into(),
                help: "have the switch write dates as YYYY-MM-DD, or read the file by a template with one time format"
                    .into(),
            });
        }
        let pattern = (*pattern).clone();
        let template = Arc::make_mut(&mut self.template);
        let first = template.setup.whole.clone();
        for moment in [&mut template.setup, &mut template.answer, &mut template.end] {
            if moment.whole == first {
                moment.whole = pattern.clone();
            }
        }
        Ok(())
    }

    /// The names in a header line.
    pub(super) fn names(&self, line: &[u8], fields: &mut Fields) -> Vec<Name> {
        if self.split(line, fields).is_err() {
            return Vec::new();
        }
        let count = u16::try_from(fields.count()).unwrap_or(u16::MAX);
        (0..count).map(|column| Name::new("", fields.get(line, column))).collect()
    }
}

/// What a file's first lines lack to be read by a template; empty if it can be. For formats that have several.
pub(in crate::cdr) fn lacks(template: &Arc<Template>, head: Head<'_>) -> Vec<String> {
    let mut engine = Engine {
        template: Arc::clone(template),
        framing: Framing::default(),
        columns: Vec::new(),
        ranges: Vec::new(),
        is_fixed: template.kind == Kind::Fixed,
        present: Vec::new(),
        asked: Vec::new(),
        width: None,
        has_header: false,
        header: Box::default(),
        trailing: false,
        mask: DateMask::default(),
        named: None,
        year: None,
        minutes_only: false,
    };
    let mut fields = Fields::new();
    let delimiter = match template.kind {
        Kind::Delimited { delimiter, .. } => delimiter,
        Kind::Fixed => b',',
    };
    let mut best: Option<Vec<String>> = None;
    for record in head.records(head.quoted(delimiter)).take(PREAMBLE) {
        let names = engine.names(record, &mut fields);
        engine.columns = template.places(&names);
        let missing = template.missing(&engine.columns);
        if best.as_ref().is_none_or(|best| missing.len() < best.len()) {
            best = Some(missing);
        }
    }
    best.unwrap_or_else(|| template.missing(&template.places(&[])))
}

impl Template {
    /// Where the fields of fixed positions are, in the order of their columns: from, and behind the last byte.
    fn ranges(&self) -> Vec<(usize, usize)> {
        let range = |spec: &Spec| if let Spec::Range(from, until) = *spec { Some((from, until)) } else { None };
        self.specs.iter().filter_map(range).collect()
    }

    /// The column of each slot in a file whose columns have these names.
    pub(super) fn places(&self, names: &[Name]) -> Vec<u16> {
        let mut ranges = 0_u16;
        let place = |index: usize| u16::try_from(index).unwrap_or(NO_COLUMN);
        self.specs
            .iter()
            .map(|spec| match spec {
                Spec::Nowhere => NO_COLUMN,
                Spec::Position(column) => *column,
                Spec::Range(..) => {
                    ranges += 1;
                    ranges - 1
                }
                Spec::Names(spellings) => {
                    // A name that fits in full goes before one that fits but for what stands in brackets.
                    let find = |same: fn(&Name, &Name) -> bool| {
                        spellings.iter().find_map(|spelling| names.iter().position(|name| same(spelling, name)))
                    };
                    find(|one, other| !one.full.is_empty() && one.full == other.full)
                        .or_else(|| find(|one, other| !one.bare.is_empty() && one.bare == other.bare))
                        .map_or(NO_COLUMN, place)
                }
            })
            .collect()
    }

    /// What the columns must tell and do not, as the template names them.
    pub(super) fn missing(&self, columns: &[u16]) -> Vec<String> {
        let written = |slot: usize| match self.specs.get(slot) {
            Some(Spec::Names(names)) => {
                let first = names.first().map_or("", |name| name.text.as_str());
                format!("`{first}` ({})", FIELDS.get(slot).copied().unwrap_or("for its rules"))
            }
            _ => String::new(),
        };
        let is_missing = |slot: &usize| {
            matches!(self.specs.get(*slot), Some(Spec::Names(_))) && columns.get(*slot) == Some(&NO_COLUMN)
        };
        self.needed().into_iter().filter(is_missing).map(written).collect()
    }

    /// The slots without which no record can be read, or would be taken for what it is not.
    fn needed(&self) -> Vec<usize> {
        let is_there = |slot: &usize| self.specs.get(*slot).is_some_and(|spec| *spec != Spec::Nowhere);
        let mut needed: Vec<usize> = vec![slot::DIALLED];
        let setup = [slot::SETUP, slot::SETUP + 1, slot::SETUP + 2];
        if setup.iter().any(is_there) {
            needed.extend(setup);
        } else {
            needed.extend([slot::END, slot::END + 1, slot::END + 2]);
        }
        needed.push(slot::TALK);
        needed.extend(self.answered_when.slots());
        needed.extend(self.unanswered_when.slots());
        needed.extend(self.directions.iter().flat_map(|(rule, _)| rule.slots()));
        needed.extend(&self.parts.group);
        needed.retain(is_there);
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    fn moments(&self) -> [(&Moment, usize); 3] {
        [(&self.setup, slot::SETUP), (&self.answer, slot::ANSWER), (&self.end, slot::END)]
    }

    /// Each pattern that is in use.
    fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let used = |slot: usize| self.specs.get(slot).is_some_and(|spec| *spec != Spec::Nowhere);
        self.moments()
            .into_iter()
            .flat_map(|(moment, first)| [(&moment.whole, first), (&moment.date, first + 1), (&moment.time, first + 2)])
            .filter(move |(_, slot)| used(*slot))
            .map(|(pattern, _)| pattern)
    }

    /// Whether dates have no year.
    fn needs_year(&self) -> bool {
        self.patterns().chain(&self.date_record).any(|pattern| pattern.has_date() && !pattern.has_year())
    }

    fn lacks_seconds(&self) -> bool {
        self.patterns().filter(|pattern| pattern.has_time()).all(Pattern::lacks_seconds)
    }
}
