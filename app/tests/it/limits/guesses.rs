//! Secrets that do not exist, secrets that are used twice, and who is kept from guessing.

use app::http::Answer;
use domain::Window;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{accept, ask, assert_limited, events, next, start};
use crate::harness::{Stack, TestApp};

on_both_stacks!(
    wrong_passwords_lock_the_password_but_not_the_link,
    a_new_mail_has_a_password_that_is_not_locked,
    a_client_may_guess_a_few_times_a_minute,
    guesses_at_the_same_moment_do_not_exceed_the_limit,
    a_proxy_that_is_trusted_tells_clients_apart,
    an_answer_that_comes_too_late_is_noted_once,
    accepting_at_the_same_moment_happens_once,
    accepting_and_declining_at_the_same_moment_is_one_of_the_two,
);

const ACCEPT: &str = "/v1/invitations/accept";
const CHOSEN: &str = "correct horse battery staple";

async fn by_password(app: &TestApp, email: &str, password: &str) -> (u16, Value) {
    let body = json!({"email": email, "temporary_password": password, "password": CHOSEN});
    app.act(ACCEPT, &body).await
}

async fn guess(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    let body = json!({"token": "0".repeat(30), "password": CHOSEN}).to_string();
    app.client.send("POST", ACCEPT, &headers, body.as_bytes()).await.unwrap()
}

async fn wrong_passwords_lock_the_password_but_not_the_link(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let (_, bobs) = app.invite_and_receive("bob@example.com").await;
    let wrong = "0".repeat(26);
    for _ in 0..12 {
        let (status, problem) = by_password(&app, "Ann@example.com", &wrong).await;
        assert_eq!((status, &problem["code"]), (401, &json!("invalid_credential")));
    }
    let (status, problem) = by_password(&app, "ann@example.com", &mail.password()).await;
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_credential")), "locked");
    let found = app.get(&invitation).await;
    assert_eq!(found["status"], "pending");
    let locked = "invitation.password_locked";
    let listed = found["events"].as_array().unwrap();
    assert_eq!(listed.iter().filter(|event| event["kind"] == locked).count(), 1, "{found}");
    assert_eq!(by_password(&app, "bob@example.com", &bobs.password()).await.0, 200);
    assert_eq!(accept(&app, &mail.token()).await.0, 200, "the link stays good");
    assert_eq!(events(&app, locked).await, 1);
}

async fn a_new_mail_has_a_password_that_is_not_locked(stack: Stack) {
    let limits = [("WELCOMAT_LIMITS_WRONG_PASSWORDS", "2")];
    let app = TestApp::start_with_settings(stack, &limits).await;
    let (invitation, first) = app.invite_and_receive("ann@example.com").await;
    for _ in 0..2 {
        assert_eq!(by_password(&app, "ann@example.com", "0").await.0, 401);
    }
    assert_eq!(by_password(&app, "ann@example.com", &first.password()).await.0, 401);
    assert_eq!(app.act(&format!("{invitation}/resend"), &json!({})).await.0, 200);
    app.until(&invitation, "sent").await;
    let second = app.mails_to("ann@example.com").await.remove(1);
    let again = by_password(&app, "ann@example.com", &first.password()).await.0;
    assert_eq!(again, 401, "locked stays locked, and counts as wrong");
    assert_eq!(by_password(&app, "ann@example.com", &second.password()).await.0, 200);
}

async fn a_client_may_guess_a_few_times_a_minute(stack: Stack) {
    let limits = [("WELCOMAT_LIMITS_UNKNOWN_TOKENS_PER_MINUTE", "3")];
    let app = start(stack, &limits, Window::Minute).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    for _ in 0..10 {
        assert_eq!(app.client.get(&mail.path()).await.unwrap().status, 200, "no guess");
    }
    assert_eq!(guess(&app, &[]).await.status, 401);
    assert_eq!(app.client.get("/i/00000000").await.unwrap().status, 404);
    assert_eq!(by_password(&app, "ann@example.com", "0").await.0, 401);
    assert_limited(&guess(&app, &[]).await, "too_many_guesses", Window::Minute);
    let page = app.client.get("/i/00000000").await.unwrap();
    assert_eq!((page.status, page.header("content-type")), (429, Some("text/html; charset=utf-8")));
    assert!(page.header("retry-after").is_some());
    // Otherwise the answers would still tell good from bad.
    assert_eq!(accept(&app, &mail.token()).await.0, 429);
    next(&app, Window::Minute);
    assert_eq!(accept(&app, &mail.token()).await.0, 200);
}

async fn guesses_at_the_same_moment_do_not_exceed_the_limit(stack: Stack) {
    let limits = [("WELCOMAT_LIMITS_UNKNOWN_TOKENS_PER_MINUTE", "10")];
    let app = start(stack, &limits, Window::Minute).await;
    let answers = join_all((0..50).map(|_| guess(&app, &[]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 40);
}

async fn a_proxy_that_is_trusted_tells_clients_apart(stack: Stack) {
    let limits = [
        ("WELCOMAT_LIMITS_UNKNOWN_TOKENS_PER_MINUTE", "1"),
        ("WELCOMAT_HTTP_TRUSTED_PROXIES", "127.0.0.0/8, ::1"),
    ];
    let app = start(stack, &limits, Window::Minute).await;
    let from = |address: &'static str| [("X-Forwarded-For", address)];
    for client in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(guess(&app, &from(client)).await.status, 401, "{client}");
    }
    // Only what the proxy itself has added counts.
    assert_eq!(guess(&app, &from("192.0.2.3, 192.0.2.1")).await.status, 429);
    let alone = start(stack, &limits[..1], Window::Minute).await;
    assert_eq!(guess(&alone, &from("192.0.2.1")).await.status, 401);
    assert_eq!(guess(&alone, &from("192.0.2.2")).await.status, 429, "nobody vouches for that");
}

async fn an_answer_that_comes_too_late_is_noted_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(app.act(&format!("{invitation}/revoke"), &json!({})).await.0, 200);
    assert_eq!(app.client.get(&mail.path()).await.unwrap().status, 410);
    assert_eq!(events(&app, "invitation.late_answer").await, 0, "looking is no answer");
    for _ in 0..3 {
        assert_eq!(accept(&app, &mail.token()).await.0, 410);
        let (status, _) = app.act("/v1/invitations/decline", &json!({"token": mail.token()})).await;
        assert_eq!(status, 410);
    }
    assert_eq!(events(&app, "invitation.late_answer").await, 1);
}

async fn accepting_at_the_same_moment_happens_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let (token, password) = (mail.token(), mail.password());
    let by_link = join_all((0..5).map(|_| accept(&app, &token)));
    let by_password = join_all((0..5).map(|_| by_password(&app, "ann@example.com", &password)));
    let (by_link, by_password) = join(by_link, by_password).await;
    let answers = [by_link, by_password].concat();
    for (status, said) in &answers {
        assert_eq!((*status, said), (200, &answers[0].1), "all are told the same");
    }
    assert_eq!(app.get(&invitation).await["status"], "accepted");
    assert_eq!(events(&app, "invitation.accepted").await, 1);
    assert_eq!(ask(&app, "SELECT total FROM tally WHERE kind = 'accepted_ever'").await, 1);
}

async fn accepting_and_declining_at_the_same_moment_is_one_of_the_two(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let token = mail.token();
    let body = json!({ "token": token });
    let decline = app.act("/v1/invitations/decline", &body);
    let (accepted, declined) = join(accept(&app, &token), decline).await;
    let outcome = (accepted.0, declined.0);
    assert!(matches!(outcome, (200, 409) | (410, 200)), "{accepted:?} {declined:?}");
    let expected = if accepted.0 == 200 { "accepted" } else { "declined" };
    assert_eq!(app.get(&invitation).await["status"], expected);
    let answers = ["accepted", "declined"].map(|answer| format!("invitation.{answer}"));
    let answers = join_all(answers.iter().map(|kind| events(&app, kind))).await;
    assert_eq!(answers.iter().sum::<i64>(), 1);
}
