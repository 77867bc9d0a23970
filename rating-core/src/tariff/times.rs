//! How days, times of day and dates are written in bands and day types: readers from text to values.

use nom::Parser;
use nom::character::complete::{char, digit1, space0};
use nom::combinator::{all_consuming, opt};
use nom::multi::separated_list1;
use nom::sequence::preceded;
use nom::{IResult, bytes::complete::take_while1};

use super::notation::{Fault, comma, dash};
use crate::time::{Date, Weekday};

/// A set of day types as bits: Monday is bit 0, Sunday bit 6, [`HOLIDAY`] bit 7, then the tariff's own.
pub(super) type DayBits = u16;

/// The day type of `[holidays]`.
pub(super) const HOLIDAY: u8 = 7;

/// The first of a tariff's own day types.
pub(super) const FIRST_OWN: u8 = 8;

/// How many own day types a tariff can have.
pub(super) const MOST_OWN: usize = 8;

/// The names of the day types that every tariff has.
pub(super) const DAY_NAMES: [&str; FIRST_OWN as usize] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"];

/// A whole day in milliseconds.
pub(super) const DAY: u32 = 86_400_000;

/// One line of a band: on which days, from when to when, in milliseconds of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BandTimes {
    pub(super) days: DayBits,
    /// Half-open stretches of one day, in the order written.
    pub(super) times: Vec<(u32, u32)>,
}

/// Reads `mon-fri 08:00-18:00`, `sat-sun`, `mon,wed 09:00-12:00,13:00-17:30`, `holiday`, and the names of a tariff's own
/// day types (`own`, in the order of their bits).
///
/// Times are half-open: 18:00 itself is outside `08:00-18:00`. A stretch that ends before it begins (`18:00-08:00`) means
/// 18:00–24:00 and 00:00–08:00 of each of the named days, never the morning of a day that is not named.
pub(super) fn band_times(text: &str, own: &[String]) -> Result<BandTimes, Fault> {
    let bad = |why: String| {
        Fault::new(
            "tariff.bad_band",
            format!("`{text}` does not say when: {why}"),
            "write days, then times: `mon-fri 08:00-18:00`, `sat-sun`, `holiday`, `mon,wed 09:00-12:00,13:00-17:30`",
        )
    };
    let lower = text.trim().to_lowercase();
    let parsed = all_consuming((
        separated_list1(comma, (day_word, opt(preceded(dash, day_word)))),
        opt(preceded(space0, separated_list1(comma, (clock, preceded(dash, clock))))),
    ))
    .parse(lower.as_str());
    let Ok((_, (days, times))) = parsed else {
        return Err(bad("days and times could not be told apart".into()));
    };
    let bits = day_bits(&days, own).map_err(bad)?;
    let mut stretches = Vec::new();
    for (from, to) in times.unwrap_or_else(|| vec![(Some(0), Some(DAY))]) {
        let (Some(from), Some(to)) = (from, to) else {
            return Err(bad("times run from 00:00 to 24:00".into()));
        };
        match from.cmp(&to) {
            std::cmp::Ordering::Less => stretches.push((from, to)),
            std::cmp::Ordering::Equal => {
                return Err(bad("it begins and ends at the same time; a whole day is `00:00-24:00`".into()));
            }
            std::cmp::Ordering::Greater => {
                stretches.extend([(from, DAY), (0, to)].into_iter().filter(|(from, to)| from < to));
            }
        }
    }
    Ok(BandTimes { days: bits, times: stretches })
}

/// Reads days of the week alone: `mon-fri`, `sat,sun`.
pub(super) fn weekdays(text: &str) -> Result<DayBits, Fault> {
    let lower = text.trim().to_lowercase();
    let parsed = all_consuming(separated_list1(comma, (day_word, opt(preceded(dash, day_word))))).parse(&*lower);
    let bits = parsed.ok().and_then(|(_, days)| day_bits(&days, &[]).ok());
    bits.filter(|bits| bits & (1 << HOLIDAY) == 0).ok_or_else(|| {
        let message = format!("`{text}` does not name days of the week");
        Fault::new("tariff.bad_day", message, "write `mon-fri`, `sat,sun` or `mon`")
    })
}

/// Reads one day of the week.
pub(super) fn weekday(text: &str) -> Result<u8, Fault> {
    let day = Weekday::parse(&text.trim().to_lowercase()).and_then(|day| u8::try_from(day.index()).ok());
    day.ok_or_else(|| {
        let message = format!("`{text}` is not a day of the week");
        Fault::new("tariff.bad_day", message, "write the day that it counts as: `sun`")
    })
}

fn day_bits(days: &[(&str, Option<&str>)], own: &[String]) -> Result<DayBits, String> {
    let mut bits = 0;
    for (first, last) in days {
        if last.is_none() {
            if *first == "holiday" {
                bits |= 1 << HOLIDAY;
                continue;
            }
            if let Some(place) = own.iter().position(|name| name == first) {
                bits |= 1 << (usize::from(FIRST_OWN) + place);
                continue;
            }
        }
        let day = |name: &str| {
            Weekday::parse(name).map(Weekday::index).ok_or_else(|| format!("`{name}` is not a day of the week"))
        };
        let (first, last) = (day(first)?, day(last.unwrap_or(first))?);
        let span = (last + 7 - first) % 7;
        for step in 0..=span {
            bits |= 1 << ((first + step) % 7);
        }
    }
    Ok(bits)
}

/// The years in which a date without a year and a feast are days.
const YEARS: std::ops::Range<i32> = 1990..2100;

/// Reads the days of `dates`: `2026-12-24`, `2026-12-27..2026-12-31` (both ends included), and without the year for every
/// year: `12-24`, `12-27..12-31`.
pub(super) fn dates(text: &str, into: &mut Vec<Date>) -> Result<(), Fault> {
    let (first, last) = text.split_once("..").map_or((text, text), |(first, last)| (first.trim(), last.trim()));
    if let (Some(first), Some(last)) = (Date::parse(first), Date::parse(last)) {
        if first > last {
            let message = format!("`{text}` ends before it begins");
            return Err(Fault::new("tariff.bad_date", message, "write the earlier day first"));
        }
        if last.days() - first.days() > 366 {
            let message = format!("`{text}` is longer than a year");
            return Err(Fault::new("tariff.bad_date", message, "check the years"));
        }
        into.extend((first.days()..=last.days()).map(Date::from_days));
        return Ok(());
    }
    // A leap year tells which days there are.
    let yearly = |text: &str| {
        let known = text.len() == 5 && Date::parse(&format!("2000-{text}")).is_some();
        known.then(|| text.to_owned())
    };
    let (Some(first), Some(last)) = (yearly(first), yearly(last)) else {
        return Err(Fault::new(
            "tariff.bad_date",
            format!("`{text}` is not a date"),
            "write `2026-12-25`, `2026-12-27..2026-12-31`, or `12-25` for every year",
        ));
    };
    for year in YEARS {
        // What ends before it begins runs over the turn of the year.
        let end = if last < first { year + 1 } else { year };
        let day = |year: i32, text: &str| Date::parse(&format!("{year}-{text}"));
        // 29 February is a day in leap years only; a stretch that begins or ends there is of its neighbour else.
        let from = day(year, &first).or_else(|| (first != last).then(|| day(year, "03-01")).flatten());
        let to = day(end, &last).or_else(|| day(end, "02-28"));
        if let (Some(from), Some(to)) = (from, to) {
            into.extend((from.days()..=to.days()).map(Date::from_days));
        }
    }
    Ok(())
}

/// The days that lie so many days after (or, negative, before) Easter Sunday, year by year.
pub(super) fn easter(offset: i64, into: &mut Vec<Date>) -> Result<(), Fault> {
    let offset = i32::try_from(offset).ok().filter(|offset| (-100..=250).contains(offset)).ok_or_else(|| {
        let message = format!("{offset} days from Easter is not a feast");
        Fault::new("tariff.bad_date", message, "Good Friday is -2, Easter Monday 1, Ascension 39, Whit Monday 50")
    })?;
    into.extend(YEARS.map(|year| Date::from_days(easter_sunday(year).days() + offset)));
    Ok(())
}

/// Easter Sunday of the Gregorian calendar (the method that the "Calculation of Easter" letter in Nature of 20 April 1876
/// gives, as printed by Meeus, Astronomical Algorithms, chapter 8).
fn easter_sunday(year: i32) -> Date {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    // 22 March to 25 April: `sum` is the month times 31, and the day from 0.
    let march = Date::new(year, 3, 1).map_or(0, Date::days);
    Date::from_days(march + (sum / 31 - 3) * 31 + sum % 31)
}

/// `08:00` or `08:00:30` in milliseconds of the day; `None` if there is no such time.
fn clock(input: &str) -> IResult<&str, Option<u32>> {
    let (rest, (hour, minute, second)) =
        (digit1, preceded(char(':'), digit1), opt(preceded(char(':'), digit1))).parse(input)?;
    let part =
        |digits: &str, below: u32| digits.parse::<u32>().ok().filter(|number| digits.len() == 2 && *number < below);
    let read = || {
        let (hour, minute, second) = (part(hour, 25)?, part(minute, 60)?, part(second.unwrap_or("00"), 60)?);
        Some((hour * 3_600 + minute * 60 + second) * 1_000).filter(|millis| *millis <= DAY)
    };
    Ok((rest, read()))
}

/// Milliseconds of the day as a clock shows them: `08:00`, `17:59:30`.
pub(super) fn show_clock(millis: u32) -> String {
    let seconds = millis / 1_000;
    let shown = format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
    if seconds.is_multiple_of(60) { shown } else { format!("{shown}:{:02}", seconds % 60) }
}

/// `mon-fri,sun`, `holiday`, `christmas`.
pub(super) fn show_days(days: DayBits, own: &[String]) -> String {
    let mut parts = Vec::new();
    let has = |day: usize| days >> day & 1 == 1;
    let mut day = 0;
    while day < usize::from(HOLIDAY) {
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
    if has(usize::from(HOLIDAY)) {
        parts.push("holiday".to_owned());
    }
    parts.extend(
        own.iter().enumerate().filter(|(place, _)| has(usize::from(FIRST_OWN) + place)).map(|(_, n)| n.clone()),
    );
    parts.join(",")
}

/// The name of a day or day type: a small letter, then letters, digits and `_`.
fn day_word(input: &str) -> IResult<&str, &str> {
    let (rest, word) = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_').parse(input)?;
    if word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Ok((rest, word))
    } else {
        Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Alpha)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_where_the_almanacs_have_it() {
        // The dates of the United States Naval Observatory's table; 2038 and 1943 are the latest there can be.
        for (year, month, day) in [
            (1943, 4, 25),
            (1961, 4, 2),
            (1996, 4, 7),
            (2000, 4, 23),
            (2008, 3, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (2049, 4, 18),
            (2076, 4, 19),
        ] {
            assert_eq!(Some(easter_sunday(year)), Date::new(year, month, day), "{year}");
        }
        assert!((1900..2200).all(|year| easter_sunday(year).weekday() == Weekday::Sunday));
    }

    #[test]
    fn dates_are_single_or_spans_of_one_year_or_of_every_year() {
        let read = |text: &str| {
            let mut days = Vec::new();
            dates(text, &mut days).map(|()| days)
        };
        let count = |text: &str| read(text).unwrap().len();
        assert_eq!(count("2026-12-24"), 1);
        assert_eq!(count("2026-12-27..2026-12-31"), 5); // both ends
        assert_eq!(count("12-24"), 110); // 1990 to 2099
        assert_eq!(count("12-27..01-01"), 6 * 110); // over the turn of the year
        assert_eq!(count("02-29"), 27); // 1992, …, 2096: 27 leap years
        assert!(read("12-31..01-01").unwrap().contains(&Date::new(2027, 1, 1).unwrap()));
        for bad in ["", "2026-02-29", "24.12.", "2026-12-31..2026-12-27", "2026-12-27..12-31", "02-30", "2026..2027"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read("2020-01-01..2026-01-01").is_err(), "longer than a year");
    }
}
