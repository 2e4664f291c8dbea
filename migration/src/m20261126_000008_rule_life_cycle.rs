//! Mails at a later moment, what organizations allow, reminders, and changed addresses.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

const FORMER: &str = "former_token";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column each: SQLite adds no two at once. Defaults are for a worker of the version before.
        for (table, column) in [
            ("delivery", ColumnDef::new("kind").text().not_null().default("invitation").take()),
            ("delivery", ColumnDef::new("send_at").timestamp_with_time_zone().take()),
            ("delivery", ColumnDef::new("recipient").text().take()),
            ("invitation", ColumnDef::new("reminded").integer().not_null().default(0).take()),
            ("invitation", ColumnDef::new("remind_after").timestamp_with_time_zone().take()),
            ("organization", ColumnDef::new("policy").json_binary().take()),
        ] {
            let alter = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        let former = Table::create()
            .table(FORMER)
            .col(ColumnDef::new("token_hash").binary().not_null().primary_key())
            .col(ColumnDef::new("invitation_id").uuid().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .to_owned();
        manager.create_table(former).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for index in ["delivery_scheduled", "organization_ruled"] {
            db.execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        manager.drop_table(Table::drop().table(FORMER).to_owned()).await?;
        for (table, column) in [
            ("organization", "policy"),
            ("invitation", "remind_after"),
            ("invitation", "reminded"),
            ("delivery", "recipient"),
            ("delivery", "send_at"),
            ("delivery", "kind"),
        ] {
            db.execute_unprepared(&format!("ALTER TABLE {table} DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}

const INDEXES: &[&str] = &[
    "CREATE INDEX delivery_scheduled ON delivery (next_attempt_at) WHERE status = 'scheduled'",
    "CREATE INDEX former_token_of_invitation ON former_token (invitation_id)",
    "CREATE INDEX organization_ruled ON organization (id) WHERE policy IS NOT NULL",
];
