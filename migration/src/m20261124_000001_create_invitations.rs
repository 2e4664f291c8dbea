//! The first schema: everything an invitation and the delivery of its mail need.

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

const NAMES: &[&str] = &[
    "organization",
    "user",
    "membership",
    "invitation",
    "delivery",
    "attempt",
    "outbox",
    "event",
    "api_key",
    "idempotency_key",
    "suppression",
    "dead_letter",
];

const TABLES: &[fn() -> TableCreateStatement] = &[
    organization,
    user,
    membership,
    invitation,
    delivery,
    attempt,
    outbox,
    event,
    api_key,
    idempotency_key,
    suppression,
    dead_letter,
];

// Partial indexes keep the work of claims and sweeps independent of how much is settled.
const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX invitation_one_pending ON invitation (organization_id, email_normalized) \
     WHERE status = 'pending'",
    "CREATE INDEX invitation_overdue ON invitation (expires_at) WHERE status = 'pending'",
    "CREATE INDEX invitation_listed ON invitation (organization_id, id)",
    "CREATE INDEX invitation_token ON invitation (token_hash) WHERE token_hash IS NOT NULL",
    "CREATE INDEX invitation_address ON invitation (email_normalized)",
    "CREATE UNIQUE INDEX membership_once ON membership (organization_id, user_id)",
    "CREATE UNIQUE INDEX delivery_generation ON delivery (invitation_id, generation)",
    "CREATE INDEX delivery_open ON delivery (status, updated_at) \
     WHERE status IN ('queued', 'sending', 'retrying', 'uncertain')",
    "CREATE INDEX attempt_of_delivery ON attempt (delivery_id, number)",
    "CREATE INDEX outbox_due ON outbox (available_at) WHERE published_at IS NULL",
    "CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL",
    "CREATE INDEX idempotency_key_age ON idempotency_key (created_at)",
    "CREATE INDEX dead_letter_of_delivery ON dead_letter (delivery_id)",
    "CREATE INDEX outbox_of_subject ON outbox (subject_id)",
    "CREATE INDEX event_of_invitation ON event (invitation_id, id)",
    "CREATE INDEX api_key_of_organization ON api_key (organization_id)",
];

fn organization() -> TableCreateStatement {
    Table::create()
        .table("organization")
        .col(ColumnDef::new("number").big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new("id").uuid().not_null().unique_key())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("slug").text().not_null().unique_key())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn user() -> TableCreateStatement {
    Table::create()
        .table("user")
        .col(ColumnDef::new("number").big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new("id").uuid().not_null().unique_key())
        .col(ColumnDef::new("email").text().not_null())
        .col(ColumnDef::new("email_normalized").text().not_null().unique_key())
        .col(ColumnDef::new("first_name").text())
        .col(ColumnDef::new("last_name").text())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("password_hash").text())
        .col(ColumnDef::new("must_change_password").boolean().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn membership() -> TableCreateStatement {
    Table::create()
        .table("membership")
        .col(ColumnDef::new("number").big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new("id").uuid().not_null().unique_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("user_id").uuid().not_null())
        .col(ColumnDef::new("role").text().not_null())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("deleted_at").timestamp_with_time_zone())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .foreign_key(
            ForeignKey::create().from("membership", "organization_id").to("organization", "id"),
        )
        .foreign_key(ForeignKey::create().from("membership", "user_id").to("user", "id"))
        .to_owned()
}

fn invitation() -> TableCreateStatement {
    Table::create()
        .table("invitation")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("membership_id").uuid().not_null())
        .col(ColumnDef::new("user_id").uuid().not_null())
        .col(ColumnDef::new("inviter_id").uuid())
        .col(ColumnDef::new("email").text().not_null())
        .col(ColumnDef::new("email_normalized").text().not_null())
        .col(ColumnDef::new("first_name").text())
        .col(ColumnDef::new("last_name").text())
        .col(ColumnDef::new("role").text().not_null())
        .col(ColumnDef::new("locale").text().not_null())
        .col(ColumnDef::new("metadata").json_binary().not_null())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("generation").integer().not_null())
        .col(ColumnDef::new("secret_generation").integer().not_null())
        .col(ColumnDef::new("token_hash").binary())
        .col(ColumnDef::new("password_hash").binary())
        .col(ColumnDef::new("password_expires_at").timestamp_with_time_zone())
        .col(ColumnDef::new("sealed").binary())
        .col(ColumnDef::new("email_sent").boolean().not_null())
        .col(ColumnDef::new("email_sent_at").timestamp_with_time_zone())
        .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("closed_at").timestamp_with_time_zone())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .foreign_key(
            ForeignKey::create().from("invitation", "organization_id").to("organization", "id"),
        )
        .foreign_key(
            ForeignKey::create().from("invitation", "membership_id").to("membership", "id"),
        )
        .to_owned()
}

fn delivery() -> TableCreateStatement {
    Table::create()
        .table("delivery")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("invitation_id").uuid().not_null())
        .col(ColumnDef::new("generation").integer().not_null())
        .col(ColumnDef::new("status").text().not_null())
        .col(ColumnDef::new("attempts").integer().not_null())
        .col(ColumnDef::new("attempt_token").uuid())
        .col(ColumnDef::new("lease_until").timestamp_with_time_zone())
        .col(ColumnDef::new("next_attempt_at").timestamp_with_time_zone())
        .col(ColumnDef::new("give_up_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("reason").text())
        .col(ColumnDef::new("detail").text())
        .col(ColumnDef::new("message_id").text().not_null().unique_key())
        .col(ColumnDef::new("repeated").integer().not_null())
        .col(ColumnDef::new("postponed").boolean().not_null())
        .col(ColumnDef::new("settled_at").timestamp_with_time_zone())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .foreign_key(ForeignKey::create().from("delivery", "invitation_id").to("invitation", "id"))
        .to_owned()
}

fn attempt() -> TableCreateStatement {
    Table::create()
        .table("attempt")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("delivery_id").uuid().not_null())
        .col(ColumnDef::new("number").integer().not_null())
        .col(ColumnDef::new("outcome").text().not_null())
        .col(ColumnDef::new("phase").text().not_null())
        .col(ColumnDef::new("reply_code").integer())
        .col(ColumnDef::new("enhanced").text())
        .col(ColumnDef::new("detail").text().not_null())
        .col(ColumnDef::new("started_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("finished_at").timestamp_with_time_zone().not_null())
        .foreign_key(ForeignKey::create().from("attempt", "delivery_id").to("delivery", "id"))
        .to_owned()
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("outbox")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("subject_id").uuid().not_null())
        .col(ColumnDef::new("generation").integer().not_null())
        .col(ColumnDef::new("available_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("lock_token").uuid())
        .col(ColumnDef::new("locked_until").timestamp_with_time_zone())
        .col(ColumnDef::new("tries").integer().not_null())
        .col(ColumnDef::new("published_at").timestamp_with_time_zone())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn event() -> TableCreateStatement {
    Table::create()
        .table("event")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("invitation_id").uuid())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("actor").text().not_null())
        .col(ColumnDef::new("data").json_binary().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .to_owned()
}

fn api_key() -> TableCreateStatement {
    Table::create()
        .table("api_key")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("user_id").uuid().not_null())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("role").text().not_null())
        .col(ColumnDef::new("key_hash").binary().not_null().unique_key())
        .col(ColumnDef::new("hint").text().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("last_used_at").timestamp_with_time_zone())
        .col(ColumnDef::new("revoked_at").timestamp_with_time_zone())
        .foreign_key(
            ForeignKey::create().from("api_key", "organization_id").to("organization", "id"),
        )
        .to_owned()
}

fn idempotency_key() -> TableCreateStatement {
    Table::create()
        .table("idempotency_key")
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("route").text().not_null())
        .col(ColumnDef::new("key").text().not_null())
        .col(ColumnDef::new("fingerprint").binary().not_null())
        .col(ColumnDef::new("body").text().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col("organization_id").col("route").col("key"))
        .to_owned()
}

fn suppression() -> TableCreateStatement {
    Table::create()
        .table("suppression")
        .col(ColumnDef::new("organization_id").uuid().not_null())
        .col(ColumnDef::new("email_normalized").text().not_null())
        .col(ColumnDef::new("reason").text().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .primary_key(Index::create().col("organization_id").col("email_normalized"))
        .to_owned()
}

fn dead_letter() -> TableCreateStatement {
    Table::create()
        .table("dead_letter")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("delivery_id").uuid())
        .col(ColumnDef::new("raw").binary().not_null())
        .col(ColumnDef::new("reason").text().not_null())
        .col(ColumnDef::new("headers").json_binary().not_null())
        .col(ColumnDef::new("received_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("redriven_at").timestamp_with_time_zone())
        .to_owned()
}
