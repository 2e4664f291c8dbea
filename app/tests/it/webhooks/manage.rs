//! Webhooks as their organization manages them: the secret, its replacement, the test, the log.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, Statement};
use serde_json::{Value, json};

use super::receiver::{Receiver, Reply};
use super::{NEAR, World, register, verdicts};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    the_secret_is_shown_once_and_kept_sealed,
    while_a_secret_is_replaced_both_count,
    a_test_says_whether_it_works,
    the_log_has_pages_and_is_forgotten,
    what_is_wrong_with_a_webhook_is_said,
    one_that_is_deleted_is_told_nothing,
    whoever_has_nobody_to_tell_writes_nothing,
);

/// What the database says.
pub async fn ask(app: &TestApp, sql: &str) -> Vec<sea_orm::QueryResult> {
    let db = Database::connect(&app.database_url).await.unwrap();
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await;
    let rows = rows.unwrap();
    db.close().await.unwrap();
    rows
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let rows = ask(app, &format!("SELECT count(*) AS n FROM {table}")).await;
    rows[0].try_get("", "n").unwrap()
}

async fn the_secret_is_shown_once_and_kept_sealed(stack: Stack) {
    let world = World::start(stack, None, &[]).await;
    assert!(world.secret.starts_with("whsec_") && world.secret.len() == 50, "32 bytes");
    let shown = world.shown().await;
    assert!(shown.get("secret").is_none(), "{shown}");
    let list = world.app.get(world.webhook.rsplit_once('/').unwrap().0).await;
    assert_eq!(list["data"], json!([shown]));
    let sealed: Vec<u8> = ask(&world.app, "SELECT sealed_secret FROM webhook_endpoint").await[0]
        .try_get("", "sealed_secret")
        .unwrap();
    let key = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        world.secret.strip_prefix("whsec_").unwrap(),
    );
    let key = key.unwrap();
    assert!(!sealed.windows(key.len()).any(|window| window == key), "sealed");
}

async fn while_a_secret_is_replaced_both_count(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    let rotate = async |overlap: u64| {
        let (status, rotated) =
            world.post("rotate-secret", &json!({ "overlap_seconds": overlap })).await;
        assert_eq!(status, 200, "{rotated}");
        rotated
    };
    let first = rotate(3600).await;
    assert!(first["previous_secret_until"].is_string(), "{first}");
    let next = text(&first["secret"]);
    world.app.invite("ann@example.com").await;
    let told = world.receiver.until("invitation.created", 1).await.remove(0);
    assert_eq!(told.header("webhook-signature").split(' ').count(), 2);
    let said = verdicts(&[(&world.secret, &told), (&next, &told)]);
    assert_eq!(said, ["valid invitation.created"; 2]);
    // Once the overlap is over, the old one is worth nothing.
    world.app.clock.advance(Duration::from_secs(3601));
    world.app.invite("bob@example.com").await;
    let told = world.receiver.until("invitation.created", 2).await.remove(1);
    assert_eq!(told.header("webhook-signature").split(' ').count(), 1);
    world.app.clock.advance(Duration::ZERO);
    // The reference library looks at its own clock; ours is an hour ahead.
    let signed_with = |secret: &str| {
        let told = [(secret, &told)];
        verdicts(&told).remove(0)
    };
    assert!(signed_with(&next).contains("too new"), "{}", signed_with(&next));
    // A secret that has become known does not sign beside the next one.
    let last = rotate(0).await;
    assert_eq!(last["previous_secret_until"], Value::Null);
    let (status, _) = world.post("rotate-secret", &json!({"overlap_seconds": 604_801})).await;
    assert_eq!(status, 422);
}

async fn a_test_says_whether_it_works(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    let (status, planned) = world.post("test", &json!({})).await;
    assert_eq!((status, &planned["type"]), (202, &json!("webhook.test")), "{planned}");
    let told = world.receiver.until("webhook.test", 1).await.remove(0);
    assert_eq!(told.id(), text(&planned["id"]));
    assert_eq!(told.event()["data"], json!({"webhook_id": world.shown().await["id"]}));
    assert_eq!(verdicts(&[(&world.secret, &told)]), ["valid webhook.test"]);
    world.until("webhook.test", "delivered").await;
    world.receiver.will([Reply::Status(500)]);
    world.post("test", &json!({})).await;
    let delivered = world.until("webhook.test", "delivered").await;
    assert_eq!(delivered["invitation_id"], Value::Null);
}

async fn the_log_has_pages_and_is_forgotten(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    for number in 0..5 {
        world.app.invite(&format!("n{number}@example.com")).await;
        // Ids grow by the millisecond.
        world.app.clock.advance(Duration::from_millis(2));
    }
    world.receiver.until("invitation.created", 5).await;
    let mut seen = Vec::new();
    let log = format!("{}/deliveries?limit=2", world.webhook);
    let mut path = log.clone();
    loop {
        let page = world.app.get(&path).await;
        let ids = page["data"].as_array().unwrap().iter().map(|found| text(&found["id"]));
        seen.push(ids.collect::<Vec<_>>());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{log}&cursor={cursor}");
    }
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    let mut sorted = seen.concat();
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(seen.concat(), sorted, "newest first");
    let failed = world.app.get(&format!("{}/deliveries?status=failed", world.webhook)).await;
    assert_eq!(failed["data"], json!([]));
    world.until("invitation.created", "delivered").await;
    crate::servers::eventually("all are delivered", async || {
        let log = world.log().await;
        log.iter().all(|found| found["status"] == "delivered").then_some(())
    })
    .await;
    world.app.clock.advance(Duration::from_hours(31 * 24));
    crate::servers::eventually("what was told so long ago is forgotten", async || {
        let mut left = 0;
        for table in ["webhook_delivery", "webhook_attempt", "announcement"] {
            // The invitations have expired since, which is told of as well.
            left += count(&world.app, &format!("{table} WHERE 1 = 1")).await;
        }
        (left == 0).then_some(())
    })
    .await;
}

async fn what_is_wrong_with_a_webhook_is_said(stack: Stack) {
    let env = [&NEAR[..], &[("WELCOMAT_WEBHOOKS_PER_ORGANIZATION", "2")]].concat();
    let app = TestApp::start_with_settings(stack, &env).await;
    let path = format!("/v1/organizations/{}/webhooks", app.organization);
    let wrong = json!({
        "url": "https://ann:secret@example.com/", "description": "\n", "event_types": ["x"],
    });
    let (status, problem) = app.act(&path, &wrong).await;
    assert_eq!(status, 422);
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| text(&e["field"])).collect();
    assert_eq!(fields, ["url", "description", "event_types[0]"]);
    for _ in 0..2 {
        register(&app, "https://hooks.example.com/", None).await;
    }
    let (status, problem) = app.act(&path, &json!({"url": "https://hooks.example.com/"})).await;
    assert_eq!((status, &problem["code"]), (422, &json!("validation_failed")), "{problem}");
    let mut member = json!({"name": "m", "role": "member"});
    let key = text(&app.act("/v1/api-keys", &member.take()).await.1["key"]);
    let member = app.client.clone().with_key(Some(key));
    assert_eq!(member.get(&path).await.unwrap().status, 403, "a URL may hold a secret");
}

async fn one_that_is_deleted_is_told_nothing(stack: Stack) {
    let world = World::start(stack, None, &[]).await;
    world.receiver.always(Some(Reply::Status(500)));
    world.app.invite("ann@example.com").await;
    world.receiver.until("invitation.created", 1).await;
    // An event that is written at this very moment may still be planned for it, and ends as failed.
    world.receiver.until("invitation.sent", 1).await;
    let deleted = world.app.client.send("DELETE", &world.webhook, &[], b"").await.unwrap();
    assert_eq!(deleted.status, 204);
    for table in ["webhook_endpoint", "webhook_delivery", "webhook_attempt"] {
        assert_eq!(count(&world.app, table).await, 0, "{table}");
    }
    assert_eq!(world.app.client.get(&world.webhook).await.unwrap().status, 404);
    world.receiver.always(None);
    let told = world.receiver.requests().len();
    let other = Receiver::start().await;
    register(&world.app, &other.url(), None).await;
    world.app.invite("bob@example.com").await;
    other.until("invitation.sent", 1).await;
    assert!(world.receiver.requests().len() <= told + 1, "no more than what was under way");
}

async fn whoever_has_nobody_to_tell_writes_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(app.act(&format!("{path}/revoke"), &json!({})).await.0, 200);
    for table in ["announcement", "webhook_delivery", "outbox WHERE kind <> 'email'"] {
        assert_eq!(count(&app, table).await, 0, "{table}");
    }
}
