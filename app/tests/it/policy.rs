//! What an organization allows of its invitations: domains and seats, by every way to invite.

use app::http::Answer;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::batches::{JSON, finished, row, rows, taken};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    domains_are_refused_by_every_way_to_invite,
    addresses_of_a_task_are_refused_or_warned_of,
    the_last_seat_is_given_once,
    a_policy_is_for_admins_and_makes_sense,
);

/// Makes that the organization's policy.
pub async fn set(app: &TestApp, policy: &Value) -> Answer {
    let path = format!("/v1/organizations/{}/policy", app.organization);
    let headers = [("Content-Type", "application/json")];
    app.client.send("PUT", &path, &headers, policy.to_string().as_bytes()).await.unwrap()
}

async fn domains_are_refused_by_every_way_to_invite(stack: Stack) {
    let app = TestApp::start(stack).await;
    let policy = json!({
        "allowed_domains": ["example.com", "*.Bücher.example", "mailinator.com"],
        "denied_domains": ["guests.bücher.example"], "refuse_disposable": true,
    });
    let kept = set(&app, &policy).await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert_eq!(kept.json()["allowed_domains"][1], "*.xn--bcher-kva.example");
    let path = format!("/v1/organizations/{}/policy", app.organization);
    assert_eq!(app.get(&path).await, kept.json());
    for (email, status, code) in [
        ("ann@sub.example.com", 422, "domain_not_allowed"),
        ("ann@bücher.example", 422, "domain_not_allowed"),
        ("ann@a.guests.bücher.example", 422, "domain_denied"),
        ("ann@mailinator.com", 422, "disposable_address"),
        ("ann@sales.XN--BCHER-KVA.example", 201, ""),
    ] {
        let answer = app.post(&json!({ "email": email })).await;
        let told = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, told.as_str()), (status, code), "{email}: {}", answer.text());
    }
    // In a batch it is said of the row, and of no other.
    let all = json!({"invitations": [
        {"email": "bob@evil.net"}, {"email": "bob@example.com"}, {"email": "ann@mailinator.com"},
    ]});
    let batch = taken(&app, JSON, &all.to_string()).await;
    finished(&app, &batch).await;
    assert_eq!(
        rows(&app, &batch).await,
        [
            row(1, 1, "bob@evil.net", "refused", "domain_not_allowed"),
            row(2, 2, "bob@example.com", "created", ""),
            row(3, 3, "ann@mailinator.com", "refused", "disposable_address"),
        ]
    );
    let (status, _) = app.act("/iam/v1/users/invite", &json!({"email": "eve@evil.net"})).await;
    assert_eq!(status, 400);
    assert_eq!(set(&app, &json!({})).await.status, 200);
    assert_eq!(app.post(&json!({"email": "bob@evil.net"})).await.status, 201);
}

async fn addresses_of_a_task_are_refused_or_warned_of(stack: Stack) {
    let app = TestApp::start(stack).await;
    for (email, warnings) in [
        ("postmaster@example.com", json!(["role_address"])),
        ("NoReply+ann@mailinator.com", json!(["role_address", "disposable_address"])),
        ("ann.postmaster@example.com", json!([])),
    ] {
        let invited = app.post(&json!({ "email": email })).await;
        assert_eq!((invited.status, &invited.json()["warnings"]), (201, &warnings), "{email}");
        let path = invited.header("location").unwrap();
        assert_eq!(app.get(path).await["warnings"], warnings, "{email}");
    }
    assert_eq!(set(&app, &json!({"refuse_role_addresses": true})).await.status, 200);
    let one = app.post(&json!({"email": "Abuse@example.com"})).await;
    assert_eq!((one.status, &one.json()["code"]), (422, &json!("role_address")), "{}", one.text());
    let all =
        json!({"invitations": [{"email": "webmaster@example.com"}, {"email": "web@example.com"}]});
    let batch = taken(&app, JSON, &all.to_string()).await;
    finished(&app, &batch).await;
    assert_eq!(
        rows(&app, &batch).await,
        [
            row(1, 1, "webmaster@example.com", "refused", "role_address"),
            row(2, 2, "web@example.com", "created", ""),
        ]
    );
    let (status, _) = app.act("/iam/v1/users/invite", &json!({"email": "root@example.com"})).await;
    assert_eq!(status, 400);
    // Who is invited already is not moved to such an address.
    let ann = app.post(&json!({"email": "ann@example.com"})).await;
    let path = format!("{}/address", ann.header("location").unwrap());
    app.until(ann.header("location").unwrap(), "sent").await;
    let (status, problem) = app.act(&path, &json!({"email": "hostmaster@example.com"})).await;
    assert_eq!((status, &problem["code"]), (422, &json!("role_address")), "{problem}");
}

async fn the_last_seat_is_given_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    // The first admin is a member.
    assert_eq!(set(&app, &json!({"seat_limit": 4})).await.status, 200);
    let all: Vec<Value> =
        (0..12).map(|n| json!({ "email": format!("n{n}@example.com") })).collect();
    let answers = join_all(all.iter().map(|wanted| app.post(wanted))).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (3, 9));
    for answer in &refused {
        let told = (answer.status, text(&answer.json()["code"]));
        assert_eq!(told, (409, "seat_limit_reached".to_owned()));
    }
    // One who gives way to themselves needs no seat more.
    let again = json!({"email": made[0].json()["email"], "on_existing": "replace"});
    assert_eq!(app.post(&again).await.status, 201);
    let revoke = |answer: &Answer| format!("{}/revoke", answer.header("location").unwrap());
    let path = made[1].header("location").unwrap();
    app.until(path, "sent").await;
    assert_eq!(app.act(&revoke(&made[1]), &json!({})).await.0, 200);
    let all = json!({"invitations": [{"email": "zoe@example.com"}, {"email": "abe@example.com"}]});
    let batch = taken(&app, JSON, &all.to_string()).await;
    finished(&app, &batch).await;
    // Whoever was named first has it.
    assert_eq!(
        rows(&app, &batch).await,
        [
            row(1, 1, "zoe@example.com", "created", ""),
            row(2, 2, "abe@example.com", "refused", "seat_limit_reached"),
        ]
    );
    // A seat that is held is good for its invitee, whatever the limit is by then.
    assert_eq!(set(&app, &json!({"seat_limit": 1})).await.status, 200);
    let email = text(&made[2].json()["email"]);
    app.until(made[2].header("location").unwrap(), "sent").await;
    let mail = app.mails_to(&email).await.remove(0);
    let accept = json!({"token": mail.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let (status, problem) = app.act(&app.invitations(), &json!({ "email": email })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_member")), "{problem}");
}

async fn a_policy_is_for_admins_and_makes_sense(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wrong = set(&app, &json!({"denied_domains": ["*.example.com"], "reminders": [7, 3]})).await;
    let fields: Vec<String> = wrong.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| text(&error["field"]))
        .collect();
    assert_eq!((wrong.status, fields), (422, vec!["denied_domains[0]".into(), "reminders".into()]));
    let (_, key) = app.act("/v1/api-keys", &json!({"name": "reader", "role": "member"})).await;
    let reader = app.client.clone().with_key(Some(text(&key["key"])));
    let path = format!("/v1/organizations/{}/policy", app.organization);
    assert_eq!(reader.get(&path).await.unwrap().status, 403);
    let empty = json!({
        "allowed_domains": [], "denied_domains": [], "refuse_disposable": false,
        "refuse_role_addresses": false, "seat_limit": null, "reminders": [],
    });
    assert_eq!(app.get(&path).await, empty);
}
