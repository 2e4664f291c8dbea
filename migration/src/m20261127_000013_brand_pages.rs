//! How organizations look on the pages behind their links.

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
        let column = ColumnDef::new("branding").json_binary().to_owned();
        let alter = Table::alter().table("organization").add_column(column).to_owned();
        manager.alter_table(alter).await?;
        manager.create_table(logo()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("logo").to_owned()).await?;
        let alter = Table::alter().table("organization").drop_column("branding").to_owned();
        manager.alter_table(alter).await
    }
}

/// The bytes are apart from `organization`, whose row is read with the API key of every request.
fn logo() -> TableCreateStatement {
    Table::create()
        .table("logo")
        .col(ColumnDef::new("organization_id").uuid().not_null().primary_key())
        .col(ColumnDef::new("hash").text().not_null())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("bytes").binary().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .to_owned()
}
