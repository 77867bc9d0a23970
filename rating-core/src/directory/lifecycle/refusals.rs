//! Every refusal of a command to a number, by its code.

use super::facts::{CoolOff, Facts, Hold, Holder, State, Towards};
use crate::directory::refusal::Refusal;
use crate::time::Instant;

/// Every code that a command to a number may be refused by.
pub const CODES: [&str; 29] = [
    "number.already_assigned",
    "number.already_nominated",
    "number.change_in_progress",
    "number.contract_missing",
    "number.cool_off_not_over",
    "number.exists",
    "number.extension_taken",
    "number.held_for_prospect",
    "number.hold_in_past",
    "number.is_assigned",
    "number.is_logged_in",
    "number.is_main",
    "number.kind_is_fixed",
    "number.must_end",
    "number.not_active",
    "number.not_allocated",
    "number.not_assigned",
    "number.not_available",
    "number.not_cooling_off",
    "number.not_entitled",
    "number.not_held",
    "number.not_logged_in",
    "number.not_nominated",
    "number.not_pending",
    "number.not_reserved",
    "number.out_of_order",
    "number.second_main",
    "number.text_malformed",
    "number.unknown",
];

fn is(facts: &Facts) -> String {
    match facts.state {
        State::Pending(Towards::Active) => format!("{} is PENDING: it is being put to use", facts.number),
        State::Pending(_) => format!("{} is PENDING: it is being taken out of use", facts.number),
        State::Cooldown => match facts.cool_off_until {
            Some(until) => format!("{} is in COOLDOWN until {}", facts.number, until.to_rfc3339()),
            None => format!("{} is in COOLDOWN", facts.number),
        },
        state => format!("{} is {}", facts.number, state.name()),
    }
}

pub(super) fn unknown(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.unknown",
        format!("the directory does not have {}", facts.number),
        "a number is provisioned before anything else is done with it",
        "provision the number at its site first",
    )
}

pub(super) fn exists(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.exists",
        format!("the directory has {} already", facts.number),
        "a number is unique and belongs to exactly one site",
        "allocate the number that is there, or mend the digits",
    )
}

pub(super) fn out_of_order(facts: &Facts, at: Instant, last: Instant) -> Refusal {
    Refusal::state(
        "number.out_of_order",
        format!("{} changed last at {}, after {}", facts.number, last.to_rfc3339(), at.to_rfc3339()),
        "history is appended in the order in which it happens",
        "ask again for an instant that is not before the last change; if that lies in the future, check the clock",
    )
}

pub(super) fn not_available(facts: &Facts) -> Refusal {
    let help = match facts.state {
        State::Cooldown => "take another number; an operator administrator may end the cool-off early, for a reason",
        _ => "take another number, or let its holder part with it first",
    };
    let why = "only a number in the site's pool can be allocated or kept for somebody";
    Refusal::state("number.not_available", format!("{}, not AVAILABLE", is(facts)), why, help)
}

pub(super) fn not_reserved(facts: &Facts, why: &'static str) -> Refusal {
    let help = match facts.state {
        State::Available | State::Absent => "allocate the number first",
        State::Reserved | State::Pending(_) => "wait until the site has confirmed the change",
        State::Active => "deactivate the number first, if it is to be taken out of use",
        State::Cooldown => "take another number; this one comes back to the pool after its cool-off",
    };
    Refusal::state("number.not_reserved", format!("{}, not RESERVED", is(facts)), why, help)
}

pub(super) fn not_active(facts: &Facts) -> Refusal {
    let help = match facts.state {
        State::Pending(_) => "wait until the site has confirmed the change",
        State::Reserved => "activate the number first",
        _ => "take a number that is in use",
    };
    let why = "only a number in use can be set up, given to somebody or taken out of use";
    Refusal::state("number.not_active", format!("{}, not ACTIVE", is(facts)), why, help)
}

pub(super) fn not_pending(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_pending",
        format!("{}, not PENDING", is(facts)),
        "a site confirms a change while it is under way",
        "nothing is to be done: no change is under way",
    )
}

pub(super) fn must_end(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.must_end",
        format!("{} is being taken from a holder whose time ends", facts.number),
        "a number that leaves with its holder cannot go back to use",
        "make the change at the site again, then confirm it",
    )
}

pub(super) fn change_in_progress(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.change_in_progress",
        is(facts),
        "one change is made at a time",
        "wait until the site has confirmed the change, or report that it failed",
    )
}

pub(super) fn not_allocated(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_allocated",
        format!("{}: nobody holds it", is(facts)),
        "only a number that somebody holds can be taken from them",
        "nothing is to be done",
    )
}

pub(super) fn not_cooling_off(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_cooling_off",
        format!("{}, not in COOLDOWN", is(facts)),
        "only a cool-off can be ended",
        "nothing is to be done",
    )
}

pub(super) fn cool_off_not_over(facts: &Facts, until: Instant) -> Refusal {
    Refusal::state(
        "number.cool_off_not_over",
        format!("the cool-off of {} is over at {}", facts.number, until.to_rfc3339()),
        "nobody gets a number before its cool-off is over",
        "wait until then; an operator administrator may release the number early, for a reason",
    )
}

pub(super) fn kind_is_fixed(facts: &Facts) -> Refusal {
    let used = if facts.state == State::Reserved { ", and has been in use" } else { "" };
    Refusal::state(
        "number.kind_is_fixed",
        format!("{}{used}", is(facts)),
        "a main number places no calls: a number that has been in use may have placed some",
        "nominate a number that is AVAILABLE, or RESERVED and not used yet",
    )
}

pub(super) fn already_nominated(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.already_nominated",
        format!("{} is nominated as a main number already", facts.number),
        "a number is nominated once",
        "nothing is to be done",
    )
}

pub(super) fn not_nominated(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_nominated",
        format!("{} is not nominated as a main number", facts.number),
        "only a nomination can be withdrawn",
        "nothing is to be done",
    )
}

pub(super) fn second_main(facts: &Facts, holder: Option<&Holder>) -> Refusal {
    let holder = holder.map_or("its holder", Holder::id);
    Refusal::state(
        "number.second_main",
        format!("{holder} has a main number at {} already, beside {}", facts.site, facts.number),
        "an organisation has at most one main number at a site",
        "take a number that is not nominated, or let the organisation part with its main number first",
    )
}

pub(super) fn is_main(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.is_main",
        format!("{} is a main number", facts.number),
        "a main number belongs to the business: it is given to nobody, and no handset logs in to it",
        "take one of the organisation's direct numbers",
    )
}

pub(super) fn contract_missing(facts: &Facts, holder: &Holder) -> Refusal {
    let message = match facts.around.contract {
        None => format!("{holder} has no contract at {}", facts.site),
        Some(_) => format!("every contract of {holder} at {} has ended", facts.site),
    };
    Refusal::state(
        "number.contract_missing",
        message,
        "an occupier holds numbers only at sites where it has a contract that runs or is about to",
        "make a contract at the site first, or re-activate the one that ended",
    )
}

pub(super) fn held_for_prospect(facts: &Facts, hold: &Hold) -> Refusal {
    Refusal::state(
        "number.held_for_prospect",
        format!("{} is kept for {} until {}", facts.number, hold.prospect, hold.until.to_rfc3339()),
        "a number kept for a prospect is given to nobody else",
        "take another number, or end the hold first",
    )
}

pub(super) fn hold_in_past(hold: &Hold) -> Refusal {
    Refusal::request(
        "number.hold_in_past",
        format!("the hold would be over at {} already", hold.until.to_rfc3339()),
        "a hold ends after it begins",
        "choose a later end",
    )
}

pub(super) fn not_held(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_held",
        format!("{} is kept for nobody", facts.number),
        "only a hold can be ended",
        "nothing is to be done",
    )
}

pub(super) fn extension_taken(facts: &Facts, extension: &str) -> Refusal {
    Refusal::state(
        "number.extension_taken",
        format!("extension {extension} belongs to another holder at {}", facts.site),
        "an extension of a site has one holder at a time",
        "choose another extension",
    )
}

pub(super) fn not_entitled(facts: &Facts) -> Refusal {
    let (lines, in_use) = (facts.around.lines, facts.around.in_use);
    let holder = facts.holder.as_ref().map_or("the holder", Holder::id);
    let counted = |count: u32, thing: &str| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
    Refusal::state(
        "number.not_entitled",
        format!(
            "{holder} has {} at {} and {} in use",
            counted(lines, "voice line"),
            facts.site,
            counted(in_use, "number")
        ),
        "each number in use takes a voice line, the main number too",
        "add a voice service, or take another number out of use",
    )
}

pub(super) fn already_assigned(facts: &Facts) -> Refusal {
    let to = facts.assigned.as_ref();
    Refusal::state(
        "number.already_assigned",
        format!("{} is given to a {} already", facts.number, to.map_or("person", |to| to.kind())),
        "a number is given to one at a time",
        "take it from them first",
    )
}

pub(super) fn not_assigned(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_assigned",
        format!("{} is given to nobody", facts.number),
        "only what was given can be taken back",
        "nothing is to be done",
    )
}

pub(super) fn is_assigned(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.is_assigned",
        format!("{} is given to a user", facts.number),
        "a number is not taken out of use under somebody's hands",
        "take the number from the user first",
    )
}

pub(super) fn is_logged_in(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.is_logged_in",
        format!("a handset is logged in to {}", facts.number),
        "a number with a handset on it is neither taken out of use nor given to another handset",
        "log the handset out first",
    )
}

pub(super) fn not_logged_in(facts: &Facts) -> Refusal {
    Refusal::state(
        "number.not_logged_in",
        format!("no handset is logged in to {}", facts.number),
        "only a handset that is logged in can be logged out",
        "nothing is to be done",
    )
}

pub(super) fn text_malformed(what: &str, fault: &str) -> Refusal {
    Refusal::request(
        "number.text_malformed",
        format!("the {what} {fault}"),
        "names and reasons are read by people, in lists and in the history",
        "write a short text on one line",
    )
}

/// What is wrong with a length of cool-off that is not one, for whoever reads it.
#[must_use]
pub fn cool_off_malformed(days: impl std::fmt::Display) -> Refusal {
    Refusal::request(
        "number.cool_off_malformed",
        format!("{days} is no length of cool-off"),
        "a cool-off is from 1 to 999 whole days",
        "write a whole number of days from 1 to 999",
    )
}

// The sentence above is right as long as this holds.
const _: () = assert!(*CoolOff::DAYS.start() == 1 && *CoolOff::DAYS.end() == 999);
