//! BroadWorks: accounting CDRs as CSV with backslashes, and as XML.
//!
//! Sources: BroadSoft, "BroadWorks Accounting Call Detail Record Interface Specification" (field numbers, which are those of
//! the FreeRADIUS dictionary `dictionary.broadsoft`, too).
//!
//! Rules where the format leaves a choice:
//!
//! - **Times** are UTC to the millisecond, whatever `userTimeZone` says; that is for display.
//! - **Answered** is an `answerIndicator` that begins with `Yes` (`Yes-PostRedirection` is one) and a release behind the
//!   answer. **Talk** is release less answer, to the millisecond, not rounded.
//! - **Who called whom**: an `Originating` record is a call of its user (`userNumber`), a `Terminating` one a call to its
//!   user. Without a direction (XML of some releases) the user is the caller if its number is the calling one, the called
//!   party if it is the called one; else the numbers tell.
//! - **Sent on**: an `Originating` record with a `redirectingNumber` is the onward leg, and its user pays.
//! - **Dialled** is the network's translated number (field 21), else the called number (9), else the digits (18).
//! - **The other end** is inside where network type, call type or route say `private`, `Group` or `Enterprise`; outside where
//!   they say `public` or `Network`; else the numbers tell.
//! - **On-net calls** are written twice, once for each user: `localCallId` of one is `remoteCallId` of the other. They are one
//!   call, and the `Originating` record stands for it.
//! - **Long calls**: what `Duration`, `Long Duration` and `Interim` records say is in the `Normal` one again, which has their
//!   `localCallId` and start.
//! - **Omitted**: `chargeIndicator` n. `Start` and `End` of a file are markers ([`Frame`]); `setup` has when.
//! - **Key**: `recordId`. `Failover` records are calls like `Normal` ones, and may be written twice with one id.

mod csv;
mod xml;

use super::reader::{FileError, Options};
use super::switch::{Entry, Head, Opened, Sign};
use super::times::{self, LastDay, MAX_DURATION, Reading};
use super::{Cdr, End, Fault, Frame, Group, Kind, NotACall, Part, PartRole, RejectReason, Stamp, address};
use crate::source::RecordId;
use crate::time::Duration;

pub(super) const ENTRY: Entry = Entry { layouts: &["csv", "xml"], open, recognise };

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let is_xml = match options.layout.as_deref() {
        Some(layout) => layout == "xml",
        None => head.text().trim_ascii_start().starts_with(b"<"),
    };
    if is_xml { Ok(xml::open()) } else { csv::open(head) }
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    if head.text().trim_ascii_start().starts_with(b"<") { xml::recognise(head) } else { csv::recognise(head) }
}

/// The fields that count, whichever way they are written.
#[derive(Clone, Copy, Default)]
struct Record<'a> {
    /// CSV: the id in one piece. XML: counter, system, date, zone.
    id: [&'a [u8]; 4],
    /// The moment in the id.
    written: &'a [u8],
    record_type: &'a [u8],
    user_number: &'a [u8],
    direction: &'a [u8],
    calling: &'a [u8],
    called: &'a [u8],
    start: &'a [u8],
    answer_indicator: &'a [u8],
    answer: &'a [u8],
    release: &'a [u8],
    dialled: &'a [u8],
    category: &'a [u8],
    translated: &'a [u8],
    route: &'a [u8],
    account: &'a [u8],
    authorization: &'a [u8],
    redirecting: &'a [u8],
    charge: &'a [u8],
    network: &'a [u8],
    as_call_type: &'a [u8],
    local_id: &'a [u8],
    remote_id: &'a [u8],
}

/// Field numbers of the CSV, counted from 1, for faults.
mod field {
    pub(super) const RECORD_TYPE: u16 = 3;
    pub(super) const START: u16 = 10;
    pub(super) const ANSWER_INDICATOR: u16 = 12;
    pub(super) const ANSWER: u16 = 13;
    pub(super) const RELEASE: u16 = 14;
    pub(super) const LOCAL_ID: u16 = 45;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Call,
    Interim,
    Marker,
}

/// What a record's type makes it; `None` if BroadWorks has no such type.
fn type_of(text: &[u8]) -> Option<Type> {
    let is = |names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name.as_bytes()));
    Some(match text {
        b"Normal" => Type::Call,
        _ if is(&["Start", "End"]) => Type::Marker,
        _ if is(&["Duration", "Long Duration", "Interim"]) => Type::Interim,
        _ if is(&["Normal", "Failover"]) => Type::Call,
        _ => return None,
    })
}

/// `YYYYMMDDhhmmss`, with or without milliseconds, in UTC. Nothing, and a day in 1900 or 1970, is `None`.
fn moment(text: &[u8], last_day: &mut LastDay) -> Result<Option<Stamp>, RejectReason> {
    if text.is_empty() {
        return Ok(None);
    }
    let Some((digits, fraction)) = text.split_first_chunk::<14>() else { return Err(RejectReason::TimeMalformed) };
    let millis = match fraction {
        [] => Some(0),
        [b'.', tenths] => times::integer(&[*tenths]).map(|tenths| tenths * 100),
        [b'.', hundredths @ ..] if hundredths.len() == 2 => times::integer(hundredths).map(|count| count * 10),
        [b'.', millis @ ..] if millis.len() == 3 => times::integer(millis),
        _ => None,
    };
    let part = |from: usize, to: usize| digits.get(from..to).and_then(times::integer);
    let reading = (|| {
        let date = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
        Some(times::clock_reading(date, (part(8, 10)?, part(10, 12)?, part(12, 14)?), millis?, last_day))
    })();
    Ok(match times::as_utc(reading.ok_or(RejectReason::TimeMalformed)??) {
        Reading::At(stamp) => Some(stamp),
        Reading::Empty | Reading::Unset => None,
    })
}

/// Puts a record together. `fault` says where a field stands that is at fault.
fn read<'a>(
    (id, raw): (RecordId, &'a [u8]),
    record: &Record<'a>,
    fault: impl Fn(RejectReason, u16) -> Fault,
    last_day: &mut LastDay,
    cdr: &mut Cdr<'a>,
) -> Result<(), Fault> {
    let Some(record_type) = type_of(record.record_type) else {
        let reason =
            if record.record_type.is_empty() { RejectReason::FieldMissing } else { RejectReason::DispositionUnknown };
        return Err(fault(reason, field::RECORD_TYPE));
    };
    let [counter, system, date, zone] = record.id;
    let key = if counter.is_empty() { [raw, b"", b"", b"", b"", b""] } else { [counter, system, date, zone, b"", b""] };
    *cdr = Cdr { call_id: counter, key, ..Cdr::blank(id, raw) };
    if record_type == Type::Marker {
        let setup = moment(record.written, last_day).ok().flatten();
        let frame = Some(Frame { end: record.record_type.eq_ignore_ascii_case(b"End"), records: None });
        let kind = Kind::NotACall(NotACall::Marker);
        *cdr = Cdr { setup, context: record.record_type, frame, kind, ..*cdr };
        return Ok(());
    }

    let mut stamp = |text, column| moment(text, last_day).map_err(|reason| fault(reason, column));
    let setup = stamp(record.start, field::START)?.ok_or_else(|| {
        let reason = if record.start.is_empty() { RejectReason::FieldMissing } else { RejectReason::TimeImplausible };
        fault(reason, field::START)
    })?;
    let says_answered = match record.answer_indicator {
        indicator if indicator.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"yes")) => true,
        indicator if indicator.is_empty() || indicator.eq_ignore_ascii_case(b"no") => false,
        _ => return Err(fault(RejectReason::DispositionUnknown, field::ANSWER_INDICATOR)),
    };
    let answer = stamp(record.answer, field::ANSWER)?;
    let end = stamp(record.release, field::RELEASE)?;
    let is_call = record_type == Type::Call;
    let talk = match (answer, end) {
        (Some(answer), Some(end)) if says_answered => {
            if !times::may_follow(answer, end, None) {
                return Err(fault(RejectReason::EndBeforeStart, field::RELEASE));
            }
            between(answer, end)
        }
        (None, _) if says_answered && is_call => return Err(fault(RejectReason::FieldMissing, field::ANSWER)),
        (_, None) if says_answered && is_call => return Err(fault(RejectReason::FieldMissing, field::RELEASE)),
        _ => Duration::ZERO,
    };
    if talk > MAX_DURATION {
        return Err(fault(RejectReason::DurationImplausible, field::RELEASE));
    }
    if let Some(answer) = answer
        && says_answered
        && !times::may_follow(setup, answer, None)
    {
        return Err(fault(RejectReason::EndBeforeStart, field::ANSWER));
    }

    let direction = Direction::of(record);
    let user_number = address::user(record.user_number);
    let calling = address::user(record.calling);
    let first = |texts: [&'a [u8]; 3]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let dialled = address::user(first([record.translated, record.called, record.dialled]));
    let sent_on = direction == Direction::Originating && !record.redirecting.is_empty();
    let other = other_end(record);
    let route = if address_like(record.route) { record.route } else { b"" };
    let (ends, ingress, egress) = match direction {
        // The caller of a call that was sent on is whoever called first.
        Direction::Originating if sent_on && calling.is_empty() => ([End::Outside, other], &b""[..], route),
        Direction::Originating if sent_on => ([End::Untold, other], &b""[..], route),
        Direction::Originating => ([End::Inside, other], &b""[..], route),
        Direction::Terminating => ([other, End::Inside], route, &b""[..]),
        Direction::Untold => ([End::Untold; 2], &b""[..], &b""[..]),
    };
    let of_user = direction == Direction::Originating && !sent_on && !user_number.is_empty();
    *cdr = Cdr {
        setup: Some(setup),
        answer: answer.filter(|_| says_answered),
        end,
        duration: end.map(|end| between(setup, end)),
        talk,
        answered: says_answered && talk > Duration::ZERO,
        calling: if of_user { user_number } else { calling },
        dialled,
        reached: if direction == Direction::Terminating { user_number } else { b"" },
        forwarder: if !sent_on {
            b""
        } else if user_number.is_empty() {
            address::user(record.redirecting)
        } else {
            user_number
        },
        account: if record.account.is_empty() { record.authorization } else { record.account },
        ingress,
        egress,
        ends,
        kind: kind(record, is_call, direction).map_err(|reason| fault(reason, field::LOCAL_ID))?,
        ..*cdr
    };
    Ok(())
}

/// Never below zero: a clock may step back by a second.
fn between(from: Stamp, until: Stamp) -> Duration {
    match (from, until) {
        (Stamp::Instant(from), Stamp::Instant(until)) => until.since(from).max(Duration::ZERO),
        _ => Duration::ZERO,
    }
}

fn kind<'a>(record: &Record<'a>, is_call: bool, direction: Direction) -> Result<Kind<'a>, RejectReason> {
    if record.charge.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'n')) {
        return Ok(Kind::NotACall(NotACall::Omitted));
    }
    let (local, remote) = (record.local_id, record.remote_id);
    if local.is_empty() {
        return if is_call { Ok(Kind::Call) } else { Err(RejectReason::FieldMissing) };
    }
    // Ids begin anew when the server restarts, so the start goes with them where both records have the same.
    let group: Group<'a> =
        if remote.is_empty() { [local, record.start, b""] } else { [local.min(remote), local.max(remote), b""] };
    let role = match (is_call, remote.is_empty()) {
        (false, _) => PartRole::Interim,
        (true, true) => PartRole::Final,
        (true, false) => PartRole::Leg { rank: u8::from(direction == Direction::Terminating) },
    };
    Ok(Kind::Part(Part { group, role }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Originating,
    Terminating,
    Untold,
}

impl Direction {
    fn of(record: &Record<'_>) -> Self {
        match record.direction.first() {
            Some(b'O' | b'o') => Self::Originating,
            Some(b'T' | b't') => Self::Terminating,
            _ if record.user_number.is_empty() => Self::Untold,
            _ if record.user_number == record.calling => Self::Originating,
            _ if record.user_number == record.called => Self::Terminating,
            _ => Self::Untold,
        }
    }
}

/// Where the party is that the record's user talked to.
fn other_end(record: &Record<'_>) -> End {
    let says = |word: &str| {
        [record.network, record.as_call_type, record.route, record.category]
            .iter()
            .any(|text| text.eq_ignore_ascii_case(word.as_bytes()))
    };
    if says("private") || says("Group") || says("Enterprise") {
        End::Inside
    } else if says("public") || says("Network") {
        End::Outside
    } else {
        End::Untold
    }
}

/// Whether a route names a host, rather than a word such as `Group`.
fn address_like(route: &[u8]) -> bool {
    route.iter().any(|byte| matches!(byte, b'.' | b':'))
}

#[cfg(test)]
mod tests;
