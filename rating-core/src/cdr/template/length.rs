//! Durations as a template spells them.

use super::super::RejectReason;
use super::super::times::{self, MAX_DURATION};
use crate::time::Duration;

/// How a duration is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Seconds, with or without decimals.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Minutes, with or without decimals.
    Minutes,
    /// Numbers with their units: `5m`, `1h 2m 3s`.
    Units,
    /// In one of these ways; the first that fits.
    OneOf(Vec<Length>),
    /// Digits by their place: `hh:mm:ss`, `hmmt`. Of `hh:mm:ss` most are a time of day, too.
    Signs { signs: Vec<Sign>, is_clock: bool },
}

/// One piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// So many digits, each unit worth so many milliseconds; 0 digits stand for as many as there are.
    Number {
        digits: usize,
        worth: i64,
    },
    Literal(u8),
}

impl Length {
    /// Reads a pattern; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "seconds" => return Ok(Self::Seconds),
            "milliseconds" => return Ok(Self::Milliseconds),
            "minutes" => return Ok(Self::Minutes),
            "units" => return Ok(Self::Units),
            _ => {}
        }
        let mut signs: Vec<Sign> = Vec::new();
        let mut rest = text.as_bytes();
        while let Some(&letter) = rest.first() {
            let run = rest.iter().take_while(|byte| **byte == letter).count();
            let worth = match letter {
                b'h' | b'H' => 3_600_000,
                b'm' | b'M' => 60_000,
                b's' | b'S' => 1_000,
                b't' | b'T' => 6_000,
                letter if letter.is_ascii_alphabetic() => {
                    return Err(format!("`{}` means nothing", char::from(letter)));
                }
                letter => {
                    // What stands before a sign may have any number of digits, if it is the first.
                    if let [Sign::Number { digits, .. }] = signs.as_mut_slice() {
                        *digits = 0;
                    }
                    signs.push(Sign::Literal(letter));
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
            };
            let twice = signs.iter().any(|sign| matches!(sign, Sign::Number { worth: known, .. } if *known == worth));
            if twice {
                return Err(format!("`{}` stands in it twice", char::from(letter)));
            }
            signs.push(Sign::Number { digits: run, worth });
            rest = rest.get(run..).unwrap_or_default();
        }
        if signs.iter().any(|sign| matches!(sign, Sign::Number { .. })) {
            Ok(Self::Signs { signs, is_clock: text.eq_ignore_ascii_case("hh:mm:ss") })
        } else {
            Err("it has no hours, minutes or seconds".into())
        }
    }

    /// Reads `text`; `None` if there is nothing but blanks. Blanks around it count where digits have their places.
    pub(super) fn read(&self, padded: &[u8]) -> Result<Option<Duration>, RejectReason> {
        let text = padded.trim_ascii();
        if text.is_empty() {
            return Ok(None);
        }
        if let [b'-', rest @ ..] = text
            && rest.first().is_some_and(u8::is_ascii_digit)
        {
            return Err(RejectReason::DurationImplausible);
        }
        let millis = match self {
            Self::OneOf(ways) => {
                let mut found = Err(RejectReason::DurationMalformed);
                for way in ways {
                    found = way.read(padded);
                    if found != Err(RejectReason::DurationMalformed) {
                        break;
                    }
                }
                return found;
            }
            Self::Seconds => decimal(text, 1_000),
            Self::Minutes => decimal(text, 60_000),
            Self::Milliseconds => times::integer(text),
            Self::Units => units(text),
            Self::Signs { signs, is_clock } => text
                .try_into()
                .ok()
                .filter(|_| *is_clock)
                .and_then(times::clock)
                .or_else(|| by_signs(signs, padded))
                .or_else(|| by_signs(signs, text)),
        };
        let duration = Duration::from_millis(millis.ok_or(RejectReason::DurationMalformed)?);
        if duration > MAX_DURATION { Err(RejectReason::DurationImplausible) } else { Ok(Some(duration)) }
    }
}

/// A number with up to six decimals behind a point or a comma, in units of so many milliseconds; what is less than a
/// millisecond is cut off.
fn decimal(text: &[u8], worth: i64) -> Option<i64> {
    if let Some(whole) = times::integer(text) {
        return (whole < 1_000_000_000).then_some(whole * worth);
    }
    let point = text.iter().position(|byte| matches!(byte, b'.' | b',')).unwrap_or(text.len());
    let (whole, fraction) = text.split_at(point);
    let whole = times::integer(whole).filter(|whole| *whole < 1_000_000_000)?;
    let [_, digits @ ..] = fraction else { return Some(whole * worth) };
    let scale = 10_i64.checked_pow(u32::try_from(digits.len()).ok()?)?;
    if digits.len() > 6 {
        return None;
    }
    Some(whole * worth + times::integer(digits)? * worth / scale)
}

fn units(text: &[u8]) -> Option<i64> {
    let mut rest = text;
    let mut millis = 0_i64;
    while !rest.is_empty() {
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after) = rest.split_at(len);
        let after = after.trim_ascii_start();
        let letters = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (unit, after) = after.split_at(letters);
        let is = |names: &[&[u8]]| names.iter().any(|name| unit.eq_ignore_ascii_case(name));
        let worth = match () {
            () if is(&[b"h", b"hr", b"hrs", b"hour", b"hours"]) => 3_600_000,
            () if is(&[b"m", b"min", b"mins", b"minute", b"minutes"]) => 60_000,
            () if is(&[b"s", b"sec", b"secs", b"second", b"seconds"]) => 1_000,
            () if is(&[b"ms"]) => 1,
            () => return None,
        };
        let value = times::integer(digits).filter(|value| *value < 1_000_000_000)?;
        millis = millis.checked_add(value * worth)?;
        rest = after.trim_ascii_start();
    }
    Some(millis)
}

fn by_signs(signs: &[Sign], text: &[u8]) -> Option<i64> {
    let mut rest = text;
    let mut millis = 0_i64;
    for (index, sign) in signs.iter().enumerate() {
        match *sign {
            Sign::Literal(byte) => rest = rest.strip_prefix(&[byte])?,
            Sign::Number { digits, worth } => {
                let len =
                    if digits == 0 { rest.iter().take_while(|byte| byte.is_ascii_digit()).count() } else { digits };
                let (number, after) = rest.split_at_checked(len).filter(|_| len <= 6)?;
                // Fixed positions may be padded with blanks.
                let number = number.trim_ascii_start();
                let value = if number.is_empty() && digits > 0 { 0 } else { times::integer(number)? };
                let is_part = index > 0 && matches!(worth, 1_000 | 60_000);
                if is_part && value > 59 {
                    return None;
                }
                millis += value * worth;
                rest = after;
            }
        }
    }
    rest.is_empty().then_some(millis)
}
