//! What is heard of a mail after it was sent, and ids for suppressed addresses.

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
        let db = manager.get_connection();
        let heard = ColumnDef::new("feedback_at").timestamp_with_time_zone().to_owned();
        let alter = Table::alter().table("delivery").add_column(heard).to_owned();
        manager.alter_table(alter).await?;
        // An id can stand in a path, an address cannot: paths are logged on their way.
        let ids: &[&str] = match manager.get_database_backend() {
            // The default is for a worker of the version before, which knows of no ids.
            DbBackend::Postgres => &["ALTER TABLE suppression \
                 ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid()"],
            _ => &[
                "ALTER TABLE suppression ADD COLUMN id uuid_text",
                "UPDATE suppression SET id = randomblob(16)",
            ],
        };
        for statement in ids.iter().chain(INDEXES) {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for statement in [
            "DROP INDEX suppression_by_id",
            "DROP INDEX suppression_listed",
            "ALTER TABLE suppression DROP COLUMN id",
            "ALTER TABLE delivery DROP COLUMN feedback_at",
        ] {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX suppression_by_id ON suppression (id)",
    "CREATE INDEX suppression_listed ON suppression (organization_id, created_at, id)",
];
