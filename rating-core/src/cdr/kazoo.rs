//! Kazoo: the CSV and JSON that its API gives, and the documents in its databases.
//!
//! Sources: the Kazoo project's documentation of `/cdrs` and its `cdrs` schema.
//!
//! Rules where the format leaves a choice:
//!
//! - **One record a leg.** Legs of one interaction (`interaction_id`, else each other's `call_id`) are one call, for which a
//!   leg that came into the switch (`inbound`) stands: the caller's.
//! - **Answered** is `billing_seconds` above zero; they are the talk time, in whole seconds.
//! - **Times** are seconds since the year 0, in UTC. In CSV and in listings `timestamp` is the set-up; in a database's
//!   document it is the end, and the set-up is that less `duration_seconds`. The answer is reckoned: end less talk.
//! - **Caller's side**, of an `inbound` leg: inside if a device or user was authorized (`authorizing_id`, `owner_id`), else
//!   outside; and what came from outside is taken to have stayed inside, for a leg that a user's forwarding adds is
//!   another record.
//! - **Dialled** is `dialed_number`, else the user in `request` (`inbound`) or in `to`.

mod csv;
mod document;

use std::sync::Arc;

use super::reader::{FileError, Options};
use super::records::Framing;
use super::switch::{Entry, Head, Opened, Sign};
use super::times::{self, Reading};
use super::{Cdr, End, Fault, Kind, Part, PartRole, RejectReason, Stamp, address};
use crate::source::RecordId;
use crate::time::{Duration, Instant};

use csv::Csv;
use document::Documents;

pub(super) const ENTRY: Entry = Entry { layouts: &["csv", "csv_reseller", "json"], open, recognise };

/// From the year 0 to 1970, in seconds.
const GREGORIAN_TO_UNIX: i64 = 62_167_219_200;

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let first = head.text().trim_ascii_start().first().copied();
    match (options.layout.as_deref(), first) {
        (Some("json"), _) | (None, Some(b'{' | b'[')) => {
            if let Some(list) = document::list_inside(head.text()) {
                return Err(FileError::Unreadable {
                    what: format!("is one JSON object with all calls in its `{list}`"),
                    help: match list {
                        "data" => {
                            "take the calls out of it: `jq -c '.data[]'`; or ask the API for `text/csv`".to_owned()
                        }
                        _ => "take the documents out of it: `jq -c '.rows[].doc'`".to_owned(),
                    },
                });
            }
            Ok(Opened { switch: Arc::new(Documents), header_lines: 0 })
        }
        (layout, _) => {
            let (csv, header_lines) = Csv::open(head, layout)?;
            Ok(Opened { switch: Arc::new(csv), header_lines })
        }
    }
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    if matches!(head.text().trim_ascii_start().first(), Some(b'{' | b'[')) {
        let because = "JSON with `call_id`, a direction and what else Kazoo's call detail records have";
        let mut documents = head.records(Framing::Json).take(5);
        let found = document::is_list(head.text()) || documents.any(document::is_document);
        return found.then(|| Sign::new("json", 92, because));
    }
    csv::recognise(head)
}

/// What a leg says, in either form, before it is judged.
#[derive(Clone, Copy, Default)]
struct LegFields<'a> {
    call_id: &'a [u8],
    interaction: &'a [u8],
    other_leg: &'a [u8],
    direction: &'a [u8],
    caller: &'a [u8],
    callee: &'a [u8],
    dialled: &'a [u8],
    request: &'a [u8],
    to: &'a [u8],
    from: &'a [u8],
    timestamp: &'a [u8],
    duration: &'a [u8],
    billing: &'a [u8],
    authorizing: &'a [u8],
    owner: &'a [u8],
    account: &'a [u8],
    /// Whether the time stamp is that of the end.
    ends_at: bool,
}

/// Where the fields of a leg stand, for naming the one at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Places {
    timestamp: u16,
    duration: u16,
    billing: u16,
}

impl<'a> LegFields<'a> {
    fn into_cdr(
        self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        places: Places,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let written = match self.timestamp {
            b"" | b"0" => return Err(Fault::column(RejectReason::FieldMissing, places.timestamp)),
            digits => gregorian(digits).map_err(Fault::in_column(places.timestamp))?,
        };
        let duration = times::seconds(self.duration).map_err(Fault::in_column(places.duration))?;
        let talk = times::seconds(self.billing).map_err(Fault::in_column(places.billing))?.unwrap_or(Duration::ZERO);
        let (setup, end) = match (duration, self.ends_at) {
            (Some(duration), true) => (written.plus(Duration::from_millis(-duration.as_millis())), Some(written)),
            (Some(duration), false) => (written, Some(written.plus(duration))),
            // Without its length nobody knows when the call began.
            (None, true) => return Err(Fault::column(RejectReason::FieldMissing, places.duration)),
            (None, false) => (written, None),
        };
        let answered = talk > Duration::ZERO;
        let ringing = duration.map_or(0, |duration| (duration.as_millis() - talk.as_millis()).max(0));
        let came_in = self.direction == b"inbound";
        let is_inside = !self.authorizing.is_empty() || !self.owner.is_empty();
        let dialled = match self.dialled {
            b"" if came_in && !self.request.is_empty() => address::user(self.request),
            b"" => address::user(self.to),
            dialled => dialled,
        };
        *cdr = Cdr {
            call_id: self.call_id,
            key: if self.call_id.is_empty() {
                [text, b"", b"", b"", b"", b""]
            } else {
                [self.call_id, self.interaction, self.direction, self.timestamp, self.duration, self.billing]
            },
            setup: Some(Stamp::Instant(setup)),
            answer: answered.then(|| Stamp::Instant(setup.plus(Duration::from_millis(ringing)))),
            end: end.map(Stamp::Instant),
            duration,
            talk,
            answered,
            calling: address::user(self.caller),
            peer: if came_in && is_inside { address::user(self.from) } else { b"" },
            dialled,
            reached: address::user(self.callee),
            account: self.account,
            ends: match (came_in, is_inside) {
                (true, true) => [End::Inside, End::Untold],
                (true, false) => [End::Outside, End::Inside],
                (false, _) => [End::Untold; 2],
            },
            kind: self.kind(came_in),
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }

    fn kind(&self, came_in: bool) -> Kind<'a> {
        let group = if !self.interaction.is_empty() {
            [self.interaction, b"", b""]
        } else if !self.other_leg.is_empty() && !self.call_id.is_empty() {
            [self.call_id.min(self.other_leg), self.call_id.max(self.other_leg), b""]
        } else {
            return Kind::Call;
        };
        Kind::Part(Part { group, role: PartRole::Leg { rank: u8::from(!came_in) } })
    }
}

/// A moment in seconds since the year 0.
fn gregorian(text: &[u8]) -> Result<Instant, RejectReason> {
    let seconds = times::integer(text).ok_or(RejectReason::TimeMalformed)?;
    match times::epoch(seconds - GREGORIAN_TO_UNIX, 0)? {
        Reading::At(Stamp::Instant(instant)) => Ok(instant),
        _ => Err(RejectReason::TimeImplausible),
    }
}

#[cfg(test)]
mod tests;
