//! Numbers and durations as Go writes them, which is what CGRateS reads.

use crate::money::{PRICE_SCALE, Price};

/// A decimal number, with an exponent or without (`0.1`, `.5`, `1e-05`); nothing at all is zero. `Err` says what is wrong.
pub(super) fn decimal(text: &str) -> Result<Price, &'static str> {
    if text.is_empty() {
        return Ok(Price::ZERO);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| "not a number")?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err("not a number");
    }
    let fraction = fraction.trim_end_matches('0');
    let all = format!("{whole}{fraction}");
    let units = all.trim_start_matches('0');
    if units.is_empty() {
        return Ok(Price::ZERO);
    }
    let places = i64::from(PRICE_SCALE) + i64::from(exponent) - i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    // What stands beyond the last place may be zeros of the whole number.
    let (units, places) = match places {
        0.. => (units, places),
        _ => {
            let kept = units.trim_end_matches('0');
            (kept, places + i64::try_from(units.len() - kept.len()).unwrap_or(0))
        }
    };
    let up = u32::try_from(places).map_err(|_| "has more than twelve decimals")?;
    let too_large = "is too large";
    let units: i64 = units.parse().map_err(|_| too_large)?;
    let scaled = 10_i64.checked_pow(up).and_then(|power| units.checked_mul(power)).ok_or(too_large)?;
    Ok(Price::from_units(if negative { -scaled } else { scaled }))
}

/// A duration in nanoseconds and whether it was a bare number: `60s`, `1m30s`, `1.5h`, `1` (a nanosecond); nothing at all
/// is zero.
pub(super) fn duration(text: &str) -> Option<(i64, bool)> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return if text.is_empty() { Some((0, false)) } else { text.parse().ok().map(|count| (count, true)) };
    }
    let (mut rest, mut total) = (text, 0_i64);
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let factor: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok().filter(|length| *length <= 15)?)?;
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let scaled = digits.checked_mul(i128::from(factor))?;
        // Less than a nanosecond is nothing that can be counted.
        if scaled % scale != 0 {
            return None;
        }
        total = total.checked_add(i64::try_from(scaled / scale).ok()?)?;
        rest = tail;
    }
    Some((total, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go_and_a_bare_number_is_nanoseconds() {
        for (text, nanoseconds) in [
            ("", Some((0, false))),
            ("0", Some((0, true))),
            ("60", Some((60, true))),
            ("60s", Some((60_000_000_000, false))),
            ("1m30s", Some((90_000_000_000, false))),
            ("1.5h", Some((5_400_000_000_000, false))),
            ("1500ms", Some((1_500_000_000, false))),
            ("2us", Some((2_000, false))),
            ("0.5ns", None),
            ("6 s", None),
            ("-1s", None),
            ("1d", None),
            ("1m30", None),
            ("s", None),
            ("9999999h", None),
        ] {
            assert_eq!(duration(text), nanoseconds, "{text}");
        }
    }

    #[test]
    fn numbers_keep_every_decimal_or_say_so() {
        for (text, units) in [
            ("", Ok(0)),
            ("0.1", Ok(100_000_000_000)),
            (".5", Ok(500_000_000_000)),
            ("5.", Ok(5_000_000_000_000)),
            ("0.000000", Ok(0)),
            ("1e-05", Ok(10_000_000)),
            ("1.50E2", Ok(150_000_000_000_000)),
            ("1000e-14", Ok(10)),
            ("-1", Ok(-1_000_000_000_000)),
            ("+1", Ok(1_000_000_000_000)),
            ("0.0000000000001", Err("has more than twelve decimals")),
            ("99999999", Err("is too large")),
            ("1,5", Err("not a number")),
            ("x", Err("not a number")),
            (".", Err("not a number")),
            ("1e", Err("not a number")),
        ] {
            assert_eq!(decimal(text).map(Price::units), units, "{text}");
        }
    }
}
