//! Numbers: a site's, an occupier's, and one by itself.

mod blocks;
mod commands;
mod import;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rating_core::directory::lifecycle::{Assignee, CoolOff, Facts, Holder};
use rating_core::number::E164;
use rating_core::time::{Instant, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Asked, Named};
use super::sites::get as site_of;
use crate::app::App;
use crate::auth::{Principal, Role};
use crate::error::{Problem, Result};
use crate::store::numbers::{self, Filter, Number};
use crate::store::reach::Kind;
use crate::store::sites;
use crate::wire::numbers as wire;
use crate::wire::{Page, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, commands::provision))
        .routes(routes!(list_csv))
        .routes(routes!(inventory))
        .routes(routes!(blocks::ranges))
        .routes(routes!(blocks::holds))
        .routes(routes!(import::import))
        .routes(routes!(commands::command))
        .routes(routes!(commands::release))
        .routes(routes!(show))
        .routes(routes!(history))
        .routes(routes!(holder_at))
        .routes(routes!(of_occupier))
        .routes(routes!(of_occupier_csv))
        .routes(routes!(commands::by_holder))
}

/// A number on the wire: for the operator with who held it last and whom it is kept for, for an occupier without.
fn to_wire(zone: &Zone, facts: &Facts, for_operator: bool) -> wire::Number {
    let text = |at: Option<Instant>| at.map(|at| zone.format(at));
    wire::Number {
        number: facts.number.to_string(),
        site: facts.site.clone(),
        kind: facts.kind.name().to_owned(),
        origin: facts.origin.name().to_owned(),
        state: facts.state.name().to_owned(),
        holder: facts.holder.as_ref().map(|holder| holder.id().to_owned()),
        extension: facts.extension.map(|digits| digits.to_string()),
        label: facts.label.clone(),
        assigned: facts
            .assigned
            .as_ref()
            .map(|to| wire::Assignee { kind: to.kind().to_owned(), id: to.id().to_owned() }),
        logged_in: facts.logged_in.clone(),
        cool_off_until: text(facts.cool_off_until),
        cool_off_days: facts.cool_off.map(CoolOff::days),
        last_holder: facts.last_holder.as_ref().filter(|_| for_operator).map(Holder::id).map(str::to_owned),
        hold: facts.hold.as_ref().filter(|_| for_operator).map(|hold| wire::Hold {
            prospect: hold.prospect.clone(),
            until: zone.format(hold.until),
            contracted_lines: hold.contracted_lines,
        }),
        changed_at: text(facts.changed_at),
    }
}

const STATES: [&str; 5] = ["AVAILABLE", "RESERVED", "PENDING", "ACTIVE", "COOLDOWN"];

/// What was asked for, as the store understands it.
fn filter(app: &App, asked: wire::NumberFilter, limit: i64) -> Result<Filter> {
    let unknown = |name: &str, given: &str, known: &str| {
        Err(Problem::new("request.parameter_malformed", format!("`{name}` cannot be `{given}`")).help(known.to_owned()))
    };
    if let Some(state) = asked.state.as_deref().filter(|state| !STATES.contains(state)) {
        return unknown("state", state, &STATES.join(", "));
    }
    if let Some(kind) = asked.kind.as_deref().filter(|kind| crate::numbering::kind(kind).is_none()) {
        return unknown("kind", kind, "ddi, main");
    }
    Ok(Filter {
        site: asked.site,
        state: asked.state,
        holder: asked.holder,
        kind: asked.kind,
        held_at: asked.held.then(|| app.clock.now()),
        search: asked.search.filter(|search| !search.is_empty()),
        after: asked.after,
        limit,
        ..Filter::default()
    })
}

/// Finds numbers and shows them in the zones of their sites.
async fn found(app: &App, principal: &Principal, filter: &Filter) -> Result<Vec<wire::Number>> {
    let mut reader = app.store.read().await?;
    let zones: Vec<(String, Zone)> = sites::list(reader.on())
        .await?
        .into_iter()
        .filter_map(|site| Some((site.id, Zone::load(&site.zone)?)))
        .collect();
    let found = numbers::list(reader.on(), filter).await?;
    let shown = found.iter().filter_map(|Number { facts, .. }| {
        let (_, zone) = zones.iter().find(|(id, _)| *id == facts.site)?;
        Some(to_wire(zone, facts, principal.is_operator()))
    });
    Ok(shown.collect())
}

/// The whole list as CSV. Texts that people chose are guarded against being run as formulas by spreadsheets.
fn csv(name: &str, numbers: &[wire::Number]) -> Result<Response> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let columns = [
        "number",
        "site",
        "kind",
        "origin",
        "state",
        "holder",
        "extension",
        "label",
        "assigned_kind",
        "assigned_to",
        "logged_in",
        "cool_off_until",
        "changed_at",
    ];
    writer.write_record(columns).map_err(Problem::internal)?;
    for number in numbers {
        let text = |text: &Option<String>| guarded(text.as_deref().unwrap_or_default());
        let assigned = number.assigned.as_ref();
        let row = [
            number.number.clone(),
            number.site.clone(),
            number.kind.clone(),
            number.origin.clone(),
            number.state.clone(),
            text(&number.holder),
            number.extension.clone().unwrap_or_default(),
            text(&number.label),
            assigned.map(|to| to.kind.clone()).unwrap_or_default(),
            guarded(assigned.map_or("", |to| &to.id)),
            text(&number.logged_in),
            number.cool_off_until.clone().unwrap_or_default(),
            number.changed_at.clone().unwrap_or_default(),
        ];
        writer.write_record(row).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let disposition = format!("attachment; filename=\"{name}_numbers.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(Problem::internal)?);
    Ok((headers, bytes).into_response())
}

fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// Lists the numbers of a site.
#[utoipa::path(get, path = "/api/v1/sites/{site}/numbers", tag = "numbers",
    params(("site" = String, Path), wire::NumberFilter),
    responses((status = 200, description = "Numbers", body = Page<wire::Number>), (status = 404)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Named(site): Named<String>,
    Asked(asked): Asked<wire::NumberFilter>,
) -> Result<axum::Json<Page<wire::Number>>> {
    let limit = page_limit(asked.limit)?;
    let site = site_of(app.store.read().await?.on(), &site).await?;
    let filter = Filter { site: Some(site.id), ..filter(&app, asked, limit + 1)? };
    let items = found(&app, &principal, &filter).await?;
    Ok(axum::Json(Page::cut(items, limit, |number: &wire::Number| number.number.clone())))
}

/// The numbers of a site as CSV: those that the list shows with the same filters, all pages.
#[utoipa::path(get, path = "/api/v1/sites/{site}/numbers.csv", tag = "numbers",
    params(("site" = String, Path), wire::NumberFilter),
    responses((status = 200, description = "Numbers", body = String, content_type = "text/csv"), (status = 404)))]
async fn list_csv(
    State(app): State<App>,
    principal: Principal,
    Named(site): Named<String>,
    Asked(asked): Asked<wire::NumberFilter>,
) -> Result<Response> {
    let site = site_of(app.store.read().await?.on(), &site).await?;
    let name = site.id.clone();
    let filter = Filter { site: Some(site.id), after: None, ..filter(&app, asked, i64::MAX)? };
    csv(&name, &found(&app, &principal, &filter).await?)
}

/// Counts the numbers of a site by state.
#[utoipa::path(get, path = "/api/v1/sites/{site}/inventory", tag = "numbers", params(("site" = String, Path)),
    responses((status = 200, description = "Counts", body = wire::Inventory), (status = 404)))]
async fn inventory(State(app): State<App>, Named(site): Named<String>) -> Result<axum::Json<wire::Inventory>> {
    let mut reader = app.store.read().await?;
    let site = site_of(reader.on(), &site).await?;
    let mut counts = wire::Inventory::default();
    for (state, own, kept, count) in numbers::counts(reader.on(), &site.id, app.clock.now()).await? {
        counts.total += count;
        if own {
            counts.operators_own += count;
            continue;
        }
        counts.sellable += count;
        *match (state.as_str(), kept) {
            ("AVAILABLE", true) => &mut counts.kept,
            ("AVAILABLE", false) => &mut counts.available,
            ("RESERVED", _) => &mut counts.reserved,
            ("PENDING", _) => &mut counts.pending,
            ("ACTIVE", _) => &mut counts.active,
            _ => &mut counts.cooling_off,
        } += count;
    }
    Ok(axum::Json(counts))
}

/// One number with its site's zone, for whoever may see it.
async fn one(app: &App, principal: &Principal, text: &str) -> Result<(Number, Zone)> {
    let unknown = || Kind::Number.unknown(text);
    let which = Some(text).filter(|text| text.starts_with('+')).and_then(|text| E164::parse(text.as_bytes()));
    let which = which.filter(|which| which.to_string() == text).ok_or_else(unknown)?;
    let mut reader = app.store.read().await?;
    let number = numbers::get(reader.on(), which).await?.ok_or_else(unknown)?;
    let site = sites::get(reader.on(), &number.facts.site).await?.ok_or_else(unknown)?;
    if principal.role() == Some(Role::OccupierView) && !is_own(principal, &number.facts) {
        return Err(unknown());
    }
    Ok((number, Zone::load(&site.zone).unwrap_or_else(Zone::utc)))
}

/// Whether a number is given to the user who asks.
pub(super) fn is_own(principal: &Principal, facts: &Facts) -> bool {
    match (principal, &facts.assigned) {
        (Principal::User { id, .. }, Some(Assignee::User(user))) => id == user,
        _ => false,
    }
}

/// Shows a number.
#[utoipa::path(get, path = "/api/v1/numbers/{number}", tag = "numbers", params(("number" = String, Path)),
    responses((status = 200, description = "The number", body = wire::Number), (status = 404)))]
async fn show(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
) -> Result<axum::Json<wire::Number>> {
    let (number, zone) = one(&app, &principal, &text).await?;
    Ok(axum::Json(to_wire(&zone, &number.facts, principal.is_operator())))
}

/// Shows what happened to a number, and who held it when.
#[utoipa::path(get, path = "/api/v1/numbers/{number}/history", tag = "numbers", params(("number" = String, Path)),
    responses((status = 200, description = "Its history", body = wire::History), (status = 404)))]
async fn history(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
) -> Result<axum::Json<wire::History>> {
    let (number, zone) = one(&app, &principal, &text).await?;
    let which = number.facts.number.to_string();
    let mut reader = app.store.read().await?;
    let events = numbers::history(reader.on(), &which).await?.into_iter().map(|event| wire::NumberEvent {
        at: zone.format(event.at),
        recorded_at: zone.format(event.recorded_at),
        actor: event.actor,
        what: event.what,
        details: serde_json::from_str(&event.details).unwrap_or_default(),
    });
    let rows = numbers::allocations(reader.on(), Some(&which)).await?;
    let superseded: Vec<i64> = rows.iter().filter_map(|row| row.supersedes).collect();
    let allocations = rows.into_iter().map(|row| wire::AllocationRow {
        id: format!("a{}", row.seq),
        in_force: row.holder.is_some() && !superseded.contains(&row.seq),
        holder: row.holder,
        extension: row.extension,
        from: zone.format(row.from),
        until: row.until.map(|at| zone.format(at)),
        recorded_at: zone.format(row.recorded_at),
        supersedes: row.supersedes.map(|seq| format!("a{seq}")),
    });
    Ok(axum::Json(wire::History { events: events.collect(), allocations: allocations.collect() }))
}

/// Which instant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct When {
    /// An instant with its offset, or a day at the site (its first moment); left out, now.
    at: Option<String>,
}

/// Says who held a number at an instant: who pays for its calls.
#[utoipa::path(get, path = "/api/v1/numbers/{number}/holder", tag = "numbers", params(("number" = String, Path), When),
    responses((status = 200, description = "Who held it", body = wire::HolderAt), (status = 404)))]
async fn holder_at(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Asked(when): Asked<When>,
) -> Result<axum::Json<wire::HolderAt>> {
    let (number, zone) = one(&app, &principal, &text).await?;
    let at = match when.at {
        None => app.clock.now(),
        Some(given) => zone.bound(&given).ok_or_else(|| {
            Problem::new("request.parameter_malformed", format!("`{given}` is neither a day nor an instant"))
                .help("2026-07-15, or 2026-07-15T14:00:00+01:00 (in an address, `+` is written `%2B`)")
        })?,
    };
    let rows = numbers::allocations(app.store.read().await?.on(), Some(&number.facts.number.to_string())).await?;
    let superseded: Vec<i64> = rows.iter().filter_map(|row| row.supersedes).collect();
    let held = rows.into_iter().find(|row| {
        row.holder.is_some()
            && !superseded.contains(&row.seq)
            && row.from <= at
            && row.until.is_none_or(|until| at < until)
    });
    let (holder, extension) = held.map_or((None, None), |row| (row.holder, row.extension));
    Ok(axum::Json(wire::HolderAt { at: zone.format(at), holder, extension }))
}

/// What an occupier's list is limited to by who asks: its own sites, and a viewer to its own numbers (rule 69).
fn of(principal: &Principal, occupier: String, asked: Filter) -> Filter {
    let user = match principal {
        Principal::User { id, role: Role::OccupierView, .. } => Some(id.clone()),
        _ => None,
    };
    Filter { holder: Some(occupier), sites: principal.sites().filter(), user, ..asked }
}

/// Lists the numbers of an occupier. A user with the right to view sees those given to it.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/numbers", tag = "numbers",
    params(("occupier" = String, Path), wire::NumberFilter),
    responses((status = 200, description = "Numbers", body = Page<wire::Number>), (status = 404)))]
async fn of_occupier(
    State(app): State<App>,
    principal: Principal,
    Named(occupier): Named<String>,
    Asked(asked): Asked<wire::NumberFilter>,
) -> Result<axum::Json<Page<wire::Number>>> {
    known(&app, &occupier).await?;
    let limit = page_limit(asked.limit)?;
    let filter = of(&principal, occupier, filter(&app, asked, limit + 1)?);
    let items = found(&app, &principal, &filter).await?;
    Ok(axum::Json(Page::cut(items, limit, |number: &wire::Number| number.number.clone())))
}

/// The numbers of an occupier as CSV: those that the list shows with the same filters, all pages.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/numbers.csv", tag = "numbers",
    params(("occupier" = String, Path), wire::NumberFilter),
    responses((status = 200, description = "Numbers", body = String, content_type = "text/csv"), (status = 404)))]
async fn of_occupier_csv(
    State(app): State<App>,
    principal: Principal,
    Named(occupier): Named<String>,
    Asked(asked): Asked<wire::NumberFilter>,
) -> Result<Response> {
    known(&app, &occupier).await?;
    let filter = Filter { after: None, ..of(&principal, occupier.clone(), filter(&app, asked, i64::MAX)?) };
    csv(&occupier, &found(&app, &principal, &filter).await?)
}

/// That there is such an occupier.
async fn known(app: &App, occupier: &str) -> Result<()> {
    let mut reader = app.store.read().await?;
    if crate::store::occupiers::get(reader.on(), occupier).await?.is_some() {
        return Ok(());
    }
    Err(crate::auth::unknown_occupier(occupier))
}
