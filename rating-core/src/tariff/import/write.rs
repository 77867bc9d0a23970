//! Rows to a settings file and a deck, in the form of `docs/tariff-guide.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::cells::{Increments, Standing};
use super::merge::{DeckRow, Rows};
use super::offer::{Key, Terms};
use super::{ImportError, Imported, OutputFile, Request};
use crate::finding::{Findings, SourceText};
use crate::number::Digits;
use crate::tariff::notation::When;
use crate::tariff::{SiteClock, TariffBook};
use crate::time::Zone;

/// Columns of a deck that an import may fill, in the order in which they are written; prices by band follow `price`.
pub(super) const BEFORE_PRICES: [&str; 6] =
    ["prefix", "destination", "origin", "direction", "caller_type", "only_class"];
pub(super) const AFTER_PRICES: [&str; 8] =
    ["connection", "minimum", "maximum", "increments", "charges", "from", "until", "status"];

/// What holds for every row that does not say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Defaults {
    pub(super) increments: Option<Increments>,
    pub(super) free_below: i64,
    pub(super) subtract: i64,
}

impl Defaults {
    /// The most common ones among `rows`; of equally common ones the first.
    fn of(rows: &[DeckRow], increments: Option<Increments>) -> Self {
        let offered = || rows.iter().filter(|row| row.standing == Standing::Offered);
        let grace = most_common(offered().map(|row| (row.terms.free_below, row.terms.subtract)));
        let (free_below, subtract) = grace.unwrap_or((0, 0));
        let increments = most_common(offered().filter_map(|row| row.terms.increments)).or(increments);
        Self { increments, free_below, subtract }
    }
}

fn most_common<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, (usize, usize)> = BTreeMap::new();
    for (place, item) in items.enumerate() {
        counts.entry(item).or_insert((0, usize::MAX - place)).0 += 1;
    }
    counts.into_iter().max_by_key(|(_, rank)| *rank).map(|(item, _)| item)
}

/// A row's cells by column name; empty ones are left out.
pub(super) type CellMap = Vec<(String, String)>;

/// Charges that rows refer to, as they are needed.
#[derive(Debug, Default)]
pub(super) struct Charges {
    named: Vec<(String, Terms)>,
    taken: Vec<String>,
}

impl Charges {
    /// Names that are in use already.
    pub(super) fn without(taken: Vec<String>) -> Self {
        Self { named: Vec::new(), taken }
    }

    fn name(&mut self, terms: &Terms, destination: &str) -> String {
        if let Some((name, _)) = self.named.iter().find(|(_, have)| have == terms) {
            return name.clone();
        }
        let mut stem = String::new();
        for letter in destination.chars() {
            if letter.is_ascii_alphanumeric() {
                stem.push(letter.to_ascii_lowercase());
            } else if !stem.is_empty() && !stem.ends_with('-') {
                stem.push('-');
            }
        }
        let stem = match stem.trim_end_matches('-') {
            "" => "charge".to_owned(),
            stem => stem.to_owned(),
        };
        let free = |name: &String| !self.taken.contains(name) && !self.named.iter().any(|(have, _)| have == name);
        let name = std::iter::once(stem.clone())
            .chain((2..).map(|number| format!("{stem}-{number}")))
            .find(free)
            .unwrap_or_default();
        self.named.push((name.clone(), terms.clone()));
        name
    }

    /// The `[charges.…]` tables.
    pub(super) fn to_toml(&self, bands: &[String]) -> String {
        let mut text = String::new();
        for (name, terms) in &self.named {
            let _ = write!(text, "\n[charges.{name}]\n");
            charge(terms, bands, &mut text);
        }
        text
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn seconds(millis: i64) -> String {
    format!("{}s", super::cells::seconds_text(millis))
}

fn charge(terms: &Terms, bands: &[String], text: &mut String) {
    let by_band = |amounts: &[(usize, super::cells::Amount)]| {
        let of = |band: usize| amounts.iter().find(|(have, _)| *have == band).map_or("0", |(_, amount)| &amount.text);
        let parts: Vec<String> =
            bands.iter().enumerate().map(|(at, name)| format!("{name} = \"{}\"", of(at))).collect();
        format!("{{ {} }}", parts.join(", "))
    };
    if !terms.steps.is_empty() {
        text.push_str("steps = [\n");
        for step in &terms.steps {
            let _ = write!(text, "  {{ from = \"{}\", price = \"{}\"", seconds(step.from), step.price.text);
            if let Some(charge) = &step.charge {
                let _ = write!(text, ", charge = \"{}\"", charge.text);
            }
            // Only the first step has a first increment.
            let increments = match step.from {
                0 => step.increments.to_string(),
                _ => super::cells::seconds_text(step.increments.further),
            };
            let _ = writeln!(text, ", increments = \"{increments}\" }},");
        }
        text.push_str("]\n");
    } else if let Some(price) = &terms.price {
        let _ = writeln!(text, "price = \"{}\"", price.text);
    } else {
        let _ = writeln!(text, "price = {}", by_band(&terms.bands));
    }
    if let Some(connection) = &terms.connection {
        let _ = writeln!(text, "connection_charge = \"{}\"", connection.text);
    } else if !terms.connection_bands.is_empty() {
        let _ = writeln!(text, "connection_charge = {}", by_band(&terms.connection_bands));
    }
    if let Some(increments) = terms.increments.filter(|_| terms.steps.is_empty()) {
        let _ = writeln!(text, "increments = \"{increments}\"");
    }
    if terms.free_below > 0 {
        let _ = writeln!(text, "free_below = \"{}\"", seconds(terms.free_below));
    }
    if terms.subtract > 0 {
        let _ = writeln!(text, "subtract = \"{}\"", seconds(terms.subtract));
    }
}

pub(super) fn when_text(when: When, zone: &Zone) -> String {
    match when {
        When::Date(date) => date.to_string(),
        When::Instant(instant) => zone.format(instant),
    }
}

/// What stands in the `prefix` cell: runs of neighbours as spans, so that a list of thousands stays readable. A whole
/// decade is never written as a span: the reader would take it for the shorter prefix.
pub(super) fn keys_text(keys: &[Key]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < keys.len() {
        if at > 0 {
            text.push(';');
        }
        let Key::Prefix(first) = &keys[at] else {
            let _ = write!(text, "{}", keys[at]);
            at += 1;
            continue;
        };
        let neighbours = |one: Digits, two: Digits| {
            one.len() == two.len() && two.value() == one.value() + 1 && one.value() / 10 == two.value() / 10
        };
        let mut end = at;
        let mut last = *first;
        while let Some(Key::Prefix(next)) = keys.get(end + 1) {
            if !neighbours(last, *next) || end - at == 8 {
                break;
            }
            (last, end) = (*next, end + 1);
        }
        if end - at >= 2 {
            let _ = write!(text, "{first}-{last}");
            at = end + 1;
        } else {
            let _ = write!(text, "{first}");
            at += 1;
        }
    }
    text
}

/// The cells of a row.
pub(super) fn cells(row: &DeckRow, rows: &Rows, defaults: &Defaults, charges: &mut Charges, zones: bool) -> CellMap {
    let mut cells = CellMap::new();
    let mut put = |name: &str, text: String| {
        if !text.is_empty() {
            cells.push((name.to_owned(), text));
        }
    };
    put("prefix", keys_text(&row.keys));
    put("destination", row.destination.clone());
    if let Some(zone) = row.conditions.origin.and_then(|at| rows.zones.get(usize::from(at))) {
        let prefixes = || zone.prefixes.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
        put("origin", if zones { zone.name.clone() } else { prefixes() });
    }
    put("direction", row.conditions.direction.to_owned());
    put("caller_type", row.conditions.caller_type.to_owned());
    put("only_class", row.conditions.only_class.to_owned());
    let terms = &row.terms;
    let grace = (terms.free_below, terms.subtract) != (defaults.free_below, defaults.subtract);
    if row.standing == Standing::Offered && (terms.needs_charge() || grace) {
        // The whole-call amounts stay with the row.
        let own = Terms { minimum: None, maximum: None, ..terms.clone() };
        put("charges", charges.name(&own, &row.destination));
    } else {
        put("price", terms.price.as_ref().map_or_else(String::new, |amount| amount.text.clone()));
        for (band, amount) in &terms.bands {
            put(&format!("price_{}", rows.bands.get(*band).map_or("", String::as_str)), amount.text.clone());
        }
        put("connection", terms.connection.as_ref().map_or_else(String::new, |amount| amount.text.clone()));
        let own = terms.increments.filter(|own| Some(*own) != defaults.increments);
        put("increments", own.map_or_else(String::new, |own| own.to_string()));
    }
    put("minimum", terms.minimum.as_ref().map_or_else(String::new, |amount| amount.text.clone()));
    put("maximum", terms.maximum.as_ref().map_or_else(String::new, |amount| amount.text.clone()));
    let zone = &rows.basis.zone;
    put("from", row.from.map_or_else(String::new, |when| when_text(when, zone)));
    put("until", row.until.map_or_else(String::new, |when| when_text(when, zone)));
    put("status", standing_text(row.standing).to_owned());
    cells
}

const fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Offered => "",
        Standing::Blocked | Standing::Closed => "blocked",
        Standing::Unknown => "unknown",
    }
}

/// A CSV line.
pub(super) fn line<'c>(cells: impl Iterator<Item = &'c str>, text: &mut String) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(['#', ' ']) || cell.ends_with(' ') {
            let _ = write!(text, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            text.push_str(cell);
        }
    }
    text.push('\n');
}

fn deck_text(rows: &[CellMap], bands: &[String]) -> String {
    let used = |name: &str| rows.iter().any(|row| row.iter().any(|(have, _)| have == name));
    let mut columns: Vec<String> = BEFORE_PRICES.map(str::to_owned).into();
    columns.push("price".to_owned());
    columns.extend(bands.iter().map(|band| format!("price_{band}")));
    columns.extend(AFTER_PRICES.map(str::to_owned));
    columns.retain(|name| matches!(name.as_str(), "prefix" | "destination" | "price") || used(name));
    let mut text = String::new();
    line(columns.iter().map(String::as_str), &mut text);
    for row in rows {
        let cell = |name: &String| row.iter().find(|(have, _)| have == name).map_or("", |(_, text)| text.as_str());
        line(columns.iter().map(cell), &mut text);
    }
    text
}

fn settings_text(request: &Request, rows: &Rows, defaults: &Defaults, charges: &Charges) -> String {
    let basis = &rows.basis;
    let names: Vec<&str> = request.files.iter().map(|file| file.name.as_str()).collect();
    let one_line = |text: &str| -> String { text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() };
    let mut text = format!("# Imported from {} ({}).\n", one_line(&names.join(", ")), request.kind.name());
    let mut key = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} = {}", quoted(value));
    };
    key("id", &basis.id);
    key("currency", basis.currency.code());
    key("from", &basis.from);
    if let Some(zone) = &basis.zone_name {
        key("zone", zone);
    }
    key("prices", &basis.unit);
    if basis.unit.split('/').next() != Some(basis.fees.as_str()) {
        key("fees", &basis.fees);
    }
    if let Some(increments) = defaults.increments {
        key("increments", &increments.to_string());
    }
    if defaults.free_below > 0 {
        key("free_below", &seconds(defaults.free_below));
    }
    if defaults.subtract > 0 {
        key("subtract", &seconds(defaults.subtract));
    }
    let _ = writeln!(text, "decks = [{}]", quoted(&format!("{}.csv", basis.id)));
    if let Some(more) = &request.settings {
        text.push_str(more.trim_end());
        text.push('\n');
    }
    if !request.bands.is_empty() {
        text.push_str("\n[bands]\n");
        let mut done: Vec<&str> = Vec::new();
        for (name, _) in &request.bands {
            if !done.contains(&name.as_str()) {
                done.push(name);
                let times: Vec<String> =
                    request.bands.iter().filter(|(have, _)| have == name).map(|(_, times)| quoted(times)).collect();
                let _ = writeln!(text, "{name} = [{}]", times.join(", "));
            }
        }
    }
    if !rows.zones.is_empty() {
        text.push_str("\n[origins]\n");
    }
    for zone in &rows.zones {
        let _ = write!(text, "{} = [", zone.name);
        for (at, prefix) in zone.prefixes.iter().enumerate() {
            let gap = if zone.prefixes.len() > 12 && at % 12 == 0 {
                "\n  "
            } else if at > 0 {
                " "
            } else {
                ""
            };
            let _ = write!(text, "{gap}\"{prefix}\"{}", if at + 1 < zone.prefixes.len() { "," } else { "" });
        }
        text.push_str(if zone.prefixes.len() > 12 { ",\n]\n" } else { "]\n" });
    }
    text.push_str(&charges.to_toml(&rows.bands));
    text
}

/// A site for reading tariffs by themselves, whose calendar of its own is empty.
pub(super) fn clock(zone: &Zone) -> SiteClock {
    SiteClock { zone: zone.clone(), holidays: Some(Arc::new([])) }
}

/// Reads what was made as this system reads tariffs.
pub(super) fn verify(settings: &OutputFile, deck: &OutputFile, zone: &Zone) -> Result<Findings, ImportError> {
    let file = SourceText::new(settings.name.as_str(), settings.text.as_str());
    let rows = SourceText::new(deck.name.as_str(), deck.text.as_str());
    let mut findings = Findings::default();
    let mut load = |name: &str| (name == deck.name).then(|| rows.clone());
    let _ = TariffBook::read(&[file], &mut load, &[clock(zone)], zone, &mut findings);
    if findings.has_errors() { Err(ImportError::Refused(findings)) } else { Ok(findings) }
}

pub(super) fn write(request: &Request, rows: Rows) -> Result<Imported, ImportError> {
    let defaults = Defaults::of(&rows.rows, rows.basis.increments);
    let mut charges = Charges::default();
    let cells: Vec<CellMap> =
        rows.rows.iter().map(|row| self::cells(row, &rows, &defaults, &mut charges, true)).collect();
    let deck = OutputFile { name: format!("{}.csv", rows.basis.id), text: deck_text(&cells, &rows.bands) };
    let settings = OutputFile {
        name: format!("{}.toml", rows.basis.id),
        text: settings_text(request, &rows, &defaults, &charges),
    };
    let findings = verify(&settings, &deck, &rows.basis.zone)?;
    let mut counts = rows.counts;
    counts.written = cells.len() as u64;
    let mut rows = rows;
    let columns = std::mem::take(&mut rows.columns);
    let notes = std::mem::take(&mut rows.notes);
    let rejects = std::mem::take(&mut rows.rejects);
    Ok(Imported { settings, deck, columns, notes, rejects, counts, findings, rows })
}
