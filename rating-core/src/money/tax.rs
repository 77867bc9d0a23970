//! Value added tax on an amount.

use super::{Charge, Ratio, Rounding, Total};

/// How tax comes out of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxRule {
    /// Whether amounts include it.
    pub inclusive: bool,
    /// How it is rounded.
    pub rounding: Rounding,
}

impl TaxRule {
    /// The tax of an amount at a rate in millionths: on top of it, or the part of it that is tax; rounded. `None` if it is
    /// more than can be kept.
    ///
    /// # Example: 20 % on 1.00, and in 1.20
    ///
    /// ```
    /// use rating_core::money::{Charge, Rounding, Rule, TaxRule};
    /// let penny = Charge::parse("0.01").unwrap();
    /// let tax = |inclusive, amount| {
    ///     let rule = TaxRule { inclusive, rounding: Rounding { rule: Rule::HalfUp, step: penny } };
    ///     rule.of(Charge::parse(amount).unwrap().into(), 200_000).unwrap().to_string()
    /// };
    /// assert_eq!(tax(false, "1"), "0.20");
    /// assert_eq!(tax(true, "1.2"), "0.20"); // 1.20 × 20 / 120
    /// ```
    #[must_use]
    pub fn of(self, amount: Total, rate: i64) -> Option<Charge> {
        const MILLION: i128 = 1_000_000;
        const TO_PRICE: i128 = 100;
        let whole = if self.inclusive { MILLION.checked_add(i128::from(rate))? } else { MILLION };
        let over = amount.units().checked_mul(TO_PRICE)?.checked_mul(i128::from(rate))?;
        Ratio::new(over, whole)?.round(self.rounding)
    }
}

impl Total {
    /// Rounds a sum of posted charges; `None` if it is more than can be kept.
    #[must_use]
    pub fn round(self, rounding: Rounding) -> Option<Charge> {
        const TO_PRICE: i128 = 100;
        Ratio::new(self.units().checked_mul(TO_PRICE)?, 1)?.round(rounding)
    }
}
