//! The rules by their names, where a table of codes does not show them.

use super::*;

fn refused(facts: &Facts, command: &Command) -> String {
    decide(facts, command, now()).unwrap_err().message
}

fn done(facts: &Facts, command: &Command, at: Instant) -> Facts {
    let events = decide(facts, command, at).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
    after(facts, &events)
}

#[test]
fn rule_39_a_number_is_provisioned_once_and_at_one_site() {
    let provision = Command::Provision { kind: Kind::Main, origin: Origin::Ported, cool_off: CoolOff::new(999) };
    let facts = done(&Facts::absent(number(1), "ldn"), &provision, now());
    let own = (facts.site.as_str(), facts.kind, facts.origin, facts.cool_off, facts.changed_at);
    assert_eq!(own, ("ldn", Kind::Main, Origin::Ported, CoolOff::new(999), Some(now())));
    assert_eq!(refused(&facts, &provision), "the directory has +442079460001 already");
}

#[test]
fn rule_40_messages_name_the_occupier_and_the_site() {
    let allocate = Command::Allocate { holder: occupier("acme"), extension: None };
    let refused = |given: &str| decide(&super::given(given), &allocate, now()).unwrap_err().message;
    assert_eq!(refused("available + no_contract"), "acme has no contract at ldn");
    assert_eq!(refused("available + contract_completed"), "every contract of acme at ldn has ended");
}

#[test]
fn rule_42_the_refusal_counts_lines_and_numbers() {
    let mut facts = given("reserved");
    (facts.around.lines, facts.around.in_use) = (1, 1);
    assert_eq!(refused(&facts, &Command::Activate), "acme has 1 voice line at ldn and 1 number in use");
    (facts.around.lines, facts.around.in_use) = (0, 2);
    assert_eq!(refused(&facts, &Command::Activate), "acme has 0 voice lines at ldn and 2 numbers in use");
}

#[test]
fn rule_48_a_cooling_number_says_until_when() {
    let allocate = Command::Allocate { holder: occupier("birch"), extension: None };
    let message = "+442079460001 is in COOLDOWN until 2026-08-01T00:00:00Z, not AVAILABLE";
    assert_eq!(refused(&given("cooldown"), &allocate), message);
}

#[test]
fn a_cool_off_lasts_as_long_as_the_number_says_else_the_site() {
    // From 1 July 12:00: 90 days are over on 29 September, 7 on the 8th, 999 on 26 March 2029.
    let days = |days: u16| CoolOff::new(days).unwrap();
    for (site, own, until) in [
        (CoolOff::default(), None, "2026-09-29T12:00:00Z"),
        (days(7), None, "2026-07-08T12:00:00Z"),
        (days(7), Some(days(999)), "2029-03-26T12:00:00Z"),
        (days(7), Some(days(1)), "2026-07-02T12:00:00Z"),
    ] {
        let mut facts = given("active");
        facts.around.cool_off = site;
        facts.cool_off = own;
        let cooling = done(&facts, &Command::End(Ending::Services), now());
        assert_eq!((cooling.state, cooling.cool_off_until), (State::Cooldown, Some(instant(until))));
        let early = instant(until).plus(Duration::from_millis(-1));
        assert_eq!(decide(&cooling, &Command::EndCoolOff, early).unwrap_err().code, "number.cool_off_not_over");
        let free = done(&cooling, &Command::EndCoolOff, instant(until));
        assert_eq!((free.state, free.cool_off_until), (State::Available, None));
        assert_eq!(free.last_holder, Some(occupier("acme")));
    }
}

#[test]
fn a_cool_off_that_runs_keeps_its_end_when_the_length_changes() {
    let facts = done(&given("cooldown"), &Command::SetCoolOff(CoolOff::new(1)), now());
    assert_eq!(facts.cool_off_until, given("cooldown").cool_off_until);
}

#[test]
fn the_allocation_ends_when_the_cool_off_begins_and_not_while_the_change_is_under_way() {
    let facts = given("active + confirms + user");
    let pending = done(&facts, &Command::End(Ending::Contract), now());
    assert_eq!((pending.state, &pending.holder), (State::Pending(Towards::Cooldown), &facts.holder));
    let later = now().plus(Duration::from_seconds(300));
    let events = decide(&pending, &Command::Confirm, later).unwrap();
    assert_eq!(events.iter().find_map(Event::allocation), Some(AllocationChange::Ended { until: later }));
    let cooling = after(&pending, &events);
    assert_eq!((cooling.holder, cooling.assigned, cooling.extension, cooling.label), (None, None, None, None));
    assert_eq!(cooling.cool_off_until, Some(CoolOff::default().end(later)));
}

#[test]
fn nothing_of_a_holder_reaches_the_next() {
    let mut facts = given("active + user + logged_in");
    facts.label = Some("Front desk".to_owned());
    facts = done(&facts, &Command::End(Ending::Services), now());
    facts = done(&facts, &Command::Release { reason: "asked for".to_owned() }, now());
    facts = done(&facts, &Command::Allocate { holder: occupier("birch"), extension: None }, now());
    let mut expected = given("reserved");
    expected.holder = Some(occupier("birch"));
    expected.last_holder = Some(occupier("acme"));
    (expected.extension, expected.changed_at) = (None, Some(now()));
    assert_eq!(facts, expected);
}

#[test]
fn an_ordinary_deactivation_ends_no_allocation_but_takes_the_number_from_its_device() {
    let mut facts = given("active + device");
    facts.label = Some("Lobby".to_owned());
    let events = decide(&facts, &Command::Deactivate, now()).unwrap();
    assert_eq!(events.iter().find_map(Event::allocation), None);
    let reserved = after(&facts, &events);
    assert_eq!((reserved.holder, reserved.assigned), (facts.holder, None));
    assert_eq!(reserved.label.as_deref(), Some("Lobby"));
    assert!(reserved.used);
}

#[test]
fn a_deactivation_that_fails_gives_the_number_back_as_it_was() {
    let facts = given("active + device + confirms");
    let pending = done(&facts, &Command::Deactivate, now());
    let back = done(&pending, &Command::Fail { reason: "switch unreachable".to_owned() }, now());
    assert_eq!(back, Facts { changed_at: Some(now()), ..facts });
}

#[test]
fn rule_51_settings_need_a_number_in_use() {
    for (state, code) in [
        ("absent", Some("number.unknown")),
        ("available", Some("number.not_active")),
        ("reserved", Some("number.not_active")),
        ("pending_active", Some("number.not_active")),
        ("pending_reserved", Some("number.not_active")),
        ("active", None),
        ("cooldown", Some("number.not_active")),
    ] {
        assert_eq!(may_configure(&given(state)).err().map(|refusal| refusal.code), code, "{state}");
    }
}

#[test]
fn rule_56_a_ported_number_enters_as_reserved_for_whoever_brings_it() {
    let port_in = Command::PortIn { holder: occupier("acme"), extension: extension("201"), kind: Kind::Direct };
    let facts = done(&given("absent"), &port_in, now());
    let entered = (facts.state, facts.origin, facts.holder, facts.extension);
    assert_eq!(entered, (State::Reserved, Origin::Ported, Some(occupier("acme")), extension("201")));
}

#[test]
fn rule_79_a_hold_is_over_at_its_end_and_serves_the_prospect_that_becomes_an_occupier() {
    let mut facts = given("available");
    facts.hold = Some(hold("acme", "2026-07-01T12:00:00.001Z"));
    let birch = Command::Allocate { holder: occupier("birch"), extension: None };
    assert_eq!(decide(&facts, &birch, now()).unwrap_err().code, "number.held_for_prospect");
    let a_moment_later = now().plus(Duration::from_millis(1));
    assert_eq!(done(&facts, &birch, a_moment_later).hold, None);
    let acme = Command::Allocate { holder: occupier("acme"), extension: None };
    assert_eq!(done(&facts, &acme, now()).hold, None);
    // Nobody holds a number that is kept, so nobody is charged.
    assert!(!State::Available.is_held());
}

#[test]
fn lengths_of_cool_off_are_1_to_999_days() {
    for (days, is_one) in [(0, false), (1, true), (90, true), (999, true), (1_000, false), (u16::MAX, false)] {
        assert_eq!(CoolOff::new(days).is_some(), is_one, "{days}");
    }
    assert_eq!(cool_off_malformed("0.5").message, "0.5 is no length of cool-off");
}
