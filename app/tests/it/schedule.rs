//! Mails for a later moment: they wait, go out once, can be moved, sent now, and taken back.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::batches::{JSON, finished, taken};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    a_scheduled_mail_waits_for_its_moment_and_goes_out_once,
    what_is_revoked_before_its_moment_is_never_sent,
    a_scheduled_mail_can_be_sent_now,
);

const DAY: Duration = Duration::from_hours(24);

fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

fn after(app: &TestApp, days: u32) -> String {
    (app.clock.now() + DAY * days).to_rfc3339()
}

async fn schedule(app: &TestApp, email: &str, send_at: &str) -> (String, Value) {
    let wanted = json!({"email": email, "send_at": send_at, "expires_in": 7200});
    let made = app.post(&wanted).await;
    assert_eq!(made.status, 201, "{}", made.text());
    (made.header("location").unwrap().to_owned(), made.json())
}

/// Everybody in the queue has had their turn once this mail is there.
async fn others_are_sent(app: &TestApp, email: &str) {
    app.invite_and_receive(email).await;
}

async fn a_scheduled_mail_waits_for_its_moment_and_goes_out_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, made) = schedule(&app, "ann@example.com", &after(&app, 2)).await;
    assert_eq!(made["delivery"]["status"], "scheduled");
    assert_eq!(made["delivery"]["next_attempt_at"], made["send_at"]);
    assert_eq!(time(&made["expires_at"]) - time(&made["send_at"]), TimeDelta::hours(2));
    let early = json!({"expires_at": made["send_at"]});
    let (status, problem) = app.act(&format!("{path}/extend"), &early).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("expires_at")), "{problem}");
    let later = after(&app, 3);
    let (status, moved) = app.act(&format!("{path}/schedule"), &json!({ "send_at": later })).await;
    assert_eq!((status, time(&moved["send_at"])), (200, later.parse().unwrap()), "{moved}");
    assert_eq!(time(&moved["expires_at"]) - time(&moved["send_at"]), TimeDelta::hours(2));

    app.clock.advance(DAY * 2 + Duration::from_hours(1));
    others_are_sent(&app, "bob@example.com").await;
    let waiting = app.get(&path).await;
    assert_eq!(waiting["delivery"]["status"], "scheduled", "its first moment does not count");
    assert_eq!(app.mails_to("ann@example.com").await.len(), 0);

    app.clock.advance(DAY);
    let sent = app.until(&path, "sent").await;
    others_are_sent(&app, "eve@example.com").await;
    let mails = app.mails_to("ann@example.com").await;
    assert_eq!((mails.len(), &sent["email_sent"]), (1, &json!(true)));
    let kinds: Vec<String> =
        sent["events"].as_array().unwrap().iter().map(|event| text(&event["kind"])).collect();
    assert_eq!(kinds, ["invitation.created", "invitation.rescheduled", "delivery.sent"]);
    let (status, problem) =
        app.act(&format!("{path}/schedule"), &json!({"send_at": after(&app, 1)})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("not_scheduled")));
    let accept = json!({"token": mails[0].token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
}

async fn what_is_revoked_before_its_moment_is_never_sent(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = schedule(&app, "ann@example.com", &after(&app, 1)).await;
    let rows = json!({"invitations": [
        {"email": "bob@example.com", "send_at": after(&app, 1)},
        {"email": "eve@example.com", "send_at": "2020-01-01T00:00:00Z"},
    ]});
    let batch = taken(&app, JSON, &rows.to_string()).await;
    assert_eq!(
        finished(&app, &batch).await["rows"],
        json!({
            "waiting": 0, "created": 1, "pending": 0, "member": 0, "invalid": 1, "refused": 0,
            "failed": 0, "cancelled": 0,
        })
    );
    let list = app.get(&format!("{}?delivery_status=scheduled", app.invitations())).await;
    let waiting: Vec<String> =
        list["data"].as_array().unwrap().iter().map(|one| text(&one["email"])).collect();
    assert_eq!(waiting, ["bob@example.com", "ann@example.com"]);
    assert_eq!(app.act(&format!("{path}/revoke"), &json!({})).await.0, 200);
    app.clock.advance(DAY + Duration::from_mins(1));
    let bob = format!("{}/{}", app.invitations(), text(&list["data"][0]["id"]));
    app.until(&bob, "sent").await;
    others_are_sent(&app, "zoe@example.com").await;
    assert_eq!(app.get(&path).await["delivery"]["status"], "cancelled");
    assert_eq!(app.mails_to("ann@example.com").await.len(), 0);
}

async fn a_scheduled_mail_can_be_sent_now(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = schedule(&app, "ann@example.com", &after(&app, 30)).await;
    let (status, now) = app.act(&format!("{path}/resend"), &json!({})).await;
    assert_eq!((status, &now["generation"]), (200, &json!(1)), "{now}");
    let sent = app.until(&path, "sent").await;
    let left = time(&sent["expires_at"]) - app.clock.now();
    assert!(left > TimeDelta::hours(1) && left <= TimeDelta::hours(2), "{left}");
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
    app.clock.advance(DAY * 31);
    others_are_sent(&app, "bob@example.com").await;
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1, "its moment has passed before");
}
