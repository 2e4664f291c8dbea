//! What an SQLite file can do at best: the product's rows on one connection, as durable as the
//! product's.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection, SqliteConnection};
use sea_orm::{Database, prelude::Uuid};
use tokio::time::sleep;

use super::{LONG, REST, TURNS};
use crate::Result;
use crate::samples::Samples;
use crate::statistics::{Latencies, number};

const BULK: usize = 1000;
const ORGANIZATION: &str = "INSERT INTO organization (id, name, slug, created_at, updated_at)
VALUES (?1, 'Limits', 'limits', datetime(), datetime())";
/// Every row that the product writes for an invitation; `?1` is its id, `?2` its address.
const ROWS: &[&str] = &[
    "INSERT INTO \"user\" (id, email, email_normalized, username, first_name, last_name, status,
       must_change_password, created_at, updated_at)
     VALUES (?1, ?2, ?2, ?2, 'Grace', 'Hopper', 'invited', 0, datetime(), datetime())",
    "INSERT INTO membership (id, organization_id, user_id, role, status, created_at, updated_at)
     SELECT ?1, id, ?1, 'member', 'invited', datetime(), datetime() FROM organization",
    "INSERT INTO invitation (id, organization_id, membership_id, user_id, email, email_normalized,
       first_name, last_name, role, locale, metadata, status, generation, secret_generation,
       email_sent, expires_at, created_at, updated_at)
     SELECT ?1, id, ?1, ?1, ?2, ?2, 'Grace', 'Hopper', 'member', 'en', '{}', 'pending', 1, 0, 0,
       datetime('now', '7 days'), datetime(), datetime() FROM organization",
    "INSERT INTO delivery (id, organization_id, invitation_id, generation, status, attempts,
       give_up_at, message_id, repeated, postponed, created_at, updated_at)
     SELECT ?1, id, ?1, 1, 'queued', 0, datetime('now', '3 days'), ?2, 0, 0, datetime(), datetime()
     FROM organization",
    "INSERT INTO outbox (id, kind, subject_id, generation, available_at, tries, created_at)
     VALUES (?1, 'email', ?1, 1, datetime(), 0, datetime())",
    "INSERT INTO event (id, organization_id, invitation_id, kind, actor, data, created_at)
     SELECT ?1, id, ?1, 'invitation.created', 'key', '{\"role\":\"member\"}', datetime()
     FROM organization",
    "INSERT INTO tally (kind, subject, window_start, total, forget_at)
     SELECT value, ?2, datetime('now', 'start of day'), 1, datetime('now', '1 day')
     FROM json_each('[\"a_day\",\"b_day\",\"c_week\"]')",
];
const REPORT: &[&str] = &[
    "UPDATE delivery SET status = 'sent', settled_at = datetime() WHERE id = ?1 AND ?2 <> ''",
    "UPDATE invitation SET email_sent = 1, email_sent_at = datetime() WHERE id = ?1 AND ?2 <> ''",
];

/// What one commit takes: an invitation, and a report.
pub async fn commits(folder: &Path, samples: &mut Samples) -> Result<()> {
    let mut file = Limits::create(folder).await?;
    let invite = file.at_rest(ROWS).await?;
    file.number = 0;
    let report = file.at_rest(REPORT).await?;
    samples.set("limit.commit_invite_ms", invite.percentile(50));
    samples.set("limit.commit_report_ms", report.percentile(50));
    file.remove(folder).await
}

/// One invitation a transaction.
pub async fn invite(folder: &Path, samples: &mut Samples) -> Result<()> {
    let mut file = Limits::create(folder).await?;
    let start = Instant::now();
    file.run(1, LONG, ROWS).await?;
    let rate = number(file.number) / start.elapsed().as_secs_f64();
    samples.set("limit.sqlite_invite_per_s", rate);
    file.remove(folder).await
}

/// A thousand invitations a transaction.
pub async fn bulk(folder: &Path, samples: &mut Samples) -> Result<()> {
    let mut file = Limits::create(folder).await?;
    let start = Instant::now();
    file.run(BULK, LONG, ROWS).await?;
    let rate = number(file.number) / start.elapsed().as_secs_f64();
    samples.set("limit.sqlite_bulk_rows_per_s", rate);
    file.remove(folder).await
}

struct Limits {
    connection: SqliteConnection,
    number: usize,
}

impl Limits {
    async fn create(folder: &Path) -> Result<Self> {
        let path = folder.join("limits.db");
        let database = Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await?;
        Migrator::up(&database, None).await?;
        database.close().await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query(ORGANIZATION).bind(Uuid::from_u128(1)).execute(&mut connection).await?;
        Ok(Self { connection, number: 0 })
    }

    /// Transactions of so many invitations, one after the other.
    async fn run(
        &mut self,
        at_once: usize,
        time: Duration,
        statements: &[&'static str],
    ) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.transaction(at_once, statements).await?;
        }
        Ok(())
    }

    /// How long a transaction of one invitation takes, with a rest before each.
    async fn at_rest(&mut self, statements: &[&'static str]) -> Result<Latencies> {
        let mut taken = Vec::new();
        for _ in 0..TURNS {
            sleep(REST).await;
            taken.push(self.transaction(1, statements).await?);
        }
        Ok(Latencies::new(taken))
    }

    async fn transaction(
        &mut self,
        at_once: usize,
        statements: &[&'static str],
    ) -> Result<Duration> {
        let begin = Instant::now();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        for _ in 0..at_once {
            self.number += 1;
            let id = Uuid::from_u128(u128::try_from(self.number)? << 80 | 0x7000 << 64);
            let email = format!("n{}@example.com", self.number);
            for statement in statements {
                let query = sqlx::query(*statement).bind(id).bind(&email);
                query.execute(&mut self.connection).await?;
            }
        }
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(begin.elapsed())
    }

    async fn remove(self, folder: &Path) -> Result<()> {
        self.connection.close().await?;
        for end in ["", "-wal", "-shm"] {
            drop(fs::remove_file(folder.join(format!("limits.db{end}"))));
        }
        Ok(())
    }
}
