//! Deltas added up.

use std::collections::{BTreeMap, BTreeSet};

use super::{Amounts, Change, Comparison, Delta, Line, Money, OneCall, charge, sides};
use crate::aggregation::SideName;
use crate::money::{Charge, Currency, Total};
use crate::report::PublishedCall;
use crate::run::RunError;
use crate::time::{Instant, Month};

/// How many calls are shown one by one.
const SHOWN: usize = 10;

/// By what deltas are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Cause,
    Site,
    Occupier,
    Destination,
    Day,
    Suspended,
}

/// What must hold all of the money, and so add up to the difference of the totals.
const WHOLE: [By; 4] = [By::Cause, By::Site, By::Occupier, By::Destination];

type Moneys = BTreeMap<(SideName, Currency), Amounts>;

#[derive(Debug, Default)]
struct Sum {
    calls: u64,
    money: Moneys,
}

impl Sum {
    fn add(&mut self, side: SideName, currency: Currency, charge: Charge, is_after: bool) {
        let amounts = self.money.entry((side, currency)).or_default();
        if is_after {
            amounts.after.add(charge);
        } else {
            amounts.before.add(charge);
        }
    }
}

/// The date of an instant on a site's clock.
pub(in crate::run) type DayOf<'f> = &'f (dyn Fn(&str, Instant) -> Option<String> + Sync);

/// Deltas, as they are added up.
#[derive(Default)]
pub(in crate::run) struct Sums<'f> {
    sums: BTreeMap<(By, Vec<String>), Sum>,
    total: Moneys,
    counts: BTreeMap<Change, u64>,
    /// The largest, with what they are sorted by.
    most: Vec<(std::cmp::Reverse<u128>, Place, OneCall)>,
    day_of: Option<DayOf<'f>>,
}

/// A side: why it is suspended, or nothing, and what it is charged.
type Standing = (SideName, String, Option<(Currency, Charge)>);

/// Where a call's record stands: unique in a version.
type Place = (String, String, u64, String);

fn owned(call: &PublishedCall<&str>) -> PublishedCall<String> {
    call.map(&mut str::to_owned)
}

impl<'f> Sums<'f> {
    /// Nothing yet; with a clock for each site, also by day.
    pub(in crate::run) fn new(day_of: Option<DayOf<'f>>) -> Self {
        Self { day_of, ..Self::default() }
    }

    /// Adds one.
    pub(in crate::run) fn add(&mut self, delta: &Delta<'_>) {
        *self.counts.entry(delta.change()).or_default() += 1;
        let mut touched: BTreeSet<(By, Vec<String>)> = BTreeSet::new();
        let cause = vec![delta.cause.name().to_owned(), delta.what.to_owned()];
        let mut by_money: Moneys = BTreeMap::new();
        for (call, is_after) in [(delta.before, false), (delta.after, true)] {
            let Some(call) = call else { continue };
            let mut keys = vec![
                (By::Cause, cause.clone()),
                (By::Site, vec![call.site.to_owned()]),
                (By::Occupier, vec![call.site.to_owned(), call.payer.to_owned()]),
            ];
            let day = self.day_of.and_then(|day_of| day_of(call.site, call.charged_at?));
            keys.extend(day.map(|day| (By::Day, vec![day])));
            let other = if is_after { delta.before } else { delta.after };
            for ((name, side), at) in sides(call).into_iter().zip(0..) {
                let destination = (By::Destination, vec![side.destination.to_owned()]);
                // A side that stays as it is says nothing of its destination.
                let differs = other.is_none_or(|other| sides(other)[at].1 != side);
                if differs && (side.charge.is_some() || !side.destination.is_empty()) {
                    touched.insert(destination.clone());
                }
                let Some((currency, charge)) = charge(side) else { continue };
                for key in keys.iter().chain([&destination]) {
                    self.sums.entry(key.clone()).or_default().add(name, currency, charge, is_after);
                }
                for of in [&mut self.total, &mut by_money] {
                    let amounts = of.entry((name, currency)).or_default();
                    let amount = if is_after { &mut amounts.after } else { &mut amounts.before };
                    amount.add(charge);
                }
            }
            touched.extend(keys);
        }
        self.suspended(delta, &mut touched);
        for key in touched {
            self.sums.entry(key).or_default().calls += 1;
        }
        self.keep(delta, &by_money);
    }

    /// Sides that are suspended in one only.
    fn suspended(&mut self, delta: &Delta<'_>, touched: &mut BTreeSet<(By, Vec<String>)>) {
        for side in [0, 1] {
            let of = |call: Option<&PublishedCall<&str>>| -> Option<Standing> {
                let (name, side) = sides(call?)[side];
                let reason = if side.status == "suspended" { side.reason.to_owned() } else { String::new() };
                Some((name, reason, charge(side)))
            };
            let (before, after) = (of(delta.before), of(delta.after));
            let reason =
                |one: &Option<Standing>| one.as_ref().map_or_else(String::new, |(_, reason, _)| reason.clone());
            let (word, reason) = match (reason(&before), reason(&after)) {
                (one, other) if one.is_empty() == other.is_empty() => continue,
                (one, other) if one.is_empty() => ("newly suspended", other),
                (one, _) => ("released", one),
            };
            let Some((name, ..)) = before.as_ref().or(after.as_ref()) else { continue };
            let key = (By::Suspended, vec![word.to_owned(), name.name().to_owned(), reason]);
            let sum = self.sums.entry(key.clone()).or_default();
            for (one, is_after) in [(&before, false), (&after, true)] {
                if let Some((name, _, Some((currency, charge)))) = one {
                    sum.add(*name, *currency, *charge, is_after);
                }
            }
            touched.insert(key);
        }
    }

    /// Keeps the call if it is among those that explain most.
    fn keep(&mut self, delta: &Delta<'_>, money: &Moneys) {
        let size = money.values().map(|amounts| amounts.difference().units().unsigned_abs()).max().unwrap_or(0);
        let Some(call) = delta.after.or(delta.before).filter(|_| size > 0) else { return };
        let size = std::cmp::Reverse(size);
        let is_full = self.most.len() >= SHOWN;
        if is_full && self.most.last().is_some_and(|(least, ..)| size > *least) {
            return;
        }
        let place: Place =
            (call.source.to_owned(), call.file.to_owned(), call.offset, delta.change().name().to_owned());
        let at = self.most.partition_point(|(other, there, _)| (*other, there) < (size, &place));
        if at >= SHOWN {
            return;
        }
        let one = OneCall {
            cause: delta.cause,
            what: delta.what.to_owned(),
            before: delta.before.map(owned),
            after: delta.after.map(owned),
        };
        self.most.insert(at, (size, place, one));
        self.most.truncate(SHOWN);
    }

    /// How many deltas of a kind there are.
    fn count(&self, change: Change) -> u64 {
        self.counts.get(&change).copied().unwrap_or(0)
    }

    /// Makes the comparison, and proves that its parts add up: the deltas to the difference of `totals`, which are all money
    /// of the two (by side and currency), and the lines of each table to the deltas.
    ///
    /// # Errors
    ///
    /// [`RunError::Internal`] if they do not.
    pub(in crate::run) fn finish(
        mut self,
        month: Month,
        totals: &[Money],
        (calls_before, calls_after): (u64, u64),
    ) -> Result<Comparison, RunError> {
        let expected: BTreeMap<_, _> =
            totals.iter().map(|money| ((money.side, money.currency), money.amounts.difference())).collect();
        let check = |what: &str, found: &Moneys| {
            for key in expected.keys().chain(found.keys()) {
                let expected = expected.get(key).copied().unwrap_or(Total::ZERO);
                let found = found.get(key).copied().unwrap_or_default().difference();
                if expected != found {
                    let (side, currency) = (key.0.name(), key.1);
                    return Err(RunError::Internal(format!(
                        "the {side} differences by {what} come to {found} {currency}, but the totals differ by {expected}"
                    )));
                }
            }
            Ok(())
        };
        check("call", &self.total)?;
        for by in WHOLE {
            let mut all = Moneys::new();
            for ((_, _), sum) in self.sums.iter().filter(|((of, _), _)| *of == by) {
                for (key, amounts) in &sum.money {
                    let into = all.entry(*key).or_default();
                    into.before = into.before.plus(amounts.before);
                    into.after = into.after.plus(amounts.after);
                }
            }
            check(&format!("{by:?}").to_lowercase(), &all)?;
        }
        let (added, removed) = (self.count(Change::Added), self.count(Change::Removed));
        if calls_before + added != calls_after + removed {
            return Err(RunError::Internal(format!(
                "{calls_before} calls, {added} added and {removed} removed do not make {calls_after}"
            )));
        }
        let mut by = |by: By| {
            let mut lines: Vec<Line> = Vec::new();
            for ((of, names), sum) in &mut self.sums {
                if *of == by && sum.calls > 0 {
                    lines.push(Line {
                        names: names.clone(),
                        calls: sum.calls,
                        money: moneys(&std::mem::take(&mut sum.money)),
                    });
                }
            }
            if !matches!(by, By::Day | By::Suspended) {
                // The sort is stable: what is equally large stays in the order of its names.
                lines.sort_by_key(|line| std::cmp::Reverse(largest(line)));
            }
            lines
        };
        let (causes, sites, occupiers) = (by(By::Cause), by(By::Site), by(By::Occupier));
        let (destinations, days, suspended) = (by(By::Destination), by(By::Day), by(By::Suspended));
        Ok(Comparison {
            month,
            before: String::new(),
            after: String::new(),
            inputs: Vec::new(),
            calls_before,
            calls_after,
            added,
            removed,
            changed: self.count(Change::Changed),
            moved: 0,
            totals: totals.to_vec(),
            causes,
            sites,
            occupiers,
            destinations,
            days,
            suspended,
            most: self.most.into_iter().map(|(_, _, call)| call).collect(),
        })
    }
}

fn moneys(money: &Moneys) -> Vec<Money> {
    let all =
        money.iter().map(|((side, currency), amounts)| Money { side: *side, currency: *currency, amounts: *amounts });
    all.filter(|money| money.amounts.before != money.amounts.after).collect()
}

fn largest(line: &Line) -> u128 {
    line.money.iter().map(|money| money.amounts.difference().units().unsigned_abs()).max().unwrap_or(0)
}

/// Totals of the two, side by side.
pub(in crate::run) fn side_by_side(
    side: SideName,
    before: &[(Currency, Total)],
    after: &[(Currency, Total)],
) -> Vec<Money> {
    let of = |list: &[(Currency, Total)], currency| {
        list.iter().find(|(of, _)| *of == currency).map_or(Total::ZERO, |(_, total)| *total)
    };
    let currencies: BTreeSet<Currency> = before.iter().chain(after).map(|(currency, _)| *currency).collect();
    currencies
        .into_iter()
        .map(|currency| Money {
            side,
            currency,
            amounts: Amounts { before: of(before, currency), after: of(after, currency) },
        })
        .collect()
}
