//! Oracle (Acme Packet) session border controllers: the CSV files of local CDRs.
//!
//! Source: Oracle, "Session Border Controller Accounting Guide", appendix "Comma-Delimited Entries for Local Files".
//!
//! Rules where the format leaves a choice:
//!
//! - **Records**: Stop is a call, Interim waits for the Stop of the same session, Start is an event. A Stop stands in the
//!   same place up to column 23 in every release; what comes behind (175, 269 or any other number of columns) is not read.
//! - **Times** have the name of a zone. `UTC` and `GMT` say the moment. Any other name is no zone but an abbreviation, which
//!   several countries may use: the time is read on the clock of the source's zone, and names that mean one thing alone are
//!   evidence ([`Cdr::epoch`]) for the hour that autumn repeats, and against a zone set wrongly.
//! - **Answered** is a connect time that is set (`00:00:00.000 … JAN 01 1970` is not) and a session time above zero.
//! - **Talk** is `Acct-Session-Time`, in seconds or, where the controller is told so, in milliseconds: which of them, disconnect
//!   less connect shows.
//! - **Numbers** are SIP addresses whose display names have quotes that nobody escaped: a field ends at a quote before a comma.
//! - **Key**: session id, ingress and egress Call-ID, set-up, connect and disconnect time.

mod clock;

use std::sync::Arc;

use super::fields::{Fields, Reading as Quotes, Shape};
use super::reader::{FileError, Notes, Options};
use super::records::{Framing, LineEnd};
use super::switch::{Entry, Head, Opened, Scratch, Sign, Switch};
use super::times::{self, LastDay, MAX_DURATION};
use super::{Cdr, Fault, Kind, NotACall, Part, PartRole, RejectReason, Stamp, address};
use crate::source::RecordId;
use crate::time::{Duration, Instant};

use clock::{Moment, moment};

pub(super) const ENTRY: Entry = Entry { layouts: &["local_cdr"], open, recognise };

#[derive(Debug)]
struct Acme {
    line_end: LineEnd,
    notes: Notes,
}

/// `Acct-Status-Type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Start,
    Stop,
    Interim,
}

/// Columns that stand in the same place in every record, and those that do not (counted from 0).
const SESSION: u16 = 3;
const INGRESS_CALL: u16 = 4;
const EGRESS_CALL: u16 = 5;
const FORKED_CALL: u16 = 7;
const CALLING: u16 = 9;
const CALLED: u16 = 10;
const SESSION_TIME: u16 = 12;

impl Status {
    fn of(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"1" => Self::Start,
            b"2" => Self::Stop,
            b"3" => Self::Interim,
            _ => return None,
        })
    }

    /// Where the set-up time is; the connect time is behind it, and a Stop has the disconnect time behind that.
    const fn setup(self) -> u16 {
        if matches!(self, Self::Stop) { 13 } else { 11 }
    }

    /// The realm that the call went out to; the one it came from is behind it.
    const fn egress_realm(self) -> u16 {
        if matches!(self, Self::Stop) { 21 } else { 17 }
    }
}

fn open(head: Head<'_>, _options: &Options) -> Result<Opened, FileError> {
    let mut fields = Fields::new();
    let mut lines = head.lines();
    let first = lines.clone().next();
    if let Some(first) = first
        && !lines.any(|line| split(line, &mut fields).is_ok())
    {
        let _ = fields.split(first, Quotes::LastQuoteCloses);
        return Err(FileError::UnknownLayout { columns: fields.count() });
    }
    let notes = learn_zone(head, &mut fields);
    Ok(Opened { switch: Arc::new(Acme { line_end: head.line_end, notes }), header_lines: 0 })
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let mut fields = Fields::new();
    let is_record = |line| {
        split(line, &mut fields).is_ok_and(|status| {
            moment(fields.get(line, status.setup()), &mut LastDay::default())
                .is_ok_and(|setup| matches!(setup, Moment::At { .. }))
        })
    };
    head.lines().take(50).any(is_record).then(|| {
        Sign::new(
            "local_cdr",
            95,
            "status, session and a set-up time such as `15:54:56.868 PST DEC 18 2017` stand where Oracle's controllers write them",
        )
    })
}

/// The clock less UTC, as the names of zones tell.
fn learn_zone(head: Head<'_>, fields: &mut Fields) -> Notes {
    let mut offsets: Vec<(i64, Instant)> = Vec::new();
    for line in head.lines() {
        let Ok(status) = split(line, fields) else { continue };
        if let Ok(Moment::At { stamp: Stamp::Local(local), epoch: Some(epoch) }) =
            moment(fields.get(line, status.setup()), &mut LastDay::default())
        {
            offsets.push((local.as_millis() - epoch.as_millis(), epoch));
        }
    }
    offsets.sort_unstable();
    let Some((offset, at)) = offsets.get(offsets.len() / 2) else { return Notes::default() };
    Notes {
        epoch_offset_minutes: i32::try_from(offset.div_euclid(60_000)).ok(),
        epoch_evidence: u32::try_from(offsets.len()).unwrap_or(u32::MAX),
        epoch_at: Some(*at),
        ..Notes::default()
    }
}

/// Splits a record by the first reading of its quotes that puts times where times belong, and says what it is. If none does, by
/// the first that gives enough columns.
fn split(text: &[u8], fields: &mut Fields) -> Result<Status, RejectReason> {
    let mut wide_enough = None;
    let mut reason = RejectReason::ColumnCount;
    for quotes in [Quotes::LastQuoteCloses, Quotes::FirstQuoteCloses, Quotes::Literal] {
        let shape = fields.split(text, quotes)?;
        if shape == Shape::Open {
            reason = RejectReason::QuoteNotClosed;
            continue;
        }
        let status = Status::of(fields.get(text, 0)).ok_or(RejectReason::DispositionUnknown)?;
        // A column behind the realms shows that they are whole.
        let is_wide = fields.count() > usize::from(status.egress_realm()) + 2;
        match shape {
            Shape::Regular if is_wide => return Ok(status),
            Shape::Regular => return Err(RejectReason::ColumnCount),
            _ if is_wide && has_times(text, fields, status) => return Ok(status),
            _ if is_wide && wide_enough.is_none() => wide_enough = Some((quotes, status)),
            _ => {}
        }
    }
    let Some((quotes, status)) = wide_enough else { return Err(reason) };
    fields.split(text, quotes)?;
    Ok(status)
}

/// Whether every column of a time has one. A column too many or too few before them would shift them.
fn has_times(text: &[u8], fields: &Fields, status: Status) -> bool {
    let setup = status.setup();
    let last = if status == Status::Stop { setup + 2 } else { setup + 1 };
    (setup..=last).all(|column| moment(fields.get(text, column), &mut LastDay::default()).is_ok())
}

impl Switch for Acme {
    fn layout_name(&self) -> &str {
        "local_cdr"
    }

    fn framing(&self) -> Framing {
        Framing::Lines(self.line_end)
    }

    fn notes(&self) -> Notes {
        self.notes
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let Scratch { fields, last_day, .. } = scratch;
        let status = split(text, fields).map_err(|reason| match reason {
            RejectReason::DispositionUnknown => Fault::column(reason, 0),
            reason => Fault::record(reason),
        })?;
        let field = |column| fields.get(text, column);
        let session = field(SESSION);
        let setup_column = status.setup();
        let (connect_column, end_column) = (setup_column + 1, setup_column + 2);
        let mut read = |column| moment(field(column), last_day).map_err(Fault::in_column(column));
        let (setup, epoch) = match read(setup_column)? {
            Moment::At { stamp, epoch } => (stamp, epoch),
            Moment::Never if field(setup_column).is_empty() => {
                return Err(Fault::column(RejectReason::FieldMissing, setup_column));
            }
            Moment::Never => return Err(Fault::column(RejectReason::TimeImplausible, setup_column)),
        };
        let stamp = |moment| if let Moment::At { stamp, .. } = moment { Some(stamp) } else { None };
        let connect = stamp(read(connect_column)?);
        let realm = status.egress_realm();
        *cdr = Cdr {
            call_id: session,
            setup: Some(setup),
            epoch,
            calling: address::user(field(CALLING)),
            dialled: address::user(field(CALLED)),
            ingress: field(realm + 1),
            egress: field(realm),
            ..Cdr::blank(id, raw)
        };
        let group = [session, field(INGRESS_CALL), field(FORKED_CALL)];
        if status == Status::Start {
            cdr.kind = Kind::NotACall(NotACall::Event);
            return Ok(());
        }
        if session.is_empty() {
            return Err(Fault::column(RejectReason::FieldMissing, SESSION));
        }
        if status == Status::Interim {
            (cdr.answer, cdr.kind) = (connect, Kind::Part(Part { group, role: PartRole::Interim }));
            return Ok(());
        }

        let end = stamp(read(end_column)?);
        let counted = times::integer(field(SESSION_TIME));
        let talk = match (connect, counted, end) {
            (None, ..) => Duration::ZERO,
            (Some(_), None, _) if field(SESSION_TIME).is_empty() => {
                return Err(Fault::column(RejectReason::FieldMissing, SESSION_TIME));
            }
            (Some(_), None, _) => return Err(Fault::column(RejectReason::DurationMalformed, SESSION_TIME)),
            (Some(connect), Some(counted), end) => counted_talk(counted, connect, end)
                .ok_or(Fault::column(RejectReason::DurationImplausible, SESSION_TIME))?,
        };
        let duration = end.and_then(|end| apart(setup, end)).filter(|duration| *duration >= Duration::ZERO);
        if let Some(end) = end
            && !times::may_follow(setup, end, Some(talk))
        {
            return Err(Fault::column(RejectReason::EndBeforeStart, end_column));
        }
        let times = [field(setup_column), field(connect_column), field(end_column)];
        *cdr = Cdr {
            key: [session, field(INGRESS_CALL), field(EGRESS_CALL), times[0], times[1], times[2]],
            answer: connect,
            end,
            duration,
            talk,
            answered: talk > Duration::ZERO,
            kind: Kind::Part(Part { group, role: PartRole::Final }),
            ..*cdr
        };
        Ok(())
    }
}

/// On one clock the time between two stamps; `None` if they are on different ones.
fn apart(from: Stamp, until: Stamp) -> Option<Duration> {
    match (from, until) {
        (Stamp::Instant(from), Stamp::Instant(until)) => Some(until.since(from)),
        (Stamp::Local(from), Stamp::Local(until)) => {
            Some(Duration::from_millis(until.as_millis().saturating_sub(from.as_millis())))
        }
        _ => None,
    }
}

/// The session time as a duration: seconds, unless it is what the times say, to two seconds, in milliseconds and not in seconds.
fn counted_talk(counted: i64, connect: Stamp, end: Option<Stamp>) -> Option<Duration> {
    let (seconds, millis) = (Duration::from_seconds(counted), Duration::from_millis(counted));
    let off = |talk: Duration, by: Duration| talk.as_millis().saturating_sub(by.as_millis()).saturating_abs();
    let talk = match end.and_then(|end| apart(connect, end)) {
        Some(between) if off(millis, between) <= 2_000 && off(millis, between) < off(seconds, between) => millis,
        _ => seconds,
    };
    (talk <= MAX_DURATION).then_some(talk)
}

#[cfg(test)]
mod tests;
