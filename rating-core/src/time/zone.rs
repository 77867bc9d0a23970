//! Time zones, compiled into tables of their changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{Offset, TimeZone};

use super::{Date, Instant, LocalTime, MS_PER_DAY, MS_PER_SECOND};

/// The version of the IANA time-zone database that zones are compiled from: that of `chrono-tz`, with what later releases
/// changed since 1996.
pub const ZONE_DATABASE_VERSION: &str = "2026f";

/// What later releases of the database change of the one in `chrono-tz`. `testdata/zones/rebuild.py` makes it.
const ZONE_CHANGES: &str = include_str!("zone_changes.csv");

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

    /// The names of IANA zones that are places: `Europe/London`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        names.filter(|name| name.contains('/') && !name.starts_with("Etc/") && !name.starts_with("US/"))
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
        // UTC, and zones without a change.
        if let [(_, offset)] = &*self.changes {
            return Resolved::Unique(Instant(local.0.saturating_sub(*offset)));
        }
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

#[cfg(test)]
mod tests {
    use super::super::tests::instant;
    use super::*;

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
}
