mod matching;
mod time;

use proptest::prelude::*;

use super::testing::{LONDON, NEW_YORK, at, book, called, found, only, read, retail};
use super::{Called, DestinationKey, Match, Query, notation};
use crate::ids::SiteId;
use crate::money::{Currency, Price};
use crate::number::{E164, NumberClass};
use crate::time::Duration;

const NOON: &str = "2026-07-01T12:00:00Z";

fn pounds() -> Currency {
    Currency::parse("GBP").unwrap()
}

#[test]
fn a_price_is_the_same_in_every_way_to_write_it() {
    let minute = Duration::from_seconds(60);
    let in_pence = notation::price_unit("p/min", pounds()).unwrap();
    let in_pounds = notation::price_unit("GBP / minute", pounds()).unwrap();
    let price = Price::parse("0.025", 0).unwrap();
    for (text, bare) in [
        ("2.5", Some(in_pence)),
        ("0.025", Some(in_pounds)),
        ("2.5p/min", None),
        ("2.5 p / min", None),
        ("0.025 GBP/min", Some(in_pence)),
        ("0.025GBP/minute", None),
        ("2.5p", Some(in_pence)),
        ("2.5p", Some(in_pounds)),
        ("02.50", Some(in_pence)),
    ] {
        assert_eq!(notation::price(text, pounds(), bare), Ok((price, minute)), "{text}");
    }
    // Per second stays per second: 0.3333p is not a sixtieth of 20p.
    let per_second = notation::price("0.3333p/s", pounds(), Some(in_pence)).unwrap();
    assert_eq!(per_second, (Price::parse("0.003333", 0).unwrap(), Duration::from_seconds(1)));
}

#[test]
fn what_is_not_a_price_says_why_and_what_to_write() {
    let bare = notation::price_unit("p/min", pounds()).ok();
    for (text, code, help) in [
        ("£0.03", "tariff.currency_sign", "write the code: `0.03 GBP`"),
        ("$0.03/min", "tariff.currency_sign", "write the code: `0.03 USD/min`"),
        ("0,025", "tariff.decimal_comma", "write a decimal point: `0.025`"),
        (
            "1,234",
            "tariff.decimal_comma",
            "write `1.234` if the comma is a decimal one, `1234` if it separates thousands",
        ),
        ("1,234.50", "tariff.decimal_comma", "write no thousands separators: `1234.50`"),
        ("2.5ct/min", "tariff.currency_mismatch", "this tariff is in GBP: write `GBP` or `p`"),
        ("2.5 EUR/min", "tariff.currency_mismatch", "this tariff is in GBP: write `GBP` or `p`"),
        ("2.5 quid", "tariff.bad_unit", "this tariff is in GBP: write `GBP` or `p`"),
        ("2.5p/month", "tariff.bad_unit", "write `/min`, `/s`, `/h`, `/90s`, or `/call` for the call as a whole"),
        (
            "-1",
            "tariff.negative_price",
            "a call never earns its payer money; write credits as adjustments, not as prices",
        ),
        (
            "0.00000000001",
            "tariff.too_precise",
            "write at most twelve decimals of the major unit (ten of the minor); nothing is rounded silently",
        ),
        ("99999999999", "tariff.too_large", "check the unit; nine million units is the most there can be"),
    ] {
        let fault = notation::price(text, pounds(), bare).unwrap_err();
        assert_eq!((fault.code, fault.help.as_str()), (code, help), "{text}");
    }
    for text in ["", "free", "1.2.3", "1e3", "--1", "N/A", "0x1", "1 2"] {
        let code = notation::price(text, pounds(), bare).unwrap_err().code;
        assert!(matches!(code, "tariff.bad_price" | "tariff.bad_unit"), "{text}: {code}");
    }
    for (text, help) in [
        ("2.5", "say it once for the whole file, `prices = \"GBP/min\"` or `prices = \"p/min\"`, or in the cell"),
        ("2.5p", "write `2.5p/min`, or say for the whole file `prices = \"GBP/min\"`"),
    ] {
        let fault = notation::price(text, pounds(), None).unwrap_err();
        assert_eq!((fault.code, fault.help.as_str()), ("tariff.unit_missing", help), "{text}");
    }
}

#[test]
fn minor_units_have_the_names_of_their_currency() {
    for (currency, text, price) in
        [("EUR", "5ct/min", "0.05"), ("USD", "5c/min", "0.05"), ("JPY", "5 JPY/min", "5"), ("GBP", "5p/min", "0.05")]
    {
        let currency = Currency::parse(currency).unwrap();
        assert_eq!(notation::price(text, currency, None).unwrap().0.to_string(), price, "{text}");
    }
    // A yen has no hundredth, and a euro no pence.
    for (currency, text) in [("JPY", "5c/min"), ("EUR", "5p/min"), ("GBP", "5c/min")] {
        let fault = notation::price(text, Currency::parse(currency).unwrap(), None).unwrap_err();
        assert_eq!(fault.code, "tariff.currency_mismatch", "{text}");
    }
}

#[test]
fn increments_are_seconds_and_a_single_one_is_both() {
    for (text, first, further) in [
        ("30/6", 30_000, 6_000),
        ("60", 60_000, 60_000),
        ("6", 6_000, 6_000),
        ("57.6/57.6", 57_600, 57_600),
        ("60s/1s", 60_000, 1_000),
        (" 1 / 1 ", 1_000, 1_000),
        ("0/1", 0, 1_000),
    ] {
        let both = [first, further].map(Duration::from_millis);
        assert_eq!(notation::increments(text), Ok((Some(both[0]), Some(both[1]))), "{text}");
    }
    for text in ["", "0", "60/0", "6ns", "-6", "30/6/6", "0.0001", "86401", "1/", "/1", "1.2.3"] {
        assert_eq!(notation::increments(text).unwrap_err().code, "tariff.bad_increments", "{text}");
    }
}

#[test]
fn a_range_becomes_the_fewest_prefixes_that_cover_it() {
    for (text, expected) in [
        ("44", "44"),
        ("+44", "44"),
        ("4474;4475", "4474 4475"),
        ("4474, 4475 ;+4476", "4474 4475 4476"),
        ("4474-4479", "4474 4475 4476 4477 4478 4479"),
        ("4470-4479", "447"),
        ("447400-447499", "4474"),
        ("447398-447501", "447398 447399 4474 447500 447501"),
        ("10-99", "1 2 3 4 5 6 7 8 9"),
        ("9-9", "9"),
        ("100000000000000-999999999999999", "1 2 3 4 5 6 7 8 9"),
        ("number:+44 20 7946 0958", "number:+442079460958"),
        ("short:101;short:118*", "short:101 short:118*"),
        ("internal", "internal"),
        ("*", "*"),
        ("class:mobile; class:free", "class:mobile class:free"),
        ("code:UK GEOGRAPHIC; day, 2", "code:UK GEOGRAPHIC; day, 2"), // no list: a code may hold any sign
    ] {
        let mut keys = Vec::new();
        notation::keys(text, &mut keys).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        let shown: Vec<String> = keys.iter().map(DestinationKey::<&str>::to_string).collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }
    for text in [
        "",
        "0",
        "020",
        "0044",
        "44 20",
        "44x",
        "4474-447",
        "4479-4474",
        "447-",
        "1234567890123456",
        "number:020",
        "short:",
        "inbound:44",
        "44;;45",
        "44;",
        "**",
        "44*",
        "code:",
        "44;code:X",
        "class:",
        "class:cell",
        "class:emergency",
        "class:internal",
        "٤٤",
    ] {
        assert_eq!(notation::keys(text, &mut Vec::new()).unwrap_err().code, "tariff.bad_prefix", "{text}");
    }
}

proptest! {
    #[test]
    fn a_range_covers_its_numbers_and_no_others(first in 100_u64..2_000, span in 0_u64..2_000, probe in 0_u64..5_000) {
        let last = (first + span).min(if first < 1_000 { 999 } else { 9_999 });
        let mut keys = Vec::new();
        let text = format!("{first}-{last}");
        notation::keys(&text, &mut keys).unwrap();
        let width = first.to_string().len();
        let probe = format!("{probe:0width$}");
        prop_assume!(probe.len() == width);
        let covering = keys.iter().filter(|key| probe.starts_with(&key.to_string())).count();
        let inside = (first..=last).contains(&probe.parse::<u64>().unwrap());
        prop_assert_eq!(covering, usize::from(inside));
    }
}

#[test]
fn the_longest_prefix_with_a_row_wins() {
    let book = retail(
        "",
        "prefix,destination,price,status\n44,UK,1,\n447,UK mobile,2,\n447624,Isle of Man,,blocked\n\
         number:+447700900123,Front desk,0,\n1,USA,1,\nshort:101,Police 101,0,\nshort:118*,Directory,50,\ninternal,Internal,1,\n",
    );
    for (number, expected) in [
        ("+442079460958", "UK"),
        ("+447700900124", "UK mobile"),
        ("+447700900123", "Front desk"),
        ("+4477009001234", "UK mobile"),          // one digit more is another number
        ("+447624123456", "blocked Isle of Man"), // not zero, and not the price of 447
        ("+12125550100", "USA"),
        ("+33199001234", "not found"),
        ("101", "Police 101"),
        ("102", "not found"),
        ("118500", "Directory"),
        ("internal", "Internal"),
    ] {
        assert_eq!(found(&book, number, NOON), expected, "{number}");
    }
}

#[test]
fn a_short_prefix_does_not_price_a_protected_class() {
    let deck =
        "prefix,destination,class,price\n44,UK,,1\n1,USA,,1\n4484,UK 084,,7\n8,Shared codes,,9\nshort:1*,Short,,1\n";
    let strict = retail("", deck);
    for (number, expected) in [
        ("+449061234567", "protected UK"),
        ("+447012345678", "protected UK"),
        ("+448451234567", "UK 084"), // four digits establish 084, and the row has four
        ("+448701234567", "protected UK"),
        ("+19005550100", "protected USA"),
        ("+870773111632", "protected Shared codes"),
        ("+881612345678", "protected Shared codes"),
        ("118500", "protected Short"),
        ("101", "protected Short"),
        ("+442079460958", "UK"),
        ("+447700900123", "UK"), // mobile is not protected
    ] {
        assert_eq!(found(&strict, number, NOON), expected, "{number}");
    }
    // The operator may say so, class by class.
    let lenient = retail("fallback = [\"premium\", \"service\"]\n", deck);
    assert_eq!(found(&lenient, "+449061234567", NOON), "UK");
    assert_eq!(found(&lenient, "+448701234567", NOON), "UK");
    assert_eq!(found(&lenient, "+447012345678", NOON), "protected UK");
    // A row that names the class prices it, however short.
    let named = retail("", "prefix,destination,class,price\n44,UK,,1\n4,All 09,premium,99\n");
    assert_eq!(found(&named, "+449061234567", NOON), "All 09");
    assert_eq!(found(&named, "+442079460958", NOON), "UK");
    // Nothing at all prices 881 by accident.
    assert_eq!(found(&retail("", "prefix,destination,price\n44,UK,1\n"), "+881612345678", NOON), "not found");
}

#[test]
fn rows_apply_between_their_dates_on_the_tariffs_clock() {
    let book = retail(
        "zone = \"Europe/London\"\n",
        "prefix,destination,price,from,until\n44,Old,1,,2026-07-01\n44,New,2,2026-07-01,\n\
         447,July mobile,3,2026-07-01,2026-08-01\n33,Gone,1,,2026-07-01T00:00:00Z\n",
    );
    for (instant, uk, mobile) in [
        ("2026-06-30T22:59:59Z", "Old", "Old"), // 23:59:59 in London
        ("2026-06-30T23:00:00Z", "New", "July mobile"),
        ("2026-07-31T22:59:59.999Z", "New", "July mobile"),
        ("2026-07-31T23:00:00Z", "New", "New"), // the longer row has ended: the shorter one applies again
    ] {
        assert_eq!(found(&book, "+442079460958", instant), uk, "{instant}");
        assert_eq!(found(&book, "+447700900123", instant), mobile, "{instant}");
    }
    assert_eq!(found(&book, "+33199001234", "2026-06-30T23:59:59Z"), "Gone");
    assert_eq!(found(&book, "+33199001234", "2026-07-01T00:00:00Z"), "not found");
}

#[test]
fn versions_follow_each_other_in_the_zone_of_the_site() {
    let settings = |from: &str| {
        format!("id = \"r\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n")
    };
    // Given in any order; the open one ends where the next begins.
    let book = book(&[
        ("b.toml", &settings("2026-07-15")),
        ("a.toml", &settings("2026-01-01")),
        ("d.csv", "prefix,destination,price\n44,UK,1\n"),
    ]);
    let tariff = book.tariff(book.tariff_id("r").unwrap()).unwrap();
    let file = |instant: &str, site| tariff.version_at(at(instant), site).map(|(_, version)| version.file());
    assert_eq!(file("2026-07-14T22:59:59Z", LONDON), Some("a.toml"));
    assert_eq!(file("2026-07-14T23:00:00Z", LONDON), Some("b.toml")); // midnight in London
    assert_eq!(file("2026-07-15T03:59:59Z", NEW_YORK), Some("a.toml"));
    assert_eq!(file("2026-07-15T04:00:00Z", NEW_YORK), Some("b.toml")); // midnight in New York
    assert_eq!(file("2025-12-31T23:59:59Z", LONDON), None);
    assert_eq!(file("2099-01-01T00:00:00Z", LONDON), Some("b.toml"));
    // A site that nobody named reads the operator's clock.
    assert_eq!(file("2026-07-14T23:00:00Z", SiteId(99)), Some("b.toml"));
}

const WEEK: &str = "[bands]\npeak = [\"mon-fri 08:00-18:00\"]\noffpeak = [\"mon-fri 18:00-08:00\"]\n\
                    weekend = [\"sat-sun\", \"holiday\"]\n[holidays]\ndates = [\"2026-08-31\"]\n";
const BANDED: &str = "prefix,destination,price_peak,price_offpeak,price_weekend\n44,UK,3,2,1\n";

#[track_caller]
fn check_band(settings: &str, instant: &str, site: SiteId, expected: &str) {
    let book = retail(settings, BANDED);
    let version = only(&book);
    let band = version.bands()[usize::from(version.band_at(0, at(instant), site))];
    assert_eq!(book.band(band), expected, "{instant}");
}

#[test]
fn bands_begin_and_end_to_the_second() {
    // Wednesday 1 July 2026, British Summer Time: local = UTC + 1.
    for (instant, band) in [
        ("2026-07-01T06:59:59Z", "offpeak"),
        ("2026-07-01T06:59:59.999Z", "offpeak"),
        ("2026-07-01T07:00:00Z", "peak"),
        ("2026-07-01T16:59:59Z", "peak"),
        ("2026-07-01T17:00:00Z", "offpeak"),
        ("2026-07-03T22:59:59Z", "offpeak"), // Friday 23:59:59
        ("2026-07-03T23:00:00Z", "weekend"), // Saturday
        ("2026-07-05T22:59:59Z", "weekend"), // Sunday 23:59:59
        ("2026-07-05T23:00:00Z", "offpeak"), // Monday before 08:00 is Monday's own off-peak
        ("2026-08-31T11:00:00Z", "weekend"), // summer bank holiday, a Monday
        ("2026-08-30T22:59:59Z", "weekend"), // the Sunday before it
        ("2026-08-31T23:00:00Z", "offpeak"), // the Tuesday after it, 00:00
    ] {
        check_band(WEEK, instant, LONDON, band);
    }
}

#[test]
fn bands_follow_the_clock_through_its_changes() {
    // A band of the small hours on Sundays, when clocks change: 01:00–02:00 is one hour long in most weeks.
    let night = "[bands]\nnight = [\"sun 01:00-02:00\"]\nday = [\"mon-sat\", \"sun 00:00-01:00,02:00-24:00\"]\n";
    let deck = "prefix,destination,price\n44,UK,1\n";
    let book = retail(night, deck);
    let version = only(&book);
    let minutes = |from: &str| {
        let band = |minute: i64| version.band_at(0, at(from).plus(Duration::from_seconds(minute * 60)), LONDON);
        (0..360).filter(|minute| book.band(version.bands()[usize::from(band(*minute))]) == "night").count()
    };
    assert_eq!(minutes("2026-03-21T23:00:00Z"), 60); // an ordinary Sunday
    assert_eq!(minutes("2026-03-28T23:00:00Z"), 0); // 01:00 GMT becomes 02:00 BST
    assert_eq!(minutes("2026-10-24T23:00:00Z"), 120); // 02:00 BST becomes 01:00 GMT
    // Peak begins at 08:00 on the wall on both sides of the change.
    check_band(WEEK, "2026-03-27T08:00:00Z", LONDON, "peak"); // Friday, GMT
    check_band(WEEK, "2026-03-30T06:59:59Z", LONDON, "offpeak"); // Monday, BST
    check_band(WEEK, "2026-03-30T07:00:00Z", LONDON, "peak");
    check_band(WEEK, "2026-10-26T07:59:59Z", LONDON, "offpeak"); // Monday, GMT again
    check_band(WEEK, "2026-10-26T08:00:00Z", LONDON, "peak");
}

#[test]
fn the_clock_is_that_of_the_site_unless_the_tariff_names_one() {
    let noon_in_london = "2026-07-01T11:00:00Z"; // 07:00 in New York
    check_band(WEEK, noon_in_london, LONDON, "peak");
    check_band(WEEK, noon_in_london, NEW_YORK, "offpeak");
    check_band(&format!("zone = \"Europe/London\"\n{WEEK}"), noon_in_london, NEW_YORK, "peak");
    check_band(&format!("zone = \"operator\"\n{WEEK}"), noon_in_london, NEW_YORK, "peak");
}

#[test]
fn a_holiday_is_its_weekday_unless_a_band_names_it() {
    let settings = "[bands]\npeak = [\"mon-fri\"]\noffpeak = [\"sat\"]\nweekend = [\"sun\"]\n[holidays]\ndates = [\"2026-08-31\"]\n";
    let head = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n";
    let (book, findings) = read(&[("r.toml", &format!("{head}{settings}")), ("d.csv", BANDED)]);
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "r.toml:10:2: warning[tariff.holidays_unused]: no band names `holiday`, so holidays are the weekday they fall on"
        ]
    );
    let version = only(&book);
    let band = version.band_at(0, at("2026-08-31T11:00:00Z"), LONDON);
    assert_eq!(book.band(version.band_id(band)), "peak");
}

#[test]
fn gaps_and_overlaps_of_the_week_are_named_with_their_days() {
    let settings = "[bands]\npeak = [\"mon-fri 08:00-12:00\", \"mon-fri 13:00-18:00\"]\n\
                    offpeak = [\"mon-fri 17:30-08:00\", \"sat\", \"holiday 00:00-12:00\"]\n";
    let head = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n[holidays]\ndates = [\"2026-08-31\"]\n";
    let (_, findings) =
        read(&[("r.toml", &format!("{head}{settings}")), ("d.csv", "prefix,destination,price\n44,UK,1\n")]);
    assert_eq!(
        findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>(),
        [
            "mon-fri 12:00-13:00 is in no band",
            "sun is in no band",
            "holiday 12:00-24:00 is in no band",
            "mon-fri 17:30-18:00 is in two bands, `peak` and `offpeak`",
        ]
    );
}

#[test]
fn a_band_without_its_own_price_takes_the_rows_price() {
    let bands = "[bands]\npeak = [\"mon-fri\"]\nweekend = [\"sat-sun\"]\n";
    let book = retail(bands, "prefix,destination,price,price_weekend\n44,UK,3,\n33,France,4,2\n");
    let version = only(&book);
    let price = |row, band: u8| version.plan(row, band).unwrap().price.to_string();
    // Bands stand in the order of their names: peak, weekend.
    assert_eq!([price(0, 0), price(0, 1)], ["0.03", "0.03"]);
    assert_eq!([price(1, 0), price(1, 1)], ["0.04", "0.02"]);
}

#[test]
fn ids_are_in_the_order_of_names_whatever_the_order_of_files() {
    let settings = |id: &str| {
        format!("id = \"{id}\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n")
    };
    let (first, second) = (settings("b"), settings("a"));
    let deck = "prefix,destination,price\n44,Zed,1\n33,Alpha,1\n";
    for files in [[("b.toml", &first), ("a.toml", &second)], [("a.toml", &second), ("b.toml", &first)]] {
        let book = book(&[(files[0].0, files[0].1), (files[1].0, files[1].1), ("d.csv", deck)]);
        assert_eq!(book.tariffs().iter().map(super::Tariff::id).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(book.tariff_id("b").map(|id| id.0), Some(1));
        assert_eq!(book.destinations().iter().collect::<Vec<_>>(), ["Alpha", "Zed"]);
        let tariff = book.tariff_id("b").unwrap();
        assert_eq!(book.row_source(tariff, 0, 0), Some(("d.csv", 2)));
        assert_eq!(book.row_source(tariff, 0, 9), None);
    }
}

#[test]
fn one_slip_on_every_row_is_told_briefly() {
    let mut deck = String::from("prefix,destination,price\n");
    for prefix in 100..200 {
        deck.push_str(&format!("{prefix},Place,1.5\n"));
    }
    let settings = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"d.csv\"]\n";
    let (_, findings) = read(&[("r.toml", settings), ("d.csv", &deck)]);
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "d.csv:2:11: error[tariff.unit_missing]: `1.5` has no unit",
            "d.csv:3:11: error[tariff.unit_missing]: and 99 more of these in `d.csv`, the first of them here",
        ]
    );
}

/// A row of the naive model: prefix, days from–until of July 2026, blocked.
type Naive = (String, u32, u32, bool);

proptest! {
    #[test]
    fn longest_match_equals_a_naive_scan(
        rows in proptest::collection::vec(("[1-3]{1,6}", 1_u32..20, 1_u32..12, any::<bool>()), 1..40),
        number in "[1-3]{5,9}",
        day in 1_u32..31,
        needed in 0_u8..5,
        guarded in any::<bool>(),
    ) {
        // Rows of one prefix must not overlap: keep the first of them.
        let mut kept: Vec<Naive> = Vec::new();
        for (prefix, from, days, blocked) in rows {
            let until = from + days;
            if !kept.iter().any(|(have, f, u, _)| *have == prefix && *f < until && from < *u) {
                kept.push((prefix, from, until, blocked));
            }
        }
        let mut deck = String::from("prefix,destination,price,status,from,until\n");
        for (index, (prefix, from, until, blocked)) in kept.iter().enumerate() {
            let status = if *blocked { "blocked" } else { "" };
            deck.push_str(&format!("{prefix},row{index},1,{status},2026-07-{from:02},2026-07-{until:02}\n"));
        }
        let book = retail("zone = \"UTC\"\n", &deck);
        let instant = at(&format!("2026-07-{day:02}T12:00:00Z"));
        let class = if guarded { NumberClass::Premium } else { NumberClass::Ordinary };
        let called = Called::Number(E164::parse(number.as_bytes()).unwrap(), class, needed);

        let matching = || kept.iter().zip(0_u32..).filter(|((prefix, from, until, _), _)| {
            number.starts_with(prefix.as_str()) && *from <= day && day < *until
        });
        let allowed = |row: &Naive| !guarded || row.3 || row.0.len() >= usize::from(needed);
        let best = matching().filter(|(row, _)| allowed(row)).max_by_key(|(row, _)| row.0.len());
        let refused = matching().max_by_key(|(row, _)| row.0.len());
        let expected = match (best, refused) {
            (Some((row, index)), _) if row.3 => Match::Blocked(index),
            (Some((_, index)), _) => Match::Row(index),
            (None, Some((_, index))) => Match::Protected(index),
            (None, None) => Match::NotFound,
        };
        prop_assert_eq!(only(&book).find(&Query::new(called), instant, LONDON), expected);
    }
}

/// Each folder is a tariff that is wrong in one way: its files, and the findings as lines of text.
#[test]
fn every_finding_has_a_reproducer_that_shows_it() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/findings");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.file_name().unwrap().to_str().unwrap().starts_with("tariff."));
    folders.sort();
    for folder in &folders {
        let code = folder.file_name().unwrap().to_str().unwrap();
        let mut files: Vec<(String, String)> = (std::fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        files.sort();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let expected = files.iter().find(|(name, _)| *name == "expected.txt").map_or("", |(_, text)| text);
        let (_, findings) = read(&files);
        let shown: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
        assert_eq!(shown, expected, "{code}");
        assert!(findings.iter().all(|finding| finding.help.is_some()), "{code}: no hint");
        assert!(findings.iter().any(|finding| finding.code == code), "{code} is not among its own findings");
    }
    // Every code that the sources name has a folder.
    let mut named: Vec<String> = Vec::new();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tariff");
    let mut left = vec![std::path::PathBuf::from(source)];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            if path.ends_with("tests") {
                continue;
            }
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".rs") || ["tests.rs", "testing.rs"].contains(&name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("\nmod tests {").next().unwrap().split("\"tariff.").skip(1) {
            named.push(format!("tariff.{}", part.split('"').next().unwrap()));
        }
    }
    named.sort();
    named.dedup();
    let have: Vec<&str> = folders.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(have, named);
}

#[test]
fn nothing_that_people_write_makes_the_reader_panic() {
    for text in [
        "",
        "\u{feff}",
        "\"",
        "prefix",
        "prefix,destination,price\n\"44",
        "id = ",
        "[bands]\n=",
        "\0\0\0",
        "decks = [1]",
    ] {
        read(&[
            ("a.toml", text),
            ("b.toml", "id = \"b\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"d.csv\"]\n"),
            ("d.csv", text),
        ]);
    }
}

#[test]
fn a_called_number_of_any_length_is_looked_up() {
    let book = retail("", "prefix,destination,price\n1,A,1\n123456789012345,B,1\n");
    assert_eq!(found(&book, "+123456789012345", NOON), "B");
    assert_eq!(found(&book, "+12345678901234", NOON), "A");
    assert_eq!(only(&book).find(&Query::new(called("+12345")), at(NOON), LONDON), Match::Row(0));
}
