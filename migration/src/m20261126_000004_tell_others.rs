//! Endpoints that are told of events, what they are told, and how that went.

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
        for table in TABLES {
            manager.create_table(table()).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in NAMES.iter().rev() {
            manager.drop_table(Table::drop().table(*name).to_owned()).await?;
        }
        Ok(())
    }
}

const NAMES: &[&str] =
    &["webhook_endpoint", "announcement", "webhook_delivery", "webhook_attempt", "event_exchange"];

const TABLES: &[fn() -> TableCreateStatement] =
    &[webhook_endpoint, announcement, webhook_delivery, webhook_attempt, event_exchange];

// No foreign keys: what is written in the transaction of an invitation must not wait for, or fail
// because of, an endpoint that is just being deleted.
const INDEXES: &[&str] = &[
    "CREATE INDEX webhook_endpoint_of_organization ON webhook_endpoint (organization_id)",
    "CREATE INDEX announcement_age ON announcement (created_at)",
    "CREATE INDEX announcement_due ON announcement (created_at) \
     WHERE to_exchange AND published_at IS NULL",
    "CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (event_id, endpoint_id)",
    "CREATE INDEX webhook_delivery_listed ON webhook_delivery (endpoint_id, id)",
    "CREATE INDEX webhook_delivery_open ON webhook_delivery (status, updated_at) \
     WHERE status IN ('queued', 'sending', 'retrying')",
    "CREATE INDEX webhook_delivery_failed ON webhook_delivery (endpoint_id, created_at) \
     WHERE status = 'failed'",
    "CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at)",
    "CREATE INDEX webhook_attempt_of_delivery ON webhook_attempt (webhook_delivery_id, id)",
    "CREATE INDEX webhook_attempt_age ON webhook_attempt (finished_at)",
];

fn webhook_endpoint() -> TableCreateStatement {
    Table::create()
        .table("webhook_endpoint")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("url").text().not_null())
        .col(ColumnDef::new("description").text())
        // All of them if it is empty.
        .col(ColumnDef::new("event_types").json_binary())
        .col(ColumnDef::new("sealed_secret").binary().not_null())
        .col(ColumnDef::new("previous_sealed_secret").binary())
        .col(ColumnDef::new("previous_until").timestamp_with_time_zone())
        .col(ColumnDef::new("failing_since").timestamp_with_time_zone())
        .col(ColumnDef::new("disabled_at").timestamp_with_time_zone())
        .col(ColumnDef::new("disabled_reason").text())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn announcement() -> TableCreateStatement {
    Table::create()
        .table("announcement")
        .col(ColumnDef::new("event_id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("invitation_id").uuid())
        .col(ColumnDef::new("event_type").text().not_null())
        // As text, not as JSON: every attempt must send the same bytes.
        .col(ColumnDef::new("data").text().not_null())
        // The rest makes it the outbox of the exchange.
        .col(ColumnDef::new("to_exchange").boolean().not_null())
        .col(ColumnDef::new("lock_token").uuid())
        .col(ColumnDef::new("locked_until").timestamp_with_time_zone())
        .col(ColumnDef::new("published_at").timestamp_with_time_zone())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn webhook_delivery() -> TableCreateStatement {
    Table::create()
        .table("webhook_delivery")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("endpoint_id").uuid().not_null())
        .col(ColumnDef::new("event_id").uuid().not_null())
        .col(ColumnDef::new("event_type").text().not_null())
        .col(ColumnDef::new("generation").integer().not_null())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("attempts").integer().not_null())
        .col(ColumnDef::new("attempt_token").uuid())
        .col(ColumnDef::new("lease_until").timestamp_with_time_zone())
        .col(ColumnDef::new("next_attempt_at").timestamp_with_time_zone())
        .col(ColumnDef::new("reason").text())
        .col(ColumnDef::new("asked_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("settled_at").timestamp_with_time_zone())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn webhook_attempt() -> TableCreateStatement {
    Table::create()
        .table("webhook_attempt")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("webhook_delivery_id").uuid().not_null())
        .col(ColumnDef::new("generation").integer().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("outcome").text().not_null())
        .col(ColumnDef::new("status").integer())
        .col(ColumnDef::new("detail").text())
        .col(ColumnDef::new("started_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("finished_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn event_exchange() -> TableCreateStatement {
    Table::create()
        .table("event_exchange")
        .col(ColumnDef::new("name").text().not_null().primary_key())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .to_owned()
}
