//! Jobs of those who are invited with many others give way to all other jobs.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// However many wait that give way, those that go first are found without them.
const DUE_FIRST: &str = "CREATE INDEX outbox_due_first ON outbox (available_at) \
    WHERE published_at IS NULL AND NOT gives_way";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // To a program of the version before, all are alike.
        let mut gives_way = ColumnDef::new("gives_way");
        gives_way.boolean().not_null().default(false);
        let alter = Table::alter().table("outbox").add_column(gives_way).to_owned();
        manager.alter_table(alter).await?;
        manager.get_connection().execute_unprepared(DUE_FIRST).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX outbox_due_first").await?;
        db.execute_unprepared("ALTER TABLE outbox DROP COLUMN gives_way").await?;
        Ok(())
    }
}
