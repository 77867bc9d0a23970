//! What needs somebody's eyes now.

use std::path::Path;

use axum::extract::State;
use rating_core::report::availability::{current_month, default_month};
use rating_core::time::{Duration, Instant, Month, Zone};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::operator::{ids, version};
use crate::app::App;
use crate::auth::{Principal, Role};
use crate::error::{Problem, Result};
use crate::http::months::problem;
use crate::http::sites::places;
use crate::publish::project::CDR;
use crate::store::sites::Site;
use crate::store::{alerts as ahead, months, occupiers, sources};
use crate::wire::work::{Alert, Alerts};

/// How far ahead the end of a contract is told.
const CONTRACTS: Duration = Duration::from_seconds(30 * 86_400);
/// How far ahead the end of a hold is told.
const HOLDS: Duration = Duration::from_seconds(7 * 86_400);
/// How deep below the folder of a switch files are looked for.
const DEPTH: usize = 4;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(alerts))
}

fn alert(code: &str, urgency: &str, about: impl Into<String>, text: String, route: String) -> Alert {
    Alert {
        code: code.to_owned(),
        urgency: urgency.to_owned(),
        text,
        route,
        site: None,
        about: about.into(),
        count: None,
        at: None,
    }
}

/// Lists what needs somebody's eyes: months that wait, suspended calls, switches without files this month, contracts and holds that
/// end, portals that nobody has visited. An operator's user is told of its sites.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "charges",
    responses((status = 200, description = "What needs a look", body = Alerts)))]
async fn alerts(State(app): State<App>, principal: Principal) -> Result<axum::Json<Alerts>> {
    Ok(axum::Json(Alerts { items: found(&app, &principal).await? }))
}

async fn found(app: &App, principal: &Principal) -> Result<Vec<Alert>> {
    let places = places(app.store.read().await?.on(), principal, None).await?;
    let mut found = Vec::new();
    let runs_months = match principal.role() {
        Some(role) => role == Role::OperatorAdmin,
        None => matches!(principal, Principal::Machine { scopes, .. } if scopes.contains("months")),
    };
    if runs_months {
        found.extend(of_months(app, &places).await?);
    }
    found.extend(suspended(app, &places).await?);
    found.extend(silent(app, &places).await?);
    found.extend(ending(app, &places).await?);
    found.sort_by_key(|alert: &Alert| alert.urgency != "now");
    Ok(found)
}

/// Months that somebody has to go on with.
async fn of_months(app: &App, places: &[(Site, Zone)]) -> Result<Vec<Alert>> {
    let now = app.clock.now();
    let all = months::list(app.store.read().await?.on(), None).await?;
    let mut found = Vec::new();
    let mut names: Vec<&str> = all.iter().map(|run| run.month.as_str()).collect();
    names.dedup();
    for month in names {
        let of = || all.iter().filter(|run| run.month == month);
        let published = of().filter_map(|run| run.published.as_ref()).map(|(at, _)| *at).max();
        let Some(newest) = of().max_by_key(|run| run.checked_at) else { continue };
        if published.is_some_and(|at| at > newest.checked_at) {
            continue;
        }
        let (code, what) = match newest.state.as_str() {
            "checked" => ("month.waiting_for_approval", "approved"),
            "approved" => ("month.waiting_for_publication", "published"),
            _ => continue,
        };
        let text = format!("{month} was checked and waits to be {what}");
        let mut alert = alert(code, "now", month, text, format!("/api/v1/months/{month}"));
        alert.at = Some(newest.checked_at.to_rfc3339());
        found.push(alert);
    }
    // The last month that is over everywhere.
    let last = places.iter().map(|(_, zone)| default_month(now, zone)).min();
    if let Some(month) = last.map(|month| month.to_string())
        && !all.iter().any(|run| run.month == month)
    {
        let text = format!("{month} is over at every site and was not checked yet");
        let refusal = app.jobs.refusal(&month);
        let (code, text) = match refusal {
            Some(refusal) => ("month.refused", format!("{month} could not be made: {}", refusal.detail)),
            None => ("month.not_checked", text),
        };
        found.push(alert(code, "now", month.as_str(), text, format!("/api/v1/months/{month}")));
    }
    Ok(found)
}

/// Suspended calls of the last complete month at each site, and of the running one as far as there is a preview.
async fn suspended(app: &App, places: &[(Site, Zone)]) -> Result<Vec<Alert>> {
    let now = app.clock.now();
    let mut found = Vec::new();
    let mut of: Vec<(Month, &Site)> = Vec::new();
    for (site, zone) in places {
        of.push((default_month(now, zone), site));
        of.push((current_month(now, zone), site));
    }
    of.sort_by_key(|(month, site)| (*month, site.id.clone()));
    for group in of.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((month, _)) = group.first() else { continue };
        let Some(version) = version(app, *month, None, true).await? else { continue };
        let sites: Vec<String> = group.iter().map(|(_, site)| site.id.clone()).collect();
        let list = app.index.suspended(&version, Some(&sites)).await.map_err(problem)?;
        for (_, site) in group {
            let of_site = list.iter().filter(|one| one.site == site.id && one.side == "retail");
            let count: u64 = of_site.map(|one| one.calls).sum();
            if count == 0 {
                continue;
            }
            let text = match count {
                1 => format!("1 call of {month} at {} is suspended: it is charged to nobody", site.name),
                _ => format!("{count} calls of {month} at {} are suspended: they are charged to nobody", site.name),
            };
            let route = format!("/api/v1/months/{month}/exceptions?site={}", site.id);
            let mut alert = alert("calls.suspended", "now", month.to_string(), text, route);
            (alert.site, alert.count) = (Some(site.id.clone()), Some(count));
            found.push(alert);
        }
    }
    Ok(found)
}

/// Whether a folder holds a file that came since an instant.
fn has_file_since(folder: &Path, since: Instant, depth: usize) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        if entry.file_name().to_string_lossy().starts_with('.') {
            return false;
        }
        let Ok(metadata) = std::fs::metadata(entry.path()) else { return false };
        if metadata.is_dir() {
            return depth > 0 && has_file_since(&entry.path(), since, depth - 1);
        }
        let came = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        came.and_then(|came| i64::try_from(came.as_millis()).ok()).is_some_and(|came| came >= since.as_millis())
    })
}

/// Switches of which nothing came this month.
async fn silent(app: &App, places: &[(Site, Zone)]) -> Result<Vec<Alert>> {
    let now = app.clock.now();
    let here = ids(places);
    let all = sources::list(app.store.read().await?.on()).await?;
    let data = app.config.data.clone();
    let mut asked = Vec::new();
    for source in all.into_iter().filter(|source| here.contains(&source.site)) {
        let Some((_, zone)) = places.iter().find(|(site, _)| site.id == source.site) else { continue };
        let month = current_month(now, zone);
        // What was made this month need not have brought anything.
        if source.created_at < month.bounds(zone).0 {
            asked.push((source, month, month.bounds(zone).0));
        }
    }
    let silent = tokio::task::spawn_blocking(move || {
        asked.retain(|(source, _, since)| !has_file_since(&data.join(CDR).join(&source.id), *since, DEPTH));
        asked
    });
    let silent = silent.await.map_err(Problem::internal)?;
    let told = silent.into_iter().map(|(source, month, since)| {
        let text = format!("no file of the switch `{}` has come in {month}", source.id);
        let route = format!("/api/v1/sources/{}/files", source.id);
        let mut alert = alert("source.no_files", "soon", source.id, text, route);
        (alert.site, alert.at) = (Some(source.site), Some(since.to_rfc3339()));
        alert
    });
    Ok(told.collect())
}

fn count_of(numbers: i64) -> String {
    if numbers == 1 { "1 number".to_owned() } else { format!("{numbers} numbers") }
}

/// The name of an occupier; its id, as of a prospect, if it is none yet.
async fn name(on: &mut sqlx::SqliteConnection, id: &str) -> Result<String> {
    Ok(occupiers::get(on, id).await?.map_or_else(|| id.to_owned(), |occupier| occupier.name))
}

/// Contracts and holds that end, and portals that nobody has visited.
async fn ending(app: &App, places: &[(Site, Zone)]) -> Result<Vec<Alert>> {
    let now = app.clock.now();
    let here = ids(places);
    let utc = Zone::utc();
    let shown = |site: &str, at: Instant| {
        let zone = places.iter().find(|(known, _)| known.id == site).map_or(&utc, |(_, zone)| zone);
        (zone.format(at), zone.to_local(at).date())
    };
    let named = |site: &str| {
        let known = places.iter().find(|(known, _)| known.id == site);
        known.map_or_else(|| site.to_owned(), |(site, _)| site.name.clone())
    };
    let mut reader = app.store.read().await?;
    let mut found = Vec::new();
    for ending in ahead::ending_contracts(reader.on(), now, now.plus(CONTRACTS)).await? {
        if !here.contains(&ending.site) {
            continue;
        }
        let (at, day) = shown(&ending.site, ending.until);
        let (name, place) = (name(reader.on(), &ending.occupier).await?, named(&ending.site));
        let leave = if ending.deprovision { "they leave with it" } else { "they stay, and so does what they cost" };
        let text =
            format!("the contract of {name} at {place} ends on {day} with {} there: {leave}", count_of(ending.numbers));
        let route = format!("/api/v1/contracts/{}", ending.contract);
        let mut alert = alert("contract.ending_with_numbers", "soon", ending.contract, text, route);
        alert.site = Some(ending.site);
        (alert.count, alert.at) = (u64::try_from(ending.numbers).ok(), Some(at));
        found.push(alert);
    }
    for hold in ahead::expiring_holds(reader.on(), now, now.plus(HOLDS)).await? {
        if !here.contains(&hold.site) {
            continue;
        }
        let (at, day) = shown(&hold.site, hold.until);
        let (place, prospect) = (named(&hold.site), name(reader.on(), &hold.prospect).await?);
        let text = format!("{} at {place} kept for {prospect} until {day}", count_of(hold.numbers));
        let route = format!("/api/v1/sites/{}/numbers?held=true", hold.site);
        let mut alert = alert("hold.expiring", "soon", hold.prospect, text, route);
        alert.site = Some(hold.site);
        (alert.count, alert.at) = (u64::try_from(hold.numbers).ok(), Some(at));
        found.push(alert);
    }
    for (occupier, since, sites) in ahead::unvisited_portals(reader.on()).await? {
        if !sites.is_empty() && !sites.iter().any(|site| here.contains(site)) {
            continue;
        }
        let called = name(reader.on(), &occupier).await?;
        let text = format!("the portal of {called} is open, and none of its people has been there");
        let route = format!("/api/v1/occupiers/{occupier}/portal");
        let mut alert = alert("portal.never_visited", "soon", occupier, text, route);
        alert.at = Some(since.to_rfc3339());
        found.push(alert);
    }
    Ok(found)
}
