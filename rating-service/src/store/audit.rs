//! The audit log: who did what, when. Entries are chained by hashes, so that one taken out or changed shows.

use rating_core::time::Instant;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use super::Actor;
use crate::error::{Problem, Result};

/// Something done. No personal data: ids alone.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What: `site.created`.
    pub action: &'static str,
    /// To what: `site:ldn`.
    pub subject: String,
    /// At which site, if at one.
    pub site: Option<String>,
    /// Of which occupier, if of one.
    pub occupier: Option<String>,
    /// More, as a JSON object.
    pub details: serde_json::Value,
}

impl Entry {
    /// An entry without more to say.
    #[must_use]
    pub fn new(action: &'static str, subject: impl Into<String>) -> Self {
        Self { action, subject: subject.into(), site: None, occupier: None, details: serde_json::json!({}) }
    }

    /// At a site.
    #[must_use]
    pub fn at(mut self, site: impl Into<String>) -> Self {
        self.site = Some(site.into());
        self
    }

    /// Of an occupier.
    #[must_use]
    pub fn of(mut self, occupier: impl Into<String>) -> Self {
        self.occupier = Some(occupier.into());
        self
    }

    /// With more to say.
    #[must_use]
    pub fn with(mut self, details: serde_json::Value) -> Self {
        self.details = details;
        self
    }
}

/// An entry as it stands in the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its place, from 1.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who: `user:…`, `token:…`, `service`.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// At which site.
    pub site: Option<String>,
    /// Of which occupier.
    pub occupier: Option<String>,
    /// More, a JSON object as text.
    pub details: String,
    /// SHA-256 over the hash of the entry before and this entry.
    pub hash: Vec<u8>,
}

impl Logged {
    /// The hash it should have after `before`.
    fn expected_hash(&self, before: &[u8]) -> Vec<u8> {
        let content = serde_json::json!([
            self.seq,
            self.at.as_millis(),
            self.actor,
            self.action,
            self.subject,
            self.site,
            self.occupier,
            self.details
        ]);
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(content.to_string().as_bytes());
        hash.finalize().to_vec()
    }
}

pub(super) async fn append(on: &mut SqliteConnection, at: Instant, actor: &Actor, entry: &Entry) -> Result<()> {
    let last = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(&mut *on).await?;
    let (seq, before): (i64, Vec<u8>) = match last {
        Some(row) => (row.try_get::<i64, _>("seq")? + 1, row.try_get("hash")?),
        None => (1, Vec::new()),
    };
    let mut logged = Logged {
        seq,
        at,
        actor: actor.to_string(),
        action: entry.action.to_owned(),
        subject: entry.subject.clone(),
        site: entry.site.clone(),
        occupier: entry.occupier.clone(),
        details: entry.details.to_string(),
        hash: Vec::new(),
    };
    logged.hash = logged.expected_hash(&before);
    sqlx::query(
        "INSERT INTO audit (seq, at, actor, action, subject, site, occupier, details, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(logged.seq)
    .bind(at.as_millis())
    .bind(&logged.actor)
    .bind(&logged.action)
    .bind(&logged.subject)
    .bind(&logged.site)
    .bind(&logged.occupier)
    .bind(&logged.details)
    .bind(&logged.hash)
    .execute(on)
    .await?;
    Ok(())
}

/// Which entries: those before `before` (the newest if `None`), at most `limit`, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those before this place.
    pub before: Option<i64>,
    /// Only those of this occupier.
    pub occupier: Option<String>,
    /// Only those of these sites; `None` is all, also those of no site.
    pub sites: Option<Vec<String>>,
    /// Only those to this subject.
    pub subject: Option<String>,
    /// Only those by them.
    pub actor: Option<String>,
    /// Only those from then on.
    pub from: Option<Instant>,
    /// Only those before then.
    pub until: Option<Instant>,
    /// How many.
    pub limit: i64,
}

/// Entries, newest first.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection, filter: &Filter) -> Result<Vec<Logged>> {
    let rows = sqlx::query(
        "SELECT seq, at, actor, action, subject, site, occupier, details, hash FROM audit \
         WHERE ($1 IS NULL OR seq < $1) AND ($2 IS NULL OR occupier = $2) AND ($3 IS NULL OR subject = $3) \
         AND ($4 IS NULL OR site IN (SELECT value FROM json_each($4))) AND ($6 IS NULL OR actor = $6) \
         AND ($7 IS NULL OR at >= $7) AND ($8 IS NULL OR at < $8) ORDER BY seq DESC LIMIT $5",
    )
    .bind(filter.before)
    .bind(&filter.occupier)
    .bind(&filter.subject)
    .bind(filter.sites.as_deref().map(super::texts))
    .bind(filter.limit)
    .bind(&filter.actor)
    .bind(filter.from.map(Instant::as_millis))
    .bind(filter.until.map(Instant::as_millis))
    .fetch_all(on)
    .await?;
    rows.iter().map(logged).collect()
}

fn logged(row: &sqlx::sqlite::SqliteRow) -> Result<Logged> {
    Ok(Logged {
        seq: row.try_get("seq")?,
        at: Instant::from_millis(row.try_get("at")?),
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        site: row.try_get("site")?,
        occupier: row.try_get("occupier")?,
        details: row.try_get("details")?,
        hash: row.try_get("hash")?,
    })
}

/// Follows the chain from its first entry: how many entries there are, and the place of the first that does not fit.
///
/// # Errors
///
/// The database fails.
pub async fn verify(on: &mut SqliteConnection) -> Result<(u64, Option<i64>)> {
    let mut before = Vec::new();
    let mut count = 0_u64;
    loop {
        let after = i64::try_from(count).map_err(Problem::internal)?;
        let rows = sqlx::query(
            "SELECT seq, at, actor, action, subject, site, occupier, details, hash FROM audit \
             WHERE seq > $1 ORDER BY seq LIMIT 1000",
        )
        .bind(after)
        .fetch_all(&mut *on)
        .await?;
        if rows.is_empty() {
            return Ok((count, None));
        }
        for row in &rows {
            let entry = logged(row)?;
            let place = i64::try_from(count + 1).map_err(Problem::internal)?;
            if entry.seq != place || entry.hash != entry.expected_hash(&before) {
                return Ok((count, Some(place)));
            }
            before = entry.hash;
            count += 1;
        }
    }
}
