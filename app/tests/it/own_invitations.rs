//! `GET /v1/me/invitations`: what a person is invited to, for the pages of a product.

use std::time::Duration;

use app::http::Client;
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};
use crate::tokens::token_of;

on_both_stacks!(
    a_person_sees_the_open_invitations_of_all_organizations,
    nobody_else_sees_them,
    a_list_of_many_has_pages,
);

const OWN: &str = "/v1/me/invitations";
const CHOSEN: &str = "correct horse battery staple";

/// Somebody who has joined the first organization, and speaks for themselves.
async fn member(app: &TestApp, email: &str) -> (Client, Value) {
    let (_, mail) = app.invite_and_receive(email).await;
    let accept = json!({"token": mail.token(), "password": CHOSEN});
    let (status, joined) = app.act("/v1/invitations/accept", &accept).await;
    assert_eq!(status, 200, "{joined}");
    (token_of(app, &joined["user_id"], &app.organization), joined["user_id"].clone())
}

async fn invite(client: &Client, organization: &str, email: &str) -> String {
    let path = format!("/v1/organizations/{organization}/invitations");
    let body = json!({"email": email, "role": "editor"});
    let made = client.post(&path, &body).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    text(&made.json()["id"])
}

async fn own(client: &Client) -> Vec<Value> {
    let answer = client.get(OWN).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].as_array().unwrap().clone()
}

async fn a_person_sees_the_open_invitations_of_all_organizations(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (ann, id_of_ann) = member(&app, "ann@example.com").await;
    assert_eq!(own(&ann).await, [] as [Value; 0], "what was accepted is open no more");
    let (other, theirs) = app.other_organization().await;
    let id = invite(&theirs, &other, "ANN@example.com").await;
    invite(&theirs, &other, "bob@example.com").await;
    let seen = own(&ann).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!((&seen[0]["id"], &seen[0]["role"]), (&json!(id), &json!("editor")));
    assert_eq!(seen[0]["organization"]["name"], "Other");
    assert_eq!(seen[0]["organization"]["id"], other.as_str());
    let fields: Vec<&String> = seen[0].as_object().unwrap().keys().collect();
    // No secret, no link, and nothing that the organization keeps for itself.
    assert_eq!(fields, ["id", "organization", "inviter", "role", "created_at", "expires_at"]);
    let revoke = format!("/v1/organizations/{other}/invitations/{id}/revoke");
    assert_eq!(theirs.post(&revoke, &json!({})).await.unwrap().status, 200);
    assert_eq!(own(&ann).await.len(), 0, "revoked");
    invite(&theirs, &other, "ann@example.com").await;
    assert_eq!(own(&ann).await.len(), 1);
    app.clock.advance(Duration::from_hours(8 * 24));
    let ann = token_of(&app, &id_of_ann, &app.organization);
    assert_eq!(own(&ann).await.len(), 0, "its time has passed");
}

async fn nobody_else_sees_them(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, ann) = member(&app, "ann@example.com").await;
    let (other, theirs) = app.other_organization().await;
    invite(&theirs, &other, "ann@example.com").await;
    let (bob, _) = member(&app, "bob@example.com").await;
    assert_eq!(own(&bob).await.len(), 0, "another member");
    // She is no member there: whoever issues tokens for that organization may mean somebody else.
    let elsewhere = token_of(&app, &ann, &other);
    assert_eq!(own(&elsewhere).await.len(), 0);
    let stranger = token_of(&app, &json!("auth0|5f7c"), &app.organization);
    assert_eq!(own(&stranger).await.len(), 0);
    for key in [&app.client, &theirs, &app.operator()] {
        let refused = key.get(OWN).await.unwrap();
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("token_required")));
    }
    let nobody = app.client.clone().with_key(None).get(OWN).await.unwrap();
    assert_eq!(nobody.status, 401);
}

async fn a_list_of_many_has_pages(stack: Stack) {
    let app = TestApp::start_with_settings(
        stack,
        &[
            ("WELCOMAT_LIMITS_ORGANIZATIONS_PER_RECIPIENT_PER_DAY", "0"),
            ("WELCOMAT_LIMITS_ORGANIZATIONS_PER_RECIPIENT_PER_WEEK", "0"),
        ],
    )
    .await;
    let (ann, _) = member(&app, "ann@example.com").await;
    let mut made = Vec::new();
    for number in 0..5 {
        let name = json!({"name": format!("Number {number}")});
        let organization = app.operator().post("/v1/organizations", &name).await.unwrap();
        let organization = text(&organization.json()["id"]);
        made.insert(0, invite(&app.operator(), &organization, "ann@example.com").await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ann.get(&format!("{OWN}?limit=2{cursor}")).await.unwrap().json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| text(&row["id"])));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, made, "newest first, each once");
    let wrong = ann.get(&format!("{OWN}?limit=101&cursor=x")).await.unwrap();
    assert_eq!(wrong.status, 422, "{}", wrong.text());
}
