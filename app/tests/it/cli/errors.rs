//! A call that fails: the server's words, a hint, and an exit code that says whose fault it is.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::recorder::{Reply, reply};
use super::{KEY, Recorder, welcomat, welcomat_at};

#[test]
fn the_servers_words_and_a_hint() {
    let problem = json!({
        "type": "urn:welcomat:problem:validation_failed", "title": "Unprocessable Entity",
        "status": 422, "detail": "One or more fields are missing or wrong.",
        "code": "validation_failed",
        "errors": [{"field": "status", "message": "must be one of pending, accepted"},
                   {"field": "email", "message": "needs one @"}],
    });
    let limited =
        Reply::Says(429, "Retry-After: 30\r\n", json!({"error": "Too many."}).to_string());
    let broken = Reply::Says(502, "", "<html>Bad gateway</html>".to_owned());
    let escape = reply(400, &json!({"error": "bad \u{1b}[2Jname\r\n"}));
    let error = |status: u16, words: &str| reply(status, &json!({ "error": words }));
    let detail = |status: u16, words: &str| reply(status, &json!({ "detail": words }));
    let mut seen = Vec::new();
    for (code, answer) in [
        (4, error(400, "roleId is unknown")),
        (4, error(401, "Invalid API key.")),
        (4, error(403, "The key may only read.")),
        (4, detail(404, "There is nothing at this address that you can see.")),
        (4, detail(409, "The invitation is revoked and cannot be changed any more.")),
        (4, reply(422, &problem)),
        (4, limited),
        (4, escape),
        (5, error(500, "Something went wrong on our side.")),
        (5, broken),
        (1, Reply::Says(302, "Location: http://elsewhere/\r\n", String::new())),
        (1, Reply::Says(200, "", "<html>A router</html>".to_owned())),
    ] {
        let server = Recorder::start(vec![answer]);
        let said = welcomat_at(&server.url, "keys list").run();
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{said:?}");
        server.asked_once();
        let said = said.err.replace(&server.url, "http://server");
        seen.push(format!("exit code {code}\n{said}"));
    }
    assert_snapshot!(seen.concat());
}

#[test]
fn nobody_there_is_a_local_error() {
    // Nobody listens at port 1 of this machine.
    let said = welcomat_at("http://127.0.0.1:1", "keys list").run();
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert_snapshot!(said.err);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let said = welcomat_at(&url, "keys revoke 1 --timeout 200ms").run();
    assert_eq!(said.code, 1);
    assert!(said.err.contains("gives no answer: timeout"), "{said:?}");
}

#[test]
fn the_key_is_shown_nowhere() {
    let echo = || reply(401, &json!({"error": format!("{KEY} is not valid")}));
    let server = Recorder::start(vec![echo()]);
    let with_flag = |call: &str| welcomat(&format!("{call} --api-key {KEY} --url {}", server.url));
    for call in [
        welcomat_at(&server.url, "keys list"),
        with_flag("keys list"),
        with_flag("keys list --bogus"),
        with_flag("keys --help"),
        with_flag("invite-user --wait=x"),
        welcomat_at(&server.url, "invite-user --help"),
        welcomat_at(&server.url, "man"),
        welcomat_at(&server.url, "completions zsh"),
        welcomat_at("http://127.0.0.1:1", "keys list"),
        welcomat("keys list").env("WELCOMAT_API_KEY", &format!("{KEY} {KEY}")),
    ] {
        let said = call.run();
        assert!(!said.out.contains(KEY) && !said.err.contains(KEY), "{said:?}");
    }
}

#[test]
fn a_key_for_the_whole_instance_names_the_organization() {
    let me = json!({"organization": null, "user": {"id": "u"}, "role": "admin"});
    let server = Recorder::says(200, &me);
    for call in ["invitations list", "deliveries list", "members list"] {
        let said = welcomat_at(&server.url, call).run();
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains("name one with --organization ID"), "{said:?}");
    }
    let page = json!({"data": [{"id": "i-1"}], "next_cursor": null});
    let server = Recorder::says(200, &page);
    let call = "invitations list --organization o-1 --output json";
    assert_eq!(welcomat_at(&server.url, call).run().json()["data"][0]["id"], "i-1");
    assert_eq!(server.asked_once().line, "GET /v1/organizations/o-1/invitations?limit=50");
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let long = json!({"data": [Value::from("x".repeat(17 * 1024 * 1024))]});
    let server = Recorder::says(200, &long);
    let said = welcomat_at(&server.url, "keys list").run();
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the answer has more than 16777216 bytes"), "{said:?}");
}
