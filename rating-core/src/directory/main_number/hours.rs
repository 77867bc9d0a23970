//! Weekly business hours.

use std::fmt;

use crate::directory::refusal::{Detail, Refusal};
use crate::time::{LocalTime, Weekday};

pub(super) const MS_PER_MINUTE: i64 = 60_000;
const MINUTES_PER_DAY: u16 = 24 * 60;
pub(super) const MS_PER_DAY: i64 = MINUTES_PER_DAY as i64 * MS_PER_MINUTE;
pub(super) const MS_PER_WEEK: i64 = 7 * MS_PER_DAY;

/// A time of the clock on the wall in whole minutes, 00:00 to 24:00.
///
/// # Example
///
/// ```
/// use rating_core::directory::main_number::TimeOfDay;
/// assert_eq!(TimeOfDay::parse("08:30").unwrap().minutes(), 510);
/// assert_eq!(TimeOfDay::parse("24:00").unwrap().to_string(), "24:00");
/// assert_eq!(TimeOfDay::parse("24:01"), None);
/// assert_eq!(TimeOfDay::parse("8:30"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// From minutes since 00:00, at most 1,440.
    #[must_use]
    pub fn new(minutes: u16) -> Option<Self> {
        (minutes <= MINUTES_PER_DAY).then_some(Self(minutes))
    }

    /// Minutes since 00:00.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// Reads `HH:MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let two = |part: &str| {
            let is_two = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_two { part.parse::<u16>().ok() } else { None }
        };
        let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
        Self::new(hours * 60 + minutes)
    }

    fn millis(self) -> i64 {
        i64::from(self.0) * MS_PER_MINUTE
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A part of a day of the week, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The day.
    pub day: Weekday,
    /// The first minute inside.
    pub from: TimeOfDay,
    /// The first minute outside.
    pub until: TimeOfDay,
}

impl Span {
    fn contains(self, local: LocalTime) -> bool {
        let millis = local.millis_of_day();
        self.day == local.date().weekday() && self.from.millis() <= millis && millis < self.until.millis()
    }
}

impl fmt::Display for Span {
    /// `Friday 08:30–18:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}–{}", self.day, self.from, self.until)
    }
}

/// When a site is open, week by week, by the clock on its wall. Without spans it never is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// A day may have several, or none.
    pub spans: Vec<Span>,
}

impl Default for Hours {
    /// Monday to Friday, 08:30 to 18:00.
    fn default() -> Self {
        let spans = Weekday::ALL.iter().take(5);
        Self { spans: spans.map(|day| Span { day: *day, from: TimeOfDay(510), until: TimeOfDay(1_080) }).collect() }
    }
}

impl Hours {
    /// The span that holds a time of the wall's clock.
    #[must_use]
    pub fn span_at(&self, local: LocalTime) -> Option<Span> {
        self.spans.iter().copied().find(|span| span.contains(local))
    }

    /// Where in the week anything may change: milliseconds since Monday 00:00, below a week, in order.
    pub(super) fn edges(&self) -> Vec<i64> {
        let ends = |span: &Span| {
            let day = i64::try_from(span.day.index()).unwrap_or(0) * MS_PER_DAY;
            [span.from, span.until].map(|time| (day + time.millis()) % MS_PER_WEEK)
        };
        let mut edges: Vec<i64> = self.spans.iter().flat_map(ends).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// Every code that business hours may be refused by, and those of its details.
pub const HOURS_CODES: [&str; 3] =
    ["business_hours.not_valid", "business_hours.span_empty", "business_hours.spans_overlap"];

/// Whether business hours make sense.
///
/// # Errors
///
/// `business_hours.not_valid`; its details name every span that ends before it begins or overlaps an earlier one, by its place
/// (`weekly[2]`, counted from 0).
pub fn check_hours(hours: &Hours) -> Result<(), Refusal> {
    let mut details = Vec::new();
    for (index, span) in hours.spans.iter().enumerate() {
        let of = format!("weekly[{index}]");
        if span.from >= span.until {
            details.push(Detail {
                of,
                code: "business_hours.span_empty",
                message: format!("{span} ends before it begins"),
                help: "a span ends later on the same day; cut one that runs over midnight at 24:00",
            });
            continue;
        }
        let meets = |other: &&Span| other.day == span.day && other.from < span.until && span.from < other.until;
        if let Some(other) = hours.spans.iter().take(index).find(meets) {
            details.push(Detail {
                of,
                code: "business_hours.spans_overlap",
                message: format!("{span} overlaps {other}"),
                help: "make one span of both, or let one begin where the other ends",
            });
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    let message = match details.len() {
        1 => "the business hours have a fault".to_owned(),
        count => format!("the business hours have {count} faults"),
    };
    let why = "a site is open or closed at any time, and a list of spans says when";
    Err(Refusal { details, ..Refusal::request("business_hours.not_valid", message, why, "mend each of them") })
}
