//! Forgetting people: what is anonymous already, what of its history is gone, and how to find the rest.
#![expect(
    elided_lifetimes_in_paths,
    reason = "the macro of async-trait needs the trait's exact form"
)]

use sea_orm_migration::prelude::*;

/// See the file's description.
#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: [&str; 2] = ["anonymized_at", "pruned_at"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let column = ColumnDef::new(column).timestamp_with_time_zone().to_owned();
            let alter = Table::alter().table("invitation").add_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        for (_, index) in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for (name, _) in INDEXES {
            db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        for column in COLUMNS {
            db.execute_unprepared(&format!("ALTER TABLE invitation DROP COLUMN {column}")).await?;
        }
        Ok(())
    }
}

// What the sweeps have done is in none of them, so that they find only what is left to do.
const INDEXES: [(&str, &str); 4] = [
    (
        "invitation_named",
        "CREATE INDEX invitation_named ON invitation (closed_at) \
         WHERE closed_at IS NOT NULL AND anonymized_at IS NULL",
    ),
    (
        "invitation_whole",
        "CREATE INDEX invitation_whole ON invitation (closed_at) \
         WHERE closed_at IS NOT NULL AND pruned_at IS NULL",
    ),
    // Few mails went to an address that their invitation does not have any more.
    (
        "delivery_former",
        "CREATE INDEX delivery_former ON delivery (lower(recipient)) WHERE recipient IS NOT NULL",
    ),
    // The subject of a token may be an address.
    (
        "event_by_stranger",
        "CREATE INDEX event_by_stranger ON event (lower(actor)) WHERE actor LIKE 'token:%'",
    ),
];
