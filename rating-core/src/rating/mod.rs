//! Third floor: what each call costs, twice: retail for its payer, wholesale for the operator.

mod again;
pub mod allowance;
mod ask;
mod asked;
pub mod cgrates;
mod price;
mod rater;
mod reason;
mod straight;
mod walk;

#[cfg(test)]
mod tests;

pub use ask::{Answer, Question, ask};
pub use price::{ChargeWorking, Show, Talk, Trouble, Working, billed, price};
pub use rater::{Rater, Worked};
pub use reason::Reason;
pub use walk::{Entry, Stretch};

use crate::attribution::AttributedCall;
use crate::ids::{BandId, DestinationId, PayerId, SiteId, SourceId, TariffId};
use crate::money::{Charge, Currency, Price};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::source::RecordId;
use crate::time::{Duration, Instant};

/// A call with its two charges, or why it has none. Only this module makes one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RatedCall<'c, 'a> {
    /// The call and its payer.
    pub call: AttributedCall<'c, 'a>,
    /// What the payer is charged. For the operator's own calls there is no retail side: [`Outcome::NotChargeable`].
    pub retail: Side,
    /// What the carrier charges the operator.
    pub wholesale: Side,
}

impl<'a> RatedCall<'_, 'a> {
    /// The call as a flat row.
    #[must_use]
    pub fn row(&self) -> CallRow<'a> {
        let call = self.call.call;
        let holder = self.call.holder.ok();
        CallRow {
            record: call.cdr.id,
            call_id: call.cdr.call_id,
            source: call.source,
            site: holder.map_or(call.site, |holder| holder.site),
            payer: holder.map(|holder| holder.payer),
            charging_at: call.charging_at,
            setup_at: call.setup_at,
            answered: call.answered,
            duration: call.duration,
            direction: call.direction,
            calling: call.calling,
            dialled: call.cdr.dialled,
            called: call.called,
            class: call.called_class.0,
            forwarder: call.forwarder,
            extension: holder.map_or(call.extension, |holder| holder.extension),
            number: holder.and_then(|holder| holder.number),
            allowance_taken: None,
            vat: None,
            retail: self.retail,
            wholesale: self.wholesale,
            flags: if call.other_reading.is_some() { flags::LOCAL_TIME_AMBIGUOUS } else { 0 },
        }
    }
}

/// One of the two sides of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// The tariff that decided: the one that was asked, or the one that it inherits the row from; `None` if none is
    /// assigned or none was needed.
    pub tariff: Option<TariffId>,
    /// Which of its dated versions (index in the tariff).
    pub version: u16,
    /// The tariff's currency.
    pub currency: Option<Currency>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What rating one side came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A charge, which may be zero.
    Rated(Priced),
    /// No charge is due, by a rule: the code says which.
    NotChargeable(&'static str),
    /// A charge may be due and cannot be told: the code says why.
    Suspended(&'static str),
}

/// How a charge came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The posted charge.
    pub charge: Charge,
    /// The row that priced it: index in the tariff version.
    pub row: u32,
    /// The destination's report name.
    pub destination: DestinationId,
    /// The band it was priced in.
    pub band: BandId,
    /// Duration after minimum and increments.
    pub billed: Duration,
    /// The usage price of that row and band.
    pub price: Price,
    /// The time that `price` is for.
    pub per: Duration,
    /// The connection charge.
    pub setup_fee: Price,
    /// Whether the minimum charge was applied.
    pub minimum_applied: bool,
}

/// One call as a flat row: what reports itemise and aggregates add up. Texts borrow.
#[derive(Clone, Copy, Debug)]
pub struct CallRow<'a> {
    /// Place in the canonical order.
    pub record: RecordId,
    /// What identifies the record for a person.
    pub call_id: &'a [u8],
    /// Where it came from.
    pub source: SourceId,
    /// The site whose reports it belongs to.
    pub site: SiteId,
    /// Who pays; `None` if not known.
    pub payer: Option<PayerId>,
    /// The instant that decides holder, band, version and month: answer, or set-up of a call never answered.
    pub charging_at: Instant,
    /// Set-up, for display.
    pub setup_at: Option<Instant>,
    /// Whether the call was answered.
    pub answered: bool,
    /// Talk time.
    pub duration: Duration,
    /// Which way it went.
    pub direction: Direction,
    /// Who called.
    pub calling: Party<'a>,
    /// The digits keyed.
    pub dialled: &'a [u8],
    /// Who was called.
    pub called: Party<'a>,
    /// Class of the called number.
    pub class: NumberClass,
    /// Who sent the call on.
    pub forwarder: Option<Party<'a>>,
    /// The extension it is reported under.
    pub extension: Option<Digits>,
    /// The number that its holder held.
    pub number: Option<E164>,
    /// Time that it took from allowances; `None` if it took none.
    pub allowance_taken: Option<Duration>,
    /// The payer's VAT on it, where that is worked out call by call.
    pub vat: Option<Charge>,
    /// What the payer is charged.
    pub retail: Side,
    /// What the carrier charges the operator.
    pub wholesale: Side,
    /// Things worth a look; see [`flags`].
    pub flags: u16,
}

/// Bits of [`CallRow::flags`].
pub mod flags {
    /// The local time was ambiguous; both readings cost the same, the earlier was taken.
    pub const LOCAL_TIME_AMBIGUOUS: u16 = 1;
    /// Another call is nearly the same; both are rated.
    pub const NEAR_DUPLICATE: u16 = 2;
    /// The call belongs to a closed month and is charged, or corrected, in the month after it.
    pub const LATE: u16 = 4;
    /// The books of a closed month have it suspended, and something of it is no more.
    pub const RELEASED: u16 = 8;
}
