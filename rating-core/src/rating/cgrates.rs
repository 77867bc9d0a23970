//! What a call costs by a CGRateS tariff plan.
//!
//! A call is cut where its profile changes plans, at midnight, where another timing wins, and where a tier begins. Each
//! piece is rounded up to the increments of its tier; what that adds is taken from the piece behind it. The pieces are
//! added exactly, with the connection fee of the first, and the sum is rounded once.

use super::walk::up;
use crate::money::{Charge, Price, Ratio, Rounding};
use crate::tariff::cgrates::{CgratesCall, CgratesPlan, NoPrice, Offer, Piece};
use crate::time::Zone;

/// Nanoseconds in a millisecond.
const NANOSECONDS: i64 = 1_000_000;

/// What a call costs, and what that was worked out from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CgratesCharge<'p> {
    /// The row of `DestinationRates.csv` that priced the first moment of the call.
    pub offer: &'p Offer,
    /// Billed time in nanoseconds.
    pub billed: i64,
    /// Connection fee and pieces, and no more than a `*free` maximum: exact.
    pub unrounded: Ratio,
    /// The rounding, if the rows of the call name one.
    pub rounding: Option<Rounding>,
    /// The amount after that rounding, posted.
    pub charge: Charge,
}

/// Why a call has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CgratesReason {
    /// The plan has no price for it.
    NoPrice(NoPrice),
    /// The price is larger than can be kept.
    Overflow,
}

impl CgratesReason {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPrice(NoPrice::Profile) => "rating.no_tariff_assigned",
            Self::NoPrice(NoPrice::Destination) => "rating.no_rate_for_destination",
            Self::NoPrice(NoPrice::Time) => "rating.no_rate_for_time",
            Self::Overflow => "rating.charge_overflow",
        }
    }
}

impl From<NoPrice> for CgratesReason {
    fn from(reason: NoPrice) -> Self {
        Self::NoPrice(reason)
    }
}

/// Prices a call. `zone` is the clock by which midnight and timings are read.
///
/// A call without length costs nothing, not even to connect, as CGRateS has it.
///
/// # Errors
///
/// [`CgratesReason`]: such a call is not rated; it is not free.
pub fn price<'p>(
    plan: &'p CgratesPlan,
    call: &CgratesCall<'_>,
    zone: &Zone,
) -> Result<CgratesCharge<'p>, CgratesReason> {
    use CgratesReason::Overflow;
    let parts = plan.parts(call, zone)?;
    let first = plan.piece(&parts, call.answered_at, zone, 0)?;
    let end = call.duration.as_millis().checked_mul(NANOSECONDS).ok_or(Overflow)?;
    if end <= 0 {
        let nothing = Charge::ZERO;
        return Ok(CgratesCharge {
            offer: first.offer,
            billed: 0,
            unrounded: Ratio::ZERO,
            rounding: None,
            charge: nothing,
        });
    }
    let mut sum = plan.connect_fee(first.offer).ratio();
    let (mut at, mut decimals, mut rounding) = (0, 0, None);
    while at < end {
        let piece = plan.piece(&parts, call.answered_at, zone, at)?;
        let time = up(piece.until.min(end) - at, piece.tier.increment).ok_or(Overflow)?;
        sum = add(sum, &piece, time).ok_or(Overflow)?;
        // Of several roundings the one with the most decimals counts; of those, the first.
        if piece.offer.decimals > decimals {
            (decimals, rounding) = (piece.offer.decimals, piece.offer.rounding);
        }
        at = at.checked_add(time).ok_or(Overflow)?;
    }
    let charge = sum.round(rounding.unwrap_or(Rounding::LEDGER)).ok_or(Overflow)?;
    Ok(CgratesCharge { offer: first.offer, billed: at, unrounded: sum, rounding, charge })
}

/// The sum with a piece: what is beyond a `*free` maximum of its row costs nothing.
fn add(sum: Ratio, piece: &Piece<'_>, time: i64) -> Option<Ratio> {
    let sum = sum.plus(piece.tier.price.times(time, piece.tier.per))?;
    match piece.offer.free_above.map(Price::ratio) {
        Some(most) if sum.compare(most)?.is_gt() => Some(most),
        _ => Some(sum),
    }
}
