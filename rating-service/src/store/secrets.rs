//! Secrets that are handed out once and kept as their hash: sessions, invitations, tokens, the first link.

use rating_core::time::Instant;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use super::{from_texts, texts};
use crate::error::{Problem, Result};

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new secret: 32 random bytes as hexadecimal digits.
///
/// # Errors
///
/// The system has no randomness to give.
pub fn fresh() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(hex(&bytes))
}

/// A new id: `prefix` and 16 random hexadecimal digits.
///
/// # Errors
///
/// The system has no randomness to give.
pub fn fresh_id(prefix: &str) -> Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(format!("{prefix}-{}", hex(&bytes)))
}

/// What is kept of a secret.
#[must_use]
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Puts the first link's secret in the place of any earlier one.
///
/// # Errors
///
/// The database fails.
pub async fn set_setup_link(on: &mut SqliteConnection, secret: &str, at: Instant) -> Result<()> {
    sqlx::query("DELETE FROM setup_link").execute(&mut *on).await?;
    sqlx::query("INSERT INTO setup_link (secret, created_at) VALUES ($1, $2)")
        .bind(hash(secret))
        .bind(at.as_millis())
        .execute(on)
        .await?;
    Ok(())
}

/// Uses up the first link; whether it was the right one.
///
/// # Errors
///
/// The database fails.
pub async fn use_setup_link(on: &mut SqliteConnection, secret: &str) -> Result<bool> {
    let gone = sqlx::query("DELETE FROM setup_link WHERE secret = $1").bind(hash(secret)).execute(on).await?;
    Ok(gone.rows_affected() == 1)
}

/// Keeps a session.
///
/// # Errors
///
/// The database fails.
pub async fn add_session(
    on: &mut SqliteConnection,
    secret: &str,
    user: &str,
    at: Instant,
    expires: Instant,
) -> Result<()> {
    sqlx::query("INSERT INTO session (secret, user, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)")
        .bind(hash(secret))
        .bind(user)
        .bind(at.as_millis())
        .bind(expires.as_millis())
        .execute(on)
        .await?;
    Ok(())
}

/// Whose session a secret is, if it is one that is still good at `at`.
///
/// # Errors
///
/// The database fails.
pub async fn session_user(on: &mut SqliteConnection, secret: &str, at: Instant) -> Result<Option<String>> {
    let row = sqlx::query("SELECT user FROM session WHERE secret = $1 AND expires_at > $2")
        .bind(hash(secret))
        .bind(at.as_millis())
        .fetch_optional(on)
        .await?;
    row.map(|row| Ok(row.try_get("user")?)).transpose()
}

/// Ends one session.
///
/// # Errors
///
/// The database fails.
pub async fn end_session(on: &mut SqliteConnection, secret: &str) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE secret = $1").bind(hash(secret)).execute(on).await?;
    Ok(())
}

/// Ends every session of a user.
///
/// # Errors
///
/// The database fails.
pub async fn end_sessions_of(on: &mut SqliteConnection, user: &str) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE user = $1").bind(user).execute(on).await?;
    Ok(())
}

/// What an invitation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To join: choose the first password.
    Join,
    /// To choose another password.
    Reset,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Reset => "reset",
        }
    }
}

/// Keeps an invitation; earlier ones of the user that are not used are void.
///
/// # Errors
///
/// The database fails.
pub async fn add_invitation(
    on: &mut SqliteConnection,
    secret: &str,
    user: &str,
    purpose: Purpose,
    at: Instant,
    expires: Instant,
) -> Result<()> {
    sqlx::query("DELETE FROM invitation WHERE user = $1 AND used_at IS NULL").bind(user).execute(&mut *on).await?;
    sqlx::query("INSERT INTO invitation (secret, user, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(hash(secret))
        .bind(user)
        .bind(purpose.name())
        .bind(at.as_millis())
        .bind(expires.as_millis())
        .execute(on)
        .await?;
    Ok(())
}

/// Whom an invitation invites, if it can still be used at `at`.
///
/// # Errors
///
/// The database fails.
pub async fn invited(on: &mut SqliteConnection, secret: &str, at: Instant) -> Result<Option<String>> {
    let row = sqlx::query("SELECT user FROM invitation WHERE secret = $1 AND used_at IS NULL AND expires_at > $2")
        .bind(hash(secret))
        .bind(at.as_millis())
        .fetch_optional(on)
        .await?;
    row.map(|row| Ok(row.try_get("user")?)).transpose()
}

/// Uses up an invitation; whether it could be used at `at`.
///
/// # Errors
///
/// The database fails.
pub async fn use_invitation(on: &mut SqliteConnection, secret: &str, at: Instant) -> Result<bool> {
    let used =
        sqlx::query("UPDATE invitation SET used_at = $2 WHERE secret = $1 AND used_at IS NULL AND expires_at > $2")
            .bind(hash(secret))
            .bind(at.as_millis())
            .execute(on)
            .await?;
    Ok(used.rows_affected() == 1)
}

/// A token of a machine.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// At which sites; `None` is all.
    pub sites: Option<Vec<String>>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Instant,
    /// Until when it is good.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

fn token(row: &sqlx::sqlite::SqliteRow) -> Result<Token> {
    let sites: String = row.try_get("sites")?;
    let scopes: String = row.try_get("scopes")?;
    let every_site: bool = row.try_get("every_site")?;
    Ok(Token {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scopes: from_texts(&scopes),
        sites: (!every_site).then(|| from_texts(&sites)),
        created_by: row.try_get("created_by")?,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Instant::from_millis),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Instant::from_millis),
    })
}

/// Keeps a token.
///
/// # Errors
///
/// The database fails.
pub async fn add_token(on: &mut SqliteConnection, secret: &str, token: &Token) -> Result<()> {
    sqlx::query(
        "INSERT INTO token (id, secret, name, scopes, every_site, sites, created_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&token.id)
    .bind(hash(secret))
    .bind(&token.name)
    .bind(texts(&token.scopes))
    .bind(token.sites.is_none())
    .bind(texts(token.sites.as_deref().unwrap_or_default()))
    .bind(&token.created_by)
    .bind(token.created_at.as_millis())
    .bind(token.expires_at.map(Instant::as_millis))
    .execute(on)
    .await?;
    Ok(())
}

/// The token of a secret, if it is good at `at`.
///
/// # Errors
///
/// The database fails.
pub async fn token_of(on: &mut SqliteConnection, secret: &str, at: Instant) -> Result<Option<Token>> {
    let row = sqlx::query(
        "SELECT * FROM token WHERE secret = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(hash(secret))
    .bind(at.as_millis())
    .fetch_optional(on)
    .await?;
    row.as_ref().map(token).transpose()
}

/// All tokens, by id.
///
/// # Errors
///
/// The database fails.
pub async fn tokens(on: &mut SqliteConnection) -> Result<Vec<Token>> {
    sqlx::query("SELECT * FROM token ORDER BY id").fetch_all(on).await?.iter().map(token).collect()
}

/// Revokes a token; whether there was one to revoke.
///
/// # Errors
///
/// The database fails.
pub async fn revoke_token(on: &mut SqliteConnection, id: &str, at: Instant) -> Result<bool> {
    let revoked = sqlx::query("UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(at.as_millis())
        .execute(on)
        .await?;
    Ok(revoked.rows_affected() == 1)
}
