//! Members: listed from the invitation on, removable, and welcome again afterwards.

use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(a_removed_member_can_be_invited_again, who_is_only_invited_is_not_removed);

async fn members(app: &TestApp) -> Vec<Value> {
    let listed = app.get(&format!("/v1/organizations/{}/members", app.organization)).await;
    listed["data"].as_array().unwrap().clone()
}

async fn remove(app: &TestApp, user: &Value) -> u16 {
    let path = format!("/v1/organizations/{}/members/{}", app.organization, text(user));
    app.client.send("DELETE", &path, &[], b"").await.unwrap().status
}

async fn a_removed_member_can_be_invited_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let accepted = json!({"token": mail.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accepted).await.0, 200);
    let ann = members(&app).await.remove(1);
    assert_eq!((&ann["status"], &ann["email"]), (&json!("active"), &json!("ann@example.com")));
    let again = json!({"email": "ann@example.com"});
    assert_eq!(text(&app.post(&again).await.json()["code"]), "already_member");
    assert_eq!(remove(&app, &ann["user_id"]).await, 204);
    assert_eq!(remove(&app, &ann["user_id"]).await, 204, "twice is fine");
    assert_ne!(members(&app).await[1]["deleted_at"], Value::Null);
    assert_eq!(app.post(&again).await.status, 201);
    let revived = members(&app).await.remove(1);
    assert_eq!((&revived["number"], &revived["id"]), (&ann["number"], &ann["id"]));
    assert_eq!((&revived["status"], &revived["deleted_at"]), (&json!("invited"), &Value::Null));
}

async fn who_is_only_invited_is_not_removed(stack: Stack) {
    let app = TestApp::start(stack).await;
    app.invite_and_receive("ann@example.com").await;
    let ann = members(&app).await.remove(1);
    assert_eq!(remove(&app, &ann["user_id"]).await, 409);
    let nobody = json!("01890a5d-ac96-774b-bcce-b302099a8057");
    assert_eq!(remove(&app, &nobody).await, 404);
}
