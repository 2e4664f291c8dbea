//! Lists by a status read what they show, however many invitations stand otherwise.
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
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX delivery_of_status").await?;
        db.execute_unprepared("DROP INDEX invitation_of_status").await?;
        Ok(())
    }
}

const INDEXES: [&str; 2] = [
    "CREATE INDEX invitation_of_status ON invitation (organization_id, status, id)",
    "CREATE INDEX delivery_of_status ON delivery (organization_id, status, invitation_id)",
];
