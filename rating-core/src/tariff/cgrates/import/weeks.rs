//! The timings of a version as bands: for every stretch of every kind of day, which timings are active.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::{Offer, Timing};
use super::slug;
use crate::time::{Date, Weekday};

/// Dates are written until the end of this year.
const HORIZON: i32 = 2045;
/// The most kinds of days that a tariff may have besides the week.
const MOST_DAYS: usize = 8;
const DAY: i64 = 86_400_000;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A band: the timings that are active in it, and where in the week it is.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) name: String,
    /// Indices of timings, rising.
    pub(super) active: Vec<u32>,
    /// Kind of day, from, until.
    stretches: Vec<(usize, i64, i64)>,
}

/// The bands of a version, and its kinds of days.
#[derive(Debug)]
pub(super) struct Weeks {
    pub(super) bands: Vec<Band>,
    /// Timings that cannot be said.
    pub(super) unsaid: Vec<u32>,
    /// Own kinds of days: name, dates.
    days: Vec<(String, Vec<Date>)>,
    notes: Vec<String>,
}

impl Timing {
    /// Whether it goes by the week alone.
    fn is_weekly(&self) -> bool {
        const MONTHS: u16 = 0x1ffe;
        self.years.is_none() && self.months & MONTHS == MONTHS && self.month_days >> 1 == u32::MAX >> 1
    }

    fn has_date(&self, date: Date) -> bool {
        let (year, month, day) = date.civil();
        self.years.as_ref().is_none_or(|years| years.contains(&year))
            && self.months & 1 << month != 0
            && self.month_days & 1 << day != 0
            && self.has_weekday(date.weekday())
    }

    fn has_weekday(&self, day: Weekday) -> bool {
        self.week_days & 1 << day.index() != 0
    }
}

impl Weeks {
    /// The bands that these rows need, for a version that begins in `year`.
    pub(super) fn new<'o>(timings: &[Timing], offers: impl Iterator<Item = &'o Offer>, year: i32) -> Self {
        let mut used: Vec<u32> = offers.map(|offer| offer.timing).collect();
        used.sort_unstable();
        used.dedup();
        let of = |index: &u32| usize::try_from(*index).ok().and_then(|index| timings.get(index));
        let (weekly, dated): (Vec<u32>, Vec<u32>) =
            used.into_iter().partition(|index| of(index).is_some_and(Timing::is_weekly));
        let mut weeks = Self { bands: Vec::new(), unsaid: Vec::new(), days: Vec::new(), notes: Vec::new() };
        // By kind of day: the timings that have it.
        let on_weekday = |day: Weekday| -> Vec<u32> {
            weekly.iter().copied().filter(|index| of(index).is_some_and(|timing| timing.has_weekday(day))).collect()
        };
        let mut kinds: Vec<Vec<u32>> = Weekday::ALL.into_iter().map(on_weekday).collect();
        let mut special: BTreeMap<Vec<u32>, Vec<Date>> = BTreeMap::new();
        let first = Date::new(year, 1, 1).map_or(0, Date::days);
        let last = Date::new(HORIZON, 12, 31).map_or(0, Date::days);
        for date in (first..=last).map(Date::from_days).take_while(|_| !dated.is_empty()) {
            let has = |index: &u32| of(index).is_some_and(|timing| timing.has_date(date));
            let mut active: Vec<u32> = dated.iter().copied().filter(has).collect();
            if !active.is_empty() {
                active.extend(kinds.get(date.weekday().index()).into_iter().flatten());
                active.sort_unstable();
                special.entry(active).or_default().push(date);
            }
        }
        if special.len() > MOST_DAYS {
            weeks.unsaid = dated;
        } else {
            for (active, dates) in special {
                let tag =
                    active.iter().find(|index| dated.contains(index)).and_then(of).map_or("", |timing| &timing.tag);
                let mut name = word(tag);
                while weeks.days.iter().any(|(other, _)| *other == name) || NAMES.contains(&name.as_str()) {
                    name.push('x');
                }
                weeks.days.push((name, dates));
                kinds.push(active);
            }
            let endless = dated.iter().any(|index| of(index).is_some_and(|timing| timing.years.is_none()));
            if endless {
                weeks.notes.push(format!("days of timings for any year are written until the end of {HORIZON}"));
            }
        }
        for (kind, timings_of_day) in kinds.iter().enumerate() {
            let start = |index: &u32| of(index).map_or(0, |timing| timing.start);
            let mut cuts: Vec<i64> = timings_of_day.iter().map(start).chain([0, DAY]).collect();
            cuts.sort_unstable();
            cuts.dedup();
            for (from, until) in cuts.iter().zip(cuts.iter().skip(1)) {
                let active: Vec<u32> = timings_of_day.iter().copied().filter(|index| start(index) <= *from).collect();
                weeks.add(active, (kind, *from, *until), &of);
            }
        }
        weeks
    }

    fn add<'t>(&mut self, active: Vec<u32>, stretch: (usize, i64, i64), of: &impl Fn(&u32) -> Option<&'t Timing>) {
        if let Some(band) = self.bands.iter_mut().find(|band| band.active == active) {
            band.stretches.push(stretch);
            return;
        }
        // Named after the timing that began last; of those, after one that is not `*any`.
        let latest = active.iter().filter_map(of).max_by_key(|timing| (timing.start, &*timing.tag != "*any"));
        let mut name = latest.map_or_else(|| "none".to_owned(), |timing| word(&timing.tag));
        while self.bands.iter().any(|band| band.name == name) {
            name.push_str("_too");
        }
        self.bands.push(Band { name, active, stretches: vec![stretch] });
    }

    /// Whether there is but one band, which needs no table.
    pub(super) fn is_one(&self) -> bool {
        self.bands.len() == 1
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The tables of bands and days.
    pub(super) fn write(&self, settings: &mut String) {
        if self.is_one() {
            return;
        }
        settings.push_str("\n[bands]\n");
        for band in &self.bands {
            // Days with the same stretch stand together.
            let mut times: BTreeMap<(i64, i64), Vec<&str>> = BTreeMap::new();
            for (kind, from, until) in &band.stretches {
                let name =
                    NAMES.get(*kind).copied().or_else(|| self.days.get(kind - NAMES.len()).map(|day| day.0.as_str()));
                times.entry((*from, *until)).or_default().extend(name);
            }
            let stretches: Vec<String> = times
                .into_iter()
                .map(|((from, until), days)| match (from, until) {
                    (0, DAY) => format!("\"{}\"", days.join(",")),
                    _ => format!("\"{} {}-{}\"", days.join(","), time(from), time(until)),
                })
                .collect();
            let _ = writeln!(settings, "{} = [{}]", band.name, stretches.join(", "));
        }
        for (name, dates) in &self.days {
            let _ = writeln!(settings, "\n[days.{name}]\ndates = [");
            for year in dates.chunks(10) {
                let dates: Vec<String> = year.iter().map(|date| format!("\"{date}\"")).collect();
                let _ = writeln!(settings, "    {},", dates.join(", "));
            }
            settings.push_str("]\n");
        }
    }
}

/// A name with letters, digits and underscores.
fn word(text: &str) -> String {
    slug(text).replace('-', "_")
}

fn time(millis: i64) -> String {
    let seconds = millis / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}
