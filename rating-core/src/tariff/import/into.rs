//! An import into a deck that is there already: old rows end where new ones begin, and nothing that was in force before
//! that day changes. What the import does not name stays, unless it is said to be the whole deck.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diff::Comparison;
use super::merge::DeckRow;
use super::offer::Key;
use super::ours::{self, OurDeck, OurTerms, Surroundings};
use super::write::{self, CellMap, Charges, Defaults};
use super::{Fault, ImportError, Imported, OutputFile};
use crate::finding::table::Row;
use crate::finding::{Finding, Findings, Severity, SourceText};
use crate::tariff::TariffBook;
use crate::tariff::notation::{self, When};
use crate::time::Instant;

/// A deck with an import in it.
#[derive(Debug)]
pub struct Merged {
    /// The settings file, with the charges that new rows need.
    pub settings: OutputFile,
    /// The deck.
    pub deck: OutputFile,
    /// Which settings file and deck were changed at all.
    pub settings_changed: bool,
    /// Whether the deck differs from what it was.
    pub deck_changed: bool,
    /// Key by key, at the day on which each new row begins.
    pub comparison: Comparison,
    /// Keys that cannot be put in: the deck has a later row for them already.
    pub refused: Vec<Fault>,
    /// What reading the result found; warnings at most.
    pub findings: Findings,
}

/// Where the keys of a deck's rows are, by key and conditions.
type Index = BTreeMap<(Key, String), Vec<usize>>;

struct Work<'d> {
    deck: &'d OurDeck,
    index: Index,
    /// Rows to be ended: for each, which keys from when on.
    ended: BTreeMap<usize, BTreeMap<Key, (Instant, When)>>,
    comparison: Comparison,
    refused: Vec<Fault>,
    named: BTreeSet<(Key, String)>,
}

/// Puts an import into the deck of `settings`. `load` is asked for every other file that the settings name; `whole` says
/// that what the import does not name ends too.
///
/// # Errors
///
/// [`ImportError`]: the settings or the deck cannot be read, they are in another currency or unit, or the result is
/// refused by this system's own reader.
pub fn merge_into(
    imported: &Imported,
    settings: &Arc<SourceText>,
    deck: &Arc<SourceText>,
    whole: bool,
    load: &mut dyn FnMut(&str) -> Option<Arc<SourceText>>,
) -> Result<Merged, ImportError> {
    let one = |fault: Box<Fault>| ImportError::Faults(vec![*fault]);
    let surroundings = Surroundings::read(settings).map_err(one)?;
    let rows = &imported.rows;
    same_unit(imported, &surroundings).map_err(one)?;
    let ours = OurDeck::read(deck, &surroundings).map_err(one)?;
    let defaults = Defaults {
        increments: Some(surroundings.increments),
        free_below: surroundings.free_below,
        subtract: surroundings.subtract,
    };
    let mut charges = Charges::without(surroundings.charges.clone());
    let mut index = Index::new();
    for (place, row) in ours.rows.iter().enumerate() {
        for key in &row.keys {
            index.entry((key.clone(), row.conditions.clone())).or_default().push(place);
        }
    }
    let mut work = Work {
        deck: &ours,
        index,
        ended: BTreeMap::new(),
        comparison: Comparison::default(),
        refused: Vec::new(),
        named: BTreeSet::new(),
    };
    let start = notation::when(&rows.basis.from)
        .map_err(|fault| ImportError::Faults(vec![Fault::new("import.from_needed", fault.message, fault.help)]))?;
    let start_at = start.in_zone(&surroundings.zone);
    let mut added: Vec<CellMap> = Vec::new();
    for row in &rows.rows {
        let begin = match row.from {
            Some(from) if from.in_zone(&surroundings.zone) > start_at => from,
            _ => start,
        };
        let mut cells = write::cells(row, rows, &defaults, &mut charges, false);
        for (column, default) in [("connection", &surroundings.connection), ("minimum", &surroundings.minimum)] {
            if default.is_some() && !cells.iter().any(|(have, _)| have == column || have == "charges") {
                cells.push((column.to_owned(), "0".to_owned()));
            }
        }
        let keys = work.put(row, &cells, begin, &surroundings);
        if !keys.is_empty() {
            cells.retain(|(name, _)| name != "prefix" && name != "from");
            cells.insert(0, ("prefix".to_owned(), write::keys_text(&keys)));
            cells.push(("from".to_owned(), write::when_text(begin, &surroundings.zone)));
            added.push(cells);
        }
    }
    for closing in &rows.closings {
        let at = closing.at.unwrap_or(start);
        let cells = conditions_of(closing.conditions.origin, &closing.conditions, imported);
        work.close(&closing.key, cells, at, &surroundings);
    }
    work.not_named(whole, start, &surroundings);
    let deck_text = edited(&ours, &work.ended, &added, &surroundings);
    let more = charges.to_toml(&rows.bands);
    let settings_text =
        if more.is_empty() { settings.text.clone() } else { format!("{}\n{more}", settings.text.trim_end()) };
    let Work { mut comparison, refused, .. } = work;
    comparison.sort();
    let (new_settings, new_deck) =
        (SourceText::new(settings.name.as_str(), settings_text), SourceText::new(deck.name.as_str(), deck_text));
    let findings = judged(&new_settings, &new_deck, &surroundings, load);
    // What is wrong with the tariff by itself already (a parent that stands in another file) is not this import's doing.
    let before: BTreeSet<String> =
        judged(settings, deck, &surroundings, load).iter().filter(is_error).map(without_place).collect();
    let ours = |finding: &&Finding| is_error(finding) && !before.contains(&without_place(finding));
    if findings.iter().any(|finding| ours(&finding)) {
        return Err(ImportError::Refused(findings));
    }
    Ok(Merged {
        settings_changed: new_settings.text != settings.text,
        deck_changed: new_deck.text != deck.text,
        settings: OutputFile { name: settings.name.clone(), text: new_settings.text.clone() },
        deck: OutputFile { name: deck.name.clone(), text: new_deck.text.clone() },
        comparison,
        refused,
        findings,
    })
}

fn is_error(finding: &&Finding) -> bool {
    finding.severity == Severity::Error
}

fn without_place(finding: &Finding) -> String {
    format!("{} {}", finding.code, finding.message)
}

/// What this system's own reader says of a tariff and its deck.
fn judged(
    settings: &Arc<SourceText>,
    deck: &Arc<SourceText>,
    surroundings: &Surroundings,
    load: &mut dyn FnMut(&str) -> Option<Arc<SourceText>>,
) -> Findings {
    let mut findings = Findings::default();
    let mut serve = |name: &str| if name == deck.name { Some(Arc::clone(deck)) } else { load(name) };
    let clock = write::clock(&surroundings.zone);
    let _ = TariffBook::read(&[Arc::clone(settings)], &mut serve, &[clock], &surroundings.zone, &mut findings);
    findings
}

fn same_unit(imported: &Imported, surroundings: &Surroundings) -> Result<(), Box<Fault>> {
    let basis = &imported.rows.basis;
    let fees = |prices: &str, fees: Option<&str>| {
        fees.map_or_else(|| prices.split('/').next().unwrap_or("").trim().to_owned(), str::to_owned)
    };
    let theirs = surroundings.prices.as_deref().unwrap_or("");
    let differs = surroundings.currency != Some(basis.currency)
        || theirs != basis.unit
        || fees(theirs, surroundings.fees.as_deref()) != fees(&basis.unit, Some(&basis.fees));
    if !differs {
        return Ok(());
    }
    let currency = surroundings.currency.map_or_else(|| "no currency".to_owned(), |currency| currency.to_string());
    let message = format!(
        "the tariff is in {currency}, prices {theirs}; the import is in {}, prices {}, fees {}",
        basis.currency, basis.unit, basis.fees
    );
    let help = "import into a tariff of the same currency and units, or make a new tariff of it";
    Err(Box::new(Fault::new("import.into_differs", message, help)))
}

fn conditions_of(origin: Option<u16>, conditions: &super::offer::Conditions, imported: &Imported) -> String {
    let zone = origin.and_then(|at| imported.rows.zones.get(usize::from(at)));
    let prefixes: String = zone
        .map_or_else(String::new, |zone| zone.prefixes.iter().map(ToString::to_string).collect::<Vec<_>>().join(";"));
    ours::conditions_text(|name| match name {
        "origin" => prefixes.as_str(),
        "direction" => conditions.direction,
        "caller_type" => conditions.caller_type,
        "only_class" => conditions.only_class,
        _ => "",
    })
}

impl Work<'_> {
    /// The keys of a new row that are not in the deck as they are; what they replace is ended.
    fn put(&mut self, row: &DeckRow, cells: &CellMap, begin: When, surroundings: &Surroundings) -> Vec<Key> {
        let get = |name: &str| cells.iter().find(|(have, _)| have == name).map_or("", |(_, text)| text.as_str());
        let columns: Vec<String> = cells.iter().map(|(name, _)| name.clone()).collect();
        let terms = OurTerms::read(&columns, get, surroundings);
        let conditions = ours::conditions_text(get);
        let at = begin.in_zone(&surroundings.zone);
        let until = row.until.map_or(Instant::MAX, |until| until.in_zone(&surroundings.zone));
        let mut fresh = Vec::new();
        for key in &row.keys {
            let place = (key.clone(), conditions.clone());
            let shown = shown(&place);
            let old = self.index.get(&place).cloned().unwrap_or_default();
            let in_force = old.iter().copied().find(|old| {
                let old = &self.deck.rows[*old];
                old.begins <= at && at < old.ends
            });
            let later = old.iter().copied().find(|old| {
                let old = &self.deck.rows[*old];
                old.begins > at && old.begins < until
            });
            self.named.insert(place);
            if until <= at {
                // Over before the import begins: nothing that could still be charged.
                continue;
            }
            if let Some(later) = later {
                let from = self.deck.rows[later]
                    .from
                    .map_or_else(String::new, |when| write::when_text(when, &surroundings.zone));
                let message = format!("the deck has a row for `{shown}` from {from} on already");
                let help = "end or remove that row, or import with a later `--from`";
                self.refused.push(Fault::new("import.later_row", message, help));
                continue;
            }
            let before = in_force.map(|old| &self.deck.rows[old]);
            let same = before.is_some_and(|old| old.terms == terms && old.ends == until);
            if !same && before.is_some_and(|old| old.begins == at) {
                let message = format!("the deck has another row for `{shown}` from the same day on");
                let help = "correct that row by hand: an import ends old rows, it does not change them";
                self.refused.push(Fault::new("import.later_row", message, help));
                continue;
            }
            self.comparison.add(shown, &row.destination, before.map(|old| &old.terms), Some(&terms));
            if same {
                continue;
            }
            if let Some(old) = in_force {
                self.ended.entry(old).or_default().insert(key.clone(), (at, begin));
            }
            fresh.push(key.clone());
        }
        fresh
    }

    fn close(&mut self, key: &Key, conditions: String, at: When, surroundings: &Surroundings) {
        let instant = at.in_zone(&surroundings.zone);
        let place = (key.clone(), conditions);
        for old in self.index.get(&place).cloned().unwrap_or_default() {
            let row = &self.deck.rows[old];
            if row.begins < instant && instant < row.ends {
                self.comparison.add(shown(&place), &row.destination, Some(&row.terms), None);
                self.ended.entry(old).or_default().insert(key.clone(), (instant, at));
            }
        }
        self.named.insert(place);
    }

    fn not_named(&mut self, whole: bool, start: When, surroundings: &Surroundings) {
        let at = start.in_zone(&surroundings.zone);
        let left: Vec<(Key, String)> =
            self.index.keys().filter(|place| !self.named.contains(*place)).cloned().collect();
        for (key, conditions) in left {
            let place = (key.clone(), conditions.clone());
            let in_force = self.index.get(&place).into_iter().flatten().any(|old| {
                let old = &self.deck.rows[*old];
                old.begins <= at && at < old.ends
            });
            if whole {
                self.close(&key, conditions, start, surroundings);
            } else if in_force {
                self.comparison.not_named += 1;
            }
        }
    }
}

fn shown(place: &(Key, String)) -> String {
    if place.1.is_empty() { place.0.to_string() } else { format!("{} ({})", place.0, place.1) }
}

/// The deck's text with rows ended and rows added; every other byte stays.
fn edited(
    deck: &OurDeck,
    ended: &BTreeMap<usize, BTreeMap<Key, (Instant, When)>>,
    added: &[CellMap],
    surroundings: &Surroundings,
) -> String {
    let source = deck.table.source();
    let header = deck.table.header();
    let mut missing: Vec<String> = Vec::new();
    let wanted = added.iter().flatten().map(|(name, _)| name.as_str()).chain((!ended.is_empty()).then_some("until"));
    for name in wanted {
        if !header.iter().any(|have| have == name) && !missing.iter().any(|have| have == name) {
            missing.push(name.to_owned());
        }
    }
    let columns: Vec<&str> = header.iter().chain(&missing).map(String::as_str).collect();
    let mut text = String::with_capacity(source.text.len() + added.len() * 40);
    let mut done = 0;
    let last = header.last().map_or("", String::as_str);
    let end_of = |row: Row<'_>| row.label(row.column(last), "").span.end;
    if !missing.is_empty() {
        let names: String = missing.iter().map(|name| format!(",{name}")).collect();
        let end = header_end(&source.text);
        text.push_str(source.text.get(..end).unwrap_or(""));
        text.push_str(&names);
        done = end;
    }
    for (place, row) in deck.table.rows().enumerate() {
        let Some(ends) = ended.get(&place) else {
            if !missing.is_empty() {
                let end = end_of(row);
                text.push_str(source.text.get(done..end).unwrap_or(""));
                text.push_str(&",".repeat(missing.len()));
                done = end;
            }
            continue;
        };
        let (start, end) = (row.whole("").span.start, end_of(row));
        text.push_str(source.text.get(done..start).unwrap_or(""));
        done = end;
        // Keys that go on, then those that end, by their day; usually a row has one key.
        let mut parts: BTreeMap<Option<(Instant, When)>, Vec<Key>> = BTreeMap::new();
        for key in &deck.rows[place].keys {
            parts.entry(ends.get(key).copied()).or_default().push(key.clone());
        }
        let whole = parts.len() == 1;
        let mut lines = String::new();
        for (until, keys) in &parts {
            let cell = |name: &&str| -> String {
                match (*name, until) {
                    ("prefix", _) if !whole => write::keys_text(keys),
                    ("until", Some((_, when))) => write::when_text(*when, &surroundings.zone),
                    _ => row.cell(row.column(name)).to_owned(),
                }
            };
            let cells: Vec<String> = columns.iter().map(cell).collect();
            write::line(cells.iter().map(String::as_str), &mut lines);
        }
        text.push_str(lines.trim_end_matches('\n'));
    }
    text.push_str(source.text.get(done..).unwrap_or(""));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for row in added {
        let cell = |name: &&str| row.iter().find(|(have, _)| have == name).map_or("", |(_, text)| text.as_str());
        write::line(columns.iter().map(cell), &mut text);
    }
    text
}

/// Where the header's line ends: after comments and empty lines.
fn header_end(text: &str) -> usize {
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    for line in text.get(at..).unwrap_or("").split_inclusive('\n') {
        if !line.starts_with('#') && !line.trim().is_empty() {
            return at + line.trim_end_matches(['\r', '\n']).len();
        }
        at += line.len();
    }
    text.len()
}
