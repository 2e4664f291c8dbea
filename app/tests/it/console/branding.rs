//! How an organization looks, in a browser without scripts.

use super::browser::Browser;
use crate::branding::picture;
use crate::harness::{KEY, Stack, TestApp};

on_both_stacks!(a_look_is_previewed_saved_and_taken_back,);

async fn a_look_is_previewed_saved_and_taken_back(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/branding", app.organization);
    let typed = [("name", "Harbour"), ("accent", "#ffd400"), ("support_url", "")];
    let preview = browser.send_file(&format!("{own}/preview"), &typed, b"").await;
    let policy = preview.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
    assert!(policy.contains("form-action 'none'"), "{policy}");
    let page = preview.text();
    assert!(page.contains("<bdi>Harbour</bdi>") && page.contains("accent/ffd400.css"), "{page}");
    let wrong = [("name", "Harbour"), ("accent", "\"><b>"), ("support_url", "ftp://x")];
    let told = browser.send_file(&format!("{own}/preview"), &wrong, b"").await;
    assert!(told.header("content-type").unwrap().starts_with("text/plain"), "{}", told.text());
    let refused = browser.send_file(&own, &wrong, &picture(100)).await;
    let page = refused.text();
    assert_eq!(refused.status, 422, "{page}");
    assert!(page.contains("support url must be a link"), "{page}");
    assert!(page.contains("value=\"&quot;&gt;&lt;b&gt;\""), "what was typed is there: {page}");
    let large = browser.send_file(&own, &typed, &picture(40_000)).await;
    assert!(large.status == 422 && large.text().contains("32768 bytes"), "{}", large.text());
    assert!(!browser.page(&own).await.contains("assets/logo"), "nothing is saved so far");

    let saved = browser.send_file(&own, &typed, &picture(100)).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let page = browser.page(saved.header("location").unwrap()).await;
    assert!(page.contains("The look is saved") && page.contains("/assets/logo/"), "{page}");
    // A form without a file leaves the logo, until it is told to take it away.
    assert_eq!(browser.send_file(&own, &typed, b"").await.status, 303);
    let preview = browser.send_file(&format!("{own}/preview"), &typed, b"").await;
    assert!(preview.text().contains("alt=\"Harbour\""), "{}", preview.text());
    let wrong = [("name", ""), ("accent", "red"), ("support_url", ""), ("remove", "yes")];
    let page = browser.send_file(&own, &wrong, b"").await.text();
    assert!(page.contains("value=\"yes\" checked"), "what was ticked is ticked: {page}");
    let away = [("name", ""), ("accent", ""), ("support_url", ""), ("remove", "yes")];
    assert_eq!(browser.send_file(&own, &away, b"").await.status, 303);
    let api = format!("/v1/organizations/{}/branding", app.organization);
    let left = app.get(&api).await;
    assert!(left.as_object().unwrap().values().all(serde_json::Value::is_null), "{left}");
}
