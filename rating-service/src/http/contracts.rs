//! Contracts.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use rating_core::directory::contracts::{Change as Changed, Command, Facts, State as Contracted, Terms, decide};
use rating_core::time::{Instant, Interval, Zone};
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use super::{occupiers, services, telephony};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::store::contracts::Contract;
use crate::store::occupiers::Occupier;
use crate::store::reach::Kind;
use crate::store::{Change, audit::Entry, contracts, sites};
use crate::wire::contracts::{ContractSettings, NewContract, Reactivation};
use crate::wire::{self, Page, Paging, day, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, settle))
        .routes(routes!(discard))
        .routes(routes!(reactivate))
}

/// The contract of that id, also if it was discarded.
pub(super) async fn get(on: &mut SqliteConnection, id: &str) -> Result<Contract> {
    contracts::get(on, id).await?.ok_or_else(|| Kind::Contract.unknown(id))
}

/// The site of a contract, and its clock.
pub(super) async fn site(on: &mut SqliteConnection, id: &str) -> Result<(sites::Site, Zone)> {
    let site = super::sites::get(on, id).await?;
    let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
    Ok((site, zone))
}

fn to_wire(zone: &Zone, contract: Contract, at: Instant) -> Tagged<wire::contracts::Contract> {
    let state = if contract.discarded_at.is_some() { "DISCARDED" } else { contract.terms.state(at).name() };
    let Terms { term, deprovision, move_in } = contract.terms;
    let settings = ContractSettings {
        name: Some(contract.name),
        from: day(zone, term.from).unwrap_or_default(),
        until: day(zone, term.until),
        deprovision_at_end: deprovision,
        move_in: move_in.and_then(|at| day(zone, at)),
        external_reference: contract.external_reference,
        billing_site: contract.billing_site,
    };
    let move_out = contract.terms.occupancy().and_then(|occupancy| day(zone, occupancy.until));
    let shown = wire::contracts::Contract {
        id: contract.id,
        occupier: contract.occupier,
        site: contract.site,
        state: state.to_owned(),
        settings,
        move_out,
        deprovisioned_at: contract.deprovisioned_at.map(|at| zone.format(at)),
        discarded_at: contract.discarded_at.map(|at| zone.format(at)),
        created_at: zone.format(contract.created_at),
    };
    Tagged(contract.revision, shown)
}

async fn shown(on: &mut SqliteConnection, id: &str, at: Instant) -> Result<Tagged<wire::contracts::Contract>> {
    let contract = get(on, id).await?;
    let (_, zone) = site(on, &contract.site).await?;
    Ok(to_wire(&zone, contract, at))
}

/// Lists the contracts of an occupier at the caller's sites, by id; those discarded are left out.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/contracts", tag = "contracts", params(("occupier" = String, Path), Paging), responses(
    (status = 200, description = "Contracts", body = Page<wire::contracts::Contract>), (status = 404)
))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Asked(paging): Asked<Paging>,
) -> Result<axum::Json<Page<wire::contracts::Contract>>> {
    let limit = page_limit(paging.limit)?;
    let at = app.clock.now();
    let mut reader = app.store.read().await?;
    occupiers::get(reader.on(), &id).await?;
    let after = paging.after.unwrap_or_default().to_ascii_lowercase();
    let found = contracts::of(reader.on(), &id, None).await?;
    let seen = found
        .into_iter()
        .filter(|contract| principal.sites().has(&contract.site) && contract.id.to_ascii_lowercase() > after);
    let mut items = Vec::new();
    for contract in seen.take(usize::try_from(limit + 1).unwrap_or(usize::MAX)) {
        let (_, zone) = site(reader.on(), &contract.site).await?;
        items.push(to_wire(&zone, contract, at).1);
    }
    Ok(axum::Json(Page::cut(items, limit, |contract| contract.id.clone())))
}

fn facts(contract: &Contract, occupier: &Occupier, is_new: bool) -> Facts {
    Facts {
        id: contract.id.clone(),
        terms: (!is_new).then_some(contract.terms),
        discarded: contract.discarded_at.is_some(),
        decommissioned: occupier.decommissioned_at.is_some(),
    }
}

/// Has the directory decide what a command does to a contract, and puts that into it; whether anything changed.
pub(super) fn ask(
    contract: &mut Contract,
    occupier: &Occupier,
    command: &Command,
    zone: &Zone,
    at: Instant,
) -> Result<bool> {
    let is_new = matches!(command, Command::Make(_));
    let events = decide(&facts(contract, occupier, is_new), command, zone, at)?;
    for event in &events {
        match event.change {
            Changed::Made(terms) | Changed::Amended(terms) => contract.terms = terms,
            Changed::Reactivated(terms) => {
                contract.terms = terms;
                contract.deprovisioned_at = None;
            }
            Changed::Decommissioned(terms) => {
                contract.terms = terms;
                contract.deprovisioned_at = Some(event.at);
            }
            Changed::Discarded => contract.discarded_at = Some(event.at),
        }
    }
    Ok(!events.is_empty())
}

/// That no other contract of the occupier at the site covers part of the time: one at a time says what holds there.
async fn alone(on: &mut SqliteConnection, contract: &Contract, zone: &Zone) -> Result<()> {
    let others = contracts::of(on, &contract.occupier, Some(&contract.site)).await?;
    let other =
        others.into_iter().find(|other| other.id != contract.id && other.terms.term.overlaps(contract.terms.term));
    let Some(other) = other else { return Ok(()) };
    let what = format!("contract `{}` runs there {}", other.id, other.terms.term.in_words(zone));
    Err(Problem::new("contract.overlaps", what)
        .help("an occupier has one contract at a time at a site: change that one, or choose other days"))
}

/// Puts settings that need no decision into a contract.
async fn apply(
    on: &mut SqliteConnection,
    principal: &Principal,
    settings: ContractSettings,
    contract: &mut Contract,
    site: &sites::Site,
    at: &str,
) -> Result<()> {
    let name = settings.name.unwrap_or_default().trim().to_owned();
    contract.name = if name.is_empty() { site.name.clone() } else { name };
    contract.external_reference = settings.external_reference.trim().to_owned();
    contract.billing_site = settings.billing_site.filter(|billing| *billing != site.id);
    let Some(billing) = &contract.billing_site else { return Ok(()) };
    if principal.sites().has(billing) && sites::get(on, billing).await?.is_some() {
        return Ok(());
    }
    let mut faults = Faults::default();
    faults.push(format!("{at}/billing_site"), "site.unknown", format!("there is no site `{billing}`"), "");
    faults.finish()
}

/// What the log says of a contract.
pub(super) fn note(change: &mut Change, action: &'static str, contract: &Contract) {
    let Terms { term, deprovision, move_in } = contract.terms;
    let instant = |at: Instant| (at != Instant::MAX && at != Instant::MIN).then(|| at.to_rfc3339());
    let details = serde_json::json!({
        "name": contract.name,
        "from": instant(term.from),
        "until": instant(term.until),
        "deprovision_at_end": deprovision,
        "move_in": move_in.and_then(instant),
        "billing_site": contract.billing_site,
    });
    let entry = Entry::new(action, format!("contract:{}", contract.id)).at(&contract.site).of(&contract.occupier);
    change.note(entry.with(details));
}

async fn free_id(on: &mut SqliteConnection, occupier: &str, site: &str) -> Result<String> {
    let short = |text: &str| text.chars().take(28).collect::<String>();
    let id = format!("{}-{}", short(occupier), short(site)).trim_end_matches('.').to_owned();
    for number in 1..1000 {
        let id = if number == 1 { id.clone() } else { format!("{id}-{number}") };
        if !contracts::is_there(on, &id).await? {
            return Ok(id);
        }
    }
    crate::store::secrets::fresh_id("contract")
}

/// Makes a contract within a change.
pub(super) async fn make(
    change: &mut Change,
    principal: &Principal,
    occupier: &Occupier,
    new: NewContract,
    at: &str,
) -> Result<Contract> {
    let now = change.at();
    let mut faults = Faults::default();
    if let Some(id) = &new.id {
        faults.id(&format!("{at}/id"), id);
    }
    let found = if principal.sites().has(&new.site) { sites::get(change.on(), &new.site).await? } else { None };
    let Some(site) = found else {
        faults.push(format!("{at}/site"), "site.unknown", format!("there is no site `{}`", new.site), "");
        return Err(faults.finish().err().unwrap_or_else(|| crate::auth::unknown_site(&new.site)));
    };
    let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
    let terms = new.settings.terms(&zone, &mut faults, &format!("{at}/settings"));
    faults.finish()?;
    let Some(terms) = terms else { return Err(Problem::internal("terms without a fault")) };
    let id = match new.id {
        Some(id) => id,
        None => free_id(change.on(), &occupier.id, &site.id).await?,
    };
    let mut contract = Contract {
        id,
        occupier: occupier.id.clone(),
        site: site.id.clone(),
        name: String::new(),
        terms,
        deprovisioned_at: None,
        external_reference: String::new(),
        billing_site: None,
        discarded_at: None,
        created_at: now,
        revision: 1,
    };
    ask(&mut contract, occupier, &Command::Make(terms), &zone, now)?;
    alone(change.on(), &contract, &zone).await?;
    apply(change.on(), principal, new.settings, &mut contract, &site, &format!("{at}/settings")).await?;
    contracts::insert(change.on(), &contract).await?;
    note(change, "contract.made", &contract);
    Ok(contract)
}

/// Makes a contract of an occupier at a site.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/contracts", tag = "contracts", request_body = NewContract,
    params(("occupier" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Made", body = wire::contracts::Contract), (status = 404), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(new): Body<NewContract>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::contracts::Contract>)> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let occupier = occupiers::get_open(change.on(), &id).await?;
    let contract = make(&mut change, &principal, &occupier, new, "").await?;
    let at = change.at();
    let shown = shown(change.on(), &contract.id, at).await?;
    change.commit().await?;
    let mut headers = HeaderMap::new();
    let location = HeaderValue::from_str(&format!("/api/v1/contracts/{}", contract.id)).map_err(Problem::internal)?;
    headers.insert(header::LOCATION, location);
    Ok((StatusCode::CREATED, headers, shown))
}

/// Shows a contract.
#[utoipa::path(get, path = "/api/v1/contracts/{contract}", tag = "contracts", params(("contract" = String, Path)), responses(
    (status = 200, description = "The contract", body = wire::contracts::Contract), (status = 404)
))]
async fn show(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::contracts::Contract>> {
    shown(app.store.read().await?.on(), &id, app.clock.now()).await
}

/// Changes what a contract says. Its services follow it.
#[utoipa::path(put, path = "/api/v1/contracts/{contract}", tag = "contracts", request_body = ContractSettings,
    params(("contract" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::contracts::Contract), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(settings): Body<ContractSettings>,
) -> Result<Tagged<wire::contracts::Contract>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let mut contract = get(change.on(), &id).await?;
    expected.meets(contract.revision)?;
    let occupier = occupiers::get(change.on(), &contract.occupier).await?;
    let (site, zone) = site(change.on(), &contract.site).await?;
    let mut faults = Faults::default();
    let terms = settings.terms(&zone, &mut faults, "");
    faults.finish()?;
    let Some(terms) = terms else { return Err(Problem::internal("terms without a fault")) };
    ask(&mut contract, &occupier, &Command::Amend(terms), &zone, at)?;
    alone(change.on(), &contract, &zone).await?;
    apply(change.on(), &principal, settings, &mut contract, &site, "").await?;
    contracts::update(change.on(), &contract).await?;
    note(&mut change, "contract.changed", &contract);
    services::follow(&mut change, &contract.occupier, &contract.site).await?;
    let shown = shown(change.on(), &id, at).await?;
    change.commit().await?;
    Ok(shown)
}

/// Throws away a contract that has not begun, with the services that hang on it, and with the numbers that no other contract
/// of the occupier at the site keeps.
#[utoipa::path(post, path = "/api/v1/contracts/{contract}/discard", tag = "contracts", params(("contract" = String, Path)), responses(
    (status = 200, description = "Discarded", body = wire::contracts::Contract), (status = 404), (status = 409)
))]
async fn discard(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
) -> Result<Tagged<wire::contracts::Contract>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let mut contract = get(change.on(), &id).await?;
    let occupier = occupiers::get(change.on(), &contract.occupier).await?;
    let (_, zone) = site(change.on(), &contract.site).await?;
    ask(&mut contract, &occupier, &Command::Discard, &zone, at)?;
    contracts::update(change.on(), &contract).await?;
    note(&mut change, "contract.discarded", &contract);
    part(&mut change, &contract, at).await?;
    let shown = shown(change.on(), &id, at).await?;
    change.commit().await?;
    Ok(shown)
}

/// Has the numbers of a contract that is over leave, unless another of the occupier at the site keeps them.
async fn part(change: &mut Change, contract: &Contract, at: Instant) -> Result<()> {
    let others = contracts::of(change.on(), &contract.occupier, Some(&contract.site)).await?;
    let is_kept =
        others.iter().any(|other| other.id != contract.id && other.terms.state(change.at()) != Contracted::Completed);
    if is_kept {
        return Ok(());
    }
    telephony::contract_ended(change, &contract.occupier, &contract.site, at).await
}

/// Has the numbers of a contract leave that has ended and takes them with it: once, from its end on.
pub(crate) async fn deprovision(change: &mut Change, id: &str) -> Result<bool> {
    let mut contract = get(change.on(), id).await?;
    let at = rating_core::directory::contracts::deprovisioned_at(&contract.terms, change.at());
    let Some(at) = at.filter(|_| contract.deprovisioned_at.is_none() && contract.discarded_at.is_none()) else {
        return Ok(false);
    };
    part(change, &contract, at).await?;
    contract.deprovisioned_at = Some(at);
    contracts::update(change.on(), &contract).await?;
    note(change, "contract.deprovisioned", &contract);
    Ok(true)
}

/// Undoes the end of a contract that has ended, as if there had been none. Numbers that have left do not come back.
#[utoipa::path(post, path = "/api/v1/contracts/{contract}/reactivate", tag = "contracts", request_body = Reactivation,
    params(("contract" = String, Path)),
    responses((status = 200, description = "It runs again", body = wire::contracts::Contract), (status = 404), (status = 409), (status = 422)))]
async fn reactivate(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<Reactivation>,
) -> Result<Tagged<wire::contracts::Contract>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let mut contract = get(change.on(), &id).await?;
    let occupier = occupiers::get(change.on(), &contract.occupier).await?;
    let (_, zone) = site(change.on(), &contract.site).await?;
    let mut faults = Faults::default();
    let until = given.until.as_deref();
    let until = until.map_or(Some(Instant::MAX), |text| wire::bound(&zone, &mut faults, "/until", text));
    faults.finish()?;
    let until = until.unwrap_or(Interval::ALWAYS.until);
    let command = Command::Reactivate { until, deprovision: given.deprovision_at_end };
    ask(&mut contract, &occupier, &command, &zone, at)?;
    alone(change.on(), &contract, &zone).await?;
    contracts::update(change.on(), &contract).await?;
    note(&mut change, "contract.reactivated", &contract);
    services::reopen(&mut change, &contract).await?;
    services::follow(&mut change, &contract.occupier, &contract.site).await?;
    let shown = shown(change.on(), &id, at).await?;
    change.commit().await?;
    Ok(shown)
}
