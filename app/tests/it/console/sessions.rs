//! Who is let in, and for how long.

use std::time::Duration;

use serde_json::json;

use super::browser::Browser;
use crate::harness::{INSTANCE_KEY, KEY, Stack, TestApp, text};

on_both_stacks!(
    a_key_that_may_change_things_opens_the_console,
    no_other_key_does,
    guessing_keys_is_slow,
    a_session_ends_by_signing_out,
    a_session_ends_with_its_key,
    a_session_ends_with_the_day,
    another_site_signs_nobody_in,
);

async fn key(app: &TestApp, role: &str) -> (String, String) {
    let (status, made) = app.act("/v1/api-keys", &json!({"name": "a test", "role": role})).await;
    assert_eq!(status, 201, "{made}");
    (text(&made["id"]), text(&made["key"]))
}

fn own(app: &TestApp) -> String {
    format!("/console/{}", app.organization)
}

async fn is_out(browser: &Browser<'_>, path: &str) {
    let answer = browser.open(path).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/console/sign-in")));
}

async fn a_key_that_may_change_things_opens_the_console(stack: Stack) {
    let app = TestApp::start(stack).await;
    is_out(&Browser::stranger(&app), "/console").await;
    let form = Browser::stranger(&app).page("/console/sign-in").await;
    assert!(form.contains("type=\"password\""), "{form}");
    let answer = Browser::stranger(&app).sign_in(&format!(" {KEY}\n")).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    for part in ["Path=/console", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(KEY), "{cookie}");
    let browser = Browser::signed_in(&app, KEY).await;
    let answer = browser.open("/console").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(own(&app).as_str())));
    assert!(browser.page(&own(&app)).await.contains("Overview"));
    let operator = Browser::signed_in(&app, INSTANCE_KEY).await;
    let all = operator.page("/console").await;
    assert!(all.contains(&format!("href=\"{}\"", own(&app))), "{all}");
    let page = operator.page(&own(&app)).await;
    for figure in
        ["jobs to publish", "mails wait for a worker", "worker slots taken", "within ten minutes"]
    {
        assert!(page.contains(figure), "{figure}: {page}");
    }
    // The broker says who waits for jobs, where there is one to ask.
    let workers = "<div><dt>workers</dt><dd>1</dd></div>";
    assert_eq!(page.contains(workers), stack == Stack::Distributed, "{page}");
    assert_eq!(page.contains("in the broker’s queue</dt><dd>0<"), stack == Stack::Distributed);
}

async fn no_other_key_does(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, reading) = key(&app, "member").await;
    for (wrong, why) in [("wlc_wrong", "no such key"), (reading.as_str(), "may only read")] {
        let answer = Browser::stranger(&app).sign_in(wrong).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
        assert!(answer.text().contains(why), "{}", answer.text());
        assert!(!answer.text().contains(wrong), "what was typed is a secret");
    }
    let mut forger = Browser::stranger(&app);
    for cookie in ["welcomat_console=", "welcomat_console=forged", "other=1"] {
        forger.cookie = Some(cookie.to_owned());
        is_out(&forger, &own(&app)).await;
    }
}

async fn guessing_keys_is_slow(stack: Stack) {
    let few = [("WELCOMAT_LIMITS_UNKNOWN_TOKENS_PER_MINUTE", "2")];
    let app = TestApp::start_with_settings(stack, &few).await;
    let browser = Browser::stranger(&app);
    let mut refused = None;
    // If a minute ends meanwhile, one of the two still has three of these.
    for _ in 0..5 {
        let answer = browser.sign_in("wlc_wrong").await;
        if answer.status == 429 {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("a guess too many");
    assert!(refused.header("retry-after").is_some(), "{}", refused.text());
}

async fn a_session_ends_by_signing_out(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let answer = browser.submit("/console/sign-out", &[]).await;
    assert_eq!(answer.header("location"), Some("/console/sign-in?done=signed-out"));
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    // Also for whoever has kept the cookie.
    is_out(&browser, &own(&app)).await;
}

async fn a_session_ends_with_its_key(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (id, admin) = key(&app, "admin").await;
    let browser = Browser::signed_in(&app, &admin).await;
    browser.page(&own(&app)).await;
    let path = format!("/v1/api-keys/{id}");
    let revoked = app.client.send("DELETE", &path, &[], b"").await.unwrap();
    assert_eq!(revoked.status, 204);
    is_out(&browser, &own(&app)).await;
}

async fn a_session_ends_with_the_day(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    app.clock.advance(Duration::from_hours(11));
    browser.page(&own(&app)).await;
    app.clock.advance(Duration::from_hours(1));
    is_out(&browser, &own(&app)).await;
}

async fn another_site_signs_nobody_in(stack: Stack) {
    let app = TestApp::start(stack).await;
    let stranger = app.client.clone().with_key(None);
    for (site, status) in [("cross-site", 400), ("same-site", 400), ("same-origin", 303)] {
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", site)];
        let body = format!("key={KEY}");
        let answer = stranger.send("POST", "/console/sign-in", &headers, body.as_bytes()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, status, "{site}: {}", answer.text());
        assert_eq!(answer.header("set-cookie").is_some(), status == 303, "{site}");
    }
}
