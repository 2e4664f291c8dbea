//! Message-IDs are not looked for, and no index is kept of them: each is made of its delivery's id, so that there
//! are no two alike. On PostgreSQL alone: SQLite would have to write the whole table anew.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE delivery DROP CONSTRAINT delivery_message_id_key").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let unique =
            "ALTER TABLE delivery ADD CONSTRAINT delivery_message_id_key UNIQUE (message_id)";
        run(manager, unique).await
    }
}

async fn run(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
