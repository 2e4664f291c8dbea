//! All or nothing.

use serde_json::{Value, json};

use super::{CSV, NDJSON, row, rows, send, send_as};
use crate::harness::{Stack, TestApp};

on_both_stacks!(
    all_are_invited_at_once,
    one_bad_row_and_nobody_is_invited,
    an_atomic_batch_has_few_rows,
);

async fn all_are_invited_at_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let headers = [("Content-Type", CSV), ("Idempotency-Key", "all")];
    let body = b"email\nann@example.com\nbob@example.com\n";
    let ask =
        async || send_as(&app.client, &app.organization, &headers, "?mode=atomic", body).await;
    let answer = ask().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let batch = answer.json();
    assert_eq!((&batch["status"], &batch["mode"]), (&json!("done"), &json!("atomic")));
    assert_eq!(batch["rows"]["created"], 2);
    let path = answer.header("location").unwrap();
    let shown = rows(&app, path).await;
    let created = [(1, 2, "ann@example.com"), (2, 3, "bob@example.com")];
    assert_eq!(shown, created.map(|(number, line, email)| row(number, line, email, "created", "")));
    let again = ask().await;
    assert_eq!((again.status, again.text()), (201, answer.text()));
    for who in ["ann", "bob"] {
        let invited = app.get(&format!("{}?email={who}@example.com", app.invitations())).await;
        assert_eq!(invited["data"].as_array().unwrap().len(), 1);
    }
}

async fn one_bad_row_and_nobody_is_invited(stack: Stack) {
    let env = [("WELCOMAT_LIMITS_RECIPIENT_DOMAIN_PER_HOUR", "3")];
    let app = TestApp::start_with_settings(stack, &env).await;
    app.invite("open@open.example").await;
    let nothing_new = async || {
        let list = app.get(&app.invitations()).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
        let batches = app.get(&format!("/v1/organizations/{}/batches", app.organization)).await;
        assert_eq!(batches, json!({ "data": [], "next_cursor": Value::Null }));
    };
    let ask =
        async |kind: &str, body: &str| send(&app, kind, "?mode=atomic", body.as_bytes()).await;
    let bad = ask(CSV, "email,role\na@x.example,\nnobody,\nc@x.example,a b\n").await;
    let said = bad.json();
    assert_eq!((bad.status, &said["code"]), (422, &json!("validation_failed")), "{said}");
    let fields: Vec<_> = said["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, ["rows[2]", "rows[3]"]);
    nothing_new().await;
    for (body, at, code) in [
        (
            "{\"email\":\"a@x.example\"}\n{\"email\":\"open@open.example\"}\n",
            2,
            "invitation_pending",
        ),
        (
            "{\"email\":\"a@y.example\"}\n{\"email\":\"b@y.example\"}\n{\"email\":\"c@y.example\"}\n\
             {\"email\":\"d@y.example\"}\n",
            4,
            "domain_rate_limited",
        ),
    ] {
        let refused = ask(NDJSON, body).await;
        let said = refused.json();
        assert_eq!((refused.status, &said["code"]), (409, &json!("batch_refused")), "{said}");
        assert_eq!(said["errors"].as_array().unwrap().len(), 1, "{said}");
        assert_eq!(said["errors"][0]["field"], format!("rows[{at}]"));
        let message = said["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{code}: ")), "{message}");
        nothing_new().await;
    }
    let cut_off = ask(CSV, "email,role\na@x.example,\nb@x.example,\"mem").await;
    assert_eq!(cut_off.status, 422, "{}", cut_off.text());
    nothing_new().await;
}

async fn an_atomic_batch_has_few_rows(stack: Stack) {
    let env = [("WELCOMAT_BATCHES_MAX_ATOMIC_ROWS", "3")];
    let app = TestApp::start_with_settings(stack, &env).await;
    let body = "email\na@example.com\nb@example.com\nc@example.com\nd@example.com\n";
    let answer = send(&app, CSV, "?mode=atomic", body.as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("too_many_rows")));
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
}
