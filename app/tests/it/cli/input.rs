//! What `invite-user` sends: the same whichever way it is told.

use serde_json::{Value, json};

use super::recorder::{Reply, invited, reply};
use super::{Recorder, Said, welcomat, welcomat_at};

const BODY: &str = r#"{"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee",
    "jobTitle": "Sales / Marketing", "roleId": "5", "organizationId": "o-1"}"#;

#[test]
fn the_three_ways_of_input_send_the_same_body() {
    let shorthand = "invite-user email: ann@example.com, firstName: Ann, lastName: Lee, \
        jobTitle: Sales / Marketing, roleId: \"5\", organizationId: o-1";
    let flags = "invite-user --email ann@example.com --first-name Ann --last-name Lee \
        --role-id 5 --organization-id o-1 --job-title";
    let server = Recorder::start(vec![invited()]);
    let call = |arguments: &str| welcomat_at(&server.url, arguments);
    for call in [
        call("invite-user").input(BODY),
        call(shorthand),
        call(&shorthand.replacen("invite-user", "inviteuser", 1)),
        call("invite-user").arg(BODY),
        call(flags).arg("Sales / Marketing"),
        // Shorthand wins over standard input, a flag over both.
        call("invite-user roleId: \"5\", lastName: Lie --last-name Lee")
            .input(&BODY.replace("\"5\"", "\"4\"")),
    ] {
        call.run().good();
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 6);
    let expected: Value = serde_json::from_str(BODY).unwrap();
    for asked in asked {
        assert_eq!(asked.line, "POST /iam/v1/users/invite");
        assert_eq!(asked.header("content-type"), Some("application/json"));
        assert_eq!(asked.json(), expected);
    }
}

#[test]
fn a_dry_run_shows_the_body_and_sends_nothing() {
    let server = Recorder::start(vec![invited()]);
    let said = welcomat_at(&server.url, "invite-user email: a@b.co, roleId: r --dry-run").run();
    assert_eq!(said.json(), json!({"email": "a@b.co", "roleId": "r"}));
    assert!(server.asked().is_empty());
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let server = Recorder::start(vec![invited()]);
    let call = |arguments: &str| welcomat_at(&server.url, arguments);
    for (call, words) in [
        (call("invite-user firstName: Ann"), "email is missing"),
        (call("invite-user e_mail: a@b.co"), "did you mean \"email\"?"),
        (call("invite-user email: a@b.co, roleId: 5"), "roleId must be text"),
        (call("invite-user email: a@b.co, jobTitle: Sales"), "did you mean \"Sales / Marketing\""),
        (call("invite-user email: a@b.co --job-title Boss"), "possible values: \"Data Engineer"),
        (call("invite-user email: @file"), "files (@name) are not supported"),
        (call("invite-user email"), "at character 6"),
        (call("invite-user --wait 30s email: a@b.co"), "write --wait=30s"),
        (call("invite-user").input("[1]"), "must be one JSON object, but it is another value"),
        (call("invite-user").input("{"), "must be one JSON object, but EOF"),
        (call("invite-user").input(&"x".repeat(2_000_000)[..]), "more than 1048576 bytes"),
        (call("invite-user email: a@b.co --output xml"), "invalid value 'xml'"),
        (call("invite-user --unknown"), "unexpected argument '--unknown'"),
        (call("invitations list --all --limit 5"), "cannot be used with"),
        (call("organizations update o-1"), "nothing to change"),
        (call("keys list --url ftp://x"), "must be a URL"),
        (call("keys list --timeout 5"), "write a number and a unit"),
        (welcomat("keys list --api-key käse"), "the API key has characters that no key has"),
    ] {
        let said: Said = call.run();
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
        assert_eq!(said.out, "");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again_under_the_same_key() {
    let server = Recorder::start(vec![Reply::HangsUp, Reply::HangsUp, invited()]);
    welcomat_at(&server.url, "invite-user email: a@b.co").run().good();
    let asked = server.asked();
    let keys: Vec<_> = asked.iter().map(|asked| asked.header("idempotency-key").unwrap()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0] && key.parse::<uuid::Uuid>().is_ok()));

    let gone = Recorder::start(vec![Reply::HangsUp]);
    let said = welcomat_at(&gone.url, "invite-user email: a@b.co --idempotency-key mine").run();
    assert_eq!(said.code, 1, "{said:?}");
    let asked = gone.asked();
    assert_eq!(asked.len(), 3, "two more tries are enough");
    assert!(asked.iter().all(|asked| asked.header("idempotency-key") == Some("mine")));
    assert_ne!(gone.asked()[0].header("idempotency-key"), Some(keys[0]));
}

#[test]
fn what_would_happen_twice_is_not_repeated_and_neither_is_an_answer() {
    for arguments in ["keys create --name x", "dead-letters redrive 1", "keys revoke 1"] {
        let server = Recorder::start(vec![Reply::HangsUp]);
        assert_eq!(welcomat_at(&server.url, arguments).run().code, 1);
        server.asked_once();
    }
    let server = Recorder::start(vec![reply(503, &json!({"error": "busy"}))]);
    assert_eq!(welcomat_at(&server.url, "invite-user email: a@b.co").run().code, 5);
    server.asked_once();
}

#[test]
fn ids_cannot_lead_to_another_address() {
    let server = Recorder::says(200, &json!({}));
    let call = "organizations get ../api-keys?x=1#y --quiet";
    welcomat_at(&format!("{}/behind/", server.url), call).run().good();
    let asked = server.asked_once();
    assert_eq!(asked.line, "GET /behind/v1/organizations/..%2Fapi-keys%3Fx=1%23y");
    assert_eq!(asked.header("authorization"), Some(&*format!("Bearer {}", super::KEY)));
}
