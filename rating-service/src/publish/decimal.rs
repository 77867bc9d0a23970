//! Decimal numbers of published reports as integers, so that sums of them are exact.

use rating_core::report::Kind;

/// Decimals of sums: as many as any column has.
const SCALE: usize = 12;

/// A decimal number as machine CSV writes it, in units of 10⁻¹².
#[must_use]
pub fn units(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > SCALE || !plain {
        return None;
    }
    format!("{whole}{fraction:0<SCALE$}").parse::<i128>().ok()?.checked_mul(sign)
}

/// The inverse, as a cell of its kind is written: money with two decimals at least.
#[must_use]
pub fn shown(units: i128, kind: Kind) -> String {
    let least = if kind == Kind::Amount { 2 } else { 0 };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = SCALE + 1);
    let (whole, fraction) = digits.split_at(digits.len() - SCALE);
    let kept = fraction.trim_end_matches('0').len().max(least);
    let sign = if units < 0 { "-" } else { "" };
    match fraction.get(..kept).filter(|fraction| !fraction.is_empty()) {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_written_like_what_they_sum() {
        for (text, kind) in [
            ("0.00", Kind::Amount),
            ("-0.05", Kind::Amount),
            ("12345678901234567890.0000000001", Kind::Amount),
            ("61.5", Kind::Seconds),
            ("0", Kind::Seconds),
            ("17", Kind::Integer),
        ] {
            assert_eq!(units(text).map(|units| shown(units, kind)).as_deref(), Some(text));
        }
        for bad in ["", "1e2", "x", "0.0000000000001", "--1", "1.", "."] {
            // A point without decimals is read as none: nothing of ours writes it.
            assert_eq!(units(bad), if bad == "1." { Some(1_000_000_000_000) } else { None }, "{bad}");
        }
    }
}
