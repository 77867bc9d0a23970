//! Money: exact prices, exact charges, and the one place where anything is rounded.
//!
//! A [`Price`] is an integer count of 10⁻¹² of the currency's major unit (pound, dollar, yen): enough for a penny to ten
//! decimals. A charge is computed as an exact [`Ratio`] and rounded once, by a named [`Rounding`], to a [`Charge`]: an
//! integer count of 10⁻¹⁰ of the major unit, the ledger scale. Only ledger amounts are added, so a total does not depend
//! on the order of adding. Nothing here saturates or wraps: what does not fit is `None`.
//!
//! `rust_decimal` reads text and prints it; it is not used between.

mod exact;
mod tax;

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

pub use tax::TaxRule;

/// Decimals of a [`Price`].
pub const PRICE_SCALE: u32 = 12;
/// Decimals of a [`Charge`] and a [`Total`]; Parquet columns are `decimal(38, 10)`.
pub const LEDGER_SCALE: u32 = 10;
/// How many units of a [`Price`] are one of a [`Charge`].
const TO_LEDGER: i64 = 10_i64.pow(PRICE_SCALE - LEDGER_SCALE);

/// A currency: its ISO 4217 code and how many decimals its minor unit has.
///
/// # Example
///
/// ```
/// use rating_core::money::Currency;
/// assert_eq!(Currency::parse("GBP").unwrap().minor_digits(), 2);
/// assert_eq!(Currency::parse("JPY").unwrap().minor_digits(), 0);
/// assert!(Currency::parse("gbp").is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// ISO 4217's code for "no currency is involved".
    pub const NONE: Self = Self(*b"XXX");

    /// Three capital letters.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The ISO 4217 code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    /// The code as a word of 24 bits.
    #[must_use]
    pub const fn to_bits(self) -> u32 {
        let [first, second, third] = self.0;
        u32::from_be_bytes([0, first, second, third])
    }

    /// Decimals of the minor unit (ISO 4217, column "minor unit"); 2 unless listed otherwise.
    #[must_use]
    pub const fn minor_digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a text is not a [`Price`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// Not a decimal number with a point.
    #[error("not a decimal number")]
    NotANumber,
    /// More decimals than [`PRICE_SCALE`] can hold exactly.
    #[error("has more than twelve decimals of the currency unit")]
    TooPrecise,
    /// Larger than about nine million units.
    #[error("is too large")]
    TooLarge,
}

/// An exact amount in a price list, in 10⁻¹² of the major unit. May be negative (a credit).
///
/// # Example: pounds and pence are different texts for one price
///
/// ```
/// use rating_core::money::Price;
/// assert_eq!(Price::parse("0.025", 0), Price::parse("2.5", 2));
/// assert_eq!(Price::parse("2.5", 2).unwrap().to_string(), "0.025");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Price(i64);

impl Price {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a plain decimal (`12`, `0.0125`, `-3`) counted in 10⁻ⁿ of the major unit, where n is `minor`: 0 for pounds,
    /// 2 for pence.
    ///
    /// # Errors
    ///
    /// [`PriceError`] if the text is not a number, has more decimals than can be kept, or is too large.
    pub fn parse(text: &str, minor: u32) -> Result<Self, PriceError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if !plain || text.is_empty() {
            return Err(PriceError::NotANumber);
        }
        let decimal = Decimal::from_str_exact(text).map_err(|_| {
            if Decimal::from_str(text).is_ok() { PriceError::TooPrecise } else { PriceError::NotANumber }
        })?;
        let decimal = decimal.normalize();
        let scale = decimal.scale() + minor;
        let up = PRICE_SCALE.checked_sub(scale).ok_or(PriceError::TooPrecise)?;
        let scaled = decimal.mantissa().checked_mul(10_i128.pow(up)).ok_or(PriceError::TooLarge)?;
        i64::try_from(scaled).map(Self).map_err(|_| PriceError::TooLarge)
    }

    /// From a count of 10⁻¹² of the major unit.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// Count of 10⁻¹² of the major unit.
    #[must_use]
    #[inline]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// This amount as an exact ratio.
    #[must_use]
    #[inline]
    pub const fn ratio(self) -> Ratio {
        Ratio { numerator: self.0 as i128, denominator: 1 }
    }

    /// This amount times `part / whole`, exactly: a price per `whole` milliseconds for `part` milliseconds.
    #[must_use]
    #[inline]
    pub const fn times(self, part: i64, whole: i64) -> Ratio {
        Ratio { numerator: self.0 as i128 * part as i128, denominator: whole as i128 }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Decimal::from_i128_with_scale(i128::from(self.0), PRICE_SCALE).normalize())
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An exact amount before rounding: `numerator / denominator` in 10⁻¹² of the major unit. The denominator is positive.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator / denominator` in 10⁻¹² of the major unit; `None` unless the denominator is positive.
    #[must_use]
    pub const fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator > 0 { Some(Self { numerator, denominator }) } else { None }
    }

    /// Numerator and denominator, not reduced.
    #[must_use]
    pub const fn parts(self) -> (i128, i128) {
        (self.numerator, self.denominator)
    }

    /// The exact sum over the least common denominator; `None` if it does not fit.
    #[must_use]
    #[inline]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.denominator == other.denominator {
            return Some(Self { numerator: self.numerator.checked_add(other.numerator)?, ..self });
        }
        if self.numerator == 0 {
            return Some(other);
        }
        if other.numerator == 0 {
            return Some(self);
        }
        let common = common_divisor(self.denominator, other.denominator);
        let (mine, its) = (other.denominator / common, self.denominator / common);
        let left = self.numerator.checked_mul(mine)?;
        let right = other.numerator.checked_mul(its)?;
        Some(Self { numerator: left.checked_add(right)?, denominator: self.denominator.checked_mul(mine)? })
    }

    /// The exact difference; `None` if it does not fit.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { numerator: other.numerator.checked_neg()?, ..other })
    }

    /// Whether it is nothing.
    #[must_use]
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// In lowest terms.
    #[must_use]
    pub fn reduced(self) -> Self {
        let common = common_divisor(self.numerator.saturating_abs(), self.denominator);
        Self { numerator: self.numerator / common, denominator: self.denominator / common }
    }

    /// Which of the two is larger; `None` if the comparison does not fit.
    #[must_use]
    #[inline]
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        // Products of two words fit into two.
        let words = (self.words(), other.words());
        if let (Some((mine, per_mine)), Some((its, per_its))) = words {
            let product = |one: i64, other: i64| i128::from(one) * i128::from(other);
            return Some(product(mine, per_its).cmp(&product(its, per_mine)));
        }
        Some(self.numerator.checked_mul(other.denominator)?.cmp(&other.numerator.checked_mul(self.denominator)?))
    }

    /// Numerator and denominator in one machine word each, as nearly all amounts are.
    #[inline]
    fn words(self) -> Option<(i64, i64)> {
        Some((i64::try_from(self.numerator).ok()?, i64::try_from(self.denominator).ok()?))
    }

    /// The larger of the two; `None` if the comparison does not fit.
    #[must_use]
    #[inline]
    pub fn max(self, other: Self) -> Option<Self> {
        Some(if self.compare(other)?.is_lt() { other } else { self })
    }

    /// Rounds to a ledger amount; `None` if it does not fit.
    ///
    /// # Example: 61 seconds at 2.5p a minute, to the tenth of a penny, every rule
    ///
    /// ```
    /// use rating_core::money::{Charge, Price, Rounding, Rule};
    /// // 2.5p × 61 / 60 = 2.541666…p
    /// let exact = Price::parse("2.5", 2).unwrap().times(61, 60);
    /// let tenth = Charge::parse("0.001").unwrap();
    /// let round = |rule| exact.round(Rounding { rule, step: tenth }).unwrap().to_string();
    /// assert_eq!(round(Rule::Up), "0.026");
    /// assert_eq!(round(Rule::Down), "0.025");
    /// assert_eq!(round(Rule::HalfUp), "0.025");
    /// assert_eq!(exact.post().unwrap().to_string(), "0.0254166667"); // no rounding named: ledger scale, half up
    /// ```
    #[must_use]
    #[inline]
    pub fn round(self, rounding: Rounding) -> Option<Charge> {
        if let Some(charge) = self.round_words(rounding) {
            return Some(charge);
        }
        let unit = self.denominator.checked_mul(TO_LEDGER.into())?.checked_mul(i128::from(rounding.step.0))?;
        if unit <= 0 {
            return None;
        }
        let (quotient, rest) = (self.numerator / unit, self.numerator % unit);
        let away = rounding.rule.goes_away(rest.unsigned_abs(), unit.unsigned_abs(), quotient % 2 != 0);
        let steps = if away { quotient + if self.numerator < 0 { -1 } else { 1 } } else { quotient };
        i64::try_from(steps.checked_mul(i128::from(rounding.step.0))?).ok().map(Charge)
    }

    /// The same in machine words; `None` if something is longer.
    #[inline]
    fn round_words(self, rounding: Rounding) -> Option<Charge> {
        let (numerator, denominator) = self.words()?;
        let unit = denominator.checked_mul(TO_LEDGER)?.checked_mul(rounding.step.0).filter(|unit| *unit > 0)?;
        let (quotient, rest) = (numerator / unit, numerator % unit);
        let away = rounding.rule.goes_away(rest.unsigned_abs().into(), unit.unsigned_abs().into(), quotient % 2 != 0);
        let steps = if away { quotient.checked_add(if numerator < 0 { -1 } else { 1 })? } else { quotient };
        steps.checked_mul(rounding.step.0).map(Charge)
    }

    /// Posts to the ledger where the tariff names no rounding: 10⁻¹⁰ of the major unit, half up (design ruling).
    #[must_use]
    #[inline]
    pub fn post(self) -> Option<Charge> {
        self.round(Rounding::LEDGER)
    }
}

/// The largest number that divides both, which are not negative and not both zero; 1 if they are.
fn common_divisor(mut left: i128, mut right: i128) -> i128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left.max(1)
}

/// Which neighbour a value between two steps goes to. Signs mirror: −0.5 goes where 0.5 goes, away from or towards zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Away from zero, if there is any remainder.
    Up,
    /// Towards zero.
    Down,
    /// To the nearest step; a tie goes away from zero.
    HalfUp,
    /// To the nearest step; a tie goes to the even multiple of the step.
    HalfEven,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 4] = [Self::Up, Self::Down, Self::HalfUp, Self::HalfEven];

    /// Whether a value goes to the neighbour that is farther from zero; `rest` is how far it is beyond the nearer one, of a
    /// distance of `unit`, and `odd` whether that one is an odd multiple.
    #[inline]
    const fn goes_away(self, rest: u128, unit: u128, odd: bool) -> bool {
        let left = unit - rest;
        match self {
            Self::Down => false,
            Self::Up => rest != 0,
            Self::HalfUp => rest >= left,
            Self::HalfEven => rest > left || (rest == left && odd),
        }
    }

    /// The name used in tariff files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::HalfUp => "half-up",
            Self::HalfEven => "half-even",
        }
    }

    /// The rule of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// A rounding rule and the step it rounds to; the step need not be a power of ten (0.5p, 10p).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rounding {
    /// Which neighbour.
    pub rule: Rule,
    /// The distance between neighbours; more than zero.
    pub step: Charge,
}

impl Rounding {
    /// To the ledger's own scale, half up: what happens when a tariff names no rounding for the call.
    pub const LEDGER: Self = Self { rule: Rule::HalfUp, step: Charge(1) };
}

/// A posted amount: an integer count of 10⁻¹⁰ of the major unit, at most about 922 million units.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Charge(i64);

impl Charge {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From a count of 10⁻¹⁰ of the major unit.
    #[must_use]
    #[inline]
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// Count of 10⁻¹⁰ of the major unit.
    #[must_use]
    #[inline]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Reads a plain decimal in the major unit with at most ten decimals.
    ///
    /// # Errors
    ///
    /// [`PriceError`] as for [`Price::parse`].
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let scaled = Price::parse(text, 0)?.0;
        let divisor = 10_i64.pow(PRICE_SCALE - LEDGER_SCALE);
        if scaled % divisor != 0 {
            return Err(PriceError::TooPrecise);
        }
        Ok(Self(scaled / divisor))
    }

    /// This amount as an exact ratio.
    #[must_use]
    #[inline]
    pub const fn ratio(self) -> Ratio {
        const FROM_LEDGER: i128 = 10_i128.pow(PRICE_SCALE - LEDGER_SCALE);
        Ratio { numerator: self.0 as i128 * FROM_LEDGER, denominator: 1 }
    }

    /// The exact sum; `None` if it does not fit.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The exact difference; `None` if it does not fit.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }
}

impl fmt::Display for Charge {
    /// All decimals that are not zero, at least two: `0.0254166667`, `0.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Total::from(*self).fmt(f)
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A sum of posted charges, at the ledger scale.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Total(i128);

impl Total {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From a count of 10⁻¹⁰ of the major unit.
    #[must_use]
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// Count of 10⁻¹⁰ of the major unit.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// Adds a charge. An `i128` holds more charges than there are records, so this cannot overflow in practice; if it
    /// did, that would be a wrong bill and therefore a panic.
    #[inline]
    pub fn add(&mut self, charge: Charge) {
        self.0 += i128::from(charge.0);
    }

    /// The exact sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The exact difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    /// As a decimal number with ten decimals; `None` beyond what `rust_decimal` holds (about 7.9 × 10¹⁸ units).
    #[must_use]
    pub fn to_decimal(self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.0, LEDGER_SCALE).ok()
    }
}

impl From<Charge> for Total {
    fn from(charge: Charge) -> Self {
        Self(i128::from(charge.0))
    }
}

impl fmt::Display for Total {
    /// All decimals that are not zero, at least two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNIT: u128 = 10_u128.pow(LEDGER_SCALE);
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / UNIT, self.0.unsigned_abs() % UNIT);
        let digits = format!("{fraction:010}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{whole}.{}", &digits[..kept])
    }
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A price of one currency in another, exact, with at most twelve decimals; more than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeRate(Price);

impl ExchangeRate {
    /// Reads how many units of the target one unit of the source is worth.
    ///
    /// # Errors
    ///
    /// [`PriceError`]; zero and negative rates are [`PriceError::NotANumber`].
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let rate = Price::parse(text, 0)?;
        if rate.0 > 0 { Ok(Self(rate)) } else { Err(PriceError::NotANumber) }
    }

    /// `charge` in the target currency, at ledger scale, half up; `None` if it does not fit.
    #[must_use]
    pub fn convert(self, charge: Charge) -> Option<Charge> {
        self.0.times(charge.0, 10_i64.pow(LEDGER_SCALE)).post()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule × sign × where the value lies between two steps; expected multiples of the step.
    #[test]
    fn each_rule_at_each_place_between_two_steps() {
        // columns: value in tenths of the step; up, down, half-up, half-even
        let table = [
            (20, 2, 2, 2, 2),
            (21, 3, 2, 2, 2),
            (25, 3, 2, 3, 2),
            (26, 3, 2, 3, 3),
            (35, 4, 3, 4, 4),
            (0, 0, 0, 0, 0),
            (5, 1, 0, 1, 0),
        ];
        for step in [1_i64, 5, 10, 100_000_000, 500_000_000] {
            for (tenths, up, down, half_up, half_even) in table {
                for sign in [1, -1] {
                    // Ledger step is `step`; the ratio is in 10⁻¹², a hundred times finer.
                    let ratio = Ratio::new(i128::from(sign * tenths * step) * 100, 10).unwrap();
                    for (rule, steps) in
                        [(Rule::Up, up), (Rule::Down, down), (Rule::HalfUp, half_up), (Rule::HalfEven, half_even)]
                    {
                        let rounded = ratio.round(Rounding { rule, step: Charge(step) }).unwrap();
                        assert_eq!(rounded.0, sign * steps * step, "{tenths}/10 of {step}, {rule:?}, sign {sign}");
                    }
                }
            }
        }
    }

    /// Amounts of one machine word are rounded and compared by themselves; the same amounts over a longer denominator are not.
    #[test]
    fn long_and_short_amounts_are_rounded_and_compared_alike() {
        let edges =
            [i64::MIN, i64::MIN + 1, -60_000, -150, -50, -1, 0, 1, 49, 50, 51, 99, 100, 150, i64::MAX - 1, i64::MAX];
        for numerator in edges {
            for denominator in [1_i64, 3, 60_000, i64::MAX / 100, i64::MAX] {
                let short = Ratio::new(numerator.into(), denominator.into()).unwrap();
                let factor = i128::from(i64::MAX);
                let long = Ratio::new(i128::from(numerator) * factor, i128::from(denominator) * factor);
                let long = long.filter(|_| i128::from(denominator) * factor < i128::MAX / 1_000_000_000);
                for other in edges {
                    let other = Price(other).ratio();
                    let exact = i128::from(numerator)
                        .checked_mul(other.denominator)
                        .zip(other.numerator.checked_mul(denominator.into()));
                    assert_eq!(short.compare(other), exact.map(|(one, two)| one.cmp(&two)));
                }
                for rule in Rule::ALL {
                    for step in [1, 1_000_000, 500_000_000] {
                        let rounding = Rounding { rule, step: Charge(step) };
                        if let Some(long) = long {
                            assert_eq!(
                                short.round(rounding),
                                long.round(rounding),
                                "{numerator}/{denominator} {rounding:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rounding_agrees_with_rust_decimal() {
        use rust_decimal::RoundingStrategy;
        for numerator in -2_000_i64..2_000 {
            for denominator in [1_i64, 3, 7, 8, 60, 1_600] {
                let exact = Price(numerator * 1_250_000).times(1, denominator);
                let decimal = Decimal::from_i128_with_scale(i128::from(numerator) * 1_250_000, PRICE_SCALE)
                    / Decimal::from(denominator);
                for (rule, strategy) in [
                    (Rule::Up, RoundingStrategy::AwayFromZero),
                    (Rule::Down, RoundingStrategy::ToZero),
                    (Rule::HalfUp, RoundingStrategy::MidpointAwayFromZero),
                    (Rule::HalfEven, RoundingStrategy::MidpointNearestEven),
                ] {
                    let ours = exact.round(Rounding { rule, step: Charge(1_000_000) }).unwrap();
                    let theirs = decimal.round_dp_with_strategy(4, strategy);
                    assert_eq!(Total::from(ours).to_decimal().unwrap(), theirs, "{numerator}/{denominator} {rule:?}");
                }
            }
        }
    }

    #[test]
    fn prices_keep_every_decimal_or_say_so() {
        assert_eq!(Price::parse("0.0000000001", 2).map(Price::units), Ok(1)); // a penny to ten decimals
        assert_eq!(Price::parse("0.00000000001", 2), Err(PriceError::TooPrecise));
        assert_eq!(Price::parse("99999999", 0), Err(PriceError::TooLarge));
        for text in ["", "-", "1,5", "1e3", " 1", "1 ", "0x1", "--1", "1.2.3", "+1", "1_000"] {
            assert_eq!(Price::parse(text, 0), Err(PriceError::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert!(Price(i64::MAX).times(i64::MAX, 1).post().is_none());
        assert!(Charge(i64::MAX).plus(Charge(1)).is_none());
        assert!(Charge(i64::MIN).minus(Charge(1)).is_none());
    }

    #[test]
    fn amounts_print_all_their_decimals_and_at_least_two() {
        for (units, text) in [
            (0, "0.00"),
            (5_000_000_000, "0.50"),
            (-1, "-0.0000000001"),
            (254_166_667, "0.0254166667"),
            (10_000_000_000, "1.00"),
        ] {
            assert_eq!(Charge(units).to_string(), text);
        }
    }

    #[test]
    fn converts_at_ledger_scale() {
        // 0.10 USD × 0.787654321 = 0.0787654321 GBP
        let rate = ExchangeRate::parse("0.787654321").unwrap();
        assert_eq!(rate.convert(Charge::parse("0.1").unwrap()), Charge::parse("0.0787654321").ok());
        assert!(ExchangeRate::parse("0").is_err());
    }
}
