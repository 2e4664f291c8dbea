//! The bodies of that contract, with the habits of Pydantic: what is wrong and what is still taken.

use serde_json::{Value, json};

use super::super::{Case, JSON, case, check};
use super::{ann, path, with};
use crate::harness::{Stack, TestApp};

const FLAG: &str = "auto_assign_default_workdays";
const META: &str = "/user/metadata/auto_assign_default_workdays";

on_both_stacks!(wrong_bodies_get_all_their_errors_at_once, lax_bodies_are_taken);

fn without(field: &str) -> Value {
    let mut body = ann();
    body.as_object_mut().unwrap().remove(field);
    body
}

/// What Pydantic says of a field.
fn refused(what: &'static str, body: Value, kind: &str, field: &str) -> Case {
    let at = json!(["body", field]);
    case(what, body, 422, [("/detail/0/type", kind.into()), ("/detail/0/loc", at)])
}

fn wrong_fields() -> Vec<Case> {
    let (short, kind, worthless) = ("string_too_short", "string_type", "value_error");
    let with = |field: &str, value: Value| with(&json!({ field: value }));
    vec![
        refused("no first name", without("first_name"), "missing", "first_name"),
        refused("no last name", without("last_name"), "missing", "last_name"),
        refused("no address", without("email"), "missing", "email"),
        refused("empty first name", with("first_name", "".into()), short, "first_name"),
        refused("blank first name", with("first_name", "  ".into()), short, "first_name"),
        refused("blank last name", with("last_name", "\t".into()), short, "last_name"),
        refused("null first name", with("first_name", Value::Null), kind, "first_name"),
        refused("a number is no name", with("first_name", 5.into()), kind, "first_name"),
        refused("a list is no name", with("last_name", json!(["Lee"])), kind, "last_name"),
        refused("a name of two lines", with("first_name", "A\nB".into()), worthless, "first_name"),
        refused("a long name", with("last_name", "x".repeat(65).into()), worthless, "last_name"),
        refused("null address", with("email", Value::Null), kind, "email"),
        refused("a number is no address", with("email", 5.into()), kind, "email"),
        refused("two characters", with("email", "a@".into()), short, "email"),
        refused("no @", with("email", "ann.example.com".into()), worthless, "email"),
        refused("two @", with("email", "a@b@example.com".into()), worthless, "email"),
        refused("nothing before the @", with("email", "@example.com".into()), worthless, "email"),
        refused("nothing after the @", with("email", "ann@".into()), worthless, "email"),
        refused("no full domain", with("email", "a@b".into()), worthless, "email"),
        refused("a job that is a number", with("job_title", 1.into()), kind, "job_title"),
        refused("a job of two lines", with("job_title", "a\nb".into()), worthless, "job_title"),
        refused("a department that is a list", with("department", json!([])), kind, "department"),
        refused("a level that is true", with("access_level", true.into()), kind, "access_level"),
    ]
}

fn wrong_flags() -> Vec<Case> {
    let refused =
        |what, value: Value, kind| refused(what, with(&json!({ FLAG: value })), kind, FLAG);
    vec![
        refused("null is no boolean", Value::Null, "bool_type"),
        refused("a list is no boolean", json!([true]), "bool_type"),
        refused("2 is no boolean", 2.into(), "bool_parsing"),
        refused("maybe", "maybe".into(), "bool_parsing"),
        refused("an empty text", "".into(), "bool_parsing"),
        refused("a boolean with a space", " true".into(), "bool_parsing"),
    ]
}

fn wrong_bodies() -> Vec<Case> {
    let kind = |kind: &str| ("/detail/0/type", Value::from(kind));
    let deep = format!("{{\"first_name\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    vec![
        case("nothing", "", 422, [kind("missing"), ("/detail/0/loc", json!(["body"]))]),
        case("null", "null", 422, [kind("missing")]),
        case("a list", "[]", 422, [kind("model_attributes_type")]),
        case("a text", "\"x\"", 422, [kind("model_attributes_type")]),
        case(
            "no JSON",
            "{\"a\": nope}",
            422,
            [
                kind("json_invalid"),
                ("/detail/0/loc", json!(["body", 7])),
                ("/detail/0/msg", "JSON decode error".into()),
                ("/detail/0/input", json!({})),
            ],
        ),
        case("cut off", "{\"first_name\": \"A", 422, [kind("json_invalid")]),
        case("very deep", deep, 422, [kind("json_invalid")]),
        case("half a surrogate", "{\"first_name\": \"\\ud800\"}", 422, [kind("json_invalid")]),
        case(
            "everything missing",
            "{}",
            422,
            [
                ("/detail/0/loc/1", "first_name".into()),
                ("/detail/1/loc/1", "last_name".into()),
                ("/detail/2/loc/1", "email".into()),
                ("/detail/2/msg", "Field required".into()),
            ],
        ),
        case(
            "a length and what was given",
            with(&json!({"first_name": ""})),
            422,
            [
                ("/detail/0/ctx/min_length", 1.into()),
                ("/detail/0/msg", "String should have at least 1 character".into()),
                ("/detail/0/input", "".into()),
            ],
        ),
        case(
            "all errors at once",
            json!({"email": 1, "job_title": 2, "first_name": ""}),
            422,
            [
                ("/detail/0/type", "string_too_short".into()),
                ("/detail/1/type", "missing".into()),
                ("/detail/2/type", "string_type".into()),
                ("/detail/3/loc/1", "job_title".into()),
            ],
        ),
    ]
}

async fn wrong_bodies_get_all_their_errors_at_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let cases = [wrong_fields(), wrong_flags(), wrong_bodies()];
    let cases: Vec<_> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 40, "{} rows", cases.len());
    check(&app.client, &path(&app), &JSON, &cases).await;
    // A password that somebody sends along, and what else we do not know, is not shown back.
    let secret = json!({"password": "hunter2hunter2", "email": 5}).to_string();
    let answers =
        check(&app.client, &path(&app), &JSON, &[case("a secret", secret, 422, [])]).await;
    assert!(!answers[0].text().contains("hunter2"), "{}", answers[0].text());
    for (headers, body) in
        [(&[("Content-Type", "text/plain")][..], ann().to_string()), (&[], ann().to_string())]
    {
        let answer = app.client.send("POST", &path(&app), headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(answer.json()["detail"][0]["type"], "model_attributes_type");
    }
    let latin = app.client.send("POST", &path(&app), &JSON, b"{\"a\": \"\xe4\"}").await.unwrap();
    assert_eq!(latin.status, 400, "{}", latin.text());
    let long = with(&json!({"job_title": "x".repeat(40_000)})).to_string();
    let long = app.client.send("POST", &path(&app), &JSON, long.as_bytes()).await.unwrap();
    assert_eq!(long.status, 413, "{}", long.text());
    for answer in [latin, long] {
        assert!(answer.json()["detail"].is_string(), "{}", answer.text());
    }
    assert!(app.mails().await.is_empty(), "nothing wrong was sent");
    let listed = app.get(&app.invitations()).await;
    assert_eq!(listed["data"], json!([]), "nothing wrong was stored");
}

async fn lax_bodies_are_taken(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mut number = 0;
    let mut taken = |what, changes: Value, pointer, value: Value| {
        number += 1;
        let mut body = with(&changes);
        if body["email"] == "ann@example.com" {
            body["email"] = format!("ann{number}@example.com").into();
        }
        case(what, body, 200, [(pointer, value)])
    };
    let mut cases = vec![
        taken("the flag is true by itself", json!({}), META, true.into()),
        taken("unknown keys", json!({"x": 1, "user": {}}), "/user/role", "employee".into()),
        taken("null job", json!({"job_title": null}), "/user/metadata/job_title", Value::Null),
        taken("spaces", json!({"first_name": " Ann "}), "/user/full_name", "Ann Lee".into()),
        taken(
            "as given",
            json!({"email": " Ann@Example.COM "}),
            "/user/email",
            "Ann@Example.COM".into(),
        ),
    ];
    for (given, meant) in [
        (json!(false), false),
        (json!("true"), true),
        (json!("YES"), true),
        (json!("on"), true),
        (json!("t"), true),
        (json!(1), true),
        (json!(1.0), true),
        (json!("no"), false),
        (json!("Off"), false),
        (json!("0"), false),
        (json!(0), false),
    ] {
        cases.push(taken("a lax boolean", json!({ FLAG: given }), META, meant.into()));
    }
    let twice = "{\"email\": \"x@example.com\", \"email\": \"twice@example.com\", \
                 \"first_name\": \"A\", \"last_name\": \"B\"}";
    cases.push(case("the last of two", twice, 200, [("/user/email", "twice@example.com".into())]));
    let no_wait = [JSON[0], ("Prefer", "respond-async")];
    for answer in check(&app.client, &path(&app), &no_wait, &cases).await {
        assert_eq!(answer.header("preference-applied"), Some("respond-async"));
    }
}
