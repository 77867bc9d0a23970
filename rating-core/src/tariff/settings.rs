//! The settings file of a tariff version: everything but the rows.

mod time;

use std::sync::Arc;

use super::bands::Weeks;
use super::caller_zones::CallerZones;
use super::charge_settings::{self, BandNames, Charging};
use super::notation::{self, Fault, When};
use super::origin::Matching;
use super::vat::Vat;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::money::Currency;
use crate::number::NumberClass;
use crate::time::Zone;

/// Hands out the files that a settings file names, by their path relative to the project.
pub(super) type Loader<'l> = dyn FnMut(&str) -> Option<Arc<SourceText>> + 'l;

/// Whose clock bands, dates and holidays are read by.
#[derive(Clone, Debug)]
pub(super) enum Clock {
    /// That of the site where the call was made.
    Site,
    /// That of the operator.
    Operator,
    /// This one, wherever the call was made.
    Fixed(Box<Zone>),
    /// That of the caller, by these zones; that of the site for dates of versions and rows.
    Caller(Arc<CallerZones>),
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
    /// The sets of bands and the day types.
    pub(super) weeks: Weeks,
    pub(super) decks: Vec<Arc<SourceText>>,
    pub(super) matching: Matching,
    pub(super) vat: Option<Vat>,
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
    let (bands, weeks) = reader.bands();
    let decks = reader.decks();
    let fallback = reader.fallback();
    let charging = reader.charging(currency, &bands, &weeks);
    let matching = Matching::read(&section, reader.load, reader.findings);
    let begins = from.as_ref().map(|(when, label)| (when.date(), label.clone()));
    let vat = Vat::read(&section, currency, begins, reader.findings);
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
        weeks,
        decks,
        matching,
        vat,
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

    fn charging(&mut self, currency: Option<Currency>, bands: &[String], weeks: &Weeks) -> Charging {
        let Self { section, load, findings } = self;
        let names = BandNames { names: bands, weeks };
        let mut load = |name: &Spanned<String>, findings: &mut Findings| {
            Reader { section, load: &mut **load, findings }.load(
                name,
                "tariff.price_points_missing",
                "table of price points",
            )
        };
        charge_settings::read(section, currency, names, &mut load, findings)
    }
}

/// `name` as seen from the folder of `file`, without `.` and `..` where they can be resolved.
pub(super) fn beside(file: &str, name: &str) -> String {
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
