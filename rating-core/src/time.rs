//! Instants, durations, zones, months and days, all as integers.
//!
//! An [`Instant`] is milliseconds since 1970-01-01T00:00:00Z; a [`Duration`] is elapsed milliseconds; a [`LocalTime`] is
//! what a clock on the wall shows, without its zone. A [`Zone`] is compiled once from the IANA database (`chrono-tz`)
//! into a table of its offset changes, so that no time-zone arithmetic happens per call. Leap seconds are not counted,
//! as in POSIX. Intervals are half-open everywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use chrono::{Offset, TimeZone};

/// The version of the IANA time-zone database that zones are compiled from: that of `chrono-tz`, with what later releases
/// changed since 1996.
pub const ZONE_DATABASE_VERSION: &str = "2026f";

/// What later releases of the database change of the one in `chrono-tz`. `testdata/zones/rebuild.py` makes it.
const ZONE_CHANGES: &str = include_str!("time/zone_changes.csv");

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

/// What a wall-clock time means in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Exactly one instant.
    Unique(Instant),
    /// The clock showed it twice (autumn); both instants, the earlier first.
    Repeated(Instant, Instant),
    /// The clock jumped over it (spring). The instants it would be with the offset after and before the jump: the
    /// earlier first.
    Missing(Instant, Instant),
}

/// A time zone compiled to its offset changes from 1960 to 2100.
///
/// # Example: the repeated hour
///
/// ```
/// use rating_core::time::{Instant, LocalTime, Resolved, Zone};
/// let london = Zone::load("Europe/London").unwrap();
/// let local = LocalTime::parse(b"2026-10-25 01:30:00").unwrap();
/// let earlier = Instant::parse_rfc3339("2026-10-25T00:30:00Z").unwrap();
/// let later = Instant::parse_rfc3339("2026-10-25T01:30:00Z").unwrap();
/// assert_eq!(london.resolve(local), Resolved::Repeated(earlier, later));
/// assert_eq!(london.to_local(later), local);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: Box<str>,
    /// From which instant (ms) which offset east of UTC (ms) holds; the first entry holds since ever.
    changes: Box<[(i64, i64)]>,
    /// How many changes there were up to the beginning of each [`SLOT`] since [`FIRST_SLOT`]: a look-up need not search.
    slots: Box<[u16]>,
}

/// About 50 days in milliseconds, as a power of two: a zone changes its offset about once in four of them.
const SLOT: u32 = 32;
/// 1960, in milliseconds.
const FIRST_SLOT: i64 = -10 * 365 * MS_PER_DAY;

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self::fixed_as("UTC", 0)
    }

    /// A clock that always stands so many milliseconds east of UTC: that of a timestamp with an offset.
    #[must_use]
    pub fn fixed(offset: i64) -> Self {
        Self::fixed_as("", offset)
    }

    fn fixed_as(name: &str, offset: i64) -> Self {
        Self { name: name.into(), changes: Box::new([(i64::MIN, offset)]), slots: Box::default() }
    }

    /// Compiles the IANA zone of that name (`Europe/London`); `None` if there is none.
    #[must_use]
    pub fn load(name: &str) -> Option<Self> {
        // Finding the changes of 140 years takes most of a millisecond, and sites and tariffs name the same few zones.
        static LOADED: Mutex<BTreeMap<Box<str>, Zone>> = Mutex::new(BTreeMap::new());
        let known = || LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = known().get(name) {
            return Some(zone.clone());
        }
        let zone = Self::compile(name)?;
        known().insert(name.into(), zone.clone());
        Some(zone)
    }

    fn compile(name: &str) -> Option<Self> {
        let zone: chrono_tz::Tz = name.parse().ok()?;
        let offset_at = |seconds: i64| -> i64 {
            chrono::DateTime::from_timestamp(seconds, 0)
                .map_or(0, |utc| i64::from(zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()))
        };
        // No zone changes its offset twice within three days, so this step finds every change.
        const STEP: i64 = 3 * 86_400;
        let (first, last) = (-10 * 365 * 86_400, 130 * 366 * 86_400_i64);
        let mut changes = vec![(i64::MIN, offset_at(first) * MS_PER_SECOND)];
        let mut at = first;
        let mut offset = offset_at(first);
        while at < last {
            let next = at + STEP;
            let next_offset = offset_at(next);
            if next_offset != offset {
                let (mut low, mut high) = (at, next);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if offset_at(middle) == offset { low = middle } else { high = middle }
                }
                changes.push((high * MS_PER_SECOND, next_offset * MS_PER_SECOND));
                offset = next_offset;
            }
            at = next;
        }
        amend(name, &mut changes);
        let until = |slot: i64| changes.partition_point(|(from, _)| *from <= FIRST_SLOT + (slot << SLOT));
        let slots = (0..=(last * MS_PER_SECOND - FIRST_SLOT) >> SLOT).map(|slot| u16::try_from(until(slot)));
        let slots = slots.collect::<Result<_, _>>().unwrap_or_default();
        Some(Self { name: name.into(), changes: changes.into(), slots })
    }

    /// How many changes there were up to and at an instant: 1 at least, since the first holds since ever.
    #[inline]
    fn changes_until(&self, millis: i64) -> usize {
        let slot = usize::try_from(millis.saturating_sub(FIRST_SLOT) >> SLOT).ok();
        let Some(known) = slot.and_then(|slot| self.slots.get(slot)) else {
            return self.changes.partition_point(|(from, _)| *from <= millis);
        };
        let since = self.changes.iter().skip(usize::from(*known));
        usize::from(*known) + since.take_while(|(from, _)| *from <= millis).count()
    }

    /// The IANA name it was loaded by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Offset east of UTC at `instant`, in milliseconds.
    #[must_use]
    #[inline]
    pub fn offset_at(&self, instant: Instant) -> i64 {
        self.changes[self.changes_until(instant.0).saturating_sub(1)].1
    }

    /// The first instant after `at` from which another offset holds; [`Instant::MAX`] if there is none.
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::time::{Instant, Zone};
    /// let london = Zone::load("Europe/London").unwrap();
    /// let summer = Instant::parse_rfc3339("2026-07-01T00:00:00Z").unwrap();
    /// assert_eq!(london.next_change(summer).to_rfc3339(), "2026-10-25T01:00:00Z");
    /// assert_eq!(Zone::utc().next_change(summer), Instant::MAX);
    /// ```
    #[must_use]
    #[inline]
    pub fn next_change(&self, at: Instant) -> Instant {
        self.offset_and_end(at).1
    }

    /// The offset at an instant in milliseconds, and until when it holds.
    #[inline]
    pub(crate) fn offset_and_end(&self, at: Instant) -> (i64, Instant) {
        let after = self.changes_until(at.0);
        let end = self.changes.get(after).map_or(Instant::MAX, |(from, _)| Instant(*from));
        (self.changes[after.saturating_sub(1)].1, end)
    }

    /// What a clock in the zone shows at `instant`.
    #[must_use]
    #[inline]
    pub fn to_local(&self, instant: Instant) -> LocalTime {
        LocalTime(instant.0.saturating_add(self.offset_at(instant)))
    }

    /// Which instant a wall-clock time is.
    #[must_use]
    #[inline]
    pub fn resolve(&self, local: LocalTime) -> Resolved {
        // Only the offsets in force around the local time can apply; a day each side covers every offset.
        let from = self.changes_until(local.0.saturating_sub(MS_PER_DAY)).saturating_sub(1);
        if self.changes.get(from + 1).is_none_or(|(next, _)| *next > local.0.saturating_add(MS_PER_DAY)) {
            return Resolved::Unique(Instant(local.0.saturating_sub(self.changes[from].1)));
        }
        self.resolve_from(local, from)
    }

    /// [`Zone::resolve`] near a change.
    fn resolve_from(&self, local: LocalTime, from: usize) -> Resolved {
        let mut candidates = [Instant::MIN; 2];
        let mut found = 0;
        for index in from..self.changes.len() {
            let (start, offset) = self.changes[index];
            if start > local.0.saturating_add(MS_PER_DAY) {
                break;
            }
            let instant = local.0.saturating_sub(offset);
            let end = self.changes.get(index + 1).map_or(i64::MAX, |next| next.0);
            if instant >= start && instant < end && found < 2 {
                candidates[found] = Instant(instant);
                found += 1;
            }
        }
        match found {
            1 => Resolved::Unique(candidates[0]),
            2 => Resolved::Repeated(candidates[0], candidates[1]),
            _ => self.missing(local, from),
        }
    }

    fn missing(&self, local: LocalTime, from: usize) -> Resolved {
        for index in from..self.changes.len().saturating_sub(1) {
            let (change, after) = self.changes[index + 1];
            let before = self.changes[index].1;
            if local.0 - before >= change && local.0 - after < change {
                return Resolved::Missing(Instant(local.0 - after), Instant(local.0 - before));
            }
        }
        let instant = Instant(local.0);
        Resolved::Missing(instant, instant)
    }

    /// The first instant whose wall clock shows `local` or later: where a local day or month begins.
    #[must_use]
    pub fn start_of(&self, local: LocalTime) -> Instant {
        match self.resolve(local) {
            Resolved::Unique(instant) | Resolved::Repeated(instant, _) => instant,
            // The jump itself is the first instant that shows `local` or later; it lies between the two readings.
            Resolved::Missing(earlier, later) => {
                let index = self.changes.partition_point(|(at, _)| *at <= later.0).saturating_sub(1);
                Instant(self.changes[index].0.max(earlier.0))
            }
        }
    }

    /// Reads a bound of an interval as tables write it: a date (the first moment of that day in this zone) or an
    /// RFC 3339 instant, which brings its own offset.
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::time::{Instant, Zone};
    /// let london = Zone::load("Europe/London").unwrap();
    /// assert_eq!(london.bound("2026-07-01"), Instant::parse_rfc3339("2026-06-30T23:00:00Z"));
    /// assert_eq!(london.bound("2026-07-01T14:00:00-04:00"), Instant::parse_rfc3339("2026-07-01T18:00:00Z"));
    /// assert_eq!(london.bound("2026-07-01T14:00:00"), None); // no offset: the hour may happen twice
    /// ```
    #[must_use]
    pub fn bound(&self, text: &str) -> Option<Instant> {
        match Date::parse(text) {
            Some(date) => Some(self.start_of(date.midnight())),
            None => Instant::parse_rfc3339(text),
        }
    }

    /// `2026-10-25T01:30:00+01:00`: the wall clock at `instant` and its offset (ISO 8601).
    #[must_use]
    pub fn format(&self, instant: Instant) -> String {
        let offset = self.offset_at(instant) / 60_000;
        let sign = if offset < 0 { '-' } else { '+' };
        let offset = offset.abs();
        format!("{}{sign}{:02}:{:02}", self.to_local(instant), offset / 60, offset % 60)
    }
}

/// Puts what later releases say of a zone in the place of what it was compiled to.
fn amend(name: &str, changes: &mut Vec<(i64, i64)>) {
    let rows = ZONE_CHANGES.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(','));
    let mut amended = false;
    for row in rows {
        let Some((at, offset)) = row.split_once(',') else { continue };
        let (Some(at), Ok(offset)) = (Instant::parse_rfc3339(at), offset.parse::<i64>()) else { continue };
        if !amended {
            changes.retain(|(have, _)| *have < at.0);
            amended = true;
        }
        let offset = offset * MS_PER_SECOND;
        if changes.last().is_none_or(|(_, last)| *last != offset) {
            changes.push((at.0, offset));
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Instant {
        Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn local(text: &str) -> LocalTime {
        LocalTime::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn every_day_from_1900_to_2199_round_trips() {
        let mut date = Date::new(1900, 1, 1).unwrap();
        let mut weekday = 0; // 1 January 1900 was a Monday.
        while date < Date::new(2199, 12, 31).unwrap() {
            let (year, month, day) = date.civil();
            assert_eq!(Date::new(year, month, day), Some(date));
            assert_eq!(date.weekday().index(), weekday % 7);
            assert_eq!(Date::parse(&date.to_string()), Some(date));
            date = date.tomorrow();
            weekday += 1;
        }
    }

    #[test]
    fn zones_agree_with_chrono_tz_around_every_change() {
        for name in [
            "Europe/London",
            "Europe/Dublin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "America/Sao_Paulo",
            "Pacific/Apia",
        ] {
            let zone = Zone::load(name).unwrap();
            let oracle: chrono_tz::Tz = name.parse().unwrap();
            for (change, _) in zone.changes.iter().skip(1) {
                for delta in [-86_400_000, -3_600_000, -1_000, 0, 1_000, 3_600_000, 86_400_000] {
                    let millis = change + delta;
                    let utc = chrono::DateTime::from_timestamp_millis(millis).unwrap().naive_utc();
                    let expected = i64::from(oracle.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1_000;
                    assert_eq!(zone.offset_at(Instant(millis)), expected, "{name} at {utc}");
                    let shown = zone.to_local(Instant(millis));
                    match zone.resolve(shown) {
                        Resolved::Unique(found) => assert_eq!(found, Instant(millis)),
                        Resolved::Repeated(a, b) => assert!(a < b && (a.0 == millis || b.0 == millis), "{name} {utc}"),
                        Resolved::Missing(..) => panic!("{name}: {shown} was shown at {utc}"),
                    }
                }
            }
        }
    }

    /// Every line of `testdata/zones/clock_changes.csv`: Python's zoneinfo found them, from 1996 to 2040.
    #[test]
    fn every_clock_change_is_where_another_reader_of_the_database_finds_it() {
        let table = include_str!("../../testdata/zones/clock_changes.csv");
        assert!(table.starts_with(&format!("# By zoneinfo, IANA database {ZONE_DATABASE_VERSION};")));
        let (begin, end) = (instant("1996-01-01T00:00:00Z"), instant("2041-01-01T00:00:00Z"));
        let mut rows: Vec<(&str, Instant, i64, i64)> = Vec::new();
        for line in table.lines().skip(2) {
            let [zone, at, before, after] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
            rows.push((zone, instant(at), before.parse().unwrap(), after.parse().unwrap()));
        }
        assert!(rows.len() > 500);
        for of_zone in rows.chunk_by(|left, right| left.0 == right.0) {
            let zone = Zone::load(of_zone[0].0).unwrap();
            let mut from = begin;
            for (name, at, before, after) in of_zone {
                // The offset holds to the last millisecond before, and the other from the first one on.
                assert_eq!(zone.offset_at(*at), after * 1_000, "{name} {at:?}");
                if before != after {
                    assert_eq!(zone.offset_at(Instant(at.0 - 1)), before * 1_000, "{name} before {at:?}");
                    assert_eq!(zone.next_change(Instant(at.0 - 1)), *at, "{name}");
                    // Nothing changes between one line and the next.
                    assert_eq!(zone.next_change(from), *at, "{name} after {from:?}");
                    from = *at;
                }
            }
            assert!(zone.next_change(from) >= end, "{}: a change more after {from:?}", of_zone[0].0);
        }
    }

    #[test]
    fn changes_of_later_releases_of_the_database_hold() {
        // Morocco (September 2026) and British Columbia (November 2026) change their clocks no more.
        for (name, last, offset) in [
            ("Africa/Casablanca", "2026-09-20T01:00:00Z", 0),
            ("America/Vancouver", "2026-03-08T10:00:00Z", -7 * 3_600_000),
            ("Canada/Pacific", "2026-03-08T10:00:00Z", -7 * 3_600_000),
        ] {
            let zone = Zone::load(name).unwrap();
            assert_eq!(zone.next_change(Instant(instant(last).0 - 1)), instant(last), "{name}");
            assert_eq!(zone.offset_at(instant("2026-12-01T00:00:00Z")), offset, "{name}");
            assert_eq!(zone.next_change(instant(last)), Instant::MAX, "{name}");
        }
        let releases =
            format!("the IANA database {ZONE_DATABASE_VERSION} changes of {},", chrono_tz::IANA_TZDB_VERSION);
        assert!(ZONE_CHANGES.contains(&releases), "rebuild zone_changes.csv for this chrono-tz");
        for line in ZONE_CHANGES.lines().skip(3) {
            let [zone, at, offset] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let found = Zone::load(zone).unwrap().offset_at(instant(at));
            assert_eq!(found, offset.parse::<i64>().unwrap() * 1_000, "{line}");
        }
    }

    #[test]
    fn the_hour_that_the_spring_jump_skips_is_missing() {
        let london = Zone::load("Europe/London").unwrap();
        // Clocks jump from 01:00 GMT to 02:00 BST on 29 March 2026; 01:30 is 00:30Z read as BST, 01:30Z read as GMT.
        assert_eq!(
            london.resolve(local("2026-03-29 01:30:00")),
            Resolved::Missing(instant("2026-03-29T00:30:00Z"), instant("2026-03-29T01:30:00Z"))
        );
        assert_eq!(london.start_of(local("2026-03-29 01:30:00")), instant("2026-03-29T01:00:00Z"));
        assert_eq!(london.format(instant("2026-03-29T01:00:00Z")), "2026-03-29T02:00:00+01:00");
    }

    #[test]
    fn times_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 23:59:60",
            "1969-12-3 00:00:00",
        ] {
            assert_eq!(LocalTime::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(local("2026-01-01T00:00:00.25").to_string(), "2026-01-01T00:00:00.250");
    }

    #[test]
    fn months_meet() {
        let month = Month::parse("2026-12").unwrap();
        let zone = Zone::load("America/New_York").unwrap();
        assert_eq!(month.bounds(&zone).1, month.next().bounds(&zone).0);
        assert_eq!(month.next().previous(), month);
        assert_eq!(month.next().to_string(), "2027-01");
        assert_eq!(Month::of(Date::parse("2026-12-31").unwrap()).compact(), "202612");
    }
}
