//! One call by itself, asked of one tariff: the function that runs, quotes and explanations share, without a record, a
//! payer or an assignment.

use super::Reason;
use super::asked;
use super::price::{Talk, Working};
use super::rater::{Sides, Verdict, unpriced};
use crate::ids::{SiteId, TariffId};
use crate::money::{Charge, Currency};
use crate::number::{Direction, NumberClass, Party};
use crate::tariff::{CallerType, Query, TariffBook};
use crate::time::{Duration, Instant};

/// What would be asked of a tariff for a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Question<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// Who called.
    pub calling: Party<'a>,
    /// The class of the calling number.
    pub calling_class: NumberClass,
    /// What kind of line called, if the record says so; otherwise the class of its number does.
    pub caller_type: Option<CallerType>,
    /// The trunk, carrier or access code of the record; may be empty.
    pub trunk: &'a [u8],
    /// The charge code that the record carries; may be empty.
    pub charge_code: &'a [u8],
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
    /// What the carrier charges for it, for rows that mark that up.
    pub wholesale: Option<(Charge, Currency)>,
}

impl<'a> Question<'a> {
    /// A call out from the first site by a caller that is not known.
    #[must_use]
    pub const fn new(called: Party<'a>, class: (NumberClass, u8), answered_at: Instant, duration: Duration) -> Self {
        Self {
            direction: Direction::Outbound,
            calling: Party::Missing,
            calling_class: NumberClass::Ordinary,
            caller_type: None,
            trunk: b"",
            charge_code: b"",
            called,
            class,
            answered_at,
            duration,
            site: SiteId(0),
            wholesale: None,
        }
    }
}

/// What a tariff answers.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The tariff that decided, by its row or for want of one: the one asked, or the one that it inherits the row from.
    pub tariff: TariffId,
    /// Which version of that tariff; `None` if none is in force then, or none had to be asked.
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
    let nothing = |reason| Answer { tariff, version: None, currency: None, outcome: Err(reason) };
    let called = match sides.reached(question.direction, question.called, question.class, answered, false) {
        Ok(called) => called,
        Err(reason) => return nothing(reason),
    };
    let caller = asked::caller(question.calling, None);
    let query = Query {
        direction: question.direction,
        caller,
        network_caller: caller,
        caller_type: question.caller_type.or_else(|| asked::caller_type(caller, question.calling_class)),
        trunks: [question.trunk, b""],
        charge_code: question.charge_code,
        ..Query::new(called)
    };
    let clock = question.calling.e164();
    let wholesale = question.wholesale;
    let talk = Talk { caller: clock, wholesale, ..Talk::new(question.answered_at, question.site, question.duration) };
    let verdict = sides.by_tariff(tariff, &query, &talk, &mut ());
    let (asked, outcome) = match verdict {
        Verdict::Priced(asked, _, working) => (asked, Ok(working)),
        Verdict::Reason(asked, reason) => (asked, Err(unpriced(&query, reason))),
        // Only who pays can be unknown, and nobody was asked about that.
        Verdict::Unknown(_) => return nothing(Reason::NoTariffAssigned),
    };
    Answer {
        tariff: asked.tariff.unwrap_or(tariff),
        version: asked.currency.map(|_| asked.version),
        currency: asked.currency,
        outcome,
    }
}
