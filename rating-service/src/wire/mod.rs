//! JSON in and out: the words of the interface, and nothing of how they are kept. Instants are RFC 3339 with the offset
//! of the site (or the operator, where there is no site); dates are days at the site; intervals are half-open.

pub mod charges;
pub mod contracts;
pub mod exports;
pub mod handling;
pub mod months;
pub mod numbers;
pub mod occupiers;
pub mod operator;
pub mod portal;
pub mod rates;
pub mod services;
pub mod sites;
pub mod tariffs;
pub mod users;
pub mod work;

use rating_core::time::{Instant, LocalTime, Zone};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Faults;

/// A problem, as RFC 9457 has it; for the interface's document.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:rating:problem:` and the code.
    pub r#type: String,
    /// The same words each time.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is the matter with this request.
    pub detail: String,
    /// Stable: what programs branch on.
    pub code: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What is wrong field by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<serde_json::Value>,
}

/// One page of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Send this as `after` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a page out of what was found with a limit of one more than `limit`.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = (items.len() > limit).then(|| items.get(limit.saturating_sub(1)).map(cursor)).flatten();
        items.truncate(limit);
        Self { items, next }
    }
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// What the page before gave as `next`.
    pub after: Option<String>,
    /// How many, 1 to 500; 100 if left out.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<i64>,
}

/// How many items a page has.
///
/// # Errors
///
/// The limit asked for is none.
pub fn page_limit(limit: Option<i64>) -> crate::error::Result<i64> {
    match limit.unwrap_or(100) {
        limit @ 1..=500 => Ok(limit),
        limit => {
            Err(crate::error::Problem::new("request.parameter_malformed", format!("`limit` is {limit}"))
                .help("1 to 500"))
        }
    }
}

/// An instant as a zone's wall clock and its offset, or `None` for the ends of time.
#[must_use]
pub fn instant(zone: &Zone, at: Instant) -> Option<String> {
    (at != Instant::MIN && at != Instant::MAX).then(|| zone.format(at))
}

/// A bound of an interval at a place: its day, if it is the first moment of one, otherwise the instant. `None` for the ends
/// of time.
#[must_use]
pub fn day(zone: &Zone, at: Instant) -> Option<String> {
    let date = (at != Instant::MIN && at != Instant::MAX).then(|| zone.to_local(at).date())?;
    Some(if zone.start_of(date.midnight()) == at { date.to_string() } else { zone.format(at) })
}

/// Reads a bound of an interval at a place: a day, or an instant with its offset.
pub fn bound(zone: &Zone, faults: &mut Faults, field: &str, text: &str) -> Option<Instant> {
    let bound = zone.bound(text);
    if bound.is_none() {
        let what = format!("`{text}` is neither a day nor an instant");
        faults.push(field, "field.date_malformed", what, "`2026-12-01`, or `2026-12-01T09:00:00+00:00`");
    }
    bound
}

/// Reads an instant at a place: a day (its first moment), an instant with its offset, or what the clock on the wall shows
/// (`2026-12-25T14:00`), the first time that it shows it.
#[must_use]
pub fn moment(zone: &Zone, text: &str) -> Option<Instant> {
    zone.bound(text).or_else(|| {
        let with_seconds = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
        LocalTime::parse(with_seconds.as_bytes()).map(|local| zone.start_of(local))
    })
}

/// The zone of that name.
pub fn zone(faults: &mut Faults, field: &str, name: &str) -> Option<Zone> {
    let zone = Zone::load(name);
    if zone.is_none() {
        faults.push(
            field,
            "field.zone_unknown",
            format!("there is no time zone `{name}`"),
            "an IANA name: `Europe/London`",
        );
    }
    zone
}
