//! Links of earlier mails that stay good for a while, with the password of each.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

const FORMER: &str = "former_token";

/// For the sweep: those of reminders have no end, and it need not see them.
const ENDING: &str =
    "CREATE INDEX former_token_ending ON former_token (valid_until) WHERE valid_until IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column each: SQLite adds no two at once. A worker of the version before leaves them empty,
        // which is right for its reminders.
        for column in [
            ColumnDef::new("valid_until").timestamp_with_time_zone().take(),
            ColumnDef::new("password_hash").binary().take(),
            ColumnDef::new("password_expires_at").timestamp_with_time_zone().take(),
        ] {
            let alter = Table::alter().table(FORMER).add_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        manager.get_connection().execute_unprepared(ENDING).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX former_token_ending").await?;
        // Without its end, such a link would be good for ever.
        db.execute_unprepared("DELETE FROM former_token WHERE valid_until IS NOT NULL").await?;
        for column in ["password_expires_at", "password_hash", "valid_until"] {
            db.execute_unprepared(&format!("ALTER TABLE {FORMER} DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}
