//! Services: what an occupier has at a site, when. Nothing without a contract.

use rating_core::directory::contracts::{Terms, entitled_lines, service_time};
use rating_core::time::{Instant, Interval};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::occupiers::terms;
use super::{from_texts, texts};
use crate::error::Result;

/// A service of an occupier at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its place in the order of assignment; the store gives it.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// The contract that it is billed to.
    pub contract: String,
    /// The contract's occupier.
    pub occupier: String,
    /// The contract's site.
    pub site: String,
    /// The contract's terms.
    pub terms: Terms,
    /// The product that was assigned.
    pub product: String,
    /// How many of it.
    pub quantity: u32,
    /// Voice lines of each.
    pub lines: u32,
    /// The tariff, as the product had it when it was assigned.
    pub tariff: String,
    /// The allowance, likewise.
    pub allowance: String,
    /// The level of service, likewise.
    pub service_level: String,
    /// The features, likewise.
    pub features: Vec<String>,
    /// The time that was asked for; [`Instant::MIN`] is the contract's beginning.
    pub asked: Interval,
    /// Whether an update is in progress.
    pub is_updating: bool,
    /// The service in whose place it came.
    pub replaces: Option<String>,
    /// When what follows from its beginning was done.
    pub begun_at: Option<Instant>,
    /// When what follows from its end was done.
    pub ended_at: Option<Instant>,
    /// When it was assigned.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
}

impl Service {
    /// When it is there: what its contract leaves of the time asked for.
    #[must_use]
    pub fn time(&self) -> Interval {
        service_time(self.asked, &self.terms)
    }

    /// Voice lines of all of it.
    #[must_use]
    pub const fn all_lines(&self) -> u32 {
        self.lines.saturating_mul(self.quantity)
    }
}

const SELECT: &str = "SELECT service.*, contract.occupier, contract.site, contract.valid_from, contract.valid_until, \
     contract.deprovision, contract.move_in_at \
     FROM service JOIN contract ON contract.id = service.contract AND contract.discarded_at IS NULL";

fn service(row: &SqliteRow) -> Result<Service> {
    let at = |column: &str| -> Result<Option<Instant>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Instant::from_millis))
    };
    Ok(Service {
        seq: row.try_get("seq")?,
        id: row.try_get("id")?,
        contract: row.try_get("contract")?,
        occupier: row.try_get("occupier")?,
        site: row.try_get("site")?,
        terms: terms(
            row.try_get("valid_from")?,
            row.try_get("valid_until")?,
            row.try_get("deprovision")?,
            row.try_get("move_in_at")?,
        ),
        product: row.try_get("product")?,
        quantity: row.try_get("quantity")?,
        lines: row.try_get("lines")?,
        tariff: row.try_get("tariff")?,
        allowance: row.try_get("allowance")?,
        service_level: row.try_get("service_level")?,
        features: from_texts(&row.try_get::<String, _>("features")?),
        asked: Interval {
            from: at("asked_from")?.unwrap_or(Instant::MIN),
            until: at("asked_until")?.unwrap_or(Instant::MAX),
        },
        is_updating: row.try_get("is_updating")?,
        replaces: row.try_get("replaces")?,
        begun_at: at("begun_at")?,
        ended_at: at("ended_at")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
    })
}

/// One service, unless its contract was discarded.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<Service>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE service.id = $1"));
    sqlx::query(sql).bind(id).fetch_optional(on).await?.as_ref().map(service).transpose()
}

/// Which services.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this occupier.
    pub occupier: Option<String>,
    /// Only those at these sites; `None` is all.
    pub sites: Option<Vec<String>>,
    /// Only those of this contract.
    pub contract: Option<String>,
    /// Only those whose id comes after this.
    pub after: Option<String>,
    /// How many; `None` is all.
    pub limit: Option<i64>,
}

/// Services by id, those of discarded contracts left out.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection, filter: &Filter) -> Result<Vec<Service>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE ($1 IS NULL OR contract.occupier = $1) \
         AND ($2 IS NULL OR contract.site IN (SELECT value FROM json_each($2))) \
         AND ($3 IS NULL OR contract.id = $3) AND ($4 IS NULL OR service.id > $4) ORDER BY service.id LIMIT $5"
    ));
    sqlx::query(sql)
        .bind(&filter.occupier)
        .bind(filter.sites.as_deref().map(texts))
        .bind(&filter.contract)
        .bind(&filter.after)
        .bind(filter.limit.unwrap_or(-1))
        .fetch_all(on)
        .await?
        .iter()
        .map(service)
        .collect()
}

/// Those of an occupier at a site.
///
/// # Errors
///
/// The database fails.
pub async fn at_site(on: &mut SqliteConnection, occupier: &str, site: &str) -> Result<Vec<Service>> {
    let sites = Some(vec![site.to_owned()]);
    list(on, &Filter { occupier: Some(occupier.to_owned()), sites, ..Filter::default() }).await
}

/// How many voice lines an occupier is entitled to at a site at an instant: the sum over its services that are there.
///
/// # Errors
///
/// The database fails.
pub async fn lines_at(on: &mut SqliteConnection, occupier: &str, site: &str, at: Instant) -> Result<u32> {
    let services = at_site(on, occupier, site).await?;
    Ok(entitled_lines(services.iter().map(|service| (service.all_lines(), service.time())), at))
}

/// Those whose beginning or end may have come without what follows from it: by occupier, then site, then id.
///
/// # Errors
///
/// The database fails.
pub async fn open(on: &mut SqliteConnection) -> Result<Vec<Service>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE begun_at IS NULL OR ended_at IS NULL ORDER BY contract.occupier, contract.site, service.id"
    ));
    sqlx::query(sql).fetch_all(on).await?.iter().map(service).collect()
}

/// Keeps a new service.
///
/// # Errors
///
/// The database fails.
pub async fn insert(on: &mut SqliteConnection, service: &Service) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO service (id, contract, product, quantity, lines, tariff, allowance, service_level, features, \
         asked_from, asked_until, replaces, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    );
    let query = query.bind(&service.id).bind(&service.contract).bind(&service.product).bind(service.quantity);
    let query = query.bind(service.lines).bind(&service.tariff).bind(&service.allowance);
    let query = query.bind(&service.service_level).bind(texts(&service.features));
    let query = query.bind((service.asked.from != Instant::MIN).then(|| service.asked.from.as_millis()));
    let query = query.bind((service.asked.until != Instant::MAX).then(|| service.asked.until.as_millis()));
    query.bind(&service.replaces).bind(service.created_at.as_millis()).execute(on).await?;
    Ok(())
}

/// Keeps a service's asked end, its update and what was done about its beginning and end; its revision grows. What it is
/// stays.
///
/// # Errors
///
/// The database fails.
pub async fn update(on: &mut SqliteConnection, service: &Service) -> Result<()> {
    let query = sqlx::query(
        "UPDATE service SET asked_until = $2, is_updating = $3, begun_at = $4, ended_at = $5, revision = revision + 1 \
         WHERE id = $1",
    );
    let query = query.bind(&service.id);
    let query = query.bind((service.asked.until != Instant::MAX).then(|| service.asked.until.as_millis()));
    let query = query.bind(service.is_updating).bind(service.begun_at.map(Instant::as_millis));
    query.bind(service.ended_at.map(Instant::as_millis)).execute(on).await?;
    Ok(())
}
