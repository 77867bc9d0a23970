//! Exact amounts as text that another program reads back without a loss.

use std::fmt;

use super::{PRICE_SCALE, Ratio};

impl fmt::Display for Ratio {
    /// The amount in major units: a decimal number with at least two decimals if it has an end (`0.0305`), else a fraction
    /// in lowest terms (`61/2400`).
    ///
    /// # Example: 61 seconds at 2.5p a minute, and at 3p
    ///
    /// ```
    /// use rating_core::money::Price;
    /// let exact = |pence| Price::parse(pence, 2).unwrap().times(61, 60).to_string();
    /// assert_eq!(exact("2.5"), "61/2400"); // 0.0254166…
    /// assert_eq!(exact("3"), "0.0305");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (numerator, denominator) = self.parts();
        let common = common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let (numerator, denominator) = (numerator / common.cast_signed(), denominator.unsigned_abs() / common);
        let sign = if numerator < 0 { "-" } else { "" };
        let units = numerator.unsigned_abs();
        if let Some((digits, decimals)) = decimal(units, denominator) {
            return write_decimal(f, sign, digits, decimals);
        }
        // The numerator counts 10⁻¹² of the unit.
        let scale = 10_u128.pow(PRICE_SCALE);
        let common = common_divisor(units, scale);
        match denominator.checked_mul(scale / common) {
            Some(denominator) => write!(f, "{sign}{}/{denominator}", units / common),
            // Larger than any amount that arises; not in lowest terms, but true.
            None => write!(f, "{sign}{units}/{denominator}{:0>1$}", "", PRICE_SCALE as usize),
        }
    }
}

/// `units / denominator` × 10⁻¹² as digits and a count of decimals, if it has an end that fits.
fn decimal(units: u128, denominator: u128) -> Option<(u128, u32)> {
    let (mut rest, mut twos, mut fives) = (denominator, 0_u32, 0_u32);
    while rest.is_multiple_of(2) {
        (rest, twos) = (rest / 2, twos + 1);
    }
    while rest.is_multiple_of(5) {
        (rest, fives) = (rest / 5, fives + 1);
    }
    if rest != 1 {
        return None;
    }
    let more = twos.max(fives);
    let digits = units.checked_mul(2_u128.checked_pow(more - twos)?)?.checked_mul(5_u128.checked_pow(more - fives)?)?;
    Some((digits, PRICE_SCALE + more))
}

fn write_decimal(f: &mut fmt::Formatter<'_>, sign: &str, digits: u128, decimals: u32) -> fmt::Result {
    let (mut digits, mut decimals) = (digits, decimals as usize);
    while decimals > 2 && digits.is_multiple_of(10) {
        (digits, decimals) = (digits / 10, decimals - 1);
    }
    // At most 39 digits, and as many zeros before them as there are decimals.
    let text = format!("{digits:0>0$}", decimals + 1);
    let (whole, fraction) = text.split_at(text.len() - decimals);
    write!(f, "{sign}{whole}.{fraction}")
}

const fn common_divisor(left: u128, right: u128) -> u128 {
    let (mut left, mut right) = (left, right);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    if left == 0 { 1 } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_amount_is_a_decimal_number_if_that_has_an_end_and_else_a_fraction() {
        for (numerator, denominator, text) in [
            (0, 60_000, "0.00"),
            (30_000_000_000, 1, "0.03"),
            (500_000_000_000, 1, "0.50"),
            (12_000_000_000_000, 1, "12.00"),
            (-25_000_000_000, 1, "-0.025"),
            (1, 1, "0.000000000001"),
            (1, 8, "0.000000000000125"),
            // 2.5p × 61/60 = 61/2400 pounds.
            (25_000_000_000 * 61, 60, "61/2400"),
            (-25_000_000_000 * 61, 60, "-61/2400"),
            (1, 3, "1/3000000000000"),
            (7_000_000_000_000, 7, "1.00"),
            (i128::MAX, 1, "170141183460469231731687303.715884105727"),
            (1, i128::MAX, "1/170141183460469231731687303715884105727000000000000"),
        ] {
            assert_eq!(Ratio::new(numerator, denominator).unwrap().to_string(), text);
        }
    }
}
