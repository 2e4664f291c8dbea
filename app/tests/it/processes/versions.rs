//! Two versions at once, as while one replaces the other: the older one works on tables of the newer.

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::Store;
use sea_orm::{ConnectionTrait, Database};

use super::TURN;
use super::fleet::Fleet;
use crate::harness::block_on;
use crate::servers::{FreshDatabase, variable};

/// What a version to come may have done: added.
const NEWER: [&str; 5] = [
    "INSERT INTO seaql_migrations VALUES ('m20990101_000001_add_something', 0)",
    "CREATE TABLE something (id uuid PRIMARY KEY)",
    "ALTER TABLE invitation ADD COLUMN something text",
    "ALTER TABLE delivery ADD COLUMN something text NOT NULL DEFAULT 'as before'",
    "ALTER TABLE outbox ADD COLUMN something bigint",
];

#[test]
fn programs_work_on_tables_to_which_a_newer_version_has_added() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let database = FreshDatabase::create().await;
        let url = ("WELCOMAT_DATABASE_URL".to_owned(), database.url.clone());
        let settings = Settings::load(None, [url].into_iter()).unwrap();
        let store = Store::connect(&settings, Clock::new()).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
        let newer = Database::connect(&database.url).await.unwrap();
        for statement in NEWER {
            newer.execute_unprepared(statement).await.unwrap();
        }
        newer.close().await.unwrap();

        let mut fleet = Fleet::over(Some(database), variable("TEST_AMQP_URL"), &[]).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..20).await;
        let tally = fleet.settled().await;
        assert_eq!((tally.acknowledged, tally.lost, tally.repeated), (20, 0, 0));
        fleet.end().await;
    });
}
