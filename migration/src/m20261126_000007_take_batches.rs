//! Many invitations that are asked for at once, and what becomes of each.

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
        manager.create_table(batch()).await?;
        manager.create_table(batch_row()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["batch_row", "batch"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

const INDEXES: &[&str] = &[
    "CREATE INDEX batch_of_organization ON batch (organization_id, id)",
    "CREATE INDEX batch_at_work ON batch (worked_at) WHERE status = 'working'",
    "CREATE INDEX batch_age ON batch (created_at)",
    "CREATE UNIQUE INDEX batch_row_place ON batch_row (batch_id, number)",
    "CREATE INDEX batch_row_standing ON batch_row (batch_id, status, number)",
];

fn batch() -> TableCreateStatement {
    Table::create()
        .table("batch")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("name").text())
        .col(ColumnDef::new("mode").text().not_null())
        .col(ColumnDef::new("status").text().not_null())
        // Who asked for it, as JSON: its rows are invited in their name.
        .col(ColumnDef::new("actor").text().not_null())
        .col(ColumnDef::new("total").integer().not_null())
        .col(ColumnDef::new("not_before").timestamp_with_time_zone())
        .col(ColumnDef::new("worked_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("finished_at").timestamp_with_time_zone())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn batch_row() -> TableCreateStatement {
    Table::create()
        .table("batch_row")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("batch_id").uuid().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("line").integer().not_null())
        .col(ColumnDef::new("email").text().not_null())
        // As JSON; empty for a row that makes no sense.
        .col(ColumnDef::new("wanted").text())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("code").text())
        .col(ColumnDef::new("detail").text())
        .col(ColumnDef::new("invitation_id").uuid())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        // Rows that are still arriving cannot outlive a batch that was given up.
        .foreign_key(
            ForeignKey::create()
                .name("batch_row_batch")
                .from("batch_row", "batch_id")
                .to("batch", "id"),
        )
        .to_owned()
}
