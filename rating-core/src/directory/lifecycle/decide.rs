//! What becomes of a command.

use super::event::{Change, Command, Ending, Event};
use super::facts::{Assignee, Facts, Hold, Holder, Kind, Origin, State, Towards};
use super::refusals as refuse;
use crate::directory::contracts;
use crate::directory::refusal::{Refusal, text_fault};
use crate::ids::file_name_fault;
use crate::number::Digits;
use crate::time::Instant;

/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 100;
/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 500;
/// The longest id of a device, or of whom a number is given to, in characters.
const LONGEST_ID: usize = 100;

/// What happens if `command` is done to a number at an instant: the events to append, in their order, or why not.
///
/// Nothing is looked up and nothing is changed here: whoever asks has put together the [`Facts`], and appends the events,
/// both in one transaction.
///
/// # Example: a number in use cannot be activated again
///
/// ```
/// use rating_core::directory::lifecycle::{Command, Facts, Holder, State, apply, decide};
/// use rating_core::directory::contracts;
/// use rating_core::number::E164;
/// use rating_core::time::Instant;
///
/// let at = Instant::parse_rfc3339("2026-07-01T09:00:00+01:00").unwrap();
/// let mut facts = Facts::absent(E164::parse(b"+442079460001").unwrap(), "ldn");
/// facts.state = State::Available;
/// facts.around.contract = Some(contracts::State::Active);
/// facts.around.lines = 1;
///
/// let acme = Holder::Occupier("acme".to_owned());
/// for command in [Command::Allocate { holder: acme, extension: None }, Command::Activate] {
///     for event in decide(&facts, &command, at).unwrap() {
///         facts = apply(&facts, &event);
///     }
/// }
/// assert_eq!(facts.state, State::Active);
///
/// let refusal = decide(&facts, &Command::Activate, at).unwrap_err();
/// assert_eq!(refusal.code, "number.not_reserved");
/// assert_eq!(refusal.message, "+442079460001 is ACTIVE, not RESERVED");
/// ```
///
/// # Errors
///
/// The first of these that holds: the number is absent, or is to be provisioned and is not; `at` is before its last change; its
/// state is not the one that the command needs; then what is special to the command.
pub fn decide(facts: &Facts, command: &Command, at: Instant) -> Result<Vec<Event>, Refusal> {
    let is_new = matches!(command, Command::Provision { .. } | Command::PortIn { .. });
    match facts.state {
        State::Absent if !is_new => return Err(refuse::unknown(facts)),
        State::Absent => {}
        _ if is_new => return Err(refuse::exists(facts)),
        _ => {}
    }
    if let Some(last) = facts.changed_at.filter(|last| at < *last) {
        return Err(refuse::out_of_order(facts, at, last));
    }
    let changes = match command {
        Command::Provision { kind, origin, cool_off } => {
            vec![Change::Provisioned { site: facts.site.clone(), kind: *kind, origin: *origin, cool_off: *cool_off }]
        }
        Command::PortIn { holder, extension, kind } => port_in(facts, holder, *extension, *kind)?,
        Command::Nominate => nominate(facts)?,
        Command::WithdrawNomination => withdraw_nomination(facts)?,
        Command::SetCoolOff(days) => vec![Change::CoolOffSet(*days)],
        Command::Hold(hold) => hold_for(facts, hold, at)?,
        Command::Unhold if facts.hold.is_some() => vec![Change::Unheld],
        Command::Unhold => return Err(refuse::not_held(facts)),
        Command::Allocate { holder, extension } => allocate(facts, holder, *extension, at)?,
        Command::Activate => activate(facts)?,
        Command::Confirm => confirm(facts, at)?,
        Command::Fail { reason } => fail(facts, reason)?,
        Command::Deactivate => deactivate(facts)?,
        Command::End(ending) => end(facts, *ending, at)?,
        Command::Deallocate => deallocate(facts, at)?,
        Command::Release { reason } => release(facts, reason)?,
        Command::EndCoolOff => end_cool_off(facts, at)?,
        Command::Assign(to) => vec![assign(in_use(facts)?, to)?],
        Command::Unassign => vec![unassign(in_use(facts)?)?],
        Command::LogIn { device } => vec![log_in(in_use(facts)?, device)?],
        Command::LogOut => vec![log_out(in_use(facts)?)?],
        Command::Label(label) => vec![in_use(facts).and_then(|_| label_as(label.as_deref()))?],
    };
    Ok(changes.into_iter().map(|change| Event { number: facts.number, at, change }).collect())
}

/// Whether the settings of a number may be seen and changed: its features, its PIN, the handling of a main number's calls.
///
/// # Errors
///
/// `number.unknown` or `number.not_active`: settings are those of a number in use.
pub fn may_configure(facts: &Facts) -> Result<(), Refusal> {
    if facts.state == State::Absent { Err(refuse::unknown(facts)) } else { in_use(facts).map(|_| ()) }
}

/// What must hold of anybody who is to hold a number, wherever it comes from.
fn may_hold(facts: &Facts, holder: &Holder, kind: Kind, extension: Option<Digits>) -> Result<(), Refusal> {
    let has_contract = matches!(facts.around.contract, Some(contracts::State::Active | contracts::State::Upcoming));
    if !holder.is_operator() && !has_contract {
        return Err(refuse::contract_missing(facts, holder));
    }
    if kind == Kind::Main && facts.around.has_main_number {
        return Err(refuse::second_main(facts, Some(holder)));
    }
    match extension {
        Some(extension) if facts.around.extension_taken => Err(refuse::extension_taken(facts, &extension.to_string())),
        _ => Ok(()),
    }
}

fn port_in(facts: &Facts, holder: &Holder, extension: Option<Digits>, kind: Kind) -> Result<Vec<Change>, Refusal> {
    may_hold(facts, holder, kind, extension)?;
    Ok(vec![
        Change::Provisioned { site: facts.site.clone(), kind, origin: Origin::Ported, cool_off: None },
        Change::Allocated { holder: holder.clone(), extension },
    ])
}

/// The kind of a number is not dated, so it must not change while calls stand behind it.
fn may_change_kind(facts: &Facts) -> Result<(), Refusal> {
    match facts.state {
        State::Available => Ok(()),
        State::Reserved if !facts.used => Ok(()),
        _ => Err(refuse::kind_is_fixed(facts)),
    }
}

fn nominate(facts: &Facts) -> Result<Vec<Change>, Refusal> {
    may_change_kind(facts)?;
    if facts.kind == Kind::Main {
        return Err(refuse::already_nominated(facts));
    }
    if facts.state.is_held() && facts.around.has_main_number {
        return Err(refuse::second_main(facts, facts.holder.as_ref()));
    }
    Ok(vec![Change::Nominated])
}

fn withdraw_nomination(facts: &Facts) -> Result<Vec<Change>, Refusal> {
    may_change_kind(facts)?;
    if facts.kind != Kind::Main {
        return Err(refuse::not_nominated(facts));
    }
    Ok(vec![Change::NominationWithdrawn])
}

fn hold_for(facts: &Facts, hold: &Hold, at: Instant) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Available {
        return Err(refuse::not_available(facts));
    }
    if let Some(fault) = file_name_fault(&hold.prospect) {
        return Err(refuse::text_malformed("prospect's id", fault));
    }
    if hold.until <= at {
        return Err(refuse::hold_in_past(hold));
    }
    match facts.hold_at(at) {
        Some(other) if other.prospect != hold.prospect => Err(refuse::held_for_prospect(facts, other)),
        _ => Ok(vec![Change::Held(hold.clone())]),
    }
}

fn allocate(facts: &Facts, holder: &Holder, extension: Option<Digits>, at: Instant) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Available {
        return Err(refuse::not_available(facts));
    }
    if let Some(hold) = facts.hold_at(at).filter(|hold| hold.prospect != holder.id()) {
        return Err(refuse::held_for_prospect(facts, hold));
    }
    may_hold(facts, holder, facts.kind, extension)?;
    let allocated = Change::Allocated { holder: holder.clone(), extension };
    // A hold has served, or is over: either way nothing is left to be kept.
    Ok(facts.hold.is_some().then_some(Change::Unheld).into_iter().chain([allocated]).collect())
}

fn activate(facts: &Facts) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Reserved {
        return Err(refuse::not_reserved(facts, "a number is allocated before it is put to use, and that once"));
    }
    let is_counted = !facts.holder.as_ref().is_some_and(Holder::is_operator);
    if is_counted && facts.around.in_use >= facts.around.lines {
        return Err(refuse::not_entitled(facts));
    }
    Ok(begin(facts, Change::ActivationBegun, Change::Activated))
}

/// A change that the site confirms, or that is done at once.
fn begin(facts: &Facts, begun: Change, done: Change) -> Vec<Change> {
    if facts.around.confirms { vec![begun] } else { vec![begun, done] }
}

fn confirm(facts: &Facts, at: Instant) -> Result<Vec<Change>, Refusal> {
    match facts.state {
        State::Pending(Towards::Active) => Ok(vec![Change::Activated]),
        State::Pending(Towards::Reserved) => Ok(vec![Change::Deactivated]),
        State::Pending(Towards::Cooldown) => Ok(vec![cool_off(facts, at)]),
        _ => Err(refuse::not_pending(facts)),
    }
}

fn fail(facts: &Facts, reason: &str) -> Result<Vec<Change>, Refusal> {
    let State::Pending(towards) = facts.state else { return Err(refuse::not_pending(facts)) };
    if let Some(fault) = text_fault(reason, LONGEST_REASON) {
        return Err(refuse::text_malformed("reason", &fault));
    }
    let reason = reason.to_owned();
    match towards {
        Towards::Active => Ok(vec![Change::ActivationFailed { reason }]),
        Towards::Reserved => Ok(vec![Change::DeactivationFailed { reason }]),
        Towards::Cooldown => Err(refuse::must_end(facts)),
    }
}

fn cool_off(facts: &Facts, at: Instant) -> Change {
    Change::CoolOffBegun { until: facts.length_of_cool_off().end(at) }
}

fn deactivate(facts: &Facts) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Active {
        return Err(refuse::not_active(facts));
    }
    if matches!(facts.assigned, Some(Assignee::User(_))) {
        return Err(refuse::is_assigned(facts));
    }
    if facts.logged_in.is_some() {
        return Err(refuse::is_logged_in(facts));
    }
    Ok(begin(facts, Change::DeactivationBegun { towards: Towards::Reserved }, Change::Deactivated))
}

fn end(facts: &Facts, ending: Ending, at: Instant) -> Result<Vec<Change>, Refusal> {
    match facts.state {
        // Nothing is to be changed at the site.
        State::Reserved => return Ok(vec![cool_off(facts, at)]),
        State::Active => {}
        State::Pending(_) => return Err(refuse::change_in_progress(facts)),
        State::Absent | State::Available | State::Cooldown => return Err(refuse::not_allocated(facts)),
    }
    let mut changes = Vec::new();
    if facts.logged_in.is_some() {
        if ending == Ending::Decommission {
            return Err(refuse::is_logged_in(facts));
        }
        // The service ends, whoever is on the phone.
        changes.push(Change::LoggedOut);
    }
    changes.extend(begin(facts, Change::DeactivationBegun { towards: Towards::Cooldown }, cool_off(facts, at)));
    Ok(changes)
}

fn deallocate(facts: &Facts, at: Instant) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Reserved {
        return Err(refuse::not_reserved(facts, "a number is taken out of use before its holder parts with it"));
    }
    Ok(vec![if facts.used { cool_off(facts, at) } else { Change::Deallocated }])
}

fn release(facts: &Facts, reason: &str) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Cooldown {
        return Err(refuse::not_cooling_off(facts));
    }
    if let Some(fault) = text_fault(reason, LONGEST_REASON) {
        return Err(refuse::text_malformed("reason", &fault));
    }
    Ok(vec![Change::Released { reason: reason.to_owned() }])
}

fn end_cool_off(facts: &Facts, at: Instant) -> Result<Vec<Change>, Refusal> {
    if facts.state != State::Cooldown {
        return Err(refuse::not_cooling_off(facts));
    }
    match facts.cool_off_until {
        Some(until) if at < until => Err(refuse::cool_off_not_over(facts, until)),
        _ => Ok(vec![Change::CoolOffEnded]),
    }
}

/// The facts again, of a number that must be in use.
fn in_use(facts: &Facts) -> Result<&Facts, Refusal> {
    if facts.state == State::Active { Ok(facts) } else { Err(refuse::not_active(facts)) }
}

fn assign(facts: &Facts, to: &Assignee) -> Result<Change, Refusal> {
    if facts.kind == Kind::Main {
        return Err(refuse::is_main(facts));
    }
    if facts.assigned.is_some() {
        return Err(refuse::already_assigned(facts));
    }
    match text_fault(to.id(), LONGEST_ID) {
        Some(fault) => Err(refuse::text_malformed("assignee's id", &fault)),
        None => Ok(Change::Assigned(to.clone())),
    }
}

fn unassign(facts: &Facts) -> Result<Change, Refusal> {
    if facts.assigned.is_some() { Ok(Change::Unassigned) } else { Err(refuse::not_assigned(facts)) }
}

fn log_in(facts: &Facts, device: &str) -> Result<Change, Refusal> {
    if facts.kind == Kind::Main {
        return Err(refuse::is_main(facts));
    }
    if facts.logged_in.is_some() {
        return Err(refuse::is_logged_in(facts));
    }
    match text_fault(device, LONGEST_ID) {
        Some(fault) => Err(refuse::text_malformed("device's id", &fault)),
        None => Ok(Change::LoggedIn { device: device.to_owned() }),
    }
}

fn log_out(facts: &Facts) -> Result<Change, Refusal> {
    if facts.logged_in.is_some() { Ok(Change::LoggedOut) } else { Err(refuse::not_logged_in(facts)) }
}

fn label_as(label: Option<&str>) -> Result<Change, Refusal> {
    match label.and_then(|label| text_fault(label, LONGEST_LABEL)) {
        Some(fault) => Err(refuse::text_malformed("label", &fault)),
        None => Ok(Change::Labelled(label.map(str::to_owned))),
    }
}
