//! The parts of a settings file that are about time: bands and sets of them, day types, whose clock.

use std::sync::Arc;

use super::{Clock, Reader};
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Label};
use crate::tariff::bands::{BandLine, WeekDraft, Weeks};
use crate::tariff::calendar;
use crate::tariff::caller_zones::CallerZones;
use crate::tariff::days::{DayType, DayTypes};
use crate::tariff::times::{self, DAY_NAMES, FIRST_OWN, HOLIDAY, MOST_OWN};
use crate::time::{Weekday, Zone};

/// Most sets of bands that a tariff can have, and most bands.
const MOST: usize = u8::MAX as usize;

impl Reader<'_, '_> {
    pub(super) fn clock(&mut self) -> Clock {
        let zone = self.section.text("zone", self.findings);
        let table = self.section.text("caller_zones", self.findings);
        let clock = match zone.as_ref().map(|zone| zone.value.as_str()) {
            None | Some("site") => Clock::Site,
            Some("operator") => Clock::Operator,
            Some("caller") => return self.caller_clock(zone.as_ref(), table),
            Some(name) => match Zone::load(name) {
                Some(zone) => Clock::Fixed(Box::new(zone)),
                None => {
                    let message = format!("`{name}` is not a time zone");
                    let help = "write `site`, `operator`, `caller` or a name of the IANA database: `Europe/London`";
                    if let Some(text) = &zone {
                        self.error(text, "tariff.unknown_zone", message, help);
                    }
                    Clock::Site
                }
            },
        };
        if let Some(table) = table {
            let finding = Finding::warning("tariff.caller_zones_unused", "the callers' zones are not asked for");
            let help = "write `zone = \"caller\"`, or leave `caller_zones` out";
            self.findings.push(finding.at(self.section.label(&table.span, "")).help(help));
        }
        clock
    }

    fn caller_clock(&mut self, zone: Option<&Spanned<String>>, table: Option<Spanned<String>>) -> Clock {
        let Some(table) = table else {
            if let Some(zone) = zone {
                let message = "the clock is the caller's, and nothing says where callers are".to_owned();
                let help = "add `caller_zones = \"zones.csv\"`, a table of the columns `prefix` and `zone`";
                self.error(zone, "tariff.caller_zones_missing", message, help);
            }
            return Clock::Site;
        };
        match self.load(&table, "tariff.caller_zones_missing", "table") {
            Some(file) => Clock::Caller(Arc::new(CallerZones::read(&file, self.findings))),
            None => Clock::Site,
        }
    }

    /// The names of the bands, shared by all sets, and the sets.
    pub(super) fn bands(&mut self) -> (Vec<String>, Weeks) {
        let (days, days_are_sound) = self.days();
        let mut names = Vec::new();
        let mut sets = Vec::new();
        let mut sound = days_are_sound;
        let default = self.section.table("bands", self.findings);
        let has_bands = default.is_some();
        let place = default.as_ref().map(|table| table.label(&table.span(), ""));
        let (lines, good) = default.map(|table| self.band_lines(table, &mut names, &days)).unwrap_or_default();
        sound &= good || !has_bands;
        sets.push((String::new(), lines, place));
        if !has_bands {
            names.push("all".to_owned());
        }
        if let Some(table) = self.section.table("band_sets", self.findings) {
            let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
            for key in keys {
                sound &= self.is_band_name(&table, &key, "set of bands");
                let Some(set) = table.table(&key.value, self.findings) else {
                    sound = false;
                    continue;
                };
                let place = set.label(&set.span(), "");
                let (lines, good) = self.band_lines(set, &mut names, &days);
                sound &= good;
                sets.push((key.value, lines, Some(place)));
            }
            table.finish(self.findings);
        }
        if names.len() > MOST || sets.len() > MOST {
            let message = format!("a tariff has at most {MOST} bands and sets of bands");
            let place = sets.iter().find_map(|(.., place)| place.clone());
            let finding = Finding::error("tariff.bad_band", message).help("leave out what no price needs");
            self.findings.push(match place {
                Some(place) => finding.at(place),
                None => finding,
            });
            sound = false;
            // Whatever is read after them may count on their number.
            names.truncate(MOST);
            sets.truncate(MOST);
        }
        if sound {
            self.report_day_use(&days, &sets);
        }
        let mut weeks: Vec<(String, WeekDraft)> = Vec::new();
        for (name, lines, place) in sets {
            // Gaps that a band in need of mending leaves are no news.
            let week = match place.filter(|_| sound) {
                Some(place) => WeekDraft::compile(&lines, &names, &days, &name, &place, self.findings),
                None => WeekDraft::all(0),
            };
            weeks.push((name, week));
        }
        (names, Weeks::new(weeks, days))
    }

    /// The lines of a table of bands, and whether all of it could be read. New names are added to `names`.
    fn band_lines(&mut self, table: Section, names: &mut Vec<String>, days: &DayTypes) -> (Vec<BandLine>, bool) {
        let mut lines = Vec::new();
        let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
        let mut sound = !keys.is_empty();
        if keys.is_empty() {
            let finding = Finding::error("tariff.bad_band", "a set of bands has one band or more, not 0");
            self.findings.push(finding.at(table.label(&table.span(), "")).help("leave `[bands]` out for one band"));
        }
        for key in &keys {
            sound &= self.is_band_name(&table, key, "band");
            let place = names.iter().position(|name| *name == key.value).unwrap_or_else(|| {
                names.push(key.value.clone());
                names.len() - 1
            });
            let band = u8::try_from(place).unwrap_or(u8::MAX);
            for text in table.texts(&key.value, self.findings) {
                let label = table.label(&text.span, "");
                let times = times::band_times(&text.value, days.own());
                match times {
                    Ok(times) => {
                        sound &= self.are_days(times.days, &text.value, &label, days);
                        lines.push(BandLine { band, times, label });
                    }
                    Err(mut fault) => {
                        if !days.own().is_empty() {
                            fault.help = format!("{}; this tariff's own days: {}", fault.help, days.own().join(", "));
                        }
                        self.findings.push(fault.at(label));
                        sound = false;
                    }
                }
            }
        }
        table.finish(self.findings);
        (lines, sound)
    }

    fn is_band_name(&mut self, table: &Section, key: &Spanned<String>, what: &str) -> bool {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if key.value.chars().all(good) && !key.value.is_empty() {
            return true;
        }
        let message = format!("`{}` cannot be the name of a {what}", key.value);
        let help = if what == "band" {
            "use small letters, digits, `-` and `_`: a deck has the column `price_<band>`"
        } else {
            "use small letters, digits, `-` and `_`"
        };
        self.findings.push(Finding::error("tariff.bad_band", message).at(table.label(&key.span, "")).help(help));
        false
    }

    /// Whether every day type of a band's line is one that occurs.
    fn are_days(&mut self, bits: times::DayBits, text: &str, label: &Label, days: &DayTypes) -> bool {
        let counted = days.types().iter().find(|day| day.counts_as.is_some() && bits >> day.bit & 1 == 1);
        let Some(day) = counted else { return true };
        let name = days.name(usize::from(day.bit));
        let as_day = days.name(usize::from(day.counts_as.unwrap_or(0)));
        let message = format!("`{text}` never holds: `{name}` counts as `{as_day}`");
        let help = format!("leave `{name}` out here, or leave out its `count_as`");
        self.findings.push(Finding::error("tariff.bad_band", message).at(label.clone()).help(help));
        false
    }

    /// Day types that bands name and nothing defines, and the other way round.
    fn report_day_use(&mut self, days: &DayTypes, sets: &[(String, Vec<BandLine>, Option<Label>)]) {
        let named = |lines: &[BandLine]| lines.iter().fold(0, |bits, line| bits | line.times.days);
        let used = sets.iter().fold(0, |bits, (_, lines, _)| bits | named(lines));
        let place = sets.iter().find(|(_, lines, _)| named(lines) >> HOLIDAY & 1 == 1);
        if let Some(place) = place.and_then(|(.., place)| place.clone()).filter(|_| days.by_bit(HOLIDAY).is_none()) {
            let finding = Finding::error("tariff.holidays_missing", "a band is for holidays, and no day is a holiday");
            let help = "add `[holidays]` with `calendar = [\"GB-ENG\"]` or `dates = [\"2026-12-25\"]`";
            self.findings.push(finding.at(place).help(help));
        }
        if sets.iter().all(|(.., place)| place.is_none()) {
            return;
        }
        for day in days.types().iter().filter(|day| day.counts_as.is_none() && used >> day.bit & 1 == 0) {
            let finding = if day.bit == HOLIDAY {
                let message = "no band names `holiday`, so holidays are the weekday they fall on";
                let help =
                    "add `holiday` to a band, as in `weekend = [\"sat-sun\", \"holiday\"]`, or leave `[holidays]` out";
                Finding::warning("tariff.holidays_unused", message).help(help)
            } else {
                let name = days.name(usize::from(day.bit));
                let message = format!("no band names `{name}`, so its days are the weekday they fall on");
                let help = format!("add `{name}` to a band, say which day it counts as (`count_as`), or leave it out");
                Finding::warning("tariff.day_unused", message).help(help)
            };
            self.findings.push(finding.at(day.label.clone()));
        }
    }

    /// The day types, and whether all of them could be read.
    fn days(&mut self) -> (DayTypes, bool) {
        let mut sound = true;
        let (mut own, mut types): (Vec<String>, Vec<DayType>) = (Vec::new(), Vec::new());
        let mut holiday = self.section.table("holidays", self.findings).map(|table| self.day_type(HOLIDAY, table));
        if let Some(table) = self.section.table("days", self.findings) {
            let mut keys: Vec<Spanned<String>> = table.keys().cloned().collect();
            keys.sort_by_key(|key| key.span.start);
            for key in keys {
                let Some(section) = table.table(&key.value, self.findings) else {
                    sound = false;
                    continue;
                };
                if key.value == DAY_NAMES[usize::from(HOLIDAY)] {
                    let place = section.label(&key.span, "");
                    let day = self.day_type(HOLIDAY, section);
                    if let Some(other) = holiday.replace(day) {
                        sound = false;
                        let finding = Finding::error("tariff.bad_day", "`[holidays]` is `[days.holiday]`, given twice");
                        self.findings.push(finding.at(place).at(other.label).help("put both into one table"));
                    }
                    continue;
                }
                sound &= self.is_day_name(&table, &key);
                let bit = u8::try_from(own.len()).unwrap_or(u8::MAX).saturating_add(FIRST_OWN);
                own.push(key.value);
                types.push(self.day_type(bit, section));
            }
            if own.len() > MOST_OWN {
                let message = format!("a tariff has at most {MOST_OWN} day types of its own, not {}", own.len());
                let finding = Finding::error("tariff.bad_day", message).at(table.label(&table.span(), ""));
                self.findings.push(finding.help("days on which the same bands hold are one day type"));
                (own, types) = (Vec::new(), Vec::new());
                sound = false;
            }
            table.finish(self.findings);
        }
        types.extend(holiday);
        (DayTypes::new(own, types), sound)
    }

    fn is_day_name(&mut self, table: &Section, key: &Spanned<String>) -> bool {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let name = &key.value;
        let fault = if Weekday::parse(name).is_some() {
            "it is a day of the week"
        } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(good) {
            "it is not a name"
        } else {
            return true;
        };
        let finding = Finding::error("tariff.bad_day", format!("`{name}` cannot be the name of a day type: {fault}"));
        let help = "use small letters, digits and `_`, a letter first: `christmas`";
        self.findings.push(finding.at(table.label(&key.span, "")).help(help));
        false
    }

    fn day_type(&mut self, bit: u8, table: Section) -> DayType {
        let (mut dates, mut site) = (Vec::new(), None);
        for text in table.texts("dates", self.findings) {
            if let Err(fault) = times::dates(&text.value, &mut dates) {
                self.findings.push(fault.at(table.label(&text.span, "")));
            }
        }
        for offset in table.integers("easter", self.findings) {
            if let Err(fault) = times::easter(offset.value, &mut dates) {
                self.findings.push(fault.at(table.label(&offset.span, "")));
            }
        }
        for name in table.texts("calendar", self.findings) {
            if name.value == "site" {
                site = Some(table.label(&name.span, ""));
            } else if let Some(built_in) = calendar::dates(&name.value) {
                dates.extend(built_in);
            } else if name.value.contains(['.', '/']) {
                if let Some(file) = self.load(&name, "tariff.calendar_missing", "calendar") {
                    dates.extend(calendar::read(&file, self.findings));
                }
            } else {
                let message = format!("there is no calendar `{}`", name.value);
                self.error(&name, "tariff.calendar_missing", message, calendar::suggestion(&name.value));
            }
        }
        let only = table.text("only", self.findings);
        let only = only.and_then(|text| self.keep(&text, times::weekdays(&text.value)));
        let counts_as = table.text("count_as", self.findings);
        let counts_as = counts_as.and_then(|text| self.keep(&text, times::weekday(&text.value)));
        let label = table.label(&table.span(), "");
        table.finish(self.findings);
        DayType { bit, dates, site, only: only.unwrap_or(0), counts_as, label }
    }
}
