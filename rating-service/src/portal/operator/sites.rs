//! Sites: the list, a new one, and what can be set.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::{self, SiteHead};
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::wire::numbers::Inventory;
use crate::wire::operator::Known;
use crate::wire::sites::Site;

/// The fields of a site's form.
const SHOWN: [&str; 11] = [
    "/id",
    "/name",
    "/zone",
    "/country",
    "/area_code",
    "/extensions",
    "/outside_line",
    "/holidays",
    "/cool_off_days",
    "/confirms_changes",
    "/main_number_with_first_service",
];

#[derive(Template)]
#[template(path = "operator/sites.html")]
struct Sites {
    frame: Frame,
    rows: Vec<(Site, Inventory)>,
    is_admin: bool,
}

#[derive(Template)]
#[template(path = "operator/site-new.html")]
struct NewSite {
    frame: Frame,
    form: Form,
    known: Known,
}

#[derive(Template)]
#[template(path = "operator/site-settings.html")]
struct Settings {
    frame: Frame,
    head: SiteHead,
    form: Form,
    known: Known,
    is_admin: bool,
}

/// Lists the sites.
pub(super) async fn list(page: Page) -> Result<Response> {
    let mut rows = Vec::new();
    for site in head::sites(&page).await? {
        let inventory = page.get(&format!("/api/v1/sites/{}/inventory", part(&site.id))).await?;
        rows.push((site, inventory));
    }
    show(&Sites { frame: page.frame(), rows, is_admin: page.is_operator_admin() })
}

/// The form of a new site.
pub(super) async fn new(page: Page) -> Result<Response> {
    let form = Form::of(&json!({ "cool_off_days": 90 }));
    show(&NewSite { frame: page.frame(), form, known: page.get("/api/v1/known").await? })
}

/// Adds a site.
pub(super) async fn add(page: Page, fields: Fields) -> Result<Response> {
    let mut settings = fields.json();
    let id = settings.as_object_mut().and_then(|settings| settings.remove("id")).unwrap_or(Value::Null);
    let body = json!({ "id": id, "settings": settings });
    match page.send(Method::POST, "/api/v1/sites", Some(&body), None).await {
        Ok(made) => {
            let site: Site = made.read()?;
            done(&format!("/sites/{}/products", part(&site.id)), "site-added")
        }
        Err(problem) => {
            let status = problem.status();
            let known = page.get("/api/v1/known").await?;
            show_refused(&NewSite { frame: page.frame(), form: Form::refused(&fields, problem), known }, status)
        }
    }
}

/// What can be set of a site.
pub(super) async fn settings(page: Page, Named(id): Named<String>) -> Result<Response> {
    let head = SiteHead::of(&page, &id, "/settings").await?;
    let found = page.tagged(&format!("/api/v1/sites/{}", part(&id))).await?;
    let tag = found.tag();
    let form = Form::of(found.body.get("settings").unwrap_or(&Value::Null)).with("tag", tag);
    let known = page.get("/api/v1/known").await?;
    show(&Settings { frame: page.frame(), head, form, known, is_admin: page.is_operator_admin() })
}

/// Changes what is set of a site.
pub(super) async fn settle(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/sites/{}", part(&id));
    match page.send(Method::PUT, &address, Some(&fields.json()), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/sites/{}/settings", part(&id)), "saved"),
        Err(problem) => {
            let head = SiteHead::of(&page, &id, "/settings").await?;
            let status = problem.status();
            let form = Form::refused(&fields, problem);
            let known = page.get("/api/v1/known").await?;
            show_refused(&Settings { frame: page.frame(), head, form, known, is_admin: true }, status)
        }
    }
}
