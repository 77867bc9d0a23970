//! The walk through a call: which stretch of it is billed for how long, at which step's price, in which band.
//!
//! Positions are milliseconds of charged time from the answer. A stretch ends where a step, a band or the call ends;
//! who gets the time that rounding up adds there is the tariff's choice ([`Overrun`]).

use super::price::{Show, Trouble};
use crate::ids::SiteId;
use crate::money::{Price, Ratio};
use crate::tariff::{Boundary, ChargeView, Overrun, Rate, TariffVersion};
use crate::time::{Duration, Instant, Zone};

/// One stretch of a call, at one price.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Stretch {
    /// Where it begins, in charged time from the answer.
    pub from: Duration,
    /// How much talk time lies in it.
    pub length: Duration,
    /// How much of it is billed.
    pub billed: Duration,
    /// How much of that an allowance has paid for.
    pub covered: Duration,
    /// The step: its place in the charge.
    pub step: u16,
    /// The band: its place in the tariff version.
    pub band: u8,
    /// The price and the time it is for; a time of zero means once for the call.
    pub rate: Rate,
    /// What the stretch comes to.
    pub amount: Ratio,
}

/// What is due once for reaching a step.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Where the step begins, in charged time from the answer.
    pub from: Duration,
    /// The step: its place in the charge.
    pub step: u16,
    /// The band there: its place in the tariff version.
    pub band: u8,
    /// What is due.
    pub amount: Price,
}

/// Where and how a charge is walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'v> {
    pub(super) version: &'v TariffVersion,
    pub(super) charge: ChargeView<'v>,
    pub(super) site: SiteId,
    /// The clock of the bands.
    pub(super) zone: &'v Zone,
    /// The answer.
    pub(super) at: Instant,
    /// The band at the answer.
    pub(super) band: u8,
    /// Charged time.
    pub(super) duration: i64,
    /// Where the walk begins: later than the answer for a call that another version has priced so far.
    pub(super) start: i64,
    /// Steps that begin here or later are reached in this walk; earlier ones belong to an earlier version.
    pub(super) steps_from: i64,
    /// Whether the end of the walk is the end of the call, which rounding up may pass.
    pub(super) is_last: bool,
    /// The first so much charged time costs nothing: an allowance has paid for it.
    pub(super) covered: i64,
}

/// What a walk comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    /// All stretches.
    pub(super) usage: Ratio,
    /// The part of them within the window of the cap.
    pub(super) in_window: Ratio,
    /// Billed time.
    pub(super) billed: i64,
    /// Position behind the last stretch.
    pub(super) end: i64,
}

impl Walk<'_> {
    /// Walks from `start` to the end. `show` is shown every stretch and every step that is reached.
    pub(super) fn run(&self, window: Option<i64>, show: &mut impl Show) -> Result<Walked, Trouble> {
        let overrun = self.version.overrun();
        let end = match overrun {
            Overrun::End if self.is_last => self.rounded_end()?,
            _ => self.duration,
        };
        let mut walked = Walked { usage: Ratio::ZERO, in_window: Ratio::ZERO, billed: 0, end: self.start };
        let mut at = self.start;
        while at < end {
            let (step, step_end) = self.step_at(at);
            let (band, band_end) = self.band_at(at)?;
            let next = step_end.min(end);
            let next = next.min(self.band_edge(band, band_end, next)?);
            let length = next - at;
            let rate = self.charge.rates.rate(step, band);
            let billed = match overrun {
                Overrun::End => length,
                _ => self.rounded(at, length, step, rate)?,
            };
            let price = |time: i64| match rate.per.as_millis() {
                0 => Ratio::ZERO,
                per => rate.price.times(time, per),
            };
            let amount = price(self.behind_cover(at, billed));
            walked.usage = walked.usage.plus(amount).ok_or(Trouble::Overflow)?;
            if let Some(window) = window {
                let left = window.saturating_sub(self.start).saturating_sub(walked.billed).max(0);
                let part = price(self.behind_cover(at, billed.min(left)));
                walked.in_window = walked.in_window.plus(part).ok_or(Trouble::Overflow)?;
            }
            show.stretch(&Stretch {
                from: Duration::from_millis(at),
                length: Duration::from_millis(length.min(self.duration.saturating_sub(at)).max(0)),
                billed: Duration::from_millis(billed),
                covered: Duration::from_millis(billed - self.behind_cover(at, billed)),
                step: u16::try_from(step).unwrap_or(u16::MAX),
                band,
                rate,
                amount,
            });
            walked.billed = walked.billed.checked_add(billed).ok_or(Trouble::Overflow)?;
            at = match overrun {
                Overrun::Next => at.checked_add(billed).ok_or(Trouble::Overflow)?,
                Overrun::End | Overrun::Alone => next,
            };
        }
        walked.end = at;
        self.enter(&mut walked, window, show)?;
        Ok(walked)
    }

    /// Adds what is due once for every step that the billed time reaches.
    fn enter(&self, walked: &mut Walked, window: Option<i64>, show: &mut impl Show) -> Result<(), Trouble> {
        let reached = self.start.checked_add(walked.billed).ok_or(Trouble::Overflow)?;
        for index in 0..self.charge.steps.len() {
            let Some(step) = self.charge.steps.get(index) else { break };
            let from = step.from.as_millis();
            // The end of a version hands the steps that begin behind it to the next one.
            let mine = from >= self.steps_from && from < reached && (self.is_last || from < self.duration);
            if !mine || from < self.covered {
                continue;
            }
            let flat = self.charge.rates.is_flat(index);
            let (band, _) = if flat { self.band_at(from)? } else { (self.band, 0) };
            let rate = self.charge.rates.rate(index, band);
            let due = if rate.per == Duration::ZERO { rate.price.units() } else { 0 };
            let amount = Price::from_units(step.charge.units().checked_add(due).ok_or(Trouble::Overflow)?);
            if amount == Price::ZERO {
                continue;
            }
            walked.usage = walked.usage.plus(amount.ratio()).ok_or(Trouble::Overflow)?;
            if window.is_some_and(|window| from < window) {
                walked.in_window = walked.in_window.plus(amount.ratio()).ok_or(Trouble::Overflow)?;
            }
            show.entry(&Entry { from: step.from, step: u16::try_from(index).unwrap_or(u16::MAX), band, amount });
        }
        Ok(())
    }

    /// How much of a stretch no allowance has paid for.
    fn behind_cover(&self, at: i64, billed: i64) -> i64 {
        billed - self.covered.saturating_sub(at).clamp(0, billed)
    }

    /// The step at a position, and where the next one begins.
    fn step_at(&self, at: i64) -> (usize, i64) {
        self.charge.steps.at(at)
    }

    /// The band at a position, and where it ends.
    fn band_at(&self, at: i64) -> Result<(u8, i64), Trouble> {
        if self.version.boundary() == Boundary::Start {
            return Ok((self.band, i64::MAX));
        }
        let (band, until) = self.version.band_span_in(
            self.charge.band_set,
            self.at.plus(Duration::from_millis(at)),
            self.site,
            self.zone,
        );
        if until == Instant::MAX {
            return Ok((band, i64::MAX));
        }
        let end = until.since(self.at).as_millis();
        // A band that ends where it begins would never let the walk go on.
        if end > at { Ok((band, end)) } else { Err(Trouble::Overflow) }
    }

    /// Where another band begins: at midnight the same one may well go on. Places from `reach` on need not be told apart.
    fn band_edge(&self, band: u8, mut until: i64, reach: i64) -> Result<i64, Trouble> {
        while until < reach {
            let (next, next_until) = self.band_at(until)?;
            if next != band {
                break;
            }
            until = next_until;
        }
        Ok(until)
    }

    fn first(&self, rate: Rate) -> i64 {
        self.charge.first.unwrap_or(rate.per).as_millis()
    }

    fn further(&self, step: usize, rate: Rate) -> i64 {
        let further = self.charge.steps.get(step).and_then(|step| step.further).unwrap_or(rate.per);
        // A price for the call as a whole has no unit.
        further.as_millis().max(1)
    }

    /// The billed length of a stretch that is rounded up by itself.
    fn rounded(&self, at: i64, length: i64, step: usize, rate: Rate) -> Result<i64, Trouble> {
        let further = self.further(step, rate);
        let first = if at == 0 { self.first(rate) } else { 0 };
        if length <= first {
            return Ok(first);
        }
        up(length - first, further).and_then(|rest| rest.checked_add(first)).ok_or(Trouble::Overflow)
    }

    /// Where the last increment ends, counted in the step in which the call ends. A longer call is never billed shorter, so
    /// it is not before the end of a call that just reaches one of the steps before.
    fn rounded_end(&self) -> Result<i64, Trouble> {
        let (last, _) = self.step_at(self.duration - 1);
        let (band, _) = if self.charge.first.is_none() { self.band_at(self.start)? } else { (self.band, 0) };
        let from = |step: usize| self.charge.steps.get(step).map_or(0, |step| step.from.as_millis());
        let first = if self.start == 0 { self.first(self.charge.rates.rate(0, band)) } else { 0 };
        let mut end = first;
        for step in 0..=last {
            let until = if step == last { self.duration } else { from(step + 1) };
            // A later version counts from where it begins.
            let base = from(step).max(self.start);
            let counted = if base == 0 { first } else { base };
            if until > counted {
                let further = self.further(step, self.charge.rates.rate(step, band));
                let rest = up(until - counted, further).ok_or(Trouble::Overflow)?;
                end = end.max(counted.checked_add(rest).ok_or(Trouble::Overflow)?);
            }
        }
        Ok(end)
    }
}

/// Up to a multiple of `step`.
pub(super) fn up(length: i64, step: i64) -> Option<i64> {
    let rest = length.checked_rem(step)?;
    if rest == 0 { Some(length) } else { length.checked_add(step - rest) }
}
