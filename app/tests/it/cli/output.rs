//! How answers look: tables, JSON, YAML and ids, of resources with every field set.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::recorder::{INVITATION, ORGANIZATION, USER, invited, reply};
use super::{Recorder, welcomat_at};

const AT: &str = "2026-01-02T03:04:05.678Z";

/// Runs this in every output mode against a server that answers so.
fn in_every_mode(arguments: &str, answer: &Value) -> String {
    let mut seen = Vec::new();
    for mode in ["--output table", "--output json", "--output yaml", "", "--quiet"] {
        let server = Recorder::says(200, answer);
        let said = welcomat_at(&server.url, &format!("{arguments} {mode}")).run();
        seen.push(format!("$ welcomat {arguments} {mode}\n{}", said.err));
        seen.push(said.good());
    }
    seen.concat()
}

fn organizations() -> Value {
    let organization = |number: u32, roles: Value| {
        json!({
            "id": ORGANIZATION, "number": number, "name": "Example, Ltd: \"North\"",
            "slug": "example", "default_role": "viewer", "roles": roles,
            "created_at": AT, "updated_at": AT,
        })
    };
    json!({
        "data": [organization(1, json!(["viewer", "no"])), organization(2, Value::Null)],
        "next_cursor": null,
    })
}

fn invitations() -> Value {
    let delivery = |status: &str, attempts: u32| {
        json!({
            "id": USER, "status": status, "generation": 1, "attempts": attempts,
            "next_attempt_at": (status == "retrying").then_some(AT),
            "reason": (status != "sent").then_some("greylisted"),
            "detail": (status != "sent").then_some("450 4.2.0 try again\nlater"),
        })
    };
    let row = |email: &str, delivery: Value| {
        json!({
            "id": INVITATION, "email": email, "role": "member", "status": "pending",
            "created_at": AT, "expires_at": AT, "delivery": delivery,
        })
    };
    json!({
        "data": [row("ann@example.com", delivery("sent", 1)), row("bob@example.com", delivery("retrying", 2))],
        "next_cursor": null,
    })
}

#[test]
fn lists_in_every_mode() {
    assert_snapshot!("organizations", in_every_mode("organizations list", &organizations()));
    let call = format!("deliveries list --organization {ORGANIZATION}");
    assert_snapshot!("deliveries", in_every_mode(&call, &invitations()));
}

#[test]
fn one_thing_in_every_mode() {
    let organization = &organizations()["data"][0];
    assert_snapshot!("organization", in_every_mode("organizations get 1", organization));
}

#[test]
fn invite_user_in_every_mode() {
    let mut seen = Vec::new();
    for mode in ["--output table", "--output json", "--output yaml", "--quiet"] {
        let server = Recorder::start(vec![invited()]);
        let call = format!("invite-user email: ann@example.com {mode}");
        let said = welcomat_at(&server.url, &call).run();
        seen.push(format!("$ {mode}\n{}{}", said.out, said.err));
        assert_eq!(said.code, 0);
    }
    assert_snapshot!(seen.concat());
}

#[test]
fn what_has_nothing_to_show_says_that_it_is_done() {
    let mut seen = Vec::new();
    for (arguments, line) in [
        ("keys revoke 1", "DELETE /v1/api-keys/1"),
        ("dead-letters redrive 1", "POST /v1/dead-letters/1/redrive"),
        ("dead-letters discard 1", "DELETE /v1/dead-letters/1"),
        ("members remove 1 --organization o", "DELETE /v1/organizations/o/members/1"),
    ] {
        for mode in ["--output table", "--output json", "--quiet"] {
            let server =
                Recorder::start(vec![super::recorder::Reply::Says(204, "", String::new())]);
            let said = welcomat_at(&server.url, &format!("{arguments} {mode}")).run();
            seen.push(format!("$ welcomat {arguments} {mode}\n{}{}", said.out, said.err));
            assert_eq!((said.code, server.asked_once().line.as_str()), (0, line));
        }
    }
    assert_snapshot!(seen.concat());
}

#[test]
fn organizations_are_made_and_changed_as_told() {
    let server = Recorder::says(201, &organizations()["data"][0]);
    let call = |arguments: &str| welcomat_at(&server.url, arguments);
    call("organizations create --slug ex --default-role viewer --roles viewer,owner --name")
        .arg("Example Ltd")
        .run()
        .good();
    call("organizations update 7 --any-role").run().good();
    let asked = server.asked();
    assert_eq!(asked[0].line, "POST /v1/organizations");
    let made = json!({
        "name": "Example Ltd", "slug": "ex", "default_role": "viewer",
        "roles": ["viewer", "owner"],
    });
    assert_eq!(asked[0].json(), made);
    assert_eq!(asked[1].line, "PATCH /v1/organizations/7");
    assert_eq!(asked[1].json(), json!({ "roles": null }));
}

#[test]
fn lists_follow_their_cursors_as_far_as_they_are_wanted() {
    let page = |ids: std::ops::Range<u32>, next: Option<&str>| {
        let data: Vec<_> = ids.map(|id| json!({ "id": id })).collect();
        reply(200, &json!({ "data": data, "next_cursor": next }))
    };
    let server = Recorder::start(vec![page(0..100, Some("c1")), page(100..150, None)]);
    let said = welcomat_at(&server.url, "organizations list --all --quiet").run();
    assert_eq!(said.good().lines().count(), 150);
    let lines: Vec<_> = server.asked().into_iter().map(|asked| asked.line).collect();
    let path = "GET /v1/organizations";
    assert_eq!(lines, [format!("{path}?limit=100"), format!("{path}?limit=100&cursor=c1")]);

    let server = Recorder::start(vec![page(0..100, Some("c1")), page(100..120, Some("c2"))]);
    let said = welcomat_at(&server.url, "organizations list --limit 120").run();
    assert_eq!(server.asked()[1].line, format!("{path}?limit=20&cursor=c1"));
    let list = said.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 120);
    assert_eq!(list["next_cursor"], "c2");

    let server = Recorder::start(vec![page(0..50, Some("c1"))]);
    let said = welcomat_at(&server.url, "organizations list").run();
    assert!(said.err.contains("there are more; --all or a larger --limit shows them"));
    assert_eq!(said.json()["next_cursor"], "c1");

    // A server that never comes to an end.
    let server = Recorder::start(vec![page(0..100, Some("c1"))]);
    let said = welcomat_at(&server.url, "organizations list --all --quiet").run();
    assert_eq!(said.good().lines().count(), 200);
}

#[test]
fn an_empty_list_is_empty() {
    let server = Recorder::says(200, &json!({"data": [], "next_cursor": null}));
    let said = welcomat_at(&server.url, "keys list --output table").run();
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(said.err, "welcomat: there are none\n");
}

#[test]
fn yaml_quotes_what_another_reader_would_take_for_something_else() {
    let tricky = [
        "no",
        "null",
        "~",
        "1e3",
        "0x1f",
        "2026-01-02",
        "a: b",
        "- a",
        "#a",
        "",
        " a",
        "a\nb",
        "é",
        "\u{1b}[2J",
        "=",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{a",
        "yes",
        ".inf",
        "1_000",
    ];
    let server = Recorder::says(200, &json!({ "data": tricky }));
    let said = welcomat_at(&server.url, "keys list --output yaml").run();
    assert_snapshot!(said.good());
}
