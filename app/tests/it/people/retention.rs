//! What ended long ago tells of nobody, and then has no history: once, however many processes sweep.

use std::time::Duration;

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::Store;
use serde_json::{Value, json};

use super::dump::Dump;
use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(what_ended_long_ago_is_anonymous_and_then_has_no_history);

const DAY: Duration = Duration::from_hours(24);
const YEAR: u64 = 365 * 24 * 3600;
const SETTINGS: [(&str, &str); 2] = [
    ("WELCOMAT_RETENTION_ANONYMIZE_AFTER_DAYS", "30"),
    ("WELCOMAT_RETENTION_DELETE_AFTER_DAYS", "60"),
];

/// Another process on the same database, in which more time has passed.
async fn another(app: &TestApp, later: Duration) -> Store {
    let env = [("WELCOMAT_DATABASE_URL".to_owned(), app.database_url.clone())];
    let settings = Settings::load(None, env.into_iter()).unwrap();
    let store = Store::connect(&settings, Clock::new()).await.unwrap();
    store.clock().advance(later);
    store
}

/// One who joins, one who declines, one who is revoked after a resend, and one who has not answered.
async fn four(app: &TestApp) -> [String; 4] {
    let mut paths = Vec::new();
    for name in ["joins", "declines", "revoked", "waits"] {
        let body = json!({
            "email": format!("{name}@quibble.example"), "first_name": "Zerlinda",
            "metadata": {"badge": name}, "expires_in": YEAR,
        });
        let made = app.post(&body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let path = made.header("location").unwrap().to_owned();
        app.until(&path, "sent").await;
        paths.push(path);
    }
    let token =
        async |name: &str| app.mails_to(&format!("{name}@quibble.example")).await.remove(0).token();
    let accept = json!({"token": token("joins").await, "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let decline = json!({ "token": token("declines").await });
    assert_eq!(app.act("/v1/invitations/decline", &decline).await.0, 200);
    assert_eq!(app.act(&format!("{}/resend", paths[2]), &json!({})).await.0, 200);
    app.until(&paths[2], "sent").await;
    assert_eq!(app.act(&format!("{}/revoke", paths[2]), &json!({})).await.0, 200);
    paths.try_into().unwrap()
}

fn count(invitation: &Value, field: &str) -> usize {
    invitation[field].as_array().unwrap().len()
}

async fn what_ended_long_ago_is_anonymous_and_then_has_no_history(stack: Stack) {
    let app = TestApp::start_with_settings(stack, &SETTINGS).await;
    let [joined, declined, revoked, waits] = four(&app).await;
    let (early, one, other) =
        tokio::join!(another(&app, DAY * 29), another(&app, DAY * 31), another(&app, DAY * 31));
    let month = DAY * 30;
    assert_eq!(early.anonymize_ended(month).await.unwrap(), 0, "it is not time");
    let (here, there) = tokio::join!(one.anonymize_ended(month), other.anonymize_ended(month));
    assert_eq!(here.unwrap() + there.unwrap(), 3, "each of them once");
    assert_eq!(one.anonymize_ended(month).await.unwrap(), 0, "and no more");
    for (path, status) in [(&joined, "accepted"), (&declined, "declined"), (&revoked, "revoked")] {
        let left = app.get(path).await;
        assert_eq!(
            (text(&left["status"]), text(&left["email"])),
            (status.into(), "erased@erased.invalid".into())
        );
        assert_eq!((&left["first_name"], &left["metadata"]), (&Value::Null, &json!({})));
        assert!(count(&left, "events") >= 3, "its history is there: {left}");
    }
    assert_eq!(text(&app.get(&waits).await["metadata"]["badge"]), "waits");
    let dump = Dump::of(&app.database_url).await;
    assert!(dump.with(&["declines@quibble", "revoked@quibble"]).await.is_empty());
    let member = dump.with(&["joins@quibble"]).await;
    assert!(member.iter().all(|name| name.starts_with("user.")), "a member is known: {member:?}");
    assert!(!member.is_empty());

    let (here, there) = tokio::join!(one.prune_ended(month), other.prune_ended(month));
    assert_eq!(here.unwrap() + there.unwrap(), 3, "each of them once");
    let left = app.get(&revoked).await;
    assert_eq!((count(&left, "events"), count(&left, "deliveries")), (0, 1), "{left}");
    assert_eq!(text(&left["delivery"]["status"]), "sent");
    assert!(count(&app.get(&waits).await, "events") >= 2);
    for store in [early, one, other] {
        store.close().await;
    }
    // The cost of looking does not grow with what has been done.
    let ended =
        "SELECT id FROM invitation WHERE closed_at IS NOT NULL AND closed_at < '2026-01-01' AND";
    for (still, index) in [("anonymized_at", "invitation_named"), ("pruned_at", "invitation_whole")]
    {
        let query = format!("{ended} {still} IS NULL ORDER BY closed_at LIMIT 200");
        let plan = dump.plan(&query).await;
        assert!(plan.contains(index), "{plan}");
    }
    let log = "SELECT id FROM event WHERE invitation_id IS NULL AND created_at < '2026-01-01' \
               ORDER BY id LIMIT 200";
    let plan = dump.plan(log).await;
    assert!(plan.contains("event_of_invitation"), "{plan}");
    dump.close().await;
    by_the_sweep(&app, &waits).await;
}

/// The service does the same by itself, and counts it.
async fn by_the_sweep(app: &TestApp, waits: &str) {
    let token = app.mails_to("waits@quibble.example").await.remove(0).token();
    assert_eq!(app.act("/v1/invitations/decline", &json!({ "token": token })).await.0, 200);
    app.clock.advance(DAY * 31);
    let left = eventually("the sweep comes by", async || {
        let found = app.get(waits).await;
        (found["email"] == "erased@erased.invalid").then_some(found)
    })
    .await;
    assert!(count(&left, "events") >= 3, "{left}");
    app.clock.advance(DAY * 31);
    eventually("and once more", async || {
        (count(&app.get(waits).await, "events") == 0).then_some(())
    })
    .await;
    let metrics = app.client.get("/metrics").await.unwrap().text();
    assert!(metrics.contains("welcomat_retention_anonymized_total 1\n"), "{metrics}");
    assert!(!metrics.contains("welcomat_retention_deleted_total 0\n"), "{metrics}");
}
