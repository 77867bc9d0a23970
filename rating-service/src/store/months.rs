//! Runs of months, and what became of each: checked, approved, published, superseded.

use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::Result;

/// A run of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub run: String,
    /// The month.
    pub month: String,
    /// `checked`, `approved`, `published`, `superseded`, `discarded`.
    pub state: String,
    /// When it was checked.
    pub checked_at: Instant,
    /// Who checked it.
    pub checked_by: String,
    /// When it was approved, and by whom.
    pub approved: Option<(Instant, String)>,
    /// When it was published, and by whom.
    pub published: Option<(Instant, String)>,
    /// When another took its place.
    pub superseded_at: Option<Instant>,
    /// What was worth a look, as JSON.
    pub findings: String,
}

fn run(row: &SqliteRow) -> Result<Run> {
    let done = |at: &str, by: &str| -> Result<Option<(Instant, String)>> {
        let at: Option<i64> = row.try_get(at)?;
        let by: Option<String> = row.try_get(by)?;
        Ok(at.map(|at| (Instant::from_millis(at), by.unwrap_or_default())))
    };
    Ok(Run {
        run: row.try_get("run")?,
        month: row.try_get("month")?,
        state: row.try_get("state")?,
        checked_at: Instant::from_millis(row.try_get("checked_at")?),
        checked_by: row.try_get("checked_by")?,
        approved: done("approved_at", "approved_by")?,
        published: done("published_at", "published_by")?,
        superseded_at: row.try_get::<Option<i64>, _>("superseded_at")?.map(Instant::from_millis),
        findings: row.try_get("findings")?,
    })
}

/// The runs of a month, or of all, the newest check first; those discarded left out.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection, month: Option<&str>) -> Result<Vec<Run>> {
    sqlx::query(
        "SELECT * FROM month_run WHERE ($1 IS NULL OR month = $1) AND state <> 'discarded' \
         ORDER BY month DESC, checked_at DESC, run",
    )
    .bind(month)
    .fetch_all(on)
    .await?
    .iter()
    .map(run)
    .collect()
}

/// One run.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<Run>> {
    let row = sqlx::query("SELECT * FROM month_run WHERE run = $1").bind(id).fetch_optional(on).await?;
    row.as_ref().map(run).transpose()
}

/// Keeps that a run was checked. One that was approved or published already stays so; one discarded is checked again.
///
/// # Errors
///
/// The database fails.
pub async fn checked(
    on: &mut SqliteConnection,
    id: &str,
    month: &str,
    by: &str,
    findings: &str,
    at: Instant,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO month_run (run, month, state, checked_at, checked_by, findings) VALUES ($1, $2, 'checked', $3, $4, $5) \
         ON CONFLICT (run) DO UPDATE SET checked_at = $3, checked_by = $4, findings = $5, \
         state = CASE state WHEN 'discarded' THEN 'checked' ELSE state END",
    )
    .bind(id)
    .bind(month)
    .bind(at.as_millis())
    .bind(by)
    .bind(findings)
    .execute(on)
    .await?;
    Ok(())
}

/// Keeps that a run is approved; one that was approved before it is merely checked again.
///
/// # Errors
///
/// The database fails.
pub async fn approve(on: &mut SqliteConnection, run: &Run, by: &str, at: Instant) -> Result<()> {
    sqlx::query("UPDATE month_run SET state = 'checked', approved_at = NULL, approved_by = NULL WHERE month = $1 AND state = 'approved'")
        .bind(&run.month)
        .execute(&mut *on)
        .await?;
    sqlx::query("UPDATE month_run SET state = 'approved', approved_at = $2, approved_by = $3 WHERE run = $1")
        .bind(&run.run)
        .bind(at.as_millis())
        .bind(by)
        .execute(on)
        .await?;
    Ok(())
}

/// Keeps that a run is published; the one published before it is superseded.
///
/// # Errors
///
/// The database fails.
pub async fn published(on: &mut SqliteConnection, run: &Run, by: &str, at: Instant) -> Result<()> {
    sqlx::query("UPDATE month_run SET state = 'superseded', superseded_at = $3 WHERE month = $1 AND state = 'published' AND run <> $2")
        .bind(&run.month)
        .bind(&run.run)
        .bind(at.as_millis())
        .execute(&mut *on)
        .await?;
    sqlx::query(
        "UPDATE month_run SET state = 'published', published_at = $2, published_by = $3, superseded_at = NULL WHERE run = $1",
    )
    .bind(&run.run)
    .bind(at.as_millis())
    .bind(by)
    .execute(on)
    .await?;
    Ok(())
}

/// Keeps that a run was thrown away.
///
/// # Errors
///
/// The database fails.
pub async fn discard(on: &mut SqliteConnection, id: &str) -> Result<()> {
    sqlx::query("UPDATE month_run SET state = 'discarded', approved_at = NULL, approved_by = NULL WHERE run = $1")
        .bind(id)
        .execute(on)
        .await?;
    Ok(())
}
