//! What a charge is made of, compiled: steps and prices by band, and the terms by which time and money are rounded,
//! capped and floored. `docs/tariff-guide.md` teaches each of them; `rating` does the sum.

use crate::money::{Price, Rounding};
use crate::time::Duration;

/// What a charge is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    /// The call itself.
    #[default]
    Usage,
    /// What the caller's provider takes for a service number (the British access charge, the French price of the call).
    Access,
    /// What the service takes.
    Service,
    /// Something on top, when a condition holds.
    Surcharge,
}

impl Tag {
    /// Every tag.
    pub const ALL: [Self; 4] = [Self::Usage, Self::Access, Self::Service, Self::Surcharge];

    /// The name in tariff files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Access => "access",
            Self::Service => "service",
            Self::Surcharge => "surcharge",
        }
    }

    /// The tag of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.name() == name)
    }
}

/// Which band prices a call that runs over the edge of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boundary {
    /// The band at the answer prices the whole call.
    #[default]
    Start,
    /// Each moment is priced by its own band.
    Split,
}

/// Who gets the time that rounding up adds at an edge between two steps or bands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overrun {
    /// Only the end of the call is rounded; every moment is then priced where it lies.
    #[default]
    End,
    /// Each stretch is rounded up, and the overrun is taken from what follows.
    Next,
    /// Each stretch is rounded up alone.
    Alone,
}

impl Overrun {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::End, Self::Next, Self::Alone];

    /// The name in tariff files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Next => "next",
            Self::Alone => "alone",
        }
    }
}

/// When the minimum charge of a call is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinimumStage {
    /// To the usage, before the connection charge is added.
    BeforeConnection,
    /// To the sum, before it is rounded.
    #[default]
    AfterConnection,
    /// To the rounded sum.
    AfterRounding,
}

impl MinimumStage {
    /// Every stage.
    pub const ALL: [Self; 3] = [Self::BeforeConnection, Self::AfterConnection, Self::AfterRounding];

    /// The name in tariff files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeConnection => "before-connection",
            Self::AfterConnection => "after-connection",
            Self::AfterRounding => "after-rounding",
        }
    }
}

/// Which neighbour a duration between two steps goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationRule {
    /// To the longer one.
    Up,
    /// To the shorter one.
    Down,
    /// To the nearer one; in the middle, to the longer one.
    Nearest,
}

/// How the talk time is rounded before anything else is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationRounding {
    /// Which neighbour.
    pub rule: DurationRule,
    /// The distance between neighbours; more than zero.
    pub step: Duration,
}

impl DurationRounding {
    /// Rounds a duration that is not negative; `None` if it does not fit.
    #[must_use]
    pub fn round(self, duration: Duration) -> Option<Duration> {
        let (millis, step) = (duration.as_millis(), self.step.as_millis());
        let rest = millis.checked_rem(step)?;
        let down = millis.checked_sub(rest)?;
        let up = rest != 0
            && match self.rule {
                DurationRule::Up => true,
                DurationRule::Down => false,
                DurationRule::Nearest => rest >= step - rest,
            };
        let rounded = if up { down.checked_add(step)? } else { down };
        Some(Duration::from_millis(rounded))
    }
}

/// The most that usage costs, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The most.
    pub charge: Price,
    /// For so much billed time from the answer on; `None` for the whole call.
    pub window: Option<Duration>,
    /// What comes after the window.
    pub then: AfterCap,
}

/// What a call costs beyond the window of its cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterCap {
    /// What the time after the window costs anyway, on top of the capped part.
    #[default]
    Price,
    /// Nothing more.
    Free,
    /// The cap is lost: the whole call at its price.
    Whole,
    /// This price for this time, on top of the capped part.
    At(Price, Duration),
}

/// How a charge treats time and money, apart from its prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// How talk time is rounded first; `None` for not at all.
    pub duration_rounding: Option<DurationRounding>,
    /// Calls shorter than this cost nothing, not even a connection charge.
    pub free_below: Duration,
    /// Taken off the talk time.
    pub subtract: Duration,
    /// At least so much is billed.
    pub minimum_duration: Duration,
    /// The most that usage costs.
    pub cap: Option<Cap>,
    /// Rounding of the usage, before the connection charge.
    pub usage_rounding: Option<Rounding>,
    /// Rounding of the charge as a whole.
    pub rounding: Option<Rounding>,
}

impl Terms {
    /// Whether nothing is asked for.
    pub(super) fn are_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A stretch of a call by its length: from so long after the answer on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it begins, in charged time from the answer.
    pub from: Duration,
    /// Due once when the call gets there.
    pub charge: Price,
    /// Its further increment; `None` if that is the time its price is for (pulses).
    pub further: Option<Duration>,
}

/// A price for a time. Where the time is zero, the price is for the call, whatever its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// The price.
    pub price: Price,
    /// The time it is for.
    pub per: Duration,
}

/// Prices of steps by band, as pairs of integers: price (10⁻¹²) and time (ms), step by step.
#[derive(Clone, Copy, Debug)]
pub struct Rates<'v> {
    pub(super) words: &'v [i64],
    pub(super) bands: usize,
}

impl Rates<'_> {
    /// Whether a step has a price for the call as a whole in some band.
    pub(crate) fn is_flat(self, step: usize) -> bool {
        let from = 2 * step * self.bands;
        let words = self.words.get(from..from + 2 * self.bands).unwrap_or(&[]);
        words.iter().skip(1).step_by(2).any(|per| *per == 0)
    }

    /// The rate of a step in a band.
    #[must_use]
    #[inline]
    pub fn rate(self, step: usize, band: u8) -> Rate {
        let at = 2 * (step * self.bands + usize::from(band));
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        Rate { price: Price::from_units(word(at)), per: Duration::from_millis(word(at + 1)) }
    }
}

/// The steps of a charge.
#[derive(Clone, Copy, Debug)]
pub enum Steps<'v> {
    /// One from the answer on.
    One(Step),
    /// Several, the first from the answer on.
    Many(&'v [Step]),
}

impl Steps<'_> {
    /// How many there are; at least one.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(steps) => steps.len(),
        }
    }

    /// The step at a position in milliseconds, and where the next one begins.
    pub(crate) fn at(&self, position: i64) -> (usize, i64) {
        match self {
            Self::One(_) => (0, i64::MAX),
            Self::Many(steps) => {
                let begun = steps.partition_point(|step| step.from.as_millis() <= position);
                (begun.saturating_sub(1), steps.get(begun).map_or(i64::MAX, |step| step.from.as_millis()))
            }
        }
    }

    /// Never: a charge has a step.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<Step> {
        match self {
            Self::One(step) => (index == 0).then_some(*step),
            Self::Many(steps) => steps.get(index).copied(),
        }
    }
}

/// A connection charge: one for all bands, or one for each.
#[derive(Clone, Copy, Debug)]
pub enum Connection<'v> {
    /// The same in every band.
    One(Price),
    /// By the band at the answer.
    ByBand(&'v [Price]),
}

impl Connection<'_> {
    /// What it is in a band.
    #[must_use]
    #[inline]
    pub fn in_band(self, band: u8) -> Price {
        match self {
            Self::One(price) => price,
            Self::ByBand(prices) => prices.get(usize::from(band)).copied().unwrap_or_default(),
        }
    }
}

/// One charge of a row, as the sum needs it: a row's own usage, a named charge, a price point or a surcharge.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChargeView<'v> {
    /// Its name; empty for a row's own usage.
    pub name: &'v str,
    /// What it is for.
    pub tag: Tag,
    /// How it treats time and money.
    pub terms: &'v Terms,
    /// Whose bands it goes by.
    pub band_set: u8,
    /// The least time that is billed; `None` if that is the time the price is for (pulses).
    pub first: Option<Duration>,
    /// Its steps.
    pub steps: Steps<'v>,
    /// Their prices.
    pub rates: Rates<'v>,
    /// Once per answered call.
    pub connection: Connection<'v>,
    /// The least that it comes to.
    pub minimum: Price,
    /// The most that it comes to.
    pub maximum: Option<Price>,
}

/// A named charge, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) name: Box<str>,
    pub(super) tag: Tag,
    pub(super) terms: Terms,
    pub(super) band_set: u8,
    pub(super) first: Option<Duration>,
    pub(super) steps: Box<[Step]>,
    pub(super) words: Box<[i64]>,
    /// One, or one for each band.
    pub(super) connection: Box<[Price]>,
    pub(super) minimum: Price,
    pub(super) maximum: Option<Price>,
}

impl Component {
    pub(super) fn view(&self, bands: usize) -> ChargeView<'_> {
        ChargeView {
            name: &self.name,
            tag: self.tag,
            terms: &self.terms,
            band_set: self.band_set,
            first: self.first,
            steps: Steps::Many(&self.steps),
            rates: Rates { words: &self.words, bands },
            connection: match &*self.connection {
                [one] => Connection::One(*one),
                many => Connection::ByBand(many),
            },
            minimum: self.minimum,
            maximum: self.maximum,
        }
    }
}

/// What a tariff rounds, at its four stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roundings {
    /// The usage of each charge.
    pub usage: Option<Rounding>,
    /// Each charge.
    pub component: Option<Rounding>,
    /// The call; `None` is to the ledger's scale, half up.
    pub call: Option<Rounding>,
    /// The sum of a payer's month.
    pub bill: Option<Rounding>,
}

/// Increments as written: `None` for `unit`, the time that the price is for.
pub(super) type Increments = (Option<Duration>, Option<Duration>);

#[cfg(test)]
mod tests {
    use super::{DurationRounding, DurationRule};
    use crate::time::Duration;

    #[test]
    fn talk_time_is_rounded_up_down_and_to_the_nearest_step() {
        // Milliseconds, step 1 s: up, down, nearest (the middle goes up).
        for (millis, up, down, nearest) in [
            (0, 0, 0, 0),
            (1, 1_000, 0, 0),
            (499, 1_000, 0, 0),
            (500, 1_000, 0, 1_000),
            (999, 1_000, 0, 1_000),
            (1_000, 1_000, 1_000, 1_000),
            (1_499, 2_000, 1_000, 1_000),
            (61_500, 62_000, 61_000, 62_000),
        ] {
            let round = |rule| {
                DurationRounding { rule, step: Duration::from_seconds(1) }.round(Duration::from_millis(millis)).unwrap()
            };
            assert_eq!(
                [DurationRule::Up, DurationRule::Down, DurationRule::Nearest].map(|rule| round(rule).as_millis()),
                [up, down, nearest],
                "{millis} ms"
            );
        }
    }
}
