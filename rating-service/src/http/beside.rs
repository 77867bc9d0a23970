//! Runs beside each other: what a run comes to, less what the version before it and the month before came to.

use std::collections::{BTreeMap, BTreeSet};

use rating_core::report::Kind;

use crate::publish::decimal::{shown, units};
use crate::wire::months::{Beside, Difference, Month, Run, Totals};

/// The run that says what a month comes to: the one in force, or the newest.
fn telling(month: &Month) -> Option<&Run> {
    month.runs.iter().find(|run| Some(&run.run) == month.in_force.as_ref()).or_else(|| month.runs.first())
}

/// The version that a run takes or took the place of: the one in force, or else the newest that was published.
fn version_before<'m>(month: &'m Month, run: &Run) -> Option<&'m Run> {
    let mut others = month.runs.iter().filter(|other| other.run != run.run);
    let is_in_force = |other: &&Run| Some(&other.run) == month.in_force.as_ref();
    let published = |other: &&Run| matches!(other.state.as_str(), "published" | "superseded");
    others.clone().find(is_in_force).or_else(|| others.find(published))
}

fn less(now: u64, then: u64) -> i64 {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    signed(now).saturating_sub(signed(then))
}

/// Amounts less others, in each currency of either.
fn amounts_less(now: &BTreeMap<String, String>, then: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let of = |amounts: &BTreeMap<String, String>, currency: &str| {
        amounts.get(currency).and_then(|amount| units(amount)).unwrap_or_default()
    };
    let currencies: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    let difference = |currency: &String| shown(of(now, currency).saturating_sub(of(then, currency)), Kind::Amount);
    currencies.into_iter().map(|currency| (currency.clone(), difference(currency))).collect()
}

fn difference(now: &Totals, then: &Totals) -> Difference {
    Difference {
        records: less(now.records, then.records),
        rejected: less(now.rejected, then.rejected),
        calls: less(now.calls, then.calls),
        rated: less(now.rated, then.rated),
        not_chargeable: less(now.not_chargeable, then.not_chargeable),
        suspended: less(now.suspended, then.suspended),
        retail: amounts_less(&now.retail, &then.retail),
        wholesale: amounts_less(&now.wholesale, &then.wholesale),
    }
}

fn one(what: &str, month: &str, run: &Run, totals: &Totals) -> Option<Beside> {
    let then = run.totals.as_ref()?;
    Some(Beside {
        what: what.to_owned(),
        month: month.to_owned(),
        run: run.run.clone(),
        totals: then.clone(),
        difference: difference(totals, then),
    })
}

/// Puts beside each run of a month what it stands beside.
pub(super) fn put(month: &mut Month, last: &Month) {
    let of = |run: &Run| {
        let totals = run.totals.as_ref()?;
        let before = version_before(month, run).and_then(|before| one("version_before", &month.month, before, totals));
        let last = telling(last).and_then(|before| one("month_before", &last.month, before, totals));
        Some(before.into_iter().chain(last).collect::<Vec<_>>())
    };
    let all: Vec<Vec<Beside>> = month.runs.iter().map(|run| of(run).unwrap_or_default()).collect();
    for (run, beside) in month.runs.iter_mut().zip(all) {
        run.beside = beside;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_that_one_of_them_has_not_is_nothing_there() {
        let amounts =
            |all: &[(&str, &str)]| all.iter().map(|(of, amount)| ((*of).to_owned(), (*amount).to_owned())).collect();
        let now = amounts(&[("GBP", "1000000.0005"), ("USD", "3.00")]);
        let then = amounts(&[("GBP", "1000000.001"), ("EUR", "2.50")]);
        assert_eq!(amounts_less(&now, &then), amounts(&[("EUR", "-2.50"), ("GBP", "-0.0005"), ("USD", "3.00")]));
        assert_eq!((less(3, 5), less(5, 3)), (-2, 2));
    }
}
