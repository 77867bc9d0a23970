//! Times and whole numbers as switches write them, and what of them is plausible.

use crate::number::Digits;
use crate::time::{Date, Duration, Instant, LocalTime};

use super::{RejectReason, Stamp};

/// The longest duration a record may report: seven days. Longer ones come from counters that went wrong.
pub const MAX_DURATION: Duration = Duration::from_seconds(7 * 86_400);

/// How far a switch's clock may step back within a call without making the record unreadable: one second.
const CLOCK_STEP_MS: i64 = 1_000;

/// By how much local time goes back in autumn: an hour, on Lord Howe Island half of one.
const FOLDS_MS: [i64; 2] = [3_600_000, 1_800_000];

/// 1990-01-01T00:00:00Z and 2090-01-01T00:00:00Z, in seconds.
const FIRST_SECOND: i64 = 631_152_000;
const END_SECOND: i64 = 3_786_912_000;

/// Whether a call can have been at that time: from 1990 to 2089, since switches write 1970 or 1900 for a time never set.
#[must_use]
pub const fn is_plausible(at: Instant) -> bool {
    let millis = at.as_millis();
    FIRST_SECOND * 1_000 <= millis && millis < END_SECOND * 1_000
}

/// In which order a spreadsheet wrote day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `1/9/2017` is 1 September.
    DayFirst,
    /// `1/9/2017` is 9 January.
    MonthFirst,
}

/// What stands in a time field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing, or `0000-00-00 00:00:00`.
    Empty,
    /// A day in 1900, 1969 or 1970: how switches print a time that was never set.
    Unset,
    At(Stamp),
}

/// The date last read, so that records of one day cost one conversion.
#[derive(Clone, Copy)]
pub(super) struct DateCache {
    text: [u8; 10],
    midnight_ms: i64,
}

impl DateCache {
    pub(super) const fn new() -> Self {
        Self { text: *b"1990-01-01", midnight_ms: FIRST_SECOND * 1_000 }
    }
}

/// Reads `YYYY-MM-DD HH:MM:SS` (up to six decimals, cut to milliseconds), `d/m/yyyy h:mm:ss` in the file's `order`, or
/// epoch seconds with or without decimals.
///
/// # Errors
///
/// [`RejectReason::TimeMalformed`] if it is none of these, or a date with slashes in a file whose order is not known;
/// [`RejectReason::TimeImplausible`] outside 1990–2089.
#[inline]
pub(super) fn read(text: &[u8], order: Option<DateOrder>, cache: &mut DateCache) -> Result<Reading, RejectReason> {
    if let Ok(text) = <&[u8; 19]>::try_from(text)
        && text[4] == b'-'
    {
        return iso(text, 0, cache);
    }
    uncommon(text, order, cache)
}

fn uncommon(text: &[u8], order: Option<DateOrder>, cache: &mut DateCache) -> Result<Reading, RejectReason> {
    if text.is_empty() {
        return Ok(Reading::Empty);
    }
    if let Some((head, fraction)) = text.split_first_chunk::<19>()
        && head[4] == b'-'
    {
        return iso(head, decimals(fraction)?, cache);
    }
    if text.contains(&b'/') {
        // On 10/10 the order is of no consequence.
        let same = || slashes(text).filter(|(first, second, ..)| first == second).map(|_| DateOrder::DayFirst);
        let order = order.or_else(same).ok_or(RejectReason::TimeMalformed)?;
        return with_slashes(text, order);
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (seconds, fraction) = text.split_at(digits);
    let seconds = integer(seconds).ok_or(RejectReason::TimeMalformed)?;
    let millis = if fraction.is_empty() { 0 } else { decimals(fraction)? };
    epoch(seconds, millis)
}

#[inline]
fn iso(text: &[u8; 19], millis: i64, cache: &mut DateCache) -> Result<Reading, RejectReason> {
    let [date @ .., _, _, _, _, _, _, _, _, _] = text;
    let date: &[u8; 10] = date;
    if *date != cache.text {
        if date == b"0000-00-00" {
            return Ok(Reading::Empty);
        }
        let number = |range: &[u8]| integer(range).ok_or(RejectReason::TimeMalformed);
        if date[7] != b'-' {
            return Err(RejectReason::TimeMalformed);
        }
        match midnight(number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?)? {
            None => return Ok(Reading::Unset),
            Some(midnight_ms) => *cache = DateCache { text: *date, midnight_ms },
        }
    }
    let [.., blank, h1, h2, c1, m1, m2, c2, s1, s2] = *text;
    if !matches!(blank, b' ' | b'T') {
        return Err(RejectReason::TimeMalformed);
    }
    let time = clock([h1, h2, c1, m1, m2, c2, s1, s2]).ok_or(RejectReason::TimeMalformed)?;
    Ok(Reading::At(Stamp::Local(LocalTime::from_millis(cache.midnight_ms + time + millis))))
}

/// The milliseconds of the day that `HH:MM:SS` says, all eight bytes looked at together.
#[inline]
pub(super) fn clock(text: [u8; 8]) -> Option<i64> {
    // Digits become 0 to 9 and colons 0.
    let signs = u64::from_le_bytes(text) ^ u64::from_le_bytes(*b"00:00:00");
    // What must be added to reach the high bit of a byte: of a digit above 9, of a colon above 0.
    let above = signs.wrapping_add(u64::from_le_bytes([0x76, 0x76, 0x7F, 0x76, 0x76, 0x7F, 0x76, 0x76]));
    if (signs | above) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Ten times the tens and the units behind them, in bytes 0, 3 and 6.
    let [hour, _, _, minute, _, _, second, _] = (signs * 10 + (signs >> 8)).to_le_bytes();
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)) * 1_000)
}

/// `d/m/yyyy h:mm:ss` without padding, as spreadsheets write it. Without seconds it is refused: which of sixty seconds
/// decides the rate band would be a guess.
fn with_slashes(text: &[u8], order: DateOrder) -> Result<Reading, RejectReason> {
    let (first, second, year, time) = slashes(text).ok_or(RejectReason::TimeMalformed)?;
    let (day, month) = match order {
        DateOrder::DayFirst => (first, second),
        DateOrder::MonthFirst => (second, first),
    };
    Ok(match midnight(year, month, day)? {
        None => Reading::Unset,
        Some(midnight_ms) => Reading::At(Stamp::Local(LocalTime::from_millis(midnight_ms + time))),
    })
}

/// First and second part of the date, year, and milliseconds of the day.
fn slashes(text: &[u8]) -> Option<(i64, i64, i64, i64)> {
    let mut parts = text.splitn(3, |byte| *byte == b'/');
    let (first, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let mut parts = rest.splitn(2, |byte| *byte == b' ');
    let (year, clock) = (parts.next()?, parts.next()?);
    let mut parts = clock.splitn(3, |byte| *byte == b':');
    let (hour, minute, second_of_minute) = (parts.next()?, parts.next()?, parts.next()?);
    if first.len() > 2
        || second.len() > 2
        || year.len() != 4
        || hour.len() > 2
        || minute.len() != 2
        || second_of_minute.len() != 2
    {
        return None;
    }
    let time = time_of_day(integer(hour)?, integer(minute)?, integer(second_of_minute)?).ok()?;
    Some((integer(first)?, integer(second)?, integer(year)?, time))
}

/// Both readings of a date with slashes as clock readings, day first and month first; `None` where there is no such day.
pub(super) fn both_orders(text: &[u8]) -> Option<[Option<LocalTime>; 2]> {
    let (first, second, year, time) = slashes(text)?;
    let local = |month, day| {
        midnight(year, month, day).ok().flatten().map(|midnight_ms| LocalTime::from_millis(midnight_ms + time))
    };
    Some([local(second, first), local(first, second)])
}

/// Milliseconds of the day.
#[inline]
fn time_of_day(hour: i64, minute: i64, second: i64) -> Result<i64, RejectReason> {
    if hour > 23 || minute > 59 || second > 59 {
        return Err(RejectReason::TimeMalformed);
    }
    Ok((hour * 3_600 + minute * 60 + second) * 1_000)
}

/// That day's midnight in milliseconds; `None` in the years that mean "unset".
fn midnight(year: i64, month: i64, day: i64) -> Result<Option<i64>, RejectReason> {
    let narrow = |number: i64| u32::try_from(number).map_err(|_| RejectReason::TimeMalformed);
    let calendar_year = if matches!(year, 1990..=2089) { year } else { 2000 };
    let date = i32::try_from(calendar_year)
        .ok()
        .and_then(|year| Date::new(year, narrow(month).ok()?, narrow(day).ok()?))
        .ok_or(RejectReason::TimeMalformed)?;
    match year {
        1990..=2089 => Ok(Some(date.midnight().as_millis())),
        1900 | 1969 | 1970 => Ok(None),
        _ => Err(RejectReason::TimeImplausible),
    }
}

/// The day last read, so that records of one day cost one conversion: year, month and day, and its midnight.
#[derive(Clone, Copy, Default)]
pub(super) struct LastDay {
    of: (i64, i64, i64),
    midnight_ms: i64,
}

impl LastDay {
    /// What [`midnight`] says. No day has the date that stands here in the beginning.
    #[inline]
    fn midnight(&mut self, (year, month, day): (i64, i64, i64)) -> Result<Option<i64>, RejectReason> {
        if self.of != (year, month, day) {
            let Some(midnight_ms) = midnight(year, month, day)? else { return Ok(None) };
            *self = Self { of: (year, month, day), midnight_ms };
        }
        Ok(Some(self.midnight_ms))
    }
}

/// A clock reading put together from its parts; `millis` are those of the second.
///
/// # Errors
///
/// [`RejectReason::TimeMalformed`] if there is no such day or time of day, [`RejectReason::TimeImplausible`] outside
/// 1990–2089.
#[inline]
pub(super) fn clock_reading(
    date: (i64, i64, i64),
    (hour, minute, second): (i64, i64, i64),
    millis: i64,
    last_day: &mut LastDay,
) -> Result<Reading, RejectReason> {
    let time = time_of_day(hour, minute, second)?;
    Ok(match last_day.midnight(date)? {
        None => Reading::Unset,
        Some(midnight_ms) => Reading::At(Stamp::Local(LocalTime::from_millis(midnight_ms + time + millis))),
    })
}

/// Reads `YYYY/MM/DD HH:MM:SS`, with `-` or `/` in the date, with or without seconds and decimals of them (cut to
/// milliseconds), and whether the seconds are there; without them it is the full minute.
///
/// # Errors
///
/// As [`read`].
#[inline]
pub(super) fn year_first(text: &[u8], cache: &mut DateCache) -> Result<(Reading, bool), RejectReason> {
    let Some((date, behind)) = text.split_first_chunk::<10>() else {
        return if text.is_empty() { Ok((Reading::Empty, true)) } else { Err(RejectReason::TimeMalformed) };
    };
    if *date != cache.text {
        if matches!(date, b"0000/00/00" | b"0000-00-00") {
            return Ok((Reading::Empty, true));
        }
        let number = |range: &[u8]| integer(range).ok_or(RejectReason::TimeMalformed);
        if !matches!(date[4], b'/' | b'-') || date[7] != date[4] {
            return Err(RejectReason::TimeMalformed);
        }
        match midnight(number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?)? {
            None => return Ok((Reading::Unset, true)),
            Some(midnight_ms) => *cache = DateCache { text: *date, midnight_ms },
        }
    }
    let two = |tens: u8, units: u8| match (tens.wrapping_sub(b'0'), units.wrapping_sub(b'0')) {
        (tens @ 0..=9, units @ 0..=9) => Ok(i64::from(tens) * 10 + i64::from(units)),
        _ => Err(RejectReason::TimeMalformed),
    };
    let (time, seconds) = match *behind {
        [b' ' | b'T', h1, h2, b':', m1, m2] => (time_of_day(two(h1, h2)?, two(m1, m2)?, 0)?, false),
        [b' ' | b'T', h1, h2, c1 @ b':', m1, m2, c2 @ b':', s1, s2, ref fraction @ ..] => {
            let millis = if fraction.is_empty() { 0 } else { decimals(fraction)? };
            let time = clock([h1, h2, c1, m1, m2, c2, s1, s2]).ok_or(RejectReason::TimeMalformed)?;
            (time + millis, true)
        }
        _ => return Err(RejectReason::TimeMalformed),
    };
    Ok((Reading::At(Stamp::Local(LocalTime::from_millis(cache.midnight_ms + time))), seconds))
}

/// The same moment as a clock reading that is known to be UTC.
pub(super) fn as_utc(reading: Reading) -> Reading {
    match reading {
        Reading::At(Stamp::Local(local)) => Reading::At(Stamp::Instant(Instant::from_millis(local.as_millis()))),
        other => other,
    }
}

/// A duration written `h:mm:ss` with any number of hours: `00:16:16`, `0:05:00`, `0123:00:59`. Nothing at all is `None`.
///
/// # Errors
///
/// [`RejectReason::DurationMalformed`] if it is no such text, [`RejectReason::DurationImplausible`] above
/// [`MAX_DURATION`].
pub(super) fn hours_minutes_seconds(text: &[u8]) -> Result<Option<Duration>, RejectReason> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut parts = text.splitn(3, |byte| *byte == b':');
    let mut part = |most: usize| {
        let part = parts.next().filter(|part| part.len() <= most);
        part.and_then(integer).ok_or(RejectReason::DurationMalformed)
    };
    let (hours, minutes, seconds) = (part(6)?, part(2)?, part(2)?);
    if minutes > 59 || seconds > 59 {
        return Err(RejectReason::DurationMalformed);
    }
    let duration = Duration::from_seconds(hours * 3_600 + minutes * 60 + seconds);
    if duration > MAX_DURATION { Err(RejectReason::DurationImplausible) } else { Ok(Some(duration)) }
}

/// A moment given as epoch seconds; 0 is empty and any other second before 1971 unset.
///
/// # Errors
///
/// [`RejectReason::TimeImplausible`] outside 1990–2089.
pub(super) fn epoch(seconds: i64, millis: i64) -> Result<Reading, RejectReason> {
    match seconds {
        0 => Ok(Reading::Empty),
        1..31_536_000 => Ok(Reading::Unset),
        FIRST_SECOND..END_SECOND => Ok(Reading::At(Stamp::Instant(Instant::from_millis(seconds * 1_000 + millis)))),
        _ => Err(RejectReason::TimeImplausible),
    }
}

/// The milliseconds of `.25` or `.250999`.
fn decimals(text: &[u8]) -> Result<i64, RejectReason> {
    match text {
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            Ok((0..3)
                .fold(0, |millis, place| millis * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'))))
        }
        _ => Err(RejectReason::TimeMalformed),
    }
}

/// A whole number of one to fifteen digits, without sign.
#[inline]
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    if text.len() >= 4 {
        return Digits::parse(text).map(|digits| digits.value().cast_signed());
    }
    if text.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// Reads whole seconds; `None` if there are none.
///
/// # Errors
///
/// [`RejectReason::DurationMalformed`] if it is no whole number, [`RejectReason::DurationImplausible`] below zero or
/// above [`MAX_DURATION`].
#[inline]
pub(super) fn seconds(text: &[u8]) -> Result<Option<Duration>, RejectReason> {
    if let Some(seconds) = integer(text) {
        let duration = Duration::from_seconds(seconds);
        return if duration <= MAX_DURATION { Ok(Some(duration)) } else { Err(RejectReason::DurationImplausible) };
    }
    match text {
        [] => Ok(None),
        [b'-', digits @ ..] if is_number(digits) => Err(RejectReason::DurationImplausible),
        digits if is_number(digits) => Err(RejectReason::DurationImplausible),
        _ => Err(RejectReason::DurationMalformed),
    }
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Whether `end` may follow `start`.
///
/// A clock may step back by a second. A clock on local time also goes back in autumn; then the reported duration
/// decides: it must exceed the printed difference by what the clock went back. Where no duration is reported, any end
/// up to an hour before the start passes.
#[must_use]
#[inline]
pub fn may_follow(start: Stamp, end: Stamp, duration: Option<Duration>) -> bool {
    let difference = match (start, end) {
        (Stamp::Instant(start), Stamp::Instant(end)) => return end.since(start).as_millis() >= -CLOCK_STEP_MS,
        (Stamp::Local(start), Stamp::Local(end)) => end.as_millis() - start.as_millis(),
        _ => return true,
    };
    if difference >= -CLOCK_STEP_MS {
        return true;
    }
    match duration {
        // Both times and the duration are cut to seconds: up to two seconds apart.
        Some(duration) => FOLDS_MS.iter().any(|fold| (duration.as_millis() - difference - fold).abs() <= 2_000),
        None => difference >= -FOLDS_MS[0] - CLOCK_STEP_MS,
    }
}

/// Whether a call set up at `start` and lasting `duration` can have been answered at `answer`: between the two, give or
/// take a clock change and two seconds.
#[inline]
pub(super) fn may_be_answered_at(start: Stamp, answer: Stamp, duration: Option<Duration>) -> bool {
    let (difference, slack) = match (start, answer) {
        (Stamp::Instant(start), Stamp::Instant(answer)) => (answer.since(start).as_millis(), CLOCK_STEP_MS),
        (Stamp::Local(start), Stamp::Local(answer)) => {
            (answer.as_millis() - start.as_millis(), FOLDS_MS[0] + 2 * CLOCK_STEP_MS)
        }
        _ => return true,
    };
    difference >= -slack && duration.is_none_or(|duration| difference <= duration.as_millis() + slack)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local(text: &str) -> Result<Reading, RejectReason> {
        Ok(Reading::At(Stamp::Local(LocalTime::parse(text.as_bytes()).unwrap())))
    }

    #[track_caller]
    fn check(text: &str, order: Option<DateOrder>, expected: Result<Reading, RejectReason>) {
        assert_eq!(read(text.as_bytes(), order, &mut DateCache::new()), expected, "{text}");
    }

    proptest! {
        #[test]
        fn eight_bytes_are_a_time_of_day_if_each_part_is(text in "[0-9:/;]{2}[0-9:][:;9][0-9]{2}:[0-9 ]{2}", any in any::<[u8; 8]>()) {
            let part = |text: &[u8; 8], from: usize| {
                let digits = &text[from..from + 2];
                digits.iter().all(u8::is_ascii_digit).then(|| integer(digits)).flatten()
            };
            for text in [<[u8; 8]>::try_from(&text.as_bytes()[..8]).unwrap(), any] {
                let expected = match (part(&text, 0), part(&text, 3), part(&text, 6)) {
                    (Some(hour), Some(minute), Some(second)) if (text[2], text[5]) == (b':', b':') => {
                        time_of_day(hour, minute, second).ok()
                    }
                    _ => None,
                };
                prop_assert_eq!(clock(text), expected, "{:?}", text);
            }
        }

        #[test]
        fn every_second_of_the_day_is_read(second in 0_i64..86_400) {
            let text = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
            prop_assert_eq!(clock(text.as_bytes().try_into().unwrap()), Some(second * 1_000));
        }
    }

    #[test]
    fn reads_the_times_switches_write() {
        // The tenth of October is the tenth of the tenth month in either order.
        check("10/10/2026 8:01:09", None, local("2026-10-10 08:01:09"));
        check("2023-07-26 01:51:32", None, local("2023-07-26 01:51:32"));
        check("2023-07-26T01:51:32", None, local("2023-07-26 01:51:32"));
        check("2023-07-26 01:51:32.987654", None, local("2023-07-26 01:51:32.987"));
        check("1/9/2017 6:33:01", Some(DateOrder::DayFirst), local("2017-09-01 06:33:01"));
        check("1/9/2017 16:33:01", Some(DateOrder::MonthFirst), local("2017-01-09 16:33:01"));
        check("", None, Ok(Reading::Empty));
        check("0000-00-00 00:00:00", None, Ok(Reading::Empty));
        check("1970-01-01 01:00:00", None, Ok(Reading::Unset));
        check("1969-12-31 19:00:00", None, Ok(Reading::Unset));
        check("0", None, Ok(Reading::Empty));
        let instant = Instant::parse_rfc3339("2017-09-01T15:33:01.25Z").unwrap();
        check("1504279981.250000", None, Ok(Reading::At(Stamp::Instant(instant))));
    }

    #[test]
    fn the_year_may_come_first_with_slashes_and_the_seconds_be_missing() {
        let check = |text: &str, expected| {
            assert_eq!(year_first(text.as_bytes(), &mut DateCache::new()), expected, "{text}");
        };
        let at = |text: &str, seconds| Ok((local(text).unwrap(), seconds));
        check("2026/07/01 09:00:05", at("2026-07-01 09:00:05", true));
        check("2026-07-01 09:00:05.250", at("2026-07-01 09:00:05.25", true));
        check("2026/07/01 09:00", at("2026-07-01 09:00:00", false));
        check("", Ok((Reading::Empty, true)));
        check("1970/01/01 00:00:00", Ok((Reading::Unset, true)));
        for text in
            ["2026/07/01", "2026/07-01 09:00:00", "2026/02/30 09:00:00", "01/07/2026 09:00:00", "2026/07/01 9:00:00"]
        {
            check(text, Err(RejectReason::TimeMalformed));
        }
    }

    #[test]
    fn what_is_no_time_is_malformed_and_what_is_far_off_implausible() {
        for text in [
            "1/9/2017 16:33:01",
            "2023-02-30 00:00:00",
            "2023-13-01 00:00:00",
            "2023-07-26 24:00:00",
            "2023-07-26 00:60:00",
            "2023-07-26",
            "2023-07-26 01:51",
            "calldate",
            "2023-07-26 01:51:32Z",
            "2023-07-26 01:51:3x",
            "2023/07/26 01:51:32",
            "1504279981.",
            "20-07-2023 01:51:32",
        ] {
            check(text, None, Err(RejectReason::TimeMalformed));
        }
        for text in
            ["1/9/2017 16:33", "1/9/17 16:33:01", "13/13/2017 16:33:01", "1/9/2017 4:33:01 PM", "/9/2017 1:00:00"]
        {
            check(text, Some(DateOrder::DayFirst), Err(RejectReason::TimeMalformed));
        }
        for text in ["2099-01-01 00:00:00", "1989-12-31 23:59:59", "0001-01-01 00:00:00", "4102444800"] {
            check(text, None, Err(RejectReason::TimeImplausible));
        }
        check("1990-01-01 00:00:00", None, local("1990-01-01 00:00:00"));
        check("2089-12-31 23:59:59", None, local("2089-12-31 23:59:59"));
    }

    #[test]
    fn a_duration_is_whole_seconds_between_zero_and_seven_days() {
        assert_eq!(seconds(b"385"), Ok(Some(Duration::from_seconds(385))));
        assert_eq!(seconds(b"0000024"), Ok(Some(Duration::from_seconds(24))));
        assert_eq!(seconds(b""), Ok(None));
        assert_eq!(seconds(b"604800"), Ok(Some(MAX_DURATION)));
        for text in ["604801", "-1", "99999999999999999999", "-99999999999999999999"] {
            assert_eq!(seconds(text.as_bytes()), Err(RejectReason::DurationImplausible), "{text}");
        }
        for text in ["1.5", "00:01:00", "-", "x", " 5"] {
            assert_eq!(seconds(text.as_bytes()), Err(RejectReason::DurationMalformed), "{text}");
        }
    }

    #[test]
    fn an_end_before_the_start_is_legal_only_over_an_autumn_clock_change() {
        let stamp = |text: &str| Stamp::Local(LocalTime::parse(text.as_bytes()).unwrap());
        let instant = |text: &str| Stamp::Instant(Instant::parse_rfc3339(text).unwrap());
        // 01:50:00 to 01:10:00 with 20 min = 1 200 s: the clock went back 3 600 s in between.
        for (start, end, duration, legal) in [
            ("2026-10-25 01:50:00", "2026-10-25 01:10:00", Some(1_200), true),
            ("2026-10-25 01:50:00", "2026-10-25 01:10:00", Some(1_201), true),
            ("2026-10-25 01:50:00", "2026-10-25 01:10:00", Some(600), false),
            ("2026-10-25 01:50:00", "2026-10-25 01:10:00", None, true),
            ("2026-10-25 01:50:00", "2026-10-25 00:40:00", None, false),
            ("2026-10-25 01:50:00", "2026-10-25 01:49:59", Some(0), true),
            ("2026-10-25 01:50:00", "2026-10-25 01:49:58", Some(0), false),
            ("2026-04-05 01:50:00", "2026-04-05 01:40:00", Some(1_200), true), // Lord Howe: back 1 800 s
        ] {
            let duration = duration.map(Duration::from_seconds);
            assert_eq!(may_follow(stamp(start), stamp(end), duration), legal, "{start} {end} {duration:?}");
        }
        assert!(!may_follow(instant("2026-10-25T01:00:00Z"), instant("2026-10-25T00:30:00Z"), None));
        assert!(may_follow(instant("2026-10-25T01:00:00Z"), instant("2026-10-25T00:59:59Z"), None));
    }

    proptest! {
        #[test]
        fn the_date_cache_changes_no_answer(texts in proptest::collection::vec("(2023|1970|2099|0000)-(0[0-3]|1[0-3])-(00|01|30|31) (0[0-9]|24):00:00", 1..8)) {
            let mut cache = DateCache::new();
            for text in texts {
                prop_assert_eq!(read(text.as_bytes(), None, &mut cache), read(text.as_bytes(), None, &mut DateCache::new()));
            }
        }

        #[test]
        fn reading_never_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            for order in [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst)] {
                let _ = read(&text, order, &mut DateCache::new());
            }
            let _ = (seconds(&text), both_orders(&text), year_first(&text, &mut DateCache::new()));
        }
    }
}
