//! Tariffs: which are in force, what a draft would change, what a call would cost.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{DefaultBodyLimit, State};
use rating_core::number::Direction;
use rating_core::run::explain::{Imagined, Options};
use rating_core::time::{Duration, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::charges::operator::line;
use super::extract::{Asked, Body};
use super::months::{finding, month as read_month, problem, snapshot};
use super::users::zone as operators_zone;
use crate::app::App;
use crate::auth::{Principal, Sites, unknown_site};
use crate::error::{Faults, Problem, Result};
use crate::publish::tariffs::{Change, RowSays};
use crate::store::{occupiers, sites, sources};
use crate::wire::{instant, tariffs as wire};

/// Rows of a draft that are shown.
const SHOWN: usize = 1_000;
/// Bytes of a draft: the longest decks have a few hundred thousand rows.
const LARGEST_DRAFT: usize = 64 << 20;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    let drafts = OpenApiRouter::new().routes(routes!(dry_run)).layer(DefaultBodyLimit::max(LARGEST_DRAFT));
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(quote)).merge(drafts)
}

/// At which instant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct When {
    /// An instant with its offset, or a day (its first moment); left out, now.
    at: Option<String>,
}

/// Lists the tariffs: what is in force at an instant, and every version. Who is limited to sites is told of those used at them,
/// and of what these inherit from.
#[utoipa::path(get, path = "/api/v1/tariffs", tag = "tariffs", params(When),
    responses((status = 200, description = "Tariffs", body = wire::Tariffs), (status = 400)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Asked(when): Asked<When>,
) -> Result<axum::Json<wire::Tariffs>> {
    let (zone, used) = {
        let mut reader = app.store.read().await?;
        let zone = operators_zone(reader.on()).await?;
        (zone, sources::assignments(reader.on()).await?)
    };
    let at = match &when.at {
        None => app.clock.now(),
        Some(text) => zone.bound(text).ok_or_else(|| {
            Problem::new("request.parameter_malformed", format!("`{text}` is neither a day nor an instant"))
                .help("2026-07-15, or 2026-07-15T14:00:00+01:00 (in an address, `+` is written `%2B`)")
        })?,
    };
    let snapshot = snapshot(&app).await?;
    let mut uses: BTreeMap<String, Use> = BTreeMap::new();
    // A service's tariff is assigned by the service.
    let of_services = snapshot.assignments.iter().map(|one| (&one.side, &one.site, &one.tariff));
    for (side, site, tariff) in used.iter().map(|one| (&one.side, &one.site, &one.tariff)).chain(of_services) {
        let is_here = site == "*" || principal.sites().has(site);
        if is_here && matches!(side.as_str(), "retail" | "wholesale") {
            let of = uses.entry(tariff.clone()).or_default();
            of.sides.insert(side.clone());
            of.sites.insert(site.clone());
        }
    }
    let mut items: BTreeMap<String, wire::Tariff> = BTreeMap::new();
    for version in app.engine.tariffs(snapshot, at).await.map_err(problem)? {
        let of = items.entry(version.tariff.clone()).or_insert_with(|| wire::Tariff {
            id: version.tariff.clone(),
            name: version.name.clone(),
            in_force: false,
            currency: version.currency.clone(),
            sides: uses.get(&version.tariff).map(|of| of.sides.iter().cloned().collect()).unwrap_or_default(),
            sites: uses.get(&version.tariff).map(|of| of.sites.iter().cloned().collect()).unwrap_or_default(),
            versions: Vec::new(),
        });
        if version.in_force || !of.in_force {
            of.name.clone_from(&version.name);
            of.currency.clone_from(&version.currency);
        }
        of.in_force |= version.in_force;
        of.versions.push(wire::TariffVersion {
            in_force: version.in_force,
            name: version.name,
            file: version.file,
            from: instant(&zone, version.time.from),
            until: instant(&zone, version.time.until),
            currency: version.currency,
            rows: version.rows as u64,
            inherits: version.inherits,
        });
    }
    if *principal.sites() != Sites::All {
        let shown = with_parents(uses.into_keys().collect(), &items);
        items.retain(|id, _| shown.contains(id));
    }
    Ok(axum::Json(wire::Tariffs { at: zone.format(at), items: items.into_values().collect() }))
}

/// Where and for what a tariff is used.
#[derive(Default)]
struct Use {
    sides: BTreeSet<String>,
    sites: BTreeSet<String>,
}

/// Tariffs, and those that they inherit from.
fn with_parents(used: BTreeSet<String>, all: &BTreeMap<String, wire::Tariff>) -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    let mut next: Vec<String> = used.into_iter().collect();
    while let Some(id) = next.pop() {
        let parents =
            all.get(&id).into_iter().flat_map(|tariff| &tariff.versions).filter_map(|version| version.inherits.clone());
        let parents: Vec<String> = parents.collect();
        if shown.insert(id) {
            next.extend(parents);
        }
    }
    shown
}

/// Says what a call would cost and why, with every price that lost. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/quotes", tag = "tariffs", request_body = wire::Quote,
    responses((status = 200, description = "What it would cost", body = wire::Quoted), (status = 404), (status = 409), (status = 422)))]
async fn quote(
    State(app): State<App>,
    principal: Principal,
    Body(asked): Body<wire::Quote>,
) -> Result<axum::Json<wire::Quoted>> {
    principal.at(&asked.site)?;
    let zone = {
        let mut reader = app.store.read().await?;
        let site = sites::get(reader.on(), &asked.site).await?.ok_or_else(|| unknown_site(&asked.site))?;
        if let Some(occupier) = &asked.occupier {
            let known = occupiers::get(reader.on(), occupier).await?;
            known.ok_or_else(|| crate::auth::unknown_occupier(occupier))?;
        }
        Zone::load(&site.zone).unwrap_or_else(Zone::utc)
    };
    let mut faults = Faults::default();
    let answered_at = match &asked.answered_at {
        None => Some(app.clock.now()),
        Some(text) => {
            let at = crate::wire::moment(&zone, text);
            if at.is_none() {
                let what = format!("`{text}` is neither a day nor an instant");
                faults.push(
                    "answered_at",
                    "field.date_malformed",
                    what,
                    "2026-12-01T09:00, or 2026-12-01T09:00:00+00:00",
                );
            }
            at
        }
    };
    let direction = match asked.direction.as_deref().unwrap_or("outbound") {
        "outbound" => Some(Direction::Outbound),
        "inbound" => Some(Direction::Inbound),
        "internal" => Some(Direction::Internal),
        other => {
            let what = format!("there is no direction `{other}`");
            faults.push("direction", "field.direction_unknown", what, "`outbound`, `inbound` or `internal`");
            None
        }
    };
    faults.finish()?;
    let (Some(answered_at), Some(direction)) = (answered_at, direction) else {
        return Err(Problem::internal("a fault was not told"));
    };
    let imagined = Imagined {
        options: Options::new("", ""),
        site: asked.site,
        payer: asked.occupier,
        tariff: asked.tariff,
        other: asked.number,
        direction,
        answered_at,
        duration: Duration::from_seconds(i64::from(asked.duration_s)),
    };
    let explained = app.engine.quote(snapshot(&app).await?, imagined).await.map_err(problem)?;
    let retail = explained.sides.iter().find(|side| side.side == "retail");
    let text = |of: fn(&rating_core::run::explain::SideView) -> Option<String>| retail.and_then(of);
    Ok(axum::Json(wire::Quoted {
        status: retail.map_or_else(String::new, |side| side.status.to_owned()),
        reason: text(|side| side.reason.clone()),
        charge: text(|side| side.charge.clone()),
        currency: text(|side| side.currency.clone()),
        destination: text(|side| side.destination.clone()),
        tariff: text(|side| side.tariff.as_ref().map(|tariff| tariff.id.clone())),
        text: explained.to_string(),
        explanation: serde_json::to_value(&explained).map_err(Problem::internal)?,
    }))
}

/// Tries files of tariffs: what is wrong with them, which rows they add, remove and change, and what a published month would come to with
/// them. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/tariffs/dry-runs", tag = "tariffs", request_body = wire::DryRun,
    responses((status = 200, description = "What it would change", body = wire::Tried), (status = 400), (status = 409), (status = 422)))]
async fn dry_run(State(app): State<App>, Body(draft): Body<wire::DryRun>) -> Result<axum::Json<wire::Tried>> {
    let month = draft.month.as_deref().map(read_month).transpose()?;
    let tried = app.engine.try_tariffs(snapshot(&app).await?, draft.files, month).await.map_err(problem)?;
    let of = |(tariff, same, changes): (String, u64, Vec<Change>)| {
        let count = |change: &str| changes.iter().filter(|one| name(one) == change).count() as u64;
        wire::TariffChange {
            tariff,
            added: count("added"),
            removed: count("removed"),
            changed: count("changed"),
            same,
            rows: changes.into_iter().take(SHOWN).map(row).collect(),
        }
    };
    Ok(axum::Json(wire::Tried {
        usable: tried.usable,
        findings: tried.findings.into_iter().map(finding).collect(),
        tariffs: tried.tariffs.into_iter().map(of).collect(),
        month: tried.month.map(|found| wire::MonthTried {
            month: found.month.to_string(),
            changed: found.changed + found.added + found.removed,
            payers: found.occupiers.iter().map(line).collect(),
            destinations: found.destinations.iter().map(line).collect(),
        }),
    }))
}

const fn name(change: &Change) -> &'static str {
    match (&change.before, &change.after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

fn row(change: Change) -> wire::RowChange {
    let says = |says: RowSays| wire::RowPrice {
        destination: says.destination,
        line: says.line,
        prices: says.prices,
        connection: says.connection,
        minimum: says.minimum,
        status: says.status.map(str::to_owned),
    };
    wire::RowChange {
        change: name(&change).to_owned(),
        key: change.key,
        conditions: change.conditions,
        before: change.before.map(says),
        after: change.after.map(says),
    }
}
