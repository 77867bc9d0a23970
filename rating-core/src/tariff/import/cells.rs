//! What foreign cells mean: amounts, prefixes, increments, dates, words of status.
//!
//! A reader answers with a value or with the reason why there is none. It never chooses between two readings: what a file
//! leaves open is settled for the whole file beforehand ([`Conventions`]), by evidence in the file or by the request.

use super::{DateOrder, Decimal, Ends, Fault, Request};
use crate::money::{Currency, Price, PriceError};
use crate::number::Digits;
use crate::tariff::DestinationKey;
use crate::tariff::notation::{self, When};
use crate::time::{Date, Instant, LocalTime, Zone};

/// An amount in the unit of its file: digits and a point, as they will be written, and what they are worth.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub(super) text: String,
    pub(super) price: Price,
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.price == other.price
    }
}

impl Eq for Amount {}

impl Amount {
    pub(super) fn is_zero(&self) -> bool {
        self.price == Price::ZERO
    }

    /// Both together, in the unit of `minor`.
    pub(super) fn plus(&self, other: &Self, minor: u32) -> Option<Self> {
        let price = Price::from_units(self.price.units().checked_add(other.price.units())?);
        Some(Self { text: in_unit(price, minor), price })
    }
}

/// A price as a plain decimal of the major unit (`minor` 0) or of 10⁻ᵐⁱⁿᵒʳ of it.
pub(super) fn in_unit(price: Price, minor: u32) -> String {
    let one = 10_i64.pow(crate::money::PRICE_SCALE.saturating_sub(minor));
    let (whole, rest) = (price.units() / one, price.units() % one);
    if rest == 0 {
        return whole.to_string();
    }
    let width = crate::money::PRICE_SCALE.saturating_sub(minor) as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

/// How a file is written, settled for all of it.
#[derive(Clone, Debug)]
pub(super) struct Conventions {
    pub(super) decimal: Decimal,
    pub(super) dates: Option<DateOrder>,
    pub(super) ends: Option<Ends>,
    pub(super) zone: Option<Zone>,
    pub(super) currency: Currency,
    /// Decimals between the major unit and that of bare prices.
    pub(super) minor: u32,
    /// The same for fees.
    pub(super) fee_minor: u32,
    pub(super) strip: Option<String>,
}

pub(super) type Read<T> = Result<T, Fault>;

fn no_amount(text: &str, help: &str) -> Fault {
    Fault::new("import.bad_amount", format!("`{text}` is not an amount"), help)
}

/// What stands in cells where there is no amount.
pub(super) fn is_nothing(text: &str) -> bool {
    text.is_empty()
        || matches!(text.to_ascii_lowercase().as_str(), "-" | "--" | "–" | "n/a" | "na" | "n.a." | "null" | "none")
}

/// An amount without its currency sign, if it has one that fits.
fn without_sign<'t>(text: &'t str, conventions: &Conventions, minor: u32) -> Read<&'t str> {
    const SIGNS: [(char, &[&str]); 4] = [
        (
            '$',
            &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "BRL", "CLP", "COP", "ARS", "BBD", "XCD", "JMD"],
        ),
        ('£', &["GBP", "GGP", "JEP", "IMP", "GIP", "FKP", "SHP", "EGP"]),
        ('€', &["EUR"]),
        ('¥', &["JPY", "CNY"]),
    ];
    let code = conventions.currency.code();
    let rest = if let Some((sign, codes)) = SIGNS.iter().find(|(sign, _)| text.contains(*sign)) {
        if !codes.contains(&code) {
            let help = format!("a file has one currency, and this one is imported in {code}");
            return Err(Fault::new("import.other_currency", format!("`{text}` has the sign {sign}"), help));
        }
        text.trim_start_matches(*sign).trim_end_matches(*sign)
    } else if let Some(rest) = text.strip_suffix(code).or_else(|| text.strip_prefix(code)) {
        rest
    } else if text.ends_with(|c: char| c.is_ascii_alphabetic()) && text.len() > 3 {
        let code = text.get(text.len() - 3..).unwrap_or("");
        if Currency::parse(code).is_some() && text.starts_with(|c: char| c.is_ascii_digit()) {
            let help = format!("a file has one currency, and this one is imported in {}", conventions.currency);
            return Err(Fault::new("import.other_currency", format!("`{text}` is in {code}"), help));
        }
        return Ok(text);
    } else {
        return Ok(text);
    };
    if minor > 0 {
        let help =
            "the request says that bare numbers are minor units, and this cell says major units: mend one of them";
        return Err(Fault::new("import.other_unit", format!("`{text}` is in whole {code}"), help));
    }
    Ok(rest.trim())
}

/// Reads an amount: `0.0377`, `0,0377`, `$0.0377`, `1,234.50`, `1'234.50`. `None` if the cell says that there is none.
pub(super) fn amount(text: &str, conventions: &Conventions, minor: u32) -> Read<Option<Amount>> {
    if is_nothing(text) {
        return Ok(None);
    }
    // The common case first: plain digits and a point.
    if conventions.decimal == Decimal::Point && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return plain(text, text.to_owned(), minor).map(Some);
    }
    if let Some((low, high)) = range(text) {
        let (low, high) = (amount(low, conventions, minor)?, amount(high, conventions, minor)?);
        return match (low, high) {
            (Some(low), Some(high)) if low == high => Ok(Some(low)),
            _ => Err(Fault::new(
                "import.price_range",
                format!("`{text}` is a range of prices, not a price"),
                "ask the carrier for the deck by prefix: which price holds for which number is not in this row",
            )),
        };
    }
    let bare = without_sign(text, conventions, minor)?;
    if bare.starts_with('-') || (bare.starts_with('(') && bare.ends_with(')')) {
        let help = "a call never earns its payer money; write credits as adjustments";
        return Err(Fault::new("import.negative", format!("`{text}` is negative"), help));
    }
    let (point, separator) = match conventions.decimal {
        Decimal::Point => ('.', ','),
        Decimal::Comma => (',', '.'),
    };
    let (whole, decimals) = bare.split_once(point).map_or((bare, None), |(whole, rest)| (whole, Some(rest)));
    let whole = ungrouped(whole, separator).ok_or_else(|| {
        no_amount(text, "write digits with a decimal point, thousands in groups of three or not at all")
    })?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if decimals.is_some_and(|decimals| !digits(decimals)) || (whole.is_empty() && decimals.is_none_or(str::is_empty)) {
        return Err(no_amount(text, "write digits with a decimal point: `0.0125`"));
    }
    let clean = match decimals {
        Some(decimals) => format!("{}.{decimals}", if whole.is_empty() { "0" } else { &whole }),
        None => whole,
    };
    plain(text, clean, minor).map(Some)
}

fn plain(text: &str, clean: String, minor: u32) -> Read<Amount> {
    let clean = if clean.ends_with('.') { clean.trim_end_matches('.').to_owned() } else { clean };
    let clean = if clean.starts_with('.') { format!("0{clean}") } else { clean };
    match Price::parse(&clean, minor) {
        Ok(price) => Ok(Amount { text: clean, price }),
        Err(PriceError::TooPrecise) => Err(Fault::new(
            "import.too_precise",
            format!("`{text}` has more than twelve decimals of the currency unit"),
            "ask how the carrier rounds it; nothing is rounded here",
        )),
        Err(PriceError::TooLarge) => Err(no_amount(text, "it is too large: check the unit")),
        Err(_) => Err(no_amount(text, "write digits with a decimal point: `0.0125`")),
    }
}

/// `0.377-0.604`, with or without signs: both ends.
fn range(text: &str) -> Option<(&str, &str)> {
    let (low, high) = text.split_once(['-', '–'])?;
    let number = |text: &str| text.chars().any(|c| c.is_ascii_digit());
    (number(low) && number(high)).then(|| (low.trim(), high.trim()))
}

/// Whole digits without thousands separators; `None` if they are not in groups of three.
fn ungrouped(text: &str, separator: char) -> Option<String> {
    let is_separator = |c: char| c == separator || matches!(c, '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}');
    if !text.contains(is_separator) {
        return text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.to_owned());
    }
    let mut groups = text.split(is_separator);
    let first = groups.next()?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut whole = String::from(first);
    let good = (1..=3).contains(&first.len()) && digits(first) && first != "0";
    for group in groups {
        if group.len() != 3 || !digits(group) {
            return None;
        }
        whole.push_str(group);
    }
    good.then_some(whole)
}

/// What an amount shows about the decimal sign of its file, if anything.
pub(super) fn decimal_shown(text: &str) -> Option<Decimal> {
    let text = text.trim_matches(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    if text.contains('-') {
        return text.split('-').find_map(decimal_shown);
    }
    let (point, comma) = (text.rfind('.'), text.rfind(','));
    let alone = |at: usize, sign: char, decimal: Decimal| {
        let (whole, decimals) = (&text[..at], &text[at + 1..]);
        let grouping = decimals.len() == 3 && (1..=3).contains(&whole.len()) && whole != "0" && !whole.is_empty();
        (text.matches(sign).count() == 1 && !grouping).then_some(decimal)
    };
    match (point, comma) {
        (Some(point), Some(comma)) if point > comma => Some(Decimal::Point),
        (Some(_), Some(_)) => Some(Decimal::Comma),
        (Some(point), None) => alone(point, '.', Decimal::Point),
        (None, Some(comma)) => alone(comma, ',', Decimal::Comma),
        (None, None) => None,
    }
}

/// Whether an amount can be read both ways: `1,234`.
pub(super) fn is_either(text: &str) -> bool {
    text.contains(',') && decimal_shown(text).is_none()
}

fn bad_code(text: &str, why: &str, help: impl Into<String>) -> Fault {
    Fault::new("import.bad_code", format!("`{text}` is not a prefix: {why}"), help)
}

/// Reads a cell of codes to prefixes: `44`, `+44 20`, `(+1-264)`, `4474-4479`, `44;447,449`, `^44.*`, with the country
/// code of another cell before each.
///
/// `00` and the like before a code are removed only if the request says so.
pub(super) fn codes(text: &str, country: Option<&str>, strip: Option<&str>, keys: &mut Vec<Digits>) -> Read<()> {
    keys.clear();
    // Nearly every cell of a large deck is one plain code.
    if country.is_none()
        && strip.is_none()
        && let Some(digits) = Digits::parse(text.as_bytes()).filter(|_| !text.starts_with('0') && !text.is_empty())
    {
        keys.push(digits);
        return Ok(());
    }
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    if inner.contains(['.', 'E', 'e']) && !inner.starts_with('^') && inner.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad_code(
            text,
            "a spreadsheet has made a number of it",
            "format the column as text before the file is saved, and ask for the file again",
        ));
    }
    for item in inner.split([';', ',', '|', '/']).map(str::trim).filter(|item| !item.is_empty()) {
        code(text, item, country, strip, keys)?;
    }
    if keys.is_empty() {
        let Some(country) = country else {
            return Err(bad_code(text, "the cell is empty", "write the code that the price is for"));
        };
        keys.push(prefix(text, country)?);
    }
    Ok(())
}

fn code(text: &str, item: &str, country: Option<&str>, strip: Option<&str>, keys: &mut Vec<Digits>) -> Read<()> {
    let item = item.strip_prefix('^').map_or(item, |rest| rest.trim_end_matches('$'));
    let item = item.strip_suffix(".*").or_else(|| item.strip_suffix(['*', '%'])).unwrap_or(item);
    let (plus, item) = item.strip_prefix('+').map_or((false, item), |rest| (true, rest));
    let item = match strip {
        Some(strip) if !plus => item.strip_prefix(strip).unwrap_or(item),
        _ => item,
    };
    let whole = |digits: &str| match country {
        Some(country) => format!("{}{digits}", country),
        None => digits.to_owned(),
    };
    let squeeze =
        |text: &str| -> String { text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '(' | ')')).collect() };
    let Some((first, last)) = item.split_once(['-', '–']) else {
        keys.push(prefix(text, &whole(&squeeze(item)))?);
        return Ok(());
    };
    let (first, last) = (squeeze(first), squeeze(last.trim_start_matches([' ', '+'])));
    if first.len() != last.len() {
        if plus {
            // `+1-264` is a country code and an area code: a plus begins one number, never a span of codes.
            keys.push(prefix(text, &format!("{first}{last}"))?);
            return Ok(());
        }
        let help = format!("write both ends in full (`{first}-…`), or the number without the dash");
        return Err(bad_code(text, "the ends of the span differ in length", help));
    }
    let (low, high) = (prefix(text, &whole(&first))?, prefix(text, &whole(&last))?);
    if low > high {
        return Err(bad_code(text, "the span runs backwards", "write the lower end first: `4474-4479`"));
    }
    let span = format!("{low}-{high}");
    let mut spanned = Vec::new();
    notation::keys(&span, &mut spanned).map_err(|fault| Fault::new("import.bad_code", fault.message, fault.help))?;
    keys.extend(spanned.into_iter().filter_map(|key| match key {
        DestinationKey::Prefix(digits) => Some(digits),
        _ => None,
    }));
    Ok(())
}

fn prefix(text: &str, digits: &str) -> Read<Digits> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad_code(
            text,
            "not digits",
            "write digits with the country code first, spans as `4474-4479`, lists with `;` between",
        ));
    }
    if digits.starts_with('0') {
        return Err(bad_code(
            text,
            "it begins with 0, which no country code does",
            "if every code has `00` or `011` before it, say `--strip 00`; a national code needs its country code",
        ));
    }
    Digits::parse(digits.as_bytes())
        .ok_or_else(|| bad_code(text, "longer than fifteen digits", "E.164 numbers have at most fifteen digits"))
}

/// First and further increment in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Increments {
    pub(super) first: i64,
    pub(super) further: i64,
}

impl std::fmt::Display for Increments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", seconds_text(self.first), seconds_text(self.further))
    }
}

/// Milliseconds as seconds: `57.6`.
pub(super) fn seconds_text(millis: i64) -> String {
    let (whole, rest) = (millis / 1_000, millis % 1_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{}", format!("{rest:03}").trim_end_matches('0')) }
}

/// Seconds: `30`, `30.5`, `30s`, `30 sec`.
pub(super) fn seconds(text: &str) -> Read<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '.' | '"')).trim();
    let unit = text.get(digits.len()..).unwrap_or("").trim().to_ascii_lowercase();
    let bad = || {
        let help = "write whole seconds: `30`, `60`";
        Fault::new("import.bad_seconds", format!("`{text}` is not a number of seconds"), help)
    };
    if !matches!(unit.as_str(), "" | "s" | "sec" | "secs" | "sec." | "second" | "seconds" | "\"") {
        return Err(bad());
    }
    let duration = crate::time::Duration::parse(&format!("{digits}s")).ok_or_else(bad)?;
    Ok(duration.as_millis()).filter_ok(bad)
}

trait FilterOk {
    fn filter_ok(self, bad: impl Fn() -> Fault) -> Self;
}

impl FilterOk for Read<i64> {
    fn filter_ok(self, bad: impl Fn() -> Fault) -> Self {
        self.and_then(|millis| if (0..=86_400_000).contains(&millis) { Ok(millis) } else { Err(bad()) })
    }
}

/// `30/6`, `60/1`, `30-6`, `30+6`, `60`: first and further increment.
pub(super) fn increments(text: &str) -> Read<Increments> {
    let (first, further) = text.split_once(['/', '+', '-', ':', '|']).unwrap_or((text, text));
    let (first, further) = (seconds(first.trim())?, seconds(further.trim())?);
    increment_pair(text, first, further)
}

pub(super) fn increment_pair(text: &str, first: i64, further: i64) -> Read<Increments> {
    if further <= 0 {
        let help = "the further increment is at least a thousandth of a second; `1` bills by the second";
        return Err(Fault::new("import.bad_seconds", format!("`{text}` has no further increment"), help));
    }
    Ok(Increments { first, further })
}

/// What dates of a file show about the order of their parts.
pub(super) fn order_shown(text: &str) -> Option<DateOrder> {
    let (first, second, _) = three_numbers(text, &['/', '-'])?;
    match (first > 12, second > 12) {
        (true, false) => Some(DateOrder::DayFirst),
        (false, true) => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

/// Whether a date can be read both ways: `05/06/2026`.
pub(super) fn is_date_either(text: &str) -> bool {
    three_numbers(text, &['/', '-']).is_some() && order_shown(text).is_none()
}

/// `05/06/2026…` as numbers, if the year is last.
fn three_numbers(text: &str, separators: &[char]) -> Option<(u32, u32, i32)> {
    let date = text.split([' ', 'T']).next()?;
    let mut parts = date.split(separators);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || first.len() > 2 || second.len() > 2 {
        return None;
    }
    Some((first.parse().ok()?, second.parse().ok()?, year.parse().ok()?))
}

/// Whether a date carries a time of day other than midnight, and no offset.
pub(super) fn has_time(text: &str) -> bool {
    if Instant::parse_rfc3339(text).is_some() {
        return false;
    }
    match text.split_once([' ', 'T']) {
        Some((_, time)) if time.contains(':') => time.bytes().any(|byte| (b'1'..=b'9').contains(&byte)),
        _ => false,
    }
}

fn bad_date(text: &str, why: &str) -> Fault {
    Fault::new(
        "import.bad_date",
        format!("`{text}` is not a date{why}"),
        "write `2026-12-31`, `31/12/2026`, `31.12.2026`, `31-Dec-2026` or `20261231`",
    )
}

fn date(text: &str, order: Option<DateOrder>) -> Read<Date> {
    if let Some(date) = Date::parse(text) {
        return Ok(date);
    }
    let made = |year: i32, month: u32, day: u32| Date::new(year, month, day).ok_or_else(|| bad_date(text, ""));
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u32 = text.parse().map_err(|_| bad_date(text, ""))?;
        return made(i32::try_from(number / 10_000).unwrap_or(0), number / 100 % 100, number % 100);
    }
    if let Some((day, month, year)) = three_numbers(text, &['.']) {
        return made(year, month, day);
    }
    if let Some((first, second, year)) = three_numbers(text, &['/', '-']) {
        return match order.or_else(|| order_shown(text)) {
            Some(DateOrder::DayFirst) => made(year, second, first),
            Some(DateOrder::MonthFirst) => made(year, first, second),
            None => Err(bad_date(text, " that can be read one way only")),
        };
    }
    // 2026/12/31, 31-Dec-2026, 31 Dec 2026, Dec 31, 2026.
    let parts: Vec<&str> = text.split(['/', '-', ' ', ',', '.']).filter(|part| !part.is_empty()).collect();
    let [first, second, third] = parts.as_slice() else { return Err(bad_date(text, "")) };
    if first.len() == 4
        && let (Ok(year), Ok(month), Ok(day)) = (first.parse(), second.parse(), third.parse())
    {
        return made(year, month, day);
    }
    let (day, month) = if first.starts_with(|c: char| c.is_ascii_digit()) { (first, second) } else { (second, first) };
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = month.to_ascii_lowercase();
    let month = (1..).zip(MONTHS).find(|(_, name)| month.starts_with(name) && month.len() <= 9);
    let (Some((month, _)), Ok(day), Ok(year)) = (month, day.parse(), third.parse::<i32>()) else {
        return Err(bad_date(text, ""));
    };
    if third.len() != 4 {
        return Err(bad_date(text, ": the year has four digits"));
    }
    made(year, month, day)
}

/// Reads when a row begins. Midnight is the date; a time of day is read on the clock of the request's zone; what is finer
/// than a millisecond goes up to the next one, which no call can tell from it.
pub(super) fn begins(text: &str, conventions: &Conventions) -> Read<Option<When>> {
    if is_nothing(text) || text.starts_with("0000-00-00") {
        return Ok(None);
    }
    if let Some(instant) = Instant::parse_rfc3339(text) {
        return Ok(Some(When::Instant(instant)));
    }
    let (day, time) = split_time(text);
    let date = date(day, conventions.dates)?;
    let Some(time) = time.filter(|_| has_time(text)) else { return Ok(Some(When::Date(date))) };
    let millis = clock(time).ok_or_else(|| bad_date(text, ": the time of day is not `hh:mm:ss`"))?;
    let Some(zone) = &conventions.zone else { return Err(bad_date(text, " without its clock")) };
    if millis == 86_400_000 {
        return Ok(Some(When::Date(date.tomorrow())));
    }
    let local = LocalTime::from_millis(date.midnight().as_millis() + millis);
    Ok(Some(When::Instant(zone.start_of(local))))
}

/// Reads when a row ends, as the first moment outside.
pub(super) fn ends(text: &str, conventions: &Conventions) -> Read<Option<When>> {
    if Instant::parse_rfc3339(text).is_some() {
        return begins(text, conventions);
    }
    let (day, time) = split_time(text);
    let last_day = conventions.ends == Some(Ends::LastDay);
    // The last second of a day is how the end of that day is written.
    if last_day
        && time.is_none_or(|time| !has_time(text) || time.starts_with("23:59"))
        && begins(day, conventions)?.is_some()
    {
        return date(day, conventions.dates).map(|date| Some(When::Date(date.tomorrow())));
    }
    begins(text, conventions)
}

fn split_time(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once([' ', 'T']) {
        Some((day, time)) if time.contains(':') => (day.trim(), Some(time)),
        _ => (text, None),
    }
}

/// `06:55`, `11:06:58.484053` in milliseconds of the day, up to the next whole one.
fn clock(text: &str) -> Option<i64> {
    let (time, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = time.split(':').map(|part| part.parse::<i64>().ok().filter(|_| part.len() == 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let millis = if fraction.is_empty() {
        0
    } else {
        let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
        (nanos + 999_999) / 1_000_000
    };
    Some((hour * 3_600 + minute * 60 + second) * 1_000 + millis)
}

/// What a row is for its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Offered,
    Blocked,
    Unknown,
    Closed,
}

/// What a word in a status column means.
pub(super) fn standing(text: &str, request: &Request) -> Read<Standing> {
    let word = text.to_lowercase();
    let named = |word: &str| match word {
        "" | "offered" | "current" | "active" | "open" | "valid" | "ok" | "yes" | "enabled" | "available" | "new"
        | "new code" | "new destination" | "increase" | "increased" | "decrease" | "decreased" | "up" | "down"
        | "unchanged" | "no change" | "same" | "change" | "changed" | "update" | "updated" | "effective" => {
            Some(Standing::Offered)
        }
        "closed" | "close" | "code closed" | "closing" | "delete" | "deleted" | "removed" | "remove"
        | "discontinued" | "expired" | "end" | "ended" | "withdrawn" | "cancelled" | "terminated" => {
            Some(Standing::Closed)
        }
        "blocked" | "block" | "barred" | "not offered" | "unavailable" | "suspended" | "disabled" | "rejected" => {
            Some(Standing::Blocked)
        }
        "unknown" => Some(Standing::Unknown),
        _ => None,
    };
    let said = request.statuses.iter().find(|(theirs, _)| theirs.to_lowercase() == word);
    let word = said.map_or(word.as_str(), |(_, ours)| ours.as_str());
    named(word).ok_or_else(|| {
        Fault::new(
            "import.bad_status",
            format!("`{text}` is not known as a status"),
            format!("say what it means: `--status '{text}=offered'`, or `blocked`, `unknown`, `closed`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conventions(decimal: Decimal, minor: u32) -> Conventions {
        Conventions {
            decimal,
            dates: None,
            ends: Some(Ends::LastDay),
            zone: Zone::load("Europe/London"),
            currency: Currency::parse("USD").unwrap(),
            minor,
            fee_minor: minor,
            strip: None,
        }
    }

    fn read(text: &str, decimal: Decimal) -> String {
        match amount(text, &conventions(decimal, 0), 0) {
            Ok(Some(amount)) => amount.text,
            Ok(None) => "none".into(),
            Err(fault) => fault.code.into(),
        }
    }

    #[test]
    fn amounts_are_read_with_the_decimal_sign_of_their_file() {
        for (text, point, comma) in [
            ("0.0377", "0.0377", "import.bad_amount"),
            ("0,0377", "import.bad_amount", "0.0377"),
            ("$0.0377", "0.0377", "import.bad_amount"),
            ("1,234.50", "1234.50", "import.bad_amount"),
            ("1.234,50", "import.bad_amount", "1234.50"),
            ("1'234", "1234", "1234"),
            ("12 345", "12345", "12345"),
            (".5", "0.5", "import.bad_amount"),
            ("5.", "5", "import.bad_amount"),
            ("", "none", "none"),
            ("n/a", "none", "none"),
            ("-0.5", "import.negative", "import.negative"),
            ("£0.02", "import.other_currency", "import.other_currency"),
            ("0.02 USD", "0.02", "import.bad_amount"),
            ("0.02 EUR", "import.other_currency", "import.other_currency"),
            ("$0.053-$0.053", "0.053", "import.bad_amount"),
            ("$0.377-$0.604", "import.price_range", "import.bad_amount"),
            ("1.2E-2", "import.bad_amount", "import.bad_amount"),
            ("0.0000000000001", "import.too_precise", "import.bad_amount"),
            ("1,23,4", "import.bad_amount", "import.bad_amount"),
            ("free", "import.bad_amount", "import.bad_amount"),
        ] {
            assert_eq!(
                (read(text, Decimal::Point).as_str(), read(text, Decimal::Comma).as_str()),
                (point, comma),
                "{text}"
            );
        }
        // A sign of the major unit against a unit of pence or cents.
        assert_eq!(amount("$2", &conventions(Decimal::Point, 2), 2).unwrap_err().code, "import.other_unit");
    }

    #[test]
    fn amounts_show_their_decimal_sign_or_do_not() {
        for (text, shown) in [
            ("0.0377", Some(Decimal::Point)),
            ("0,0377", Some(Decimal::Comma)),
            ("0,377", Some(Decimal::Comma)),
            ("1,234", None),
            ("1.234", None),
            ("12", None),
            ("1,234.5", Some(Decimal::Point)),
            ("1.234,5", Some(Decimal::Comma)),
            ("$0.5", Some(Decimal::Point)),
            ("1,2", Some(Decimal::Comma)),
            ("1,234,567", None),
        ] {
            assert_eq!(decimal_shown(text), shown, "{text}");
        }
    }

    #[test]
    fn codes_are_read_as_carriers_write_them() {
        for (text, country, strip, expected) in [
            ("44", None, None, "44"),
            ("+44", None, None, "44"),
            ("+44 20", None, None, "4420"),
            ("(+1-264)", None, None, "1264"),
            ("(+1-829,1809,1849)", None, None, "1829 1809 1849"),
            ("(+9-0392)", None, None, "90392"),
            ("4474-4476", None, None, "4474 4475 4476"),
            ("93701-93705", None, None, "93701 93702 93703 93704 93705"),
            ("4470-4479", None, None, "447"),
            ("44;447,449", None, None, "44 447 449"),
            ("20; 161-162", Some("44"), None, "4420 44161 44162"),
            ("", Some("44"), None, "44"),
            ("^44.*", None, None, "44"),
            ("^00375%", None, Some("00"), "375"),
            ("0044", None, Some("00"), "44"),
            ("44*", None, None, "44"),
            ("0044", None, None, "import.bad_code"),
            ("020", None, None, "import.bad_code"),
            ("4474-9", None, None, "import.bad_code"),
            ("4479-4474", None, None, "import.bad_code"),
            ("4.47E+09", None, None, "import.bad_code"),
            ("44.0", None, None, "import.bad_code"),
            ("4477xx", None, None, "import.bad_code"),
            ("", None, None, "import.bad_code"),
            ("1234567890123456", None, None, "import.bad_code"),
        ] {
            let mut keys = Vec::new();
            let found = match codes(text, country, strip, &mut keys) {
                Ok(()) => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                Err(fault) => fault.code.into(),
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn dates_are_read_one_way_or_not_at_all() {
        let shown = |when: Read<Option<When>>| match when {
            Ok(Some(When::Date(date))) => date.to_string(),
            Ok(Some(When::Instant(instant))) => instant.to_rfc3339(),
            Ok(None) => "none".into(),
            Err(fault) => fault.code.into(),
        };
        for (text, begin, end) in [
            ("2026-12-31", "2026-12-31", "2027-01-01"),
            ("2010-06-26 06:55:00", "2010-06-26T05:55:00Z", "2010-06-26T05:55:00Z"),
            ("2010-07-02 11:06:58.484053", "2010-07-02T10:06:58.485Z", "2010-07-02T10:06:58.485Z"),
            ("2011-05-01 00:00:00", "2011-05-01", "2011-05-02"),
            ("2026-12-31 23:59:59", "2026-12-31T23:59:59Z", "2027-01-01"),
            ("31/12/2026", "2026-12-31", "2027-01-01"),
            ("12/31/2026", "2026-12-31", "2027-01-01"),
            ("05/06/2026", "import.bad_date", "import.bad_date"),
            ("31.12.2026", "2026-12-31", "2027-01-01"),
            ("31-Dec-2026", "2026-12-31", "2027-01-01"),
            ("31 December 2026", "2026-12-31", "2027-01-01"),
            ("Dec 31, 2026", "2026-12-31", "2027-01-01"),
            ("20261231", "2026-12-31", "2027-01-01"),
            ("2026-12-31T10:00:00+01:00", "2026-12-31T09:00:00Z", "2026-12-31T09:00:00Z"),
            ("31-Dec-26", "import.bad_date", "import.bad_date"),
            ("2026-02-30", "import.bad_date", "import.bad_date"),
            ("", "none", "none"),
            ("soon", "import.bad_date", "import.bad_date"),
        ] {
            let conventions = conventions(Decimal::Point, 0);
            let found = (shown(begins(text, &conventions)), shown(ends(text, &conventions)));
            assert_eq!((found.0.as_str(), found.1.as_str()), (begin, end), "{text}");
        }
    }

    #[test]
    fn increments_are_a_pair_of_seconds() {
        for (text, expected) in [
            ("30/6", "30/6"),
            ("60", "60/60"),
            ("60/1", "60/1"),
            ("1+1", "1/1"),
            ("30 - 6", "30/6"),
            ("57.6/57.6", "57.6/57.6"),
            ("30s/6s", "30/6"),
            ("30 sec", "30/30"),
            ("0", "import.bad_seconds"),
            ("60/0", "import.bad_seconds"),
            ("min", "import.bad_seconds"),
            ("1 min", "import.bad_seconds"),
        ] {
            let found = increments(text).map_or_else(|fault| fault.code.to_owned(), |pair| pair.to_string());
            assert_eq!(found, expected, "{text}");
        }
    }
}
