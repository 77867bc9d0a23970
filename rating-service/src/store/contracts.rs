//! Contracts and the voice lines they bring, as numbers need to know them.

use rating_core::directory::contracts::State;
use rating_core::time::{Instant, Zone};
use sqlx::{Row, SqliteConnection};

use crate::error::{Problem, Result};

/// Whether there is such an occupier.
///
/// # Errors
///
/// The database fails.
pub async fn occupier_exists(on: &mut SqliteConnection, id: &str) -> Result<bool> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM occupier WHERE id = $1 COLLATE BINARY) AS there")
        .bind(id)
        .fetch_one(on)
        .await?;
    Ok(row.try_get("there")?)
}

/// Where an occupier's contracts at a site stand at an instant (the greatest of their states), and how many voice lines it
/// has there. Dates are days of the site's zone; the last is the first day outside.
///
/// # Errors
///
/// The database fails.
pub async fn standing(
    on: &mut SqliteConnection,
    occupier: &str,
    site: &str,
    zone: &Zone,
    at: Instant,
) -> Result<(Option<State>, u32)> {
    let today = zone.to_local(at).date().to_string();
    let rows =
        sqlx::query("SELECT starts, ends FROM contract WHERE occupier = $1 AND site = $2 AND discarded_at IS NULL")
            .bind(occupier)
            .bind(site)
            .fetch_all(&mut *on)
            .await?;
    let mut state = None;
    for row in &rows {
        let starts: String = row.try_get("starts")?;
        let ends: Option<String> = row.try_get("ends")?;
        state = state.max(Some(match ends {
            _ if today < starts => State::Upcoming,
            Some(ends) if ends <= today => State::Completed,
            _ => State::Active,
        }));
    }
    let row = sqlx::query(
        "SELECT coalesce(sum(service.lines * service.quantity), 0) AS lines FROM service \
         JOIN contract ON contract.id = service.contract \
         WHERE contract.occupier = $1 AND contract.site = $2 AND contract.discarded_at IS NULL \
         AND max(contract.starts, service.starts) <= $3 \
         AND (contract.ends IS NULL OR contract.ends > $3) AND (service.ends IS NULL OR service.ends > $3)",
    )
    .bind(occupier)
    .bind(site)
    .bind(today)
    .fetch_one(on)
    .await?;
    let lines: i64 = row.try_get("lines")?;
    Ok((state, u32::try_from(lines).map_err(Problem::internal)?))
}
