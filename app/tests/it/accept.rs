//! Answering an invitation, over the API and on the page behind the link.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(
    accepts_by_token_once_and_again,
    accepts_by_temporary_password,
    a_wrong_secret_opens_nothing,
    a_revoked_invitation_is_gone,
    an_expired_invitation_is_gone,
    the_temporary_password_ends_before_the_link,
    looking_at_the_link_changes_nothing,
    accepts_on_the_page,
    a_role_that_is_given_no_more_is_not_joined_with,
    declines,
    a_member_is_not_invited_again,
);

const ACCEPT: &str = "/v1/invitations/accept";
const CHOSEN: &str = "correct horse battery staple";

async fn accepts_by_token_once_and_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let body = json!({"token": mail.token(), "password": CHOSEN});
    let (status, first) = app.act(ACCEPT, &body).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["email"], "ann@example.com");
    assert_eq!(first["organization_id"], app.organization.as_str());
    // The answer may have been lost on its way: the same again gives the same.
    let (status, second) = app.act(ACCEPT, &body).await;
    assert_eq!((status, &second["user_id"]), (200, &first["user_id"]));
    assert_eq!(app.get(&invitation).await["status"], "accepted");
    let (status, problem) = app.act(&format!("{invitation}/revoke"), &json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("invitation_not_pending")));
}

async fn accepts_by_temporary_password(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    // As people type it: another case, no dashes.
    let typed = mail.password().replace('-', "").to_lowercase();
    let body = json!({"email": "ANN@example.com", "temporary_password": typed, "password": CHOSEN});
    let (status, accepted) = app.act(ACCEPT, &body).await;
    assert_eq!(status, 200, "{accepted}");
    assert_eq!(app.get(&invitation).await["status"], "accepted");
}

async fn a_wrong_secret_opens_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let (other, _) = app.invite_and_receive("bob@example.com").await;
    let wrong = "0".repeat(26);
    for body in [
        json!({"token": wrong, "password": CHOSEN}),
        json!({"email": "ann@example.com", "temporary_password": wrong, "password": CHOSEN}),
        json!({"email": "bob@example.com", "temporary_password": mail.password(), "password": CHOSEN}),
    ] {
        let (status, problem) = app.act(ACCEPT, &body).await;
        assert_eq!((status, &problem["code"]), (401, &json!("invalid_credential")), "{body}");
    }
    for path in [invitation, other] {
        assert_eq!(app.get(&path).await["status"], "pending");
    }
}

async fn a_revoked_invitation_is_gone(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(app.act(&format!("{invitation}/revoke"), &json!({})).await.0, 200);
    let (status, problem) =
        app.act(ACCEPT, &json!({"token": mail.token(), "password": CHOSEN})).await;
    assert_eq!((status, &problem["code"]), (410, &json!("invitation_revoked")));
    assert_eq!(app.client.get(&mail.path()).await.unwrap().status, 410);
}

async fn an_expired_invitation_is_gone(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    app.clock.advance(Duration::from_hours(8 * 24));
    let (status, problem) =
        app.act(ACCEPT, &json!({"token": mail.token(), "password": CHOSEN})).await;
    assert_eq!((status, &problem["code"]), (410, &json!("invitation_expired")));
    eventually("the sweep closes it", async || {
        (app.get(&invitation).await["status"] == "expired").then_some(())
    })
    .await;
    app.invite("ann@example.com").await;
}

async fn the_temporary_password_ends_before_the_link(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    app.clock.advance(Duration::from_hours(25));
    let body = json!({
        "email": "ann@example.com", "temporary_password": mail.password(), "password": CHOSEN,
    });
    let (status, problem) = app.act(ACCEPT, &body).await;
    assert!(matches!(status, 401 | 410), "{problem}");
    let (status, accepted) =
        app.act(ACCEPT, &json!({"token": mail.token(), "password": CHOSEN})).await;
    assert_eq!(status, 200, "{accepted}");
}

async fn looking_at_the_link_changes_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let before = app.get(&invitation).await;
    for method in ["GET", "HEAD", "GET"] {
        let answer = app.client.send(method, &mail.path(), &[], b"").await.unwrap();
        assert_eq!(answer.status, 200, "{method}");
    }
    let mut after = app.get(&invitation).await;
    let opened = after["events"].as_array_mut().unwrap().pop().unwrap();
    assert_eq!(opened["kind"], "invitation.opened_page");
    assert_eq!(after, before, "but that somebody has looked, which is said once");
}

async fn accepts_on_the_page(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let page = app.client.get(&mail.path()).await.unwrap();
    let action = format!("{}/accept", mail.path());
    assert!(page.text().contains(&action), "{}", page.text());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = app
        .client
        .send("POST", &action, &form, b"password=correct+horse+battery+staple")
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(app.get(&invitation).await["status"], "accepted");
}

async fn a_role_that_is_given_no_more_is_not_joined_with(stack: Stack) {
    let app = TestApp::start(stack).await;
    let invited = app.post(&json!({"email": "ann@example.com", "role": "owner"})).await.json();
    let invitation = format!("{}/{}", app.invitations(), text(&invited["id"]));
    let mail = eventually("the mail comes", async || app.mails_to("ann@example.com").await.pop());
    let mail = mail.await;
    let own = format!("/v1/organizations/{}", app.organization);
    let narrow = async |roles: serde_json::Value| {
        let body = json!({ "roles": roles }).to_string();
        let headers = [("Content-Type", "application/json")];
        let changed = app.client.send("PATCH", &own, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(changed.status, 200, "{}", changed.text());
    };
    narrow(json!(["member", "editor"])).await;
    let body = json!({"token": mail.token(), "password": CHOSEN});
    let (status, problem) = app.act(ACCEPT, &body).await;
    assert_eq!((status, &problem["code"]), (409, &json!("role_not_given")), "{problem}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let join = format!("{}/accept", mail.path());
    let filled = b"password=correct+horse+battery+staple";
    let page = app.client.send("POST", &join, &form, filled).await.unwrap();
    assert_eq!(page.status, 409, "{}", page.text());
    assert!(page.text().contains("no longer gives the role"), "{}", page.text());
    assert_eq!(app.get(&invitation).await["status"], "pending");
    let members = app.get(&format!("{own}/members")).await;
    assert_eq!(members["data"][1]["status"], "invited", "{members}");
    // What it gives is looked at when it is accepted, and not remembered.
    narrow(json!(null)).await;
    assert_eq!(app.act(ACCEPT, &body).await.0, 200);
    let members = app.get(&format!("{own}/members")).await;
    assert_eq!(members["data"][1]["role"], "owner", "{members}");
}

async fn declines(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let (status, declined) =
        app.act("/v1/invitations/decline", &json!({"token": mail.token()})).await;
    assert_eq!((status, &declined["status"]), (200, &json!("declined")));
    let (status, problem) =
        app.act(ACCEPT, &json!({"token": mail.token(), "password": CHOSEN})).await;
    assert_eq!((status, &problem["code"]), (410, &json!("invitation_declined")));
    assert_eq!(app.get(&invitation).await["status"], "declined");
}

async fn a_member_is_not_invited_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let (status, _) = app.act(ACCEPT, &json!({"token": mail.token(), "password": CHOSEN})).await;
    assert_eq!(status, 200);
    let answer = app.post(&json!({"email": "ann@example.com"})).await;
    assert_eq!((answer.status, text(&answer.json()["code"]).as_str()), (409, "already_member"));
}
