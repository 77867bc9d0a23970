//! What happens to a call at an instant, and why.

use super::hours::{Hours, MS_PER_DAY, MS_PER_WEEK, Span};
use super::schedule::Event;
use super::{Answer, Configuration};
use crate::time::{Duration, Instant, Interval, Zone};

/// Whether a site answers as in its business hours or as outside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// As in business hours.
    InHours,
    /// As outside.
    OutOfHours,
}

/// Why a call is handled as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An event of the site's schedule closes it.
    Event {
        /// Its name.
        name: String,
        /// When it is.
        during: Interval,
    },
    /// The clock on the site's wall shows business hours.
    InsideHours(Span),
    /// It does not.
    OutsideHours,
}

impl Reason {
    /// The reason in words, by the clock of the site.
    #[must_use]
    pub fn in_words(&self, zone: &Zone) -> String {
        match self {
            Self::Event { name, during } => format!("{name}, {}", during.in_words(zone)),
            Self::InsideHours(span) => format!("inside business hours, {span}"),
            Self::OutsideHours => "outside business hours".to_owned(),
        }
    }
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handling<'c> {
    /// As in business hours, or as outside.
    pub period: Period,
    /// Where the call goes, and where then if nobody answers.
    pub answer: &'c Answer,
    /// What reception is shown to say.
    pub greeting: Option<&'c str>,
    /// Why, most telling first: the events that hold, in the order of their beginnings, and then what the business hours
    /// say, which decide only without one.
    pub why: Vec<Reason>,
    /// When the period changes next; `None` if it never does. Reasons may come and go before that.
    pub until: Option<Instant>,
}

/// What happens to a call to a main number at an instant, why, and until when.
///
/// Events that end before they begin are as none; overlapping hours are as one.
#[must_use]
pub fn resolve<'c>(
    configuration: &'c Configuration,
    hours: &Hours,
    events: &[Event],
    zone: &Zone,
    at: Instant,
) -> Handling<'c> {
    let mut holding: Vec<Reason> = events
        .iter()
        .map(|event| Reason::Event { name: event.name.clone(), during: event.interval(zone) })
        .filter(|reason| matches!(reason, Reason::Event { during, .. } if during.contains(at)))
        .collect();
    holding.sort_by(|one, other| order(one).cmp(&order(other)));
    let is_closed = !holding.is_empty();
    let span = hours.span_at(zone.to_local(at));
    let period = if span.is_some() && !is_closed { Period::InHours } else { Period::OutOfHours };
    let (answer, greeting) = match period {
        Period::InHours => (&configuration.in_hours, &configuration.greeting_in_hours),
        Period::OutOfHours => (&configuration.out_of_hours, &configuration.greeting_out_of_hours),
    };
    holding.push(span.map_or(Reason::OutsideHours, Reason::InsideHours));
    let closures = events.iter().map(|event| event.interval(zone)).filter(|interval| !interval.is_empty()).collect();
    let until = Clock { hours, edges: hours.edges(), closures, zone }.next_change(at);
    Handling { period, answer, greeting: greeting.as_deref(), why: holding, until }
}

/// By beginning, then by name.
fn order(reason: &Reason) -> Option<(Instant, &str)> {
    match reason {
        Reason::Event { name, during } => Some((during.from, name)),
        Reason::InsideHours(_) | Reason::OutsideHours => None,
    }
}

/// When a site is open.
struct Clock<'a> {
    hours: &'a Hours,
    /// Of the hours, since Monday 00:00.
    edges: Vec<i64>,
    closures: Vec<Interval>,
    zone: &'a Zone,
}

impl Clock<'_> {
    fn is_open(&self, at: Instant) -> bool {
        self.hours.span_at(self.zone.to_local(at)).is_some() && !self.is_closed(at)
    }

    /// Whether an event closes it.
    fn is_closed(&self, at: Instant) -> bool {
        self.closures.iter().any(|closure| closure.contains(at))
    }

    /// The first instant after `at` at which open turns to closed, or closed to open.
    fn next_change(&self, at: Instant) -> Option<Instant> {
        // Hours repeat every week, and a clock that is changed hides or repeats an hour or a day of one week alone: what does
        // not change within two weeks changes with the next event or never.
        let two_weeks = Duration::from_millis(2 * MS_PER_WEEK);
        let before = self.is_open(at);
        let (mut at, mut watched_from) = (at, at);
        loop {
            // Inside an event nothing changes before its end.
            let closed = self.closures.iter().filter(|closure| closure.contains(at));
            let closed_until = closed.map(|closure| closure.until).max();
            let is_watched = closed_until.is_none() && at.since(watched_from) <= two_weeks;
            let bound = closed_until.unwrap_or_else(|| self.next_bound(at));
            let edge = if is_watched { self.next_edge(at) } else { Instant::MAX };
            at = bound.min(edge);
            if bound <= edge {
                watched_from = at;
            }
            if at == Instant::MAX {
                return None;
            }
            if self.is_open(at) != before {
                return Some(at);
            }
        }
    }

    /// The next instant at which an event begins or ends.
    fn next_bound(&self, at: Instant) -> Instant {
        let bounds = self.closures.iter().flat_map(|closure| [closure.from, closure.until]);
        bounds.filter(|bound| *bound > at).min().unwrap_or(Instant::MAX)
    }

    /// The next instant after `at` at which the hours may change: where the clock reaches an edge of them, or is changed.
    fn next_edge(&self, at: Instant) -> Instant {
        let (offset, end) = self.zone.offset_and_end(at);
        // Day 0 was a Thursday, so Monday comes three days before it.
        let of_week = (at.as_millis().saturating_add(offset + 3 * MS_PER_DAY)).rem_euclid(MS_PER_WEEK);
        let next = self.edges.iter().find(|edge| **edge > of_week).copied();
        let next = next.or_else(|| self.edges.first().map(|edge| edge + MS_PER_WEEK));
        next.map_or(end, |next| at.plus(Duration::from_millis(next - of_week)).min(end))
    }
}
