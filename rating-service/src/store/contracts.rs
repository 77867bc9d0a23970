//! Contracts: an occupier at a site, from one instant until another.

use rating_core::directory::contracts::{self, State, Terms};
use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::is_taken;
use super::occupiers::terms;
use crate::error::{Problem, Result};

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its id, fixed at first.
    pub id: String,
    /// Whose.
    pub occupier: String,
    /// At which site.
    pub site: String,
    /// What people call it: the site's name, until changed.
    pub name: String,
    /// When it runs, and what ends with it.
    pub terms: Terms,
    /// When numbers left with it.
    pub deprovisioned_at: Option<Instant>,
    /// What the billing system calls it.
    pub external_reference: String,
    /// The site at which a roaming contract is billed.
    pub billing_site: Option<String>,
    /// When it was thrown away.
    pub discarded_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
}

fn contract(row: &SqliteRow) -> Result<Contract> {
    let at = |column: &str| -> Result<Option<Instant>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Instant::from_millis))
    };
    let terms = terms(
        row.try_get("valid_from")?,
        row.try_get("valid_until")?,
        row.try_get("deprovision")?,
        row.try_get("move_in_at")?,
    );
    Ok(Contract {
        id: row.try_get("id")?,
        occupier: row.try_get("occupier")?,
        site: row.try_get("site")?,
        name: row.try_get("name")?,
        terms,
        deprovisioned_at: at("deprovisioned_at")?,
        external_reference: row.try_get("external_reference")?,
        billing_site: row.try_get("billing_site")?,
        discarded_at: at("discarded_at")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
    })
}

/// One contract, also if it was discarded.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<Contract>> {
    let row = sqlx::query("SELECT * FROM contract WHERE id = $1 COLLATE BINARY").bind(id).fetch_optional(on).await?;
    row.as_ref().map(contract).transpose()
}

/// Whether an id is taken, also if it differs in case alone.
///
/// # Errors
///
/// The database fails.
pub async fn is_there(on: &mut SqliteConnection, id: &str) -> Result<bool> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM contract WHERE id = $1) AS is_there").bind(id).fetch_one(on);
    Ok(row.await?.try_get("is_there")?)
}

/// The contracts of an occupier by id, those discarded left out: at a site, or (`None`) at all.
///
/// # Errors
///
/// The database fails.
pub async fn of(on: &mut SqliteConnection, occupier: &str, site: Option<&str>) -> Result<Vec<Contract>> {
    let query = sqlx::query(
        "SELECT * FROM contract WHERE occupier = $1 AND ($2 IS NULL OR site = $2) AND discarded_at IS NULL ORDER BY id",
    );
    query.bind(occupier).bind(site).fetch_all(on).await?.iter().map(contract).collect()
}

/// Where an occupier stands at a site at an instant, by its contracts there; `None` without any.
///
/// # Errors
///
/// The database fails.
pub async fn standing(on: &mut SqliteConnection, occupier: &str, site: &str, at: Instant) -> Result<Option<State>> {
    let found = of(on, occupier, Some(site)).await?;
    Ok(contracts::standing(found.iter().map(|contract| &contract.terms), at))
}

/// The contracts that take numbers with them, have ended by `at`, and whose numbers are still to follow, by id.
///
/// # Errors
///
/// The database fails.
pub async fn due(on: &mut SqliteConnection, at: Instant) -> Result<Vec<Contract>> {
    let query = sqlx::query(
        "SELECT * FROM contract WHERE deprovision AND deprovisioned_at IS NULL AND valid_until <= $1 \
         AND discarded_at IS NULL ORDER BY id",
    );
    query.bind(at.as_millis()).fetch_all(on).await?.iter().map(contract).collect()
}

fn until(terms: &Terms) -> Option<i64> {
    (terms.term.until != Instant::MAX).then(|| terms.term.until.as_millis())
}

/// Keeps a new contract.
///
/// # Errors
///
/// `contract.exists`, also if the ids differ in case alone.
pub async fn insert(on: &mut SqliteConnection, contract: &Contract) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO contract (id, occupier, site, name, valid_from, valid_until, move_in_at, deprovision, \
         external_reference, billing_site, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let query = query.bind(&contract.id).bind(&contract.occupier).bind(&contract.site).bind(&contract.name);
    let query = query.bind(contract.terms.term.from.as_millis()).bind(until(&contract.terms));
    let query = query.bind(contract.terms.move_in.map(Instant::as_millis)).bind(contract.terms.deprovision);
    let query = query.bind(&contract.external_reference).bind(&contract.billing_site);
    query.bind(contract.created_at.as_millis()).execute(on).await.map_err(|error| {
        if is_taken(&error) {
            return Problem::new("contract.exists", format!("there is a contract `{}` already", contract.id))
                .help("leave the id out to have one made");
        }
        error.into()
    })?;
    Ok(())
}

/// Puts a contract's new state in the place of the one it had; its revision grows. Its id, occupier and site stay.
///
/// # Errors
///
/// The database fails.
pub async fn update(on: &mut SqliteConnection, contract: &Contract) -> Result<()> {
    let query = sqlx::query(
        "UPDATE contract SET name = $2, valid_from = $3, valid_until = $4, move_in_at = $5, deprovision = $6, \
         deprovisioned_at = $7, external_reference = $8, billing_site = $9, discarded_at = $10, \
         revision = revision + 1 WHERE id = $1",
    );
    let query = query.bind(&contract.id).bind(&contract.name);
    let query = query.bind(contract.terms.term.from.as_millis()).bind(until(&contract.terms));
    let query = query.bind(contract.terms.move_in.map(Instant::as_millis)).bind(contract.terms.deprovision);
    let query = query.bind(contract.deprovisioned_at.map(Instant::as_millis)).bind(&contract.external_reference);
    let query = query.bind(&contract.billing_site).bind(contract.discarded_at.map(Instant::as_millis));
    query.execute(on).await?;
    Ok(())
}
