//! Somebody is invited at the moment at which they are erased.

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};
use serde_json::json;

use crate::harness::{Stack, TestApp, block_on, text};
use crate::servers::eventually;

const EMAIL: &str = "zerlinda@example.com";
/// What erasing does with a person's record, at its last.
const ERASE: &str = "UPDATE \"user\" SET email = id || '@erased.invalid', \
     email_normalized = id || '@erased.invalid' WHERE email_normalized = 'zerlinda@example.com'";

/// Embedded, one writer waits for the other: there is no such moment.
#[test]
fn whoever_is_invited_while_they_are_erased_is_somebody_new() {
    block_on(async {
        let app = TestApp::start(Stack::Distributed).await;
        app.until(&app.invite(EMAIL).await, "sent").await;
        let (other, others) = app.other_organization().await;
        let invitations = format!("/v1/organizations/{other}/invitations");
        let database = Database::connect(&app.database_url).await.unwrap();
        let erasing = database.begin().await.unwrap();
        assert_eq!(erasing.execute_unprepared(ERASE).await.unwrap().rows_affected(), 1);
        let body = json!({ "email": EMAIL });
        let inviting = others.post(&invitations, &body);
        let finish = async {
            eventually("the invitation waits for what happens", async || {
                let waiting = "SELECT 1 AS one FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                               OR l.database IS NULL WHERE NOT l.granted \
                               AND d.datname = current_database()";
                let waiting = Statement::from_string(DbBackend::Postgres, waiting);
                database.query_one_raw(waiting).await.unwrap().map(|_| ())
            })
            .await;
            erasing.commit().await.unwrap();
        };
        let (made, ()) = tokio::join!(inviting, finish);
        let made = made.unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
        let person = "SELECT u.email_normalized FROM invitation i \
                      JOIN \"user\" u ON u.id = i.user_id WHERE i.id::text = $1";
        let id = text(&made.json()["id"]);
        let person = Statement::from_sql_and_values(DbBackend::Postgres, person, [id.into()]);
        let row = database.query_one_raw(person).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), EMAIL);
        database.close().await.unwrap();
    });
}
