//! What is understood, and what is refused where it stands.

use super::*;

fn read(text: &str) -> (Schemes, Vec<String>) {
    let mut findings = Findings::default();
    let schemes = Schemes::read(&[SourceText::new("a.toml", text)], &["day", "evening"], &mut findings);
    (schemes, findings.iter().map(ToString::to_string).collect())
}

#[test]
fn every_key_of_the_guide_is_understood() {
    let (schemes, found) = read(
        "[allowances.inclusive]\nscope = \"service\"\ntime = \"1000min\"\ncalls = 150\nmoney = \"60 GBP\"\ncurrency = \"GBP\"\n\
         period = \"month from 15\"\npro_rata = true\ncarry_over = \"once\"\nclasses = [\"geographic\", \"mobile\"]\n\
         exclude_classes = [\"premium\"]\ndestinations = [\"44\"]\nexclude_destinations = [\"441481;441534\"]\n\
         bands = [\"evening\"]\nexclude_bands = [\"day\"]\nper_call = \"60min\"\nabove_per_call = \"not-eligible\"\n\
         step = \"60s\"\nminimum_deduction = \"5min\"\ncrossing = \"whole-call-charged\"\npriority = 2\n\
         sub_limits = { mobile = \"40%\", geographic = \"100min\" }\nweights = { day = \"3.8\", mobile = \"2\" }\n\
         [volume.bulk]\nby = \"time\"\napplies = \"beyond\"\ncurrency = \"GBP\"\n\
         tiers = [{ from = \"1000min\", discount = \"10%\" }, { from = \"5000min\", price = \"0.8p/min\" }]\n",
    );
    assert_eq!(found, [""; 0]);
    let [inclusive, bulk] = schemes.all() else { panic!("{schemes:?}") };
    assert_eq!((&*inclusive.name, inclusive.period, inclusive.priority), ("inclusive", Period::Month(15), 2));
    let Kind::Allowance(allowance) = &inclusive.kind else { panic!("{inclusive:?}") };
    assert_eq!(allowance.grant.money, Some(Charge::from_units(600_000_000_000)));
    assert_eq!(allowance.weights.len(), 2);
    let Kind::Volume(volume) = &bulk.kind else { panic!("{bulk:?}") };
    assert_eq!(volume.tiers[0], Tier { from: 0, change: Change::None });
    assert_eq!(volume.tiers[1], Tier { from: 60_000_000, change: Change::Discount(100_000) });
    // 0.8p is 8,000,000,000 × 10⁻¹² pounds.
    let price = Change::Price(Price::from_units(8_000_000_000), Duration::from_seconds(60));
    assert_eq!(volume.tiers[2], Tier { from: 300_000_000, change: price });
}

#[test]
fn what_cannot_be_meant_is_refused_where_it_stands() {
    for (table, place) in [
        ("scope = \"lines\"\ntime = \"1min\"", "2:9"),
        ("period = \"week\"\ntime = \"1min\"", "2:10"),
        ("period = \"month from 29\"\ntime = \"1min\"", "2:10"),
        ("time = \"90\"", "2:8"),
        ("money = \"60 GBP\"", "2:9"),
        ("priority = 1", "1:13"),
        ("calls = 0", "2:9"),
        ("time = \"1min\"\ncrossing = \"re-rate-period\"\nperiod = \"quarter\"", "1:13"),
        ("time = \"1min\"\nscope = \"number\"\ncarry_over = \"all\"", "1:13"),
        ("time = \"1min\"\nbands = [\"night\"]", "3:10"),
        ("time = \"1min\"\nclasses = [\"moblie\"]", "3:12"),
        ("time = \"1min\"\nweights = { night = \"2\" }", "3:13"),
        ("time = \"1min\"\nweights = { day = \"-2\" }", "3:19"),
        ("time = \"1min\"\nsub_limits = { mobile = \"140%\" }", "3:25"),
        ("time = \"1min\"\nabove_per_call = \"charged\"", "1:13"),
        ("calls = 5\nstep = \"60s\"", "1:13"),
    ] {
        let (schemes, found) = read(&format!("[allowances.x]\n{table}\n"));
        assert_eq!(found.len(), 1, "{table}: {found:?}");
        assert!(
            found[0].starts_with(&format!("a.toml:{place}: error[allowance.bad_definition]")),
            "{table}: {found:?}"
        );
        assert!(schemes.is_empty(), "{table}");
    }
}

#[test]
fn the_longest_destination_decides_and_a_tie_excludes() {
    let (schemes, found) = read(
        "[allowances.x]\ntime = \"1min\"\ndestinations = [\"44\", \"447624\"]\nexclude_destinations = [\"4476\", \"441481\"]\n",
    );
    assert_eq!(found, [""; 0]);
    let eligible = &schemes.all()[0].eligible;
    for (number, takes) in [
        ("442079460958", true),
        ("447600000000", false),
        ("447624000000", true),
        ("441481000000", false),
        ("33199001234", false),
    ] {
        let called = Party::Number(crate::number::E164::parse(number.as_bytes()).unwrap());
        assert_eq!(eligible.takes(called, NumberClass::Ordinary), takes, "{number}");
    }
    assert!(!eligible.takes(Party::ShortCode(crate::number::Digits::parse(b"101").unwrap()), NumberClass::ShortCode));
}

#[test]
fn periods_begin_on_their_day() {
    let day = |text| Date::parse(text).unwrap();
    for (period, at, from, until) in [
        (Period::Month(1), "2026-02-28", "2026-02-01", "2026-03-01"),
        (Period::Month(28), "2026-02-28", "2026-02-28", "2026-03-28"),
        (Period::Month(28), "2026-01-05", "2025-12-28", "2026-01-28"),
        (Period::Quarter, "2026-01-01", "2026-01-01", "2026-04-01"),
        (Period::Quarter, "2026-12-31", "2026-10-01", "2027-01-01"),
    ] {
        assert_eq!(period.around(day(at)), (day(from), day(until)), "{period:?} {at}");
    }
}
