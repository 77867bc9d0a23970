//! Switches, and the files of tariffs and the like.

use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::is_taken;
use crate::error::{Problem, Result};

/// A switch whose files are rated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Id in reports, and name of the folder of its files; fixed at first.
    pub id: String,
    /// The site it stands at; fixed at first.
    pub site: String,
    /// What it writes.
    pub format: String,
    /// IANA zone of its clock.
    pub zone: String,
    /// Further settings, as TOML.
    pub settings: String,
    /// When it was made.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
}

fn source(row: &SqliteRow) -> Result<Source> {
    Ok(Source {
        id: row.try_get("id")?,
        site: row.try_get("site")?,
        format: row.try_get("format")?,
        zone: row.try_get("zone")?,
        settings: row.try_get("settings")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
    })
}

/// All, by id.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection) -> Result<Vec<Source>> {
    sqlx::query("SELECT * FROM source ORDER BY id").fetch_all(on).await?.iter().map(source).collect()
}

/// One.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<Source>> {
    let row = sqlx::query("SELECT * FROM source WHERE id = $1 COLLATE BINARY").bind(id).fetch_optional(on).await?;
    row.as_ref().map(source).transpose()
}

/// Keeps a new one.
///
/// # Errors
///
/// `source.exists`, also if the ids differ in case alone.
pub async fn insert(on: &mut SqliteConnection, source: &Source) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO source (id, site, format, zone, settings, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let query = query.bind(&source.id).bind(&source.site).bind(&source.format).bind(&source.zone);
    query.bind(&source.settings).bind(source.created_at.as_millis()).execute(on).await.map_err(|error| {
        if is_taken(&error) {
            return Problem::new("source.exists", format!("there is a source `{}` already", source.id))
                .help("ids that differ in case alone count as the same: they become names of folders");
        }
        error.into()
    })?;
    Ok(())
}

/// Puts new settings in the place of the old ones; the revision grows. Id and site stay.
///
/// # Errors
///
/// The database fails.
pub async fn update(on: &mut SqliteConnection, source: &Source) -> Result<()> {
    sqlx::query("UPDATE source SET format = $2, zone = $3, settings = $4, revision = revision + 1 WHERE id = $1")
        .bind(&source.id)
        .bind(&source.format)
        .bind(&source.zone)
        .bind(&source.settings)
        .execute(on)
        .await?;
    Ok(())
}

/// A file of the project: a tariff, a deck, a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it stands in the project, `tariffs/retail.toml`.
    pub path: String,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: i64,
    /// When it was put there.
    pub changed_at: Instant,
    /// Who did.
    pub changed_by: String,
    /// Grows with each change.
    pub revision: i64,
}

fn file(row: &SqliteRow) -> Result<File> {
    Ok(File {
        path: row.try_get("path")?,
        sha256: row.try_get("sha256")?,
        bytes: row.try_get("bytes")?,
        changed_at: Instant::from_millis(row.try_get("changed_at")?),
        changed_by: row.try_get("changed_by")?,
        revision: row.try_get("revision")?,
    })
}

/// All files, by path.
///
/// # Errors
///
/// The database fails.
pub async fn files(on: &mut SqliteConnection) -> Result<Vec<File>> {
    sqlx::query("SELECT * FROM file ORDER BY path").fetch_all(on).await?.iter().map(file).collect()
}

/// One file.
///
/// # Errors
///
/// The database fails.
pub async fn get_file(on: &mut SqliteConnection, path: &str) -> Result<Option<File>> {
    let row = sqlx::query("SELECT * FROM file WHERE path = $1").bind(path).fetch_optional(on).await?;
    row.as_ref().map(file).transpose()
}

/// Keeps a file, in the place of the one that has its path.
///
/// # Errors
///
/// The database fails.
pub async fn put_file(on: &mut SqliteConnection, file: &File) -> Result<()> {
    sqlx::query(
        "INSERT INTO file (path, sha256, bytes, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (path) DO UPDATE SET sha256 = $2, bytes = $3, changed_at = $4, changed_by = $5, \
         revision = revision + 1",
    )
    .bind(&file.path)
    .bind(&file.sha256)
    .bind(file.bytes)
    .bind(file.changed_at.as_millis())
    .bind(&file.changed_by)
    .execute(on)
    .await?;
    Ok(())
}

/// Takes a file out of the project; whether there was one. Its content stays.
///
/// # Errors
///
/// The database fails.
pub async fn remove_file(on: &mut SqliteConnection, path: &str) -> Result<bool> {
    Ok(sqlx::query("DELETE FROM file WHERE path = $1").bind(path).execute(on).await?.rows_affected() == 1)
}

/// Who is on which tariff or allowance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: String,
    /// `retail`, `wholesale` or `allowance`.
    pub side: String,
    /// An occupier, the operator, or `*`.
    pub payer: String,
    /// A site, or `*`.
    pub site: String,
    /// The tariff or allowance.
    pub tariff: String,
    /// From when, as tables write it; empty: always.
    pub from: String,
    /// Until when, that not included; empty: for ever.
    pub until: String,
    /// How many of it, for allowances.
    pub quantity: String,
    /// Those who share it, for allowances.
    pub group: String,
    /// When it was made.
    pub created_at: Instant,
    /// Grows with each change.
    pub revision: i64,
}

fn assignment(row: &SqliteRow) -> Result<Assignment> {
    Ok(Assignment {
        id: row.try_get("id")?,
        side: row.try_get("side")?,
        payer: row.try_get("payer")?,
        site: row.try_get("site")?,
        tariff: row.try_get("tariff")?,
        from: row.try_get("valid_from")?,
        until: row.try_get("valid_until")?,
        quantity: row.try_get("quantity")?,
        group: row.try_get("shared_by")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        revision: row.try_get("revision")?,
    })
}

/// All assignments, by id.
///
/// # Errors
///
/// The database fails.
pub async fn assignments(on: &mut SqliteConnection) -> Result<Vec<Assignment>> {
    sqlx::query("SELECT * FROM assignment ORDER BY id").fetch_all(on).await?.iter().map(assignment).collect()
}

/// One assignment.
///
/// # Errors
///
/// The database fails.
pub async fn get_assignment(on: &mut SqliteConnection, id: &str) -> Result<Option<Assignment>> {
    let row = sqlx::query("SELECT * FROM assignment WHERE id = $1").bind(id).fetch_optional(on).await?;
    row.as_ref().map(assignment).transpose()
}

/// Keeps an assignment, new or in the place of what it said before.
///
/// # Errors
///
/// The database fails.
pub async fn put_assignment(on: &mut SqliteConnection, assignment: &Assignment) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO assignment (id, side, payer, site, tariff, valid_from, valid_until, quantity, shared_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET side = $2, payer = $3, \
         site = $4, tariff = $5, valid_from = $6, valid_until = $7, quantity = $8, shared_by = $9, \
         revision = revision + 1",
    );
    let query = query.bind(&assignment.id).bind(&assignment.side).bind(&assignment.payer).bind(&assignment.site);
    let query = query.bind(&assignment.tariff).bind(&assignment.from).bind(&assignment.until);
    let query = query.bind(&assignment.quantity).bind(&assignment.group).bind(assignment.created_at.as_millis());
    query.execute(on).await?;
    Ok(())
}

/// Takes an assignment away; whether there was one.
///
/// # Errors
///
/// The database fails.
pub async fn remove_assignment(on: &mut SqliteConnection, id: &str) -> Result<bool> {
    Ok(sqlx::query("DELETE FROM assignment WHERE id = $1").bind(id).execute(on).await?.rows_affected() == 1)
}

/// A setting that is one of a kind, as JSON, and its revision (0 if it was never set).
///
/// # Errors
///
/// The database fails.
pub async fn setting(on: &mut SqliteConnection, name: &str) -> Result<(Option<String>, i64)> {
    let row =
        sqlx::query("SELECT content, revision FROM setting WHERE name = $1").bind(name).fetch_optional(on).await?;
    row.map_or(Ok((None, 0)), |row| Ok((Some(row.try_get("content")?), row.try_get("revision")?)))
}

/// Sets a setting.
///
/// # Errors
///
/// The database fails.
pub async fn set(on: &mut SqliteConnection, name: &str, content: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO setting (name, content) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET content = $2, revision = revision + 1",
    )
    .bind(name)
    .bind(content)
    .execute(on)
    .await?;
    Ok(())
}

/// The gaps that were accepted, the newest first: name, by whom, why, when.
///
/// # Errors
///
/// The database fails.
pub async fn accepted_gaps(on: &mut SqliteConnection) -> Result<Vec<(String, String, String, Instant)>> {
    let rows = sqlx::query("SELECT * FROM accepted_gap ORDER BY accepted_at DESC, gap").fetch_all(on).await?;
    let read = |row: &SqliteRow| {
        let at = Instant::from_millis(row.try_get("accepted_at")?);
        Ok((row.try_get("gap")?, row.try_get("accepted_by")?, row.try_get("reason")?, at))
    };
    rows.iter().map(read).collect()
}

/// Accepts a gap in the input, with a reason.
///
/// # Errors
///
/// The database fails.
pub async fn accept_gap(on: &mut SqliteConnection, gap: &str, by: &str, reason: &str, at: Instant) -> Result<()> {
    sqlx::query(
        "INSERT INTO accepted_gap (gap, accepted_by, reason, accepted_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (gap) DO UPDATE SET accepted_by = $2, reason = $3, accepted_at = $4",
    )
    .bind(gap)
    .bind(by)
    .bind(reason)
    .bind(at.as_millis())
    .execute(on)
    .await?;
    Ok(())
}
