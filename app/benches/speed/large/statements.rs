//! What the product's own statements took, as the database counts it.
#![expect(clippy::print_stdout, reason = "this is what the benchmark is for")]

use std::collections::BTreeMap;
use std::fmt::Write;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::task::block_in_place;

use crate::Result;
use crate::report::Report;
use crate::samples::Samples;
use crate::servers::{Server, execute};

/// A statement that must not know how much is settled.
pub struct Watched {
    pub name: &'static str,
    /// What is in no other statement. It is recognized by what it is about, so that it may be written in
    /// another way.
    pub words: &'static [&'static str],
    /// The statement that says of how many rows this one is about, where it does not say so itself.
    pub rows_of: &'static str,
}

pub const WATCHED: &[Watched] = &[
    own("lock", &["SELECT", "FROM \"delivery\"", "JOIN \"organization\"", "FOR UPDATE"]),
    // It writes what was locked, and gives no rows back.
    Watched {
        name: "claim",
        words: &["UPDATE \"delivery\"", "\"next_attempt_at\" <="],
        rows_of: "lock",
    },
    own("relay claim", &["UPDATE \"outbox\"", "SKIP LOCKED"]),
    own("relay settle", &["UPDATE \"outbox\" SET", "\"published_at\" = "]),
    own("rescue", &["SELECT", "FROM \"delivery\"", "\"lease_until\" <="]),
    own("lost jobs", &["FROM \"delivery\"", "NOT", "FROM \"outbox\"", "\"published_at\" >"]),
    own("overview", &["FROM \"event\"", "GROUP BY"]),
    own("list", &["SELECT", "FROM \"invitation\"", "id\" DESC LIMIT"]),
];

const fn own(name: &'static str, words: &'static [&'static str]) -> Watched {
    Watched { name, words, rows_of: name }
}

impl Watched {
    pub fn is(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.contains(word))
    }
}

/// Lets the server count; restarts it.
pub async fn watch(server: &Server) -> Result<()> {
    execute(&server.url, "ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements").await?;
    block_in_place(|| server.run("stop").and_then(|_| server.run("start")))?;
    execute(&server.url, "CREATE EXTENSION pg_stat_statements").await
}

/// Counts anew.
pub async fn forget(database: &DatabaseConnection) -> Result<()> {
    database.execute_unprepared("SELECT pg_stat_statements_reset()").await?;
    Ok(())
}

/// Milliseconds for each row, or each call where rows do not matter.
pub async fn read(
    database: &DatabaseConnection,
    name: &str,
    which: &str,
    samples: &mut Samples,
) -> Result<()> {
    let sql = format!(
        "SELECT query, total_exec_time AS ms, greatest(rows, calls)::float8 AS rows \
         FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = '{name}'"
    );
    let mut taken: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for row in database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await? {
        let query: String = row.try_get("", "query")?;
        for watched in WATCHED.iter().filter(|watched| watched.is(&query)) {
            let (ms, rows) = taken.entry(watched.name).or_default();
            *ms += row.try_get::<f64>("", "ms")?;
            *rows += row.try_get::<f64>("", "rows")?;
        }
    }
    for Watched { name, rows_of, .. } in WATCHED {
        if let (Some((ms, _)), Some((_, rows))) = (taken.get(name), taken.get(rows_of)) {
            samples.set(format!("{which}.{}_ms", name.replace(' ', "_")), ms / rows);
        }
    }
    Ok(())
}

/// What the database was busy with, as text: the statements that took most of its time.
pub async fn busiest(
    database: &DatabaseConnection,
    name: &str,
    invitations: f64,
) -> Result<String> {
    let sql = format!(
        "SELECT query, calls::float8 AS calls, rows::float8 AS rows, total_exec_time AS ms, \
         total_plan_time AS planning \
         FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
         WHERE datname = '{name}' ORDER BY total_exec_time + total_plan_time DESC LIMIT 30"
    );
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let mut text = String::from(
        "µs of work, of planning, calls and rows, each per invitation, and the statement\n\n",
    );
    for row in rows {
        let per = |column: &str| row.try_get::<f64>("", column).map(|all| all / invitations);
        let (us, planning) = (per("ms")? * 1000.0, per("planning")? * 1000.0);
        let (calls, rows) = (per("calls")?, per("rows")?);
        let query: String = row.try_get("", "query")?;
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(text, "{us:8.1} {planning:8.1} {calls:7.3} {rows:7.3}  {query:.300}")?;
    }
    Ok(text)
}

/// Prints both, side by side.
pub fn print(report: &Report<'_>) {
    println!("\n| Statement, ms of the database for each row or call | Empty | Large |");
    println!("|---|---:|---:|");
    for Watched { name: statement, .. } in WATCHED {
        let name = statement.replace(' ', "_");
        let ms = |which: &str| {
            let ms = report.median(&format!("{which}.{name}_ms"));
            ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.3}"))
        };
        println!("| {statement} | {} | {} |", ms("empty"), ms("large"));
    }
}
