//! Occupiers, what other systems call them, and whom to write to.

use rating_core::directory::contracts::Terms;
use rating_core::time::{Instant, Interval};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{is_taken, texts};
use crate::error::{Problem, Result};

/// An occupier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupier {
    /// Id in reports and file names; fixed at first.
    pub id: String,
    /// The company's name.
    pub name: String,
    /// `residential` or `virtual`.
    pub kind: String,
    /// What the billing system calls it; unique.
    pub billing_reference: String,
    /// Whether the operator runs its telephony.
    pub telephony_managed: bool,
    /// When it is to be decommissioned, if that is set.
    pub decommission_at: Option<Instant>,
    /// When it was decommissioned.
    pub decommissioned_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
    /// What other systems call it.
    pub identifiers: Vec<Identifier>,
    /// Whom to write to.
    pub contact: Option<Contact>,
    /// Whether its users may sign in.
    pub portal_is_active: bool,
    /// The terms of its contracts by site, those discarded left out.
    pub contracts: Vec<(String, Terms)>,
}

/// What another system calls an occupier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    /// The system.
    pub system: String,
    /// At which site; `None` is all.
    pub site: Option<String>,
    /// Its name for the occupier.
    pub identifier: String,
}

/// Whom to write to about an occupier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Telephone, as it was given.
    pub phone: String,
    /// When the sync brought it.
    pub synced_at: Instant,
    /// Whether it was typed, for want of a system that brings it.
    pub by_hand: bool,
}

const SELECT: &str = "SELECT occupier.*, contact.name AS contact_name, contact.email, contact.phone, contact.synced_at, contact.by_hand, \
     coalesce((SELECT is_active FROM portal WHERE portal.occupier = occupier.id), 0) AS portal_is_active, \
     (SELECT json_group_array(json_array(system, site, identifier)) FROM external_identifier AS name \
         WHERE name.occupier = occupier.id) AS identifiers, \
     (SELECT json_group_array(json_array(site, valid_from, valid_until, deprovision, move_in_at)) FROM contract \
         WHERE contract.occupier = occupier.id AND discarded_at IS NULL) AS contracts \
     FROM occupier LEFT JOIN occupier_contact AS contact ON contact.occupier = occupier.id";

fn occupier(row: &SqliteRow) -> Result<Occupier> {
    let identifiers: Vec<(String, String, String)> = json(&row.try_get::<String, _>("identifiers")?)?;
    let mut identifiers: Vec<Identifier> = identifiers
        .into_iter()
        .map(|(system, site, identifier)| Identifier { system, site: (!site.is_empty()).then_some(site), identifier })
        .collect();
    identifiers.sort();
    type Kept = (String, i64, Option<i64>, i64, Option<i64>);
    let contracts: Vec<Kept> = json(&row.try_get::<String, _>("contracts")?)?;
    let contracts = contracts
        .into_iter()
        .map(|(site, from, until, deprovision, move_in)| (site, terms(from, until, deprovision == 1, move_in)))
        .collect();
    let contact = match row.try_get::<Option<i64>, _>("synced_at")? {
        Some(synced_at) => Some(Contact {
            name: row.try_get("contact_name")?,
            email: row.try_get("email")?,
            phone: row.try_get("phone")?,
            synced_at: Instant::from_millis(synced_at),
            by_hand: row.try_get("by_hand")?,
        }),
        None => None,
    };
    let at = |column: &str| -> Result<Option<Instant>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Instant::from_millis))
    };
    Ok(Occupier {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        billing_reference: row.try_get("billing_reference")?,
        telephony_managed: row.try_get("telephony_managed")?,
        decommission_at: at("decommission_at")?,
        decommissioned_at: at("decommissioned_at")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
        identifiers,
        contact,
        portal_is_active: row.try_get("portal_is_active")?,
        contracts,
    })
}

fn json<T: serde::de::DeserializeOwned>(column: &str) -> Result<T> {
    serde_json::from_str(column).map_err(Problem::internal)
}

/// A contract's terms from its columns.
pub(super) fn terms(from: i64, until: Option<i64>, deprovision: bool, move_in: Option<i64>) -> Terms {
    let term = Interval { from: Instant::from_millis(from), until: until.map_or(Instant::MAX, Instant::from_millis) };
    Terms { term, deprovision, move_in: move_in.map(Instant::from_millis) }
}

/// Which occupiers.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those whose id comes after this.
    pub after: Option<String>,
    /// Only those whose name, id, billing reference or external identifier contains this.
    pub search: Option<String>,
    /// Only those with a contract, not discarded, at one of these sites; `None` is all, also those without any.
    pub sites: Option<Vec<String>>,
    /// How many.
    pub limit: i64,
}

/// Occupiers by id.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection, filter: &Filter) -> Result<Vec<Occupier>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE ($1 IS NULL OR occupier.id > $1) \
         AND ($2 IS NULL OR EXISTS (SELECT 1 FROM contract WHERE contract.occupier = occupier.id \
             AND discarded_at IS NULL AND site IN (SELECT value FROM json_each($2)))) \
         AND ($3 IS NULL OR instr(lower(occupier.name), $3) OR instr(lower(occupier.id), $3) \
             OR instr(lower(billing_reference), $3) OR EXISTS (SELECT 1 FROM external_identifier AS name \
                 WHERE name.occupier = occupier.id AND instr(lower(identifier), $3))) \
         ORDER BY occupier.id LIMIT $4"
    ));
    sqlx::query(sql)
        .bind(&filter.after)
        .bind(filter.sites.as_deref().map(texts))
        .bind(filter.search.as_deref().map(str::to_ascii_lowercase))
        .bind(filter.limit)
        .fetch_all(on)
        .await?
        .iter()
        .map(occupier)
        .collect()
}

/// One occupier.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<Occupier>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE occupier.id = $1 COLLATE BINARY"));
    sqlx::query(sql).bind(id).fetch_optional(on).await?.as_ref().map(occupier).transpose()
}

/// Whether an id is taken, also if it differs in case alone: by an occupier, or by the operator, who pays for calls, too.
///
/// # Errors
///
/// The database fails.
pub async fn is_there(on: &mut SqliteConnection, id: &str) -> Result<bool> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM occupier WHERE id = $1) \
         OR EXISTS (SELECT 1 FROM operator WHERE id = $1 COLLATE NOCASE) AS is_there",
    )
    .bind(id)
    .fetch_one(on)
    .await?;
    Ok(row.try_get("is_there")?)
}

/// The occupier that a system calls so.
///
/// # Errors
///
/// The database fails.
pub async fn by_identifier(
    on: &mut SqliteConnection,
    system: &str,
    identifier: &str,
    site: Option<&str>,
) -> Result<Option<String>> {
    let row = sqlx::query(
        "SELECT occupier FROM external_identifier WHERE system = $1 AND identifier = $2 AND site = coalesce($3, '')",
    )
    .bind(system)
    .bind(identifier)
    .bind(site)
    .fetch_optional(on)
    .await?;
    row.map(|row| Ok(row.try_get("occupier")?)).transpose()
}

/// Keeps a new occupier, with its external identifiers.
///
/// # Errors
///
/// `occupier.exists`, also if the ids differ in case alone; `occupier.billing_reference_taken`;
/// `occupier.identifier_taken`.
pub async fn insert(on: &mut SqliteConnection, occupier: &Occupier) -> Result<()> {
    if is_there(on, &occupier.id).await? {
        return Err(Problem::new("occupier.exists", format!("there is an occupier or operator `{}`", occupier.id))
            .help("ids that differ in case alone count as the same: they become names of files"));
    }
    let query = sqlx::query(
        "INSERT INTO occupier (id, name, kind, billing_reference, telephony_managed, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let query = query.bind(&occupier.id).bind(&occupier.name).bind(&occupier.kind).bind(&occupier.billing_reference);
    let query = query.bind(occupier.telephony_managed).bind(occupier.created_at.as_millis());
    query.execute(&mut *on).await.map_err(|error| reference_taken(error, occupier))?;
    set_identifiers(on, occupier).await
}

fn reference_taken(error: sqlx::Error, occupier: &Occupier) -> Problem {
    if !is_taken(&error) {
        return error.into();
    }
    let what = format!("the billing reference `{}` belongs to another occupier", occupier.billing_reference);
    Problem::new("occupier.billing_reference_taken", what).help("leave it empty to have a unique one made")
}

async fn set_identifiers(on: &mut SqliteConnection, occupier: &Occupier) -> Result<()> {
    sqlx::query("DELETE FROM external_identifier WHERE occupier = $1").bind(&occupier.id).execute(&mut *on).await?;
    for Identifier { system, site, identifier } in &occupier.identifiers {
        let query = sqlx::query(
            "INSERT INTO external_identifier (occupier, system, site, identifier) VALUES ($1, $2, coalesce($3, ''), $4)",
        );
        let query = query.bind(&occupier.id).bind(system).bind(site).bind(identifier);
        query.execute(&mut *on).await.map_err(|error| {
            if is_taken(&error) {
                let what = format!("`{identifier}` names another occupier in `{system}`");
                return Problem::new("occupier.identifier_taken", what)
                    .help("take it from the other occupier first, or mend it");
            }
            error.into()
        })?;
    }
    Ok(())
}

/// Puts an occupier's new settings and identifiers in the place of those it had; its revision grows. Its id, its birth and
/// its end stay.
///
/// # Errors
///
/// `occupier.billing_reference_taken`, `occupier.identifier_taken`.
pub async fn update(on: &mut SqliteConnection, occupier: &Occupier) -> Result<()> {
    let query = sqlx::query(
        "UPDATE occupier SET name = $2, kind = $3, billing_reference = $4, telephony_managed = $5, \
         revision = revision + 1 WHERE id = $1",
    );
    let query = query.bind(&occupier.id).bind(&occupier.name).bind(&occupier.kind).bind(&occupier.billing_reference);
    query.bind(occupier.telephony_managed).execute(&mut *on).await.map_err(|error| reference_taken(error, occupier))?;
    set_identifiers(on, occupier).await
}

/// Keeps whom to write to, in the place of whoever it was.
///
/// # Errors
///
/// The database fails.
pub async fn set_contact(on: &mut SqliteConnection, occupier: &str, contact: &Contact) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO occupier_contact (occupier, name, email, phone, synced_at, by_hand) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (occupier) DO UPDATE SET name = $2, email = $3, phone = $4, synced_at = $5, by_hand = $6",
    );
    let query = query.bind(occupier).bind(&contact.name).bind(&contact.email).bind(&contact.phone);
    query.bind(contact.synced_at.as_millis()).bind(contact.by_hand).execute(on).await?;
    Ok(())
}

/// Erases whom to write to.
///
/// # Errors
///
/// The database fails.
pub async fn erase_contact(on: &mut SqliteConnection, occupier: &str) -> Result<()> {
    sqlx::query("DELETE FROM occupier_contact WHERE occupier = $1").bind(occupier).execute(on).await?;
    Ok(())
}

/// Keeps when an occupier is to be decommissioned, or was.
///
/// # Errors
///
/// The database fails.
pub async fn set_end(
    on: &mut SqliteConnection,
    occupier: &str,
    decommission_at: Option<Instant>,
    decommissioned_at: Option<Instant>,
) -> Result<()> {
    let query = sqlx::query(
        "UPDATE occupier SET decommission_at = $2, decommissioned_at = $3, revision = revision + 1 WHERE id = $1",
    );
    let query = query.bind(occupier).bind(decommission_at.map(Instant::as_millis));
    query.bind(decommissioned_at.map(Instant::as_millis)).execute(on).await?;
    Ok(())
}

/// The occupiers whose scheduled end has come by `at`, by id.
///
/// # Errors
///
/// The database fails.
pub async fn due(on: &mut SqliteConnection, at: Instant) -> Result<Vec<String>> {
    let rows =
        sqlx::query("SELECT id FROM occupier WHERE decommission_at <= $1 AND decommissioned_at IS NULL ORDER BY id")
            .bind(at.as_millis())
            .fetch_all(on)
            .await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}
