//! A site's schedule: when it is closed although its hours say otherwise.

use crate::directory::refusal::{Refusal, text_fault};
use crate::time::{Date, Interval, Zone};

/// The longest name of an event, in characters.
const LONGEST_NAME: usize = 100;

/// When an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From one instant until another.
    Instants(Interval),
    /// Whole days of the site, 00:00 to 24:00.
    Days {
        /// The first day.
        from: Date,
        /// The first day after it.
        until: Date,
    },
}

/// Something that closes a site for a while: calls are handled as outside business hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What people call it.
    pub name: String,
    /// When it is.
    pub when: When,
}

impl Event {
    /// One whole day, such as a holiday from a calendar.
    #[must_use]
    pub fn day(name: impl Into<String>, date: Date) -> Self {
        Self { name: name.into(), when: When::Days { from: date, until: date.tomorrow() } }
    }

    /// When it is, in the zone of the site.
    #[must_use]
    pub fn interval(&self, zone: &Zone) -> Interval {
        match self.when {
            When::Instants(interval) => interval,
            When::Days { from, until } => {
                Interval { from: zone.start_of(from.midnight()), until: zone.start_of(until.midnight()) }
            }
        }
    }
}

/// Every code that an event may be refused by.
pub const EVENT_CODES: [&str; 2] = ["site_schedule.event_empty", "site_schedule.name_malformed"];

/// Whether an event makes sense.
///
/// # Errors
///
/// `site_schedule.name_malformed` if nobody could read its name; `site_schedule.event_empty` if it ends before it begins.
pub fn check_event(event: &Event, zone: &Zone) -> Result<(), Refusal> {
    if let Some(fault) = text_fault(&event.name, LONGEST_NAME) {
        return Err(Refusal::request(
            "site_schedule.name_malformed",
            format!("the event's name {fault}"),
            "people read why a call went where it went",
            "give the event a short name on one line",
        ));
    }
    let interval = event.interval(zone);
    if interval.is_empty() {
        let (from, until) = (zone.format(interval.from), zone.format(interval.until));
        return Err(Refusal::request(
            "site_schedule.event_empty",
            format!("{} would begin at {from} and end at {until}", event.name),
            "an event ends after it begins; the day given as its end is the first one after it",
            "choose a later end",
        ));
    }
    Ok(())
}
