//! Main numbers: what is refused, what happens to a call, and laws that hold at any instant in any zone.

mod laws;

use super::*;
use crate::time::{Date, Duration, Instant, Interval, Weekday, Zone};

fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

fn zone(name: &str) -> Zone {
    Zone::load(name).unwrap()
}

fn number(last_digit: u8) -> E164 {
    E164::parse(format!("+44207946000{last_digit}").as_bytes()).unwrap()
}

fn time(text: &str) -> TimeOfDay {
    TimeOfDay::parse(text).unwrap()
}

fn span(day: Weekday, from: &str, until: &str) -> Span {
    Span { day, from: time(from), until: time(until) }
}

fn event(name: &str, from: &str, until: &str) -> Event {
    let when = When::Instants(Interval { from: instant(from), until: instant(until) });
    Event { name: name.to_owned(), when }
}

fn to(target: Target) -> Answer {
    Answer { target, no_answer: None }
}

fn then(target: Target, after_s: u32, then: Target) -> Answer {
    Answer { target, no_answer: Some(NoAnswer { after_s, then }) }
}

/// Reception, then the hunt group, by day; voicemail by night.
fn configuration() -> Configuration {
    Configuration {
        in_hours: then(Target::Reception, 20, Target::HuntGroup),
        out_of_hours: to(Target::Voicemail),
        greeting_in_hours: Some("Acme, good morning".to_owned()),
        ..Configuration::default()
    }
}

/// What happens at an instant: the first target, the reasons in words, and until when by the clock of the zone.
fn check_call(hours: &Hours, events: &[Event], zone: &Zone, at: &str, target: &str, why: &str, until: &str) {
    let configuration = configuration();
    let handling = resolve(&configuration, hours, events, zone, instant(at));
    let reasons: Vec<String> = handling.why.iter().map(|reason| reason.in_words(zone)).collect();
    let shown = handling.until.map_or("never".to_owned(), |until| zone.format(until));
    assert_eq!((handling.answer.target.name(), &*reasons.join("; "), &*shown), (target, why, until), "at {at}");
}

#[test]
fn rule_52_the_default_hours_begin_at_08_30_00_and_end_before_18_00_00() {
    let (hours, london) = (Hours::default(), zone("Europe/London"));
    // 1 July 2026 is a Wednesday, in summer time; the Friday after it is followed by a weekend.
    for (at, target, why, until) in [
        ("2026-07-01T08:29:59.999+01:00", "voicemail", "outside business hours", "2026-07-01T08:30:00+01:00"),
        (
            "2026-07-01T08:30:00+01:00",
            "reception",
            "inside business hours, Wednesday 08:30–18:00",
            "2026-07-01T18:00:00+01:00",
        ),
        (
            "2026-07-01T17:59:59.999+01:00",
            "reception",
            "inside business hours, Wednesday 08:30–18:00",
            "2026-07-01T18:00:00+01:00",
        ),
        ("2026-07-01T18:00:00+01:00", "voicemail", "outside business hours", "2026-07-02T08:30:00+01:00"),
        ("2026-07-03T18:00:00+01:00", "voicemail", "outside business hours", "2026-07-06T08:30:00+01:00"),
        ("2026-07-05T12:00:00+01:00", "voicemail", "outside business hours", "2026-07-06T08:30:00+01:00"),
    ] {
        check_call(&hours, &[], &london, at, target, why, until);
    }
}

#[test]
fn rule_53_an_event_forces_out_of_hours_between_its_start_and_end() {
    let (hours, london) = (Hours::default(), zone("Europe/London"));
    let drill = [event("Fire drill", "2026-07-01T10:00:00+01:00", "2026-07-01T11:00:00+01:00")];
    let inside = "inside business hours, Wednesday 08:30–18:00";
    let forced = format!("Fire drill, from 2026-07-01T10:00:00+01:00 until 2026-07-01T11:00:00+01:00; {inside}");
    for (at, target, why, until) in [
        ("2026-07-01T09:59:59.999+01:00", "reception", inside, "2026-07-01T10:00:00+01:00"),
        ("2026-07-01T10:00:00+01:00", "voicemail", &forced, "2026-07-01T11:00:00+01:00"),
        ("2026-07-01T10:59:59.999+01:00", "voicemail", &forced, "2026-07-01T11:00:00+01:00"),
        ("2026-07-01T11:00:00+01:00", "reception", inside, "2026-07-01T18:00:00+01:00"),
    ] {
        check_call(&hours, &drill, &london, at, target, why, until);
    }
}

#[test]
fn rule_53_a_whole_day_lasts_from_00_00_until_the_next_day() {
    let (hours, london) = (Hours::default(), zone("Europe/London"));
    // 25 December 2026 is a Friday, and Monday the 28th is the bank holiday for the 26th.
    let holidays = ["2026-12-25", "2026-12-28"].map(|date| Event::day("Bank holiday", Date::parse(date).unwrap()));
    let inside = "inside business hours, Thursday 08:30–18:00";
    check_call(&hours, &holidays, &london, "2026-12-24T17:00:00Z", "reception", inside, "2026-12-24T18:00:00+00:00");
    let until = "2026-12-29T08:30:00+00:00";
    check_call(&hours, &holidays, &london, "2026-12-24T18:00:00Z", "voicemail", "outside business hours", until);
    let why = "Bank holiday, from 2026-12-25T00:00:00+00:00 until 2026-12-26T00:00:00+00:00; \
               inside business hours, Friday 08:30–18:00";
    check_call(&hours, &holidays, &london, "2026-12-25T12:00:00Z", "voicemail", why, until);
    let why = "Bank holiday, from 2026-12-28T00:00:00+00:00 until 2026-12-29T00:00:00+00:00; outside business hours";
    check_call(&hours, &holidays, &london, "2026-12-28T23:59:59.999Z", "voicemail", why, until);
    check_call(&hours, &holidays, &london, "2026-12-29T00:00:00Z", "voicemail", "outside business hours", until);
}

#[test]
fn events_that_meet_or_overlap_are_one_closure_and_each_a_reason() {
    let (hours, london) = (Hours::default(), zone("Europe/London"));
    let events = [
        event("Lift works", "2026-07-01T12:00:00+01:00", "2026-07-02T10:00:00+01:00"),
        event("Fire drill", "2026-07-01T10:00:00+01:00", "2026-07-01T13:00:00+01:00"),
        event("Meeting", "2026-07-02T10:00:00+01:00", "2026-07-02T11:00:00+01:00"),
    ];
    let why = "Fire drill, from 2026-07-01T10:00:00+01:00 until 2026-07-01T13:00:00+01:00; \
               Lift works, from 2026-07-01T12:00:00+01:00 until 2026-07-02T10:00:00+01:00; \
               inside business hours, Wednesday 08:30–18:00";
    check_call(&hours, &events, &london, "2026-07-01T12:30:00+01:00", "voicemail", why, "2026-07-02T11:00:00+01:00");
}

#[test]
fn hours_follow_the_wall_clock_when_it_is_changed() {
    let (hours, london, new_york) = (Hours::default(), zone("Europe/London"), zone("America/New_York"));
    let outside = "outside business hours";
    // Both Sundays lie in weekends: Friday 18:00 to Monday 08:30 is 62 h 30 min, an hour less in spring, more in autumn.
    for (zone, friday, monday, length_min) in [
        (&london, "2026-03-27T18:00:00+00:00", "2026-03-30T08:30:00+01:00", 3_690),
        (&london, "2026-10-23T18:00:00+01:00", "2026-10-26T08:30:00+00:00", 3_810),
        (&new_york, "2026-03-06T18:00:00-05:00", "2026-03-09T08:30:00-04:00", 3_690),
        (&new_york, "2026-10-30T18:00:00-04:00", "2026-11-02T08:30:00-05:00", 3_810),
    ] {
        check_call(&hours, &[], zone, friday, "voicemail", outside, monday);
        assert_eq!(instant(monday).since(instant(friday)), Duration::from_seconds(length_min * 60));
    }
}

#[test]
fn hours_in_a_repeated_hour_hold_twice_and_in_a_skipped_one_never() {
    let night = Hours { spans: vec![span(Weekday::Sunday, "01:15", "01:45")] };
    let inside = "inside business hours, Sunday 01:15–01:45";
    let outside = "outside business hours";
    let london = zone("Europe/London");
    // 25 October 2026: 01:00 to 02:00 comes twice.
    let autumn = "2026-10-25T01";
    for (at, target, why, until) in [
        (format!("{autumn}:00:00+01:00"), "voicemail", outside, format!("{autumn}:15:00+01:00")),
        (format!("{autumn}:15:00+01:00"), "reception", inside, format!("{autumn}:45:00+01:00")),
        (format!("{autumn}:45:00+01:00"), "voicemail", outside, format!("{autumn}:15:00+00:00")),
        (format!("{autumn}:15:00+00:00"), "reception", inside, format!("{autumn}:45:00+00:00")),
        (format!("{autumn}:45:00+00:00"), "voicemail", outside, "2026-11-01T01:15:00+00:00".to_owned()),
    ] {
        check_call(&night, &[], &london, &at, target, why, &until);
    }
    // 29 March 2026: 01:00 to 02:00 never comes; a span that it cuts begins with the jump.
    check_call(&night, &[], &london, "2026-03-29T00:30:00Z", "voicemail", outside, "2026-04-05T01:15:00+01:00");
    let cut = Hours { spans: vec![span(Weekday::Sunday, "01:30", "02:30")] };
    check_call(&cut, &[], &london, "2026-03-29T00:59:59.999Z", "voicemail", outside, "2026-03-29T02:00:00+01:00");
}

#[test]
fn a_clock_that_is_changed_by_half_an_hour_is_followed_too() {
    // Lord Howe Island: on 5 April 2026 at 02:00 (+11:00) the clock goes back to 01:30 (+10:30).
    let lord_howe = zone("Australia/Lord_Howe");
    let night = Hours { spans: vec![span(Weekday::Sunday, "01:40", "01:50")] };
    let inside = "inside business hours, Sunday 01:40–01:50";
    let outside = "outside business hours";
    let morning = "2026-04-05T01";
    for (at, target, why, until) in [
        (format!("{morning}:40:00+11:00"), "reception", inside, format!("{morning}:50:00+11:00")),
        (format!("{morning}:50:00+11:00"), "voicemail", outside, format!("{morning}:40:00+10:30")),
        (format!("{morning}:40:00+10:30"), "reception", inside, format!("{morning}:50:00+10:30")),
    ] {
        check_call(&night, &[], &lord_howe, &at, target, why, &until);
    }
}

#[test]
fn a_whole_day_is_as_long_as_the_clock_makes_it() {
    let day = |date: &str, zone: &Zone| {
        let interval = Event::day("Closed", Date::parse(date).unwrap()).interval(zone);
        interval.until.since(interval.from).as_millis() / 60_000
    };
    let (london, new_york, lord_howe) = (zone("Europe/London"), zone("America/New_York"), zone("Australia/Lord_Howe"));
    let lengths = [
        day("2026-03-29", &london),
        day("2026-10-25", &london),
        day("2026-03-08", &new_york),
        day("2026-11-01", &new_york),
        day("2026-04-05", &lord_howe),
        day("2026-10-04", &lord_howe),
    ];
    assert_eq!(lengths, [1_380, 1_500, 1_380, 1_500, 1_470, 1_410]);
}

#[test]
fn a_site_that_is_always_or_never_open_changes_with_events_alone() {
    let utc = Zone::utc();
    let always = Hours { spans: Weekday::ALL.iter().map(|day| span(*day, "00:00", "24:00")).collect() };
    let never = Hours { spans: Vec::new() };
    let drill = [event("Drill", "2031-01-01T10:00:00Z", "2031-01-01T11:00:00Z")];
    let inside = "inside business hours, Wednesday 00:00–24:00";
    check_call(&always, &[], &utc, "2026-07-01T10:00:00Z", "reception", inside, "never");
    check_call(&always, &drill, &utc, "2026-07-01T10:00:00Z", "reception", inside, "2031-01-01T10:00:00+00:00");
    check_call(&always, &drill, &utc, "2031-01-01T11:00:00Z", "reception", inside, "never");
    check_call(&never, &drill, &utc, "2026-07-01T10:00:00Z", "voicemail", "outside business hours", "never");
    let closed_for_good = [Event {
        name: "Closed".to_owned(),
        when: When::Instants(Interval { until: Instant::MAX, from: instant("2026-07-01T00:00:00Z") }),
    }];
    let why = format!("Closed, from 2026-07-01T00:00:00+00:00 until further notice; {inside}");
    check_call(&always, &closed_for_good, &utc, "2026-07-01T10:00:00Z", "voicemail", &why, "never");
}

#[test]
fn the_no_answer_step_and_the_greeting_are_those_of_the_period() {
    let configuration = configuration();
    let (hours, utc) = (Hours::default(), Zone::utc());
    let day = resolve(&configuration, &hours, &[], &utc, instant("2026-07-01T10:00:00Z"));
    assert_eq!((day.period, day.greeting), (Period::InHours, Some("Acme, good morning")));
    assert_eq!(day.answer.no_answer, Some(NoAnswer { after_s: 20, then: Target::HuntGroup }));
    let night = resolve(&configuration, &hours, &[], &utc, instant("2026-07-01T20:00:00Z"));
    assert_eq!((night.period, night.greeting, &night.answer.no_answer), (Period::OutOfHours, None, &None));
}

/// The fields that are at fault, each with its code, of a configuration for number 0 of an organisation with 1 and 2.
fn check_faults(configuration: &Configuration, own_numbers: &[E164], faults: &[(&str, &str)]) {
    let known = Known { number: number(0), own_numbers };
    let found = check(configuration, known).err();
    let details = found.iter().flat_map(|refusal| &refusal.details);
    let details: Vec<(&str, &str)> = details.map(|detail| (detail.of.as_str(), detail.code)).collect();
    assert_eq!(details, faults, "{configuration:?}");
    assert!(faults.iter().all(|(_, code)| CODES.contains(code)));
    let count = |refusal: &crate::directory::refusal::Refusal| {
        let faults = if faults.len() == 1 { "a fault".to_owned() } else { format!("{} faults", faults.len()) };
        assert_eq!(refusal.message, format!("the configuration of +442079460000 has {faults}"));
    };
    found.iter().for_each(count);
}

#[test]
fn rule_54_voicemail_to_email_needs_voicemail_in_an_option_and_an_address() {
    let own = [number(1)];
    let mailed = |address: &str| Configuration { voicemail_to_email: Some(address.to_owned()), ..configuration() };
    check_faults(&mailed("desk@acme.example"), &own, &[]);
    check_faults(&mailed(""), &own, &[("voicemail_to_email", "main_number.email_missing")]);
    for address in
        ["desk", "@acme.example", "desk@", "a b@acme.example", "a@b@c", "desk@acme.example, x@y.example", "d@.e"]
    {
        check_faults(&mailed(address), &own, &[("voicemail_to_email", "main_number.email_malformed")]);
    }
    // Without voicemail by night; then as a second target by day.
    let elsewhere = Configuration { out_of_hours: to(Target::Reception), ..mailed("desk@acme.example") };
    check_faults(&elsewhere, &own, &[("voicemail_to_email", "main_number.email_without_voicemail")]);
    let second = Configuration { in_hours: then(Target::HuntGroup, 30, Target::Voicemail), ..elsewhere };
    check_faults(&second, &own, &[]);
}

#[test]
fn a_second_target_is_another_one_after_5_to_120_seconds() {
    let own = [number(1)];
    let by_day = |answer: Answer| Configuration { in_hours: answer, ..configuration() };
    let seconds = ("in_hours.no_answer.after_s", "main_number.no_answer_seconds");
    for (after_s, faults) in [(4, &[seconds][..]), (5, &[]), (120, &[]), (121, &[seconds])] {
        check_faults(&by_day(then(Target::Reception, after_s, Target::Voicemail)), &own, faults);
    }
    let same = ("in_hours.no_answer.then", "main_number.no_answer_same_target");
    check_faults(&by_day(then(Target::Reception, 20, Target::Reception)), &own, &[same]);
    let elsewhere = |digit| Target::Forward(number(digit));
    check_faults(&by_day(then(elsewhere(7), 20, elsewhere(7))), &own, &[same]);
    check_faults(&by_day(then(elsewhere(7), 20, elsewhere(8))), &own, &[]);
    let after_voicemail = ("in_hours.no_answer", "main_number.no_answer_after_voicemail");
    check_faults(&by_day(then(Target::Voicemail, 20, Target::Reception)), &own, &[after_voicemail]);
    check_faults(&by_day(then(Target::Voicemail, 20, Target::Voicemail)), &own, &[after_voicemail]);
}

#[test]
fn calls_are_not_forwarded_to_the_main_number_itself() {
    let code = "main_number.forwards_to_itself";
    let itself = || Target::Forward(number(0));
    let by_night = Configuration { out_of_hours: then(itself(), 20, Target::Voicemail), ..configuration() };
    check_faults(&by_night, &[number(1)], &[("out_of_hours.target", code)]);
    let second = Configuration { out_of_hours: then(Target::HuntGroup, 20, itself()), ..configuration() };
    check_faults(&second, &[number(1)], &[("out_of_hours.no_answer.then", code)]);
}

#[test]
fn a_hunt_group_is_of_the_organisations_own_numbers_each_once() {
    let own = [number(1), number(2)];
    let group = |numbers: &[u8]| Configuration {
        hunt_group: HuntGroup::Only(numbers.iter().map(|digit| number(*digit)).collect()),
        ..configuration()
    };
    let stranger = "main_number.hunt_group_stranger";
    check_faults(&group(&[2, 1]), &own, &[]);
    check_faults(&group(&[]), &own, &[("hunt_group", "main_number.hunt_group_empty")]);
    check_faults(&group(&[1, 0, 7]), &own, &[("hunt_group[1]", stranger), ("hunt_group[2]", stranger)]);
    check_faults(&group(&[1, 2, 1]), &own, &[("hunt_group[2]", "main_number.hunt_group_repeated")]);
    // All of none, where they would be asked, and where not.
    check_faults(&configuration(), &[], &[("hunt_group", "main_number.hunt_group_empty")]);
    check_faults(&Configuration { in_hours: to(Target::Reception), ..configuration() }, &[], &[]);
}

#[test]
fn greetings_are_short_and_on_one_line() {
    let greet = |text: &str| Configuration { greeting_out_of_hours: Some(text.to_owned()), ..configuration() };
    let fault = ("greeting_out_of_hours", "main_number.greeting_malformed");
    check_faults(&greet(&"é".repeat(500)), &[number(1)], &[]);
    for text in ["", " ", "two\nlines", &"e".repeat(501)] {
        check_faults(&greet(text), &[number(1)], &[fault]);
    }
}

#[test]
fn hours_are_refused_with_every_span_that_is_wrong() {
    let hours = Hours {
        spans: vec![
            span(Weekday::Monday, "08:30", "12:00"),
            span(Weekday::Monday, "12:00", "18:00"),
            span(Weekday::Tuesday, "18:00", "08:00"),
            span(Weekday::Monday, "11:59", "12:01"),
            span(Weekday::Wednesday, "09:00", "09:00"),
        ],
    };
    let refusal = check_hours(&hours).unwrap_err();
    let expected = "the business hours have 3 faults\n\
        weekly[2]: Tuesday 18:00–08:00 ends before it begins\n\
        weekly[3]: Monday 11:59–12:01 overlaps Monday 08:30–12:00\n\
        weekly[4]: Wednesday 09:00–09:00 ends before it begins";
    assert_eq!(refusal.to_string(), expected);
    assert!(refusal.details.iter().all(|detail| HOURS_CODES.contains(&detail.code)));
    assert_eq!(check_hours(&Hours::default()), Ok(()));
    assert_eq!(check_hours(&Hours { spans: Vec::new() }), Ok(()));
}

#[test]
fn events_have_a_name_and_some_time() {
    let utc = Zone::utc();
    let code = |event: &Event| check_event(event, &utc).map_err(|refusal| refusal.code);
    assert_eq!(code(&event("Drill", "2026-07-01T10:00:00Z", "2026-07-01T10:00:00.001Z")), Ok(()));
    assert_eq!(code(&event("Drill", "2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z")), Err(EVENT_CODES[0]));
    let date = Date::parse("2026-12-25").unwrap();
    assert_eq!(code(&Event::day("Christmas", date)), Ok(()));
    assert_eq!(code(&Event::day("", date)), Err(EVENT_CODES[1]));
    let backwards = When::Days { from: date, until: date };
    assert_eq!(code(&Event { name: "Christmas".to_owned(), when: backwards }), Err(EVENT_CODES[0]));
}
