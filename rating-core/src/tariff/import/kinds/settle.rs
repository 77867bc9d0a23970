//! What holds for a whole file: currency, unit, decimal sign, order of dates, clock. Read from the file where it shows,
//! taken from the request where it does not, and asked for where neither does. All questions are asked at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::cells::{self, Conventions};
use super::super::columns::Layout;
use super::super::offer::Basis;
use super::super::sheet::{SEPARATORS, Sheet, Text};
use super::super::{DateOrder, Decimal, Ends, Fault, InputFile, Place, Request};
use super::{Profile, Units};
use crate::money::Currency;
use crate::number::Digits;
use crate::tariff::notation;
use crate::time::Zone;

type Opened<'f> = [(Layout, Sheet<'f>)];
type Settled = (Basis, Conventions, Vec<String>, Vec<String>);

/// Everything that holds for the whole request; what is missing is added to `faults`.
pub(super) fn settle(
    request: &Request,
    profile: &Profile,
    opened: &Opened<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Settled> {
    let mut notes = Vec::new();
    for (layout, _) in opened {
        let name = SEPARATORS.iter().find(|(byte, _)| *byte == layout.separator).map_or("colon", |(_, name)| name);
        if name != "comma" {
            notes.push(format!("the separator is a {name}"));
        }
    }
    let id = request.id.clone().filter(|id| is_id(id));
    if id.is_none() {
        let message = match &request.id {
            Some(id) => format!("`{id}` cannot be the id of a tariff"),
            None => "the tariff needs an id".to_owned(),
        };
        faults.push(Fault::new("import.id_needed", message, "say `--id retail`: letters, digits, `-`, `_` and `.`"));
    }
    let from = request.from.clone().filter(|from| notation::when(from).is_ok());
    if from.is_none() {
        let message = match &request.from {
            Some(from) => format!("`{from}` is not a date"),
            None => "from when does the tariff hold?".to_owned(),
        };
        faults.push(Fault::new(
            "import.from_needed",
            message,
            "say `--from 2026-12-01`, or an instant with its offset",
        ));
    }
    let currency = currency(request, profile, opened, &mut notes, faults);
    let zone = zone(request, profile, opened, faults);
    let units = currency.and_then(|currency| units(request, profile, opened, currency, &mut notes, faults));
    let dates = dates(request, profile, opened, &mut notes, faults);
    let ends = ends(request, profile, opened, faults);
    let decimal = decimal(request, profile, opened, &mut notes, faults);
    let increments = increments(request, profile, opened, &mut notes, faults);
    let bands = bands(request, profile, opened, faults);
    let (id, from, currency, (unit, fees, minor, fee_minor)) = (id?, from?, currency?, units?);
    let conventions = Conventions {
        decimal: decimal?,
        dates,
        ends,
        zone: zone.clone(),
        currency,
        minor,
        fee_minor,
        strip: request.strip.clone(),
    };
    let zone_name = request.zone.clone();
    let zone = zone.unwrap_or_else(Zone::utc);
    let basis = Basis { id, currency, from, unit, fees, fee_minor, increments, zone_name, zone };
    Some((basis, conventions, bands, notes))
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !id.starts_with('.')
}

/// All cells of some fields, with their line.
fn texts<'s>(opened: &'s Opened<'_>, fields: &'s [&'static str]) -> impl Iterator<Item = (u16, u32, &'s str)> {
    opened.iter().flat_map(move |(layout, sheet)| {
        let columns: Vec<usize> = fields.iter().filter_map(|field| layout.column(field)).collect();
        sheet.rows().skip(layout.first).flat_map(move |row| {
            columns.clone().into_iter().map(move |column| (row.file(), row.line(), row.cell(column)))
        })
    })
}

fn currency(
    request: &Request,
    profile: &Profile,
    opened: &Opened<'_>,
    notes: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) -> Option<Currency> {
    let mut shown: Option<(Currency, String)> = None;
    if let Units::Fixed(unit, who) = profile.units {
        let code = unit.split('/').next().unwrap_or("");
        shown = Currency::parse(code).map(|currency| (currency, who.to_owned()));
    }
    for (layout, _) in opened {
        for (column, hint) in &layout.hints {
            let code: String = hint.chars().take_while(char::is_ascii_uppercase).collect();
            if let Some(currency) = Currency::parse(&code) {
                shown = shown.or_else(|| Some((currency, format!("the header `{}`", layout.name(*column)))));
            }
        }
    }
    let asked = match &request.currency {
        None => None,
        Some(code) => {
            let currency = Currency::parse(code);
            if currency.is_none() {
                let help = "write the three capital letters of ISO 4217: `GBP`";
                faults.push(Fault::new("import.currency_needed", format!("`{code}` is not a currency code"), help));
                return None;
            }
            currency
        }
    };
    match (asked, shown) {
        (Some(asked), Some((shown, who))) if asked != shown => {
            let message = format!("the file is in {shown} ({who}), the request says {asked}");
            faults.push(Fault::new("import.other_currency", message, "one of the two is wrong; nothing is converted"));
            None
        }
        (None, Some((shown, who))) => {
            notes.push(format!("the currency is {shown}: {who}"));
            Some(shown)
        }
        (Some(asked), _) => Some(asked),
        (None, None) => {
            let help = "say `--currency GBP`";
            faults.push(Fault::new("import.currency_needed", "the file does not say in which currency it is", help));
            None
        }
    }
}

/// Decimals between the major unit and a unit of money: `p`, `ct` or a code.
fn minor_of(unit: &str, currency: Currency) -> u32 {
    let money = unit.split('/').next().unwrap_or("").trim();
    if money == currency.code() { 0 } else { currency.minor_digits() }
}

fn units(
    request: &Request,
    profile: &Profile,
    opened: &Opened<'_>,
    currency: Currency,
    notes: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) -> Option<(String, String, u32, u32)> {
    let minor_name = if notation::fee_unit("p", currency).is_ok() { "p" } else { "ct" };
    let fixed = match profile.units {
        Units::Asked => None,
        Units::Fixed(unit, who) => Some((unit.to_owned(), who)),
        Units::Major(who) => Some((format!("{currency}/min"), who)),
        Units::Minor(who) => Some((format!("{minor_name}/min"), who)),
    };
    let unit = match (&request.unit, fixed) {
        (Some(asked), Some((fixed, who))) if *asked != fixed => {
            let message = format!("prices of this kind of file are in {fixed} ({who}), the request says {asked}");
            faults.push(Fault::new("import.unit_conflict", message, "leave `--unit` out, or import it as `deck`"));
            return None;
        }
        (_, Some((fixed, who))) => {
            notes.push(format!("prices are in {fixed}: {who}"));
            fixed
        }
        (Some(asked), None) => asked.clone(),
        (None, None) => {
            let help = format!("say `--unit {currency}/min` or `--unit {minor_name}/min` (or `/s`)");
            let message = "the file does not say in which unit its prices are";
            faults.push(Fault::new("import.unit_needed", message, help));
            return None;
        }
    };
    if let Err(fault) = notation::price_unit(&unit, currency) {
        faults.push(Fault::new("import.unit_needed", fault.message, fault.help));
        return None;
    }
    // A header that says "per minute" against a unit per second, or the reverse.
    for (layout, _) in opened {
        for (field, column) in layout.fields().filter(|(field, _)| field.starts_with("price")) {
            let header = super::super::columns::plain(&layout.name(column));
            let says = |words: [&str; 2]| header.split(' ').any(|word| words.contains(&word));
            let (minute, second) = (says(["min", "minute"]), says(["sec", "second"]));
            if (minute && !unit.ends_with("/min")) || (second && !unit.ends_with("/s")) {
                let message = format!("the header `{}` ({field}) is at odds with the unit {unit}", layout.name(column));
                faults.push(Fault::new("import.unit_conflict", message, "correct `--unit`"));
                return None;
            }
        }
    }
    for (layout, _) in opened {
        for (column, hint) in &layout.hints {
            let word = hint.split(['/', ' ']).next().unwrap_or("").to_lowercase();
            let minor = matches!(word.as_str(), "p" | "pence" | "ppm" | "c" | "ct" | "cts" | "cent" | "cents");
            let major = Currency::parse(&word.to_uppercase()) == Some(currency);
            let price = layout.fields().any(|(field, at)| at == *column && field.starts_with("price"));
            let is_minor = minor_of(&unit, currency) > 0;
            if price && ((minor && !is_minor) || (major && is_minor)) {
                let message = format!("the header `{}` is at odds with the unit {unit}", layout.name(*column));
                faults.push(Fault::new("import.unit_conflict", message, "correct `--unit`"));
                return None;
            }
        }
    }
    let money = unit.split('/').next().unwrap_or("").trim().to_owned();
    let fees = request.fees.clone().unwrap_or(money);
    if let Err(fault) = notation::fee_unit(&fees, currency) {
        faults.push(Fault::new("import.unit_needed", fault.message, fault.help));
        return None;
    }
    let (minor, fee_minor) = (minor_of(&unit, currency), minor_of(&fees, currency));
    Some((unit, fees, minor, fee_minor))
}

fn zone(request: &Request, profile: &Profile, opened: &Opened<'_>, faults: &mut Vec<Fault>) -> Option<Zone> {
    if let Some(name) = &request.zone {
        let zone = Zone::load(name);
        if zone.is_none() {
            let help = "write a name of the IANA database: `Europe/London`";
            faults.push(Fault::new("import.zone_needed", format!("`{name}` is not a time zone"), help));
        }
        return zone;
    }
    let fields = [profile.starts, profile.ends];
    let timed = texts(opened, &fields)
        .find(|(_, _, text)| cells::has_time(text))
        .map(|(file, line, text)| (file, line, text.to_owned()));
    if let Some((file, line, text)) = timed {
        let fault = Fault::new(
            "import.zone_needed",
            format!("whose clock does `{text}` show? the file does not say"),
            "say `--zone Europe/London`, which becomes the tariff's clock too",
        );
        faults.push(Fault { place: Place { file, line, column: None }, ..fault });
    }
    None
}

fn dates(
    request: &Request,
    profile: &Profile,
    opened: &Opened<'_>,
    notes: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) -> Option<DateOrder> {
    if request.dates.is_some() {
        return request.dates;
    }
    let fields = [profile.starts, profile.ends];
    let mut shown: Option<(DateOrder, String)> = None;
    let mut open = None;
    for (file, line, text) in texts(opened, &fields) {
        match (cells::order_shown(text), &shown) {
            (Some(order), None) => shown = Some((order, format!("`{text}` in line {line}"))),
            (Some(order), Some((before, example))) if order != *before => {
                let message = format!("`{text}` and {example} cannot both be dates of one order");
                let fault = Fault::new(
                    "import.dates_unclear",
                    message,
                    "say `--dates dmy` or `--dates mdy`; the others are rejected",
                );
                faults.push(Fault { place: Place { file, line, column: None }, ..fault });
                return None;
            }
            _ => {}
        }
        if open.is_none() && cells::is_date_either(text) {
            open = Some((file, line, text));
        }
    }
    match (shown, open) {
        (Some((order, example)), _) => {
            let name = if order == DateOrder::DayFirst { "the day" } else { "the month" };
            notes.push(format!("dates begin with {name}: {example}"));
            Some(order)
        }
        (None, Some((file, line, text))) => {
            let message = format!("`{text}` can be read two ways, and no date of the file shows which");
            let fault = Fault::new("import.dates_unclear", message, "say `--dates dmy` (day first) or `--dates mdy`");
            faults.push(Fault { place: Place { file, line, column: None }, ..fault });
            None
        }
        (None, None) => None,
    }
}

fn ends(request: &Request, profile: &Profile, opened: &Opened<'_>, faults: &mut Vec<Fault>) -> Option<Ends> {
    if profile.ends_outside {
        return Some(Ends::FirstOutside);
    }
    if request.ends.is_some() {
        return request.ends;
    }
    let fields = [profile.ends];
    let filled = texts(opened, &fields).find(|(_, _, text)| !cells::is_nothing(text));
    if let Some((file, line, text)) = filled {
        let message = format!("does the row that ends `{text}` still hold on that day?");
        let help = "say `--ends last-day` if it does, `--ends first-day-outside` if it does not";
        let fault = Fault::new("import.ends_unclear", message, help);
        faults.push(Fault { place: Place { file, line, column: None }, ..fault });
    }
    None
}

fn decimal(
    request: &Request,
    profile: &Profile,
    opened: &Opened<'_>,
    notes: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) -> Option<Decimal> {
    if request.decimal.is_some() {
        return request.decimal;
    }
    let mut shown: Option<(Decimal, String)> = None;
    let mut open = None;
    for (file, line, text) in texts(opened, profile.amounts) {
        match (cells::decimal_shown(text), &shown) {
            (Some(decimal), None) => shown = Some((decimal, format!("`{text}` in line {line}"))),
            (Some(decimal), Some((before, example))) if decimal != *before => {
                let message = format!("`{text}` and {example} have different decimal signs");
                let help = "say `--decimal point` or `--decimal comma`; the others are rejected";
                let fault = Fault::new("import.decimal_unclear", message, help);
                faults.push(Fault { place: Place { file, line, column: None }, ..fault });
                return None;
            }
            _ => {}
        }
        if open.is_none() && cells::is_either(text) {
            open = Some((file, line, text));
        }
    }
    match (shown, open) {
        (Some((Decimal::Comma, example)), _) => {
            notes.push(format!("the decimal sign is a comma: {example}"));
            Some(Decimal::Comma)
        }
        (Some((Decimal::Point, _)), _) | (None, None) => Some(Decimal::Point),
        (None, Some((file, line, text))) => {
            let message = format!("`{text}` can be read two ways, and no amount of the file shows which");
            let help = "say `--decimal point` (then it is more than a thousand) or `--decimal comma`";
            let fault = Fault::new("import.decimal_unclear", message, help);
            faults.push(Fault { place: Place { file, line, column: None }, ..fault });
            None
        }
    }
}

fn increments(
    request: &Request,
    profile: &Profile,
    opened: &Opened<'_>,
    notes: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) -> Option<cells::Increments> {
    if let Some(text) = &request.increments {
        return match cells::increments(text) {
            Ok(increments) => Some(increments),
            Err(fault) => {
                faults.push(Fault::new("import.increments_needed", fault.message, "write `60/60`, `30/6` or `1/1`"));
                None
            }
        };
    }
    if let Some((text, who)) = profile.increments {
        notes.push(format!("increments are {text} where the file has none: {who}"));
        return cells::increments(text).ok();
    }
    let fields = ["increments", "first", "further"];
    let all = opened.iter().all(|(layout, sheet)| {
        let columns: Vec<usize> = fields.iter().filter_map(|field| layout.column(field)).collect();
        let prices: Vec<usize> = profile.amounts.iter().filter_map(|field| layout.column(field)).collect();
        sheet.rows().skip(layout.first).all(|row| {
            let filled = |columns: &[usize]| columns.iter().any(|column| !cells::is_nothing(row.cell(*column)));
            filled(&columns) || !filled(&prices)
        })
    });
    if !all {
        let message = "the file does not say in which steps time is charged, not for every row";
        let help = "say `--increments 60/60` (started minutes), `30/6`, or `1/1` (by the second)";
        faults.push(Fault::new("import.increments_needed", message, help));
    }
    None
}

fn bands(request: &Request, profile: &Profile, opened: &Opened<'_>, faults: &mut Vec<Fault>) -> Vec<String> {
    let used: Vec<String> = profile
        .bands
        .iter()
        .filter(|(_, field)| opened.iter().any(|(layout, _)| layout.column(field).is_some()))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut given: Vec<String> = Vec::new();
    for (name, _) in &request.bands {
        if !given.contains(name) {
            given.push(name.clone());
        }
    }
    if let Some(text) = &request.settings {
        match text.parse::<toml::Table>() {
            Ok(table) => {
                const OURS: [&str; 7] = ["id", "currency", "from", "prices", "fees", "decks", "zone"];
                if let Some(key) = OURS.iter().find(|key| table.contains_key(**key)) {
                    let message = format!("the settings to be put in have `{key}`, which the import writes itself");
                    faults.push(Fault::new(
                        "import.bad_settings",
                        message,
                        "leave it out there, and say it as an option",
                    ));
                }
                if let Some(bands) = table.get("bands").and_then(toml::Value::as_table) {
                    given.extend(bands.keys().cloned());
                }
            }
            Err(error) => {
                let message = format!("the settings to be put in are not TOML: {}", error.message());
                faults.push(Fault::new("import.bad_settings", message, "see the tariff guide, section 2"));
            }
        }
    }
    if used.iter().any(|name| !given.contains(name)) {
        let mut help = String::from("say the hours of each, with the days; only the contract knows them, for example:");
        for name in &used {
            let _ = write!(help, "\n  --band '{name}=DAYS HH:MM-HH:MM'");
        }
        let message = format!("the file has prices for {}, and does not say when these are", used.join(", "));
        faults.push(Fault::new("import.bands_needed", message, help));
    }
    used
}

/// Whether the codes of a file stand without their country code: one code that does not begin with it shows so.
pub(super) fn codes_follow_country(opened: &Opened<'_>) -> Result<bool, Box<Fault>> {
    let mut unclear = None;
    for (layout, sheet) in opened {
        let Some(country) = layout.column("country_code") else { continue };
        if layout.column("area").is_some() && layout.column("code").is_none() {
            return Ok(true);
        }
        let Some(code) = layout.column("code") else { continue };
        for row in sheet.rows().skip(layout.first) {
            let (country, code) = (row.cell(country).trim_start_matches('+'), row.cell(code).trim_start_matches('+'));
            if !country.is_empty() && !code.starts_with(country) {
                return Ok(true);
            }
            unclear = unclear.or(Some((row.file(), row.line(), layout.name(layout.column("code").unwrap_or(0)))));
        }
    }
    let Some((file, line, column)) = unclear else { return Ok(false) };
    let message = "every code begins with its country code: is it a part of the code, or does it come before it?";
    let help = format!("say `--column country_code=-` if the codes are whole, `--column area={column}` if not");
    let place = Place { file, line, column: Some(column) };
    Err(Box::new(Fault { place, ..Fault::new("import.codes_unclear", message, help) }))
}

/// Names to prefixes, from a table beside the file.
#[derive(Debug)]
pub(super) struct Codes(BTreeMap<String, Vec<Digits>>);

impl Codes {
    pub(super) fn read(file: &InputFile) -> Result<Self, Box<Fault>> {
        let text: Text<'_> = super::super::sheet::decode(0, file)?;
        let sheet = Sheet::read(&text, b',');
        let bad = |line: u32, why: String| {
            let help = "it is a CSV table with the header `name,prefix`; a name may stand on several lines";
            Box::new(Fault::new("import.bad_codes", format!("`{}`, line {line}: {why}", file.name), help))
        };
        let mut codes = BTreeMap::<String, Vec<Digits>>::new();
        let mut keys = Vec::new();
        for (index, row) in sheet.rows().enumerate() {
            if index == 0 {
                if (row.cell(0), row.cell(1)) != ("name", "prefix") {
                    return Err(bad(row.line(), "it has no header `name,prefix`".to_owned()));
                }
                continue;
            }
            cells::codes(row.cell(1), None, None, &mut keys).map_err(|fault| bad(row.line(), fault.message))?;
            codes.entry(row.cell(0).to_owned()).or_default().extend(keys.iter().copied());
        }
        Ok(Self(codes))
    }

    pub(super) fn of(&self, name: &str) -> Option<&[Digits]> {
        self.0.get(name).map(Vec::as_slice)
    }
}
