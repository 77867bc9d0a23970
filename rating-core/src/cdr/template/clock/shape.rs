//! The short way for times whose digits have their places: all their bytes are compared at once.

use super::{Parts, Sign};

/// How many bytes are compared.
const BYTES: usize = 32;

/// A place among the bytes that are compared.
type Place = u8;

/// The places of tens and units.
type Number = [Place; 2];

/// Where the digits of a pattern stand. What does not fit may still be a time of that pattern, with blanks for zeros or without
/// what may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Shape {
    /// How long a text is.
    len: usize,
    /// What stands in it; `0` for a digit.
    signs: [u8; BYTES],
    /// How far each byte may be above that: nine for a digit.
    above: [u8; BYTES],
    year: Year,
    month_day: Option<[Number; 2]>,
    /// Hour and minute, and second.
    time: Option<([Number; 2], Option<Number>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Year {
    Missing,
    Short(Number),
    Whole([Place; 4]),
}

impl Shape {
    /// The shape of a pattern; `None` if its digits have no certain places.
    pub(super) fn new(pattern: &[Sign]) -> Option<Self> {
        let len = pattern.iter().map(|sign| width(*sign)).sum::<Option<usize>>()?;
        let mut text = Vec::with_capacity(len);
        let (mut year, mut month, mut day) = (Year::Missing, None, None);
        let (mut hour, mut minute, mut second) = (None, None, None);
        for sign in pattern {
            let from = text.len();
            let two = || Some([place(len, from)?, place(len, from + 1)?]);
            match *sign {
                Sign::Year => {
                    let [century, rest] = [two()?, [place(len, from + 2)?, place(len, from + 3)?]];
                    year = Year::Whole([century[0], century[1], rest[0], rest[1]]);
                }
                Sign::ShortYear => year = Year::Short(two()?),
                Sign::Month { .. } => month = two(),
                Sign::Day { .. } => day = two(),
                Sign::Hour { .. } => hour = two(),
                Sign::Minute { .. } => minute = two(),
                Sign::Second { .. } => second = two(),
                _ => {}
            }
            match *sign {
                Sign::Literal(byte) => text.push((byte, 0)),
                sign => text.extend(std::iter::repeat_n((b'0', 9), width(sign)?)),
            }
        }
        let signs: Vec<u8> = text.iter().map(|(sign, _)| *sign).collect();
        let above: Vec<u8> = text.iter().map(|(_, above)| *above).collect();
        Some(Self {
            len,
            signs: gathered(&signs)?,
            above: gathered(&above)?,
            year,
            month_day: month.zip(day).map(|(month, day)| [month, day]),
            time: hour.zip(minute).map(|(hour, minute)| ([hour, minute], second)),
        })
    }

    /// Reads a text that fits.
    #[inline]
    pub(super) fn read(&self, text: &[u8], parts: &mut Parts) -> Option<()> {
        if text.len() != self.len {
            return None;
        }
        let mut digits = gathered(text)?;
        let mut stray = 0;
        for ((byte, sign), above) in digits.iter_mut().zip(&self.signs).zip(&self.above) {
            *byte ^= sign;
            stray |= byte.saturating_sub(*above);
        }
        if stray != 0 {
            return None;
        }
        let at = |place: Place| i64::from(digits[usize::from(place) % BYTES]);
        let two = |[tens, units]: Number| at(tens) * 10 + at(units);
        match self.year {
            Year::Whole([a, b, c, d]) => parts.year = Some(two([a, b]) * 100 + two([c, d])),
            Year::Short(places) => parts.year = Some(whole_year(two(places))),
            Year::Missing => {}
        }
        if let Some([month, day]) = self.month_day {
            parts.month_day = Some((two(month), two(day)));
        }
        if let Some(([hour, minute], second)) = self.time {
            parts.time = Some((two(hour), two(minute), second.map_or(0, two)));
        }
        Some(())
    }
}

/// 1990 to 2089.
pub(super) const fn whole_year(short: i64) -> i64 {
    if short < 90 { 2000 + short } else { 1900 + short }
}

/// How many bytes a sign takes, if that is certain.
const fn width(sign: Sign) -> Option<usize> {
    match sign {
        Sign::Year => Some(4),
        Sign::ShortYear
        | Sign::Month { padded: true }
        | Sign::Day { padded: true }
        | Sign::Hour { padded: true }
        | Sign::Minute { padded: true }
        | Sign::Second { padded: true } => Some(2),
        Sign::Literal(_) => Some(1),
        _ => None,
    }
}

/// The beginning and the end of a text in one place, which share what is in both: a text of any length is two loads.
#[inline]
fn gathered(text: &[u8]) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    if let (Some(head), Some(tail)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        bytes[..16].copy_from_slice(head);
        bytes[16..].copy_from_slice(tail);
        return (text.len() <= BYTES).then_some(bytes);
    }
    if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        bytes[..8].copy_from_slice(head);
        bytes[8..16].copy_from_slice(tail);
    } else {
        bytes[..4].copy_from_slice(text.first_chunk::<4>()?);
        bytes[4..8].copy_from_slice(text.last_chunk::<4>()?);
    }
    Some(bytes)
}

/// Where a byte of a text of `len` bytes is among those gathered.
fn place(len: usize, at: usize) -> Option<Place> {
    let half = match len {
        16..=BYTES => 16,
        8..16 => 8,
        4..8 => 4,
        _ => return None,
    };
    u8::try_from(if at < half { at } else { at + 2 * half - len }).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Pattern, read_signs};
    use super::*;

    #[test]
    fn patterns_of_certain_places_have_a_shape() {
        let has_shape = |text: &str| match Pattern::parse(text).unwrap() {
            Pattern::Signs { shape, .. } => shape.is_some(),
            _ => false,
        };
        for text in [
            "YYYYMMDDhhmmss",
            "DD.MM.YYYY",
            "hh.mm",
            "DD/MM/YYYY hh:mm:ss",
            "hhmmss",
            "DDMMYY",
            "YYYY-MM-DD hh:mm:ss +0000",
        ] {
            assert!(has_shape(text), "{text}");
        }
        for text in ["D/M/YYYY", "DD MMM YYYY", "hh:mm:ss AM", "hh:mm:ss.fff", "hh:mm:ssZ"] {
            assert!(!has_shape(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_fits_is_read_as_sign_by_sign(
            pattern in prop::sample::select(&[
                "YYYYMMDDhhmmss", "DD.MM.YYYY", "hh.mm", "hhmm", "DD/MM/YYYY hh:mm:ss", "hhmmss", "DDMMYY hh", "YYMMDDhhmm[ss]",
                "YYYY-MM-DD hh:mm:ss +0000", "hh:mm", "MM-DD-YYYY hh:mm:ss", "ss.hh.mm", "DD  hhmm YYYY (MM) ......ss",
            ][..]),
            digits in "[0-9]{40}",
            odd in proptest::collection::vec((0_usize..40, any::<u8>()), 0..2),
            cut in 0_usize..3,
        ) {
            // Patterns without day and month, or hour and minute, are none.
            let Ok(Pattern::Signs { signs, mandatory, shape: Some(shape) }) = Pattern::parse(pattern) else { return Ok(()) };
            let mut digits = digits.bytes();
            let mut text: Vec<u8> = Vec::new();
            for sign in &signs {
                match sign {
                    Sign::Literal(byte) => text.push(*byte),
                    sign => text.extend(digits.by_ref().take(width(*sign).unwrap())),
                }
            }
            for (at, byte) in odd {
                if let Some(place) = text.get_mut(at) {
                    *place = byte;
                }
            }
            text.truncate(text.len() - cut);
            let (mut short, mut long) = (Parts::default(), Parts::default());
            let is_read = read_signs(&signs, mandatory, &text, &mut long);
            match shape.read(&text, &mut short) {
                Some(()) => prop_assert_eq!((Some(()), short), (is_read, long)),
                // And it is taken for all that has digits where they belong.
                None => prop_assert!(cut > 0 || is_read.is_none() || text.contains(&b' ')),
            }
        }
    }
}
