//! One call by itself, asked of one tariff: the function that runs, quotes and explanations share, without a record, a
//! payer or an assignment.

use super::Reason;
use super::price::{Talk, Working};
use super::rater::{Sides, Verdict};
use crate::ids::{SiteId, TariffId};
use crate::money::Currency;
use crate::number::{Direction, NumberClass, Party};
use crate::tariff::{Called, TariffBook};
use crate::time::{Duration, Instant};

/// What would be asked of a tariff for a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Question<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// Who called.
    pub calling: Party<'a>,
    /// Who was called.
    pub called: Party<'a>,
    /// The class of the called number, and how many of its digits establish it.
    pub class: (NumberClass, u8),
    /// The answer: the instant that decides.
    pub answered_at: Instant,
    /// Talk time.
    pub duration: Duration,
    /// The site: its clock and its dates.
    pub site: SiteId,
}

impl<'a> Question<'a> {
    /// A call out from the first site by a caller that is not known.
    #[must_use]
    pub const fn new(called: Party<'a>, class: (NumberClass, u8), answered_at: Instant, duration: Duration) -> Self {
        Self {
            direction: Direction::Outbound,
            calling: Party::Missing,
            called,
            class,
            answered_at,
            duration,
            site: SiteId(0),
        }
    }
}

/// What a tariff answers.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Which version of the tariff was asked; `None` if none is in force then, or none had to be asked.
    pub version: Option<u16>,
    /// The currency of that version.
    pub currency: Option<Currency>,
    /// The arithmetic, or why there is none.
    pub outcome: Result<Working, Reason>,
}

/// Asks one tariff what a call costs.
#[must_use]
pub fn ask(book: &TariffBook, tariff: TariffId, question: &Question<'_>) -> Answer {
    let sides = Sides::new(book);
    let answered = question.duration > Duration::ZERO;
    let called = match sides.reached(question.direction, question.called, question.class, answered, false) {
        Ok(called) => called,
        Err(reason) => return Answer { version: None, currency: None, outcome: Err(reason) },
    };
    let caller = match question.calling {
        Party::Number(number) => Some(number),
        _ => None,
    };
    let talk = Talk { caller, ..Talk::new(question.answered_at, question.site, question.duration) };
    let verdict = sides.by_tariff(tariff, called, &talk);
    let (asked, outcome) = match verdict {
        Verdict::Priced(asked, working) => (asked, Ok(working)),
        Verdict::Reason(asked, Reason::NoRateForDestination | Reason::TariffNotInForce)
            if called == Called::Internal =>
        {
            (asked, Err(Reason::InternalCall))
        }
        Verdict::Reason(asked, reason) => (asked, Err(reason)),
        // Only who pays can be unknown, and nobody was asked about that.
        Verdict::Unknown(_) => return Answer { version: None, currency: None, outcome: Err(Reason::NoTariffAssigned) },
    };
    Answer { version: asked.currency.map(|_| asked.version), currency: asked.currency, outcome }
}
