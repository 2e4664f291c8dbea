//! How many connections to the database are open.

use sea_orm::DbBackend;

use super::Store;

/// The pool of this process at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Connections at work.
    pub used: u32,
    /// Connections that are open and free.
    pub idle: u32,
}

impl Store {
    /// The connections that are open now.
    pub fn pool(&self) -> Pool {
        let (open, idle) = if self.db.get_database_backend() == DbBackend::Postgres {
            let pool = self.db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = self.db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        Pool { used: open - idle, idle }
    }
}
