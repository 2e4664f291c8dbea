//! What an organization may send depends on what people made of its mail so far.

use std::time::Duration;

use app::http::{Answer, Client};
use domain::Window;
use serde_json::{Value, json};

use super::{accept, ask, assert_limited, events, invite, next, start};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    a_new_organization_starts_slowly,
    an_organization_whose_mail_nobody_wants_is_stopped_until_an_operator_looks,
    an_organization_whose_mail_is_wanted_goes_on,
    only_an_operator_trusts_an_organization,
);

const COLD: [(&str, &str); 2] = [
    ("WELCOMAT_LIMITS_NEW_ORGANIZATION_PER_DAY", "2"),
    ("WELCOMAT_LIMITS_WARMED_UP_AFTER_ACCEPTED", "1"),
];
const BREAKER: [(&str, &str); 3] = [
    ("WELCOMAT_LIMITS_MIN_ACCEPTANCE_PERCENT", "50"),
    ("WELCOMAT_LIMITS_ACCEPTANCE_SAMPLE", "4"),
    ("WELCOMAT_LIMITS_ACCEPTANCE_AGE", "1d"),
];

async fn change(client: &Client, organization: &str, change: Value) -> Answer {
    let path = format!("/v1/organizations/{organization}");
    let json_type = [("Content-Type", "application/json")];
    client.send("PATCH", &path, &json_type, change.to_string().as_bytes()).await.unwrap()
}

async fn trust(app: &TestApp, organization: &str, trusted: bool) -> Value {
    let changed = change(&app.operator(), organization, json!({ "trusted": trusted })).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    changed.json()
}

/// Invites that many people; the first `accepting` of them accept.
async fn invite_many(app: &TestApp, count: usize, accepting: usize) {
    for number in 0..count {
        let email = format!("n{number}@example.com");
        let (_, mail) = app.invite_and_receive(&email).await;
        if number < accepting {
            let (status, said) = accept(app, &mail.token()).await;
            assert_eq!(status, 200, "{said}");
        }
    }
}

async fn a_new_organization_starts_slowly(stack: Stack) {
    let app = start(stack, &COLD, Window::Day).await;
    let (other, client) = app.other_organization().await;
    assert_eq!(invite(&client, &other, "x@example.com").await.status, 201);
    let (_, mail) = app.invite_and_receive("a@example.com").await;
    app.invite("b@example.com").await;
    let refused = invite(&app.client, &app.organization, "c@example.com").await;
    assert_limited(&refused, "organization_warming_up", Window::Day);
    assert_eq!(accept(&app, &mail.token()).await.0, 200);
    for email in ["c@example.com", "d@example.com", "e@example.com"] {
        app.invite(email).await;
    }
    // It does not help others.
    assert_eq!(invite(&client, &other, "y@example.com").await.status, 201);
    let refused = invite(&client, &other, "z@example.com").await;
    assert_limited(&refused, "organization_warming_up", Window::Day);
    trust(&app, &other, true).await;
    assert_eq!(invite(&client, &other, "z@example.com").await.status, 201);
    trust(&app, &other, false).await;
    let refused = invite(&client, &other, "zz@example.com").await;
    assert_limited(&refused, "organization_warming_up", Window::Day);
    next(&app, Window::Day);
    assert_eq!(invite(&client, &other, "zz@example.com").await.status, 201);
}

async fn an_organization_whose_mail_nobody_wants_is_stopped_until_an_operator_looks(stack: Stack) {
    let app = start(stack, &BREAKER, Window::Day).await;
    let (other, client) = app.other_organization().await;
    invite_many(&app, 4, 1).await;
    // They have had no time to answer.
    let pending = app.invite("young@example.com").await;
    app.clock.advance(Duration::from_hours(47));
    app.invite("still@example.com").await;
    app.clock.advance(Duration::from_hours(1));
    for _ in 0..2 {
        let refused = invite(&app.client, &app.organization, "more@example.com").await;
        let code = text(&refused.json()["code"]);
        assert_eq!((refused.status, code.as_str()), (403, "sending_paused"), "{}", refused.text());
    }
    let resend = app.client.post(&format!("{pending}/resend"), &json!({})).await.unwrap();
    assert_eq!((resend.status, &resend.json()["code"]), (403, &json!("sending_paused")));
    assert_eq!(events(&app, "organization.sending_paused").await, 1);
    let found = app.get(&format!("/v1/organizations/{}", app.organization)).await;
    assert!(found["sending_paused_at"].is_string(), "{found}");
    assert_eq!(invite(&client, &other, "more@example.com").await.status, 201);
    let trusted = trust(&app, &app.organization, true).await;
    assert_eq!(trusted["sending_paused_at"], Value::Null, "{trusted}");
    app.invite("more@example.com").await;
    assert_eq!(events(&app, "organization.trusted").await, 1);
}

async fn an_organization_whose_mail_is_wanted_goes_on(stack: Stack) {
    let app = start(stack, &BREAKER, Window::Day).await;
    invite_many(&app, 4, 2).await;
    app.clock.advance(Duration::from_hours(72));
    app.invite("more@example.com").await;
    assert_eq!(ask(&app, "SELECT count(*) FROM tally WHERE kind = 'accepted_ever'").await, 1);
    assert_eq!(events(&app, "organization.sending_paused").await, 0);
}

async fn only_an_operator_trusts_an_organization(stack: Stack) {
    let app = TestApp::start(stack).await;
    let refused = change(&app.client, &app.organization, json!({"trusted": true})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("instance_key_required")));
    assert_eq!(app.get(&format!("/v1/organizations/{}", app.organization)).await["trusted"], false);
    let new = json!({"name": "Initech", "trusted": true});
    let made = app.operator().post("/v1/organizations", &new).await.unwrap();
    assert_eq!((made.status, &made.json()["trusted"]), (201, &json!(true)));
}
