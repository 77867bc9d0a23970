//! `rating reconcile`: the demo's London site against what its carrier might send.

use crate::house::{House, golden};

const HEADER: &str = "calling,called,start,duration_s,price,currency,reference\n";

/// One line for each way in which a carrier's call may compare. Clock readings are London's, an hour ahead of UTC until the 25th.
const CARRIER: &str = "\
02079460101,01614960123,2026-10-01 09:15:09,61,0.00427,GBP,the same
02079460101,07700900123,2026-10-01 12:30:05,185,0.0398,GBP,0.0129 x 185 / 60 = 0.039775 rounded to four decimals
02079460111,01632960555,2026-10-14 17:59:01,300,0.0155,GBP,off-peak: 0.0031 x 5
02079460111,01632960555,2026-10-15 08:00:10,301,0.02107,GBP,a second longer: 0.0042 x 301 / 60
,+491701234567,2026-10-08 09:00:09,31,0.0275,GBP,billed by the minute: 0.0275 x 1
,01614960200,2026-10-09 18:30:12,40,0.0033,GBP,no rate of ours
,09098790999,2026-10-07 16:00:08,33,0.50,GBP,blocked here
,01214960333,2026-10-13 14:00:05,125,0.01,EUR,in another currency
02079460101,02079460000,2026-10-02 10:00:00,60,0.0042,GBP,not here
02079460101,02079460000,2026-11-02 10:00:00,60,0.0042,GBP,of November
02079460101,01614960123,2026-10-01 09:15:09,61,free,GBP,no price
02079460101,01614960123,yesterday,61,0.01,GBP,no time
";

#[test]
fn every_call_lies_in_one_part_and_the_parts_add_up() {
    let house = House::demo();
    house.write("carrier.csv", format!("{HEADER}{CARRIER}"));
    let arguments = ["reconcile", "demo", "--site", "ldn", "--carrier", "carrier.csv"];
    let ran = house.rating(&[&arguments[..], &["--csv", "calls.csv"]].concat()).ends(4);
    golden("reconcile.txt", &ran.out);
    assert!(!house.path("demo/out").exists());
    let json = house.rating(&[&arguments[..], &["--json"]].concat()).ends(4).json();
    let parts = json["parts"].as_array().unwrap();
    for (cause, calls) in [
        ("same", 1),
        ("rounding", 1),
        ("band", 1),
        ("duration", 1),
        ("increments", 1),
        ("rate", 1),
        ("not priced here", 1),
        ("currency", 1),
        ("only the carrier", 1),
        ("other month", 1),
        ("only here", 11),
    ] {
        let of: u64 =
            parts.iter().filter(|part| part["cause"] == cause).map(|part| part["calls"].as_u64().unwrap()).sum();
        assert_eq!(of, calls, "{cause}: {json:#}");
    }
    // There, in pounds: 0.00427 + 0.0398 + 0.0155 + 0.02107 + 0.0275 + 0.0033 + 0.50 + 0.0042 + 0.0042 = 0.61984.
    assert_eq!(json["totals"][1]["there"], "0.61984");
    assert_eq!(json["totals"][0]["there"], "0.01");
    assert_eq!((&json["unreadable"], &json["calls"]["in_both"]), (&2.into(), &8.into()));
    // A header and a line for each of our 19 calls and for the carrier's two that are not among them.
    let csv = std::fs::read_to_string(house.path("calls.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 19 + 2);
}

#[test]
fn a_clock_that_is_an_hour_off_is_told_once_and_costs_no_call() {
    let house = House::demo();
    // The same calls, by a clock that stands on UTC and says nothing of it.
    let lines = "\
02079460101,01614960123,2026-10-01 08:15:09,61,0.00427,GBP
02079460101,07700900123,2026-10-01 11:30:05,185,0.039775,GBP
02079460111,01632960555,2026-10-14 16:59:00,300,0.021,GBP
02079460111,01632960555,2026-10-15 07:00:10,300,0.021,GBP
";
    house.write("carrier.csv", format!("calling,called,start,duration_s,price,currency\n{lines}"));
    let arguments = ["reconcile", "demo", "--site", "ldn", "--carrier", "carrier.csv", "--json"];
    let json = house.rating(&arguments).ends(0).json();
    assert_eq!((&json["clock"][0]["hours"], &json["clock"][0]["calls"]), (&(-1).into(), &4.into()));
    assert_eq!(json["calls"]["in_both"], 4);
    let json = house.rating(&[&arguments[..], &["--zone", "UTC"]].concat()).ends(0).json();
    assert_eq!((&json["clock"], &json["calls"]["in_both"]), (&serde_json::json!([]), &4.into()));
}

#[test]
fn two_calls_are_matched_each_once_and_the_nearer_first() {
    let house = House::demo();
    // Ours begins at 08:15:09 UTC; of two lines the one at the same second is it.
    let lines = "02079460101,01614960123,2026-10-01T08:15:10Z,61,0.00427,GBP,a\n\
                 02079460101,01614960123,2026-10-01T08:15:09Z,61,0.00427,GBP,b\n\
                 02079460109,07700900123,2026-10-01T11:30:05Z,185,0.039775,GBP,another caller\n";
    house.write("carrier.csv", format!("{HEADER}{lines}"));
    house.rating(&["reconcile", "demo", "--site", "ldn", "--carrier", "carrier.csv", "--csv", "calls.csv"]).ends(0);
    let csv = std::fs::read_to_string(house.path("calls.csv")).unwrap();
    let causes = |reference: &str| {
        let line = csv.lines().find(|line| line.contains(&format!(",{reference},"))).unwrap();
        line.split(',').next().unwrap().to_owned()
    };
    assert_eq!([causes("a"), causes("b"), causes("another caller")], ["only the carrier", "same", "only the carrier"]);
}

#[test]
fn what_cannot_be_read_or_is_not_there_is_refused() {
    let house = House::demo();
    house.write("carrier.csv", HEADER);
    house.write("other.csv", "from,to\n1,2\n");
    for (arguments, code, words) in [
        (&["--carrier", "carrier.csv"][..], 2, "name the site whose calls the carrier bills with --site"),
        (&["--site", "lnd", "--carrier", "carrier.csv"], 2, "the sites are ldn, nyc"),
        (&["--source", "pbx", "--carrier", "carrier.csv"], 2, "there is no source `pbx`"),
        (&["--site", "ldn", "--format", "pbx", "--carrier", "carrier.csv"], 2, "there is no format `pbx`"),
        (&["--site", "ldn", "--carrier", "other.csv"], 2, "has no column `calling`"),
        (&["--site", "ldn", "--carrier", "nosuch.csv"], 8, "nosuch.csv"),
        (&["--site", "ldn", "--carrier", "carrier.csv", "--tolerance", "2h"], 2, "up to ten minutes"),
        (&["--site", "ldn", "--carrier", "carrier.csv", "--zone", "London"], 2, "Europe/London"),
    ] {
        let ran = house.rating(&[&["reconcile", "demo"], arguments].concat()).ends(code);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
}
