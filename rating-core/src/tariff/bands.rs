//! The week of a tariff: which band a moment is in.
//!
//! People write bands as lists of days and times; a [`Week`] is one set of bands: for each day type (Monday to Sunday,
//! holiday, the tariff's own) its sorted edges, and which date is which day type. Every moment of each has exactly one
//! band, or the tariff is refused with the gap or overlap named.

use std::sync::Arc;

use super::days::{Calendar, DayTypes};
use super::times::{BandTimes, DAY, DayBits, FIRST_OWN, HOLIDAY, show_clock, show_days};
use crate::finding::{Finding, Findings, Label};
use crate::time::{Date, Duration, Instant, LocalTime, Zone};

/// With more edges than this in a day, they are searched.
const MANY: usize = 32;

/// A quarter of an hour in milliseconds, and how many there are in a day.
const QUARTER: u32 = 15 * 60_000;
const QUARTERS: usize = (DAY / QUARTER) as usize;
/// A quarter of an hour in which another band begins.
const MIXED: u16 = u16::MAX;

/// One line of a band as written, with its place.
#[derive(Clone, Debug)]
pub(super) struct BandLine {
    /// Index of the band in the tariff version.
    pub(super) band: u8,
    pub(super) times: BandTimes,
    pub(super) label: Label,
}

/// What the lines of one set of bands say, before it is known which date is which day type.
#[derive(Clone, Debug)]
pub(super) struct WeekDraft {
    /// Where the edges of each day type begin in `edges`; one more entry for the end.
    starts: Box<[u32]>,
    edges: Box<[(u32, u8)]>,
    /// The day types that some band names.
    pub(super) named: DayBits,
    /// The bands that some line is for, as bits.
    used: [u64; 4],
    only: Option<u8>,
}

/// One set of bands over the week and on the days of the calendar, compiled.
#[derive(Clone, Debug)]
pub(super) struct Week {
    /// Where the edges of each day type begin in `edges`; one more entry for the end.
    starts: Box<[u32]>,
    /// From which millisecond of the day which band holds. Every day type begins with an edge at 0.
    edges: Box<[(u32, u8)]>,
    /// The band of each quarter of an hour of each day type; [`MIXED`] where it has several.
    quarters: Box<[u16]>,
    /// Which date is which day type: by site, or one for all.
    calendars: Box<[Arc<Calendar>]>,
    /// The band, where there is no choice, so that no clock need be asked.
    only: Option<u8>,
}

/// The sets of bands of a tariff version, and the day types that they name.
#[derive(Clone, Debug)]
pub(super) struct Weeks {
    /// By index; the first is that of `[bands]` and has no name.
    sets: Vec<(String, WeekDraft)>,
    days: DayTypes,
}

impl Weeks {
    pub(super) fn new(sets: Vec<(String, WeekDraft)>, days: DayTypes) -> Self {
        Self { sets, days }
    }

    /// The index of the set of `[band_sets.NAME]`.
    pub(super) fn set(&self, name: &str) -> Option<u8> {
        let place = self.sets.iter().skip(1).position(|(have, _)| have == name)?;
        u8::try_from(place + 1).ok()
    }

    /// The names of `[band_sets]`.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().skip(1).map(|(name, _)| name.as_str())
    }

    /// Whether a set has a band at any time: whether whatever is priced by that set needs a price for the band.
    pub(super) fn has_band(&self, set: u8, band: u8) -> bool {
        let set = self.sets.get(usize::from(set));
        set.is_some_and(|(_, week)| week.used[usize::from(band / 64)] >> (band % 64) & 1 == 1)
    }

    /// The sets with the calendars of the sites, whose own holidays are in `sites` (the last is the operator's).
    pub(super) fn compile(&self, sites: &[Option<Arc<[Date]>>]) -> Box<[Week]> {
        let week = |(_, draft): &(String, WeekDraft)| Week {
            starts: draft.starts.clone(),
            edges: draft.edges.clone(),
            quarters: draft.quarters(),
            calendars: self.days.calendars(draft.named, sites),
            only: draft.only,
        };
        self.sets.iter().map(week).collect()
    }

    pub(super) const fn days(&self) -> &DayTypes {
        &self.days
    }
}

impl WeekDraft {
    /// A week of one band.
    pub(super) fn all(band: u8) -> Self {
        let mut used = [0; 4];
        used[usize::from(band / 64)] |= 1 << (band % 64);
        Self { starts: Box::new([0, 1]), edges: Box::new([(0, band)]), named: 0, used, only: Some(band) }
    }

    /// The band of each quarter of an hour of each day type.
    fn quarters(&self) -> Box<[u16]> {
        let days = self.starts.windows(2).map(|ends| {
            let edges = self.edges.get(ends[0] as usize..ends[1] as usize).unwrap_or(&[]);
            (0..DAY).step_by(QUARTER as usize).map(|from| {
                let begun = edges.partition_point(|(edge, _)| *edge <= from);
                let is_whole = edges.get(begun).is_none_or(|(edge, _)| *edge >= from + QUARTER);
                let band = begun.checked_sub(1).and_then(|last| edges.get(last)).filter(|_| is_whole);
                band.map_or(MIXED, |(_, band)| u16::from(*band))
            })
        });
        days.flatten().collect()
    }

    /// Compiles what was written in the set that findings call `set`. Gaps and overlaps are reported, all of them; in a
    /// gap the first band stands, which nobody sees, because the tariff is refused.
    pub(super) fn compile(
        lines: &[BandLine],
        names: &[String],
        days: &DayTypes,
        set: &str,
        place: &Label,
        findings: &mut Findings,
    ) -> Self {
        let own = days.own();
        let named = lines.iter().fold(0, |bits, line| bits | line.times.days);
        let mut troubles = Troubles::default();
        let (mut starts, mut edges, mut used) = (Vec::new(), Vec::new(), [0_u64; 4]);
        for line in lines {
            used[usize::from(line.band / 64)] |= 1 << (line.band % 64);
        }
        for day in 0..usize::from(FIRST_OWN) + own.len() {
            starts.push(u32::try_from(edges.len()).unwrap_or(u32::MAX));
            if day >= usize::from(HOLIDAY) && named >> day & 1 == 0 {
                edges.push((0, 0));
                continue;
            }
            compile_day(day, lines, &mut edges, &mut troubles);
        }
        starts.push(u32::try_from(edges.len()).unwrap_or(u32::MAX));
        troubles.report(lines, &Words { bands: names, own, set }, place, findings);
        let first = lines.first().map_or(0, |line| line.band);
        let only = lines.iter().all(|line| line.band == first).then_some(first);
        Self { starts: starts.into(), edges: edges.into(), named, used, only }
    }
}

impl Week {
    /// The band, where there is no choice, so that no clock need be asked.
    #[inline]
    pub(super) const fn only_band(&self) -> Option<u8> {
        self.only
    }

    /// The band at a reading of the tariff's clock, by the calendar of a site.
    #[inline]
    pub(super) fn band_at(&self, local: LocalTime, slot: usize) -> u8 {
        let day = self.day_type(local.date(), slot);
        let quarter = usize::try_from(local.millis_of_day() / i64::from(QUARTER)).unwrap_or(0);
        match self.quarters.get(day * QUARTERS + quarter).map(|band| u8::try_from(*band)) {
            Some(Ok(band)) => band,
            _ => self.band_until(local, slot).0,
        }
    }

    /// The band at a reading of the tariff's clock, and in how many milliseconds of that clock another one may begin: at
    /// the next edge of that day or at midnight.
    #[inline]
    fn band_until(&self, local: LocalTime, slot: usize) -> (u8, i64) {
        let day = self.day_type(local.date(), slot);
        let edge = |day: usize| self.starts.get(day).map_or(0, |start| *start as usize);
        let time = local.millis_of_day();
        let (mut band, mut end) = (0, i64::from(DAY));
        let mut edges = self.edges.get(edge(day)..edge(day + 1)).unwrap_or(&[]);
        // A day has a handful of edges: walking them beats a search, but not for ever.
        if edges.len() > MANY {
            let begun = edges.partition_point(|(edge, _)| i64::from(*edge) <= time);
            edges = edges.get(begun.saturating_sub(1)..).unwrap_or(&[]);
        }
        for (edge, next) in edges {
            if i64::from(*edge) > time {
                end = i64::from(*edge);
                break;
            }
            band = *next;
        }
        (band, end - time)
    }

    /// The band at an instant by the clock of `zone`, and the first later instant at which another may begin.
    #[inline]
    pub(super) fn span(&self, at: Instant, zone: &Zone, slot: usize) -> (u8, Instant) {
        let (offset, change) = zone.offset_and_end(at);
        let (band, left) = self.band_until(LocalTime::from_millis(at.as_millis().saturating_add(offset)), slot);
        (band, at.plus(Duration::from_millis(left)).min(change))
    }

    /// 0 for Monday to 6 for Sunday, 7 for a holiday, then the tariff's own.
    #[inline]
    pub(super) fn day_type(&self, date: Date, slot: usize) -> usize {
        match self.calendars.get(slot).or_else(|| self.calendars.last()) {
            Some(calendar) => calendar.day_type(date),
            None => date.weekday().index(),
        }
    }
}

/// The stretches of one day, checked to cover it once, as edges.
fn compile_day(day: usize, lines: &[BandLine], edges: &mut Vec<(u32, u8)>, troubles: &mut Troubles) {
    let mut stretches: Vec<(u32, u32, usize)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.times.days >> day & 1 == 1 {
            stretches.extend(line.times.times.iter().map(|(from, to)| (*from, *to, index)));
        }
    }
    stretches.sort_unstable();
    let first = edges.len();
    let (mut covered, mut last) = (0, None);
    for (from, to, line) in stretches {
        if from > covered {
            troubles.gap(day, covered, from);
        }
        if let Some(before) = last.filter(|_| from < covered) {
            troubles.overlap(day, from, covered.min(to), before, line);
        }
        if to > covered {
            let band = lines[line].band;
            let edge = from.max(covered);
            if edges.len() == first || edges.last().is_none_or(|(_, last)| *last != band) {
                edges.push((if edges.len() == first { 0 } else { edge }, band));
            }
            (covered, last) = (to, Some(line));
        }
    }
    if covered < DAY {
        troubles.gap(day, covered, DAY);
    }
    if edges.len() == first {
        edges.push((0, 0));
    }
}

/// Gaps and overlaps, each with the days (bits) on which it is found.
#[derive(Default)]
struct Troubles {
    gaps: Vec<(u32, u32, DayBits)>,
    overlaps: Vec<(u32, u32, usize, usize, DayBits)>,
}

impl Troubles {
    fn gap(&mut self, day: usize, from: u32, to: u32) {
        match self.gaps.iter_mut().find(|gap| (gap.0, gap.1) == (from, to)) {
            Some(gap) => gap.2 |= 1 << day,
            None => self.gaps.push((from, to, 1 << day)),
        }
    }

    fn overlap(&mut self, day: usize, from: u32, to: u32, before: usize, line: usize) {
        match self.overlaps.iter_mut().find(|have| (have.0, have.1, have.2, have.3) == (from, to, before, line)) {
            Some(have) => have.4 |= 1 << day,
            None => self.overlaps.push((from, to, before, line, 1 << day)),
        }
    }

    fn report(self, lines: &[BandLine], words: &Words<'_>, place: &Label, findings: &mut Findings) {
        let inside = if words.set.is_empty() { String::new() } else { format!("in band set `{}`, ", words.set) };
        for (from, to, days) in self.gaps {
            let stretch = words.stretch(days, from, to);
            findings.push(
                Finding::error("tariff.band_gap", format!("{inside}{stretch} is in no band"))
                    .at(place.clone())
                    .help(format!("add \"{stretch}\" to one of the bands")),
            );
        }
        for (from, to, before, line, days) in self.overlaps {
            let (before, line) = (&lines[before], &lines[line]);
            findings.push(
                Finding::error(
                    "tariff.band_overlap",
                    format!(
                        "{inside}{} is in two bands, `{}` and `{}`",
                        words.stretch(days, from, to),
                        words.band(before.band),
                        words.band(line.band)
                    ),
                )
                .at(line.label.clone())
                .at(before.label.clone())
                .help("times are half-open: a band may begin where another ends"),
            );
        }
    }
}

/// What bands, day types and the set are called.
struct Words<'w> {
    bands: &'w [String],
    own: &'w [String],
    set: &'w str,
}

impl Words<'_> {
    fn band(&self, band: u8) -> &str {
        self.bands.get(usize::from(band)).map_or("", String::as_str)
    }

    fn stretch(&self, days: DayBits, from: u32, to: u32) -> String {
        let days = show_days(days, self.own);
        if (from, to) == (0, DAY) { days } else { format!("{days} {}-{}", show_clock(from), show_clock(to)) }
    }
}
