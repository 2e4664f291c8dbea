//! What an organization can find out about people it does not know: nothing.

use app::http::Client;
use serde_json::{Value, json};

use super::{CHOSEN, JSON};
use crate::harness::{Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(
    an_invitation_does_not_tell_who_has_an_account,
    a_suppressed_address_is_told_to_its_organization_alone,
);

/// Everything that differs from one invitation to the next anyway.
const OWN: [&str; 9] = [
    "id",
    "email",
    "user_id",
    "created_at",
    "updated_at",
    "expires_at",
    "email_sent_at",
    "sent_at",
    "message_id",
];

fn without_its_own(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let own = OWN.contains(&key.as_str());
                (key.clone(), if own { json!("…") } else { without_its_own(value) })
            })
            .collect(),
        other => other.clone(),
    }
}

async fn invite(client: &Client, path: &str, email: &str) -> Value {
    let answer = client.post(path, &json!({ "email": email })).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    without_its_own(&answer.json())
}

async fn an_invitation_does_not_tell_who_has_an_account(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("bob@example.com").await;
    let accept = json!({"token": mail.token(), "password": CHOSEN});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    app.invite_and_receive("ann@example.com").await;
    let (other, theirs) = app.other_organization().await;
    let path = format!("/v1/organizations/{other}/invitations");
    let unknown = invite(&theirs, &path, "stranger@example.com").await;
    for (email, what) in [("bob@example.com", "a member"), ("ann@example.com", "an invitee")] {
        assert_eq!(invite(&theirs, &path, email).await, unknown, "{what} of another organization");
    }
    for email in ["stranger", "bob", "ann"].map(|name| format!("{name}@example.com")) {
        let found = eventually("the mail is sent", async || {
            let list = theirs.get(&format!("{path}?email={email}")).await.unwrap().json();
            let found = list["data"][0].clone();
            (found["email_sent"] == true).then_some(found)
        });
        let known = without_its_own(&found.await);
        assert_eq!((&known["status"], &known["email_sent"]), (&json!("pending"), &json!(true)));
    }
    // The contracts answer with more: still with nothing of an account elsewhere.
    for name in ["bob2", "stranger2"] {
        let body = json!({"email": format!("{name}@example.com")}).to_string();
        let answer = theirs.send("POST", "/iam/v1/users/invite", &[JSON], body.as_bytes()).await;
        assert_eq!(answer.unwrap().status, 201);
    }
}

async fn a_suppressed_address_is_told_to_its_organization_alone(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("gone@example.com", "550 5.1.1 no such mailbox");
    let first = app.invite("gone@example.com").await;
    app.until(&first, "failed").await;
    app.act(&format!("{first}/revoke"), &json!({})).await;
    let again = app.invite("gone@example.com").await;
    app.until(&again, "suppressed").await;
    app.sink().forgive();
    let (other, theirs) = app.other_organization().await;
    let path = format!("/v1/organizations/{other}/invitations");
    invite(&theirs, &path, "gone@example.com").await;
    eventually("another organization's mail is sent", async || {
        let list = theirs.get(&path).await.unwrap().json();
        (list["data"][0]["delivery"]["status"] == "sent").then_some(())
    })
    .await;
    assert_eq!(
        app.mails_to("gone@example.com").await.len(),
        1,
        "none to the organization it is bad for"
    );
}
