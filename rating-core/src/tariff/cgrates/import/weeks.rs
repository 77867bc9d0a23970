//! The timings of a version as bands: for every stretch of every kind of day, which timings are active.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::{Offer, Timing};
use super::slug;
use crate::money::Price;
use crate::time::{Date, Weekday};

/// Dates are written until the end of this year.
const HORIZON: i32 = 2045;
/// The most kinds of days that a tariff may have besides the week.
const MOST_DAYS: usize = 8;
const DAY: i64 = 86_400_000;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A band: the rows that win in it, and where in the week it is.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) name: String,
    /// By destination: the place, among its rows, of the first row that costs what the one that wins costs.
    pub(super) winners: Vec<Option<usize>>,
    /// The timings by which it is one.
    tags: Vec<String>,
    /// Kind of day, from, until.
    stretches: Vec<(usize, i64, i64)>,
}

/// The bands of a day: index, from, until.
type Stretches = Vec<(usize, i64, i64)>;

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
    /// The bands that the rows of these destinations need, for a version that begins in `year`.
    pub(super) fn new(timings: &[Timing], offers: &[&[Offer]], year: i32) -> Self {
        let mut used: Vec<u32> = offers.iter().copied().flatten().map(|offer| offer.timing).collect();
        used.sort_unstable();
        used.dedup();
        let of = |index: &u32| usize::try_from(*index).ok().and_then(|index| timings.get(index));
        let (weekly, dated): (Vec<u32>, Vec<u32>) =
            used.into_iter().partition(|index| of(index).is_some_and(Timing::is_weekly));
        let mut weeks = Self { bands: Vec::new(), unsaid: Vec::new(), days: Vec::new(), notes: Vec::new() };
        let on_weekday = |day: Weekday| -> Vec<u32> {
            weekly.iter().copied().filter(|index| of(index).is_some_and(|timing| timing.has_weekday(day))).collect()
        };
        let week: Vec<Vec<u32>> = Weekday::ALL.into_iter().map(on_weekday).collect();
        for (kind, active) in week.iter().enumerate() {
            for (band, from, until) in weeks.day(active, offers, &of) {
                weeks.add(band, (kind, from, until));
            }
        }
        if dated.is_empty() {
            return weeks.name();
        }
        let mut special: BTreeMap<Vec<u32>, Vec<Date>> = BTreeMap::new();
        let first = Date::new(year, 1, 1).map_or(0, Date::days);
        let last = Date::new(HORIZON, 12, 31).map_or(0, Date::days);
        for date in (first..=last).map(Date::from_days) {
            let has = |index: &u32| of(index).is_some_and(|timing| timing.has_date(date));
            let mut active: Vec<u32> = dated.iter().copied().filter(has).collect();
            if !active.is_empty() {
                active.extend(week.get(date.weekday().index()).into_iter().flatten());
                active.sort_unstable();
                special.entry(active).or_default().push(date);
            }
        }
        // Dates on which the same bands follow one another are one kind of day.
        let mut kinds: Vec<(Stretches, Vec<Date>, &str)> = Vec::new();
        for (active, dates) in special {
            let stretches = weeks.day(&active, offers, &of);
            match kinds.iter_mut().find(|kind| kind.0 == stretches) {
                Some(kind) => kind.1.extend(dates),
                None => {
                    let tag = active.iter().find(|index| dated.contains(index)).and_then(of);
                    kinds.push((stretches, dates, tag.map_or("", |timing| &timing.tag)));
                }
            }
        }
        if kinds.len() > MOST_DAYS {
            weeks.unsaid = dated;
            return weeks.name();
        }
        for (index, (stretches, mut dates, tag)) in kinds.into_iter().enumerate() {
            let mut name = word(tag);
            while weeks.days.iter().any(|(other, _)| *other == name) || NAMES.contains(&name.as_str()) {
                name.push('x');
            }
            dates.sort_unstable();
            weeks.days.push((name, dates));
            for (band, from, until) in stretches {
                weeks.add(band, (NAMES.len() + index, from, until));
            }
        }
        if dated.iter().any(|index| of(index).is_some_and(|timing| timing.years.is_none())) {
            weeks.notes.push(format!("days of timings for any year are written until the end of {HORIZON}"));
        }
        weeks.name()
    }

    /// The bands of a day on which these timings are active, as they follow one another.
    fn day<'t>(
        &mut self,
        timings_of_day: &[u32],
        offers: &[&[Offer]],
        of: &impl Fn(&u32) -> Option<&'t Timing>,
    ) -> Stretches {
        let start = |index: &u32| of(index).map_or(0, |timing| timing.start);
        let mut cuts: Vec<i64> = timings_of_day.iter().map(start).chain([0, DAY]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut stretches: Stretches = Vec::new();
        for (from, until) in cuts.iter().zip(cuts.iter().skip(1)) {
            let active: Vec<u32> = timings_of_day.iter().copied().filter(|index| start(index) <= *from).collect();
            let winner = |rows: &&[Offer]| {
                let mut best: Option<(Price, i64, usize)> = None;
                for (place, offer) in rows.iter().enumerate().filter(|(_, offer)| active.contains(&offer.timing)) {
                    let key = (offer.weight, start(&offer.timing));
                    if best.is_none_or(|(weight, start, _)| key > (weight, start)) {
                        best = Some((key.0, key.1, place));
                    }
                }
                let won = rows.get(best?.2)?;
                rows.iter().position(|row| row.costs_as(won))
            };
            let winners: Vec<Option<usize>> = offers.iter().map(winner).collect();
            let band = self.band(winners, &active, of);
            match stretches.last_mut() {
                Some(last) if last.0 == band => last.2 = *until,
                _ => stretches.push((band, *from, *until)),
            }
        }
        stretches
    }

    /// The band in which these rows win.
    fn band<'t>(
        &mut self,
        winners: Vec<Option<usize>>,
        active: &[u32],
        of: &impl Fn(&u32) -> Option<&'t Timing>,
    ) -> usize {
        // The timing that began last; of those, one that is not `*any`.
        let latest = active.iter().filter_map(of).max_by_key(|timing| (timing.start, &*timing.tag != "*any"));
        let tag = latest.map_or_else(|| "none".to_owned(), |timing| word(&timing.tag));
        let place = self.bands.iter().position(|band| band.winners == winners).unwrap_or(self.bands.len());
        if place == self.bands.len() {
            self.bands.push(Band { name: String::new(), winners, tags: Vec::new(), stretches: Vec::new() });
        }
        if let Some(band) = self.bands.get_mut(place).filter(|band| !band.tags.contains(&tag)) {
            band.tags.push(tag);
        }
        place
    }

    /// Names the bands after their timings.
    fn name(mut self) -> Self {
        self.bands.retain(|band| !band.stretches.is_empty());
        let mut names: Vec<String> = Vec::new();
        for band in &mut self.bands {
            let rest = if band.tags.len() > 3 { "_and_more" } else { "" };
            let mut name = band.tags.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("_") + rest;
            while names.contains(&name) {
                name.push_str("_too");
            }
            names.push(name.clone());
            band.name = name;
        }
        self
    }

    fn add(&mut self, band: usize, stretch: (usize, i64, i64)) {
        if let Some(band) = self.bands.get_mut(band) {
            band.stretches.push(stretch);
        }
    }

    /// Whether there is but one band, which needs no table.
    pub(super) fn is_one(&self) -> bool {
        self.bands.len() == 1
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Kinds of days, which rise: `mon-fri,new_year`.
    fn kinds(&self, kinds: &[usize]) -> String {
        let name = |kind: &usize| match NAMES.get(*kind) {
            Some(name) => name,
            None => self.days.get(kind - NAMES.len()).map_or("", |day| day.0.as_str()),
        };
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for kind in kinds {
            match spans.last_mut() {
                Some(last) if last.1 + 1 == *kind && *kind < NAMES.len() => last.1 = *kind,
                _ => spans.push((*kind, *kind)),
            }
        }
        let text = |(first, last): &(usize, usize)| {
            if first == last { name(first).to_owned() } else { format!("{}-{}", name(first), name(last)) }
        };
        spans.iter().map(text).collect::<Vec<_>>().join(",")
    }

    /// The tables of bands and days.
    pub(super) fn write(&self, settings: &mut String) {
        if self.is_one() {
            return;
        }
        settings.push_str("\n[bands]\n");
        for band in &self.bands {
            // Days with the same stretch stand together.
            let mut times: BTreeMap<(i64, i64), Vec<usize>> = BTreeMap::new();
            for (kind, from, until) in &band.stretches {
                times.entry((*from, *until)).or_default().push(*kind);
            }
            let stretches: Vec<String> = times
                .into_iter()
                .map(|((from, until), kinds)| match (from, until) {
                    (0, DAY) => format!("\"{}\"", self.kinds(&kinds)),
                    _ => format!("\"{} {}-{}\"", self.kinds(&kinds), time(from), time(until)),
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
