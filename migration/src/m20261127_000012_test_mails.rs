//! Mails that are asked for to see what a template makes.

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
        manager.create_table(test_mail()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("test_mail").to_owned()).await
    }
}

/// What is to be forgotten, and what may be lost.
const INDEXES: [&str; 2] = [
    "CREATE INDEX test_mail_created ON test_mail (created_at)",
    "CREATE INDEX test_mail_open ON test_mail (created_at) WHERE ended_at IS NULL",
];

/// What the mail says is kept until its end: a draft has no other place.
fn test_mail() -> TableCreateStatement {
    Table::create()
        .table("test_mail")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("actor").text().not_null())
        .col(ColumnDef::new("email").text().not_null())
        .col(ColumnDef::new("subject").text().not_null())
        .col(ColumnDef::new("html").text().not_null())
        .col(ColumnDef::new("text").text().not_null())
        .col(ColumnDef::new("message_id").text().not_null())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("attempt_token").uuid())
        .col(ColumnDef::new("lease_until").timestamp_with_time_zone())
        .col(ColumnDef::new("detail").text())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
        .to_owned()
}
