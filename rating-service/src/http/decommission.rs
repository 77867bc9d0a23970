//! The end of an occupier, at every site, for good: now, or at a time set in advance.

use std::collections::BTreeMap;

use axum::extract::State;
use rating_core::directory::contracts::Command as ToContract;
use rating_core::directory::decommission::{Command, Event, Facts, SiteFacts, decide, unmet};
use rating_core::time::Zone;
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Named};
use super::users::zone;
use super::{contracts, occupier_users, occupiers, portal, services, telephony};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::store::occupiers::Occupier;
use crate::store::services::Filter;
use crate::store::{Change, audit::Entry};
use crate::store::{contracts as kept_contracts, occupiers as kept, portal as kept_portal};
use crate::store::{services as kept_services, users};
use crate::wire::occupiers::{Decommission, Decommissioning, InTheWay};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, begin, cancel))
}

/// What the directory must know of an occupier to decide about its end.
async fn facts(on: &mut SqliteConnection, occupier: &Occupier) -> Result<Facts> {
    let numbers = telephony::in_the_way(on, &occupier.id).await?;
    let mut sites: BTreeMap<String, SiteFacts> = numbers.into_iter().map(|facts| (facts.site.clone(), facts)).collect();
    let filter = Filter { occupier: Some(occupier.id.clone()), ..Filter::default() };
    let all = kept_services::list(on, &filter).await?;
    for service in all.into_iter().filter(|service| service.is_updating && service.ended_at.is_none()) {
        let at = sites.entry(service.site.clone()).or_default();
        at.site = service.site;
        at.updating_services.push(service.id);
    }
    Ok(Facts {
        occupier: occupier.id.clone(),
        decommissioned_at: occupier.decommissioned_at,
        scheduled_for: occupier.decommission_at,
        sites: sites.into_values().collect(),
    })
}

/// How it stands; what is in the way at the caller's sites.
async fn shown(on: &mut SqliteConnection, principal: &Principal, id: &str) -> Result<axum::Json<Decommission>> {
    let occupier = occupiers::get(on, id).await?;
    let zone = zone(on).await?;
    let mut facts = facts(on, &occupier).await?;
    facts.sites.retain(|at| principal.sites().has(&at.site));
    let in_the_way = unmet(&facts).into_iter().map(|detail| InTheWay {
        of: detail.of,
        code: detail.code.to_owned(),
        detail: detail.message,
        help: detail.help.to_owned(),
    });
    Ok(axum::Json(Decommission {
        scheduled_for: occupier.decommission_at.map(|at| zone.format(at)),
        decommissioned_at: occupier.decommissioned_at.map(|at| zone.format(at)),
        in_the_way: in_the_way.collect(),
    }))
}

/// Shows whether and when an occupier is decommissioned, and what stands in the way just now.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/decommission", tag = "occupiers", params(("occupier" = String, Path)), responses(
    (status = 200, description = "How it stands", body = Decommission), (status = 404)
))]
async fn show(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
) -> Result<axum::Json<Decommission>> {
    shown(app.store.read().await?.on(), &principal, &id).await
}

/// Decommissions an occupier at every site, now or at a time. It cannot be undone once it is done: contracts, services and
/// access end, users are erased, numbers cool off. History and the reports of past months stay.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/decommission", tag = "occupiers", request_body = Decommissioning,
    params(("occupier" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 200, description = "Done, or scheduled", body = Decommission), (status = 404), (status = 409), (status = 422)))]
async fn begin(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<Decommissioning>,
) -> Result<axum::Json<Decommission>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let occupier = occupiers::get(change.on(), &id).await?;
    let zone = zone(change.on()).await?;
    let command = match &given.at {
        None => Command::Now,
        Some(at) => Command::Schedule(time(&zone, at)?),
    };
    ask(&mut change, &occupier, &command).await?;
    let shown = shown(change.on(), &principal, &id).await?;
    change.commit().await?;
    Ok(shown)
}

fn time(zone: &Zone, text: &str) -> Result<rating_core::time::Instant> {
    let mut faults = Faults::default();
    let time = crate::wire::bound(zone, &mut faults, "/at", text);
    faults.finish()?;
    time.ok_or_else(|| Problem::internal("a time without a fault"))
}

/// Cancels a decommission that is scheduled, until its time has come.
#[utoipa::path(delete, path = "/api/v1/occupiers/{occupier}/decommission", tag = "occupiers", params(("occupier" = String, Path)), responses(
    (status = 200, description = "Cancelled", body = Decommission), (status = 404), (status = 409)
))]
async fn cancel(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
) -> Result<axum::Json<Decommission>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let occupier = occupiers::get(change.on(), &id).await?;
    ask(&mut change, &occupier, &Command::Cancel).await?;
    let shown = shown(change.on(), &principal, &id).await?;
    change.commit().await?;
    Ok(shown)
}

/// Carries out a decommission whose time has come, within a change.
pub(crate) async fn carry_out(change: &mut Change, id: &str) -> Result<()> {
    let occupier = occupiers::get(change.on(), id).await?;
    ask(change, &occupier, &Command::CarryOut).await
}

/// Has the directory decide, and does what follows.
async fn ask(change: &mut Change, occupier: &Occupier, command: &Command) -> Result<()> {
    let facts = facts(change.on(), occupier).await?;
    let at = change.at();
    let id = &occupier.id;
    let entry = |action| Entry::new(action, format!("occupier:{id}")).of(id);
    match decide(&facts, command, at)? {
        Event::Scheduled { time, .. } => {
            kept::set_end(change.on(), id, Some(time), None).await?;
            let details = serde_json::json!({ "at": time.to_rfc3339() });
            change.note(entry("occupier.decommission_scheduled").with(details));
        }
        Event::Cancelled { .. } => {
            kept::set_end(change.on(), id, None, None).await?;
            change.note(entry("occupier.decommission_cancelled"));
        }
        Event::Decommissioned { .. } => end(change, occupier).await?,
    }
    Ok(())
}

/// Ends everything that an occupier has, at every site. What has happened stays.
async fn end(change: &mut Change, occupier: &Occupier) -> Result<()> {
    let at = change.at();
    let id = &occupier.id;
    telephony::decommissioned(change, id).await?;
    let mut contracts_ended = 0;
    for mut contract in kept_contracts::of(change.on(), id, None).await? {
        let (_, zone) = contracts::site(change.on(), &contract.site).await?;
        if contracts::ask(&mut contract, occupier, &ToContract::Decommission, &zone, at)? {
            kept_contracts::update(change.on(), &contract).await?;
            contracts::note(change, "contract.decommissioned", &contract);
            contracts_ended += 1;
        }
    }
    let services_ended = services::end_all(change, id).await?;
    let mut users_closed = 0;
    for user in users::list(change.on(), Some(id), None, i64::MAX).await? {
        if user.state != "closed" {
            occupier_users::erase(change, id, &user.id).await?;
            users_closed += 1;
        }
    }
    if let Some(open) = kept_portal::get(change.on(), id).await?.filter(|portal| portal.is_active) {
        portal::close(change.on(), open, at).await?;
        change.note(Entry::new("portal.deactivated", format!("occupier:{id}")).of(id));
    }
    kept::erase_contact(change.on(), id).await?;
    kept::set_end(change.on(), id, None, Some(at)).await?;
    let details = serde_json::json!({
        "contracts": contracts_ended,
        "services": services_ended,
        "users": users_closed,
    });
    change.note(Entry::new("occupier.decommissioned", format!("occupier:{id}")).of(id).with(details));
    Ok(())
}
