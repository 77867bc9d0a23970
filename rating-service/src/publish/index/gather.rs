//! What is added up while an index is made, so that no page adds up calls: sums of each payer at each site, its largest
//! calls, and what was suspended, by what would release it.
//!
//! The rules are those of the published summaries: a call counts if it was charged, at 0.00 too, under its extension (or its
//! number where no extension is known) and its destination.

use std::collections::{BTreeMap, HashMap};

use rating_core::report::Kind;
use rating_core::time::{Instant, Zone};

use super::columns::Cells;
use crate::publish::decimal::{shown, units};

/// How many of the largest calls are kept.
const LARGEST: usize = 10;
/// Digits of a called number that stand for its destination, where none is known.
const PREFIX: usize = 6;

const HOUR_MS: i64 = 3_600_000;

/// Texts and their numbers.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<String, u32>,
    list: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.to_owned(), number);
        self.list.push(text.to_owned());
        number
    }

    fn text(&self, number: u32) -> String {
        self.list.get(number as usize).cloned().unwrap_or_default()
    }
}

/// Calls added up.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    calls: i64,
    duration: i128,
    billed: i128,
    charge: i128,
    vat: Option<i128>,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.duration = self.duration.saturating_add(other.duration);
        self.billed = self.billed.saturating_add(other.billed);
        self.charge = self.charge.saturating_add(other.charge);
        if let Some(vat) = other.vat {
            self.vat = Some(self.vat.unwrap_or_default().saturating_add(vat));
        }
    }
}

/// The number of an extension: that of its calls, if they agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Number {
    #[default]
    Unknown,
    One(u32),
    Several,
}

/// What an extension is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Extension(u32),
    Number(u32),
    Unknown,
}

/// Of one payer at one site.
#[derive(Debug, Default)]
struct OfPayer {
    calls: i64,
    charged: i64,
    not_chargeable: i64,
    suspended: i64,
    total: BTreeMap<u32, Sums>,
    lines: BTreeMap<(Line, u32), (Number, Sums)>,
    destinations: BTreeMap<(u32, u32), Sums>,
    hours: BTreeMap<(u8, u8, u32), Sums>,
    /// By currency: charge, instant, id; the largest first.
    dearest: BTreeMap<u32, Vec<(i128, i64, i64)>>,
    longest: Vec<(i128, i64, i64)>,
}

/// Suspended calls of one side that have the reason, and what would release them, in common.
#[derive(Debug, Clone)]
struct Suspended {
    calls: i64,
    duration: i128,
    first: (i64, i64),
    last: (i64, i64),
    at_stake: BTreeMap<u32, i128>,
}

/// Everything that is added up.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    texts: Texts,
    payers: BTreeMap<(u32, u32), OfPayer>,
    /// By site, payer, source, side, reason, kind of key, key.
    suspended: BTreeMap<[u32; 7], Suspended>,
}

/// A row of the table of sums.
#[derive(Debug)]
pub(super) struct SumRow {
    pub(super) payer: String,
    pub(super) site: String,
    pub(super) kind: &'static str,
    pub(super) first: String,
    pub(super) second: String,
    pub(super) currency: String,
    pub(super) calls: i64,
    pub(super) duration: String,
    pub(super) billed: String,
    pub(super) charge: String,
    pub(super) vat: Option<String>,
}

/// A row of the table of suspended calls.
#[derive(Debug)]
pub(super) struct SuspendedRow {
    /// Site, payer, source, side, reason, kind of key, key.
    pub(super) names: [String; 7],
    pub(super) calls: i64,
    pub(super) duration: String,
    pub(super) first: (i64, i64),
    pub(super) last: (i64, i64),
    /// Currency and amount, as JSON.
    pub(super) at_stake: String,
}

/// A row of the table of the largest calls.
#[derive(Debug)]
pub(super) struct LargestRow {
    pub(super) payer: String,
    pub(super) site: String,
    pub(super) kind: &'static str,
    pub(super) rank: i64,
    pub(super) id: i64,
}

/// Keeps the largest, those of before among equals.
fn keep(list: &mut Vec<(i128, i64, i64)>, entry: (i128, i64, i64)) {
    let order = |one: &(i128, i64, i64)| (std::cmp::Reverse(one.0), one.1, one.2);
    let at = list.partition_point(|have| order(have) < order(&entry));
    if at < LARGEST {
        list.insert(at, entry);
        list.truncate(LARGEST);
    }
}

/// What would release a call that was suspended for a reason, and so what such calls are grouped by.
fn key<'c>(reason: &str, cells: Cells<'c>) -> (&'static str, &'c str) {
    let inbound = cells.get("direction") == "inbound";
    let own = if inbound { cells.get("called") } else { cells.get("calling") };
    let other = if inbound { cells.get("calling") } else { cells.get("called") };
    let begins = |text: &'c str| {
        let length = PREFIX + usize::from(text.starts_with('+'));
        text.get(..length).filter(|_| text.starts_with('+')).unwrap_or(text)
    };
    let found = match reason {
        "attribution.number_not_allocated" | "attribution.number_unknown" | "attribution.main_number_originated" => {
            ("number", own)
        }
        "attribution.extension_unknown" => ("extension", own),
        "rating.called_unclassified" => ("dialled", cells.get("dialled")),
        "rating.no_tariff_assigned" => ("payer", cells.get("payer_id")),
        "rating.tariff_not_in_force" => ("tariff", cells.get("tariff")),
        "rating.caller_zone_unknown" => ("prefix", begins(cells.get("calling"))),
        "rating.destination_blocked"
        | "rating.price_unknown"
        | "rating.class_not_priced"
        | "rating.no_rate_for_destination"
        | "rating.wholesale_unpriced"
        | "rating.wholesale_currency" => ("prefix", begins(other)),
        _ => ("source", cells.get("source")),
    };
    if found.1.is_empty() { ("source", cells.get("source")) } else { found }
}

impl Gathered {
    /// Adds a call.
    pub(super) fn add(&mut self, cells: Cells<'_>, id: i64, zone: &Zone) {
        let texts = &mut self.texts;
        let (site, payer) = (texts.number(cells.get("site")), texts.number(cells.get("payer_id")));
        let at = Instant::parse_rfc3339(cells.get("charged_at")).map_or(0, Instant::as_millis);
        let number = |column: &str| units(cells.get(column)).unwrap_or_default();
        let duration = number("duration_s");
        let of = self.payers.entry((site, payer)).or_default();
        of.calls += 1;
        if duration > 0 {
            keep(&mut of.longest, (duration, at, id));
        }
        match cells.get("status") {
            "charged" => {
                of.charged += 1;
                let currency = texts.number(cells.get("currency"));
                let sums = Sums {
                    calls: 1,
                    duration,
                    billed: number("billed_duration_s"),
                    charge: number("cost"),
                    vat: units(cells.get("vat")),
                };
                of.total.entry(currency).or_default().add(&sums);
                let held = Some(cells.get("number")).filter(|number| !number.is_empty()).map(|text| texts.number(text));
                let line = match (cells.get("extension"), held) {
                    ("", Some(number)) => Line::Number(number),
                    ("", None) => Line::Unknown,
                    (extension, _) => Line::Extension(texts.number(extension)),
                };
                let (known, of_line) = of.lines.entry((line, currency)).or_default();
                *known = match (*known, held) {
                    (Number::Unknown, Some(number)) => Number::One(number),
                    (Number::One(one), Some(number)) if one != number => Number::Several,
                    (known, _) => known,
                };
                of_line.add(&sums);
                let destination = texts.number(cells.get("destination"));
                of.destinations.entry((destination, currency)).or_default().add(&sums);
                let local = zone.to_local(Instant::from_millis(at));
                let weekday = u8::try_from(local.date().weekday().index()).unwrap_or_default() + 1;
                let hour = u8::try_from(local.millis_of_day() / HOUR_MS).unwrap_or_default();
                of.hours.entry((weekday, hour, currency)).or_default().add(&sums);
                if sums.charge > 0 {
                    keep(of.dearest.entry(currency).or_default(), (sums.charge, at, id));
                }
            }
            "suspended" => {
                of.suspended += 1;
                let stake = (cells.get("operator_currency"), cells.get("operator_amount"));
                self.suspend(cells, "retail", cells.get("reason"), stake, (at, id), duration);
            }
            _ => of.not_chargeable += 1,
        }
        if cells.get("wholesale_status") == "suspended" {
            let stake = (cells.get("currency"), cells.get("cost"));
            self.suspend(cells, "wholesale", cells.get("wholesale_reason"), stake, (at, id), duration);
        }
    }

    fn suspend(
        &mut self,
        cells: Cells<'_>,
        side: &str,
        reason: &str,
        (currency, amount): (&str, &str),
        place: (i64, i64),
        duration: i128,
    ) {
        let (kind, key) = key(reason, cells);
        let names = [cells.get("site"), cells.get("payer_id"), cells.get("source"), side, reason, kind, key];
        let names = names.map(|name| self.texts.number(name));
        let stake = units(amount).map(|amount| (self.texts.number(currency), amount));
        let none = Suspended { calls: 0, duration: 0, first: place, last: place, at_stake: BTreeMap::new() };
        let of = self.suspended.entry(names).or_insert(none);
        of.calls += 1;
        of.duration = of.duration.saturating_add(duration);
        of.first = of.first.min(place);
        of.last = of.last.max(place);
        if let Some((currency, amount)) = stake {
            let sum = of.at_stake.entry(currency).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    /// Payer, site, and how many calls: all, charged, not chargeable, suspended.
    pub(super) fn counts(&self) -> Vec<(String, String, [i64; 4])> {
        let of = |((site, payer), of): (&(u32, u32), &OfPayer)| {
            let counts = [of.calls, of.charged, of.not_chargeable, of.suspended];
            (self.texts.text(*payer), self.texts.text(*site), counts)
        };
        self.payers.iter().map(of).collect()
    }

    /// The sums.
    pub(super) fn sums(&self) -> Vec<SumRow> {
        let mut rows = Vec::new();
        for ((site, payer), of) in &self.payers {
            let mut push = |kind, first: String, second: String, currency: u32, sums: &Sums| {
                rows.push(SumRow {
                    payer: self.texts.text(*payer),
                    site: self.texts.text(*site),
                    kind,
                    first,
                    second,
                    currency: self.texts.text(currency),
                    calls: sums.calls,
                    duration: shown(sums.duration, Kind::Seconds),
                    billed: shown(sums.billed, Kind::Seconds),
                    charge: shown(sums.charge, Kind::Amount),
                    vat: sums.vat.map(|vat| shown(vat, Kind::Amount)),
                });
            };
            for (currency, sums) in &of.total {
                push("total", String::new(), String::new(), *currency, sums);
            }
            for ((line, currency), (known, sums)) in &of.lines {
                let extension = match line {
                    Line::Extension(extension) => self.texts.text(*extension),
                    _ => String::new(),
                };
                let number = match (line, known) {
                    (Line::Number(number), _) | (Line::Extension(_), Number::One(number)) => self.texts.text(*number),
                    _ => String::new(),
                };
                push("extension", extension, number, *currency, sums);
            }
            for ((destination, currency), sums) in &of.destinations {
                push("destination", self.texts.text(*destination), String::new(), *currency, sums);
            }
            for ((weekday, hour, currency), sums) in &of.hours {
                push("hour", weekday.to_string(), format!("{hour:02}"), *currency, sums);
            }
        }
        rows
    }

    /// The largest calls, by charge (in each currency) and by length.
    pub(super) fn largest(&self) -> Vec<LargestRow> {
        let mut rows = Vec::new();
        for ((site, payer), of) in &self.payers {
            let lists = of.dearest.values().map(|list| ("charge", list)).chain([("duration", &of.longest)]);
            for (kind, list) in lists {
                rows.extend((1..).zip(list).map(|(rank, (_, _, id))| LargestRow {
                    payer: self.texts.text(*payer),
                    site: self.texts.text(*site),
                    kind,
                    rank,
                    id: *id,
                }));
            }
        }
        rows
    }

    /// Suspended calls.
    pub(super) fn suspended(&self) -> Vec<SuspendedRow> {
        let row = |(names, of): (&[u32; 7], &Suspended)| {
            let at_stake: BTreeMap<String, String> = of
                .at_stake
                .iter()
                .map(|(currency, amount)| (self.texts.text(*currency), shown(*amount, Kind::Amount)))
                .collect();
            SuspendedRow {
                names: names.map(|name| self.texts.text(name)),
                calls: of.calls,
                duration: shown(of.duration, Kind::Seconds),
                first: of.first,
                last: of.last,
                at_stake: serde_json::to_string(&at_stake).unwrap_or_default(),
            }
        };
        self.suspended.iter().map(row).collect()
    }
}
