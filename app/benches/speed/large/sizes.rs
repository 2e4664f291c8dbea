//! How many bytes a row costs, with its indexes.
#![expect(clippy::print_stdout, reason = "this is what the benchmark is for")]

use std::path::Path;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};

use crate::Result;

/// One table.
pub struct Size {
    pub table: String,
    pub rows: f64,
    pub heap_bytes: i64,
    pub index_bytes: i64,
    /// Share of updates that touched no index.
    pub hot: Option<f64>,
    /// Each index with its bytes.
    pub indexes: Vec<(String, i64)>,
}

const TABLES: &str = "SELECT c.relname AS name, c.reltuples::float8 AS rows, \
    pg_table_size(c.oid) AS heap, pg_indexes_size(c.oid) AS indexes, \
    u.n_tup_hot_upd / nullif(u.n_tup_upd, 0)::float8 AS hot \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_stat_user_tables u ON u.relid = c.oid WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.reltuples > 1000 \
    ORDER BY pg_total_relation_size(c.oid) DESC";
const INDEXES: &str = "SELECT t.relname AS name, i.relname AS index, pg_relation_size(i.oid) AS bytes \
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
    JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public' ORDER BY 3 DESC";

/// The tables that have rows to speak of, the largest first.
pub async fn read(url: &str) -> Result<Vec<Size>> {
    let database = Database::connect(url).await?;
    let ask = async |sql: &str| {
        database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await
    };
    database.execute_unprepared("ANALYZE").await?;
    let (tables, indexes) = (ask(TABLES).await?, ask(INDEXES).await?);
    let mut sizes = Vec::new();
    for row in tables {
        let table: String = row.try_get("", "name")?;
        let mut own = Vec::new();
        for index in &indexes {
            if index.try_get::<String>("", "name")? == table {
                own.push((index.try_get("", "index")?, index.try_get("", "bytes")?));
            }
        }
        let (rows, heap_bytes) = (row.try_get("", "rows")?, row.try_get("", "heap")?);
        let (index_bytes, hot) = (row.try_get("", "indexes")?, row.try_get("", "hot")?);
        sizes.push(Size { table, rows, heap_bytes, index_bytes, hot, indexes: own });
    }
    database.close().await?;
    Ok(sizes)
}

/// Prints bytes for each row.
pub fn print(title: &str, sizes: &[Size]) {
    println!(
        "\n{title}:\n\n| Table | Rows | Bytes a row | of its indexes | Together, MB | Updates that touch no index |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for size in sizes {
        let each = |bytes: i64| number(bytes) / size.rows;
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
            size.table,
            size.rows,
            each(size.heap_bytes),
            each(size.index_bytes),
            number(size.heap_bytes + size.index_bytes) / 1e6,
            size.hot.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)),
        );
    }
}

/// Writes `sizes.json`.
pub fn write(settled: &[Size], live: &[Size], folder: &Path) -> Result<()> {
    let all = |sizes: &[Size]| sizes.iter().map(Size::json).collect::<Vec<Value>>();
    let both = json!({"settled": all(settled), "live": all(live)});
    std::fs::write(folder.join("sizes.json"), serde_json::to_string_pretty(&both)? + "\n")?;
    Ok(())
}

impl Size {
    fn json(&self) -> Value {
        let indexes: serde_json::Map<String, Value> =
            self.indexes.iter().map(|(name, bytes)| (name.clone(), json!(bytes))).collect();
        json!({
            "table": self.table,
            "rows": self.rows,
            "heap_bytes": self.heap_bytes,
            "index_bytes": self.index_bytes,
            "hot_updates": self.hot,
            "indexes": indexes,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a byte more or less of terabytes does not matter")]
fn number(bytes: i64) -> f64 {
    bytes as f64
}
