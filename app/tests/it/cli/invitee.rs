//! The client and the real product: whoever is invited, and what a server without mail keeps.

use serde_json::{Value, json};

use super::{Call, welcomat};
use crate::harness::{KEY, Stack, TestApp, block_on, text};
use crate::tokens::token_of_admin;

fn call(app: &TestApp, arguments: &str) -> Call {
    welcomat(arguments).env("WELCOMAT_URL", &app.url).env("WELCOMAT_API_KEY", KEY)
}

/// The same without a key, as an invitee has none.
fn invitee(app: &TestApp, arguments: &str) -> Call {
    welcomat(arguments).env("WELCOMAT_URL", &app.url)
}

#[test]
fn who_one_is_and_what_one_is_invited_to() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let me = call(&app, "me").run().json();
        assert_eq!(me, app.get("/v1/me").await);
        assert_eq!(call(&app, "me -q").run().good(), format!("{}\n", app.organization));
        let refused = call(&app, "me invitations").run();
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.err.contains("This needs a token (JWT)"), "{refused:?}");
        let (other, theirs) = app.other_organization().await;
        let invited = json!({ "email": me["user"]["email"], "role": "editor" });
        let path = format!("/v1/organizations/{other}/invitations");
        assert_eq!(theirs.post(&path, &invited).await.unwrap().status, 201);
        let token = token_of_admin(&app).await;
        let own = call(&app, "me invitations").env("WELCOMAT_API_KEY", &token).run().json();
        let own = &own["data"][0];
        assert_eq!(
            (&own["organization"]["name"], &own["role"]),
            (&json!("Other"), &json!("editor"))
        );
    });
}

#[test]
fn an_invitation_is_accepted_and_declined_with_secrets_from_standard_input() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let (path, mail) = app.invite_and_receive("ann@example.com").await;
        let secrets = format!("{}{}\r\ncorrect horse battery\r\n", app.url, mail.path());
        let joined = invitee(&app, "invitations accept").input(&secrets).run().json();
        assert_eq!(
            (&joined["status"], &joined["email"]),
            (&json!("accepted"), &json!("ann@example.com"))
        );
        assert_eq!(app.get(&path).await["status"], "accepted");

        let (path, mail) = app.invite_and_receive("bob@example.com").await;
        let token = mail.token();
        let declined = invitee(&app, "invitations decline --quiet").input(&token).run().good();
        assert_eq!(format!("{}\n", path.rsplit('/').next().unwrap()), declined);
        assert_eq!(app.get(&path).await["status"], "declined");
        let late =
            invitee(&app, "invitations accept").input(&format!("{token}\nlong enough")).run();
        assert_eq!(late.code, 4, "{late:?}");
        assert!(late.err.contains("declined") && !late.err.contains(&token), "{late:?}");
    });
}

#[test]
fn secrets_are_asked_for_line_by_line_and_never_as_arguments() {
    for (call, input, words) in [
        ("invitations accept", "", "the token of the link and, on the next line, the new password"),
        ("invitations accept", "7K2MQ4X9TB3WN8RJ5HC6VD0PZE\n", "it has 1 line"),
        ("invitations decline", "one\ntwo\n", "it has 2 lines"),
        ("invitations decline 7K2MQ4X9TB3WN8RJ5HC6VD0PZE", "", "unexpected argument"),
    ] {
        let said = welcomat(call).input(input).run();
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
}

#[test]
fn what_a_pending_invitation_means_and_what_is_ones_own_is_said_at_create() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let create = |options: &str, metadata: &str| {
            let arguments = format!("invitations create ann@example.com {options} --metadata");
            call(&app, &arguments).arg(metadata).run()
        };
        let first = create("", r#"{"team": "design"}"#).json();
        assert_eq!(first["metadata"], json!({"team": "design"}));
        let again = create("--on-existing error", "{}");
        assert_eq!(again.code, 4, "{again:?}");
        assert_eq!(create("--on-existing ignore", "{}").json()["id"], first["id"]);
        let replaced = create("--on-existing replace", r#"{"team": "sales"}"#).json();
        assert_ne!(replaced["id"], first["id"]);
        assert_eq!(replaced["metadata"], json!({"team": "sales"}));
        let wrong = create("", "[1]");
        assert_eq!(wrong.code, 2, "{wrong:?}");
        assert!(wrong.err.contains("it must be a JSON object"), "{wrong:?}");
    });
}

#[test]
fn captured_mails_are_listed_shown_and_deleted() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        app.invite_and_receive("ann@example.com").await;
        app.invite_and_receive("bob@example.com").await;
        let listed = |arguments: &str| {
            let list = call(&app, &format!("inbox list {arguments}")).run().json();
            list["data"].as_array().unwrap().clone()
        };
        assert_eq!(listed("").len(), 2);
        let found = listed("--search ann@example.com");
        let [mail] = &found[..] else { panic!("{found:?}") };
        let id = text(&mail["id"]);
        assert_eq!(call(&app, &format!("inbox get {id}")).run().json(), *mail);
        let source = call(&app, &format!("inbox get {id} --source")).run().good();
        assert!(source.contains("To: ann@example.com\r\n"), "{source}");
        let deleted = call(&app, &format!("inbox delete {id}")).run().json();
        assert_eq!(deleted, json!({"id": id, "deleted": true}));
        let gone = call(&app, &format!("inbox get {id}")).run();
        assert!(gone.code == 2 && gone.err.contains("the inbox has no mail"), "{gone:?}");
        assert_eq!(listed("").len(), 1);
        call(&app, "inbox delete --all").run().good();
        assert_eq!(listed(""), [] as [Value; 0]);
        assert_eq!(call(&app, "inbox delete").run().code, 2, "not all by accident");
    });
}

#[test]
fn what_became_of_a_test_mail_can_be_asked_later() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let sent = call(&app, "templates test default --to ada@example.com --wait=30s").run();
        let sent = sent.json();
        let status = format!("templates test-status {}", text(&sent["id"]));
        assert_eq!(call(&app, &status).run().json(), sent);
        assert_eq!(sent["status"], "sent", "{sent}");
    });
}
