//! What occupiers are charged, as a billing system takes it: by its own accounts and products. What it would not know goes to
//! a list of its own, and keeps nothing else back (domain rules 67 and 68).

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rating_core::report::Report;
use rating_core::time::{Interval, Zone};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use super::files::everywhere;
use super::months::{month as read_month, problem};
use super::products::guarded;
use super::reports::in_force;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::publish::decimal::units;
use crate::publish::download::Audience;
use crate::publish::published::Of;
use crate::publish::tables;
use crate::store::occupiers::Identifier;
use crate::store::{audit::Entry, contracts, occupiers, operator, sites, sources};
use crate::wire::exports as wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(target, set_target)).routes(routes!(charges)).routes(routes!(charges_csv))
}

fn name(system: &str) -> Result<String> {
    let mut faults = Faults::default();
    faults.id("/system", system);
    faults.finish()?;
    Ok(format!("export:{system}"))
}

/// What a billing system knows; nothing until it is set.
async fn known(on: &mut sqlx::SqliteConnection, system: &str) -> Result<(wire::ExportTarget, i64)> {
    let (content, revision) = sources::setting(on, &name(system)?).await?;
    Ok((content.and_then(|content| serde_json::from_str(&content).ok()).unwrap_or_default(), revision))
}

/// What a billing system calls the charges of each site.
#[utoipa::path(get, path = "/api/v1/exports/{system}", tag = "exports", params(("system" = String, Path)),
    responses((status = 200, description = "The settings", body = wire::ExportTarget), (status = 422)))]
async fn target(State(app): State<App>, Named(system): Named<String>) -> Result<Tagged<wire::ExportTarget>> {
    let (target, revision) = known(app.store.read().await?.on(), &system).await?;
    Ok(Tagged(revision, target))
}

/// Sets what a billing system calls the charges of each site.
#[utoipa::path(put, path = "/api/v1/exports/{system}", tag = "exports", request_body = wire::ExportTarget,
    params(("system" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::ExportTarget), (status = 412), (status = 422), (status = 428)))]
async fn set_target(
    State(app): State<App>,
    principal: Principal,
    Named(system): Named<String>,
    expected: Expected,
    Body(given): Body<wire::ExportTarget>,
) -> Result<Tagged<wire::ExportTarget>> {
    everywhere(&principal)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let (_, revision) = known(change.on(), &system).await?;
    let mut faults = Faults::default();
    for (site, product) in &given.products {
        let field = format!("/products/{site}");
        faults.text(&field, product, 200);
        if site != "*" && sites::get(change.on(), site).await?.is_none() {
            faults.push(field, "site.unknown", format!("there is no site `{site}`"), "a site, or `*` for all");
        }
    }
    faults.finish()?;
    expected.meets(revision)?;
    let content = serde_json::to_string(&given).map_err(Problem::internal)?;
    sources::set(change.on(), &name(&system)?, &content).await?;
    change.note(Entry::new("export.changed", format!("export:{system}")));
    change.commit().await?;
    Ok(Tagged(revision + 1, given))
}

async fn exported(app: &App, principal: &Principal, system: &str, which: &wire::WhichExport) -> Result<wire::Export> {
    let month = read_month(&which.month)?;
    let version = in_force(app, month).await?.ok_or_else(|| {
        Problem::new("report.not_available", format!("{month} is not published"))
            .help("publish it first: POST /api/v1/months/{month}/publications")
    })?;
    let run = version.run.clone();
    let read = move || tables::rows(&version, &Audience::operator(), &Of::AllSites, Report::CallCharges);
    let charged = tokio::task::spawn_blocking(read).await.map_err(Problem::internal)?.map_err(problem)?;

    let mut reader = app.store.read().await?;
    let (target, _) = known(reader.on(), system).await?;
    let operator = operator::get(reader.on()).await?.map(|operator| operator.id).unwrap_or_default();
    let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
    for site in sites::list(reader.on()).await? {
        zones.insert(site.id, Zone::load(&site.zone).unwrap_or_else(Zone::utc));
    }
    let mut export = wire::Export { month: month.to_string(), run, rows: Vec::new(), errors: Vec::new() };
    for mut row in charged {
        let mut cell = |name: &str| row.remove(name).unwrap_or_default();
        let (site, occupier) = (cell("site"), cell("client_id"));
        let (amount, currency) = (cell("client_amount"), cell("currency"));
        let is_asked = which.site.as_ref().is_none_or(|asked| *asked == site);
        // The operator's own calls, and those whose payer is not known, have no amount.
        if !is_asked
            || !principal.sites().has(&site)
            || occupier == operator
            || occupier.is_empty()
            || amount.is_empty()
        {
            continue;
        }
        if target.ignore_zero && units(&amount) == Some(0) {
            continue;
        }
        let found = occupiers::get(reader.on(), &occupier).await?;
        let account = found.as_ref().and_then(|found| account(&found.identifiers, system, &site));
        let product = target.products.get(&site).or_else(|| target.products.get("*"));
        let unknown = match (&account, product) {
            (None, _) => Some(("export.account_unknown", format!("`{occupier}` has no identifier in `{system}`"))),
            (_, None) => Some(("export.product_unknown", format!("`{system}` has no product for `{site}`"))),
            _ => None,
        };
        if let Some((code, detail)) = unknown {
            export.errors.push(wire::ExportError { site, occupier, amount, currency, code: code.to_owned(), detail });
            continue;
        }
        let period = zones.get(&site).map(|zone| month.bounds(zone));
        let mut billing_site = site.clone();
        for contract in contracts::of(reader.on(), &occupier, Some(&site)).await? {
            let holds = period.is_some_and(|(from, until)| contract.terms.term.overlaps(Interval { from, until }));
            if let (true, Some(billing)) = (holds, contract.billing_site) {
                billing_site = billing;
            }
        }
        export.rows.push(wire::ExportRow {
            account: account.unwrap_or_default(),
            product: product.cloned().unwrap_or_default(),
            site,
            billing_site,
            occupier,
            billing_reference: found.map(|found| found.billing_reference).unwrap_or_default(),
            amount,
            currency,
        });
    }
    Ok(export)
}

/// What a system calls an occupier: its name for the site, or for all sites.
fn account(identifiers: &[Identifier], system: &str, site: &str) -> Option<String> {
    let of_system = || identifiers.iter().filter(|identifier| identifier.system == system);
    let here = of_system().find(|identifier| identifier.site.as_deref() == Some(site));
    here.or_else(|| of_system().find(|identifier| identifier.site.is_none())).map(|found| found.identifier.clone())
}

/// What occupiers are charged for a published month, by a billing system's accounts and products; and what that would not know.
#[utoipa::path(get, path = "/api/v1/exports/{system}/charges", tag = "exports",
    params(("system" = String, Path), wire::WhichExport),
    responses((status = 200, description = "Charges, and what is wrong with others", body = wire::Export), (status = 409), (status = 422)))]
async fn charges(
    State(app): State<App>,
    principal: Principal,
    Named(system): Named<String>,
    Asked(which): Asked<wire::WhichExport>,
) -> Result<axum::Json<wire::Export>> {
    Ok(axum::Json(exported(&app, &principal, &system, &which).await?))
}

/// The same charges as CSV, without those that the system would not know.
#[utoipa::path(get, path = "/api/v1/exports/{system}/charges.csv", tag = "exports",
    params(("system" = String, Path), wire::WhichExport),
    responses((status = 200, description = "Charges", body = String, content_type = "text/csv"), (status = 409), (status = 422)))]
async fn charges_csv(
    State(app): State<App>,
    principal: Principal,
    Named(system): Named<String>,
    Asked(which): Asked<wire::WhichExport>,
) -> Result<Response> {
    let export = exported(&app, &principal, &system, &which).await?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let columns = ["month", "account", "product", "site", "billing_site", "billing_reference", "amount", "currency"];
    writer.write_record(columns).map_err(Problem::internal)?;
    for row in &export.rows {
        let cells = [
            export.month.clone(),
            guarded(&row.account),
            guarded(&row.product),
            row.site.clone(),
            row.billing_site.clone(),
            guarded(&row.billing_reference),
            row.amount.clone(),
            row.currency.clone(),
        ];
        writer.write_record(cells).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let details = serde_json::json!({ "run": export.run, "left_out": export.errors.len() });
    change.note(Entry::new("export.downloaded", format!("month:{}", export.month)).with(details));
    change.commit().await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let compact = export.month.replace('-', "");
    let site = which.site.as_deref().unwrap_or("all-sites");
    let disposition = format!("attachment; filename=\"{compact}_{site}_export_{system}.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(Problem::internal)?);
    Ok((headers, bytes).into_response())
}
