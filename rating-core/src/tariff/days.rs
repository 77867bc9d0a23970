//! Day types: which date is Monday to Sunday, a holiday, or one of the tariff's own.
//!
//! `[days.NAME]` and `[holidays]` say it by calendars, dates and distances from Easter; compiled it is a bit for each date
//! that is special, and a short list of what those are.

use std::sync::Arc;

use super::times::{DAY_NAMES, DayBits, FIRST_OWN};
use crate::finding::{Finding, Findings, Label};
use crate::time::Date;

/// A day type as written.
#[derive(Clone, Debug)]
pub(super) struct DayType {
    /// Its bit: that of `holiday`, or [`FIRST_OWN`] and on.
    pub(super) bit: u8,
    pub(super) dates: Vec<Date>,
    /// Where the calendar of the call's site is named, if it is.
    pub(super) site: Option<Label>,
    /// The days of the week on which a date counts; 0 for all.
    pub(super) only: DayBits,
    /// The weekday whose bands hold on these days.
    pub(super) counts_as: Option<u8>,
    /// Where it stands.
    pub(super) label: Label,
}

impl DayType {
    /// What it is of a set of bands in which the day types of `named` are: a day type, or nothing.
    fn in_set(&self, named: DayBits) -> Option<u8> {
        self.counts_as.or_else(|| (named >> self.bit & 1 == 1).then_some(self.bit))
    }
}

/// The day types of a tariff version.
#[derive(Clone, Debug, Default)]
pub(super) struct DayTypes {
    /// The names of its own, in the order of their bits.
    own: Vec<String>,
    /// Those that are given, in the order in which they are asked: that of the file, the holiday last.
    types: Vec<DayType>,
}

impl DayTypes {
    /// Day types by the names of the own ones; the order of `types` is that in which they are asked.
    pub(super) fn new(own: Vec<String>, types: Vec<DayType>) -> Self {
        Self { own, types }
    }

    /// The names of the tariff's own, in the order of their bits.
    pub(super) fn own(&self) -> &[String] {
        &self.own
    }

    /// The name of a day type by its index.
    pub(super) fn name(&self, day: usize) -> &str {
        match DAY_NAMES.get(day) {
            Some(name) => name,
            None => day.checked_sub(usize::from(FIRST_OWN)).and_then(|own| self.own.get(own)).map_or("", |name| name),
        }
    }

    /// The names of all day types by their index.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        DAY_NAMES.into_iter().chain(self.own.iter().map(String::as_str))
    }

    /// Those that are given, in the order in which they are asked.
    pub(super) fn types(&self) -> &[DayType] {
        &self.types
    }

    /// The day type of a bit, if it is given.
    pub(super) fn by_bit(&self, bit: u8) -> Option<&DayType> {
        self.types.iter().find(|day| day.bit == bit)
    }

    /// Which date is which, to a set of bands that names the day types of `named`: one calendar for all sites, or one
    /// for each. `sites` are their own holidays; the last is the operator's.
    pub(super) fn calendars(&self, named: DayBits, sites: &[Option<Arc<[Date]>>]) -> Box<[Arc<Calendar>]> {
        let by_site = self.types.iter().any(|day| day.site.is_some() && day.in_set(named).is_some());
        if !by_site {
            return Box::new([Arc::new(self.calendar(named, &[]))]);
        }
        let mut made: Vec<(&[Date], Arc<Calendar>)> = Vec::new();
        let mut calendars = Vec::with_capacity(sites.len());
        for site in sites {
            let dates = site.as_deref().unwrap_or(&[]);
            let same = made.iter().find(|(have, _)| std::ptr::eq(*have, dates) || *have == dates);
            let calendar = same.map(|(_, calendar)| Arc::clone(calendar));
            let calendar = calendar.unwrap_or_else(|| {
                let new = Arc::new(self.calendar(named, dates));
                made.push((dates, Arc::clone(&new)));
                new
            });
            calendars.push(calendar);
        }
        calendars.into()
    }

    fn calendar(&self, named: DayBits, site: &[Date]) -> Calendar {
        let mut special: Vec<(i32, usize, u8)> = Vec::new();
        for (order, day) in self.types.iter().enumerate() {
            let Some(counts) = day.in_set(named) else { continue };
            let own = if day.site.is_some() { site } else { &[] };
            let counted = |date: &&Date| day.only == 0 || day.only >> date.weekday().index() & 1 == 1;
            special.extend(day.dates.iter().chain(own).filter(counted).map(|date| (date.days(), order, counts)));
        }
        special.sort_unstable();
        special.dedup_by_key(|(date, ..)| *date);
        Calendar::new(special.into_iter().map(|(date, _, day)| (date, day)).collect())
    }

    /// Reports that a day type takes the calendar of the call's site, and there are sites that have none.
    pub(super) fn report_sites(&self, sites: &[Option<Arc<[Date]>>], findings: &mut Findings) {
        let Some(label) = self.types.iter().find_map(|day| day.site.as_ref()) else { return };
        // The last is the operator's.
        let sites = sites.split_last().map_or(sites, |(_, sites)| sites);
        let without = sites.iter().filter(|holidays| holidays.is_none()).count();
        if without == 0 {
            return;
        }
        let message = match (without, sites.len()) {
            (_, 1) => "the site has no calendar of its own".to_owned(),
            (without, all) if without == all => format!("none of the {all} sites has a calendar of its own"),
            (without, all) => format!("{without} of the {all} sites have no calendar of their own"),
        };
        findings.push(Finding::warning("tariff.site_calendar_missing", message).at(label.clone()).help(
            "write `holidays = \"GB-ENG\"` under `[[site]]` in rating.toml; where a site has none, no day is special",
        ));
    }
}

/// Which date is which day type.
#[derive(Clone, Debug, Default)]
pub(super) struct Calendar {
    first: i32,
    /// A bit for each date from `first` that is not its weekday.
    bits: Box<[u64]>,
    /// What those are, by date.
    special: Box<[(i32, u8)]>,
}

impl Calendar {
    /// `special` is sorted by date, each date once.
    fn new(special: Box<[(i32, u8)]>) -> Self {
        let (Some((first, _)), Some((last, _))) = (special.first(), special.last()) else { return Self::default() };
        let first = *first;
        let slot = |date: i32| usize::try_from(i64::from(date) - i64::from(first)).unwrap_or(0);
        let mut bits = vec![0_u64; slot(*last) / 64 + 1];
        for (date, _) in &special {
            bits[slot(*date) / 64] |= 1 << (slot(*date) % 64);
        }
        Self { first, bits: bits.into(), special }
    }

    /// 0 for Monday to 6 for Sunday, or the special day type.
    #[inline]
    pub(super) fn day_type(&self, date: Date) -> usize {
        if self.is_special(date)
            && let Ok(place) = self.special.binary_search_by_key(&date.days(), |(date, _)| *date)
        {
            return self.special.get(place).map_or(0, |(_, day)| usize::from(*day));
        }
        date.weekday().index()
    }

    #[inline]
    fn is_special(&self, date: Date) -> bool {
        let Ok(slot) = usize::try_from(i64::from(date.days()) - i64::from(self.first)) else { return false };
        self.bits.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }
}
