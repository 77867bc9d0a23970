//! Sites.

use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{from_texts, is_taken, texts};
use crate::error::{Problem, Result};

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Id in reports and file names; fixed at first.
    pub id: String,
    /// Name in reports and on pages.
    pub name: String,
    /// The clock on its wall, an IANA zone.
    pub zone: String,
    /// ISO 3166-1 code of its dial plan.
    pub country: String,
    /// For local numbers, without the national prefix.
    pub area_code: Option<String>,
    /// Digits keyed for a line.
    pub outside_line: Vec<String>,
    /// Ranges of extensions, `2000-2099`.
    pub extensions: Vec<String>,
    /// Its calendars of holidays.
    pub holidays: Vec<String>,
    /// Weekly business hours, as JSON.
    pub business_hours: String,
    /// How long a number rests after it was given up, in days.
    pub cool_off_days: u32,
    /// Whether somebody confirms that a number was switched on or off.
    pub confirms_changes: bool,
    /// Whether the first voice service brings a main number, too.
    pub main_number_with_first_service: bool,
    /// When it was made.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
}

fn site(row: &SqliteRow) -> Result<Site> {
    let list = |column: &str| -> Result<Vec<String>> { Ok(from_texts(&row.try_get::<String, _>(column)?)) };
    Ok(Site {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        zone: row.try_get("zone")?,
        country: row.try_get("country")?,
        area_code: row.try_get("area_code")?,
        outside_line: list("outside_line")?,
        extensions: list("extensions")?,
        holidays: list("holidays")?,
        business_hours: row.try_get("business_hours")?,
        cool_off_days: row.try_get("cool_off_days")?,
        confirms_changes: row.try_get("confirms_changes")?,
        main_number_with_first_service: row.try_get("main_number_with_first_service")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
    })
}

/// All sites, by id.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection) -> Result<Vec<Site>> {
    sqlx::query("SELECT * FROM site ORDER BY id").fetch_all(on).await?.iter().map(site).collect()
}

/// One site.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<Site>> {
    let row = sqlx::query("SELECT * FROM site WHERE id = $1 COLLATE BINARY").bind(id).fetch_optional(on).await?;
    row.as_ref().map(site).transpose()
}

/// Keeps a new site.
///
/// # Errors
///
/// `site.exists`, also if the ids differ in case alone.
pub async fn insert(on: &mut SqliteConnection, site: &Site) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO site (id, name, zone, country, area_code, outside_line, extensions, holidays, business_hours, \
         cool_off_days, confirms_changes, main_number_with_first_service, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    );
    let query = query.bind(&site.id).bind(&site.name).bind(&site.zone).bind(&site.country).bind(&site.area_code);
    let query = query.bind(texts(&site.outside_line)).bind(texts(&site.extensions)).bind(texts(&site.holidays));
    let query = query.bind(&site.business_hours).bind(site.cool_off_days).bind(site.confirms_changes);
    let query = query.bind(site.main_number_with_first_service).bind(site.created_at.as_millis());
    query.execute(on).await.map_err(|error| {
        if is_taken(&error) {
            return Problem::new("site.exists", format!("there is a site `{}` already", site.id))
                .help("ids that differ in case alone count as the same: they become names of files");
        }
        error.into()
    })?;
    Ok(())
}

/// Puts a site's new settings in the place of those it had; its revision grows. Its id and birth stay.
///
/// # Errors
///
/// The database fails.
pub async fn update(on: &mut SqliteConnection, site: &Site) -> Result<()> {
    let query = sqlx::query(
        "UPDATE site SET name = $2, zone = $3, country = $4, area_code = $5, outside_line = $6, extensions = $7, \
         holidays = $8, business_hours = $9, cool_off_days = $10, confirms_changes = $11, \
         main_number_with_first_service = $12, revision = revision + 1 WHERE id = $1",
    );
    let query = query.bind(&site.id).bind(&site.name).bind(&site.zone).bind(&site.country).bind(&site.area_code);
    let query = query.bind(texts(&site.outside_line)).bind(texts(&site.extensions)).bind(texts(&site.holidays));
    let query = query.bind(&site.business_hours).bind(site.cool_off_days).bind(site.confirms_changes);
    query.bind(site.main_number_with_first_service).execute(on).await?;
    Ok(())
}

/// Whether anything at a site is dated by its clock: contracts, numbers, events of its schedule.
///
/// # Errors
///
/// The database fails.
pub async fn is_dated(on: &mut SqliteConnection, id: &str) -> Result<bool> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM contract WHERE site = $1) OR EXISTS (SELECT 1 FROM number WHERE site = $1) \
         OR EXISTS (SELECT 1 FROM site_event WHERE site = $1) AS is_dated",
    )
    .bind(id)
    .fetch_one(on)
    .await?;
    Ok(row.try_get("is_dated")?)
}

/// Business hours of a new site (rule 52): Monday to Friday, 08:30 to 18:00.
pub const USUAL_HOURS: &str = r#"{"weekly":[{"day":"monday","from":"08:30","until":"18:00"},{"day":"tuesday","from":"08:30","until":"18:00"},{"day":"wednesday","from":"08:30","until":"18:00"},{"day":"thursday","from":"08:30","until":"18:00"},{"day":"friday","from":"08:30","until":"18:00"}]}"#;
