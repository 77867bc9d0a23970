//! What the service keeps: SQLite in one file, many readers, one writer. The store keeps and finds; it decides nothing.
//!
//! Whatever changes something does it in a [`Change`]: one transaction, with an entry in the audit log for each thing
//! done, or nothing. Instants are kept in milliseconds, numbers as text, history is only ever added to.

pub mod alerts;
pub mod audit;
pub mod contracts;
pub mod handling;
pub mod idempotency;
pub mod months;
pub mod numbers;
pub mod occupiers;
pub mod operator;
pub mod portal;
pub mod products;
pub mod reach;
pub mod secrets;
pub mod services;
pub mod sites;
pub mod snapshot;
pub mod snapshots;
pub mod sources;
pub mod users;

use std::path::Path;
use std::time::Duration;

use rating_core::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::error::{Problem, Result};

/// The database. Clones are the same database.
#[derive(Debug, Clone)]
pub struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
}

impl Store {
    /// Opens the database in `file`, makes it if there is none, and brings it up to this version.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or is no database, or a newer version of the service has written it.
    pub async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!("src/store/migrations").run(&writer).await.map_err(Problem::internal)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { readers, writer })
    }

    /// A connection that sees one state of the database for as long as it is kept, and cannot change it.
    ///
    /// # Errors
    ///
    /// `store.busy`, if none is free.
    pub async fn read(&self) -> Result<Reader> {
        Ok(Reader(self.readers.begin().await?))
    }

    /// Begins a change: no other can begin until it is committed or dropped.
    ///
    /// # Errors
    ///
    /// `store.busy`, if another change takes too long.
    pub async fn change(&self, actor: &Actor, at: Instant) -> Result<Change> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Change { transaction, actor: actor.clone(), at, entries: Vec::new() })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        let mut connection = self.readers.acquire().await?;
        Ok(connection.ping().await?)
    }

    /// Copies the database in `from`, as it is at this moment, to `to`, which must not exist. A service may be using it; it is
    /// neither changed nor brought up to this version.
    ///
    /// # Errors
    ///
    /// `from` is no database, or the disk refuses.
    pub async fn copy(from: &Path, to: &Path) -> Result<()> {
        let options = SqliteConnectOptions::new().filename(from).busy_timeout(Duration::from_secs(5));
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Waits until everybody is done, and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Reads one state of the database.
#[derive(Debug)]
pub struct Reader(Transaction<'static, Sqlite>);

impl Reader {
    /// The connection.
    pub fn on(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// Who does something: a user, a token, or the service itself. Stands in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A user, by its id.
    User(String),
    /// A token, by its id.
    Token(String),
    /// The service: what was scheduled and is due.
    Service,
    /// Whoever follows the first link.
    Setup,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Service => f.write_str("service"),
            Self::Setup => f.write_str("setup"),
        }
    }
}

/// A change under way: committed as a whole with its audit entries, or forgotten when dropped.
#[derive(Debug)]
pub struct Change {
    transaction: Transaction<'static, Sqlite>,
    actor: Actor,
    at: Instant,
    entries: Vec<audit::Entry>,
}

impl Change {
    /// The connection, which sees the change so far.
    pub fn on(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// When it happens.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Who does it.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Says what is done, for the audit log.
    pub fn note(&mut self, entry: audit::Entry) {
        self.entries.push(entry);
    }

    /// Whether anything was noted so far.
    #[must_use]
    pub fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Makes it true.
    ///
    /// # Errors
    ///
    /// The database refuses; or nothing was noted, which is a fault of this program: no change without its entry.
    pub async fn commit(mut self) -> Result<()> {
        if self.entries.is_empty() {
            return Err(Problem::internal("a change without an audit entry"));
        }
        for entry in std::mem::take(&mut self.entries) {
            audit::append(&mut self.transaction, self.at, &self.actor, &entry).await?;
        }
        Ok(self.transaction.commit().await?)
    }

    /// Makes it true without an entry in the audit log: for what the service keeps for itself, sessions and answers,
    /// that nobody would look for there.
    ///
    /// # Errors
    ///
    /// The database refuses.
    pub async fn commit_unnoted(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

/// Whether an error says that a row breaks a rule of uniqueness.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.is_unique_violation())
}

/// A list of texts as one column.
pub(crate) fn texts(list: &[String]) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

/// The list of texts of one column.
pub(crate) fn from_texts(column: &str) -> Vec<String> {
    serde_json::from_str(column).unwrap_or_default()
}
