//! The tables `[allowances.NAME]` and `[volume.NAME]`, key by key.

use super::{
    Allowance, CarryOver, Change, Crossing, Eligible, Kind, MILLION, Measure, PerCall, Period, Quantity, Scheme, Scope,
    Share, SubLimit, Tier, Volume, Weighted, class_bit,
};
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, did_you_mean};
use crate::money::{Charge, Currency};
use crate::number::NumberClass;
use crate::tariff::DestinationKey;
use crate::tariff::notation::{self, Fault};
use crate::time::Duration;

pub(super) const BAD: &str = "allowance.bad_definition";

pub(super) struct Reader<'r> {
    pub(super) section: &'r Section,
    pub(super) bands: &'r [&'r str],
    pub(super) findings: &'r mut Findings,
    pub(super) sound: bool,
}

impl Reader<'_> {
    pub(super) fn scheme(&mut self, name: &Spanned<String>, is_volume: bool) -> Option<Scheme> {
        let currency = self.currency();
        let scope = self.word("scope", &Scope::ALL.map(Scope::name)).and_then(|at| Scope::ALL.get(at).copied());
        let period = self.period();
        let pro_rata = self.section.boolean("pro_rata", self.findings).is_some_and(|value| value.value);
        let priority = self.section.integer("priority", self.findings).map_or(0, |value| value.value);
        let eligible = Eligible {
            classes: self.classes("classes"),
            excluded_classes: self.classes("exclude_classes"),
            destinations: self.destinations("destinations"),
            excluded_destinations: self.destinations("exclude_destinations"),
            bands: self.bands("bands"),
            excluded_bands: self.bands("exclude_bands"),
        };
        let kind = if is_volume {
            Kind::Volume(self.volume(currency)?)
        } else {
            Kind::Allowance(self.allowance(name, currency, scope.unwrap_or(Scope::Occupier), period))
        };
        if let Kind::Volume(volume) = &kind
            && volume.whole
            && !period.is_calendar_month()
        {
            self.bad(name, "calls of a month that is published cannot be priced again", LONG_PERIOD);
        }
        if eligible.bands.iter().any(|band| eligible.excluded_bands.contains(band)) {
            self.bad(name, "a band is both eligible and excluded", "remove it from one of the two");
        }
        let place = self.section.label(&name.span, "");
        let scope = scope.unwrap_or(Scope::Occupier);
        self.sound.then(|| Scheme {
            name: name.value.as_str().into(),
            currency,
            scope,
            period,
            pro_rata,
            priority,
            eligible,
            kind,
            place,
        })
    }

    fn allowance(
        &mut self,
        name: &Spanned<String>,
        currency: Option<Currency>,
        scope: Scope,
        period: Period,
    ) -> Allowance {
        let time = self.duration("time").filter(|time| *time > Duration::ZERO);
        let calls = self.section.integer("calls", self.findings).and_then(|calls| {
            let count = u64::try_from(calls.value).ok().filter(|count| *count > 0);
            if count.is_none() {
                let place = Spanned { value: String::new(), span: calls.span };
                self.bad(&place, "an allowance of calls is at least one", "leave the key out if calls are not counted");
            }
            count
        });
        let money = self.section.text("money", self.findings).and_then(|text| self.money(&text, currency));
        let grant = Quantity { time, calls, money };
        if grant == Quantity::default() && self.sound {
            let help = "write `time = \"1000min\"`, `calls = 150`, or `money = \"60 GBP\"` with `currency = \"GBP\"`";
            self.bad(name, "the allowance grants nothing", help);
        }
        let carry_over = match self.word("carry_over", &["none", "once", "all"]) {
            Some(1) => CarryOver::Once,
            Some(2) => CarryOver::All,
            _ => CarryOver::None,
        };
        if carry_over != CarryOver::None && scope.is_per_line() {
            let help = "a line without calls leaves no trace to carry over from: use `service`, `occupier` or `group`";
            self.bad(name, "nothing can be carried over line by line", help);
        }
        let crossing = match self.word("crossing", &["split", "whole-call-charged", "re-rate-period"]) {
            Some(1) => Crossing::WholeCallCharged,
            Some(2) => Crossing::ReRatePeriod,
            _ => Crossing::Split,
        };
        if crossing == Crossing::ReRatePeriod && !period.is_calendar_month() {
            self.bad(name, "calls of a month that is published cannot be priced again", LONG_PERIOD);
        }
        let most = self.duration("per_call");
        let above = self.word("above_per_call", &["charged", "not-eligible"]);
        if above.is_some() && most.is_none() {
            self.bad(name, "`above_per_call` says nothing without `per_call`", "add `per_call = \"60min\"`");
        }
        let per_call = most.map(|most| PerCall { most, longer_is_not_eligible: above == Some(1) });
        let step = self.duration("step");
        let minimum = self.duration("minimum_deduction");
        let weights = self.weights();
        if time.is_none() && (step.is_some() || minimum.is_some() || !weights.is_empty()) && self.sound {
            let help = "`step`, `minimum_deduction` and `weights` say how time is taken: add `time`";
            self.bad(name, "the allowance counts no time", help);
        }
        let sub_limits = self.sub_limits(&grant, currency);
        Allowance {
            grant,
            carry_over,
            per_call,
            sub_limits,
            weights,
            step: step.filter(|step| *step > Duration::ZERO).unwrap_or(Duration::from_millis(1)),
            minimum: minimum.unwrap_or(Duration::ZERO),
            crossing,
        }
    }

    fn weights(&mut self) -> Box<[(Weighted, i64)]> {
        let Some(table) = self.section.table("weights", self.findings) else { return Box::default() };
        let mut weights = Vec::new();
        for key in table.keys().cloned().collect::<Vec<_>>() {
            let Some(text) = table.text(&key.value, self.findings) else { continue };
            let what = match NumberClass::from_name(&key.value) {
                Some(class) => Weighted::Class(class),
                None if self.bands.contains(&key.value.as_str()) => Weighted::Band(key.value.as_str().into()),
                None => {
                    let known = NumberClass::ALL.map(NumberClass::name).into_iter().chain(self.bands.iter().copied());
                    let help = near(&key.value, known, "write the name of a class or of a band of some tariff");
                    self.bad(&key, &format!("`{}` is neither a class nor a band", key.value), help);
                    continue;
                }
            };
            match decimal(&text.value, 6).filter(|weight| *weight <= 1_000 * MILLION) {
                Some(weight) => weights.push((what, weight)),
                None => self.bad(
                    &text,
                    &format!("`{}` is not a weight", text.value),
                    "write a number with at most six decimals, such as `\"3.8\"`; the most is 1000",
                ),
            }
        }
        table.finish(self.findings);
        weights.into()
    }

    fn sub_limits(&mut self, grant: &Quantity, currency: Option<Currency>) -> Box<[SubLimit]> {
        let Some(table) = self.section.table("sub_limits", self.findings) else { return Box::default() };
        let mut limits = Vec::new();
        for key in table.keys().cloned().collect::<Vec<_>>() {
            let Some(text) = table.text(&key.value, self.findings) else { continue };
            let Some(class) = NumberClass::from_name(&key.value) else {
                let help = near(&key.value, NumberClass::ALL.map(NumberClass::name), "write the name of a class");
                self.bad(&key, &format!("`{}` is not a class", key.value), help);
                continue;
            };
            let most = match percent(&text.value) {
                Some(share) => Some(Share::Millionths(share)),
                None if grant.time.is_some() => self.read_duration(&text).map(|time| Share::Units(time.as_millis())),
                None if grant.money.is_some() => self.money(&text, currency).map(|sum| Share::Units(sum.units())),
                None => match text.value.parse::<u32>() {
                    Ok(calls) => Some(Share::Units(i64::from(calls))),
                    Err(_) => {
                        let help = "write a number of calls, or a share of them such as `40%`";
                        self.bad(&text, &format!("`{}` is not a limit", text.value), help);
                        None
                    }
                },
            };
            limits.extend(most.map(|most| SubLimit { class, most }));
        }
        table.finish(self.findings);
        limits.into()
    }

    fn volume(&mut self, currency: Option<Currency>) -> Option<Volume> {
        self.section.require("by", self.findings);
        let by = match self.word("by", &["time", "calls", "money"])? {
            0 => Measure::Time,
            1 => Measure::Calls,
            _ => Measure::Money,
        };
        let whole = self.word("applies", &["beyond", "whole"]) == Some(1);
        self.section.require("tiers", self.findings);
        let mut tiers: Vec<Tier> = vec![Tier { from: 0, change: Change::None }];
        for table in self.section.tables("tiers", self.findings) {
            let tier = self.tier(&table, by, currency);
            let place = Spanned { value: String::new(), span: table.span() };
            table.finish(self.findings);
            let Some(tier) = tier else {
                self.sound = false;
                continue;
            };
            if tier.from == 0 && tiers.len() == 1 {
                tiers.clear();
            } else if tiers.last().is_some_and(|last| tier.from <= last.from) {
                self.bad(
                    &place,
                    "a tier begins where an earlier one does, or before",
                    "write the tiers in rising order",
                );
            }
            tiers.push(tier);
        }
        Some(Volume { by, tiers: tiers.into(), whole })
    }

    fn tier(&mut self, table: &Section, by: Measure, currency: Option<Currency>) -> Option<Tier> {
        let from = table.required_text("from", self.findings)?;
        let units = match by {
            Measure::Time => self.read_duration(&from).map(Duration::as_millis),
            Measure::Money => self.money(&from, currency).map(Charge::units),
            Measure::Calls => {
                let calls = from.value.parse::<u32>().ok().map(i64::from);
                if calls.is_none() {
                    let help = "tiers by calls begin at a number of calls: `from = \"1000\"`";
                    self.bad(&from, &format!("`{}` is not a number of calls", from.value), help);
                }
                calls
            }
        };
        let discount = table.text("discount", self.findings);
        let price = table.text("price", self.findings);
        let change = match (discount, price) {
            (None, None) => Some(Change::None),
            (Some(text), None) => {
                let share = percent(&text.value);
                if share.is_none() {
                    let help = "write a percentage of at most 100 with at most four decimals, such as `10%`";
                    self.bad(&text, &format!("`{}` is not a discount", text.value), help);
                }
                share.map(Change::Discount)
            }
            (None, Some(text)) => match currency {
                None => {
                    self.no_currency(&text);
                    None
                }
                Some(currency) => self
                    .keep(&text, notation::price(&text.value, currency, None))
                    .map(|(price, per)| Change::Price(price, per)),
            },
            (Some(text), Some(_)) => {
                self.bad(&text, "a tier has a discount or a price, not both", "leave one of them out");
                None
            }
        };
        Some(Tier { from: units?, change: change? })
    }

    fn currency(&mut self) -> Option<Currency> {
        let text = self.section.text("currency", self.findings)?;
        let currency = Currency::parse(&text.value);
        if currency.is_none() {
            let help = "write the three capital letters of ISO 4217: `GBP`";
            self.bad(&text, &format!("`{}` is not a currency code", text.value), help);
        }
        currency
    }

    fn period(&mut self) -> Period {
        let Some(text) = self.section.text("period", self.findings) else { return Period::Month(1) };
        let day = text.value.strip_prefix("month from ").and_then(|day| day.trim().parse::<u32>().ok());
        match (text.value.as_str(), day) {
            ("month", _) => Period::Month(1),
            ("quarter", _) => Period::Quarter,
            (_, Some(day)) if (1..=28).contains(&day) => Period::Month(day),
            _ => {
                let help = "write `month`, `month from 15` (days 1 to 28) or `quarter`";
                self.bad(&text, &format!("`{}` is not a period", text.value), help);
                Period::Month(1)
            }
        }
    }

    fn classes(&mut self, key: &str) -> u32 {
        let mut bits = 0;
        for text in self.section.texts(key, self.findings) {
            match NumberClass::from_name(&text.value) {
                Some(class) => bits |= class_bit(class),
                None => {
                    let help = near(&text.value, NumberClass::ALL.map(NumberClass::name), "write the name of a class");
                    self.bad(&text, &format!("`{}` is not a class", text.value), help);
                }
            }
        }
        bits
    }

    fn destinations(&mut self, key: &str) -> Box<[DestinationKey<()>]> {
        let mut all = Vec::new();
        for text in self.section.texts(key, self.findings) {
            let mut keys = Vec::new();
            if self.keep(&text, notation::keys(&text.value, &mut keys)).is_none() {
                continue;
            }
            if keys.iter().any(|key| matches!(key, DestinationKey::Code(_))) {
                self.bad(&text, "an allowance does not go by charge codes", "write prefixes, or use `classes`");
            }
            all.extend(keys.into_iter().map(|key| key.map_code(|_| ())));
        }
        all.into()
    }

    fn bands(&mut self, key: &str) -> Box<[Box<str>]> {
        let mut names = Vec::new();
        for text in self.section.texts(key, self.findings) {
            if !self.bands.contains(&text.value.as_str()) {
                let help = near(&text.value, self.bands.iter().copied(), "write the name of a band of some tariff");
                self.bad(&text, &format!("no tariff has a band `{}`", text.value), help);
            }
            names.push(text.value.into());
        }
        names.into()
    }

    fn duration(&mut self, key: &str) -> Option<Duration> {
        let text = self.section.text(key, self.findings)?;
        self.read_duration(&text)
    }

    fn read_duration(&mut self, text: &Spanned<String>) -> Option<Duration> {
        // A million hours: what is granted, times lines and weights, stays far from the end of 64 bits.
        let most = Duration::from_seconds(3_600_000_000);
        let time = Duration::parse(&text.value).filter(|time| *time <= most);
        if time.is_none() {
            let help = "write a number and its unit: `1000min`, `90s`, `20h`";
            self.bad(text, &format!("`{}` is not a time", text.value), help);
        }
        time
    }

    fn money(&mut self, text: &Spanned<String>, currency: Option<Currency>) -> Option<Charge> {
        let Some(currency) = currency else {
            self.no_currency(text);
            return None;
        };
        let price = self.keep(text, notation::fee(&text.value, currency, None))?;
        if price.units() % 100 != 0 {
            self.bad(text, &format!("`{}` is too fine", text.value), "an amount has at most ten decimals of the unit");
            return None;
        }
        Some(Charge::from_units(price.units() / 100))
    }

    fn no_currency(&mut self, text: &Spanned<String>) {
        self.bad(text, "money needs a currency", "add `currency = \"GBP\"` to this table");
    }

    fn word(&mut self, key: &str, words: &[&str]) -> Option<usize> {
        let text = self.section.text(key, self.findings)?;
        let at = words.iter().position(|word| *word == text.value);
        if at.is_none() {
            let help = near(&text.value, words.iter().copied(), &format!("write one of `{}`", words.join("`, `")));
            self.bad(&text, &format!("`{}` is no `{key}`", text.value), help);
        }
        at
    }

    fn keep<T>(&mut self, text: &Spanned<String>, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.sound = false;
                self.findings.push(fault.at(self.section.label(&text.span, "")));
                None
            }
        }
    }

    fn bad(&mut self, text: &Spanned<String>, message: &str, help: impl Into<String>) {
        self.sound = false;
        self.findings.push(Finding::error(BAD, message).at(self.section.label(&text.span, "")).help(help));
    }
}

const LONG_PERIOD: &str = "this needs `period = \"month\"`, which is the month that is run";

fn near<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    did_you_mean(given, known).map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// A plain decimal above zero as a count of 10⁻ⁿ.
fn decimal(text: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > decimals || !plain || text.ends_with('.') {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok().filter(|value| *value > 0)
}

/// `40%` in millionths, at most 100 %.
fn percent(text: &str) -> Option<i64> {
    decimal(text.strip_suffix('%')?.trim(), 4).filter(|share| *share <= MILLION)
}
