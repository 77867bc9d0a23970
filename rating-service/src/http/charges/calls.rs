//! An occupier's calls one by one, and why each costs what it costs.

use axum::extract::State;
use rating_core::run::explain::Audience as Reader;
use rating_core::time::{Instant, Month, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ground::{Ground, There, ground};
use super::{masked, operator};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Fault, Problem, Result};
use crate::http::extract::{Asked, Named};
use crate::http::months::{month as read_month, problem};
use crate::publish::download::{Audience, CalledNumbers};
use crate::publish::index::{Call, Cursor, Query};
use crate::publish::published::Version;
use crate::wire::{charges as wire, page_limit};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(explain)).routes(routes!(explain_to_operator))
}

/// Which calls.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The site; left out, each.
    site: Option<String>,
    /// Of this extension.
    extension: Option<String>,
    /// To this destination, by its name.
    destination: Option<String>,
    /// With this text in an extension, the destination, or a number, which may be written as it is dialled in its country
    /// (`020 7946 0958`), or masked as it is shown; or at the beginning of the switch's name of the call. Where numbers are
    /// masked, in what is shown of them.
    search: Option<String>,
    /// `charged`, `not-chargeable` or `suspended`.
    status: Option<String>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many, 1 to 500; 100 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// Of which run.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfRun {
    /// The run; left out, the one that is in force, or else the newest that was checked or previewed.
    run: Option<String>,
}

fn status(text: &str) -> Result<String> {
    let status = match text {
        "charged" | "suspended" => text,
        "not-chargeable" | "not chargeable" => "not chargeable",
        other => {
            return Err(Problem::new("request.parameter_malformed", format!("there is no status `{other}`"))
                .help("`charged`, `not-chargeable` or `suspended`"));
        }
    };
    Ok(status.to_owned())
}

fn cursor(text: &str) -> Result<Cursor> {
    let malformed = || Problem::new("request.parameter_malformed", format!("`after` is `{text}`"));
    Cursor::parse(text).ok_or_else(|| malformed().help("send what the page before gave as `next`"))
}

/// A call on the wire, by a site's clock.
pub(super) fn call(call: &Call, zone: &Zone) -> wire::Call {
    let text = |column: &str| call.get(column).map(str::to_owned);
    let instant = |column: &str| call.get(column).and_then(Instant::parse_rfc3339).map(|at| zone.format(at));
    wire::Call {
        id: call.id.clone(),
        call_id: text("call_id").unwrap_or_default(),
        site: text("site").unwrap_or_default(),
        started_at: instant("started_at"),
        charged_at: instant("charged_at").unwrap_or_default(),
        extension: text("extension"),
        number: text("number"),
        calling: text("calling"),
        dialled: text("dialled"),
        called: text("called"),
        destination: text("destination"),
        class: text("class"),
        direction: text("direction"),
        answered: call.get("answered") == Some("true"),
        duration_s: text("duration_s").unwrap_or_default(),
        billed_duration_s: text("billed_duration_s"),
        allowance_taken_s: text("allowance_taken_s"),
        cost: text("cost"),
        vat: text("vat"),
        currency: text("currency"),
        tariff: text("tariff"),
        band: text("band"),
        status: text("status").unwrap_or_default(),
        reason: text("reason"),
        adjusts_month: text("adjusts_month"),
    }
}

/// The version of a month that an occupier's calls are read from, and the sites of which they are there; or why they are not.
async fn version(
    app: &App,
    ground: &Ground,
    month: Month,
) -> Result<std::result::Result<(Version, Vec<String>), Problem>> {
    let books = ground.book(app, month).await?;
    let mut missing = None;
    let mut found: Option<(Version, Vec<String>)> = None;
    for place in &ground.places {
        match (ground.find(app, place, &books)?, &mut found) {
            (There::Missing(reason), _) => missing = missing.or(Some(reason)),
            (There::Version(version), None) => found = Some((version, vec![place.site.id.clone()])),
            // Either side of midnight one site's month may be over and another's not.
            (There::Version(version), Some((first, sites))) if version.run == first.run => {
                sites.push(place.site.id.clone());
            }
            (There::Version(_), Some(_)) => {}
        }
    }
    let none = || match missing {
        Some(missing) => Problem::new("report.not_available", missing.text).errors(vec![Fault {
            field: "month".to_owned(),
            code: missing.reason.code().to_owned(),
            detail: "no calls can be shown for this reason".to_owned(),
            help: None,
        }]),
        None => not_shown(),
    };
    Ok(found.filter(|_| ground.visibility.itemised).ok_or_else(none))
}

fn not_shown() -> Problem {
    Problem::new("report.not_available", "no calls are there, or they are not shown to you")
}

/// Lists the calls of an occupier in a month, in time, as far as the caller is shown them.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/calls/{month}", tag = "charges",
    params(("occupier" = String, Path), ("month" = String, Path, example = "2026-10"), Which),
    responses((status = 200, description = "Calls", body = wire::Calls), (status = 400), (status = 404),
        (status = 409, description = "None are there, and why"), (status = 422)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, month)): Named<(String, String)>,
    Asked(which): Asked<Which>,
) -> Result<axum::Json<wire::Calls>> {
    let month = read_month(&month)?;
    let limit = u32::try_from(page_limit(which.limit)?).unwrap_or(1);
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let query = Query {
        extension: filled(which.extension),
        destination: filled(which.destination),
        search: filled(which.search).map(|text| text.trim().to_owned()),
        status: which.status.as_deref().map(status).transpose()?,
        after: which.after.as_deref().map(cursor).transpose()?,
        limit,
        ..Query::default()
    };
    let ground = ground(&app, &principal, &occupier, which.site.as_deref()).await?;
    let (version, sites) = version(&app, &ground, month).await??;
    let query = Query { sites: Some(sites), ..query };
    let page = app.index.calls(&version, &ground.audience, &query).await.map_err(problem)?;
    let utc = Zone::utc();
    let zone = |call: &Call| {
        let place = ground.places.iter().find(|place| Some(place.site.id.as_str()) == call.get("site"));
        place.map_or(&utc, |place| &place.zone)
    };
    Ok(axum::Json(wire::Calls {
        month: month.to_string(),
        run: version.run.clone(),
        provisional: version.is_provisional(),
        items: page.calls.iter().map(|found| call(found, zone(found))).collect(),
        next: page.next.map(Cursor::to_text),
    }))
}

fn unknown_call(id: &str) -> Problem {
    Problem::new("call.unknown", format!("there is no call `{id}`"))
}

/// Explains why a call of an occupier costs what it costs, made for the occupier: its own side, and nothing that is not shown to
/// the caller.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/calls/{month}/{call}/explanation", tag = "charges",
    params(("occupier" = String, Path), ("month" = String, Path), ("call" = String, Path, description = "Its `id`")),
    responses((status = 200, description = "Why", body = wire::Explained), (status = 400), (status = 404), (status = 409), (status = 422)))]
async fn explain(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, month, id)): Named<(String, String, String)>,
) -> Result<axum::Json<wire::Explained>> {
    let month = read_month(&month)?;
    let ground = ground(&app, &principal, &occupier, None).await?;
    let Ok((version, sites)) = version(&app, &ground, month).await? else { return Err(unknown_call(&id)) };
    let found = app.index.call(&version, &ground.audience, Some(&sites), &id).await.map_err(problem)?;
    let placed = found.ok_or_else(|| unknown_call(&id))?;
    let explained = app.explainer.explain(&version, &placed.file, placed.offset, Reader::Occupier).await;
    let explained = explained.map_err(|refusal| {
        // What the engine says of files and records is the operator's.
        tracing::warn!(code = refusal.code, detail = %refusal.detail, "a call of an occupier is not explained");
        Problem::new("publish.not_available", "this call cannot be explained any more")
            .help("ask the operator to run the month again")
    })?;
    if explained.holder.payer.as_deref() != Some(&occupier) || !sites.contains(&explained.call.site) {
        return Err(unknown_call(&id));
    }
    let mut explanation = serde_json::to_value(&*explained).map_err(Problem::internal)?;
    let mut text = Some(explained.to_string());
    if ground.visibility.called_numbers == CalledNumbers::Masked {
        masked::numbers(&mut explanation, &placed.call);
        text = None;
    }
    if !ground.visibility.allowance_left {
        masked::allowances(&mut explanation);
        text = None;
    }
    Ok(axum::Json(wire::Explained { id, month: month.to_string(), run: version.run, text, explanation }))
}

/// Explains a call to the operator: both sides, its record, and every price that lost.
#[utoipa::path(get, path = "/api/v1/months/{month}/calls/{call}/explanation", tag = "charges",
    params(("month" = String, Path), ("call" = String, Path, description = "Its `id`"), OfRun),
    responses((status = 200, description = "Why", body = wire::Explained), (status = 400), (status = 404), (status = 409)))]
async fn explain_to_operator(
    State(app): State<App>,
    principal: Principal,
    Named((month, id)): Named<(String, String)>,
    Asked(of): Asked<OfRun>,
) -> Result<axum::Json<wire::Explained>> {
    let month = read_month(&month)?;
    let version = operator::version(&app, month, of.run, false).await?.ok_or_else(|| unknown_call(&id))?;
    let sites = principal.sites().filter();
    let audience = Audience::operator();
    let found = app.index.call(&version, &audience, sites.as_deref(), &id).await.map_err(problem)?;
    let placed = found.ok_or_else(|| unknown_call(&id))?;
    let explained = app.explainer.explain(&version, &placed.file, placed.offset, Reader::Operator).await;
    let explained = explained.map_err(problem)?;
    Ok(axum::Json(wire::Explained {
        id,
        month: month.to_string(),
        run: version.run,
        text: Some(explained.to_string()),
        explanation: serde_json::to_value(&*explained).map_err(Problem::internal)?,
    }))
}
