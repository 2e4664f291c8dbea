//! More requests than the database can take: those that would only wait are told to come again.

use app::http::{Answer, Client};
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Stack, TestApp, block_on};

const AT_ONCE: usize = 40;

async fn invite(client: Client, path: String, number: usize) -> Answer {
    client.post(&path, &json!({"email": format!("p{number}@example.com")})).await.unwrap()
}

#[test]
fn whoever_would_only_wait_is_told_to_come_again() {
    block_on(async {
        // The database itself sends nobody away.
        let few = [
            ("WELCOMAT_DATABASE_MAX_WAITING", "3"),
            ("WELCOMAT_DATABASE_LOCK_TIMEOUT", "2m"),
            ("WELCOMAT_DATABASE_STATEMENT_TIMEOUT", "2m"),
        ];
        let app = TestApp::start_with_settings(Stack::Distributed, &few).await;
        let database = Database::connect(&app.database_url).await.unwrap();
        let slow = database.begin().await.unwrap();
        // Keys can be looked up, and nothing can be recorded.
        slow.execute_unprepared("LOCK TABLE invitation").await.unwrap();
        let mut requests = JoinSet::new();
        for number in 0..AT_ONCE {
            requests.spawn(invite(app.client.clone(), app.invitations(), number));
        }
        let refused = requests.join_next().await.unwrap().unwrap();
        assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("busy")));
        assert_eq!(refused.header("retry-after"), Some("1"));
        slow.rollback().await.unwrap();
        let mut taken = 0;
        while let Some(answer) = requests.join_next().await {
            let answer = answer.unwrap();
            assert!([201, 503].contains(&answer.status), "{}", answer.text());
            taken += usize::from(answer.status == 201);
        }
        assert!(taken > 0, "those that waited had their turn");
        // Nothing is recorded of those who were sent away, and they are welcome now.
        let all = app.get(&format!("{}?limit=100", app.invitations())).await;
        assert_eq!(all["data"].as_array().unwrap().len(), taken);
        let answer = invite(app.client.clone(), app.invitations(), AT_ONCE).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    });
}
