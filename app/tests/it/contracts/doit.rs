//! `POST /iam/v1/users/invite`: the page's schema, its five statuses and its one shape of errors.

use app::http::Answer;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Case, JSON, case, check};
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    what_was_provided_is_answered_and_nothing_else,
    wrong_bodies_are_400_with_one_sentence,
    the_pages_job_titles_are_taken_exactly,
    who_may_not_is_told_before_the_body_is_read,
    who_is_still_invited_is_answered_with_the_same_id,
    a_repeated_request_invites_once,
    requests_at_the_same_moment_find_one_invitation,
    roles_are_those_of_the_organization,
);

const PATH: &str = "/iam/v1/users/invite";
const JOB_TITLES: [&str; 8] = [
    "Data Engineer / Data Analysts",
    "Executive Team",
    "Finance / Accounting",
    "Founder",
    "Legal / Purchasing",
    "Management",
    "Sales / Marketing",
    "Software / Ops Engineer",
];

async fn send(app: &TestApp, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers = [&JSON[..], headers].concat();
    app.client.send("POST", PATH, &headers, body.to_string().as_bytes()).await.unwrap()
}

async fn what_was_provided_is_answered_and_nothing_else(stack: Stack) {
    let app = TestApp::start(stack).await;
    let whole = json!({
        "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee",
        "jobTitle": "Software / Ops Engineer", "roleId": "editor",
        "organizationId": app.organization,
    });
    let answer = send(&app, &[("Prefer", "wait=10")], &whole).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("x-email-status"), Some("sent"));
    assert_eq!(answer.header("preference-applied"), Some("wait=10"));
    let said = answer.json();
    let id = text(&said["user"]["id"]);
    assert_eq!(
        said,
        json!({
            "message": "The user is invited; the mail is on its way.",
            "user": {
                "id": id, "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee",
                "displayName": "Ann Lee", "jobTitle": "Software / Ops Engineer",
                "roleId": "editor", "organizationId": app.organization, "status": "invited",
            },
        })
    );
    let bare = send(&app, &[], &json!({"email": "bob@example.com"})).await.json();
    let keys: Vec<_> = bare["user"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "email", "roleId", "organizationId", "status"]);
    assert_eq!(bare["user"]["roleId"], "member");
    let half = json!({"email": "cy@example.com", "lastName": " Vance "});
    let half = send(&app, &[], &half).await.json();
    assert_eq!(half["user"]["displayName"], "Vance");
    assert_eq!(half["user"].get("firstName"), None);
}

/// A body that gets this sentence.
fn refused(what: &'static str, body: impl Into<super::Body>, error: &str) -> Case {
    case(what, body, 400, [("/error", error.into())])
}

fn wrong_bodies() -> Vec<Case> {
    let with = |field: &str, value: Value| {
        let mut body = json!({"email": "ann@example.com"});
        body[field] = value;
        body
    };
    let at = "must have exactly one @; give a single address without a name or brackets";
    let (no_json, no_object) = ("The body is not valid JSON", "The body must be a JSON object");
    let local = "email has a character or a dot before the @ that is not allowed there";
    let domain = "email must name a full domain after the @, such as example.com";
    vec![
        refused("nothing", "", no_json),
        refused("no JSON", "{", no_json),
        refused("very deep", "[".repeat(500), no_json),
        refused("a list", "[]", no_object),
        refused("null", "null", no_object),
        refused("no address", json!({}), "email is required"),
        refused("null address", with("email", Value::Null), "email must be a string"),
        refused("a number", with("email", 5.into()), "email must be a string"),
        refused("a list", with("email", json!(["a@b.co"])), "email must be a string"),
        refused(
            "empty",
            with("email", "".into()),
            "email is empty; give an address such as ann@example.com",
        ),
        refused("no @", with("email", "ann".into()), &format!("email {at}")),
        refused("two @", with("email", "a@b@c.co".into()), &format!("email {at}")),
        refused("a name", with("email", "Ann <ann@example.com>".into()), local),
        refused("nothing before the @", with("email", "@example.com".into()), local),
        refused("no domain", with("email", "ann@".into()), domain),
        refused("one label", with("email", "ann@localhost".into()), domain),
        refused("a line break", with("email", "ann@example.com\r\nBcc: x".into()), domain),
        refused(
            "an empty name",
            with("firstName", "".into()),
            "firstName is empty; leave it out or give a name",
        ),
        refused("a name of true", with("lastName", true.into()), "lastName must be a string"),
        refused(
            "a name of two lines",
            with("lastName", "a\nb".into()),
            "lastName has a line break or another control character; give one line of text",
        ),
        refused(
            "a long name",
            with("firstName", "x".repeat(65).into()),
            "firstName is too long; at most 64 characters",
        ),
        refused("a job of 1", with("jobTitle", 1.into()), "jobTitle must be a string"),
        refused("a role of 1", with("roleId", 1.into()), "roleId must be a string"),
        refused(
            "a role with a space",
            with("roleId", "a b".into()),
            "roleId must be 1 to 64 letters, digits, '_', '-', '.' or ':', starting with a letter \
             or digit",
        ),
        refused(
            "an organization of 1",
            with("organizationId", 1.into()),
            "organizationId must be a string",
        ),
        refused(
            "an organization by name",
            with("organizationId", "Acme".into()),
            "organizationId is not an id",
        ),
        refused(
            "all at once",
            json!({"email": 1, "firstName": 2, "jobTitle": 3}),
            "email must be a string; firstName must be a string; jobTitle must be a string",
        ),
    ]
}

async fn wrong_bodies_are_400_with_one_sentence(stack: Stack) {
    let app = TestApp::start(stack).await;
    let cases = wrong_bodies();
    for answer in check(&app.client, PATH, &JSON, &cases).await {
        assert_eq!(answer.json().as_object().unwrap().len(), 1, "{}", answer.text());
    }
    let long = json!({"email": "a@example.com", "x": "x".repeat(40_000)}).to_string();
    for (headers, body) in [
        (&[("Content-Type", "text/plain")][..], b"{}".as_slice()),
        (&[], b"{}"),
        (&JSON, b"{\"email\": \"\xe4\"}"),
        (&JSON, long.as_bytes()),
        (&[JSON[0], ("Idempotency-Key", "a b")], b"{\"email\": \"a@example.com\"}"),
    ] {
        let answer = app.client.send("POST", PATH, headers, body).await.unwrap();
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.json()["error"].is_string(), "{}", answer.text());
    }
    let taken = [
        case("unknown keys", json!({"email": "a@example.com", "x": 1}), 201, []),
        case("null is left out", json!({"email": "b@example.com", "firstName": null}), 201, []),
        case(
            "the last of two",
            "{\"email\": \"c@example.com\", \"email\": \"d@example.com\"}",
            201,
            [("/user/email", "d@example.com".into())],
        ),
        case(
            "spaces",
            json!({"email": " e@example.com "}),
            201,
            [("/user/email", "e@example.com".into())],
        ),
    ];
    check(&app.client, PATH, &JSON, &taken).await;
    let listed = app.get(&app.invitations()).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), taken.len(), "nothing wrong was stored");
}

async fn the_pages_job_titles_are_taken_exactly(stack: Stack) {
    let app = TestApp::start(stack).await;
    let wanted = |number: usize, title: &str| json!({"email": format!("n{number}@example.com"), "jobTitle": title});
    let mut cases: Vec<_> = JOB_TITLES
        .iter()
        .enumerate()
        .map(|(n, &title)| {
            case("a title", wanted(n, title), 201, [("/user/jobTitle", title.into())])
        })
        .collect();
    for title in ["founder", "Founder ", "Sales/Marketing", "", "CEO"] {
        cases.push(case("no title of the page", wanted(99, title), 400, []));
    }
    check(&app.client, PATH, &JSON, &cases).await;
}

async fn who_may_not_is_told_before_the_body_is_read(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, theirs) = app.other_organization().await;
    let reader = json!({"name": "reader", "role": "member"});
    let reader = text(&app.act("/v1/api-keys", &reader).await.1["key"]);
    for (key, status) in [(None, 401), (Some("wlc_wrong".to_owned()), 401), (Some(reader), 403)] {
        let client = app.client.clone().with_key(key);
        let answer = client.send("POST", PATH, &JSON, b"{").await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.json()["error"].is_string());
        assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"));
    }
    let ours = json!({"email": "ann@example.com", "organizationId": app.organization});
    assert_eq!(theirs.post(PATH, &ours).await.unwrap().status, 403);
    let foreign = json!({"email": "ann@example.com", "organizationId": other});
    assert_eq!(send(&app, &[], &foreign).await.status, 403);
    // A key for the whole instance has to say where.
    let operator = app.operator();
    assert_eq!(operator.post(PATH, &foreign).await.unwrap().status, 201);
    let unnamed = operator.post(PATH, &json!({"email": "x@example.com"})).await.unwrap();
    assert!(text(&unnamed.json()["error"]).starts_with("organizationId is required"));
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    let unknown = json!({"email": "x@example.com", "organizationId": nobody});
    let unknown = operator.post(PATH, &unknown).await.unwrap();
    assert_eq!(
        (unknown.status, &unknown.json()["error"]),
        (400, &json!("organizationId names no organization"))
    );
    let get = app.client.get(PATH).await.unwrap();
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    assert!(get.json()["error"].is_string());
}

async fn who_is_still_invited_is_answered_with_the_same_id(stack: Stack) {
    let app = TestApp::start(stack).await;
    let ann = json!({"email": "ann@example.com", "firstName": "Ann"});
    let wait = [("Prefer", "wait=10")];
    let first = send(&app, &wait, &ann).await.json();
    let again = send(&app, &wait, &json!({"email": "ANN@example.com"})).await;
    assert_eq!(again.status, 201);
    let again = again.json();
    assert_eq!(again["user"], first["user"]);
    assert_eq!(again["message"], "The user is invited already; no other mail is sent yet.");
    app.clock.advance(std::time::Duration::from_mins(6));
    let later = send(&app, &wait, &ann).await.json();
    assert_eq!(later["message"], first["message"], "the mail went out again");
    let mails = app.mails_to("ann@example.com").await;
    assert_eq!(mails.len(), 2);
    let accept = json!({"token": mails[1].token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let member = send(&app, &[], &ann).await;
    assert_eq!(member.status, 400);
    assert_eq!(member.json(), json!({"error": "The user already belongs to the organization"}));
}

async fn a_repeated_request_invites_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let headers = [("Idempotency-Key", "k-1"), ("Prefer", "wait=10")];
    let ann = json!({"email": "ann@example.com"});
    let first = send(&app, &headers, &ann).await;
    let again = send(&app, &headers, &ann).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, &again.json()["user"]), (201, &first.json()["user"]));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
    let other = send(&app, &headers, &json!({"email": "bob@example.com"})).await;
    assert_eq!(other.status, 400);
    assert!(text(&other.json()["error"]).contains("Idempotency-Key"));
}

/// Whoever is overtaken by another request for the address answers with that one's invitation.
async fn requests_at_the_same_moment_find_one_invitation(stack: Stack) {
    let app = TestApp::start(stack).await;
    for round in 0..5 {
        let email = format!("ann{round}@example.com");
        let body = json!({ "email": email });
        let answers = join_all((0..8).map(|_| send(&app, &[], &body))).await;
        let mut ids = Vec::new();
        let mut mailed = 0;
        for answer in answers {
            assert_eq!(answer.status, 201, "{}", answer.text());
            ids.push(answer.header("x-invitation-id").unwrap().to_owned());
            mailed += usize::from(text(&answer.json()["message"]).contains("on its way"));
        }
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), mailed), (1, 1), "one of them invites, the others find it");
        app.until(&format!("{}/{}", app.invitations(), ids[0]), "sent").await;
        assert_eq!(app.mails_to(&email).await.len(), 1);
    }
}

async fn roles_are_those_of_the_organization(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = format!("/v1/organizations/{}", app.organization);
    let roles = json!({"default_role": "guest", "roles": ["guest", "editor"]}).to_string();
    let changed = app.client.send("PATCH", &own, &JSON, roles.as_bytes()).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text());
    let ann = |role: &str| json!({"email": "ann@example.com", "roleId": role});
    let unknown = send(&app, &[], &ann("owner")).await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (400, json!({"error": "roleId must be one of guest, editor"}))
    );
    let default = send(&app, &[], &json!({"email": "ann@example.com"})).await.json();
    assert_eq!(default["user"]["roleId"], "guest");
    let editor = json!({"email": "bob@example.com", "roleId": "editor"});
    assert_eq!(send(&app, &[], &editor).await.json()["user"]["roleId"], "editor");
}
