//! The folder's files, checked in one pass and compiled.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::lines::{self, Line};
use super::{Activation, CgratesPlan, Offer, Plan, Rate, Tier, Timing, amount, profile_key};
use crate::finding::{Finding, Findings, SourceText, did_you_mean};
use crate::money::{Charge, LEDGER_SCALE, Price, Rounding, Rule};
use crate::time::{Instant, LocalTime, Resolved, Zone};

/// The files that say what calls cost, in the order in which they are read, and their columns.
const FILES: [(&str, &[&str]); 6] = [
    ("Destinations.csv", &["Id", "Prefix"]),
    ("Timings.csv", &["Tag", "Years", "Months", "MonthDays", "WeekDays", "Time"]),
    ("Rates.csv", &["Id", "ConnectFee", "Rate", "RateUnit", "RateIncrement", "GroupIntervalStart"]),
    (
        "DestinationRates.csv",
        &["Id", "DestinationId", "RatesTag", "RoundingMethod", "RoundingDecimals", "MaxCost", "MaxCostStrategy"],
    ),
    ("RatingPlans.csv", &["Id", "DestinationRatesId", "TimingTag", "Weight"]),
    (
        "RatingProfiles.csv",
        &["Tenant", "Category", "Subject", "ActivationTime", "RatingPlanId", "RatesFallbackSubject"],
    ),
];

/// What CGRateS puts for a unit or an increment that is not given: a second.
const SECOND: i64 = 1_000_000_000;

/// What the reader has so far.
#[derive(Default)]
struct Reader {
    findings: Findings,
    prefixes: HashMap<Box<[u8]>, Vec<u32>>,
    destinations: Vec<Box<str>>,
    destination_ids: HashMap<String, u32>,
    timings: Vec<Timing>,
    timing_ids: HashMap<String, u32>,
    rates: Vec<Rate>,
    rate_ids: HashMap<String, u32>,
    /// By id of a set of destination rates: its rows, still without timing and weight.
    sets: HashMap<String, Vec<Offer>>,
    plans: Vec<Plan>,
    plan_ids: HashMap<String, u32>,
    profiles: BTreeMap<Box<str>, Vec<Activation>>,
}

impl CgratesPlan {
    /// Reads a folder: `names` are the files that it has, `read` gives the text of one. Files that do not price calls are
    /// passed over and named in a warning. Times without an offset are read by the clock of `zone`.
    ///
    /// `None` if something is an error; every finding is in `findings`.
    #[must_use]
    pub fn read(
        names: &[String],
        read: &mut dyn FnMut(&str) -> Option<Arc<SourceText>>,
        zone: &Zone,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut reader = Reader::default();
        let other: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| FILES.iter().all(|file| file.0 != *name)).collect();
        if !other.is_empty() {
            reader.push(
                Finding::warning("cgrates.ignored", format!("not read, since it prices no call: {}", other.join(", ")))
                    .help("what chargers and attributes make of a call is to be done before: give its own subject"),
            );
        }
        reader.timing(Timing::always());
        for (name, columns) in FILES {
            let Some(source) = read(name) else {
                // Timings may all be `*any`, and so may destinations.
                if !matches!(name, "Timings.csv" | "Destinations.csv") {
                    reader.push(
                        Finding::error("cgrates.file_missing", format!("the folder has no {name}"))
                            .in_file(name)
                            .help("the folder is what `cgr-loader -path` is given: the CSV files of a tariff plan"),
                    );
                }
                continue;
            };
            let lines = lines::read(&source, columns, &mut reader.findings);
            reader.file(name, &lines, zone);
        }
        let failed = reader.findings.has_errors();
        findings.extend(reader.findings);
        let Reader { prefixes, destinations, timings, rates, plans, profiles, .. } = reader;
        (!failed).then_some(Self { prefixes, destinations, timings, rates, plans, profiles })
    }
}

impl Timing {
    fn always() -> Self {
        Self { tag: "*any".into(), years: None, months: u16::MAX, month_days: u32::MAX, week_days: u8::MAX, start: 0 }
    }
}

impl Reader {
    fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn file(&mut self, name: &str, lines: &[Line<'_>], zone: &Zone) {
        match name {
            "Destinations.csv" => lines.iter().for_each(|line| self.destination(line)),
            "Timings.csv" => lines.iter().for_each(|line| self.timing_line(line)),
            "Rates.csv" => self.rate_lines(lines),
            "DestinationRates.csv" => lines.iter().for_each(|line| self.destination_rate(line)),
            "RatingPlans.csv" => {
                lines.iter().for_each(|line| self.plan_line(line));
                self.ties();
            }
            _ => lines.iter().for_each(|line| self.profile(line, zone)),
        }
    }

    fn destination(&mut self, line: &Line<'_>) {
        let (id, prefix) = (line.cell(0), line.cell(1));
        let next = u32::try_from(self.destinations.len()).unwrap_or(u32::MAX);
        let index = *self.destination_ids.entry(id.to_owned()).or_insert(next);
        if index == next {
            self.destinations.push(id.into());
        }
        let holders = self.prefixes.entry(prefix.as_bytes().into()).or_default();
        if let Err(place) = holders.binary_search(&index) {
            holders.insert(place, index);
        }
    }

    fn timing(&mut self, timing: Timing) {
        let index = u32::try_from(self.timings.len()).unwrap_or(u32::MAX);
        self.timing_ids.insert(timing.tag.clone().into(), index);
        self.timings.push(timing);
    }

    fn timing_line(&mut self, line: &Line<'_>) {
        let tag = line.cell(0);
        // Schedules of actions, and the name that is always there.
        if matches!(line.cell(5), "*asap" | "*every_minute" | "*hourly") || tag == "*any" {
            return;
        }
        let mut list = |column: usize, least: u32, most: u32, what: &str| -> Option<Vec<u32>> {
            let text = line.cell(column);
            if matches!(text, "" | "*any") {
                return None;
            }
            let mut values = Vec::new();
            for item in text.split(';').map(str::trim) {
                match item.parse::<u32>() {
                    Ok(value) if (least..=most).contains(&value) => values.push(value),
                    _ => self.push(
                        Finding::error("cgrates.timing_malformed", format!("`{item}` is not {what}"))
                            .at(line.label(column, "here"))
                            .help(format!("write `*any`, or numbers from {least} to {most} with `;` between them")),
                    ),
                }
            }
            Some(values)
        };
        let years = list(1, 1900, 2199, "a year");
        let months = list(2, 1, 12, "a month");
        let month_days = list(3, 1, 31, "a day of a month");
        let week_days = list(4, 0, 7, "a day of the week (1 is Monday, 0 and 7 are Sunday)");
        let bits =
            |values: Option<Vec<u32>>| values.map_or(u32::MAX, |all| all.iter().fold(0, |bits, at| bits | 1 << at));
        let week_days = week_days.map(|days| days.into_iter().map(|day| (day + 6) % 7).collect());
        let (start, end) = line.cell(5).split_once(';').unwrap_or((line.cell(5), ""));
        if !end.is_empty() {
            self.push(
                Finding::warning("cgrates.ignored", "the end of a timing does not count; it lasts until midnight")
                    .at(line.label(5, "this end"))
                    .help("CGRateS rates by the beginning alone: let another timing begin where this one is to end"),
            );
        }
        let Some(start) = time_of_day(start) else {
            self.push(
                Finding::error("cgrates.timing_malformed", format!("`{start}` is not a time of day"))
                    .at(line.label(5, "here"))
                    .help("write `hh:mm:ss`, from 00:00:00 to 23:59:59"),
            );
            return;
        };
        if self.timing_ids.contains_key(tag) {
            self.push(
                Finding::warning("cgrates.repeated", format!("timing `{tag}` stands twice; the last counts"))
                    .at(line.label(0, "again here")),
            );
        }
        self.timing(Timing {
            tag: tag.into(),
            years: years.map(|years| years.into_iter().filter_map(|year| i32::try_from(year).ok()).collect()),
            months: (bits(months) & u32::from(u16::MAX)) as u16,
            month_days: bits(month_days),
            week_days: (bits(week_days) & u32::from(u8::MAX)) as u8,
            start,
        });
    }

    /// An amount that must not be negative.
    fn amount(&mut self, line: &Line<'_>, column: usize) -> Option<Price> {
        let wrong = match amount::decimal(line.cell(column)) {
            Ok(price) if price >= Price::ZERO => return Some(price),
            Ok(_) => "is less than nothing",
            Err(wrong) => wrong,
        };
        self.malformed_amount(line, column, wrong);
        None
    }

    fn malformed_amount(&mut self, line: &Line<'_>, column: usize, wrong: &str) {
        self.push(
            Finding::error("cgrates.amount_malformed", format!("`{}`: {wrong}", line.cell(column)))
                .at(line.label(column, "here"))
                .help("write a decimal number with a point and at most twelve decimals, such as 0.0125"),
        );
    }

    /// A duration, and whether it is a bare number.
    fn duration(&mut self, line: &Line<'_>, column: usize) -> Option<(i64, bool)> {
        let found = amount::duration(line.cell(column));
        if found.is_none() {
            self.push(
                Finding::error("cgrates.duration_malformed", format!("`{}` is not a duration", line.cell(column)))
                    .at(line.label(column, "here"))
                    .help("write it with its unit, such as `60s` or `1m`; a bare number is nanoseconds"),
            );
        }
        found
    }

    fn rate_lines(&mut self, lines: &[Line<'_>]) {
        let mut bare: Vec<&Line<'_>> = Vec::new();
        for line in lines {
            let (fee, price) = (self.amount(line, 1), self.amount(line, 2));
            let (per, increment, start) = (self.duration(line, 3), self.duration(line, 4), self.duration(line, 5));
            let next = u32::try_from(self.rates.len()).unwrap_or(u32::MAX);
            let index = *self.rate_ids.entry(line.cell(0).to_owned()).or_insert(next);
            if index == next {
                let connect_fee = fee.unwrap_or_default();
                self.rates.push(Rate { tag: line.cell(0).into(), connect_fee, tiers: Vec::new() });
            }
            let (Some(price), Some(per), Some(increment), Some(start)) = (price, per, increment, start) else {
                continue;
            };
            if [per, increment, start].iter().any(|(count, bare)| *bare && *count > 0) {
                bare.push(line);
            }
            let or_second = |(count, _): (i64, bool)| if count == 0 { SECOND } else { count };
            let tier = Tier { start: start.0, price, per: or_second(per), increment: or_second(increment) };
            if let Some(rate) = usize::try_from(index).ok().and_then(|index| self.rates.get_mut(index)) {
                rate.tiers.push(tier);
                // Stable: of two tiers with one start, the one further down counts.
                rate.tiers.sort_by_key(|tier| tier.start);
            }
        }
        if let Some(first) = bare.first() {
            self.push(
                Finding::warning(
                    "cgrates.bare_nanoseconds",
                    format!("durations without a unit are nanoseconds (rows that have some: {})", bare.len()),
                )
                .at(first.label(3, "the first of them"))
                .help("right for messages and data; for calls write `60s` or `1m`"),
            );
        }
        let late: Vec<String> = self
            .rates
            .iter()
            .filter(|rate| rate.tiers.first().is_some_and(|tier| tier.start > 0))
            .map(|rate| rate.tag.to_string())
            .collect();
        for tag in late {
            let line = lines.iter().find(|line| line.cell(0) == tag);
            let mut finding =
                Finding::warning("cgrates.rate_begins_late", format!("rate `{tag}` says nothing about 0s"))
                    .help("let one of its rows have the GroupIntervalStart `0s`; until then such calls are not rated");
            if let Some(line) = line {
                finding = finding.at(line.label(5, "the call has begun by then"));
            }
            self.push(finding);
        }
    }

    /// Reports a cell that names something that is not there.
    fn unknown<'k>(&mut self, line: &Line<'_>, column: usize, what: &str, known: impl Iterator<Item = &'k str>) {
        let name = line.cell(column);
        let help = match did_you_mean(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add it to the file of {what}s, or mend the name"),
        };
        self.push(
            Finding::error("cgrates.unknown_reference", format!("there is no {what} `{name}`"))
                .at(line.label(column, "named here"))
                .help(help),
        );
    }

    fn destination_rate(&mut self, line: &Line<'_>) {
        // Named even if the row is wrong: one mistake is one finding.
        self.sets.entry(line.cell(0).to_owned()).or_default();
        let destination = match line.cell(1) {
            "*any" => None,
            id => match self.destination_ids.get(id) {
                Some(index) => Some(*index),
                None => {
                    let known = self.destinations.clone();
                    return self.unknown(line, 1, "destination", known.iter().map(AsRef::as_ref));
                }
            },
        };
        let Some(rate) = self.rate_ids.get(line.cell(2)).copied() else {
            let known: Vec<Box<str>> = self.rates.iter().map(|rate| rate.tag.clone()).collect();
            return self.unknown(line, 2, "rate", known.iter().map(AsRef::as_ref));
        };
        let text = line.cell(4);
        let decimals = if text.is_empty() { Some(0) } else { text.parse::<u32>().ok().filter(|n| *n <= LEDGER_SCALE) };
        let rule = match line.cell(3) {
            "*up" => Some(Some(Rule::Up)),
            "*middle" => Some(Some(Rule::HalfUp)),
            "*down" => Some(Some(Rule::Down)),
            "" => Some(None),
            _ => None,
        };
        if rule.is_none() || decimals.is_none() {
            let (column, help) = match rule {
                None => (3, "write `*up`, `*middle` or `*down`, or nothing for no rounding".to_owned()),
                Some(_) => (4, format!("write 0 (no rounding) to {LEDGER_SCALE}")),
            };
            self.push(
                Finding::error("cgrates.rounding_malformed", format!("`{}` is no rounding", line.cell(column)))
                    .at(line.label(column, "here"))
                    .help(help),
            );
        }
        let Some(max_cost) = self.amount(line, 5) else { return };
        let strategy = line.cell(6);
        if !matches!(strategy, "" | "*free" | "*disconnect") {
            self.push(
                Finding::warning(
                    "cgrates.ignored",
                    format!("there is no strategy `{strategy}`; the call has no maximum"),
                )
                .at(line.label(6, "here"))
                .help("write `*free` or `*disconnect`"),
            );
        }
        let (Some(rule), Some(decimals)) = (rule, decimals) else { return };
        let step = 10_i64.pow(LEDGER_SCALE - decimals);
        self.sets.entry(line.cell(0).to_owned()).or_default().push(Offer {
            timing: 0,
            rate,
            destination,
            weight: Price::ZERO,
            decimals: u8::try_from(decimals).unwrap_or(0),
            rounding: rule.filter(|_| decimals > 0).map(|rule| Rounding { rule, step: Charge::from_units(step) }),
            free_above: Some(max_cost).filter(|max| strategy == "*free" && *max > Price::ZERO),
            line: line.number,
        });
    }

    fn plan_line(&mut self, line: &Line<'_>) {
        let id = line.cell(0);
        let next = u32::try_from(self.plans.len()).unwrap_or(u32::MAX);
        let index = *self.plan_ids.entry(id.to_owned()).or_insert(next);
        if index == next {
            self.plans.push(Plan { id: id.into(), ..Plan::default() });
        }
        if !self.sets.contains_key(line.cell(1)) {
            let mut known: Vec<String> = self.sets.keys().cloned().collect();
            known.sort_unstable();
            return self.unknown(line, 1, "destination rate", known.iter().map(String::as_str));
        }
        let Some(timing) = self.timing_ids.get(line.cell(2)).copied() else {
            let known: Vec<Box<str>> = self.timings.iter().map(|timing| timing.tag.clone()).collect();
            return self.unknown(line, 2, "timing", known.iter().map(AsRef::as_ref));
        };
        let weight = match amount::decimal(line.cell(3)) {
            Ok(weight) => weight,
            Err(wrong) => return self.malformed_amount(line, 3, wrong),
        };
        let plan = usize::try_from(index).ok().and_then(|index| self.plans.get_mut(index));
        let (Some(plan), Some(set)) = (plan, self.sets.get(line.cell(1))) else { return };
        for offer in set {
            let rows = match offer.destination {
                None => &mut plan.any,
                Some(destination) => plan.by_destination.entry(destination).or_default(),
            };
            rows.push(Offer { timing, weight, ..offer.clone() });
        }
    }

    /// Warns of prefixes that two destinations of one plan share with one weight: nothing says which is meant.
    fn ties(&mut self) {
        let mut shared: Vec<(&[u8], &[u32])> = self
            .prefixes
            .iter()
            .filter(|(_, holders)| holders.len() > 1)
            .map(|(prefix, holders)| (prefix.as_ref(), holders.as_slice()))
            .collect();
        shared.sort_unstable();
        let mut found = Vec::new();
        for plan in &self.plans {
            for (prefix, holders) in &shared {
                let rows = |holder: &u32| plan.by_destination.get(holder).map(|rows| (*holder, rows));
                let mut offers: Vec<(u32, &Vec<Offer>)> = holders.iter().filter_map(rows).collect();
                offers.sort_by_key(|(holder, rows)| (std::cmp::Reverse(super::find::weight(rows)), *holder));
                if let [(first, one), (second, two), ..] = offers.as_slice()
                    && super::find::weight(one) == super::find::weight(two)
                {
                    let name = |index: &u32| usize::try_from(*index).ok().and_then(|at| self.destinations.get(at));
                    let (first, second) = (name(first).cloned(), name(second).cloned());
                    found.push(Finding::warning(
                        "cgrates.destinations_tie",
                        format!(
                            "plan `{}`: destinations `{}` and `{}` share the prefix `{}` with one weight; the first counts",
                            plan.id,
                            first.as_deref().unwrap_or(""),
                            second.as_deref().unwrap_or(""),
                            String::from_utf8_lossy(prefix),
                        ),
                    ));
                }
            }
        }
        for finding in found {
            self.push(
                finding.in_file("Destinations.csv").help("give the one that is meant a higher weight in the plan"),
            );
        }
    }

    fn profile(&mut self, line: &Line<'_>, zone: &Zone) {
        let Some(at) = activation_time(line.cell(3), zone) else {
            self.push(
                Finding::error("cgrates.time_malformed", format!("`{}` is not a time", line.cell(3)))
                    .at(line.label(3, "here"))
                    .help("write `2026-07-01T00:00:00Z`, or nothing for since ever"),
            );
            return;
        };
        let Some(plan) = self.plan_ids.get(line.cell(4)).copied() else {
            let known: Vec<Box<str>> = self.plans.iter().map(|plan| plan.id.clone()).collect();
            return self.unknown(line, 4, "rating plan", known.iter().map(AsRef::as_ref));
        };
        let written: Vec<&str> = line.cell(5).split(';').map(str::trim).filter(|name| !name.is_empty()).collect();
        let mut fallbacks: Vec<&str> = written.clone();
        fallbacks.sort_unstable();
        fallbacks.dedup();
        if fallbacks != written {
            self.push(
                Finding::warning(
                    "cgrates.fallback_order",
                    format!("fallback subjects are asked in the order of their names: {}", fallbacks.join(", then ")),
                )
                .at(line.label(5, "written in another order"))
                .help("CGRateS sorts them; if the written order is meant, chain them: each profile with one fallback"),
            );
        }
        let key = profile_key(line.cell(0), line.cell(1), line.cell(2));
        let activations = self.profiles.entry(key.into()).or_default();
        let activation = Activation { at, plan, fallbacks: fallbacks.into_iter().map(Into::into).collect() };
        let place = activations.partition_point(|other| other.at < at);
        match activations.get_mut(place) {
            Some(other) if other.at == at => {
                *other = activation;
                self.push(
                    Finding::warning(
                        "cgrates.repeated",
                        "this profile has two plans from one moment on; the last counts",
                    )
                    .at(line.label(3, "again here")),
                );
            }
            _ => activations.insert(place, activation),
        }
    }
}

/// `hh:mm:ss` in milliseconds since midnight; nothing at all is midnight.
fn time_of_day(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let mut parts = text.split(':').map(|part| part.trim().parse::<u8>().ok().map(i64::from));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((hour * 3_600 + minute * 60 + second) * 1_000)
}

/// When a profile begins: RFC 3339, the same without an offset (by the clock of `zone`), a Unix time in seconds, or
/// nothing for since ever.
fn activation_time(text: &str, zone: &Zone) -> Option<Instant> {
    if matches!(text, "" | "0" | "*unlimited") || text.starts_with("0001-01-01") {
        return Some(Instant::MIN);
    }
    if let Some(instant) = Instant::parse_rfc3339(text) {
        return Some(instant);
    }
    if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Instant::from_seconds(text.parse().ok()?);
    }
    match zone.resolve(LocalTime::parse(text.as_bytes())?) {
        Resolved::Unique(instant) | Resolved::Repeated(instant, _) | Resolved::Missing(_, instant) => Some(instant),
    }
}
