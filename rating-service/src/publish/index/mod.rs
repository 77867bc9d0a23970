//! A disposable index of the calls of a version, for pages: SQLite, made from the published Parquet when a month is published,
//! or when it is first asked for. It may be removed at any time; what is published is the truth.
//!
//! It is made aside and renamed when it is whole, and a version never changes, so an index is never out of date. What an
//! occupier is shown of a call follows the same list of columns as its downloads. Sums are made with the index: a page over a
//! month of a million calls reads some rows.

mod columns;
mod gather;
mod make;
mod query;
mod sums;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rating_core::run::storage::Disk;
use rating_core::time::Zone;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::download::Audience;
use super::published::Version;
use super::refusal::{Refusal, Result};
use super::{project, runs};
use query::{Shown, cursor, limit_to, parse_id, select};

pub use query::{Call, Cursor, Page, Query};
pub use sums::{Counts, Sum, SumKind, Suspended};

/// The folder, in the data folder.
const FOLDER: &str = "index";

/// The version of the layout: an index of another one is made again.
const LAYOUT: u32 = 2;

/// How many indexes stay open. A year of months and some.
const OPEN: usize = 16;

/// Connections to each of them.
const CONNECTIONS: u32 = 4;

/// The indexes of a data folder.
#[derive(Clone)]
pub struct Index {
    data: PathBuf,
    /// One is made at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Those that were used last, the latest at the end.
    open: Arc<Mutex<Vec<(PathBuf, SqlitePool)>>>,
}

/// A call, and where its record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The call, as its reader may see it.
    pub call: Call,
    /// The file of its record, below the project.
    pub file: String,
    /// Offset of its first byte, uncompressed.
    pub offset: i64,
}

fn database(error: &sqlx::Error) -> Refusal {
    match error {
        sqlx::Error::Io(error) => Refusal::disk("the index of calls", error),
        sqlx::Error::Database(database) if database.message().contains("full") => {
            Refusal::new("publish.disk_full", "the disk is full; the index of calls was not made")
        }
        error => Refusal::internal(format!("the index of calls: {error}")),
    }
}

impl Index {
    /// The indexes of a data folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), turn: Arc::default(), open: Arc::default() }
    }

    /// A page of the calls of a version, as an audience may see them.
    ///
    /// # Errors
    ///
    /// `publish.not_available` if the audience may see no calls; or if the index cannot be made or read.
    pub async fn calls(&self, version: &Version, audience: &Audience, query: &Query) -> Result<Page> {
        let shown = Shown::of(version, audience)?;
        let pool = self.pool(version).await?;
        let limit = query.limit.clamp(1, 1_000);
        let mut sql = select(audience, query, &shown, limit);
        let rows = sql.build().fetch_all(&pool).await.map_err(|error| database(&error))?;
        let on_page = rows.iter().take(limit as usize);
        let calls = on_page.map(|row| shown.call(row)).collect::<std::result::Result<_, _>>();
        let next = match rows.get(limit as usize).and(rows.get((limit as usize).saturating_sub(1))) {
            Some(last) => Some(cursor(last).map_err(|error| database(&error))?),
            None => None,
        };
        Ok(Page { calls: calls.map_err(|error| database(&error))?, next })
    }

    /// One call of a version by its id, as an audience may see it, if it may; of these sites alone.
    ///
    /// # Errors
    ///
    /// As [`calls`](Self::calls).
    pub async fn call(
        &self,
        version: &Version,
        audience: &Audience,
        sites: Option<&[String]>,
        id: &str,
    ) -> Result<Option<Placed>> {
        let shown = Shown::of(version, audience)?;
        let Some(id) = parse_id(id) else { return Ok(None) };
        let pool = self.pool(version).await?;
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT call.*, (SELECT path FROM file WHERE file.id = call.file) AS path FROM call WHERE id = ",
        );
        sql.push_bind(id);
        limit_to(&mut sql, audience, sites);
        let row = sql.build().fetch_optional(&pool).await.map_err(|error| database(&error))?;
        let placed = row.map(|row| -> std::result::Result<Placed, sqlx::Error> {
            Ok(Placed {
                call: shown.call(&row)?,
                file: row.try_get::<Option<String>, _>("path")?.unwrap_or_default(),
                offset: row.try_get("record_offset")?,
            })
        });
        placed.transpose().map_err(|error| database(&error))
    }

    /// Makes the index of a version, unless there is one.
    ///
    /// # Errors
    ///
    /// If the version cannot be read, or the disk refuses.
    pub async fn make(&self, version: &Version) -> Result<()> {
        self.file(version).await.map(drop)
    }

    /// Connections to the index of a version, which is made if it is not there.
    async fn pool(&self, version: &Version) -> Result<SqlitePool> {
        let file = self.file(version).await?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|(known, _)| *known == file);
        let entry = match at {
            Some(at) => open.remove(at),
            None => {
                // What is only read never changes.
                let options = SqliteConnectOptions::new().filename(&file).read_only(true).immutable(true);
                let options = options.pragma("mmap_size", "1073741824");
                let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options);
                (file, pool)
            }
        };
        let pool = entry.1.clone();
        open.push(entry);
        if open.len() > OPEN {
            // Who reads it still keeps it.
            open.remove(0);
        }
        Ok(pool)
    }

    /// The name of the index of a version.
    fn name(version: &Version) -> String {
        let hash: String = version.manifest_sha256.chars().take(16).collect();
        format!("{}-{hash}-{LAYOUT}.sqlite", version.run)
    }

    /// The index of a version, made if it is not there. It is made to its end though nobody waits for it any more.
    async fn file(&self, version: &Version) -> Result<PathBuf> {
        let file = self.data.join(FOLDER).join(Self::name(version));
        if tokio::fs::try_exists(&file).await.unwrap_or(false) {
            return Ok(file);
        }
        let (index, version) = (self.clone(), version.clone());
        let made = tokio::spawn(async move { index.made(&version, file).await });
        made.await.map_err(Refusal::internal)?
    }

    async fn made(&self, version: &Version, file: PathBuf) -> Result<PathBuf> {
        let _turn = self.turn.lock().await;
        if tokio::fs::try_exists(&file).await.unwrap_or(false) {
            return Ok(file);
        }
        let folder = self.data.join(FOLDER);
        let aside = folder.join(format!(".partial-{}.sqlite", version.run));
        let made = async {
            tokio::fs::create_dir_all(&folder).await.map_err(|error| Refusal::disk("the index of calls", &error))?;
            let _ = tokio::fs::remove_file(&aside).await;
            make::make(&aside, version.tables_of_calls(), self.zones(version)).await?;
            tokio::fs::rename(&aside, &file).await.map_err(|error| Refusal::disk("the index of calls", &error))
        };
        if let Err(refusal) = made.await {
            let _ = tokio::fs::remove_file(&aside).await;
            return Err(refusal);
        }
        Ok(file)
    }

    /// The clocks of the sites, as the project has them that the version was made from.
    fn zones(&self, version: &Version) -> BTreeMap<String, Zone> {
        let kept = runs::read(&Disk, &self.data, &version.run).ok().flatten();
        kept.map(|kept| project::zones(&Disk, &self.data, &kept.project)).unwrap_or_default()
    }

    /// Removes indexes but those of these versions. Pages that are being read end as they began.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn keep_only(&self, versions: &[Version]) -> Result<()> {
        self.keep_only_of(|| Ok(versions.to_vec()))
    }

    /// The same, for versions that are found while no index is being made; nothing is removed while one is.
    ///
    /// # Errors
    ///
    /// If they cannot be found, or the disk refuses.
    pub fn keep_only_of(&self, versions: impl FnOnce() -> Result<Vec<Version>>) -> Result<()> {
        let failed = |error: io::Error| Refusal::disk("the index of calls", &error);
        let folder = self.data.join(FOLDER);
        if !folder.exists() {
            return Ok(());
        }
        let Ok(_turn) = self.turn.try_lock() else { return Ok(()) };
        let names: Vec<String> = versions()?.iter().map(Self::name).collect();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !names.contains(&name) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(file, _)| file.exists());
        Ok(())
    }
}
