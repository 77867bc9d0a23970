//! Active services: what is sold to whom at this moment, at one site or all.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Asked;
use super::products::guarded;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, Result};
use crate::store::services::Filter;
use crate::store::{audit::Entry, occupiers, operator, products, services, sites};
use crate::wire::Page;
use crate::wire::services::{ActiveService, WhichActive};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(list_csv))
}

/// An amount so many times: `12.50` three times is `37.50`.
fn times(amount: &str, count: u64) -> Option<String> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    let scale = part.len();
    let units: i128 = format!("{whole}{part}").parse().ok()?;
    let all = units.checked_mul(i128::from(count))?.to_string();
    if scale == 0 {
        return Some(all);
    }
    let padded = format!("{all:0>width$}", width = scale + 1);
    let (whole, part) = padded.split_at_checked(padded.len().checked_sub(scale)?)?;
    Some(format!("{whole}.{part}"))
}

/// What runs now at a site, or at all that the caller may see: by site, product and occupier.
async fn active(
    on: &mut sqlx::SqliteConnection,
    app: &App,
    principal: &Principal,
    site: Option<&str>,
) -> Result<Vec<ActiveService>> {
    let sites = match site {
        Some(site) => {
            principal.at(site)?;
            super::sites::get(on, site).await?;
            Some(vec![site.to_owned()])
        }
        None => principal.sites().filter(),
    };
    let at = app.clock.now();
    let currency = operator::get(on).await?.map(|operator| operator.currency).unwrap_or_default();
    let mut sold: BTreeMap<(String, String, String), (u64, u64)> = BTreeMap::new();
    for service in services::list(on, &Filter { sites, ..Filter::default() }).await? {
        let time = service.time();
        if time.is_empty() || at < time.from || time.until <= at {
            continue;
        }
        let lines = u64::from(service.all_lines());
        let (quantity, all_lines) = sold.entry((service.site, service.product, service.occupier)).or_default();
        *quantity = quantity.saturating_add(u64::from(service.quantity));
        *all_lines = all_lines.saturating_add(lines);
    }
    let mut pricebook = BTreeMap::new();
    for site in sites::list(on).await? {
        for product in products::list(on, &site.id, None, -1).await? {
            pricebook.insert((site.id.clone(), product.id), (product.name, product.price_per_month));
        }
    }
    let rows = sold.into_iter().map(|((site, product, occupier), (quantity, lines))| {
        let (name, price) = pricebook.get(&(site.clone(), product.clone())).cloned().unwrap_or_default();
        let price = Some(price).filter(|price| !price.is_empty());
        ActiveService {
            cost_per_month: price.as_deref().and_then(|price| times(price, quantity)),
            price_per_month: price,
            currency: currency.clone(),
            site,
            product,
            name,
            occupier,
            quantity,
            lines,
        }
    });
    Ok(rows.collect())
}

/// Lists what is sold at this moment: a row for each product of an occupier at a site.
#[utoipa::path(get, path = "/api/v1/services", tag = "services", params(WhichActive), responses(
    (status = 200, description = "Active services", body = Page<ActiveService>), (status = 404)
))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Asked(which): Asked<WhichActive>,
) -> Result<axum::Json<Page<ActiveService>>> {
    let mut reader = app.store.read().await?;
    let mut items = active(reader.on(), &app, &principal, which.site.as_deref()).await?;
    if let Some(search) = which.search.filter(|search| !search.is_empty()).map(|search| search.to_lowercase()) {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let all = occupiers::Filter { limit: i64::MAX, ..occupiers::Filter::default() };
        for occupier in occupiers::list(reader.on(), &all).await? {
            names.insert(occupier.id, occupier.name.to_lowercase());
        }
        items.retain(|row| {
            let name = names.get(&row.occupier).map_or("", String::as_str);
            [row.product.to_lowercase(), row.name.to_lowercase(), row.occupier.to_lowercase()]
                .iter()
                .any(|text| text.contains(&search))
                || name.contains(&search)
        });
    }
    match which.order.as_deref().unwrap_or("product") {
        "product" => items.sort_by(|a, b| (&a.product, &a.site, &a.occupier).cmp(&(&b.product, &b.site, &b.occupier))),
        "occupier" => items.sort_by(|a, b| (&a.occupier, &a.site, &a.product).cmp(&(&b.occupier, &b.site, &b.product))),
        "quantity" => items.sort_by_key(|row| std::cmp::Reverse(row.quantity)),
        other => {
            return Err(Problem::new("request.parameter_malformed", format!("`order` cannot be `{other}`"))
                .help("product, occupier, quantity"));
        }
    }
    Ok(axum::Json(Page { items, next: None }))
}

/// Active services as CSV: those of the site asked for, or of all. It ignores search and order, so that a file of one day
/// compares with that of another (rule 29). Texts that people chose are guarded against being run as formulas.
#[utoipa::path(get, path = "/api/v1/services.csv", tag = "services", params(WhichActive), responses(
    (status = 200, description = "Active services", body = String, content_type = "text/csv"), (status = 404)
))]
async fn list_csv(State(app): State<App>, principal: Principal, Asked(which): Asked<WhichActive>) -> Result<Response> {
    let is_summary = match which.form.as_deref().unwrap_or("full") {
        "full" => false,
        "summary" => true,
        other => {
            return Err(Problem::new("request.parameter_malformed", format!("`form` cannot be `{other}`"))
                .help("full, summary"));
        }
    };
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let rows = active(change.on(), &app, &principal, which.site.as_deref()).await?;
    let rows = if is_summary { summed(rows) } else { rows };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let occupier = (!is_summary).then_some("occupier");
    let columns = ["site", "product", "name"].into_iter().chain(occupier).chain([
        "quantity",
        "lines",
        "price_per_month",
        "cost_per_month",
        "currency",
    ]);
    writer.write_record(columns).map_err(Problem::internal)?;
    for row in rows {
        let occupier = (!is_summary).then_some(row.occupier);
        let cells = [row.site, row.product, guarded(&row.name)].into_iter().chain(occupier).chain([
            row.quantity.to_string(),
            row.lines.to_string(),
            row.price_per_month.unwrap_or_default(),
            row.cost_per_month.unwrap_or_default(),
            row.currency,
        ]);
        writer.write_record(cells).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    let site = which.site.unwrap_or_else(|| "all-sites".to_owned());
    let form = if is_summary { "active-services-summary" } else { "active-services" };
    change.note(Entry::new("service.downloaded", format!("services:{site}")));
    change.commit().await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let disposition = format!("attachment; filename=\"{site}_{form}.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(Problem::internal)?);
    Ok((headers, bytes).into_response())
}

/// A row for each product of a site, over all that have it.
fn summed(rows: Vec<ActiveService>) -> Vec<ActiveService> {
    let mut summed: Vec<ActiveService> = Vec::new();
    for row in rows {
        match summed.last_mut() {
            Some(last) if (&last.site, &last.product) == (&row.site, &row.product) => {
                last.quantity = last.quantity.saturating_add(row.quantity);
                last.lines = last.lines.saturating_add(row.lines);
                last.cost_per_month = last.price_per_month.as_deref().and_then(|price| times(price, last.quantity));
            }
            _ => summed.push(row),
        }
    }
    summed
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn an_amount_keeps_its_decimals() {
        for (amount, count, expected) in [
            ("12.50", 3, "37.50"),
            ("0.05", 1, "0.05"),
            ("0.05", 0, "0.00"),
            ("7", 6, "42"),
            ("0.999", 1000, "999.000"),
        ] {
            assert_eq!(times(amount, count).as_deref(), Some(expected), "{amount} x {count}");
        }
    }
}
