//! Bodies, as zod would take or refuse them.

use serde_json::{Value, json};

use super::{admin, path, session};
use crate::contracts::{Body, Case, JSON, case, check};
use crate::harness::{Stack, TestApp};

on_both_stacks!(
    wrong_bodies_get_all_their_problems_at_once,
    bodies_are_read_as_javascript_reads_them
);

const BAD_EMAIL: &str = "email: must be an e-mail address such as test@mail.com";
const BAD_SCOPE: &str = "scope: must be 1 or 2";
const RANGE: &str = "must be between -9007199254740991 and 9007199254740991";
/// `Number.MAX_SAFE_INTEGER`.
const MAX_SAFE: i64 = 9_007_199_254_740_991;

fn good() -> Value {
    json!({"email": "ann@example.com", "scope": 1, "permissions": {}})
}

fn with(field: &str, value: Value) -> Value {
    let mut body = good();
    body[field] = value;
    body
}

fn without(field: &str) -> Value {
    let mut body = good();
    body.as_object_mut().unwrap().remove(field);
    body
}

fn refused<const N: usize>(what: &'static str, body: impl Into<Body>, said: [&str; N]) -> Case {
    let has = [
        ("/statusCode", json!(400)),
        ("/message", json!(said.as_slice())),
        ("/error", json!("Bad Request")),
    ];
    case(what, body, 400, has)
}

fn wrong_addresses() -> Vec<Case> {
    let refused = |what, email: Value, said| refused(what, with("email", email), [said]);
    let text = "email: must be a string";
    let long = format!("{}@{}example.com", "a".repeat(59), "abcdefghi.".repeat(18));
    let longer = format!("{}@example.com", "a".repeat(65));
    vec![
        refused("null address", Value::Null, text),
        refused("a number is no address", json!(5), text),
        refused("a list is no address", json!(["ann@example.com"]), text),
        refused("an empty address", json!(""), BAD_EMAIL),
        refused("no @", json!("ann.example.com"), BAD_EMAIL),
        refused("two @", json!("a@b@example.com"), BAD_EMAIL),
        refused("a dot first", json!(".ann@example.com"), BAD_EMAIL),
        refused("two dots", json!("a..nn@example.com"), BAD_EMAIL),
        refused("two dots in the domain", json!("ann@example..com"), BAD_EMAIL),
        refused("a dot before the @", json!("ann.@example.com"), BAD_EMAIL),
        refused("an apostrophe before the @", json!("ann'@example.com"), BAD_EMAIL),
        refused("a slash, which others take", json!("a/n@example.com"), BAD_EMAIL),
        refused("spaces are not trimmed", json!(" ann@example.com"), BAD_EMAIL),
        refused("a line break", json!("ann@example.com\n"), BAD_EMAIL),
        refused("no full domain", json!("ann@example"), BAD_EMAIL),
        refused("a short top level", json!("ann@example.c"), BAD_EMAIL),
        refused("an IP address", json!("ann@127.0.0.1"), BAD_EMAIL),
        refused("a label that begins with -", json!("ann@-example.com"), BAD_EMAIL),
        refused("letters beyond ASCII", json!("änn@example.com"), BAD_EMAIL),
        refused("a domain beyond ASCII", json!("ann@bücher.example"), BAD_EMAIL),
        refused("251 characters", json!(long), "email: must have at most 250 characters"),
        refused(
            "a local part that no server takes",
            json!(longer),
            "email: is too long; at most 64 characters before the @ and 254 in all",
        ),
        refused(
            "a host name that cannot be",
            json!("ann@example-.com"),
            "email: must name a full domain after the @, such as example.com",
        ),
    ]
}

fn wrong_scopes() -> Vec<Case> {
    let values = [
        ("null scope", Value::Null),
        ("a scope as text", json!("1")),
        ("half a scope", json!(1.5)),
        ("0 is no scope", json!(0)),
        ("3 is no scope", json!(3)),
        ("a negative scope", json!(-1)),
        ("true is no scope", json!(true)),
        ("a list of scopes", json!([1])),
        ("a huge scope", json!(1e300)),
    ];
    values.map(|(what, scope)| refused(what, with("scope", scope), [BAD_SCOPE])).into()
}

fn wrong_permissions() -> Vec<Case> {
    let all = |what, permissions: Value, said| {
        refused(what, with("permissions", permissions), [&*format!("permissions{said}")])
    };
    let no_object = ": must be an object";
    let out_of_range = format!(".group: {RANGE}");
    let too_many: Vec<_> = (0..1001).collect();
    vec![
        all("null permissions", Value::Null, no_object),
        all("permissions as a list", json!([]), no_object),
        all("permissions as text", json!("{}"), no_object),
        all("null group", json!({"group": null}), ".group: must be an integer"),
        all("a group as text", json!({"group": "1"}), ".group: must be an integer"),
        all("half a group", json!({"group": 0.5}), ".group: must be an integer"),
        all("a huge group", json!({"group": MAX_SAFE + 1}), &out_of_range),
        all("null ids", json!({"manage": null}), ".manage: must be an array"),
        all("ids as an object", json!({"read": {"0": 1}}), ".read: must be an array"),
        all("one id", json!({"read": 1}), ".read: must be an array"),
        all("an id as text", json!({"manage": [1, "2"]}), ".manage[1]: must be an integer"),
        all("half an id", json!({"read": [1.5]}), ".read[0]: must be an integer"),
        all("a null id", json!({"read": [1, 2, null]}), ".read[2]: must be an integer"),
        all("a list as an id", json!({"read": [[1]]}), ".read[0]: must be an integer"),
        all("too many ids", json!({"read": too_many}), ".read: must have at most 1000 items"),
    ]
}

fn wrong_professions() -> Vec<Case> {
    let (integer, range) = ("must be an integer", RANGE);
    [
        ("null profession", Value::Null, integer),
        ("a profession as text", json!("1"), integer),
        ("half a profession", json!(1.5), integer),
        ("a profession too high", json!(MAX_SAFE + 1), range),
        ("a profession too low", json!(-MAX_SAFE - 1), range),
        ("a profession beyond 64 bits", json!(u64::MAX), range),
        ("a profession beyond all bounds", json!(1e300), range),
    ]
    .map(|(what, id, said)| {
        refused(what, with("professionId", id), [&*format!("professionId: {said}")])
    })
    .into()
}

fn wrong_wholes() -> Vec<Case> {
    let required = ["email", "scope", "permissions"].map(|field| format!("{field}: is required"));
    let [email, scope, permissions] = required.each_ref().map(String::as_str);
    let object = "The body must be a JSON object.";
    let deep = format!("{{\"x\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    let json = |at| format!("The body is not valid JSON: line 1, column {at}.");
    let several = json!({
        "email": "a..@b", "scope": "1", "professionId": 0.5,
        "permissions": {"group": null, "manage": [1, "2", null], "read": 7},
    });
    let long = format!("{}@x", "é".repeat(260));
    vec![
        refused("nothing in it", "{}", [email, scope, permissions]),
        refused("no address", without("email"), [email]),
        refused("no scope", without("scope"), [scope]),
        refused("no permissions", without("permissions"), [permissions]),
        refused(
            "everything wrong",
            several,
            [
                BAD_EMAIL,
                BAD_SCOPE,
                "permissions.group: must be an integer",
                "permissions.manage[1]: must be an integer",
                "permissions.manage[2]: must be an integer",
                "permissions.read: must be an array",
                "professionId: must be an integer",
            ],
        ),
        refused(
            "an address that is wrong twice",
            with("email", json!(long)),
            ["email: must have at most 250 characters", BAD_EMAIL],
        ),
        refused("null", "null", [object]),
        refused("a list", "[]", [object]),
        refused("a text", "\"x\"", [object]),
        refused("a number", "1", [object]),
        refused("no body", "", [&*json(0)]),
        refused("no JSON", "{\"a\": nope}", [&*json(8)]),
        refused("no number", "{\"scope\": NaN}", [&*json(11)]),
        refused("cut off", "{\"email\": \"a", [&*json(12)]),
        refused("two bodies", "{} {}", [&*json(4)]),
        refused("half a surrogate", "{\"x\": \"\\ud800\"}", [&*json(14)]),
        refused("very deep", deep, [&*json(133)]),
    ]
}

async fn wrong_bodies_get_all_their_problems_at_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let user = admin(&app).await;
    let token = session(&app, user);
    let headers = [JSON[0], ("x-session-token", &*token)];
    let cases = [
        wrong_addresses(),
        wrong_scopes(),
        wrong_permissions(),
        wrong_professions(),
        wrong_wholes(),
    ];
    let cases: Vec<_> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 60, "{} rows", cases.len());
    check(&app.client, &path(user), &headers, &cases).await;
    let latin = b"{\"email\": \"\xe4\"}";
    let latin = app.client.send("POST", &path(user), &headers, latin).await.unwrap();
    assert_eq!(latin.json()["message"], json!(["The body is not UTF-8."]));
    let long = with("x", json!("x".repeat(40_000))).to_string();
    let long = app.client.send("POST", &path(user), &headers, long.as_bytes()).await.unwrap();
    let said = json!({"message": "The body may have at most 32768 bytes."});
    assert_eq!((latin.status, long.status, long.json()), (400, 413, said));
    assert!(app.mails().await.is_empty(), "nothing wrong was sent");
    let listed = app.get(&app.invitations()).await;
    assert_eq!(listed["data"], json!([]), "nothing wrong was stored");
}

/// A body in which `permissions` or the whole is spelt in a special way.
fn spelt(scope: &str, permissions: &str, more: &str) -> String {
    format!("{{\"email\": \"ADDRESS\", \"scope\": {scope}, \"permissions\": {permissions}{more}}}")
}

async fn bodies_are_read_as_javascript_reads_them(stack: Stack) {
    let app = TestApp::start(stack).await;
    let user = admin(&app).await;
    let token = session(&app, user);
    let (group, read, manage) =
        ("/data/permissions/group", "/data/permissions/read", "/data/permissions/manage");
    let many: Vec<i64> = (0..1000).collect();
    let thousand = spelt("1", &json!({ "read": many }).to_string(), "");
    let edges = spelt("2", &json!({"read": [MAX_SAFE, -MAX_SAFE]}).to_string(), "");
    let rows = [
        ("nothing granted", spelt("1", "{}", ""), group, json!(0)),
        ("nothing to read", spelt("1", "{}", ""), read, json!([])),
        ("nothing to manage", spelt("1", "{}", ""), manage, json!([])),
        ("the other scope", spelt("2", "{}", ""), "/data/scope", json!(2)),
        ("an integer with a point", spelt("1.0", "{}", ""), "/data/scope", json!(1)),
        ("an integer with an exponent", spelt("1e0", "{}", ""), "/data/scope", json!(1)),
        ("tenths that make an integer", spelt("20E-1", "{}", ""), "/data/scope", json!(2)),
        ("a negative zero", spelt("1", "{\"group\": -0.0}", ""), group, json!(0)),
        ("a negative group", spelt("1", "{\"group\": -4}", ""), group, json!(-4)),
        ("ids in any spelling", spelt("1", "{\"read\": [1e1, 2.0]}", ""), read, json!([10, 2])),
        ("ids once each", spelt("1", "{\"manage\": [2, 1, 2.0, 1]}", ""), manage, json!([2, 1])),
        ("ids at the edges", edges, read, json!([MAX_SAFE, -MAX_SAFE])),
        ("a thousand ids", thousand, read, json!(many)),
        ("unknown keys", spelt("1", "{\"x\": null}", ", \"y\": [{}]"), "/data/scope", json!(1)),
        ("the last scope", spelt("\"x\"", "{}", ", \"scope\": 2"), "/data/scope", json!(2)),
        ("the last group", spelt("1", "{\"group\": [], \"group\": 3}", ""), group, json!(3)),
        ("the last permissions", spelt("1", "7", ", \"permissions\": {}"), read, json!([])),
        ("a profession", spelt("1", "{}", ", \"professionId\": 1.0"), "/data/scope", json!(1)),
        (
            "the lowest profession",
            spelt("1", "{}", ", \"professionId\": -9007199254740991"),
            "/data/scope",
            json!(1),
        ),
        ("white space", format!("\n {} \r\n", spelt("1", "{}", "")), "/data/scope", json!(1)),
    ];
    let cases: Vec<_> = rows
        .into_iter()
        .enumerate()
        .map(|(number, (what, body, pointer, value))| {
            let body = body.replace("ADDRESS", &format!("ann{number}@example.com"));
            case(what, body, 201, [(pointer, value), ("/data/deletedAt", Value::Null)])
        })
        .collect();
    let headers =
        [("Content-Type", "Application/JSON; charset=\"UTF-8\""), ("x-session-token", &token)];
    check(&app.client, &path(user), &headers, &cases).await;
    let long = format!("{}@{}example.com", "a".repeat(58), "abcdefghi.".repeat(18));
    assert_eq!(long.len(), 250);
    let addresses = ["'-_+.o'neil@Example.COM", "1@1.museum", "a@b--c.co", &long];
    let cases = addresses.map(|email| case("an address", with("email", json!(email)), 201, []));
    check(&app.client, &path(user), &headers, &cases).await;
    let members =
        app.get(&format!("/v1/organizations/{}/members?limit=100", app.organization)).await;
    let members = members["data"].as_array().unwrap();
    for email in addresses {
        assert!(members.iter().any(|member| member["email"] == email), "{email} is as given");
    }
    let professions: Vec<_> = members.iter().filter_map(|m| m["profession_id"].as_i64()).collect();
    assert_eq!(professions, [1, -MAX_SAFE]);
}
