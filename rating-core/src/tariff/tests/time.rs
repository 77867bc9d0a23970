//! Bands and sets of them, day types, whose clock.

use proptest::prelude::*;

use super::super::testing::*;
use super::super::{SiteClock, TariffBook, TariffVersion, calendar};
use crate::ids::SiteId;
use crate::number::E164;
use crate::time::{Duration, Instant, Zone};

const HEAD: &str = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"1990-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n";
const WEEK: &str = "[bands]\npeak = [\"mon-fri 08:00-18:00\"]\noffpeak = [\"mon-fri 18:00-08:00\"]\n\
                    weekend = [\"sat-sun\", \"holiday\"]\n[holidays]\ndates = [\"2026-08-31\"]\n";
const DECK: &str = "prefix,destination,price\n44,UK,1\n";
const MINUTE: Duration = Duration::from_seconds(60);

fn minutes(count: i64) -> Duration {
    Duration::from_seconds(count * 60)
}

fn name<'b>(book: &'b TariffBook, version: &TariffVersion, band: u8) -> &'b str {
    book.band(version.band_id(band))
}

/// Walks from `begin` to `end` by spans and asks at every minute: each is in one span, and has its band.
fn check_walk(version: &TariffVersion, set: u8, site: SiteId, zone: &Zone, begin: Instant, end: Instant) {
    let (mut from, mut minute) = (begin, begin);
    while from < end {
        let (band, until) = version.band_span_in(set, from, site, zone);
        assert!(until > from, "{from:?}");
        while minute < until.min(end) {
            assert_eq!(version.band_at_in(set, minute, site, zone), band, "{minute:?}");
            minute = minute.plus(MINUTE);
        }
        // The last moment of a span has its band too.
        let last = until.plus(Duration::from_millis(-1)).min(end);
        assert_eq!(version.band_at_in(set, last, site, zone), band, "{last:?}");
        from = until;
    }
    assert_eq!(minute, end);
}

#[test]
fn a_span_ends_where_another_band_may_begin() {
    let book = retail(WEEK, DECK);
    let version = only(&book);
    for (from, band, until) in [
        ("2026-07-01T06:59:59Z", "offpeak", "2026-07-01T07:00:00Z"), // Wednesday 08:00 BST
        ("2026-07-01T07:00:00Z", "peak", "2026-07-01T17:00:00Z"),
        ("2026-07-01T17:00:00.001Z", "offpeak", "2026-07-01T23:00:00Z"), // midnight, where the band goes on
        ("2026-10-24T23:00:00Z", "weekend", "2026-10-25T01:00:00Z"),     // Sunday, the clock goes back
        ("2026-10-25T01:00:00Z", "weekend", "2026-10-26T00:00:00Z"),     // the repeated hour and the rest of Sunday
        ("2026-08-31T09:00:00Z", "weekend", "2026-08-31T23:00:00Z"),     // summer bank holiday
    ] {
        let (index, end) = version.band_span(0, at(from), LONDON);
        assert_eq!((name(&book, version, index), end), (band, at(until)), "{from}");
    }
    let one = retail("", DECK);
    assert_eq!(only(&one).band_span(0, at("2026-07-01T07:00:00Z"), LONDON), (0, Instant::MAX));
}

/// One band for every hour of the clock, and one for every half of the week.
fn hours() -> String {
    let hours: String = (0..24).map(|h| format!("h{h:02} = [\"mon-sun {h:02}:00-{:02}:00\"]\n", h + 1)).collect();
    format!(
        "[bands]\n{hours}[band_sets.week]\nearly = [\"mon-wed\", \"thu 00:00-12:00\"]\nlate = [\"thu 12:00-24:00\", \"fri-sun\"]\n"
    )
}

/// Every line of the table that Python's zoneinfo made: three hours each side of every clock change from 1996 to 2040, in
/// eight zones, minute by minute, by an arithmetic of its own.
#[test]
fn bands_are_those_of_the_wall_clock_around_every_clock_change() {
    let table = include_str!("../../../../testdata/zones/clock_changes.csv");
    let mut checked = 0;
    let mut read: Option<(String, TariffBook)> = None;
    for line in table.lines().skip(2) {
        let [zone, change, before, after] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if read.as_ref().is_none_or(|(have, _)| have != zone) {
            let settings = format!("{HEAD}zone = \"{zone}\"\n{}", hours());
            read = Some((zone.to_owned(), book(&[("r.toml", &settings), ("d.csv", DECK)])));
        }
        let book = &read.as_ref().unwrap().1;
        let version = only(book);
        let [before, after] = [before, after].map(|seconds| seconds.parse::<i64>().unwrap() * 1_000);
        for minute in -180..180 {
            let moment = at(change).plus(minutes(minute));
            let local = moment.as_millis() + if minute < 0 { before } else { after };
            let hour = local.div_euclid(3_600_000).rem_euclid(24);
            // 1 January 1970 was a Thursday: the week of the clock begins three days earlier.
            let hour_of_week = (local.div_euclid(3_600_000) + 72).rem_euclid(168);
            let found = name(book, version, version.band_at(0, moment, LONDON));
            assert_eq!(found, format!("h{hour:02}"), "{zone} {moment:?}");
            let half = if hour_of_week < 84 { "early" } else { "late" };
            assert_eq!(name(book, version, version.band_at(1, moment, LONDON)), half, "{zone} {moment:?}");
            checked += 1;
        }
        let (begin, end) = (at(change).plus(minutes(-180)), at(change).plus(minutes(180)));
        check_walk(version, 0, LONDON, version.zone(LONDON), begin, end);
    }
    assert_eq!(checked, 360 * (table.lines().count() - 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spans_cover_every_minute_once_and_agree_with_the_band_at_it(
        day in 0_i64..16_000, minute in 0_i64..1_440, site in 0..4_u32, set in 0..3_u8,
        zone in prop::sample::select(vec!["Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia"]),
    ) {
        let settings = format!(
            "{HEAD}[bands]\npeak = [\"mon-fri 08:00-18:00\"]\noffpeak = [\"mon-fri 18:00-08:00\", \"sat-sun\"]\n\
             [band_sets.night]\npeak = [\"mon-sun 02:30-23:59:59\", \"holiday,feast 12:00-13:00\"]\n\
             moon = [\"mon-sun 23:59:59-02:30\", \"holiday,feast 13:00-12:00\"]\n\
             [band_sets.one]\nsolid = [\"mon-sun\"]\n\
             [holidays]\ncalendar = [\"site\"]\nonly = \"mon-fri\"\n[days.feast]\neaster = [-2, 1]\n[days.eve]\ndates = [\"12-24\"]\ncount_as = \"sun\"\n",
        );
        let clock = |zone: &str, id: &str| SiteClock { zone: Zone::load(zone).unwrap(), holidays: calendar::dates(id).map(Into::into) };
        let sites = [clock("Europe/London", "GB-SCT"), clock("America/New_York", "US"), clock("Europe/Berlin", "DE-BY")];
        let (book, findings) = read_for(&[("r.toml", &settings), ("d.csv", DECK)], &sites);
        prop_assert!(findings.is_empty(), "{:?}", findings.iter().next());
        let begin = at("1996-01-01T00:00:00Z").plus(minutes(day * 1_440 + minute));
        let zone = Zone::load(zone).unwrap();
        check_walk(only(&book), set, SiteId(site), &zone, begin, begin.plus(minutes(4 * 1_440)));
    }

    /// A week that is cut anywhere is covered once; without one piece there is a gap, with a piece twice an overlap.
    #[test]
    fn every_minute_of_the_week_has_exactly_one_band(
        cuts in prop::collection::btree_set(1_u32..1_440, 0..6), days in prop::collection::vec(0_usize..3, 7), broken in 0_usize..7,
    ) {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let edges: Vec<u32> = [0].into_iter().chain(cuts).chain([1_440]).collect();
        let show = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        // The piece `place` of a day is in the band of that place, turned by the day.
        let mut bands = vec![Vec::new(); 3];
        for (day, turn) in days.iter().enumerate() {
            for (place, piece) in edges.windows(2).enumerate() {
                bands[(place + turn) % 3].push((day, format!("\"{} {}-{}\"", DAYS[day], show(piece[0]), show(piece[1]))));
            }
        }
        let write = |bands: &[Vec<(usize, String)>]| {
            let lines: String = (bands.iter().enumerate().filter(|(_, pieces)| !pieces.is_empty()))
                .map(|(band, pieces)| {
                    let pieces: Vec<&str> = pieces.iter().map(|(_, piece)| piece.as_str()).collect();
                    format!("b{band} = [{}]\n", pieces.join(", "))
                })
                .collect();
            format!("{HEAD}zone = \"UTC\"\n[bands]\n{lines}")
        };
        let book = book(&[("r.toml", &write(&bands)), ("d.csv", DECK)]);
        let version = only(&book);
        let monday = at("2026-06-29T00:00:00Z");
        for (day, turn) in days.iter().enumerate() {
            for minute in 0..1_440 {
                let place = edges.iter().rposition(|edge| *edge <= minute).unwrap();
                let moment = monday.plus(minutes(i64::try_from(day).unwrap() * 1_440 + i64::from(minute)));
                let expected = format!("b{}", (place + turn) % 3);
                prop_assert_eq!(name(&book, version, version.band_at(0, moment, LONDON)), expected);
            }
        }
        let band = bands.iter().position(|pieces| pieces.iter().any(|(day, _)| *day == broken)).unwrap();
        let place = bands[band].iter().position(|(day, _)| *day == broken).unwrap();
        let codes = |bands: &[Vec<(usize, String)>]| {
            let (_, findings) = read(&[("r.toml", &write(bands)), ("d.csv", DECK)]);
            findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        let mut twice = bands.clone();
        let piece = twice[band][place].clone();
        twice[(band + 1) % 3].push(piece);
        prop_assert_eq!(codes(&twice), ["tariff.band_overlap"]);
        if bands[band].len() > 1 {
            bands[band].remove(place);
            prop_assert_eq!(codes(&bands), ["tariff.band_gap"]);
        }
    }
}

#[test]
fn sets_of_bands_share_the_names_of_bands() {
    let settings = "[bands]\nday = [\"mon-sun 08:00-20:00\"]\nnight = [\"mon-sun 20:00-08:00\"]\n\
                    [band_sets.week]\nday = [\"mon-fri\"]\nweekend = [\"sat-sun\"]\n\
                    [band_sets.flat]\nnight = [\"mon-sun\"]\n";
    let deck = "prefix,destination,price_day,price_night,price_weekend,band_set\n\
                44,UK,3,2,,\n33,France,4,,5,week\n39,Italy,,6,,flat\n34,Spain,9,9,9,week\n";
    let book = retail(settings, deck);
    let version = only(&book);
    assert_eq!(version.bands().len(), 3);
    // Saturday 4 July 2026, 21:00 BST; Monday 6 July, 21:00; Monday 12:00.
    for (instant, names) in [
        ("2026-07-04T20:00:00Z", ["night", "weekend", "night"]),
        ("2026-07-06T20:00:00Z", ["night", "day", "night"]),
        ("2026-07-06T11:00:00Z", ["day", "day", "night"]),
    ] {
        let found = [0, 1, 2].map(|row| {
            let set = version.band_set(row);
            name(&book, version, version.band_at(set, at(instant), LONDON))
        });
        // Sets are by name: `flat` is 1, `week` is 2.
        assert_eq!(found, names, "{instant}");
    }
    assert_eq!([0, 1, 2, 3].map(|row| version.band_set(row)), [0, 2, 1, 2]);
}

#[test]
fn a_row_needs_the_prices_of_its_own_set_alone() {
    let settings = format!(
        "{HEAD}[bands]\nday = [\"mon-sun 08:00-20:00\"]\nnight = [\"mon-sun 20:00-08:00\"]\n\
         [band_sets.week]\nday = [\"mon-fri\"]\nweekend = [\"sat-sun\"]\n"
    );
    let deck = "prefix,destination,price_day,price_night,price_weekend,band_set\n44,UK,3,2,,\n33,France,4,,5,week\n\
                39,Italy,3,,2,\n34,Spain,3,2,,week\n";
    let (_, findings) = read(&[("r.toml", &settings), ("d.csv", deck)]);
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "d.csv:4:12: error[tariff.price_missing]: this row has no price for band `night`",
            "d.csv:5:14: error[tariff.price_missing]: this row has no price for band `weekend`",
        ]
    );
}

/// The day type at noon of each date, by the first site's clock.
#[track_caller]
fn check_days(settings: &str, expected: &[(&str, &str)]) {
    let (book, findings) = read(&[("r.toml", &format!("{HEAD}zone = \"UTC\"\n{settings}")), ("d.csv", DECK)]);
    assert!(!findings.has_errors(), "{:?}", findings.iter().map(ToString::to_string).collect::<Vec<_>>());
    let version = only(&book);
    for (date, day) in expected {
        let noon = at(&format!("{date}T12:00:00Z"));
        assert_eq!(version.day_type(0, noon, LONDON, version.zone(LONDON)), *day, "{date}");
    }
}

#[test]
fn a_day_is_of_the_first_type_that_has_it_and_a_holiday_last() {
    let days = "[holidays]\ncalendar = \"GB-ENG\"\n[days.xmas]\ndates = [\"12-24..12-26\", \"12-31\"]\n\
                [days.bridge]\ndates = [\"2026-12-24..2026-12-31\"]\n";
    check_days(
        &format!("[bands]\nall = [\"mon-sun\", \"holiday\", \"bridge,xmas 00:00-24:00\"]\nnever = []\n{days}"),
        &[
            ("2026-12-23", "wed"),
            ("2026-12-24", "xmas"), // both: `xmas` stands first
            ("2026-12-25", "xmas"), // and before the holiday
            ("2026-12-27", "bridge"),
            ("2026-12-28", "bridge"), // a bank holiday, which is asked last
            ("2026-12-31", "xmas"),
            ("2027-01-01", "holiday"),
            ("2027-12-24", "xmas"), // every year
            ("2027-12-27", "holiday"),
        ],
    );
    // A type that no band names is not there: `bridge` and the holiday have its days.
    check_days(
        &format!("[bands]\nall = [\"mon-sun\", \"holiday\", \"bridge\"]\nnever = []\n{days}"),
        &[("2026-12-24", "bridge"), ("2027-12-24", "fri"), ("2027-12-27", "holiday")],
    );
}

#[test]
fn a_day_type_may_count_as_a_weekday_and_on_some_weekdays_only() {
    let bands = "[bands]\nwork = [\"mon-fri\"]\nrest = [\"sat-sun\"]\n";
    check_days(
        &format!("{bands}[holidays]\ncalendar = [\"DE\"]\ncount_as = \"sunday\"\nonly = \"mon-fri\"\n"),
        &[
            ("2026-05-01", "sun"), // Labour Day, a Friday
            ("2026-10-03", "sat"), // German Unity Day on a Saturday stays one
            ("2026-12-25", "sun"),
            ("2026-12-28", "mon"),
        ],
    );
    // Denmark's Great Prayer Day: 26 days after Easter (5 April 2026), a Friday.
    check_days(
        &format!("{bands}[days.prayer]\neaster = 26\ncount_as = \"sat\"\n"),
        &[("2026-05-01", "sat"), ("2026-05-02", "sat"), ("2026-04-30", "thu"), ("2025-05-16", "sat")],
    );
}

#[test]
fn the_calendar_is_that_of_the_site_if_the_tariff_says_so() {
    let settings = format!(
        "{HEAD}[bands]\nwork = [\"mon-fri\"]\nrest = [\"sat-sun\", \"holiday\"]\n[days.holiday]\ncalendar = [\"site\", \"extra.csv\"]\n"
    );
    let clock = |id| SiteClock { zone: Zone::utc(), holidays: calendar::dates(id).map(Into::into) };
    let extra = "date,name\n2026-09-09,Founder's day\n";
    let files = [("r.toml", &*settings), ("d.csv", DECK), ("extra.csv", extra)];
    let (book, findings) = read_for(&files, &[clock("GB-ENG"), clock("GB-SCT"), clock("none"), clock("GB-SCT")]);
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["r.toml:10:13: warning[tariff.site_calendar_missing]: 1 of the 4 sites have no calendar of their own"]
    );
    let version = only(&book);
    for (date, bands) in [
        ("2026-08-03", ["work", "rest", "work", "rest"]), // summer bank holiday of Scotland
        ("2026-08-31", ["rest", "work", "work", "work"]), // and of England
        ("2026-12-25", ["rest", "rest", "work", "rest"]),
        ("2026-09-09", ["rest", "rest", "rest", "rest"]),
        ("2026-09-10", ["work", "work", "work", "work"]),
    ] {
        let noon = at(&format!("{date}T12:00:00Z"));
        let found = [0, 1, 2, 3].map(|site| name(&book, version, version.band_at(0, noon, SiteId(site))));
        assert_eq!(found, bands, "{date}");
        // A site that is not known has none.
        assert_eq!(version.band_at(0, noon, SiteId(77)), version.band_at(0, noon, SiteId(2)), "{date}");
    }
}

#[test]
fn the_clock_is_the_callers_if_the_tariff_says_so() {
    let settings = "zone = \"caller\"\ncaller_zones = \"zones.csv\"\n[bands]\nday = [\"mon-fri 08:00-18:00\"]\n\
                    night = [\"mon-fri 18:00-08:00\", \"sat-sun\"]\n";
    let zones =
        "prefix,zone\n44,Europe/London\n1,America/New_York\n1415;1213,America/Los_Angeles\n1808,Pacific/Honolulu\n";
    let files = [("r.toml", &*format!("{HEAD}{settings}")), ("d.csv", DECK), ("zones.csv", zones)];
    let book = book(&files);
    let version = only(&book);
    assert!(version.is_by_callers_clock());
    // Wednesday 1 July 2026, 15:30 UTC: 16:30 in London, 11:30 in New York, 08:30 in California, 05:30 in Hawaii.
    let moment = at("2026-07-01T15:30:00Z");
    for (caller, expected) in [
        ("+442079460958", Some(("Europe/London", "day"))),
        ("+12125550100", Some(("America/New_York", "day"))),
        ("+14155550100", Some(("America/Los_Angeles", "day"))),
        ("+18085550100", Some(("Pacific/Honolulu", "night"))),
        ("+33123456789", None),
    ] {
        let zone = version.zone_for(LONDON, E164::parse(caller.as_bytes()));
        let found = zone.map(|zone| (zone.name(), name(&book, version, version.band_at_in(0, moment, LONDON, zone))));
        assert_eq!(found, expected, "{caller}");
    }
    assert_eq!(version.zone_for(LONDON, None), None);
    // Dates of versions and rows are by the site's clock, and so is every other tariff's band.
    assert_eq!(version.zone(NEW_YORK).name(), "America/New_York");
    let plain = retail("", DECK);
    assert_eq!(only(&plain).zone_for(NEW_YORK, None).map(Zone::name), Some("America/New_York"));
    assert!(!only(&plain).is_by_callers_clock());
}

#[test]
fn what_is_wrong_with_days_and_sets_is_said_where_it_stands() {
    const BANDS: &str = "[bands]\nwork = [\"mon-fri\"]\nrest = [\"sat-sun\"]\n";
    for (settings, expected) in [
        (
            "[bands]\nall = [\"mon-sun\", \"xmas\"]\n",
            "r.toml:7:19: error[tariff.bad_band]: `xmas` does not say when: `xmas` is not a day of the week",
        ),
        (
            "[bands]\nall = [\"mon-sun\", \"xmas\"]\n[days.xmas]\ndates = \"12-25\"\ncount_as = \"sun\"\n",
            "r.toml:7:19: error[tariff.bad_band]: `xmas` never holds: `xmas` counts as `sun`",
        ),
        (
            "[bands]\nall = [\"mon-sun\"]\nfeast = [\"xmas 08:00-24:00\"]\n[days.xmas]\ndates = \"12-25\"\n",
            "r.toml:6:2: error[tariff.band_gap]: xmas 00:00-08:00 is in no band",
        ),
        (
            "[bands]\nall = [\"mon-sun\"]\n[band_sets.week]\nwork = [\"mon-fri\"]\n",
            "r.toml:8:12: error[tariff.band_gap]: in band set `week`, sat-sun is in no band",
        ),
        (
            "[bands]\nall = [\"mon-sun\"]\n[band_sets.Week]\nwork = [\"mon-sun\"]\n",
            "r.toml:8:12: error[tariff.bad_band]: `Week` cannot be the name of a set of bands",
        ),
        (
            &format!("{BANDS}[holidays]\ncalendar = \"GB\"\ncount_as = \"sun\"\n"),
            "r.toml:10:12: error[tariff.calendar_missing]: there is no calendar `GB`",
        ),
        (
            &format!("{BANDS}[holidays]\neaster = [1, 400]\ncount_as = \"sun\"\n"),
            "r.toml:10:14: error[tariff.bad_date]: 400 days from Easter is not a feast",
        ),
        (
            &format!("{BANDS}[holidays]\ncount_as = \"sun\"\n[days.holiday]\ncount_as = \"sun\"\n"),
            "r.toml:11:7: error[tariff.bad_day]: `[holidays]` is `[days.holiday]`, given twice",
        ),
        (
            &format!("{BANDS}{}", ('a'..='i').map(|c| format!("[days.{c}]\ncount_as = \"sun\"\n")).collect::<String>()),
            "r.toml:9:2: error[tariff.bad_day]: a tariff has at most 8 day types of its own, not 9",
        ),
        (
            "zone = \"caller\"\ncaller_zones = \"none.csv\"\n",
            "r.toml:7:16: error[tariff.caller_zones_missing]: table `none.csv` cannot be read",
        ),
    ] {
        let (_, findings) = read(&[("r.toml", &format!("{HEAD}{settings}")), ("d.csv", DECK)]);
        let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [expected], "{settings}");
        assert!(findings.iter().all(|finding| finding.help.is_some()), "{settings}");
    }
}

/// A band of the even stretches of `seconds` of each day, and one of the odd ones.
fn alternating(seconds: usize) -> String {
    let clock = |at: usize| format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60);
    let stretches = |from: usize| -> Vec<String> {
        let begins = (from..86_400).step_by(2 * seconds);
        begins.map(|at| format!("{}-{}", clock(at), clock(at + seconds))).collect()
    };
    let [even, odd] = [0, seconds].map(|from| stretches(from).join(","));
    format!("[bands]\neven = [\"mon-sun {even}\"]\nodd = [\"mon-sun {odd}\"]\n")
}

#[test]
fn a_week_may_have_more_edges_than_sixteen_bits_count() {
    let book = retail(&alternating(2), DECK);
    let version = only(&book);
    for day in 1..=7 {
        for (time, band) in [("00:00:00", "even"), ("00:00:02", "odd"), ("23:59:57.999", "even"), ("23:59:58", "odd")] {
            // Instants of winter, when the clock of the site is UTC.
            let instant = at(&format!("2026-01-{day:02}T{time}Z"));
            assert_eq!(name(&book, version, version.band_at(0, instant, LONDON)), band, "{day} {time}");
            let (_, until) = version.band_span_in(0, instant, LONDON, version.zone(LONDON));
            assert!(until > instant && until.since(instant) <= Duration::from_seconds(2), "{day} {time}");
        }
    }
}

#[test]
fn too_many_bands_are_refused() {
    let bands = |count: usize| -> String {
        let clock = |at: usize| format!("{:02}:{:02}", at / 60, at % 60);
        let end = |at: usize| if at + 1 == count { 1440 } else { 4 * at + 4 };
        let line = |at: usize| format!("b{at} = [\"mon-sun {}-{}\"]\n", clock(4 * at), clock(end(at)));
        format!("{HEAD}[bands]\n{}", (0..count).map(line).collect::<String>())
    };
    let (book, findings) = read(&[("r.toml", &bands(255)), ("d.csv", DECK)]);
    assert!(findings.iter().next().is_none());
    assert_eq!(only(&book).bands().len(), 255);
    for count in [256, 257, 300] {
        let (_, findings) = read(&[("r.toml", &bands(count)), ("d.csv", DECK)]);
        let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["r.toml:6:2: error[tariff.bad_band]: a tariff has at most 255 bands and sets of bands"]);
    }
}

#[test]
fn too_many_charges_are_refused_and_never_taken_for_another() {
    let points = |count: usize| -> String {
        let lines = (0..count).map(|at| format!("P{at},{at},,\n"));
        format!("code,per_call,per_minute,included_s\n{}", lines.collect::<String>())
    };
    let settings = format!("{HEAD}fees = \"p\"\nprice_points = \"p.csv\"\n");
    let deck = "prefix,destination,charges\n44,UK,P65534\n";
    let (_, findings) = read(&[("r.toml", &settings), ("d.csv", deck), ("p.csv", &points(65_535))]);
    assert!(findings.iter().next().is_none());
    let (_, findings) = read(&[("r.toml", &settings), ("d.csv", deck), ("p.csv", &points(65_537))]);
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["p.csv:65537:1: error[tariff.bad_charge]: a tariff has at most 65535 charges, price points included"]
    );
}
