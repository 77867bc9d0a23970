//! The countries' numbering plans as files, and their reader.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::prefix_tree::Lengths;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, SourceText};
use crate::number::{Digits, NumberClass};

/// The plans that ship with the library.
macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$((concat!("dial_plan/", $name, ".toml"), include_str!(concat!($name, ".toml")))),*]
    };
}

const EMBEDDED: &[(&str, &str)] = embedded![
    "global", "ar", "at", "au", "be", "br", "ch", "cl", "cn", "co", "cz", "de", "dk", "es", "fi", "fr", "gb", "gr",
    "hk", "hu", "id", "ie", "il", "in", "it", "jp", "kr", "lt", "mn", "mx", "my", "nanp", "nl", "no", "nz", "ph", "pl",
    "pt", "ru", "se", "sg", "sm", "th", "tw", "za",
];

/// A prefix of digits, the lengths of the numbers it speaks of, and what it says.
pub(super) type Row<V> = (Vec<u8>, Lengths, V);

/// How a country dials. Every list may be empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) country_code: Vec<u8>,
    pub(super) international: Vec<Vec<u8>>,
    pub(super) national: Vec<Vec<u8>>,
    /// Prefixes as those two that also choose a carrier.
    pub(super) carrier_international: Vec<Vec<u8>>,
    pub(super) carrier_national: Vec<Vec<u8>>,
    pub(super) keeps_zero: bool,
    pub(super) prefix_optional: bool,
    pub(super) bare_national: bool,
    pub(super) bare_international: bool,
    pub(super) shape: Vec<u8>,
    pub(super) lengths: Vec<Row<()>>,
    /// What numbers may begin with one day: read behind the country code, and in no other way.
    pub(super) unassigned: Vec<Vec<u8>>,
    /// Numbers dialled without the national prefix.
    pub(super) direct: Vec<(Vec<u8>, Lengths)>,
    pub(super) elsewhere: Vec<Row<Replacement>>,
    /// Digits between country code and number that were once part of it.
    pub(super) dropped: Vec<(Vec<u8>, Lengths)>,
    pub(super) infix: Option<Infix>,
    pub(super) emergency: Vec<Vec<u8>>,
    pub(super) short_codes: Vec<Row<NumberClass>>,
    /// Digits, `*`, `#`, and `x` for any digit.
    pub(super) service_prefixes: Vec<Vec<u8>>,
    pub(super) local: Option<Local>,
}

/// What stands in E.164 for a national prefix that leads elsewhere: up to eight digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replacement {
    digits: [u8; 8],
    len: u8,
}

impl Replacement {
    fn new(digits: &[u8]) -> Option<Self> {
        let mut all = [0; 8];
        all.get_mut(..digits.len())?.copy_from_slice(digits);
        Some(Self { digits: all, len: u8::try_from(digits.len()).ok()? })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Digits that stand between area code and number where a mobile is dialled inside the country, and what stands before
/// the area code instead where it is dialled from abroad (Argentina: 0-11-15-… is +54 9 11 …).
#[derive(Clone, Debug)]
pub(super) struct Infix {
    pub(super) digits: Vec<u8>,
    pub(super) becomes: Vec<u8>,
    pub(super) areas: Vec<Vec<u8>>,
}

/// Local dialling inside an area.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// Which first digits a local number may have.
    pub(super) first: [bool; 10],
    pub(super) lengths: Lengths,
    /// Area codes without local dialling.
    pub(super) closed: Vec<Vec<u8>>,
    /// What no local number begins with.
    pub(super) except: Vec<Vec<u8>>,
}

/// One country of a plan.
#[derive(Clone, Debug)]
pub(super) struct Country {
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) rules: Arc<Rules>,
    /// International prefixes of its numbers; the whole country code if the plan's other countries leave it the rest.
    pub(super) areas: Vec<Vec<u8>>,
}

/// Every country's numbering plan, and the classes of the world's number ranges: what a [`DialPlan`](super::DialPlan)
/// is compiled from.
///
/// # Example: a country of one's own
///
/// ```
/// use rating_core::finding::{Findings, SourceText};
/// use rating_core::mediation::dial_plan::Countries;
///
/// let mut findings = Findings::default();
/// let mut countries = Countries::embedded();
/// let source = SourceText::new("mt.toml", r#"
/// [plan]
/// country_code = "356"
/// international = "00"
/// emergency = "112"
/// [plan.lengths]
/// 2-9 = "8"
/// [[country]]
/// id = "MT"
/// name = "Malta"
/// "#);
/// countries.add(&source, &mut findings);
/// assert!(findings.is_empty());
/// assert_eq!(countries.name("MT"), Some("Malta"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Countries {
    pub(super) countries: BTreeMap<Box<str>, Country>,
    pub(super) ranges: Vec<Row<NumberClass>>,
}

impl Countries {
    /// The plans that ship with the library: seventy-seven countries and territories (`docs/numbers.md` lists them), and
    /// the classes of the shared country codes.
    #[must_use]
    pub fn embedded() -> Self {
        let mut countries = Self::default();
        for (name, text) in EMBEDDED.iter().copied() {
            // A test holds that none of them has findings.
            countries.add(&SourceText::new(name, text), &mut Findings::default());
        }
        countries
    }

    /// Adds what a file says. A country that is there already is replaced; of two classes for one prefix and length the
    /// later holds.
    ///
    /// # Format
    ///
    /// `[plan]` states how all countries of the file dial; `[[country]]` has `id` (ISO 3166-1), `name`, `areas`
    /// (national prefixes of its numbers; none for "the rest") and any key of `[plan]` that differs there.
    /// `[ranges]` gives national prefixes (international ones in a file without `[plan]`) by class.
    /// A prefix is digits; `70-73` is every prefix from the first to the last, of equal length; `116xxx` is a prefix of
    /// numbers with exactly six digits. Lengths are `10` or `6-11` and count the national significant number.
    /// `docs/numbers.md` lists the keys.
    pub fn add(&mut self, source: &Arc<SourceText>, findings: &mut Findings) {
        let file = Section::parse(source, findings);
        let plan_section = file.table("plan", findings);
        let mut plan = Rules::default();
        if let Some(section) = plan_section {
            section.text("name", findings);
            plan = rules(&section, Rules::default(), findings);
            section.finish(findings);
        }
        let code = plan.country_code.clone();
        if let Some(section) = file.table("ranges", findings) {
            for (prefix, lengths, class) in by_class(&section, findings) {
                let mut whole = code.clone();
                whole.extend(prefix);
                let lengths = shifted(lengths, code.len());
                self.ranges.push((whole, lengths, class));
            }
        }
        for section in file.tables("country", findings) {
            self.add_country(&section, plan.clone(), findings);
            section.finish(findings);
        }
        file.finish(findings);
    }

    fn add_country(&mut self, section: &Section, plan: Rules, findings: &mut Findings) {
        let id = section.required_text("id", findings);
        let name = section.required_text("name", findings);
        let areas = prefixes(section, "areas", findings);
        let rules = rules(section, plan, findings);
        let (Some(id), Some(name)) = (id, name) else { return };
        if rules.country_code.is_empty() {
            let label = section.label(&id.span, "this country");
            findings
                .push(Finding::error(INVALID, "a country needs a `country_code` in `[plan]` or of its own").at(label));
            return;
        }
        let mut areas: Vec<Vec<u8>> =
            areas.into_iter().map(|(area, ..)| [rules.country_code.as_slice(), area.as_slice()].concat()).collect();
        if areas.is_empty() {
            areas.push(rules.country_code.clone());
        }
        let key: Box<str> = id.value.as_str().into();
        let country = Country { id: key.clone(), name: name.value.into(), rules: Arc::new(rules), areas };
        self.countries.insert(key, country);
    }

    /// The countries' ids (ISO 3166-1), sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.countries.keys().map(|id| &**id)
    }

    /// The digits that give a number its class whatever its length, country code first, in no order.
    pub fn class_ranges(&self) -> impl Iterator<Item = (Digits, NumberClass)> {
        let whole = self.ranges.iter().filter(|(_, lengths, _)| *lengths == Lengths::ANY);
        whole.filter_map(|(digits, _, class)| Some((Digits::parse(digits)?, *class)))
    }

    /// The name of a country.
    #[must_use]
    pub fn name(&self, id: &str) -> Option<&str> {
        self.countries.get(id).map(|country| &*country.name)
    }
}

/// The most prefixes that one `70-73` may stand for.
const MOST_PREFIXES: u64 = 10_000;

/// The code of a finding about a value in a plan's file.
const INVALID: &str = "dial_plan.invalid_value";

/// Reads the keys that `[plan]` and `[[country]]` share, each in place of what `base` has.
fn rules(section: &Section, base: Rules, findings: &mut Findings) -> Rules {
    let mut rules = base;
    if let Some(code) = section.text("country_code", findings) {
        rules.country_code = digits(section, &code, findings).unwrap_or_default();
    }
    for (key, list) in [
        ("international", &mut rules.international),
        ("national", &mut rules.national),
        ("emergency", &mut rules.emergency),
        ("unassigned", &mut rules.unassigned),
        ("carrier_international", &mut rules.carrier_international),
        ("carrier_national", &mut rules.carrier_national),
    ] {
        if section.has(key) {
            *list = prefixes(section, key, findings).into_iter().map(|(prefix, ..)| prefix).collect();
            list.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        }
    }
    if section.has("direct") {
        rules.direct = prefixes(section, "direct", findings);
    }
    if section.has("dropped") {
        rules.dropped = prefixes(section, "dropped", findings);
    }
    for (key, flag) in [
        ("keeps_zero", &mut rules.keeps_zero),
        ("prefix_optional", &mut rules.prefix_optional),
        ("bare_national", &mut rules.bare_national),
        ("bare_international", &mut rules.bare_international),
    ] {
        if let Some(value) = section.boolean(key, findings) {
            *flag = value.value;
        }
    }
    if let Some(shape) = section.text("shape", findings) {
        if shape.value.bytes().all(|byte| matches!(byte, b'N' | b'x')) {
            rules.shape = shape.value.into_bytes();
        } else {
            invalid(section, &shape.span, "a shape is `N` (2 to 9) and `x` (any digit)", findings);
        }
    }
    if section.has("service_prefixes") {
        rules.service_prefixes.clear();
        for text in section.texts("service_prefixes", findings) {
            if text.value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'x')) {
                rules.service_prefixes.push(text.value.into_bytes());
            } else {
                invalid(section, &text.span, "a service prefix is digits, `*`, `#` and `x`", findings);
            }
        }
        rules.service_prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    }
    if let Some(table) = section.table("lengths", findings) {
        rules.lengths.clear();
        let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
        for key in keys {
            let lengths = lengths(&table, &key.value, findings);
            for (prefix, _) in pattern(&table, &key, findings) {
                rules.lengths.push((prefix, lengths, ()));
            }
        }
        table.finish(findings);
    }
    for table in section.tables("exception", findings) {
        let lengths = lengths(&table, "lengths", findings);
        for (prefix, _) in prefixes(&table, "prefixes", findings) {
            rules.lengths.push((prefix, lengths, ()));
        }
        table.finish(findings);
    }
    if let Some(table) = section.table("elsewhere", findings) {
        rules.elsewhere = elsewhere(&table, findings);
        table.finish(findings);
    }
    if let Some(table) = section.table("infix", findings) {
        rules.infix = infix(&table, findings);
        table.finish(findings);
    }
    if let Some(table) = section.table("short_codes", findings) {
        rules.short_codes = by_class(&table, findings);
        for row in &mut rules.short_codes {
            // A short code without `x` is exactly itself.
            if row.1 == Lengths::ANY {
                row.1 = Lengths::NONE.with(u8::try_from(row.0.len()).unwrap_or(u8::MAX));
            }
        }
        table.finish(findings);
    }
    if let Some(table) = section.table("local", findings) {
        rules.local = local(&table, findings);
        table.finish(findings);
    }
    rules
}

fn elsewhere(table: &Section, findings: &mut Findings) -> Vec<Row<Replacement>> {
    let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
    let mut rows = Vec::new();
    for key in keys {
        let Some(value) = table.text(&key.value, findings) else { continue };
        let Some(replacement) = digits(table, &value, findings).as_deref().and_then(Replacement::new) else {
            invalid(table, &value.span, "one to eight digits replace the prefix", findings);
            continue;
        };
        rows.extend(pattern(table, &key, findings).into_iter().map(|(prefix, _)| (prefix, Lengths::ANY, replacement)));
    }
    rows
}

fn infix(table: &Section, findings: &mut Findings) -> Option<Infix> {
    let (infix, becomes) = (table.required_text("digits", findings), table.required_text("becomes", findings));
    let areas = prefixes(table, "areas", findings).into_iter().map(|(area, _)| area).collect();
    let digits = |text: Option<Spanned<String>>, findings: &mut Findings| digits(table, &text?, findings);
    Some(Infix { digits: digits(infix, findings)?, becomes: digits(becomes, findings)?, areas })
}

fn local(table: &Section, findings: &mut Findings) -> Option<Local> {
    let mut first = [false; 10];
    for (digit, _) in prefixes(table, "first", findings) {
        match (digit.as_slice(), digit.first().and_then(|byte| first.get_mut(usize::from(byte - b'0')))) {
            ([_], Some(slot)) => *slot = true,
            _ => invalid(table, &table.span(), "`first` is single digits, as in `2-9`", findings),
        }
    }
    let lengths = lengths(table, "lengths", findings);
    let mut all = |key| prefixes(table, key, findings).into_iter().map(|(prefix, _)| prefix).collect();
    let (closed, except) = (all("closed"), all("except"));
    (!lengths.is_empty()).then_some(Local { first, lengths, closed, except })
}

/// A table whose keys are classes and whose values are prefixes.
fn by_class(table: &Section, findings: &mut Findings) -> Vec<Row<NumberClass>> {
    let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
    let mut rows = Vec::new();
    for key in keys {
        let found = prefixes(table, &key.value, findings);
        let Some(class) = NumberClass::from_name(&key.value) else {
            let known = NumberClass::ALL.map(NumberClass::name);
            let mut finding = Finding::error("dial_plan.unknown_class", format!("there is no class `{}`", key.value))
                .at(table.label(&key.span, "not a class of numbers"));
            if let Some(near) = crate::finding::did_you_mean(&key.value, known) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
            findings.push(finding);
            continue;
        };
        rows.extend(found.into_iter().map(|(prefix, lengths)| (prefix, lengths, class)));
    }
    rows
}

/// The prefixes listed under `key`.
fn prefixes(section: &Section, key: &str, findings: &mut Findings) -> Vec<(Vec<u8>, Lengths)> {
    let texts = section.texts(key, findings);
    texts.iter().flat_map(|text| pattern(section, text, findings)).collect()
}

/// `70`, `70-73`, `116xxx`.
fn pattern(section: &Section, text: &Spanned<String>, findings: &mut Findings) -> Vec<(Vec<u8>, Lengths)> {
    const HELP: &str = "a prefix is digits, as `70`, `70-73` (equally long) or `116xxx` (exactly six digits)";
    let read = |part: &str| -> Option<(Vec<u8>, Lengths)> {
        let prefix = part.trim_end_matches('x');
        let plain = !prefix.is_empty() && part.len() <= 15 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let lengths = match u8::try_from(part.len()) {
            Ok(length) if prefix.len() < part.len() => Lengths::NONE.with(length),
            _ => Lengths::ANY,
        };
        plain.then(|| (prefix.as_bytes().to_vec(), lengths))
    };
    let Some((from, to)) = text.value.split_once('-') else {
        let found = read(&text.value);
        if found.is_none() {
            invalid(section, &text.span, HELP, findings);
        }
        return found.into_iter().collect();
    };
    let number = |digits: &[u8]| digits.iter().fold(0_u64, |all, byte| all * 10 + u64::from(byte - b'0'));
    match (read(from), read(to)) {
        (Some((first, lengths)), Some((last, same)))
            if first.len() == last.len()
                && lengths == same
                && first <= last
                && number(&last) - number(&first) < MOST_PREFIXES =>
        {
            let width = first.len();
            (number(&first)..=number(&last)).map(|value| (format!("{value:0width$}").into_bytes(), lengths)).collect()
        }
        _ => {
            invalid(section, &text.span, HELP, findings);
            Vec::new()
        }
    }
}

/// `10`, `6-11`, or a list of them.
fn lengths(section: &Section, key: &str, findings: &mut Findings) -> Lengths {
    let mut all = Lengths::NONE;
    for text in section.texts(key, findings) {
        let (from, to) = text.value.split_once('-').unwrap_or((&text.value, &text.value));
        match (from.parse::<u8>(), to.parse::<u8>()) {
            (Ok(from), Ok(to)) if 1 <= from && from <= to && to <= 15 => {
                all = (from..=to).fold(all, Lengths::with);
            }
            _ => invalid(section, &text.span, "a length is 1 to 15, as `10` or `6-11`", findings),
        }
    }
    all
}

fn digits(section: &Section, text: &Spanned<String>, findings: &mut Findings) -> Option<Vec<u8>> {
    if text.value.is_empty() || text.value.len() > 15 || !text.value.bytes().all(|byte| byte.is_ascii_digit()) {
        invalid(section, &text.span, "one to fifteen digits", findings);
        return None;
    }
    Some(text.value.clone().into_bytes())
}

fn invalid(section: &Section, span: &Range<usize>, text: &str, findings: &mut Findings) {
    findings.push(Finding::error(INVALID, text).at(section.label(span, "here")));
}

/// The same set of lengths for numbers that are `by` digits longer.
fn shifted(lengths: Lengths, by: usize) -> Lengths {
    if lengths == Lengths::ANY {
        return lengths;
    }
    (0..16_u8)
        .filter(|length| lengths.contains(usize::from(*length)))
        .filter_map(|length| u8::try_from(usize::from(length) + by).ok())
        .fold(Lengths::NONE, Lengths::with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_loads_without_a_finding() {
        let mut countries = Countries::default();
        for (name, text) in EMBEDDED.iter().copied() {
            let mut findings = Findings::default();
            countries.add(&SourceText::new(name, text), &mut findings);
            let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
            assert!(found.is_empty(), "{found:#?}");
        }
        let ids: Vec<&str> = countries.ids().collect();
        for id in ["DE", "FR", "GB", "GG", "IE", "IM", "IT", "JE", "SM", "US", "VA"] {
            assert!(ids.contains(&id), "{id}");
        }
        let nanp = countries.countries.values().filter(|country| country.rules.country_code == b"1").count();
        assert_eq!(nanp, 25, "twenty-five countries and territories share +1");
    }

    #[test]
    fn mistakes_of_a_plan_show_in_one_pass() {
        let text =
            "[plan]\ncountry_code = \"4x\"\nemergncy = \"112\"\n[ranges]\nmobil = \"7\"\nfree = [\"80-9\", \"8a\"]\n";
        let mut findings = Findings::default();
        Countries::default().add(&SourceText::new("x.toml", text), &mut findings);
        let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "x.toml:2:16: error[dial_plan.invalid_value]: one to fifteen digits",
                "x.toml:3:1: error[settings.unknown_key]: unknown key `emergncy`",
                "x.toml:6:9: error[dial_plan.invalid_value]: a prefix is digits, as `70`, `70-73` (equally long) or \
                 `116xxx` (exactly six digits)",
                "x.toml:6:17: error[dial_plan.invalid_value]: a prefix is digits, as `70`, `70-73` (equally long) or \
                 `116xxx` (exactly six digits)",
                "x.toml:5:1: error[dial_plan.unknown_class]: there is no class `mobil`",
            ]
        );
    }
}
