//! Instants, durations, zones, months and days, all as integers.
//!
//! An [`Instant`] is milliseconds since 1970-01-01T00:00:00Z; a [`Duration`] is elapsed milliseconds; a [`LocalTime`] is
//! what a clock on the wall shows, without its zone. A [`Zone`] is compiled once from the IANA database (`chrono-tz`)
//! into a table of its offset changes, so that no time-zone arithmetic happens per call. Leap seconds are not counted,
//! as in POSIX. Intervals are half-open everywhere.

use std::fmt;

pub use month::Month;
pub use zone::{Resolved, ZONE_DATABASE_VERSION, Zone};

mod month;
#[cfg(test)]
mod tests;
mod zone;

const MS_PER_SECOND: i64 = 1_000;
const MS_PER_DAY: i64 = 86_400_000;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

impl Instant {
    /// The earliest instant there is; used for "since ever".
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant there is; used for "until further notice".
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since the epoch.
    #[must_use]
    #[inline]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch; `None` if that overflows.
    #[must_use]
    #[inline]
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(MS_PER_SECOND) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    #[inline]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant moved by `duration` (later if positive), saturating at the ends of time.
    #[must_use]
    #[inline]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// Elapsed time from `earlier` to here; negative if it is later.
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// Reads RFC 3339: `2026-10-25T01:30:00+01:00`, `…Z`, seconds with up to three decimals.
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::time::Instant;
    /// let instant = Instant::parse_rfc3339("2026-10-25T01:30:00+01:00").unwrap();
    /// assert_eq!(instant.to_rfc3339(), "2026-10-25T00:30:00Z");
    /// assert_eq!(Instant::parse_rfc3339("2026-10-25T01:30:00"), None); // no offset: not an instant
    /// assert_eq!(Instant::parse_rfc3339("2026-10-25T01:30:00+24:00"), None); // no such offset
    /// ```
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (local, rest) = LocalTime::parse_prefix(text.as_bytes())?;
        let offset = match rest {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let minutes = i64::from(hours) * 60 + i64::from(minutes);
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        Some(Self(local.0 - offset * 60 * MS_PER_SECOND))
    }

    /// Writes RFC 3339 in UTC, with milliseconds only where there are some.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        format!("{}Z", LocalTime(self.0))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MIN => f.write_str("-∞"),
            Self::MAX => f.write_str("+∞"),
            instant => f.write_str(&instant.to_rfc3339()),
        }
    }
}

/// Elapsed time in milliseconds; may be negative.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration(i64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    #[must_use]
    #[inline]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds, saturating.
    #[must_use]
    #[inline]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MS_PER_SECOND))
    }

    /// In milliseconds.
    #[must_use]
    #[inline]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads a duration with its unit: `60s`, `1.5s`, `250ms`, `2m`, `1h`. A bare number is refused: its unit would be
    /// a guess.
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::time::Duration;
    /// assert_eq!(Duration::parse("57.6s"), Some(Duration::from_millis(57_600)));
    /// assert_eq!(Duration::parse("60"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let split = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = text.split_at(split);
        let factor: i64 = match unit {
            "ms" => 1,
            "s" => MS_PER_SECOND,
            "m" | "min" => 60 * MS_PER_SECOND,
            "h" => 3_600 * MS_PER_SECOND,
            _ => return None,
        };
        let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if fraction.len() > 6 || number.trim().ends_with('.') {
            return None;
        }
        let scale = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
        let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
        let scaled = digits.checked_mul(factor)?;
        (scaled % scale == 0).then_some(Self(scaled / scale))
    }
}

impl fmt::Display for Duration {
    /// Seconds with as many decimals as needed, and the unit: `61s`, `57.6s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (seconds, rest) = (millis / 1_000, millis % 1_000);
        if rest == 0 {
            return write!(f, "{sign}{seconds}s");
        }
        let fraction = format!("{rest:03}");
        write!(f, "{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A day of the Gregorian calendar, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(i32);

impl Date {
    /// The day of that year, month (1 to 12) and day of month; `None` if there is no such day, or outside 1900–2199.
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1900..2200).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        Some(Self(days_from_civil(year, month, day)))
    }

    /// From days since 1970-01-01.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let (year, month, day) =
            (four_digits(&bytes[..4])?, two_digits(bytes[5], bytes[6])?, two_digits(bytes[8], bytes[9])?);
        Self::new(i32::try_from(year).ok()?, month, day)
    }

    /// Year, month 1 to 12, day of month.
    #[must_use]
    pub const fn civil(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    /// Day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday, index 3 from Monday.
        Weekday::ALL[usize::try_from((i64::from(self.0) + 3).rem_euclid(7)).unwrap_or(0)]
    }

    /// The first moment of this day on a clock that never changes.
    #[must_use]
    pub const fn midnight(self) -> LocalTime {
        LocalTime(self.0 as i64 * MS_PER_DAY)
    }

    /// The next day.
    #[must_use]
    pub const fn tomorrow(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The day before.
    #[must_use]
    pub const fn yesterday(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Day of the week, Monday first (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// All seven, Monday first.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// English name in lower case, or its first three letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let index = NAMES.iter().position(|name| *name == text || (text.len() == 3 && name.starts_with(text)))?;
        Self::ALL.get(index).copied()
    }
}

/// What a clock on the wall shows: milliseconds since 1970-01-01T00:00:00 of that clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalTime(i64);

impl LocalTime {
    /// From milliseconds of the wall clock since its 1970-01-01T00:00:00.
    #[must_use]
    #[inline]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds of the wall clock since its 1970-01-01T00:00:00.
    #[must_use]
    #[inline]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// From a date and a time of day; `None` if there is no such time. 24:00:00 and leap seconds are refused.
    #[must_use]
    pub fn new(date: Date, hour: u32, minute: u32, second: u32) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        Some(Self(date.midnight().0 + seconds * MS_PER_SECOND))
    }

    /// Reads `YYYY-MM-DD HH:MM:SS` (a blank or `T` between), seconds with up to three decimals, nothing else around it.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match Self::parse_prefix(text)? {
            (local, []) => Some(local),
            _ => None,
        }
    }

    /// Like [`LocalTime::parse`], and returns what follows.
    #[must_use]
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, &[u8])> {
        let (head, mut rest) = text.split_at_checked(19)?;
        if head[4] != b'-'
            || head[7] != b'-'
            || !matches!(head[10], b' ' | b'T')
            || head[13] != b':'
            || head[16] != b':'
        {
            return None;
        }
        let date = Date::new(
            i32::try_from(four_digits(&head[..4])?).ok()?,
            two_digits(head[5], head[6])?,
            two_digits(head[8], head[9])?,
        )?;
        let mut local = Self::new(
            date,
            two_digits(head[11], head[12])?,
            two_digits(head[14], head[15])?,
            two_digits(head[17], head[18])?,
        )?;
        if let Some(fraction) = rest.strip_prefix(b".") {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=3).contains(&digits) {
                return None;
            }
            let mut millis = 0_i64;
            for place in 0..3 {
                millis = millis * 10
                    + fraction.get(place).filter(|_| place < digits).map_or(0, |byte| i64::from(byte - b'0'));
            }
            local.0 += millis;
            rest = &fraction[digits..];
        }
        Some((local, rest))
    }

    /// The calendar day.
    #[must_use]
    #[inline]
    pub fn date(self) -> Date {
        Date(i32::try_from(self.0.div_euclid(MS_PER_DAY)).unwrap_or(0))
    }

    /// Milliseconds since that day's 00:00 on the wall clock, 0 to 86,399,999.
    #[must_use]
    #[inline]
    pub const fn millis_of_day(self) -> i64 {
        self.0.rem_euclid(MS_PER_DAY)
    }
}

impl fmt::Display for LocalTime {
    /// `2026-10-25T01:30:00`, with `.250` where there are milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.millis_of_day();
        let (seconds, millis) = (time / MS_PER_SECOND, time % MS_PER_SECOND);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A half-open interval of instants, `[from, until)`. There is no other kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// First instant inside.
    pub from: Instant,
    /// First instant outside.
    pub until: Instant,
}

impl Interval {
    /// All of time.
    pub const ALWAYS: Self = Self { from: Instant::MIN, until: Instant::MAX };

    /// Whether `instant` lies inside.
    #[must_use]
    #[inline]
    pub fn contains(self, instant: Instant) -> bool {
        self.from <= instant && instant < self.until
    }

    /// Whether the two share an instant. Intervals that meet do not overlap.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// Whether no instant lies inside.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.from >= self.until
    }

    /// What lies inside both; empty if they do not overlap.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// The interval in words, by the clock of `zone`: `from 2026-07-01T00:00:00+01:00 until further notice`.
    #[must_use]
    pub fn in_words(self, zone: &Zone) -> String {
        let until = match self.until {
            Instant::MAX => "until further notice".to_owned(),
            until => format!("until {}", zone.format(until)),
        };
        match self.from {
            Instant::MIN if self.until == Instant::MAX => "always".to_owned(),
            Instant::MIN => until,
            from => format!("from {} {until}", zone.format(from)),
        }
    }
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

#[inline]
fn four_digits(bytes: &[u8]) -> Option<u32> {
    Some(two_digits(*bytes.first()?, *bytes.get(1)?)? * 100 + two_digits(*bytes.get(2)?, *bytes.get(3)?)?)
}

const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a civil date (the era algorithm of Howard Hinnant, "chrono-compatible low-level date
/// algorithms").
const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
const fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u32;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 } as u32;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}
