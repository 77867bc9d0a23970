//! Bands, day types and whose clock.

use proptest::prelude::*;

use super::super::testing::*;
use crate::time::{Duration, Instant};

const WEEK: &str = "[bands]\npeak = [\"mon-fri 08:00-18:00\"]\noffpeak = [\"mon-fri 18:00-08:00\"]\n\
                    weekend = [\"sat-sun\", \"holiday\"]\n[holidays]\ndates = [\"2026-08-31\"]\n";
const DECK: &str = "prefix,destination,price\n44,UK,1\n";

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
        assert_eq!((book.band(version.band_id(index)), end), (band, at(until)), "{from}");
    }
    let one = retail("", DECK);
    assert_eq!(only(&one).band_span(0, at("2026-07-01T07:00:00Z"), LONDON), (0, Instant::MAX));
}

proptest! {
    #[test]
    fn spans_cover_every_minute_once_and_agree_with_the_band_at_it(day in 0_i64..36_525, minute in 0_i64..1_440, site in 0..3_u32) {
        let book = retail(WEEK, DECK);
        let version = only(&book);
        let site = crate::ids::SiteId(site);
        let minutes = |count: i64| Duration::from_seconds(count * 60);
        // From 1996 on, three days from any minute.
        let begin = at("1996-01-01T00:00:00Z").plus(minutes(day * 1_440 + minute));
        let end = begin.plus(minutes(3 * 1_440));
        let (mut from, mut minute) = (begin, begin);
        while from < end {
            let (band, until) = version.band_span(0, from, site);
            prop_assert!(until > from);
            while minute < until.min(end) {
                prop_assert_eq!(version.band_at(0, minute, site), band, "{:?}", minute);
                minute = minute.plus(minutes(1));
            }
            from = until;
        }
        prop_assert_eq!(minute, end);
    }
}
