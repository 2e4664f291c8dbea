//! Limits on what is sent: by key, organization, inviter and domain.

use domain::Window;
use futures_util::future::join_all;
use serde_json::json;

use super::{ask, assert_limited, events, invite, next, start};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    a_key_sends_so_much_in_a_minute,
    an_organization_sends_so_much_in_a_day,
    a_person_invites_so_many_in_a_day,
    a_domain_gets_so_much_in_an_hour,
    requests_at_the_same_moment_do_not_exceed_a_limit,
    a_refused_request_leaves_nothing_behind,
    a_mail_that_is_not_sent_does_not_count,
    old_counts_are_forgotten,
);

/// Another key of the same organization and person.
async fn other_key(app: &TestApp) -> app::http::Client {
    let made = app.client.post("/v1/api-keys", &json!({"name": "other"})).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    app.client.clone().with_key(Some(text(&made.json()["key"])))
}

async fn a_key_sends_so_much_in_a_minute(stack: Stack) {
    let app = start(stack, &[("WELCOMAT_LIMITS_KEY_PER_MINUTE", "2")], Window::Minute).await;
    app.invite("a@example.com").await;
    app.invite("b@example.com").await;
    let refused = invite(&app.client, &app.organization, "c@example.com").await;
    assert_limited(&refused, "key_rate_limited", Window::Minute);
    let other = invite(&other_key(&app).await, &app.organization, "c@example.com").await;
    assert_eq!(other.status, 201, "{}", other.text());
    next(&app, Window::Minute);
    app.invite("d@example.com").await;
}

async fn an_organization_sends_so_much_in_a_day(stack: Stack) {
    let app = start(stack, &[("WELCOMAT_LIMITS_ORGANIZATION_PER_DAY", "2")], Window::Day).await;
    let (other, client) = app.other_organization().await;
    let invitation = app.invite("a@example.com").await;
    let resend = format!("{invitation}/resend");
    app.until(&invitation, "sent").await;
    assert_eq!(app.act(&resend, &json!({})).await.0, 200, "a resend counts");
    let refused = invite(&other_key(&app).await, &app.organization, "b@example.com").await;
    assert_limited(&refused, "organization_rate_limited", Window::Day);
    assert_eq!(invite(&client, &other, "b@example.com").await.status, 201);
    app.until(&invitation, "sent").await;
    next(&app, Window::Hour);
    let again = app.client.post(&resend, &json!({})).await.unwrap();
    assert_limited(&again, "organization_rate_limited", Window::Day);
    next(&app, Window::Day);
    app.invite("b@example.com").await;
}

async fn a_person_invites_so_many_in_a_day(stack: Stack) {
    let app = start(stack, &[("WELCOMAT_LIMITS_INVITER_PER_DAY", "1")], Window::Day).await;
    app.invite("a@example.com").await;
    let refused = invite(&other_key(&app).await, &app.organization, "b@example.com").await;
    assert_limited(&refused, "inviter_rate_limited", Window::Day);
    // A key for the whole instance is nobody's.
    for email in ["b@example.com", "c@example.com"] {
        assert_eq!(invite(&app.operator(), &app.organization, email).await.status, 201);
    }
    next(&app, Window::Day);
    app.invite("d@example.com").await;
}

async fn a_domain_gets_so_much_in_an_hour(stack: Stack) {
    let limit = [("WELCOMAT_LIMITS_RECIPIENT_DOMAIN_PER_HOUR", "2")];
    let app = start(stack, &limit, Window::Hour).await;
    let (other, client) = app.other_organization().await;
    app.invite("a@example.com").await;
    app.invite("b@EXAMPLE.com").await;
    let refused = invite(&app.client, &app.organization, "c@example.com").await;
    assert_limited(&refused, "domain_rate_limited", Window::Hour);
    app.invite("c@example.org").await;
    assert_eq!(invite(&client, &other, "c@example.com").await.status, 201);
    next(&app, Window::Hour);
    app.invite("c@example.com").await;
}

async fn requests_at_the_same_moment_do_not_exceed_a_limit(stack: Stack) {
    let app = start(stack, &[("WELCOMAT_LIMITS_ORGANIZATION_PER_DAY", "10")], Window::Day).await;
    let emails: Vec<_> = (0..50).map(|number| format!("n{number}@example.com")).collect();
    let (client, organization) = (&app.client, &app.organization);
    let all = emails.iter().map(|email| invite(client, organization, email));
    let answers = join_all(all).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
    assert_eq!(answers.len() - refused.len(), 10);
    for answer in refused {
        assert_limited(answer, "organization_rate_limited", Window::Day);
    }
    assert_eq!(events(&app, "invitation.created").await, 10);
}

async fn a_refused_request_leaves_nothing_behind(stack: Stack) {
    const TABLES: [&str; 7] =
        ["invitation", "membership", "delivery", "outbox", "event", "idempotency_key", "tally"];
    let app = start(stack, &[("WELCOMAT_LIMITS_ORGANIZATION_PER_DAY", "1")], Window::Day).await;
    let rows = async || {
        let rows = join_all(
            TABLES.map(async |table| ask(&app, &format!("SELECT count(*) FROM {table}")).await),
        );
        (rows.await, ask(&app, "SELECT count(*) FROM \"user\"").await)
    };
    let first = app.invite("a@example.com").await;
    app.until(&first, "sent").await;
    let before = rows().await;
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "k1")];
    let body = json!({"email": "b@example.com"}).to_string();
    let path = app.invitations();
    let post = async || app.client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
    for _ in 0..2 {
        assert_limited(&post().await, "organization_rate_limited", Window::Day);
    }
    assert_eq!(rows().await, before);
    next(&app, Window::Day);
    let done = post().await;
    assert_eq!((done.status, done.header("idempotency-replayed")), (201, None), "not kept");
    let again = post().await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
}

async fn a_mail_that_is_not_sent_does_not_count(stack: Stack) {
    let limit = [("WELCOMAT_LIMITS_ORGANIZATION_PER_DAY", "2")];
    let mut app = start(stack, &limit, Window::Day).await;
    let (other, client) = app.other_organization().await;
    app.sink().refuse("gone@example.com", "550 5.1.1 no such user");
    let first = app.invite("gone@example.com").await;
    app.until(&first, "failed").await;
    assert_eq!(app.act(&format!("{first}/revoke"), &json!({})).await.0, 200);
    for _ in 0..3 {
        let answer = invite(&app.client, &app.organization, "gone@example.com").await;
        let created = answer.json();
        assert_eq!((answer.status, &created["status"]), (201, &json!("pending")));
        assert_eq!(created["delivery"]["status"], "suppressed", "{created}");
        assert_eq!(created["email_sent"], false);
        let id = text(&created["id"]);
        assert_eq!(app.act(&format!("{}/{id}/revoke", app.invitations()), &json!({})).await.0, 200);
    }
    app.invite("a@example.com").await;
    let refused = invite(&app.client, &app.organization, "b@example.com").await;
    assert_limited(&refused, "organization_rate_limited", Window::Day);
    // What one organization has found out about an address, another is not told.
    let foreign = invite(&client, &other, "gone@example.com").await.json();
    assert_eq!(foreign["delivery"]["status"], "queued", "{foreign}");
}

async fn old_counts_are_forgotten(stack: Stack) {
    let app = start(stack, &[("WELCOMAT_LIMITS_KEY_PER_MINUTE", "5")], Window::Minute).await;
    app.invite("a@example.com").await;
    assert!(ask(&app, "SELECT count(*) FROM tally").await >= 4, "key, mailbox twice, week");
    app.clock.advance(std::time::Duration::from_hours(8 * 24));
    crate::servers::eventually("the sweep deletes them", async || {
        (ask(&app, "SELECT count(*) FROM tally").await == 0).then_some(())
    })
    .await;
}
