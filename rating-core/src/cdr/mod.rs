//! Ground floor: bytes of a switch's file to [`Cdr`]s.
//!
//! A parser borrows: a [`Cdr`] points into the buffer it was read from and owns nothing. It never panics and never stops
//! at a bad record: what cannot be read becomes a [`Reject`] with its place and reason, and reading goes on with the
//! next record. Nothing here knows numbering plans, payers or prices; zones are applied by `mediation`.
//!
//! [`open`] looks at the beginning of a file; the [`Reader`] it gives reads chunks of the file, on as many threads as one
//! likes, or one stored record again. [`records::split_point`] says where a file may be cut.

mod acc;
mod acme;
mod address;
pub mod asterisk;
mod broadworks;
mod cucm;
mod fields;
mod freeswitch;
mod grandstream;
mod ip_office;
mod json;
mod kazoo;
mod mitel;
mod reader;
pub mod records;
mod scan;
mod switch;
mod teams;
mod template;
mod three_cx;
mod times;
mod uk_wholesale;
mod word;
mod yeastar;

pub use reader::{FileError, Format, HEAD_BYTES, Notes, Options, Reader, Records, Skipped, open, recognise};
pub use switch::Sign;
pub use template::Template;
pub use times::{DateOrder, MAX_DURATION, is_plausible, may_follow};

use crate::source::RecordId;
use crate::time::{Duration, Instant, LocalTime};

/// UTF-8's byte order mark, which is passed over.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One record as the switch wrote it, read into the words of the trade. Text fields are the bytes inside the outer
/// quotes; doubled quotes inside stay doubled.
#[derive(Clone, Copy, Debug)]
pub struct Cdr<'a> {
    /// File and byte offset: the record's place in the canonical order.
    pub id: RecordId,
    /// The whole record without its line end.
    pub raw: &'a [u8],
    /// What identifies the record for a person: Asterisk `uniqueid`, CUCM `pkid`. May be empty.
    pub call_id: &'a [u8],
    /// The format's exact key: two records with equal parts are one record written twice.
    pub key: [&'a [u8]; 6],
    /// The set-up, where it belongs to that key as a time and not as a text: the same record resaved with its dates in
    /// another shape is the same record.
    pub key_at: Option<Stamp>,
    /// When the call was set up.
    pub setup: Option<Stamp>,
    /// When it was answered; `None` if never, or if the format does not say.
    pub answer: Option<Stamp>,
    /// When it ended.
    pub end: Option<Stamp>,
    /// Evidence of the set-up instant that needs no zone: the epoch in an Asterisk `uniqueid`.
    pub epoch: Option<Instant>,
    /// From set-up to end, as reported, if reported.
    pub duration: Option<Duration>,
    /// From answer to end, as reported: what is billed.
    pub talk: Duration,
    /// Whether the switch says that the call was answered.
    pub answered: bool,
    /// Calling number as written.
    pub calling: &'a [u8],
    /// The device or peer that placed the call, where the channel name tells: `114` of `SIP/114-000000c4`. May be empty.
    pub peer: &'a [u8],
    /// The digits keyed.
    pub dialled: &'a [u8],
    /// The number the call reached, where the format records it apart from `dialled`. May be empty.
    pub reached: &'a [u8],
    /// The digits sent to the carrier, where recorded (CUCM `outpulsedCalledPartyNumber`). May be empty.
    pub outpulsed: &'a [u8],
    /// Who sent the call on, where this record says so (CUCM `lastRedirectDn` of a real forward or transfer). May be empty.
    pub forwarder: &'a [u8],
    /// Account or authorization code. May be empty.
    pub account: &'a [u8],
    /// Context (Asterisk `dcontext`). May be empty.
    pub context: &'a [u8],
    /// Channel or device the call came in by. A name with `/` in it means that the format names both channels, and that an
    /// empty `egress` is a call that went nowhere; formats that do not name both leave both empty.
    pub ingress: &'a [u8],
    /// Channel or device it went out by. Empty if there was none.
    pub egress: &'a [u8],
    /// Where the switch says that the caller and the called party are, for formats that say so.
    pub ends: [End; 2],
    /// What the carrier charges for the call by this record (UK wholesale `Salesprice`, Teams `charge`), as written. May be
    /// empty. Never a retail price.
    pub carrier_price: &'a [u8],
    /// The currency of that, as written. May be empty.
    pub carrier_currency: &'a [u8],
    /// What a [`NotACall::Marker`] says of the file it stands in, for the check that files are whole.
    pub frame: Option<Frame>,
    /// Partition of the calling and of the called party (CUCM); `None` if the format has no partitions.
    pub partitions: Option<(&'a [u8], &'a [u8])>,
    /// What kind of record it is.
    pub kind: Kind<'a>,
}

impl<'a> Cdr<'a> {
    /// A record of which nothing is known but where it stands: unanswered, without numbers, its bytes its own key. Parsers
    /// fill in what the format tells.
    #[must_use]
    #[inline]
    pub const fn blank(id: RecordId, raw: &'a [u8]) -> Self {
        Self {
            id,
            raw,
            call_id: &[],
            key: [raw, &[], &[], &[], &[], &[]],
            key_at: None,
            setup: None,
            answer: None,
            end: None,
            epoch: None,
            duration: None,
            talk: Duration::ZERO,
            answered: false,
            calling: &[],
            peer: &[],
            dialled: &[],
            reached: &[],
            outpulsed: &[],
            forwarder: &[],
            account: &[],
            context: &[],
            ingress: &[],
            egress: &[],
            ends: [End::Untold; 2],
            carrier_price: &[],
            carrier_currency: &[],
            frame: None,
            partitions: None,
            kind: Kind::Call,
        }
    }
}

/// What a marker says of its file: where every file should have both, one without its end was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it ends the file (a BroadWorks End record, TRL) rather than beginning it.
    pub end: bool,
    /// How many records, markers not counted, it says there are; `None` if it does not say.
    pub records: Option<u64>,
}

impl<'a> Cdr<'a> {
    /// What two records have in common that are one record written twice: the key's texts and its time.
    #[must_use]
    pub fn exact_key(&self) -> ExactKey<'a> {
        let at = self.key_at.map(|stamp| match stamp {
            Stamp::Instant(instant) => (true, instant.as_millis()),
            Stamp::Local(local) => (false, local.as_millis()),
        });
        (self.key, at)
    }
}

/// The texts of a record's key, and its time: whether it is UTC, and milliseconds.
pub type ExactKey<'a> = ([&'a [u8]; 6], Option<(bool, i64)>);

/// Where an end of a call is, as the switch records it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum End {
    /// The record does not say.
    #[default]
    Untold,
    /// A telephone of the site.
    Inside,
    /// The public network.
    Outside,
}

/// A time as a switch writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// A moment: the format counts in UTC.
    Instant(Instant),
    /// A clock reading in the source's zone.
    Local(LocalTime),
}

/// What kind of record it is, as far as the record alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A call, or a leg that stands for one.
    Call,
    /// One half of an Asterisk `Local` channel; halves of one pair share the name before `;1` and `;2`.
    LocalHalf {
        /// Channel name without the half: `Local/0@from-internal-0000000f`.
        pair: &'a [u8],
    },
    /// A leg between a party and a conference bridge (CUCM `b00…`).
    Conference {
        /// The controller of the conference, who pays for outside participants. May be empty.
        controller: &'a [u8],
        /// The participant's number.
        participant: &'a [u8],
        /// The participant's leg, which it has had since it came in.
        leg: LegId<'a>,
    },
    /// A call that ended when its parties were joined with others (CUCM cause 393216, call split): a call by itself, whose
    /// legs go on in other records. It tells those how each party came in.
    Split {
        /// The legs of the calling and of the called party.
        legs: [LegId<'a>; 2],
    },
    /// A call between parties whom other calls brought together (CUCM: transfer). Who is the calling party in it says
    /// nothing of who called whom.
    Joined {
        /// The calling party's leg.
        leg: LegId<'a>,
    },
    /// One of several records that together tell of one call.
    Part(Part<'a>),
    /// Not a call at all.
    NotACall(NotACall),
}

/// A party's leg at a switch, whatever records it goes through: cluster and number. Empty where the format does not tell.
///
/// Numbers are given again after a while, so legs are the same only if their records follow each other.
pub type LegId<'a> = [&'a [u8]; 2];

/// What the records of one call have in common: equal in all three parts. Unused parts are empty.
pub type Group<'a> = [&'a [u8]; 3];

/// One of several records that together tell of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The call it belongs to. Records of one source with equal groups belong together.
    pub group: Group<'a>,
    /// What it tells of the call.
    pub role: PartRole,
}

/// What a part tells of its call. `mediation` puts the parts of a group together; what becomes of each is decided by the
/// records and their times alone, never by the order in which they were read.
///
/// Of a group with parts of several roles the first of these that is there tells of the call, and the others are merged
/// into it: revisions; final records; legs; stretches; beginnings with their ends. Interim records never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PartRole {
    /// A leg that is complete in itself (FreeSWITCH A and B legs, Kazoo). It waits for nothing.
    ///
    /// - The answered legs of the group's lowest rank stand for calls, one each. Of answered legs with one
    ///   [`call_id`](Cdr::call_id) that overlap in time, the longest: one leg was written more than once.
    /// - If none of them was answered, the first stands for the call.
    /// - Where such a leg leads nowhere outside, but an answered leg of higher rank does, the call was sent on: the leg that
    ///   leads outside stands for it, with its own talk time; the leg of lowest rank tells who called and who sent it on.
    /// - All others are merged.
    Leg {
        /// 0 is the leg of whoever placed the call.
        rank: u8,
    },
    /// The beginning of a call: a positive answer to an INVITE (SIP servers). Waits for its [`PartRole::End`]. The group
    /// is the dialog: the call-id and both tags, in the same order whoever hangs up.
    ///
    /// The earliest beginning counts; those that follow before the end, or within 32 s of it (RFC 3261, 13.3.1.4: an answer
    /// is repeated for 64 × T1), are repeats. A beginning behind the end is another call.
    Begin,
    /// The end of a call: a BYE. Only its set-up time (the moment it was written) counts. The first at or behind the
    /// beginning ends the call; further ones are repeats. One without a beginning waits.
    End,
    /// A record of a call that goes on. Waits for its [`PartRole::Final`], whatever it says itself.
    Interim,
    /// The complete record of a call that may have interim ones before it. Needs nothing else. Of several that overlap in
    /// time the longest stands for the call (servers that took over from each other both write); apart in time, each is one.
    Final,
    /// A stretch of a call, with talk time of its own (Avaya continuation records, Mitel sequence letters). All stretches
    /// wait until the last is there, and, where they are counted, every one before it.
    ///
    /// Stretches to one called party outside are one call, that of whoever placed the first of them, with their talk time
    /// together; a call that came in and was sent on is one call up to there and another from there on; stretches between
    /// people inside are merged into the call outside, without their time. Time that stretches share counts once, unless
    /// they are counted, or all show the same set-up (IP Office writes the call's on each).
    Segment {
        /// Its place, counted from 1; 0 where the format does not count.
        number: u8,
        /// Whether another one is to come.
        more: bool,
    },
    /// A whole record that may be written again, changed (Teams): the last in canonical order stands, across files too.
    Revision,
}

/// Why a readable record is not a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NotACall {
    /// A recording leg (CUCM onBehalfOf 27, redirect reason 354).
    Recording,
    /// A conference leg of an inside participant.
    ConferenceLeg,
    /// A quality record (CUCM CMR).
    QualityRecord,
    /// The switch was told not to bill it (Asterisk `amaflags` OMIT, BroadWorks `chargeIndicator` n).
    Omitted,
    /// A line that marks the beginning or end of a file, counts its records or tells the date (BroadWorks Start and End,
    /// HDR and TRL of wholesale files, Avaya date records).
    Marker,
    /// An event of signalling that neither begins nor ends a call (ACK, CANCEL, RADIUS start records).
    Event,
    /// Data, messages or rental, not a voice call (UK wholesale).
    NotVoice,
}

impl NotACall {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Recording,
        Self::ConferenceLeg,
        Self::QualityRecord,
        Self::Omitted,
        Self::Marker,
        Self::Event,
        Self::NotVoice,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Recording => "cdr.recording_leg",
            Self::ConferenceLeg => "cdr.conference_leg",
            Self::QualityRecord => "cdr.quality_record",
            Self::Omitted => "cdr.omitted_by_switch",
            Self::Marker => "cdr.file_marker",
            Self::Event => "cdr.event",
            Self::NotVoice => "cdr.not_voice",
        }
    }
}

/// A record that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// File and byte offset of the record.
    pub id: RecordId,
    /// The record's bytes, or its beginning where it is too long.
    pub raw: &'a [u8],
    /// Why.
    pub reason: RejectReason,
    /// Column (counted from 1) that is at fault; 0 if it is the record as a whole.
    pub column: u32,
}

/// Why a record could not be read. Where several apply, the first in this order wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RejectReason {
    /// Longer than a record may be.
    RecordTooLong,
    /// More columns than a record may have.
    TooManyColumns,
    /// Holds NUL bytes.
    NulBytes,
    /// A quote is opened and never closed, and the file goes on after the record.
    QuoteNotClosed,
    /// The file ends inside the record: its last line has no line end, and fewer columns than the file's others or an
    /// open quote.
    Truncated,
    /// A header line in the middle of the file names other columns than the file has.
    HeaderChanged,
    /// A number of columns that the format does not have.
    ColumnCount,
    /// No JSON object, no XML element, or no record of the template's shape.
    Malformed,
    /// A time that is not one.
    TimeMalformed,
    /// A time outside 1990–2089: 1970 and 1900 are a switch's way of saying "unset".
    TimeImplausible,
    /// A duration that is not a whole number of seconds.
    DurationMalformed,
    /// A duration below zero or above the limit.
    DurationImplausible,
    /// The end lies before the start.
    EndBeforeStart,
    /// A field that must be there is empty.
    FieldMissing,
    /// A disposition that the format does not have.
    DispositionUnknown,
    /// Some other number that is not one.
    NumberMalformed,
}

impl RejectReason {
    /// Every reason.
    pub const ALL: [Self; 16] = [
        Self::RecordTooLong,
        Self::TooManyColumns,
        Self::NulBytes,
        Self::QuoteNotClosed,
        Self::Truncated,
        Self::HeaderChanged,
        Self::ColumnCount,
        Self::Malformed,
        Self::TimeMalformed,
        Self::TimeImplausible,
        Self::DurationMalformed,
        Self::DurationImplausible,
        Self::EndBeforeStart,
        Self::FieldMissing,
        Self::DispositionUnknown,
        Self::NumberMalformed,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RecordTooLong => "cdr.record_too_long",
            Self::TooManyColumns => "cdr.too_many_columns",
            Self::NulBytes => "cdr.nul_bytes",
            Self::QuoteNotClosed => "cdr.quote_not_closed",
            Self::Truncated => "cdr.truncated",
            Self::HeaderChanged => "cdr.header_changed",
            Self::ColumnCount => "cdr.column_count",
            Self::Malformed => "cdr.malformed",
            Self::TimeMalformed => "cdr.time_malformed",
            Self::TimeImplausible => "cdr.time_implausible",
            Self::DurationMalformed => "cdr.duration_malformed",
            Self::DurationImplausible => "cdr.duration_implausible",
            Self::EndBeforeStart => "cdr.end_before_start",
            Self::FieldMissing => "cdr.field_missing",
            Self::DispositionUnknown => "cdr.disposition_unknown",
            Self::NumberMalformed => "cdr.number_malformed",
        }
    }
}

/// What is wrong with a record, and in which column (counted from 1; 0 is the record as a whole).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    reason: RejectReason,
    column: u32,
}

impl Fault {
    /// The record as a whole.
    const fn record(reason: RejectReason) -> Self {
        Self { reason, column: 0 }
    }

    /// One column, counted from 0.
    const fn column(reason: RejectReason, column: u16) -> Self {
        let column = if column == fields::NO_COLUMN { 0 } else { column as u32 + 1 };
        Self { reason, column }
    }

    /// For `map_err`.
    #[inline]
    fn in_column(column: u16) -> impl Fn(RejectReason) -> Self {
        move |reason| Self::column(reason, column)
    }

    const fn reject(self, id: RecordId, raw: &[u8]) -> Reject<'_> {
        Reject { id, raw, reason: self.reason, column: self.column }
    }
}

#[cfg(test)]
mod tests;
