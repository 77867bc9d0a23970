//! Which rows price which part of a call, and which of them holds at a position.

use super::{CgratesCall, CgratesPlan, NANOSECONDS, Offer, Rate, Tier, Timing, profile_key};
use crate::money::Price;
use crate::time::{Date, Duration, Instant, LocalTime, Resolved, Zone};

/// A subject, its fallback, and that one's fallback.
const MOST_FALLBACKS: u8 = 3;

/// A part of a call that one plan prices.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// From which position, in nanoseconds.
    pub from: i64,
    /// The rows that price it; never empty.
    offers: &'p [Offer],
}

/// What holds at a position of a call.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'p> {
    /// The row of `DestinationRates.csv`, at its timing.
    pub offer: &'p Offer,
    /// The tier of its rate.
    pub tier: Tier,
    /// Until which position, in nanoseconds: the next change of the profile, midnight, timing or tier.
    pub until: i64,
}

/// Why a plan has no price for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPrice {
    /// There is no profile for the subject, nor for `*any`.
    Profile,
    /// The profile and its fallbacks do not price the called number during the whole call.
    Destination,
    /// They do, but no row is active at some moment of the call, or its rate has no tier there.
    Time,
}

/// From when, by which rows or, where there are none, by which other subjects.
type Stretch<'p> = (Instant, &'p [Offer], &'p [Box<str>]);

/// A day's clock: where the wall clock stands, and what is asked of it.
struct Wall {
    date: Date,
    year: i32,
    month: u32,
    day: u32,
    /// Milliseconds since midnight.
    time: i64,
}

impl Wall {
    fn new(local: LocalTime) -> Self {
        let (year, month, day) = local.date().civil();
        Self { date: local.date(), year, month, day, time: local.millis_of_day() }
    }
}

impl Timing {
    /// Whether it is active on a day, leaving the time of day aside.
    fn has_day(&self, wall: &Wall) -> bool {
        self.years.as_ref().is_none_or(|years| years.contains(&wall.year))
            && self.months & 1 << wall.month != 0
            && self.month_days & 1 << wall.day != 0
            && self.week_days & 1 << wall.date.weekday().index() != 0
    }

    fn holds(&self, wall: &Wall) -> bool {
        self.start <= wall.time && self.has_day(wall)
    }
}

impl Rate {
    /// The tier at a position; of two with one start, the last.
    pub(super) fn tier(&self, position: i64) -> Option<Tier> {
        let after = self.tiers.partition_point(|tier| tier.start <= position);
        self.tiers.get(after.checked_sub(1)?).copied()
    }

    /// Where the next tier begins.
    fn next_tier(&self, position: i64) -> i64 {
        let after = self.tiers.partition_point(|tier| tier.start <= position);
        self.tiers.get(after).map_or(i64::MAX, |tier| tier.start)
    }
}

/// The weight of rows by which destinations that share a prefix are compared: the highest, and at least 0.
pub(super) fn weight(offers: &[Offer]) -> Price {
    offers.iter().map(|offer| offer.weight).fold(Price::ZERO, Ord::max)
}

impl CgratesPlan {
    /// The name of an offer's destination: an id of `Destinations.csv`, or `*any`.
    #[must_use]
    pub fn destination(&self, offer: &Offer) -> &str {
        let name = offer.destination.and_then(|index| self.destinations.get(usize::try_from(index).ok()?));
        name.map_or("*any", AsRef::as_ref)
    }

    /// The tag of an offer's timing.
    #[must_use]
    pub fn timing(&self, offer: &Offer) -> &str {
        self.timing_of(offer).map_or("", |timing| &timing.tag)
    }

    /// What the offer's rate costs once per call.
    #[must_use]
    pub fn connect_fee(&self, offer: &Offer) -> Price {
        self.rate_of(offer).map_or(Price::ZERO, |rate| rate.connect_fee)
    }

    pub(super) fn timing_of(&self, offer: &Offer) -> Option<&Timing> {
        self.timings.get(usize::try_from(offer.timing).ok()?)
    }

    pub(super) fn rate_of(&self, offer: &Offer) -> Option<&Rate> {
        self.rates.get(usize::try_from(offer.rate).ok()?)
    }

    /// The parts of a call, in order, that cover it from its answer to its end.
    ///
    /// # Errors
    ///
    /// [`NoPrice::Profile`] or [`NoPrice::Destination`].
    pub fn parts(&self, call: &CgratesCall<'_>, zone: &Zone) -> Result<Vec<Part<'_>>, NoPrice> {
        // A call without length still has an answer to be priced by.
        let end = call.answered_at.plus(call.duration.max(Duration::from_millis(1)));
        let subject = [call.subject, "*any"]
            .into_iter()
            .find(|subject| self.profiles.contains_key(profile_key(call.tenant, call.category, subject).as_str()));
        let subject = subject.ok_or(NoPrice::Profile)?;
        self.cover(call, zone, subject, (call.answered_at, end), 1).ok_or(NoPrice::Destination)
    }

    /// The parts that cover `from..until` by the profile of `subject` and its fallbacks; `None` if a hole remains.
    fn cover<'p>(
        &'p self,
        call: &CgratesCall<'_>,
        zone: &Zone,
        subject: &str,
        (from, until): (Instant, Instant),
        depth: u8,
    ) -> Option<Vec<Part<'p>>> {
        if depth > MOST_FALLBACKS {
            return None;
        }
        let activations = self.profiles.get(profile_key(call.tenant, call.category, subject).as_str())?;
        let begun = activations.partition_point(|activation| activation.at <= from);
        let ended = activations.partition_point(|activation| activation.at < until);
        let wall = Wall::new(zone.to_local(from));
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        if begun == 0 {
            if ended == 0 {
                return None;
            }
            stretches.push((from, &[], everybody()));
        }
        for activation in activations.get(begun.saturating_sub(1)..ended)? {
            let offers = self.offers(activation.plan, call.called, &wall);
            // A plan that knows nothing of the number, and nobody else to ask: what went before goes on.
            if !offers.is_empty() || !activation.fallbacks.is_empty() {
                stretches.push((activation.at.max(from), offers, &activation.fallbacks));
            }
        }
        if stretches.first()?.0 > from {
            return None;
        }
        let mut parts = Vec::with_capacity(stretches.len());
        for (index, (begin, offers, fallbacks)) in stretches.iter().enumerate() {
            let end = stretches.get(index + 1).map_or(until, |next| next.0);
            if offers.is_empty() {
                let mut others = fallbacks.iter().map(AsRef::as_ref);
                parts.extend(others.find_map(|name| self.cover(call, zone, name, (*begin, end), depth + 1))?);
            } else {
                parts.push(Part { from: position(*begin, call.answered_at)?, offers });
            }
        }
        Some(parts)
    }

    /// The rows of a plan for a called number: those of the longest prefix with one that is active on `wall`, of the
    /// destination with the highest weight; else those of `*any`, active or not; else none.
    fn offers(&self, plan: u32, called: &str, wall: &Wall) -> &[Offer] {
        let Some(plan) = usize::try_from(plan).ok().and_then(|index| self.plans.get(index)) else { return &[] };
        let active = |offer: &Offer| self.timing_of(offer).is_some_and(|timing| timing.holds(wall));
        let digits = if called == "*any" { &[] } else { called.as_bytes() };
        for length in (1..=digits.len()).rev() {
            let Some(holders) = digits.get(..length).and_then(|prefix| self.prefixes.get(prefix)) else { continue };
            let mut best: Option<(Price, &[Offer])> = None;
            for rows in holders.iter().filter_map(|holder| plan.by_destination.get(holder)) {
                let weight = weight(rows);
                if rows.iter().any(active) && best.is_none_or(|(most, _)| weight > most) {
                    best = Some((weight, rows));
                }
            }
            if let Some((_, rows)) = best {
                return rows;
            }
        }
        &plan.any
    }

    /// What holds at a position of a call, and until when.
    ///
    /// # Errors
    ///
    /// [`NoPrice::Time`] if no row is active there or its rate has no tier there.
    pub fn piece<'p>(
        &'p self,
        parts: &[Part<'p>],
        answered_at: Instant,
        zone: &Zone,
        position: i64,
    ) -> Result<Piece<'p>, NoPrice> {
        let index = parts.iter().rposition(|part| part.from <= position).ok_or(NoPrice::Time)?;
        let part = parts.get(index).ok_or(NoPrice::Time)?;
        let next_part = parts.get(index + 1).map_or(i64::MAX, |next| next.from);
        let now = answered_at.plus(Duration::from_millis(position / NANOSECONDS));
        let wall = Wall::new(zone.to_local(now));
        let offer = self.winner(part.offers, &wall).ok_or(NoPrice::Time)?;
        let rate = self.rate_of(offer).ok_or(NoPrice::Time)?;
        let tier = rate.tier(position).ok_or(NoPrice::Time)?;
        let edge = self.next_edge(part.offers, offer, &wall, now, zone);
        let edge = self::position(edge, answered_at).unwrap_or(i64::MAX);
        Ok(Piece { offer, tier, until: edge.min(next_part).min(rate.next_tier(position)) })
    }

    /// Of the rows active on `wall`: the highest weight; of those, the latest beginning; of those, the first listed.
    fn winner<'p>(&self, offers: &'p [Offer], wall: &Wall) -> Option<&'p Offer> {
        let mut best: Option<(Price, i64, &Offer)> = None;
        for offer in offers {
            let Some(timing) = self.timing_of(offer).filter(|timing| timing.holds(wall)) else { continue };
            if best.is_none_or(|(weight, start, _)| (offer.weight, timing.start) > (weight, start)) {
                best = Some((offer.weight, timing.start, offer));
            }
        }
        best.map(|(_, _, offer)| offer)
    }

    /// The next midnight, or the first moment before it at which another row wins.
    fn next_edge(&self, offers: &[Offer], offer: &Offer, wall: &Wall, now: Instant, zone: &Zone) -> Instant {
        let midnight = zone.start_of(wall.date.tomorrow().midnight());
        let mut starts: Vec<Instant> = Vec::new();
        for timing in offers.iter().filter_map(|offer| self.timing_of(offer)).filter(|timing| timing.has_day(wall)) {
            let local = LocalTime::from_millis(wall.date.midnight().as_millis() + timing.start);
            match zone.resolve(local) {
                Resolved::Unique(at) => starts.push(at),
                Resolved::Repeated(first, second) => starts.extend([first, second]),
                Resolved::Missing(..) => starts.push(zone.start_of(local)),
            }
        }
        // Where the clock is set back, an earlier row may win again.
        starts.extend(offset_change(now, midnight, zone));
        starts.retain(|at| *at > now && *at < midnight);
        starts.sort_unstable();
        let wins = |at: &Instant| {
            let other = self.winner(offers, &Wall::new(zone.to_local(*at)));
            !other.is_some_and(|other| std::ptr::eq(other, offer))
        };
        starts.into_iter().find(wins).unwrap_or(midnight)
    }
}

/// The one subject that stands for all.
fn everybody() -> &'static [Box<str>] {
    static EVERYBODY: std::sync::OnceLock<[Box<str>; 1]> = std::sync::OnceLock::new();
    EVERYBODY.get_or_init(|| ["*any".into()])
}

/// Where the clock is changed between two instants, if it is.
fn offset_change(from: Instant, until: Instant, zone: &Zone) -> Option<Instant> {
    let before = zone.offset_at(from);
    if zone.offset_at(until) == before {
        return None;
    }
    let (mut low, mut high) = (from.as_millis(), until.as_millis());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if zone.offset_at(Instant::from_millis(middle)) == before { low = middle } else { high = middle }
    }
    Some(Instant::from_millis(high))
}

/// How far into the call an instant is, in nanoseconds.
fn position(at: Instant, answered_at: Instant) -> Option<i64> {
    at.since(answered_at).as_millis().checked_mul(NANOSECONDS)
}
