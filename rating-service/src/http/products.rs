//! Products: the pricebook of a site.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::time::Zone;
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::contracts::site;
use super::extract::{Asked, Body, Named};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::store::products::Product;
use crate::store::{audit::Entry, operator, products};
use crate::wire::services::{NewProduct, ProductSettings};
use crate::wire::{self, Page, Paging, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(list_csv)).routes(routes!(show, settle))
}

fn to_wire(zone: &Zone, product: Product) -> Tagged<wire::services::Product> {
    let settings = ProductSettings {
        name: product.name,
        is_active: product.is_active,
        lines: product.lines,
        tariff: product.tariff,
        allowance: product.allowance,
        service_level: product.service_level,
        features: product.features,
        price_per_month: product.price_per_month,
    };
    let created_at = zone.format(product.created_at);
    Tagged(product.revision, wire::services::Product { id: product.id, site: product.site, settings, created_at })
}

fn apply(settings: ProductSettings, product: &mut Product) {
    product.name = settings.name.trim().to_owned();
    product.is_active = settings.is_active;
    product.lines = settings.lines;
    product.tariff = settings.tariff;
    product.allowance = settings.allowance;
    product.service_level = settings.service_level;
    product.features = settings.features;
    product.price_per_month = settings.price_per_month;
}

async fn get(on: &mut SqliteConnection, site: &str, id: &str) -> Result<Product> {
    let unknown = || Problem::new("product.unknown", format!("there is no product `{id}` at this site"));
    products::get(on, site, id).await?.ok_or_else(unknown)
}

/// Lists the pricebook of a site, by id: what can be sold, and what was sold before and may still be in use.
#[utoipa::path(get, path = "/api/v1/sites/{site}/products", tag = "products", params(("site" = String, Path), Paging), responses(
    (status = 200, description = "Products", body = Page<wire::services::Product>), (status = 404)
))]
async fn list(
    State(app): State<App>,
    Named(id): Named<String>,
    Asked(paging): Asked<Paging>,
) -> Result<axum::Json<Page<wire::services::Product>>> {
    let limit = page_limit(paging.limit)?;
    let mut reader = app.store.read().await?;
    let (_, zone) = site(reader.on(), &id).await?;
    let found = products::list(reader.on(), &id, paging.after.as_deref(), limit + 1).await?;
    let items = found.into_iter().map(|product| to_wire(&zone, product).1).collect();
    Ok(axum::Json(Page::cut(items, limit, |product: &wire::services::Product| product.id.clone())))
}

/// The pricebook of a site as CSV. Texts that people chose are guarded against being run as formulas by spreadsheets.
#[utoipa::path(get, path = "/api/v1/sites/{site}/products.csv", tag = "products", params(("site" = String, Path)), responses(
    (status = 200, description = "Products", body = String, content_type = "text/csv"), (status = 404)
))]
async fn list_csv(State(app): State<App>, principal: Principal, Named(id): Named<String>) -> Result<Response> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    site(change.on(), &id).await?;
    let currency = operator::get(change.on()).await?.map(|operator| operator.currency).unwrap_or_default();
    let found = products::list(change.on(), &id, None, -1).await?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let columns = [
        "site",
        "product",
        "name",
        "state",
        "lines",
        "tariff",
        "allowance",
        "service_level",
        "features",
        "price_per_month",
        "currency",
    ];
    writer.write_record(columns).map_err(Problem::internal)?;
    for product in &found {
        let row = [
            product.site.clone(),
            product.id.clone(),
            guarded(&product.name),
            if product.is_active { "active" } else { "inactive" }.to_owned(),
            product.lines.to_string(),
            guarded(&product.tariff),
            guarded(&product.allowance),
            guarded(&product.service_level),
            guarded(&product.features.join(" ")),
            product.price_per_month.clone(),
            currency.clone(),
        ];
        writer.write_record(row).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    change.note(Entry::new("product.downloaded", format!("site:{id}")).at(&id));
    change.commit().await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let disposition = format!("attachment; filename=\"{id}_products.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(Problem::internal)?);
    Ok((headers, bytes).into_response())
}

pub(super) fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// Adds a product to the pricebook of a site.
#[utoipa::path(post, path = "/api/v1/sites/{site}/products", tag = "products", request_body = NewProduct,
    params(("site" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Added", body = wire::services::Product), (status = 404), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Named(site_id): Named<String>,
    Body(new): Body<NewProduct>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::services::Product>)> {
    let mut faults = Faults::default();
    faults.id("/id", &new.id);
    new.settings.check(&mut faults, "/settings");
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let (_, zone) = site(change.on(), &site_id).await?;
    let mut product = Product {
        id: new.id,
        site: site_id,
        name: String::new(),
        is_active: true,
        lines: 0,
        tariff: String::new(),
        allowance: String::new(),
        service_level: String::new(),
        features: Vec::new(),
        price_per_month: String::new(),
        created_at: change.at(),
        revision: 1,
    };
    apply(new.settings, &mut product);
    products::insert(change.on(), &product).await?;
    change.note(entry("product.created", &product));
    change.commit().await?;
    let mut headers = HeaderMap::new();
    let location = format!("/api/v1/sites/{}/products/{}", product.site, product.id);
    headers.insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Problem::internal)?);
    Ok((StatusCode::CREATED, headers, to_wire(&zone, product)))
}

fn entry(action: &'static str, product: &Product) -> Entry {
    let details = serde_json::json!({
        "is_active": product.is_active,
        "lines": product.lines,
        "tariff": product.tariff,
        "allowance": product.allowance,
        "price_per_month": product.price_per_month,
    });
    Entry::new(action, format!("product:{}", product.id)).at(&product.site).with(details)
}

/// Shows a product of a site.
#[utoipa::path(get, path = "/api/v1/sites/{site}/products/{product}", tag = "products",
    params(("site" = String, Path), ("product" = String, Path)),
    responses((status = 200, description = "The product", body = wire::services::Product), (status = 404)))]
async fn show(
    State(app): State<App>,
    Named((site_id, id)): Named<(String, String)>,
) -> Result<Tagged<wire::services::Product>> {
    let mut reader = app.store.read().await?;
    let (_, zone) = site(reader.on(), &site_id).await?;
    Ok(to_wire(&zone, get(reader.on(), &site_id, &id).await?))
}

/// Changes a product. Services that were assigned before keep what it said then.
#[utoipa::path(put, path = "/api/v1/sites/{site}/products/{product}", tag = "products", request_body = ProductSettings,
    params(("site" = String, Path), ("product" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::services::Product), (status = 404), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named((site_id, id)): Named<(String, String)>,
    expected: Expected,
    Body(settings): Body<ProductSettings>,
) -> Result<Tagged<wire::services::Product>> {
    let mut faults = Faults::default();
    settings.check(&mut faults, "");
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let (_, zone) = site(change.on(), &site_id).await?;
    let mut product = get(change.on(), &site_id, &id).await?;
    expected.meets(product.revision)?;
    apply(settings, &mut product);
    products::update(change.on(), &product).await?;
    change.note(entry("product.changed", &product));
    let changed = get(change.on(), &site_id, &id).await?;
    change.commit().await?;
    Ok(to_wire(&zone, changed))
}
