//! What calls cost, as pages: a month's charges, its calls one by one, and why each costs what it costs.
//!
//! An occupier's people have these pages on top of their portal; the operator's people see the same ones as a tab of the
//! occupier.

mod calls;
mod explained;
mod figures;
mod month;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::api::{asking, part};
use super::operator::head::OccupierHead;
use super::page::Page;
use super::words;
use crate::app::App;
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::wire::charges::State;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/calls"),
    ("GET", "/calls/{month}/{call}"),
    ("GET", "/months/{month}/calls/{call}"),
    ("GET", "/occupiers/{occupier}/calls"),
    ("GET", "/occupiers/{occupier}/calls/{month}/{call}"),
    ("GET", "/occupiers/{occupier}/charges"),
];

/// These pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/calls", get(own_calls))
        .route("/calls/{month}/{call}", get(own_call))
        .route("/months/{month}/calls/{call}", get(call_of_month))
        .route("/occupiers/{occupier}/charges", get(charges_of))
        .route("/occupiers/{occupier}/calls", get(calls_of))
        .route("/occupiers/{occupier}/calls/{month}/{call}", get(call_of))
}

/// Which month, and at which site.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    month: String,
    #[serde(default)]
    site: String,
}

/// The charges of an occupier's own people: their first page.
pub(super) async fn home(page: &Page, asked: &Asked) -> Result<Response> {
    month::show_month(page, Ground::own(page)?, asked).await
}

/// The sites of an occupier's own people: id and name.
pub(super) async fn sites(page: &Page) -> Result<Vec<(String, String)>> {
    let ground = Ground::own(page)?;
    Ok(month::choices(page, &ground, "").await?.0)
}

async fn charges_of(page: Page, Named(occupier): Named<String>, Query(asked): Query<Asked>) -> Result<Response> {
    month::show_month(&page, Ground::of(&page, &occupier)?, &asked).await
}

async fn own_calls(page: Page, Query(which): Query<calls::Which>) -> Result<Response> {
    calls::list(&page, Ground::own(&page)?, which).await
}

async fn calls_of(page: Page, Named(occupier): Named<String>, Query(which): Query<calls::Which>) -> Result<Response> {
    calls::list(&page, Ground::of(&page, &occupier)?, which).await
}

async fn own_call(page: Page, Named((month, call)): Named<(String, String)>) -> Result<Response> {
    explained::to_payer(&page, &Ground::own(&page)?, &month, &call).await
}

async fn call_of(page: Page, Named((occupier, month, call)): Named<(String, String, String)>) -> Result<Response> {
    let ground = Ground::of(&page, &occupier)?;
    if !ground.is_operators() {
        return explained::to_payer(&page, &ground, &month, &call).await;
    }
    let back = (asking(&ground.calls(), &[("month", &month)]), format!("Calls, {}", words::month(&month)));
    explained::to_operator(&page, &month, &call, "", back).await
}

/// Of which run.
#[derive(Debug, Default, Deserialize)]
struct OfRun {
    #[serde(default)]
    run: String,
}

async fn call_of_month(
    page: Page,
    Named((month, call)): Named<(String, String)>,
    Query(of): Query<OfRun>,
) -> Result<Response> {
    let work = asking(&format!("/months/{}/exceptions", part(&month)), &[("run", &of.run)]);
    let back = (work, format!("Exceptions of {}", words::month(&month)));
    explained::to_operator(&page, &month, &call, &of.run, back).await
}

/// Whose charges, and where their pages are.
struct Ground {
    occupier: String,
    /// What stands before the addresses of these pages.
    base: String,
}

impl Ground {
    fn own(page: &Page) -> Result<Self> {
        let own = page.who.occupier().ok_or_else(|| Problem::internal("an occupier's page without an occupier"))?;
        Ok(Self { occupier: own.to_owned(), base: String::new() })
    }

    /// Of an occupier by its address; an occupier's own people are led to their own pages from there.
    fn of(page: &Page, occupier: &str) -> Result<Self> {
        if page.who.occupier().is_some() {
            return Self::own(page);
        }
        Ok(Self { occupier: occupier.to_owned(), base: format!("/occupiers/{}", part(occupier)) })
    }

    fn is_operators(&self) -> bool {
        !self.base.is_empty()
    }

    /// What stands on top of the page for the operator's people.
    async fn head(&self, page: &Page) -> Result<Option<OccupierHead>> {
        if !self.is_operators() {
            return Ok(None);
        }
        OccupierHead::of(page, &self.occupier, "/charges").await.map(Some)
    }

    /// The page of a month's charges.
    fn charges(&self) -> String {
        if self.is_operators() { format!("{}/charges", self.base) } else { "/".to_owned() }
    }

    /// The page of the calls.
    fn calls(&self) -> String {
        format!("{}/calls", self.base)
    }

    /// The page of one call.
    fn call(&self, month: &str, call: &str) -> String {
        format!("{}/calls/{}/{}", self.base, part(month), part(call))
    }

    /// The interface's address of something of the occupier.
    fn api(&self, rest: &str) -> String {
        format!("/api/v1/occupiers/{}/{rest}", part(&self.occupier))
    }
}

/// Amounts of several currencies, with so many decimals at least: `12.50 GBP + 3.00 USD`.
fn amounts(amounts: &BTreeMap<String, String>, decimals: usize) -> String {
    let each = amounts.iter().map(|(currency, amount)| words::money(&padded(amount, decimals), currency));
    let each: Vec<String> = each.collect();
    if each.is_empty() { padded("0", decimals) } else { each.join(" + ") }
}

/// An amount with so many decimals at least, so that amounts below one another stand digit below digit.
pub(super) fn padded(amount: &str, decimals: usize) -> String {
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}.{rest:0<decimals$}")
}

/// The decimals that amounts need at most, two at least.
pub(super) fn decimals<'a>(amounts: impl Iterator<Item = &'a String>) -> usize {
    amounts.filter_map(|amount| amount.split_once('.')).map(|(_, rest)| rest.len()).fold(2, usize::max)
}

/// Seconds as text, as a clock shows them: `1:02:04.5`.
fn clock(seconds: &str) -> String {
    let (whole, rest) = seconds.split_once('.').unwrap_or((seconds, ""));
    match whole.parse() {
        Ok(whole) if rest.is_empty() => words::clock(whole),
        Ok(whole) => format!("{}.{rest}", words::clock(whole)),
        Err(_) => seconds.to_owned(),
    }
}

/// Why charges are not there, and since or until when.
fn why(state: &State, month: &str, operator: &str) -> String {
    let (site, month) = (&state.site_name, words::month(month));
    match state.reason.as_deref() {
        Some("telephony-not-managed") => {
            format!("{operator} does not manage the telephony, so there are no call charges.")
        }
        Some("month-not-complete") => match &state.not_before {
            Some(at) => format!("{month} closes on {} at {site} ({}).", words::when(at), state.zone),
            None => format!("{month} is not over yet at {site}."),
        },
        Some("no-voice-service") => format!("There was no voice service at {site} in {month}."),
        Some("not-published") => format!("{month} is over at {site}, but {operator} has not published it yet."),
        Some("no-data") => format!("There was no call at {site} in {month}."),
        _ => state.detail.clone().unwrap_or_else(|| format!("There is nothing of {month} at {site}.")),
    }
}

/// The same in a few words, for a table.
fn why_briefly(reason: Option<&str>) -> &'static str {
    match reason {
        Some("telephony-not-managed") => "telephony not managed",
        Some("month-not-complete") => "not over yet",
        Some("no-voice-service") => "no voice service",
        Some("not-published") => "not published yet",
        Some("no-data") => "no calls",
        _ => "nothing there",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_a_clock_shows_them_with_what_the_switch_measured() {
        // 3,724.5 s = 1 h + 2 min + 4.5 s
        assert_eq!(
            (clock("3724.5").as_str(), clock("60").as_str(), clock("?").as_str()),
            ("1:02:04.5", "0:01:00", "?")
        );
    }

    #[test]
    fn currencies_are_never_added_up() {
        let both = BTreeMap::from([("GBP".to_owned(), "1200.50".to_owned()), ("USD".to_owned(), "3.00".to_owned())]);
        assert_eq!(amounts(&both, 2), "1,200.50 GBP + 3.00 USD");
        assert_eq!(decimals(both.values()), 2);
        assert_eq!(decimals(["0.055".to_owned(), "7".to_owned()].iter()), 3);
        assert_eq!(
            (padded("7", 3).as_str(), padded("0.12345", 3).as_str()),
            ("7.000", "0.12345"),
            "nothing is cut off"
        );
    }
}
