//! `POST /organization/users/invite`: many at once, and all of them or nobody.

mod cases;
mod passwords;

use app::http::Answer;
use serde_json::{Value, json};

use super::{JSON, check};
use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

const PATH: &str = "/organization/users/invite";
const BELOW_API: &str = "/api/v1/organization/users/invite";

on_both_stacks!(
    the_pages_own_sample_is_told_what_it_lacks_and_its_schema_is_taken,
    wrong_bodies_are_refused_and_lax_ones_taken,
    all_problems_are_told_at_once_in_order,
    one_wrong_address_of_fifty_and_nobody_is_invited,
    an_address_that_is_there_twice_is_invited_once,
    who_waits_or_belongs_gets_no_mail,
    who_may_not_is_told_before_the_body_is_read,
    what_is_no_json_or_too_much_is_refused,
    a_thousand_are_invited_by_one_request,
    a_repeated_request_invites_once,
    a_wait_ends_when_the_fate_of_every_mail_is_known,
);

async fn post(app: &TestApp, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers = [&JSON[..], headers].concat();
    app.client.send("POST", path, &headers, body.to_string().as_bytes()).await.unwrap()
}

async fn invite(app: &TestApp, entries: &Value) -> Answer {
    post(app, PATH, &[], &json!({ "emailAddresses": entries })).await
}

/// What became of each entry.
fn statuses(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let results = answer.json()["results"].as_array().unwrap().clone();
    results.iter().map(|result| text(&result["status"])).collect()
}

/// Nothing of what was refused is stored or sent.
async fn nobody_is_invited(app: &TestApp) {
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
    assert!(app.mails().await.is_empty());
}

/// Waits until no mail is on its way.
async fn all_is_sent(app: &TestApp) {
    for status in ["queued", "sending"] {
        let path = format!("{}?limit=1&delivery_status={status}", app.invitations());
        eventually(&format!("nothing is {status}"), async || {
            (app.get(&path).await["data"] == json!([])).then_some(())
        })
        .await;
    }
}

async fn the_pages_own_sample_is_told_what_it_lacks_and_its_schema_is_taken(stack: Stack) {
    let app = TestApp::start(stack).await;
    for path in [PATH, BELOW_API] {
        // The sample has an Accept header, too.
        let headers = [JSON[0], ("Accept", "application/json")];
        let sample = cases::SAMPLE.as_bytes();
        let answer = app.client.send("POST", path, &headers, sample).await.unwrap();
        assert_eq!(answer.status, 400, "{path}");
        let said = answer.json();
        assert!(text(&said["error"]).contains("has no emailAddresses"), "{said}");
    }
    nobody_is_invited(&app).await;
    for (path, name) in [(PATH, "ann"), (BELOW_API, "bob")] {
        let (plain, with_password) =
            (format!("{name}@example.com"), format!("{name}2@example.com"));
        let body = json!({"emailAddresses": [
            {"email": plain}, {"email": with_password, "password": "Correct-Horse-7"},
        ]});
        let answer = post(&app, path, &[("Prefer", "wait=30")], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("preference-applied"), Some("wait=30"));
        assert_eq!(answer.header("x-email-status"), Some("sent"));
        assert_eq!(answer.header("x-invitation-id"), None, "there are two");
        let mut said = answer.json();
        for result in said["results"].as_array_mut().unwrap() {
            let id = text(&result["invitation_id"].take());
            let invitation = app.get(&format!("{}/{id}", app.invitations())).await;
            assert_eq!(invitation["email"], result["email"]);
            assert_eq!(invitation["role"], "member", "the organization's usual role");
        }
        assert_eq!(
            said,
            json!({"results": [
                {"index": 0, "email": plain, "status": "invited", "invitation_id": null},
                {"index": 1, "email": with_password, "status": "invited", "invitation_id": null},
            ]})
        );
        for email in [plain, with_password] {
            assert_eq!(app.mails_to(&email).await.len(), 1);
        }
    }
}

async fn wrong_bodies_are_refused_and_lax_ones_taken(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wrong = [cases::wrong_bodies(), cases::wrong_addresses(), cases::wrong_passwords()];
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.len() >= 40, "{} rows", wrong.len());
    for answer in check(&app.client, PATH, &JSON, &wrong).await {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let said = answer.json();
        assert!(text(&said["error"]).len() > 10, "{said}");
        let known = ["error", "details"];
        assert!(
            said.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())),
            "{said}"
        );
        assert_ne!(
            said.get("details"),
            Some(&json!([])),
            "details are left out where there are none"
        );
    }
    nobody_is_invited(&app).await;
    let headers =
        [("Content-Type", "Application/JSON; charset=UTF-8"), ("Prefer", "respond-async")];
    for answer in check(&app.client, BELOW_API, &headers, &cases::lax_bodies()).await {
        assert_eq!(answer.header("preference-applied"), Some("respond-async"));
        let said = answer.json();
        assert_eq!(answer.header("x-invitation-id"), said["results"][0]["invitation_id"].as_str());
    }
}

async fn all_problems_are_told_at_once_in_order(stack: Stack) {
    let app = TestApp::start(stack).await;
    let answer = invite(
        &app,
        &json!([
            {"email": "ann@example.com", "password": "Correct-Horse-7"},
            {"email": "bob", "password": "hunter2"},
            "carol@example.com",
            {"email": "ANN@example.com", "password": "Battery-Staple-8"},
            {"password": "Correct-Horse-7"},
        ]),
    )
    .await;
    assert_eq!(answer.status, 400);
    let weak = "The password must have at least 8 characters, an upper-case letter, a special \
                character such as ! or -.";
    let at =
        "The address must have exactly one @; give a single address without a name or brackets.";
    assert_eq!(
        answer.json(),
        json!({
            "error": "Nobody was invited: 5 problems, see details.",
            "details": [
                {"index": 1, "email": "bob", "code": "invalid_email", "message": at},
                {"index": 1, "email": "bob", "code": "weak_password", "message": weak},
                {"index": 2, "email": null, "code": "not_an_object",
                 "message": "The entry must be an object with the field email."},
                {"index": 3, "email": "ANN@example.com", "code": "conflicting_password",
                 "message": "The same address is there before with another password."},
                {"index": 4, "email": null, "code": "missing_email",
                 "message": "The entry must have an email."},
            ],
        })
    );
    let nonsense: Vec<_> = (0..150).map(|_| json!({"email": "nope"})).collect();
    let said = invite(&app, &json!(nonsense)).await.json();
    assert_eq!(said["error"], "Nobody was invited: 150 problems, the first 100 in details.");
    assert_eq!(said["details"].as_array().map(Vec::len), Some(100));
    assert_eq!(said["details"][99]["index"], 99);
    nobody_is_invited(&app).await;
}

async fn one_wrong_address_of_fifty_and_nobody_is_invited(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mut entries: Vec<_> =
        (0..50).map(|n| json!({"email": format!("n{n}@example.com")})).collect();
    entries[37]["email"] = "n37@localhost".into();
    let answer = invite(&app, &json!(entries)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["details"][0]["index"], 37);
    nobody_is_invited(&app).await;
    // A mail of the fifty would be out before this one.
    entries[37]["email"] = "n37@example.com".into();
    assert_eq!(statuses(&invite(&app, &json!(entries)).await), vec!["invited"; 50]);
    all_is_sent(&app).await;
    assert_eq!(app.mails().await.len(), 50);
}

async fn an_address_that_is_there_twice_is_invited_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let answer = invite(
        &app,
        &json!([
            {"email": "Ann@Example.com"}, {"email": "bob@example.com"}, {"email": " ann@example.com"},
            {"email": "ann@EXAMPLE.com", "password": null},
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["invited"; 4]);
    let results = answer.json()["results"].clone();
    let of = |field: &str| -> Vec<Value> {
        results.as_array().unwrap().iter().map(|result| result[field].clone()).collect()
    };
    assert_eq!(of("index"), [0, 1, 2, 3]);
    let given = ["Ann@Example.com", "bob@example.com", "ann@example.com", "ann@EXAMPLE.com"];
    assert_eq!(of("email"), given, "each as it was given");
    let ids = of("invitation_id");
    assert!(ids[0] == ids[2] && ids[0] == ids[3] && ids[0] != ids[1], "{ids:?}");
    all_is_sent(&app).await;
    assert_eq!(app.mails().await.len(), 2);
    let first = app.get(&format!("{}/{}", app.invitations(), text(&ids[0]))).await;
    assert_eq!(first["email"], "Ann@Example.com", "the first spelling counts");
}

async fn who_waits_or_belongs_gets_no_mail(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (waiting, _) = app.invite_and_receive("ann@example.com").await;
    let (_, mail) = app.invite_and_receive("bob@example.com").await;
    let accept = json!({"token": mail.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let both = json!([{"email": "ann@example.com"}, {"email": "BOB@example.com"}]);
    let answer = invite(&app, &both).await;
    assert_eq!(statuses(&answer), ["already_pending", "already_member"]);
    let results = answer.json()["results"].clone();
    assert!(waiting.ends_with(&text(&results[0]["invitation_id"])), "{results}");
    assert_eq!(results[1]["invitation_id"], Value::Null);
    assert_eq!(answer.header("x-email-status"), Some("skipped"));
    assert_eq!(answer.header("x-invitation-id"), results[0]["invitation_id"].as_str());
    let three = json!([{"email": "ann@example.com"}, {"email": "bob@example.com"}, {"email": "c@example.com"}]);
    let answer = invite(&app, &three).await;
    assert_eq!(statuses(&answer), ["already_pending", "already_member", "invited"]);
    assert_eq!(answer.header("x-invitation-id"), None, "there are two");
    all_is_sent(&app).await;
    assert_eq!(app.mails().await.len(), 3);
}

async fn who_may_not_is_told_before_the_body_is_read(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, theirs) = app.other_organization().await;
    let reader = json!({"name": "reader", "role": "member"});
    let reader = text(&app.act("/v1/api-keys", &reader).await.1["key"]);
    let as_reader = app.client.clone().with_key(Some(reader));
    let nobody = app.client.clone().with_key(None);
    let stranger = app.client.clone().with_key(Some("wlc_wrong".to_owned()));
    for path in [PATH, BELOW_API] {
        for (client, status, error) in [
            (&nobody, 401, "Not authenticated."),
            (&stranger, 401, "Not authenticated."),
            (&as_reader, 403, "Only an admin can invite."),
            (&app.operator(), 403, "This key is good for every organization. Use a key of the"),
            (&app.client, 400, "The body is not valid JSON"),
        ] {
            let answer = client.send("POST", path, &JSON, b"{").await.unwrap();
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let said = answer.json();
            assert!(text(&said["error"]).starts_with(error), "{path}: {said}");
            assert_eq!(said.as_object().unwrap().len(), 1, "{said}");
            assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"));
        }
        let get = app.client.get(path).await.unwrap();
        assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
        assert_eq!(get.json(), json!({"error": "This address takes only POST."}));
    }
    let body = json!({"emailAddresses": [{"email": "ann@example.com"}]});
    let answer = theirs.post(PATH, &body).await.unwrap();
    assert_eq!(statuses(&answer), ["invited"], "the organization is that of the key");
    nobody_is_invited_here(&app).await;
    let path = format!("/v1/organizations/{other}/invitations");
    let listed = theirs.get(&path).await.unwrap().json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
}

async fn nobody_is_invited_here(app: &TestApp) {
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
}

async fn what_is_no_json_or_too_much_is_refused(stack: Stack) {
    let app = TestApp::start(stack).await;
    let good = json!({"emailAddresses": [{"email": "ann@example.com"}]}).to_string();
    let send = async |headers: &[(&str, &str)], body: &[u8]| {
        let answer = app.client.send("POST", PATH, headers, body).await.unwrap();
        assert!(answer.json()["error"].is_string(), "{}", answer.text());
        answer
    };
    let encoded = [JSON[0], ("Content-Encoding", "gzip")];
    for headers in [
        &[][..],
        &[("Content-Type", "text/plain")],
        &[("Content-Type", "application/jsonp")],
        &encoded,
    ] {
        let answer = send(headers, good.as_bytes()).await;
        assert_eq!(answer.status, 400, "{headers:?}");
        assert!(text(&answer.json()["error"]).contains("application/json"));
    }
    let latin = send(&JSON, b"{\"emailAddresses\": [{\"email\": \"\xe4@example.com\"}]}").await;
    assert_eq!((latin.status, latin.json()), (400, json!({"error": "The body is not UTF-8."})));
    let many: Vec<_> = (0..1001).map(|n| json!({"email": format!("n{n}@example.com")})).collect();
    let many = send(&JSON, json!({"emailAddresses": many}).to_string().as_bytes()).await;
    assert_eq!(many.status, 400);
    let error = "emailAddresses has 1001 entries, and a request may have at most 1000. Send several \
                 requests.";
    assert_eq!(many.json(), json!({ "error": error }));
    // 512 bytes for each of the thousand.
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    let long = send(&JSON, padded(512_001).as_bytes()).await;
    assert_eq!(long.status, 413);
    assert_eq!(long.json(), json!({"error": "The body may have at most 512000 bytes."}));
    for key in ["two words", &"k".repeat(256)] {
        let answer = send(&[JSON[0], ("Idempotency-Key", key)], good.as_bytes()).await;
        assert_eq!(answer.status, 400);
        assert!(text(&answer.json()["error"]).starts_with("Idempotency-Key must"));
    }
    nobody_is_invited(&app).await;
    let just = app.client.send("POST", PATH, &JSON, padded(512_000).as_bytes()).await.unwrap();
    assert_eq!(statuses(&just), ["invited"]);
}

async fn a_thousand_are_invited_by_one_request(stack: Stack) {
    let app = TestApp::start(stack).await;
    let entries: Vec<_> =
        (0..1000).map(|n| json!({"email": format!("n{n:04}@example.com")})).collect();
    let answer = invite(&app, &json!(entries)).await;
    assert_eq!(statuses(&answer), vec!["invited"; 1000]);
    assert_eq!(answer.json()["results"][999]["email"], "n0999@example.com");
    all_is_sent(&app).await;
    let mut recipients: Vec<_> = app.mails().await.into_iter().map(|mail| mail.to).collect();
    recipients.sort();
    let expected: Vec<_> = (0..1000).map(|n| format!("n{n:04}@example.com")).collect();
    assert_eq!(recipients, expected, "each once");
}

async fn a_repeated_request_invites_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let body = |password: &str| {
        json!({"emailAddresses": [
            {"email": "ann@example.com", "password": password}, {"email": "bob@example.com"},
        ]})
    };
    let key = [("Idempotency-Key", "k-1"), ("Prefer", "wait=30")];
    let first = post(&app, PATH, &key, &body("Correct-Horse-7")).await;
    let again = post(&app, BELOW_API, &key, &body("Correct-Horse-7")).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, again.json()), (200, first.json()));
    assert_eq!(again.header("x-email-status"), Some("sent"));
    assert_eq!(statuses(&again), ["invited"; 2], "as the first time");
    assert_eq!(app.mails().await.len(), 2);
    let other = post(&app, PATH, &key, &body("Correct-Horse-8")).await;
    assert_eq!(other.status, 400, "another password is another request");
    let error = "This Idempotency-Key was used before with a different request.";
    assert_eq!(other.json(), json!({ "error": error }));
    let (_, theirs) = app.other_organization().await;
    let headers = [JSON[0], ("Idempotency-Key", "k-1")];
    let body = body("Correct-Horse-8").to_string();
    let theirs = theirs.send("POST", PATH, &headers, body.as_bytes()).await.unwrap();
    assert_eq!(statuses(&theirs), ["invited"; 2], "another organization has keys of its own");
}

async fn a_wait_ends_when_the_fate_of_every_mail_is_known(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("bob@example.com", "554 5.7.1 not from you");
    app.sink().refuse("carol@example.com", "451 4.2.1 later");
    for (others, status) in [
        (&["dan@example.com", "eve@example.com"][..], "sent"),
        (&["fay@example.com", "bob@example.com"], "failed"),
        (&["gil@example.com", "carol@example.com", "bob@example.com"], "retrying"),
    ] {
        let entries: Vec<_> = others.iter().map(|email| json!({ "email": email })).collect();
        let body = json!({ "emailAddresses": entries });
        let answer = post(&app, PATH, &[("Prefer", "wait=30")], &body).await;
        assert_eq!(answer.header("x-email-status"), Some(status), "{}", answer.text());
    }
    app.sink().hold(true);
    let body = json!({"emailAddresses": [{"email": "hal@example.com"}]});
    let answer = post(&app, PATH, &[("Prefer", "wait=1")], &body).await;
    assert_eq!(answer.header("x-email-status"), Some("sending"), "the time is over first");
    app.sink().hold(false);
}
