//! How the public invite APIs tell a limit, each in its own words.

use std::time::Duration;

use domain::Window;
use serde_json::{Value, json};

use super::{retry_after, start};
use crate::contracts::users_organizations;
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    a_limit_is_told_in_the_words_of_each_contract,
    a_batch_is_refused_as_a_whole_and_says_whom_to_leave_out,
    somebody_who_is_pending_is_answered_beyond_the_limit_without_a_mail,
);

const DOIT: &str = "/iam/v1/users/invite";
const GOLDLEAF: &str = "/organization/users/invite";

fn batch(emails: &[&str]) -> Value {
    let entries: Vec<_> = emails.iter().map(|email| json!({ "email": email })).collect();
    json!({ "emailAddresses": entries })
}

async fn a_limit_is_told_in_the_words_of_each_contract(stack: Stack) {
    let limit = [("WELCOMAT_LIMITS_ORGANIZATION_PER_DAY", "1")];
    let app = start(stack, &limit, Window::Day).await;
    app.invite("a@example.com").await;
    let jobsim = format!("/api/v1/users/invite/{}", app.organization);
    let ann = json!({"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"});
    for (path, body, pointer) in [
        (jobsim.as_str(), ann, "/detail"),
        (DOIT, json!({"email": "ann@example.com"}), "/error"),
        (GOLDLEAF, batch(&["ann@example.com"]), "/error"),
    ] {
        let answer = app.client.post(path, &body).await.unwrap();
        assert_eq!(answer.status, 429, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        let said = answer.json();
        assert!(text(said.pointer(pointer).unwrap()).contains("in a day"), "{path}: {said}");
        assert!(retry_after(&answer) <= Duration::from_hours(24));
    }
    let user = users_organizations::admin(&app).await;
    let session = users_organizations::session(&app, user);
    let headers = [("Content-Type", "application/json"), ("x-session-token", session.as_str())];
    let path = format!("/users-organizations/v1/rs/na/{user}/invite");
    let body = json!({"email": "ann@example.com", "scope": 1, "permissions": {"group": 5}});
    let answer = app.client.send("POST", &path, &headers, body.to_string().as_bytes()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(text(&answer.json()["message"]).contains("in a day"), "{}", answer.text());
    assert!(retry_after(&answer) <= Duration::from_hours(24));
}

async fn a_batch_is_refused_as_a_whole_and_says_whom_to_leave_out(stack: Stack) {
    let limit = [("WELCOMAT_LIMITS_SENDS_PER_RECIPIENT_PER_DAY", "1")];
    let app = start(stack, &limit, Window::Day).await;
    let first = app.invite("ann@example.com").await;
    assert_eq!(app.act(&format!("{first}/revoke"), &json!({})).await.0, 200);
    let all = batch(&["bob@example.com", "ann@example.com", "ann+x@example.com"]);
    let answer = app.client.post(GOLDLEAF, &all).await.unwrap();
    let said = answer.json();
    assert_eq!(answer.status, 429, "{said}");
    assert_eq!(said["error"], "Nobody was invited: 2 problems, see details.");
    let details = said["details"].as_array().unwrap();
    let wrong: Vec<_> = details.iter().map(|detail| (&detail["index"], &detail["code"])).collect();
    assert_eq!(
        wrong,
        [(&json!(1), &json!("too_many_mails")), (&json!(2), &json!("too_many_mails"))]
    );
    assert!(retry_after(&answer) <= Duration::from_hours(24));
    assert_eq!(app.get(&app.invitations()).await["data"].as_array().unwrap().len(), 1);
    let rest = app.client.post(GOLDLEAF, &batch(&["bob@example.com"])).await.unwrap();
    assert_eq!((rest.status, &rest.json()["results"][0]["status"]), (200, &json!("invited")));
}

async fn somebody_who_is_pending_is_answered_beyond_the_limit_without_a_mail(stack: Stack) {
    let limit = [("WELCOMAT_LIMITS_SENDS_PER_RECIPIENT_PER_DAY", "3")];
    let app = start(stack, &limit, Window::Day).await;
    let send = async |app: &TestApp| {
        let headers = [("Content-Type", "application/json"), ("Prefer", "wait=30")];
        let body = json!({"email": "ann@example.com"}).to_string();
        let answer = app.client.send("POST", DOIT, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        // After the cooldown of the contracts, and before `resend_interval`, which is not theirs.
        app.clock.advance(Duration::from_mins(6));
        (text(&answer.json()["message"]), app.mails_to("ann@example.com").await.len())
    };
    for mails in 1..=3 {
        assert_eq!(send(&app).await.1, mails);
    }
    let (message, mails) = send(&app).await;
    assert_eq!(mails, 3, "{message}");
    app.clock.advance(Duration::from_hours(24));
    assert_eq!(send(&app).await.1, 4);
}
