//! The end of an occupier: at every site, for good, now or at a time set in advance.
//!
//! It ends contracts and services, takes numbers out of use and lets them cool off, and ends every user's access. What has happened
//! stays: history, past months' reports, and the last partial month is rated and reported like any other.
//!
//! # Rules
//!
//! - Until its time a scheduled decommission does nothing, and can be moved or cancelled; from its time on it can not.
//! - It is carried out once nothing stands in its way: no service and no number with a change under way, no handset logged in, at
//!   any site. [`unmet`] names all that does. Until then it waits, also past its time.
//! - Once carried out it cannot be undone.
//!
//! # Example: a handset in the way
//!
//! ```
//! use rating_core::directory::decommission::{Command, Facts, SiteFacts, decide};
//! use rating_core::number::E164;
//! use rating_core::time::Instant;
//!
//! let at = Instant::parse_rfc3339("2026-07-01T09:00:00+01:00").unwrap();
//! let logged_in = vec![E164::parse(b"+442079460001").unwrap()];
//! let ldn = SiteFacts { site: "ldn".to_owned(), logged_in, ..SiteFacts::default() };
//! let mut facts = Facts { occupier: "acme".to_owned(), sites: vec![ldn], ..Facts::default() };
//!
//! let refusal = decide(&facts, &Command::Now, at).unwrap_err();
//! assert_eq!(refusal.code, "decommission.not_ready");
//! assert_eq!(refusal.details[0].message, "a handset is logged in to +442079460001 at ldn");
//!
//! facts.sites[0].logged_in.clear();
//! assert!(decide(&facts, &Command::Now, at).is_ok());
//! ```

use super::refusal::{Detail, Refusal};
use crate::number::E164;
use crate::time::Instant;

/// What is known of an occupier when its end is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub occupier: String,
    /// When it was decommissioned, if it was.
    pub decommissioned_at: Option<Instant>,
    /// When it is to be, if that is set.
    pub scheduled_for: Option<Instant>,
    /// What stands in the way, site by site.
    pub sites: Vec<SiteFacts>,
}

/// What stands in the way at a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFacts {
    /// The site's id.
    pub site: String,
    /// The services with an update in progress, by id.
    pub updating_services: Vec<String>,
    /// The numbers that are PENDING.
    pub pending_numbers: Vec<E164>,
    /// The numbers that a handset is logged in to.
    pub logged_in: Vec<E164>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Decommission at once.
    Now,
    /// Decommission at a time, in place of any time set before.
    Schedule(Instant),
    /// Forget the time that was set.
    Cancel,
    /// The time has come.
    CarryOut,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A time was set.
    Scheduled {
        /// Which.
        time: Instant,
        /// When it was set.
        at: Instant,
    },
    /// The time was forgotten.
    Cancelled {
        /// When.
        at: Instant,
    },
    /// The occupier's time has ended. Each of its contracts and numbers follows, by its own command.
    Decommissioned {
        /// When.
        at: Instant,
    },
}

/// Every code that a decommission may be refused by, and those of its details.
pub const CODES: [&str; 9] = [
    "decommission.due",
    "decommission.handset_logged_in",
    "decommission.in_past",
    "decommission.not_due",
    "decommission.not_ready",
    "decommission.not_scheduled",
    "decommission.number_pending",
    "decommission.service_updating",
    "occupier.decommissioned",
];

/// Everything that stands in the way of a decommission: by site as given, services first, then numbers, then handsets.
#[must_use]
pub fn unmet(facts: &Facts) -> Vec<Detail> {
    facts.sites.iter().flat_map(at_site).collect()
}

fn at_site(facts: &SiteFacts) -> impl Iterator<Item = Detail> {
    let site = &facts.site;
    let services = facts.updating_services.iter().map(move |service| Detail {
        of: service.clone(),
        code: "decommission.service_updating",
        message: format!("service {service} at {site} has an update in progress"),
        help: "wait until the update is done",
    });
    let numbers = facts.pending_numbers.iter().map(move |number| Detail {
        of: number.to_string(),
        code: "decommission.number_pending",
        message: format!("a change of {number} at {site} is under way"),
        help: "wait until the site has confirmed the change, or report that it failed",
    });
    let handsets = facts.logged_in.iter().map(move |number| Detail {
        of: number.to_string(),
        code: "decommission.handset_logged_in",
        message: format!("a handset is logged in to {number} at {site}"),
        help: "log the handset out, from here or at the phone",
    });
    services.chain(numbers).chain(handsets)
}

/// What happens if `command` is done to an occupier at an instant: the event to append, or why not.
///
/// # Errors
///
/// The first that holds: the occupier is decommissioned already; no time is set, it has come or it has not, as the command needs;
/// and at last `decommission.not_ready`, whose details name all that stands in the way.
pub fn decide(facts: &Facts, command: &Command, at: Instant) -> Result<Event, Refusal> {
    if let Some(since) = facts.decommissioned_at {
        return Err(decommissioned(facts, since));
    }
    match (command, facts.scheduled_for) {
        (Command::Now, _) => ready(facts).map(|()| Event::Decommissioned { at }),
        (Command::Cancel | Command::CarryOut, None) => Err(not_scheduled(facts)),
        (Command::Schedule(_) | Command::Cancel, Some(due)) if due <= at => Err(already_due(facts, due)),
        (Command::Schedule(time), _) if *time <= at => Err(in_past(*time)),
        (Command::Schedule(time), _) => Ok(Event::Scheduled { time: *time, at }),
        (Command::Cancel, Some(_)) => Ok(Event::Cancelled { at }),
        (Command::CarryOut, Some(due)) if at < due => Err(not_due(facts, due)),
        (Command::CarryOut, Some(_)) => ready(facts).map(|()| Event::Decommissioned { at }),
    }
}

/// What is known of the occupier after an event.
#[must_use]
pub fn apply(facts: &Facts, event: &Event) -> Facts {
    let mut facts = facts.clone();
    match event {
        Event::Scheduled { time, .. } => facts.scheduled_for = Some(*time),
        Event::Cancelled { .. } => facts.scheduled_for = None,
        Event::Decommissioned { at } => (facts.decommissioned_at, facts.scheduled_for) = (Some(*at), None),
    }
    facts
}

fn ready(facts: &Facts) -> Result<(), Refusal> {
    let details = unmet(facts);
    if details.is_empty() {
        return Ok(());
    }
    let things =
        if details.len() == 1 { "1 thing stands".to_owned() } else { format!("{} things stand", details.len()) };
    let message = format!("{things} in the way of decommissioning {}", facts.occupier);
    let why = "nothing is taken away while it is being changed or used";
    let help = "clear each of them, then ask again";
    Err(Refusal { details, ..Refusal::state("decommission.not_ready", message, why, help) })
}

fn decommissioned(facts: &Facts, since: Instant) -> Refusal {
    Refusal::state(
        "occupier.decommissioned",
        format!("{} is decommissioned since {}", facts.occupier, since.to_rfc3339()),
        "a decommission cannot be undone",
        "make a new occupier",
    )
}

fn not_scheduled(facts: &Facts) -> Refusal {
    Refusal::state(
        "decommission.not_scheduled",
        format!("no time is set for decommissioning {}", facts.occupier),
        "only a time that was set can come or be cancelled",
        "nothing is to be done",
    )
}

fn already_due(facts: &Facts, due: Instant) -> Refusal {
    Refusal::state(
        "decommission.due",
        format!("the decommission of {} was due at {}", facts.occupier, due.to_rfc3339()),
        "a decommission can be moved or cancelled until its time, and not from then on",
        "nothing is to be done: it is carried out as soon as nothing stands in its way",
    )
}

fn not_due(facts: &Facts, due: Instant) -> Refusal {
    Refusal::state(
        "decommission.not_due",
        format!("the decommission of {} is due at {}", facts.occupier, due.to_rfc3339()),
        "before its time a scheduled decommission does nothing",
        "wait until then, or decommission now",
    )
}

fn in_past(time: Instant) -> Refusal {
    Refusal::request(
        "decommission.in_past",
        format!("{} has passed", time.to_rfc3339()),
        "a time is set in advance",
        "choose a later time, or decommission now",
    )
}

#[cfg(test)]
mod tests;
