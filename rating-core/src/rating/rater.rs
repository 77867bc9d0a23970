//! The two sides of a call, by the rulings of the house.

use super::asked;
use super::price::{ChargeWorking, Show, Talk, Working, finish, parts, price};
use super::straight::straight;
use super::walk::{Entry, Stretch};
use super::{Outcome, Priced, RatedCall, Reason, Side};
use crate::assignment::{Assignments, SideKind};
use crate::attribution::AttributedCall;
use crate::ids::{DestinationId, PayerId, SiteId, TariffId};
use crate::money::{Charge, Currency};
use crate::number::{Direction, E164, NumberClass, Party};
use crate::tariff::{Called, Match, Query, Start, TariffBook, TariffVersion, Walks};
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

    /// Leaves the wholesale side alone if `retail_only`: no tariff is asked what the carrier charges, and the side of every call
    /// that it might charge is suspended as [`Reason::WholesaleNotRated`]. A retail row that marks the wholesale charge up has
    /// none to mark up then.
    #[must_use]
    pub fn retail_only(self, retail_only: bool) -> Self {
        Self { sides: Sides { retail_only, ..self.sides }, ..self }
    }

    /// Rates both sides of a call.
    ///
    /// Emergency calls and calls never answered or without talk time are not chargeable; calls inside the site are only if
    /// a row keyed `internal` prices them, calls from the outside only if a row of the direction `in` does. Each side has its own tariff and is rated, not
    /// chargeable or suspended on its own, so that a call whose payer is not known still shows what the carrier charges.
    /// The site is that of the report the call belongs to, or of its source while nobody is known to pay.
    ///
    /// A call whose local time may be read two ways is rated by the earlier reading if both give the same holder, month
    /// and charge; otherwise it is suspended.
    #[must_use]
    pub fn rate<'c, 'a>(&self, call: AttributedCall<'c, 'a>) -> RatedCall<'c, 'a> {
        let [retail, wholesale] = self.sides.rate(&call, self.choose());
        RatedCall { call, retail, wholesale }
    }

    /// [`Rater::rate`] of many calls, which are handed over in their order with their places.
    ///
    /// All their prefixes are looked up first, together: see [`Walks`]; then the rows that they lead to.
    pub fn rate_all<'c, 'a>(&self, calls: &[AttributedCall<'c, 'a>], mut rated: impl FnMut(usize, RatedCall<'c, 'a>)) {
        let mut opened: Vec<Opened<'t>> = Vec::with_capacity(calls.len());
        let mut walks = Walks::with_capacity(self.sides.book, calls.len());
        for call in calls {
            let open = self.sides.open(call, &self.choose());
            let outbound = call.call.direction != Direction::Inbound;
            walks.add(open.as_ref().ok().map(|(called, _)| *called).filter(|_| outbound));
            opened.push(open);
        }
        walks.walk();
        for (place, open) in opened.iter_mut().enumerate() {
            for start in open.iter_mut().flat_map(|(_, openings)| openings.iter_mut().filter_map(Opening::start)) {
                start.way = walks.way(place, start.rules);
            }
        }
        for (_, openings) in opened.iter_mut().flatten() {
            for start in openings.iter_mut().filter_map(Opening::start) {
                // So that what the row costs is near when it is asked for.
                std::hint::black_box(start.way.and_then(|way| start.rules.cost_of(&way)).map(|cost| cost.ends()));
            }
        }
        for (index, (call, open)) in calls.iter().zip(&opened).enumerate() {
            let [retail, wholesale] = self.sides.close(call, open, self.choose());
            rated(index, RatedCall { call: *call, retail, wholesale });
        }
    }

    fn choose(&self) -> impl Choose + use<'t> {
        let assignments = self.assignments;
        move |side, payer, site, at| assignments.tariff(side, payer, site, at)
    }

    pub(super) fn sides(&self) -> &Sides<'t> {
        &self.sides
    }

    pub(super) fn assignments(&self) -> &'t Assignments {
        self.assignments
    }

    /// The exact arithmetic behind one side of a call; `None` if that side has no charge.
    ///
    /// It is the same function that [`Rater::rate`] takes its charge from.
    #[must_use]
    pub fn work(&self, call: &AttributedCall<'_, '_>, side: SideKind) -> Option<Working> {
        self.show(call, side, Duration::ZERO, &mut ()).working
    }

    /// Works one side of a call out by the first reading of its time, and shows the sum as it is done.
    ///
    /// It is the same function that [`Rater::rate`] takes its charge from. Of the charged time, from the answer on, so much
    /// is covered by an allowance.
    pub fn show<'a>(
        &self,
        call: &AttributedCall<'_, 'a>,
        side: SideKind,
        covered: Duration,
        show: &mut impl Show,
    ) -> Worked<'a> {
        let (verdict, query) = self.sides.verdict(call, side, covered, self.choose(), show);
        let payer = call.holder.ok().map(|holder| holder.payer);
        let assigned = self.assignments.tariff(side, payer, site(call), call.call.charging_at);
        let working = match &verdict {
            Verdict::Priced(.., working) => Some(*working),
            _ => None,
        };
        Worked { site: site(call), caller: caller(call), query, assigned, side: self.sides.finish(verdict), working }
    }
}

/// One side of a call, worked out by itself.
#[derive(Clone, Copy, Debug)]
pub struct Worked<'a> {
    /// The site whose tariff and clock apply.
    pub site: SiteId,
    /// Who calls: whose clock counts, where a tariff goes by the caller's.
    pub caller: Option<E164>,
    /// What tariffs are asked; `None` if the call is not charged whatever they say.
    pub query: Option<Query<'a>>,
    /// The tariff that payer and site are on.
    pub assigned: Option<TariffId>,
    /// What came of it. The tariff is the one that the row is of: the assigned one, or one that it inherits from.
    pub side: Side,
    /// The arithmetic.
    pub working: Option<Working>,
}

/// The tariffs alone; who is on which is asked of the caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'t> {
    book: &'t TariffBook,
    prices_internal_calls: bool,
    prices_inbound_calls: bool,
    /// The destination without a name, if some row has it.
    unnamed: Option<DestinationId>,
    retail_only: bool,
}

/// Which tariff applies: side, payer, site, instant.
pub(super) trait Choose: Fn(SideKind, Option<PayerId>, SiteId, Instant) -> Option<TariffId> {}
impl<F: Fn(SideKind, Option<PayerId>, SiteId, Instant) -> Option<TariffId>> Choose for F {}

/// Whom a call went to as tariffs see it, and whom each side asks, wholesale first; or why it is not charged whoever pays.
type Opened<'t> = Result<(Called, [Opening<'t>; 2]), Reason>;

/// Whom one side of a call asks for its price.
#[derive(Clone, Copy)]
enum Opening<'t> {
    /// Nobody, for that reason.
    Reason(Reason),
    /// Nobody: the payer is not known; the code is that of attribution.
    Unknown(&'static str),
    /// No tariff is assigned.
    Unassigned,
    /// This tariff, by the version in force, if there is one.
    Asks(TariffId, Option<Start<'t>>),
}

impl<'t> Opening<'t> {
    const fn start(&mut self) -> Option<&mut Start<'t>> {
        match self {
            Self::Asks(_, start) => start.as_mut(),
            _ => None,
        }
    }
}

/// A side before it is put into its final form. `Asked` is what is known of the tariff by then.
pub(super) enum Verdict<'t> {
    Priced(Asked, &'t TariffVersion, Working),
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
        Self {
            book,
            prices_internal_calls: book.prices_internal_calls(),
            prices_inbound_calls: book.prices_inbound_calls(),
            unnamed: book.destinations().get("").map(DestinationId),
            retail_only: false,
        }
    }

    pub(super) fn rate(&self, call: &AttributedCall<'_, '_>, choose: impl Choose) -> [Side; 2] {
        self.close(call, &self.open(call, &choose), choose)
    }

    /// Whom tariffs are asked about for a call, and which.
    #[inline]
    fn open(&self, call: &AttributedCall<'_, '_>, choose: &impl Choose) -> Opened<'t> {
        let called = self.called(call)?;
        Ok((called, self.openings(call, called, call.call.charging_at, choose)))
    }

    /// What they answer.
    #[inline]
    fn close(&self, call: &AttributedCall<'_, '_>, opened: &Opened<'t>, choose: impl Choose) -> [Side; 2] {
        let (called, openings) = match opened {
            Ok((called, openings)) => (*called, openings),
            Err(reason) => {
                return [*reason; 2].map(|reason| self.finish(Verdict::Reason(Asked::default(), reason)));
            }
        };
        if let Some(sides) = self.straight_pair(call, called, openings) {
            return sides;
        }
        let query = &asked::query(call, called);
        let at = call.call.charging_at;
        let sides = self.pair(call, query, at, *openings);
        let Some(other) = call.call.other_reading else { return sides };
        let again = self.pair(call, query, other, self.openings(call, called, other, &choose));
        let of_two = |kind, side: Side, again: Side| {
            // Nobody pays for it, whoever holds the number.
            if nobody_pays(side.outcome) {
                side
            } else if kind == SideKind::Retail && !call.readings_agree {
                ambiguous(side)
            } else {
                self.of_two_readings(site(call), (at, side), (other, again))
            }
        };
        [of_two(SideKind::Retail, sides[0], again[0]), of_two(SideKind::Wholesale, sides[1], again[1])]
    }

    /// Both sides at an instant: wholesale first, because retail may be a mark-up of it.
    fn pair(
        &self,
        call: &AttributedCall<'_, '_>,
        query: &Query<'_>,
        at: Instant,
        [wholesale, retail]: [Opening<'t>; 2],
    ) -> [Side; 2] {
        let talk = talk(call, at);
        let wholesale = self.finish(self.side(query, wholesale, &talk, &mut ()));
        let talk = Talk { wholesale: wholesale_charge(&wholesale), ..talk };
        let retail = self.finish(self.side(query, retail, &talk, &mut ()));
        self.named([retail, wholesale])
    }

    /// A mark-up row need not name where calls go: the wholesale row says it.
    #[inline]
    fn named(&self, [mut retail, wholesale]: [Side; 2]) -> [Side; 2] {
        if let (Outcome::Rated(priced), Outcome::Rated(carrier)) = (&mut retail.outcome, &wholesale.outcome)
            && Some(priced.destination) == self.unnamed
        {
            priced.destination = carrier.destination;
        }
        [retail, wholesale]
    }

    /// Both sides of a call about which nothing is special: it is clear when it was, and each side asks nobody, or has one
    /// row for every call to that prefix and one plan for it. Nearly every call is such a one, and what tariffs are asked
    /// need not be put together for it. `None` for all others, and where a sum does not fit.
    ///
    /// What [`straight`] gives is what [`Sides::pair`] gives.
    #[inline]
    fn straight_pair(
        &self,
        call: &AttributedCall<'_, '_>,
        called: Called,
        [wholesale, retail]: &[Opening<'t>; 2],
    ) -> Option<[Side; 2]> {
        if call.call.other_reading.is_some() || call.call.direction == Direction::Inbound {
            return None;
        }
        let (at, site, duration) = (call.call.charging_at, site(call), call.call.duration);
        let side = |opening: &Opening<'t>| match opening {
            Opening::Asks(_, start) => straight(start.as_ref()?, called, (at, site), duration),
            Opening::Reason(reason) => Some(self.finish(Verdict::Reason(Asked::default(), *reason))),
            Opening::Unknown(code) => Some(self.finish(Verdict::Unknown(code))),
            Opening::Unassigned => None,
        };
        let wholesale = side(wholesale)?;
        Some(self.named([side(retail)?, wholesale]))
    }

    /// What one side comes to at the instant that decides.
    fn verdict<'a>(
        &self,
        call: &AttributedCall<'_, 'a>,
        kind: SideKind,
        covered: Duration,
        choose: impl Choose,
        show: &mut impl Show,
    ) -> (Verdict<'t>, Option<Query<'a>>) {
        match self.called(call) {
            Ok(called) => {
                let query = asked::query(call, called);
                let at = call.call.charging_at;
                let openings = self.openings(call, called, at, &choose);
                let [wholesale, retail] = openings;
                let (opening, wholesale) = match kind {
                    SideKind::Wholesale => (wholesale, None),
                    SideKind::Retail => (retail, wholesale_charge(&self.pair(call, &query, at, openings)[1])),
                };
                let talk = Talk { wholesale, covered, ..talk(call, at) };
                (self.side(&query, opening, &talk, show), Some(query))
            }
            Err(reason) => (Verdict::Reason(Asked::default(), reason), None),
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

    #[inline]
    pub(super) fn finish(&self, verdict: Verdict<'t>) -> Side {
        let (asked, outcome) = match verdict {
            Verdict::Unknown(code) => (Asked::default(), Outcome::Suspended(code)),
            Verdict::Reason(asked, reason) => (asked, reason.outcome()),
            Verdict::Priced(asked, version, working) => (asked, Outcome::Rated(priced(version, &working))),
        };
        Side { tariff: asked.tariff, version: asked.version, currency: asked.currency, outcome }
    }

    /// Whom both sides of a call ask at an instant: wholesale first.
    fn openings(
        &self,
        call: &AttributedCall<'_, '_>,
        called: Called,
        at: Instant,
        choose: &impl Choose,
    ) -> [Opening<'t>; 2] {
        [SideKind::Wholesale, SideKind::Retail].map(|side| self.opening(call, called, side, at, choose))
    }

    /// Whom one side of a call asks, if anybody.
    #[inline]
    fn opening(
        &self,
        call: &AttributedCall<'_, '_>,
        called: Called,
        side: SideKind,
        at: Instant,
        choose: &impl Choose,
    ) -> Opening<'t> {
        let site = site(call);
        if side == SideKind::Wholesale && self.retail_only {
            return Opening::Reason(Reason::WholesaleNotRated);
        }
        let inbound = call.call.direction == Direction::Inbound;
        // Where no tariff at all has a row for the number, it does not matter who holds it.
        let nobodys = || call.holder.map_or(true, |holder| holder.payer == PayerId::OPERATOR);
        let priced = || self.book.prices_inbound(&asked::query(call, called), at, site);
        if inbound && side == SideKind::Retail && nobodys() && !priced() {
            return Opening::Reason(Reason::InboundCall);
        }
        let payer = match (side, call.holder) {
            (SideKind::Wholesale, holder) => holder.ok().map(|holder| holder.payer),
            (SideKind::Retail, Ok(holder)) if holder.payer == PayerId::OPERATOR => {
                return Opening::Reason(Reason::OperatorOwnCall);
            }
            (SideKind::Retail, Ok(holder)) => Some(holder.payer),
            (SideKind::Retail, Err(reason)) => return Opening::Unknown(reason.code()),
        };
        match choose(side, payer, site, at) {
            None => Opening::Unassigned,
            Some(tariff) => Opening::Asks(tariff, self.book.start(tariff, at, site)),
        }
    }

    /// What one side of a call comes to.
    #[inline]
    fn side(&self, query: &Query<'_>, opening: Opening<'t>, talk: &Talk, show: &mut impl Show) -> Verdict<'t> {
        let mut verdict = match opening {
            Opening::Reason(reason) => return Verdict::Reason(Asked::default(), reason),
            Opening::Unknown(code) => return Verdict::Unknown(code),
            Opening::Unassigned => Verdict::Reason(Asked::default(), Reason::NoTariffAssigned),
            Opening::Asks(tariff, start) => self.by_version(tariff, start, query, talk, show),
        };
        if let Verdict::Reason(_, reason) = &mut verdict {
            *reason = unpriced(query, *reason);
        }
        verdict
    }

    /// What tariffs are asked about the call, or why it is not charged whoever pays.
    pub(super) fn query<'a>(&self, call: &AttributedCall<'_, 'a>) -> Result<Query<'a>, Reason> {
        Ok(asked::query(call, self.called(call)?))
    }

    /// Whom tariffs are asked about, or why the call is not charged whoever pays.
    #[inline]
    fn called(&self, call: &AttributedCall<'_, '_>) -> Result<Called, Reason> {
        let answered = call.call.answered && call.call.duration > Duration::ZERO;
        let application = matches!(call.call.called, Party::Feature(_)) && call.call.cdr.egress.is_empty();
        let (mut party, mut class) = (call.call.called, call.call.called_class);
        // A call from the outside that the record knows by its extension came for the number of that extension.
        let held = call.holder.ok().and_then(|holder| holder.number);
        if let (Direction::Inbound, Party::Extension(_), Some(number)) = (call.call.direction, party, held) {
            (party, class) = (Party::Number(number), (NumberClass::Ordinary, 0));
        }
        self.reached(call.call.direction, party, class, answered, application)
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
            Direction::Inbound => match called {
                Party::Number(number) if self.prices_inbound_calls => Ok(Called::Number(number, class, digits)),
                _ => Err(Reason::InboundCall),
            },
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

    /// Prices a call by a row; where the version ends during the call and says that this splits it, the rest is priced by
    /// the rows that the later versions find.
    fn through_versions(
        &self,
        tariff: TariffId,
        version: &TariffVersion,
        row: u32,
        query: &Query<'_>,
        talk: &Talk,
        show: &mut impl Show,
    ) -> Result<Working, Reason> {
        let end = talk.at.plus(talk.duration);
        let cut = |version: &TariffVersion| {
            let until = version.in_force(talk.site).until;
            (version.splits_at_versions() && until < end).then(|| until.since(talk.at))
        };
        let talk = Talk { surcharges: version.surcharges_of(query), ..*talk };
        let Some(mut from) = cut(version) else { return Ok(price(version, row, &talk, show)?) };
        let cost = version.cost(row).ok_or(Reason::ChargeOverflow)?;
        let mut left = Ends { show, ends: Vec::new() };
        let mut whole = parts(version, row, &Talk { until: Some(from), ..talk }, &[], &mut left)?;
        loop {
            let at = talk.at.plus(from);
            let found = self.book.find(tariff, query, at, talk.site).ok_or(Reason::TariffNotInForce)?;
            let (next, row) = (found.rules, row_of(found.found)?);
            left.part(found.tariff, found.version, row, from);
            let until = cut(next).filter(|until| *until > from);
            let starts = std::mem::take(&mut left.ends);
            let surcharges = next.surcharges_of(query);
            let part = parts(next, row, &Talk { from, until, surcharges, ..talk }, &starts, &mut left)?;
            whole = whole.and(&part).ok_or(Reason::ChargeOverflow)?;
            match until {
                Some(until) => from = until,
                None => return Ok(finish(version, cost, &whole)?),
            }
        }
    }

    pub(super) fn by_tariff(
        &self,
        tariff: TariffId,
        query: &Query<'_>,
        talk: &Talk,
        show: &mut impl Show,
    ) -> Verdict<'t> {
        self.by_version(tariff, self.book.start(tariff, talk.at, talk.site), query, talk, show)
    }

    /// [`Sides::by_tariff`] from the version of it that is in force, if there is one.
    #[inline]
    fn by_version(
        &self,
        tariff: TariffId,
        start: Option<Start<'t>>,
        query: &Query<'_>,
        talk: &Talk,
        show: &mut impl Show,
    ) -> Verdict<'t> {
        let Some(start) = start else {
            return Verdict::Reason(Asked { tariff: Some(tariff), ..Asked::default() }, Reason::TariffNotInForce);
        };
        let found = self.book.find_from(start, query, talk.at, talk.site);
        let currency = Some(found.rules.currency());
        let asked = Asked { tariff: Some(found.tariff), version: found.version, currency };
        let row = match row_of(found.found) {
            Ok(row) => row,
            Err(reason) => return Verdict::Reason(asked, reason),
        };
        show.part(found.tariff, found.version, row, Duration::ZERO);
        match self.through_versions(tariff, found.rules, row, query, talk, show) {
            Ok(working) => Verdict::Priced(asked, found.rules, working),
            Err(reason) => Verdict::Reason(asked, reason),
        }
    }
}

/// The row that prices a call, or why none does.
const fn row_of(found: Match) -> Result<u32, Reason> {
    match found {
        Match::Row(row) => Ok(row),
        Match::NotFound => Err(Reason::NoRateForDestination),
        Match::Blocked(_) => Err(Reason::DestinationBlocked),
        Match::Unknown(_) => Err(Reason::PriceUnknown),
        Match::Protected(_) => Err(Reason::ClassNotPriced),
    }
}
/// Why a call has no charge that a tariff has no row for: calls inside the site and from the outside are then free,
/// whatever the tariff lacks.
pub(super) fn unpriced(query: &Query<'_>, reason: Reason) -> Reason {
    match reason {
        Reason::NoTariffAssigned | Reason::TariffNotInForce | Reason::NoRateForDestination => match query.called {
            Called::Internal => Reason::InternalCall,
            _ if query.direction == Direction::Inbound => Reason::InboundCall,
            _ => reason,
        },
        reason => reason,
    }
}

/// Whether nobody pays, whoever holds the number.
fn nobody_pays(outcome: Outcome) -> bool {
    [Reason::InternalCall, Reason::InboundCall].iter().any(|reason| outcome == reason.outcome())
}

/// Passes the sum on, and keeps where each charge left off.
struct Ends<'s, S> {
    show: &'s mut S,
    ends: Vec<(String, Duration)>,
}

impl<S: Show> Show for Ends<'_, S> {
    fn part(&mut self, tariff: TariffId, version: u16, row: u32, from: Duration) {
        self.show.part(tariff, version, row, from);
    }

    fn stretch(&mut self, stretch: &Stretch) {
        self.show.stretch(stretch);
    }

    fn entry(&mut self, entry: &Entry) {
        self.show.entry(entry);
    }

    fn charge(&mut self, charge: &ChargeWorking<'_>) {
        self.ends.push((charge.name.to_owned(), charge.end));
        self.show.charge(charge);
    }
}

/// What a side costs, as a mark-up takes it.
pub(super) fn wholesale_charge(side: &Side) -> Option<(Charge, Currency)> {
    match side.outcome {
        Outcome::Rated(priced) => Some((priced.charge, side.currency?)),
        _ => None,
    }
}

/// The side of a call whose time was read two ways that are not the same to it.
fn ambiguous(side: Side) -> Side {
    Side { outcome: Reason::LocalTimeAmbiguous.outcome(), ..side }
}

/// The site whose tariff and clock apply: that of the holder, or of the source while nobody is known to pay.
fn site(call: &AttributedCall<'_, '_>) -> SiteId {
    call.holder.map_or(call.call.site, |holder| holder.site)
}

/// A call as far as its price depends on it, at an instant.
fn talk(call: &AttributedCall<'_, '_>, at: Instant) -> Talk {
    Talk { caller: caller(call), ..Talk::new(at, site(call), call.call.duration) }
}

/// Who calls, as far as it is a number: as recorded, or the number of the line.
fn caller(call: &AttributedCall<'_, '_>) -> Option<E164> {
    match call.call.calling {
        Party::Number(number) => Some(number),
        _ => call.holder.ok().and_then(|holder| holder.number),
    }
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
