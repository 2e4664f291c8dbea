//! Who is signed in to the console.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "console_session";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(TABLE)
            .col(ColumnDef::new("token_hash").binary().not_null().primary_key())
            .col(ColumnDef::new("api_key_id").uuid().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .to_owned();
        manager.create_table(table).await?;
        let old = "CREATE INDEX console_session_age ON console_session (expires_at)";
        manager.get_connection().execute_unprepared(old).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).to_owned()).await
    }
}
