//! Answers kept under a client's key, so that a request sent twice is done once.

use rating_core::time::Instant;
use sqlx::{Row, SqliteConnection};

use crate::error::Result;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of the request: method, address and body.
    pub request: Vec<u8>,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// An answer to give again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers worth repeating, as JSON pairs.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is kept under a key of an actor.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, actor: &str, key: &str) -> Result<Option<Kept>> {
    let row = sqlx::query("SELECT request, status, headers, body FROM idempotency WHERE actor = $1 AND key = $2")
        .bind(actor)
        .bind(key)
        .fetch_optional(on)
        .await?;
    row.map(|row| {
        let status: Option<u16> = row.try_get("status")?;
        let answer = match status {
            Some(status) => Some(Answer { status, headers: row.try_get("headers")?, body: row.try_get("body")? }),
            None => None,
        };
        Ok(Kept { request: row.try_get("request")?, answer })
    })
    .transpose()
}

/// Takes a key, unless somebody has it; keys older than `forget` are free again.
///
/// # Errors
///
/// The database fails.
pub async fn take(
    on: &mut SqliteConnection,
    actor: &str,
    key: &str,
    request: &[u8],
    at: Instant,
    forget: Instant,
) -> Result<bool> {
    sqlx::query("DELETE FROM idempotency WHERE created_at < $1").bind(forget.as_millis()).execute(&mut *on).await?;
    let taken = sqlx::query(
        "INSERT INTO idempotency (actor, key, request, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(actor)
    .bind(key)
    .bind(request)
    .bind(at.as_millis())
    .execute(on)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Keeps the answer under a key, or, if there is none worth keeping, frees the key.
///
/// # Errors
///
/// The database fails.
pub async fn settle(on: &mut SqliteConnection, actor: &str, key: &str, answer: Option<&Answer>) -> Result<()> {
    let query = match answer {
        Some(answer) => {
            sqlx::query("UPDATE idempotency SET status = $3, headers = $4, body = $5 WHERE actor = $1 AND key = $2")
                .bind(actor)
                .bind(key)
                .bind(answer.status)
                .bind(&answer.headers)
                .bind(&answer.body)
        }
        None => sqlx::query("DELETE FROM idempotency WHERE actor = $1 AND key = $2").bind(actor).bind(key),
    };
    query.execute(on).await?;
    Ok(())
}

/// Frees the keys of requests that a service before this one did not finish.
///
/// # Errors
///
/// The database fails.
pub async fn free_unfinished(on: &mut SqliteConnection) -> Result<()> {
    sqlx::query("DELETE FROM idempotency WHERE status IS NULL").execute(on).await?;
    Ok(())
}
