//! A webhook is no way into the network that the service is in (A43).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapters::webhooks::Names;
use sea_orm::{ConnectionTrait, Database};
use serde_json::json;

use super::receiver::Receiver;
use super::{NEAR, register};
use crate::harness::{Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(
    what_must_not_be_asked_cannot_be_registered,
    a_name_that_moves_into_the_private_network_is_not_followed,
    the_request_goes_to_the_address_that_was_looked_at,
    one_that_was_allowed_once_is_looked_at_again,
);

/// A43, each in the way that it is written by those who try.
const INWARD: [&str; 20] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "https://100.100.100.200/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://ann:secret@93.184.215.14/",
    "https://93.184.215.14:25/",
    "https://93.184.215.14:6379/",
];

async fn what_must_not_be_asked_cannot_be_registered(stack: Stack) {
    let app = TestApp::start(stack).await;
    let path = format!("/v1/organizations/{}/webhooks", app.organization);
    let plain = ["http://93.184.215.14/", "ftp://93.184.215.14/", "file:///etc/passwd"];
    for url in INWARD.iter().chain(&plain) {
        let (status, problem) = app.act(&path, &json!({ "url": url })).await;
        assert_eq!(status, 422, "{url}: {problem}");
        assert_eq!(problem["errors"][0]["field"], "url", "{url}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
    let (webhook, _) = register(&app, "https://93.184.215.14/", None).await;
    for url in INWARD {
        let headers = [("Content-Type", "application/json")];
        let body = json!({ "url": url }).to_string();
        let answer = app.client.send("PATCH", &webhook, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 422, "{url}: {}", answer.text());
    }
    assert_eq!(app.get(&webhook).await["url"], "https://93.184.215.14/");
}

/// HTTP and any port, but no private address.
const FAR: [(&str, &str); 4] = [NEAR[0], NEAR[2], NEAR[3], NEAR[4]];

async fn a_name_that_moves_into_the_private_network_is_not_followed(stack: Stack) {
    let inward = Arc::new(AtomicBool::new(false));
    let moved = Arc::clone(&inward);
    let names = Names::Fixed(Arc::new(move |_| {
        let inward = moved.load(Ordering::Relaxed);
        let address: IpAddr = if inward { [127, 0, 0, 1] } else { [93, 184, 215, 14] }.into();
        vec![address]
    }));
    let app = TestApp::start_with_names(stack, &FAR, names).await;
    let receiver = Receiver::start().await;
    let url = format!("http://hooks.example.com:{}/", receiver.address.port());
    let (webhook, _) = register(&app, &url, Some(&["invitation.created"])).await;
    inward.store(true, Ordering::Relaxed);
    app.invite("ann@example.com").await;
    let delivery = eventually("the attempt is noted", async || {
        let page = app.get(&format!("{webhook}/deliveries")).await;
        let delivery = page["data"][0].clone();
        (!delivery["attempts_log"].as_array()?.is_empty()).then_some(delivery)
    })
    .await;
    let attempt = &delivery["attempts_log"][0];
    let why = "the URL must have a public address, not one of a private network";
    assert_eq!((&attempt["outcome"], &attempt["detail"]), (&json!("not_taken"), &json!(why)));
    assert_eq!(receiver.requests().len(), 0);
}

async fn the_request_goes_to_the_address_that_was_looked_at(stack: Stack) {
    // No other resolver knows this name.
    let names = Names::Fixed(Arc::new(|name| {
        assert_eq!(name, "hooks.welcomat.invalid");
        vec![IpAddr::from([127, 0, 0, 1])]
    }));
    let app = TestApp::start_with_names(stack, &NEAR, names).await;
    let receiver = Receiver::start().await;
    let host = format!("hooks.welcomat.invalid:{}", receiver.address.port());
    register(&app, &format!("http://{host}/"), Some(&["invitation.created"])).await;
    app.invite("ann@example.com").await;
    let told = receiver.until("invitation.created", 1).await.remove(0);
    assert_eq!(told.header("host"), host);
}

async fn one_that_was_allowed_once_is_looked_at_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (webhook, _) = register(&app, "https://93.184.215.14/", None).await;
    for url in INWARD {
        // As if it had been registered before the operator closed the private network.
        let db = Database::connect(&app.database_url).await.unwrap();
        let sql = format!("UPDATE webhook_endpoint SET url = '{url}'");
        db.execute_unprepared(&sql).await.unwrap();
        db.close().await.unwrap();
        let (status, planned) = app.act(&format!("{webhook}/test"), &json!({})).await;
        assert_eq!(status, 202, "{planned}");
        let attempt = eventually("the attempt is noted", async || {
            let log = app.get(&format!("{webhook}/deliveries?limit=1")).await;
            let delivery = &log["data"][0];
            assert_eq!(delivery["id"], planned["id"]);
            delivery["attempts_log"].as_array()?.first().cloned()
        })
        .await;
        assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!("not_taken"), &json!(null)));
        let why = attempt["detail"].as_str().unwrap();
        assert!(why.starts_with("the URL must"), "{url}: {why}");
        // Ids grow by the millisecond.
        app.clock.advance(Duration::from_millis(2));
    }
}
