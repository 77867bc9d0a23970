//! Reading the records of a file by a template.

use std::sync::Arc;

use memchr::memchr2;

use super::clock::{self, Day, Parts, Pattern};
use super::rules::Rule;
use super::{FIELDS, Header, Kind, Moment, Name, Quoting, Spec, Template, slot};
use crate::cdr::fields::{Fields, NO_COLUMN, Reading, Separator, Shape};
use crate::cdr::reader::{FileError, Notes, Options};
use crate::cdr::records::{DateMask, Framing};
use crate::cdr::switch::{Head, Opened, Scratch, Switch};
use crate::cdr::times::{integer, may_follow};
use crate::cdr::{Cdr, End, Fault, Frame, NotACall, Part, PartRole, RejectReason, Stamp};
use crate::source::RecordId;
use crate::time::{Date, Duration};

/// A template brought together with a file.
#[derive(Debug)]
pub(super) struct Engine {
    template: Arc<Template>,
    framing: Framing,
    /// Column of each slot; [`NO_COLUMN`] where there is none.
    columns: Vec<u16>,
    /// Fewest and most columns, or bytes of a line.
    width: Option<(usize, usize)>,
    has_header: bool,
    /// The header line, which must not be taken for a record that is no call.
    header: Box<[u8]>,
    /// Whether every record has an empty column behind the last.
    trailing: bool,
    mask: DateMask,
    /// What the file's name says of its dates.
    named: Option<Date>,
    /// The year that the project names.
    year: Option<i32>,
    minutes_only: bool,
}

/// How many records at the beginning are looked at for the header.
const PREAMBLE: usize = 20;

impl Engine {
    pub(super) fn open(template: &Arc<Template>, head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
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
                pattern.read(text, &mut parts).and_then(|()| parts.stamp(false, |_, _| None, None)).ok().flatten()
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
    fn names(&self, line: &[u8], fields: &mut Fields) -> Vec<Name> {
        if self.split(line, fields).is_err() {
            return Vec::new();
        }
        let count = u16::try_from(fields.count()).unwrap_or(u16::MAX);
        (0..count).map(|column| Name::new("", fields.get(line, column))).collect()
    }

    /// Finds the fields of a record.
    #[inline]
    fn split(&self, text: &[u8], fields: &mut Fields) -> Result<(), Fault> {
        match self.template.kind {
            Kind::Fixed => {
                fields.clear();
                for spec in &self.template.specs {
                    if let Spec::Range(from, until) = *spec {
                        let until = until.min(text.len());
                        fields.push(from.min(until), until).map_err(Fault::record)?;
                    }
                }
                Ok(())
            }
            Kind::Delimited { delimiter, blank: false, quoting: Quoting::Rfc4180 } => {
                let shape = fields.split_at(text, delimiter, Reading::FirstQuoteCloses).map_err(Fault::record)?;
                if shape == Shape::Regular { Ok(()) } else { self.split_irregular(text, delimiter, fields, shape) }
            }
            Kind::Delimited { delimiter, blank: true, quoting: Quoting::Rfc4180 } => {
                split_with_blanks(text, delimiter, fields)
            }
            Kind::Delimited { delimiter, quoting: Quoting::Backslash, .. } => split_escaped(text, delimiter, fields),
            Kind::Delimited { delimiter, quoting: Quoting::None, .. } => {
                fields.split_bare(text, delimiter).map_err(Fault::record)
            }
        }
    }

    /// Of a record with stray quotes the first reading counts that gives a number of columns the file has.
    #[cold]
    fn split_irregular(&self, text: &[u8], delimiter: u8, fields: &mut Fields, first: Shape) -> Result<(), Fault> {
        let mut shape = first;
        for reading in Reading::ALL {
            if reading != Reading::FirstQuoteCloses {
                shape = fields.split_at(text, delimiter, reading).map_err(Fault::record)?;
            }
            let fits = self.width.is_some_and(|(least, most)| (least..=most).contains(&fields.count()));
            if shape != Shape::Open && (fits || self.width.is_none()) {
                return Ok(());
            }
        }
        Err(Fault::record(if first == Shape::Open { RejectReason::QuoteNotClosed } else { RejectReason::ColumnCount }))
    }

    fn column(&self, slot: usize) -> u16 {
        self.columns.get(slot).copied().unwrap_or(NO_COLUMN)
    }

    fn fault(&self, reason: RejectReason, slot: usize) -> Fault {
        match (self.template.specs.get(slot), self.column(slot)) {
            (_, NO_COLUMN) => Fault::record(reason),
            (Some(Spec::Range(from, _)), _) => Fault::column(reason, u16::try_from(*from).unwrap_or(NO_COLUMN)),
            (_, column) => Fault::column(reason, column),
        }
    }

    /// What a field says, without blanks around it.
    #[inline]
    fn field<'t>(&self, text: &'t [u8], fields: &Fields, slot: usize) -> &'t [u8] {
        match self.column(slot) {
            NO_COLUMN => &[],
            column => trimmed(fields.get(text, column)),
        }
    }

    /// What a field says, with blanks around it where positions are fixed: they may stand for zeros.
    #[inline]
    fn padded<'t>(&self, text: &'t [u8], fields: &Fields, slot: usize) -> &'t [u8] {
        let field = fields.get(text, self.column(slot));
        if self.template.kind == Kind::Fixed { field } else { trimmed(field) }
    }

    /// Whether the record has a number of columns, or of bytes, that the file's records have.
    #[inline]
    fn has_width(&self, text: &[u8], fields: &Fields) -> bool {
        let Some((least, most)) = self.width else { return true };
        if self.template.kind == Kind::Fixed {
            return (least..=most).contains(&text.len());
        }
        let count = fields.count();
        // A comma too many in a text moves what stands behind it: an empty column at the end is passed over only where every record
        // has one.
        (least..=most).contains(&count) || (self.trailing && count == most + 1)
    }

    /// The year of a day of the year: the one that the project names; else, by the file's name, that of the nearest such day.
    fn year_of(&self, month: i64, day: i64) -> Option<i64> {
        if let Some(year) = self.year {
            return Some(i64::from(year));
        }
        let named = self.named?;
        let (year, _, _) = named.civil();
        let year = i64::from(year);
        [year - 1, year, year + 1]
            .into_iter()
            .filter_map(|year| {
                let date = Day { year, month, day }.date()?;
                Some(((i64::from(date.days()) - i64::from(named.days())).abs(), year))
            })
            .min()
            .map(|(_, year)| year)
    }

    /// A time of the call; `first` is its slot, behind which those of its date and its time stand.
    fn moment(
        &self,
        (moment, first): (&Moment, usize),
        text: &[u8],
        fields: &Fields,
        day: Option<Day>,
    ) -> Result<(Option<Stamp>, Parts), Fault> {
        let mut parts = Parts::default();
        let mut is_there = false;
        for (slot, pattern) in [(first, &moment.whole), (first + 1, &moment.date), (first + 2, &moment.time)] {
            if self.column(slot) == NO_COLUMN {
                continue;
            }
            let written = self.padded(text, fields, slot);
            if !written.trim_ascii().is_empty() {
                pattern.read(written, &mut parts).map_err(|reason| self.fault(reason, slot))?;
                is_there = true;
            }
        }
        if !is_there {
            return Ok((None, parts));
        }
        let at =
            [first, first + 1, first + 2].into_iter().find(|slot| self.column(*slot) != NO_COLUMN).unwrap_or(first);
        let stamp = parts
            .stamp(self.template.utc, |month, day| self.year_of(month, day), day)
            .map_err(|reason| self.fault(reason, at))?;
        Ok((stamp, parts))
    }

    /// A duration; `None` if there is none.
    fn length(&self, slot: usize, text: &[u8], fields: &Fields) -> Result<Option<Duration>, Fault> {
        if self.column(slot) == NO_COLUMN {
            return Ok(None);
        }
        let written = self.field(text, fields, slot);
        let template = &*self.template;
        if template.unset.iter().any(|unset| unset == written) {
            return Ok(None);
        }
        let length = match slot {
            slot::TALK => &template.talk,
            slot::RING => &template.ring,
            _ => &template.duration,
        };
        length.read(self.padded(text, fields, slot)).map_err(|reason| self.fault(reason, slot))
    }

    /// The day that a date record names.
    #[cold]
    fn date_record<'a>(
        &self,
        id: RecordId,
        raw: &'a [u8],
        text: &[u8],
        scratch: &mut Scratch,
    ) -> Result<Cdr<'a>, Fault> {
        let mut parts = Parts::default();
        let malformed = Fault::record(RejectReason::TimeMalformed);
        let pattern = self.template.date_record.as_ref().ok_or(malformed)?;
        pattern.read(text.trim_ascii(), &mut parts).map_err(Fault::record)?;
        let (year, month_day) = parts.date();
        let (month, day) = month_day.ok_or(malformed)?;
        let year = match year {
            Some(year) => year,
            None => self.year_of(month, day).ok_or(malformed)?,
        };
        let day = Day { year, month, day };
        day.date().ok_or(malformed)?;
        scratch.day = Some((day, parts.second_of_day().unwrap_or(0)));
        Ok(Cdr { kind: crate::cdr::Kind::NotACall(NotACall::Marker), ..Cdr::blank(id, raw) })
    }

    /// The part that a record is of its call.
    fn kind<'a>(&self, field: impl Fn(usize) -> &'a [u8] + Copy) -> crate::cdr::Kind<'a> {
        let parts = &self.template.parts;
        let holds = |rule: &Rule| rule.holds(field);
        let number = || integer(field(slot::SEQUENCE)).and_then(|number| u8::try_from(number).ok()).unwrap_or(0);
        let role = match () {
            () if parts.group.is_empty() => None,
            () if parts.revision => Some(PartRole::Revision),
            () if holds(&parts.interim_when) => Some(PartRole::Interim),
            () if holds(&parts.final_when) => Some(PartRole::Final),
            () if holds(&parts.more_when) => Some(PartRole::Segment { number: number(), more: true }),
            () if holds(&parts.last_when) => Some(PartRole::Segment { number: number(), more: false }),
            () => parts
                .legs
                .iter()
                .position(holds)
                .and_then(|rank| u8::try_from(rank).ok())
                .map(|rank| PartRole::Leg { rank }),
        };
        let of = |index: usize| parts.group.get(index).map_or(&[][..], |slot| field(*slot));
        match role {
            // What names no call stands alone.
            Some(role) if parts.group.iter().any(|slot| !field(*slot).is_empty()) => {
                crate::cdr::Kind::Part(Part { group: [of(0), of(1), of(2)], role })
            }
            _ => crate::cdr::Kind::Call,
        }
    }
}

/// What a file's first lines lack to be read by a template; empty if it can be. For formats that have several.
pub(in crate::cdr) fn lacks(template: &Arc<Template>, head: Head<'_>) -> Vec<String> {
    let mut engine = Engine {
        template: Arc::clone(template),
        framing: Framing::default(),
        columns: Vec::new(),
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
    /// The column of each slot in a file whose columns have these names.
    fn places(&self, names: &[Name]) -> Vec<u16> {
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
    fn missing(&self, columns: &[u16]) -> Vec<String> {
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

impl Switch for Engine {
    fn layout_name(&self) -> &str {
        &self.template.name
    }

    fn framing(&self) -> Framing {
        self.framing
    }

    fn separator(&self) -> Option<Separator> {
        match self.template.kind {
            Kind::Delimited { delimiter, quoting: Quoting::None, .. } => Some(Separator::Bare(delimiter)),
            _ => None,
        }
    }

    fn parse<'a>(
        &'a self,
        id: RecordId,
        raw: &'a [u8],
        text: &'a [u8],
        scratch: &mut Scratch,
    ) -> Result<Cdr<'a>, Fault> {
        let template = &*self.template;
        if !self.mask.is_empty() && self.mask.fits(text) {
            return self.date_record(id, raw, text, scratch);
        }
        if self.has_header && *self.header == *text {
            return Err(Fault::record(RejectReason::Malformed));
        }
        self.split(text, &mut scratch.fields)?;
        let fields = &scratch.fields;
        let field = |slot: usize| self.field(text, fields, slot);
        let not_a_call = |why: NotACall| Ok(Cdr { kind: crate::cdr::Kind::NotACall(why), ..Cdr::blank(id, raw) });
        let is_end = template.end_when.holds(field);
        if is_end || template.begin_when.holds(field) {
            let records = template
                .count
                .filter(|_| is_end)
                .and_then(|slot| integer(field(slot)))
                .and_then(|count| u64::try_from(count).ok());
            let frame = Some(Frame { end: is_end, records });
            let kind = crate::cdr::Kind::NotACall(NotACall::Marker);
            return Ok(Cdr { frame, kind, ..Cdr::blank(id, raw) });
        }
        if template.marker_when.holds(field) {
            return not_a_call(NotACall::Marker);
        }
        if template.skip_when.holds(field) {
            return not_a_call(NotACall::Omitted);
        }
        if !self.has_width(text, fields) {
            let is_fixed = template.kind == Kind::Fixed;
            return Err(Fault::record(if is_fixed { RejectReason::Malformed } else { RejectReason::ColumnCount }));
        }
        let is_other = !template.voice_when.is_empty() && !template.voice_when.holds(field);
        if is_other || template.not_voice_when.holds(field) {
            return not_a_call(NotACall::NotVoice);
        }

        let of_record = scratch.day;
        let (mut setup, setup_parts) =
            self.moment((&template.setup, slot::SETUP), text, fields, of_record.map(|(day, _)| day))?;
        let day_of_call = match setup {
            Some(Stamp::Local(local)) => Some(Day::of(local.date())),
            _ => of_record.map(|(day, _)| day),
        };
        let (mut answer, answer_parts) = self.moment((&template.answer, slot::ANSWER), text, fields, day_of_call)?;
        let (mut end, end_parts) = self.moment((&template.end, slot::END), text, fields, day_of_call)?;
        if let Some(setup) = setup {
            answer = answer.map(|answer| after(setup, answer, &answer_parts));
            end = end.map(|end| after(setup, end, &end_parts));
        }
        if setup.is_none() && end.is_none() && answer.is_none() {
            let slot = if self.column(slot::SETUP) == NO_COLUMN { slot::SETUP + 1 } else { slot::SETUP };
            return Err(self.fault(RejectReason::FieldMissing, slot));
        }

        let duration = self.length(slot::DURATION, text, fields)?;
        let ring = self.length(slot::RING, text, fields)?;
        let told_talk = match self.length(slot::TALK, text, fields)? {
            Some(talk) => Some(talk),
            None if self.column(slot::TALK) != NO_COLUMN => None,
            None => match (duration, ring, answer, end) {
                (Some(duration), Some(ring), _, _) => Some(less(duration, ring)),
                (_, _, Some(answer), Some(end)) => Some(between(answer, end)),
                _ => None,
            },
        };
        let is_answered = self.is_answered(field, answer.is_some())?;
        let talk = match told_talk {
            Some(talk) => talk,
            None if !is_answered || !template.unset.is_empty() => Duration::ZERO,
            None if self.column(slot::TALK) == NO_COLUMN && answer.is_none() => Duration::ZERO,
            None => return Err(self.fault(RejectReason::FieldMissing, slot::TALK)),
        };
        if let (Some(start), Some(end)) = (setup, end)
            && !may_follow(start, end, duration)
        {
            return Err(self.fault(RejectReason::EndBeforeStart, slot::END));
        }
        if let Some((day, latest)) = of_record {
            let length = duration.unwrap_or(talk);
            if setup_parts.is_time_alone() {
                // Records are printed when calls end: one that ends on the date record's day and lasts over midnight began the day
                // before.
                let start = setup_parts.second_of_day().unwrap_or(0);
                if start * 1_000 + length.as_millis() >= 86_400_000 {
                    setup = setup.map(|setup| clock::days_later(setup, -1));
                    answer = answer.map(|answer| clock::days_later(answer, -1));
                }
            } else if end_parts.is_time_alone() {
                // Ends come in order: half a day backwards is the next day, where no date record says so.
                let at = end_parts.second_of_day().unwrap_or(0);
                if latest - at > 43_200
                    && let Some(next) = day.date().map(|date| Day::of(date.tomorrow()))
                {
                    scratch.day = Some((next, at));
                    end = end.map(|end| clock::days_later(end, 1));
                } else {
                    scratch.day = Some((day, latest.max(at)));
                }
            }
        }

        let fields = &scratch.fields;
        let field = |slot: usize| self.field(text, fields, slot);
        let number = |slot: usize| number_in(self.field(text, fields, slot));
        let direction = template
            .directions
            .iter()
            .find_map(|(rule, direction)| rule.holds(field).then_some(*direction))
            .or(template.otherwise);
        let is_swapped = direction.is_some_and(|direction| template.swapped.contains(&direction));
        let (from, to) = if is_swapped { (slot::DIALLED, slot::CALLING) } else { (slot::CALLING, slot::DIALLED) };
        let currency = field(slot::CURRENCY);
        let charge = field(slot::CHARGE);
        let call_id = field(slot::ID);
        Ok(Cdr {
            call_id: if call_id.is_empty() { field(slot::CALL_ID) } else { call_id },
            key: self.key(text, fields, scratch.day.map(|(day, _)| day)),
            setup,
            answer,
            end,
            duration,
            talk,
            answered: is_answered && talk > Duration::ZERO,
            calling: number(from),
            peer: number(slot::EXTENSION),
            dialled: number(to),
            reached: number(slot::REACHED),
            outpulsed: number(slot::OUTPULSED),
            forwarder: number(slot::FORWARDER),
            account: field(slot::ACCOUNT),
            context: field(slot::CONTEXT),
            ingress: field(slot::TRUNK_IN),
            egress: field(slot::TRUNK_OUT),
            ends: direction.map_or([End::Untold; 2], super::Direction::ends),
            carrier_price: charge,
            carrier_currency: match (charge, currency) {
                ([], _) => &[],
                (_, []) => template.currency.as_bytes(),
                (_, currency) => currency,
            },
            kind: self.kind(field),
            ..Cdr::blank(id, raw)
        })
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        if self.template.kind == Kind::Fixed || self.split(text, &mut scratch.fields).is_err() {
            return None;
        }
        let fields = &scratch.fields;
        let field = |slot: usize| self.field(text, fields, slot);
        let template = &*self.template;
        let is_marker = [&template.begin_when, &template.end_when, &template.marker_when, &template.skip_when]
            .into_iter()
            .any(|rule| rule.holds(field));
        (!is_marker && self.has_width(text, fields)).then(|| self.width.map_or(fields.count(), |(least, _)| least))
    }

    fn is_same_header(&self, text: &[u8], scratch: &mut Scratch) -> Option<bool> {
        if self.template.header == Header::None {
            return None;
        }
        let names = self.names(text, &mut scratch.fields);
        let columns = self.template.places(&names);
        self.template.missing(&columns).is_empty().then_some(columns == self.columns)
    }

    fn notes(&self) -> Notes {
        Notes { minutes_only: self.minutes_only, ..Notes::default() }
    }
}

impl Engine {
    /// Whether the record says that the call was answered; without a rule, by its answer time, if files have one.
    fn is_answered<'a>(&self, field: impl Fn(usize) -> &'a [u8] + Copy, has_answer: bool) -> Result<bool, Fault> {
        let template = &*self.template;
        if template.answered_when.is_empty() && template.unanswered_when.is_empty() {
            let answer_column = [slot::ANSWER, slot::ANSWER + 1, slot::ANSWER + 2];
            let tells = answer_column.into_iter().any(|slot| self.column(slot) != NO_COLUMN);
            return Ok(has_answer || !tells);
        }
        if template.answered_when.is_empty() {
            return Ok(!template.unanswered_when.holds(field));
        }
        let is_answered = template.answered_when.holds(field);
        if !is_answered && !template.unanswered_when.is_empty() && !template.unanswered_when.holds(field) {
            let slot = template.answered_when.slots().next().unwrap_or(slot::ID);
            return Err(self.fault(RejectReason::DispositionUnknown, slot));
        }
        Ok(is_answered)
    }

    /// What makes two records one: the fields that the template names, if the first of them is there; else the whole text.
    /// Under date records the day belongs to it.
    fn key<'a>(&self, text: &'a [u8], fields: &Fields, day: Option<Day>) -> [&'a [u8]; 6] {
        let field = |index: usize| self.template.key.get(index).map_or(&[][..], |slot| self.field(text, fields, *slot));
        if let Some(day) = day {
            return [
                text,
                YEARS.get(usize::try_from(day.year - 1990).unwrap_or(usize::MAX)).map_or(&[][..], |year| year),
                two(day.month),
                two(day.day),
                b"",
                b"",
            ];
        }
        if field(0).is_empty() {
            return [text, b"", b"", b"", b"", b""];
        }
        [field(0), field(1), field(2), field(3), field(4), field(5)]
    }
}

/// 1990 to 2089 in digits.
static YEARS: [[u8; 4]; 100] = {
    let mut years = [*b"1990"; 100];
    let mut index = 0;
    while index < 100 {
        let year = 1990 + index;
        years[index] = [
            b'0' + (year / 1000) as u8,
            b'0' + (year / 100 % 10) as u8,
            b'0' + (year / 10 % 10) as u8,
            b'0' + (year % 10) as u8,
        ];
        index += 1;
    }
    years
};

/// The last two digits of a month or day.
fn two(number: i64) -> &'static [u8] {
    let year = usize::try_from(number + 10).ok().and_then(|index| YEARS.get(index));
    year.and_then(|year| year.get(2..)).unwrap_or_default()
}

/// A time of day alone that lies before the set-up's is the next day's.
fn after(setup: Stamp, stamp: Stamp, parts: &Parts) -> Stamp {
    let is_before = match (setup, stamp) {
        (Stamp::Local(setup), Stamp::Local(stamp)) => setup.as_millis() - stamp.as_millis() > 3_600_000,
        (Stamp::Instant(setup), Stamp::Instant(stamp)) => setup.as_millis() - stamp.as_millis() > 1_000,
        _ => false,
    };
    if is_before && parts.is_time_alone() { clock::days_later(stamp, 1) } else { stamp }
}

/// Without blanks around it, which nearly never are there.
#[inline]
fn trimmed(text: &[u8]) -> &[u8] {
    match text {
        [] => text,
        [one] if !one.is_ascii_whitespace() => text,
        [first, .., last] if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() => text,
        _ => text.trim_ascii(),
    }
}

fn less(duration: Duration, ring: Duration) -> Duration {
    Duration::from_millis((duration.as_millis() - ring.as_millis()).max(0))
}

fn between(from: Stamp, until: Stamp) -> Duration {
    let millis = match (from, until) {
        (Stamp::Local(from), Stamp::Local(until)) => until.as_millis() - from.as_millis(),
        (Stamp::Instant(from), Stamp::Instant(until)) => until.since(from).as_millis(),
        _ => 0,
    };
    Duration::from_millis(millis.max(0))
}

/// The number in `Name<1001>`; any other text as it stands.
fn number_in(text: &[u8]) -> &[u8] {
    if let Some(inside) = text.strip_suffix(b">")
        && let Some(open) = inside.iter().rposition(|byte| *byte == b'<')
    {
        return inside.get(open + 1..).unwrap_or_default().trim_ascii();
    }
    text
}

/// Fields with blanks behind the delimiter, which may stand before a quote.
fn split_with_blanks(text: &[u8], delimiter: u8, fields: &mut Fields) -> Result<(), Fault> {
    fields.clear();
    let mut position = 0;
    loop {
        let rest = text.get(position..).unwrap_or_default();
        position += rest.len() - rest.trim_ascii_start().len();
        let rest = rest.trim_ascii_start();
        let quoted = match rest {
            [b'"', inside @ ..] => inside.iter().position(|byte| *byte == b'"').filter(|length| {
                let after = inside.get(length + 1..).unwrap_or_default().trim_ascii_start();
                after.first().is_none_or(|byte| *byte == delimiter)
            }),
            _ => None,
        };
        let (start, end, from) = match quoted {
            Some(length) => (position + 1, position + 1 + length, position + 2 + length),
            None => {
                let length = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                (position, position + length, position + length)
            }
        };
        fields.push(start, end).map_err(Fault::record)?;
        match text.get(from..).and_then(|rest| memchr::memchr(delimiter, rest)) {
            Some(next) => position = from + next + 1,
            None => return Ok(()),
        }
    }
}

/// Fields in which a backslash takes the meaning of the sign behind it.
fn split_escaped(text: &[u8], delimiter: u8, fields: &mut Fields) -> Result<(), Fault> {
    fields.clear();
    let (mut start, mut position) = (0, 0);
    loop {
        match text.get(position..).and_then(|rest| memchr2(delimiter, b'\\', rest)) {
            None => return fields.push(start, text.len()).map_err(Fault::record),
            Some(found) if text.get(position + found) == Some(&b'\\') => position += found + 2,
            Some(found) => {
                fields.push(start, position + found).map_err(Fault::record)?;
                position += found + 1;
                start = position;
            }
        }
    }
}
