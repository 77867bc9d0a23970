//! How a tariff charges, as its settings say it: terms of the rows' own usage, named charges, price points.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DestinationKey;
use super::bands::Weeks;
use super::charge::{
    AfterCap, Boundary, Cap, Component, Increments, MinimumStage, Overrun, Roundings, Step, Tag, Terms,
};
use super::deck::unknown_band_set;
use super::notation::{self, Fault, MILLION, MoneyUnit, PriceUnit};
use crate::finding::settings::{Section, Spanned};
use crate::finding::table::Table;
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::money::{Currency, Price, Rounding, Rule};
use crate::number::{Digits, Direction};
use crate::time::Duration;

/// How calls are charged by this version of a tariff.
#[derive(Clone, Debug)]
pub(super) struct Charging {
    pub(super) units: Units,
    /// First and further increment of rows that name none.
    pub(super) increments: Increments,
    /// Terms of the rows' own usage.
    pub(super) terms: Terms,
    pub(super) connection: Price,
    pub(super) minimum: Price,
    pub(super) maximum: Option<Price>,
    pub(super) minimum_stage: MinimumStage,
    pub(super) boundary: Boundary,
    pub(super) overrun: Overrun,
    /// Whether a change of version during a call splits it.
    pub(super) splits_at_versions: bool,
    pub(super) roundings: Roundings,
    /// Share of the plain price in each band, in millionths, where it has one.
    pub(super) percents: Vec<Option<i64>>,
    /// Named charges and price points.
    pub(super) components: Vec<Component>,
    /// Where each of them stands.
    pub(super) component_places: Vec<Label>,
    /// Surcharges in the order of their names.
    pub(super) surcharges: Vec<SurchargeDraft>,
}

impl Charging {
    /// Whether bands cut a call of which only the end is rounded.
    pub(super) fn splits_and_rounds_the_end(&self) -> bool {
        self.boundary == Boundary::Split && self.overrun == Overrun::End
    }
}

/// A surcharge as it is read: its condition is compiled with those of the rows.
#[derive(Clone, Debug)]
pub(super) struct SurchargeDraft {
    pub(super) component: Component,
    /// Whether it is added after the call is rounded.
    pub(super) after_rounding: bool,
    pub(super) direction: Option<Direction>,
    /// Prefixes of called numbers.
    pub(super) destinations: Vec<Digits>,
    /// Texts of the conditions that rows may have, too, in the order of their columns.
    pub(super) conditions: [String; 6],
    pub(super) place: Label,
}

/// More surcharges than a tariff can have.
const MOST_SURCHARGES: usize = 64;

/// Most named charges that a tariff can have, price points included.
const MOST_CHARGES: usize = u16::MAX as usize;

/// What bare numbers mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) currency: Currency,
    pub(super) prices: Option<PriceUnit>,
    pub(super) fees: Option<MoneyUnit>,
}

impl Units {
    fn fee(self, text: &str) -> Result<Price, Fault> {
        notation::fee(text, self.currency, self.fees)
    }

    /// A price of a named charge: never a mark-up.
    fn rate(self, text: &str) -> Result<(Price, Duration), Fault> {
        notation::price(text, self.currency, self.prices)
    }
}

/// The bands that prices may name.
#[derive(Clone, Copy)]
pub(super) struct BandNames<'b> {
    /// Of the version, each once.
    pub(super) names: &'b [String],
    /// The sets that they are in.
    pub(super) weeks: &'b Weeks,
}

impl BandNames<'_> {
    fn index(self, name: &str) -> Option<usize> {
        self.names.iter().position(|have| have == name)
    }
}

fn too_many_charges() -> Finding {
    Finding::error("tariff.bad_charge", format!("a tariff has at most {MOST_CHARGES} charges, price points included"))
        .help("leave out those that no row names")
}

/// Hands out a file that a key names, or reports that it cannot be read.
pub(super) type Load<'l> = dyn FnMut(&Spanned<String>, &mut Findings) -> Option<Arc<SourceText>> + 'l;

/// Reads the charging keys of a settings file. `load` is asked for the files that it names.
pub(super) fn read(
    section: &Section,
    currency: Option<Currency>,
    bands: BandNames<'_>,
    load: &mut Load<'_>,
    findings: &mut Findings,
) -> Charging {
    // Without a currency nothing can be said about money, but the keys are known and the times are read.
    let known = currency.is_some();
    let currency = currency.unwrap_or(Currency::NONE);
    let mut units = Units { currency, prices: None, fees: None };
    let mut quiet = Findings::default();
    let mut keys = Keys { section, units, bands, findings: if known { findings } else { &mut quiet } };
    units.prices = keys.read("prices", |_, text| notation::price_unit(text, currency));
    units.fees = keys.read("fees", |_, text| notation::fee_unit(text, currency));
    units.fees = units.fees.or(units.prices.map(|unit| unit.money));
    keys.units = units;

    let boundary = keys.boundary();
    let (usage, component, roundings) = keys.roundings(&["usage", "component", "call", "bill"]);
    let terms = keys.terms(&Terms { usage_rounding: usage, rounding: component, ..Terms::default() }, true);
    let increments = keys.read("increments", |_, text| notation::increments(text)).unwrap_or(SECONDS);
    let mut charging = Charging {
        units,
        increments,
        connection: keys.fee("connection_charge").unwrap_or_default(),
        minimum: keys.fee("minimum_charge").unwrap_or_default(),
        maximum: keys.fee("maximum_charge"),
        minimum_stage: keys.choice("minimum_stage", &MinimumStage::ALL.map(|stage| (stage.name(), stage))),
        boundary: boundary.0,
        overrun: boundary.1,
        splits_at_versions: keys.choice("version_change", &[("start", false), ("split", true)]),
        roundings,
        percents: keys.percents(),
        terms,
        components: Vec::new(),
        component_places: Vec::new(),
        surcharges: Vec::new(),
    };
    if let Some(table) = section.table("charges", keys.findings) {
        let names: Vec<Spanned<String>> = table.keys().cloned().collect();
        for name in names {
            let Some(charge) = table.table(&name.value, keys.findings) else { continue };
            let place = charge.label(&charge.span(), "");
            if charging.components.len() == MOST_CHARGES {
                keys.findings.push(too_many_charges().at(place));
                break;
            }
            let mut own = Keys { section: &charge, units, bands, findings: keys.findings };
            own.check_name(&name, &table);
            let component = own.component(&name.value, &charging, Tag::Usage);
            charge.finish(keys.findings);
            if let Some(component) = component {
                charging.components.push(component);
                charging.component_places.push(place);
            }
        }
        table.finish(keys.findings);
    }
    if let Some(table) = section.table("surcharges", keys.findings) {
        let names: Vec<Spanned<String>> = table.keys().cloned().collect();
        for (place, name) in names.into_iter().enumerate() {
            let Some(charge) = table.table(&name.value, keys.findings) else { continue };
            let mut own = Keys { section: &charge, units, bands, findings: keys.findings };
            own.check_name(&name, &table);
            if place == MOST_SURCHARGES {
                let message = format!("a tariff has at most {MOST_SURCHARGES} surcharges");
                let help = "let one surcharge hold for several origins or classes";
                own.findings
                    .push(Finding::error("tariff.bad_charge", message).at(charge.label(&charge.span(), "")).help(help));
            }
            let surcharge = own.surcharge(&name.value, &charging);
            charge.finish(keys.findings);
            charging.surcharges.extend(surcharge);
        }
        table.finish(keys.findings);
    }
    if let Some(file) = section.text("price_points", keys.findings)
        && let Some(source) = load(&file, keys.findings)
    {
        price_points(&source, &mut charging, bands.names.len(), keys.findings);
    }
    charging
}

/// Steps, their prices, and the first increment if the first step names it.
type Steps = (Vec<Step>, Vec<i64>, Option<Option<Duration>>);

/// Per second: where nothing is said.
const SECONDS: Increments = (Some(Duration::from_seconds(1)), Some(Duration::from_seconds(1)));

/// Keys of a table: the file itself, or one named charge.
struct Keys<'k, 'f> {
    section: &'k Section,
    units: Units,
    bands: BandNames<'k>,
    findings: &'f mut Findings,
}

impl Keys<'_, '_> {
    fn error(&mut self, text: &Spanned<String>, code: &'static str, message: String, help: impl Into<String>) {
        self.findings.push(Finding::error(code, message).at(self.section.label(&text.span, "")).help(help));
    }

    fn keep<T>(&mut self, text: &Spanned<String>, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.findings.push(fault.at(self.section.label(&text.span, "")));
                None
            }
        }
    }

    fn read<T>(&mut self, key: &str, read: impl Fn(Units, &str) -> Result<T, Fault>) -> Option<T> {
        let text = self.section.text(key, self.findings)?;
        let value = read(self.units, &text.value);
        self.keep(&text, value)
    }

    fn fee(&mut self, key: &str) -> Option<Price> {
        self.read(key, Units::fee)
    }

    fn choice<T: Copy + Default>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        let Some(text) = self.section.text(key, self.findings) else { return T::default() };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text.value) {
            return *choice;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let help = match did_you_mean(&text.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("choices: `{}`", names.join("`, `")),
        };
        self.error(&text, "tariff.unknown_choice", format!("`{}` is no choice for `{key}`", text.value), help);
        T::default()
    }

    fn boundary(&mut self) -> (Boundary, Overrun) {
        const UNIT: (Boundary, Overrun) = (Boundary::Split, Overrun::Next);
        let choices =
            [("start", (Boundary::Start, Overrun::End)), ("split", (Boundary::Split, Overrun::End)), ("unit", UNIT)];
        let written = self.section.text("boundary", self.findings);
        let chosen = self.choice("boundary", &choices);
        let overrun = self.choice("overrun", &Overrun::ALL.map(|overrun| (overrun.name(), Some(overrun))));
        match overrun {
            None => chosen,
            Some(overrun) if chosen == UNIT && overrun != Overrun::Next => {
                if let Some(text) = written {
                    let message = format!("`boundary = \"unit\"` means `overrun = \"next\"`, not `{}`", overrun.name());
                    let help = "leave `overrun` out, or write `boundary = \"split\"`";
                    self.error(&text, "tariff.unknown_choice", message, help);
                }
                chosen
            }
            Some(overrun) => (chosen.0, overrun),
        }
    }

    /// The terms of a charge; what it does not say is as in `default`.
    fn terms(&mut self, default: &Terms, with_roundings: bool) -> Terms {
        let mut terms = default.clone();
        if let Some(rounding) = self.read("duration_rounding", |_, text| notation::duration_rounding(text)) {
            terms.duration_rounding = rounding;
        }
        for (key, value) in [
            ("free_below", &mut terms.free_below),
            ("subtract", &mut terms.subtract),
            ("minimum_duration", &mut terms.minimum_duration),
        ] {
            if let Some(length) = self.read(key, |_, text| notation::length(text)) {
                *value = length;
            }
        }
        if let Some(cap) = self.cap() {
            terms.cap = Some(cap);
        }
        if !with_roundings && self.section.has("rounding") {
            let (usage, component, _) = self.roundings(&["usage", "component"]);
            (terms.usage_rounding, terms.rounding) = (usage, component);
        }
        terms
    }

    fn cap(&mut self) -> Option<Cap> {
        let table = self.section.table("cap", self.findings)?;
        let mut keys = Keys { section: &table, units: self.units, bands: self.bands, findings: self.findings };
        keys.section.require("charge", keys.findings);
        let charge = keys.fee("charge");
        let window = keys.read("window", |_, text| notation::length(text));
        let then = keys.read("then", |units, text| match text {
            "price" => Ok(AfterCap::Price),
            "free" => Ok(AfterCap::Free),
            "whole" => Ok(AfterCap::Whole),
            price => units.rate(price).map(|(price, per)| AfterCap::At(price, per)),
        });
        if then.is_some() && window.is_none() {
            let label = table.label(&table.span(), "");
            let finding = Finding::error("tariff.cap_without_window", "a cap without a window has no time after it");
            keys.findings.push(finding.at(label).help("add `window = \"60min\"`, or leave `then` out"));
        }
        table.finish(self.findings);
        Some(Cap { charge: charge?, window, then: then.unwrap_or_default() })
    }

    /// Roundings of the stages that may be named here: usage, component, all of them.
    fn roundings(&mut self, stages: &[&str]) -> (Option<Rounding>, Option<Rounding>, Roundings) {
        const HELP: &str =
            "write `rounding = \"none\"` or `rounding = { stage = \"call\", rule = \"up\", step = \"1p\" }`";
        let mut roundings = Roundings::default();
        if let Some(text) = self.word("rounding") {
            if text.value != "none" {
                self.error(&text, "tariff.bad_rounding", format!("`{}` is not a rounding", text.value), HELP);
            }
            return (None, None, roundings);
        }
        let mut seen: Vec<String> = Vec::new();
        for table in self.section.tables("rounding", self.findings) {
            let stage = table.required_text("stage", self.findings);
            let rule = table.required_text("rule", self.findings);
            let step = table.required_text("step", self.findings);
            let mut own = Keys { section: &table, units: self.units, bands: self.bands, findings: self.findings };
            let rule = rule.and_then(|text| {
                let rule = Rule::from_name(&text.value);
                if rule.is_none() {
                    let names = Rule::ALL.map(Rule::name).join("`, `");
                    let message = format!("`{}` is not a rule of rounding", text.value);
                    own.error(&text, "tariff.bad_rounding", message, format!("rules: `{names}`"));
                }
                rule
            });
            let currency = own.units.currency;
            let step = step.and_then(|text| own.keep(&text, notation::step(&text.value, currency)));
            let rounding = rule.zip(step).map(|(rule, step)| Rounding { rule, step });
            if let Some(stage) = stage {
                if !stages.contains(&stage.value.as_str()) {
                    let message = format!("`{}` is not a stage of rounding here", stage.value);
                    own.error(&stage, "tariff.bad_rounding", message, format!("stages: `{}`", stages.join("`, `")));
                } else if seen.contains(&stage.value) {
                    let message = format!("the stage `{}` is rounded twice", stage.value);
                    own.error(&stage, "tariff.bad_rounding", message, "a stage has one rounding");
                }
                match stage.value.as_str() {
                    "usage" => roundings.usage = rounding,
                    "component" => roundings.component = rounding,
                    "bill" => roundings.bill = rounding,
                    _ => roundings.call = rounding,
                }
                seen.push(stage.value);
            }
            table.finish(self.findings);
        }
        (roundings.usage, roundings.component, roundings)
    }

    /// The text of a key that may also be a table or a list of them.
    fn word(&mut self, key: &str) -> Option<Spanned<String>> {
        if self.section.is_text(key) { self.section.text(key, self.findings) } else { None }
    }

    fn percents(&mut self) -> Vec<Option<i64>> {
        let mut percents = vec![None; self.bands.names.len()];
        let Some(table) = self.section.table("band_percent", self.findings) else { return percents };
        for key in table.keys().cloned().collect::<Vec<_>>() {
            let Some(text) = table.text(&key.value, self.findings) else { continue };
            let mut own = Keys { section: &table, units: self.units, bands: self.bands, findings: self.findings };
            match (own.bands.index(&key.value), notation::percent(&text.value)) {
                (Some(band), Some(percent)) => percents[band] = Some(percent),
                (None, _) => own.unknown_band(&key),
                (_, None) => {
                    let message = format!("`{}` is not a percentage", text.value);
                    own.error(&text, "tariff.bad_percent", message, "write `40%`; at most four decimals");
                }
            }
        }
        table.finish(self.findings);
        percents
    }

    fn unknown_band(&mut self, key: &Spanned<String>) {
        let names = self.bands.names.iter().map(String::as_str);
        let help = match did_you_mean(&key.value, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("bands of this tariff: `{}`", self.bands.names.join("`, `")),
        };
        self.error(key, "tariff.unknown_band", format!("`{}` is not a band of this tariff", key.value), help);
    }

    /// A text, or a table from band to text, read for each band of `set`; a band that the table leaves out takes its
    /// share of the plain price, if it has one.
    fn by_band<T: Copy>(
        &mut self,
        key: &str,
        set: u8,
        read: impl Fn(Units, &str) -> Result<T, Fault>,
        share: impl Fn(T, usize) -> Result<Option<T>, Fault>,
    ) -> Option<Vec<Option<T>>> {
        let bands = self.bands.names.len();
        if !self.section.is_table(key) {
            let text = self.section.text(key, self.findings)?;
            let value = read(self.units, &text.value);
            let value = self.keep(&text, value)?;
            let mut all = Vec::with_capacity(bands);
            for band in 0..bands {
                let shared = share(value, band);
                all.push(self.keep(&text, shared)?.or(Some(value)));
            }
            return Some(all);
        }
        let table = self.section.table(key, self.findings)?;
        let mut all = vec![None; bands];
        for band in table.keys().cloned().collect::<Vec<_>>() {
            let Some(text) = table.text(&band.value, self.findings) else { continue };
            let mut own = Keys { section: &table, units: self.units, bands: self.bands, findings: self.findings };
            let value = own.keep(&text, read(own.units, &text.value));
            match own.bands.index(&band.value) {
                Some(index) => all[index] = value,
                None => own.unknown_band(&band),
            }
        }
        let place = table.label(&table.span(), "");
        table.finish(self.findings);
        for (index, value) in all.iter().enumerate() {
            let band = u8::try_from(index).unwrap_or(u8::MAX);
            if value.is_none() && self.bands.weeks.has_band(set, band) {
                let message = format!("`{key}` has no value for band `{}`", self.bands.names[index]);
                let help = "name every band of the set, or write one value for all";
                self.findings.push(Finding::error("tariff.price_missing", message).at(place.clone()).help(help));
            }
        }
        Some(all)
    }

    fn check_name(&mut self, name: &Spanned<String>, table: &Section) {
        let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.value.is_empty() || !name.value.chars().all(good) {
            let message = format!("`{}` cannot be the name of a charge", name.value);
            let help = "use letters, digits, `-`, `_` and `.`: rows name it in a list joined by `+`";
            let label = table.label(&name.span, "");
            self.findings.push(Finding::error("tariff.bad_charge", message).at(label).help(help));
        }
    }

    /// A named charge. What it does not say about increments and talk time is as for the rows of the tariff.
    pub(super) fn component(&mut self, name: &str, charging: &Charging, tag: Tag) -> Option<Component> {
        let tag = match self.section.text("tag", self.findings) {
            None => tag,
            Some(text) => match Tag::from_name(&text.value) {
                Some(tag) => tag,
                None => {
                    let message = format!("`{}` is not a kind of charge", text.value);
                    let help = format!("kinds: `{}`", Tag::ALL.map(Tag::name).join("`, `"));
                    self.error(&text, "tariff.unknown_choice", message, help);
                    tag
                }
            },
        };
        let band_set = self.band_set();
        let defaults = &charging.terms;
        let terms = self.terms(
            &Terms {
                duration_rounding: defaults.duration_rounding,
                free_below: defaults.free_below,
                subtract: defaults.subtract,
                usage_rounding: defaults.usage_rounding,
                rounding: defaults.rounding,
                ..Terms::default()
            },
            false,
        );
        let percents = self.percents();
        let (first, further) =
            self.read("increments", |_, text| notation::increments(text)).unwrap_or(charging.increments);
        let (steps, words, own_first) = self.steps(band_set, &percents, further)?;
        let first = own_first.unwrap_or(first);
        let by_unit = first.is_none() || steps.iter().any(|step| step.further.is_none());
        let mut of_steps = words.chunks(2 * self.bands.names.len().max(1));
        if by_unit
            && charging.splits_and_rounds_the_end()
            && of_steps.any(|rates| units_differ(self.bands.weeks, band_set, rates))
        {
            let label = self.section.label(&self.section.span(), "");
            self.findings.push(units_need_overrun().at(label));
        }
        let connection = self.by_band("connection_charge", band_set, Units::fee, |_, _| Ok(None));
        if connection.is_none() && tag == Tag::Usage && charging.connection > Price::ZERO {
            let message = format!("the tariff's connection charge is not due for rows of the charge `{name}` alone");
            let help = format!(
                "write `connection_charge` here: the amount, or `\"0 {}\"` if there is none",
                self.units.currency
            );
            let label = self.section.label(&self.section.span(), "");
            self.findings.push(Finding::warning("tariff.charge_without_connection", message).at(label).help(help));
        }
        let connection: Vec<Price> = match connection {
            None => vec![Price::ZERO],
            Some(all) if all.iter().all(|price| *price == all[0]) => vec![all[0].unwrap_or_default()],
            Some(all) => all.into_iter().map(Option::unwrap_or_default).collect(),
        };
        let (minimum, maximum) = (self.fee("minimum_charge").unwrap_or_default(), self.fee("maximum_charge"));
        Some(Component {
            name: name.into(),
            tag,
            terms,
            band_set,
            first,
            steps: steps.into(),
            words: words.into(),
            connection: connection.into(),
            minimum,
            maximum,
        })
    }

    /// A charge on top, and when it is due.
    fn surcharge(&mut self, name: &str, charging: &Charging) -> Option<SurchargeDraft> {
        let component = self.component(name, charging, Tag::Surcharge);
        let after_rounding = self.section.boolean("after_rounding", self.findings).is_some_and(|after| after.value);
        self.section.require("when", self.findings);
        let when = self.section.table("when", self.findings)?;
        let place = when.label(&when.span(), "");
        let mut own = Keys { section: &when, units: self.units, bands: self.bands, findings: self.findings };
        let list = |own: &mut Keys<'_, '_>, key: &str| -> String {
            let texts = own.section.texts(key, own.findings);
            texts.iter().map(|text| text.value.as_str()).collect::<Vec<_>>().join(";")
        };
        let conditions =
            ["origin", "jurisdiction", "caller_type", "trunk", "class", "length"].map(|key| list(&mut own, key));
        let mut destinations = Vec::new();
        for text in own.section.texts("destination", own.findings) {
            let mut keys = Vec::new();
            let read = notation::keys(&text.value, &mut keys);
            if own.keep(&text, read).is_none() {
                continue;
            }
            for key in &keys {
                match key {
                    DestinationKey::Prefix(digits) => destinations.push(*digits),
                    _ => {
                        let message = format!("`{}` is not a prefix of numbers", text.value);
                        own.error(
                            &text,
                            "tariff.bad_prefix",
                            message,
                            "a surcharge goes by prefixes: `44`, `4474-4479`",
                        );
                    }
                }
            }
        }
        let directions = [Direction::Outbound, Direction::Inbound, Direction::Internal].map(Some);
        let direction =
            own.choice("direction", &[("out", directions[0]), ("in", directions[1]), ("internal", directions[2])]);
        when.finish(self.findings);
        if direction.is_none() && destinations.is_empty() && conditions.iter().all(String::is_empty) {
            let message = "the surcharge does not say when it is due";
            let help = "write for example `when = { origin = [\"missing\"] }`; what is always due belongs to the rows";
            self.findings.push(Finding::error("tariff.bad_charge", message).at(place.clone()).help(help));
            return None;
        }
        Some(SurchargeDraft { component: component?, after_rounding, direction, destinations, conditions, place })
    }

    fn band_set(&mut self) -> u8 {
        let Some(text) = self.section.text("bands", self.findings) else { return 0 };
        let set = self.bands.weeks.set(&text.value);
        if set.is_none() {
            let fault = unknown_band_set(&text.value, self.bands.weeks);
            self.findings.push(fault.at(self.section.label(&text.span, "")));
        }
        set.unwrap_or(0)
    }

    /// The steps and their prices; a plain `price` is one step.
    fn steps(&mut self, set: u8, percents: &[Option<i64>], further: Option<Duration>) -> Option<Steps> {
        let has_steps = self.section.has("steps");
        if has_steps && self.section.has("price") {
            let label = self.section.label(&self.section.span(), "");
            let finding = Finding::error("tariff.bad_steps", "a charge has a price or steps, not both");
            self.findings.push(finding.at(label).help("move the price into the step that begins at `0s`"));
        }
        if !has_steps {
            let (rates, charge) = self.step_prices(set, percents)?;
            return Some((vec![Step { from: Duration::ZERO, charge, further }], rates, None));
        }
        let (mut steps, mut words): (Vec<Step>, Vec<i64>) = (Vec::new(), Vec::new());
        let (mut sound, mut own_first) = (true, None);
        for table in self.section.tables("steps", self.findings) {
            let place = table.label(&table.span(), "");
            table.require("from", self.findings);
            let mut own = Keys { section: &table, units: self.units, bands: self.bands, findings: self.findings };
            let from = own.read("from", |_, text| notation::length(text));
            let increments = own.read("increments", |_, text| notation::increments(text));
            let prices = own.step_prices(set, &[]);
            table.finish(self.findings);
            let (Some(from), Some((rates, charge))) = (from, prices) else {
                sound = false;
                continue;
            };
            let rising = steps.last().map_or(from == Duration::ZERO, |last| last.from < from);
            if !rising {
                sound = false;
                let (message, help) = if steps.is_empty() {
                    ("the first step begins at the answer", "write `from = \"0s\"` in the first step")
                } else {
                    ("steps stand in the order in which a call reaches them", "sort the steps by `from`")
                };
                self.findings.push(Finding::error("tariff.bad_steps", message).at(place).help(help));
            }
            if steps.is_empty() {
                own_first = increments.map(|(first, _)| first);
            }
            steps.push(Step { from, charge, further: increments.map_or(further, |(_, further)| further) });
            words.extend(rates);
        }
        (sound && !steps.is_empty()).then_some((steps, words, own_first))
    }

    /// The prices of one step by band, and what is due once when a call gets there.
    fn step_prices(&mut self, set: u8, percents: &[Option<i64>]) -> Option<(Vec<i64>, Price)> {
        let charge = self.fee("charge").unwrap_or_default();
        let bands = self.bands.names.len();
        if !self.section.has("price") {
            return Some(((0..bands).flat_map(|_| [0, 60_000]).collect(), charge));
        }
        let share = |(price, per): (Price, Duration), band: usize| match percents.get(band).copied().flatten() {
            None => Ok(None),
            Some(percent) => share_of(price, percent).map(|price| Some((price, per))),
        };
        let prices = self.by_band("price", set, Units::rate, share)?;
        let words = prices.into_iter().flat_map(|rate| {
            let (price, per) = rate.unwrap_or((Price::ZERO, Duration::from_seconds(60)));
            [price.units(), per.as_millis()]
        });
        Some((words.collect(), charge))
    }
}

/// Whether the bands of a set have units of different length. `rates` are prices and their times, band by band.
pub(super) fn units_differ(weeks: &Weeks, set: u8, rates: &[i64]) -> bool {
    let of_set = rates.chunks_exact(2).zip(0..).filter(|(_, band)| weeks.has_band(set, *band));
    let mut lengths = of_set.filter_map(|(rate, _)| rate.get(1));
    let first = lengths.next();
    lengths.any(|length| Some(length) != first)
}

/// Where bands have units of different length, rounding up the end alone says nothing.
pub(super) fn units_need_overrun() -> Finding {
    let message = "units of different length cannot be split and then rounded up once at the end";
    Finding::error("tariff.unit_needs_overrun", message)
        .help("write `boundary = \"unit\"`: each unit is priced where it begins")
}

/// So many millionths of a price, which must come out exactly.
pub(super) fn share_of(price: Price, percent: i64) -> Result<Price, Fault> {
    let product = i128::from(price.units()) * i128::from(percent);
    let exact = (product % i128::from(MILLION) == 0).then(|| i64::try_from(product / i128::from(MILLION)).ok());
    exact.flatten().map(Price::from_units).ok_or_else(|| Fault {
        code: "tariff.too_precise",
        message: format!("a share of {price} has more than twelve decimals of the currency unit"),
        help: "write the price of the band itself; nothing is rounded silently".into(),
    })
}

/// Price points: the closed lists of service charges that an industry agrees on (in Britain SC001 to SC100 since 1 July
/// 2015). Each row becomes a charge of the tag `service`.
fn price_points(source: &Arc<SourceText>, charging: &mut Charging, bands: usize, findings: &mut Findings) {
    let table = Table::read(source, &["code"], &["per_call", "per_minute", "included_s"], findings);
    let columns = ["code", "per_call", "per_minute", "included_s"].map(|name| table.column(name));
    let units = charging.units;
    let per_minute = units.fees.map(|money| PriceUnit { money, per: Duration::from_seconds(60) });
    let mut places: BTreeMap<Box<str>, usize> = BTreeMap::new();
    for (place, component) in charging.components.iter().enumerate() {
        places.entry(component.name.clone()).or_insert(place);
    }
    for row in table.rows() {
        let code = row.required(columns[0], findings);
        let mut sound = true;
        let mut keep = |result: Result<(Price, Duration), Fault>, column, findings: &mut Findings| {
            result.unwrap_or_else(|fault| {
                sound = false;
                findings.push(fault.at(row.label(column, "")));
                (Price::ZERO, Duration::ZERO)
            })
        };
        let none = (Price::ZERO, Duration::from_seconds(60));
        let call = row.filled(columns[1]).map_or(Ok(none), |text| units.fee(text).map(|price| (price, none.1)));
        let (call, _) = keep(call, columns[1], findings);
        // The column says per minute, also to money that brings its own unit.
        let minute = row.filled(columns[2]).map_or(Ok(none), |text| {
            let of_its_own = per_minute.is_none() && !text.contains('/') && text.ends_with(char::is_alphabetic);
            let text = if of_its_own { format!("{text}/min") } else { text.to_owned() };
            notation::price(&text, units.currency, per_minute)
        });
        let (price, per) = keep(minute, columns[2], findings);
        let included = row.filled(columns[3]).map_or(Ok(none), |text| {
            notation::length(&format!("{}s", text.trim_end_matches('s'))).map(|length| (Price::ZERO, length))
        });
        let (_, included) = keep(included.map(|(_, length)| (Price::ZERO, length)), columns[3], findings);
        let included = if row.filled(columns[3]).is_some() { included } else { Duration::ZERO };
        let Some(code) = code.filter(|_| sound) else { continue };
        let label = row.whole("");
        if let Some(at) = places.get(code).copied() {
            let finding = Finding::error("tariff.charge_repeated", format!("the charge `{code}` is given twice"));
            let other = charging.component_places[at].clone();
            findings.push(finding.at(label).at(other).help("name it once"));
            continue;
        }
        if charging.components.len() == MOST_CHARGES {
            findings.push(too_many_charges().at(label));
            break;
        }
        places.insert(code.into(), charging.components.len());
        let (first, further) = charging.increments;
        let rate = [price.units(), per.as_millis()];
        let free = [0, 60_000];
        let all = |rate: [i64; 2]| (0..bands).flat_map(move |_| rate);
        let (steps, words): (Vec<Step>, Vec<i64>) = if included > Duration::ZERO {
            let from_start = Step { from: Duration::ZERO, charge: call, further };
            let beyond = Step { from: included, charge: Price::ZERO, further };
            (vec![from_start, beyond], all(free).chain(all(rate)).collect())
        } else {
            (vec![Step { from: Duration::ZERO, charge: call, further }], all(rate).collect())
        };
        let defaults = &charging.terms;
        charging.components.push(Component {
            name: code.into(),
            tag: Tag::Service,
            terms: Terms {
                duration_rounding: defaults.duration_rounding,
                free_below: defaults.free_below,
                subtract: defaults.subtract,
                usage_rounding: defaults.usage_rounding,
                rounding: defaults.rounding,
                ..Terms::default()
            },
            band_set: 0,
            first,
            steps: steps.into(),
            words: words.into(),
            connection: [Price::ZERO].into(),
            minimum: Price::ZERO,
            maximum: None,
        });
        charging.component_places.push(label);
    }
}
