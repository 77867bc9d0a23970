//! Times as a template spells them: `DD/MM/YYYY hh:mm:ss`, `epoch`, `iso` …

mod shape;

use std::sync::LazyLock;

use super::super::times::{self, LastDay, Reading};
use super::super::{RejectReason, Stamp};
use crate::time::{Date, Instant, LocalTime};

use shape::{Shape, whole_year};

/// How a time, a date or a time of day is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Seconds since 1970, with or without decimals.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillis,
    /// ISO 8601 with or without fraction and offset.
    Iso,
    /// Sign by sign. What stands behind the first `mandatory` signs may be missing. All of them together may have a `shape`.
    Signs { signs: Vec<Sign>, mandatory: usize, shape: Option<Box<Shape>> },
}

/// One piece of a pattern. `padded` numbers have two digits (the first may be a blank), others one or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Year,
    ShortYear,
    Month { padded: bool },
    MonthName,
    Day { padded: bool },
    Hour { padded: bool },
    Minute { padded: bool },
    Second { padded: bool },
    Fraction,
    HalfDay,
    Offset,
    Literal(u8),
}

/// What a pattern found. Dates and times of day may stand in columns of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    year: Option<i64>,
    month_day: Option<(i64, i64)>,
    time: Option<(i64, i64, i64)>,
    millis: i64,
    /// Seconds east of UTC.
    offset: Option<i64>,
    /// Of an epoch.
    seconds: Option<i64>,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "epoch" => return Ok(Self::Epoch),
            "epoch-ms" => return Ok(Self::EpochMillis),
            "iso" => return Ok(Self::Iso),
            _ => {}
        }
        let mut signs: Vec<Sign> = Vec::new();
        let mut mandatory = None;
        let mut rest = text.as_bytes();
        while let Some(&letter) = rest.first() {
            let run = rest.iter().take_while(|byte| **byte == letter).count();
            let (padded, has_hour) = (run == 2, signs.iter().any(|sign| matches!(sign, Sign::Hour { .. })));
            let (sign, taken) = match (letter, run) {
                (b'Y' | b'y', 4) => (Sign::Year, run),
                (b'Y' | b'y', 2) => (Sign::ShortYear, run),
                (b'M', 3) => (Sign::MonthName, run),
                (b'M', 1 | 2) => (Sign::Month { padded }, run),
                (b'm', 1 | 2) if has_hour => (Sign::Minute { padded }, run),
                (b'm', 1 | 2) => (Sign::Month { padded }, run),
                (b'D' | b'd', 1 | 2) => (Sign::Day { padded }, run),
                (b'H' | b'h', 1 | 2) => (Sign::Hour { padded }, run),
                (b'S' | b's', 1 | 2) => (Sign::Second { padded }, run),
                (b'f', _) => (Sign::Fraction, run),
                (b'A' | b'a', 1) if matches!(rest.get(1), Some(b'M' | b'm')) => (Sign::HalfDay, 2),
                (b'Z' | b'z', 1) => (Sign::Offset, 1),
                (b'T', 1) => (Sign::Literal(b'T'), 1),
                (b'[', 1) if mandatory.is_none() && rest.last() == Some(&b']') => {
                    mandatory = Some(signs.len());
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
                (b']', 1) if mandatory.is_some() && rest.len() == 1 => break,
                (b'[' | b']', _) => return Err("one `[…]` may stand at the end, around what may be missing".into()),
                (letter, run) if letter.is_ascii_alphabetic() => {
                    return Err(format!("`{}` means nothing", char::from(letter).to_string().repeat(run)));
                }
                (sign, _) => (Sign::Literal(sign), 1),
            };
            let repeats = signs.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(&sign));
            if repeats && !matches!(sign, Sign::Literal(_)) {
                return Err("something stands in it twice".into());
            }
            signs.push(sign);
            rest = rest.get(taken..).unwrap_or_default();
        }
        let mandatory = mandatory.unwrap_or(signs.len());
        let shape = Shape::new(&signs).map(Box::new);
        let pattern = Self::Signs { signs, mandatory, shape };
        if !pattern.has_date() && !pattern.has_time() {
            return Err("it has neither day and month nor hour and minute".into());
        }
        Ok(pattern)
    }

    fn has(&self, wanted: impl Fn(&Sign) -> bool) -> bool {
        matches!(self, Self::Signs { signs, .. } if signs.iter().any(wanted))
    }

    /// Whether it tells the day; perhaps without a year.
    pub(super) fn has_date(&self) -> bool {
        !matches!(self, Self::Signs { .. })
            || (self.has(|sign| matches!(sign, Sign::Day { .. }))
                && self.has(|sign| matches!(sign, Sign::Month { .. } | Sign::MonthName)))
    }

    /// Whether it tells the time of day.
    pub(super) fn has_time(&self) -> bool {
        !matches!(self, Self::Signs { .. })
            || (self.has(|sign| matches!(sign, Sign::Hour { .. }))
                && self.has(|sign| matches!(sign, Sign::Minute { .. })))
    }

    /// Whether it tells the year.
    pub(super) fn has_year(&self) -> bool {
        !matches!(self, Self::Signs { .. }) || self.has(|sign| matches!(sign, Sign::Year | Sign::ShortYear))
    }

    /// Whether it never tells the second.
    pub(super) fn lacks_seconds(&self) -> bool {
        matches!(self, Self::Signs { .. }) && !self.has(|sign| matches!(sign, Sign::Second { .. }))
    }

    /// The shape of a text that fits, for finding date records: `9` for a digit, other bytes as they stand. `None` if the
    /// pattern has no fixed shape.
    pub(super) fn mask(&self) -> Option<Vec<u8>> {
        let Self::Signs { signs, mandatory, .. } = self else { return None };
        if *mandatory != signs.len() {
            return None;
        }
        let mut mask = Vec::new();
        for sign in signs {
            match sign {
                Sign::Year => mask.extend(b"9999"),
                Sign::ShortYear
                | Sign::Month { padded: true }
                | Sign::Day { padded: true }
                | Sign::Hour { padded: true }
                | Sign::Minute { padded: true }
                | Sign::Second { padded: true } => mask.extend(b"99"),
                Sign::Literal(byte) => mask.push(*byte),
                _ => return None,
            }
        }
        Some(mask)
    }

    /// Reads `text`, which is not blank, into `parts`. Blanks around it count only where digits have their places.
    pub(super) fn read(&self, padded: &[u8], parts: &mut Parts) -> Result<(), RejectReason> {
        self.read_trimmed(padded.trim_ascii(), padded, parts)
    }

    /// The same of a text whose blanks have been taken off.
    #[inline]
    pub(super) fn read_trimmed(&self, text: &[u8], padded: &[u8], parts: &mut Parts) -> Result<(), RejectReason> {
        match self {
            Self::Signs { shape: Some(shape), .. } if shape.read(text, parts).is_some() => Ok(()),
            _ => self.read_any(text, padded, parts),
        }
    }

    fn read_any(&self, text: &[u8], padded: &[u8], parts: &mut Parts) -> Result<(), RejectReason> {
        let malformed = RejectReason::TimeMalformed;
        match self {
            Self::Epoch => {
                let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (seconds, fraction) = text.split_at(digits);
                parts.seconds = Some(times::integer(seconds).ok_or(malformed)?);
                if let [b'.', digits @ ..] = fraction {
                    parts.millis = millis(digits).ok_or(malformed)?;
                } else if !fraction.is_empty() {
                    return Err(malformed);
                }
            }
            Self::EpochMillis => {
                let all = times::integer(text).ok_or(malformed)?;
                (parts.seconds, parts.millis) = (Some(all / 1_000), all % 1_000);
            }
            Self::Iso => iso(text, parts).ok_or(malformed)?,
            Self::Signs { signs, mandatory, .. } => {
                let found = read_signs(signs, *mandatory, padded, parts);
                found.or_else(|| read_signs(signs, *mandatory, text, parts)).ok_or(malformed)?;
            }
        }
        Ok(())
    }
}

/// The milliseconds of the digits behind a decimal sign.
fn millis(digits: &[u8]) -> Option<i64> {
    let plausible = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plausible
        .then(|| (0..3).fold(0, |sum, place| sum * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'))))
}

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// Takes a number of `padded` two or of one or two digits off the front.
fn number(rest: &mut &[u8], padded: bool) -> Option<i64> {
    let (value, len) = match **rest {
        [b' ', units @ b'0'..=b'9', ..] if padded => (i64::from(units - b'0'), 2),
        [tens @ b'0'..=b'9', units @ b'0'..=b'9', ..] => (i64::from(tens - b'0') * 10 + i64::from(units - b'0'), 2),
        [units @ b'0'..=b'9', ..] if !padded => (i64::from(units - b'0'), 1),
        _ => return None,
    };
    *rest = rest.get(len..)?;
    Some(value)
}

fn read_signs(signs: &[Sign], mandatory: usize, text: &[u8], parts: &mut Parts) -> Option<()> {
    let mut rest = text;
    let (mut month, mut day) = (None, None);
    let (mut hour, mut minute, mut second) = (None, None, 0);
    let mut afternoon = None;
    for (index, sign) in signs.iter().enumerate() {
        if rest.is_empty() && index >= mandatory {
            break;
        }
        match *sign {
            Sign::Year => {
                let (year, after) = rest.split_at_checked(4)?;
                parts.year = Some(times::integer(year)?);
                rest = after;
            }
            Sign::ShortYear => {
                let year = number(&mut rest, true)?;
                parts.year = Some(whole_year(year));
            }
            Sign::Month { padded } => month = Some(number(&mut rest, padded)?),
            Sign::MonthName => {
                let (name, after) = rest.split_at_checked(3)?;
                let place = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month))?;
                (month, rest) = (i64::try_from(place + 1).ok(), after);
            }
            Sign::Day { padded } => day = Some(number(&mut rest, padded)?),
            Sign::Hour { padded } => hour = Some(number(&mut rest, padded)?),
            Sign::Minute { padded } => minute = Some(number(&mut rest, padded)?),
            Sign::Second { padded } => second = number(&mut rest, padded)?,
            Sign::Fraction => {
                let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (digits, after) = rest.split_at(len);
                parts.millis = millis(digits)?;
                rest = after;
            }
            Sign::HalfDay => {
                let (half, after) = rest.split_at_checked(2)?;
                afternoon = match half {
                    _ if half.eq_ignore_ascii_case(b"AM") => Some(false),
                    _ if half.eq_ignore_ascii_case(b"PM") => Some(true),
                    _ => return None,
                };
                rest = after;
            }
            Sign::Offset => parts.offset = Some(offset(&mut rest)?),
            Sign::Literal(byte) => rest = rest.strip_prefix(&[byte])?,
        }
    }
    if !rest.is_empty() {
        return None;
    }
    if let (Some(month), Some(day)) = (month, day) {
        parts.month_day = Some((month, day));
    }
    if let (Some(hour), Some(minute)) = (hour, minute) {
        let hour = match afternoon {
            None => hour,
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
        };
        parts.time = Some((hour, minute, second));
    }
    Some(())
}

/// `Z`, `+01:00`, `+0100`, `+01` in seconds east of UTC.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let (sign, after) = rest.split_first()?;
    *rest = after;
    let sign = match sign {
        b'Z' | b'z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(rest, true)?;
    let minutes = match **rest {
        [] => 0,
        [b':', ..] => {
            *rest = rest.get(1..)?;
            number(rest, true)?
        }
        _ => number(rest, true)?,
    };
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The part of it that is always there.
static ISO: LazyLock<Option<Shape>> = LazyLock::new(|| match Pattern::parse("YYYY-MM-DDThh:mm:ss") {
    Ok(Pattern::Signs { signs, .. }) => Shape::new(&signs),
    _ => None,
});

/// `2026-10-05T09:30:00.123Z`; the `T` may be a blank, fraction and offset may be missing.
fn iso(text: &[u8], parts: &mut Parts) -> Option<()> {
    let (clock, mut rest) = text.split_first_chunk::<19>()?;
    let mut clock = *clock;
    if matches!(clock[10], b't' | b' ') {
        clock[10] = b'T';
    }
    ISO.as_ref()?.read(&clock, parts)?;
    if let [b'.' | b',', after @ ..] = rest {
        let len = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after) = after.split_at(len);
        parts.millis = millis(digits)?;
        rest = after;
    }
    rest = rest.trim_ascii_start();
    if !rest.is_empty() {
        parts.offset = Some(offset(&mut rest)?);
    }
    rest.is_empty().then_some(())
}

/// A day that stands apart from the times of day that belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Day {
    pub(in super::super) year: i64,
    pub(in super::super) month: i64,
    pub(in super::super) day: i64,
}

impl Day {
    pub(super) fn of(date: Date) -> Self {
        let (year, month, day) = date.civil();
        Self { year: year.into(), month: month.into(), day: day.into() }
    }

    pub(super) fn date(self) -> Option<Date> {
        Date::new(i32::try_from(self.year).ok()?, u32::try_from(self.month).ok()?, u32::try_from(self.day).ok()?)
    }
}

impl Parts {
    /// Month and day, and the year if it stands there.
    pub(super) const fn date(&self) -> (Option<i64>, Option<(i64, i64)>) {
        (self.year, self.month_day)
    }

    /// The moment put together. `year` gives the year for dates without; `day` the day for times without. `None` for a date of
    /// zeros and for days that mean “never set”.
    #[inline]
    pub(super) fn stamp(
        &self,
        utc: bool,
        year: impl FnOnce(i64, i64) -> Option<i64>,
        day: impl FnOnce() -> Option<Day>,
        last_day: &mut LastDay,
    ) -> Result<Option<Stamp>, RejectReason> {
        if let Some(seconds) = self.seconds {
            return Ok(match times::epoch(seconds, self.millis)? {
                Reading::At(stamp) => Some(stamp),
                Reading::Empty | Reading::Unset => None,
            });
        }
        let (year, month, date) = match (self.year, self.month_day) {
            (None | Some(0), Some((0, 0))) => return Ok(None),
            (Some(year), Some((month, day))) => (year, month, day),
            (None, Some((month, day))) => (year(month, day).ok_or(RejectReason::TimeMalformed)?, month, day),
            (_, None) => {
                let Day { year, month, day } = day().ok_or(RejectReason::FieldMissing)?;
                (year, month, day)
            }
        };
        let time = self.time.ok_or(RejectReason::FieldMissing)?;
        let reading = times::clock_reading((year, month, date), time, self.millis, last_day)?;
        Ok(match (reading, self.offset) {
            (Reading::At(Stamp::Local(local)), Some(offset)) => {
                Some(Stamp::Instant(Instant::from_millis(local.as_millis() - offset * 1_000)))
            }
            (Reading::At(Stamp::Local(local)), None) if utc => {
                Some(Stamp::Instant(Instant::from_millis(local.as_millis())))
            }
            (Reading::At(stamp), _) => Some(stamp),
            (Reading::Empty | Reading::Unset, _) => None,
        })
    }

    /// Whether there is a time of day without a date.
    pub(super) const fn is_time_alone(&self) -> bool {
        self.seconds.is_none() && self.month_day.is_none() && self.time.is_some()
    }

    /// Seconds since midnight.
    pub(super) const fn second_of_day(&self) -> Option<i64> {
        match self.time {
            Some((hour, minute, second)) => Some(hour * 3_600 + minute * 60 + second),
            None => None,
        }
    }
}

/// The stamp, moved by whole days.
pub(super) fn days_later(stamp: Stamp, days: i64) -> Stamp {
    match stamp {
        Stamp::Local(local) => Stamp::Local(LocalTime::from_millis(local.as_millis() + days * 86_400_000)),
        Stamp::Instant(at) => Stamp::Instant(Instant::from_millis(at.as_millis() + days * 86_400_000)),
    }
}

/// A date in a file's name: `2026-10-03`, `20261003`, or a month `2026-10`, `202610`; the last one that is there.
pub(super) fn date_in_name(name: &str) -> Option<Date> {
    let bytes = name.as_bytes();
    let at = |start: usize, len: usize| times::integer(bytes.get(start..start + len)?);
    let date = |year: i64, month: i64, day: i64| {
        if !(1990..=2089).contains(&year) {
            return None;
        }
        Day { year, month, day }.date()
    };
    let separator = |place: usize| matches!(bytes.get(place), Some(b'-' | b'_' | b'.'));
    let is_digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    (0..bytes.len()).rev().filter(|start| *start == 0 || !is_digit(start - 1)).find_map(|start| {
        let year = at(start, 4)?;
        if separator(start + 4) {
            let month = at(start + 5, 2)?;
            if separator(start + 7)
                && let Some(day) = at(start + 8, 2)
                && let Some(date) = date(year, month, day)
            {
                return Some(date);
            }
            return if is_digit(start + 7) { None } else { date(year, month, 1) };
        }
        let month = at(start + 4, 2)?;
        match at(start + 6, 2) {
            Some(day) => date(year, month, day),
            None if is_digit(start + 6) => None,
            None => date(year, month, 1),
        }
    })
}
