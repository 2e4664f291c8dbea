//! What the product's own statements took, as the database counts it.
#![expect(clippy::print_stdout, reason = "this is what the benchmark is for")]

use std::fmt::Write;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::task::block_in_place;

use crate::Result;
use crate::report::Report;
use crate::samples::Samples;
use crate::servers::{Server, execute};

/// Statements that must not know how much is settled: a name, and what is in nothing else.
///
/// They are recognized by what they are about, so that they may be written in another way.
pub const WATCHED: &[(&str, &[&str])] = &[
    ("lock", &["SELECT", "FROM \"invitation\"", "(SELECT \"invitation_id\"", "FOR UPDATE"]),
    ("claim", &["UPDATE \"delivery\"", "\"next_attempt_at\" <="]),
    ("secret", &["UPDATE \"invitation\"", "\"sealed\" =", "\"secret_generation\" <"]),
    ("relay claim", &["UPDATE \"outbox\"", "SKIP LOCKED"]),
    ("relay settle", &["UPDATE \"outbox\" SET", "\"published_at\" = "]),
    ("rescue", &["SELECT", "FROM \"delivery\"", "\"lease_until\" <="]),
    ("lost jobs", &["FROM \"delivery\"", "NOT", "FROM \"outbox\"", "\"published_at\" >"]),
    ("overview", &["FROM \"event\"", "GROUP BY"]),
    ("list", &["SELECT", "FROM \"invitation\"", "ORDER BY \"invitation\".\"id\" DESC"]),
];

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
    for (statement, words) in WATCHED {
        let has: Vec<String> =
            words.iter().map(|word| format!("position('{word}' IN query) > 0")).collect();
        let sql = format!(
            "SELECT sum(total_exec_time) / greatest(sum(rows), sum(calls)) AS ms \
             FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
             WHERE datname = '{name}' AND {}",
            has.join(" AND ")
        );
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let ms = row.map(|row| row.try_get::<Option<f64>>("", "ms")).transpose()?.flatten();
        if let Some(ms) = ms {
            samples.set(format!("{which}.{}_ms", statement.replace(' ', "_")), ms);
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
    for (statement, _) in WATCHED {
        let name = statement.replace(' ', "_");
        let ms = |which: &str| {
            let ms = report.median(&format!("{which}.{name}_ms"));
            ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.3}"))
        };
        println!("| {statement} | {} | {} |", ms("empty"), ms("large"));
    }
}
