//! Calls for tests: one plain call to vary, and random ones.

use proptest::prelude::*;

use crate::ids::{BandId, DestinationId, PayerId, SiteId, SourceId, TariffId};
use crate::money::{Charge, Currency, Price};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::rating::{CallRow, Outcome, Priced, Side};
use crate::source::RecordId;
use crate::time::{Duration, Instant};

pub(crate) fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub(crate) fn rated(code: &str, charge: &str, destination: u32) -> Side {
    rated_units(code, Charge::parse(charge).unwrap(), destination)
}

fn rated_units(code: &str, charge: Charge, destination: u32) -> Side {
    let priced = Priced {
        charge,
        row: 0,
        destination: DestinationId(destination),
        band: BandId(0),
        billed: Duration::from_seconds(120),
        price: Price::parse("0.03", 0).unwrap(),
        per: Duration::from_seconds(60),
        setup_fee: Price::parse("0.005", 0).unwrap(),
        minimum_applied: false,
    };
    Side { tariff: Some(TariffId(0)), version: 1, currency: Some(currency(code)), outcome: Outcome::Rated(priced) }
}

pub(crate) const fn unrated(outcome: Outcome) -> Side {
    Side { tariff: None, version: 0, currency: None, outcome }
}

/// Payer 1 at site 0 calls London for 61 seconds from extension 2001; 0.065 GBP retail, 0.02 GBP wholesale.
pub(crate) fn call() -> CallRow<'static> {
    let setup_at = Instant::parse_rfc3339("2026-10-25T00:29:50Z").unwrap();
    CallRow {
        record: RecordId::new(0, 120).unwrap(),
        call_id: b"1792888190.17",
        source: SourceId(0),
        site: SiteId(0),
        payer: Some(PayerId(1)),
        charging_at: setup_at.plus(Duration::from_seconds(10)),
        setup_at: Some(setup_at),
        answered: true,
        duration: Duration::from_seconds(61),
        direction: Direction::Outbound,
        calling: Party::Number(E164::parse(b"+442079460001").unwrap()),
        dialled: b"902079460958",
        called: Party::Number(E164::parse(b"+442079460958").unwrap()),
        class: NumberClass::Geographic,
        forwarder: None,
        extension: Digits::parse(b"2001"),
        number: E164::parse(b"+442079460001"),
        allowance_taken: None,
        vat: None,
        retail: rated("GBP", "0.065", 0),
        wholesale: rated("GBP", "0.02", 1),
        flags: 0,
    }
}

fn side(code: &'static str) -> impl Strategy<Value = Side> {
    let charge = prop_oneof![Just(0), Just(1), Just(-1), -10_000_000_000..10_000_000_000_i64];
    prop_oneof![
        4 => (charge, 0..3_u32)
            .prop_map(move |(units, destination)| rated_units(code, Charge::from_units(units), destination)),
        1 => Just(unrated(Outcome::NotChargeable("rating.inbound"))),
        1 => Just(unrated(Outcome::NotChargeable("rating.internal"))),
        1 => Just(unrated(Outcome::Suspended("rating.no_rate_for_destination"))),
        1 => Just(unrated(Outcome::Suspended("rating.no_tariff"))),
    ]
}

/// Any call of two sites, three payers (the operator among them) or none, in one or two currencies.
pub(crate) fn any_call() -> impl Strategy<Value = CallRow<'static>> {
    let who = (0..2_u32, proptest::option::weighted(0.9, 0..3_u32), proptest::option::of(0..3_u64), any::<bool>());
    let retail = prop_oneof![4 => side("GBP"), 1 => side("EUR")];
    let wholesale = prop_oneof![4 => side("GBP"), 1 => side("USD")];
    (who, 0..1_000_000_u64, 0..100_000_i64, retail, wholesale).prop_map(|(who, offset, millis, retail, wholesale)| {
        let (site, payer, extension, number) = who;
        let own = payer == Some(0);
        let retail = if own { unrated(Outcome::NotChargeable("rating.operator_call")) } else { retail };
        let retail = if payer.is_none() { unrated(Outcome::Suspended("attribution.number_unknown")) } else { retail };
        CallRow {
            record: RecordId::new(site, offset).unwrap(),
            site: SiteId(site),
            payer: payer.map(PayerId),
            extension: extension.and_then(|last| Digits::parse(format!("{:04}", 10 + last).as_bytes())),
            number: if number { call().number } else { None },
            charging_at: call().charging_at.plus(Duration::from_millis(i64::try_from(offset).unwrap() * 1_000)),
            duration: Duration::from_millis(millis),
            retail,
            wholesale,
            ..call()
        }
    })
}

pub(crate) fn any_calls() -> impl Strategy<Value = Vec<CallRow<'static>>> {
    proptest::collection::vec(any_call(), 0..60)
}
