//! What can go wrong in the store, sorted by what the caller can do about it.

use sea_orm::{DbErr, RuntimeErr};

use crate::certificate;
use crate::gathering::Unanswered;

/// A failure of the database, not of the request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, went away or has no room left: the same call may work later.
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
    /// The tables are of a version that this program cannot work with.
    #[error(
        "a newer version has changed the tables ({0}) so that this one cannot use them; run that \
         version, or restore the backup from before"
    )]
    TooNew(String),
    /// Anything else the database refused.
    #[error("the database refused a statement: {0}")]
    Database(String),
}

// SQLSTATE: lock not available, serialization failure, deadlock, statement timeout.
const BUSY_STATES: [&str; 4] = ["55P03", "40001", "40P01", "57014"];
const FORBIDDEN_STATE: &str = "42501";
// Administrator shut it down, crash, cannot connect now; disk full, out of memory, too many
// connections; a replica that is no longer, or not yet, the primary.
const AWAY_STATES: [&str; 7] = ["57P01", "57P02", "57P03", "53100", "53200", "53300", "25006"];
// Result codes of SQLite, the lowest byte of the extended ones: BUSY; READONLY, IOERR and FULL.
const SQLITE_BUSY: u32 = 5;
const SQLITE_AWAY: [u32; 3] = [8, 10, 13];

impl From<Unanswered> for StoreError {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Full => Self::Busy,
            Unanswered::Lost => Self::Database("the batch of this call has failed".to_owned()),
        }
    }
}

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
        Error::Io(_) | Error::Tls(_) => {
            let why = certificate::trouble(certificate::Server::Database, cause);
            StoreError::Unavailable(why.unwrap_or_else(|| error.to_string()))
        }
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreError::Unavailable(error.to_string())
        }
        Error::Database(refusal) => match refusal.code().as_deref() {
            Some(code) if is_busy(code) => StoreError::Busy,
            Some(code) if is_away(code) => StoreError::Unavailable(refusal.message().to_owned()),
            Some(FORBIDDEN_STATE) => StoreError::Forbidden(refusal.message().to_owned()),
            // The message alone: a refusal's details can quote the row, and with it an address.
            _ => StoreError::Database(refusal.message().to_owned()),
        },
        _ => StoreError::Database(error.to_string()),
    }
}

fn is_busy(code: &str) -> bool {
    BUSY_STATES.contains(&code) || sqlite(code) == Some(SQLITE_BUSY)
}

fn is_away(code: &str) -> bool {
    AWAY_STATES.contains(&code) || sqlite(code).is_some_and(|code| SQLITE_AWAY.contains(&code))
}

/// The primary result code, if this is one of `SQLite`: an SQLSTATE has five characters.
fn sqlite(code: &str) -> Option<u32> {
    let code: u32 = (code.len() < 5).then(|| code.parse().ok())??;
    Some(code & 0xff)
}
