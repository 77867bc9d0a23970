//! The life of a number: every state and command by table, the rules by name, and laws over random histories.

mod laws;
mod many;
mod rules;

use std::collections::BTreeSet;

use super::*;
use crate::directory::contracts;
use crate::number::{Digits, E164};
use crate::time::{Duration, Instant};

const TABLE: &str = include_str!("../../../../testdata/directory/number_life.csv");

fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap()
}

/// When everything in the table is asked.
fn now() -> Instant {
    instant("2026-07-01T12:00:00Z")
}

fn number(last_digits: u32) -> E164 {
    E164::parse(format!("+4420794600{last_digits:02}").as_bytes()).unwrap()
}

fn occupier(id: &str) -> Holder {
    Holder::Occupier(id.to_owned())
}

fn extension(text: &str) -> Option<Digits> {
    Some(Digits::parse(text.as_bytes()).unwrap())
}

fn hold(prospect: &str, until: &str) -> Hold {
    Hold { prospect: prospect.to_owned(), until: instant(until), contracted_lines: Some(4) }
}

/// A number in a state, of acme if anybody holds it: acme has a contract that runs and five free lines, and the site
/// confirms nothing.
fn in_state(number: E164, state: State) -> Facts {
    let mut facts = Facts::absent(number, "ldn");
    facts.state = state;
    facts.around.contract = Some(contracts::State::Active);
    facts.around.lines = 5;
    if state != State::Absent {
        facts.changed_at = Some(now().plus(Duration::from_seconds(-3_600)));
    }
    if state.is_held() {
        facts.holder = Some(occupier("acme"));
        facts.extension = extension("201");
        facts.used = !matches!(state, State::Reserved | State::Pending(Towards::Active));
    }
    if state == State::Cooldown {
        facts.last_holder = Some(occupier("acme"));
        facts.cool_off_until = Some(instant("2026-08-01T00:00:00Z"));
    }
    facts
}

/// The facts that a cell of the column `given` stands for.
fn given(cell: &str) -> Facts {
    let mut words = cell.split(" + ");
    let state = match words.next().unwrap() {
        "absent" => State::Absent,
        "available" => State::Available,
        "reserved" | "reserved_used" => State::Reserved,
        "pending_active" => State::Pending(Towards::Active),
        "pending_reserved" => State::Pending(Towards::Reserved),
        "pending_cooldown" => State::Pending(Towards::Cooldown),
        "active" => State::Active,
        "cooldown" => State::Cooldown,
        other => panic!("{other} is no state"),
    };
    let mut facts = in_state(number(1), state);
    facts.used |= cell.starts_with("reserved_used");
    for word in words {
        match word {
            "main" => facts.kind = Kind::Main,
            "operator" => facts.holder = facts.holder.map(|_| Holder::Operator("harbour".to_owned())),
            "user" => facts.assigned = Some(Assignee::User("u1".to_owned())),
            "device" => facts.assigned = Some(Assignee::Device("d1".to_owned())),
            "logged_in" => facts.logged_in = Some("00:04:f2:00:00:01".to_owned()),
            "kept_for_other" => facts.hold = Some(hold("elm", "2026-12-01T00:00:00Z")),
            "kept_for_prospect" => facts.hold = Some(hold("dahlia", "2026-12-01T00:00:00Z")),
            "kept_for_acme" => facts.hold = Some(hold("acme", "2026-12-01T00:00:00Z")),
            // Over at the very moment.
            "kept_once" => facts.hold = Some(hold("elm", "2026-07-01T12:00:00Z")),
            "no_contract" => facts.around.contract = None,
            "contract_upcoming" => facts.around.contract = Some(contracts::State::Upcoming),
            "contract_completed" => facts.around.contract = Some(contracts::State::Completed),
            "has_main" => facts.around.has_main_number = true,
            "extension_taken" => facts.around.extension_taken = true,
            "no_lines" => facts.around.in_use = 5,
            "one_line_left" => facts.around.in_use = 4,
            "fewer_lines_than_numbers" => (facts.around.lines, facts.around.in_use) = (2, 3),
            "confirms" => facts.around.confirms = true,
            "over" => facts.cool_off_until = Some(now()),
            "one_moment_left" => facts.cool_off_until = Some(now().plus(Duration::from_millis(1))),
            "changes_later" => facts.changed_at = Some(now().plus(Duration::from_millis(1))),
            other => panic!("{other} is no circumstance"),
        }
    }
    facts
}

/// The command that a cell of the column `command` stands for.
fn command(cell: &str, given: &str) -> Command {
    let is = |word: &str| given.split(" + ").any(|given| given == word);
    let holder = if is("operator") { Holder::Operator("harbour".to_owned()) } else { occupier("acme") };
    let kind = if is("main") { Kind::Main } else { Kind::Direct };
    let reason = |text: &str| text.to_owned();
    match cell {
        "provision" => Command::Provision { kind, origin: Origin::Own, cool_off: None },
        "port_in" => Command::PortIn { holder, extension: extension("201"), kind },
        "nominate" => Command::Nominate,
        "withdraw_nomination" => Command::WithdrawNomination,
        "set_cool_off" => Command::SetCoolOff(CoolOff::new(10)),
        "hold" => Command::Hold(hold("dahlia", "2026-12-31T00:00:00Z")),
        "hold_in_past" => Command::Hold(hold("dahlia", "2026-07-01T12:00:00Z")),
        "hold_for_nobody" => Command::Hold(hold("", "2026-12-31T00:00:00Z")),
        "unhold" => Command::Unhold,
        "allocate" => Command::Allocate { holder, extension: extension("201") },
        "allocate_without_extension" => Command::Allocate { holder, extension: None },
        "activate" => Command::Activate,
        "confirm" => Command::Confirm,
        "fail" => Command::Fail { reason: reason("the port is gone") },
        "fail_without_reason" => Command::Fail { reason: reason(" ") },
        "assign" => Command::Assign(Assignee::User("u2".to_owned())),
        "assign_to_nobody" => Command::Assign(Assignee::Place(String::new())),
        "unassign" => Command::Unassign,
        "log_in" => Command::LogIn { device: "00:04:f2:00:00:02".to_owned() },
        "log_in_of_nothing" => Command::LogIn { device: String::new() },
        "log_out" => Command::LogOut,
        "label" => Command::Label(Some("Front desk".to_owned())),
        "label_of_nothing" => Command::Label(None),
        "label_of_blanks" => Command::Label(Some("  ".to_owned())),
        "label_of_two_lines" => Command::Label(Some("Front\ndesk".to_owned())),
        "label_of_100" => Command::Label(Some("ü".repeat(100))),
        "label_of_101" => Command::Label(Some("u".repeat(101))),
        "deactivate" => Command::Deactivate,
        "end" => Command::End(Ending::Contract),
        "end_of_services" => Command::End(Ending::Services),
        "decommission" => Command::End(Ending::Decommission),
        "deallocate" => Command::Deallocate,
        "release" => Command::Release { reason: reason("the tenant asked for it") },
        "release_without_reason" => Command::Release { reason: String::new() },
        "end_cool_off" => Command::EndCoolOff,
        other => panic!("{other} is no command"),
    }
}

fn shown(state: State) -> String {
    match state {
        State::Pending(Towards::Active) => "PENDING>ACTIVE".to_owned(),
        State::Pending(Towards::Reserved) => "PENDING>RESERVED".to_owned(),
        State::Pending(Towards::Cooldown) => "PENDING>COOLDOWN".to_owned(),
        state => state.name().to_owned(),
    }
}

fn after(facts: &Facts, events: &[Event]) -> Facts {
    events.iter().fold(facts.clone(), |facts, event| apply(&facts, event))
}

struct Row {
    given: &'static str,
    command: &'static str,
    outcome: &'static str,
    events: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| {
        let [given, command, outcome, events] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        Row { given, command, outcome, events }
    })
}

#[test]
fn every_command_in_every_state_ends_as_the_table_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let facts = given(row.given);
        let decided = decide(&facts, &command(row.command, row.given), now());
        let (outcome, events) = match &decided {
            Ok(events) => {
                let names: Vec<&str> = events.iter().map(Event::name).collect();
                (shown(after(&facts, events).state), names.join(" "))
            }
            Err(refusal) => (refusal.code.to_owned(), String::new()),
        };
        if (outcome.as_str(), events.as_str()) != (row.outcome, row.events) {
            wrong.push(format!(
                "{},{},{outcome},{events} instead of {},{}",
                row.given, row.command, row.outcome, row.events
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_table_has_every_state_with_every_command_and_every_code() {
    let plain: BTreeSet<(&str, &str)> = rows().map(|row| (row.given, row.command)).collect();
    assert_eq!(plain.len(), rows().count(), "a row stands twice");
    let states: BTreeSet<String> = rows().map(|row| shown(given(row.given).state)).collect();
    let names: BTreeSet<&str> = rows().map(|row| command(row.command, row.given).name()).collect();
    // Eight states and two ways to be RESERVED; as many commands as there are arms of `Command::name`.
    assert_eq!((states.len(), names.len()), (8, 21));
    for state in rows().map(|row| row.given).filter(|given| !given.contains(" + ")) {
        for name in &names {
            assert!(plain.contains(&(state, name)), "{state},{name} is missing");
        }
    }
    let codes: BTreeSet<&str> = rows().map(|row| row.outcome).filter(|outcome| outcome.contains('.')).collect();
    assert_eq!(codes, CODES.into_iter().collect());
}

#[test]
fn every_refusal_says_what_is_the_matter_why_and_what_to_do() {
    for row in rows() {
        let Err(refusal) = decide(&given(row.given), &command(row.command, row.given), now()) else { continue };
        for text in [refusal.message.as_str(), refusal.why, refusal.help] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text}", refusal.code);
        }
        assert!(refusal.details.is_empty());
        let asked_wrongly = ["number.text_malformed", "number.hold_in_past"].contains(&refusal.code);
        assert_eq!(refusal.fault == crate::directory::refusal::Fault::Request, asked_wrongly, "{}", refusal.code);
    }
}
