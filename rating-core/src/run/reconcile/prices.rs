//! Why the carrier charges another amount.

use super::{Our, Their, ours_of};
use crate::money::{Charge, Price, Ratio, Rounding, Rule};
use crate::rating::{Talk, billed, price};
use crate::run::project::Project;
use crate::tariff::{Plan, TariffVersion};
use crate::time::Duration;

/// Increments that carriers bill by: the first and the further ones, in seconds.
const INCREMENTS: [(i64, i64); 8] = [(1, 1), (60, 60), (60, 1), (30, 30), (30, 6), (6, 6), (10, 10), (30, 1)];

/// Why, and what exactly. The first that explains the carrier's price, exactly or rounded to the decimals it is written with.
pub(super) fn cause(project: &Project, our: &Our, their: &Their) -> (&'static str, String) {
    let Some((currency, charge)) = ours_of(our) else { return ("not priced here", our.reason.to_owned()) };
    if currency != their.currency {
        return ("currency", format!("{currency} here, {} there", their.currency));
    }
    if charge == their.charge {
        return ("same", String::new());
    }
    let Some((tariff, index, priced)) = &our.priced else { return ("rate", String::new()) };
    if is_written_so(charge.ratio(), their) {
        return ("rounding", format!("to {} decimals", their.decimals));
    }
    let destination = project.book.destination(priced.destination).to_owned();
    let version = project.book.tariff(*tariff).and_then(|tariff| tariff.versions().get(usize::from(*index)));
    let Some(version) = version else { return ("rate", destination) };
    let talk = Talk::new(our.at, our.site, their.duration);
    if our.duration != their.duration
        && let Ok(working) = price(version, priced.row, &talk, &mut ())
        && is_written_so(working.charge.ratio(), their)
    {
        return ("duration", String::new());
    }
    let durations = [our.duration, their.duration];
    for (band, id) in (0_u8..).zip(version.bands()) {
        let Some(plan) = version.plan(priced.row, band).filter(|_| *id != priced.band) else { continue };
        let is_theirs = |duration: &Duration| is_priced_so(version, plan, (plan.first, plan.further), *duration, their);
        if durations.iter().any(is_theirs) {
            return (
                "band",
                format!("{destination}: {} here, {} there", project.book.band(priced.band), project.book.band(*id)),
            );
        }
    }
    let own = version.bands().iter().position(|id| *id == priced.band).and_then(|band| u8::try_from(band).ok());
    if let Some(plan) = own.and_then(|band| version.plan(priced.row, band)) {
        for (first, further) in INCREMENTS {
            let steps = (Duration::from_seconds(first), Duration::from_seconds(further));
            let is_theirs = |duration: &Duration| is_priced_so(version, plan, steps, *duration, their);
            if durations.iter().any(is_theirs) {
                let own = format!("{}/{}", plan.first, plan.further).replace('s', "");
                return ("increments", format!("{destination}: {own} here, {first}/{further} there"));
            }
        }
    }
    let per = if priced.per > Duration::ZERO { format!(" per {}", priced.per) } else { String::new() };
    ("rate", format!("{destination}: {}{per} here, {} there", priced.price, implied(their)))
}

/// What a minute costs there, if nothing else is charged; shown to six decimals.
fn implied(their: &Their) -> String {
    let millis = their.duration.as_millis();
    if millis <= 0 {
        return format!("{} a call", their.charge);
    }
    let units = i128::from(their.charge.units()) * 60_000 / i128::from(millis);
    let rounded = i64::try_from((units + 5_000).div_euclid(10_000) * 10_000).unwrap_or(i64::MAX);
    format!("about {} per 60s", Charge::from_units(rounded))
}

/// Whether an amount is the carrier's price, rounded to the decimals that it is written with by any usual rule.
fn is_written_so(amount: Ratio, their: &Their) -> bool {
    let step = Charge::from_units(10_i64.pow(10_u32.saturating_sub(their.decimals)));
    let rules = [Rule::HalfUp, Rule::Up, Rule::Down];
    rules.into_iter().any(|rule| amount.round(Rounding { rule, step }) == Some(their.charge))
}

fn is_priced_so(
    version: &TariffVersion,
    plan: Plan,
    (first, further): (Duration, Duration),
    duration: Duration,
    their: &Their,
) -> bool {
    let amount = || -> Option<Ratio> {
        let time = billed(duration, first, further)?;
        let usage = match plan.per.as_millis() {
            0 => plan.price.ratio(),
            per => plan.price.times(time.as_millis(), per),
        };
        let sum = usage.plus(plan.connection.ratio())?;
        let sum = if plan.minimum > Price::ZERO { sum.max(plan.minimum.ratio())? } else { sum };
        match version.rounding() {
            Some(rounding) => Some(sum.round(rounding)?.ratio()),
            None => Some(sum),
        }
    };
    amount().is_some_and(|amount| is_written_so(amount, their))
}
