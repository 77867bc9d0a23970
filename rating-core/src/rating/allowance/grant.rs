//! How much of a scheme somebody has in a period.

use super::account::{AccountKey, Member, Owner};
use crate::assignment::Held;
use crate::ids::{PayerId, SiteId};
use crate::tariff::{Scheme, Scope};
use crate::time::{Date, Instant, Interval, Zone};

/// How many voice lines there were on a day.
pub type Lines<'l> = dyn Fn(Date) -> u32 + Sync + 'l;

/// A payer at a site, and what it has there.
pub struct Holder<'h> {
    /// Where.
    pub site: SiteId,
    /// Who.
    pub payer: PayerId,
    /// The site's clock: days begin by it.
    pub zone: &'h Zone,
    /// What it has, in the order in which calls use it.
    pub held: Vec<Held>,
    /// Its voice lines at the site.
    pub lines: Box<Lines<'h>>,
}

impl Holder<'_> {
    /// Who it is, without the rest.
    #[must_use]
    pub fn member(&self) -> Member {
        Member { site: self.site, payer: self.payer }
    }

    pub(super) fn start_of(&self, day: Date) -> Instant {
        self.zone.start_of(day.midnight())
    }

    fn day(&self, day: Date) -> Interval {
        Interval { from: self.start_of(day), until: self.start_of(day.tomorrow()) }
    }
}

/// Whether a holder has a scheme at some time of a period.
pub(super) fn is_held_in(holder: &Holder<'_>, scheme: u32, from: Date, until: Date) -> bool {
    let period = Interval { from: holder.start_of(from), until: holder.start_of(until) };
    holder.held.iter().any(|held| held.scheme == scheme && held.valid.overlaps(period))
}

/// How many times a scheme is granted: a fraction, so that a part of a period grants its part exactly, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factor {
    times: i128,
    of: i128,
}

impl Factor {
    pub(super) fn of(self, units: i128) -> i128 {
        units * self.times / self.of.max(1)
    }
}

/// How many times an account has its scheme: quantity, times voice lines where the scope is the line.
///
/// Pro rata, the days on which it is in force (at any time of them) are added up and divided by the days of the period.
/// Otherwise the most that it had on one day counts. A group has what the member with the most has.
pub(super) fn factor(scheme: &Scheme, key: &AccountKey, holders: &[Holder<'_>], (from, until): (Date, Date)) -> Factor {
    let mut days = 0;
    let (mut sum, mut most) = (0_i128, 0_i128);
    let mut day = from;
    while day < until {
        let today = holders.iter().map(|holder| on_day(scheme, key, holder, day)).max().unwrap_or(0);
        sum += today;
        most = most.max(today);
        days += 1;
        day = day.tomorrow();
    }
    if scheme.pro_rata { Factor { times: sum, of: days } } else { Factor { times: most, of: 1 } }
}

fn on_day(scheme: &Scheme, key: &AccountKey, holder: &Holder<'_>, day: Date) -> i128 {
    let owns = |held: &Held| match &key.owner {
        Owner::Member(member) => *member == holder.member() && held.group.is_none(),
        Owner::Group(group) => held.group.as_ref() == Some(group),
    };
    let today = holder.day(day);
    let quantity = holder
        .held
        .iter()
        .filter(|held| held.scheme == key.scheme && owns(held) && held.valid.overlaps(today))
        .map(|held| i128::from(held.quantity))
        .max()
        .unwrap_or(0);
    if quantity > 0 && scheme.scope == Scope::Service { quantity * i128::from((holder.lines)(day)) } else { quantity }
}
