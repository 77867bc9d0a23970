//! Calls and their prices as JSON Lines: one object a line in, one object a line out, in the same order.
//!
//! A line that is no call is answered too, with the reason `price.bad_call` and a message; nothing stops.

use std::borrow::Cow;
use std::io::Write as _;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

use super::Quoter;
use crate::money::{Charge, Currency};
use crate::number::{Direction, NumberClass};
use crate::rating::{Question, Reason, Working};
use crate::tariff::{CallerType, TariffVersion};
use crate::time::{Duration, Instant};

/// The reason of a line that is no call.
pub const BAD_CALL: &str = "price.bad_call";

/// No call is longer: what a call costs is worked out edge by edge, so that nobody can keep the program busy with one line.
const LONGEST: Duration = Duration::from_seconds(400 * 86_400);

/// A call as a line of JSON has it. Texts borrow from the line where they can.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallLine<'a> {
    /// Given back as it is.
    #[serde(borrow, default)]
    pub id: Id<'a>,
    /// Who called; may be missing, or a word for a withheld number.
    #[serde(borrow, default)]
    pub calling: Text<'a>,
    /// Who was called.
    #[serde(borrow)]
    pub called: Text<'a>,
    /// `out` (or nothing), `in`, `internal`.
    #[serde(borrow, default)]
    pub direction: Text<'a>,
    /// RFC 3339.
    #[serde(borrow)]
    pub answered_at: Text<'a>,
    /// Talk time with its unit: `75s`.
    #[serde(borrow)]
    pub duration: Text<'a>,
    /// A site by its name.
    #[serde(borrow, default)]
    pub site: Text<'a>,
    /// `fixed`, `mobile` or `payphone`, if the record says so.
    #[serde(borrow, default)]
    pub caller_type: Text<'a>,
    /// The charge code that the record carries.
    #[serde(borrow, default)]
    pub charge_code: Text<'a>,
    /// The trunk, carrier or access prefix of the record.
    #[serde(borrow, default)]
    pub trunk: Text<'a>,
    /// The tenant, for plans of CGRateS.
    #[serde(borrow, default)]
    pub tenant: Text<'a>,
    /// The category, for plans of CGRateS.
    #[serde(borrow, default)]
    pub category: Text<'a>,
    /// The subject, for plans of CGRateS.
    #[serde(borrow, default)]
    pub subject: Text<'a>,
}

impl<'a> CallLine<'a> {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What is wrong, and at which column (from 1), in words.
    pub fn read(line: &'a [u8]) -> Result<Self, BadCall> {
        if line.first() != Some(&b'{') {
            return Err(BadCall { column: 1, message: "a call is one JSON object".to_owned() });
        }
        serde_json::from_slice(line).map_err(|error| {
            let whole = error.to_string();
            let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
            BadCall { column: error.column().max(1), message: message.to_owned() }
        })
    }
}

impl CallLine<'_> {
    /// The answer and the talk time.
    pub(super) fn when(&self) -> Result<(Instant, Duration), BadCall> {
        let at = self.answered_at.or_empty();
        let instant = Instant::parse_rfc3339(at)
            .ok_or_else(|| BadCall::of_value("answered_at", at, "an instant such as `2026-07-01T12:00:00Z`"))?;
        let talk = self.duration.or_empty();
        let duration = Duration::parse(talk)
            .ok_or_else(|| BadCall::of_value("duration", talk, "a time with its unit such as `75s`"))?;
        if duration > LONGEST {
            return Err(BadCall::of_value("duration", talk, "a call of at most 400 days"));
        }
        Ok((instant, duration))
    }
}

/// Why a line is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCall {
    /// Where, in bytes from 1; 0 if it is the line as a whole.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl BadCall {
    pub(super) fn of_value(key: &str, value: &str, wanted: &str) -> Self {
        // What somebody sent by mistake need not come back as a whole.
        let shown: String = value.chars().take(80).collect();
        Self { column: 0, message: format!("`{key}` is `{shown}`, not {wanted}") }
    }
}

/// A text that may be left out.
#[derive(Debug, Default)]
pub struct Text<'a>(pub Option<Cow<'a, str>>);

impl Text<'_> {
    /// The text, unless it is left out or empty.
    #[must_use]
    pub fn filled(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    pub(super) fn or_empty(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }
}

/// What a line is called by: a text, a whole number, or nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Id<'a> {
    /// No id.
    #[default]
    None,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i128),
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Id<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Id::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Id::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Id::Number(i128::from(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Id::Number(i128::from(number)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Id::None)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(TextVisitor)? {
            Id::None => Ok(Self(None)),
            Id::Text(text) => Ok(Self(Some(text))),
            Id::Number(_) => Err(D::Error::custom("texts stand in quotes, numbers of telephones too")),
        }
    }
}

/// Knows what calls cost.
pub trait Quotes: std::fmt::Debug {
    /// Appends the answer to a call to `out`, with its line end.
    ///
    /// # Errors
    ///
    /// What is wrong with the call; nothing has been appended then.
    fn answer(&self, call: &CallLine<'_>, out: &mut Vec<u8>) -> Result<(), BadCall>;
}

/// Answers lines.
#[derive(Debug)]
pub struct Lines<'q> {
    quotes: &'q dyn Quotes,
    lines: u64,
    bad: u64,
    first_bad: Option<(u64, BadCall)>,
}

impl<'q> Lines<'q> {
    /// Lines answered by a tariff or a plan.
    #[must_use]
    pub const fn new(quotes: &'q dyn Quotes) -> Self {
        Self { quotes, lines: 0, bad: 0, first_bad: None }
    }

    /// How many lines were no calls, and the first of them: its number (from 1) and what is wrong.
    #[must_use]
    pub const fn bad(&self) -> (u64, Option<&(u64, BadCall)>) {
        (self.bad, self.first_bad.as_ref())
    }

    /// Appends the answer to one line to `out`, with its line end; nothing for an empty line.
    pub fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) {
        self.lines += 1;
        let line = if self.lines == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let done = CallLine::read(line).and_then(|call| self.quotes.answer(&call, out));
        if let Err(fault) = done {
            self.refuse(Some(line), fault, out);
        }
    }

    /// Appends the answer to a line longer than any call can be, which was not kept.
    pub fn too_long(&mut self, out: &mut Vec<u8>) {
        self.lines += 1;
        self.refuse(None, BadCall { column: 0, message: "the line is too long for a call".to_owned() }, out);
    }

    fn refuse(&mut self, line: Option<&[u8]>, fault: BadCall, out: &mut Vec<u8>) {
        #[derive(serde::Deserialize)]
        struct OnlyId<'a> {
            #[serde(borrow, default)]
            id: Id<'a>,
        }
        let line = line.filter(|line| line.first() == Some(&b'{'));
        let id = line.and_then(|line| serde_json::from_slice::<OnlyId<'_>>(line).ok()).map_or(Id::None, |line| line.id);
        let place = if fault.column > 0 { format!(", column {}", fault.column) } else { String::new() };
        out.extend_from_slice(b"{\"id\":");
        write_id(&id, out);
        out.extend_from_slice(b",\"status\":\"not_rated\",\"reason\":\"");
        out.extend_from_slice(BAD_CALL.as_bytes());
        out.extend_from_slice(b"\",\"message\":");
        write_text(&format!("line {}{place}: {}", self.lines, fault.message), out);
        write_nothing(None, None, out);
        self.bad += 1;
        if self.first_bad.is_none() {
            self.first_bad = Some((self.lines, fault));
        }
    }
}

impl Quotes for Quoter {
    fn answer(&self, call: &CallLine<'_>, out: &mut Vec<u8>) -> Result<(), BadCall> {
        let quoter = self;
        let (called, class) = quoter.called(call.called.or_empty().as_bytes());
        let (at, duration) = call.when()?;
        let mut question = Question::new(called, class, at, duration);
        question.trunk = call.trunk.or_empty().as_bytes();
        question.charge_code = call.charge_code.or_empty().as_bytes();
        question.direction = direction(call.direction.or_empty())?;
        (question.calling, question.calling_class) =
            quoter.calling(call.calling.or_empty().as_bytes(), question.direction);
        let site = call.site.filled();
        question.site = quoter.site(site).ok_or_else(|| {
            BadCall::of_value("site", site.unwrap_or_default(), "a site whose clock is known (`--zone SITE=ZONE`)")
        })?;
        if let Some(kind) = call.caller_type.filled() {
            question.caller_type = CallerType::ALL.into_iter().find(|have| have.name() == kind);
            if question.caller_type.is_none() {
                return Err(BadCall::of_value("caller_type", kind, "`fixed`, `mobile` or `payphone`"));
            }
        }
        let answer = quoter.ask(&question);
        let version = quoter.version(&answer);
        // What is priced has a version.
        let priced = answer.outcome.and_then(|working| Ok((working, version.ok_or(Reason::TariffNotInForce)?)));
        out.extend_from_slice(b"{\"id\":");
        write_id(&call.id, out);
        match priced {
            Ok((working, version)) => {
                let destination = quoter.destination(&question, &answer);
                quoter.write_rated(&working, version, (destination, class.0), out);
            }
            Err(reason) => {
                out.extend_from_slice(b",\"status\":\"not_rated\",\"reason\":\"");
                out.extend_from_slice(reason.code().as_bytes());
                out.push(b'"');
                write_nothing(answer.currency.as_ref().map(Currency::code), Some(class.0), out);
            }
        }
        Ok(())
    }
}

impl Quoter {
    fn write_rated(
        &self,
        working: &Working,
        version: &TariffVersion,
        (destination, class): (&str, NumberClass),
        out: &mut Vec<u8>,
    ) {
        let book = self.book();
        out.extend_from_slice(b",\"status\":\"rated\",\"charge\":\"");
        write_charge(working.charge, out);
        // Writing to memory does not fail.
        let _ = write!(out, "\",\"unrounded\":\"{}\"", working.unrounded);
        out.extend_from_slice(b",\"currency\":\"");
        out.extend_from_slice(version.currency().code().as_bytes());
        out.extend_from_slice(b"\",\"billed_duration_s\":\"");
        write_seconds(working.billed, out);
        out.extend_from_slice(b"\",\"destination\":");
        write_text(destination, out);
        out.extend_from_slice(b",\"class\":\"");
        out.extend_from_slice(class.name().as_bytes());
        out.extend_from_slice(b"\",\"band\":");
        write_text(book.band(version.band_id(working.band)), out);
        out.extend_from_slice(b",\"row\":");
        match version.row(working.row, crate::ids::SiteId(0)) {
            Some(row) => {
                out.extend_from_slice(b"{\"file\":");
                write_text(row.file, out);
                let _ = write!(out, ",\"line\":{}}}", row.line);
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}\n");
    }
}

fn direction(text: &str) -> Result<Direction, BadCall> {
    match text {
        "" | "out" | "outbound" => Ok(Direction::Outbound),
        "in" | "inbound" => Ok(Direction::Inbound),
        "internal" => Ok(Direction::Internal),
        "forwarded" => Ok(Direction::Forwarded),
        other => Err(BadCall::of_value("direction", other, "`out`, `in` or `internal`")),
    }
}

/// The keys of a call without a price.
pub(super) fn write_nothing(currency: Option<&str>, class: Option<NumberClass>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"charge\":null,\"unrounded\":null,\"currency\":");
    write_word(currency, out);
    out.extend_from_slice(b",\"billed_duration_s\":null,\"destination\":null,\"class\":");
    write_word(class.map(NumberClass::name), out);
    out.extend_from_slice(b",\"band\":null,\"row\":null}\n");
}

fn write_word(word: Option<&str>, out: &mut Vec<u8>) {
    match word {
        Some(word) => write_text(word, out),
        None => out.extend_from_slice(b"null"),
    }
}

pub(super) fn write_id(id: &Id<'_>, out: &mut Vec<u8>) {
    match id {
        Id::None => out.extend_from_slice(b"null"),
        Id::Text(text) => write_text(text, out),
        Id::Number(number) => {
            let _ = write!(out, "{number}");
        }
    }
}

pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

pub(super) fn write_charge(charge: Charge, out: &mut Vec<u8>) {
    let _ = write!(out, "{charge}");
}

/// Seconds with as many decimals as needed.
fn write_seconds(duration: Duration, out: &mut Vec<u8>) {
    let millis = duration.as_millis();
    let _ = write!(out, "{}", millis / 1_000);
    let rest = millis % 1_000;
    if rest != 0 {
        let decimals = format!("{:03}", rest.unsigned_abs());
        let _ = write!(out, ".{}", decimals.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests;
