//! Organizations: made with a key for the whole instance, changed by their own admins.

use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    an_instance_key_makes_organizations_and_their_keys,
    an_organization_names_its_roles,
    an_organizations_key_sees_only_its_own,
    an_instance_key_has_to_say_which_organization,
);

async fn an_instance_key_makes_organizations_and_their_keys(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (id, admin) = app.other_organization().await;
    let me = admin.get("/v1/me").await.unwrap().json();
    assert_eq!((&me["organization"]["id"], &me["user"]), (&json!(id), &Value::Null));
    let path = format!("/v1/organizations/{id}/invitations");
    let body = json!({"email": "ann@example.com"});
    assert_eq!(admin.post(&path, &body).await.unwrap().status, 201);
    // The same address in the first organization is another invitation.
    app.invite_and_receive("bob@example.com").await;
    let operator = app.operator();
    let bob = json!({"email": "bob@example.com"});
    assert_eq!(operator.post(&path, &bob).await.unwrap().status, 201);
    let again = json!({"name": "Third", "slug": "other"});
    let clash = operator.post("/v1/organizations", &again).await.unwrap();
    assert_eq!((clash.status, text(&clash.json()["code"]).as_str()), (409, "slug_taken"));
    let namesake = operator.post("/v1/organizations", &json!({"name": "Other"})).await.unwrap();
    assert!(text(&namesake.json()["slug"]).starts_with("other-"), "{}", namesake.text());
    let page = operator.get("/v1/organizations?limit=1").await.unwrap().json();
    assert_eq!(page["data"][0]["name"], "Acme");
    let next = format!("/v1/organizations?limit=1&cursor={}", text(&page["next_cursor"]));
    let second = operator.get(&next).await.unwrap().json();
    assert_eq!(second["data"][0]["id"], id);
    let last = format!("/v1/organizations?limit=1&cursor={}", text(&second["next_cursor"]));
    assert_eq!(operator.get(&last).await.unwrap().json()["next_cursor"], Value::Null);
}

async fn an_organization_names_its_roles(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = format!("/v1/organizations/{}", app.organization);
    let roles = json!({"default_role": "guest", "roles": ["guest", "editor"]}).to_string();
    let json_type = [("Content-Type", "application/json")];
    let changed = app.client.send("PATCH", &own, &json_type, roles.as_bytes()).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text());
    let unknown = app.post(&json!({"email": "ann@example.com", "role": "owner"})).await;
    assert_eq!((unknown.status, &unknown.json()["errors"][0]["field"]), (422, &json!("role")));
    let created = app.post(&json!({"email": "ann@example.com"})).await.json();
    assert_eq!(created["role"], "guest");
    let without_default = json!({"roles": ["editor"]}).to_string();
    let refused = app.client.send("PATCH", &own, &json_type, without_default.as_bytes()).await;
    assert_eq!(refused.unwrap().json()["errors"][0]["field"], "default_role");
    let any = json!({"roles": null}).to_string();
    let opened = app.client.send("PATCH", &own, &json_type, any.as_bytes()).await.unwrap();
    assert_eq!(opened.json()["roles"], Value::Null);
    let owner = app.post(&json!({"email": "bob@example.com", "role": "owner"})).await;
    assert_eq!(owner.status, 201);
}

async fn an_organizations_key_sees_only_its_own(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, _) = app.other_organization().await;
    let listed = app.get("/v1/organizations").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["id"], app.organization);
    let foreign = app.client.get(&format!("/v1/organizations/{other}")).await.unwrap();
    assert_eq!(foreign.status, 404);
    let (status, problem) = app.act("/v1/organizations", &json!({"name": "Mine"})).await;
    assert_eq!((status, text(&problem["code"]).as_str()), (403, "instance_key_required"));
}

async fn an_instance_key_has_to_say_which_organization(stack: Stack) {
    let app = TestApp::start(stack).await;
    let operator = app.operator();
    let me = operator.get("/v1/me").await.unwrap().json();
    assert_eq!((&me["organization"], &me["role"]), (&Value::Null, &json!("admin")));
    let unnamed = operator.post("/v1/api-keys", &json!({"name": "x"})).await.unwrap();
    assert_eq!(unnamed.status, 422);
    assert_eq!(unnamed.json()["errors"][0]["field"], "organization_id");
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let unknown = json!({"name": "x", "organization_id": nobody});
    assert_eq!(operator.post("/v1/api-keys", &unknown).await.unwrap().status, 404);
    let foreign = app.client.get(&format!("/v1/api-keys?organization_id={nobody}")).await.unwrap();
    assert_eq!(foreign.status, 404);
}
