//! Tests of times.

use super::*;

pub(super) fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

fn local(text: &str) -> LocalTime {
    LocalTime::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn every_day_from_1900_to_2199_round_trips() {
    let mut date = Date::new(1900, 1, 1).unwrap();
    let mut weekday = 0; // 1 January 1900 was a Monday.
    while date < Date::new(2199, 12, 31).unwrap() {
        let (year, month, day) = date.civil();
        assert_eq!(Date::new(year, month, day), Some(date));
        assert_eq!(date.weekday().index(), weekday % 7);
        assert_eq!(Date::parse(&date.to_string()), Some(date));
        date = date.tomorrow();
        weekday += 1;
    }
}

/// Every line of `testdata/zones/clock_changes.csv`: Python's zoneinfo found them, from 1996 to 2040.
#[test]
fn every_clock_change_is_where_another_reader_of_the_database_finds_it() {
    let table = include_str!("../../../testdata/zones/clock_changes.csv");
    assert!(table.starts_with(&format!("# By zoneinfo, IANA database {ZONE_DATABASE_VERSION};")));
    let (begin, end) = (instant("1996-01-01T00:00:00Z"), instant("2041-01-01T00:00:00Z"));
    let mut rows: Vec<(&str, Instant, i64, i64)> = Vec::new();
    for line in table.lines().skip(2) {
        let [zone, at, before, after] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        rows.push((zone, instant(at), before.parse().unwrap(), after.parse().unwrap()));
    }
    assert!(rows.len() > 500);
    for of_zone in rows.chunk_by(|left, right| left.0 == right.0) {
        let zone = Zone::load(of_zone[0].0).unwrap();
        let mut from = begin;
        for (name, at, before, after) in of_zone {
            // The offset holds to the last millisecond before, and the other from the first one on.
            assert_eq!(zone.offset_at(*at), after * 1_000, "{name} {at:?}");
            if before != after {
                assert_eq!(zone.offset_at(Instant(at.0 - 1)), before * 1_000, "{name} before {at:?}");
                assert_eq!(zone.next_change(Instant(at.0 - 1)), *at, "{name}");
                // Nothing changes between one line and the next.
                assert_eq!(zone.next_change(from), *at, "{name} after {from:?}");
                from = *at;
            }
        }
        assert!(zone.next_change(from) >= end, "{}: a change more after {from:?}", of_zone[0].0);
    }
}

#[test]
fn the_hour_that_the_spring_jump_skips_is_missing() {
    let london = Zone::load("Europe/London").unwrap();
    // Clocks jump from 01:00 GMT to 02:00 BST on 29 March 2026; 01:30 is 00:30Z read as BST, 01:30Z read as GMT.
    assert_eq!(
        london.resolve(local("2026-03-29 01:30:00")),
        Resolved::Missing(instant("2026-03-29T00:30:00Z"), instant("2026-03-29T01:30:00Z"))
    );
    assert_eq!(london.start_of(local("2026-03-29 01:30:00")), instant("2026-03-29T01:00:00Z"));
    assert_eq!(london.format(instant("2026-03-29T01:00:00Z")), "2026-03-29T02:00:00+01:00");
}

#[test]
fn times_that_do_not_exist_are_refused() {
    for text in [
        "2026-02-29 00:00:00",
        "2026-13-01 00:00:00",
        "2026-01-01 24:00:00",
        "2026-01-01 23:59:60",
        "1969-12-3 00:00:00",
    ] {
        assert_eq!(LocalTime::parse(text.as_bytes()), None, "{text}");
    }
    assert_eq!(local("2026-01-01T00:00:00.25").to_string(), "2026-01-01T00:00:00.250");
}

#[test]
fn months_meet() {
    let month = Month::parse("2026-12").unwrap();
    let zone = Zone::load("America/New_York").unwrap();
    assert_eq!(month.bounds(&zone).1, month.next().bounds(&zone).0);
    assert_eq!(month.next().previous(), month);
    assert_eq!(month.next().to_string(), "2027-01");
    assert_eq!(Month::of(Date::parse("2026-12-31").unwrap()).compact(), "202612");
}

#[test]
fn months_have_their_names() {
    for (number, name) in [("01", "January 2026"), ("06", "June 2026"), ("12", "December 2026")] {
        assert_eq!(Month::parse(&format!("2026-{number}")).unwrap().in_words(), name);
    }
}
