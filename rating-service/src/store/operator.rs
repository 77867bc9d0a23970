//! The operator: the one whose service this is.

use sqlx::{Row, SqliteConnection};

use crate::error::Result;

/// The operator's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Id in reports and file names; fixed at first.
    pub id: String,
    /// Name in reports and on pages.
    pub name: String,
    /// ISO 4217 code.
    pub currency: String,
    /// IANA zone of dates that belong to no site.
    pub zone: String,
    /// Whom occupiers ask for help: stands in mails and on pages.
    pub support_contact: String,
    /// Grows with each change.
    pub revision: i64,
}

/// The operator, once set up.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection) -> Result<Option<Operator>> {
    let row = sqlx::query("SELECT * FROM operator").fetch_optional(on).await?;
    row.map(|row| {
        Ok(Operator {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            currency: row.try_get("currency")?,
            zone: row.try_get("zone")?,
            support_contact: row.try_get("support_contact")?,
            revision: row.try_get("revision")?,
        })
    })
    .transpose()
}

/// Keeps the operator, the first time or again; its revision grows.
///
/// # Errors
///
/// The database fails.
pub async fn put(on: &mut SqliteConnection, operator: &Operator) -> Result<()> {
    sqlx::query(
        "INSERT INTO operator (only_one, id, name, currency, zone, support_contact) VALUES (1, $1, $2, $3, $4, $5) \
         ON CONFLICT (only_one) DO UPDATE SET name = $2, currency = $3, zone = $4, support_contact = $5, \
         revision = revision + 1",
    )
    .bind(&operator.id)
    .bind(&operator.name)
    .bind(&operator.currency)
    .bind(&operator.zone)
    .bind(&operator.support_contact)
    .execute(on)
    .await?;
    Ok(())
}

/// The operator's picture on every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The operator's logo, if it has one.
///
/// # Errors
///
/// The database fails.
pub async fn logo(on: &mut SqliteConnection) -> Result<Option<Logo>> {
    let row = sqlx::query("SELECT media, bytes, sha256 FROM operator_logo").fetch_optional(on).await?;
    row.map(|row| {
        Ok(Logo { media: row.try_get("media")?, bytes: row.try_get("bytes")?, sha256: row.try_get("sha256")? })
    })
    .transpose()
}

/// The SHA-256 of the operator's logo, if it has one.
///
/// # Errors
///
/// The database fails.
pub async fn logo_sha256(on: &mut SqliteConnection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT sha256 FROM operator_logo").fetch_optional(on).await?)
}

/// Keeps a logo in the place of the one there is; `None` takes it away. Whether there was one.
///
/// # Errors
///
/// The database fails.
pub async fn set_logo(on: &mut SqliteConnection, logo: Option<&Logo>) -> Result<bool> {
    let before = sqlx::query("DELETE FROM operator_logo").execute(&mut *on).await?.rows_affected();
    if let Some(logo) = logo {
        sqlx::query("INSERT INTO operator_logo (only_one, media, bytes, sha256) VALUES (1, $1, $2, $3)")
            .bind(&logo.media)
            .bind(&logo.bytes)
            .bind(&logo.sha256)
            .execute(on)
            .await?;
    }
    Ok(before > 0)
}
