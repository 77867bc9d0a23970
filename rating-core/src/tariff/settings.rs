//! The settings file of a tariff version: everything but the rows.

use std::sync::Arc;

use super::bands::{BandLine, Days, Week};
use super::charge_settings::{self, BandNames, Charging};
use super::notation::{self, Fault, When};
use crate::finding::settings::{Section, Spanned};
use crate::finding::table::Table;
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::money::Currency;
use crate::number::NumberClass;
use crate::time::{Date, Zone};

/// Hands out the files that a settings file names, by their path relative to the project.
pub(super) type Loader<'l> = dyn FnMut(&str) -> Option<Arc<SourceText>> + 'l;

/// Whose clock bands, dates and holidays are read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// That of the site where the call was made.
    Site,
    /// That of the operator.
    Operator,
    /// This one, wherever the call was made.
    Fixed(Box<Zone>),
}

/// A settings file, read and checked; its decks are loaded but not yet read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) source: Arc<SourceText>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) currency: Currency,
    pub(super) clock: Clock,
    pub(super) from: (When, Label),
    pub(super) until: Option<(When, Label)>,
    /// How calls are charged.
    pub(super) charging: Charging,
    /// Bits of the protected classes that a shorter prefix may price, by their place in [`NumberClass::ALL`].
    pub(super) fallback: u16,
    pub(super) bands: Vec<String>,
    pub(super) week: Week,
    pub(super) decks: Vec<Arc<SourceText>>,
}

/// The bit of a class in [`Draft::fallback`].
pub(super) fn class_bit(class: NumberClass) -> u16 {
    NumberClass::ALL.iter().position(|have| *have == class).map_or(0, |place| 1 << place)
}

impl Fault {
    /// The finding of this fault at a place.
    pub(super) fn at(self, label: Label) -> Finding {
        Finding::error(self.code, self.message).at(label).help(self.help)
    }
}

/// Reads the file; `None` if it lacks what nothing else can be read without (id, currency, begin).
pub(super) fn read(source: &Arc<SourceText>, load: &mut Loader<'_>, findings: &mut Findings) -> Option<Draft> {
    let section = Section::parse(source, findings);
    let mut reader = Reader { section: &section, load, findings };
    let id = reader.id();
    let currency = reader.currency();
    let name = section.text("name", reader.findings).map(|name| name.value);
    let clock = reader.clock();
    let from = reader.from();
    let until = reader.when("until");
    let (bands, week) = reader.bands();
    let decks = reader.decks();
    let fallback = reader.fallback();
    let charging = reader.charging(currency, &bands);
    section.finish(findings);
    let (id, currency, from) = (id?, currency?, from?);
    Some(Draft {
        source: Arc::clone(source),
        name: name.unwrap_or_else(|| id.clone()),
        id,
        currency,
        clock,
        from,
        until,
        charging,
        fallback,
        bands,
        week,
        decks,
    })
}

struct Reader<'r, 'l> {
    section: &'r Section,
    load: &'r mut Loader<'l>,
    findings: &'r mut Findings,
}

impl Reader<'_, '_> {
    fn keep<T>(&mut self, text: &Spanned<String>, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.findings.push(fault.at(self.section.label(&text.span, "")));
                None
            }
        }
    }

    fn error(&mut self, text: &Spanned<String>, code: &'static str, message: String, help: impl Into<String>) {
        self.findings.push(Finding::error(code, message).at(self.section.label(&text.span, "")).help(help));
    }

    fn id(&mut self) -> Option<String> {
        let id = self.section.required_text("id", self.findings)?;
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.value.is_empty() || !id.value.chars().all(good) {
            let message = format!("`{}` cannot be the id of a tariff", id.value);
            self.error(&id, "tariff.bad_id", message, "use letters, digits, `-`, `_` and `.`, as in `retail-2026`");
            return None;
        }
        Some(id.value)
    }

    fn currency(&mut self) -> Option<Currency> {
        let text = self.section.required_text("currency", self.findings)?;
        let currency = Currency::parse(&text.value);
        if currency.is_none() {
            let message = format!("`{}` is not a currency code", text.value);
            self.error(&text, "tariff.bad_currency", message, "write the three capital letters of ISO 4217: `GBP`");
        }
        currency
    }

    fn clock(&mut self) -> Clock {
        let Some(text) = self.section.text("zone", self.findings) else { return Clock::Site };
        match text.value.as_str() {
            "site" => Clock::Site,
            "operator" => Clock::Operator,
            name => match Zone::load(name) {
                Some(zone) => Clock::Fixed(Box::new(zone)),
                None => {
                    let message = format!("`{name}` is not a time zone");
                    let help = "write `site`, `operator` or a name of the IANA database: `Europe/London`";
                    self.error(&text, "tariff.unknown_zone", message, help);
                    Clock::Site
                }
            },
        }
    }

    fn from(&mut self) -> Option<(When, Label)> {
        self.section.require("from", self.findings);
        self.when("from")
    }

    fn when(&mut self, key: &str) -> Option<(When, Label)> {
        let text = self.section.text(key, self.findings)?;
        let when = self.keep(&text, notation::when(&text.value))?;
        Some((when, self.section.label(&text.span, "")))
    }

    fn decks(&mut self) -> Vec<Arc<SourceText>> {
        let names = self.section.texts("decks", self.findings);
        self.section.require("decks", self.findings);
        names.iter().filter_map(|name| self.load(name, "tariff.deck_missing", "deck")).collect()
    }

    fn load(&mut self, name: &Spanned<String>, code: &'static str, what: &str) -> Option<Arc<SourceText>> {
        let path = beside(&self.section.source().name, &name.value);
        let file = (self.load)(&path);
        if file.is_none() {
            let message = format!("{what} `{path}` cannot be read");
            self.error(name, code, message, "paths are relative to the folder of this file");
        }
        file
    }

    fn fallback(&mut self) -> u16 {
        let mut bits = 0;
        for text in self.section.texts("fallback", self.findings) {
            match NumberClass::from_name(&text.value) {
                Some(class) if class.is_protected() => bits |= class_bit(class),
                _ => {
                    let protected = || NumberClass::ALL.into_iter().filter(|class| class.is_protected());
                    let names: Vec<&str> = protected().map(NumberClass::name).collect();
                    let message = format!("`{}` is not a protected class", text.value);
                    let help = match did_you_mean(&text.value, names.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("protected classes: {}; others need no permission", names.join(", ")),
                    };
                    self.error(&text, "tariff.class_not_protected", message, help);
                }
            }
        }
        bits
    }

    fn charging(&mut self, currency: Option<Currency>, bands: &[String]) -> Charging {
        let Self { section, load, findings } = self;
        let names = BandNames { names: bands, sets: &[String::new()], in_set: &|_, _| true };
        let mut load = |name: &Spanned<String>, findings: &mut Findings| {
            Reader { section, load: &mut **load, findings }.load(
                name,
                "tariff.price_points_missing",
                "table of price points",
            )
        };
        charge_settings::read(section, currency, names, &mut load, findings)
    }

    fn bands(&mut self) -> (Vec<String>, Week) {
        let holidays = self.holidays();
        let one = || (vec!["all".to_owned()], Week::all_one());
        let Some(table) = self.section.table("bands", self.findings) else { return one() };
        let mut names = Vec::new();
        let mut lines = Vec::new();
        let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
        let mut sound = !keys.is_empty() && keys.len() <= usize::from(u8::MAX);
        for key in &keys {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
            if !key.value.chars().all(good) || key.value.is_empty() {
                sound = false;
                let message = format!("`{}` cannot be the name of a band", key.value);
                let help = "use small letters, digits, `-` and `_`: a deck has the column `price_<band>`";
                self.error(key, "tariff.bad_band", message, help);
            }
            let band = u8::try_from(names.len()).unwrap_or(u8::MAX);
            names.push(key.value.clone());
            for text in table.texts(&key.value, self.findings) {
                match self.keep(&text, notation::band_times(&text.value)) {
                    Some(times) => lines.push(BandLine { band, times, label: table.label(&text.span, "") }),
                    None => sound = false,
                }
            }
        }
        let place = table.label(&table.span(), "");
        if keys.is_empty() || keys.len() > usize::from(u8::MAX) {
            let message = format!("a tariff has 1 to 255 bands, not {}", keys.len());
            self.findings.push(
                Finding::error("tariff.bad_band", message).at(place.clone()).help("leave `[bands]` out for one band"),
            );
        }
        table.finish(self.findings);
        if !sound {
            // Gaps that a band in need of mending leaves are no news.
            return (names, Week::all_one());
        }
        let names_holiday = lines.iter().any(|line| line.times.days & (1 << notation::HOLIDAY) != 0);
        let (days, known) = holidays;
        if names_holiday && known.is_none() {
            let finding = Finding::error("tariff.holidays_missing", "a band is for holidays, and no day is a holiday");
            let help = "add `[holidays]` with `calendar = [\"….csv\"]` or `dates = [\"2026-12-25\"]`";
            self.findings.push(finding.at(place.clone()).help(help));
        }
        if let Some(label) = known.filter(|_| !names_holiday) {
            let message = "no band names `holiday`, so holidays are the weekday they fall on";
            let help =
                "add `holiday` to a band, as in `weekend = [\"sat-sun\", \"holiday\"]`, or leave `[holidays]` out";
            self.findings.push(Finding::warning("tariff.holidays_unused", message).at(label).help(help));
        }
        let week = Week::compile(&lines, &names, days, &place, self.findings);
        (names, week)
    }

    /// The days, and where they are given, if they are.
    fn holidays(&mut self) -> (Days, Option<Label>) {
        let Some(table) = self.section.table("holidays", self.findings) else { return (Days::default(), None) };
        let mut dates = Vec::new();
        for text in table.texts("dates", self.findings) {
            dates.extend(self.keep(&text, notation::date(&text.value)));
        }
        for name in table.texts("calendar", self.findings) {
            if let Some(file) = self.load(&name, "tariff.calendar_missing", "calendar") {
                read_calendar(&file, &mut dates, self.findings);
            }
        }
        let label = table.label(&table.span(), "");
        table.finish(self.findings);
        (Days::new(&dates), Some(label))
    }
}

fn read_calendar(file: &Arc<SourceText>, dates: &mut Vec<Date>, findings: &mut Findings) {
    let table = Table::read(file, &["date"], &["name"], findings);
    let column = table.column("date");
    for row in table.rows() {
        if let Some(text) = row.required(column, findings) {
            match notation::date(text) {
                Ok(date) => dates.push(date),
                Err(fault) => findings.push(fault.at(row.label(column, ""))),
            }
        }
    }
}

/// `name` as seen from the folder of `file`, without `.` and `..` where they can be resolved.
fn beside(file: &str, name: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if folder.starts_with('/') { format!("/{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn files_are_named_from_the_folder_of_the_file_that_names_them() {
        for (file, name, path) in [
            ("retail.toml", "retail.csv", "retail.csv"),
            ("tariffs/retail.toml", "retail.csv", "tariffs/retail.csv"),
            ("tariffs/retail.toml", "../calendars/gb.csv", "calendars/gb.csv"),
            ("tariffs/retail.toml", "./a/b.csv", "tariffs/a/b.csv"),
        ] {
            assert_eq!(beside(file, name), path);
        }
    }
}
