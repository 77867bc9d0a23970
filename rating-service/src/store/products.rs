//! Products: what can be sold at a site, and for how much.

use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{from_texts, is_taken, texts};
use crate::error::{Problem, Result};

/// An entry of a site's pricebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id, unique at its site; fixed at first.
    pub id: String,
    /// At which site.
    pub site: String,
    /// What people call it.
    pub name: String,
    /// Whether it can be sold; one that cannot may still be in use.
    pub is_active: bool,
    /// Voice lines that one of it brings.
    pub lines: u32,
    /// The tariff that its calls are charged by.
    pub tariff: String,
    /// The allowance of calls that comes with it.
    pub allowance: String,
    /// Level of service.
    pub service_level: String,
    /// Features of calls.
    pub features: Vec<String>,
    /// What one costs a month, in the operator's currency, as written.
    pub price_per_month: String,
    /// When it was made.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
}

fn product(row: &SqliteRow) -> Result<Product> {
    Ok(Product {
        id: row.try_get("id")?,
        site: row.try_get("site")?,
        name: row.try_get("name")?,
        is_active: row.try_get("is_active")?,
        lines: row.try_get("lines")?,
        tariff: row.try_get("tariff")?,
        allowance: row.try_get("allowance")?,
        service_level: row.try_get("service_level")?,
        features: from_texts(&row.try_get::<String, _>("features")?),
        price_per_month: row.try_get("price_per_month")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
    })
}

/// The pricebook of a site, by id, after `after`.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection, site: &str, after: Option<&str>, limit: i64) -> Result<Vec<Product>> {
    let query =
        sqlx::query("SELECT * FROM product WHERE site = $1 AND ($2 IS NULL OR id > $2) ORDER BY site, id LIMIT $3");
    query.bind(site).bind(after).bind(limit).fetch_all(on).await?.iter().map(product).collect()
}

/// One product of a site.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, site: &str, id: &str) -> Result<Option<Product>> {
    let query = sqlx::query("SELECT * FROM product WHERE site = $1 AND id = $2 COLLATE BINARY").bind(site).bind(id);
    query.fetch_optional(on).await?.as_ref().map(product).transpose()
}

/// Keeps a new product.
///
/// # Errors
///
/// `product.exists`, also if the ids differ in case alone.
pub async fn insert(on: &mut SqliteConnection, product: &Product) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO product (id, site, name, is_active, lines, tariff, allowance, service_level, features, \
         price_per_month, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let query = query.bind(&product.id).bind(&product.site).bind(&product.name).bind(product.is_active);
    let query = query.bind(product.lines).bind(&product.tariff).bind(&product.allowance);
    let query = query.bind(&product.service_level).bind(texts(&product.features)).bind(&product.price_per_month);
    query.bind(product.created_at.as_millis()).execute(on).await.map_err(|error| {
        if is_taken(&error) {
            let what = format!("there is a product `{}` at this site already", product.id);
            return Problem::new("product.exists", what).help("change the one that is there, or choose another id");
        }
        error.into()
    })?;
    Ok(())
}

/// Puts a product's new settings in the place of those it had; its revision grows. Its id and site stay, and so do the
/// services that were assigned before.
///
/// # Errors
///
/// The database fails.
pub async fn update(on: &mut SqliteConnection, product: &Product) -> Result<()> {
    let query = sqlx::query(
        "UPDATE product SET name = $3, is_active = $4, lines = $5, tariff = $6, allowance = $7, service_level = $8, \
         features = $9, price_per_month = $10, revision = revision + 1 WHERE site = $1 AND id = $2",
    );
    let query = query.bind(&product.site).bind(&product.id).bind(&product.name).bind(product.is_active);
    let query = query.bind(product.lines).bind(&product.tariff).bind(&product.allowance);
    let query = query.bind(&product.service_level).bind(texts(&product.features)).bind(&product.price_per_month);
    query.execute(on).await?;
    Ok(())
}
