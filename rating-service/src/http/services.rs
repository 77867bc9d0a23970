//! Services of occupiers: assigned, changed, ended; and what follows when they begin and end.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use rating_core::directory::contracts::{State as Contracted, assign_service};
use rating_core::directory::refusal::Refusal;
use rating_core::time::{Instant, Interval, Zone};
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::Tagged;
use super::contracts::site;
use super::extract::{Asked, Body, Named};
use super::{occupiers, telephony};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Fault, Faults, Problem, Result};
use crate::store::contracts::Contract;
use crate::store::products::Product;
use crate::store::reach::Kind;
use crate::store::services::{Filter, Service};
use crate::store::{Change, audit::Entry, contracts, products, secrets, services};
use crate::wire::services::{
    AssignedService, Automatic, NewService, ServiceChange, ServiceEnd, ServiceUpdate, WhichServices, check_quantity,
};
use crate::wire::{self, Page, bound, day, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, assign))
        .routes(routes!(show))
        .routes(routes!(alter))
        .routes(routes!(end))
        .routes(routes!(update))
}

async fn get(on: &mut SqliteConnection, id: &str) -> Result<Service> {
    services::get(on, id).await?.ok_or_else(|| Kind::Service.unknown(id))
}

fn to_wire(zone: &Zone, service: Service, at: Instant) -> Tagged<wire::services::Service> {
    let time = service.time();
    let state = match time {
        time if time.is_empty() || time.until <= at => "ENDED",
        time if at < time.from => "UPCOMING",
        _ => "ACTIVE",
    };
    let lines = service.all_lines();
    let shown = wire::services::Service {
        id: service.id,
        occupier: service.occupier,
        site: service.site,
        contract: service.contract,
        product: service.product,
        quantity: service.quantity,
        lines,
        tariff: service.tariff,
        allowance: service.allowance,
        service_level: service.service_level,
        features: service.features,
        state: state.to_owned(),
        from: day(zone, time.from).unwrap_or_default(),
        until: day(zone, time.until),
        updating: service.is_updating,
        replaces: service.replaces,
        created_at: zone.format(service.created_at),
    };
    Tagged(service.revision, shown)
}

async fn shown(on: &mut SqliteConnection, id: &str, at: Instant) -> Result<Tagged<wire::services::Service>> {
    let service = get(on, id).await?;
    let (_, zone) = site(on, &service.site).await?;
    Ok(to_wire(&zone, service, at))
}

/// Lists the services of an occupier at the caller's sites, by id, also those that have ended.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/services", tag = "services", params(("occupier" = String, Path), WhichServices), responses(
    (status = 200, description = "Services", body = Page<wire::services::Service>), (status = 404)
))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Asked(which): Asked<WhichServices>,
) -> Result<axum::Json<Page<wire::services::Service>>> {
    let limit = page_limit(which.limit)?;
    let at = app.clock.now();
    let mut reader = app.store.read().await?;
    occupiers::get(reader.on(), &id).await?;
    let sites = match which.site {
        Some(site) => {
            principal.at(&site)?;
            Some(vec![site])
        }
        None => principal.sites().filter(),
    };
    let filter =
        Filter { occupier: Some(id), sites, contract: which.contract, after: which.after, limit: Some(limit + 1) };
    let mut items = Vec::new();
    for service in services::list(reader.on(), &filter).await? {
        let (_, zone) = site(reader.on(), &service.site).await?;
        items.push(to_wire(&zone, service, at).1);
    }
    Ok(axum::Json(Page::cut(items, limit, |service| service.id.clone())))
}

/// The contract that a service at a site is billed to: the one named, or the one that stands best there.
async fn contract_for(
    on: &mut SqliteConnection,
    occupier: &str,
    site: &str,
    named: Option<&str>,
    at: Instant,
) -> Result<Option<Contract>> {
    let mut found = contracts::of(on, occupier, Some(site)).await?;
    if let Some(named) = named {
        let contract = found.into_iter().find(|contract| contract.id == named);
        return contract.map(Some).ok_or_else(|| Kind::Contract.unknown(named));
    }
    // Of several upcoming ones, the first to begin.
    found.sort_by_key(|contract| (contract.terms.state(at), std::cmp::Reverse(contract.terms.term.from)));
    Ok(found.pop())
}

/// The product of that id at a site, as a field of a request names it.
async fn product(on: &mut SqliteConnection, site: &str, id: &str) -> Result<Product> {
    if let Some(product) = products::get(on, site, id).await? {
        return Ok(product);
    }
    let mut faults = Faults::default();
    faults.push("/product", "product.unknown", format!("there is no product `{id}` at this site"), "see its pricebook");
    Err(faults.finish().err().unwrap_or_else(|| Problem::internal("a fault that is none")))
}

fn inactive(product: &Product) -> Problem {
    Problem::new("product.inactive", format!("`{}` is not sold any more", product.id))
        .help("choose an active product; services that were assigned before stay as they are")
}

/// A refusal for the day on which a service would begin stands beside that day.
fn beside_its_day(refusal: Refusal) -> Problem {
    let (code, help) = (refusal.code, refusal.help);
    let problem = Problem::from(refusal);
    if !matches!(code, "service.start_in_past" | "service.after_contract") {
        return problem;
    }
    let fault = Fault {
        field: "/from".to_owned(),
        code: code.to_owned(),
        detail: "cannot be the first day".to_owned(),
        help: Some(help.to_owned()),
    };
    problem.errors(vec![fault])
}

/// What the log says of a service.
fn note(change: &mut Change, action: &'static str, service: &Service) {
    let time = service.time();
    let instant = |at: Instant| (at != Instant::MAX && at != Instant::MIN).then(|| at.to_rfc3339());
    let details = serde_json::json!({
        "contract": service.contract,
        "product": service.product,
        "quantity": service.quantity,
        "lines": service.lines,
        "tariff": service.tariff,
        "allowance": service.allowance,
        "from": instant(time.from),
        "until": instant(time.until),
        "replaces": service.replaces,
    });
    let entry = Entry::new(action, format!("service:{}", service.id)).at(&service.site).of(&service.occupier);
    change.note(entry.with(details));
}

/// The answer to a service that was assigned.
type Assigned = (StatusCode, HeaderMap, axum::Json<AssignedService>);

fn location(id: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let location = HeaderValue::from_str(&format!("/api/v1/services/{id}")).map_err(Problem::internal)?;
    headers.insert(header::LOCATION, location);
    Ok(headers)
}

/// Assigns a service to an occupier at a site. It needs a contract there, and begins with it at the earliest. The first voice
/// service brings numbers.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/services", tag = "services", request_body = NewService,
    params(("occupier" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Assigned", body = AssignedService), (status = 404), (status = 409), (status = 422)))]
async fn assign(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(new): Body<NewService>,
) -> Result<Assigned> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let occupier = occupiers::get_open(change.on(), &id).await?;
    principal.at(&new.site)?;
    let (site, zone) = site(change.on(), &new.site).await?;
    let mut faults = Faults::default();
    check_quantity(new.quantity, &mut faults);
    let mut ask = |field: &str, text: Option<&str>, otherwise: Instant| {
        text.map_or(Some(otherwise), |text| bound(&zone, &mut faults, field, text))
    };
    let from = ask("/from", new.from.as_deref(), Instant::MIN);
    let until = ask("/until", new.until.as_deref(), Instant::MAX);
    faults.finish()?;
    let asked = Interval { from: from.unwrap_or(Instant::MIN), until: until.unwrap_or(Instant::MAX) };
    let contract = contract_for(change.on(), &occupier.id, &site.id, new.contract.as_deref(), at).await?;
    let terms = contract.as_ref().map(|contract| contract.terms);
    assign_service(terms.as_ref(), asked, &zone, at).map_err(beside_its_day)?;
    let Some(contract) = contract else { return Err(Problem::internal("a service without a contract")) };
    let product = product(change.on(), &site.id, &new.product).await?;
    if !product.is_active {
        return Err(inactive(&product));
    }
    // What is asked to begin with the contract follows it, as long as it has not begun.
    let has_begun = contract.terms.state(at) != Contracted::Upcoming;
    let from = if asked.from == Instant::MIN && has_begun { at } else { asked.from };
    let service = of_product(&contract, &product, new.quantity, Interval { from, ..asked }, at)?;
    assigned(change, &service, &zone).await
}

/// Keeps a new service, with what follows from it; the answer.
async fn assigned(mut change: Change, service: &Service, zone: &Zone) -> Result<Assigned> {
    let at = change.at();
    services::insert(change.on(), service).await?;
    note(&mut change, "service.assigned", service);
    let automatic = follow(&mut change, &service.occupier, &service.site).await?;
    let service = get(change.on(), &service.id).await?;
    change.commit().await?;
    let headers = location(&service.id)?;
    let service = to_wire(zone, service, at).1;
    Ok((StatusCode::CREATED, headers, axum::Json(AssignedService { service, automatic })))
}

fn of_product(contract: &Contract, product: &Product, quantity: u32, asked: Interval, at: Instant) -> Result<Service> {
    Ok(Service {
        seq: 0,
        id: secrets::fresh_id("service")?,
        contract: contract.id.clone(),
        occupier: contract.occupier.clone(),
        site: contract.site.clone(),
        terms: contract.terms,
        product: product.id.clone(),
        quantity,
        lines: product.lines,
        tariff: product.tariff.clone(),
        allowance: product.allowance.clone(),
        service_level: product.service_level.clone(),
        features: product.features.clone(),
        asked,
        is_updating: false,
        replaces: None,
        begun_at: None,
        ended_at: None,
        created_at: at,
        revision: 1,
    })
}

/// Shows a service.
#[utoipa::path(get, path = "/api/v1/services/{service}", tag = "services", params(("service" = String, Path)), responses(
    (status = 200, description = "The service", body = wire::services::Service), (status = 404)
))]
async fn show(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::services::Service>> {
    shown(app.store.read().await?.on(), &id, app.clock.now()).await
}

/// A service that can be changed: no update of it is in progress, and it has not ended.
async fn get_open(on: &mut SqliteConnection, id: &str, at: Instant) -> Result<Service> {
    let service = get(on, id).await?;
    if service.is_updating {
        return Err(Problem::new("service.updating", format!("`{id}` has an update in progress"))
            .help("wait until the update is done"));
    }
    let time = service.time();
    if time.is_empty() || time.until <= at {
        return Err(Problem::new("service.ended", format!("`{id}` has ended")).help("assign another service"));
    }
    Ok(service)
}

fn in_past(field: &str) -> Problem {
    let mut faults = Faults::default();
    let what = "has passed: days that have passed do not change, they may be charged already";
    faults.push(field, "field.in_past", what, "choose a day that lies ahead; tomorrow, if today is the last day");
    faults.finish().err().unwrap_or_else(|| Problem::internal("a fault that is none"))
}

/// Changes a service: it ends, and another takes its place from the same moment on.
#[utoipa::path(post, path = "/api/v1/services/{service}/change", tag = "services", request_body = ServiceChange,
    params(("service" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "The service in its place", body = AssignedService), (status = 404), (status = 409), (status = 422)))]
async fn alter(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<ServiceChange>,
) -> Result<Assigned> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let mut old = get_open(change.on(), &id, at).await?;
    let (site, zone) = site(change.on(), &old.site).await?;
    let contract = super::contracts::get(change.on(), &old.contract).await?;
    let quantity = given.quantity.unwrap_or(old.quantity);
    let mut faults = Faults::default();
    check_quantity(quantity, &mut faults);
    let time = old.time();
    let usual = at.max(time.from);
    let from = given.from.as_deref().map_or(Some(usual), |text| bound(&zone, &mut faults, "/from", text));
    faults.finish()?;
    let from = from.unwrap_or(usual);
    if from < at {
        return Err(in_past("/from"));
    }
    let from = from.max(time.from);
    if from >= time.until {
        return Err(Problem::new("service.ended", format!("`{id}` has ended by then")).help("choose an earlier day"));
    }
    let product = product(change.on(), &site.id, given.product.as_deref().unwrap_or(&old.product)).await?;
    // One that began with its contract goes on to follow it.
    let asked_from = if from == time.from && old.begun_at.is_none() { old.asked.from } else { from };
    let asked = Interval { from: asked_from, ..old.asked };
    let mut service = of_product(&contract, &product, quantity, asked, at)?;
    service.replaces = Some(old.id.clone());
    if !product.is_active {
        // A service that was assigned before may go on, or shrink.
        if product.id != old.product || quantity > old.quantity {
            return Err(inactive(&product));
        }
        service.lines = old.lines;
        service.tariff.clone_from(&old.tariff);
        service.allowance.clone_from(&old.allowance);
        service.service_level.clone_from(&old.service_level);
        service.features.clone_from(&old.features);
    }
    old.asked.until = from;
    services::update(change.on(), &old).await?;
    note(&mut change, "service.ended", &old);
    assigned(change, &service, &zone).await
}

/// Ends a service, or sets another end. When an occupier's last voice service at a site ends, its numbers there end with it.
#[utoipa::path(post, path = "/api/v1/services/{service}/end", tag = "services", request_body = ServiceEnd, params(("service" = String, Path)), responses(
    (status = 200, description = "Its end is set", body = wire::services::Service), (status = 404), (status = 409), (status = 422)
))]
async fn end(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<ServiceEnd>,
) -> Result<Tagged<wire::services::Service>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let mut service = get_open(change.on(), &id, at).await?;
    let (_, zone) = site(change.on(), &service.site).await?;
    let mut faults = Faults::default();
    let until = given.until.as_deref().map_or(Some(at), |text| bound(&zone, &mut faults, "/until", text));
    faults.finish()?;
    let until = until.unwrap_or(at);
    if until < at {
        return Err(in_past("/until"));
    }
    // One that has not begun by then never does.
    service.asked.until = until.max(service.time().from);
    services::update(change.on(), &service).await?;
    note(&mut change, "service.ended", &service);
    follow(&mut change, &service.occupier, &service.site).await?;
    let shown = shown(change.on(), &id, at).await?;
    change.commit().await?;
    Ok(shown)
}

/// Says whether an update of a service is in progress: while one is, the service is not changed and its occupier not
/// decommissioned.
#[utoipa::path(put, path = "/api/v1/services/{service}/update", tag = "services", request_body = ServiceUpdate, params(("service" = String, Path)), responses(
    (status = 200, description = "Noted", body = wire::services::Service), (status = 404)
))]
async fn update(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<ServiceUpdate>,
) -> Result<Tagged<wire::services::Service>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    let mut service = get(change.on(), &id).await?;
    if service.is_updating != given.in_progress {
        service.is_updating = given.in_progress;
        services::update(change.on(), &service).await?;
    }
    let details = serde_json::json!({ "in_progress": given.in_progress });
    let entry = Entry::new("service.update_noted", format!("service:{id}")).at(&service.site).of(&service.occupier);
    change.note(entry.with(details));
    let shown = shown(change.on(), &id, at).await?;
    change.commit().await?;
    Ok(shown)
}

/// Does what follows from services of an occupier at a site that have begun or ended by now, once for each: the first voice
/// service brings numbers, which it gives; with the last one they end.
pub(crate) async fn follow(change: &mut Change, occupier: &str, site: &str) -> Result<Option<Automatic>> {
    let at = change.at();
    let mut automatic = None;
    let mut all = services::at_site(change.on(), occupier, site).await?;
    all.sort_by_key(|service| (service.time().from, service.seq));
    let mut had_voice = all.iter().any(|service| service.begun_at.is_some() && service.lines > 0);
    for service in all.iter_mut().filter(|service| service.begun_at.is_none()) {
        let time = service.time();
        if time.is_empty() && time.until <= at {
            // It never was.
            (service.begun_at, service.ended_at) = (Some(at), Some(at));
            services::update(change.on(), service).await?;
            note(change, "service.never_begun", service);
        } else if time.from <= at && !time.is_empty() {
            service.begun_at = Some(time.from);
            services::update(change.on(), service).await?;
            note(change, "service.begun", service);
            if service.lines > 0 && !std::mem::replace(&mut had_voice, true) {
                automatic = telephony::first_service(change, service).await?;
            }
        }
    }
    let goes_on =
        all.iter().any(|service| service.lines > 0 && !service.time().is_empty() && service.time().until > at);
    for service in all.iter_mut().filter(|service| service.begun_at.is_some() && service.ended_at.is_none()) {
        let until = service.time().until;
        if until > at {
            continue;
        }
        service.ended_at = Some(until);
        services::update(change.on(), service).await?;
        note(change, "service.over", service);
        // What ends with its contract leaves with the contract.
        let is_contracts = service.terms.deprovision && until == service.terms.term.until;
        if service.lines > 0 && !goes_on && !is_contracts {
            telephony::services_ended(change, occupier, site, until).await?;
        }
    }
    Ok(automatic)
}

/// Whether something follows from a service at an instant that was not done yet.
pub(crate) fn is_due(service: &Service, at: Instant) -> bool {
    let time = service.time();
    (service.begun_at.is_none() && time.from.min(time.until) <= at) || (service.ended_at.is_none() && time.until <= at)
}

/// The services of a contract that runs again go on, if their own time does.
pub(super) async fn reopen(change: &mut Change, contract: &Contract) -> Result<()> {
    let filter = Filter { contract: Some(contract.id.clone()), ..Filter::default() };
    for mut service in services::list(change.on(), &filter).await? {
        if service.ended_at.is_some() && service.time().until > change.at() {
            service.ended_at = None;
            services::update(change.on(), &service).await?;
            note(change, "service.goes_on", &service);
        }
    }
    Ok(())
}

/// Ends every service of an occupier at every site now, as its decommission does.
pub(super) async fn end_all(change: &mut Change, occupier: &str) -> Result<usize> {
    let at = change.at();
    let filter = Filter { occupier: Some(occupier.to_owned()), ..Filter::default() };
    let mut count = 0;
    for mut service in services::list(change.on(), &filter).await? {
        if service.ended_at.is_some() {
            continue;
        }
        let time = service.time();
        if time.until > at {
            service.asked.until = at.max(time.from);
        }
        service.begun_at = service.begun_at.or(Some(at));
        service.ended_at = Some(service.time().until.min(at));
        services::update(change.on(), &service).await?;
        note(change, "service.over", &service);
        count += 1;
    }
    Ok(count)
}
