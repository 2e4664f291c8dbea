//! Which request a batch came with, for those who trace: its rows are invited later.

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
        // Empty for whoever does not know it: the version before, and every batch that is not traced.
        let column = ColumnDef::new("traceparent").text().take();
        let alter = Table::alter().table("batch").add_column(column).to_owned();
        manager.alter_table(alter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter().table("batch").drop_column("traceparent").to_owned();
        manager.alter_table(alter).await
    }
}
