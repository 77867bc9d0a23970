//! Sums of the index on the wire.

use std::collections::BTreeMap;

use rating_core::report::Kind;

use crate::publish::decimal::{shown, units};
use crate::publish::index::Sum;
use crate::wire::charges::Sums;

/// The sum of two decimals, as a cell of its kind is written.
fn plus(a: &str, b: &str, kind: Kind) -> String {
    let units = |text: &str| units(text).unwrap_or_default();
    shown(units(a).saturating_add(units(b)), kind)
}

/// Adds an amount.
pub(super) fn put(sums: &mut BTreeMap<String, String>, currency: &str, amount: &str) {
    match sums.get_mut(currency) {
        Some(sum) => *sum = plus(sum, amount, Kind::Amount),
        None => {
            sums.insert(currency.to_owned(), amount.to_owned());
        }
    }
}

/// Adds calls to sums.
pub(super) fn add(sums: &mut Sums, other: &Sums) {
    sums.calls += other.calls;
    sums.duration_s = plus(&sums.duration_s, &other.duration_s, Kind::Seconds);
    sums.billed_duration_s = plus(&sums.billed_duration_s, &other.billed_duration_s, Kind::Seconds);
    for (currency, amount) in &other.charge {
        put(&mut sums.charge, currency, amount);
    }
    for (currency, amount) in &other.vat {
        put(&mut sums.vat, currency, amount);
    }
}

/// No calls.
pub(super) fn none() -> Sums {
    Sums { duration_s: "0".to_owned(), billed_duration_s: "0".to_owned(), ..Sums::default() }
}

/// Sums of several currencies as one.
pub(super) fn of<'s>(list: impl IntoIterator<Item = &'s Sum>) -> Sums {
    let mut sums = none();
    for sum in list {
        let one = |amount: &str| BTreeMap::from([(sum.currency.clone(), amount.to_owned())]);
        let other = Sums {
            calls: sum.calls,
            duration_s: sum.duration_s.clone(),
            billed_duration_s: sum.billed_duration_s.clone(),
            charge: one(&sum.charge),
            vat: sum.vat.as_deref().map(one).unwrap_or_default(),
        };
        add(&mut sums, &other);
    }
    sums
}
