//! Calendar months.

use std::fmt;

use super::{Date, Instant, Zone, days_from_civil, four_digits, two_digits};

/// A calendar month.
///
/// # Example
///
/// ```
/// use rating_core::time::{Instant, Month, Zone};
/// let month = Month::parse("2026-10").unwrap();
/// let london = Zone::load("Europe/London").unwrap();
/// let (from, until) = month.bounds(&london);
/// assert_eq!(from, Instant::parse_rfc3339("2026-10-01T00:00:00+01:00").unwrap());
/// assert_eq!(until, Instant::parse_rfc3339("2026-11-01T00:00:00Z").unwrap());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month 1 to 12 of a year from 1900 to 2198.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1900..2199).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// Reads `YYYY-MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 7 || bytes[4] != b'-' {
            return None;
        }
        Self::new(i32::try_from(four_digits(&bytes[..4])?).ok()?, two_digits(bytes[5], bytes[6])?)
    }

    /// The month of a date.
    #[must_use]
    pub const fn of(date: Date) -> Self {
        let (year, month, _) = date.civil();
        Self { year, month }
    }

    /// The month after this.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    /// The month before this.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }

    /// First and last-plus-one day.
    #[must_use]
    pub fn days(self) -> (Date, Date) {
        let next = self.next();
        (Date(days_from_civil(self.year, self.month, 1)), Date(days_from_civil(next.year, next.month, 1)))
    }

    /// The half-open interval of instants that the month is in `zone`.
    #[must_use]
    pub fn bounds(self, zone: &Zone) -> (Instant, Instant) {
        let (first, end) = self.days();
        (zone.start_of(first.midnight()), zone.start_of(end.midnight()))
    }

    /// Its English name: `October`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.month {
            1 => "January",
            2 => "February",
            3 => "March",
            4 => "April",
            5 => "May",
            6 => "June",
            7 => "July",
            8 => "August",
            9 => "September",
            10 => "October",
            11 => "November",
            _ => "December",
        }
    }

    /// `October 2026`, as people read it.
    #[must_use]
    pub fn in_words(self) -> String {
        format!("{} {}", self.name(), self.year)
    }

    /// `YYYYMM`, as file names have it.
    #[must_use]
    pub fn compact(self) -> String {
        format!("{:04}{:02}", self.year, self.month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
