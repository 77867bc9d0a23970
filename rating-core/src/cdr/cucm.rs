//! Cisco Unified Communications Manager: CDR flat files.
//!
//! Source: Cisco, "Call Detail Records Administration Guide" (field tables, redirect reason codes, OnBehalfOf codes).
//! Columns are read by name, in any case and order; unknown ones are passed over.
//!
//! Rules where the format leaves a choice:
//!
//! - **Answered** is `dateTimeConnect` other than 0 and `duration` above zero. `duration` is what is billed, also where
//!   it differs from disconnect less connect.
//! - **Dialled** is `originalCalledPartyNumber`, **reached** `finalCalledPartyNumber`; either stands in for the other
//!   where that is empty. Patterns such as `+[1-9]XXXX!` are not numbers and count as empty.
//! - **Forwarder** is `lastRedirectDn`, if it is a number other than `finalCalledPartyNumber` and the redirect was a
//!   forward or transfer: by its reason (forward, deflection, transfer, immediate divert, …) or by who asked for it
//!   (forward, transfer, immediate divert, refer, redirection, mobility). Where neither is known (both 0), it is one if
//!   it also differs from `originalCalledPartyNumber`: then the call passed through a third party. Hunt groups, pickup
//!   and park are no forward: the call was distributed or fetched, not sent on.
//! - **Account** is `authorizationCodeValue`, else `authCodeDescription`, else `clientMatterCode`.
//! - **Recording**: redirected on behalf of 27, or with reason 354. Looked at before conferences, because recorders
//!   also call from a bridge's number.
//! - **Conference**: a bridge's number (`b00…`, older `b` and digits) as final, calling, original or last redirecting
//!   number. The participant is the party that is no bridge; the controller is `lastRedirectDn` if that is a number
//!   other than the final one, else `ConfControllerDn` in `comment`.
//! - **Split**: cause 393216 (call split) on either side. The parties' legs (`origLegCallIdentifier`, `destLegIdentifier`,
//!   with the cluster) go on in other records: a transferred call, conference legs.
//! - **Joined**: `joinOnBehalfOf` or the last redirect is a transfer (10), or its reason is one (4, 18, 130). The calling
//!   party of such a record may have been called: its leg tells.
//! - **Key**: `pkid`; where that is empty, cluster, call manager, call id, leg and set-up.

mod header;

use crate::source::RecordId;
use crate::time::Duration;

use header::{Columns, Header};

use super::fields::{Fields, Reading as Quotes, Shape};
use super::reader::FileError;
use super::switch::{Head, Sign};
use super::times::{self, Reading};
use super::{Cdr, Fault, Kind, LegId, NotACall, RejectReason};

/// OnBehalfOf codes that send a call on: call forward, transfer, immediate divert, refer, redirection, mobility.
const SENT_ON_BEHALF_OF: [i64; 6] = [5, 10, 14, 17, 19, 24];

/// Redirect reasons that send a call on: forward busy, no answer, transfer, CPE out of order, forward, forward all,
/// deflection, blind transfer, immediate divert, forward alternate party, forward on failure, refer, replaces,
/// redirection, the greetings of SIP forwarding (busy, follow me, out of service, time of day, do not disturb,
/// unavailable, away), forward unregistered, mobility follow me.
const SENT_ON_REASONS: [i64; 23] =
    [1, 2, 4, 9, 10, 15, 18, 34, 50, 66, 82, 130, 146, 162, 177, 178, 207, 209, 239, 242, 257, 274, 335];

/// OnBehalfOf code of transfers.
const TRANSFER_ON_BEHALF_OF: i64 = 10;

/// Redirect reasons of transfers: transfer, deflection, refer.
const TRANSFER_REASONS: [i64; 3] = [4, 18, 130];

/// The cause of a call whose legs go on in others.
const CALL_SPLIT: i64 = 393_216;

const RECORDING_ON_BEHALF_OF: i64 = 27;
const RECORDING_REASON: i64 = 354;

/// What is known of a file before its records are read.
#[derive(Clone, Debug)]
pub(super) struct Cucm {
    columns: Columns,
    width: usize,
    quality: bool,
}

/// Whether the beginning of a file looks like CUCM's.
pub(super) fn recognise(head: Head<'_>) -> Option<Sign> {
    let first = head.records(head.quoted(b',')).next()?;
    Some(match header::read(first, &mut Fields::new())? {
        Header::Types => {
            Sign::new("types", 95, "the first line has nothing but types, such as CUCM writes under the names")
        }
        Header::Names { .. } => {
            Sign::new("names", 100, "the first line has CUCM's column names, `cdrRecordType` the first of them")
        }
        Header::QualityNames { .. } => {
            Sign::new("quality_records", 100, "the first line has the column names of CUCM's quality records")
        }
    })
}

/// Whether the line is one of CUCM's header lines: names of CDRs or quality records, or types.
pub(super) fn is_header(raw: &[u8], fields: &mut Fields) -> bool {
    header::read(raw, fields).is_some()
}

impl Cucm {
    /// Reads the header from the first two lines. Also says how many header lines there are.
    pub(super) fn open<'r>(
        mut lines: impl Iterator<Item = &'r [u8]>,
        fields: &mut Fields,
    ) -> Result<(Self, usize), FileError> {
        let Some(first) = lines.next() else {
            return Ok((Self { columns: Columns::NONE, width: 0, quality: false }, 0));
        };
        let (columns, width, quality) = match header::read(first, fields) {
            None => return Err(FileError::HeaderMissing),
            Some(Header::Types) => return Err(FileError::TypesOnlyHeader),
            Some(Header::Names { columns, width }) => (columns, width, false),
            Some(Header::QualityNames { columns, width }) => (columns, width, true),
        };
        if !quality && let Some(column) = columns.missing() {
            return Err(FileError::ColumnMissing { column });
        }
        let has_types = lines.next().is_some_and(|second| matches!(header::read(second, fields), Some(Header::Types)));
        Ok((Self { columns, width, quality }, 1 + usize::from(has_types)))
    }

    pub(super) const fn layout_name(&self) -> &'static str {
        if self.quality { "cucm_quality" } else { "cucm" }
    }

    pub(super) const fn is_quality_file(&self) -> bool {
        self.quality
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// Whether a header line in the middle of the file names the columns this file has.
    pub(super) fn is_same_header(&self, raw: &[u8], fields: &mut Fields) -> Option<bool> {
        Some(match header::read(raw, fields)? {
            Header::Types => true,
            Header::Names { columns, width } => !self.quality && columns == self.columns && width == self.width,
            // Among CDRs the quality records behind it are told by their record type.
            Header::QualityNames { columns, width } => {
                !self.quality || (columns == self.columns && width == self.width)
            }
        })
    }

    /// Splits a record into the columns of the header; a last empty column may be one too many.
    #[inline]
    fn split(&self, raw: &[u8], fields: &mut Fields) -> Result<(), Fault> {
        let first = fields.split(raw, Quotes::FirstQuoteCloses).map_err(Fault::record)?;
        if first != Shape::Open && self.fits(raw, fields) {
            return Ok(());
        }
        if first != Shape::Regular {
            for reading in [Quotes::LastQuoteCloses, Quotes::Literal] {
                let again = fields.split(raw, reading).map_err(Fault::record)?;
                if again != Shape::Open && self.fits(raw, fields) {
                    return Ok(());
                }
            }
        }
        Err(Fault::record(if first == Shape::Open { RejectReason::QuoteNotClosed } else { RejectReason::ColumnCount }))
    }

    fn fits(&self, raw: &[u8], fields: &Fields) -> bool {
        let last = u16::try_from(self.width).unwrap_or(u16::MAX);
        fields.count() == self.width || (fields.count() == self.width + 1 && fields.get(raw, last).is_empty())
    }

    /// Reads one record.
    #[inline]
    pub(super) fn parse<'a>(
        &self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        fields: &mut Fields,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        if self.quality || text.starts_with(b"2,") || text.starts_with(b"\"2\",") {
            return self.quality_record((id, raw), text, fields, cdr);
        }
        self.split(text, fields)?;
        let columns = &self.columns;
        let field = |column: u16| fields.get(text, column);
        let number_in = |column: u16| match field(column) {
            [] => Ok(0),
            digits => times::integer(digits).ok_or(Fault::column(RejectReason::NumberMalformed, column)),
        };
        let moment = |column: u16| {
            let seconds = match field(column) {
                [] => 0,
                digits => times::integer(digits).ok_or(Fault::column(RejectReason::TimeMalformed, column))?,
            };
            match times::epoch(seconds, 0).map_err(Fault::in_column(column))? {
                Reading::At(stamp) => Ok(Some(stamp)),
                Reading::Empty => Ok(None),
                Reading::Unset => Err(Fault::column(RejectReason::TimeImplausible, column)),
            }
        };

        let Some(setup) = moment(columns.origination)? else {
            return Err(Fault::column(RejectReason::FieldMissing, columns.origination));
        };
        let answer = moment(columns.connect)?;
        let end = moment(columns.disconnect)?;
        let talk = times::seconds(field(columns.duration)).map_err(Fault::in_column(columns.duration))?;
        if let Some(end) = end
            && !(times::may_follow(setup, end, None)
                && answer.is_none_or(|answer| times::may_follow(answer, end, None)))
        {
            return Err(Fault::column(RejectReason::EndBeforeStart, columns.disconnect));
        }
        if answer.is_some_and(|answer| !times::may_be_answered_at(setup, answer, None)) {
            return Err(Fault::column(RejectReason::TimeImplausible, columns.connect));
        }
        let talk = match talk {
            Some(talk) => talk,
            None if answer.is_none() => Duration::ZERO,
            None => return Err(Fault::column(RejectReason::FieldMissing, columns.duration)),
        };
        if number_in(columns.record_type)? > 1 {
            return Err(Fault::column(RejectReason::NumberMalformed, columns.record_type));
        }

        let calling = number(field(columns.calling));
        let original = number(field(columns.original_called));
        let last = number(field(columns.final_called));
        let redirecting = number(field(columns.last_redirect));
        let redirect = Redirect {
            original_on_behalf_of: number_in(columns.original_on_behalf_of)?,
            last_on_behalf_of: number_in(columns.last_on_behalf_of)?,
            original_reason: number_in(columns.original_reason)?,
            last_reason: number_in(columns.last_reason)?,
        };
        let cluster = field(columns.cluster);
        let leg_in = |column: u16| match field(column) {
            [] | b"0" => [&[][..]; 2],
            leg => [cluster, leg],
        };
        let legs = [leg_in(columns.leg), leg_in(columns.destination_leg)];
        let kind = if redirect.is_recording() {
            Kind::NotACall(NotACall::Recording)
        } else if let Some(conference) = conference(calling, original, last, redirecting, field(columns.comment), legs)
        {
            conference
        } else if redirect.is_transfer() || number_in(columns.join_on_behalf_of)? == TRANSFER_ON_BEHALF_OF {
            Kind::Joined { leg: legs[0] }
        } else if number_in(columns.origin_cause)? == CALL_SPLIT || number_in(columns.destination_cause)? == CALL_SPLIT
        {
            Kind::Split { legs }
        } else {
            Kind::Call
        };
        let reached = if last.is_empty() { original } else { last };
        let pkid = field(columns.pkid);
        *cdr = Cdr {
            id,
            raw,
            call_id: pkid,
            key: if pkid.is_empty() {
                [
                    b"",
                    field(columns.cluster),
                    field(columns.call_manager),
                    field(columns.call),
                    field(columns.leg),
                    field(columns.origination),
                ]
            } else {
                [pkid, b"", b"", b"", b"", b""]
            },
            setup: Some(setup),
            answer,
            end,
            epoch: None,
            duration: None,
            talk,
            answered: answer.is_some() && talk > Duration::ZERO,
            calling,
            peer: &[],
            dialled: if original.is_empty() { last } else { original },
            reached,
            outpulsed: number(field(columns.outpulsed)),
            forwarder: if redirect.was_sent_on(redirecting, original, reached) { redirecting } else { &[] },
            account: [columns.authorization_code, columns.authorization_name, columns.matter_code]
                .into_iter()
                .map(field)
                .find(|code| !code.is_empty())
                .unwrap_or(&[]),
            context: &[],
            ingress: field(columns.origin_device),
            egress: field(columns.destination_device),
            partitions: columns.has_partitions().then(|| {
                let called = field(columns.final_partition);
                let called = if last.is_empty() { field(columns.original_partition) } else { called };
                (field(columns.calling_partition), called)
            }),
            kind,
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }

    /// A quality record (CMR): recognised, not read. Among CDRs its columns are not known, and the record is its own key.
    fn quality_record<'a>(
        &self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        fields: &mut Fields,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        if self.quality {
            self.split(text, fields)?;
            if fields.get(text, self.columns.record_type) != b"2" {
                return Err(Fault::column(RejectReason::NumberMalformed, self.columns.record_type));
            }
        } else if fields.split(text, Quotes::FirstQuoteCloses).map_err(Fault::record)? == Shape::Open {
            return Err(Fault::record(RejectReason::QuoteNotClosed));
        }
        let pkid = if self.quality { fields.get(text, self.columns.pkid) } else { &[] };
        let setup = times::integer(fields.get(text, self.columns.quality_stamp)).filter(|_| self.quality);
        let setup = setup.and_then(|seconds| times::epoch(seconds, 0).ok()).and_then(|reading| match reading {
            Reading::At(stamp) => Some(stamp),
            Reading::Empty | Reading::Unset => None,
        });
        *cdr = Cdr {
            call_id: pkid,
            key: [if pkid.is_empty() { raw } else { pkid }, b"", b"", b"", b"", b""],
            setup,
            kind: Kind::NotACall(NotACall::QualityRecord),
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }
}

struct Redirect {
    original_on_behalf_of: i64,
    last_on_behalf_of: i64,
    original_reason: i64,
    last_reason: i64,
}

impl Redirect {
    const fn is_recording(&self) -> bool {
        self.original_on_behalf_of == RECORDING_ON_BEHALF_OF
            || self.last_on_behalf_of == RECORDING_ON_BEHALF_OF
            || self.original_reason == RECORDING_REASON
            || self.last_reason == RECORDING_REASON
    }

    fn is_transfer(&self) -> bool {
        self.last_on_behalf_of == TRANSFER_ON_BEHALF_OF || TRANSFER_REASONS.contains(&self.last_reason)
    }

    /// Whether `redirecting` sent the call on to `reached`.
    fn was_sent_on(&self, redirecting: &[u8], original: &[u8], reached: &[u8]) -> bool {
        if redirecting.is_empty() || redirecting == reached || is_bridge(redirecting) {
            return false;
        }
        if SENT_ON_BEHALF_OF.contains(&self.last_on_behalf_of) || SENT_ON_REASONS.contains(&self.last_reason) {
            return true;
        }
        self.last_on_behalf_of == 0 && self.last_reason == 0 && redirecting != original
    }
}

/// A conference leg, if a bridge is one of its parties.
fn conference<'a>(
    calling: &'a [u8],
    original: &'a [u8],
    last: &'a [u8],
    redirecting: &'a [u8],
    comment: &'a [u8],
    [calling_leg, called_leg]: [LegId<'a>; 2],
) -> Option<Kind<'a>> {
    if ![calling, original, last, redirecting].into_iter().any(is_bridge) {
        return None;
    }
    let called = if last.is_empty() { original } else { last };
    // Whoever reached the bridge, or was reached from it, or (bridge only in passing) was joined to the caller.
    let (participant, leg) = if is_bridge(called) { (calling, calling_leg) } else { (called, called_leg) };
    let participant = if is_bridge(participant) { &[] } else { participant };
    // As ever, lastRedirectDn that is finalCalled says nothing.
    let controller = if redirecting.is_empty() || redirecting == called || is_bridge(redirecting) {
        in_comment(comment, b"ConfControllerDn")
    } else {
        redirecting
    };
    Some(Kind::Conference { controller, participant, leg })
}

/// Whether it is the number of a conference bridge: `b` and at least three digits.
#[inline]
fn is_bridge(number: &[u8]) -> bool {
    match number {
        [b'b' | b'B', digits @ ..] => digits.len() >= 3 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The value of `name` in `ConfControllerDn=1000;ConfControllerDeviceName=SEP…;ConfRequestorDn=…`. May be empty.
fn in_comment<'a>(comment: &'a [u8], name: &[u8]) -> &'a [u8] {
    use nom::Parser;
    use nom::bytes::complete::{tag_no_case, take_till};
    use nom::character::complete::char;
    use nom::sequence::preceded;
    comment
        .split(|byte| *byte == b';')
        .find_map(|part| {
            let mut value =
                preceded((tag_no_case::<_, _, nom::error::Error<_>>(name), char('=')), take_till(|byte| byte == b';'));
            value.parse(part.trim_ascii_start()).ok().map(|(_, value)| value)
        })
        .unwrap_or(&[])
}

/// A party's number; empty if the switch wrote a pattern instead: `+[1-9]XXXX!`, `9.@`, `XXXX`.
#[inline]
fn number(text: &[u8]) -> &[u8] {
    if text.iter().all(u8::is_ascii_digit) {
        return text;
    }
    let bracketed = text.iter().any(|byte| matches!(byte, b'[' | b']' | b'!'));
    let wild = text.iter().any(|byte| matches!(byte, b'X'))
        && text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'X' | b'+' | b'\\' | b'.' | b'*' | b'#'));
    if bracketed || wild { &[] } else { text }
}

#[cfg(test)]
mod tests;
