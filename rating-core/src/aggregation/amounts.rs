//! Sums of money, one per currency, and sums of time.

use crate::money::{Charge, Currency, Total};
use crate::time::Duration;

/// One sum: how many charges went into it and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Charges added, those of 0.00 included.
    pub charges: u64,
    /// Their sum, at ledger scale.
    pub total: Total,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.charges += other.charges;
        self.total = self.total.plus(other.total);
    }
}

/// Sums of posted charges, one for each currency (or pair of currencies); never added across.
///
/// The first is kept in place, since nearly every payer has one currency only.
///
/// # Example
///
/// ```
/// use rating_core::aggregation::Amounts;
/// use rating_core::money::{Charge, Currency};
/// let (pound, euro) = (Currency::parse("GBP").unwrap(), Currency::parse("EUR").unwrap());
/// let mut amounts = Amounts::default();
/// amounts.add(pound, Charge::parse("0.10").unwrap());
/// amounts.add(euro, Charge::parse("0.30").unwrap());
/// amounts.add(pound, Charge::parse("0.20").unwrap());
/// let listed: Vec<String> = amounts.iter().map(|(currency, sum)| format!("{} {currency}", sum.total)).collect();
/// assert_eq!(listed, ["0.30 EUR", "0.30 GBP"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amounts<K = Currency> {
    /// The entry with the lowest key.
    first: Option<(K, Sum)>,
    /// The others, by key.
    rest: Vec<(K, Sum)>,
}

impl<K> Default for Amounts<K> {
    fn default() -> Self {
        Self { first: None, rest: Vec::new() }
    }
}

impl<K: Copy + Ord> Amounts<K> {
    /// Adds one charge.
    #[inline]
    pub fn add(&mut self, key: K, charge: Charge) {
        self.add_sum(key, Sum { charges: 1, total: charge.into() });
    }

    /// Adds a sum.
    #[inline]
    pub fn add_sum(&mut self, key: K, sum: Sum) {
        match &mut self.first {
            Some((first, have)) if *first == key => have.add(sum),
            None => self.first = Some((key, sum)),
            Some(_) => self.add_other(key, sum),
        }
    }

    #[cold]
    fn add_other(&mut self, key: K, sum: Sum) {
        match self.rest.binary_search_by_key(&key, |(other, _)| *other) {
            Ok(at) => {
                if let Some((_, have)) = self.rest.get_mut(at) {
                    have.add(sum);
                }
            }
            Err(at) => match &mut self.first {
                Some(first) if key < first.0 => {
                    let second = std::mem::replace(first, (key, sum));
                    self.rest.insert(0, second);
                }
                _ => self.rest.insert(at, (key, sum)),
            },
        }
    }

    /// Adds every sum of `other`.
    pub fn merge(&mut self, other: &Self) {
        // Nearly always the one currency of both.
        if let Some((key, sum)) = other.first {
            self.add_sum(key, sum);
        }
        for (key, sum) in &other.rest {
            self.add_sum(*key, *sum);
        }
    }

    /// The sums, by key.
    pub fn iter(&self) -> impl Iterator<Item = (K, Sum)> + '_ {
        self.first.iter().chain(&self.rest).copied()
    }

    /// How many currencies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Whether no charge was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The sum for `key`, if a charge was added to it.
    #[must_use]
    pub fn get(&self, key: K) -> Option<Sum> {
        self.iter().find(|(other, _)| *other == key).map(|(_, sum)| sum)
    }

    /// The only currency's sum; `None` if there is none or more than one.
    #[must_use]
    pub fn only(&self) -> Option<(K, Sum)> {
        self.first.filter(|_| self.rest.is_empty())
    }

    /// How many charges were added in all.
    #[must_use]
    pub fn charges(&self) -> u64 {
        self.iter().map(|(_, sum)| sum.charges).sum()
    }
}

/// A sum of durations, in milliseconds. Wide enough for any number of calls of any length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elapsed(i128);

impl Elapsed {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i128) -> Self {
        Self(millis)
    }

    /// Adds a duration.
    #[inline]
    pub fn add(&mut self, duration: Duration) {
        self.0 += i128::from(duration.as_millis());
    }

    /// The exact sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i128 {
        self.0
    }
}

impl From<Duration> for Elapsed {
    fn from(duration: Duration) -> Self {
        Self(i128::from(duration.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_of_adding_gives_equal_amounts() {
        let currencies = ["USD", "EUR", "GBP", "CHF", "EUR", "USD"].map(|code| Currency::parse(code).unwrap());
        let mut forward = Amounts::default();
        let mut backward = Amounts::default();
        for (units, currency) in (1_i64..).zip(currencies) {
            forward.add(currency, Charge::from_units(units));
        }
        for (units, currency) in (1_i64..).zip(currencies).collect::<Vec<_>>().into_iter().rev() {
            backward.add(currency, Charge::from_units(units));
        }
        assert_eq!(forward, backward);
        let codes: Vec<String> = forward.iter().map(|(currency, _)| currency.to_string()).collect();
        assert_eq!(codes, ["CHF", "EUR", "GBP", "USD"]);
        // USD: 1 + 6; EUR: 2 + 5.
        assert_eq!(forward.get(currencies[0]), Some(Sum { charges: 2, total: Total::from_units(7) }));
        assert_eq!(forward.charges(), 6);
        assert_eq!(forward.only(), None);
    }
}
