//! Where in a trace a job belongs, for those who trace.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Empty for whoever does not know it: the version before, and every job that is not traced.
        let column = ColumnDef::new("traceparent").text().take();
        let alter = Table::alter().table("outbox").add_column(column).to_owned();
        manager.alter_table(alter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter().table("outbox").drop_column("traceparent").to_owned();
        manager.alter_table(alter).await
    }
}
