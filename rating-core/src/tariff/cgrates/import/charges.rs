//! What a destination costs, as a named charge: tiers are steps, timings are bands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::{CgratesPlan, NANOSECONDS, Offer, Tier};
use super::slug;
use super::weeks::{Band, Weeks};
use crate::money::{Currency, Price};

const SECOND: i64 = 1_000_000_000;

/// The charges of a version, each written once.
#[derive(Debug)]
pub(super) struct Charges<'p> {
    plan: &'p CgratesPlan,
    weeks: &'p Weeks,
    currency: Currency,
    /// By what is written below their name.
    names: BTreeMap<String, String>,
    /// In the order in which they were made.
    written: Vec<(String, String)>,
}

impl<'p> Charges<'p> {
    pub(super) const fn new(plan: &'p CgratesPlan, weeks: &'p Weeks, currency: Currency) -> Self {
        Self { plan, weeks, currency, names: BTreeMap::new(), written: Vec::new() }
    }

    /// The name of the charge for the rows of a destination, by its place among those of the bands; `Err` says why there
    /// can be none.
    pub(super) fn of(&mut self, destination: usize, offers: &[Offer]) -> Result<String, String> {
        let body = self.body(destination, offers)?;
        if let Some(name) = self.names.get(&body) {
            return Ok(name.clone());
        }
        let mut rates: Vec<&str> = Vec::new();
        for rate in offers.iter().filter_map(|offer| self.plan.rate_of(offer)) {
            if !rates.contains(&&*rate.tag) {
                rates.push(&rate.tag);
            }
        }
        let base = slug(&rates.iter().take(3).copied().collect::<Vec<_>>().join("-"));
        let mut name = base.clone();
        let mut count = 1;
        while self.written.iter().any(|(other, _)| *other == name) {
            count += 1;
            name = format!("{base}-{count}");
        }
        self.names.insert(body.clone(), name.clone());
        self.written.push((name.clone(), body));
        Ok(name)
    }

    pub(super) fn write(&self, settings: &mut String) {
        for (name, body) in &self.written {
            let _ = write!(settings, "\n[charges.{name}]\n{body}");
        }
    }

    /// The row that wins in each band.
    fn winners<'o>(&self, destination: usize, offers: &'o [Offer]) -> Result<Vec<&'o Offer>, String> {
        let of_band = |band: &Band| {
            let winner = band.winners.get(destination).copied().flatten().and_then(|place| offers.get(place));
            let name = &band.name;
            winner
                .ok_or_else(|| format!("it has no rate in the band `{name}`, in which a shorter prefix would price it"))
        };
        self.weeks.bands.iter().map(of_band).collect()
    }

    /// The charge without its name.
    fn body(&self, destination: usize, offers: &[Offer]) -> Result<String, String> {
        if offers.iter().any(|offer| self.weeks.unsaid.contains(&offer.timing)) {
            return Err("its timings know more kinds of days than a tariff may have".to_owned());
        }
        let winners = self.winners(destination, offers)?;
        let one = |same: bool, what: &str| if same { Ok(()) } else { Err(format!("{what} differs from band to band")) };
        let (Some(first), rest) = (winners.first(), winners.as_slice()) else { return Err("no band".to_owned()) };
        one(rest.iter().all(|offer| offer.free_above == first.free_above), "the maximum")?;
        one(
            rest.iter().all(|offer| (offer.rounding, offer.decimals) == (first.rounding, first.decimals)),
            "the rounding",
        )?;
        let mut starts: Vec<i64> = Vec::new();
        for offer in rest {
            let rate = self.plan.rate_of(offer).ok_or("it has no rate")?;
            if rate.tiers.first().is_none_or(|tier| tier.start != 0) {
                return Err(format!("rate `{}` does not begin at 0s", rate.tag));
            }
            starts.extend(rate.tiers.iter().map(|tier| tier.start));
        }
        starts.sort_unstable();
        starts.dedup();
        // By step, then by band.
        let tiers: Vec<Vec<Tier>> = starts
            .iter()
            .map(|start| {
                rest.iter().filter_map(|offer| self.plan.rate_of(offer).and_then(|rate| rate.tier(*start))).collect()
            })
            .collect();
        let uniform = tiers
            .iter()
            .all(|bands| bands.iter().all(|tier| Some(tier.increment) == bands.first().map(|t| t.increment)));
        let mut body = String::new();
        if !uniform {
            body.push_str("increments = \"unit\"\n");
        }
        body.push_str("steps = [\n");
        for (start, bands) in starts.iter().zip(&tiers) {
            let from = seconds(*start).ok_or("a tier begins within a millisecond")?;
            let prices: Vec<String> = bands
                .iter()
                .map(|tier| if uniform { self.price(tier) } else { self.price_of_increment(tier) })
                .collect::<Result<_, _>>()?;
            let _ = write!(body, "    {{ from = \"{from}s\", price = {}", self.by_band(&prices));
            if let (true, Some(tier)) = (uniform, bands.first()) {
                let increment = seconds(tier.increment).ok_or("an increment is finer than a millisecond")?;
                let _ = write!(body, ", increments = \"{increment}\"");
            }
            body.push_str(" },\n");
        }
        body.push_str("]\n");
        let fees: Vec<String> =
            rest.iter().map(|offer| format!("{} {}", self.plan.connect_fee(offer), self.currency)).collect();
        if rest.iter().any(|offer| self.plan.connect_fee(offer) != Price::ZERO) {
            let _ = writeln!(body, "connection_charge = {}", self.by_band(&fees));
        }
        if let Some(most) = first.free_above {
            let _ = writeln!(body, "maximum_charge = \"{most} {}\"", self.currency);
        }
        if let Some(rounding) = first.rounding {
            let step = Price::from_units(rounding.step.units() * 100);
            let (rule, currency) = (rounding.rule.name(), self.currency);
            let _ = writeln!(
                body,
                "rounding = {{ stage = \"component\", rule = \"{rule}\", step = \"{step} {currency}\" }}"
            );
        }
        Ok(body)
    }

    /// One text if all are the same, else a table by band.
    fn by_band(&self, texts: &[String]) -> String {
        let Some(first) = texts.first() else { return "\"\"".to_owned() };
        if texts.iter().all(|text| text == first) {
            return format!("\"{first}\"");
        }
        let pairs: Vec<String> =
            self.weeks.bands.iter().zip(texts).map(|(band, text)| format!("{} = \"{text}\"", band.name)).collect();
        format!("{{ {} }}", pairs.join(", "))
    }

    /// The price for its own unit, if that is of whole seconds; else for a second.
    fn price(&self, tier: &Tier) -> Result<String, String> {
        let (price, seconds) = match tier.per % SECOND {
            0 => (tier.price, tier.per / SECOND),
            _ => (scaled(tier.price, SECOND, tier.per)?, 1),
        };
        Ok(self.per(price, seconds))
    }

    /// The price of one increment, for charges whose increments differ from band to band.
    fn price_of_increment(&self, tier: &Tier) -> Result<String, String> {
        if tier.increment % SECOND != 0 {
            return Err("increments differ from band to band, and are not of whole seconds".to_owned());
        }
        let price = scaled(tier.price, tier.increment, tier.per)
            .map_err(|_| "increments differ from band to band, and one of them has no exact price".to_owned())?;
        Ok(self.per(price, tier.increment / SECOND))
    }

    fn per(&self, price: Price, seconds: i64) -> String {
        let currency = self.currency;
        match seconds {
            1 => format!("{price} {currency}/s"),
            60 => format!("{price} {currency}/min"),
            3_600 => format!("{price} {currency}/h"),
            _ => format!("{price} {currency}/{seconds}s"),
        }
    }
}

/// `price × part ÷ whole`, if twelve decimals hold it.
fn scaled(price: Price, part: i64, whole: i64) -> Result<Price, String> {
    let product = i128::from(price.units()) * i128::from(part);
    let whole = i128::from(whole);
    if whole == 0 || product % whole != 0 {
        return Err("a price has no exact form for whole seconds".to_owned());
    }
    i64::try_from(product / whole)
        .map(Price::from_units)
        .map_err(|_| "a price for whole seconds is too large".to_owned())
}

/// Seconds with up to three decimals, if that is exact.
fn seconds(nanoseconds: i64) -> Option<String> {
    if nanoseconds % NANOSECONDS != 0 {
        return None;
    }
    let millis = nanoseconds / NANOSECONDS;
    let (whole, rest) = (millis / 1_000, millis % 1_000);
    if rest == 0 {
        return Some(whole.to_string());
    }
    let decimals = format!("{rest:03}");
    Some(format!("{whole}.{}", decimals.trim_end_matches('0')))
}
