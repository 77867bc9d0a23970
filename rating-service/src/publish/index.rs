//! A disposable index of the calls of a version, for pages: SQLite, made from the published Parquet when it is first asked
//! for. It may be removed at any time; what is published is the truth.
//!
//! It is made aside and renamed when it is whole, and a version never changes, so an index is never out of date. What an
//! occupier is shown of a call follows the same list of columns as its downloads.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rating_core::report::parquet::read_rows;
use rating_core::report::{Kind, Report};
use rating_core::time::{Instant, Zone};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};
use tokio::sync::mpsc;

use super::download::{Audience, CalledNumbers, visible};
use super::published::Version;
use super::refusal::{Refusal, Result};

/// The folder, in the data folder.
const FOLDER: &str = "index";

/// The version of the layout: an index of another one is made again.
const LAYOUT: u32 = 1;

/// Columns of calls, in the order of the table; all are texts but the instant.
const COLUMNS: [(&str, Kind); 27] = [
    ("site", Kind::Text),
    ("payer_id", Kind::Text),
    ("charged_at", Kind::Instant),
    ("call_id", Kind::Text),
    ("started_at", Kind::Instant),
    ("extension", Kind::Number),
    ("number", Kind::Number),
    ("calling", Kind::Number),
    ("dialled", Kind::Text),
    ("called", Kind::Number),
    ("destination", Kind::Text),
    ("class", Kind::Text),
    ("direction", Kind::Text),
    ("answered", Kind::Boolean),
    ("duration_s", Kind::Seconds),
    ("billed_duration_s", Kind::Seconds),
    ("allowance_taken_s", Kind::Seconds),
    ("cost", Kind::Amount),
    ("currency", Kind::Text),
    ("tariff", Kind::Text),
    ("band", Kind::Text),
    ("status", Kind::Text),
    ("reason", Kind::Text),
    ("adjusts_month", Kind::Text),
    ("operator_amount", Kind::Amount),
    ("operator_currency", Kind::Text),
    ("wholesale_status", Kind::Text),
];

/// Where the instant that decides stands among the columns.
const CHARGED_AT: usize = 2;

/// Rows that are inserted by one statement: SQLite takes so many values at once.
const AT_ONCE: usize = 500;

/// The indexes of a data folder.
#[derive(Clone)]
pub struct Index {
    data: PathBuf,
    /// One is made at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Which calls a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Of this site alone.
    pub site: Option<String>,
    /// Of this payer alone. An occupier's people see its own calls, whatever stands here.
    pub payer: Option<String>,
    /// Of this extension alone.
    pub extension: Option<String>,
    /// To this destination alone.
    pub destination: Option<String>,
    /// `charged`, `not chargeable` or `suspended`.
    pub status: Option<String>,
    /// From this instant on.
    pub from: Option<Instant>,
    /// Before this instant.
    pub until: Option<Instant>,
    /// After the last call of the page before.
    pub after: Option<Cursor>,
    /// How many, at most a thousand.
    pub limit: u32,
}

/// Where a page ends: the next begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last call was charged, in milliseconds.
    pub charged_at: i64,
    /// Its place in the index.
    pub place: i64,
}

/// A page of calls, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The calls.
    pub calls: Vec<Call>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A call: the columns that its reader may see, each with its text as machine CSV has it (instants in UTC), empty cells left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Column and text.
    pub cells: Vec<(&'static str, String)>,
}

impl Call {
    /// The text of a column, if the reader may see it and there is one.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(name, _)| *name == column).map(|(_, text)| text.as_str())
    }
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
        Self { data: data.to_owned(), turn: Arc::default() }
    }

    /// A page of the calls of a version, as an audience may see them.
    ///
    /// # Errors
    ///
    /// `publish.not_available` if the audience may see no calls; or if the index cannot be made or read.
    pub async fn calls(&self, version: &Version, audience: &Audience, query: &Query) -> Result<Page> {
        let nothing = || Refusal::new("publish.not_available", "there are no such calls");
        let (columns, masks) = match audience {
            Audience::Operator { .. } => (COLUMNS.map(|(name, _)| name).to_vec(), false),
            Audience::Occupier { visibility, .. } => {
                let shown = visible::columns(Report::Itemised, visibility).ok_or_else(nothing)?;
                if version.is_provisional() && !visibility.usage_to_date {
                    return Err(nothing());
                }
                let columns = COLUMNS.map(|(name, _)| name).into_iter().filter(|name| shown.contains(name)).collect();
                (columns, visibility.called_numbers == CalledNumbers::Masked)
            }
        };
        let file = self.file(version).await?;
        let mut connection = open(&file, true).await.map_err(|error| database(&error))?;
        let limit = query.limit.clamp(1, 1_000);
        let mut sql = select(audience, query, limit);
        let rows = sql.build().fetch_all(&mut connection).await.map_err(|error| database(&error))?;
        let shown = rows.iter().take(limit as usize);
        let calls = shown.map(|row| call(row, &columns, masks)).collect::<std::result::Result<_, _>>();
        let next = match rows.get(limit as usize).and(rows.get((limit as usize).saturating_sub(1))) {
            Some(last) => Some(cursor(last).map_err(|error| database(&error))?),
            None => None,
        };
        Ok(Page { calls: calls.map_err(|error| database(&error))?, next })
    }

    /// The index of a version, made if it is not there.
    async fn file(&self, version: &Version) -> Result<PathBuf> {
        let folder = self.data.join(FOLDER);
        let hash: String = version.manifest_sha256.chars().take(16).collect();
        let file = folder.join(format!("{}-{hash}-{LAYOUT}.sqlite", version.run));
        let _turn = self.turn.lock().await;
        if tokio::fs::try_exists(&file).await.unwrap_or(false) {
            return Ok(file);
        }
        let aside = folder.join(format!(".partial-{}.sqlite", version.run));
        let made = async {
            tokio::fs::create_dir_all(&folder).await.map_err(|error| Refusal::disk("the index of calls", &error))?;
            let _ = tokio::fs::remove_file(&aside).await;
            make(&aside, version).await?;
            tokio::fs::rename(&aside, &file).await.map_err(|error| Refusal::disk("the index of calls", &error))
        };
        if let Err(refusal) = made.await {
            let _ = tokio::fs::remove_file(&aside).await;
            return Err(refusal);
        }
        Ok(file)
    }

    /// Removes indexes but those of these versions. Pages that are being read end as they began.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn keep_only(&self, versions: &[Version]) -> Result<()> {
        let failed = |error: io::Error| Refusal::disk("the index of calls", &error);
        let folder = self.data.join(FOLDER);
        if !folder.exists() {
            return Ok(());
        }
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !versions.iter().any(|version| name.starts_with(&version.run)) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

async fn open(file: &Path, reads: bool) -> std::result::Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file);
    // What is only read never changes; what is made is thrown away if that fails.
    let options = match reads {
        true => options.read_only(true).immutable(true),
        false => {
            let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Off);
            options.synchronous(SqliteSynchronous::Off)
        }
    };
    SqliteConnection::connect_with(&options).await
}

/// Makes an index of the calls of all sites.
async fn make(file: &Path, version: &Version) -> Result<()> {
    let mut connection = open(file, false).await.map_err(|error| database(&error))?;
    let names =
        COLUMNS.map(|(name, kind)| format!("{name} {}", if kind == Kind::Instant { "INTEGER" } else { "TEXT" }));
    let table = format!("CREATE TABLE call (place INTEGER PRIMARY KEY, {})", names.join(", "));
    run(&mut connection, &table).await?;
    let (sender, mut rows) = mpsc::channel::<Vec<Vec<Option<String>>>>(4);
    let files = version.tables_of_calls();
    let reading = tokio::task::spawn_blocking(move || read(&files, &sender));
    let inserted = async {
        let mut change = connection.begin().await?;
        while let Some(rows) = rows.recv().await {
            let names = COLUMNS.map(|(name, _)| name).join(", ");
            let mut insert = QueryBuilder::<Sqlite>::new(format!("INSERT INTO call ({names}) "));
            insert.push_values(rows, |mut row, cells| {
                for (cell, (_, kind)) in cells.into_iter().zip(COLUMNS) {
                    match kind {
                        Kind::Instant => {
                            let instant = cell.as_deref().and_then(Instant::parse_rfc3339);
                            row.push_bind(instant.map(Instant::as_millis));
                        }
                        _ => {
                            row.push_bind(cell);
                        }
                    }
                }
            });
            insert.build().execute(&mut *change).await?;
        }
        change.commit().await
    };
    inserted.await.map_err(|error| database(&error))?;
    let read = reading.await.map_err(Refusal::internal)?;
    read.map_err(|error| Refusal::disk("the calls of a version cannot be read", &error))?;
    for index in [
        "CREATE INDEX by_payer ON call (payer_id, charged_at, place)",
        "CREATE INDEX by_site ON call (site, charged_at, place)",
        "CREATE INDEX by_time ON call (charged_at, place)",
    ] {
        run(&mut connection, index).await?;
    }
    connection.close().await.map_err(|error| database(&error))
}

async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<()> {
    let mut statement = QueryBuilder::<Sqlite>::new(sql);
    statement.build().execute(connection).await.map(drop).map_err(|error| database(&error))
}

/// Reads calls and sends them on, some hundred at once.
fn read(files: &[PathBuf], sender: &mpsc::Sender<Vec<Vec<Option<String>>>>) -> io::Result<()> {
    let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the index is not made any more");
    let mut rows = Vec::with_capacity(AT_ONCE);
    for file in files {
        read_rows(File::open(file)?, &COLUMNS, &Zone::utc(), None, &mut |cells| {
            rows.push(cells.iter().map(|cell| cell.map(str::to_owned)).collect());
            if rows.len() < AT_ONCE {
                return Ok(());
            }
            sender.blocking_send(std::mem::take(&mut rows)).map_err(|_| gone())
        })?;
    }
    if rows.is_empty() { Ok(()) } else { sender.blocking_send(rows).map_err(|_| gone()) }
}

fn select(audience: &Audience, query: &Query, limit: u32) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM call WHERE 1 = 1");
    let mut is = |column: &str, value: Option<&String>| {
        if let Some(value) = value {
            sql.push(format!(" AND {column} = ")).push_bind(value.clone());
        }
    };
    is("site", query.site.as_ref());
    is("payer_id", query.payer.as_ref());
    is("extension", query.extension.as_ref());
    is("destination", query.destination.as_ref());
    is("status", query.status.as_ref());
    match audience {
        Audience::Occupier { id, .. } => is("payer_id", Some(id)),
        Audience::Operator { sites: Some(sites) } => {
            sql.push(" AND site IN (");
            let mut list = sql.separated(", ");
            for site in sites {
                list.push_bind(site.clone());
            }
            sql.push(")");
        }
        Audience::Operator { sites: None } => {}
    }
    if let Some(from) = query.from {
        sql.push(" AND charged_at >= ").push_bind(from.as_millis());
    }
    if let Some(until) = query.until {
        sql.push(" AND charged_at < ").push_bind(until.as_millis());
    }
    if let Some(after) = query.after {
        sql.push(" AND (charged_at, place) > (").push_bind(after.charged_at);
        sql.push(", ").push_bind(after.place).push(")");
    }
    sql.push(" ORDER BY charged_at, place LIMIT ").push_bind(i64::from(limit) + 1);
    sql
}

fn cursor(row: &SqliteRow) -> std::result::Result<Cursor, sqlx::Error> {
    let (charged_at, _) = COLUMNS[CHARGED_AT];
    Ok(Cursor { charged_at: row.try_get(charged_at)?, place: row.try_get("place")? })
}

fn call(row: &SqliteRow, columns: &[&'static str], masks: bool) -> std::result::Result<Call, sqlx::Error> {
    let text = |name: &str| -> std::result::Result<Option<String>, sqlx::Error> { row.try_get(name) };
    let own = [text("extension")?, text("number")?];
    let mut cells = Vec::new();
    for (name, kind) in COLUMNS.into_iter().filter(|(name, _)| columns.contains(name)) {
        let cell = match kind {
            Kind::Instant => {
                let millis: Option<i64> = row.try_get(name)?;
                millis.map(|millis| Instant::from_millis(millis).to_rfc3339())
            }
            _ => text(name)?,
        };
        let Some(cell) = cell else { continue };
        let hides = masks && visible::names_other_end(name) && !own.contains(&Some(cell.clone()));
        cells.push((name, if hides { visible::masked(&cell) } else { cell }));
    }
    Ok(Call { cells })
}
