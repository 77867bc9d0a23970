//! Occupiers: the list, and the guided set-up of a new one.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::head::{self, OccupierHead};
use super::services::Names;
use crate::error::Result;
use crate::http::extract::{Asked, Named};
use crate::portal::api::{asking, part};
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::occupiers::Occupier;
use crate::wire::services::{AssignedService, Product, Service};
use crate::wire::sites::Site;

/// What a list can be narrowed to.
const STATES: [(&str, &str); 6] = [
    ("", "Any state"),
    ("ACTIVE", "Active"),
    ("UPCOMING", "Upcoming"),
    ("NEW", "No contract"),
    ("COMPLETED", "Completed"),
    ("DECOMMISSIONED", "Decommissioned"),
];

/// Which occupiers.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    search: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "operator/occupiers.html")]
struct Occupiers {
    frame: Frame,
    which: Which,
    sites: Vec<Site>,
    occupiers: Vec<Occupier>,
    first: String,
    next: Option<String>,
}

impl Occupiers {
    fn is_narrowed(&self) -> bool {
        !(self.which.search.is_empty() && self.which.state.is_empty() && self.which.site.is_empty())
    }

    fn places(&self, occupier: &Occupier) -> String {
        let names = occupier.sites.iter().map(|site| head::site_name(&self.sites, site));
        names.collect::<Vec<_>>().join("; ")
    }
}

/// Lists occupiers.
pub(super) async fn list(page: Page, Asked(which): Asked<Which>) -> Result<Response> {
    let Which { search, state, site, after } = &which;
    let narrowed = [("search", search.trim()), ("state", state.as_str()), ("site", site.as_str())];
    let [search, state, site] = narrowed;
    let asked = [search, state, site, ("after", after.as_str()), ("limit", "50")];
    let listed: Listed<Occupier> = page.get(&asking("/api/v1/occupiers", &asked)).await?;
    let first = asking("/occupiers", &narrowed);
    let next = listed.next.map(|next| asking("/occupiers", &[search, state, site, ("after", &next)]));
    let sites = head::sites(&page).await?;
    show(&Occupiers { frame: page.frame(), sites, occupiers: listed.items, first, next, which })
}

#[derive(Template)]
#[template(path = "operator/occupier-new.html")]
struct New {
    frame: Frame,
    sites: Vec<(String, String)>,
    form: Form,
    is_admin: bool,
}

const NEW: [&str; 9] = [
    "/settings/name",
    "/id",
    "/settings/kind",
    "/settings/billing_reference",
    "/settings/telephony_managed",
    "/contract/site",
    "/contract/settings/from",
    "/contract/settings/until",
    "/contract/settings/deprovision_at_end",
];

async fn new_page(page: &Page, form: Form) -> Result<New> {
    let sites = head::choices(&head::sites(page).await?);
    Ok(New { frame: page.frame(), sites, form, is_admin: page.is_operator_admin() })
}

/// The first step of the set-up: who, and where at first.
pub(super) async fn new(page: Page) -> Result<Response> {
    let form = Form::of(&json!({ "settings": { "kind": "virtual", "telephony_managed": true } }));
    show(&new_page(&page, form).await?)
}

/// Adds an occupier with its first contract.
pub(super) async fn add(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, "/api/v1/occupiers", Some(&fields.json()), None).await {
        Ok(made) => {
            let occupier: Occupier = made.read()?;
            let site = fields.text("/contract/site");
            done(&format!("/occupiers/{}/setup/{}", part(&occupier.id), part(site)), "occupier-added")
        }
        Err(problem) => {
            let status = problem.status();
            show_refused(&new_page(&page, Form::refused(&fields, problem)).await?, status)
        }
    }
}

#[derive(Template)]
#[template(path = "operator/setup-site.html")]
struct AnotherSite {
    frame: Frame,
    occupier: Occupier,
    sites: Vec<(String, String)>,
    form: Form,
}

const SITE: [&str; 4] = ["/site", "/settings/from", "/settings/until", "/settings/deprovision_at_end"];

async fn another_site(page: &Page, id: &str, form: Form) -> Result<AnotherSite> {
    let occupier: Occupier = page.get(&format!("/api/v1/occupiers/{}", part(id))).await?;
    let mut sites = head::sites(page).await?;
    sites.retain(|site| !occupier.sites.contains(&site.id));
    Ok(AnotherSite { frame: page.frame(), occupier, sites: head::choices(&sites), form })
}

/// The form of another site.
pub(super) async fn setup(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&another_site(&page, &id, Form::default()).await?)
}

/// Adds a contract at another site.
pub(super) async fn setup_site(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/contracts", part(&id));
    match page.send(Method::POST, &address, Some(&fields.json()), None).await {
        Ok(_) => done(&format!("/occupiers/{}/setup/{}", part(&id), part(fields.text("/site"))), "contract-added"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&another_site(&page, &id, Form::refused(&fields, problem)).await?, status)
        }
    }
}

/// A product to choose: its id, and what it brings and costs.
pub(super) async fn products(page: &Page, site: &str) -> Result<Vec<(String, String)>> {
    let all: Vec<Product> = page.all(&format!("/api/v1/sites/{}/products", part(site))).await?;
    let currency = currency(page).await?;
    let sold = all.into_iter().filter(|product| product.settings.is_active);
    let text = |product: &Product| {
        let settings = &product.settings;
        let lines = (settings.lines > 0).then(|| words::count(settings.lines, "line", "lines"));
        let price = settings.price_per_month.as_str();
        let price = (!price.is_empty()).then(|| format!("{} a month", words::money(price, &currency)));
        let more: Vec<String> = lines.into_iter().chain(price).collect();
        if more.is_empty() { settings.name.clone() } else { format!("{}: {}", settings.name, more.join(", ")) }
    };
    Ok(sold.map(|product| (product.id.clone(), text(&product))).collect())
}

/// The operator's currency.
pub(super) async fn currency(page: &Page) -> Result<String> {
    let operator: crate::wire::operator::Operator = page.get("/api/v1/operator").await?;
    Ok(operator.currency)
}

#[derive(Template)]
#[template(path = "operator/setup-services.html")]
struct Services {
    frame: Frame,
    head: OccupierHead,
    site: Site,
    services: Vec<Service>,
    names: Names,
    products: Vec<(String, String)>,
    form: Form,
    is_admin: bool,
}

const SERVICE: [&str; 3] = ["/product", "/quantity", "/from"];

async fn services_page(page: &Page, id: &str, site: &str, form: Form) -> Result<Services> {
    let head = OccupierHead::of(page, id, "").await?;
    let address = asking(&format!("/api/v1/occupiers/{}/services", part(id)), &[("site", site)]);
    let mut services: Vec<Service> = page.all(&address).await?;
    services.retain(|service| service.state != "ENDED");
    Ok(Services {
        frame: page.frame(),
        head,
        site: page.get(&format!("/api/v1/sites/{}", part(site))).await?,
        names: Names::at(page, services.iter().map(|service| &service.site)).await?,
        services,
        products: products(page, site).await?,
        form,
        is_admin: page.is_operator_admin(),
    })
}

/// The second step of the set-up: what the occupier gets at a site.
pub(super) async fn setup_services(page: Page, Named((id, site)): Named<(String, String)>) -> Result<Response> {
    show(&services_page(&page, &id, &site, Form::of(&json!({ "quantity": 1 }))).await?)
}

/// Assigns a service at a site, within the set-up.
pub(super) async fn setup_service(
    page: Page,
    Named((id, site)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    match assign(&page, &id, &site, &fields).await {
        Ok(said) => done(&format!("/occupiers/{}/setup/{}", part(&id), part(&site)), said),
        Err(problem) => {
            let status = problem.status();
            show_refused(&services_page(&page, &id, &site, Form::refused(&fields, problem)).await?, status)
        }
    }
}

/// Assigns a service; what to say then.
pub(super) async fn assign(page: &Page, id: &str, site: &str, fields: &Fields) -> Result<&'static str> {
    let mut body = fields.json();
    if let Value::Object(body) = &mut body {
        body.insert("site".to_owned(), Value::from(site));
    }
    let address = format!("/api/v1/occupiers/{}/services", part(id));
    let assigned: AssignedService = page.send(Method::POST, &address, Some(&body), None).await?.read()?;
    Ok(match assigned.automatic {
        Some(automatic) if automatic.shortage > 0 => "service-assigned-short",
        Some(automatic) if !automatic.numbers.is_empty() => "service-assigned-numbers",
        _ => "service-assigned",
    })
}
