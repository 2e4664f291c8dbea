//! Who may invite, and in which order a request is looked at.

use app::http::Client;
use serde_json::{Value, json};

use super::{JSON, accept, admin, claims, join, path, send, send_as, session, signed, wanted};
use crate::harness::{PREFIX, SESSION_SECRET, Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(
    who_may_not_is_told_before_the_body_is_read,
    only_a_good_session_token_of_the_same_user_counts,
    other_paths_and_methods_are_told_in_the_same_words,
    nobody_gives_what_they_lack,
    nobody_joins_with_what_their_inviter_lost,
    an_organization_is_that_of_the_key,
);

const NO_INTEGER: &str = "userId: must be an integer";

/// Sends what is no JSON: where it is read, the answer is about that.
async fn probe(client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let answer = client.send("POST", path, headers, b"{").await.unwrap();
    assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    let challenge = (answer.status == 401).then_some("Bearer");
    assert_eq!(answer.header("www-authenticate"), challenge, "{path}");
    (answer.status, answer.json())
}

fn said(status: u16) -> (u16, Value) {
    let message = match status {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        415 => "Unsupported Media Type",
        other => panic!("{other} says more"),
    };
    (status, json!({ "message": message }))
}

fn invalid(message: &str) -> (u16, Value) {
    (400, json!({"statusCode": 400, "message": [message], "error": "Bad Request"}))
}

async fn who_may_not_is_told_before_the_body_is_read(stack: Stack) {
    let app = TestApp::start(stack).await;
    let user = admin(&app).await;
    let (_, theirs) = app.other_organization().await;
    let reader = json!({"name": "reader", "role": "member"});
    let reader = text(&app.act("/v1/api-keys", &reader).await.1["key"]);
    let reader = app.client.clone().with_key(Some(reader));
    let (nobody, operator) = (app.client.clone().with_key(None), app.operator());
    let stranger = app.client.clone().with_key(Some("wlc_wrong".to_owned()));
    app.invite_and_receive("ann@example.com").await;
    let members = app.get(&format!("/v1/organizations/{}/members", app.organization)).await;
    let invited = members["data"][1]["user_number"].as_i64().unwrap();
    let (own, of_invited, of_nobody) =
        (session(&app, user), session(&app, invited), session(&app, 999_999));
    let (json, plain) = (JSON[0], ("Content-Type", "text/plain"));
    let token = |token| ("x-session-token", token);
    let (good, bad_path) = (path(user), "/users-organizations/v1/rs/na/x/invite");
    let zipped = ("Content-Encoding", "gzip");
    // Each row is wrong in two ways at least, and the earlier one is told.
    for (client, path, headers, expected) in [
        (&nobody, bad_path, &[][..], said(401)),
        (&stranger, bad_path, &[], said(401)),
        (&app.client, bad_path, &[], invalid(NO_INTEGER)),
        (&reader, bad_path, &[], invalid(NO_INTEGER)),
        (&reader, &good, &[], said(401)),
        (&reader, &good, &[token("x"), plain], said(401)),
        (&app.client, &path(7 + user), &[token(&own), plain], said(403)),
        (&app.client, &path(-1), &[token(&own), json], said(403)),
        (&reader, &good, &[token(&own), plain], said(403)),
        (&operator, &good, &[token(&own), plain], said(403)),
        (&theirs, &good, &[token(&own), plain], said(415)),
        (&app.client, &path(999_999), &[token(&of_nobody), plain], said(415)),
        (&app.client, &good, &[token(&own), plain], said(415)),
        (&app.client, &good, &[token(&own)], said(415)),
        (&app.client, &good, &[token(&own), json, zipped], said(415)),
        (&theirs, &good, &[token(&own), json], said(403)),
        (&app.client, &path(999_999), &[token(&of_nobody), json], said(403)),
        (&app.client, &path(invited), &[token(&of_invited), json], said(403)),
        (
            &app.client,
            &good,
            &[token(&own), json],
            invalid("The body is not valid JSON: line 1, column 1."),
        ),
    ] {
        assert_eq!(probe(client, path, headers).await, expected, "{path} {headers:?}");
    }
}

async fn only_a_good_session_token_of_the_same_user_counts(stack: Stack) {
    let app = TestApp::start(stack).await;
    let user = admin(&app).await;
    let now = app.clock.now().timestamp();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&app, user);
        claims[name] = value;
        signed(&claims, SESSION_SECRET)
    };
    let good = session(&app, user);
    let forged = signed(&claims(&app, user), "another secret of more than 32 bytes");
    let (head, signature) = good.rsplit_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).unwrap());
    for (what, token, status) in [
        ("empty", String::new(), 401),
        ("no token", "session".to_owned(), 401),
        ("an API key", crate::harness::KEY.to_owned(), 401),
        ("forged", forged, 401),
        ("of another signature", format!("{head}.{}", signature.to_lowercase()), 401),
        ("unsigned", unsigned, 401),
        ("expired", with("exp", json!(now - 120)), 401),
        ("of tomorrow", with("iat", json!(now + 86_400)), 401),
        ("without expiry", with("exp", Value::Null), 401),
        ("without session", with("sessionId", Value::Null), 401),
        ("without user", with("userId", Value::Null), 401),
        ("of another user", with("userId", json!(user + 1)), 403),
        ("of another user, as text", with("userId", json!((user + 1).to_string())), 403),
    ] {
        let headers = [JSON[0], ("x-session-token", &token)];
        assert_eq!(probe(&app.client, &path(user), &headers).await, said(status), "{what}");
    }
    let twice = [JSON[0], ("x-session-token", &good), ("x-session-token", &good)];
    assert_eq!(probe(&app.client, &path(user), &twice).await, said(401));
    for (what, token) in [("text", good), ("a number", with("userId", json!(user)))] {
        let headers = [JSON[0], ("X-Session-Token", &*token)];
        assert_eq!(probe(&app.client, &path(user), &headers).await.0, 400, "{what} is read");
    }
}

async fn other_paths_and_methods_are_told_in_the_same_words(stack: Stack) {
    let app = TestApp::start(stack).await;
    let nobody = app.client.clone().with_key(None);
    let base = "/users-organizations/v1/rs/na";
    for bad in ["1.5", "+1", "%2B1", "1e0", "%20", "%ff", "1%2f", "-", "{userId}", "0x1"] {
        let path = format!("{base}/{bad}/invite");
        assert_eq!(probe(&app.client, &path, &JSON).await, invalid(NO_INTEGER), "{bad}");
    }
    let huge = format!("{base}/99999999999999999999/invite");
    assert_eq!(probe(&app.client, &huge, &JSON).await, invalid(NO_INTEGER));
    for prefix in ["", PREFIX] {
        let path = format!("{prefix}{}", path(1));
        assert_eq!(probe(&nobody, &path, &JSON).await, said(401), "{path}");
        let encoded = path.replace("users-org", "users%2Dorg");
        assert_eq!(probe(&nobody, &encoded, &JSON).await, said(401), "{encoded}");
        for unknown in [format!("{path}/"), format!("{prefix}{base}//invite")] {
            assert_eq!(probe(&app.client, &unknown, &JSON).await, said(404), "{unknown}");
        }
        let get = app.client.get(&path).await.unwrap();
        assert_eq!((get.status, get.json()), said(405));
        assert_eq!(get.header("allow"), Some("POST"));
    }
    // What is below no prefix of ours is no path of the contract.
    let foreign = app.client.post(&format!("/other{}", path(1)), &json!({})).await.unwrap();
    assert_eq!(foreign.status, 404);
    assert_eq!(foreign.header("content-type"), Some("application/problem+json"));
}

async fn nobody_gives_what_they_lack(stack: Stack) {
    let app = TestApp::start(stack).await;
    // Nothing is recorded of the admin, so nothing is known to be lacking.
    let ann = join(&app, &wanted("ann@example.com")).await;
    let mut number = 0;
    for (permissions, status) in [
        (json!({"group": 5, "read": [4], "manage": [1, 2]}), 201),
        (json!({"group": 5, "read": [4, 1, 2], "manage": [2]}), 201),
        (json!({}), 201),
        (json!({"group": 6}), 403),
        (json!({"group": -5}), 403),
        (json!({"read": [4, 3]}), 403),
        (json!({"manage": [4]}), 403),
        (json!({"manage": [1, 2, 3]}), 403),
    ] {
        number += 1;
        let email = format!("guest{number}@example.com");
        let body = json!({"email": email, "scope": 1, "permissions": permissions});
        let answer = send_as(&app, (&app.client, ann), &[], &body).await;
        assert_eq!(answer.status, status, "{permissions}: {}", answer.text());
        if status == 403 {
            assert_eq!((403, answer.json()), said(403));
        }
        // What is wrong with the body comes first, and who is a member already comes last.
        let body = json!({"email": "x", "scope": 1, "permissions": permissions});
        assert_eq!(send_as(&app, (&app.client, ann), &[], &body).await.status, 400);
        let body = json!({"email": "ann@example.com", "scope": 1, "permissions": permissions});
        let known = if status == 201 { 409 } else { 403 };
        assert_eq!(send_as(&app, (&app.client, ann), &[], &body).await.status, known);
    }
}

async fn nobody_joins_with_what_their_inviter_lost(stack: Stack) {
    let app = TestApp::start(stack).await;
    let ann = join(&app, &wanted("ann@example.com")).await;
    let mut invited = Vec::new();
    for (email, manages) in [("bob@example.com", 1), ("carol@example.com", 2)] {
        let body = json!({"email": email, "scope": 1, "permissions": {"manage": [manages]}});
        let made = send_as(&app, (&app.client, ann), &[("Prefer", "wait=10")], &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let token = app.mails_to(email).await.last().unwrap().token();
        let path = format!("{}/{}", app.invitations(), made.header("x-invitation-id").unwrap());
        invited.push((path, token));
    }
    // Ann leaves, and comes back with less.
    let members = format!("/v1/organizations/{}/members", app.organization);
    let user = text(&app.get(&members).await["data"][1]["user_id"]);
    let removed = app.client.send("DELETE", &format!("{members}/{user}"), &[], b"").await.unwrap();
    assert_eq!(removed.status, 204, "{}", removed.text());
    let less = json!({"email": "ann@example.com", "scope": 1, "permissions": {"manage": [2]}});
    assert_eq!(join(&app, &less).await, ann);
    let [bob, carol] = &invited[..] else { panic!("two are invited") };
    let accept = async |token: &str| {
        let body = json!({"token": token, "password": "correct horse battery"});
        app.act("/v1/invitations/accept", &body).await
    };
    let (status, problem) = accept(&bob.1).await;
    assert_eq!((status, &problem["code"]), (409, &json!("role_not_given")), "{problem}");
    assert_eq!(app.get(&bob.0).await["status"], "pending");
    assert_eq!(accept(&carol.1).await.0, 200, "she gets what Ann still has");
    // A new link would open nothing, either.
    app.clock.advance(std::time::Duration::from_hours(8 * 24));
    let ask = format!("/i/{}/new-link", bob.1);
    assert_eq!(app.client.send("POST", &ask, &[], b"").await.unwrap().status, 200);
    let events = app.get(&bob.0).await["events"].clone();
    let noted = json!({"sent": false, "reason": "role_not_given"});
    let is_noted = |event: &Value| event["data"] == noted;
    assert!(events.as_array().unwrap().iter().any(is_noted), "{events}");
}

async fn an_organization_is_that_of_the_key(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, theirs) = app.other_organization().await;
    let invited = json!({"email": "ann@example.com"});
    let invitation = theirs.post(&format!("/v1/organizations/{other}/invitations"), &invited).await;
    let invitation = invitation.unwrap().header("location").unwrap().to_owned();
    eventually("the mail is sent", async || {
        let found = theirs.get(&invitation).await.unwrap().json();
        (found["delivery"]["status"] == "sent").then_some(())
    })
    .await;
    accept(&app, "ann@example.com").await;
    let members = theirs.get(&format!("/v1/organizations/{other}/members")).await.unwrap().json();
    let ann = &members["data"][0];
    let number = ann["user_number"].as_i64().unwrap();
    let body = wanted("bob@example.com");
    let refused = send_as(&app, (&app.client, number), &[], &body).await;
    assert_eq!((refused.status, refused.json()), said(403), "no member of the key's organization");
    let made = send_as(&app, (&theirs, number), &[], &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let there = theirs.get("/v1/me").await.unwrap().json()["organization"]["number"].clone();
    assert_eq!(made.json()["data"]["organizationId"], there);
    // The user who acts invites, not whoever made the key.
    let id = made.header("x-invitation-id").unwrap();
    let path = format!("/v1/organizations/{other}/invitations/{id}");
    let detail = theirs.get(&path).await.unwrap().json();
    let actor = text(&detail["events"][0]["actor"]);
    assert!(actor.starts_with(&format!("user:{}", text(&ann["user_id"]))), "{detail}");
    let here = send(&app, &[], &body).await.json();
    assert_ne!(here["data"]["organizationId"], there);
    assert_eq!(here["data"]["userId"], made.json()["data"]["userId"], "one person, two places");
}
