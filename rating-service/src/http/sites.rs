//! Sites.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use rating_core::time::Zone;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use super::known::check_site;
use crate::app::App;
use crate::auth::{Principal, unknown_site};
use crate::error::{Faults, Problem, Result};
use crate::store::{audit::Entry, sites};
use crate::wire::{self, Page, Paging, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, settle))
}

fn to_wire(site: sites::Site) -> Tagged<wire::sites::Site> {
    let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
    let created_at = zone.format(site.created_at);
    let settings = wire::sites::SiteSettings {
        name: site.name,
        zone: site.zone,
        country: site.country,
        area_code: site.area_code,
        outside_line: site.outside_line,
        extensions: site.extensions,
        holidays: site.holidays,
        cool_off_days: site.cool_off_days,
        confirms_changes: site.confirms_changes,
        main_number_with_first_service: site.main_number_with_first_service,
    };
    Tagged(site.revision, wire::sites::Site { id: site.id, settings, created_at })
}

fn apply(settings: wire::sites::SiteSettings, site: &mut sites::Site) {
    site.name = settings.name.trim().to_owned();
    site.zone = settings.zone;
    site.country = settings.country;
    site.area_code = settings.area_code;
    site.outside_line = settings.outside_line;
    site.extensions = settings.extensions;
    site.holidays = settings.holidays;
    site.cool_off_days = settings.cool_off_days;
    site.confirms_changes = settings.confirms_changes;
    site.main_number_with_first_service = settings.main_number_with_first_service;
}

/// The site of that id.
pub(super) async fn get(on: &mut sqlx::SqliteConnection, id: &str) -> Result<sites::Site> {
    sites::get(on, id).await?.ok_or_else(|| unknown_site(id))
}

/// The sites that somebody may see, or the one asked for, with their clocks.
pub(super) async fn places(
    on: &mut sqlx::SqliteConnection,
    principal: &Principal,
    site: Option<&str>,
) -> Result<Vec<(sites::Site, Zone)>> {
    if let Some(site) = site {
        principal.at(site)?;
    }
    let all = sites::list(on).await?.into_iter();
    let places: Vec<(sites::Site, Zone)> = all
        .filter(|found| principal.sites().has(&found.id) && site.is_none_or(|site| site == found.id))
        .map(|site| {
            let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
            (site, zone)
        })
        .collect();
    match (site, places.is_empty()) {
        (Some(site), true) => Err(unknown_site(site)),
        _ => Ok(places),
    }
}

/// Ids that no site can have: addresses and reports of all sites have them in its place.
const KEPT_IDS: [&str; 2] = ["new", "all-sites"];

/// Lists the sites that the caller may see, by id.
#[utoipa::path(get, path = "/api/v1/sites", tag = "sites", params(Paging), responses(
    (status = 200, description = "Sites", body = Page<wire::sites::Site>)
))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Asked(paging): Asked<Paging>,
) -> Result<axum::Json<Page<wire::sites::Site>>> {
    let limit = page_limit(paging.limit)?;
    let all = sites::list(app.store.read().await?.on()).await?;
    let after = paging.after.unwrap_or_default();
    let seen = all.into_iter().filter(|site| principal.sites().has(&site.id) && site.id > after);
    let items = seen.take(usize::try_from(limit + 1).unwrap_or(usize::MAX)).map(|site| to_wire(site).1).collect();
    Ok(axum::Json(Page::cut(items, limit, |site| site.id.clone())))
}

/// Adds a site.
#[utoipa::path(post, path = "/api/v1/sites", tag = "sites", request_body = wire::sites::NewSite,
    params(("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Added", body = wire::sites::Site), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Body(new): Body<wire::sites::NewSite>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::sites::Site>)> {
    if *principal.sites() != crate::auth::Sites::All {
        return Err(Problem::new("auth.not_allowed", "who is limited to some sites cannot add one"));
    }
    let mut faults = Faults::default();
    faults.id("/id", &new.id);
    if KEPT_IDS.iter().any(|kept| new.id.eq_ignore_ascii_case(kept)) {
        faults.push("/id", "field.id_kept", format!("`{}` is part of an address", new.id), "choose another");
    }
    new.settings.check(&mut faults);
    check_site(app.store.read().await?.on(), &new.settings, &mut faults).await?;
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    super::operator::get(change.on()).await?;
    let mut site = sites::Site {
        id: new.id,
        name: String::new(),
        zone: String::new(),
        country: String::new(),
        area_code: None,
        outside_line: Vec::new(),
        extensions: Vec::new(),
        holidays: Vec::new(),
        business_hours: sites::USUAL_HOURS.to_owned(),
        cool_off_days: 90,
        confirms_changes: false,
        main_number_with_first_service: false,
        created_at: change.at(),
        revision: 1,
    };
    apply(new.settings, &mut site);
    sites::insert(change.on(), &site).await?;
    change.note(Entry::new("site.created", format!("site:{}", site.id)).at(&site.id));
    change.commit().await?;
    let mut headers = HeaderMap::new();
    let location = HeaderValue::from_str(&format!("/api/v1/sites/{}", site.id)).map_err(Problem::internal)?;
    headers.insert(header::LOCATION, location);
    Ok((StatusCode::CREATED, headers, to_wire(site)))
}

/// Shows a site.
#[utoipa::path(get, path = "/api/v1/sites/{site}", tag = "sites", params(("site" = String, Path)), responses(
    (status = 200, description = "The site", body = wire::sites::Site), (status = 404)
))]
async fn show(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::sites::Site>> {
    Ok(to_wire(get(app.store.read().await?.on(), &id).await?))
}

/// Changes a site's settings. Its id stays: it stands in published files.
#[utoipa::path(put, path = "/api/v1/sites/{site}", tag = "sites", request_body = wire::sites::SiteSettings,
    params(("site" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::sites::Site), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(settings): Body<wire::sites::SiteSettings>,
) -> Result<Tagged<wire::sites::Site>> {
    let mut faults = Faults::default();
    settings.check(&mut faults);
    check_site(app.store.read().await?.on(), &settings, &mut faults).await?;
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut site = get(change.on(), &id).await?;
    expected.meets(site.revision)?;
    if settings.zone != site.zone && sites::is_dated(change.on(), &id).await? {
        let what = format!("contracts, numbers or events of `{id}` are dated by {}", site.zone);
        return Err(Problem::new("site.zone_is_fixed", what)
            .help("their days would begin at other instants: leave the zone, or make another site"));
    }
    apply(settings, &mut site);
    sites::update(change.on(), &site).await?;
    let changed = get(change.on(), &id).await?;
    change.note(Entry::new("site.changed", format!("site:{id}")).at(&id));
    change.commit().await?;
    Ok(to_wire(changed))
}
