//! Looks at the database as an operator would who wonders whether it is the right one.

use std::time::Duration;

use domain::Timestamp;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::{Result, Store, StoreError, Verdict};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseReport {
    /// Product and version.
    pub version: String,
    /// Whether the tables are those that this program knows.
    pub tables: Tables,
    /// How far the machine's clock and the database's are apart; `None` where they are one.
    pub clocks_apart: Option<Duration>,
    /// Whether nothing can be written: a replica, or a file without the right to.
    pub read_only: bool,
}

/// How the tables compare with what this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tables {
    /// They are the same.
    Current,
    /// So many steps are still to be taken.
    Behind(usize),
    /// A newer program has added to them what this one does not know and can do without.
    Ahead(Vec<String>),
    /// A newer program has taken away what this one may need.
    Beyond(Vec<String>),
}

impl Store {
    /// Looks; changes nothing. `machine` is the time of this machine.
    pub async fn examine(&self, machine: Timestamp) -> Result<DatabaseReport> {
        let postgres = self.db.get_database_backend() == DbBackend::Postgres;
        let clocks_apart = if postgres {
            let apart = (machine - self.database_time().await?).abs();
            Some(apart.to_std().unwrap_or_default())
        } else {
            None
        };
        let version = if postgres { "SHOW server_version" } else { "SELECT sqlite_version()" };
        let version = self.text(version).await?;
        let product = if postgres { "PostgreSQL" } else { "SQLite" };
        Ok(DatabaseReport {
            version: format!("{product} {version}"),
            tables: self.compare_tables().await?,
            clocks_apart,
            read_only: self.is_read_only(postgres).await?,
        })
    }

    /// How the tables compare with what this program knows.
    pub(super) async fn compare_tables(&self) -> Result<Tables> {
        let taken = self.steps_taken().await;
        let known: Vec<String> =
            Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        // A new database has no table of steps either.
        let taken = taken.unwrap_or_default();
        let unknown: Vec<String> =
            taken.iter().filter(|step| !known.contains(step)).cloned().collect();
        let missing = known.iter().filter(|step| !taken.contains(step)).count();
        let adds = |step: &String| !migration::takes_away(step);
        Ok(match (missing, unknown.is_empty()) {
            (0, true) => Tables::Current,
            (_, true) => Tables::Behind(missing),
            (0, false) if unknown.iter().all(adds) => Tables::Ahead(unknown),
            (_, false) => Tables::Beyond(unknown),
        })
    }

    async fn is_read_only(&self, postgres: bool) -> Result<bool> {
        if postgres {
            return Ok(self.text("SHOW transaction_read_only").await? == "on");
        }
        // Beginning to write takes the right to.
        let begun = self.write(|_, _| Box::pin(async { Ok(Verdict::RollBack(())) })).await;
        Ok(begun.is_err())
    }

    async fn database_time(&self) -> Result<Timestamp> {
        let sql = Statement::from_string(DbBackend::Postgres, "SELECT now() AS now");
        let row = self.one(sql).await?;
        Ok(row.try_get("", "now")?)
    }

    async fn text(&self, sql: &'static str) -> Result<String> {
        let backend = self.db.get_database_backend();
        let row = self.one(Statement::from_string(backend, sql)).await?;
        Ok(row.try_get_by_index(0)?)
    }

    async fn one(&self, sql: Statement) -> Result<sea_orm::QueryResult> {
        let row = self.read(|db, _| {
            Box::pin(async move { Ok(DatabaseConnection::query_one_raw(db, sql).await?) })
        });
        row.await?.ok_or_else(|| StoreError::Database("the database says nothing".to_owned()))
    }
}
