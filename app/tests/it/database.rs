//! Looks into the database, for what no answer shows: read only.

use std::fs;
use std::path::Path;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement,
};

use crate::harness::TestApp;

/// The user's password hash, and whether the password is to be changed.
pub async fn password_of(url: &str, email: &str) -> (Option<String>, bool) {
    let database = open(url).await;
    let sql =
        r#"SELECT password_hash, must_change_password FROM "user" WHERE email_normalized = $1"#;
    let backend = database.get_database_backend();
    let query = Statement::from_sql_and_values(backend, sql, [email.into()]);
    let row = database.query_one_raw(query).await.unwrap();
    let row = row.unwrap_or_else(|| panic!("there is no user {email}"));
    database.close().await.unwrap();
    (row.try_get("", "password_hash").unwrap(), row.try_get("", "must_change_password").unwrap())
}

/// How many rows a table has.
pub async fn count(app: &TestApp, table: &str) -> i64 {
    let database = open(&app.database_url).await;
    let rows = all_rows(&database, &format!("SELECT count(*) AS rows FROM {table}")).await;
    database.close().await.unwrap();
    rows[0].try_get("", "rows").unwrap()
}

/// All that is stored, as bytes to be searched; binary columns may be hexadecimal.
pub async fn everything(url: &str) -> Vec<u8> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        let folder = Path::new(path.split('?').next().unwrap()).parent().unwrap();
        // The database and what is not written back to it yet.
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        return files.flat_map(|file| fs::read(file).unwrap()).collect();
    }
    let database = open(url).await;
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    let mut all = Vec::new();
    for table in all_rows(&database, tables).await {
        let table: String = table.try_get("", "tablename").unwrap();
        let rows =
            all_rows(&database, &format!(r#"SELECT t::text AS line FROM "{table}" t"#)).await;
        let lines = rows.iter().map(|row| row.try_get::<String>("", "line").unwrap());
        all.extend(lines.flat_map(String::into_bytes));
    }
    database.close().await.unwrap();
    all
}

async fn all_rows(database: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let query = Statement::from_string(database.get_database_backend(), sql);
    database.query_all_raw(query).await.unwrap()
}

async fn open(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.replace("mode=rwc", "mode=ro"));
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await.unwrap();
    if url.starts_with("postgres") {
        database.execute_unprepared("SET default_transaction_read_only = on").await.unwrap();
    }
    database
}
