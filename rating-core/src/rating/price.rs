//! The sum: duration, row and band to an exact amount, and that amount to a posted charge.
//!
//! Order (each step is one of a real list, `docs/tariff-guide.md`): for each charge of the row, talk time by its rounding
//! and grace; the stretches of it by step and band, each with its increments, as an exact ratio; the cap; the connection
//! charge; minimum and maximum. Then, for the call: the sum of its charges; minimum and maximum; the one rounding that the
//! tariff names; posting.

use super::walk::{Entry, Stretch, Walk};
use crate::ids::{SiteId, TariffId};
use crate::money::{Charge, Currency, Price, Ratio, Rounding};
use crate::number::E164;
use crate::tariff::{AfterCap, Cap, ChargeView, Cost, MinimumStage, Overrun, Plan, Tag, TariffVersion, Terms};
use crate::time::{Duration, Instant, Zone};

/// What is to be priced: a call as far as a price depends on it, beyond the row.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Talk {
    /// The answer.
    pub at: Instant,
    /// The site whose clock counts.
    pub site: SiteId,
    /// Talk time.
    pub duration: Duration,
    /// So much charged time, from the answer on, is paid for by an allowance.
    pub covered: Duration,
    /// What the wholesale side of the call costs: what marked-up rows are worked out from.
    pub wholesale: Option<(Charge, Currency)>,
    /// Who calls: whose clock counts where the tariff goes by the caller's.
    pub caller: Option<E164>,
    /// Which surcharges of the tariff version apply: a bit for each.
    pub surcharges: u64,
    /// Where in the charged time this version takes over; zero is the answer.
    pub from: Duration,
    /// Where the version ends during the call, if its end splits the call.
    pub until: Option<Duration>,
}

impl Talk {
    /// A call with nothing special about it.
    #[must_use]
    pub const fn new(at: Instant, site: SiteId, duration: Duration) -> Self {
        Self {
            at,
            site,
            duration,
            covered: Duration::ZERO,
            wholesale: None,
            caller: None,
            surcharges: 0,
            from: Duration::ZERO,
            until: None,
        }
    }
}

/// Why a row that matches cannot price a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The row does not price at all: it blocks its destination, or there is no such row.
    NoPrice,
    /// An amount is larger than can be kept.
    Overflow,
    /// The row is a mark-up, and the wholesale side has no charge.
    WholesaleUnpriced,
    /// The row is a mark-up, and the wholesale side is in another currency.
    WholesaleCurrency,
    /// The clock is the caller's, and nobody says in which zone he is.
    CallerZoneUnknown,
}

/// A charge and everything that it was worked out from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Working {
    /// The row: index in the tariff version.
    pub row: u32,
    /// The band at the answer: index in the tariff version.
    pub band: u8,
    /// What the row's own usage costs in that band.
    pub plan: Plan,
    /// Talk time.
    pub duration: Duration,
    /// Billed time of the first charge.
    pub billed: Duration,
    /// Usage of the first charge, exact, before its connection charge.
    pub usage: Ratio,
    /// The sum of all charges within the minimum and the maximum of the call: exact, before the call is rounded.
    pub unrounded: Ratio,
    /// Whether a minimum was more.
    pub minimum_applied: bool,
    /// Whether a cap or a maximum was less.
    pub maximum_applied: bool,
    /// The rounding of the call that the tariff names; `None` is to the ledger's scale, half up.
    pub rounding: Option<Rounding>,
    /// What is posted.
    pub charge: Charge,
}

/// One charge of a call, worked out.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChargeWorking<'v> {
    /// Its name; empty for the row's own usage.
    pub name: &'v str,
    /// What it is for.
    pub tag: Tag,
    /// Its terms.
    pub terms: &'v Terms,
    /// The wholesale charge it is marked up from, and by how many millionths it is multiplied.
    pub wholesale: Option<(Charge, i64)>,
    /// Whether the call is too short to be charged.
    pub free: bool,
    /// Talk time after its rounding, grace and minimum.
    pub charged: Duration,
    /// Billed time.
    pub billed: Duration,
    /// Position behind the last stretch, in charged time from the answer.
    pub end: Duration,
    /// All stretches.
    pub stretches: Ratio,
    /// What the cap leaves of them, rounded if the terms round usage.
    pub usage: Ratio,
    /// Whether the cap was less.
    pub capped: bool,
    /// Connection charge.
    pub connection: Price,
    /// Whether its minimum was more.
    pub minimum_applied: bool,
    /// Whether its maximum was less.
    pub maximum_applied: bool,
    /// What it comes to, rounded if its terms round it.
    pub amount: Ratio,
    /// Whether it is added after the call is rounded.
    pub after_rounding: bool,
}

/// Is shown the sum as it is done. The run looks at nothing; an explanation keeps everything.
pub trait Show {
    /// The row that prices the call from so much charged time on: its tariff, the version of it, and its place there.
    fn part(&mut self, _: TariffId, _: u16, _: u32, _: Duration) {}
    /// A stretch of the charge that is worked out next.
    fn stretch(&mut self, _: &Stretch) {}
    /// A step of that charge which the call reaches, and what is due for it.
    fn entry(&mut self, _: &Entry) {}
    /// A charge, after its stretches.
    fn charge(&mut self, _: &ChargeWorking<'_>) {}
}

impl Show for () {}

/// Prices a call by a row of a tariff version.
///
/// # Errors
///
/// [`Trouble`], if the row does not price the call.
///
/// # Example: 61 seconds at 60/60 and 3p a minute
///
/// ```
/// # use rating_core::finding::{Findings, SourceText};
/// # use rating_core::ids::SiteId;
/// # use rating_core::tariff::TariffBook;
/// # use rating_core::time::{Duration, Instant, Zone};
/// # let settings = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\nincrements = \"60/60\"\ndecks = [\"r.csv\"]\n";
/// # let deck = "prefix,destination,price\n44,United Kingdom,3\n";
/// # let book = TariffBook::read(
/// #     &[SourceText::new("r.toml", settings)],
/// #     &mut |name| Some(SourceText::new(name, deck)),
/// #     &[], &Zone::utc(), &mut Findings::default(),
/// # );
/// # let version = &book.tariffs()[0].versions()[0];
/// use rating_core::rating::{Talk, price};
/// let at = Instant::parse_rfc3339("2026-07-01T10:00:00Z").unwrap();
/// let talk = Talk::new(at, SiteId(0), Duration::from_seconds(61));
/// let working = price(version, 0, &talk, &mut ()).unwrap();
/// assert_eq!(working.billed, Duration::from_seconds(120));
/// assert_eq!(working.charge.to_string(), "0.06"); // 2 × 3p
/// ```
#[inline]
pub fn price(version: &TariffVersion, row: u32, talk: &Talk, show: &mut impl Show) -> Result<Working, Trouble> {
    let cost = version.cost(row).ok_or(Trouble::NoPrice)?;
    let parts = parts(version, row, talk, &[], show)?;
    finish(version, cost, &parts)
}

/// Charges of a call, or of the part of it that one version prices, before the call as a whole is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    row: u32,
    band: u8,
    plan: Plan,
    duration: Duration,
    billed: Duration,
    usage: Ratio,
    sum: Ratio,
    after: Ratio,
    free: bool,
    minimum_applied: bool,
    maximum_applied: bool,
}

impl Parts {
    /// This part of a call and the one that follows it.
    pub(super) fn and(&self, later: &Self) -> Option<Self> {
        Some(Self {
            billed: Duration::from_millis(self.billed.as_millis().checked_add(later.billed.as_millis())?),
            usage: self.usage.plus(later.usage)?,
            sum: self.sum.plus(later.sum)?,
            after: self.after.plus(later.after)?,
            free: self.free && later.free,
            minimum_applied: self.minimum_applied || later.minimum_applied,
            maximum_applied: self.maximum_applied || later.maximum_applied,
            ..*self
        })
    }
}

/// Works out the charges of a row. `starts` are the positions, by charge, at which an earlier version left off.
pub(super) fn parts(
    version: &TariffVersion,
    row: u32,
    talk: &Talk,
    starts: &[(String, Duration)],
    show: &mut impl Show,
) -> Result<Parts, Trouble> {
    let cost = version.cost(row).ok_or(Trouble::NoPrice)?;
    let zone = version.zone_for(talk.site, talk.caller).ok_or(Trouble::CallerZoneUnknown)?;
    let band = version.band_at_in(cost.band_set(), talk.at, talk.site, zone);
    let plan = cost.plan(band);
    let mut parts = Parts {
        row,
        band,
        plan,
        duration: talk.duration,
        billed: Duration::ZERO,
        usage: Ratio::ZERO,
        sum: Ratio::ZERO,
        after: Ratio::ZERO,
        // A charge with a grace of its own may be free by itself; the call is, if it is below the grace of the tariff.
        free: talk.duration < version.terms().free_below,
        minimum_applied: false,
        maximum_applied: false,
    };
    let whole = talk.from == Duration::ZERO && talk.until.is_none();
    if cost.is_plain() && whole && talk.covered == Duration::ZERO && talk.surcharges == 0 {
        // Nearly every call.
        let (billed, usage, sum) = plain_sum(&plan, talk.duration).ok_or(Trouble::Overflow)?;
        show_plain(version, talk, &plan, band, billed, usage, sum, show);
        return Ok(Parts { billed, usage, sum, ..parts });
    }
    let start = |name: &str| {
        let left = starts.iter().find(|(have, _)| have == name);
        left.map_or(talk.from, |(_, at)| talk.from.max(*at))
    };
    let mut first = true;
    let mut add = |working: ChargeWorking<'_>, after: bool, show: &mut dyn FnMut(&ChargeWorking<'_>)| {
        show(&working);
        let into = if after { &mut parts.after } else { &mut parts.sum };
        *into = into.plus(working.amount).ok_or(Trouble::Overflow)?;
        parts.free &= working.free;
        parts.minimum_applied |= working.minimum_applied;
        parts.maximum_applied |= working.maximum_applied || working.capped;
        if std::mem::take(&mut first) {
            (parts.billed, parts.usage) = (working.billed, working.usage);
        }
        Ok::<(), Trouble>(())
    };
    if let Some(factor) = cost.markup() {
        let working = marked_up(version, cost, talk, factor)?;
        add(working, false, &mut |working| show.charge(working))?;
    } else {
        for charge in cost.charges() {
            let working = component(version, charge, zone, talk, start(charge.name), show)?;
            add(working, false, &mut |working| show.charge(working))?;
        }
        for (charge, after) in version.surcharges(talk.surcharges) {
            let mut working = component(version, charge, zone, talk, start(charge.name), show)?;
            working.after_rounding = after;
            add(working, after, &mut |working| show.charge(working))?;
        }
    }
    Ok(parts)
}

#[expect(clippy::too_many_arguments, reason = "everything that the plain sum knows, shown once")]
#[inline]
fn show_plain(
    version: &TariffVersion,
    talk: &Talk,
    plan: &Plan,
    band: u8,
    billed: Duration,
    usage: Ratio,
    sum: Ratio,
    show: &mut impl Show,
) {
    show.stretch(&Stretch {
        from: Duration::ZERO,
        length: talk.duration,
        billed,
        covered: Duration::ZERO,
        step: 0,
        band,
        rate: crate::tariff::Rate { price: plan.price, per: plan.per },
        amount: usage,
    });
    show.charge(&ChargeWorking {
        name: "",
        tag: Tag::Usage,
        terms: version.terms(),
        wholesale: None,
        free: false,
        charged: talk.duration,
        billed,
        end: billed,
        stretches: usage,
        usage,
        capped: false,
        connection: plan.connection,
        minimum_applied: false,
        maximum_applied: false,
        amount: sum,
        after_rounding: false,
    });
}

/// One price, one increment, one connection charge: billed time, usage, and the sum of all.
#[inline]
pub(super) fn plain_sum(plan: &Plan, duration: Duration) -> Option<(Duration, Ratio, Ratio)> {
    let billed = billed(duration, plan.first, plan.further)?;
    let usage = plan.price.times(billed.as_millis(), plan.per.as_millis());
    let (numerator, denominator) = usage.parts();
    let over = i128::from(plan.connection.units()) * i128::from(plan.per.as_millis());
    let sum = numerator.checked_add(over).and_then(|sum| Ratio::new(sum, denominator))?;
    Some((billed, usage, sum))
}

/// The call as a whole: minimum, maximum, rounding, posting.
#[inline]
pub(super) fn finish(version: &TariffVersion, cost: Cost<'_>, parts: &Parts) -> Result<Working, Trouble> {
    let whole = settle(version, &cost, (parts.sum, parts.after), parts.free)?;
    Ok(Working {
        row: parts.row,
        band: parts.band,
        plan: parts.plan,
        duration: parts.duration,
        billed: parts.billed,
        usage: parts.usage,
        unrounded: whole.unrounded,
        minimum_applied: parts.minimum_applied || whole.minimum_applied,
        maximum_applied: parts.maximum_applied || whole.maximum_applied,
        rounding: version.rounding(),
        charge: whole.charge,
    })
}

/// A call as a whole.
pub(super) struct Whole {
    unrounded: Ratio,
    pub(super) minimum_applied: bool,
    maximum_applied: bool,
    pub(super) charge: Charge,
}

/// From the sum of a call's charges, and of those that are added after it is rounded, to what is posted; a `free` call is
/// below every minimum.
#[inline]
pub(super) fn settle(
    version: &TariffVersion,
    cost: &Cost<'_>,
    (mut sum, after): (Ratio, Ratio),
    free: bool,
) -> Result<Whole, Trouble> {
    let (stage, rounding) = (version.minimum_stage(), version.rounding());
    let (mut minimum_applied, mut maximum_applied) = (false, false);
    let less = |sum: Ratio, limit: Price| Ok(sum.compare(limit.ratio()).ok_or(Trouble::Overflow)?.is_lt());
    if stage == MinimumStage::AfterConnection && !free && less(sum, cost.minimum())? {
        (sum, minimum_applied) = (cost.minimum().ratio(), true);
    }
    if let Some(maximum) = cost.maximum()
        && sum.compare(maximum.ratio()).ok_or(Trouble::Overflow)?.is_gt()
    {
        (sum, maximum_applied) = (maximum.ratio(), true);
    }
    let mut charge = sum.round(rounding.unwrap_or(Rounding::LEDGER)).ok_or(Trouble::Overflow)?;
    // A call that no rule rounds stays exact until all of it is posted.
    if stage == MinimumStage::AfterRounding || !after.is_zero() {
        let mut exact = if rounding.is_some() { charge.ratio() } else { sum };
        if stage == MinimumStage::AfterRounding && !free && less(exact, cost.minimum())? {
            (exact, minimum_applied) = (cost.minimum().ratio(), true);
            charge = exact.post().ok_or(Trouble::Overflow)?;
        }
        if !after.is_zero() {
            charge = exact.plus(after).and_then(Ratio::post).ok_or(Trouble::Overflow)?;
        }
    }
    Ok(Whole { unrounded: sum, minimum_applied, maximum_applied, charge })
}

/// One charge of a call.
fn component<'v>(
    version: &'v TariffVersion,
    charge: ChargeView<'v>,
    zone: &'v Zone,
    talk: &Talk,
    start: Duration,
    show: &mut impl Show,
) -> Result<ChargeWorking<'v>, Trouble> {
    let terms = charge.terms;
    let band = version.band_at_in(charge.band_set, talk.at, talk.site, zone);
    let continued = talk.from > Duration::ZERO;
    let mut working = ChargeWorking {
        name: charge.name,
        tag: charge.tag,
        terms,
        wholesale: None,
        free: talk.duration < terms.free_below,
        charged: Duration::ZERO,
        billed: Duration::ZERO,
        end: Duration::ZERO,
        stretches: Ratio::ZERO,
        usage: Ratio::ZERO,
        capped: false,
        connection: if continued { Price::ZERO } else { charge.connection.in_band(band) },
        minimum_applied: false,
        maximum_applied: false,
        amount: Ratio::ZERO,
        after_rounding: false,
    };
    if working.free {
        working.connection = Price::ZERO;
        return Ok(working);
    }
    let charged = charged(terms, talk.duration, continued).ok_or(Trouble::Overflow)?.as_millis();
    let end = talk.until.map_or(charged, |until| until.as_millis().min(charged));
    working.charged = Duration::from_millis(charged);
    let mut position = start.as_millis();
    if end > position {
        let walk = Walk {
            version,
            charge,
            site: talk.site,
            zone,
            at: talk.at,
            band,
            duration: end,
            start: position,
            steps_from: talk.from.as_millis(),
            is_last: end == charged,
            covered: talk.covered.as_millis(),
        };
        let window = terms.cap.and_then(|cap| cap.window).map(Duration::as_millis);
        let walked = walk.run(window, show)?;
        working.billed = Duration::from_millis(walked.billed);
        working.stretches = walked.usage;
        working.usage = match terms.cap {
            None => walked.usage,
            Some(cap) => {
                let billed = start.as_millis().checked_add(walked.billed).ok_or(Trouble::Overflow)?;
                let beyond = cap.window.map_or(0, |window| billed - window.max(start).as_millis());
                capped(cap, walked.usage, walked.in_window, beyond).ok_or(Trouble::Overflow)?
            }
        };
        working.capped =
            terms.cap.is_some() && working.usage.compare(walked.usage).is_some_and(std::cmp::Ordering::is_ne);
        position = match version.overrun() {
            Overrun::Next => walked.end,
            _ => end,
        };
    }
    working.end = Duration::from_millis(position);
    if continued && working.billed == Duration::ZERO {
        // The version before has priced all there is.
        return Ok(working);
    }
    // The minimum of a row's own usage is that of the call, and so the first version's.
    let minimum = if continued && charge.name.is_empty() { Price::ZERO } else { charge.minimum };
    amount(version, &mut working, minimum, charge.maximum)?;
    Ok(working)
}

/// The wholesale charge, marked up. The row's connection charge is added to it and not marked up.
fn marked_up<'v>(
    version: &'v TariffVersion,
    cost: Cost<'v>,
    talk: &Talk,
    factor: i64,
) -> Result<ChargeWorking<'v>, Trouble> {
    const MILLION: i128 = 1_000_000;
    let (charge, currency) = talk.wholesale.ok_or(Trouble::WholesaleUnpriced)?;
    if currency != version.currency() {
        return Err(Trouble::WholesaleCurrency);
    }
    let terms = version.terms();
    // The wholesale charge is for the whole call: nothing is left for a later version to mark up.
    let free = talk.duration < terms.free_below || talk.from > Duration::ZERO;
    let charged = charged(terms, talk.duration, false).ok_or(Trouble::Overflow)?;
    let plan = cost.plan(0);
    let time = if free || charged == Duration::ZERO {
        Duration::ZERO
    } else {
        billed(charged, plan.first, plan.further).ok_or(Trouble::Overflow)?
    };
    let (numerator, denominator) = charge.ratio().parts();
    let product = numerator.checked_mul(i128::from(factor)).ok_or(Trouble::Overflow)?;
    let usage = Ratio::new(product, denominator * MILLION).ok_or(Trouble::Overflow)?;
    let mut working = ChargeWorking {
        name: "",
        tag: Tag::Usage,
        terms,
        wholesale: Some((charge, factor)),
        free,
        charged,
        billed: time,
        end: time,
        stretches: usage,
        usage: if free { Ratio::ZERO } else { usage },
        capped: false,
        connection: if free { Price::ZERO } else { cost.connection() },
        minimum_applied: false,
        maximum_applied: false,
        amount: Ratio::ZERO,
        after_rounding: false,
    };
    if !free {
        let before = version.minimum_stage() == MinimumStage::BeforeConnection;
        amount(version, &mut working, if before { cost.minimum() } else { Price::ZERO }, None)?;
    }
    Ok(working)
}

/// From usage to what a charge comes to: rounding of the usage, minimum, connection charge, maximum, rounding.
fn amount(
    version: &TariffVersion,
    working: &mut ChargeWorking<'_>,
    minimum: Price,
    maximum: Option<Price>,
) -> Result<(), Trouble> {
    let terms = working.terms;
    if let Some(rounding) = terms.usage_rounding {
        working.usage = working.usage.round(rounding).ok_or(Trouble::Overflow)?.ratio();
    }
    let floor = |amount: Ratio, applied: &mut bool| {
        if amount.compare(minimum.ratio()).ok_or(Trouble::Overflow)?.is_lt() {
            *applied = true;
            return Ok(minimum.ratio());
        }
        Ok::<Ratio, Trouble>(amount)
    };
    let stage = version.minimum_stage();
    let mut sum = working.usage;
    if stage == MinimumStage::BeforeConnection {
        sum = floor(sum, &mut working.minimum_applied)?;
    }
    sum = sum.plus(working.connection.ratio()).ok_or(Trouble::Overflow)?;
    if stage == MinimumStage::AfterConnection {
        sum = floor(sum, &mut working.minimum_applied)?;
    }
    if let Some(maximum) = maximum
        && sum.compare(maximum.ratio()).ok_or(Trouble::Overflow)?.is_gt()
    {
        (sum, working.maximum_applied) = (maximum.ratio(), true);
    }
    if let Some(rounding) = terms.rounding {
        sum = sum.round(rounding).ok_or(Trouble::Overflow)?.ratio();
    }
    if stage == MinimumStage::AfterRounding {
        sum = floor(sum, &mut working.minimum_applied)?;
    }
    working.amount = sum;
    Ok(())
}

/// Talk time after its rounding, the grace that is taken off, and the least that is charged.
fn charged(terms: &Terms, duration: Duration, continued: bool) -> Option<Duration> {
    let rounded = match terms.duration_rounding {
        None => duration,
        Some(rounding) => rounding.round(duration)?,
    };
    let left = Duration::from_millis(rounded.as_millis().checked_sub(terms.subtract.as_millis())?.max(0));
    Some(if continued { left } else { left.max(terms.minimum_duration) })
}

/// What a cap leaves of the usage, of which so much is billed beyond the window; `None` if an amount does not fit.
fn capped(cap: Cap, usage: Ratio, in_window: Ratio, beyond: i64) -> Option<Ratio> {
    let most = cap.charge.ratio();
    let least = |amount: Ratio| Some(if amount.compare(most)?.is_gt() { most } else { amount });
    if beyond <= 0 {
        return least(usage);
    }
    match cap.then {
        AfterCap::Price => least(in_window)?.plus(usage.minus(in_window)?),
        AfterCap::Free => least(in_window),
        AfterCap::Whole => Some(usage),
        AfterCap::At(price, per) => {
            let after = match per.as_millis() {
                0 => price.ratio(),
                per => price.times(beyond, per),
            };
            least(in_window)?.plus(after)
        }
    }
}

/// The first increment, then as many further ones as it takes; `None` if that overflows.
///
/// # Example: 30/6
///
/// ```
/// use rating_core::rating::billed;
/// use rating_core::time::Duration;
/// let [first, further] = [30, 6].map(Duration::from_seconds);
/// let bill = |seconds| billed(Duration::from_seconds(seconds), first, further).unwrap().to_string();
/// assert_eq!([12, 30, 31, 57].map(bill), ["30s", "30s", "36s", "60s"]);
/// ```
#[must_use]
#[inline]
pub fn billed(duration: Duration, first: Duration, further: Duration) -> Option<Duration> {
    let beyond = duration.as_millis().checked_sub(first.as_millis())?;
    if beyond <= 0 {
        return Some(first);
    }
    let step = further.as_millis();
    let rest = beyond.checked_rem(step)?;
    let up = if rest == 0 { 0 } else { step.checked_sub(rest)? };
    duration.as_millis().checked_add(up).map(Duration::from_millis)
}
