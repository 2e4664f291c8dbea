//! The roles of `deploy/postgres`, under names of this test's own: a server has them once.

use std::path::Path;
use std::process::Command;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::servers::{FreshDatabase, unique};

const ROLES: &str = include_str!("../../../../../deploy/postgres/roles.sql");
const GRANTS: &str = include_str!("../../../../../deploy/postgres/grants.sql");
const RETENTION: &str = include_str!("../../../../../deploy/postgres/grants-retention.sql");

/// What each role must not do.
const FORBIDDEN: [(&str, &str); 29] = [
    ("api", "CREATE TABLE mine (id int)"),
    ("api", "DROP TABLE invitation"),
    ("api", "ALTER TABLE invitation ADD COLUMN mine int"),
    ("api", "TRUNCATE invitation"),
    ("api", "UPDATE event SET kind = 'x'"),
    ("api", "DELETE FROM event"),
    ("api", "DELETE FROM invitation"),
    ("api", "DELETE FROM \"user\""),
    ("api", "DELETE FROM api_key"),
    ("api", "INSERT INTO dead_letter (id) VALUES (gen_random_uuid())"),
    ("api", "INSERT INTO seaql_migrations (version, applied_at) VALUES ('x', 0)"),
    ("api", "COPY event TO PROGRAM 'id'"),
    ("api", "UPDATE worker SET slots = 0"),
    ("worker", "CREATE TABLE mine (id int)"),
    ("worker", "DROP TABLE delivery"),
    ("worker", "SELECT * FROM api_key"),
    ("worker", "INSERT INTO api_key (id) VALUES (gen_random_uuid())"),
    ("worker", "INSERT INTO invitation (id) VALUES (gen_random_uuid())"),
    ("worker", "INSERT INTO membership (id) VALUES (gen_random_uuid())"),
    ("worker", "UPDATE \"user\" SET password_hash = 'x'"),
    ("worker", "UPDATE membership SET role = 'owner'"),
    ("worker", "UPDATE former_token SET invitation_id = NULL"),
    ("worker", "SELECT * FROM event"),
    ("worker", "DELETE FROM delivery"),
    ("api", "INSERT INTO webhook_attempt (id) VALUES (gen_random_uuid())"),
    ("worker", "INSERT INTO webhook_endpoint (id) VALUES (gen_random_uuid())"),
    ("worker", "UPDATE webhook_endpoint SET url = 'x'"),
    ("worker", "UPDATE announcement SET data = 'x'"),
    ("worker", "DELETE FROM event_exchange"),
];

pub struct OwnRoles {
    database: FreshDatabase,
    prefix: String,
}

impl OwnRoles {
    /// Makes them, as the file says.
    pub async fn make() -> Self {
        let roles = Self { database: FreshDatabase::create().await, prefix: unique("role") };
        roles.run(&roles.database.url, ROLES).await;
        roles
    }

    /// As an operator does: makes the tables as their owner, then grants.
    pub async fn migrate(&self, folder: &Path) {
        let migrated = Command::new(env!("CARGO_BIN_EXE_welcomat"))
            .arg("migrate")
            .env_clear()
            .env("WELCOMAT_DATA_DIR", folder)
            .env("WELCOMAT_DATABASE_URL", self.url("owner"))
            .output()
            .unwrap();
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        self.run(&self.url("owner"), GRANTS).await;
    }

    /// As an operator does who wants what is old to be deleted.
    pub async fn let_history_be_deleted(&self) {
        self.run(&self.url("owner"), RETENTION).await;
    }

    /// Where that role logs in. The server of the tests believes everybody.
    pub fn url(&self, role: &str) -> String {
        self.database.url.replace("postgres@", &format!("{}_{role}@", self.prefix))
    }

    /// How many rows there are.
    pub async fn count(&self, table: &str) -> i64 {
        let database = connect(&self.database.url).await;
        let sql = format!("SELECT count(*) AS count FROM {table}");
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        row.unwrap().unwrap().try_get("", "count").unwrap()
    }

    /// Everything else is refused, and for the reason that the role may not.
    pub async fn refuse_the_rest(&self) {
        for (role, statement) in FORBIDDEN {
            let database = connect(&self.url(role)).await;
            let refused = database.execute_unprepared(statement).await.expect_err(statement);
            let said = refused.to_string();
            let denied = ["permission denied", "must be owner", "must be superuser"]
                .iter()
                .any(|word| said.contains(word));
            assert!(denied, "{role}: {statement}: {said}");
            database.close().await.unwrap();
        }
    }

    pub async fn remove(self) {
        let admin = self.database.url.clone();
        for role in ["owner", "api", "worker"] {
            let sql = format!("DROP OWNED BY {0}_{role}; DROP ROLE {0}_{role}", self.prefix);
            self.run(&admin, &sql).await;
        }
        self.database.remove().await;
    }

    async fn run(&self, url: &str, sql: &str) {
        let database = connect(url).await;
        let own = sql.replace("welcomat_", &format!("{}_", self.prefix));
        database.execute_unprepared(&own).await.unwrap();
        database.close().await.unwrap();
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    Database::connect(url).await.unwrap()
}
