//! Limits that protect whoever gets the mail: nobody's mailbox is flooded, by one or by many.

use std::time::Duration;

use app::http::Client;
use domain::Window;
use futures_util::future::join_all;
use serde_json::json;

use super::{assert_limited, invite, next, retry_after, start};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    a_mailbox_gets_mail_of_three_organizations_a_day,
    a_mailbox_gets_mail_of_few_organizations_a_week,
    organizations_at_the_same_moment_do_not_exceed_the_limit,
    creating_and_revoking_again_and_again_is_limited,
    an_invitation_is_resent_once_at_once_and_then_after_a_while,
);

async fn organizations(app: &TestApp, count: usize) -> Vec<(String, Client)> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(app.other_organization().await);
    }
    all
}

async fn a_mailbox_gets_mail_of_three_organizations_a_day(stack: Stack) {
    let app = start(stack, &[], Window::Day).await;
    let others = organizations(&app, 4).await;
    // All of them are Ann's.
    let spellings = ["a.nn@gmail.com", "Ann+shop@gmail.com", "ann@googlemail.com"];
    for ((id, client), email) in others.iter().zip(spellings) {
        assert_eq!(invite(client, id, email).await.status, 201);
    }
    let (fourth, client) = &others[3];
    let refused = invite(client, fourth, "ann@gmail.com").await;
    assert_limited(&refused, "recipient_rate_limited", Window::Day);
    for word in ["organization", "other", "tenant", "gmail"] {
        assert!(!text(&refused.json()["detail"]).contains(word), "{}", refused.text());
    }
    assert_eq!(invite(client, fourth, "bob@gmail.com").await.status, 201, "somebody else");
    let (first, client_of_first) = &others[0];
    let known = invite(client_of_first, first, "ann@gmail.com").await;
    assert_eq!(known.status, 201, "one of the three: {}", known.text());
    next(&app, Window::Day);
    assert_eq!(invite(client, fourth, "ann@gmail.com").await.status, 201);
}

async fn a_mailbox_gets_mail_of_few_organizations_a_week(stack: Stack) {
    let limits = [
        ("WELCOMAT_LIMITS_ORGANIZATIONS_PER_RECIPIENT_PER_DAY", "0"),
        ("WELCOMAT_LIMITS_ORGANIZATIONS_PER_RECIPIENT_PER_WEEK", "1"),
    ];
    let app = start(stack, &limits, Window::Week).await;
    let (other, client) = app.other_organization().await;
    app.invite("ann@example.com").await;
    next(&app, Window::Day);
    let refused = invite(&client, &other, "ann@example.com").await;
    assert_limited(&refused, "recipient_rate_limited", Window::Week);
    assert!(retry_after(&refused) > Duration::from_hours(5 * 24));
    next(&app, Window::Week);
    assert_eq!(invite(&client, &other, "ann@example.com").await.status, 201);
}

async fn organizations_at_the_same_moment_do_not_exceed_the_limit(stack: Stack) {
    let app = start(stack, &[], Window::Day).await;
    let others = organizations(&app, 8).await;
    let all = others.iter().map(|(id, client)| invite(client, id, "ann@example.com"));
    let answers = join_all(all).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(done, 3);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_limited(refused, "recipient_rate_limited", Window::Day);
    }
}

async fn creating_and_revoking_again_and_again_is_limited(stack: Stack) {
    let app = start(stack, &[], Window::Day).await;
    let (other, client) = app.other_organization().await;
    for number in 0..5 {
        let created = app.invite(&format!("ann+{number}@example.com")).await;
        assert_eq!(app.act(&format!("{created}/revoke"), &json!({})).await.0, 200);
    }
    let refused = invite(&app.client, &app.organization, "ann@example.com").await;
    assert_limited(&refused, "recipient_rate_limited", Window::Day);
    app.invite("bob@example.com").await;
    assert_eq!(invite(&client, &other, "ann@example.com").await.status, 201);
    next(&app, Window::Day);
    app.invite("ann@example.com").await;
}

async fn an_invitation_is_resent_once_at_once_and_then_after_a_while(stack: Stack) {
    let app = start(stack, &[], Window::Day).await;
    let invitation = app.invite("ann@example.com").await;
    let other = app.invite("bob@example.com").await;
    let resend = async |invitation: &str| {
        app.until(invitation, "sent").await;
        app.client.post(&format!("{invitation}/resend"), &json!({})).await.unwrap()
    };
    assert_eq!(resend(&invitation).await.status, 200, "nothing came");
    let refused = resend(&invitation).await;
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("resent_just_now")));
    let wait = retry_after(&refused);
    assert!(wait <= Duration::from_mins(10) && wait > Duration::from_mins(8), "{wait:?}");
    assert_eq!(app.mails_to("ann@example.com").await.len(), 2);
    assert_eq!(resend(&other).await.status, 200);
    for _ in 0..3 {
        app.clock.advance(Duration::from_mins(10));
        assert_eq!(resend(&invitation).await.status, 200);
    }
    app.clock.advance(Duration::from_mins(10));
    assert_limited(&resend(&invitation).await, "recipient_rate_limited", Window::Day);
    assert_eq!(app.get(&invitation).await["generation"], 5);
}
