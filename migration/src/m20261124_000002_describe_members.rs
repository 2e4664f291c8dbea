//! What contracts say of members, roles that an organization knows, and keys for a whole instance.

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
        for (table, column) in columns() {
            // One at a time: SQLite takes no more in a statement.
            let alter = Table::alter().table(table).add_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        // SQLite cannot let a column of an existing table be empty, so the table is made anew.
        manager.create_table(api_key()).await?;
        for statement in AFTER {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Keys without an organization stay behind; the older program would not know what they are.
        for statement in BEFORE {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        for (table, column) in columns().into_iter().rev() {
            let name = column.get_column_name();
            let alter = Table::alter().table(table).drop_column(name).to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

const AFTER: &[&str] = &[
    "INSERT INTO api_key_2 SELECT id, organization_id, user_id, name, role, key_hash, hint, \
     created_at, last_used_at, revoked_at FROM api_key",
    "DROP TABLE api_key",
    "ALTER TABLE api_key_2 RENAME TO api_key",
    "CREATE INDEX api_key_of_organization ON api_key (organization_id)",
    "CREATE UNIQUE INDEX user_username ON \"user\" (username) WHERE username IS NOT NULL",
    "CREATE INDEX membership_listed ON membership (organization_id, number)",
];

const BEFORE: &[&str] = &[
    "DELETE FROM api_key WHERE organization_id IS NULL OR user_id IS NULL",
    "DROP INDEX user_username",
    "DROP INDEX membership_listed",
];

fn columns() -> Vec<(&'static str, ColumnDef)> {
    let membership = |column: &mut ColumnDef| ("membership", column.to_owned());
    vec![
        ("user", ColumnDef::new("username").text().to_owned()),
        (
            "organization",
            ColumnDef::new("default_role").text().not_null().default("member").to_owned(),
        ),
        ("organization", ColumnDef::new("roles").json_binary().to_owned()),
        (
            "invitation",
            ColumnDef::new("credential").text().not_null().default("temporary_password").to_owned(),
        ),
        membership(ColumnDef::new("job_title").text()),
        membership(ColumnDef::new("department").text()),
        membership(ColumnDef::new("access_level").text()),
        membership(ColumnDef::new("auto_assign_default_workdays").boolean()),
        membership(ColumnDef::new("scope").integer()),
        membership(ColumnDef::new("permissions").json_binary()),
        membership(ColumnDef::new("profession_id").big_integer()),
    ]
}

fn api_key() -> TableCreateStatement {
    Table::create()
        .table("api_key_2")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("organization_id").uuid())
        .col(ColumnDef::new("user_id").uuid())
        .col(ColumnDef::new("name").text().not_null())
        .col(ColumnDef::new("role").text().not_null())
        .col(ColumnDef::new("key_hash").binary().not_null().unique_key())
        .col(ColumnDef::new("hint").text().not_null())
        .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .col(ColumnDef::new("last_used_at").timestamp_with_time_zone())
        .col(ColumnDef::new("revoked_at").timestamp_with_time_zone())
        .foreign_key(
            ForeignKey::create().from("api_key_2", "organization_id").to("organization", "id"),
        )
        .to_owned()
}
