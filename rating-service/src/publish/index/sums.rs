//! Sums as they stand in an index.

use std::collections::BTreeMap;

use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::query::{Shown, id_text};
use super::{Call, Index, database};
use crate::publish::download::Audience;
use crate::publish::published::Version;
use crate::publish::refusal::Result;

/// What calls are added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumKind {
    /// All of a payer at a site.
    Total,
    /// By extension, or by number where no extension is known.
    Extension,
    /// By destination.
    Destination,
    /// By day of the week and hour, on the site's clock.
    Hour,
}

impl SumKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Extension => "extension",
            Self::Destination => "destination",
            Self::Hour => "hour",
        }
    }
}

/// Charged calls of one payer at one site that have something in common, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The extension, the destination, or the day of the week (`1` is Monday); may be empty.
    pub first: String,
    /// The extension's number, if it had one; or the hour, `00` to `23`.
    pub second: String,
    /// In this currency.
    pub currency: String,
    /// How many.
    pub calls: u64,
    /// Their talk time, as reports write it.
    pub duration_s: String,
    /// Their time after minimum and increments.
    pub billed_duration_s: String,
    /// What they cost.
    pub charge: String,
    /// Their VAT, where it is worked out call by call.
    pub vat: Option<String>,
}

/// What became of the calls of one payer at one site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub calls: u64,
    /// Charged, at 0.00 too.
    pub charged: u64,
    /// Not chargeable.
    pub not_chargeable: u64,
    /// Suspended.
    pub suspended: u64,
}

/// Suspended calls with the same reason and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspended {
    /// The site.
    pub site: String,
    /// Who would pay; empty if that is not known.
    pub payer: String,
    /// The switch.
    pub source: String,
    /// `retail` or `wholesale`.
    pub side: String,
    /// Stable code.
    pub reason: String,
    /// What the key is: `number`, `extension`, `dialled`, `payer`, `tariff`, `prefix` or `source`.
    pub key_kind: String,
    /// What they have in common besides.
    pub key: String,
    /// How many.
    pub calls: u64,
    /// Talk time.
    pub duration_s: String,
    /// When the first was charged, and its id.
    pub first: (Instant, String),
    /// The last.
    pub last: (Instant, String),
    /// What the other side comes to, by currency.
    pub at_stake: BTreeMap<String, String>,
}

fn count(row: &SqliteRow, column: &str) -> std::result::Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

impl Index {
    /// Sums of a payer at a site, in the order of what they are by. Who may see them is the caller's to decide.
    ///
    /// # Errors
    ///
    /// If the index cannot be made or read.
    pub async fn sums(&self, version: &Version, payer: &str, site: &str, kind: SumKind) -> Result<Vec<Sum>> {
        let pool = self.pool(version).await?;
        let query = sqlx::query(
            "SELECT * FROM sum WHERE payer = $1 AND site = $2 AND kind = $3 ORDER BY first, second, currency",
        );
        let rows = query.bind(payer).bind(site).bind(kind.name()).fetch_all(&pool).await;
        let sum = |row: &SqliteRow| -> std::result::Result<Sum, sqlx::Error> {
            Ok(Sum {
                first: row.try_get("first")?,
                second: row.try_get("second")?,
                currency: row.try_get("currency")?,
                calls: count(row, "calls")?,
                duration_s: row.try_get("duration_s")?,
                billed_duration_s: row.try_get("billed_duration_s")?,
                charge: row.try_get("charge")?,
                vat: row.try_get("vat")?,
            })
        };
        rows.and_then(|rows| rows.iter().map(sum).collect()).map_err(|error| database(&error))
    }

    /// What became of the calls of a payer at a site.
    ///
    /// # Errors
    ///
    /// As [`sums`](Self::sums).
    pub async fn counts(&self, version: &Version, payer: &str, site: &str) -> Result<Counts> {
        let pool = self.pool(version).await?;
        let query = sqlx::query("SELECT * FROM payer_count WHERE payer = $1 AND site = $2").bind(payer).bind(site);
        let row = query.fetch_optional(&pool).await.map_err(|error| database(&error))?;
        let Some(row) = row else { return Ok(Counts::default()) };
        let counts = |row: &SqliteRow| -> std::result::Result<Counts, sqlx::Error> {
            Ok(Counts {
                calls: count(row, "calls")?,
                charged: count(row, "charged")?,
                not_chargeable: count(row, "not_chargeable")?,
                suspended: count(row, "suspended")?,
            })
        };
        counts(&row).map_err(|error| database(&error))
    }

    /// The ten dearest calls (of each currency) and the ten longest of a payer at a site, as an audience may see them.
    ///
    /// # Errors
    ///
    /// `publish.not_available` if the audience may see no calls; else as [`sums`](Self::sums).
    pub async fn largest(
        &self,
        version: &Version,
        audience: &Audience,
        payer: &str,
        site: &str,
    ) -> Result<[Vec<Call>; 2]> {
        let shown = Shown::of(version, audience)?;
        let pool = self.pool(version).await?;
        let mut lists = [Vec::new(), Vec::new()];
        let kinds = [("charge", "call.currency, largest.rank"), ("duration", "largest.rank")];
        for (list, (kind, order)) in lists.iter_mut().zip(kinds) {
            let mut sql = QueryBuilder::<Sqlite>::new(
                "SELECT call.* FROM largest CROSS JOIN call ON call.id = largest.id AND call.payer_id = largest.payer \
                 AND call.site = largest.site WHERE largest.payer = ",
            );
            sql.push_bind(payer.to_owned()).push(" AND largest.site = ").push_bind(site.to_owned());
            sql.push(" AND largest.kind = ").push_bind(kind).push(" ORDER BY ").push(order);
            let rows = sql.build().fetch_all(&pool).await.map_err(|error| database(&error))?;
            let calls = rows.iter().map(|row| shown.call(row)).collect::<std::result::Result<_, _>>();
            *list = calls.map_err(|error| database(&error))?;
        }
        Ok(lists)
    }

    /// Suspended calls of these sites (`None` is all), by reason and key.
    ///
    /// # Errors
    ///
    /// As [`sums`](Self::sums).
    pub async fn suspended(&self, version: &Version, sites: Option<&[String]>) -> Result<Vec<Suspended>> {
        let pool = self.pool(version).await?;
        let query = sqlx::query(
            "SELECT * FROM suspended WHERE ($1 IS NULL OR site IN (SELECT value FROM json_each($1))) \
             ORDER BY reason, side, key_kind, key, site, source, payer",
        );
        let sites = sites.map(serde_json::to_string).transpose().map_err(crate::publish::Refusal::internal)?;
        let rows = query.bind(sites).fetch_all(&pool).await;
        let suspended = |row: &SqliteRow| -> std::result::Result<Suspended, sqlx::Error> {
            let place = |at: &str, id: &str| -> std::result::Result<(Instant, String), sqlx::Error> {
                Ok((Instant::from_millis(row.try_get(at)?), id_text(row.try_get(id)?)))
            };
            Ok(Suspended {
                site: row.try_get("site")?,
                payer: row.try_get("payer")?,
                source: row.try_get("source")?,
                side: row.try_get("side")?,
                reason: row.try_get("reason")?,
                key_kind: row.try_get("key_kind")?,
                key: row.try_get("key")?,
                calls: count(row, "calls")?,
                duration_s: row.try_get("duration_s")?,
                first: place("first_at", "first_id")?,
                last: place("last_at", "last_id")?,
                at_stake: serde_json::from_str(&row.try_get::<String, _>("at_stake")?).unwrap_or_default(),
            })
        };
        rows.and_then(|rows| rows.iter().map(suspended).collect()).map_err(|error| database(&error))
    }

    /// The clock of a site, as the version was made by it: its name.
    ///
    /// # Errors
    ///
    /// As [`sums`](Self::sums).
    pub async fn zone(&self, version: &Version, site: &str) -> Result<Option<String>> {
        let pool = self.pool(version).await?;
        let row = sqlx::query("SELECT zone FROM site WHERE id = $1").bind(site).fetch_optional(&pool).await;
        row.and_then(|row| row.map(|row| row.try_get("zone")).transpose()).map_err(|error| database(&error))
    }
}
