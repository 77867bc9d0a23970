//! Tables that a run reads beside the directory, each read and put as a whole: exchange rates and account codes. The engine's own
//! reader says what is wrong with them, as it would in a run.

use std::sync::Arc;

use axum::extract::State;
use rating_core::directory::{Directory, Files, Operator, Site};
use rating_core::finding::{Findings, SourceText};
use rating_core::run::exchange::ExchangeRates;
use rating_core::time::Zone;
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::Body;
use super::files::everywhere;
use super::settings::{keep, kept};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::store::{occupiers, operator, sites};
use crate::wire::rates as wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(rates, set_rates)).routes(routes!(codes, set_codes))
}

/// Most rows of a table.
const MOST: usize = 10_000;

/// A table as the engine reads it: its rows are its lines, from the second on.
fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<Arc<SourceText>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(Problem::internal)?;
    for row in rows {
        // An end of line in a cell would move those after it.
        let cells = row.iter().map(|cell| cell.replace(['\n', '\r'], " "));
        writer.write_record(cells).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    Ok(SourceText::new("items", String::from_utf8(bytes).map_err(Problem::internal)?))
}

/// What the engine found, each by the item it is about.
fn refused(findings: &Findings) -> Result<()> {
    let mut faults = Faults::default();
    for finding in findings.iter() {
        let line = finding.place().split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
        let field =
            line.and_then(|line| line.checked_sub(2)).map_or("/items".to_owned(), |row| format!("/items/{row}"));
        faults.push(field, finding.code, finding.message.clone(), finding.help.clone().unwrap_or_default());
    }
    faults.finish()
}

fn few_enough(count: usize) -> Result<()> {
    let mut faults = Faults::default();
    if count > MOST {
        faults.push("/items", "field.out_of_range", format!("has {count} rows"), format!("at most {MOST}"));
    }
    faults.finish()
}

async fn house(on: &mut SqliteConnection) -> Result<(Operator, Vec<Site>)> {
    let found = operator::get(on)
        .await?
        .ok_or_else(|| Problem::new("operator.not_set_up", "the operator is not set up yet"))?;
    let zone = |name: &str| Zone::load(name).unwrap_or_else(Zone::utc);
    let operator = Operator { zone: zone(&found.zone), id: found.id, name: found.name, billing_reference: None };
    let sites = sites::list(on).await?.into_iter();
    let sites = sites.map(|site| Site { zone: zone(&site.zone), id: site.id, name: site.name }).collect();
    Ok((operator, sites))
}

/// Exchange rates: for margins where wholesale and retail are in two currencies.
#[utoipa::path(get, path = "/api/v1/project/exchange-rates", tag = "tariffs",
    responses((status = 200, description = "All of them", body = wire::ExchangeRates)))]
async fn rates(State(app): State<App>) -> Result<Tagged<wire::ExchangeRates>> {
    let (items, revision) = kept(app.store.read().await?.on(), "exchange_rates").await?;
    Ok(Tagged(revision, wire::ExchangeRates { items: items.unwrap_or_default() }))
}

/// Puts exchange rates in the place of those there are. The next run uses them; months that are published stay as they are.
#[utoipa::path(put, path = "/api/v1/project/exchange-rates", tag = "tariffs", request_body = wire::ExchangeRates,
    params(("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::ExchangeRates), (status = 412), (status = 422), (status = 428)))]
async fn set_rates(
    State(app): State<App>,
    principal: Principal,
    expected: Expected,
    Body(given): Body<wire::ExchangeRates>,
) -> Result<Tagged<wire::ExchangeRates>> {
    everywhere(&principal)?;
    few_enough(given.items.len())?;
    let (operator, _) = house(app.store.read().await?.on()).await?;
    let row = |rate: &wire::ExchangeRate| {
        [&rate.from_currency, &rate.to_currency, &rate.rate, &rate.from, &rate.until].map(String::clone).to_vec()
    };
    let source = table(&["from_currency", "to_currency", "rate", "from", "until"], given.items.iter().map(row))?;
    let mut findings = Findings::default();
    let _rates = ExchangeRates::read(&source, &operator.zone, &mut findings);
    refused(&findings)?;
    Ok(Tagged(keep(&app, &principal, &expected, "exchange_rates", &given.items).await?, given))
}

/// Account codes: who pays for calls placed with one. At a site where any is in use, a code keyed decides before the extension.
#[utoipa::path(get, path = "/api/v1/project/account-codes", tag = "tariffs",
    responses((status = 200, description = "All of them", body = wire::AccountCodes)))]
async fn codes(State(app): State<App>) -> Result<Tagged<wire::AccountCodes>> {
    let (items, revision) = kept(app.store.read().await?.on(), "account_codes").await?;
    Ok(Tagged(revision, wire::AccountCodes { items: items.unwrap_or_default() }))
}

/// Puts account codes in the place of those there are. The next run uses them; months that are published stay as they are.
#[utoipa::path(put, path = "/api/v1/project/account-codes", tag = "tariffs", request_body = wire::AccountCodes,
    params(("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::AccountCodes), (status = 412), (status = 422), (status = 428)))]
async fn set_codes(
    State(app): State<App>,
    principal: Principal,
    expected: Expected,
    Body(given): Body<wire::AccountCodes>,
) -> Result<Tagged<wire::AccountCodes>> {
    everywhere(&principal)?;
    few_enough(given.items.len())?;
    let (operator, sites, occupiers) = {
        let mut reader = app.store.read().await?;
        let all = occupiers::Filter { limit: i64::MAX, ..occupiers::Filter::default() };
        let (operator, sites) = house(reader.on()).await?;
        (operator, sites, occupiers::list(reader.on(), &all).await?)
    };
    let row = |code: &wire::AccountCode| {
        [&code.holder, &code.code, &code.site, &code.from, &code.until].map(String::clone).to_vec()
    };
    let files = Files {
        occupiers: vec![table(
            &["id", "name"],
            occupiers.into_iter().map(|occupier| vec![occupier.id, occupier.name]),
        )?],
        account_codes: vec![table(&["holder", "code", "site", "from", "until"], given.items.iter().map(row))?],
        ..Files::default()
    };
    let mut findings = Findings::default();
    let _directory = Directory::read(&files, &operator, &sites, None, &mut findings);
    refused(&findings)?;
    Ok(Tagged(keep(&app, &principal, &expected, "account_codes", &given.items).await?, given))
}
