//! Kazoo's CSV: a header, and values joined by commas without a quote anywhere.
//!
//! `rfc_1036` (`Mon, 06 Jul 2026 09:00:00 GMT`) has a comma of its own, so a row has one field more than the header has
//! names; and callers' names may add more. The weekday is looked for, and columns are counted from it, from the beginning of
//! the row and from its end.

use memchr::memchr;

use super::super::fields::{Fields, NO_COLUMN, Reading as Quotes, Shape};
use super::super::reader::FileError;
use super::super::records::{Framing, LineEnd};
use super::super::switch::{Head, Scratch, Sign, Switch};
use super::super::{Cdr, Fault, RejectReason};
use super::{LegFields, Places};
use crate::source::RecordId;

/// The columns of the API's current version; resellers get two more.
const COLUMNS: &str = "id,call_id,caller_id_number,caller_id_name,callee_id_number,callee_id_name,duration_seconds,billing_seconds,\
                       timestamp,hangup_cause,other_leg_call_id,owner_id,to,from,direction,request,authorizing_id,cost,dialed_number,\
                       calling_from,datetime,unix_timestamp,unix_timestamp_micro,rfc_1036,iso_8601,iso_8601_combined,call_type,rate,\
                       rate_name,bridge_id,recording_url,media_recordings,media_server,call_priority,interaction_id";
const FOR_RESELLERS: &str = "reseller_cost,reseller_call_type";

const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    call_id: u16,
    caller: u16,
    caller_name: u16,
    callee: u16,
    callee_name: u16,
    duration: u16,
    billing: u16,
    timestamp: u16,
    other_leg: u16,
    owner: u16,
    to: u16,
    from: u16,
    direction: u16,
    request: u16,
    authorizing: u16,
    dialled: u16,
    weekday: u16,
    interaction: u16,
    width: usize,
}

impl Columns {
    fn from_names<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Self {
        let no = NO_COLUMN;
        let mut columns = Self {
            call_id: no,
            caller: no,
            caller_name: no,
            callee: no,
            callee_name: no,
            duration: no,
            billing: no,
            timestamp: no,
            other_leg: no,
            owner: no,
            to: no,
            from: no,
            direction: no,
            request: no,
            authorizing: no,
            dialled: no,
            weekday: no,
            interaction: no,
            width: 0,
        };
        for name in names {
            let position = u16::try_from(columns.width).unwrap_or(NO_COLUMN);
            columns.width += 1;
            *match name {
                b"call_id" => &mut columns.call_id,
                b"caller_id_number" => &mut columns.caller,
                b"caller_id_name" => &mut columns.caller_name,
                b"callee_id_number" => &mut columns.callee,
                b"callee_id_name" => &mut columns.callee_name,
                b"duration_seconds" => &mut columns.duration,
                b"billing_seconds" => &mut columns.billing,
                b"timestamp" => &mut columns.timestamp,
                b"other_leg_call_id" => &mut columns.other_leg,
                b"owner_id" => &mut columns.owner,
                b"to" => &mut columns.to,
                b"from" => &mut columns.from,
                b"direction" => &mut columns.direction,
                b"request" => &mut columns.request,
                b"authorizing_id" => &mut columns.authorizing,
                b"dialed_number" => &mut columns.dialled,
                b"rfc_1036" => &mut columns.weekday,
                b"interaction_id" => &mut columns.interaction,
                _ => continue,
            } = position;
        }
        columns
    }

    /// The first column without which no record can be read that is missing, if any.
    fn missing(&self) -> Option<&'static str> {
        let dialled = self.dialled.min(self.request).min(self.to);
        [
            (self.call_id, "call_id"),
            (self.direction, "direction"),
            (self.timestamp, "timestamp"),
            (self.duration, "duration_seconds"),
            (self.billing, "billing_seconds"),
            (dialled, "dialed_number"),
        ]
        .into_iter()
        .find_map(|(column, name)| (column == NO_COLUMN).then_some(name))
    }
}

/// How far the columns of one row are off those of the header.
#[derive(Clone, Copy)]
struct Shift {
    /// Columns up to these are where the header has them: the first of the names.
    names_from: u16,
    /// Behind the names, up to the weekday.
    middle: u16,
    /// From behind the weekday to the end of the row.
    tail: u16,
}

/// Reads the rows of one file.
#[derive(Debug)]
pub(super) struct Csv {
    layout: &'static str,
    columns: Columns,
    line_end: LineEnd,
}

impl Csv {
    /// Also says how many lines are a header.
    pub(super) fn open(head: Head<'_>, layout: Option<&str>) -> Result<(Self, usize), FileError> {
        let mut scratch = Scratch::new();
        let new = |layout, columns| Self { layout, columns, line_end: head.line_end };
        let first = head.lines().next().unwrap_or_default();
        if is_header(first) {
            let columns = Columns::from_names(first.split(|byte| *byte == b','));
            return match columns.missing() {
                Some(column) => Err(FileError::ColumnMissing { column }),
                None => Ok((new("csv", columns), 1)),
            };
        }
        // The second and later pages of an answer have no header.
        let names = [("csv", COLUMNS.to_owned()), ("csv_reseller", format!("{COLUMNS},{FOR_RESELLERS}"))];
        let readers = names
            .into_iter()
            .filter(|(name, _)| layout.is_none_or(|layout| layout == *name))
            .map(|(name, columns)| new(name, Columns::from_names(columns.split(',').map(str::as_bytes))));
        let mut best: Option<(Self, usize)> = None;
        for csv in readers {
            let read = head.lines().take(50).filter(|line| csv.fits(line, &mut scratch)).count();
            if best.as_ref().is_none_or(|(_, most)| read > *most) && (read > 0 || layout.is_some()) {
                best = Some((csv, read));
            }
        }
        let columns = first.split(|byte| *byte == b',').count();
        best.map(|(csv, _)| (csv, 0)).ok_or(FileError::UnknownLayout { columns })
    }

    fn fits(&self, line: &[u8], scratch: &mut Scratch) -> bool {
        let Some(id) = RecordId::new(0, 0) else { return false };
        let mut cdr = Cdr::blank(id, line);
        self.parse((id, line), line, scratch, &mut cdr).is_ok()
            && matches!(cdr.key[2], b"inbound" | b"outbound")
            && is_interaction(cdr.key[1])
    }

    /// Splits a row and finds out how far its columns are off.
    fn split(&self, text: &[u8], fields: &mut Fields) -> Result<Shift, Fault> {
        let width = self.columns.width;
        let names_from = self.columns.caller_name.min(self.columns.callee_name);
        if memchr(b'"', text).is_some() {
            // A spreadsheet has quoted what Kazoo does not; else a quote is a letter like any other.
            let shape = fields.split(text, Quotes::FirstQuoteCloses).map_err(Fault::record)?;
            if shape == Shape::Regular && fields.count() == width {
                return Ok(Shift { names_from, middle: 0, tail: 0 });
            }
        }
        fields.split_bare(text, b',').map_err(Fault::record)?;
        let extra = fields.count().checked_sub(width).ok_or(Fault::record(RejectReason::ColumnCount))?;
        let tail = u16::try_from(extra).map_err(|_| Fault::record(RejectReason::TooManyColumns))?;
        let middle = match self.columns.weekday {
            // Nothing tells where a comma too many stands, except that names have them.
            NO_COLUMN => tail,
            weekday => (0..=tail)
                .find(|middle| {
                    let day = weekday.saturating_add(*middle);
                    WEEKDAYS.contains(&fields.get(text, day))
                        && fields.get(text, day.saturating_add(1)).starts_with(b" ")
                })
                .ok_or(Fault::record(RejectReason::ColumnCount))?,
        };
        if middle > 0 && names_from == NO_COLUMN {
            return Err(Fault::record(RejectReason::ColumnCount));
        }
        Ok(Shift { names_from, middle, tail })
    }

    /// Where a column of the header is in a row.
    const fn place(&self, column: u16, shift: Shift) -> u16 {
        if column == NO_COLUMN || column < shift.names_from {
            column
        } else if column <= self.columns.weekday || self.columns.weekday == NO_COLUMN {
            column.saturating_add(shift.middle)
        } else {
            column.saturating_add(shift.tail)
        }
    }

    /// The called party's number, which stands between the two names: with a comma in either, the one text there that
    /// is a number.
    fn callee<'a>(&self, text: &'a [u8], fields: &Fields, shift: Shift) -> &'a [u8] {
        let columns = &self.columns;
        if columns.callee < shift.names_from || columns.callee > columns.caller_name.max(columns.callee_name) {
            return fields.get(text, self.place(columns.callee, shift));
        }
        let mut numbers = (columns.callee..=columns.callee.saturating_add(shift.middle))
            .map(|column| fields.get(text, column))
            .filter(|text| shift.middle == 0 || is_number(text));
        match (numbers.next(), numbers.next()) {
            (Some(number), None) => number,
            _ => b"",
        }
    }
}

fn is_number(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) && text.iter().all(|byte| byte.is_ascii_digit() || b"+*#".contains(byte))
}

/// Whether a text is the id of an interaction: Gregorian seconds, and more behind a dash.
fn is_interaction(text: &[u8]) -> bool {
    text.get(11) == Some(&b'-') && text.iter().take(11).all(u8::is_ascii_digit)
}

/// Whether a line names Kazoo's columns.
fn is_header(line: &[u8]) -> bool {
    let has = |name: &[u8]| line.split(|byte| *byte == b',').any(|column| column == name);
    has(b"call_id") && has(b"billing_seconds") && has(b"direction")
}

impl Switch for Csv {
    fn layout_name(&self) -> &str {
        self.layout
    }

    fn framing(&self) -> Framing {
        Framing::Lines(self.line_end)
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let fields = &mut scratch.fields;
        let shift = self.split(text, fields)?;
        let columns = &self.columns;
        let field = |column: u16| fields.get(text, self.place(column, shift));
        let leg = LegFields {
            call_id: field(columns.call_id),
            interaction: field(columns.interaction),
            other_leg: field(columns.other_leg),
            direction: field(columns.direction),
            caller: field(columns.caller),
            callee: self.callee(text, fields, shift),
            dialled: field(columns.dialled),
            request: field(columns.request),
            to: field(columns.to),
            from: field(columns.from),
            timestamp: field(columns.timestamp),
            duration: field(columns.duration),
            billing: field(columns.billing),
            authorizing: field(columns.authorizing),
            owner: field(columns.owner),
            account: b"",
            ends_at: false,
        };
        if !matches!(leg.direction, b"inbound" | b"outbound") {
            return Err(Fault::column(RejectReason::DispositionUnknown, self.place(columns.direction, shift)));
        }
        let places = Places {
            timestamp: self.place(columns.timestamp, shift),
            duration: self.place(columns.duration, shift),
            billing: self.place(columns.billing, shift),
        };
        leg.into_cdr((id, raw), text, places, cdr)
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        self.split(text, &mut scratch.fields).is_ok().then_some(self.columns.width)
    }

    fn is_same_header(&self, text: &[u8], _: &mut Scratch) -> Option<bool> {
        is_header(text).then(|| Columns::from_names(text.split(|byte| *byte == b',')) == self.columns)
    }
}

/// Whether the beginning of a file looks like Kazoo's CSV.
pub(super) fn recognise(head: Head<'_>) -> Option<Sign> {
    let first = head.lines().next()?;
    if is_header(first) {
        return Some(Sign::new(
            "csv",
            95,
            "the first line names Kazoo's columns: `call_id`, `billing_seconds`, `direction`",
        ));
    }
    let (csv, _) = Csv::open(head, None).ok()?;
    Some(Sign::new(csv.layout, 85, "times, seconds and directions stand where Kazoo's CSV has them"))
}
