//! A service that cannot start says why in one sentence, with the next step, and never loops in silence.

use sea_orm::{ConnectionTrait, Database};

use super::{Call, welcomat};
use crate::harness::block_on;
use crate::servers::FreshDatabase;

/// The three ways to start, with settings that nothing else is wrong with.
fn starts(folder: &std::path::Path, database: &str) -> [Call; 3] {
    ["serve", "api", "worker"].map(|what| {
        welcomat(what)
            .env("WELCOMAT_DATA_DIR", folder.to_str().unwrap())
            .env("WELCOMAT_DATABASE_URL", database)
            .env("WELCOMAT_DATABASE_ACQUIRE_TIMEOUT", "1s")
            .env("WELCOMAT_BROKER_URL", "amqp://127.0.0.1:1")
            .env("WELCOMAT_SEAL_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .env("WELCOMAT_HTTP_BIND", "127.0.0.1:0")
    })
}

/// It ends, and says in one line, which has these words, why. A log line may still follow.
fn says(call: Call, words: &[&str]) {
    let said = call.run();
    assert_eq!(said.code, 1, "{said:?}");
    let why = said.err.lines().find(|line| line.starts_with("welcomat")).unwrap_or_default();
    for word in words {
        assert!(why.contains(word), "{word}: {said:?}");
    }
    assert!(!said.err.contains("hunter2"), "no password: {said:?}");
}

#[test]
fn a_database_that_is_not_there_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    for start in starts(folder.path(), "postgres://welcomat:hunter2@127.0.0.1:1/none") {
        says(start, &["the database cannot be reached", "\"welcomat doctor\" says what to do"]);
    }
}

#[test]
fn a_file_that_is_no_database_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("photo.db");
    std::fs::write(&file, "no database, but long enough to be taken for one. ".repeat(20)).unwrap();
    for start in starts(folder.path(), &format!("sqlite://{}", file.display())) {
        says(start, &["file is not a database", "\"welcomat doctor\" says what to do"]);
    }
}

#[test]
fn a_database_that_takes_no_changes_is_named_with_the_next_step() {
    block_on(async {
        let database = FreshDatabase::create().await;
        let db = Database::connect(&database.url).await.unwrap();
        let read_only = "DO $$ BEGIN EXECUTE 'ALTER DATABASE \"' || current_database() || \
                         '\" SET default_transaction_read_only = on'; END $$";
        db.execute_unprepared(read_only).await.unwrap();
        db.close().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        for start in starts(folder.path(), &database.url) {
            says(start, &["read-only transaction", "\"welcomat doctor\" says what to do"]);
        }
        database.remove().await;
    });
}

#[test]
fn a_broker_of_another_process_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let [_, _, worker] = starts(folder.path(), "");
    says(worker.env("WELCOMAT_BROKER_URL", "memory:"), &["no other process can reach", "amqp://"]);
}
