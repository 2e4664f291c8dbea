//! PostgreSQL has no room for another row.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use serde_json::json;

use super::{HASTE, Repeats, heals, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;

/// An attempt outlives the fault.
const LONG_LEASE: (&str, &str) = ("WELCOMAT_WORKER_LEASE", "60s");

/// F32b: what is read is read, and nothing can be written. The refusal is the server's own but for the
/// reason: a disk that is really full takes the right to mount one.
#[test]
fn a_full_disk_of_postgresql_is_answered_clearly_and_loses_no_report() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &[LONG_LEASE]].concat()).await;
        // The server is slow to answer here: the worker must wait for it.
        fleet.set("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "30s");
        fleet.add_api().await;
        fleet.add_worker();
        fleet.sink.hold(true);
        fleet.invite(0..6).await;
        fleet.until_mails(6).await;
        let disk = Disk::of(&fleet).await;
        disk.fill().await;
        for number in 6..12 {
            let answer = fleet.offer_one(number, &fleet.apis[0].client).await.unwrap();
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
            let detail = "The service cannot reach its database. Try again in a moment.";
            let told = answer.json();
            assert_eq!((&told["code"], &told["detail"]), (&json!("unavailable"), &json!(detail)));
        }
        assert!(disk.refusals("%").await >= 6);
        // It still answers what needs no room.
        assert_eq!(fleet.apis[0].client.get("/v1/me").await.unwrap().status, 200);
        // The six mails are taken now, and the worker cannot say so.
        fleet.sink.hold(false);
        eventually("the worker tries again and again", async || {
            (disk.refusals("delivery").await > 3).then_some(())
        })
        .await;
        assert_eq!(fleet.list("limit=1&delivery_status=sent").await["data"], json!([]));
        disk.make_room().await;
        fleet.insist(6..12).await;
        let tally = heals(&fleet).await;
        assert_eq!(tally.sent, 13);
        record("F32b", "the disk of PostgreSQL is full", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// The one that the tables are on.
struct Disk(DatabaseConnection);

impl Disk {
    async fn of(fleet: &Fleet) -> Self {
        Self(Database::connect(fleet.database_url()).await.unwrap())
    }

    /// From now on a row that is added or changed is refused as the server does it, and counted: what a
    /// sequence has counted stays when its transaction is undone.
    async fn fill(&self) {
        self.run(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM nextval('full_' || TG_TABLE_NAME); \
             RAISE EXCEPTION 'could not extend file: No space left on device' \
             USING ERRCODE = 'disk_full'; END $$",
        )
        .await;
        for table in self.tables().await {
            self.run(&format!("CREATE SEQUENCE full_{table}")).await;
            let refuse = format!(
                "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON \"{table}\" \
                 FOR EACH ROW EXECUTE FUNCTION full_disk()"
            );
            self.run(&refuse).await;
        }
    }

    async fn make_room(&self) {
        for table in self.tables().await {
            self.run(&format!("DROP TRIGGER full_disk ON \"{table}\"")).await;
        }
    }

    /// Each in a transaction of its own: to lock one table after the other is to wait for each other.
    async fn run(&self, sql: &str) {
        self.0.execute_unprepared(sql).await.unwrap();
    }

    async fn tables(&self) -> Vec<String> {
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
        let all = Statement::from_string(self.0.get_database_backend(), sql);
        let rows = self.0.query_all_raw(all).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// How many rows of tables whose name is like this had no room.
    async fn refusals(&self, table: &str) -> i64 {
        let sql = format!(
            "SELECT coalesce(sum(last_value), 0)::bigint FROM pg_sequences \
             WHERE sequencename LIKE 'full_{table}'"
        );
        let count = Statement::from_string(self.0.get_database_backend(), sql);
        let row = self.0.query_one_raw(count).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }
}
