//! Listing: newest first, in pages, filtered by either state, and never somebody else's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};

on_both_stacks!(pages_follow_the_cursor, filters_by_state_and_address, foreign_ids_do_not_exist);

async fn pages_follow_the_cursor(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mut made = Vec::new();
    for number in 0..5 {
        let invitation = app.invite(&format!("n{number}@example.com")).await;
        made.push(text(&app.get(&invitation).await["id"]));
        // Ids grow by the millisecond.
        app.clock.advance(Duration::from_millis(2));
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut path = format!("{}?limit=2", app.invitations());
    loop {
        let page = app.get(&path).await;
        let ids = page["data"].as_array().unwrap().iter().map(|found| text(&found["id"]));
        seen.push(ids.collect::<Vec<_>>());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{}?limit=2&cursor={cursor}", app.invitations());
    }
    assert_eq!(seen, made.chunks(2).map(<[String]>::to_vec).collect::<Vec<_>>());
}

async fn filters_by_state_and_address(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (revoked, _) = app.invite_and_receive("ann@example.com").await;
    app.invite_and_receive("bob@example.com").await;
    assert_eq!(app.act(&format!("{revoked}/revoke"), &json!({})).await.0, 200);
    for (filter, expected) in [
        ("status=revoked", vec!["ann@example.com"]),
        ("status=pending", vec!["bob@example.com"]),
        ("delivery_status=sent", vec!["bob@example.com", "ann@example.com"]),
        ("delivery_status=queued", vec![]),
        ("email=BOB%40example.com", vec!["bob@example.com"]),
        ("status=pending&email=ann%40example.com", vec![]),
    ] {
        let page = app.get(&format!("{}?{filter}", app.invitations())).await;
        let emails: Vec<&Value> =
            page["data"].as_array().unwrap().iter().map(|found| &found["email"]).collect();
        assert_eq!(emails, expected, "{filter}");
    }
}

async fn foreign_ids_do_not_exist(stack: Stack) {
    let app = TestApp::start(stack).await;
    let invitation = app.get(&app.invite("ann@example.com").await).await;
    let id = text(&invitation["id"]);
    let (foreign, _) = app.other_organization().await;
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut bodies = Vec::new();
    for path in [
        format!("/v1/organizations/{foreign}/invitations"),
        format!("/v1/organizations/{foreign}/invitations/{id}"),
        format!("/v1/organizations/{nobody}/invitations"),
        format!("{}/{nobody}", app.invitations()),
        format!("{}/nonsense", app.invitations()),
    ] {
        let answer = app.client.get(&path).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
        bodies.push(answer.text());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "a foreign id looks like one that never was: {bodies:?}");
    for action in ["resend", "extend", "revoke"] {
        for organization in [&foreign, nobody] {
            let path = format!("/v1/organizations/{organization}/invitations/{id}/{action}");
            assert_eq!(app.act(&path, &json!({})).await.0, 404, "{path}");
        }
    }
    let body = json!({"email": "bob@example.com"});
    assert_eq!(app.act(&format!("/v1/organizations/{foreign}/invitations"), &body).await.0, 404);
}
