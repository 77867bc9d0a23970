//! Volume tiers: what a call costs by where it lies in the volume of its period.

use super::account::{Account, Counts, Member, Taken};
use super::{State, Use};
use crate::money::{Charge, LEDGER_SCALE, PRICE_SCALE};
use crate::tariff::{Change, MILLION, Measure, Scheme, SchemeKind, Volume};

pub(super) fn is_whole(scheme: &Scheme) -> bool {
    matches!(&scheme.kind, SchemeKind::Volume(volume) if volume.whole)
}

/// The charge of a call after a volume scheme; `None` if it is larger than a charge can be. `ended` is the volume of the
/// whole period, where that decides.
pub(super) fn charge(
    account: &mut Account,
    volume: &Volume,
    call: &Use<'_>,
    member: Option<Member>,
    state: &State,
    ended: Option<i128>,
) -> Option<Charge> {
    let charge = state.charge?;
    let time = i128::from(call.duration.as_millis() - state.covered.as_millis()).max(0);
    let (counts, amount) = match volume.by {
        Measure::Time => (Counts { time, ..Counts::default() }, time),
        Measure::Calls => (Counts { calls: 1, ..Counts::default() }, 1),
        Measure::Money => {
            let money = i128::from(charge.units());
            (Counts { money, ..Counts::default() }, money)
        }
    };
    let begins = account.volume;
    account.volume += amount;
    account.used = account.used.plus(counts);
    account.currency = account.currency.or(Some(call.currency));
    let after = if volume.whole {
        // Before the period's volume is known, the round is not the last one.
        let change = tier_at(account, volume, ended.unwrap_or(0)).map_or(Change::None, |(_, change)| change);
        changed(charge, time, &[(1, change)], 1)
    } else {
        let mut parts = Vec::new();
        let (mut at, end) = (begins, begins + amount);
        while at < end {
            let (until, change) = tier_at(account, volume, at).unwrap_or((None, Change::None));
            let stop = until.map_or(end, |until| until.min(end));
            parts.push((stop - at, change));
            at = stop;
        }
        if parts.is_empty() { Some(charge) } else { changed(charge, time, &parts, amount) }
    };
    let saved = i128::from(charge.units()) - after.map_or(0, |after| i128::from(after.units()));
    account.share(member, Taken { counts: Counts { calls: 1, ..counts }, saved });
    after
}

/// The tier that the volume after `at` falls into, and where the next one begins.
fn tier_at(account: &Account, volume: &Volume, at: i128) -> Option<(Option<i128>, Change)> {
    let index = account.tiers.iter().rposition(|from| i128::from(*from) <= at)?;
    let next = account.tiers.get(index + 1).map(|from| i128::from(*from));
    Some((next, volume.tiers.get(index)?.change))
}

/// The sum over parts of a call, each a share `part / whole` of it, exact; then posted, half up.
fn changed(charge: Charge, time: i128, parts: &[(i128, Change)], whole: i128) -> Option<Charge> {
    const TO_PRICE: i128 = 10_i128.pow(PRICE_SCALE - LEDGER_SCALE);
    let mut sum = Fraction { over: 1, under: 1 };
    sum.over = 0;
    for (part, change) in parts {
        let value = match change {
            Change::None => Fraction::new(i128::from(charge.units()).checked_mul(TO_PRICE)?, 1),
            Change::Discount(share) => {
                let kept =
                    i128::from(charge.units()).checked_mul(TO_PRICE)?.checked_mul(i128::from(MILLION - share))?;
                Fraction::new(kept, i128::from(MILLION))
            }
            Change::Price(price, per) => {
                Fraction::new(i128::from(price.units()).checked_mul(time)?, i128::from(per.as_millis()).max(1))
            }
        };
        sum = sum.plus(value.times(*part, whole)?)?;
    }
    crate::money::Ratio::new(sum.over, sum.under)?.post()
}

/// A fraction in lowest terms, so that sums of a few of them fit.
#[derive(Clone, Copy)]
struct Fraction {
    over: i128,
    under: i128,
}

impl Fraction {
    fn new(over: i128, under: i128) -> Self {
        let (mut a, mut b) = (over.unsigned_abs(), under.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let common = i128::try_from(a).unwrap_or(1).max(1);
        Self { over: over / common, under: under / common }
    }

    fn plus(self, other: Self) -> Option<Self> {
        let over = self.over.checked_mul(other.under)?.checked_add(other.over.checked_mul(self.under)?)?;
        Some(Self::new(over, self.under.checked_mul(other.under)?))
    }

    fn times(self, part: i128, whole: i128) -> Option<Self> {
        let share = Self::new(part, whole.max(1));
        let (left, right) = (Self::new(self.over, share.under), Self::new(share.over, self.under));
        Some(Self::new(left.over.checked_mul(right.over)?, left.under.checked_mul(right.under)?))
    }
}
