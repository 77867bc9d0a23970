//! The sum: duration, row and band to an exact amount, and that amount to a posted charge.
//!
//! Order (each step is one of a real list, `docs/tariff-guide.md`): billed duration by first and further increment; usage
//! as an exact ratio; plus the connection charge; the minimum; the one rounding that the tariff names; posting.

use crate::ids::SiteId;
use crate::money::{Charge, Price, Ratio, Rounding};
use crate::tariff::{Plan, TariffVersion};
use crate::time::{Duration, Instant};

/// A charge and everything that it was worked out from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Working {
    /// The row: index in the tariff version.
    pub row: u32,
    /// The band: index in the tariff version.
    pub band: u8,
    /// What the row costs in that band.
    pub plan: Plan,
    /// Talk time.
    pub duration: Duration,
    /// Talk time after first and further increment.
    pub billed: Duration,
    /// Usage alone, exact: price × billed duration.
    pub usage: Ratio,
    /// Usage and connection charge, or the minimum if that is more: exact, before rounding.
    pub unrounded: Ratio,
    /// Whether the minimum was more.
    pub minimum_applied: bool,
    /// The rounding that the tariff names; `None` is to the ledger's scale, half up.
    pub rounding: Option<Rounding>,
    /// What is posted.
    pub charge: Charge,
}

/// Prices `duration` by a row of a tariff version, in the band at `at` on the clock of `site`; `None` if the amount is
/// larger than a ledger amount can be, or the row does not price.
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
/// let at = Instant::parse_rfc3339("2026-07-01T10:00:00Z").unwrap();
/// let working = rating_core::rating::price(version, 0, at, SiteId(0), Duration::from_seconds(61)).unwrap();
/// assert_eq!(working.billed, Duration::from_seconds(120));
/// assert_eq!(working.charge.to_string(), "0.06"); // 2 × 3p
/// ```
#[must_use]
#[inline]
pub fn price(version: &TariffVersion, row: u32, at: Instant, site: SiteId, duration: Duration) -> Option<Working> {
    let band = version.band_at(0, at, site);
    let plan = version.plan(row, band)?;
    let billed = billed(duration, plan.first, plan.further)?;
    let usage = plan.price.times(billed.as_millis(), plan.per.as_millis());
    // Over the one denominator that usage has, products of two words fit and only their sum is checked.
    let (numerator, denominator) = usage.parts();
    let over = |amount: Price| i128::from(amount.units()) * i128::from(plan.per.as_millis());
    let sum = numerator.checked_add(over(plan.connection))?;
    let minimum_applied = sum < over(plan.minimum);
    let unrounded = if minimum_applied { plan.minimum.ratio() } else { Ratio::new(sum, denominator)? };
    let rounding = version.rounding();
    let charge = unrounded.round(rounding.unwrap_or(Rounding::LEDGER))?;
    Some(Working { row, band, plan, duration, billed, usage, unrounded, minimum_applied, rounding, charge })
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
