//! First floor: CDRs to calls. Times get their zone, digits become numbers, direction and forwarder are found, legs of
//! one call become one. Nothing here knows payers or prices.

mod assembly;
mod clock;
pub mod dial_plan;
mod lines;
mod links;
mod mediator;
mod parts;

use crate::cdr::Cdr;
use crate::ids::{SiteId, SourceId};
pub use crate::number::Direction;
use crate::number::{Digits, E164, NumberClass, Party};
use crate::source::RecordId;
use crate::time::{Duration, Instant};
use dial_plan::AccessCodes;

pub use assembly::{Assembled, WaitsFor};
pub use lines::Lines;
pub use mediator::{Mediated, Mediator, SourceSettings};

/// What happened: one call, with the record it stands for. Only this module makes one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// Of the record that stands for the call, what the switch wrote.
    pub cdr: Written<'a>,
    /// The source it came from.
    pub source: SourceId,
    /// The site of that source.
    pub site: SiteId,
    /// Set-up, if recorded.
    pub setup_at: Option<Instant>,
    /// Answer; `None` if never answered.
    pub answered_at: Option<Instant>,
    /// The instant that decides: the answer, or the set-up of a call never answered.
    pub charging_at: Instant,
    /// The other reading of a repeated or missing local hour, where no evidence chooses between the two. Set-up, answer
    /// and charging instant all move by the difference.
    pub other_reading: Option<Instant>,
    /// Talk time: what is billed.
    pub duration: Duration,
    /// Whether it was answered and talk time ran.
    pub answered: bool,
    /// Which way it went, seen from the site.
    pub direction: Direction,
    /// Who called.
    pub calling: Party<'a>,
    /// Who was called, after normalisation.
    pub called: Party<'a>,
    /// The class of the called number by the numbering plan, and how many digits (country code included) establish it.
    pub called_class: (NumberClass, u8),
    /// The class of the caller's number: of the one shown, if there is one.
    pub calling_class: NumberClass,
    /// The caller's number as the record shows it; it may be another than that of the line, such as a main number.
    pub shown: Option<E164>,
    /// The trunk that the call went out by, as the source's patterns name it; empty if none matches.
    pub trunk: &'a [u8],
    /// The codes that were dialled before the called number.
    pub access: AccessCodes,
    /// Who sent the call on, if it was forwarded or transferred.
    pub forwarder: Option<Party<'a>>,
    /// The extension that placed (or sent on) the call, where the record tells.
    pub extension: Option<Digits>,
}

/// What a call keeps of the record that stands for it, as the switch wrote it: what identifies it, and what others read
/// that mediation does not. A record has several times as much, and calls are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// Its place in the canonical order.
    pub id: RecordId,
    /// The whole record without its line end.
    pub raw: &'a [u8],
    /// What identifies it for a person. May be empty.
    pub call_id: &'a [u8],
    /// The digits keyed.
    pub dialled: &'a [u8],
    /// Account or authorization code. May be empty.
    pub account: &'a [u8],
    /// Channel or device the call came in by. May be empty.
    pub ingress: &'a [u8],
    /// Channel or device it went out by. May be empty.
    pub egress: &'a [u8],
}

impl<'a> Written<'a> {
    /// What is kept of a record.
    #[must_use]
    #[inline]
    pub const fn of(cdr: &Cdr<'a>) -> Self {
        Self {
            id: cdr.id,
            raw: cdr.raw,
            call_id: cdr.call_id,
            dialled: cdr.dialled,
            account: cdr.account,
            ingress: cdr.ingress,
            egress: cdr.egress,
        }
    }
}

/// Why mediation alone makes a call unratable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MediationReason {
    /// An outside participant's conference leg whose own call is not linked.
    ConferenceLegUnlinked,
}

impl MediationReason {
    /// Every reason.
    pub const ALL: [Self; 1] = [Self::ConferenceLegUnlinked];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ConferenceLegUnlinked => "mediation.conference_leg_unlinked",
        }
    }
}

#[cfg(test)]
mod tests;
