//! Allowances and volume tiers: calls of a payer taken together over a period, and what that makes of their charges.
//!
//! A [`Ledger`] is for a payer at a site, or for all who share something in a group. It is given the opening balances of
//! the month and the month's rated calls, and answers with what each call costs after all and how every account stands.
//! It is pure: the calls are taken in the order of their days, instants and records, however they were given, so nothing
//! depends on threads, files or the order in which they came.
//!
//! # The sum
//!
//! For each call, its schemes in their order; allowances before volume tiers.
//!
//! 1. A call that costs nothing takes nothing. A call is eligible by its class, destination and band; one longer than
//!    `per_call` may not be eligible at all.
//! 2. What a call wants is its talk time that no earlier allowance covered, at most `per_call`. It is taken in whole
//!    steps, times the weight (a part of a millisecond counts as one), and at least the minimum deduction.
//! 3. If all limits have that much left, it is covered. If not, the call crosses: `split` covers as many whole steps as
//!    are left, `whole-call-charged` nothing, and `re-rate-period` nothing of any call of the period.
//! 4. A call covered to its end costs nothing at all, connection charge and minimum included. Otherwise the covered
//!    beginning of its time costs nothing; increments are still those of the whole call, and the rest is due.
//! 5. Where money is granted, no more comes off the charge than is left of it.
//! 6. Volume tiers change what is then left to be charged. A call that crosses into a tier is cut there, in proportion.

mod account;
mod grant;
mod tiers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use account::{Account, AccountKey, Balance, Counts, Member, Missing, Owner, Taken};
pub use grant::{Holder, Lines};

use crate::ids::BandId;
use crate::money::{Charge, Currency};
use crate::number::{Digits, E164, NumberClass, Party};
use crate::tariff::{Allowance, CarryOver, Crossing, MILLION, Scheme, SchemeKind, Schemes, Scope, Weighted};
use crate::time::{Date, Duration, Instant, Month};

/// A rated call, as far as the ledger cares.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// What the caller knows it by; given back, and asked for its price.
    pub token: u64,
    /// Its record: second in the order of calls.
    pub record: u64,
    /// The instant that decides: first in the order of calls.
    pub at: Instant,
    /// That instant's day at the site.
    pub day: Date,
    /// Who pays where: a place in the ledger's holders.
    pub holder: usize,
    /// The extension it is reported under.
    pub extension: Option<Digits>,
    /// The number that its holder held.
    pub number: Option<E164>,
    /// The trunk it left by.
    pub channel: &'a [u8],
    /// Who was called.
    pub called: Party<'a>,
    /// Class of the called number.
    pub class: NumberClass,
    /// The band it was priced in.
    pub band: BandId,
    /// Talk time.
    pub duration: Duration,
    /// What it costs by itself.
    pub charge: Charge,
    /// The currency of that.
    pub currency: Currency,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The caller's name for it.
    pub token: u64,
    /// What it costs after all; `None` if that is larger than a charge can be.
    pub charge: Option<Charge>,
    /// Time that it took from allowances; `None` if it took none.
    pub taken: Option<Duration>,
    /// How much of its time, from the answer on, allowances cover.
    pub covered: Duration,
}

/// What came of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The calls whose charge changed or that took something, by token.
    pub calls: Vec<Adjusted>,
    /// Every account of the month, by key.
    pub accounts: Vec<Account>,
    /// What the next month must know of them.
    pub closing: BTreeMap<AccountKey, Balance>,
}

/// What a call costs if the beginning of its time, this much, costs nothing; `None` if it cannot be told.
pub trait PriceAgain: Fn(u64, Duration) -> Option<Charge> {}
impl<F: Fn(u64, Duration) -> Option<Charge>> PriceAgain for F {}

/// The accounts of a payer at a site, or of all who share something.
pub struct Ledger<'l> {
    schemes: &'l Schemes,
    /// Band names by [`BandId`].
    bands: &'l [&'l str],
    month: Month,
    holders: &'l [Holder<'l>],
    opening: &'l BTreeMap<AccountKey, Balance>,
    accounts: BTreeMap<AccountKey, Account>,
    /// Accounts whose period is charged as if there were no allowance.
    broken: BTreeSet<AccountKey>,
    /// What the volume of whole-period schemes came to when the calls were last gone through.
    volumes: BTreeMap<AccountKey, i128>,
}

impl<'l> Ledger<'l> {
    /// A ledger of these holders for a month. `bands` are the names of all bands in the order of their ids.
    #[must_use]
    pub fn new(
        schemes: &'l Schemes,
        bands: &'l [&'l str],
        month: Month,
        holders: &'l [Holder<'l>],
        opening: &'l BTreeMap<AccountKey, Balance>,
    ) -> Self {
        Self {
            schemes,
            bands,
            month,
            holders,
            opening,
            accounts: BTreeMap::new(),
            broken: BTreeSet::new(),
            volumes: BTreeMap::new(),
        }
    }

    /// Balances that earlier months must have left and that `opening` does not have.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        account::missing(self.schemes, self.month, self.holders, self.opening)
    }

    /// Goes through the month's calls.
    #[must_use]
    pub fn settle(mut self, mut calls: Vec<Use<'_>>, price: impl PriceAgain) -> Settled {
        calls.sort_unstable_by_key(|call| (call.day, call.at, call.record, call.token));
        // Each round but the last breaks an account or changes a volume that later ones depend on, so there is an end;
        // the bound is for safety's sake.
        let rounds = 2 + calls.len() + self.schemes.all().len();
        let mut adjusted = Vec::new();
        for _ in 0..rounds {
            self.accounts.clear();
            self.open_accounts();
            adjusted = calls.iter().filter_map(|call| self.call(call, &price)).collect();
            if !self.has_changed() {
                break;
            }
        }
        adjusted.sort_unstable_by_key(|call| call.token);
        let closing = self.closing();
        Settled { calls: adjusted, accounts: self.accounts.into_values().collect(), closing }
    }

    /// What the next month must know. Schemes that are for each line leave an account without line as a mark that the
    /// month was run: a line that is not there used nothing.
    fn closing(&self) -> BTreeMap<AccountKey, Balance> {
        let of = |account: &Account| account.closing(self.scheme(&account.key)?, self.month);
        let mut closing: BTreeMap<AccountKey, Balance> = self.accounts.values().filter_map(of).collect();
        for holder in self.holders {
            for held in &holder.held {
                let Some(scheme) = self.schemes.all().get(held.scheme as usize) else { continue };
                let end = self.month.days().1;
                let (from, until) = scheme.period.around(end);
                if scheme.scope.is_per_line() && from < end && grant::is_held_in(holder, held.scheme, from, until) {
                    closing.entry(account::key_of(held, holder, "", from)).or_default();
                }
            }
        }
        closing
    }

    /// Whether the last round showed something that its beginning did not know.
    fn has_changed(&mut self) -> bool {
        let broken: BTreeSet<AccountKey> =
            self.accounts.values().filter(|account| account.broken).map(|account| account.key.clone()).collect();
        let volumes: BTreeMap<AccountKey, i128> = self
            .accounts
            .values()
            .filter(|account| self.scheme(&account.key).is_some_and(tiers::is_whole))
            .map(|account| (account.key.clone(), account.volume))
            .collect();
        let changed = broken.len() > self.broken.len() || volumes != self.volumes;
        self.broken = broken;
        self.volumes = volumes;
        changed
    }

    fn scheme(&self, key: &AccountKey) -> Option<&'l Scheme> {
        self.schemes.all().get(key.scheme as usize)
    }

    fn call(&mut self, call: &Use<'_>, price: &impl PriceAgain) -> Option<Adjusted> {
        let holder = self.holders.get(call.holder)?;
        let mut state = State { charge: Some(call.charge), alone: call.charge, covered: Duration::ZERO, taken: None };
        for held in holder.held.iter().filter(|held| held.valid.contains(call.at)) {
            let Some(scheme) = self.schemes.all().get(held.scheme as usize) else { continue };
            if state.charge == Some(Charge::ZERO) {
                break;
            }
            if scheme.currency.is_some_and(|currency| currency != call.currency) || !self.is_eligible(scheme, call) {
                continue;
            }
            let key = account::key(self.schemes, held, holder, call);
            self.open(&key, scheme);
            match &scheme.kind {
                SchemeKind::Allowance(allowance) => self.allowance(&key, scheme, allowance, call, &mut state, price),
                SchemeKind::Volume(volume) => {
                    let ended = self.volumes.get(&key).copied();
                    if let Some(account) = self.accounts.get_mut(&key) {
                        state.charge = tiers::charge(account, volume, call, Some(holder.member()), &state, ended);
                    }
                }
            }
        }
        (state.charge != Some(call.charge) || state.taken.is_some()).then_some(Adjusted {
            token: call.token,
            charge: state.charge,
            taken: state.taken,
            covered: state.covered,
        })
    }

    fn is_eligible(&self, scheme: &Scheme, call: &Use<'_>) -> bool {
        let eligible = &scheme.eligible;
        let band = self.bands.get(call.band.index()).copied().unwrap_or_default();
        eligible.takes(call.called, call.class)
            && (eligible.bands.is_empty() || eligible.bands.iter().any(|name| **name == *band))
            && !eligible.excluded_bands.iter().any(|name| **name == *band)
    }

    /// Millionths of a second that a second of the call takes.
    fn weight(&self, allowance: &Allowance, call: &Use<'_>) -> i128 {
        let band = self.bands.get(call.band.index()).copied().unwrap_or_default();
        let mut weight = i128::from(MILLION);
        for (what, factor) in &allowance.weights {
            let applies = match what {
                Weighted::Class(class) => *class == call.class,
                Weighted::Band(name) => **name == *band,
            };
            if applies {
                weight = weight * i128::from(*factor) / i128::from(MILLION);
            }
        }
        weight.max(1)
    }

    fn allowance(
        &mut self,
        key: &AccountKey,
        scheme: &Scheme,
        allowance: &Allowance,
        call: &Use<'_>,
        state: &mut State,
        price: &impl PriceAgain,
    ) {
        let weight = self.weight(allowance, call);
        let is_broken = self.broken.contains(key);
        let Some(account) = self.accounts.get_mut(key) else { return };
        if is_broken {
            account.broken = true;
            return;
        }
        let uncovered = call.duration.as_millis() - state.covered.as_millis();
        let longest = allowance.per_call.map_or(i64::MAX, |per_call| per_call.most.as_millis());
        let too_long = call.duration.as_millis() > longest
            && allowance.per_call.is_some_and(|per_call| per_call.longer_is_not_eligible);
        let Some(charge) = state.charge else { return };
        if too_long || uncovered <= 0 {
            return;
        }
        let wanted = i128::from(uncovered.min(longest));
        let left = account.left_for(allowance, call.class);
        let taking = Taking::new(allowance, weight, wanted, left.time);
        let mut crosses = taking.crosses || left.calls.is_some_and(|calls| calls < 1);
        let covered = if left.calls.is_some_and(|calls| calls < 1) { 0 } else { taking.covered };
        let until = Duration::from_millis(state.covered.as_millis() + i64::try_from(covered).unwrap_or(0));
        // What the time covered saves, by the price of the call with that much of it free.
        let alone = if until >= call.duration {
            Charge::ZERO
        } else if covered == 0 {
            state.alone
        } else {
            price(call.token, until).unwrap_or(state.alone).min(state.alone)
        };
        let mut saved = state.alone.minus(alone).unwrap_or(Charge::ZERO).clamp(Charge::ZERO, charge.max(Charge::ZERO));
        if let Some(money) = left.money {
            let money = Charge::from_units(i64::try_from(money.max(0)).unwrap_or(i64::MAX));
            crosses |= saved > money || money <= Charge::ZERO;
            saved = saved.min(money);
        }
        if crosses {
            match allowance.crossing {
                Crossing::Split => {}
                Crossing::WholeCallCharged => return,
                Crossing::ReRatePeriod => {
                    account.broken = true;
                    return;
                }
            }
        }
        if covered == 0 || (left.money.is_some() && saved <= Charge::ZERO) {
            return;
        }
        let counts_time = allowance.grant.time.is_some();
        let took = Taken {
            counts: Counts {
                time: if counts_time { taking.deducted } else { 0 },
                calls: 1,
                money: i128::from(saved.units()),
            },
            saved: i128::from(saved.units()),
        };
        let member = self.holders.get(call.holder).map(Holder::member);
        account.take(allowance, call.class, member, took);
        account.currency = account.currency.or(scheme.currency).or(Some(call.currency));
        state.charge = charge.minus(saved);
        // An allowance of money alone leaves the time to the next one.
        if counts_time || allowance.grant.money.is_none() {
            state.covered = until;
            state.alone = alone;
        }
        if counts_time {
            let before = state.taken.unwrap_or(Duration::ZERO).as_millis();
            state.taken = Some(Duration::from_millis(before + i64::try_from(taking.deducted).unwrap_or(0)));
        }
    }

    /// Opens every account that is there whether or not a call uses it.
    fn open_accounts(&mut self) {
        for holder in self.holders {
            for held in &holder.held {
                let Some(scheme) = self.schemes.all().get(held.scheme as usize) else { continue };
                if scheme.scope.is_per_line() {
                    continue;
                }
                for (from, until) in account::periods(scheme.period, self.month) {
                    if grant::is_held_in(holder, held.scheme, from, until) {
                        let key = account::key_of(held, holder, "", from);
                        self.open(&key, scheme);
                    }
                }
            }
        }
    }

    /// Makes an account, with what is granted, carried over and was used before.
    fn open(&mut self, key: &AccountKey, scheme: &Scheme) {
        if self.accounts.contains_key(key) {
            return;
        }
        let mut account = account::opened(key, scheme, self.holders);
        let carries = match &scheme.kind {
            SchemeKind::Allowance(allowance) => allowance.carry_over,
            SchemeKind::Volume(_) => CarryOver::None,
        };
        if key.from <= self.month.days().0 {
            if let Some(balance) = self.opening.get(key) {
                account.begin_with(balance);
            }
        } else if carries != CarryOver::None {
            let before = AccountKey { from: scheme.period.around(key.from.yesterday()).0, ..key.clone() };
            self.open(&before, scheme);
            if let Some(before) = self.accounts.get(&before) {
                account.carried = before.carried_over(carries);
            }
        }
        self.accounts.insert(key.clone(), account);
    }
}

/// How a call stands while its schemes are gone through.
struct State {
    /// What is to be charged; `None` is more than a charge can be.
    charge: Option<Charge>,
    /// What the call costs with the time covered so far, were there no limits of money.
    alone: Charge,
    /// How much of its talk time is covered.
    covered: Duration,
    /// Allowance time taken.
    taken: Option<Duration>,
}

/// How much time a call gets and takes, in milliseconds.
struct Taking {
    covered: i128,
    deducted: i128,
    crosses: bool,
}

impl Taking {
    fn new(allowance: &Allowance, weight: i128, wanted: i128, left: Option<i128>) -> Self {
        let million = i128::from(MILLION);
        let step = i128::from(allowance.step.as_millis()).max(1);
        let cost = |time: i128| {
            let stepped = (time + step - 1) / step * step;
            ((stepped * weight + million - 1) / million).max(i128::from(allowance.minimum.as_millis()))
        };
        let Some(left) = left else { return Self { covered: wanted, deducted: 0, crosses: false } };
        let cost_of_all = cost(wanted);
        if cost_of_all <= left {
            return Self { covered: wanted, deducted: cost_of_all, crosses: false };
        }
        let whole_steps = (left.max(0) * million / weight) / step * step;
        let covered = whole_steps.min(wanted);
        // The minimum takes what is there, even if it is less.
        let deducted = if covered == 0 { 0 } else { cost(covered).min(left) };
        Self { covered, deducted, crosses: true }
    }
}

/// The text of the line that an account is for, by its scope.
fn line_of(scope: Scope, call: &Use<'_>) -> Box<str> {
    let text = match scope {
        Scope::Extension => call.extension.map(|extension| extension.to_string()),
        Scope::Number => call.number.map(|number| number.to_string()),
        Scope::Channel => Some(String::from_utf8_lossy(call.channel).into_owned()).filter(|name| !name.is_empty()),
        Scope::Service | Scope::Occupier | Scope::Group => return Box::default(),
    };
    text.map_or_else(|| "unknown".into(), Into::into)
}
