//! Services: nothing without a contract, and not before it.

use super::{State, Terms};
use crate::directory::refusal::Refusal;
use crate::time::{Instant, Interval, Zone};

/// Every code that the assignment of a service may be refused by.
pub const SERVICE_CODES: [&str; 5] = [
    "service.after_contract",
    "service.contract_completed",
    "service.interval_empty",
    "service.no_contract",
    "service.start_in_past",
];

/// What a contract leaves of the time that a service was asked for: it begins with the contract at the earliest, and ends with
/// it if the contract says so.
#[must_use]
pub fn service_time(asked: Interval, terms: &Terms) -> Interval {
    let until = if terms.deprovision { terms.term.until } else { Instant::MAX };
    asked.intersection(Interval { from: terms.term.from, until })
}

/// Whether a service may be assigned to a contract for a time, and when it then is: [`service_time`]. What is to be stored is
/// the time that was asked for. [`Instant::MIN`] asks for the contract's start, or now if that has passed.
///
/// # Example: a contract that has not begun
///
/// ```
/// use rating_core::directory::contracts::{Terms, assign_service};
/// use rating_core::time::{Interval, Zone};
///
/// let london = Zone::load("Europe/London").unwrap();
/// let day = |text: &str| london.bound(text).unwrap();
/// let term = Interval { from: day("2026-09-01"), ..Interval::ALWAYS };
/// let terms = Terms { term, deprovision: false, move_in: None };
///
/// let assigned = assign_service(Some(&terms), Interval::ALWAYS, &london, day("2026-07-01")).unwrap();
/// assert_eq!(assigned, term);
/// let refusal = assign_service(None, Interval::ALWAYS, &london, day("2026-07-01")).unwrap_err();
/// assert_eq!(refusal.code, "service.no_contract");
/// ```
///
/// # Errors
///
/// `service.no_contract`, `service.contract_completed`; `service.start_in_past` for a start before today at the site;
/// `service.after_contract` for one at or after the contract's end; `service.interval_empty`.
pub fn assign_service(
    contract: Option<&Terms>,
    asked: Interval,
    zone: &Zone,
    at: Instant,
) -> Result<Interval, Refusal> {
    let Some(terms) = contract else { return Err(no_contract()) };
    if terms.state(at) == State::Completed {
        return Err(contract_completed(terms, zone));
    }
    let today = zone.start_of(zone.to_local(at).date().midnight());
    let from = match asked.from {
        Instant::MIN => at.max(terms.term.from),
        from if from < today => return Err(start_in_past(from, today, zone)),
        from => from,
    };
    if from >= terms.term.until {
        return Err(after_contract(from, terms, zone));
    }
    let time = service_time(Interval { from, ..asked }, terms);
    if time.is_empty() { Err(interval_empty(time, zone)) } else { Ok(time) }
}

/// When services and numbers had to leave with the contract, if it has ended by `at` and takes them with it.
///
/// The services end by themselves ([`service_time`]); for the numbers, whoever holds the clock gives each the command
/// [`End`](crate::directory::lifecycle::Command::End) for this instant.
#[must_use]
pub fn deprovisioned_at(terms: &Terms, at: Instant) -> Option<Instant> {
    (terms.deprovision && terms.state(at) == State::Completed).then_some(terms.term.until)
}

/// How many voice lines services bring at an instant: the sum over those that are active. Each comes with its lines and
/// what its contract leaves of its time.
#[must_use]
pub fn entitled_lines(services: impl IntoIterator<Item = (u32, Interval)>, at: Instant) -> u32 {
    let active = services.into_iter().filter(|(_, time)| time.contains(at));
    active.fold(0, |sum, (lines, _)| sum.saturating_add(lines))
}

fn no_contract() -> Refusal {
    Refusal::state(
        "service.no_contract",
        "there is no contract for this service",
        "every service is billed to a contract at its site",
        "make a contract at the site first",
    )
}

fn contract_completed(terms: &Terms, zone: &Zone) -> Refusal {
    Refusal::state(
        "service.contract_completed",
        format!("the contract ended at {}", zone.format(terms.term.until)),
        "a service is billed to a contract that runs or is upcoming",
        "re-activate the contract, or make a new one",
    )
}

fn start_in_past(from: Instant, today: Instant, zone: &Zone) -> Refusal {
    Refusal::request(
        "service.start_in_past",
        format!("the service would begin at {}, before today, {}", zone.format(from), zone.format(today)),
        "days that have passed do not change: they may be charged already",
        "let the service begin today or later; with no day at all it begins with its contract, or now",
    )
}

fn after_contract(from: Instant, terms: &Terms, zone: &Zone) -> Refusal {
    let until = zone.format(terms.term.until);
    Refusal::request(
        "service.after_contract",
        format!("the service would begin at {}, when the contract has ended at {until}", zone.format(from)),
        "a service begins while its contract runs",
        "let the service begin earlier, or the contract end later",
    )
}

fn interval_empty(time: Interval, zone: &Zone) -> Refusal {
    let (from, until) = (zone.format(time.from), zone.format(time.until));
    Refusal::request(
        "service.interval_empty",
        format!("the service would begin at {from} and end at {until}"),
        "a service begins with its contract at the earliest, and ends after it begins",
        "choose a later end",
    )
}
