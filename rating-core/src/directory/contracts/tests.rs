use super::*;
use crate::time::{Duration, Zone};

fn london() -> Zone {
    Zone::load("Europe/London").unwrap()
}

fn day(text: &str) -> Instant {
    if text.is_empty() { Instant::MAX } else { london().bound(text).unwrap() }
}

fn terms(from: &str, until: &str) -> Terms {
    Terms { term: Interval { from: day(from), until: day(until) }, deprovision: false, move_in: None }
}

fn facts(terms: Terms) -> Facts {
    Facts { id: "c1".to_owned(), terms: Some(terms), discarded: false, decommissioned: false }
}

/// The event, or the code of the refusal.
fn check(facts: &Facts, command: Command, at: &str, outcome: &str) {
    let decided = decide(facts, &command, &london(), day(at));
    let found = match &decided {
        Ok(events) => events.iter().map(Event::name).collect::<Vec<_>>().join(" "),
        Err(refusal) => refusal.code.to_owned(),
    };
    assert_eq!(found, outcome, "{command:?} at {at}: {decided:?}");
    if let Err(refusal) = decided {
        assert!(CODES.contains(&refusal.code), "{}", refusal.code);
    }
}

#[test]
fn rule_64_states_follow_from_the_dates_and_the_instant() {
    let terms = terms("2026-07-01", "2026-08-01");
    let moment = |text: &str, millis: i64| day(text).plus(Duration::from_millis(millis));
    for (at, state) in [
        (moment("2026-07-01", -1), State::Upcoming),
        (moment("2026-07-01", 0), State::Active),
        (moment("2026-08-01", -1), State::Active),
        (moment("2026-08-01", 0), State::Completed),
    ] {
        assert_eq!(terms.state(at), state, "{at:?}");
    }
    assert_eq!(
        [State::Upcoming, State::Active, State::Completed].map(State::name),
        ["UPCOMING", "ACTIVE", "COMPLETED"]
    );
    assert_eq!(self::terms("2026-07-01", "").state(Instant::from_millis(i64::MAX - 1)), State::Active);
}

#[test]
fn of_several_contracts_the_one_that_runs_counts_then_the_next() {
    let (old, now, next) =
        (terms("2025-01-01", "2026-01-01"), terms("2026-01-01", "2026-08-01"), terms("2026-09-01", ""));
    assert_eq!(standing([], day("2026-07-01")), None);
    assert_eq!(standing([&old, &next], day("2026-07-01")), Some(State::Upcoming));
    assert_eq!(standing([&next, &now, &old], day("2026-07-01")), Some(State::Active));
    assert_eq!(standing([&old], day("2026-07-01")), Some(State::Completed));
}

#[test]
fn rule_64_discard_works_on_upcoming_only() {
    let contract = facts(terms("2026-07-01", "2026-08-01"));
    check(&contract, Command::Discard, "2026-06-30", "discarded");
    check(&contract, Command::Discard, "2026-07-01", "contract.not_upcoming");
    check(&contract, Command::Discard, "2026-08-01", "contract.not_upcoming");
    let discarded = Facts { discarded: true, ..contract };
    for command in [Command::Discard, Command::Amend(terms("2026-07-01", ""))] {
        check(&discarded, command, "2026-06-30", "contract.discarded");
    }
    check(&discarded, Command::Make(terms("2026-07-01", "")), "2026-06-30", "contract.exists");
}

#[test]
fn rule_64_a_completed_contract_can_be_re_activated_and_no_other() {
    let contract = facts(terms("2026-07-01", "2026-08-01"));
    let until = |text: &str| Command::Reactivate { until: day(text), deprovision: true };
    check(&contract, until(""), "2026-06-01", "contract.not_completed");
    check(&contract, until(""), "2026-07-15", "contract.not_completed");
    check(&contract, until("2026-08-15"), "2026-08-15", "contract.end_in_past");
    check(&contract, until("2026-08-16"), "2026-08-15", "reactivated");
    let events = decide(&contract, &until(""), &london(), day("2026-08-15")).unwrap();
    let after = apply(&contract, &events[0]).terms.unwrap();
    assert_eq!(after, Terms { deprovision: true, ..terms("2026-07-01", "") });
    assert_eq!(after.state(day("2026-08-15")), State::Active);
}

#[test]
fn contracts_are_made_once_with_an_end_that_lies_ahead() {
    let new = Facts { id: "c1".to_owned(), terms: None, discarded: false, decommissioned: false };
    check(&new, Command::Make(terms("2026-01-01", "")), "2026-07-15", "made");
    check(&new, Command::Make(terms("2026-01-01", "2026-07-16")), "2026-07-15", "made");
    check(&new, Command::Make(terms("2026-01-01", "2026-07-15")), "2026-07-15", "contract.end_in_past");
    check(&new, Command::Make(terms("2026-09-01", "2026-09-01")), "2026-07-15", "contract.ends_before_start");
    check(&new, Command::Make(terms("2026-09-02", "2026-09-01")), "2026-07-15", "contract.ends_before_start");
    for command in [Command::Discard, Command::Amend(terms("2026-09-01", "")), Command::Decommission] {
        check(&new, command, "2026-07-15", "contract.unknown");
    }
    check(&facts(terms("2026-01-01", "")), Command::Make(terms("2026-01-01", "")), "2026-07-15", "contract.exists");
}

#[test]
fn a_start_that_has_passed_moves_only_back() {
    let amended = |from: &str, until: &str| Command::Amend(terms(from, until));
    let contract = facts(terms("2026-07-01", "2026-08-01"));
    // Before it begins, anything goes that ends after it begins.
    check(&contract, amended("2026-07-20", "2026-09-01"), "2026-06-15", "amended");
    check(&contract, amended("2026-09-01", "2026-08-01"), "2026-06-15", "contract.ends_before_start");
    // While it runs.
    check(&contract, amended("2026-07-02", "2026-09-01"), "2026-07-15", "contract.has_begun");
    check(&contract, amended("2026-06-01", "2026-09-01"), "2026-07-15", "amended");
    check(&contract, amended("2026-07-01", ""), "2026-07-15", "amended");
    check(&contract, amended("2026-07-01", "2026-07-15"), "2026-07-15", "contract.end_in_past");
    // After its end.
    check(&contract, amended("2026-07-01", "2026-12-01"), "2026-08-01", "contract.completed");
}

#[test]
fn rule_63_moving_in_is_not_before_the_start_and_moving_out_is_the_end() {
    let moving_in = |text: &str| Terms { move_in: Some(day(text)), ..terms("2026-07-01", "2026-08-01") };
    let new = Facts { terms: None, ..facts(terms("2026-07-01", "")) };
    check(&new, Command::Make(moving_in("2026-06-30")), "2026-06-01", "contract.move_in_before_start");
    check(&new, Command::Make(moving_in("2026-07-01")), "2026-06-01", "made");
    check(&new, Command::Make(moving_in("2026-07-31")), "2026-06-01", "made");
    check(&new, Command::Make(moving_in("2026-08-01")), "2026-06-01", "contract.move_in_after_end");
    // The start moves past the day of moving in.
    let later = Terms { term: terms("2026-07-20", "2026-08-01").term, ..moving_in("2026-07-10") };
    check(&facts(moving_in("2026-07-10")), Command::Amend(later), "2026-06-01", "contract.move_in_before_start");

    let occupancy = |terms: Terms| terms.occupancy().map(|occupancy| occupancy.until);
    assert_eq!(occupancy(moving_in("2026-07-10")), Some(day("2026-08-01")));
    let longer = Terms { term: terms("2026-07-01", "2026-10-01").term, ..moving_in("2026-07-10") };
    assert_eq!(occupancy(longer), Some(day("2026-10-01")));
    assert_eq!(occupancy(terms("2026-07-01", "")), None);
}

#[test]
fn a_decommission_ends_contracts_wherever_they_stand_and_for_good() {
    let contract = facts(terms("2026-07-01", "2026-08-01"));
    check(&contract, Command::Decommission, "2026-06-01", "discarded");
    check(&contract, Command::Decommission, "2026-09-01", "");
    check(&Facts { discarded: true, ..contract.clone() }, Command::Decommission, "2026-06-01", "");
    let now = day("2026-07-15T12:34:56+01:00");
    let events = decide(&contract, &Command::Decommission, &london(), now).unwrap();
    let ended = apply(&contract, &events[0]);
    let terms = ended.terms.unwrap();
    assert_eq!((terms.term.until, terms.deprovision, terms.state(now)), (now, true, State::Completed));
    let again = Command::Reactivate { until: Instant::MAX, deprovision: false };
    check(&ended, again, "2026-09-01", "contract.occupier_decommissioned");
    check(&Facts { decommissioned: true, ..contract }, Command::Decommission, "2026-07-15", "decommissioned");
    let new = Facts { terms: None, ..ended };
    check(&new, Command::Make(self::terms("2026-10-01", "")), "2026-09-01", "contract.occupier_decommissioned");
}

/// When a service is, or the code of the refusal: asked for these days, on 15 July at noon.
fn assigned(contract: Option<&Terms>, from: &str, until: &str) -> Result<Interval, &'static str> {
    let from = if from.is_empty() { Instant::MIN } else { day(from) };
    let asked = Interval { from, until: day(until) };
    let decided = assign_service(contract, asked, &london(), day("2026-07-15T12:00:00+01:00"));
    decided.map_err(|refusal| {
        assert!(SERVICE_CODES.contains(&refusal.code));
        refusal.code
    })
}

fn days(from: &str, until: &str) -> Interval {
    Interval { from: day(from), until: day(until) }
}

#[test]
fn rule_57_no_service_without_a_contract() {
    assert_eq!(assigned(None, "", ""), Err("service.no_contract"));
    assert_eq!(assigned(Some(&terms("2026-01-01", "2026-07-01")), "", ""), Err("service.contract_completed"));
}

#[test]
fn rule_58_a_service_begins_with_its_contract_and_not_with_its_assignment() {
    let upcoming = terms("2026-09-01", "2026-12-01");
    assert_eq!(assigned(Some(&upcoming), "", ""), Ok(days("2026-09-01", "")));
    assert_eq!(assigned(Some(&upcoming), "2026-07-20", ""), Ok(days("2026-09-01", "")));
    assert_eq!(assigned(Some(&upcoming), "2026-09-20", "2026-10-01"), Ok(days("2026-09-20", "2026-10-01")));
    assert_eq!(assigned(Some(&upcoming), "2026-07-20", "2026-08-20"), Err("service.interval_empty"));
    assert_eq!(assigned(Some(&upcoming), "2026-12-01", ""), Err("service.after_contract"));
    // Its contract begins later than was agreed at first: so does the service.
    let asked = Interval { from: day("2026-07-20"), until: Instant::MAX };
    assert_eq!(service_time(asked, &terms("2026-10-01", "")), days("2026-10-01", ""));
}

#[test]
fn services_begin_today_or_later() {
    let running = terms("2026-01-01", "");
    assert_eq!(assigned(Some(&running), "", ""), Ok(days("2026-07-15T12:00:00+01:00", "")));
    assert_eq!(assigned(Some(&running), "2026-07-15", ""), Ok(days("2026-07-15", "")));
    assert_eq!(assigned(Some(&running), "2026-07-14T23:59:59.999+01:00", ""), Err("service.start_in_past"));
    assert_eq!(assigned(Some(&running), "2026-07-20", "2026-07-20"), Err("service.interval_empty"));
}

#[test]
fn rule_59_with_the_switch_services_end_with_the_contract_and_without_it_they_stay() {
    let stays = terms("2026-01-01", "2026-08-01");
    let ends = Terms { deprovision: true, ..stays };
    let asked = days("2026-02-01", "");
    assert_eq!(service_time(asked, &ends), days("2026-02-01", "2026-08-01"));
    assert_eq!(service_time(asked, &stays), asked);
    assert_eq!(service_time(days("2026-02-01", "2026-03-01"), &ends), days("2026-02-01", "2026-03-01"));

    let moment_before = day("2026-08-01").plus(Duration::from_millis(-1));
    assert_eq!(deprovisioned_at(&ends, moment_before), None);
    assert_eq!(deprovisioned_at(&ends, day("2026-08-01")), Some(day("2026-08-01")));
    assert_eq!(deprovisioned_at(&ends, day("2026-12-01")), Some(day("2026-08-01")));
    assert_eq!(deprovisioned_at(&stays, day("2026-12-01")), None);
    // Undone before the day by an edit of the contract: the service is as it was asked for.
    assert_eq!(service_time(asked, &terms("2026-01-01", "")), asked);
}

#[test]
fn rule_42_lines_are_those_of_services_that_are_active() {
    let services = [(3, days("2026-01-01", "2026-08-01")), (2, days("2026-07-01", "")), (9, days("2026-09-01", ""))];
    for (at, lines) in [("2025-12-31", 0), ("2026-01-01", 3), ("2026-07-01", 5), ("2026-08-01", 2), ("2026-09-01", 11)]
    {
        assert_eq!(entitled_lines(services, day(at)), lines, "{at}");
    }
    assert_eq!(entitled_lines([(u32::MAX, Interval::ALWAYS), (1, Interval::ALWAYS)], day("2026-01-01")), u32::MAX);
}

#[test]
fn refusals_speak_by_the_clock_of_the_site() {
    let contract = facts(terms("2026-07-01", "2026-08-01"));
    let refusal = decide(&contract, &Command::Discard, &london(), day("2026-08-02")).unwrap_err();
    assert_eq!(refusal.message, "contract c1 is COMPLETED since 2026-08-01T00:00:00+01:00");
    let moved = Terms { move_in: Some(day("2026-03-01")), ..terms("2026-07-01", "") };
    let refusal = decide(&contract, &Command::Amend(moved), &london(), day("2026-02-01")).unwrap_err();
    let message = "the occupier would move in at 2026-03-01T00:00:00+00:00, before the contract begins at \
                   2026-07-01T00:00:00+01:00";
    assert_eq!(refusal.message, message);
}
