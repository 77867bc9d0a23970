//! The two sides of a call, by the rulings of the house.

use super::price::{Working, price};
use super::{Outcome, Priced, RatedCall, Reason, Side};
use crate::assignment::{Assignments, SideKind};
use crate::attribution::AttributedCall;
use crate::ids::{PayerId, SiteId, TariffId};
use crate::money::Currency;
use crate::number::{Direction, NumberClass, Party};
use crate::tariff::{Called, Match, TariffBook, TariffVersion};
use crate::time::{Duration, Instant, Month};

/// Rates calls: a pure function of the call, the tariffs, and who is on which.
#[derive(Clone, Copy, Debug)]
pub struct Rater<'t> {
    sides: Sides<'t>,
    assignments: &'t Assignments,
}

impl<'t> Rater<'t> {
    /// A rater over these tariffs and assignments.
    #[must_use]
    pub fn new(book: &'t TariffBook, assignments: &'t Assignments) -> Self {
        Self { sides: Sides::new(book), assignments }
    }

    /// Rates both sides of a call.
    ///
    /// Emergency calls, calls never answered or without talk time, and calls from the outside are not chargeable; calls
    /// inside the site are only if a row keyed `internal` prices them. Each side has its own tariff and is rated, not
    /// chargeable or suspended on its own, so that a call whose payer is not known still shows what the carrier charges.
    /// The site is that of the report the call belongs to, or of its source while nobody is known to pay.
    ///
    /// A call whose local time may be read two ways is rated by the earlier reading if both give the same holder, month
    /// and charge; otherwise it is suspended.
    #[must_use]
    pub fn rate<'a>(&self, call: AttributedCall<'a>) -> RatedCall<'a> {
        let [retail, wholesale] =
            self.sides.rate(&call, |side, payer, site, at| self.assignments.tariff(side, payer, site, at));
        RatedCall { call, retail, wholesale }
    }

    /// The exact arithmetic behind one side of a call; `None` if that side has no charge.
    ///
    /// It is the same function that [`Rater::rate`] takes its charge from.
    #[must_use]
    pub fn work(&self, call: &AttributedCall<'_>, side: SideKind) -> Option<Working> {
        let choose = |side, payer, site, at| self.assignments.tariff(side, payer, site, at);
        let Verdict::Priced(_, working) = self.sides.verdict(call, side, choose) else {
            return None;
        };
        Some(working)
    }
}

/// The tariffs alone; who is on which is asked of the caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'t> {
    book: &'t TariffBook,
    prices_internal_calls: bool,
}

/// Which tariff applies: side, payer, site, instant.
pub(super) trait Choose: Fn(SideKind, Option<PayerId>, SiteId, Instant) -> Option<TariffId> {}
impl<F: Fn(SideKind, Option<PayerId>, SiteId, Instant) -> Option<TariffId>> Choose for F {}

/// A side before it is put into its final form. `Asked` is what is known of the tariff by then.
pub(super) enum Verdict {
    Priced(Asked, Working),
    Reason(Asked, Reason),
    /// The payer is not known; the code is that of attribution.
    Unknown(&'static str),
}

/// The tariff that was asked, as far as it was found.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked {
    pub(super) tariff: Option<TariffId>,
    pub(super) version: u16,
    pub(super) currency: Option<Currency>,
}

impl<'t> Sides<'t> {
    pub(super) fn new(book: &'t TariffBook) -> Self {
        Self { book, prices_internal_calls: book.prices_internal_calls() }
    }

    pub(super) fn rate(&self, call: &AttributedCall<'_>, choose: impl Choose) -> [Side; 2] {
        let called = match self.called(call) {
            Ok(called) => called,
            Err(reason) => {
                return [reason, reason].map(|reason| self.finish(Verdict::Reason(Asked::default(), reason)));
            }
        };
        let at = call.call.charging_at;
        [SideKind::Retail, SideKind::Wholesale].map(|kind| {
            let side = self.finish(self.side(call, called, kind, at, &choose));
            match call.call.other_reading {
                None => side,
                // Nobody pays for it, whoever holds the number.
                Some(_) if side.outcome == Reason::InternalCall.outcome() => side,
                Some(_) if kind == SideKind::Retail && !call.readings_agree => ambiguous(side),
                Some(other) => {
                    let again = self.finish(self.side(call, called, kind, other, &choose));
                    self.of_two_readings(site(call), (at, side), (other, again))
                }
            }
        })
    }

    /// What one side comes to at the instant that decides.
    fn verdict(&self, call: &AttributedCall<'_>, kind: SideKind, choose: impl Choose) -> Verdict {
        match self.called(call) {
            Ok(called) => self.side(call, called, kind, call.call.charging_at, &choose),
            Err(reason) => Verdict::Reason(Asked::default(), reason),
        }
    }

    /// The first of two readings of a local time, if it makes no difference which is true.
    fn of_two_readings(&self, site: SiteId, (at, side): (Instant, Side), (other, again): (Instant, Side)) -> Side {
        let zone = self.book.zone(site);
        let month = |at: Instant| Month::of(zone.to_local(at).date());
        let same = match (side.outcome, again.outcome) {
            (Outcome::Rated(one), Outcome::Rated(two)) => {
                one.charge == two.charge && side.currency == again.currency && month(at) == month(other)
            }
            (one, two) => one == two,
        };
        if same { side } else { ambiguous(side) }
    }

    fn finish(&self, verdict: Verdict) -> Side {
        let (asked, outcome) = match verdict {
            Verdict::Unknown(code) => (Asked::default(), Outcome::Suspended(code)),
            Verdict::Reason(asked, reason) => (asked, reason.outcome()),
            Verdict::Priced(asked, working) => match self.version(asked) {
                Some(version) => (asked, Outcome::Rated(priced(version, &working))),
                None => (asked, Reason::TariffNotInForce.outcome()),
            },
        };
        Side { tariff: asked.tariff, version: asked.version, currency: asked.currency, outcome }
    }

    fn version(&self, asked: Asked) -> Option<&'t TariffVersion> {
        self.book.tariff(asked.tariff?)?.versions().get(usize::from(asked.version))
    }

    fn side(
        &self,
        call: &AttributedCall<'_>,
        called: Called,
        side: SideKind,
        at: Instant,
        choose: &impl Choose,
    ) -> Verdict {
        let payer = match (side, call.holder) {
            (SideKind::Wholesale, holder) => holder.ok().map(|holder| holder.payer),
            (SideKind::Retail, Ok(holder)) if holder.payer == PayerId::OPERATOR => {
                return Verdict::Reason(Asked::default(), Reason::OperatorOwnCall);
            }
            (SideKind::Retail, Ok(holder)) => Some(holder.payer),
            (SideKind::Retail, Err(reason)) => return Verdict::Unknown(reason.code()),
        };
        let site = site(call);
        let verdict = match choose(side, payer, site, at) {
            None => Verdict::Reason(Asked::default(), Reason::NoTariffAssigned),
            Some(tariff) => self.by_tariff(tariff, called, at, site, call.call.duration),
        };
        match verdict {
            // An internal call that no row prices is free, whatever the tariff lacks.
            Verdict::Reason(
                asked,
                Reason::NoTariffAssigned | Reason::TariffNotInForce | Reason::NoRateForDestination,
            ) if called == Called::Internal => Verdict::Reason(asked, Reason::InternalCall),
            verdict => verdict,
        }
    }

    /// Whom the call went to, or why it is not charged whoever pays.
    fn called(&self, call: &AttributedCall<'_>) -> Result<Called, Reason> {
        let call = &call.call;
        let application = matches!(call.called, Party::Feature(_)) && call.cdr.egress.is_empty();
        let answered = call.answered && call.duration > Duration::ZERO;
        self.reached(call.direction, call.called, call.called_class, answered, application)
    }

    /// Whom a call of that direction went to; `application` is a feature code that left by no channel.
    pub(super) fn reached(
        &self,
        direction: Direction,
        called: Party<'_>,
        (class, digits): (NumberClass, u8),
        answered: bool,
        application: bool,
    ) -> Result<Called, Reason> {
        if matches!(called, Party::Emergency(_)) || class == NumberClass::Emergency {
            return Err(Reason::EmergencyCall);
        }
        if !answered {
            return Err(Reason::Unanswered);
        }
        match direction {
            Direction::Inbound => Err(Reason::InboundCall),
            Direction::Internal => self.internal(),
            Direction::Unknown => Err(Reason::DirectionUnknown),
            Direction::Outbound | Direction::Forwarded => match called {
                Party::Number(number) => Ok(Called::Number(number, class, digits)),
                Party::ShortCode(code) => Ok(Called::ShortCode(code, class, digits)),
                _ if application => self.internal(),
                _ => Err(Reason::CalledUnclassified),
            },
        }
    }

    fn internal(&self) -> Result<Called, Reason> {
        if self.prices_internal_calls { Ok(Called::Internal) } else { Err(Reason::InternalCall) }
    }

    pub(super) fn by_tariff(
        &self,
        tariff: TariffId,
        called: Called,
        at: Instant,
        site: SiteId,
        duration: Duration,
    ) -> Verdict {
        let mut asked = Asked { tariff: Some(tariff), ..Asked::default() };
        let Some((index, version)) = self.book.tariff(tariff).and_then(|tariff| tariff.version_at(at, site)) else {
            return Verdict::Reason(asked, Reason::TariffNotInForce);
        };
        (asked.version, asked.currency) = (index, Some(version.currency()));
        match version.find(called, at, site) {
            Match::NotFound => Verdict::Reason(asked, Reason::NoRateForDestination),
            Match::Blocked(_) => Verdict::Reason(asked, Reason::DestinationBlocked),
            Match::Protected(_) => Verdict::Reason(asked, Reason::ClassNotPriced),
            Match::Row(row) => match price(version, row, at, site, duration) {
                Some(working) => Verdict::Priced(asked, working),
                None => Verdict::Reason(asked, Reason::ChargeOverflow),
            },
        }
    }
}

/// The side of a call whose time was read two ways that are not the same to it.
fn ambiguous(side: Side) -> Side {
    Side { outcome: Reason::LocalTimeAmbiguous.outcome(), ..side }
}

/// The site whose tariff and clock apply: that of the holder, or of the source while nobody is known to pay.
fn site(call: &AttributedCall<'_>) -> SiteId {
    call.holder.map_or(call.call.site, |holder| holder.site)
}

fn priced(version: &TariffVersion, working: &Working) -> Priced {
    Priced {
        charge: working.charge,
        row: working.row,
        destination: version.destination(working.row),
        band: version.band_id(working.band),
        billed: working.billed,
        price: working.plan.price,
        per: working.plan.per,
        setup_fee: working.plan.connection,
        minimum_applied: working.minimum_applied,
    }
}
