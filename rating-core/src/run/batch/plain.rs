//! Calls as a program has them: plain values, borrowed.

use std::fmt;

use crate::cdr::{self, Cdr, End, RejectReason, Stamp};
use crate::ids::SiteId;
use crate::number::Direction;
use crate::source::RecordId;
use crate::time::{Duration, Instant};

/// A call in the caller's own words; every text may be empty where there is nothing to say. It becomes the record that a
/// switch might have written, so all that the dial plan of its site knows applies to its numbers.
///
/// # Example
///
/// ```
/// use rating_core::ids::SiteId;
/// use rating_core::number::Direction;
/// use rating_core::run::batch::PlainCall;
/// use rating_core::time::{Duration, Instant};
///
/// let at = Instant::parse_rfc3339("2026-10-01T08:15:09Z").unwrap();
/// let call = PlainCall {
///     id: b"A-1",
///     calling: b"2001",
///     called: b"+441614960123",
///     direction: Direction::Outbound,
///     ..PlainCall::answered(SiteId(0), at, Duration::from_seconds(61))
/// };
/// assert_eq!(call.setup_at, None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PlainCall<'a> {
    /// The site whose switch had the call: its dial plan reads the numbers, its clock decides bands and days.
    pub site: SiteId,
    /// What identifies the call for a person; given back in the row.
    pub id: &'a [u8],
    /// When it was set up.
    pub setup_at: Option<Instant>,
    /// When it was answered: the instant that decides holder, tariff and band. `None` if it never was.
    pub answered_at: Option<Instant>,
    /// Talk time, at most seven days; zero if the call was never answered.
    pub duration: Duration,
    /// Which way it went. With [`Direction::Unknown`] the numbers tell: an extension is inside, a number outside. Where
    /// callers inside are known by their public numbers, it must be said.
    pub direction: Direction,
    /// Who called: an extension, or a number as the switch shows it.
    pub calling: &'a [u8],
    /// The extension that placed the call, where `calling` is another number.
    pub extension: &'a [u8],
    /// Who was called: the digits keyed, with the outside-line code where people key one, or a number that begins with `+`.
    pub called: &'a [u8],
    /// Who sent the call on, if it was forwarded or transferred: that party pays.
    pub forwarder: &'a [u8],
    /// The account code keyed.
    pub account_code: &'a [u8],
    /// The trunk or carrier that the call went out by, for tariffs that ask for it.
    pub trunk: &'a [u8],
}

impl<'a> PlainCall<'a> {
    /// An answered call, as yet without parties.
    #[must_use]
    pub const fn answered(site: SiteId, at: Instant, duration: Duration) -> Self {
        Self {
            site,
            id: b"",
            setup_at: None,
            answered_at: Some(at),
            duration,
            direction: Direction::Unknown,
            calling: b"",
            extension: b"",
            called: b"",
            forwarder: b"",
            account_code: b"",
            trunk: b"",
        }
    }

    /// A call that nobody answered, as yet without parties.
    #[must_use]
    pub const fn unanswered(site: SiteId, setup_at: Instant) -> Self {
        Self { setup_at: Some(setup_at), answered_at: None, ..Self::answered(site, setup_at, Duration::ZERO) }
    }

    /// What no call can be, by the rules that records of switches are read by.
    pub(super) fn faults(&self) -> [Option<(&'static str, FaultReason)>; 4] {
        let talked = self.duration > Duration::ZERO;
        let implausible = |at: Option<Instant>| at.is_some_and(|at| !cdr::is_plausible(at));
        let backwards = match (self.setup_at, self.answered_at) {
            (Some(setup), Some(answer)) => !cdr::may_follow(Stamp::Instant(setup), Stamp::Instant(answer), None),
            _ => false,
        };
        let when = |wrong: bool, column, reason| wrong.then_some((column, reason));
        [
            match (self.setup_at, self.answered_at) {
                // Without an answer it would be free.
                (_, None) if talked => Some(("answered_at", FaultReason::FieldMissing)),
                (None, None) => Some(("setup_at", FaultReason::FieldMissing)),
                (setup, _) => when(implausible(setup), "setup_at", FaultReason::TimeImplausible),
            },
            when(implausible(self.answered_at), "answered_at", FaultReason::TimeImplausible),
            when(backwards, "answered_at", FaultReason::EndBeforeStart),
            when(
                self.duration < Duration::ZERO || self.duration > cdr::MAX_DURATION,
                "duration",
                FaultReason::DurationImplausible,
            ),
        ]
    }

    /// The record that a switch might have written; `row` is its place.
    pub(super) fn record(&self, row: u64) -> Cdr<'a> {
        let place = RecordId::new(0, row).unwrap_or(RecordId::from_bits(u64::MAX));
        let ends = match self.direction {
            Direction::Outbound => [End::Inside, End::Outside],
            Direction::Inbound => [End::Outside, End::Inside],
            Direction::Internal => [End::Inside, End::Inside],
            Direction::Forwarded => [End::Outside, End::Outside],
            Direction::Unknown => [End::Untold, End::Untold],
        };
        Cdr {
            call_id: self.id,
            setup: self.setup_at.map(Stamp::Instant),
            answer: self.answered_at.map(Stamp::Instant),
            talk: self.duration,
            answered: self.answered_at.is_some(),
            calling: self.calling,
            peer: self.extension,
            dialled: self.called,
            forwarder: self.forwarder,
            account: self.account_code,
            egress: self.trunk,
            ends,
            ..Cdr::blank(place, b"")
        }
    }
}

/// A value that no call can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFault {
    /// Which call or row, from 0.
    pub row: u64,
    /// Which field or column.
    pub column: &'static str,
    /// What is wrong.
    pub reason: FaultReason,
}

impl CallFault {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }
}

impl fmt::Display for CallFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, `{}`: {} [{}]", self.row, self.column, self.reason.message(), self.code())
    }
}

impl std::error::Error for CallFault {}

/// Why a value cannot be a call's. Codes that begin with `cdr` are those of switches' records with the same fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultReason {
    /// The project has no such site.
    SiteUnknown,
    /// Not the name of a direction.
    DirectionUnknown,
    /// Nothing where something must be: a site; the answer of a call with talk time, or the set-up of one without.
    FieldMissing,
    /// A time outside 1990–2089.
    TimeImplausible,
    /// A duration below zero or above seven days.
    DurationImplausible,
    /// Answered before it was set up, by more than a second.
    EndBeforeStart,
}

impl FaultReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::SiteUnknown,
        Self::DirectionUnknown,
        Self::FieldMissing,
        Self::TimeImplausible,
        Self::DurationImplausible,
        Self::EndBeforeStart,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SiteUnknown => "batch.site_unknown",
            Self::DirectionUnknown => "batch.direction_unknown",
            Self::FieldMissing => RejectReason::FieldMissing.code(),
            Self::TimeImplausible => RejectReason::TimeImplausible.code(),
            Self::DurationImplausible => RejectReason::DurationImplausible.code(),
            Self::EndBeforeStart => RejectReason::EndBeforeStart.code(),
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::SiteUnknown => "the project has no such site",
            Self::DirectionUnknown => "not `outbound`, `inbound`, `internal`, `forwarded` or `unknown`",
            Self::FieldMissing => "must be there",
            Self::TimeImplausible => "not between 1990 and 2089",
            Self::DurationImplausible => "below zero or above seven days",
            Self::EndBeforeStart => "before the set-up",
        }
    }
}
