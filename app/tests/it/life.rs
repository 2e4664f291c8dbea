//! The time an invitation has, and what becomes of one that is there already.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    an_invitation_has_its_own_time,
    extending_moves_the_end_and_keeps_the_link,
    what_has_ended_cannot_be_extended,
    an_end_in_the_past_or_far_away_is_refused,
    a_pending_one_is_left_alone_if_wanted,
    a_pending_one_is_mailed_again_if_wanted,
    a_pending_one_gives_way_if_wanted,
);

fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

async fn an_invitation_has_its_own_time(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wanted = json!({"email": "ann@example.com", "expires_in": 7200});
    let made = app.post(&wanted).await.json();
    let time = time(&made["expires_at"]) - time(&made["created_at"]);
    assert_eq!(time, TimeDelta::hours(2));
    for seconds in [0, 3599, 31_536_001] {
        let answer = app.post(&json!({"email": "bob@example.com", "expires_in": seconds})).await;
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["field"]),
            (422, &json!("expires_in"))
        );
    }
}

async fn extending_moves_the_end_and_keeps_the_link(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, mail) = app.invite_and_receive("ann@example.com").await;
    let before = app.get(&path).await;
    let end = time(&before["expires_at"]) + TimeDelta::days(3);
    let (status, after) =
        app.act(&format!("{path}/extend"), &json!({"expires_at": end.to_rfc3339()})).await;
    assert_eq!((status, time(&after["expires_at"])), (200, end), "{after}");
    assert_eq!(after["generation"], 1);
    // The old end passes, and the link of the only mail still opens.
    app.clock.advance((TimeDelta::days(8)).to_std().unwrap());
    let accept = json!({"token": mail.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let kinds: Vec<String> = app.get(&path).await["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(&event["kind"]))
        .collect();
    assert!(kinds.contains(&"invitation.extended".to_owned()), "{kinds:?}");
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}

async fn what_has_ended_cannot_be_extended(stack: Stack) {
    let app = TestApp::start(stack).await;
    let path = app.invite("ann@example.com").await;
    assert_eq!(app.act(&format!("{path}/revoke"), &json!({})).await.0, 200);
    let end = json!({"expires_at": (app.clock.now() + TimeDelta::days(1)).to_rfc3339()});
    let (status, problem) = app.act(&format!("{path}/extend"), &end).await;
    assert_eq!((status, &problem["code"]), (409, &json!("invitation_not_pending")));
}

async fn an_end_in_the_past_or_far_away_is_refused(stack: Stack) {
    let app = TestApp::start(stack).await;
    let path = app.invite("ann@example.com").await;
    let before = app.get(&path).await["expires_at"].clone();
    let now = app.clock.now();
    for end in [
        json!(null),
        json!((now - TimeDelta::seconds(1)).to_rfc3339()),
        json!((now + TimeDelta::days(366)).to_rfc3339()),
    ] {
        let (status, problem) =
            app.act(&format!("{path}/extend"), &json!({"expires_at": end})).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("expires_at")), "{end}");
    }
    assert_eq!(app.get(&path).await["expires_at"], before);
}

async fn again(app: &TestApp, on_existing: &str) -> Value {
    let answer = app.post(&json!({"email": "ANN@example.com", "on_existing": on_existing})).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn a_pending_one_is_left_alone_if_wanted(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = app.invite_and_receive("ann@example.com").await;
    let same = again(&app, "ignore").await;
    assert_eq!(same["id"], app.get(&path).await["id"]);
    assert_eq!(same["generation"], 1);
}

async fn a_pending_one_is_mailed_again_if_wanted(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, first) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(again(&app, "resend").await["generation"], 1, "the last mail is too young");
    app.clock.advance(TimeDelta::minutes(11).to_std().unwrap());
    let resent = again(&app, "resend").await;
    assert_eq!((&resent["id"], &resent["generation"]), (&app.get(&path).await["id"], &json!(2)));
    app.until(&path, "sent").await;
    let mails = app.mails_to("ann@example.com").await;
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().any(|mail| mail.token() != first.token()));
}

async fn a_pending_one_gives_way_if_wanted(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, first) = app.invite_and_receive("ann@example.com").await;
    let other = again(&app, "replace").await;
    let old = app.get(&path).await;
    assert_eq!(old["status"], "revoked");
    assert_ne!(other["id"], old["id"]);
    app.until(&format!("{}/{}", app.invitations(), text(&other["id"])), "sent").await;
    let accept = json!({"token": first.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 410);
}
