//! The client and the real product: inviting as on the contract's page, and running an instance.

use serde_json::{Value, json};

use super::{Call, Said, welcomat};
use crate::branding::picture;
use crate::harness::{INSTANCE_KEY, KEY, Stack, TestApp, block_on, text};

fn call(app: &TestApp, arguments: &str) -> Call {
    welcomat(arguments).env("WELCOMAT_URL", &app.url).env("WELCOMAT_API_KEY", KEY)
}

#[test]
fn a_user_is_invited_in_three_ways_with_one_result() {
    block_on(async {
        let invite = async |arguments: &str, input: Option<Value>| {
            let app = TestApp::start(Stack::Embedded).await;
            let mut command = call(&app, &format!("invite-user --wait=30s {arguments}"));
            if let Some(body) = input {
                command = command.input(&body.to_string());
            }
            let said: Said = command.run();
            assert!(said.err.contains("the mail is sent"), "{said:?}");
            assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
            let mut said = said.json();
            for id in ["id", "organizationId"] {
                assert!(said["user"][id].is_string(), "{said}");
                said["user"][id] = "…".into();
            }
            said
        };
        let ann = json!({"email": "ann@example.com", "firstName": "Ann"});
        let shorthand = invite("email: ann@example.com, firstName: Ann", None).await;
        assert_eq!(shorthand["user"]["displayName"], "Ann");
        assert_eq!(invite("--email ann@example.com --first-name Ann", None).await, shorthand);
        assert_eq!(invite("", Some(ann)).await, shorthand);
        let merged = invite("firstName: Ann", Some(json!({"email": "ann@example.com"}))).await;
        assert_eq!(merged, shorthand);
    });
}

#[test]
fn a_mail_that_is_not_sent_is_exit_code_6() {
    block_on(async {
        let mut app = TestApp::start_with_smtp(Stack::Embedded).await;
        app.sink().refuse("ann@example.com", "550 5.1.1 no such user");
        let said = call(&app, "inviteuser --wait=30s email: ann@example.com").run();
        assert_eq!(said.code, 6, "{said:?}");
        assert!(said.err.contains("failed"), "{said:?}");
        let listed = call(&app, "deliveries list --status failed --quiet").run().good();
        assert_eq!(listed.lines().count(), 1);
    });
}

#[test]
fn an_organization_gets_its_look_from_the_terminal() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.display().to_string()
        };
        let (logo, svg) = (file("logo", &picture(100)), file("logo.svg", b"<svg/>"));
        let wrong = call(&app, &format!("branding set --name Initech --logo {svg}")).run();
        assert!(wrong.code == 2 && wrong.err.contains("SVG is not taken"), "{wrong:?}");
        let set = format!("branding set --name Initech --accent #7a1fa2 --logo {logo}");
        let set = call(&app, &set).run().json();
        assert_eq!(set["logo"]["media_type"], "image/png", "{set}");
        let support = call(&app, "branding set --support mailto:help@example.com").run().json();
        let kept = ["name", "accent", "support_url"].map(|field| text(&support[field]));
        assert_eq!(kept, ["Initech", "#7a1fa2", "mailto:help@example.com"]);
        let less = call(&app, "branding set --accent= --no-logo").run().json();
        assert_eq!(less, call(&app, "branding show").run().json());
        assert_eq!((&less["accent"], &less["logo"]), (&json!(null), &json!(null)));
        assert_eq!(less["name"], "Initech", "what is not given stays as it is");
        call(&app, "branding clear").run().good();
        assert_eq!(call(&app, "branding get").run().json()["name"], json!(null));
    });
}

#[test]
fn an_operator_runs_organizations_from_the_terminal() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let operator =
            |arguments: &str| call(&app, arguments).env("WELCOMAT_API_KEY", INSTANCE_KEY);
        let made = operator("organizations create --name Initech --roles member,boss");
        let id = text(&made.run().json()["id"]);
        let unnamed = operator("members list").run();
        assert_eq!(unnamed.code, 2, "{unnamed:?}");
        assert!(unnamed.err.contains("--organization"), "{unnamed:?}");
        let key = operator(&format!("keys create --name first --quiet --organization {id}")).run();
        let key = key.good();
        let theirs = |arguments: &str| call(&app, arguments).env("WELCOMAT_API_KEY", &key);
        let said = theirs("invite-user email: ann@example.com, roleId: owner").run();
        assert_eq!(said.code, 4);
        assert!(said.err.contains("roleId must be one of member, boss"), "{said:?}");
        theirs("invite-user email: ann@example.com, roleId: boss").run().good();
        let members = operator(&format!("members list --organization {id}")).run().json();
        assert_eq!(members["data"][0]["email"], "ann@example.com");
        let user = text(&members["data"][0]["user_id"]);
        let said = theirs(&format!("members remove {user}")).run();
        assert!(said.err.contains("Revoke the invitation instead"), "{said:?}");
        let keys = operator(&format!("keys list --organization {id}")).run().json();
        assert_eq!(keys["data"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_key_for_the_whole_instance_is_made_in_the_database() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let made = welcomat("keys create --instance --name operator")
            .env("WELCOMAT_DATA_DIR", app.folder.path().to_str().unwrap())
            .env("WELCOMAT_LOG_FILTER", "warn")
            .run();
        let key = made.good();
        let me = app.client.clone().with_key(Some(key.trim().to_owned())).get("/v1/me").await;
        let me = me.unwrap().json();
        assert_eq!((&me["organization"], &me["role"]), (&Value::Null, &json!("admin")));
    });
}

#[test]
fn templates_are_files_at_the_terminal() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let folder = tempfile::tempdir().unwrap();
        let mail = folder.path().join("mail");
        let to = mail.to_str().unwrap();
        call(&app, &format!("templates get de --original --to {to}")).run().good();
        let subject = mail.join("subject.txt.hbs");
        std::fs::write(&subject, "Komm zu {{organisation}}").unwrap();
        let said = call(&app, &format!("templates save de {to}")).run();
        assert_eq!(said.code, 4);
        assert!(said.err.contains("line 1, column 9: there is no variable"), "{said:?}");
        std::fs::write(&subject, "Komm zu {{organization}}").unwrap();
        let preview = call(&app, &format!("templates preview de {to}")).run().json();
        assert_eq!(preview["subject"], "Komm zu Acme");
        let html = call(&app, &format!("templates preview de {to} --html")).run().good();
        assert!(html.starts_with("<!doctype html>"), "{html}");
        call(&app, &format!("templates save de {to}")).run().good();
        std::fs::write(&subject, "Zweiter Versuch").unwrap();
        let second = call(&app, &format!("templates save de {to} --quiet")).run().good();
        assert_eq!(second.trim(), "2");
        call(&app, "templates rollback de 1").run().good();
        let test = |arguments: &str| {
            call(&app, &format!("templates test de {arguments} --to ada@example.com --wait")).run()
        };
        for (arguments, subject) in
            [(to, "Zweiter Versuch"), ("--version 1", "Komm zu Acme"), ("", "Komm zu Acme")]
        {
            let sent = test(arguments).json();
            assert_eq!((&sent["status"], &sent["subject"]), (&json!("sent"), &json!(subject)));
        }
        assert_eq!(app.mails_to("ada@example.com").await.len(), 3);
        let versions = call(&app, "templates versions de").run().json();
        let current: Vec<_> = versions["data"].as_array().unwrap().iter().collect();
        assert_eq!((&current[0]["current"], &current[1]["current"]), (&json!(false), &json!(true)));
        let old = call(&app, "templates get de --version 2").run().json();
        assert_eq!(old["subject"], "Zweiter Versuch");
        assert_eq!(call(&app, "templates retry").run().json()["retried"], 0);
        call(&app, "templates delete de").run().good();
        assert_eq!(call(&app, "templates list").run().json()["data"], json!([]));
    });
}

#[test]
fn webhooks_are_managed_from_the_terminal() {
    block_on(async {
        let app = TestApp::start_with_settings(Stack::Embedded, &crate::webhooks::NEAR).await;
        let receiver = crate::webhooks::receiver::Receiver::start().await;
        let to = receiver.url();
        let made = call(&app, &format!("webhooks create --events invitation.revoked --to {to}"));
        let said = made.run();
        assert!(said.err.contains("it is not shown again"), "{said:?}");
        let id = text(&said.json()["id"]);
        let secret = call(&app, &format!("webhooks rotate-secret {id} --quiet")).run().good();
        assert!(secret.starts_with("whsec_") && secret.lines().count() == 1, "{secret}");
        call(&app, &format!("webhooks test {id}")).run().good();
        receiver.until("webhook.test", 1).await;
        let since = text(&call(&app, &format!("webhooks get {id}")).run().json()["created_at"]);
        let log = call(&app, &format!("webhooks log {id}")).run().json();
        let delivery = text(&log["data"][0]["id"]);
        let failed = call(&app, &format!("webhooks replay {id} --since {since}")).run().json();
        assert_eq!(failed, json!({"replayed": 0, "more": false}));
        crate::servers::eventually("the test can be replayed", async || {
            let replay = format!("webhooks replay {id} --delivery {delivery}");
            (call(&app, &replay).run().json()["generation"] == 2).then_some(())
        })
        .await;
        receiver.until("webhook.test", 2).await;
        let off = call(&app, &format!("webhooks update {id} --enabled false --all-events")).run();
        let off = off.json();
        assert_eq!((&off["status"], &off["event_types"]), (&json!("disabled"), &Value::Null));
        call(&app, &format!("webhooks delete {id}")).run().good();
        assert_eq!(call(&app, "webhooks list").run().json()["data"], json!([]));
    });
}

#[test]
fn a_file_of_people_is_invited_from_the_terminal() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let file = app.folder.path().join("people.csv");
        std::fs::write(&file, "email\nann@example.com\nbob@example.com\n").unwrap();
        let said = call(&app, &format!("batches create {} --wait", file.display())).run();
        assert!(said.err.contains("2 rows are done, after "), "{said:?}");
        let batch = said.json();
        assert_eq!((&batch["name"], &batch["rows"]["created"]), (&json!("people.csv"), &json!(2)));
        let lines = "{\"email\":\"cid@example.com\"}\nnobody\n";
        let piped = call(&app, "batches create - --format ndjson --name crm --wait").input(lines);
        let said = piped.run();
        assert_eq!(said.code, 6, "{said:?}");
        assert!(said.err.contains("1 of 2 rows are not invited"), "{said:?}");
        assert!(said.err.contains("hint: `welcomat batches rows"), "{said:?}");
        let list = call(&app, "batches list").run().json();
        let id = text(&list["data"][0]["id"]);
        assert_eq!(list["data"][0]["name"], "crm");
        let rows = call(&app, &format!("batches rows {id} --status invalid")).run().json();
        assert_eq!(rows["data"][0]["code"], "malformed_json");
        let csv = call(&app, &format!("batches rows {id} --csv")).run().good();
        assert!(csv.starts_with("number,line,email,status,"), "{csv}");
        assert_eq!(csv.lines().count(), 3);
        for act in ["retry", "cancel", "get"] {
            let shown = call(&app, &format!("batches {act} {id}")).run().json();
            assert_eq!(shown["status"], "done", "{act}");
        }
        let wrong = call(&app, &format!("batches create {} --mode atomic", file.display())).run();
        assert_eq!(wrong.code, 4, "{wrong:?}");
        assert!(wrong.err.contains("rows[1] invitation_pending: "), "{wrong:?}");
        assert_eq!(call(&app, "batches create nowhere.csv").run().code, 2);
    });
}
