//! The week of a tariff: which band a moment is in.
//!
//! People write bands as lists of days and times; [`Week`] is eight days (Monday to Sunday, holiday) of sorted edges.
//! Every moment of each has exactly one band, or the tariff is refused with the gap or overlap named.

use super::notation::{BandTimes, DAY, HOLIDAY, show_clock};
use crate::finding::{Finding, Findings, Label};
use crate::time::{Date, Duration, Instant, LocalTime, Zone};

/// Days of the week, then the holiday.
const DAY_TYPES: usize = 8;
const DAY_NAMES: [&str; DAY_TYPES] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"];

/// One line of a band as written, with its place.
#[derive(Clone, Debug)]
pub(super) struct BandLine {
    /// Index of the band in the tariff version.
    pub(super) band: u8,
    pub(super) times: BandTimes,
    pub(super) label: Label,
}

/// The bands of a tariff version over the week and on holidays, compiled.
#[derive(Clone, Debug)]
pub(super) struct Week {
    /// Where the edges of each day type begin in `edges`; one more entry for the end.
    starts: [u16; DAY_TYPES + 1],
    /// From which millisecond of the day which band holds. Every day type begins with an edge at 0.
    edges: Box<[(u32, u8)]>,
    /// Days that have the holiday's edges; empty if holidays are the weekday they fall on.
    holidays: Days,
    /// Whether there is no choice, so that no clock need be asked.
    one_band: bool,
}

impl Week {
    /// A week of one band.
    pub(super) fn all_one() -> Self {
        let starts = [0, 1, 2, 3, 4, 5, 6, 7, 8];
        Self { starts, edges: [(0, 0); DAY_TYPES].into(), holidays: Days::default(), one_band: true }
    }

    /// Compiles what was written. Gaps and overlaps are reported, all of them; in a gap the first band stands, which
    /// nobody sees, because the tariff is refused.
    pub(super) fn compile(
        lines: &[BandLine],
        names: &[String],
        holidays: Days,
        place: &Label,
        findings: &mut Findings,
    ) -> Self {
        let names_holiday = lines.iter().any(|line| line.times.days & (1 << HOLIDAY) != 0);
        let mut troubles = Troubles::default();
        let mut starts = [0_u16; DAY_TYPES + 1];
        let mut edges = Vec::new();
        for (day, start) in starts.iter_mut().enumerate().take(DAY_TYPES) {
            *start = u16::try_from(edges.len()).unwrap_or(u16::MAX);
            if day == usize::from(HOLIDAY) && !names_holiday {
                edges.push((0, 0));
                continue;
            }
            compile_day(day, lines, &mut edges, &mut troubles);
        }
        starts[DAY_TYPES] = u16::try_from(edges.len()).unwrap_or(u16::MAX);
        troubles.report(lines, names, place, findings);
        let holidays = if names_holiday { holidays } else { Days::default() };
        let one_band = lines.iter().all(|line| line.band == 0);
        Self { starts, edges: edges.into(), holidays, one_band }
    }

    /// Whether there is no choice, so that no clock need be asked.
    #[inline]
    pub(super) const fn is_one_band(&self) -> bool {
        self.one_band
    }

    /// The band at a reading of the tariff's clock.
    #[inline]
    pub(super) fn band_at(&self, local: LocalTime) -> u8 {
        self.band_until(local).0
    }

    /// The band at a reading of the tariff's clock, and in how many milliseconds of that clock another one may begin: at
    /// the next edge of that day or at midnight.
    #[inline]
    pub(super) fn band_until(&self, local: LocalTime) -> (u8, i64) {
        let day = self.day_type(local.date());
        let (from, to) = (usize::from(self.starts[day]), usize::from(self.starts[day + 1]));
        let time = local.millis_of_day();
        let (mut band, mut end) = (0, i64::from(DAY));
        // A day has a handful of edges: walking them beats a search.
        for (edge, next) in self.edges.get(from..to).unwrap_or(&[]) {
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
    pub(super) fn span(&self, at: Instant, zone: &Zone) -> (u8, Instant) {
        let (offset, change) = zone.offset_and_end(at);
        let (band, left) = self.band_until(LocalTime::from_millis(at.as_millis().saturating_add(offset)));
        (band, at.plus(Duration::from_millis(left)).min(change))
    }

    /// 0 for Monday to 6 for Sunday, 7 for a holiday.
    #[inline]
    pub(super) fn day_type(&self, date: Date) -> usize {
        if self.holidays.contains(date) { usize::from(HOLIDAY) } else { date.weekday().index() }
    }
}

/// The stretches of one day, checked to cover it once, as edges.
fn compile_day(day: usize, lines: &[BandLine], edges: &mut Vec<(u32, u8)>, troubles: &mut Troubles) {
    let mut stretches: Vec<(u32, u32, usize)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.times.days & (1 << day) != 0 {
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
    gaps: Vec<(u32, u32, u8)>,
    overlaps: Vec<(u32, u32, usize, usize, u8)>,
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

    fn report(self, lines: &[BandLine], names: &[String], place: &Label, findings: &mut Findings) {
        for (from, to, days) in self.gaps {
            let stretch = show_stretch(days, from, to);
            findings.push(
                Finding::error("tariff.band_gap", format!("{stretch} is in no band"))
                    .at(place.clone())
                    .help(format!("add \"{stretch}\" to one of the bands")),
            );
        }
        let name = |line: &BandLine| names.get(usize::from(line.band)).map_or("", String::as_str);
        for (from, to, before, line, days) in self.overlaps {
            let (before, line) = (&lines[before], &lines[line]);
            findings.push(
                Finding::error(
                    "tariff.band_overlap",
                    format!(
                        "{} is in two bands, `{}` and `{}`",
                        show_stretch(days, from, to),
                        name(before),
                        name(line)
                    ),
                )
                .at(line.label.clone())
                .at(before.label.clone())
                .help("times are half-open: a band may begin where another ends"),
            );
        }
    }
}

fn show_stretch(days: u8, from: u32, to: u32) -> String {
    let days = show_days(days);
    if (from, to) == (0, DAY) { days } else { format!("{days} {}-{}", show_clock(from), show_clock(to)) }
}

/// `mon-fri,sun`, `holiday`.
fn show_days(days: u8) -> String {
    let mut parts = Vec::new();
    let mut day = 0;
    while day < DAY_TYPES {
        let has = |day: usize| days & (1 << day) != 0;
        if !has(day) {
            day += 1;
            continue;
        }
        let first = day;
        while day + 1 < usize::from(HOLIDAY) && has(day + 1) {
            day += 1;
        }
        parts.push(if first == day {
            DAY_NAMES[day].to_owned()
        } else {
            format!("{}-{}", DAY_NAMES[first], DAY_NAMES[day])
        });
        day += 1;
    }
    parts.join(",")
}

/// A set of days, one bit each between the first and the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    first: i32,
    bits: Box<[u64]>,
}

impl Days {
    pub(super) fn new(dates: &[Date]) -> Self {
        let (Some(first), Some(last)) = (dates.iter().min(), dates.iter().max()) else { return Self::default() };
        let first = first.days();
        let slot = |date: Date| usize::try_from(i64::from(date.days()) - i64::from(first)).unwrap_or(0);
        let mut bits = vec![0_u64; slot(*last) / 64 + 1];
        for date in dates {
            bits[slot(*date) / 64] |= 1 << (slot(*date) % 64);
        }
        Self { first, bits: bits.into() }
    }

    #[inline]
    pub(super) fn contains(&self, date: Date) -> bool {
        let Ok(slot) = usize::try_from(i64::from(date.days()) - i64::from(self.first)) else { return false };
        self.bits.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }
}
