//! Taking over everything that another database holds: how an embedded service moves to PostgreSQL.
//!
//! Rows keep their ids, numbers, secrets and times, so that links in mails go on working and jobs go on
//! being due. What is there already is skipped, which lets a move that was interrupted go on. In the end
//! both sides are compared, row by row, and what the broker had that is left behind is queued again.

mod table;

use entity::{
    announcement, api_key, attempt, batch, batch_row, console_session, dead_letter, delivery,
    event, event_exchange, former_token, idempotency_key, invitation, logo, membership,
    organization, outbox, suppression, tally, template, test_mail, user, webhook_attempt,
    webhook_delivery, webhook_endpoint, worker,
};
use sea_orm::{ConnectionTrait, DbBackend, EntityName, EntityTrait, Statement};

use super::{Result, Store, StoreError, Tables};

/// A table, and what was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    /// What it is called.
    pub name: String,
    /// How many rows it has, on both sides.
    pub rows: u64,
}

/// Why nothing, or not everything, was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of the two has other tables than this program.
    #[error("{0} is not of this version: start this version on it once, and try again")]
    Version(&'static str),
    /// It has a table that would be left behind.
    #[error("the source has a table that this version does not move: {0}")]
    UnknownTable(String),
    /// There are people in the target that are not in the source.
    #[error(
        "the target has organizations of its own: give the move an empty database, made with \
         CREATE DATABASE, and no process that uses it yet"
    )]
    Occupied,
    /// They were not the same in the end.
    #[error(
        "the table {0} is not the same on both sides: stop every process that uses either \
         database, and move again"
    )]
    Different(String),
    /// Either database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Each table by its entity, in an order that foreign keys allow.
macro_rules! each_table {
    ($do:ident) => {
        $do!(
            organization,
            user,
            api_key,
            membership,
            invitation,
            delivery,
            attempt,
            outbox,
            event,
            idempotency_key,
            suppression,
            tally,
            dead_letter,
            webhook_endpoint,
            webhook_delivery,
            webhook_attempt,
            announcement,
            event_exchange,
            console_session,
            batch,
            batch_row,
            former_token,
            template,
            test_mail,
            logo,
            worker
        )
    };
}

impl Store {
    /// Takes over what `source` holds; nothing may use either database meanwhile. `tell` hears of
    /// each table once it is there.
    pub async fn move_in(
        &self,
        source: &Self,
        tell: impl Fn(&MovedTable),
    ) -> Result<Vec<MovedTable>, MoveError> {
        for (store, which) in [(source, "the source"), (self, "the target")] {
            if store.compare_tables().await? != Tables::Current {
                return Err(MoveError::Version(which));
            }
        }
        source.has_no_other_tables().await?;
        self.has_no_others(source).await?;
        let mut moved = Vec::new();
        macro_rules! copy_each {
            ($($table:ident),+) => {
                $(moved.push(table::copy::<$table::Entity>(source, self).await?);
                tell(&moved[moved.len() - 1]);)+
            };
        }
        each_table!(copy_each);
        self.count_on().await?;
        self.requeue_left_behind().await?;
        Ok(moved)
    }

    async fn has_no_other_tables(&self) -> Result<(), MoveError> {
        macro_rules! names {
            ($($table:ident),+) => { [$($table::Entity.table_name()),+] };
        }
        let known = each_table!(names);
        let sql =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let backend = self.db.get_database_backend();
        let rows = self.db.query_all_raw(Statement::from_string(backend, sql)).await;
        for row in rows.map_err(StoreError::from)? {
            let name: String = row.try_get_by_index(0).map_err(StoreError::from)?;
            if name != "seaql_migrations" && !known.contains(&name.as_str()) {
                return Err(MoveError::UnknownTable(name));
            }
        }
        Ok(())
    }

    /// Whatever is in the target already must have come from there.
    async fn has_no_others(&self, source: &Self) -> Result<(), MoveError> {
        let all = |store: &Self| {
            let db = store.db.clone();
            async move { organization::Entity::find().all(&db).await.map_err(StoreError::from) }
        };
        let theirs = all(source).await?;
        let own = all(self).await?;
        let is_theirs = |one: &organization::Model| theirs.iter().any(|other| other.id == one.id);
        if own.iter().all(is_theirs) { Ok(()) } else { Err(MoveError::Occupied) }
    }

    /// What is made from now on gets the numbers behind those that were moved.
    async fn count_on(&self) -> Result<()> {
        if self.db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for name in ["organization", "user", "membership"] {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('\"{name}\"', 'number'), \
                 greatest((SELECT max(number) FROM \"{name}\"), 1))"
            );
            self.db.execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
