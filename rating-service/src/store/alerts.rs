//! What is kept that needs somebody's eyes soon.

use rating_core::time::Instant;
use sqlx::{Row, SqliteConnection};

use crate::error::Result;

/// A contract that ends while its occupier holds numbers at the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingContract {
    /// Its id.
    pub contract: String,
    /// Whose.
    pub occupier: String,
    /// Where.
    pub site: String,
    /// When it ends.
    pub until: Instant,
    /// Whether services and numbers leave with it.
    pub deprovision: bool,
    /// How many numbers.
    pub numbers: i64,
}

/// Numbers kept for a prospect at a site, until an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringHold {
    /// The prospect.
    pub prospect: String,
    /// Where.
    pub site: String,
    /// Until when.
    pub until: Instant,
    /// How many numbers.
    pub numbers: i64,
}

/// Contracts that end between two instants, with numbers: the first to end first.
///
/// # Errors
///
/// The database fails.
pub async fn ending_contracts(on: &mut SqliteConnection, from: Instant, until: Instant) -> Result<Vec<EndingContract>> {
    let rows = sqlx::query(
        "SELECT contract.*, (SELECT count(*) FROM number WHERE number.holder = contract.occupier \
             AND number.site = contract.site) AS numbers FROM contract \
         WHERE discarded_at IS NULL AND valid_until > $1 AND valid_until <= $2 AND numbers > 0 \
         AND NOT EXISTS (SELECT 1 FROM contract AS next WHERE next.occupier = contract.occupier AND next.site = contract.site \
             AND next.discarded_at IS NULL AND next.valid_from <= contract.valid_until \
             AND (next.valid_until IS NULL OR next.valid_until > contract.valid_until)) \
         ORDER BY valid_until, id",
    )
    .bind(from.as_millis())
    .bind(until.as_millis())
    .fetch_all(on)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(EndingContract {
                contract: row.try_get("id")?,
                occupier: row.try_get("occupier")?,
                site: row.try_get("site")?,
                until: Instant::from_millis(row.try_get("valid_until")?),
                deprovision: row.try_get("deprovision")?,
                numbers: row.try_get("numbers")?,
            })
        })
        .collect()
}

/// Holds that end between two instants: the first to end first.
///
/// # Errors
///
/// The database fails.
pub async fn expiring_holds(on: &mut SqliteConnection, from: Instant, until: Instant) -> Result<Vec<ExpiringHold>> {
    let rows = sqlx::query(
        "SELECT hold_prospect, site, hold_until, count(*) AS numbers FROM number \
         WHERE hold_prospect IS NOT NULL AND hold_until > $1 AND hold_until <= $2 \
         GROUP BY hold_prospect, site, hold_until ORDER BY hold_until, site, hold_prospect",
    )
    .bind(from.as_millis())
    .bind(until.as_millis())
    .fetch_all(on)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ExpiringHold {
                prospect: row.try_get("hold_prospect")?,
                site: row.try_get("site")?,
                until: Instant::from_millis(row.try_get("hold_until")?),
                numbers: row.try_get("numbers")?,
            })
        })
        .collect()
}

/// Occupiers whose portal is open and none of whose users has ever followed its link; since when it is open, and the sites of
/// the occupier.
///
/// # Errors
///
/// The database fails.
pub async fn unvisited_portals(on: &mut SqliteConnection) -> Result<Vec<(String, Instant, Vec<String>)>> {
    let rows = sqlx::query(
        "SELECT occupier, activated_at, (SELECT json_group_array(site) FROM contract \
             WHERE contract.occupier = portal.occupier AND discarded_at IS NULL) AS sites FROM portal WHERE is_active \
         AND NOT EXISTS (SELECT 1 FROM user WHERE user.occupier = portal.occupier AND user.state <> 'invited') \
         ORDER BY activated_at, occupier",
    )
    .fetch_all(on)
    .await?;
    rows.iter()
        .map(|row| {
            let sites = super::from_texts(&row.try_get::<String, _>("sites")?);
            Ok((row.try_get("occupier")?, Instant::from_millis(row.try_get("activated_at")?), sites))
        })
        .collect()
}
