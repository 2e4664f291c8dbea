//! Somebody is invited at the moment at which they are erased.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait,
};
use serde_json::json;

use crate::harness::{Stack, TestApp, block_on, text};
use crate::servers::eventually;

const EMAIL: &str = "zerlinda@example.com";

/// Embedded, one writer waits for the other: there is no such moment.
#[test]
fn whoever_is_invited_while_they_are_erased_is_erased_with_that_invitation() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        app.until(&app.invite(EMAIL).await, "sent").await;
        let (other, others) = app.other_organization().await;
        let database = Database::connect(&app.database_url).await.unwrap();
        // Inviting counts towards limits, at its end, and erasing does not: an invitation that knows
        // already who she is stands still here.
        let counting = database.begin().await.unwrap();
        counting.execute_unprepared("LOCK TABLE tally IN SHARE MODE").await.unwrap();
        let invitations = format!("/v1/organizations/{other}/invitations");
        // Its mail is for later: no worker has it in hand, which nobody could take back.
        let later = app.clock.now() + Duration::from_hours(1);
        let body = json!({ "email": EMAIL, "send_at": later });
        let inviting = others.post(&invitations, &body);
        let (operator, address) = (app.operator(), json!({ "email": EMAIL }));
        let erasing = async {
            until_it_waits(&database, "%INSERT INTO \"membership\"%").await;
            let erased = operator.post("/v1/people/erase", &address);
            let release = async {
                until_it_waits(&database, "UPDATE \"user\"%").await;
                counting.commit().await.unwrap();
            };
            tokio::join!(erased, release).0
        };
        let (made, erased) = tokio::join!(inviting, erasing);
        let (made, erased) = (made.unwrap(), erased.unwrap());
        assert_eq!((made.status, erased.status), (201, 200), "{}{}", made.text(), erased.text());
        let id = text(&made.json()["id"]);
        let left = others.get(&format!("{invitations}/{id}")).await.unwrap().json();
        assert_eq!(
            (text(&left["email"]), text(&left["status"])),
            ("erased@erased.invalid".into(), "revoked".into())
        );
        database.close().await.unwrap();
    });
}

/// Until a statement that is like that waits for a lock. Who else does, such as whatever forgets old counts,
/// says nothing of these two.
async fn until_it_waits(database: &DatabaseConnection, like: &str) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock' AND query LIKE $1";
    eventually(&format!("{like} waits for a lock"), async || {
        let waiting =
            Statement::from_sql_and_values(DbBackend::Postgres, waiting, [like.to_owned().into()]);
        let found = database.query_one_raw(waiting).await.unwrap().unwrap();
        (found.try_get_by_index::<i64>(0).unwrap() > 0).then_some(())
    })
    .await;
}
