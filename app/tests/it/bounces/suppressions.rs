//! The list of addresses that get no mail, as an organization's admins keep it.

use serde_json::{Value, json};

use super::World;
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(addresses_are_added_and_lifted, the_list_comes_in_pages, what_is_wrong_is_said);

fn path(app: &TestApp) -> String {
    format!("/v1/organizations/{}/suppressions", app.organization)
}

async fn addresses_are_added_and_lifted(stack: Stack) {
    let world = World::start(stack).await;
    let (invitation, mark) = world.sent("ann@example.com").await;
    world.tell("ses_complaint", &mark).await;
    let all = path(&world.app);
    let ann = json!({"email": "ANN@example.com"});
    let (status, kept) = world.app.act(&all, &ann).await;
    assert_eq!(
        (status, &kept["reason"]),
        (200, &json!("complaint")),
        "the first reason stays: {kept}"
    );
    let (status, new) = world.app.act(&all, &json!({"email": "Bob@example.com"})).await;
    assert_eq!(
        (status, &new["reason"], &new["email"]),
        (200, &json!("by_hand"), &json!("bob@example.com"))
    );
    let made = world.app.post(&json!({"email": "bob@example.com"})).await.json();
    assert_eq!(made["delivery"]["status"], "suppressed");

    let lift = format!("{all}/lift");
    let lifted = world.app.client.post(&lift, &ann).await.unwrap();
    assert_eq!(lifted.status, 204, "{}", lifted.text());
    assert_eq!(
        world.app.client.post(&lift, &ann).await.unwrap().status,
        404,
        "it is not there now"
    );
    let (status, again) = world.app.act(&format!("{invitation}/resend"), &json!({})).await;
    assert_eq!(status, 200, "{again}");
    world.app.until(&invitation, "sent").await;
    assert_eq!(world.app.mails_to("ann@example.com").await.len(), 2);
}

async fn the_list_comes_in_pages(stack: Stack) {
    let app = TestApp::start(stack).await;
    let all = path(&app);
    for number in 0..5 {
        let body = json!({ "email": format!("n{number}@example.com") });
        assert_eq!(app.act(&all, &body).await.0, 200);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{all}?limit=2{cursor}")).await;
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        seen.extend(data.iter().map(|entry| text(&entry["email"])));
        let Value::String(next) = &page["next_cursor"] else { break };
        cursor = format!("&cursor={next}");
    }
    let newest_first: Vec<_> =
        (0..5).rev().map(|number| format!("n{number}@example.com")).collect();
    assert_eq!(seen, newest_first);
    let (_, other) = app.other_organization().await;
    assert_eq!(other.get(&all).await.unwrap().status, 404);
}

async fn what_is_wrong_is_said(stack: Stack) {
    let app = TestApp::start(stack).await;
    let all = path(&app);
    for body in [json!({}), json!({"email": "ann"}), json!({"email": "a@example.com", "x": 1})] {
        for path in [all.clone(), format!("{all}/lift")] {
            let (status, problem) = app.act(&path, &body).await;
            assert_eq!((status, &problem["code"]), (422, &json!("validation_failed")), "{body}");
        }
    }
    for query in ["limit=0", "limit=x", "cursor=x"] {
        assert_eq!(app.client.get(&format!("{all}?{query}")).await.unwrap().status, 422, "{query}");
    }
    assert_eq!(app.client.get(&format!("{all}?email=x")).await.unwrap().status, 400);
}
