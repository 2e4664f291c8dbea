//! Bodies made to confuse or to exhaust the reader, on every kind of route that reads JSON.

use crate::contracts::users_organizations::{admin, session};
use crate::harness::{Stack, TestApp, block_on};

/// What is special about a body, its type and encoding, and the statuses it may get where our own
/// rules hold and where a contract's do.
struct Case {
    what: &'static str,
    media_type: &'static str,
    encoding: Option<&'static str>,
    body: Vec<u8>,
    ours: u16,
    contracts: &'static [u16],
}

fn case(what: &'static str, body: impl Into<Vec<u8>>, ours: u16) -> Case {
    let contracts: &[u16] = match ours {
        413 => &[400, 413, 422],
        _ => &[400, 422],
    };
    Case {
        what,
        media_type: "application/json",
        encoding: None,
        body: body.into(),
        ours,
        contracts,
    }
}

fn cases() -> Vec<Case> {
    let nested = |open: &str, close: &str, depth| {
        format!("{{\"metadata\":{{\"a\":{}1{}}}}}", open.repeat(depth), close.repeat(depth))
    };
    // A gzip of ten megabytes of zeros has ten kilobytes; what it holds does not matter here.
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let mut invalid = b"{\"email\":\"".to_vec();
    invalid.extend_from_slice(b"\xff\xfe@example.com\"}");
    vec![
        case("no JSON", "{", 400),
        case("nothing", "", 400),
        case("not a number", "{\"email\":NaN}", 400),
        case("infinity", "{\"email\":-Infinity}", 400),
        case("a lone surrogate", "{\"email\":\"\\ud800@example.com\"}", 400),
        case("a lone low surrogate", "{\"email\":\"\\udc00\"}", 400),
        case("invalid UTF-8", invalid, 400),
        case("nested arrays", nested("[", "]", 10_000), 400),
        case("nested objects", nested("{\"a\":", "}", 4_000), 400),
        case("a bare depth bomb", "[".repeat(30_000), 400),
        case("two documents", "{}{}", 400),
        case("an array", "[{\"email\":\"ann@example.com\"}]", 422),
        case("ten megabytes", vec![b' '; 10_000_000], 413),
        case("ten megabytes of a name", vec![b'a'; 10_000_000], 413),
        Case {
            media_type: "text/plain",
            contracts: &[400, 415, 422],
            ..case("another type", "{\"email\":\"ann@example.com\"}", 415)
        },
        Case {
            media_type: "application/json; charset=utf-16",
            contracts: &[400, 415, 422],
            ..case("another charset", "{\"email\":\"ann@example.com\"}", 415)
        },
        Case {
            encoding: Some("gzip"),
            contracts: &[400, 415, 422],
            ..case("a compressed body", gzip.to_vec(), 415)
        },
        Case {
            encoding: Some("br"),
            contracts: &[400, 415, 422],
            ..case("a body compressed otherwise", "{}", 415)
        },
    ]
}

#[test]
fn a_hostile_body_is_refused_and_the_process_serves_on() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let user = admin(&app).await;
        let token = session(&app, user);
        let ours = [app.invitations(), "/v1/invitations/accept".to_owned()];
        let contracts = [
            format!("/api/v1/users/invite/{}", app.organization),
            format!("/users-organizations/v1/rs/na/{user}/invite"),
            "/iam/v1/users/invite".to_owned(),
            "/organization/users/invite".to_owned(),
        ];
        for case in cases() {
            let mut headers = vec![("Content-Type", case.media_type), ("x-session-token", &token)];
            headers.extend(case.encoding.map(|encoding| ("Content-Encoding", encoding)));
            let send = async |path: &str| {
                app.client.send("POST", path, &headers, &case.body).await.unwrap()
            };
            for path in &ours {
                let answer = send(path).await;
                // A field that nobody knows is refused before what is in it.
                let unknown = path != &app.invitations() && answer.status == 422;
                let status = if unknown { case.ours } else { answer.status };
                assert_eq!(status, case.ours, "{} at {path}: {}", case.what, answer.text());
                assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            }
            for path in &contracts {
                let answer = send(path).await;
                let (status, text) = (answer.status, answer.text());
                assert!(
                    case.contracts.contains(&status),
                    "{} at {path}: {status} {text}",
                    case.what
                );
                assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
            }
        }
        app.invite_and_receive("ann@example.com").await;
        assert_eq!(app.mails().await.len(), 1, "none of them invited anybody");
    });
}

#[test]
fn an_equal_key_is_refused_wherever_our_own_rules_hold() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        for (path, body) in [
            (app.invitations(), r#"{"email":"a@example.com","email":"b@example.com"}"#),
            (app.invitations(), r#"{"email":"a@example.com","\u0065mail":"b@example.com"}"#),
            ("/v1/api-keys".to_owned(), r#"{"name":"a","role":"member","role":"admin"}"#),
            ("/v1/invitations/accept".to_owned(), r#"{"token":"a","token":"b","password":"x"}"#),
        ] {
            let headers = [("Content-Type", "application/json")];
            let answer = app.client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
            let errors = answer.json()["errors"].clone();
            assert_eq!((answer.status, &errors[0]["message"]), (422, &"is given twice".into()));
        }
    });
}
