//! Decks in the form of this system, read to be compared: keys, conditions, times, and what each row costs.
//!
//! This is no second reader of tariffs: it judges nothing. What it cannot reckon with (a charge by name, a mark-up) it
//! compares as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Fault;
use super::cells::{self, Increments};
use super::offer::Key;
use crate::finding::settings::Section;
use crate::finding::table::{Row, Table};
use crate::finding::{Findings, SourceText};
use crate::money::{Currency, Price};
use crate::tariff::DestinationKey;
use crate::tariff::notation::{self, When};
use crate::time::{Instant, Zone};

/// What a deck's settings say that its rows leave out.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) currency: Option<Currency>,
    pub(super) prices: Option<String>,
    pub(super) fees: Option<String>,
    pub(super) increments: Increments,
    pub(super) free_below: i64,
    pub(super) subtract: i64,
    pub(super) connection: Option<String>,
    pub(super) minimum: Option<String>,
    pub(super) zone: Zone,
    pub(super) decks: Vec<String>,
    pub(super) charges: Vec<String>,
}

impl Surroundings {
    /// Of a deck without settings: bare numbers are compared as they are.
    pub(super) fn unknown() -> Self {
        Self {
            currency: None,
            prices: None,
            fees: None,
            increments: Increments { first: 1_000, further: 1_000 },
            free_below: 0,
            subtract: 0,
            connection: None,
            minimum: None,
            zone: Zone::utc(),
            decks: Vec::new(),
            charges: Vec::new(),
        }
    }

    pub(super) fn read(settings: &Arc<SourceText>) -> Result<Self, Box<Fault>> {
        let mut findings = Findings::default();
        let section = Section::parse(settings, &mut findings);
        if findings.has_errors() {
            let message = format!("`{}` is not a settings file", settings.name);
            let help = "name the TOML file of the tariff; `rating check` says what is wrong with it";
            return Err(Box::new(Fault::new("import.into_unreadable", message, help)));
        }
        let mut text =
            |key: &str| if section.has(key) { section.text(key, &mut findings).map(|text| text.value) } else { None };
        let mut surroundings = Self::unknown();
        surroundings.currency = text("currency").and_then(|code| Currency::parse(&code));
        surroundings.prices = text("prices");
        surroundings.fees = text("fees");
        surroundings.connection = text("connection_charge");
        surroundings.minimum = text("minimum_charge");
        if let Some(increments) = text("increments").and_then(|text| cells::increments(&text).ok()) {
            surroundings.increments = increments;
        }
        let mut seconds = |key: &str| text(key).and_then(|text| cells::seconds(&text).ok()).unwrap_or(0);
        surroundings.free_below = seconds("free_below");
        surroundings.subtract = seconds("subtract");
        if let Some(zone) = text("zone").and_then(|name| Zone::load(&name)) {
            surroundings.zone = zone;
        }
        surroundings.decks = section.texts("decks", &mut findings).into_iter().map(|name| name.value).collect();
        if section.is_table("charges")
            && let Some(charges) = section.table("charges", &mut findings)
        {
            surroundings.charges = charges.keys().map(|key| key.value.clone()).collect();
        }
        Ok(surroundings)
    }
}

/// A price for comparison: so many 10⁻¹² of the major unit for so many milliseconds, or the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    Per(i64, i64),
    Text(String),
}

impl Cost {
    fn read(text: &str, surroundings: &Surroundings) -> Self {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let whole = surroundings.prices.as_deref().unwrap_or("/min");
        let (bare_money, bare_time) = whole.split_once('/').unwrap_or((whole, "min"));
        let (money, time) = unit.trim().split_once('/').unwrap_or((unit.trim(), bare_time));
        let money = if money.trim().is_empty() { bare_money } else { money };
        let minor = match surroundings.currency {
            Some(currency) if money.trim() != currency.code() => currency.minor_digits(),
            _ => 0,
        };
        let per = match time.trim() {
            "s" | "sec" | "second" => 1_000,
            "min" | "minute" => 60_000,
            "h" | "hour" => 3_600_000,
            _ => return Self::Text(text.to_owned()),
        };
        Price::parse(number, minor).map_or_else(|_| Self::Text(text.to_owned()), |price| Self::Per(price.units(), per))
    }

    /// The reduced form, so that equal costs are equal.
    fn settled(self) -> Self {
        match self {
            Self::Per(units, per) if per != 60_000 => {
                let (units_a_minute, rest) =
                    (i128::from(units) * 60_000 / i128::from(per), i128::from(units) * 60_000 % i128::from(per));
                match i64::try_from(units_a_minute) {
                    Ok(units) if rest == 0 => Self::Per(units, 60_000),
                    _ => self,
                }
            }
            other => other,
        }
    }

    /// How they stand to each other, if both are amounts for time.
    pub(super) fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        let (Self::Per(one, per_one), Self::Per(two, per_two)) = (self, other) else { return None };
        let (one, two) = (i128::from(*one) * i128::from(*per_two), i128::from(*two) * i128::from(*per_one));
        Some(one.cmp(&two))
    }
}

/// What a row costs, for comparison: columns by name, with what the settings give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OurTerms {
    /// By band; the plain price under the empty name.
    pub(super) costs: BTreeMap<String, Cost>,
    /// Everything else that the price of a call depends on.
    pub(super) rest: BTreeMap<String, String>,
}

impl OurTerms {
    /// Reads the cells of one row; `get` gives them by column name.
    pub(super) fn read<'c>(columns: &[String], get: impl Fn(&str) -> &'c str, surroundings: &Surroundings) -> Self {
        const ASIDE: [&str; 5] = ["prefix", "destination", "from", "until", "class"];
        let mut terms = Self { costs: BTreeMap::new(), rest: BTreeMap::new() };
        for column in columns {
            let text = get(column);
            if text.is_empty() || ASIDE.contains(&column.as_str()) || CONDITIONS.contains(&column.as_str()) {
                continue;
            }
            if let Some(band) = column.strip_prefix("price") {
                let band = band.trim_start_matches('_').to_owned();
                terms.costs.insert(band, Cost::read(text, surroundings).settled());
            } else {
                terms.rest.insert(column.clone(), settled(column, text));
            }
        }
        terms.rest.retain(|column, text| !(column == "status" && text == "offered"));
        if !terms.rest.contains_key("status") && !terms.rest.contains_key("charges") {
            terms.rest.entry("increments".to_owned()).or_insert_with(|| surroundings.increments.to_string());
            for (column, default) in [("connection", &surroundings.connection), ("minimum", &surroundings.minimum)] {
                if let Some(default) = default {
                    terms.rest.entry(column.to_owned()).or_insert_with(|| settled(column, default));
                }
            }
            terms.rest.retain(|column, text| !(matches!(column.as_str(), "connection" | "minimum") && text == "0"));
        }
        terms
    }

    /// In words, for a list of changes; `all` with everything beside the prices.
    pub(super) fn show(&self, all: bool) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (band, cost) in &self.costs {
            let cost = match cost {
                Cost::Per(units, 60_000) => Price::from_units(*units).to_string(),
                Cost::Per(units, per) => format!("{} per {} s", Price::from_units(*units), cells::seconds_text(*per)),
                Cost::Text(text) => text.clone(),
            };
            parts.push(if band.is_empty() { cost } else { format!("{band} {cost}") });
        }
        for (column, text) in self.rest.iter().filter(|_| all) {
            if column == "status" || column == "charges" {
                parts.push(text.clone());
            } else {
                parts.push(format!("{column} {text}"));
            }
        }
        parts.join(", ")
    }
}

/// Columns that say when a row applies.
pub(super) const CONDITIONS: [&str; 7] =
    ["origin", "jurisdiction", "caller_type", "trunk", "only_class", "length", "direction"];

/// One way of writing for the same thing.
fn settled(column: &str, text: &str) -> String {
    match column {
        "increments" => cells::increments(text).map_or_else(|_| text.to_owned(), |pair| pair.to_string()),
        "connection" | "minimum" | "maximum" => {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            match Price::parse(text, 0) {
                Ok(price) if plain => price.to_string(),
                _ => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    }
}

/// A row of a deck of ours.
#[derive(Clone, Debug)]
pub(super) struct OurRow {
    pub(super) keys: Vec<Key>,
    pub(super) destination: String,
    pub(super) conditions: String,
    pub(super) terms: OurTerms,
    pub(super) from: Option<When>,
    pub(super) until: Option<When>,
    pub(super) begins: Instant,
    pub(super) ends: Instant,
}

/// A deck of ours.
#[derive(Debug)]
pub(super) struct OurDeck {
    pub(super) table: Table,
    pub(super) rows: Vec<OurRow>,
}

impl OurDeck {
    pub(super) fn read(source: &Arc<SourceText>, surroundings: &Surroundings) -> Result<Self, Box<Fault>> {
        let mut findings = Findings::default();
        let table = Table::read_any(source, &mut findings);
        let unreadable = |line: usize, why: String| {
            let help = "name a deck in the form of the tariff guide; `rating check` says what is wrong with it";
            let message = format!("`{}` is no deck: line {line}: {why}", source.name);
            Box::new(Fault::new("import.into_unreadable", message, help))
        };
        if let Some(finding) = findings.iter().next() {
            let line = finding.labels.first().map_or(0, |label| label.source.position(label.span.start).0);
            return Err(unreadable(line, finding.message.clone()));
        }
        if !table.column("prefix").is_present() {
            return Err(unreadable(1, "it has no column `prefix`".to_owned()));
        }
        let mut rows = Vec::with_capacity(table.rows().len());
        for row in table.rows() {
            rows.push(our_row(row, &table, surroundings).map_err(|why| unreadable(row.line(), why))?);
        }
        Ok(Self { table, rows })
    }
}

fn our_row(row: Row<'_>, table: &Table, surroundings: &Surroundings) -> Result<OurRow, String> {
    let get = |name: &str| row.cell(table.column(name));
    let mut keys = Vec::new();
    our_keys(get("prefix"), &mut keys)?;
    let when = |name: &str| match get(name) {
        "" => Ok(None),
        text => notation::when(text).map(Some).map_err(|fault| fault.message),
    };
    let (from, until) = (when("from")?, when("until")?);
    let at = |when: Option<When>, none| when.map_or(none, |when: When| when.in_zone(&surroundings.zone));
    Ok(OurRow {
        keys,
        destination: get("destination").to_owned(),
        conditions: conditions_text(get),
        terms: OurTerms::read(table.header(), get, surroundings),
        begins: at(from, Instant::MIN),
        ends: at(until, Instant::MAX),
        from,
        until,
    })
}

/// The filled columns of conditions, in one text.
pub(super) fn conditions_text<'c>(get: impl Fn(&str) -> &'c str) -> String {
    let filled = CONDITIONS.iter().filter(|name| !matches!(get(name), "" | "out"));
    filled.map(|name| format!("{name}={}", get(name))).collect::<Vec<_>>().join(" ")
}

fn our_keys(text: &str, keys: &mut Vec<Key>) -> Result<(), String> {
    if text.starts_with("code:") {
        keys.push(Key::Written(text.into()));
        return Ok(());
    }
    let mut found = Vec::new();
    for item in text.split([';', ',']).map(str::trim) {
        if !item.starts_with(|c: char| c.is_ascii_digit() || c == '+') {
            keys.push(Key::Written(item.into()));
            continue;
        }
        notation::keys(item, &mut found).map_err(|fault| fault.message)?;
        keys.extend(found.iter().filter_map(|key| match key {
            DestinationKey::Prefix(digits) => Some(Key::Prefix(*digits)),
            _ => None,
        }));
    }
    Ok(())
}
