//! What an occupier's portal shows, and whether it is open.

use rating_core::time::Instant;
use sqlx::{Row, SqliteConnection};

use crate::error::{Problem, Result};

/// The portal of an occupier: there is one once it was activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// Whose.
    pub occupier: String,
    /// Whether its users may sign in.
    pub is_active: bool,
    /// What it shows.
    pub level: Level,
    /// When it was activated last.
    pub activated_at: Instant,
    /// When it was deactivated last.
    pub deactivated_at: Option<Instant>,
    /// Grows with each change.
    pub revision: i64,
}

/// What an occupier may see of its calls: agreed with it, and never what the operator pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Level {
    /// Charges, summed by extension.
    pub summary: bool,
    /// Each call.
    pub itemised: bool,
    /// Called numbers in full; otherwise masked.
    pub called_in_full: bool,
    /// Usage of the month so far.
    pub usage: bool,
    /// What is left of allowances.
    pub allowance: bool,
}

/// The portal of an occupier, if it was ever activated.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, occupier: &str) -> Result<Option<Portal>> {
    let row = sqlx::query("SELECT * FROM portal WHERE occupier = $1").bind(occupier).fetch_optional(on).await?;
    row.map(|row| {
        Ok(Portal {
            occupier: row.try_get("occupier")?,
            is_active: row.try_get("is_active")?,
            level: serde_json::from_str(&row.try_get::<String, _>("level")?).map_err(Problem::internal)?,
            activated_at: Instant::from_millis(row.try_get("activated_at")?),
            deactivated_at: row.try_get::<Option<i64>, _>("deactivated_at")?.map(Instant::from_millis),
            revision: row.try_get("revision")?,
        })
    })
    .transpose()
}

/// Keeps a portal, the first time or again; its revision grows.
///
/// # Errors
///
/// The database fails.
pub async fn put(on: &mut SqliteConnection, portal: &Portal) -> Result<()> {
    let level = serde_json::to_string(&portal.level).map_err(Problem::internal)?;
    let query = sqlx::query(
        "INSERT INTO portal (occupier, is_active, level, activated_at, deactivated_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (occupier) DO UPDATE SET is_active = $2, level = $3, activated_at = $4, deactivated_at = $5, \
         revision = revision + 1",
    );
    let query = query.bind(&portal.occupier).bind(portal.is_active).bind(level).bind(portal.activated_at.as_millis());
    query.bind(portal.deactivated_at.map(Instant::as_millis)).execute(on).await?;
    Ok(())
}

/// Ends every session of an occupier's users, and makes their links void.
///
/// # Errors
///
/// The database fails.
pub async fn end_access(on: &mut SqliteConnection, occupier: &str) -> Result<()> {
    for sql in [
        "DELETE FROM session WHERE user IN (SELECT id FROM user WHERE occupier = $1)",
        "DELETE FROM invitation WHERE used_at IS NULL AND user IN (SELECT id FROM user WHERE occupier = $1)",
    ] {
        sqlx::query(sql).bind(occupier).execute(&mut *on).await?;
    }
    Ok(())
}
