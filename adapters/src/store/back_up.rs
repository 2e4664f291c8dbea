//! A copy of a SQLite database while others use it.

use std::path::Path;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{Result, Store, StoreError};

impl Store {
    /// Writes everything that is committed at this moment into a new file. Nobody waits for it: it only reads.
    pub async fn back_up(&self, file: &Path) -> Result<()> {
        let file = file.to_str().map(str::to_owned);
        let file = file.ok_or_else(|| StoreError::Database("a path must be Unicode".to_owned()))?;
        self.read(move |db, _| {
            Box::pin(async move {
                let into = "VACUUM INTO ?";
                let copy = Statement::from_sql_and_values(DbBackend::Sqlite, into, [file.into()]);
                db.execute_raw(copy).await?;
                Ok(())
            })
        })
        .await
    }
}
