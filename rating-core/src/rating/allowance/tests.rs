//! The ledger by itself: calls at 6p a minute by the second, one payer, June 2026.

use super::*;
use crate::assignment::Held;
use crate::finding::{Findings, SourceText};
use crate::ids::{PayerId, SiteId};
use crate::time::{Interval, Zone};

const BANDS: [&str; 2] = ["day", "evening"];

/// A call: day of June, seconds, class, band, extension.
#[derive(Clone, Copy)]
struct Talk(u32, i64, NumberClass, u32, &'static str);

const GEO: NumberClass = NumberClass::Geographic;
const MOBILE: NumberClass = NumberClass::Mobile;

/// A connection charge of 1p, and 0.1p for each second begun.
const CONNECTION: i64 = 100_000_000;
const PER_SECOND: i64 = 10_000_000;

fn alone(duration: Duration, covered: Duration) -> Charge {
    let seconds = |time: Duration| (time.as_millis() + 999) / 1_000;
    Charge::from_units(CONNECTION + PER_SECOND * (seconds(duration) - covered.as_millis() / 1_000).max(0))
}

fn use_of(token: u64, talk: Talk) -> Use<'static> {
    let Talk(day, seconds, class, band, extension) = talk;
    let day = Date::new(2026, 6, day).unwrap();
    let duration = Duration::from_seconds(seconds);
    Use {
        token,
        record: token,
        at: Zone::utc().start_of(day.midnight()).plus(Duration::from_seconds(36_000)),
        day,
        holder: 0,
        extension: Digits::parse(extension.as_bytes()),
        number: None,
        channel: b"",
        called: Party::Number(E164::parse(b"+442079460958").unwrap()),
        class,
        band: BandId(band),
        duration,
        charge: alone(duration, Duration::ZERO),
        currency: Currency::parse("GBP").unwrap(),
    }
}

fn schemes(text: &str) -> Schemes {
    let mut findings = Findings::default();
    let schemes = Schemes::read(&[SourceText::new("a.toml", text)], &BANDS, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    schemes
}

fn settle(text: &str, talks: &[Talk], opening: &BTreeMap<AccountKey, Balance>) -> Settled {
    settle_held(text, talks, opening, Interval::ALWAYS, 1)
}

fn settle_held(
    text: &str,
    talks: &[Talk],
    opening: &BTreeMap<AccountKey, Balance>,
    valid: Interval,
    quantity: u32,
) -> Settled {
    let schemes = schemes(text);
    let zone = Zone::utc();
    let held = (0..).zip(schemes.all()).map(|(scheme, _)| Held { scheme, valid, quantity, group: None }).collect();
    let holders = [Holder { site: SiteId(0), payer: PayerId(1), zone: &zone, held, lines: Box::new(|_| 3) }];
    let uses: Vec<Use<'_>> = (0..).zip(talks).map(|(token, talk)| use_of(token, *talk)).collect();
    let durations: Vec<Duration> = uses.iter().map(|call| call.duration).collect();
    let ledger = Ledger::new(&schemes, &BANDS, Month::parse("2026-06").unwrap(), &holders, opening);
    let forward = ledger.settle(uses.clone(), |token, covered| Some(alone(durations[token as usize], covered)));
    // However the calls are given, the same comes of them.
    let ledger = Ledger::new(&schemes, &BANDS, Month::parse("2026-06").unwrap(), &holders, opening);
    let backward = uses.into_iter().rev().collect();
    assert_eq!(ledger.settle(backward, |token, covered| Some(alone(durations[token as usize], covered))), forward);
    forward
}

/// Charges in tenths of a penny and seconds taken, call by call.
fn results(settled: &Settled, talks: &[Talk]) -> Vec<(i64, Option<i64>)> {
    (0..)
        .zip(talks)
        .map(|(token, talk)| match settled.calls.iter().find(|call| call.token == token) {
            Some(call) => {
                (call.charge.unwrap().units() / PER_SECOND, call.taken.map(|taken| taken.as_millis() / 1_000))
            }
            None => (alone(Duration::from_seconds(talk.1), Duration::ZERO).units() / PER_SECOND, None),
        })
        .collect()
}

fn check(text: &str, talks: &[Talk], expected: &[(i64, Option<i64>)]) {
    let settled = settle(text, talks, &BTreeMap::new());
    assert_eq!(results(&settled, talks), expected, "{text}");
}

fn geo(day: u32, seconds: i64) -> Talk {
    Talk(day, seconds, GEO, 0, "201")
}

#[test]
fn a_call_that_crosses_is_cut_charged_whole_or_breaks_the_period() {
    let talks = [geo(1, 60), geo(2, 60), geo(3, 30)];
    // 100 s: 60, then 40 of 60: connection 10 + 20 × 1; nothing is left.
    check("[allowances.a]\ntime = \"100s\"\n", &talks, &[(0, Some(60)), (30, Some(40)), (40, None)]);
    // The second is charged whole, 10 + 60; its 40 s are there for the third.
    check(
        "[allowances.a]\ntime = \"100s\"\ncrossing = \"whole-call-charged\"\n",
        &talks,
        &[(0, Some(60)), (70, None), (0, Some(30))],
    );
    // 150 s would be 150, and 100 are granted: every call is charged.
    check(
        "[allowances.a]\ntime = \"100s\"\ncrossing = \"re-rate-period\"\n",
        &talks,
        &[(70, None), (70, None), (40, None)],
    );
    check(
        "[allowances.a]\ntime = \"150s\"\ncrossing = \"re-rate-period\"\n",
        &talks,
        &[(0, Some(60)), (0, Some(60)), (0, Some(30))],
    );
}

#[test]
fn what_is_reached_first_counts() {
    let talks = [geo(1, 60), geo(2, 60), geo(3, 30)];
    check("[allowances.a]\ntime = \"1000s\"\ncalls = 2\n", &talks, &[(0, Some(60)), (0, Some(60)), (40, None)]);
    check("[allowances.a]\ntime = \"90s\"\ncalls = 3\n", &talks, &[(0, Some(60)), (40, Some(30)), (40, None)]);
    check("[allowances.a]\ncalls = 1\n", &talks, &[(0, None), (70, None), (40, None)]);
    // 10p: 7p, then 3p of the next 7p.
    check("[allowances.a]\nmoney = \"10p\"\ncurrency = \"GBP\"\n", &talks, &[(0, None), (40, None), (40, None)]);
    // 8p of time: 7p, then 1p comes off, though 60 s are taken.
    check(
        "[allowances.a]\ntime = \"1000s\"\nmoney = \"8p\"\ncurrency = \"GBP\"\n",
        &talks,
        &[(0, Some(60)), (60, Some(60)), (40, None)],
    );
}

#[test]
fn calls_beyond_the_limit_of_one_call_are_charged_for_the_excess_or_not_eligible() {
    let talks = [geo(1, 90), geo(2, 60)];
    let text = "[allowances.a]\ntime = \"1000s\"\nper_call = \"60s\"\n";
    // 90 s: 60 covered, 10 + 30.
    check(text, &talks, &[(40, Some(60)), (0, Some(60))]);
    check(&format!("{text}above_per_call = \"not-eligible\"\n"), &talks, &[(100, None), (0, Some(60))]);
}

#[test]
fn sub_limits_are_shares_of_the_grant_or_amounts() {
    let mobile = |day, seconds| Talk(day, seconds, MOBILE, 0, "201");
    let talks = [mobile(1, 30), mobile(2, 30), geo(3, 60), geo(4, 60)];
    for limit in ["40%", "40s"] {
        // Of 100 s 40 are for mobiles: 30, then 10 of 30; 60 for the others: 60, then none.
        check(
            &format!("[allowances.a]\ntime = \"100s\"\nsub_limits = {{ mobile = \"{limit}\" }}\n"),
            &talks,
            &[(0, Some(30)), (30, Some(10)), (0, Some(60)), (70, None)],
        );
    }
    // A sub-limit that is crossed breaks the period as the whole does.
    check(
        "[allowances.a]\ntime = \"1000s\"\nsub_limits = { mobile = \"5%\" }\ncrossing = \"re-rate-period\"\n",
        &talks,
        &[(40, None), (40, None), (70, None), (70, None)],
    );
}

#[test]
fn time_is_weighted_stepped_and_has_a_least_deduction() {
    let text = "[allowances.a]\ntime = \"20min\"\nminimum_deduction = \"5min\"\nweights = { day = \"3.8\" }\n";
    let talks = [
        Talk(1, 60, GEO, 0, "201"),  // 60 × 3.8 = 228, at least 300
        Talk(2, 100, GEO, 0, "201"), // 380
        Talk(3, 60, GEO, 1, "201"),  // 60, at least 300
        Talk(4, 60, GEO, 0, "201"),  // 220 are left: 220 / 3.8 = 57.894 s, which takes all of it
    ];
    // 57.894 s of 60 covered: connection 10 + 60 − 57.
    check(text, &talks, &[(0, Some(300)), (0, Some(380)), (0, Some(300)), (13, Some(220))]);
    // Whole minutes: 61 s take 120; of the 60 left, one minute; the rest by the second.
    check(
        "[allowances.a]\ntime = \"3min\"\nstep = \"60s\"\n",
        &[geo(1, 61), geo(2, 90)],
        &[(0, Some(120)), (40, Some(60))],
    );
}

#[test]
fn schemes_are_used_in_their_order_and_lines_by_themselves() {
    let talks = [geo(1, 100), Talk(2, 60, GEO, 0, "202"), geo(3, 60)];
    // b before a: 50 s, then 30 s of a, 20 s charged.
    check(
        "[allowances.a]\ntime = \"30s\"\n[allowances.b]\ntime = \"50s\"\npriority = -1\n",
        &talks,
        &[(30, Some(80)), (70, None), (70, None)],
    );
    check(
        "[allowances.a]\ntime = \"70s\"\nscope = \"extension\"\n",
        &talks,
        &[(40, Some(70)), (0, Some(60)), (70, None)],
    );
    // Three lines of 70 s each, together.
    check(
        "[allowances.a]\ntime = \"70s\"\nscope = \"service\"\n",
        &talks,
        &[(0, Some(100)), (0, Some(60)), (20, Some(50))],
    );
}

#[test]
fn a_part_of_a_period_grants_its_part() {
    let at = |day| Zone::utc().start_of(Date::new(2026, 6, day).unwrap().midnight());
    let talks = [geo(15, 60), geo(16, 60), geo(17, 60)];
    for (pro_rata, quantity, granted) in [(true, 1, 45_000), (true, 2, 90_000), (false, 2, 180_000)] {
        let text = format!("[allowances.a]\ntime = \"90s\"\npro_rata = {pro_rata}\n");
        // In force from 16 June: 15 of 30 days.
        let valid = Interval { from: at(16), until: Instant::MAX };
        let settled = settle_held(&text, &talks, &BTreeMap::new(), valid, quantity);
        assert_eq!(settled.accounts[0].granted.time, granted);
        assert_eq!(results(&settled, &talks)[0], (70, None), "not in force yet");
    }
}

#[test]
fn what_is_left_is_carried_over_once_or_until_it_is_used() {
    for (rule, carried) in [("once", 100_000), ("all", 130_000)] {
        // Billing months from the 15th: 40 s came in with May's, 10 s were used; 100 s are granted, so 130 are left.
        let text = format!("[allowances.a]\ntime = \"100s\"\nperiod = \"month from 15\"\ncarry_over = \"{rule}\"\n");
        let owner = Owner::Member(Member { site: SiteId(0), payer: PayerId(1) });
        let from = Date::new(2026, 5, 15).unwrap();
        let key = AccountKey { scheme: 0, owner, line: "".into(), from };
        let time = |time| Counts { time, ..Counts::default() };
        let balance = Balance { carried: time(40_000), used: time(10_000), by_class: vec![] };
        let settled = settle(&text, &[geo(20, 60)], &BTreeMap::from([(key.clone(), balance)]));
        let [may, june] = &settled.accounts[..] else { panic!("{settled:?}") };
        assert_eq!((may.left().time, june.carried.time), (130_000, carried));
        assert_eq!(june.left().time, 100_000 + carried - 60_000);
        // Without the balance nothing is guessed.
        let schemes = schemes(&text);
        let zone = Zone::utc();
        let held = vec![Held { scheme: 0, valid: Interval::ALWAYS, quantity: 1, group: None }];
        let holders = [Holder { site: SiteId(0), payer: PayerId(1), zone: &zone, held, lines: Box::new(|_| 1) }];
        let opening = BTreeMap::new();
        let ledger = Ledger::new(&schemes, &BANDS, Month::parse("2026-06").unwrap(), &holders, &opening);
        assert_eq!(ledger.missing().iter().map(|missing| &missing.key).collect::<Vec<_>>(), [&key]);
        // The month closes within a period: what it brought in and used so far.
        assert_eq!(settled.closing.len(), 1);
        let (open, balance) = settled.closing.iter().next().unwrap();
        assert_eq!((open.from, balance.used.time), (Date::new(2026, 6, 15).unwrap(), 60_000));
    }
}

#[test]
fn volume_is_cut_at_its_tiers_or_priced_again_as_a_whole() {
    let talks = [geo(1, 60), geo(2, 60), geo(3, 60)];
    let tiers = "tiers = [{ from = \"90s\", discount = \"10%\" }, { from = \"150s\", price = \"3p/min\" }]\ncurrency = \"GBP\"\n";
    // Second: half at full price, half at 90 %: 70 × (1/2 + 9/20) = 66.5. Third: half at 90 %, half at 3p a minute for
    // its 30 s, that is 15: 31.5 + 15 = 46.5.
    let settled = settle(&format!("[volume.v]\nby = \"time\"\n{tiers}"), &talks, &BTreeMap::new());
    let charges: Vec<i64> = settled.calls.iter().map(|call| call.charge.unwrap().units()).collect();
    assert_eq!(charges, [665_000_000, 465_000_000]);
    assert_eq!(settled.accounts[0].saved(), (70 + 70) * 10_000_000 - 665_000_000 - 465_000_000);
    // 180 s in all: every call at 3p a minute, 30.
    check(
        &format!("[volume.v]\nby = \"time\"\napplies = \"whole\"\n{tiers}"),
        &talks,
        &[(30, None), (30, None), (30, None)],
    );
    // By calls: from the second call on.
    check(
        "[volume.v]\nby = \"calls\"\ntiers = [{ from = \"1\", discount = \"50%\" }]\n",
        &talks,
        &[(70, None), (35, None), (35, None)],
    );
    // By money: 10p at full price, 11p at half: the second is cut 3 to 4, 30 + 20.
    check(
        "[volume.v]\nby = \"money\"\ncurrency = \"GBP\"\ntiers = [{ from = \"10p\", discount = \"50%\" }]\n",
        &talks,
        &[(70, None), (50, None), (35, None)],
    );
    // What an allowance covers is no volume: 60 s are covered, the others are the first 120.
    check(
        "[allowances.a]\ntime = \"60s\"\n[volume.v]\nby = \"time\"\ntiers = [{ from = \"60s\", discount = \"100%\" }]\n",
        &talks,
        &[(0, Some(60)), (70, None), (0, None)],
    );
}

#[test]
fn excluded_classes_bands_and_free_calls_take_nothing() {
    let talks = [Talk(1, 60, MOBILE, 0, "201"), Talk(2, 60, GEO, 1, "201"), geo(3, 60)];
    check(
        "[allowances.a]\ntime = \"1h\"\nexclude_classes = [\"mobile\"]\nexclude_bands = [\"evening\"]\n",
        &talks,
        &[(70, None), (70, None), (0, Some(60))],
    );
    let text = "[allowances.a]\ncalls = 1\n[allowances.b]\ntime = \"1h\"\n";
    // The first is free by a; b is not asked, for it costs nothing.
    check(text, &[geo(1, 60), geo(2, 60)], &[(0, None), (0, Some(60))]);
}
