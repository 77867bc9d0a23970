//! Causes one by one, and sums that add up whatever comes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::money::Price;
use crate::report::PublishedSide;
use crate::run::RunError;
use crate::run::project::role;
use crate::time::{Duration, Instant};

type Call = PublishedCall<&'static str>;

fn charged(destination: &'static str, rate: i64, charge: i64, currency: &'static str) -> PublishedSide<&'static str> {
    PublishedSide {
        status: "charged",
        tariff: "retail",
        version: Some(0),
        destination,
        rate: Some(Price::from_units(rate)),
        per: Some(Duration::from_seconds(60)),
        connection: Some(Price::ZERO),
        billed: Some(Duration::from_seconds(60)),
        charge: Some(Charge::from_units(charge)),
        currency,
        ..PublishedSide::default()
    }
}

fn suspended(reason: &'static str) -> PublishedSide<&'static str> {
    PublishedSide { status: "suspended", reason, ..PublishedSide::default() }
}

fn call() -> Call {
    PublishedCall {
        call_id: "1",
        site: "ldn",
        payer: "acme",
        charged_at: Some(Instant::from_millis(0)),
        calling: "2000",
        called: "+447700900123",
        answered: true,
        duration: Duration::from_seconds(60),
        retail: charged("UK mobile", 50_000_000_000, 500_000_000, "GBP"),
        wholesale: charged("GB mobile", 10_000_000_000, 100_000_000, "GBP"),
        source: "pbx",
        file: "old.csv",
        ..PublishedCall::default()
    }
}

fn evidence(files: &[(&str, FileFate)], roles: &[(&str, &str)]) -> Evidence {
    let mut evidence = Evidence::default();
    for (path, fate) in files {
        evidence.files.insert(("pbx".to_owned(), (*path).to_owned()), *fate);
    }
    for (role, path) in roles {
        evidence.references.entry((*role).to_owned()).or_default().insert((*path).to_owned());
    }
    evidence
}

#[test]
fn a_call_that_one_has_alone_is_its_files_or_an_other_files_or_the_rules() {
    let new = ("new.csv", FileFate::New);
    let late = Call { adjusts_month: "2026-09", file: "new.csv", ..call() };
    let in_new = Call { file: "new.csv", ..call() };
    for (case, evidence, cause, what) in [
        (late, evidence(&[new], &[]), Cause::LateCall, "for 2026-09"),
        (in_new, evidence(&[new], &[]), Cause::NewFile, "new.csv"),
        (in_new, evidence(&[("new.csv", FileFate::Gone)], &[]), Cause::FileGone, "new.csv"),
        (in_new, evidence(&[("new.csv", FileFate::Changed)], &[]), Cause::FileChanged, "new.csv"),
        // Its own file is as it was: the other half came in the new one, or the first of two equal ones.
        (call(), evidence(&[new], &[]), Cause::Assembly, "new.csv"),
        (call(), evidence(&[], &[(role::SETTINGS, "rating.toml")]), Cause::Settings, "rating.toml"),
        (call(), evidence(&[], &[(role::DIRECTORY, "allocations.csv")]), Cause::Allocation, "allocations.csv"),
        (call(), evidence(&[], &[(role::TARIFF, "retail.csv")]), Cause::Unknown, "tariff: retail.csv"),
    ] {
        for (before, after) in [(None, Some(&case)), (Some(&case), None)] {
            assert_eq!(evidence.cause(before, after), (cause, what.to_owned()));
        }
    }
}

#[test]
fn a_call_that_both_have_says_by_what_differs_why() {
    let tariff = (role::TARIFF, "retail.csv");
    let dearer = Call { retail: charged("UK mobile", 60_000_000_000, 600_000_000, "GBP"), ..call() };
    let only_cost = Call { retail: charged("UK mobile", 50_000_000_000, 600_000_000, "GBP"), ..call() };
    let other_tariff = Call { retail: PublishedSide { tariff: "gold", ..dearer.retail }, ..call() };
    let unpriced = Call { retail: suspended("rating.no_rate_for_destination"), ..call() };
    let other_payer = Call { payer: "bolt", ..dearer };
    let allowed = Call { allowance: Some(Duration::from_seconds(60)), ..only_cost };
    let longer = Call { duration: Duration::from_seconds(61), ..dearer };
    let flagged = Call { flags: "near_duplicate", ..call() };
    let priced = "retail retail v0: UK mobile at 0.05 per 60s GBP -> UK mobile at 0.06 per 60s GBP";
    let no_rate = "retail retail v0 -> no tariff: UK mobile at 0.05 per 60s GBP -> rating.no_rate_for_destination";
    let assigned = "retail retail v0 -> gold v0: UK mobile at 0.05 per 60s GBP -> UK mobile at 0.06 per 60s GBP";
    for (after, evidence, cause, what) in [
        (dearer, evidence(&[], &[tariff]), Cause::Tariff, priced),
        (unpriced, evidence(&[], &[tariff]), Cause::Tariff, no_rate),
        (
            only_cost,
            evidence(&[], &[tariff]),
            Cause::Tariff,
            "retail retail v0: UK mobile at 0.05 per 60s GBP, other steps or charges",
        ),
        (other_tariff, evidence(&[], &[tariff, (role::ASSIGNMENTS, "who.csv")]), Cause::Assignment, assigned),
        // Only the tariffs changed, so the row is inherited from another.
        (other_tariff, evidence(&[], &[tariff]), Cause::Tariff, assigned),
        (dearer, evidence(&[], &[(role::CALENDAR, "closed.csv")]), Cause::Calendar, priced),
        (dearer, evidence(&[], &[(role::SETTINGS, "rating.toml")]), Cause::Settings, "rating.toml"),
        // Whose call it is decides what it costs: the allocation, not the tariff.
        (
            other_payer,
            evidence(&[], &[tariff, (role::DIRECTORY, "allocations.csv")]),
            Cause::Allocation,
            "acme -> bolt (allocations.csv)",
        ),
        (allowed, evidence(&[], &[(role::ALLOWANCES, "bundles.toml")]), Cause::Allowance, "bundles.toml"),
        (allowed, evidence(&[("new.csv", FileFate::New)], &[]), Cause::Allowance, "other calls use it"),
        (longer, evidence(&[("old.csv", FileFate::Changed)], &[tariff]), Cause::FileChanged, "old.csv"),
        (longer, evidence(&[("new.csv", FileFate::New)], &[tariff]), Cause::Assembly, "new.csv"),
        (flagged, evidence(&[("new.csv", FileFate::New)], &[tariff]), Cause::Assembly, "new.csv"),
        (
            Call { adjusts_month: "2026-09", ..call() },
            evidence(&[("new.csv", FileFate::New)], &[]),
            Cause::LateCall,
            "for 2026-09",
        ),
    ] {
        assert_eq!(evidence.cause(Some(&call()), Some(&after)), (cause, what.to_owned()));
    }
    let software = Evidence { software: Some("0.1.0 -> 0.2.0".to_owned()), ..Evidence::default() };
    assert_eq!(software.cause(Some(&call()), Some(&dearer)), (Cause::Software, "0.1.0 -> 0.2.0".to_owned()));
}

#[test]
fn every_cause_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    assert_eq!(names.len(), Cause::ALL.len());
}

fn gbp(side: SideName, before: i128, after: i128) -> Money {
    let amounts = Amounts { before: Total::from_units(before), after: Total::from_units(after) };
    Money { side, currency: Currency::parse("GBP").unwrap(), amounts }
}

fn month() -> Month {
    Month::parse("2026-10").unwrap()
}

#[test]
fn a_call_that_changes_hands_is_a_loss_here_and_a_gain_there_and_nothing_in_all() {
    let before = call();
    let after = Call { payer: "bolt", retail: charged("UK mobile", 60_000_000_000, 600_000_000, "GBP"), ..call() };
    let mut sums = Sums::new(None);
    sums.add(&Delta { cause: Cause::Allocation, what: "x", before: Some(&before), after: Some(&after) });
    let totals = [gbp(SideName::Retail, 500_000_000, 600_000_000), gbp(SideName::Wholesale, 100_000_000, 100_000_000)];
    let found = sums.finish(month(), &totals, (1, 1)).unwrap();
    // acme: 0.05 -> 0, bolt: 0 -> 0.06; the site: 0.05 -> 0.06. Wholesale 0.01 goes from one to the other.
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let line = |names: &[&str], money: Vec<Money>| Line { names: of(names), calls: 1, money };
    let (retail, wholesale) = (SideName::Retail, SideName::Wholesale);
    assert_eq!(
        found.occupiers,
        [
            line(&["ldn", "bolt"], vec![gbp(retail, 0, 600_000_000), gbp(wholesale, 0, 100_000_000)]),
            line(&["ldn", "acme"], vec![gbp(retail, 500_000_000, 0), gbp(wholesale, 100_000_000, 0)]),
        ]
    );
    assert_eq!(found.sites, [line(&["ldn"], vec![gbp(retail, 500_000_000, 600_000_000)])]);
    // The wholesale side is the same: its destination is no news.
    assert_eq!(found.destinations, [line(&["UK mobile"], vec![gbp(retail, 500_000_000, 600_000_000)])]);
    assert_eq!((found.changed, found.most.len(), found.is_same()), (1, 1, false));
}

#[test]
fn what_does_not_add_up_is_refused() {
    let after = call();
    let delta = Delta { cause: Cause::NewFile, what: "x", before: None, after: Some(&after) };
    for (retail, calls) in [(500_000_001, (0, 1)), (500_000_000, (0, 2))] {
        let mut sums = Sums::new(None);
        sums.add(&delta);
        let totals = [gbp(SideName::Retail, 0, retail), gbp(SideName::Wholesale, 0, 100_000_000)];
        let refused = sums.finish(month(), &totals, calls);
        assert!(matches!(refused, Err(RunError::Internal(_))), "{refused:?}");
    }
}

#[test]
fn a_side_that_is_released_and_one_that_is_newly_suspended_are_listed_with_their_money() {
    let no_rate = Call { retail: suspended("rating.no_rate_for_destination"), ..call() };
    let mut sums = Sums::new(None);
    let (before, after) = (call(), no_rate);
    sums.add(&Delta { cause: Cause::Tariff, what: "x", before: Some(&before), after: Some(&after) });
    sums.add(&Delta { cause: Cause::Tariff, what: "y", before: Some(&after), after: Some(&before) });
    sums.add(&Delta { cause: Cause::Tariff, what: "y", before: Some(&after), after: Some(&before) });
    // 0.05 is lost once and won twice.
    let totals = [gbp(SideName::Retail, 500_000_000, 1_000_000_000)];
    let found = sums.finish(month(), &totals, (3, 3)).unwrap();
    let lines: Vec<(&str, u64, i128)> = found
        .suspended
        .iter()
        .map(|line| (line.names[0].as_str(), line.calls, line.money[0].amounts.difference().units()))
        .collect();
    assert_eq!(lines, [("newly suspended", 1, -500_000_000), ("released", 2, 1_000_000_000)]);
}

#[test]
fn a_line_of_csv_has_a_cell_for_every_name_and_no_difference_across_currencies() {
    let before = Call { dialled: "a,\"b", ..call() };
    let after = Call { retail: charged("UK mobile", 1, 7, "EUR"), ..before };
    let read = |delta: Delta<'_>| {
        let mut bytes = csv_header();
        delta.write_csv(&mut bytes);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect::<std::collections::BTreeMap<_, _>>()
    };
    let cells = read(Delta { cause: Cause::Tariff, what: "w", before: Some(&before), after: Some(&after) });
    assert_eq!(cells["dialled"], "a,\"b");
    assert_eq!((cells["retail_amount_before"].as_str(), cells["retail_currency_after"].as_str()), ("0.05", "EUR"));
    assert_eq!((cells["retail_difference"].as_str(), cells["wholesale_difference"].as_str()), ("", "0.00"));
    let cells = read(Delta { cause: Cause::NewFile, what: "w", before: None, after: Some(&before) });
    assert_eq!((cells["change"].as_str(), cells["retail_difference"].as_str()), ("added", "0.05"));
    assert_eq!((cells["site_before"].as_str(), cells["site_after"].as_str()), ("", "ldn"));
}

fn any_call() -> impl Strategy<Value = Option<Call>> {
    let word = |words: &'static [&'static str]| prop::sample::select(words);
    let side = (word(&["GBP", "EUR"]), word(&["UK", "US", ""]), prop::option::of(-9_i64..9)).prop_map(
        |(currency, destination, charge)| PublishedSide {
            status: if charge.is_some() { "charged" } else { "suspended" },
            reason: if charge.is_some() { "" } else { "rating.price_unknown" },
            charge: charge.map(Charge::from_units),
            ..charged(destination, 1, 0, currency)
        },
    );
    let call = (word(&["ldn", "nyc"]), word(&["acme", "bolt", ""]), side.clone(), side, 0_u64..99).prop_map(
        |(site, payer, retail, wholesale, offset)| PublishedCall { site, payer, retail, wholesale, offset, ..call() },
    );
    prop::option::weighted(0.8, call)
}

proptest! {
    #[test]
    fn deltas_add_up_to_the_difference_by_every_table(deltas in prop::collection::vec((any_call(), any_call(), 0..13_usize), 0..40)) {
        let mut sums = Sums::new(None);
        let (mut totals, mut calls) = (std::collections::BTreeMap::<_, Amounts>::new(), (7, 7));
        for (before, after, cause) in &deltas {
            if before.is_none() && after.is_none() {
                continue;
            }
            sums.add(&Delta { cause: Cause::ALL[*cause], what: "", before: before.as_ref(), after: after.as_ref() });
            for (call, is_after) in [(before, false), (after, true)] {
                let Some(call) = call else { continue };
                if is_after { calls.1 += 1 } else { calls.0 += 1 }
                for (name, side) in sides(call) {
                    let Some((currency, charge)) = charge(side) else { continue };
                    let of = totals.entry((name, currency)).or_default();
                    if is_after { of.after.add(charge) } else { of.before.add(charge) }
                }
            }
        }
        let money: Vec<Money> =
            totals.iter().map(|((side, currency), amounts)| Money { side: *side, currency: *currency, amounts: *amounts }).collect();
        let found = sums.finish(month(), &money, calls).unwrap();
        for lines in [&found.causes, &found.sites, &found.occupiers, &found.destinations] {
            for total in &money {
                let parts: i128 = lines.iter().flat_map(|line| &line.money)
                    .filter(|part| (part.side, part.currency) == (total.side, total.currency))
                    .map(|part| part.amounts.difference().units()).sum();
                prop_assert_eq!(parts, total.amounts.difference().units());
            }
        }
        prop_assert!(found.most.len() <= 10);
    }
}
