//! What is sold at a site: its pricebook.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::head::SiteHead;
use super::occupiers::currency;
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::services::Product;

#[derive(Template)]
#[template(path = "operator/products.html")]
struct Products {
    frame: Frame,
    head: SiteHead,
    products: Vec<Product>,
    currency: String,
    form: Form,
    is_admin: bool,
}

const NEW: [&str; 9] = [
    "/id",
    "/settings/name",
    "/settings/lines",
    "/settings/price_per_month",
    "/settings/tariff",
    "/settings/allowance",
    "/settings/service_level",
    "/settings/features",
    "/settings/is_active",
];

async fn products(page: &Page, site: &str, form: Form) -> Result<Products> {
    let head = SiteHead::of(page, site, "/products").await?;
    let address = format!("/api/v1/sites/{}/products?limit=500", part(site));
    let listed: Listed<Product> = page.get(&address).await?;
    Ok(Products {
        frame: page.frame(),
        head,
        products: listed.items,
        currency: currency(page).await?,
        form,
        is_admin: page.is_operator_admin(),
    })
}

/// Lists products.
pub(super) async fn list(page: Page, Named(site): Named<String>) -> Result<Response> {
    show(&products(&page, &site, Form::of(&json!({ "settings": { "lines": 1, "is_active": true } }))).await?)
}

/// Adds a product.
pub(super) async fn add(page: Page, Named(site): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/sites/{}/products", part(&site));
    match page.send(Method::POST, &address, Some(&fields.json()), None).await {
        Ok(_) => done(&format!("/sites/{}/products", part(&site)), "product-added"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&products(&page, &site, Form::refused(&fields, problem)).await?, status)
        }
    }
}

#[derive(Template)]
#[template(path = "operator/product.html")]
struct One {
    frame: Frame,
    head: SiteHead,
    id: String,
    currency: String,
    form: Form,
    is_admin: bool,
}

const ONE: [&str; 8] =
    ["/name", "/lines", "/price_per_month", "/tariff", "/allowance", "/service_level", "/features", "/is_active"];

async fn one(page: &Page, site: &str, id: &str, form: Form) -> Result<One> {
    let head = SiteHead::of(page, site, "/products").await?;
    let is_admin = page.is_operator_admin();
    Ok(One { frame: page.frame(), head, id: id.to_owned(), currency: currency(page).await?, form, is_admin })
}

/// A product.
pub(super) async fn show_one(page: Page, Named((site, id)): Named<(String, String)>) -> Result<Response> {
    let found = page.tagged(&format!("/api/v1/sites/{}/products/{}", part(&site), part(&id))).await?;
    let tag = found.tag();
    let product: Product = found.read()?;
    show(&one(&page, &site, &id, Form::of(&json!(product.settings)).with("tag", tag)).await?)
}

/// Changes a product.
pub(super) async fn settle(page: Page, Named((site, id)): Named<(String, String)>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/sites/{}/products/{}", part(&site), part(&id));
    match page.send(Method::PUT, &address, Some(&fields.json()), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/sites/{}/products", part(&site)), "saved"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&one(&page, &site, &id, Form::refused(&fields, problem)).await?, status)
        }
    }
}
