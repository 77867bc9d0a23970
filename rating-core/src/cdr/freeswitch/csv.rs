//! The lines of `mod_cdr_csv`: a template decides what is in them, and values are put between quotes as they are.

use memchr::{memchr, memmem, memrchr};

use super::super::fields::{Fields, NO_COLUMN, Reading as Quotes, Shape};
use super::super::reader::{FileError, Notes, Options};
use super::super::records::Framing;
use super::super::switch::{Head, Scratch, Sign, Switch};
use super::super::times::{self, DateCache, LastDay, MAX_DURATION, Reading};
use super::super::{Cdr, End, Fault, Kind, Part, PartRole, RejectReason, Stamp};
use super::{bridged_to, is_uuid, number};
use crate::source::RecordId;
use crate::time::{Duration, LocalTime};

/// Wider templates are read, but a record of theirs whose quotes are broken is not mended.
const MENDED_COLUMNS: usize = 64;

/// What most templates begin with.
macro_rules! base {
    () => {
        "caller_id_name,caller_id_number,destination_number,context,start_stamp,answer_stamp,end_stamp,duration,billsec,\
         hangup_cause,uuid,bleg_uuid,accountcode"
    };
}

/// The templates as FreeSWITCH's documentation names them; what is not read is a `_`. `snom` had no codecs once.
const TEMPLATES: [(&str, &str); 8] = [
    ("example", concat!(base!(), ",_,_")),
    ("default", base!()),
    ("sql", base!()),
    ("snom", concat!(base!(), ",_,_,_,_,_,_,_")),
    ("snom", concat!(base!(), ",_,_,_,_,_")),
    ("linksys", concat!(base!(), ",_,_,_,_")),
    (
        "asterisk",
        "accountcode,caller_id_number,destination_number,context,caller_id,channel_name,bridge_channel,last_app,last_arg,\
         start_stamp,answer_stamp,end_stamp,duration,billsec,hangup_cause,_,uuid,_",
    ),
    (
        "opencdrrate",
        "uuid,signal_bond,direction,ani,destination_number,answer_stamp,end_stamp,billsec,accountcode,_,_,_,_",
    ),
];

/// How a record names the other leg of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// The caller's leg names the called party's (`bleg_uuid`).
    ToCalled,
    /// Each names the other (`signal_bond`, `bridge_uuid`).
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    /// The column in which callers write what they like.
    name: u16,
    caller: u16,
    dialled: u16,
    context: u16,
    start: u16,
    answer: u16,
    end: u16,
    duration: u16,
    billsec: u16,
    billmsec: u16,
    cause: u16,
    uuid: u16,
    other_leg: u16,
    link: Link,
    direction: u16,
    account: u16,
    channel: u16,
    bridge_channel: u16,
    last_app: u16,
    last_arg: u16,
    width: usize,
}

impl Columns {
    /// By the names of FreeSWITCH's variables, bare or as a template writes them: `uuid`, `${uuid}`, `"${uuid}"`.
    fn from_names<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Self {
        let no = NO_COLUMN;
        let mut columns = Self {
            name: no,
            caller: no,
            dialled: no,
            context: no,
            start: no,
            answer: no,
            end: no,
            duration: no,
            billsec: no,
            billmsec: no,
            cause: no,
            uuid: no,
            other_leg: no,
            link: Link::ToCalled,
            direction: no,
            account: no,
            channel: no,
            bridge_channel: no,
            last_app: no,
            last_arg: no,
            width: 0,
        };
        for name in names {
            let position = u16::try_from(columns.width).unwrap_or(NO_COLUMN);
            columns.width += 1;
            let name = bare(name);
            if matches!(name, b"signal_bond" | b"bridge_uuid") && columns.other_leg == NO_COLUMN {
                columns.link = Link::Both;
            }
            let slot = match name {
                b"caller_id_name" | b"caller_id" => &mut columns.name,
                b"caller_id_number" | b"ani" | b"sip_from_user" => &mut columns.caller,
                b"destination_number" => &mut columns.dialled,
                b"context" => &mut columns.context,
                b"start_stamp" | b"start_epoch" => &mut columns.start,
                b"answer_stamp" | b"answer_epoch" => &mut columns.answer,
                b"end_stamp" | b"end_epoch" => &mut columns.end,
                b"duration" => &mut columns.duration,
                b"billsec" => &mut columns.billsec,
                b"billmsec" => &mut columns.billmsec,
                b"hangup_cause" => &mut columns.cause,
                b"uuid" => &mut columns.uuid,
                b"bleg_uuid" | b"signal_bond" | b"bridge_uuid" => &mut columns.other_leg,
                b"direction" => &mut columns.direction,
                b"accountcode" => &mut columns.account,
                b"channel_name" => &mut columns.channel,
                b"bridge_channel" => &mut columns.bridge_channel,
                b"last_app" => &mut columns.last_app,
                b"last_arg" => &mut columns.last_arg,
                _ => continue,
            };
            if *slot == NO_COLUMN {
                *slot = position;
            }
        }
        columns
    }

    /// The first column without which no record can be read that is missing, if any.
    fn missing(&self) -> Option<&'static str> {
        let talk = if self.billsec == NO_COLUMN { self.billmsec } else { self.billsec };
        let start = if self.start == NO_COLUMN { self.end } else { self.start };
        [(self.dialled, "destination_number"), (start, "start_stamp"), (talk, "billsec")]
            .into_iter()
            .find_map(|(column, name)| (column == NO_COLUMN).then_some(name))
    }
}

/// The name of a variable without what a template puts around it.
fn bare(name: &[u8]) -> &[u8] {
    let name = unquoted(name);
    match name {
        [b'$', b'{', name @ .., b'}'] => name,
        name => name,
    }
}

/// Without blanks and quotes around it.
fn unquoted(text: &[u8]) -> &[u8] {
    match text.trim_ascii() {
        [b'"', inside @ .., b'"'] => inside,
        text => text,
    }
}

/// Reads the lines of one file.
#[derive(Debug)]
pub(super) struct Csv {
    layout: &'static str,
    columns: Columns,
    line_end: super::super::records::LineEnd,
    has_header: bool,
    minutes_only: bool,
}

impl Csv {
    fn new(layout: &'static str, columns: Columns, head: Head<'_>) -> Self {
        Self { layout, columns, line_end: head.line_end, has_header: false, minutes_only: false }
    }

    /// Also says how many lines are a header.
    pub(super) fn open(head: Head<'_>, options: &Options) -> Result<(Self, usize), FileError> {
        let mut scratch = Scratch::new();
        let named = |columns: Columns| match columns.missing() {
            Some(column) => Err(FileError::ColumnMissing { column }),
            None => Ok(columns),
        };
        let header = head.lines().next().and_then(|first| header(first, &mut scratch.fields));
        let layout = options.layout.as_deref();
        let mut csv = match (layout, header) {
            (None, Some(columns)) => Self { has_header: true, ..Self::new("header", named(columns)?, head) },
            (None | Some("columns"), _) if !options.columns.is_empty() => {
                let columns = Columns::from_names(options.columns.iter().map(String::as_bytes));
                Self::new("columns", named(columns)?, head)
            }
            _ => match detect(head, layout, &mut scratch) {
                Some((csv, _)) => csv,
                None => {
                    let first = head.lines().next();
                    let columns = first.map_or(0, |first| {
                        let _ = scratch.fields.split(sql_body(first), Quotes::FirstQuoteCloses);
                        scratch.fields.count()
                    });
                    return Err(FileError::UnknownLayout { columns });
                }
            },
        };
        let skipped = usize::from(csv.has_header);
        csv.minutes_only = head.lines().skip(skipped).take(50).any(|line| csv.has_minutes_only(line, &mut scratch));
        Ok((csv, skipped))
    }

    fn has_minutes_only(&self, line: &[u8], scratch: &mut Scratch) -> bool {
        self.split(line, &mut scratch.fields)
            .is_ok_and(|body| minutes(self.field(body, &scratch.fields, self.columns.start)).is_some())
    }

    #[inline]
    fn field<'t>(&self, body: &'t [u8], fields: &Fields, column: u16) -> &'t [u8] {
        let text = fields.get(body, column);
        if text.first() == Some(&b' ') { unquoted(text) } else { text }
    }

    /// Splits a record: strictly, or from both ends up to the name that breaks its quotes. Gives what was split.
    #[inline]
    fn split<'t>(&self, text: &'t [u8], fields: &mut Fields) -> Result<&'t [u8], Fault> {
        let body = sql_body(text);
        let shape = fields.split(body, Quotes::FirstQuoteCloses).map_err(Fault::record)?;
        if shape == Shape::Regular && fields.count() == self.columns.width {
            return Ok(body);
        }
        self.mend(body, shape, fields)
    }

    #[cold]
    fn mend<'t>(&self, body: &'t [u8], shape: Shape, fields: &mut Fields) -> Result<&'t [u8], Fault> {
        let counted = fields.count() == self.columns.width;
        if self.split_around_name(body, fields).is_some() {
            return Ok(body);
        }
        if counted && shape == Shape::Irregular {
            fields.split(body, Quotes::FirstQuoteCloses).map_err(Fault::record)?;
            return Ok(body);
        }
        Err(Fault::record(match shape {
            Shape::Open => RejectReason::QuoteNotClosed,
            _ => RejectReason::ColumnCount,
        }))
    }

    /// Takes the columns before the name from the left and those behind it from the right: what is left is the name.
    fn split_around_name(&self, body: &[u8], fields: &mut Fields) -> Option<()> {
        let (name, width) = (self.columns.name, self.columns.width);
        if name == NO_COLUMN || width > MENDED_COLUMNS {
            return None;
        }
        let before = usize::from(name);
        let behind = width.checked_sub(before + 1)?;
        let mut spans = [(0_usize, 0_usize); MENDED_COLUMNS];
        let mut left = 0;
        for span in spans.get_mut(..before)? {
            let (from, until, next) = from_left(body, left)?;
            *span = (from, until);
            left = next;
        }
        let mut right = body.len();
        for span in spans.get_mut(width - behind..width)?.iter_mut().rev() {
            let (from, until, next) = from_right(body.get(left..right)?)?;
            *span = (left + from, left + until);
            right = left + next;
        }
        let middle = body.get(left..right)?;
        let quoted = matches!(middle, [b'"', .., b'"']);
        *spans.get_mut(before)? = (left + usize::from(quoted), right - usize::from(quoted));
        fields.clear();
        for (from, until) in spans.get(..width)? {
            fields.push(*from, *until).ok()?;
        }
        Some(())
    }

    fn talk(&self, body: &[u8], fields: &Fields) -> Result<Option<Duration>, Fault> {
        let columns = &self.columns;
        if columns.billsec != NO_COLUMN {
            let text = self.field(body, fields, columns.billsec);
            return times::seconds(text).map_err(Fault::in_column(columns.billsec));
        }
        milliseconds(self.field(body, fields, columns.billmsec)).map_err(Fault::in_column(columns.billmsec))
    }
}

/// Milliseconds, as `billmsec` has them; `None` if there are none.
pub(super) fn milliseconds(text: &[u8]) -> Result<Option<Duration>, RejectReason> {
    match times::integer(text).map(Duration::from_millis) {
        Some(talk) if talk <= MAX_DURATION => Ok(Some(talk)),
        Some(_) => Err(RejectReason::DurationImplausible),
        None if text.is_empty() => Ok(None),
        None if text.first() == Some(&b'-') => Err(RejectReason::DurationImplausible),
        None => Err(RejectReason::DurationMalformed),
    }
}

impl Switch for Csv {
    fn layout_name(&self) -> &str {
        self.layout
    }

    fn framing(&self) -> Framing {
        // Quotes are not escaped, so a line end inside them could not be told from the end of the record.
        Framing::Lines(self.line_end)
    }

    #[inline]
    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let Scratch { fields, cache, .. } = scratch;
        let columns = &self.columns;
        let body = self.split(text, fields)?;
        let field = |column: u16| self.field(body, fields, column);

        let mut stamp = |column: u16| match read_time(field(column), cache) {
            Ok((Reading::At(stamp), minutes)) => Ok(Some((stamp, minutes))),
            Ok(_) => Ok(None),
            Err(reason) => Err(Fault::column(reason, column)),
        };
        let written_answer = stamp(columns.answer)?;
        let end = stamp(columns.end)?.map(|(end, _)| end);
        let (setup, minutes_only) = if columns.start == NO_COLUMN {
            // A template without the start: of an answered call the answer counts, and any other costs nothing.
            let column = if columns.end == NO_COLUMN { columns.answer } else { columns.end };
            let setup = written_answer.or(end.map(|end| (end, false)));
            setup.ok_or(Fault::column(RejectReason::FieldMissing, column))?
        } else {
            match stamp(columns.start)? {
                Some(setup) => setup,
                None if field(columns.start).is_empty() => {
                    return Err(Fault::column(RejectReason::FieldMissing, columns.start));
                }
                None => return Err(Fault::column(RejectReason::TimeImplausible, columns.start)),
            }
        };
        let duration = times::seconds(field(columns.duration)).map_err(Fault::in_column(columns.duration))?;
        let talk = self.talk(body, fields)?;
        if let Some(end) = end
            && !times::may_follow(setup, end, duration)
        {
            return Err(Fault::column(RejectReason::EndBeforeStart, columns.end));
        }
        let says_answered = columns.answer == NO_COLUMN || written_answer.is_some();
        let talk = match talk {
            Some(talk) => talk,
            None if !says_answered => Duration::ZERO,
            None => return Err(Fault::column(RejectReason::FieldMissing, columns.billsec.min(columns.billmsec))),
        };
        let answered = says_answered && talk > Duration::ZERO;
        let answer = match written_answer {
            Some((answer, false)) => {
                if answered && columns.start != NO_COLUMN && !times::may_be_answered_at(setup, answer, duration) {
                    return Err(Fault::column(RejectReason::TimeImplausible, columns.answer));
                }
                Some(answer)
            }
            // To the minute only, or not written: reckoned.
            _ if answered => duration.map(|duration| later(setup, duration.as_millis() - talk.as_millis())),
            _ => None,
        };
        let _ = minutes_only;

        let uuid = field(columns.uuid);
        let dialled = field(columns.dialled);
        let channels = columns.channel != NO_COLUMN && columns.bridge_channel != NO_COLUMN;
        let start_text = field(columns.start);
        *cdr = Cdr {
            call_id: uuid,
            key: if uuid.is_empty() {
                [text, b"", b"", b"", b"", b""]
            } else {
                let talk_text = field(columns.billsec.min(columns.billmsec));
                [uuid, start_text, field(columns.end), talk_text, field(columns.cause), dialled]
            },
            setup: Some(setup),
            answer,
            end,
            duration,
            talk,
            answered,
            calling: number(field(columns.caller)),
            dialled: number(dialled),
            account: field(columns.account),
            context: field(columns.context),
            ingress: if channels { with_slash(field(columns.channel)) } else { b"" },
            egress: if channels { with_slash(field(columns.bridge_channel)) } else { b"" },
            ends: [End::Untold, bridged_to(field(columns.last_app), field(columns.last_arg))],
            kind: self.kind(uuid, field(columns.other_leg), field(columns.direction), answered),
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        self.split(text, &mut scratch.fields).is_ok().then_some(self.columns.width)
    }

    fn is_same_header(&self, text: &[u8], scratch: &mut Scratch) -> Option<bool> {
        header(text, &mut scratch.fields).map(|columns| columns == self.columns)
    }

    fn notes(&self) -> Notes {
        Notes { minutes_only: self.minutes_only, ..Notes::default() }
    }
}

impl Csv {
    /// Whether a record may have another leg beside it, and which of them stands for the call.
    #[inline]
    fn kind<'a>(&self, uuid: &'a [u8], other: &'a [u8], direction: &[u8], answered: bool) -> Kind<'a> {
        // Without a column for the other leg nothing can be joined; and an unanswered record that names none would only be
        // merged into another unanswered one.
        if self.columns.other_leg == NO_COLUMN || uuid.is_empty() || (other.is_empty() && !answered) {
            return Kind::Call;
        }
        let (group, rank) = match self.columns.link {
            // The called party's leg names no other: it is a group of its own name until a caller's leg names it.
            Link::ToCalled if other.is_empty() => ([uuid, b"", b""], 1),
            Link::ToCalled => ([other, b"", b""], 0),
            Link::Both => ([uuid.min(other), uuid.max(other), b""], u8::from(direction == b"outbound")),
        };
        Kind::Part(Part { group, role: PartRole::Leg { rank } })
    }
}

/// A channel's name; anything else in its place is none.
fn with_slash(channel: &[u8]) -> &[u8] {
    if memchr(b'/', channel).is_some() { channel } else { b"" }
}

/// A moment so many milliseconds later, and not earlier.
pub(super) fn later(stamp: Stamp, millis: i64) -> Stamp {
    let millis = millis.max(0);
    match stamp {
        Stamp::Local(local) => Stamp::Local(LocalTime::from_millis(local.as_millis() + millis)),
        Stamp::Instant(instant) => Stamp::Instant(instant.plus(Duration::from_millis(millis))),
    }
}

/// A time, and whether its seconds are missing.
#[inline]
fn read_time(text: &[u8], cache: &mut DateCache) -> Result<(Reading, bool), RejectReason> {
    match times::read(text, None, cache) {
        Ok(reading) => Ok((reading, false)),
        Err(RejectReason::TimeMalformed) => {
            let (date, clock) = year_first(text).ok_or(RejectReason::TimeMalformed)?;
            Ok((
                times::clock_reading(date, (clock.0, clock.1, clock.2.unwrap_or(0)), 0, &mut LastDay::default())?,
                clock.2.is_none(),
            ))
        }
        Err(reason) => Err(reason),
    }
}

/// Whether a time has no seconds.
fn minutes(text: &[u8]) -> Option<()> {
    year_first(text).filter(|(_, clock)| clock.2.is_none()).map(|_| ())
}

/// Year, month and day; hours, minutes and seconds.
type DateAndClock = ((i64, i64, i64), (i64, i64, Option<i64>));

/// What a spreadsheet makes of a time: `2026/7/1 9:05`, with or without seconds; the year first, so that day and month
/// cannot be mixed up.
fn year_first(text: &[u8]) -> Option<DateAndClock> {
    let (date, clock) = text.split_at(memchr(b' ', text)?);
    let mark = *date.get(4).filter(|mark| matches!(mark, b'/' | b'-' | b'.'))?;
    let mut date = date.splitn(3, |byte| *byte == mark);
    let mut next = |most: usize| date.next().filter(|part| part.len() <= most).and_then(times::integer);
    let date = (next(4)?, next(2)?, next(2)?);
    let mut clock = clock.get(1..)?.splitn(3, |byte| *byte == b':');
    let mut next = || clock.next().map(|part| times::integer(part).filter(|_| part.len() <= 2));
    let (hour, minute) = (next()??, next()??);
    let second = match next() {
        None => None,
        Some(second) => Some(second?),
    };
    Some((date, (hour, minute, second)))
}

/// What stands between the brackets of `INSERT INTO cdr VALUES (…);`, or the line itself.
#[inline]
fn sql_body(text: &[u8]) -> &[u8] {
    if text.first() != Some(&b'I') || !text.starts_with(b"INSERT INTO") {
        return text;
    }
    let inside = memmem::find(text, b"VALUES").and_then(|values| {
        let open = values + memchr(b'(', text.get(values..)?)?;
        let close = memrchr(b')', text)?;
        text.get(open + 1..close)
    });
    inside.map_or(text, <[u8]>::trim_ascii)
}

/// A field that begins at `from`: where its content begins and ends, and where the next one begins.
fn from_left(body: &[u8], from: usize) -> Option<(usize, usize, usize)> {
    let rest = body.get(from..)?;
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    if rest.get(blanks) != Some(&b'"') {
        let comma = memchr(b',', rest)?;
        return Some((from, from + comma, from + comma + 1));
    }
    let content = blanks + 1;
    let close = content + memmem::find(rest.get(content..)?, b"\",")?;
    Some((from + content, from + close, from + close + 2))
}

/// The last field: where its content begins and ends, and where the one before it ends.
fn from_right(body: &[u8]) -> Option<(usize, usize, usize)> {
    let end = body.trim_ascii_end().len();
    let Some(content) = body.get(..end)?.strip_suffix(b"\"") else {
        let comma = memrchr(b',', body)?;
        return Some((comma + 1, body.len(), comma));
    };
    let mut search = content.len();
    loop {
        let open = memrchr(b'"', content.get(..search)?)?;
        if let [before @ .., b','] = content.get(..open)?.trim_ascii_end() {
            return Some((open + 1, content.len(), before.len()));
        }
        search = open;
    }
}

/// The columns that a header line names, if it is one: such as database exports have.
fn header(line: &[u8], fields: &mut Fields) -> Option<Columns> {
    fields.split(line, Quotes::FirstQuoteCloses).ok()?;
    let names = (0..fields.count()).map(|column| fields.get(line, u16::try_from(column).unwrap_or(NO_COLUMN)));
    let columns = Columns::from_names(names);
    (columns.uuid != NO_COLUMN && columns.missing().is_none()).then_some(columns)
}

/// The template that reads most of the file's beginning, and how many in a hundred of its lines. `wanted` is the layout that
/// the settings name.
fn detect(head: Head<'_>, wanted: Option<&str>, scratch: &mut Scratch) -> Option<(Csv, usize)> {
    let is_sql = head.lines().next().is_some_and(|first| first.starts_with(b"INSERT INTO"));
    let mut best: Option<(Csv, usize)> = None;
    for (layout, names) in TEMPLATES {
        if wanted.is_some_and(|wanted| wanted != layout) || (wanted.is_none() && (layout == "sql") != is_sql) {
            continue;
        }
        let csv = Csv::new(layout, Columns::from_names(names.split(',').map(str::as_bytes)), head);
        let (mut lines, mut read) = (0, 0);
        for line in head.lines().take(50) {
            lines += 1;
            read += usize::from(csv.fits(line, scratch));
        }
        let share = read * 100 / lines.max(1);
        let is_better = best.as_ref().is_none_or(|(_, most)| share > *most);
        if is_better && (read > 0 || wanted.is_some()) {
            best = Some((csv, share));
        }
    }
    best
}

impl Csv {
    /// Whether a line is surely one of this template: it can be read, and a UUID stands where it belongs.
    fn fits(&self, line: &[u8], scratch: &mut Scratch) -> bool {
        let Some(id) = RecordId::new(0, 0) else { return false };
        let mut cdr = Cdr::blank(id, line);
        self.parse((id, line), line, scratch, &mut cdr).is_ok() && is_uuid(cdr.call_id)
    }
}

/// Whether the beginning of a file looks like lines of a template.
pub(super) fn recognise(head: Head<'_>) -> Option<Sign> {
    let mut scratch = Scratch::new();
    if let Some(columns) = head.lines().next().and_then(|first| header(first, &mut scratch.fields)) {
        let named = columns.cause != NO_COLUMN && columns.start != NO_COLUMN;
        return named.then(|| {
            Sign::new(
                "header",
                85,
                "the first line names FreeSWITCH's variables: `uuid`, `start_stamp`, `hangup_cause`",
            )
        });
    }
    let (csv, share) = detect(head, None, &mut scratch)?;
    (share >= 50).then(|| {
        let because = format!(
            "times, seconds and the UUID of a channel stand where FreeSWITCH's `{}` template has them",
            csv.layout
        );
        Sign::new(csv.layout, 90, because)
    })
}
