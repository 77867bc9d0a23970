use proptest::prelude::*;

use super::fixtures::{any_calls, call, currency, rated, unrated};
use super::*;
use crate::money::Charge;
use crate::source::RecordId;
use crate::time::Duration;

fn aggregate(calls: &[CallRow<'_>]) -> Aggregate {
    let mut aggregate = Aggregate::new();
    for call in calls {
        aggregate.add(call);
    }
    aggregate
}

/// Everything an aggregate says, in the order in which it says it.
fn told(aggregate: &Aggregate) -> String {
    format!(
        "{:#?}",
        (
            aggregate.payers(),
            aggregate.listing().lines(),
            aggregate.listing().destinations(),
            aggregate.suspended(),
            aggregate.not_chargeable(),
            aggregate.control()
        )
    )
}

fn total(text: &str) -> Total {
    Charge::parse(text).unwrap().into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn merging_in_any_order_and_cut_tells_the_same(calls in any_calls(), cut in 0..60_usize, seed in any::<u64>()) {
        let whole = aggregate(&calls);
        prop_assert_eq!(whole.check(), Ok(()));
        let expected = told(&whole);

        let (left, right) = calls.split_at(cut.min(calls.len()));
        prop_assert_eq!(&told(&aggregate(left).merge(aggregate(right))), &expected);
        prop_assert_eq!(&told(&aggregate(right).merge(aggregate(left))), &expected);

        let mut shuffled = calls.clone();
        shuffled.sort_by_key(|call| call.record.to_bits().wrapping_mul(seed | 1));
        let one_by_one = shuffled.iter().fold(Aggregate::new(), |sum, call| aggregate(&[*call]).merge(sum));
        prop_assert_eq!(one_by_one.check(), Ok(()));
        // Two calls may share a record in these random rows; then either is the example.
        let mut records: Vec<_> = calls.iter().map(|call| call.record).collect();
        records.sort_unstable();
        records.dedup();
        if records.len() == calls.len() {
            prop_assert_eq!(&told(&one_by_one), &expected);
        }
    }

    #[test]
    fn what_is_condensed_adds_up_as_before_without_its_details(calls in any_calls(), cut in 0..60_usize) {
        let whole = aggregate(&calls);
        let sites: std::collections::BTreeSet<SiteId> = calls.iter().map(|call| call.site).collect();
        // As a month does it: one site after the other, each condensed once its reports are written.
        let mut month = Aggregate::new();
        for site in sites {
            let here: Vec<CallRow<'_>> = calls.iter().filter(|call| call.site == site).copied().collect();
            let (left, right) = here.split_at(cut.min(here.len()));
            let mut of_site = aggregate(left).merge(aggregate(right));
            prop_assert_eq!(of_site.condense(), Ok(()));
            month = month.merge(of_site);
        }
        prop_assert_eq!(month.check(), Ok(()));
        prop_assert!(month.listing().lines().is_empty() && month.listing().destinations().is_empty());
        prop_assert_eq!(format!("{:?}", month.payers()), format!("{:?}", whole.payers()));
        prop_assert_eq!(month.control(), whole.control());
    }
}

#[test]
fn counts_each_outcome_once_on_the_payers_side() {
    let mut inbound = call();
    inbound.retail = unrated(Outcome::NotChargeable("rating.inbound"));
    inbound.wholesale = unrated(Outcome::NotChargeable("rating.inbound"));
    let mut no_rate = call();
    no_rate.retail = unrated(Outcome::Suspended("rating.no_rate_for_destination"));
    let mut free = call();
    free.retail = rated("GBP", "0", 0);
    free.wholesale = unrated(Outcome::Suspended("rating.no_tariff"));
    let aggregate = aggregate(&[call(), inbound, no_rate, free]);
    let key = PayerKey { site: call().site, payer: call().payer };
    let sums = aggregate.payer(key).unwrap();
    assert_eq!(
        (sums.calls, sums.billable_calls, sums.not_chargeable_calls, sums.suspended_calls),
        (4, 2, 1, 1),
        "a call rated at 0.00 is billable"
    );
    assert_eq!(sums.wholesale_missing_calls, 1);
    assert_eq!(sums.client.only().unwrap().1, Sum { charges: 2, total: total("0.065") });
    // The carrier charges the suspended call too: 2 × 0.02.
    assert_eq!(sums.operator.only().unwrap().1, Sum { charges: 2, total: total("0.04") });
    assert_eq!(sums.duration.as_millis(), 4 * 61_000);
    assert_eq!(sums.billable_duration.as_millis(), 2 * 61_000);
    assert_eq!(aggregate.check(), Ok(()));
}

#[test]
fn the_operators_own_calls_are_billable_by_their_wholesale_side() {
    let mut own = call();
    own.payer = Some(PayerId::OPERATOR);
    own.retail = unrated(Outcome::NotChargeable("rating.operator_call"));
    let aggregate = aggregate(&[own]);
    let (_, sums) = aggregate.payers()[0];
    assert_eq!((sums.billable_calls, sums.not_chargeable_calls), (1, 0));
    assert!(sums.client.is_empty());
    let (key, line) = aggregate.listing().lines()[0];
    assert_eq!((key.currency, line.cost), (currency("GBP"), total("0.02")));
    assert_eq!(aggregate.listing().destinations()[0].0.destination, DestinationId(1));
    assert_eq!(aggregate.control().payer_side.rated, 1);
}

#[test]
fn margin_needs_every_wholesale_charge_in_the_clients_currency() {
    let mut dollars = call();
    dollars.wholesale = rated("USD", "0.10", 0);
    let mut missing = call();
    missing.wholesale = unrated(Outcome::Suspended("rating.no_tariff"));
    let mut euros = call();
    euros.retail = rated("EUR", "0.10", 0);

    let margin = |calls: &[(CallRow<'_>, Option<&str>)]| {
        let mut aggregate = Aggregate::new();
        for (call, converted) in calls {
            let converted = converted.map(|charge| (currency("GBP"), Charge::parse(charge).unwrap()));
            aggregate.add_converted(call, converted);
        }
        aggregate.payers()[0].1.margin().map(|(currency, total)| format!("{total} {currency}"))
    };
    // 0.065 − 0.02
    assert_eq!(margin(&[(call(), None)]).as_deref(), Some("0.045 GBP"));
    // 2 × 0.065 − 0.02 − 0.08
    assert_eq!(margin(&[(call(), None), (dollars, Some("0.08"))]).as_deref(), Some("0.03 GBP"));
    assert_eq!(margin(&[(dollars, Some("0.08")), (dollars, None)]), None, "one rate is missing");
    assert_eq!(margin(&[(call(), None), (missing, None)]), None, "one wholesale charge is missing");
    assert_eq!(margin(&[(call(), None), (euros, None)]), None, "two client currencies");
}

#[test]
fn suspense_keeps_the_first_example_and_what_the_other_side_tells() {
    let mut later = call();
    later.record = RecordId::new(2, 0).unwrap();
    later.retail = unrated(Outcome::Suspended("rating.no_rate_for_destination"));
    later.dialled = b"000000000000000000000000000000000000000000000000000000000000000000000000000000";
    let mut earlier = later;
    earlier.record = RecordId::new(1, 99).unwrap();
    earlier.dialled = b"90870";
    earlier.wholesale = unrated(Outcome::Suspended("rating.no_tariff"));
    let aggregate = aggregate(&[later]).merge(aggregate(&[earlier]));
    let listed = aggregate.suspended();
    let told: Vec<_> = listed
        .iter()
        .map(|(key, sums)| {
            let at_stake = sums.at_stake.only().map(|(currency, sum)| format!("{} {currency}", sum.total));
            (key.side.name(), key.code, sums.calls, sums.example.record, at_stake)
        })
        .collect();
    let first = RecordId::new(1, 99).unwrap();
    assert_eq!(
        told,
        [
            ("retail", "rating.no_rate_for_destination", 2, first, Some("0.02 GBP".to_owned())),
            ("wholesale", "rating.no_tariff", 1, first, None),
        ]
    );
    assert_eq!(&*listed[0].1.example.dialled, b"90870");
    assert_eq!(Example::of(&later).dialled.len(), Example::DIALLED_BYTES);
}

#[test]
fn an_extension_with_two_numbers_in_the_month_has_one_line_and_no_number() {
    let mut other = call();
    other.number = E164::parse(b"+442079460002");
    let mut unknown = call();
    unknown.number = None;
    for (calls, expected) in [
        (vec![call(), unknown], LineNumber::One(call().number.unwrap())),
        (vec![unknown], LineNumber::Unknown),
        (vec![call(), unknown, other], LineNumber::Several),
    ] {
        let aggregate = aggregate(&calls);
        assert_eq!(aggregate.listing().lines().len(), 1);
        assert_eq!(aggregate.listing().lines()[0].1.number, expected);
    }
}

#[test]
fn a_lost_charge_breaks_an_identity_and_says_which() {
    let broken = |damage: fn(&mut Aggregate)| {
        let mut aggregate = aggregate(&[call(), call()]);
        damage(&mut aggregate);
        aggregate.check().unwrap_err().to_string()
    };
    for (damage, words) in [
        ((|a| a.control.calls += 1) as fn(&mut Aggregate), "calls = rated + not chargeable + suspended"),
        (|a| a.control.retail.counts.rated -= 1, "calls = outcomes of the retail side"),
        (|a| a.control.wholesale.charges = Amounts::default(), "wholesale charges = wholesale calls rated"),
        (|a| a.payers[0].sums.duration.add(Duration::from_millis(1)), "talk time = talk time of all payers"),
        (|a| a.payers[0].sums.client.add(currency("GBP"), Charge::ZERO), "client amounts of all payers"),
        (|a| a.payers[0].lines = Table::default(), "those of its extensions"),
        (|a| a.payers[0].destinations = Table::default(), "those of its destinations"),
        (|a| a.payers[0].destinations.entry(DestinationId(0)).operator = Amounts::default(), "operator amount"),
        (
            |a| {
                let line = (Line::Extension(Digits::parse(b"2001").unwrap()), currency("GBP"));
                a.payers[0].lines.entry(line).cost = Total::ZERO;
            },
            "= charges of its extensions",
        ),
    ] {
        let told = broken(damage);
        assert!(told.contains(words), "{words}: {told}");
    }
}
