//! API keys: made by an admin, shown once, revocable at any time.

use app::http::Client;
use serde_json::json;

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(a_revoked_key_opens_nothing, a_member_key_reads_only, without_a_key_nothing_opens);

async fn a_revoked_key_opens_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (status, made) = app.act("/v1/api-keys", &json!({"name": "CI"})).await;
    assert_eq!(status, 201, "{made}");
    let key = text(&made["key"]);
    let other = app.client.clone().with_key(Some(key.clone()));
    assert_eq!(other.get("/v1/me").await.unwrap().status, 200);
    let listed = app.client.get("/v1/api-keys").await.unwrap().text();
    assert!(listed.contains("CI") && !listed.contains(&key), "{listed}");
    let path = format!("/v1/api-keys/{}", text(&made["id"]));
    assert_eq!(app.client.send("DELETE", &path, &[], b"").await.unwrap().status, 204);
    assert_eq!(other.get("/v1/me").await.unwrap().status, 401);
}

async fn a_member_key_reads_only(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wanted = json!({"name": "dashboard", "role": "member"});
    let (_, made) = app.act("/v1/api-keys", &wanted).await;
    let reader: Client = app.client.clone().with_key(Some(text(&made["key"])));
    assert_eq!(reader.get(&app.invitations()).await.unwrap().status, 200);
    let body = json!({"email": "ann@example.com"});
    assert_eq!(reader.post(&app.invitations(), &body).await.unwrap().status, 403);
    assert_eq!(reader.post("/v1/api-keys", &wanted).await.unwrap().status, 403);
}

async fn without_a_key_nothing_opens(stack: Stack) {
    let app = TestApp::start(stack).await;
    for key in [None, Some("wlc_wrong".to_owned())] {
        let stranger = app.client.clone().with_key(key);
        for path in ["/v1/me", &app.invitations()] {
            let answer = stranger.get(path).await.unwrap();
            assert_eq!(
                (answer.status, text(&answer.json()["code"]).as_str()),
                (401, "unauthorized")
            );
        }
    }
}
