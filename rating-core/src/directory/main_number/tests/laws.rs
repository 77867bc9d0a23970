//! Whatever the hours, the events, the zone and the instant.

use proptest::prelude::*;

use super::*;
use crate::time::LocalTime;

const ZONES: [&str; 7] = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    // A whole day was left out at the end of 2011.
    "Pacific/Apia",
];

/// Around what is odd in some of the zones, in minutes before and after.
const ODD: [&str; 8] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "2011-12-30T10:00:00Z",
    "2026-07-01T12:00:00Z",
];

const STEP_MIN: i64 = 5;

fn minutes(count: i64) -> Duration {
    Duration::from_seconds(count * 60)
}

fn hours() -> impl Strategy<Value = Hours> {
    // Steps of five minutes, so that a walk in such steps misses nothing.
    let span = (0..7_usize, 0..=288_u16, 0..=288_u16).prop_map(|(day, one, other)| Span {
        day: Weekday::ALL[day],
        from: TimeOfDay::new(one.min(other) * 5).unwrap(),
        until: TimeOfDay::new(one.max(other) * 5).unwrap(),
    });
    prop_oneof![
        4 => prop::collection::vec(span, 0..8).prop_map(|spans| Hours { spans }),
        1 => Just(Hours::default()),
        1 => Just(Hours {
            spans: Weekday::ALL.iter().map(|day| super::span(*day, "00:00", "24:00")).collect(),
        }),
    ]
}

fn moments() -> impl Strategy<Value = Instant> {
    (prop::sample::select(ODD.to_vec()), -600..600_i64)
        .prop_map(|(odd, steps)| instant(odd).plus(minutes(steps * STEP_MIN)))
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let instants = (moments(), -20..600_i64)
        .prop_map(|(from, steps)| When::Instants(Interval { from, until: from.plus(minutes(steps * STEP_MIN)) }));
    let days = (moments(), 0..3_i32).prop_map(|(near, days)| {
        let from = LocalTime::from_millis(near.as_millis()).date();
        When::Days { from, until: Date::from_days(from.days() + days) }
    });
    let event = (prop_oneof![instants, days], "[a-c]").prop_map(|(when, name)| Event { name, when });
    prop::collection::vec(event, 0..4)
}

/// Whether the site is open, straight from the words of the rules.
fn is_open(hours: &Hours, events: &[Event], zone: &Zone, at: Instant) -> bool {
    let local = zone.to_local(at);
    let minute = local.millis_of_day() / 60_000;
    let in_hours = hours.spans.iter().any(|span| {
        span.day == local.date().weekday()
            && i64::from(span.from.minutes()) <= minute
            && minute < i64::from(span.until.minutes())
    });
    let closed = events.iter().any(|event| match event.when {
        When::Instants(interval) => interval.from <= at && at < interval.until,
        When::Days { from, until } => from <= local.date() && local.date() < until,
    });
    in_hours && !closed
}

proptest! {
    #[test]
    fn the_answer_is_that_of_the_rules_and_constant_until_it_changes(
        hours in hours(),
        events in events(),
        zone in prop::sample::select(ZONES.to_vec()),
        at in moments(),
    ) {
        let (zone, configuration) = (super::zone(zone), configuration());
        let handling = resolve(&configuration, &hours, &events, &zone, at);
        let open = is_open(&hours, &events, &zone, at);
        prop_assert_eq!(handling.period == Period::InHours, open);
        let expected = if open { &configuration.in_hours } else { &configuration.out_of_hours };
        prop_assert_eq!(handling.answer, expected);
        prop_assert!(!handling.why.is_empty());

        // It is constant until then, and really changes then: for three weeks, and around every event.
        let until = handling.until.unwrap_or(Instant::MAX);
        prop_assert!(at < until);
        let weeks = (0..3 * 7 * 24 * 60 / STEP_MIN).map(|step| at.plus(minutes(step * STEP_MIN)));
        let bounds = events.iter().flat_map(|event| {
            let interval = event.interval(&zone);
            [interval.from, interval.until]
        });
        let near = bounds.flat_map(|bound| (-12..12).map(move |step| bound.plus(minutes(step * STEP_MIN))));
        for moment in weeks.chain(near).filter(|moment| at <= *moment && *moment < until) {
            prop_assert_eq!(is_open(&hours, &events, &zone, moment), open, "at {:?}", moment);
        }
        if let Some(until) = handling.until {
            prop_assert_eq!(is_open(&hours, &events, &zone, until.plus(Duration::from_millis(-1))), open);
            prop_assert_eq!(is_open(&hours, &events, &zone, until), !open);
            let next = resolve(&configuration, &hours, &events, &zone, until);
            prop_assert_ne!(next.period, handling.period);
        }
    }

    /// Nothing stops it, not even the ends of time.
    #[test]
    fn any_instant_has_an_answer(hours in hours(), events in events(), at in any::<i64>()) {
        let configuration = configuration();
        for at in [Instant::from_millis(at), Instant::MIN, Instant::MAX] {
            let handling = resolve(&configuration, &hours, &events, &super::zone("Europe/London"), at);
            prop_assert!(handling.until.is_none_or(|until| until > at));
        }
    }
}
