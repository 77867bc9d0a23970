//! Making an index: every call of a version, read once from its Parquet, and what is added up on the way.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rating_core::report::Kind;
use rating_core::report::parquet::read_rows;
use rating_core::time::{Instant, Zone};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};
use tokio::sync::mpsc;

use super::columns::{COLUMNS, Cells, read as all_columns};
use super::database;
use super::gather::Gathered;
use crate::publish::refusal::{Refusal, Result};

/// Rows that are inserted by one statement: SQLite takes so many values at once.
const AT_ONCE: usize = 500;

/// The tables beside the calls.
const TABLES: [&str; 6] = [
    "CREATE TABLE site (id TEXT PRIMARY KEY, zone TEXT NOT NULL)",
    "CREATE TABLE file (id INTEGER PRIMARY KEY, path TEXT NOT NULL)",
    "CREATE TABLE payer_count (payer TEXT, site TEXT, calls INTEGER, charged INTEGER, not_chargeable INTEGER, \
     suspended INTEGER, PRIMARY KEY (payer, site)) WITHOUT ROWID",
    "CREATE TABLE sum (payer TEXT, site TEXT, kind TEXT, first TEXT, second TEXT, currency TEXT, calls INTEGER, \
     duration_s TEXT, billed_duration_s TEXT, charge TEXT, vat TEXT, \
     PRIMARY KEY (payer, site, kind, first, second, currency)) WITHOUT ROWID",
    "CREATE TABLE largest (payer TEXT, site TEXT, kind TEXT, rank INTEGER, id INTEGER)",
    "CREATE TABLE suspended (site TEXT, payer TEXT, source TEXT, side TEXT, reason TEXT, key_kind TEXT, key TEXT, \
     calls INTEGER, duration_s TEXT, first_at INTEGER, first_id INTEGER, last_at INTEGER, last_id INTEGER, at_stake TEXT)",
];

/// What pages look calls up by.
const LOOKUPS: [&str; 5] = [
    "CREATE INDEX by_payer ON call (payer_id, charged_at, id)",
    "CREATE INDEX by_site ON call (site, charged_at, id)",
    "CREATE INDEX by_time ON call (charged_at, id)",
    "CREATE INDEX by_id ON call (id)",
    "CREATE INDEX largest_of ON largest (payer, site, kind, rank)",
];

/// A call on its way into the index.
struct Row {
    id: i64,
    file: i64,
    offset: i64,
    cells: Vec<Option<String>>,
}

/// What a call is named by: a hash of the place of its record. The same record has the same name in every version, and
/// a name tells nothing of other calls.
fn id(file: &str, offset: &str) -> i64 {
    let hash = Sha256::digest(format!("{file}@{offset}").as_bytes());
    let bytes = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    // SQLite's integers have a sign.
    i64::try_from(bytes >> 1).unwrap_or_default()
}

/// Makes an index of the calls of all sites.
pub(super) async fn make(file: &Path, tables: Vec<PathBuf>, zones: BTreeMap<String, Zone>) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    // It is thrown away if anything fails.
    let options = options.journal_mode(SqliteJournalMode::Off).synchronous(SqliteSynchronous::Off);
    let options = options.pragma("cache_size", "-65536");
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(|error| database(&error))?;
    let names =
        COLUMNS.map(|(name, kind)| format!("{name} {}", if kind == Kind::Instant { "INTEGER" } else { "TEXT" }));
    let calls = format!("CREATE TABLE call (id INTEGER, file INTEGER, record_offset INTEGER, {})", names.join(", "));
    for table in TABLES.into_iter().chain([calls.as_str()]) {
        run(&mut connection, table).await?;
    }
    let clocks = zones.clone();
    let (sender, rows) = mpsc::channel::<Vec<Row>>(4);
    let reading = tokio::task::spawn_blocking(move || read(&tables, &clocks, &sender));
    let inserted = insert_calls(&mut connection, rows).await;
    inserted.map_err(|error| database(&error))?;
    let read = reading.await.map_err(Refusal::internal)?;
    let (gathered, files) = read.map_err(|error| Refusal::disk("the calls of a version cannot be read", &error))?;
    insert_sums(&mut connection, &gathered, &files, &zones).await.map_err(|error| database(&error))?;
    for lookup in LOOKUPS {
        run(&mut connection, lookup).await?;
    }
    connection.close().await.map_err(|error| database(&error))
}

async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<()> {
    let mut statement = QueryBuilder::<Sqlite>::new(sql);
    statement.build().execute(connection).await.map(drop).map_err(|error| database(&error))
}

async fn insert_calls(
    connection: &mut SqliteConnection,
    mut rows: mpsc::Receiver<Vec<Row>>,
) -> std::result::Result<(), sqlx::Error> {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let into = format!("INSERT INTO call (id, file, record_offset, {names}) ");
    let mut change = connection.begin().await?;
    while let Some(rows) = rows.recv().await {
        let mut insert = QueryBuilder::<Sqlite>::new(into.as_str());
        insert.push_values(rows, |mut values, row| {
            values.push_bind(row.id).push_bind(row.file).push_bind(row.offset);
            for (cell, (_, kind)) in row.cells.into_iter().zip(COLUMNS) {
                if kind == Kind::Instant {
                    let instant = cell.as_deref().and_then(Instant::parse_rfc3339);
                    values.push_bind(instant.map(Instant::as_millis));
                } else {
                    values.push_bind(cell);
                }
            }
        });
        insert.build().execute(&mut *change).await?;
    }
    change.commit().await
}

async fn insert_sums(
    connection: &mut SqliteConnection,
    gathered: &Gathered,
    files: &BTreeMap<String, i64>,
    zones: &BTreeMap<String, Zone>,
) -> std::result::Result<(), sqlx::Error> {
    let mut change = connection.begin().await?;
    for (site, zone) in zones {
        let query = sqlx::query("INSERT INTO site VALUES ($1, $2)").bind(site).bind(zone.name());
        query.execute(&mut *change).await?;
    }
    for (path, id) in files {
        sqlx::query("INSERT INTO file VALUES ($1, $2)").bind(id).bind(path).execute(&mut *change).await?;
    }
    for (payer, site, [calls, charged, free, suspended]) in gathered.counts() {
        let query = sqlx::query("INSERT INTO payer_count VALUES ($1, $2, $3, $4, $5, $6)").bind(payer).bind(site);
        query.bind(calls).bind(charged).bind(free).bind(suspended).execute(&mut *change).await?;
    }
    for row in gathered.sums() {
        let query = sqlx::query("INSERT INTO sum VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
        let query = query.bind(row.payer).bind(row.site).bind(row.kind).bind(row.first).bind(row.second);
        let query = query.bind(row.currency).bind(row.calls).bind(row.duration).bind(row.billed);
        query.bind(row.charge).bind(row.vat).execute(&mut *change).await?;
    }
    for row in gathered.largest() {
        let query = sqlx::query("INSERT INTO largest VALUES ($1, $2, $3, $4, $5)").bind(row.payer).bind(row.site);
        query.bind(row.kind).bind(row.rank).bind(row.id).execute(&mut *change).await?;
    }
    for row in gathered.suspended() {
        let mut query =
            sqlx::query("INSERT INTO suspended VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
        for name in row.names {
            query = query.bind(name);
        }
        let query = query.bind(row.calls).bind(row.duration).bind(row.first.0).bind(row.first.1);
        query.bind(row.last.0).bind(row.last.1).bind(row.at_stake).execute(&mut *change).await?;
    }
    change.commit().await
}

/// Reads calls and sends them on, some hundred at once; gives what they add up to, and the files of their records.
fn read(
    tables: &[PathBuf],
    zones: &BTreeMap<String, Zone>,
    sender: &mpsc::Sender<Vec<Row>>,
) -> io::Result<(Gathered, BTreeMap<String, i64>)> {
    let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the index is not made any more");
    let mut gathered = Gathered::default();
    let mut files: BTreeMap<String, i64> = BTreeMap::new();
    let mut rows = Vec::with_capacity(AT_ONCE);
    let utc = Zone::utc();
    for table in tables {
        read_rows(File::open(table)?, &all_columns(), &utc, None, &mut |cells| {
            let named = Cells(cells);
            let (path, offset) = (named.get("file"), named.get("record_offset"));
            let id = id(path, offset);
            let next = i64::try_from(files.len()).unwrap_or(i64::MAX);
            let file = match files.get(path) {
                Some(file) => *file,
                None => *files.entry(path.to_owned()).or_insert(next),
            };
            gathered.add(named, id, zones.get(named.get("site")).unwrap_or(&utc));
            let kept = cells.iter().take(COLUMNS.len()).map(|cell| cell.map(str::to_owned)).collect();
            rows.push(Row { id, file, offset: offset.parse().unwrap_or_default(), cells: kept });
            if rows.len() < AT_ONCE {
                return Ok(());
            }
            sender.blocking_send(std::mem::take(&mut rows)).map_err(|_| gone())
        })?;
    }
    if !rows.is_empty() {
        sender.blocking_send(rows).map_err(|_| gone())?;
    }
    Ok((gathered, files))
}
