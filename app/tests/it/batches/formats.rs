//! What is sent in any format is invited, mailed, counted and listed.

use serde_json::{Value, json};

use super::{CSV, JSON, NDJSON, finished, row, rows, send, send_as, taken, until};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    every_format_invites_and_mails,
    the_same_key_takes_one_batch,
    pages_lists_and_csv_show_every_row,
    nobody_else_sees_a_batch,
);

async fn every_format_invites_and_mails(stack: Stack) {
    let app = TestApp::start(stack).await;
    let csv = "\u{feff}email;first_name;last_name;role;locale;expires_in;on_existing\r\n\
               ann@example.com;Ann;\"Lee; Jr\";editor;de;7200;ignore\r\n\
               bob@example.com;;;;;;\r\n";
    let ndjson = "{\"email\":\"cid@example.com\",\"metadata\":{\"team\":\"x\"}}\n\n{\"email\":\"dan@example.com\"}";
    let json =
        json!({ "invitations": [{ "email": "eve@example.com" }, { "email": "fay@example.com" }] });
    for (kind, body) in [(CSV, csv), (NDJSON, ndjson), (JSON, &*json.to_string())] {
        let path = taken(&app, kind, body).await;
        let batch = finished(&app, &path).await;
        assert_eq!((&batch["status"], &batch["total"]), (&json!("done"), &json!(2)), "{kind}");
        assert_eq!(batch["rows"]["created"], 2, "{kind}: {batch}");
        assert!(batch["finished_at"].is_string());
        let batch = until(&app, &path, "deliveries", "sent", 2).await;
        assert_eq!(batch["invitations"]["pending"], 2);
    }
    for who in ["ann", "bob", "cid", "dan", "eve", "fay"] {
        assert_eq!(app.mails_to(&format!("{who}@example.com")).await.len(), 1, "{who}");
    }
    let invited = async |email: &str| {
        app.get(&format!("{}?email={email}", app.invitations())).await["data"][0].clone()
    };
    let ann = invited("ann@example.com").await;
    let fields = ["first_name", "last_name", "role", "locale"].map(|field| text(&ann[field]));
    assert_eq!(fields, ["Ann", "Lee; Jr", "editor", "de"]);
    assert_eq!(invited("cid@example.com").await["metadata"], json!({ "team": "x" }));
}

async fn the_same_key_takes_one_batch(stack: Stack) {
    let app = TestApp::start(stack).await;
    let ask = async |body: &str, query: &str| {
        let headers = [("Content-Type", CSV), ("Idempotency-Key", "import-1")];
        send_as(&app.client, &app.organization, &headers, query, body.as_bytes()).await
    };
    let first = ask("email\nann@example.com\n", "").await;
    assert_eq!(first.status, 202, "{}", first.text());
    let again = ask("email\nann@example.com\n", "").await;
    assert_eq!((again.status, again.text()), (202, first.text()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    for (body, query) in [("email\nbob@example.com\n", ""), ("email\nann@example.com\n", "?name=x")]
    {
        let other = ask(body, query).await;
        assert_eq!((other.status, &other.json()["code"]), (422, &json!("idempotency_key_reused")));
    }
    let path = first.header("location").unwrap().to_owned();
    finished(&app, &path).await;
    let list = app.get(path.rsplit_once('/').unwrap().0).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
}

async fn pages_lists_and_csv_show_every_row(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mut body = "email\n".to_owned();
    body.extend((0..250).map(|number| format!("n{number}@example.com\n")));
    body.push_str("=1+1\n");
    let path = taken(&app, CSV, &body).await;
    let batch = finished(&app, &path).await;
    assert_eq!((&batch["rows"]["created"], &batch["rows"]["invalid"]), (&json!(250), &json!(1)));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{path}/rows?limit=100{cursor}")).await;
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["number"].as_u64()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (1..=251).map(Some).collect::<Vec<_>>());
    let invalid = app.get(&format!("{path}/rows?status=invalid")).await;
    assert_eq!(invalid["data"].as_array().unwrap().len(), 1);
    let csv = app.client.get(&format!("{path}/rows.csv")).await.unwrap();
    assert_eq!(csv.status, 200);
    let csv = csv.text();
    assert_eq!(csv.lines().count(), 252, "a header and every row");
    assert!(csv.contains("\r\n251,252,\"'=1+1\",invalid,validation_failed,"), "no formula: {csv}");
    let some = app.client.get(&format!("{path}/rows.csv?status=invalid")).await.unwrap();
    assert_eq!(some.text().lines().count(), 2);
    let list = app.get(path.rsplit_once('/').unwrap().0).await;
    assert_eq!(list["data"][0]["id"], batch["id"]);
    assert_eq!(list["data"][0]["rows"], batch["rows"]);
}

async fn nobody_else_sees_a_batch(stack: Stack) {
    let app = TestApp::start(stack).await;
    let path = taken(&app, CSV, "email\nann@example.com\n").await;
    finished(&app, &path).await;
    let (other, client) = app.other_organization().await;
    let own = path.replace(&app.organization, &other);
    for path in [&path, &own] {
        for below in ["", "/rows", "/rows.csv"] {
            assert_eq!(client.get(&format!("{path}{below}")).await.unwrap().status, 404);
        }
        for below in ["retry", "cancel"] {
            let answer = client.post(&format!("{path}/{below}"), &json!({})).await.unwrap();
            assert_eq!(answer.status, 404);
        }
    }
    let list = client.get(own.rsplit_once('/').unwrap().0).await.unwrap();
    assert_eq!(list.json(), json!({ "data": [], "next_cursor": Value::Null }));
    assert_eq!(rows(&app, &path).await, [row(1, 2, "ann@example.com", "created", "")]);
    let member = app.act("/v1/api-keys", &json!({ "name": "m", "role": "member" })).await.1;
    let member = app.client.clone().with_key(Some(text(&member["key"])));
    let headers = [("Content-Type", CSV)];
    let body = b"email\nbob@example.com\n";
    let refused = send_as(&member, &app.organization, &headers, "", body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(send(&app, CSV, "?mode=some", body).await.status, 422);
    assert_eq!(send(&app, CSV, "?moed=atomic", body).await.status, 400);
}
