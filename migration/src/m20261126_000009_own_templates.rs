//! Mails that organizations write themselves, version by version.

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
        manager.create_table(template()).await?;
        for (table, column) in columns() {
            let alter = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        manager.get_connection().execute_unprepared(PARKED).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX delivery_parked").await?;
        for (table, column) in columns() {
            let name = column.get_column_name();
            let alter = Table::alter().table(table).drop_column(name).to_owned();
            manager.alter_table(alter).await?;
        }
        manager.drop_table(Table::drop().table("template").to_owned()).await
    }
}

const PARKED: &str = "CREATE INDEX delivery_parked ON delivery (organization_id) \
     WHERE status = 'retrying' AND reason = 'parked'";

fn template() -> TableCreateStatement {
    Table::create()
        .table("template")
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("locale").text().not_null())
        .col(ColumnDef::new("version").integer().not_null())
        .col(ColumnDef::new("subject").text().not_null())
        .col(ColumnDef::new("html").text().not_null())
        .col(ColumnDef::new("text").text().not_null())
        .col(ColumnDef::new("actor").text().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col("organization_id").col("locale").col("version"))
        .to_owned()
}

/// Of an organization, which version counts in which language: it is read with the organization's
/// name, so that whoever has no template pays nothing. Of a delivery, what its mail was made from.
fn columns() -> [(&'static str, ColumnDef); 2] {
    [
        ("organization", ColumnDef::new("templates").json_binary().to_owned()),
        ("delivery", ColumnDef::new("template").text().to_owned()),
    ]
}
