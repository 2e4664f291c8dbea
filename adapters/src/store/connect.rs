//! Opening the database and bringing its schema up to date.

use std::future::ready;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::{Gatherings, Result, Store, StoreError, Tables, Verdict};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::settings::{DatabaseSettings, Settings};
use crate::trace::Tracer;

// Any number will do, as long as nobody else locks it: "welcomat" as a hash of its letters.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7310021987454)";

/// How long a start waits for others that are using the file alone, looking so often.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(20);

/// A connection that was used so recently is taken to work.
const UNTESTED: Duration = Duration::from_millis(500);

/// What every new delivery is given, and what it leaves to those before it.
#[derive(Debug, Clone)]
pub struct DeliveryPolicy {
    /// The right side of each Message-ID.
    pub mail_domain: Arc<str>,
    /// How long a delivery is tried, at most; its invitation's expiry ends it earlier.
    pub give_up_after: Duration,
    /// How long earlier links and passwords stay good once the mail of a resend is made; may be zero.
    pub link_overlap: Duration,
    /// Whether it is one of many that were asked for together: then it lets all others go first.
    pub gives_way: bool,
}

impl DeliveryPolicy {
    /// Takes what matters from the settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            mail_domain: settings.mail.domain().into(),
            give_up_after: settings.retry.give_up_after,
            link_overlap: settings.invitation.link_overlap(),
            gives_way: false,
        }
    }
}

impl Store {
    /// Opens the database; `clock` follows its time from now on. Must run inside a tokio runtime
    /// that lives as long as the store.
    pub async fn connect(settings: &Settings, clock: Clock) -> Result<Self> {
        let mut store = in_turn(|| Self::open(settings, clock.clone())).await?;
        store.tracer = Tracer::new(&settings.traces, &store.metrics);
        Ok(store)
    }

    async fn open(settings: &Settings, clock: Clock) -> Result<Self> {
        let policy = DeliveryPolicy::new(settings);
        let limits = Arc::new(settings.limits.clone());
        let settings = &settings.database;
        let sqlite = settings.url.starts_with("sqlite:");
        if sqlite {
            make_folder(&settings.url)?;
        }
        let db = Database::connect(options(settings, sqlite)).await?;
        let store = Self {
            db,
            clock,
            policy,
            limits,
            runtime: Handle::current(),
            writer: sqlite.then(|| Arc::new(Mutex::new(()))),
            outlet: Arc::default(),
            gatherings: Gatherings::new(sqlite, settings.max_waiting),
            bell: Arc::default(),
            metrics: Metrics::default(),
            tracer: Tracer::default(),
        };
        store.ping().await?;
        Ok(store)
    }

    /// Brings the schema up to date. Any number of processes may do so at once: one works, the
    /// others wait and find nothing left to do.
    ///
    /// Most starts find nothing to do; then the process's role needs no right to do it. Nor is there
    /// anything to do where a newer version has only added to the tables.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] if a newer version has taken away what this one may need.
    pub async fn migrate(&self) -> Result<()> {
        in_turn(|| async {
            match self.compare_tables().await? {
                Tables::Current => Ok(()),
                Tables::Behind(_) => self.take_steps().await,
                Tables::Ahead(steps) => {
                    tracing::info!(?steps, "a newer version has added to the tables");
                    Ok(())
                }
                Tables::Beyond(steps) => Err(StoreError::TooNew(steps.join(", "))),
            }
        })
        .await
    }

    async fn take_steps(&self) -> Result<()> {
        self.write(|tx, _| {
            Box::pin(async move {
                if tx.get_database_backend() == DbBackend::Postgres {
                    // Waiting for another process's migration is no accident here.
                    tx.execute_unprepared(
                        "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0",
                    )
                    .await?;
                    tx.execute_unprepared(MIGRATION_LOCK).await?;
                }
                Migrator::up(tx, None).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// The names of all steps that the schema has taken, in their order.
    pub(super) async fn steps_taken(&self) -> Result<Vec<String>> {
        self.read(|db, _| {
            Box::pin(async move {
                let backend = db.get_database_backend();
                let sql = "SELECT version FROM seaql_migrations ORDER BY version";
                let rows = db.query_all_raw(Statement::from_string(backend, sql)).await?;
                let versions = rows.iter().map(|row| row.try_get::<String>("", "version"));
                Ok(versions.collect::<Result<Vec<_>, _>>()?)
            })
        })
        .await
    }

    /// Asks the database for its time, which proves that it answers, and sets the clock by it.
    pub async fn ping(&self) -> Result<()> {
        let db = self.db.clone();
        // SQLite has no clock of its own: its time is this process's.
        if db.get_database_backend() != DbBackend::Postgres {
            return self
                .read(|db, _| {
                    Box::pin(async move {
                        db.execute_unprepared("SELECT 1").await?;
                        Ok(())
                    })
                })
                .await;
        }
        let now: Option<Timestamp> = self
            .read(|db, _| {
                Box::pin(async move {
                    let sql = Statement::from_string(DbBackend::Postgres, "SELECT now() AS now");
                    let row = db.query_one_raw(sql).await?;
                    Ok(row.map(|row| row.try_get("", "now")).transpose()?)
                })
            })
            .await?;
        if let Some(now) = now {
            self.clock.follow(now);
        }
        Ok(())
    }

    /// Closes every connection, waiting for those in use, and exports the last spans.
    pub async fn close(self) {
        drop(self.db.close().await);
        self.tracer.close().await;
    }
}

/// Tries until it is its turn. Whoever is the last to leave a SQLite file cleans up behind itself, and
/// who comes then is refused at once, whatever the busy timeout is (<https://www.sqlite.org/wal.html>
/// §2.2). It happens at the start alone: afterwards a connection stays open.
async fn in_turn<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let until = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Err(StoreError::Busy) if Instant::now() < until => sleep(STEP).await,
            ended => return ended,
        }
    }
}

fn options(settings: &DatabaseSettings, sqlite: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .sqlx_logging(false)
        .min_connections(1)
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout);
    if sqlite {
        let wait = settings.lock_timeout;
        options.map_sqlx_sqlite_before_acquire(|connection, _| {
            Box::pin(ready(Ok(is_at_rest(connection))))
        });
        options.map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // NORMAL could lose the last commits when the power fails; they were acknowledged.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(wait)
                .foreign_keys(true)
        });
    } else {
        let limits = [
            ("statement_timeout", milliseconds(settings.statement_timeout)),
            ("lock_timeout", milliseconds(settings.lock_timeout)),
            ("idle_in_transaction_session_timeout", milliseconds(settings.statement_timeout * 2)),
            // Prepared statements keep their plans, and those that were made while the tables were
            // small would go on reading all of them. Every statement here finds its rows by an index.
            ("enable_seqscan", "off".to_owned()),
            ("enable_hashjoin", "off".to_owned()),
            ("enable_mergejoin", "off".to_owned()),
        ];
        // Our own test is the one below: asking the server each time takes as long as a statement.
        options.test_before_acquire(false).map_sqlx_postgres_before_acquire(|connection, age| {
            Box::pin(async move {
                if age.idle_for > UNTESTED && connection.ping().await.is_err() {
                    return Ok(false);
                }
                Ok(is_at_rest(connection))
            })
        });
        options.map_sqlx_postgres_opts(move |postgres| postgres.options(limits.clone()));
    }
    options
}

/// Whether no transaction is open, as the driver sees it; a connection with one is thrown away.
///
/// When the disk is full, SQLite ends a transaction by itself; the driver's rollback then fails and
/// it goes on counting one. The next transaction would become a savepoint in it, whose "commit" is
/// none.
fn is_at_rest(connection: &impl sqlx::Connection) -> bool {
    !connection.is_in_transaction()
}

fn milliseconds(duration: Duration) -> String {
    duration.as_millis().to_string()
}

fn make_folder(url: &str) -> Result<()> {
    let options = sea_orm::sqlx::sqlite::SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Database(format!("{url} is no SQLite address: {error}")))?;
    let folder = options.get_filename().parent().unwrap_or(Path::new("."));
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(|error| {
        StoreError::Unavailable(format!("the folder {} cannot be made: {error}", folder.display()))
    })
}
