//! Everything that a database holds: which of its columns have a word in them, and which could.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

/// A column, as `table.column`, and what it holds.
struct Column {
    name: String,
    kind: String,
}

pub struct Dump {
    db: DatabaseConnection,
    columns: Vec<Column>,
}

impl Dump {
    pub async fn of(url: &str) -> Self {
        let db = Database::connect(url).await.unwrap();
        let sql = match db.get_database_backend() {
            DbBackend::Postgres => {
                "SELECT table_name || '.' || column_name, data_type \
                 FROM information_schema.columns WHERE table_schema = 'public'"
            }
            _ => {
                "SELECT t.name || '.' || c.name, c.type FROM sqlite_master t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
            }
        };
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(statement).await.unwrap();
        let text = |row: &sea_orm::QueryResult, at| row.try_get_by_index::<String>(at).unwrap();
        let columns =
            rows.iter().map(|row| Column { name: text(row, 0), kind: text(row, 1) }).collect();
        Self { db, columns }
    }

    /// Columns that could tell of somebody: not those of numbers, times and ids. Only on `PostgreSQL`, which
    /// says of each what it is.
    pub fn wordy(&self) -> BTreeSet<String> {
        let wordy = ["text", "jsonb", "json", "bytea", "character varying"];
        let columns = self.columns.iter().filter(|column| wordy.contains(&column.kind.as_str()));
        columns.map(|column| column.name.clone()).collect()
    }

    /// Columns in which one of the words, in lower case, stands somewhere, in whatever type of column.
    pub async fn with(&self, words: &[&str]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for Column { name, kind } in &self.columns {
            let (table, column) = name.split_once('.').unwrap();
            let backend = self.db.get_database_backend();
            let any = words.iter().map(|word| match (backend, kind.as_str()) {
                (DbBackend::Postgres, "bytea") => {
                    format!("strpos(lower(encode(\"{column}\", 'escape')), '{word}') > 0")
                }
                (DbBackend::Postgres, _) => {
                    format!("strpos(lower(\"{column}\"::text), '{word}') > 0")
                }
                _ => format!("instr(lower(CAST(\"{column}\" AS TEXT)), '{word}') > 0"),
            });
            let any = any.collect::<Vec<_>>().join(" OR ");
            if self.count(&format!("\"{table}\" WHERE {any}")).await > 0 {
                found.insert(name.clone());
            }
        }
        found
    }

    /// How many rows there are of what comes after FROM.
    pub async fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {from}");
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let row = self.db.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// How the database would find the rows of a query.
    pub async fn plan(&self, query: &str) -> String {
        let backend = self.db.get_database_backend();
        let (explain, at) = match backend {
            DbBackend::Postgres => ("SET enable_seqscan = off; EXPLAIN", 0),
            _ => ("EXPLAIN QUERY PLAN", 3),
        };
        let (first, explain) = explain.split_once(';').unwrap_or(("SELECT 1", explain));
        self.db.execute_unprepared(first).await.unwrap();
        let statement = Statement::from_string(backend, format!("{explain} {query}"));
        let rows = self.db.query_all_raw(statement).await.unwrap();
        let line = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(at).unwrap();
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    pub async fn close(self) {
        self.db.close().await.unwrap();
    }
}
