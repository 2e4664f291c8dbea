//! What can go wrong in the store, sorted by what the caller can do about it.

use sea_orm::{DbErr, RuntimeErr};

/// A failure of the database, not of the request.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or went away: the same call may work in a moment.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Somebody else holds what this call needs: try again.
    #[error("the database is busy with another change of the same rows; try again")]
    Busy,
    /// A row holds something that no version of this program writes.
    #[error("{table}.{column} holds a value that is not known here")]
    Inconsistent {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// The role of this process may not do it.
    #[error(
        "{0}; if the program is newer than the tables, run \"welcomat migrate\" as their owner, \
         and grant the rights in deploy/postgres"
    )]
    Forbidden(String),
    /// Anything else the database refused.
    #[error("the database refused a statement: {0}")]
    Database(String),
}

// SQLSTATE: lock not available, serialization failure, deadlock, statement timeout.
const BUSY_STATES: [&str; 4] = ["55P03", "40001", "40P01", "57014"];
const FORBIDDEN_STATE: &str = "42501";
// Administrator shut it down, crash, cannot connect now.
const AWAY_STATES: [&str; 3] = ["57P01", "57P02", "57P03"];

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) => Self::Unavailable(error.to_string()),
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => from_sqlx(cause, &error),
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<tokio::task::JoinError> for StoreError {
    fn from(error: tokio::task::JoinError) -> Self {
        // The task is never aborted by us: it panicked, or the runtime is shutting down.
        if error.is_panic() {
            Self::Database("a database task panicked".to_owned())
        } else {
            Self::Unavailable("the program is shutting down".to_owned())
        }
    }
}

fn from_sqlx(cause: &sea_orm::sqlx::Error, error: &DbErr) -> StoreError {
    use sea_orm::sqlx::Error;
    match cause {
        Error::Io(_)
        | Error::Tls(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed => StoreError::Unavailable(error.to_string()),
        Error::Database(refusal) => match refusal.code().as_deref() {
            Some(code) if BUSY_STATES.contains(&code) => StoreError::Busy,
            // SQLite's BUSY and its extended codes.
            Some("5" | "261" | "517") => StoreError::Busy,
            Some(code) if AWAY_STATES.contains(&code) => StoreError::Unavailable(error.to_string()),
            Some(FORBIDDEN_STATE) => StoreError::Forbidden(refusal.message().to_owned()),
            // The message alone: a refusal's details can quote the row, and with it an address.
            _ => StoreError::Database(refusal.message().to_owned()),
        },
        _ => StoreError::Database(error.to_string()),
    }
}
