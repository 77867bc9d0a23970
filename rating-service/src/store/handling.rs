//! What numbers do with calls, their secrets, and the schedule of sites.

use rating_core::time::Instant;
use sqlx::{Row, SqliteConnection};

use crate::error::Result;

/// A number's settings. Texts are JSON; secrets are hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What it does with its calls: forwarding, voicemail, …
    pub features: String,
    /// What a main number does with its calls.
    pub handling: Option<String>,
    /// Whether its PIN was set or reset.
    pub has_pin: bool,
    /// Whether calls from it need a code.
    pub has_authorization_code: bool,
    /// Grows with each change; 0 before the first.
    pub revision: i64,
}

/// A number's settings.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, number: &str) -> Result<Settings> {
    let row = sqlx::query(
        "SELECT features, handling, pin IS NOT NULL AS has_pin, authorization_code IS NOT NULL AS has_code, revision \
         FROM number_settings WHERE number = $1",
    )
    .bind(number)
    .fetch_optional(on)
    .await?;
    row.map_or_else(
        || Ok(Settings { features: "{}".to_owned(), ..Settings::default() }),
        |row| {
            Ok(Settings {
                features: row.try_get("features")?,
                handling: row.try_get("handling")?,
                has_pin: row.try_get("has_pin")?,
                has_authorization_code: row.try_get("has_code")?,
                revision: row.try_get("revision")?,
            })
        },
    )
}

/// Which of a number's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What it does with its calls.
    Features,
    /// What a main number does with its calls.
    Handling,
    /// The hash of its PIN.
    Pin,
    /// The hash of its authorization code.
    AuthorizationCode,
}

/// Sets one of a number's settings, or (`None`) takes it away; the revision grows.
///
/// # Errors
///
/// The database fails.
pub async fn set(on: &mut SqliteConnection, number: &str, part: Part, content: Option<&str>) -> Result<()> {
    sqlx::query("INSERT INTO number_settings (number, revision) VALUES ($1, 0) ON CONFLICT DO NOTHING")
        .bind(number)
        .execute(&mut *on)
        .await?;
    let sql = match part {
        Part::Features => {
            "UPDATE number_settings SET features = coalesce($2, '{}'), revision = revision + 1 WHERE number = $1"
        }
        Part::Handling => "UPDATE number_settings SET handling = $2, revision = revision + 1 WHERE number = $1",
        Part::Pin => "UPDATE number_settings SET pin = $2, revision = revision + 1 WHERE number = $1",
        Part::AuthorizationCode => {
            "UPDATE number_settings SET authorization_code = $2, revision = revision + 1 WHERE number = $1"
        }
    };
    sqlx::query(sql).bind(number).bind(content).execute(on).await?;
    Ok(())
}

/// Forgets a number's settings: they were its holder's.
///
/// # Errors
///
/// The database fails.
pub async fn forget(on: &mut SqliteConnection, number: &str) -> Result<()> {
    sqlx::query("DELETE FROM number_settings WHERE number = $1").bind(number).execute(on).await?;
    Ok(())
}

/// Something on a site's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteEvent {
    /// Its id.
    pub id: String,
    /// At which site.
    pub site: String,
    /// What people call it.
    pub name: String,
    /// When it is, as JSON.
    pub content: String,
}

/// The schedule of a site, by id.
///
/// # Errors
///
/// The database fails.
pub async fn schedule(on: &mut SqliteConnection, site: &str) -> Result<Vec<SiteEvent>> {
    let rows = sqlx::query("SELECT id, site, name, content FROM site_event WHERE site = $1 ORDER BY id")
        .bind(site)
        .fetch_all(on)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(SiteEvent {
                id: row.try_get("id")?,
                site: row.try_get("site")?,
                name: row.try_get("name")?,
                content: row.try_get("content")?,
            })
        })
        .collect()
}

/// Adds to a site's schedule.
///
/// # Errors
///
/// The database fails.
pub async fn add_event(on: &mut SqliteConnection, event: &SiteEvent, at: Instant) -> Result<()> {
    sqlx::query("INSERT INTO site_event (id, site, name, content, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&event.id)
        .bind(&event.site)
        .bind(&event.name)
        .bind(&event.content)
        .bind(at.as_millis())
        .execute(on)
        .await?;
    Ok(())
}

/// Takes something off a site's schedule; whether it was there.
///
/// # Errors
///
/// The database fails.
pub async fn remove_event(on: &mut SqliteConnection, site: &str, id: &str) -> Result<bool> {
    let gone =
        sqlx::query("DELETE FROM site_event WHERE site = $1 AND id = $2").bind(site).bind(id).execute(on).await?;
    Ok(gone.rows_affected() == 1)
}

/// Keeps a site's business hours, as JSON; its revision grows.
///
/// # Errors
///
/// The database fails.
pub async fn set_hours(on: &mut SqliteConnection, site: &str, hours: &str) -> Result<()> {
    sqlx::query("UPDATE site SET business_hours = $2, revision = revision + 1 WHERE id = $1")
        .bind(site)
        .bind(hours)
        .execute(on)
        .await?;
    Ok(())
}
