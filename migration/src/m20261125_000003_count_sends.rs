//! Counts of what is sent and accepted, and what is known of an organization's standing.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            // One at a time: SQLite takes no more in a statement.
            let alter = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        manager.create_table(tally()).await?;
        let db = manager.get_connection();
        db.execute_unprepared(FORGOTTEN).await?;
        // Whoever was accepted before is not new, should the operator ever ask.
        let (id, epoch) = match manager.get_database_backend() {
            DbBackend::Postgres => ("uuid_send(organization_id)", "to_timestamp(0)"),
            _ => ("organization_id", "'1970-01-01T00:00:00+00:00'"),
        };
        let known = format!(
            "INSERT INTO tally (kind, subject, window_start, total) \
             SELECT 'accepted_ever', {id}, {epoch}, count(*) FROM invitation \
             WHERE status = 'accepted' GROUP BY organization_id"
        );
        db.execute_unprepared(&known).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tally").to_owned()).await?;
        for (table, column) in columns().into_iter().rev() {
            let name = column.get_column_name();
            let alter = Table::alter().table(table).drop_column(name).to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

const FORGOTTEN: &str =
    "CREATE INDEX tally_forgotten ON tally (forget_at) WHERE forget_at IS NOT NULL";

fn columns() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("organization", ColumnDef::new("trusted").boolean().not_null().default(false).to_owned()),
        ("organization", ColumnDef::new("sending_paused_at").timestamp_with_time_zone().to_owned()),
        (
            "invitation",
            ColumnDef::new("wrong_passwords").integer().not_null().default(0).to_owned(),
        ),
    ]
}

fn tally() -> TableCreateStatement {
    Table::create()
        .table("tally")
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("subject").binary().not_null())
        .col(ColumnDef::new("window_start").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("total").big_integer().not_null())
        .col(ColumnDef::new("seen").text())
        .col(ColumnDef::new("forget_at").timestamp_with_time_zone())
        .primary_key(Index::create().col("kind").col("subject").col("window_start"))
        .to_owned()
}
