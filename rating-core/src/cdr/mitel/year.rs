//! The year of dates that have none.

use crate::time::Date;

/// Where the year comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Year {
    /// The settings, or a file's name that has a year and no month.
    Exactly(i32),
    /// The date in the file's name: of a month and day, the year that brings it nearest. A file of 2 January holds calls of 31
    /// December of the year before.
    Nearest(Date),
}

impl Year {
    /// The year of a month and day. That there is such a day is for the caller to check.
    pub(super) fn of(self, month: i64, day: i64) -> i64 {
        let reference = match self {
            Self::Exactly(year) => return i64::from(year),
            Self::Nearest(reference) => reference,
        };
        let (year, ..) = reference.civil();
        let distance = |year: i32| {
            // 29 February is as far off as the day after.
            let date = Date::new(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
                .or_else(|| Date::new(year, u32::try_from(month).ok()?, u32::try_from(day - 1).ok()?))?;
            Some((i64::from(date.days()) - i64::from(reference.days())).abs())
        };
        let nearest = [year - 1, year, year + 1].into_iter().min_by_key(|year| distance(*year).unwrap_or(i64::MAX));
        i64::from(nearest.unwrap_or(year))
    }

    /// What a file's name tells: `smdr-2026-10-03.log`, `20261003.txt`, `smdr_202610.log` (the middle of the month),
    /// `03-10-2026.log` where the order is certain, `smdr-2026.log`. The last date in the name counts.
    pub(super) fn of_file_name(name: &str) -> Option<Self> {
        let runs: Vec<&str> = name.split(|c: char| !c.is_ascii_digit()).collect();
        let joined = |count: usize, at: usize| runs.get(at..at + count).map(<[&str]>::concat);
        for at in (0..runs.len()).rev() {
            let lengths = |wanted: &[usize]| {
                runs.get(at..at + wanted.len())
                    .is_some_and(|runs| runs.iter().zip(wanted).all(|(run, length)| run.len() == *length))
            };
            let before = at.checked_sub(1).and_then(|before| runs.get(before)).map_or(0, |run| run.len());
            let run = runs.get(at).copied().unwrap_or_default();
            let found = match run.len() {
                8 | 10 | 12 | 14 => date(run),
                6 => month(run),
                4 if lengths(&[4, 2, 2]) => joined(3, at).and_then(|text| date(&text)),
                4 if before == 2 => backwards(&runs, at),
                4 if lengths(&[4, 2]) => joined(2, at).and_then(|text| month(&text)),
                4 => run.parse().ok().filter(is_plausible).map(Self::Exactly),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

fn is_plausible(year: &i32) -> bool {
    (1990..=2089).contains(year)
}

/// `20261003`, with or without a time of day behind it.
fn date(text: &str) -> Option<Year> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let year = i32::try_from(number(0..4)?).ok().filter(is_plausible)?;
    Date::new(year, number(4..6)?, number(6..8)?).map(Year::Nearest)
}

/// `202610`.
fn month(text: &str) -> Option<Year> {
    date(&format!("{text}15"))
}

/// `03`, `10`, `2026` where the last is at `at`: only if one of the first two cannot be a month.
fn backwards(runs: &[&str], at: usize) -> Option<Year> {
    let (first, second) = (runs.get(at.checked_sub(2)?)?, runs.get(at - 1)?);
    let year = runs.get(at)?;
    let day_first = date(&format!("{year}{second}{first}")).filter(|_| first.len() == 2);
    let month_first = date(&format!("{year}{first}{second}")).filter(|_| first.len() == 2);
    match (day_first, month_first) {
        (Some(found), None) | (None, Some(found)) => Some(found),
        (Some(one), Some(other)) if one == other => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_tells_its_date() {
        let nearest = |text: &str| Some(Year::Nearest(Date::parse(text).unwrap()));
        for (name, expected) in [
            ("smdr-2026-10-03.log", nearest("2026-10-03")),
            ("smdr_2026_10_03_235959.log", nearest("2026-10-03")),
            ("20261003.txt", nearest("2026-10-03")),
            ("20261003235959.txt", nearest("2026-10-03")),
            ("3300-202610.log", nearest("2026-10-15")),
            ("smdr.2026-10", nearest("2026-10-15")),
            ("31-10-2026.log", nearest("2026-10-31")),
            ("10-31-2026.log", nearest("2026-10-31")),
            ("05-05-2026.log", nearest("2026-05-05")),
            ("smdr2026.log", Some(Year::Exactly(2026))),
            // Which is the month?
            ("03-10-2026.log", None),
            ("smdr.log", None),
            ("smdr-20261399.log", None),
            ("3300.log", None),
            ("host10.smdr.001", None),
        ] {
            assert_eq!(Year::of_file_name(name), expected, "{name}");
        }
    }

    #[test]
    fn the_nearest_year_is_taken_over_new_year() {
        let year = Year::Nearest(Date::parse("2027-01-02").unwrap());
        assert_eq!((year.of(12, 31), year.of(1, 1), year.of(6, 30), year.of(7, 20)), (2026, 2027, 2027, 2026));
        let year = Year::Nearest(Date::parse("2026-12-31").unwrap());
        assert_eq!((year.of(12, 31), year.of(1, 1)), (2026, 2027));
        let year = Year::Nearest(Date::parse("2028-03-01").unwrap());
        assert_eq!(year.of(2, 29), 2028);
        assert_eq!(Year::Exactly(2026).of(12, 31), 2026);
    }
}
