//! Times such as `15:54:56.868 PST DEC 18 2017`.

use super::super::times::{self, LastDay, Reading};
use super::super::{RejectReason, Stamp};
use crate::time::Instant;

/// What stands in a time's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nothing, or a day of 1970.
    Never,
    At {
        stamp: Stamp,
        /// The moment, if the zone's name means one thing alone.
        epoch: Option<Instant>,
    },
}

const MONTHS: [&[u8; 3]; 12] =
    [b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"];

/// Abbreviations that mean one thing, in minutes east of UTC (`PST` is taken for the Pacific's, as in Oracle's examples). Not here
/// are those of several countries: `CST` and `CDT` (America, China, Cuba) and `IST` (India, Ireland, Israel).
const ZONES: [(&[u8], i64); 20] = [
    (b"PST", -480),
    (b"PDT", -420),
    (b"MST", -420),
    (b"MDT", -360),
    (b"EST", -300),
    (b"EDT", -240),
    (b"AKST", -540),
    (b"AKDT", -480),
    (b"HST", -600),
    (b"BST", 60),
    (b"WEST", 60),
    (b"CET", 60),
    (b"CEST", 120),
    (b"EET", 120),
    (b"EEST", 180),
    (b"JST", 540),
    (b"AEST", 600),
    (b"AEDT", 660),
    (b"NZST", 720),
    (b"NZDT", 780),
];

/// Reads `hh:mm:ss[.mmm] ZONE [DAY] MON dd yyyy`, in any case; a `*` or `.` before it, by which Cisco's attribute marks a clock that
/// is not synchronised, does not matter.
///
/// # Errors
///
/// [`RejectReason::TimeMalformed`] if it is no such text, [`RejectReason::TimeImplausible`] outside 1990–2089.
pub(super) fn moment(text: &[u8], last_day: &mut LastDay) -> Result<Moment, RejectReason> {
    let text = match text.trim_ascii() {
        b"" | b"0" => return Ok(Moment::Never),
        [b'*' | b'.', rest @ ..] => rest,
        text => text,
    };
    let (time, zone, month, day, year) = words(text).ok_or(RejectReason::TimeMalformed)?;
    let (clock, millis) = time_of_day(time).ok_or(RejectReason::TimeMalformed)?;
    let date = (|| {
        let month =
            MONTHS.iter().zip(1..).find(|(name, _)| month.eq_ignore_ascii_case(**name)).map(|(_, month)| month)?;
        Some((times::integer(year)?, month, times::integer(day)?))
    })();
    let reading = times::clock_reading(date.ok_or(RejectReason::TimeMalformed)?, clock, millis, last_day)?;
    let Reading::At(Stamp::Local(local)) = reading else { return Ok(Moment::Never) };
    let is = |name: &[u8]| zone.eq_ignore_ascii_case(name);
    if is(b"UTC") || is(b"GMT") || is(b"Z") {
        return Ok(match times::as_utc(reading) {
            Reading::At(stamp) => Moment::At { stamp, epoch: None },
            _ => Moment::Never,
        });
    }
    let offset = ZONES.iter().find(|(name, _)| is(name)).map(|(_, minutes)| minutes * 60_000);
    let epoch = offset.map(|offset| Instant::from_millis(local.as_millis() - offset));
    Ok(Moment::At { stamp: Stamp::Local(local), epoch })
}

type Words<'a> = (&'a [u8], &'a [u8], &'a [u8], &'a [u8], &'a [u8]);

fn words(text: &[u8]) -> Option<Words<'_>> {
    let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (time, zone, third, fourth, fifth) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    if zone.is_empty() || zone.iter().any(|byte| !byte.is_ascii_alphabetic()) {
        return None;
    }
    match words.next() {
        None => Some((time, zone, third, fourth, fifth)),
        Some(sixth) if words.next().is_none() => Some((time, zone, fourth, fifth, sixth)),
        Some(_) => None,
    }
}

fn time_of_day(text: &[u8]) -> Option<((i64, i64, i64), i64)> {
    let (clock, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (text.get(..point)?, text.get(point + 1..)?),
        None => (text, &b"0"[..]),
    };
    let mut parts = clock.split(|byte| *byte == b':').map(|part| times::integer(part).filter(|_| part.len() == 2));
    let clock = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || fraction.is_empty() || fraction.len() > 6 || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let millis = (0..3).fold(0, |sum, at| sum * 10 + fraction.get(at).map_or(0, |digit| i64::from(digit - b'0')));
    Some((clock, millis))
}
