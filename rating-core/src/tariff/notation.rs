//! How prices, fees, increments, bands and prefixes are written in a cell: nom readers from text to values.
//!
//! Nothing here knows files. A reader answers with a value or with a [`Fault`]: code, message and hint, to which the
//! caller adds the place.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, space0};
use nom::combinator::{all_consuming, opt, recognize, value};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::DestinationKey;
use super::charge::{DurationRounding, DurationRule, Increments};
use crate::money::{Charge, Currency, Price, PriceError};
use crate::number::{Digits, E164, NumberClass};
use crate::time::{Date, Duration, Instant, Zone};

/// What is wrong with a text, without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

/// What bare numbers of a column are counted in: the major or the minor unit of the tariff's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MoneyUnit {
    /// The unit is 10⁻ⁿ of the major unit.
    minor: u32,
}

/// A money unit and the time it buys: `p/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PriceUnit {
    pub(super) money: MoneyUnit,
    pub(super) per: Duration,
}

/// Currencies whose hundredth is written `p`.
const PENCE: [&str; 8] = ["GBP", "GGP", "JEP", "IMP", "GIP", "FKP", "SHP", "EGP"];

/// Reads `p/min`, `GBP/min`, `ct/s` as the unit of bare prices.
pub(super) fn price_unit(text: &str, currency: Currency) -> Result<PriceUnit, Fault> {
    let help = || format!("write for example `{currency}/min`, `{}/min` or `{currency}/s`", minor_name(currency));
    let unknown = || Fault::new("tariff.bad_unit", format!("`{text}` is not a unit of prices"), help());
    let Ok((_, (money, per))) = all_consuming((word, preceded(slash, time_word))).parse(text.trim()) else {
        return Err(unknown());
    };
    Ok(PriceUnit { money: money_unit(money, currency)?, per: per_unit(per).ok_or_else(unknown)? })
}

/// Reads `p`, `GBP`, `ct` as the unit of bare fees.
pub(super) fn fee_unit(text: &str, currency: Currency) -> Result<MoneyUnit, Fault> {
    money_unit(text.trim(), currency)
}

/// What a price cell may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PriceCell {
    /// A price for a time; a time of zero is the whole call.
    Rate(Price, Duration),
    /// What the other side of the call costs, times so many millionths.
    Wholesale(i64),
}

/// Reads a price cell: a price, or `wholesale`, `wholesale + 20%`, `wholesale - 2.5%`.
pub(super) fn price_cell(text: &str, currency: Currency, bare: Option<PriceUnit>) -> Result<PriceCell, Fault> {
    let Some(rest) = text.trim().strip_prefix("wholesale") else {
        return price(text, currency, bare).map(|(price, per)| PriceCell::Rate(price, per));
    };
    let bad = || {
        let help =
            "write `wholesale + 20%`, `wholesale - 5%` or `wholesale` alone; the share has at most four decimals";
        Fault::new("tariff.bad_markup", format!("`{text}` does not say how the wholesale charge is marked up"), help)
    };
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(PriceCell::Wholesale(MILLION));
    }
    let (sign, share) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(share), _) => (1, share),
        (_, Some(share)) => (-1, share),
        _ => return Err(bad()),
    };
    let factor = MILLION + sign * percent(share).ok_or_else(bad)?;
    if factor < 0 { Err(bad()) } else { Ok(PriceCell::Wholesale(factor)) }
}

/// A whole in [`percent`]'s unit.
pub(super) const MILLION: i64 = 1_000_000;

/// Reads `20%`, `2.5 %` in millionths; at most four decimals.
pub(super) fn percent(text: &str) -> Option<i64> {
    let number = text.trim().strip_suffix('%')?.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || fraction.len() > 4 || !digits(whole) || !digits(fraction) {
        return None;
    }
    if number.ends_with('.') {
        return None;
    }
    format!("{whole}{fraction:0<4}").parse().ok()
}

/// Reads a length of time with its unit: `60s`, `1.5s`, `60min`.
pub(super) fn length(text: &str) -> Result<Duration, Fault> {
    Duration::parse(text.trim()).filter(|length| *length <= LONGEST).ok_or_else(|| {
        let help = "write a number with its unit, at most 400 days: `60s`, `1.5s`, `60min`, `1h`";
        Fault::new("tariff.bad_duration", format!("`{text}` is not a length of time"), help)
    })
}

/// No step, window or grace is longer.
const LONGEST: Duration = Duration::from_seconds(400 * 86_400);

/// Reads `up 1s`, `down 6s`, `nearest 1s` or `none`.
pub(super) fn duration_rounding(text: &str) -> Result<Option<DurationRounding>, Fault> {
    let bad = || {
        let help = "write `up 1s`, `down 1s`, `nearest 1s` or `none`";
        Fault::new("tariff.bad_rounding", format!("`{text}` does not say how talk time is rounded"), help)
    };
    if text.trim() == "none" {
        return Ok(None);
    }
    let (rule, step) = text.trim().split_once(' ').ok_or_else(bad)?;
    let rule = match rule {
        "up" => DurationRule::Up,
        "down" => DurationRule::Down,
        "nearest" => DurationRule::Nearest,
        _ => return Err(bad()),
    };
    let step =
        Duration::parse(step.trim()).filter(|step| *step > Duration::ZERO && *step <= LONGEST).ok_or_else(bad)?;
    Ok(Some(DurationRounding { rule, step }))
}

/// Reads a price: `2.5` in the unit of bare numbers, `2.5p/min`, `0.025 GBP/min`, `0.23 EUR/90s`, or `2.5p` with the time
/// of that unit. `20p/call` is for the call, whatever its length: its time is zero.
pub(super) fn price(text: &str, currency: Currency, bare: Option<PriceUnit>) -> Result<(Price, Duration), Fault> {
    let written = amount(text)?;
    let no_time = || {
        Fault::new(
            "tariff.unit_missing",
            format!("`{text}` does not say for how long"),
            format!("write `{}/min`, or say for the whole file `prices = \"{currency}/min\"`", text.trim()),
        )
    };
    let money = match written.unit {
        "" => bare.ok_or_else(|| no_unit(text, currency, "prices", "/min"))?.money,
        unit => money_unit(unit, currency)?,
    };
    let per = match written.per {
        Some(per) => per_unit(per).ok_or_else(|| {
            let help = "write `/min`, `/s`, `/h`, `/90s`, or `/call` for the call as a whole";
            Fault::new("tariff.bad_unit", format!("`{per}` is not a time"), help)
        })?,
        None => bare.ok_or_else(no_time)?.per,
    };
    Ok((money_value(written.number, money)?, per))
}

/// Reads a fee: `5` in the unit of bare fees, `5p`, `0.05 GBP`.
pub(super) fn fee(text: &str, currency: Currency, bare: Option<MoneyUnit>) -> Result<Price, Fault> {
    let written = amount(text)?;
    if written.per.is_some() {
        return Err(Fault::new(
            "tariff.bad_price",
            format!("`{text}` is a price for time, where an amount per call is meant"),
            format!("write the amount alone: `{}{}`", written.number, written.unit),
        ));
    }
    let money = match written.unit {
        "" => bare.ok_or_else(|| no_unit(text, currency, "fees", ""))?,
        unit => money_unit(unit, currency)?,
    };
    money_value(written.number, money)
}

/// Reads a rounding step: a fee with its unit, more than zero, at most ten decimals of the currency unit.
pub(super) fn step(text: &str, currency: Currency) -> Result<Charge, Fault> {
    const TO_LEDGER: i64 = 100;
    let price = fee(text, currency, None)?;
    if price.units() <= 0 || price.units() % TO_LEDGER != 0 {
        return Err(Fault::new(
            "tariff.bad_rounding",
            format!("`{text}` is not a step to round to"),
            format!("a step is more than zero and has at most ten decimals of a {currency}: `0.1{}`, for example", {
                minor_name(currency)
            }),
        ));
    }
    Ok(Charge::from_units(price.units() / TO_LEDGER))
}

/// First and further increment.
///
/// `30/6` is 30 seconds, then steps of 6; a single number is both. Seconds, decimals to the millisecond, an `s` may
/// follow. This is how carriers write it ("60/60", "1/1"), so a bare number can only mean seconds here.
/// `none` is to the millisecond, `unit` the time that the price is for, which is how pulses are billed.
pub(super) fn increments(text: &str) -> Result<Increments, Fault> {
    match text.trim() {
        "unit" => return Ok((None, None)),
        "none" => return Ok((Some(Duration::from_millis(1)), Some(Duration::from_millis(1)))),
        _ => {}
    }
    plain_increments(text).map(|(first, further)| (Some(first), Some(further)))
}

fn plain_increments(text: &str) -> Result<(Duration, Duration), Fault> {
    let bad = |why: &str| {
        Fault::new(
            "tariff.bad_increments",
            format!("`{text}` is not an increment: {why}"),
            "write first and further increment in seconds, `30/6`; a single number is both: `60` means `60/60`; or `unit`, `none`",
        )
    };
    let seconds = || (take_while1(|c: char| c.is_ascii_digit() || c == '.'), opt(tag("s")));
    let parsed = all_consuming((seconds(), opt(preceded(slash, seconds())))).parse(text.trim());
    let Ok((_, ((first, _), further))) = parsed else {
        return Err(bad("seconds, a slash, seconds"));
    };
    let read = |digits: &str| Duration::parse(&format!("{digits}s")).ok_or_else(|| bad("at most three decimals"));
    let first = read(first)?;
    let further = further.map_or(Ok(first), |(digits, _)| read(digits))?;
    let day = Duration::from_seconds(86_400);
    if further <= Duration::ZERO {
        return Err(bad("the further increment must be more than zero"));
    }
    if first > day || further > day {
        return Err(bad("longer than a day"));
    }
    Ok((first, further))
}

/// When something starts or ends: a date (midnight in the tariff's zone) or an instant with its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// 00:00 of that date on the tariff's clock.
    Date(Date),
    /// That instant, wherever.
    Instant(Instant),
}

impl When {
    /// The day, of an instant in UTC.
    pub(super) fn date(self) -> Date {
        match self {
            Self::Date(date) => date,
            Self::Instant(instant) => Zone::utc().to_local(instant).date(),
        }
    }

    pub(super) fn in_zone(self, zone: &Zone) -> Instant {
        match self {
            Self::Date(date) => zone.start_of(date.midnight()),
            Self::Instant(instant) => instant,
        }
    }
}

/// Reads `2026-01-01` or `2026-01-01T00:00:00Z`.
pub(super) fn when(text: &str) -> Result<When, Fault> {
    let date = Date::parse(text).map(When::Date);
    date.or_else(|| Instant::parse_rfc3339(text).map(When::Instant)).ok_or_else(|| {
        Fault::new(
            "tariff.bad_date",
            format!("`{text}` is not a date"),
            "write `2026-01-31` (00:00 on the tariff's clock), or an instant with its offset: `2026-01-31T18:00:00+01:00`",
        )
    })
}

/// Reads a plain date, for holidays.
pub(super) fn date(text: &str) -> Result<Date, Fault> {
    Date::parse(text)
        .ok_or_else(|| Fault::new("tariff.bad_date", format!("`{text}` is not a date"), "write `2026-12-25`"))
}

/// Reads the `prefix` cell: prefixes (`44`, `+4420`), ranges of them (`4474-4479`), lists of both separated by `;` or
/// `,`, `number:+442079460958`, `short:101`, `short:118*`, `class:mobile`, `*`, `internal`; or `code:UK GEOGRAPHIC`, which
/// stands alone because a charge code may hold any sign.
///
/// A range becomes the fewest prefixes that cover it and nothing else.
pub(super) fn keys<'t>(text: &'t str, keys: &mut Vec<DestinationKey<&'t str>>) -> Result<(), Fault> {
    keys.clear();
    // Nearly every cell of a large deck is one plain prefix.
    if let Some(digits) = Digits::parse(text.as_bytes()).filter(|digits| digits.value() > 0 && !text.starts_with('0')) {
        keys.push(DestinationKey::Prefix(digits));
        return Ok(());
    }
    if let Some(code) = text.strip_prefix("code:").map(str::trim) {
        if code.is_empty() {
            return Err(bad_prefix(
                text,
                "it names no charge code",
                "write the code as records carry it: `code:UK FIXED`",
            ));
        }
        keys.push(DestinationKey::Code(code));
        return Ok(());
    }
    for item in text.split([';', ',']).map(str::trim) {
        key(item, keys)?;
    }
    Ok(())
}

fn key<'t>(item: &'t str, keys: &mut Vec<DestinationKey<&'t str>>) -> Result<(), Fault> {
    let whole = match item {
        "internal" => Some(DestinationKey::Internal),
        "*" => Some(DestinationKey::Any),
        _ => None,
    };
    if let Some(key) = whole {
        keys.push(key);
        return Ok(());
    }
    if let Some((kind, rest)) = item.split_once(':') {
        keys.push(special_key(item, kind.trim(), rest.trim())?);
        return Ok(());
    }
    let plus = || preceded(opt(char('+')), digit1);
    let parsed = all_consuming((plus(), opt(preceded(dash, plus())))).parse(item);
    let Ok((_, (first, last))) = parsed else {
        let help = if item.contains(char::is_whitespace) {
            "write a prefix without blanks, and `;` between two prefixes: `4474;4475`"
        } else {
            "write digits, country code first (`44`, `+4420`), a range (`4474-4479`), `number:+442079460958`, \
             `short:101`, `short:118*`, `class:mobile`, `code:…`, `*` or `internal`"
        };
        return Err(bad_prefix(item, "not digits", help));
    };
    let first = prefix(item, first)?;
    let Some(last) = last else {
        keys.push(DestinationKey::Prefix(first));
        return Ok(());
    };
    let last = prefix(item, last)?;
    if last.len() != first.len() || last < first {
        return Err(bad_prefix(
            item,
            "its ends differ in length or order",
            "write both ends with the same number of digits, the lower one first: `4474-4479`",
        ));
    }
    cover(first, last, keys);
    Ok(())
}

fn special_key<'t>(item: &str, kind: &str, rest: &str) -> Result<DestinationKey<&'t str>, Fault> {
    match kind {
        "number" => E164::parse(rest.as_bytes())
            .map(DestinationKey::Number)
            .ok_or_else(|| bad_prefix(item, "not an international number", "write `number:+442079460958`")),
        "short" => {
            let (digits, star) = rest.strip_suffix('*').map_or((rest, false), |digits| (digits, true));
            let digits = Digits::parse(digits.as_bytes()).filter(|digits| !digits.is_empty()).ok_or_else(|| {
                bad_prefix(
                    item,
                    "not a short code",
                    "write `short:101` for one code, `short:118*` for all that begin so",
                )
            })?;
            Ok(if star { DestinationKey::ShortPrefix(digits) } else { DestinationKey::ShortCode(digits) })
        }
        "class" => NumberClass::from_name(rest)
            .filter(|class| !matches!(class, NumberClass::Emergency | NumberClass::Internal))
            .map(DestinationKey::Class)
            .ok_or_else(|| {
                bad_prefix(item, "not a class of numbers that are charged", "write `class:mobile`, for example")
            }),
        "code" => Err(bad_prefix(item, "a charge code stands alone", "give each charge code a row of its own")),
        _ => Err(bad_prefix(
            item,
            "this kind of key is not known",
            "known kinds: `number:`, `short:`, `class:`, `code:`, `internal`, `*`, and plain digits for a prefix",
        )),
    }
}

fn prefix(item: &str, digits: &str) -> Result<Digits, Fault> {
    if digits.starts_with('0') {
        return Err(bad_prefix(
            item,
            "it begins with 0",
            "write it as an international number without `00` or the national `0`: `4420`, not `004420` or `020`",
        ));
    }
    Digits::parse(digits.as_bytes())
        .ok_or_else(|| bad_prefix(item, "longer than fifteen digits", "E.164 numbers have at most fifteen digits"))
}

fn bad_prefix(item: &str, why: &str, help: &str) -> Fault {
    let shown = if item.is_empty() { "an empty prefix".to_owned() } else { format!("`{item}`") };
    Fault::new("tariff.bad_prefix", format!("{shown} is not a prefix: {why}"), help)
}

/// The fewest prefixes that cover `first..=last`, both of one length.
fn cover(first: Digits, last: Digits, keys: &mut Vec<DestinationKey<&str>>) {
    let (mut low, high) = (first.value(), last.value());
    while low <= high {
        // The largest block of 10, 100, … numbers that begins here and does not reach past the end.
        let (mut block, mut cut) = (1_u64, 0);
        while cut + 1 < first.len() && low % (block * 10) == 0 && low + block * 10 - 1 <= high {
            block *= 10;
            cut += 1;
        }
        let text = (low / block).to_string();
        keys.extend(Digits::parse(text.as_bytes()).map(DestinationKey::Prefix));
        low += block;
    }
}

/// A number as written, its unit and its time, before they are known to mean anything.
struct Written<'a> {
    number: &'a str,
    unit: &'a str,
    per: Option<&'a str>,
}

fn amount(text: &str) -> Result<Written<'_>, Fault> {
    let text = text.trim();
    if let Some(sign) = text.chars().find(|c| matches!(c, '£' | '€' | '$' | '¥')) {
        let rest: String = text.chars().filter(|c| *c != sign).collect();
        let code = match sign {
            '£' => "GBP",
            '€' => "EUR",
            '¥' => "JPY",
            _ => "USD",
        };
        let (number, per) = rest
            .split_once('/')
            .map_or((rest.as_str(), String::new()), |(number, per)| (number, format!("/{}", per.trim())));
        return Err(Fault::new(
            "tariff.currency_sign",
            format!("`{text}` has a currency sign, which several currencies share"),
            format!("write the code: `{} {code}{per}`", number.trim()),
        ));
    }
    if text.contains(',') {
        let (point, plain) = (text.replace(',', "."), text.replace(',', ""));
        let help = match text.split_once(',') {
            Some((_, rest)) if rest.contains([',', '.']) => format!("write no thousands separators: `{plain}`"),
            Some((whole, rest)) if whole != "0" && rest.chars().take_while(char::is_ascii_digit).count() == 3 => {
                format!("write `{point}` if the comma is a decimal one, `{plain}` if it separates thousands")
            }
            _ => format!("write a decimal point: `{point}`"),
        };
        return Err(Fault::new("tariff.decimal_comma", format!("`{text}` has a comma"), help));
    }
    let number = take_while1(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let unit = take_while(char::is_alphabetic);
    let parsed = all_consuming((number, preceded(space0, unit), opt(preceded(slash, time_word)))).parse(text);
    match parsed {
        Ok((_, (number, unit, per))) => Ok(Written { number, unit, per }),
        Err(_) => Err(bad_number(text)),
    }
}

fn bad_number(text: &str) -> Fault {
    Fault::new(
        "tariff.bad_price",
        format!("`{text}` is not an amount"),
        "write a number with a decimal point, and its unit if it differs from the file's: `2.5`, `2.5p/min`, `0.025 GBP/min`",
    )
}

fn money_value(number: &str, unit: MoneyUnit) -> Result<Price, Fault> {
    let price = Price::parse(number, unit.minor).map_err(|error| match error {
        PriceError::TooPrecise => Fault::new(
            "tariff.too_precise",
            format!("`{number}` has more than twelve decimals of the currency unit"),
            "write at most twelve decimals of the major unit (ten of the minor); nothing is rounded silently",
        ),
        PriceError::TooLarge => Fault::new(
            "tariff.too_large",
            format!("`{number}` is too large for an amount"),
            "check the unit; nine million units is the most there can be",
        ),
        _ => bad_number(number),
    })?;
    if price < Price::ZERO {
        return Err(Fault::new(
            "tariff.negative_price",
            format!("`{number}` is negative"),
            "a call never earns its payer money; write credits as adjustments, not as prices",
        ));
    }
    Ok(price)
}

fn money_unit(unit: &str, currency: Currency) -> Result<MoneyUnit, Fault> {
    let pence = PENCE.contains(&currency.code());
    let known = match unit {
        _ if unit == currency.code() => Some(0),
        "p" if pence => Some(2),
        "c" | "ct" | "cent" | "cents" if !pence && currency.minor_digits() == 2 => Some(2),
        _ => None,
    };
    if let Some(minor) = known {
        return Ok(MoneyUnit { minor });
    }
    let help = format!("this tariff is in {currency}: write `{currency}` or `{}`", minor_name(currency));
    if matches!(unit, "p" | "c" | "ct" | "cent" | "cents") || Currency::parse(unit).is_some() {
        return Err(Fault::new("tariff.currency_mismatch", format!("`{unit}` is not a unit of {currency}"), help));
    }
    Err(Fault::new("tariff.bad_unit", format!("`{unit}` is not a unit of money"), help))
}

fn minor_name(currency: Currency) -> &'static str {
    if PENCE.contains(&currency.code()) { "p" } else { "ct" }
}

fn no_unit(text: &str, currency: Currency, key: &str, per: &str) -> Fault {
    Fault::new(
        "tariff.unit_missing",
        format!("`{text}` has no unit"),
        format!(
            "say it once for the whole file, `{key} = \"{currency}{per}\"` or `{key} = \"{}{per}\"`, or in the cell",
            minor_name(currency)
        ),
    )
}

/// `min`, `90s`, `call`.
fn time_word(input: &str) -> IResult<&str, &str> {
    take_while1(char::is_alphanumeric).parse(input)
}

fn per_unit(text: &str) -> Option<Duration> {
    let seconds = match text {
        "call" => 0,
        "s" | "sec" | "second" => 1,
        "min" | "minute" => 60,
        "h" | "hour" => 3_600,
        // `90s`, `3min`: a count of them.
        counted => return Duration::parse(counted).filter(|per| *per > Duration::ZERO && *per <= LONGEST),
    };
    Some(Duration::from_seconds(seconds))
}

fn word(input: &str) -> IResult<&str, &str> {
    take_while1(char::is_alphabetic).parse(input)
}

fn slash(input: &str) -> IResult<&str, char> {
    delimited(space0, char('/'), space0).parse(input)
}

pub(super) fn comma(input: &str) -> IResult<&str, char> {
    delimited(space0, char(','), space0).parse(input)
}

/// A hyphen, or the dash that word processors make of it.
pub(super) fn dash(input: &str) -> IResult<&str, &str> {
    let either = alt((value("-", char('-')), value("-", char('–'))));
    recognize(delimited(space0, either, space0)).parse(input)
}
