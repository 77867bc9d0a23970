//! One account of a scheme: what was granted, carried over and used.

use std::collections::BTreeMap;

use super::grant::{self, Holder};
use super::{Use, line_of};
use crate::assignment::Held;
use crate::ids::{PayerId, SiteId};
use crate::money::Currency;
use crate::number::NumberClass;
use crate::tariff::{Allowance, CarryOver, MILLION, Measure, Period, Scheme, SchemeKind, Schemes, Share};
use crate::time::{Date, Instant, Interval, Month};

/// Amounts of time (milliseconds), calls and money (ledger units).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Milliseconds.
    pub time: i128,
    /// Calls.
    pub calls: i128,
    /// 10⁻¹⁰ of the currency unit.
    pub money: i128,
}

impl Counts {
    fn each(self, other: Self, sum: impl Fn(i128, i128) -> i128) -> Self {
        Self {
            time: sum(self.time, other.time),
            calls: sum(self.calls, other.calls),
            money: sum(self.money, other.money),
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.each(other, |one, other| one + other)
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.each(other, |one, other| one - other)
    }
}

/// A payer at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Where.
    pub site: SiteId,
    /// Who.
    pub payer: PayerId,
}

/// Whose an account is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A payer at a site.
    Member(Member),
    /// Everybody in the group of this name.
    Group(Box<str>),
}

/// What an account is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    /// The scheme: its place in [`Schemes::all`].
    pub scheme: u32,
    /// Whose it is.
    pub owner: Owner,
    /// The extension, number or trunk; empty for schemes that are not for each of these.
    pub line: Box<str>,
    /// The first day of the period.
    pub from: Date,
}

/// How an account stood when a month began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Brought into its period from the one before.
    pub carried: Counts,
    /// Used in its period so far.
    pub used: Counts,
    /// Of the first resource, by calls of each class that has a limit of its own, in the order of the classes.
    pub by_class: Vec<(NumberClass, i128)>,
}

/// What a call took from an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Of each resource.
    pub counts: Counts,
    /// What came off charges, in ledger units.
    pub saved: i128,
}

/// A balance that is needed and not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The account.
    pub key: AccountKey,
    /// A payer who has it.
    pub member: Member,
}

/// An account of the month, as it stands after the month's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What it is found by.
    pub key: AccountKey,
    /// The first day after its period.
    pub until: Date,
    /// Its currency, if money was granted or saved.
    pub currency: Option<Currency>,
    /// Granted for the period.
    pub granted: Counts,
    /// Which resources are granted: time, calls, money.
    pub limited: [bool; 3],
    /// Left from the period before.
    pub carried: Counts,
    /// Used in the period, earlier months included.
    pub used: Counts,
    /// Used by calls of each class that has a limit of its own.
    pub by_class: Vec<(NumberClass, i128)>,
    /// By whom, in this month.
    pub shares: BTreeMap<Member, Taken>,
    /// Whether the period's calls are charged as if there were no allowance.
    pub broken: bool,
    /// Where the tiers of a volume scheme begin, for this account.
    pub(super) tiers: Vec<i64>,
    /// What a volume scheme counted, earlier months included.
    pub(super) volume: i128,
}

/// What is left of each resource, where it is limited.
pub(super) struct Left {
    pub(super) time: Option<i128>,
    pub(super) calls: Option<i128>,
    pub(super) money: Option<i128>,
}

impl Account {
    /// What is left; of a resource that is not granted, nothing is.
    #[must_use]
    pub fn left(&self) -> Counts {
        if self.broken { Counts::default() } else { self.granted.plus(self.carried).minus(self.used) }
    }

    /// What came off charges in this month.
    #[must_use]
    pub fn saved(&self) -> i128 {
        self.shares.values().map(|share| share.saved).sum()
    }

    pub(super) fn left_for(&self, allowance: &Allowance, class: NumberClass) -> Left {
        let left = self.granted.plus(self.carried).minus(self.used);
        let [time, calls, money] = self.limited;
        let mut left = Left {
            time: time.then_some(left.time),
            calls: calls.then_some(left.calls),
            money: money.then_some(left.money),
        };
        for limit in allowance.sub_limits.iter().filter(|limit| limit.class == class) {
            let whole = self.granted.plus(self.carried);
            let (first, whole) = match (&mut left.time, &mut left.money, &mut left.calls) {
                (Some(time), ..) => (time, whole.time),
                (None, Some(money), _) => (money, whole.money),
                (None, None, Some(calls)) => (calls, whole.calls),
                (None, None, None) => continue,
            };
            let most = match limit.most {
                Share::Units(units) => i128::from(units),
                Share::Millionths(share) => whole * i128::from(share) / i128::from(MILLION),
            };
            let used = self.by_class.iter().find(|(of, _)| *of == class).map_or(0, |(_, used)| *used);
            *first = (*first).min(most - used);
        }
        left
    }

    pub(super) fn take(&mut self, allowance: &Allowance, class: NumberClass, member: Option<Member>, took: Taken) {
        let [time, calls, money] = self.limited;
        let limited = Counts {
            time: if time { took.counts.time } else { 0 },
            calls: if calls { took.counts.calls } else { 0 },
            money: if money { took.counts.money } else { 0 },
        };
        self.used = self.used.plus(limited);
        if allowance.sub_limits.iter().any(|limit| limit.class == class) {
            let first = match (time, money) {
                (true, _) => limited.time,
                (false, true) => limited.money,
                (false, false) => limited.calls,
            };
            match self.by_class.iter_mut().find(|(of, _)| *of == class) {
                Some((_, used)) => *used += first,
                None => self.by_class.push((class, first)),
            }
        }
        self.share(member, Taken { counts: Counts { calls: took.counts.calls, ..limited }, saved: took.saved });
    }

    pub(super) fn share(&mut self, member: Option<Member>, took: Taken) {
        if let Some(member) = member {
            let share = self.shares.entry(member).or_default();
            share.counts = share.counts.plus(took.counts);
            share.saved += took.saved;
        }
    }

    pub(super) fn begin_with(&mut self, balance: &Balance) {
        self.carried = balance.carried;
        self.used = balance.used;
        self.by_class = balance.by_class.clone();
        // A volume scheme counts one of the three.
        self.volume = balance.used.time + balance.used.calls + balance.used.money;
    }

    /// What the next period begins with.
    pub(super) fn carried_over(&self, rule: CarryOver) -> Counts {
        let left = self.left().each(Counts::default(), Ord::max);
        match rule {
            CarryOver::None => Counts::default(),
            CarryOver::Once => left.each(self.granted, Ord::min),
            CarryOver::All => left,
        }
    }

    /// How the account's scheme stands at the end of a month, if the next month must know: the key and the balance.
    #[must_use]
    pub fn closing(&self, scheme: &Scheme, month: Month) -> Option<(AccountKey, Balance)> {
        let next = month.next().days().0;
        if self.until > next {
            let balance = Balance { carried: self.carried, used: self.used, by_class: self.by_class.clone() };
            return Some((self.key.clone(), balance));
        }
        match &scheme.kind {
            SchemeKind::Allowance(allowance) if self.until == next && allowance.carry_over != CarryOver::None => {
                let carried = self.carried_over(allowance.carry_over);
                Some((AccountKey { from: next, ..self.key.clone() }, Balance { carried, ..Balance::default() }))
            }
            _ => None,
        }
    }
}

/// The key of a call's account.
pub(super) fn key(schemes: &Schemes, held: &Held, holder: &Holder<'_>, call: &Use<'_>) -> AccountKey {
    let scheme = schemes.all().get(held.scheme as usize);
    let (scope, period) =
        scheme.map_or((crate::tariff::Scope::Occupier, Period::Month(1)), |scheme| (scheme.scope, scheme.period));
    key_of(held, holder, &line_of(scope, call), period.around(call.day).0)
}

pub(super) fn key_of(held: &Held, holder: &Holder<'_>, line: &str, from: Date) -> AccountKey {
    let owner = match &held.group {
        Some(group) => Owner::Group(group.clone()),
        None => Owner::Member(holder.member()),
    };
    AccountKey { scheme: held.scheme, owner, line: line.into(), from }
}

/// The periods that have a day in a month, in order.
pub(super) fn periods(period: Period, month: Month) -> Vec<(Date, Date)> {
    let (first, end) = month.days();
    let mut periods = Vec::new();
    let mut day = first;
    while day < end {
        let (from, until) = period.around(day);
        periods.push((from, until));
        day = until;
    }
    periods
}

/// An account at the beginning of its period.
pub(super) fn opened(key: &AccountKey, scheme: &Scheme, holders: &[Holder<'_>]) -> Account {
    let (from, until) = scheme.period.around(key.from);
    let factor = grant::factor(scheme, key, holders, (from, until));
    let (granted, limited, tiers) = match &scheme.kind {
        SchemeKind::Allowance(allowance) => {
            let grant = allowance.grant;
            let of = |units: Option<i128>| units.map_or(0, |units| factor.of(units));
            let granted = Counts {
                time: of(grant.time.map(|time| i128::from(time.as_millis()))),
                calls: of(grant.calls.map(i128::from)),
                money: of(grant.money.map(|money| i128::from(money.units()))),
            };
            (granted, [grant.time.is_some(), grant.calls.is_some(), grant.money.is_some()], Vec::new())
        }
        SchemeKind::Volume(volume) => {
            let begins =
                volume.tiers.iter().map(|tier| i64::try_from(factor.of(i128::from(tier.from))).unwrap_or(i64::MAX));
            let counted = [Measure::Time, Measure::Calls, Measure::Money].map(|measure| measure == volume.by);
            (Counts::default(), counted, begins.collect())
        }
    };
    Account {
        key: key.clone(),
        until,
        currency: scheme.currency,
        granted,
        limited,
        carried: Counts::default(),
        used: Counts::default(),
        by_class: Vec::new(),
        shares: BTreeMap::new(),
        broken: false,
        tiers,
        volume: 0,
    }
}

/// Accounts that began before the month, or that something is carried into, and that no balance is known of.
pub(super) fn missing(
    schemes: &Schemes,
    month: Month,
    holders: &[Holder<'_>],
    opening: &BTreeMap<AccountKey, Balance>,
) -> Vec<Missing> {
    let first = month.days().0;
    let mut missing = Vec::new();
    for holder in holders {
        for held in &holder.held {
            let Some(scheme) = schemes.all().get(held.scheme as usize) else { continue };
            let (from, _) = scheme.period.around(first);
            let carries =
                matches!(&scheme.kind, SchemeKind::Allowance(allowance) if allowance.carry_over != CarryOver::None);
            let since = if carries { scheme.period.around(from.yesterday()).0 } else { from };
            // It was in force on a day before the month of which something may be left or used.
            let before = Interval { from: holder.start_of(since), until: holder.start_of(first) };
            if since >= first || before.is_empty() || !held.valid.overlaps(before) || held.valid.from == Instant::MAX {
                continue;
            }
            // What ended before the month, or lapsed with its period, is asked for by nobody.
            if !grant::is_held_in(holder, held.scheme, from, scheme.period.around(first).1)
                || held.valid.until <= holder.start_of(first)
            {
                continue;
            }
            let key = key_of(held, holder, "", from);
            if !opening.contains_key(&key) {
                missing.push(Missing { key, member: holder.member() });
            }
        }
    }
    missing.sort();
    missing.dedup_by(|one, other| one.key == other.key);
    missing
}
