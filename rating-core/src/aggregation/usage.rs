//! Contracted voice lines by day: what the operator has sold, what it may sell free of charge, and what the rest costs.
//!
//! The operator's contract with its carrier allows a number of lines over all its payers; each line above it costs its
//! share of a monthly price for each day. The price of a day is the monthly price divided by the days of the month, and is
//! never rounded; the charge of a day is rounded, and the month is the sum of the rounded days.

use super::PayerKey;
use crate::money::{Charge, Price, Ratio, Rounding, Total};

/// What a line above the allowance costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageTerms {
    /// Lines that cost nothing.
    pub allowance: u64,
    /// Price of a line for a month.
    pub price: Price,
    /// How the charge of a day is rounded.
    pub rounding: Rounding,
}

/// A month of lines.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// The lines of each payer at each site, day by day.
    pub allocations: Vec<(PayerKey, Vec<u64>)>,
    /// All of them.
    pub total: Vec<u64>,
    /// What they cost, if that is to be told.
    pub charges: Option<UsageCharges>,
}

/// What a month of lines costs, day by day.
#[derive(Clone, Debug)]
pub struct UsageCharges {
    /// Lines that cost nothing.
    pub allowance: u64,
    /// Lines above them.
    pub over: Vec<u64>,
    /// The price of a line for a day, exact.
    pub price_per_day: Ratio,
    /// The charge of each day.
    pub daily: Vec<Charge>,
    /// The sum of the charges so far.
    pub accrued: Vec<Total>,
}

impl Usage {
    /// Adds up the lines of a month of `days` days; `None` if an amount is more than can be kept. Payers without a line on
    /// any day are left out.
    #[must_use]
    pub fn of(mut allocations: Vec<(PayerKey, Vec<u64>)>, days: u32, terms: Option<UsageTerms>) -> Option<Self> {
        allocations.retain(|(_, lines)| lines.iter().any(|lines| *lines > 0));
        let day = |at: usize| allocations.iter().map(|(_, lines)| lines.get(at).copied().unwrap_or(0)).sum();
        let total: Vec<u64> = (0..days as usize).map(day).collect();
        let charges = match terms {
            None => None,
            Some(terms) => Some(charges(&total, days, terms)?),
        };
        Some(Self { allocations, total, charges })
    }
}

fn charges(total: &[u64], days: u32, terms: UsageTerms) -> Option<UsageCharges> {
    let over: Vec<u64> = total.iter().map(|lines| lines.saturating_sub(terms.allowance)).collect();
    let price = i128::from(terms.price.units());
    let daily = over
        .iter()
        .map(|over| Ratio::new(price.checked_mul(i128::from(*over))?, i128::from(days))?.round(terms.rounding))
        .collect::<Option<Vec<Charge>>>()?;
    let mut sum = Total::ZERO;
    let accrued = daily
        .iter()
        .map(|charge| {
            sum.add(*charge);
            sum
        })
        .collect();
    let price_per_day = Ratio::new(price, i128::from(days))?;
    Some(UsageCharges { allowance: terms.allowance, over, price_per_day, daily, accrued })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{PayerId, SiteId};
    use crate::money::Rule;

    fn month(price: &str, rule: Rule, allowance: u64, lines: &[u64]) -> UsageCharges {
        let rounding = Rounding { rule, step: Charge::parse("0.01").unwrap() };
        let terms = UsageTerms { allowance, price: Price::parse(price, 0).unwrap(), rounding };
        let payer = |payer| PayerKey { site: SiteId(0), payer: Some(PayerId(payer)) };
        // The allowance is for all payers together: two of them share it.
        let one = lines.iter().map(|lines| lines / 2).collect();
        let two = lines.iter().map(|lines| lines - lines / 2).collect();
        let days = u32::try_from(lines.len()).unwrap();
        Usage::of(vec![(payer(1), one), (payer(2), two)], days, Some(terms)).unwrap().charges.unwrap()
    }

    #[test]
    fn days_are_rounded_and_then_added() {
        // Price of a month, days, lines above the allowance, rule: charge of a day, and of the month.
        for (price, days, over, rule, daily, accrued) in [
            ("10", 31, 3, Rule::HalfUp, "0.97", "30.07"), // 30 / 31 = 0.9677…
            ("10", 30, 3, Rule::HalfUp, "1.00", "30.00"),
            ("10", 29, 3, Rule::HalfUp, "1.03", "29.87"), // 30 / 29 = 1.0344…
            ("10", 28, 3, Rule::HalfUp, "1.07", "29.96"), // 30 / 28 = 1.0714…
            ("7.5", 31, 1, Rule::HalfUp, "0.24", "7.44"), // 7.5 / 31 = 0.2419…
            ("6.15", 30, 1, Rule::HalfUp, "0.21", "6.30"), // 6.15 / 30 = 0.205
            ("6.15", 30, 1, Rule::HalfEven, "0.20", "6.00"),
        ] {
            let charges = month(price, rule, 7, &vec![7 + over; days]);
            assert_eq!(charges.daily[0].to_string(), daily, "{price} {days} {over} {rule:?}");
            assert_eq!(charges.accrued.last().unwrap().to_string(), accrued, "{price} {days} {over} {rule:?}");
        }
    }

    #[test]
    fn lines_that_change_count_from_their_day_and_below_the_allowance_nothing_is_due() {
        // 4 lines on days 1 to 10, 5 to the 15th, 7 to the 30th; 5 are free. 12 / 30 × 2 = 0.80 on 15 days.
        let lines: Vec<u64> = (1..=30)
            .map(|day| {
                if day <= 10 {
                    4
                } else if day <= 15 {
                    5
                } else {
                    7
                }
            })
            .collect();
        let charges = month("12", Rule::HalfUp, 5, &lines);
        let shown = |at: usize| (charges.over[at], charges.daily[at].to_string(), charges.accrued[at].to_string());
        assert_eq!(shown(0), (0, "0.00".into(), "0.00".into()));
        assert_eq!(shown(14), (0, "0.00".into(), "0.00".into()));
        assert_eq!(shown(15), (2, "0.80".into(), "0.80".into()));
        assert_eq!(shown(29), (2, "0.80".into(), "12.00".into()));
    }

    #[test]
    fn who_has_no_line_has_no_row() {
        let payer = |payer| PayerKey { site: SiteId(0), payer: Some(PayerId(payer)) };
        let usage = Usage::of(vec![(payer(1), vec![0; 2]), (payer(2), vec![0, 3])], 2, None).unwrap();
        assert_eq!((usage.allocations.len(), usage.total), (1, vec![0, 3]));
    }
}
