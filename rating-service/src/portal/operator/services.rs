//! An occupier's services: assigned from what a site sells, changed, ended.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::contracts::state;
use super::head::{self, OccupierHead};
use super::occupiers;
use crate::error::{Problem, Result};
use crate::http::extract::{Asked, Named};
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::store::reach::Kind;
use crate::wire::services::{Product, Service};
use crate::wire::sites::Site;

/// At which site.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    site: String,
}

#[derive(Template)]
#[template(path = "operator/services.html")]
struct Services {
    frame: Frame,
    head: OccupierHead,
    running: Vec<Service>,
    ended: Vec<Service>,
    sites: Vec<Site>,
    /// Those at which it can have services.
    choices: Vec<(String, String)>,
    site: String,
    products: Vec<(String, String)>,
    names: Names,
    form: Form,
}

/// What products are called, by site and id.
#[derive(Default)]
pub(super) struct Names(BTreeMap<(String, String), String>);

impl Names {
    /// Of all that sites sell or sold.
    pub(super) async fn at(page: &Page, sites: impl IntoIterator<Item = &String>) -> Result<Self> {
        let mut names = BTreeMap::new();
        let sites: BTreeSet<&String> = sites.into_iter().collect();
        for site in sites {
            let products: Vec<Product> = page.all(&format!("/api/v1/sites/{}/products", part(site))).await?;
            names.extend(products.into_iter().map(|one| ((site.clone(), one.id), one.settings.name)));
        }
        Ok(Self(names))
    }

    /// The name of what a service is of.
    pub(super) fn of<'n>(&'n self, service: &'n Service) -> &'n str {
        let known = self.0.get(&(service.site.clone(), service.product.clone()));
        known.map_or(&service.product, String::as_str)
    }
}

const NEW: [&str; 4] = ["/product", "/quantity", "/from", "/until"];

async fn services(page: &Page, id: &str, site: &str, form: Form) -> Result<Services> {
    let head = OccupierHead::of(page, id, "/services").await?;
    let all: Vec<Service> = page.all(&format!("/api/v1/occupiers/{}/services", part(id))).await?;
    let names = Names::at(page, all.iter().map(|service| &service.site)).await?;
    let (ended, running) = all.into_iter().partition(|service| service.state == "ENDED");
    let sites = head::sites(page).await?;
    let mut choices = head::choices(&sites);
    choices.retain(|(site, _)| head.occupier.sites.contains(site));
    let chosen = choices.iter().find(|(choice, _)| choice == site).or_else(|| choices.first());
    let site = chosen.map(|(site, _)| site.clone()).unwrap_or_default();
    let products = if site.is_empty() { Vec::new() } else { occupiers::products(page, &site).await? };
    Ok(Services { frame: page.frame(), head, running, ended, sites, choices, site, products, names, form })
}

/// Lists services.
pub(super) async fn list(page: Page, Named(id): Named<String>, Asked(which): Asked<Which>) -> Result<Response> {
    show(&services(&page, &id, &which.site, Form::of(&json!({ "quantity": 1 }))).await?)
}

/// Assigns a service.
pub(super) async fn assign(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let site = fields.text("site");
    match occupiers::assign(&page, &id, site, &fields).await {
        Ok(said) => done(&format!("/occupiers/{}/services?site={}", part(&id), part(site)), said),
        Err(problem) => {
            let status = problem.status();
            show_refused(&services(&page, &id, site, Form::refused(&fields, problem)).await?, status)
        }
    }
}

#[derive(Template)]
#[template(path = "operator/service.html")]
struct One {
    frame: Frame,
    head: OccupierHead,
    service: Service,
    name: String,
    sites: Vec<Site>,
    products: Vec<(String, String)>,
    form: Form,
}

const ONE: [&str; 4] = ["/product", "/quantity", "/from", "/until"];

/// A service of this occupier.
async fn service(page: &Page, occupier: &str, id: &str) -> Result<Service> {
    let service: Service = page.get(&format!("/api/v1/services/{}", part(id))).await?;
    if service.occupier == occupier { Ok(service) } else { Err(Kind::Service.unknown(id)) }
}

async fn one(page: &Page, occupier: &str, id: &str, refused: Option<(&Fields, Problem)>) -> Result<One> {
    let head = OccupierHead::of(page, occupier, "/services").await?;
    let service = service(page, occupier, id).await?;
    let form = match refused {
        Some((fields, problem)) => Form::refused(fields, problem),
        None => Form::of(&json!({ "quantity": service.quantity })),
    };
    let name = Names::at(page, [&service.site]).await?.of(&service).to_owned();
    let mut products = occupiers::products(page, &service.site).await?;
    products.retain(|(product, _)| *product != service.product);
    products.insert(0, (String::new(), format!("{name}, as it is")));
    Ok(One { frame: page.frame(), head, service, name, sites: head::sites(page).await?, products, form })
}

/// A service.
pub(super) async fn show_one(page: Page, Named((occupier, id)): Named<(String, String)>) -> Result<Response> {
    show(&one(&page, &occupier, &id, None).await?)
}

async fn act(page: &Page, (occupier, id): (&str, &str), what: &str, said: &str, fields: &Fields) -> Result<Response> {
    service(page, occupier, id).await?;
    let body: Value = fields.json();
    match page.send(Method::POST, &format!("/api/v1/services/{}/{what}", part(id)), Some(&body), None).await {
        Ok(_) => done(&format!("/occupiers/{}/services", part(occupier)), said),
        Err(problem) => {
            let status = problem.status();
            show_refused(&one(page, occupier, id, Some((fields, problem))).await?, status)
        }
    }
}

/// Changes a service: another takes its place.
pub(super) async fn change(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    act(&page, (&occupier, &id), "change", "service-changed", &fields).await
}

/// Ends a service.
pub(super) async fn end(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    act(&page, (&occupier, &id), "end", "service-ended", &fields).await
}
