//! Creating an invitation: what the answer says, and what a second one for the same address gets.

use serde_json::json;

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    create_answers_before_the_mail_is_sent,
    the_mail_carries_link_and_password_and_is_reported,
    prefer_wait_answers_when_the_mail_is_out,
    a_pending_address_is_not_invited_twice,
    a_revoked_address_can_be_invited_again,
);

async fn create_answers_before_the_mail_is_sent(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wanted = json!({
        "email": "Ann@Example.com", "first_name": "Ann", "last_name": "Lee",
        "role": "editor", "metadata": {"team": 7},
    });
    let answer = app.post(&wanted).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let created = answer.json();
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&created[field], value, "{field}");
    }
    assert_eq!(created["status"], "pending");
    assert_eq!(created["email_sent"], false);
    assert_eq!(created["delivery"]["status"], "queued");
    let location = answer.header("location").unwrap();
    assert_eq!(app.get(location).await["id"], created["id"]);
}

async fn the_mail_carries_link_and_password_and_is_reported(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    assert!(mail.subject.contains("Acme"), "{}", mail.subject);
    assert!(mail.message_id.starts_with('<'), "{}", mail.message_id);
    assert_eq!((mail.token().len(), mail.password().len()), (30, 32));
    let found = app.get(&invitation).await;
    assert_eq!(found["email_sent"], true);
    assert!(found["email_sent_at"].is_string());
    let deliveries = found["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 1);
    assert_eq!((&deliveries[0]["status"], &deliveries[0]["attempts"]), (&json!("sent"), &json!(1)));
    assert!(found["events"].as_array().is_some_and(|events| events.len() >= 2), "{found}");
    assert!(!found.to_string().contains(&mail.token()), "the secret is nobody else's");
}

async fn prefer_wait_answers_when_the_mail_is_out(stack: Stack) {
    let app = TestApp::start(stack).await;
    let headers = [("Content-Type", "application/json"), ("Prefer", "wait=30")];
    let body = json!({"email": "ann@example.com"}).to_string();
    let path = app.invitations();
    let answer = app.client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("preference-applied"), Some("wait=30"));
    assert_eq!(answer.json()["email_sent"], true);
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}

async fn a_pending_address_is_not_invited_twice(stack: Stack) {
    let app = TestApp::start(stack).await;
    let first = app.get(&app.invite("ann@example.com").await).await;
    // The same mailbox, written differently.
    for email in ["ann@example.com", "ANN@EXAMPLE.COM", " ann@example.com"] {
        let answer = app.post(&json!({"email": email})).await;
        assert_eq!(
            (answer.status, text(&answer.json()["code"]).as_str()),
            (409, "invitation_pending")
        );
        assert!(answer.text().contains(&text(&first["id"])), "names the one that is pending");
    }
}

async fn a_revoked_address_can_be_invited_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (first, _) = app.invite_and_receive("ann@example.com").await;
    let (status, body) = app.act(&format!("{first}/revoke"), &json!({})).await;
    assert_eq!((status, &body["status"]), (200, &json!("revoked")));
    let second = app.invite("ann@example.com").await;
    assert_ne!(first, second);
    app.until(&second, "sent").await;
}
