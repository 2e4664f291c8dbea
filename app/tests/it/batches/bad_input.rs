//! Bad files: a bad row is a row with a result; what spoils the file is refused, and nothing is kept.

use serde_json::{Value, json};

use super::{CSV, JSON, NDJSON, finished, row, rows, send, taken};
use crate::harness::{Stack, TestApp};

on_both_stacks!(
    bad_rows_are_results_and_harm_no_other,
    whoever_is_there_already_is_told_apart,
    what_spoils_a_file_keeps_nothing,
    a_file_may_not_be_too_large,
);

async fn bad_rows_are_results_and_harm_no_other(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mut body = b"email,first_name,role,expires_in\n\
        ok1@example.com,Ann,,\n\
        nobody,Bob,,\n\
        ,Cid,,\n\
        d@example.com,Dan,a b,soon\n\
        \n\
        e@example.com,J\xfcrgen,,\n\
        f@example.com,Fay\n\
        \"g\"@example.com,Gus,,\n\
        ok2@example.com,http://x.example,,\n\
        ok3@example.com,Hal,member,3600\n"
        .to_vec();
    body.extend(format!("{}@example.com,Long,,\n", "x".repeat(100_000)).into_bytes());
    body.extend(b"ok4@example.com,Ira,,\nj@example.com,\"cut off");
    let answer = send(&app, CSV, "?name=people.csv", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let path = answer.header("location").unwrap().to_owned();
    let batch = finished(&app, &path).await;
    assert_eq!((&batch["name"], &batch["total"]), (&json!("people.csv"), &json!(12)));
    let (invalid, malformed) = ("validation_failed", "row_malformed");
    assert_eq!(
        rows(&app, &path).await,
        [
            row(1, 2, "ok1@example.com", "created", ""),
            row(2, 3, "nobody", "invalid", invalid),
            row(3, 4, "", "invalid", invalid),
            row(4, 5, "d@example.com", "invalid", invalid),
            row(5, 7, "", "invalid", "row_not_utf8"),
            row(6, 8, "", "invalid", malformed),
            row(7, 9, "", "invalid", malformed),
            row(8, 10, "ok2@example.com", "invalid", invalid),
            row(9, 11, "ok3@example.com", "created", ""),
            row(10, 12, "", "invalid", "row_too_long"),
            row(11, 13, "ok4@example.com", "created", ""),
            row(12, 14, "", "invalid", malformed),
        ]
    );
    let lines =
        "{\"email\":\"ok5@example.com\"}\nnot json\n{\"emial\":\"x@example.com\"}\n[]\n\0\n";
    let path = taken(&app, NDJSON, lines).await;
    finished(&app, &path).await;
    let codes: Vec<_> = rows(&app, &path).await.into_iter().map(|row| row.4).collect();
    assert_eq!(codes, ["", "malformed_json", invalid, invalid, "malformed_json"]);
}

async fn whoever_is_there_already_is_told_apart(stack: Stack) {
    let app = TestApp::start(stack).await;
    let member = app.invite_and_receive("member@example.com").await.1;
    let accept = json!({ "token": member.token(), "password": "correct horse battery" });
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    app.invite_and_receive("open@example.com").await;
    let body = "email,on_existing\nmember@example.com,\nopen@example.com,\nOPEN@example.com,ignore\n\
                new@example.com,\nnew@example.com,\nopen@example.com,replace\nnew@example.com,resend\n";
    let path = taken(&app, CSV, body).await;
    let batch = finished(&app, &path).await;
    assert_eq!(batch["status"], "done", "{batch}");
    assert_eq!(
        rows(&app, &path).await,
        [
            row(1, 2, "member@example.com", "member", "already_member"),
            row(2, 3, "open@example.com", "pending", "invitation_pending"),
            row(3, 4, "OPEN@example.com", "pending", ""),
            row(4, 5, "new@example.com", "created", ""),
            row(5, 6, "new@example.com", "pending", "invitation_pending"),
            row(6, 7, "open@example.com", "created", ""),
            row(7, 8, "new@example.com", "pending", ""),
        ]
    );
    // Nothing of this is a failure that another try would change.
    let (status, retried) = app.act(&format!("{path}/retry"), &json!({})).await;
    assert_eq!((status, &retried["status"]), (200, &json!("done")));
}

async fn what_spoils_a_file_keeps_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    for (kind, body, status, code, words) in [
        (CSV, &b"emial\na@example.com\n"[..], 422, "validation_failed", "emial"),
        (CSV, b"first_name\nA\n", 422, "validation_failed", "email"),
        (CSV, b"\xff\xfee\0m\0a\0i\0l\0\n\0", 422, "validation_failed", "UTF-16"),
        (CSV, b"", 422, "validation_failed", "no rows"),
        (CSV, b"email\n\n\n", 422, "validation_failed", "no rows"),
        (NDJSON, b"\n\n", 422, "validation_failed", "no rows"),
        (JSON, b"{\"invitations\":[]}", 422, "validation_failed", "no rows"),
        (JSON, b"{\"invitations\":[{\"email\":\"a@example.com\"}", 400, "malformed_json", "line 1"),
        (JSON, b"[]", 422, "validation_failed", "JSON object"),
        ("text/plain", b"email\n", 415, "unsupported_media_type", "text/csv"),
        ("text/csv; charset=iso-8859-1", b"email\n", 415, "unsupported_media_type", "text/csv"),
    ] {
        let answer = send(&app, kind, "", body).await;
        let said = answer.json();
        assert_eq!((answer.status, &said["code"]), (status, &json!(code)), "{said}");
        assert!(said.to_string().contains(words), "{said}");
    }
    let list = app.get(&format!("/v1/organizations/{}/batches", app.organization)).await;
    assert_eq!(list, json!({ "data": [], "next_cursor": Value::Null }));
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
}

async fn a_file_may_not_be_too_large(stack: Stack) {
    let env =
        [("WELCOMAT_BATCHES_BODY_LIMIT_BYTES", "20000"), ("WELCOMAT_BATCHES_MAX_ROWS", "600")];
    let app = TestApp::start_with_settings(stack, &env).await;
    let body = |rows: usize| format!("email\n{}", "ann@example.com\n".repeat(rows));
    for (body, code) in [(body(601), "too_many_rows"), (body(2000), "body_too_large")] {
        let answer = send(&app, CSV, "", body.as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["code"]), (413, &json!(code)));
    }
    let list = app.get(&format!("/v1/organizations/{}/batches", app.organization)).await;
    assert_eq!(list["data"], json!([]));
    let path = taken(&app, CSV, &body(600)).await;
    let batch = finished(&app, &path).await;
    let (created, pending) = (&batch["rows"]["created"], &batch["rows"]["pending"]);
    assert_eq!((created, pending), (&json!(1), &json!(599)), "the same address again and again");
}
