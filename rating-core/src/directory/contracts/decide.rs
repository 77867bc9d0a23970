//! What becomes of a command to a contract.

use super::{State, Terms};
use crate::directory::refusal::Refusal;
use crate::time::{Instant, Interval, Zone};

/// What is known of a contract when something is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub id: String,
    /// What it says; `None` before it is made.
    pub terms: Option<Terms>,
    /// Whether it was discarded.
    pub discarded: bool,
    /// Whether its occupier was decommissioned.
    pub decommissioned: bool,
}

/// What is asked of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes it.
    Make(Terms),
    /// Changes what it says.
    Amend(Terms),
    /// Throws it away before it begins.
    Discard,
    /// Undoes its end.
    Reactivate {
        /// Its new end; [`Instant::MAX`] for none.
        until: Instant,
        /// Whether services and numbers end with it.
        deprovision: bool,
    },
    /// Ends it because its occupier is decommissioned now, at every site.
    Decommission,
}

/// Something that happened to a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// To which contract.
    pub contract: String,
    /// When.
    pub at: Instant,
    /// What happened.
    pub change: Change,
}

/// What happened to a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Made(Terms),
    /// It says something else.
    Amended(Terms),
    /// It was thrown away, with what hangs on it: services that had not begun, and numbers that no other contract of
    /// the occupier at the site keeps.
    Discarded,
    /// Its end was undone.
    Reactivated(Terms),
    /// It ended with its occupier.
    Decommissioned(Terms),
}

impl Event {
    /// A stable word for what happened.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.change {
            Change::Made(_) => "made",
            Change::Amended(_) => "amended",
            Change::Discarded => "discarded",
            Change::Reactivated(_) => "reactivated",
            Change::Decommissioned(_) => "decommissioned",
        }
    }
}

/// What is known of the contract after an event.
#[must_use]
pub fn apply(facts: &Facts, event: &Event) -> Facts {
    let mut facts = facts.clone();
    match event.change {
        Change::Made(terms) | Change::Amended(terms) | Change::Reactivated(terms) => facts.terms = Some(terms),
        Change::Decommissioned(terms) => {
            facts.terms = Some(terms);
            facts.decommissioned = true;
        }
        Change::Discarded => facts.discarded = true,
    }
    facts
}

/// Every code that a command to a contract may be refused by.
pub const CODES: [&str; 12] = [
    "contract.completed",
    "contract.discarded",
    "contract.end_in_past",
    "contract.ends_before_start",
    "contract.exists",
    "contract.has_begun",
    "contract.move_in_after_end",
    "contract.move_in_before_start",
    "contract.not_completed",
    "contract.not_upcoming",
    "contract.occupier_decommissioned",
    "contract.unknown",
];

/// What happens if `command` is done to a contract at an instant: the event to append, if anything changes, or why not. The
/// zone is that of its site, for the words of refusals.
///
/// # Example: a contract that runs cannot be discarded
///
/// ```
/// use rating_core::directory::contracts::{Command, Facts, Terms, decide};
/// use rating_core::time::{Interval, Zone};
///
/// let london = Zone::load("Europe/London").unwrap();
/// let day = |text: &str| london.bound(text).unwrap();
/// let term = Interval { from: day("2026-07-01"), ..Interval::ALWAYS };
/// let terms = Some(Terms { term, deprovision: false, move_in: None });
/// let facts = Facts { id: "acme-ldn".to_owned(), terms, discarded: false, decommissioned: false };
///
/// let before = day("2026-06-30");
/// assert_eq!(decide(&facts, &Command::Discard, &london, before).unwrap()[0].name(), "discarded");
/// let refusal = decide(&facts, &Command::Discard, &london, day("2026-07-01")).unwrap_err();
/// assert_eq!(refusal.code, "contract.not_upcoming");
/// assert_eq!(refusal.message, "contract acme-ldn is ACTIVE since 2026-07-01T00:00:00+01:00");
/// ```
///
/// # Errors
///
/// The first that holds: the contract is not there, or is to be made and is; its occupier is decommissioned; it was
/// discarded; its state is not the one that the command needs; then what is wrong with its terms.
pub fn decide(facts: &Facts, command: &Command, zone: &Zone, at: Instant) -> Result<Vec<Event>, Refusal> {
    let change = match (command, facts.terms) {
        // The end itself may come to the contracts one by one.
        (command, _) if facts.decommissioned && *command != Command::Decommission => return Err(decommissioned(facts)),
        (Command::Make(_), Some(_)) => return Err(exists(facts)),
        (Command::Make(terms), None) => {
            sound(terms, zone, at)?;
            Change::Made(*terms)
        }
        (_, None) => return Err(unknown(facts)),
        (Command::Decommission, Some(terms)) => match terms.state(at) {
            _ if facts.discarded => return Ok(Vec::new()),
            State::Completed => return Ok(Vec::new()),
            State::Upcoming => Change::Discarded,
            State::Active => {
                let term = Interval { until: at, ..terms.term };
                Change::Decommissioned(Terms { term, deprovision: true, ..terms })
            }
        },
        _ if facts.discarded => return Err(discarded(facts)),
        (Command::Amend(terms), Some(old)) => amend(facts, &old, terms, zone, at)?,
        (Command::Discard, Some(terms)) => match terms.state(at) {
            State::Upcoming => Change::Discarded,
            _ => return Err(not_upcoming(facts, &terms, zone, at)),
        },
        (Command::Reactivate { until, deprovision }, Some(old)) => {
            if old.state(at) != State::Completed {
                return Err(not_completed(facts, &old, zone, at));
            }
            let term = Interval { until: *until, ..old.term };
            let terms = Terms { term, deprovision: *deprovision, ..old };
            sound(&terms, zone, at)?;
            Change::Reactivated(terms)
        }
    };
    Ok(vec![Event { contract: facts.id.clone(), at, change }])
}

fn amend(facts: &Facts, old: &Terms, new: &Terms, zone: &Zone, at: Instant) -> Result<Change, Refusal> {
    match old.state(at) {
        State::Completed => return Err(completed(facts, old, zone)),
        State::Active if new.term.from > old.term.from => return Err(has_begun(facts, old, zone)),
        State::Active | State::Upcoming => {}
    }
    sound(new, zone, at)?;
    Ok(Change::Amended(*new))
}

/// Whether terms make sense, and do not change what has passed.
fn sound(terms: &Terms, zone: &Zone, at: Instant) -> Result<(), Refusal> {
    let term = terms.term;
    if term.is_empty() {
        return Err(ends_before_start(terms, zone));
    }
    if term.until <= at {
        return Err(end_in_past(terms, zone));
    }
    match terms.move_in {
        Some(move_in) if move_in < term.from => Err(move_in_before_start(terms, move_in, zone)),
        Some(move_in) if move_in >= term.until => Err(move_in_after_end(terms, move_in, zone)),
        _ => Ok(()),
    }
}

fn state_in_words(facts: &Facts, terms: &Terms, zone: &Zone, at: Instant) -> String {
    let id = &facts.id;
    match terms.state(at) {
        State::Upcoming => format!("contract {id} is UPCOMING until {}", zone.format(terms.term.from)),
        State::Active if terms.term.from == Instant::MIN => format!("contract {id} is ACTIVE"),
        State::Active => format!("contract {id} is ACTIVE since {}", zone.format(terms.term.from)),
        State::Completed => format!("contract {id} is COMPLETED since {}", zone.format(terms.term.until)),
    }
}

fn unknown(facts: &Facts) -> Refusal {
    Refusal::state(
        "contract.unknown",
        format!("there is no contract {}", facts.id),
        "a contract is made before anything else is done with it",
        "make the contract first",
    )
}

fn exists(facts: &Facts) -> Refusal {
    Refusal::state(
        "contract.exists",
        format!("there is a contract {} already", facts.id),
        "an id names one contract, for good",
        "choose another id, or change the contract that is there",
    )
}

fn decommissioned(facts: &Facts) -> Refusal {
    Refusal::state(
        "contract.occupier_decommissioned",
        format!("the occupier of contract {} is decommissioned", facts.id),
        "a decommission cannot be undone",
        "make a new occupier",
    )
}

fn discarded(facts: &Facts) -> Refusal {
    Refusal::state(
        "contract.discarded",
        format!("contract {} was discarded", facts.id),
        "what was thrown away does not come back",
        "make a new contract",
    )
}

fn completed(facts: &Facts, terms: &Terms, zone: &Zone) -> Refusal {
    Refusal::state(
        "contract.completed",
        state_in_words(facts, terms, zone, terms.term.until),
        "a contract that has ended says what was agreed",
        "re-activate the contract first, if it ended by mistake",
    )
}

fn has_begun(facts: &Facts, terms: &Terms, zone: &Zone) -> Refusal {
    Refusal::state(
        "contract.has_begun",
        state_in_words(facts, terms, zone, terms.term.from),
        "the start of a contract that runs moves only back: services and calls lie on the days since",
        "leave the start as it is, or choose an earlier one",
    )
}

fn not_upcoming(facts: &Facts, terms: &Terms, zone: &Zone, at: Instant) -> Refusal {
    Refusal::state(
        "contract.not_upcoming",
        state_in_words(facts, terms, zone, at),
        "only a contract that has not begun can be discarded",
        "give the contract an end instead",
    )
}

fn not_completed(facts: &Facts, terms: &Terms, zone: &Zone, at: Instant) -> Refusal {
    Refusal::state(
        "contract.not_completed",
        state_in_words(facts, terms, zone, at),
        "only a contract that has ended can be re-activated",
        "change its end instead",
    )
}

fn ends_before_start(terms: &Terms, zone: &Zone) -> Refusal {
    let (from, until) = (zone.format(terms.term.from), zone.format(terms.term.until));
    Refusal::request(
        "contract.ends_before_start",
        format!("the contract would end at {until} and begin at {from}"),
        "a contract ends after it begins; the day given as its end is the first one outside",
        "choose a later end or an earlier start",
    )
}

fn end_in_past(terms: &Terms, zone: &Zone) -> Refusal {
    Refusal::request(
        "contract.end_in_past",
        format!("the contract would have ended at {}", zone.format(terms.term.until)),
        "days that have passed do not change: their calls may be charged already",
        "choose an end that lies ahead; tomorrow, if today is the last day",
    )
}

fn move_in_before_start(terms: &Terms, move_in: Instant, zone: &Zone) -> Refusal {
    let (from, move_in) = (zone.format(terms.term.from), zone.format(move_in));
    Refusal::request(
        "contract.move_in_before_start",
        format!("the occupier would move in at {move_in}, before the contract begins at {from}"),
        "nobody moves in before the contract begins",
        "choose a later day to move in, or an earlier start",
    )
}

fn move_in_after_end(terms: &Terms, move_in: Instant, zone: &Zone) -> Refusal {
    let (until, move_in) = (zone.format(terms.term.until), zone.format(move_in));
    Refusal::request(
        "contract.move_in_after_end",
        format!("the occupier would move in at {move_in}, when the contract has ended at {until}"),
        "moving out is always the contract's end",
        "choose an earlier day to move in, or a later end",
    )
}
