mod charges;

use std::sync::LazyLock;

use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use super::rater::{Sides, Verdict, unpriced};
use super::straight::straight;
use super::{Outcome, RatedCall, Rater, Reason, Side, Talk, Working, price};
use crate::assignment::{Assignments, Names, SideKind};
use crate::attribution::{AttributedBy, AttributedCall, AttributionReason, Holder};
use crate::cdr::Cdr;
use crate::finding::{Findings, SourceText};
use crate::ids::{PayerId, SiteId, SourceId, TariffId};
use crate::mediation::dial_plan::AccessCodes;
use crate::mediation::{Call, Written};
use crate::money::Total;
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::source::RecordId;
use crate::tariff::testing::{LONDON, at, book, called, read_for, retail};
use crate::tariff::{Called, Caller, CallerType, Query, SiteClock, Tariff, TariffBook, calendar};
use crate::time::{Duration, Instant, Zone};

const NOON: &str = "2026-07-01T11:00:00Z"; // Wednesday, 12:00 in London

/// What `number` costs in the first tariff of `book`, in its currency; or why it has no price.
fn cost(book: &TariffBook, number: &str, instant: &str, duration: &str) -> String {
    cost_of(book, &Query::new(called(number)), instant, duration)
}

/// [`cost`] for a caller: a number, `missing` or `invalid`.
fn cost_from(book: &TariffBook, caller: &str, number: &str, instant: &str, duration: &str) -> String {
    let caller = match caller {
        "missing" => Caller::Missing,
        "invalid" => Caller::Invalid,
        number => Caller::of(E164::parse(number.as_bytes()).unwrap()),
    };
    cost_of(book, &Query { caller, network_caller: caller, ..Query::new(called(number)) }, instant, duration)
}

fn cost_of(book: &TariffBook, query: &Query<'_>, instant: &str, duration: &str) -> String {
    let talk = Talk::new(at(instant), LONDON, Duration::parse(duration).unwrap());
    match by_every_way(book, query, &talk) {
        Verdict::Priced(.., working) => working.charge.to_string(),
        Verdict::Reason(_, reason) => reason.code().to_owned(),
        Verdict::Unknown(code) => code.to_owned(),
    }
}

/// What the first tariff says of a call; and where the short way of a common call has an answer, it is that.
fn by_every_way<'t>(book: &'t TariffBook, query: &Query<'_>, talk: &Talk) -> Verdict<'t> {
    let sides = Sides::new(book);
    let verdict = || sides.by_tariff(TariffId(0), query, talk, &mut ());
    if query.direction != Direction::Inbound
        && query.charge_code.is_empty()
        && let Some(start) = book.start(TariffId(0), talk.at, talk.site)
        && let Some(side) = straight(&start, query.called, (talk.at, talk.site), talk.duration)
    {
        assert_eq!(side, sides.finish(verdict()), "{query:?}");
    }
    verdict()
}

/// What [`cost`] is worked out from.
fn worked(book: &TariffBook, number: &str, instant: &str, duration: &str) -> Working {
    let talk = Talk::new(at(instant), LONDON, Duration::parse(duration).unwrap());
    match Sides::new(book).by_tariff(TariffId(0), &Query::new(called(number)), &talk, &mut ()) {
        Verdict::Priced(.., working) => working,
        _ => panic!("{number} has no price"),
    }
}

/// Talk times and charges of British calls at noon on a tariff of these settings and one row.
#[track_caller]
fn check(settings: &str, row: &str, cases: &[(&str, &str)]) {
    let deck = format!("prefix,destination,price,connection,minimum,increments\n{row}\n");
    let book = retail(settings, &deck);
    for (duration, charge) in cases {
        assert_eq!(cost(&book, "+442079460958", NOON, duration), *charge, "{duration} on {row}");
    }
}

#[test]
fn thirty_six_bills_thirty_seconds_and_then_steps_of_six() {
    // 6p a minute is 0.1p a second, so the charge in tenths of a penny is the billed seconds.
    check(
        "",
        "44,UK,6,,,30/6",
        &[
            ("1s", "0.03"),
            ("12s", "0.03"), // 30
            ("30s", "0.03"),
            ("30.001s", "0.036"), // 36
            ("39s", "0.042"),     // 30 + 2 × 6 = 42
            ("57s", "0.06"),      // 30 + 5 × 6 = 60
            ("60s", "0.06"),
            ("75s", "0.078"), // 30 + 8 × 6 = 78
        ],
    );
}

#[test]
fn a_started_minute_is_billed_in_full() {
    // 3p a minute.
    check(
        "increments = \"60/60\"\n",
        "44,UK,3,,,",
        &[("1s", "0.03"), ("60s", "0.03"), ("61s", "0.06"), ("120s", "0.06"), ("3599s", "1.80")],
    );
}

#[test]
fn a_first_minute_and_then_seconds() {
    // 3p a minute: 61 s = 3p × 61/60 = 3.05p.
    check("", "44,UK,3,,,60/1", &[("1s", "0.03"), ("60s", "0.03"), ("61s", "0.0305"), ("90s", "0.045")]);
}

#[test]
fn per_second_is_exact_until_it_is_posted() {
    // 1.3p × 1/60 = 0.0216666…p = 0.000216666… pounds, posted to ten decimals, half up; 60 of them are 1.3p in one call.
    check("", "44,UK,1.3,,,", &[("1s", "0.0002166667"), ("60s", "0.013"), ("600s", "0.13"), ("61s", "0.0132166667")]);
    // Ten minutes at 5p cost 50p, not 49.8p.
    check("", "44,UK,5,,,", &[("600s", "0.50")]);
}

#[test]
fn a_price_per_second_is_not_the_price_per_minute() {
    // 0.3333p × 75 = 24.9975p, where 20p a minute would give 25p.
    check("", "44,UK,0.3333p/s,,,", &[("75s", "0.249975")]);
    check("", "44,UK,20,,,", &[("75s", "0.25")]);
}

#[test]
fn increments_may_have_decimals() {
    // 57.6 s units at 5p a minute: one unit is 5 × 57.6 / 60 = 4.8p.
    check("", "44,UK,5,,,57.6/57.6", &[("1s", "0.048"), ("57.6s", "0.048"), ("57.601s", "0.096"), ("115.2s", "0.096")]);
}

#[test]
fn the_connection_charge_comes_once_and_the_minimum_covers_it() {
    // 2p to connect and 1p a minute, at least 3p: 30 s = 2 + 0.5 = 2.5p, so 3p; 60 s = 3p exactly; 90 s = 3.5p.
    check("", "44,UK,1,2,3,", &[("30s", "0.03"), ("60s", "0.03"), ("90s", "0.035"), ("61s", "0.0301666667")]);
    // From the tariff's defaults, where the row is silent; a row may say otherwise.
    check("connection_charge = \"2p\"\nminimum_charge = \"3p\"\n", "44,UK,1,,,", &[("30s", "0.03"), ("90s", "0.035")]);
    check("connection_charge = \"2p\"\nminimum_charge = \"3p\"\n", "44,UK,1,0,0,", &[("30s", "0.005")]);
    // A price per call: 10p whatever the time.
    check("", "44,UK,0,10,,", &[("1s", "0.10"), ("3600s", "0.10")]);
}

#[test]
fn a_call_is_rounded_once_by_the_rule_and_step_that_the_tariff_names() {
    let rule =
        |rule: &str, step: &str| format!("rounding = {{ stage = \"call\", rule = \"{rule}\", step = \"{step}\" }}\n");
    // 2.5p × 61/60 = 2.541666…p; 60 s = 2.5p; 24 s = 1p; 12 s = 0.5p; 36 s = 1.5p.
    let row = "44,UK,2.5,,,";
    check(&rule("up", "1p"), row, &[("61s", "0.03"), ("60s", "0.03"), ("24s", "0.01"), ("1s", "0.01")]);
    check(&rule("down", "1p"), row, &[("61s", "0.02"), ("24s", "0.01"), ("1s", "0.00")]);
    check(&rule("up", "10p"), row, &[("61s", "0.10"), ("240s", "0.10"), ("241s", "0.20")]); // 240 s = 10p exactly
    check(&rule("up", "0.5p"), row, &[("61s", "0.03"), ("60s", "0.025"), ("12s", "0.005"), ("13s", "0.01")]);
    check(&rule("half-up", "0.1p"), row, &[("61s", "0.025"), ("1s", "0.00"), ("1.2s", "0.001")]); // 2 s: 0.0833p
    // Ties: 0.5p, 1.5p and 2.5p to whole pence.
    check(&rule("half-up", "1p"), row, &[("12s", "0.01"), ("36s", "0.02"), ("60s", "0.03")]);
    check(&rule("half-even", "1p"), row, &[("12s", "0.00"), ("36s", "0.02"), ("60s", "0.02")]);
    // 17p exactly stays 17p.
    check(&rule("up", "1p"), "44,UK,17,,,", &[("60s", "0.17")]);
    check("rounding = \"none\"\n", row, &[("61s", "0.0254166667")]);
}

#[test]
fn the_minimum_comes_before_the_rounding() {
    // At least 2.2p, then up to whole pence: 3p.
    check(
        "rounding = { stage = \"call\", rule = \"up\", step = \"1p\" }\nminimum_charge = \"2.2p\"\n",
        "44,UK,1,,,",
        &[("1s", "0.03")],
    );
}

const BANDS: &str = "[bands]\npeak = [\"mon-fri 08:00-18:00\"]\noffpeak = [\"mon-fri 18:00-08:00\"]\n\
                     weekend = [\"sat-sun\", \"holiday\"]\n[holidays]\ndates = [\"2026-08-31\"]\n";

#[test]
fn the_band_at_the_answer_prices_the_whole_call() {
    let book = retail(BANDS, "prefix,destination,price_peak,price_offpeak,price_weekend\n44,UK,3,2,1\n");
    for (instant, charge) in [
        ("2026-07-01T06:59:59Z", "0.20"), // 07:59:59: ten minutes off-peak, though all but a second lie in the peak
        ("2026-07-01T07:00:00Z", "0.30"), // 08:00:00
        ("2026-07-01T16:59:59Z", "0.30"), // 17:59:59
        ("2026-07-01T17:00:00Z", "0.20"), // 18:00:00
        ("2026-07-04T11:00:00Z", "0.10"), // Saturday
        ("2026-08-31T11:00:00Z", "0.10"), // holiday
        ("2026-03-27T08:00:00Z", "0.30"), // winter: 08:00 is 08:00Z
        ("2026-03-27T07:59:59Z", "0.20"),
        ("2026-10-25T00:30:00Z", "0.10"), // the repeated hour of a Sunday
        ("2026-10-26T07:59:59Z", "0.20"), // winter again
    ] {
        assert_eq!(cost(&book, "+442079460958", instant, "600s"), charge, "{instant}");
    }
}

#[test]
fn a_tariff_changes_in_mid_month_for_calls_that_start_then() {
    let settings = |from: &str, deck: &str| {
        format!("id = \"r\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nprices = \"p/min\"\ndecks = [\"{deck}\"]\n")
    };
    let book = book(&[
        ("old.toml", &settings("2026-01-01", "old.csv")),
        ("new.toml", &settings("2026-07-15", "new.csv")),
        ("old.csv", "prefix,destination,price\n44,UK,1\n"),
        ("new.csv", "prefix,destination,price\n44,UK,2\n"),
    ]);
    // Midnight in London is 23:00Z. The second call runs across it: one price, that of its start.
    assert_eq!(cost(&book, "+442079460958", "2026-07-14T22:00:00Z", "60s"), "0.01");
    assert_eq!(cost(&book, "+442079460958", "2026-07-14T22:59:59Z", "60s"), "0.01");
    assert_eq!(cost(&book, "+442079460958", "2026-07-14T23:00:00Z", "60s"), "0.02");
}

proptest! {
    #[test]
    fn agrees_with_decimal_arithmetic(
        tenths in 0_i64..100_000,
        seconds in 1_i64..20_000,
        first in 1_i64..90,
        further in 1_i64..90,
        connection in 0_i64..50,
        minimum in 0_i64..200,
    ) {
        let price_text = format!("{}.{:04}", tenths / 10_000, tenths % 10_000);
        let deck = format!(
            "prefix,destination,price,connection,minimum,increments\n44,UK,{price_text},{connection},{minimum},{first}/{further}\n"
        );
        let book = retail("", &deck);
        let version = &book.tariffs()[0].versions()[0];
        let working = price(version, 0, &Talk::new(at(NOON), LONDON, Duration::from_seconds(seconds)), &mut ()).unwrap();

        // Counting the steps one by one, and dividing last.
        let mut billed = first;
        while billed < seconds {
            billed += further;
        }
        let hundred = Decimal::from(100);
        let usage = price_text.parse::<Decimal>().unwrap() / hundred * Decimal::from(billed) / Decimal::from(60);
        let sum = (usage + Decimal::from(connection) / hundred).max(Decimal::from(minimum) / hundred);
        let expected = sum.round_dp_with_strategy(10, RoundingStrategy::MidpointAwayFromZero);
        prop_assert_eq!(working.billed, Duration::from_seconds(billed));
        prop_assert_eq!(Total::from(working.charge).to_decimal().unwrap(), expected);
        // The unrounded amount alone leads to the same charge.
        prop_assert_eq!(working.unrounded.post(), Some(working.charge));
    }

    #[test]
    fn a_longer_call_never_costs_less(
        price_text in "[0-9]{1,2}\\.[0-9]{1,4}",
        first in 0_i64..120,
        further in 1_i64..120,
        short in 0_i64..10_000_000,
        more in 0_i64..1_000_000,
        rule in prop::sample::select(vec!["up", "down", "half-up", "half-even"]),
        step in prop::sample::select(vec!["1p", "0.1p", "0.5p", "10p"]),
    ) {
        let settings = format!("rounding = {{ stage = \"call\", rule = \"{rule}\", step = \"{step}\" }}\n");
        let deck = format!("prefix,destination,price,increments\n44,UK,{price_text},{first}/{further}\n");
        let book = retail(&settings, &deck);
        let version = &book.tariffs()[0].versions()[0];
        let charge = |millis| price(version, 0, &Talk::new(at(NOON), LONDON, Duration::from_millis(millis)), &mut ()).unwrap().charge;
        prop_assert!(charge(short) <= charge(short + more));
    }
}

#[test]
fn what_is_too_large_for_the_ledger_has_no_charge() {
    // 99,999 pounds a minute for a hundred years is more than a ledger amount can be.
    let book = retail("", "prefix,destination,price\n44,UK,99999 GBP/min\n");
    let version = &book.tariffs()[0].versions()[0];
    for seconds in [3_153_600_000, i64::MAX] {
        assert!(
            price(version, 0, &Talk::new(at(NOON), LONDON, Duration::from_seconds(seconds)), &mut ()).is_err(),
            "{seconds}"
        );
    }
    assert!(price(version, 0, &Talk::new(at(NOON), LONDON, Duration::from_millis(i64::MAX)), &mut ()).is_err());
}

/// The sites of the guide's examples: London, New York and Berlin, each with the calendar of its place.
static GUIDE_SITES: LazyLock<[SiteClock; 3]> = LazyLock::new(|| {
    let site =
        |(zone, id)| SiteClock { zone: Zone::load(zone).unwrap(), holidays: calendar::dates(id).map(Into::into) };
    [("Europe/London", "GB-ENG"), ("America/New_York", "US"), ("Europe/Berlin", "DE-BE")].map(site)
});

/// [`cost`] of a line of the guide, after whose charge may stand what else is known: `site=berlin`, `caller=+12125550100`,
/// `line=+44…`, `type=mobile`, `trunk=…`, `code=…`, `direction=in`.
fn guide_cost(book: &TariffBook, number: &str, instant: &str, duration: &str, more: &[&str]) -> String {
    let mut talk = Talk::new(at(instant), LONDON, Duration::parse(duration).unwrap());
    let mut query = Query::new(called(number));
    for word in more {
        match word.split_once('=').unwrap_or_else(|| panic!("{word}")) {
            ("site", "berlin") => talk.site = SiteId(2),
            ("caller", "missing") => {}
            ("caller", "invalid") => (query.caller, query.network_caller) = (Caller::Invalid, Caller::Invalid),
            ("line", line) => query.network_caller = Caller::of(E164::parse(line.as_bytes()).unwrap()),
            ("type", kind) => query.caller_type = CallerType::ALL.into_iter().find(|of| of.name() == kind),
            ("trunk", trunk) => query.trunks[0] = trunk.as_bytes(),
            ("code", code) => query.charge_code = code.as_bytes(),
            ("direction", "in") => query.direction = Direction::Inbound,
            ("caller", caller) => {
                let caller = E164::parse(caller.as_bytes()).unwrap_or_else(|| panic!("{caller}"));
                talk.caller = Some(caller);
                (query.caller, query.network_caller) = (Caller::Number(caller), Caller::Number(caller));
            }
            _ => panic!("{word}"),
        }
    }
    match by_every_way(book, &query, &talk) {
        Verdict::Priced(.., working) => working.charge.to_string(),
        Verdict::Reason(_, reason) => unpriced(&query, reason).code().to_owned(),
        Verdict::Unknown(code) => code.to_owned(),
    }
}

/// The examples of the guide: fenced blocks of files by name, and a block of prices that closes each example.
#[test]
fn every_example_of_the_guide_compiles_and_costs_what_it_says() {
    let guide = include_str!("../../../docs/tariff-guide.md");
    let mut files: Vec<(&str, String)> = Vec::new();
    let (mut block, mut checked): (Option<&str>, usize) = (None, 0);
    let mut prices: Vec<&str> = Vec::new();
    let mut anonymous = false;
    for line in guide.lines() {
        let Some(fence) = line.strip_prefix("```") else {
            match block {
                Some("prices") => prices.push(line),
                Some(_) => files.last_mut().unwrap().1.push_str(&format!("{line}\n")),
                None => {}
            }
            continue;
        };
        if !fence.is_empty() {
            // A block without a name is a piece of a file, shown by itself.
            let name = fence.split_once(' ').map(|(_, name)| (name, String::new()));
            block = Some(fence).filter(|_| fence == "prices" || name.is_some());
            files.extend(name);
            anonymous = block.is_none();
            continue;
        }
        if std::mem::take(&mut anonymous) {
            continue;
        }
        if block.take() == Some("prices") {
            let texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let (book, findings) = read_for(&texts, &*GUIDE_SITES);
            assert!(findings.is_empty(), "{:?}", findings.iter().map(ToString::to_string).collect::<Vec<_>>());
            for line in prices.drain(..) {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [number, instant, duration, expected, more @ ..] = &words[..] else { panic!("{line}") };
                let shown = guide_cost(&book, number, instant, duration, more);
                assert_eq!(shown, *expected, "{line}");
                checked += 1;
            }
            files.clear();
        }
    }
    assert!(checked > 30, "{checked}");
}

// ---- the two sides ----

const OCCUPIER: PayerId = PayerId(1);

/// A call and who pays, made up.
#[derive(Clone, Copy)]
struct Made {
    call: Call<'static>,
    holder: Result<Holder, AttributionReason>,
    readings_agree: bool,
}

impl Made {
    /// As attribution makes it. Tests make few calls, so none is freed.
    fn attributed(self) -> AttributedCall<'static, 'static> {
        AttributedCall {
            call: Box::leak(Box::new(self.call)),
            holder: self.holder,
            readings_agree: self.readings_agree,
        }
    }
}

fn call() -> Made {
    let cdr = Written {
        call_id: b"1782903600.1",
        dialled: b"902079460958",
        egress: b"SIP/trunk-1",
        ..Written::of(&Cdr::blank(RecordId::new(0, 0).unwrap(), b""))
    };
    let call = Call {
        cdr,
        source: SourceId(0),
        site: LONDON,
        setup_at: Some(at(NOON)),
        answered_at: Some(at(NOON)),
        charging_at: at(NOON),
        other_reading: None,
        duration: Duration::from_seconds(60),
        answered: true,
        direction: Direction::Outbound,
        calling: Party::Missing,
        called: Party::Missing,
        called_class: (NumberClass::Ordinary, 0),
        calling_class: NumberClass::Ordinary,
        shown: None,
        trunk: b"",
        access: AccessCodes::default(),
        forwarder: None,
        extension: Digits::parse(b"2214"),
    };
    to(Made { call, holder: Ok(holder(OCCUPIER)), readings_agree: true }, "+442079460958")
}

fn holder(payer: PayerId) -> Holder {
    Holder { payer, site: LONDON, extension: Digits::parse(b"2214"), number: None, by: AttributedBy::Extension }
}

fn to(mut call: Made, number: &str) -> Made {
    match called(number) {
        Called::Number(number, class, digits) => {
            (call.call.called, call.call.called_class) = (Party::Number(number), (class, digits));
        }
        Called::ShortCode(code, class, digits) => {
            (call.call.called, call.call.called_class) = (Party::ShortCode(code), (class, digits));
        }
        Called::Internal => {
            call.call.called = Party::Extension(Digits::parse(b"2215").unwrap());
            call.call.direction = Direction::Internal;
        }
    }
    call
}

fn two_tariffs(retail_rows: &str, wholesale_rows: &str) -> TariffBook {
    let settings = |id: &str, currency: &str, from: &str| {
        format!(
            "id = \"{id}\"\ncurrency = \"{currency}\"\nfrom = \"{from}\"\nprices = \"{currency}/min\"\ndecks = [\"{id}.csv\"]\n"
        )
    };
    let head = "prefix,destination,price,status\n";
    book(&[
        ("retail.toml", &settings("retail", "GBP", "2026-01-01")),
        ("carrier.toml", &settings("carrier", "EUR", "2026-01-01")),
        ("retail.csv", &format!("{head}{retail_rows}")),
        ("carrier.csv", &format!("{head}{wholesale_rows}")),
    ])
}

const RETAIL: &str = "44,UK,0.03,\n447624,Isle of Man,,blocked\n1,USA,9000000 GBP/h,\n";
const WHOLESALE: &str = "44,UK,0.01,\n33,France,0.02,\n";

fn rate(book: &TariffBook, call: Made) -> RatedCall<'static, 'static> {
    let call = call.attributed();
    let [retail, wholesale] = Sides::new(book).rate(&call, |side, payer, site, _| {
        assert_eq!(site, LONDON);
        assert_eq!(payer, call.holder.ok().map(|holder| holder.payer));
        tariff(book, side)
    });
    RatedCall { call, retail, wholesale }
}

fn tariff(book: &TariffBook, side: SideKind) -> Option<TariffId> {
    book.tariff_id(if side == SideKind::Retail { "retail" } else { "carrier" })
}

fn show(side: Side) -> String {
    match side.outcome {
        Outcome::Rated(priced) => format!("{} {}", priced.charge, side.currency.unwrap()),
        Outcome::NotChargeable(code) | Outcome::Suspended(code) => code.to_owned(),
    }
}

#[track_caller]
fn check_sides(call: Made, retail: &str, wholesale: &str) {
    let book = two_tariffs(RETAIL, WHOLESALE);
    let rated = rate(&book, call);
    assert_eq!((show(rated.retail).as_str(), show(rated.wholesale).as_str()), (retail, wholesale));
}

fn change(edit: impl FnOnce(&mut Made)) -> Made {
    let mut call = call();
    edit(&mut call);
    call
}

#[test]
fn each_side_has_its_own_tariff_currency_and_outcome() {
    check_sides(call(), "0.03 GBP", "0.01 EUR");
    check_sides(to(call(), "+33199001234"), "rating.no_rate_for_destination", "0.02 EUR");
    check_sides(to(call(), "+447624123456"), "rating.destination_blocked", "0.01 EUR");
    check_sides(to(call(), "+449061234567"), "rating.class_not_priced", "rating.class_not_priced");
    check_sides(to(call(), "+881612345678"), "rating.no_rate_for_destination", "rating.no_rate_for_destination");
    check_sides(to(call(), "101"), "rating.no_rate_for_destination", "rating.no_rate_for_destination");
    check_sides(
        change(|call| {
            *call = to(*call, "+12125550100");
            call.call.duration = Duration::from_seconds(3_153_600_000);
        }),
        "rating.charge_overflow",
        "rating.no_rate_for_destination",
    );
}

#[test]
fn emergency_calls_are_never_chargeable_whatever_else_is_wrong() {
    let free = "rating.emergency_call";
    for call in [
        change(|call| call.call.called = Party::Emergency(Digits::parse(b"999").unwrap())),
        change(|call| call.call.called_class = (NumberClass::Emergency, 3)),
        change(|call| {
            call.call.called = Party::Emergency(Digits::parse(b"112").unwrap());
            call.call.direction = Direction::Unknown;
            call.holder = Err(AttributionReason::NoInsideParty);
        }),
    ] {
        check_sides(call, free, free);
    }
}

#[test]
fn a_call_without_talk_time_is_not_chargeable() {
    for call in [
        change(|call| call.call.answered = false),
        change(|call| call.call.duration = Duration::ZERO),
        change(|call| {
            call.call.answered = false;
            call.call.direction = Direction::Unknown;
        }),
    ] {
        check_sides(call, "rating.unanswered", "rating.unanswered");
    }
}

#[test]
fn direction_decides_whether_there_is_anything_to_charge() {
    let with = |direction| change(|call| call.call.direction = direction);
    check_sides(with(Direction::Forwarded), "0.03 GBP", "0.01 EUR");
    check_sides(with(Direction::Inbound), "rating.inbound_call", "rating.inbound_call");
    check_sides(with(Direction::Internal), "rating.internal_call", "rating.internal_call");
    check_sides(with(Direction::Unknown), "rating.direction_unknown", "rating.direction_unknown");
}

#[test]
fn a_row_for_calls_in_makes_them_chargeable_to_the_holder_of_the_called_number() {
    let book = {
        let settings = |id: &str| {
            format!(
                "id = \"{id}\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"{id}.csv\"]\n"
            )
        };
        let head = "prefix,destination,price,direction,caller_type\n";
        book(&[
            ("retail.toml", &settings("retail")),
            ("carrier.toml", &settings("carrier")),
            (
                "retail.csv",
                &format!("{head}44800,Freephone,3,in,\n44800,Freephone from mobiles,9,in,mobile\n44,UK,1,,\n"),
            ),
            ("carrier.csv", &format!("{head}44800,Freephone,2,in,\n44203,Main line,1,in,\n44,UK,1,,\n")),
        ])
    };
    let inbound = |number: &str, edit: fn(&mut Made)| {
        let mut call = to(call(), number);
        call.call.direction = Direction::Inbound;
        call.call.calling = Party::Number(E164::parse(b"+441632960000").unwrap());
        edit(&mut call);
        let rated = rate(&book, call);
        [show(rated.retail), show(rated.wholesale)]
    };
    let free = "rating.inbound_call";
    let unknown = AttributionReason::NumberUnknown;
    let nobodys: fn(&mut Made) = |call| call.holder = Err(AttributionReason::NumberUnknown);
    let operators: fn(&mut Made) = |call| call.holder = Ok(holder(PayerId::OPERATOR));
    assert_eq!(inbound("+448001234567", |_| {}), ["0.03 GBP", "0.02 GBP"]);
    assert_eq!(
        inbound("+448001234567", |call| call.call.calling_class = NumberClass::Mobile),
        ["0.09 GBP", "0.02 GBP"]
    );
    assert_eq!(inbound("+442079460958", |_| {}), [free, free]);
    assert_eq!(inbound("+442031234567", |_| {}), [free, "0.01 GBP"]);
    // Who holds the number matters only where some tariff prices it.
    assert_eq!(inbound("+448001234567", nobodys), [unknown.code(), "0.02 GBP"]);
    assert_eq!(inbound("+442079460958", nobodys), [free, free]);
    assert_eq!(inbound("+448001234567", operators), ["rating.operator_own_call", "0.02 GBP"]);
    assert_eq!(inbound("+442079460958", operators), [free, free]);
    // A record that knows the called line by its extension alone: its number counts.
    let by_extension: fn(&mut Made) = |call| {
        call.call.called = Party::Extension(Digits::parse(b"2214").unwrap());
        call.holder = Ok(Holder { number: E164::parse(b"+448001234567"), ..holder(OCCUPIER) });
    };
    assert_eq!(inbound("+442079460958", by_extension), ["0.03 GBP", "0.02 GBP"]);
    let of_none: fn(&mut Made) = |call| call.call.called = Party::Extension(Digits::parse(b"2214").unwrap());
    assert_eq!(inbound("+442079460958", of_none), [free, free]);
}

#[test]
fn who_calls_is_the_number_shown_else_that_of_the_line() {
    let rows = "33,from London,1,4420,\n33,from mobiles,2,,mobile\n33,from fixed lines,3,,fixed\n33,from nobody,4,missing,\n\
                33,from nonsense,5,invalid,\n33,by carrier,6,44161,\n";
    let book = |settings: &str| retail(settings, &format!("prefix,destination,price,origin,caller_type\n{rows}"));
    let (shown, line) = (book(""), book("origin_by = \"network\"\n"));
    let number = |text: &str| E164::parse(text.as_bytes());
    let extension = Party::Extension(Digits::parse(b"2214").unwrap());
    let rate = |book: &TariffBook, edit: &dyn Fn(&mut Made)| {
        let mut call = to(call(), "+33199001234");
        edit(&mut call);
        let side = Sides::new(book).rate(&call.attributed(), |_, _, _, _| book.tariff_id("retail"))[0];
        let Outcome::Rated(priced) = side.outcome else { return show(side) };
        book.destination(priced.destination).to_owned()
    };
    let held = |text: &str| Holder { number: number(text), ..holder(OCCUPIER) };
    type Edit<'e> = &'e dyn Fn(&mut Made);
    let cases: [(&str, &str, Edit<'_>); 11] = [
        ("from London", "from London", &|call| call.call.calling = Party::Number(number("+442079460958").unwrap())),
        ("from fixed lines", "from fixed lines", &|call| {
            call.call.calling = Party::Number(number("+12125550100").unwrap())
        }),
        ("from mobiles", "from mobiles", &|call| {
            call.call.calling = Party::Number(number("+447700900123").unwrap());
            call.call.calling_class = NumberClass::Mobile;
        }),
        // An extension shows the number of its holder, or none.
        ("from London", "from London", &|call| {
            (call.call.calling, call.holder) = (extension, Ok(held("+442079460958")))
        }),
        ("from nobody", "from nobody", &|call| call.call.calling = extension),
        ("from nobody", "from nobody", &|call| call.call.calling = Party::Name(b"client1")),
        ("from nobody", "from nobody", &|call| call.call.calling = Party::Withheld),
        ("from nonsense", "from nonsense", &|call| call.call.calling = Party::Unclassified(b"0000")),
        ("from nonsense", "from nonsense", &|call| call.call.calling = Party::Number(number("+2101234567").unwrap())),
        // The line's number and the one that it shows.
        ("from London", "by carrier", &|call| {
            (call.call.calling, call.holder) = (extension, Ok(held("+441614960123")));
            call.call.shown = number("+442079460000");
        }),
        // Who sends a call on did not call.
        ("from nobody", "from nobody", &|call| {
            call.call.direction = Direction::Forwarded;
            (call.call.calling, call.holder) = (Party::Withheld, Ok(held("+442079460958")));
        }),
    ];
    for (index, (by_shown, by_line, edit)) in cases.into_iter().enumerate() {
        assert_eq!(rate(&shown, edit), by_shown, "{index}, shown");
        assert_eq!(rate(&line, edit), by_line, "{index}, line");
    }
}

#[test]
fn the_trunk_is_the_pattern_the_channel_or_what_was_dialled_for_it() {
    let rows =
        "33,Pattern,1,PJSIP/gamma*\n33,Channel,2,PJSIP/bt\n33,Line code,3,8\n33,Carrier code,4,1280\n33,Any,5,\n";
    let book = retail("", &format!("prefix,destination,price,trunk\n{rows}"));
    let rate = |edit: &dyn Fn(&mut Made)| {
        let mut call = to(call(), "+33199001234");
        edit(&mut call);
        show(Sides::new(&book).rate(&call.attributed(), |_, _, _, _| book.tariff_id("retail"))[0])
    };
    assert_eq!(rate(&|call| call.call.trunk = b"PJSIP/gamma*"), "0.01 GBP");
    assert_eq!(rate(&|call| call.call.cdr.egress = b"PJSIP/bt-0000001f"), "0.02 GBP");
    assert_eq!(rate(&|call| call.call.access.line = Digits::parse(b"8").unwrap()), "0.03 GBP");
    assert_eq!(rate(&|call| call.call.access.carrier = Digits::parse(b"1280").unwrap()), "0.04 GBP");
    assert_eq!(rate(&|_| {}), "0.05 GBP");
}

#[test]
fn a_row_without_a_known_price_suspends() {
    let book = retail("", "prefix,destination,price,status\n53,Cuba,,unknown\n");
    let call = to(call(), "+5371234567");
    let side = Sides::new(&book).rate(&call.attributed(), |_, _, _, _| book.tariff_id("retail"))[0];
    assert_eq!(show(side), "rating.price_unknown");
    assert!(matches!(side.outcome, Outcome::Suspended(_)));
}

#[test]
fn what_is_neither_number_nor_short_code_is_suspended() {
    let with = |party: Party<'static>| change(|call| call.call.called = party);
    for party in [
        Party::Unclassified(b"12x"),
        Party::Missing,
        Party::Withheld,
        Party::Name(b"client1"),
        Party::Feature(b"*60"), // with a trunk behind it: it went out
        Party::Extension(Digits::parse(b"2215").unwrap()),
    ] {
        check_sides(with(party), "rating.called_unclassified", "rating.called_unclassified");
    }
    let voicemail = change(|call| {
        call.call.called = Party::Feature(b"voicemail");
        call.call.cdr.egress = b"";
    });
    check_sides(voicemail, "rating.internal_call", "rating.internal_call");
}

#[test]
fn a_row_for_internal_calls_makes_them_chargeable() {
    let book = two_tariffs("internal,Internal,0.01,\n", WHOLESALE);
    let rated = rate(&book, to(call(), "internal"));
    // The carrier has no such row: nothing is owed to it.
    assert_eq!((show(rated.retail).as_str(), show(rated.wholesale).as_str()), ("0.01 GBP", "rating.internal_call"));
}

#[test]
fn an_unknown_payer_suspends_retail_and_still_shows_what_is_at_stake() {
    let call = change(|call| call.holder = Err(AttributionReason::NumberNotAllocated));
    check_sides(call, AttributionReason::NumberNotAllocated.code(), "0.01 EUR");
}

#[test]
fn the_operators_own_calls_have_no_retail_side() {
    let call = change(|call| call.holder = Ok(holder(PayerId::OPERATOR)));
    check_sides(call, "rating.operator_own_call", "0.01 EUR");
}

#[test]
fn a_missing_tariff_suspends_its_own_side_only() {
    let book = two_tariffs(RETAIL, WHOLESALE);
    let call = call();
    let only = |kind| {
        let choose = |side, _, _, _| if side == kind { tariff(&book, kind) } else { None };
        Sides::new(&book).rate(&call.attributed(), choose)
    };
    assert_eq!(only(SideKind::Retail).map(show), ["0.03 GBP", "rating.no_tariff_assigned"]);
    assert_eq!(only(SideKind::Wholesale).map(show), ["rating.no_tariff_assigned", "0.01 EUR"]);
}

#[test]
fn a_rater_asks_who_is_on_which_tariff_and_shows_its_working() {
    let book = two_tariffs(RETAIL, WHOLESALE);
    let london = Zone::load("Europe/London").unwrap();
    let tariffs: Vec<&str> = book.tariffs().iter().map(Tariff::id).collect();
    let names = Names {
        payers: &["harbour", "acme"],
        sites: &[("ldn", &london)],
        tariffs: &tariffs,
        allowances: &[],
        operator_zone: &london,
    };
    let table = "side,payer,site,tariff,from,until\nretail,acme,*,retail,2026-07-01,\nwholesale,*,*,carrier,,\n";
    let mut findings = Findings::default();
    let assignments = Assignments::read(&[SourceText::new("assignments.csv", table)], &names, &mut findings);
    assert!(findings.is_empty());
    let rater = Rater::new(&book, &assignments);

    let rated = rater.rate(call().attributed());
    assert_eq!((show(rated.retail).as_str(), show(rated.wholesale).as_str()), ("0.03 GBP", "0.01 EUR"));
    for (kind, side) in [(SideKind::Retail, rated.retail), (SideKind::Wholesale, rated.wholesale)] {
        let Outcome::Rated(priced) = side.outcome else { panic!("rated") };
        assert_eq!(rater.work(&rated.call, kind).unwrap().charge, priced.charge);
    }
    // A day earlier acme is on no tariff.
    let before = rater.rate(change(|call| call.call.charging_at = at("2026-06-30T11:00:00Z")).attributed());
    assert_eq!(
        (show(before.retail).as_str(), show(before.wholesale).as_str()),
        ("rating.no_tariff_assigned", "0.01 EUR")
    );
    assert!(rater.work(&before.call, SideKind::Retail).is_none());

    // Many calls at once, whose prefixes are looked up together, come to what each comes to alone.
    let numbers =
        ["+442079460958", "+447624123456", "+12125550100", "+33123456789", "+5512345678", "118500", "internal"];
    let mut made: Vec<Made> = numbers.iter().map(|number| to(call(), number)).collect();
    made.push(change(|call| call.call.charging_at = at("2026-06-30T11:00:00Z")));
    made.push(change(|call| call.call.other_reading = Some(at("2026-06-30T11:00:00Z"))));
    made.push(change(|call| call.call.answered = false));
    made.push(change(|call| call.holder = Err(AttributionReason::NumberUnknown)));
    let calls: Vec<AttributedCall<'_, '_>> = made.into_iter().map(Made::attributed).collect();
    let mut seen = 0;
    rater.rate_all(&calls, |index, together| {
        let alone = rater.rate(calls[index]);
        // An explanation never goes the short way of a common call.
        for (kind, side) in [(SideKind::Retail, alone.retail), (SideKind::Wholesale, alone.wholesale)] {
            if calls[index].call.other_reading.is_none() {
                assert_eq!(rater.show(&calls[index], kind, Duration::ZERO, &mut ()).side, side, "{index}");
            }
        }
        assert_eq!((together.retail, together.wholesale), (alone.retail, alone.wholesale), "{index}");
        assert_eq!(index, seen);
        seen += 1;
    });
    assert_eq!(seen, calls.len());
}

#[test]
fn a_tariff_not_in_force_suspends() {
    check_sides(
        change(|call| call.call.charging_at = at("2025-12-31T23:59:59Z")),
        "rating.tariff_not_in_force",
        "rating.tariff_not_in_force",
    );
}

#[test]
fn a_time_read_two_ways_is_rated_if_both_cost_the_same() {
    let book =
        retail(BANDS, "prefix,destination,price_peak,price_offpeak,price_weekend\n44,UK,3,2,2\n33,France,3,2,2\n");
    let rate = |one: &str, two: &str| {
        let call = change(|call| {
            call.call.charging_at = at(one);
            call.call.other_reading = Some(at(two));
        });
        show(Sides::new(&book).rate(&call.attributed(), |_, _, _, _| book.tariff_id("retail"))[0])
    };
    assert_eq!(rate("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"), "0.02 GBP");
    assert_eq!(rate("2026-07-01T06:30:00Z", "2026-07-01T07:30:00Z"), "rating.local_time_ambiguous"); // off-peak, peak
    assert_eq!(rate("2026-07-31T22:30:00Z", "2026-07-31T23:30:00Z"), "rating.local_time_ambiguous"); // July, August
}

#[test]
fn a_time_read_two_ways_with_two_holders_suspends_retail_alone() {
    let two_holders = |edit: fn(&mut Made)| {
        change(|call| {
            call.call.other_reading = Some(at("2026-07-01T12:00:00Z"));
            call.readings_agree = false;
            edit(call);
        })
    };
    check_sides(two_holders(|_| {}), "rating.local_time_ambiguous", "0.01 EUR");
    // Where nobody would pay anyway, it makes no difference.
    check_sides(two_holders(|call| call.call.answered = false), "rating.unanswered", "rating.unanswered");
    let internal = two_holders(|call| call.call.direction = Direction::Internal);
    check_sides(internal, "rating.internal_call", "rating.internal_call");
}

#[test]
fn a_row_shows_the_report_site_and_the_payer() {
    let book = two_tariffs(RETAIL, WHOLESALE);
    let row = rate(&book, call()).row();
    assert_eq!((row.site, row.payer, row.class), (LONDON, Some(OCCUPIER), NumberClass::Ordinary));
    assert_eq!((row.dialled, row.call_id, row.flags), (&b"902079460958"[..], &b"1782903600.1"[..], 0));
    let nobody = rate(&book, change(|call| call.holder = Err(AttributionReason::NumberUnknown))).row();
    assert_eq!((nobody.site, nobody.payer), (LONDON, None));
    assert_eq!(nobody.extension, Digits::parse(b"2214")); // what the record tells is still shown
    let twice = rate(&book, change(|call| call.call.other_reading = Some(at(NOON)))).row();
    assert_eq!(twice.flags, super::flags::LOCAL_TIME_AMBIGUOUS);
}

#[test]
fn a_working_adds_up_to_the_charge() {
    let book = two_tariffs(RETAIL, WHOLESALE);
    let Outcome::Rated(priced) = rate(&book, call()).retail.outcome else { panic!("rated") };
    let version = &book.tariffs()[1].versions()[0];
    let working =
        price(version, priced.row, &Talk::new(at(NOON), LONDON, Duration::from_seconds(60)), &mut ()).unwrap();
    assert_eq!(working.charge, priced.charge);
    assert_eq!(book.destination(priced.destination), "UK");
    assert_eq!(book.band(priced.band), "all");
    // 3p × 60 s / 60 s, as numerator and denominator in 10⁻¹² pounds and milliseconds.
    assert_eq!(working.usage.parts(), (30_000_000_000 * 60_000, 60_000));
}

#[test]
fn codes_are_distinct_and_of_this_stage() {
    let mut codes = Reason::ALL.map(Reason::code);
    codes.sort_unstable();
    assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(codes.iter().all(|code| code.starts_with("rating.")));
    for reason in Reason::ALL {
        assert_eq!(matches!(reason.outcome(), Outcome::Suspended(_)), reason.is_suspension());
    }
}

#[test]
fn sites_beyond_those_known_use_the_operators_clock() {
    let book = retail(BANDS, "prefix,destination,price\n44,UK,3\n");
    let version = &book.tariffs()[0].versions()[0];
    let instant: Instant = at("2026-07-01T07:00:00Z");
    assert_eq!(version.band_at(0, instant, SiteId(77)), version.band_at(0, instant, LONDON));
}
