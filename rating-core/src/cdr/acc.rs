//! OpenSIPS and Kamailio: transactions as the `acc` module writes them, and calls where it is told to write these.
//!
//! Sources: the manuals of the modules `acc` and `db_flatstore` of OpenSIPS and of Kamailio, and their table definitions.
//!
//! A SIP proxy writes what happened, not calls: one row for the positive answer to an INVITE, one for the BYE. They belong
//! together by Call-ID and the two tags, in either order, because either party may hang up.
//!
//! Rules where the format leaves a choice:
//!
//! - **Numbers** are not among what `acc` writes by itself: the extra columns have them, and only a header or the project can
//!   say which. A file of which neither says it is refused.
//! - An **INVITE** with 2xx begins a call; with 4xx, 5xx or 6xx it is a call that was not answered; 401 and 407 only ask for
//!   credentials, 1xx and 3xx settle nothing: events. A **BYE** ends a call, whatever the answer (but 401 and 407).
//! - An **ACK** of a positive answer tells again that the call began: where the INVITE's row was lost or has no time, it
//!   takes its place. The earliest beginning counts, so a repeated answer and a re-INVITE change nothing.
//! - Every other **method** is an event; a MESSAGE is no voice.
//! - A row with a duration of its own (OpenSIPS CDRs, Kamailio's `cdrs`) is a whole call. **Talk** is `ms_duration` where it is
//!   there, else `duration`, to the millisecond if it has decimals.
//! - **Dialled** is what was asked for first (`dst_ouser`), except where a long number was turned into a short one (`dst_user`):
//!   then it was delivered to an extension.
//! - **Key**: the whole row.

mod columns;

use std::sync::Arc;

use super::fields::{Fields, Reading as Quotes, Separator, Shape};
use super::reader::{FileError, Options};
use super::records::{Framing, LineEnd};
use super::switch::{Entry, Head, Opened, Scratch, Sign, Switch};
use super::times::{self, DateCache, MAX_DURATION, Reading};
use super::{Cdr, Fault, Kind, NotACall, Part, PartRole, RejectReason, address};
use crate::source::RecordId;
use crate::time::Duration;

use columns::{Columns, FIXED, told_ends};

pub(super) const ENTRY: Entry = Entry { layouts: &["flatstore", "acc", "cdrs"], open, recognise };

/// What may stand between columns, the likeliest first.
const DELIMITERS: [u8; 4] = *b"|,\t;";

#[derive(Debug)]
struct Acc {
    name: &'static str,
    delimiter: u8,
    line_end: LineEnd,
    columns: Columns,
    /// The number of columns, if a header says it.
    exactly: Option<usize>,
    /// The number of columns that a row has at least.
    least: usize,
}

/// What the beginning of a file shows.
enum First {
    /// A header with these names.
    Header(Vec<String>),
    /// A transaction; where its method stands.
    Transaction(u16),
    /// Something else; the number of columns of the first record.
    Unknown(usize),
}

fn first(head: Head<'_>, delimiter: u8, fields: &mut Fields) -> Option<First> {
    let mut records = head.records(framing(head.line_end, delimiter)).take(50);
    let text = records.clone().next()?;
    split(text, delimiter, fields, Quotes::FirstQuoteCloses).ok()?;
    if columns::is_header(text, fields) {
        return Some(First::Header(columns::names(text, fields)));
    }
    let count = fields.count();
    // Some row at the beginning may be broken.
    let method_at = records.find_map(|text| {
        split(text, delimiter, fields, Quotes::FirstQuoteCloses).ok()?;
        (0..2).find(|at| {
            let before = *at == 0 || times::integer(fields.get(text, 0)).is_some();
            before && is_transaction(text, fields, *at)
        })
    });
    Some(method_at.map_or(First::Unknown(count), First::Transaction))
}

/// Whether a row is a transaction whose method stands at `method`: the code and time stand where they should.
fn is_transaction(text: &[u8], fields: &Fields, method: u16) -> bool {
    let field = |at: u16| fields.get(text, method + at);
    method_of(field(0)).is_some()
        && !field(3).is_empty()
        && code_of(field(4)).is_some()
        && times::read(field(6), None, &mut DateCache::new()).is_ok()
        && fields.count() >= usize::from(method) + FIXED.len()
}

fn framing(line_end: LineEnd, delimiter: u8) -> Framing {
    // Flatstore has no quotes: a stray one is a letter.
    if delimiter == b'|' { Framing::Lines(line_end) } else { Framing::Quoted { line_end, delimiter } }
}

fn split(text: &[u8], delimiter: u8, fields: &mut Fields, quotes: Quotes) -> Result<Shape, RejectReason> {
    if delimiter == b'|' {
        fields.split_bare(text, delimiter).map(|()| Shape::Regular)
    } else {
        fields.split_at(text, delimiter, quotes)
    }
}

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let mut fields = Fields::new();
    let mut most = 0;
    let mut found = None;
    for delimiter in DELIMITERS {
        match first(head, delimiter, &mut fields) {
            Some(First::Unknown(columns)) => most = most.max(columns),
            Some(first) => {
                found = Some((delimiter, first));
                break;
            }
            None => {}
        }
    }
    let opened = |name, delimiter, columns: Columns, (exactly, least), header_lines| {
        columns.check(name == "cdrs")?;
        let acc = Acc { name, delimiter, line_end: head.line_end, columns, exactly, least };
        Ok(Opened { switch: Arc::new(acc), header_lines })
    };
    match found {
        Some((delimiter, First::Header(names))) => {
            let columns = Columns::of(names.iter().map(String::as_str), 0);
            let name = if columns.has_method() { "acc" } else { "cdrs" };
            opened(name, delimiter, columns, (Some(names.len()), names.len()), 1)
        }
        Some((delimiter, First::Transaction(method))) => {
            let name = if delimiter == b'|' { "flatstore" } else { "acc" };
            let named = || options.columns.iter().map(String::as_str);
            let mut columns = Columns::of(named(), 0);
            if !columns.has_method() {
                columns = Columns::of(FIXED.into_iter().chain(named()), method);
            }
            let least = (usize::from(method) + FIXED.len()).max(columns.width());
            opened(name, delimiter, columns, (None, least), 0)
        }
        _ if !options.columns.is_empty() && options.layout.as_deref().is_none_or(|layout| layout == "cdrs") => {
            let columns = Columns::of(options.columns.iter().map(String::as_str), 0);
            let count = options.columns.len();
            let mut fits = |delimiter: &u8| {
                let text = head.records(framing(head.line_end, *delimiter)).next().unwrap_or_default();
                split(text, *delimiter, &mut fields, Quotes::FirstQuoteCloses).is_ok() && fields.count() == count
            };
            match DELIMITERS.into_iter().find(|delimiter| fits(delimiter)) {
                Some(delimiter) if !columns.has_method() => opened("cdrs", delimiter, columns, (Some(count), count), 0),
                _ => Err(FileError::UnknownLayout { columns: most }),
            }
        }
        _ => Err(FileError::UnknownLayout { columns: most }),
    }
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let mut fields = Fields::new();
    DELIMITERS.into_iter().find_map(|delimiter| match first(head, delimiter, &mut fields)? {
        First::Header(names) => {
            let is_acc = names.iter().any(|name| name == "method");
            // Others may name times and durations so, too.
            let (layout, certainty, what) = match is_acc {
                true => ("acc", 90, "the first line has the column names of a table of transactions"),
                false => ("cdrs", 70, "the first line has names of Kamailio's table of calls"),
            };
            Some(Sign::new(layout, certainty, what))
        }
        First::Transaction(_) => {
            let layout = if delimiter == b'|' { "flatstore" } else { "acc" };
            let mut sign = Sign::new(
                layout,
                90,
                "SIP methods, tags, Call-ID, reply code and time stand where OpenSIPS and Kamailio write them",
            );
            sign.because.push("no header says which columns have the numbers: name the extra ones in `columns`".into());
            Some(sign)
        }
        First::Unknown(_) => None,
    })
}

/// What a method says of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Invite,
    Ack,
    Bye,
    Message,
    Other,
}

fn method_of(text: &[u8]) -> Option<Method> {
    Some(match text {
        b"INVITE" => Method::Invite,
        b"BYE" => Method::Bye,
        b"ACK" => Method::Ack,
        b"MESSAGE" => Method::Message,
        b"CANCEL" | b"UPDATE" | b"PRACK" | b"INFO" | b"REFER" | b"NOTIFY" | b"SUBSCRIBE" | b"OPTIONS" | b"REGISTER"
        | b"PUBLISH" => Method::Other,
        _ => return None,
    })
}

fn code_of(text: &[u8]) -> Option<i64> {
    times::integer(text).filter(|code| (100..700).contains(code))
}

/// What a transaction tells of its call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Begun,
    Ended,
    NotAnswered,
    Not(NotACall),
}

const fn told(method: Method, code: i64) -> Told {
    match (method, code) {
        (Method::Message, _) => Told::Not(NotACall::NotVoice),
        (Method::Other, _) | (_, ..200 | 401 | 407) => Told::Not(NotACall::Event),
        (Method::Bye, _) => Told::Ended,
        (Method::Invite | Method::Ack, 200..=299) => Told::Begun,
        (Method::Ack, _) | (_, 300..=399) => Told::Not(NotACall::Event),
        (Method::Invite, _) => Told::NotAnswered,
    }
}

/// Seconds, whole or with decimals (`12.345`), cut to milliseconds.
fn decimal_seconds(text: &[u8]) -> Result<Option<Duration>, RejectReason> {
    let point = text.iter().position(|byte| *byte == b'.');
    let Some((whole, [_, decimals @ ..])) = point.and_then(|point| text.split_at_checked(point)) else {
        return times::seconds(text);
    };
    if decimals.is_empty() || !decimals.iter().all(u8::is_ascii_digit) {
        return Err(RejectReason::DurationMalformed);
    }
    let whole = times::seconds(whole)?.ok_or(RejectReason::DurationMalformed)?;
    let millis = (0..3).fold(0, |sum, at| sum * 10 + decimals.get(at).map_or(0, |digit| i64::from(digit - b'0')));
    Ok(Some(Duration::from_millis(whole.as_millis() + millis)))
}

fn milliseconds(text: &[u8]) -> Result<Option<Duration>, RejectReason> {
    if text.is_empty() {
        return Ok(None);
    }
    let duration = times::integer(text).map(Duration::from_millis).ok_or(RejectReason::DurationMalformed)?;
    if duration > MAX_DURATION { Err(RejectReason::DurationImplausible) } else { Ok(Some(duration)) }
}

impl Acc {
    /// Splits a row; of stray quotes the first reading counts that gives a row of this file.
    fn split(&self, text: &[u8], fields: &mut Fields) -> Result<(), Fault> {
        let mut shape = Shape::Regular;
        for quotes in Quotes::ALL {
            shape = split(text, self.delimiter, fields, quotes).map_err(Fault::record)?;
            let fits = match self.exactly {
                Some(count) => fields.count() == count,
                None => fields.count() >= self.least,
            };
            if fits && shape != Shape::Open {
                return Ok(());
            }
            if shape == Shape::Regular {
                break;
            }
        }
        let is_open = shape == Shape::Open;
        Err(Fault::record(if is_open { RejectReason::QuoteNotClosed } else { RejectReason::ColumnCount }))
    }

    /// What does not depend on whether a row is a transaction or a call.
    fn parties<'a>(&self, (id, raw): (RecordId, &'a [u8]), text: &'a [u8], fields: &Fields, cdr: &mut Cdr<'a>) {
        let columns = &self.columns;
        let user = |column| address::user(fields.get(text, column));
        let peer = user(columns.peer);
        let calling = user(columns.calling);
        let (asked, reached) = (user(columns.asked), user(columns.reached));
        let is_short = |digits: &[u8]| (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        let (dialled, reached) = match (asked, reached) {
            (b"", reached) => (reached, &b""[..]),
            (asked, reached) if asked.len() >= 8 && is_short(reached) => (reached, asked),
            both => both,
        };
        // A gateway may have any name; of domains only those that name a host say where a call came from or went.
        let place = |gateway, domain| {
            let named = fields.get(text, gateway);
            let place = if named.is_empty() { fields.get(text, domain) } else { named };
            let host = address::host(place);
            match host.is_empty() {
                false => host,
                true if named.is_empty() && !place.contains(&b'.') => b"",
                true => place,
            }
        };
        *cdr = Cdr {
            call_id: fields.get(text, columns.call_id),
            calling: if calling.is_empty() { peer } else { calling },
            peer,
            dialled,
            reached,
            forwarder: user(columns.forwarder),
            account: fields.get(text, columns.account),
            ingress: place(columns.ingress, columns.source_domain),
            egress: place(columns.egress, columns.target_domain),
            ends: told_ends(fields.get(text, columns.direction)),
            ..Cdr::blank(id, raw)
        };
    }

    fn transaction<'a>(&self, text: &'a [u8], scratch: &mut Scratch, cdr: &mut Cdr<'a>) -> Result<(), Fault> {
        let (columns, fields, cache) = (&self.columns, &scratch.fields, &mut scratch.cache);
        let field = |column| fields.get(text, column);
        let fault = |reason, column| Err(Fault::column(reason, column));
        let method = match field(columns.method) {
            b"" => return fault(RejectReason::FieldMissing, columns.method),
            method => method_of(method).ok_or(Fault::column(RejectReason::DispositionUnknown, columns.method))?,
        };
        if cdr.call_id.is_empty() {
            return fault(RejectReason::FieldMissing, columns.call_id);
        }
        let Some(code) = code_of(field(columns.code)) else {
            return fault(RejectReason::NumberMalformed, columns.code);
        };
        let mut told = told(method, code);
        let written = times::read(field(columns.time), None, cache);
        // Of an INVITE without a time the ACK tells when; an ACK without one tells nothing.
        if method == Method::Ack && !matches!(written, Ok(Reading::At(_))) {
            told = Told::Not(NotACall::Event);
        }
        if let Told::Not(why) = told {
            cdr.setup = match written {
                Ok(Reading::At(stamp)) => Some(stamp),
                _ => None,
            };
            cdr.kind = Kind::NotACall(why);
            return Ok(());
        }
        let at = match written.map_err(Fault::in_column(columns.time))? {
            Reading::At(stamp) => stamp,
            Reading::Empty => return fault(RejectReason::FieldMissing, columns.time),
            Reading::Unset => return fault(RejectReason::TimeImplausible, columns.time),
        };
        if told == Told::Begun && method == Method::Invite {
            let created =
                times::read(field(columns.created), None, cache).map_err(Fault::in_column(columns.created))?;
            let talk = self.talk(text, fields)?.unwrap_or_default();
            if matches!(created, Reading::At(_)) || talk > Duration::ZERO {
                cdr.setup = Some(if let Reading::At(created) = created { created } else { at });
                cdr.answer = Some(at);
                cdr.talk = talk;
                cdr.answered = talk > Duration::ZERO;
                return Ok(());
            }
        }
        let (from, to) = (field(columns.from_tag), field(columns.to_tag));
        let group = [cdr.call_id, from.min(to), from.max(to)];
        let part = |role| Kind::Part(Part { group, role });
        cdr.kind = match told {
            Told::Begun => part(PartRole::Begin),
            Told::Ended => part(PartRole::End),
            Told::NotAnswered | Told::Not(_) => Kind::Call,
        };
        cdr.setup = Some(at);
        cdr.answer = (told == Told::Begun).then_some(at);
        Ok(())
    }

    fn whole_call(&self, text: &[u8], scratch: &mut Scratch, cdr: &mut Cdr<'_>) -> Result<(), Fault> {
        let (columns, fields, cache) = (&self.columns, &scratch.fields, &mut scratch.cache);
        let start =
            times::read(fields.get(text, columns.start), None, cache).map_err(Fault::in_column(columns.start))?;
        let setup = match start {
            Reading::At(stamp) => stamp,
            Reading::Empty => return Err(Fault::column(RejectReason::FieldMissing, columns.start)),
            Reading::Unset => return Err(Fault::column(RejectReason::TimeImplausible, columns.start)),
        };
        let end =
            match times::read(fields.get(text, columns.end), None, cache).map_err(Fault::in_column(columns.end))? {
                Reading::At(stamp) => Some(stamp),
                _ => None,
            };
        let talk = self.talk(text, fields)?.ok_or(Fault::column(RejectReason::FieldMissing, columns.duration))?;
        if let Some(end) = end
            && !times::may_follow(setup, end, Some(talk))
        {
            return Err(Fault::column(RejectReason::EndBeforeStart, columns.end));
        }
        let answered = talk > Duration::ZERO;
        (cdr.setup, cdr.answer, cdr.end) = (Some(setup), answered.then_some(setup), end);
        (cdr.talk, cdr.answered) = (talk, answered);
        Ok(())
    }

    /// What a row says of the length of its call.
    fn talk(&self, text: &[u8], fields: &Fields) -> Result<Option<Duration>, Fault> {
        let (exact, rounded) = (self.columns.milliseconds, self.columns.duration);
        match milliseconds(fields.get(text, exact)).map_err(Fault::in_column(exact))? {
            Some(talk) if talk > Duration::ZERO => Ok(Some(talk)),
            _ => decimal_seconds(fields.get(text, rounded)).map_err(Fault::in_column(rounded)),
        }
    }
}

impl Switch for Acc {
    fn layout_name(&self) -> &str {
        self.name
    }

    fn framing(&self) -> Framing {
        framing(self.line_end, self.delimiter)
    }

    fn separator(&self) -> Option<Separator> {
        Some(Separator::Bare(self.delimiter))
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        self.split(text, &mut scratch.fields)?;
        self.parties((id, raw), text, &scratch.fields, cdr);
        if self.columns.has_method() {
            self.transaction(text, scratch, cdr)
        } else {
            self.whole_call(text, scratch, cdr)
        }
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        self.split(text, &mut scratch.fields).ok()?;
        Some(scratch.fields.count())
    }

    fn is_same_header(&self, text: &[u8], scratch: &mut Scratch) -> Option<bool> {
        let fields = &mut scratch.fields;
        split(text, self.delimiter, fields, Quotes::FirstQuoteCloses).ok()?;
        if !columns::is_header(text, fields) {
            return None;
        }
        let names = columns::names(text, fields);
        Some(self.columns == Columns::of(names.iter().map(String::as_str), 0) && self.exactly == Some(names.len()))
    }
}

#[cfg(test)]
mod tests;
