//! The inbox of captured mails: search, views, checks, deletion, and how it stays up to date.

use app::http::Answer;
use serde_json::json;

use crate::harness::{Stack, TestApp, block_on, text};

async fn page(app: &TestApp, path: &str) -> String {
    let answer = app.client.clone().with_key(None).get(path).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

async fn post(app: &TestApp, path: &str, form: &str, site: &str) -> Answer {
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", site)];
    let stranger = app.client.clone().with_key(None);
    stranger.send("POST", path, &headers, form.as_bytes()).await.unwrap()
}

/// Whom the mails are for that a search finds, newest first.
async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let found = app.get(&format!("/inbox/messages{query}")).await;
    found.as_array().unwrap().iter().map(|mail| text(&mail["to"])).collect()
}

async fn fingerprint(app: &TestApp) -> String {
    text(&app.get("/inbox/state").await["fingerprint"])
}

/// Invites somebody with a name, and waits for the mail.
async fn receive(app: &TestApp, email: &str, first_name: &str) {
    let made = app.post(&json!({ "email": email, "first_name": first_name })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    app.until(made.header("location").unwrap(), "sent").await;
}

#[test]
fn a_search_finds_in_every_script_and_a_mail_that_comes_changes_the_fingerprint() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let before = fingerprint(&app).await;
        assert!(page(&app, "/inbox").await.contains("No mail yet"));
        receive(&app, "zoe@example.com", "Ζωής").await;
        let after = fingerprint(&app).await;
        assert_ne!(after, before);
        assert_eq!(fingerprint(&app).await, after, "nothing has come");
        receive(&app, "jurgen@example.com", "Jürgen").await;
        for (query, whom) in [
            ("", ["jurgen@example.com", "zoe@example.com"].as_slice()),
            // Upper case in the middle of a word, and another form of the last letter.
            ("?q=%CE%96%CE%A9%CE%89%CE%A3", &["zoe@example.com"]),
            ("?q=+J%C3%9CRGEN++invited+", &["jurgen@example.com"]),
            ("?q=ZOE%40example", &["zoe@example.com"]),
            // The sender.
            ("?q=invitations%40", &["jurgen@example.com", "zoe@example.com"]),
            ("?q=jurgen+zoe", &[]),
        ] {
            assert_eq!(found(&app, query).await, whom, "{query}");
            let list = page(&app, &format!("/inbox{query}")).await;
            for one in ["jurgen@example.com", "zoe@example.com"] {
                let shown = format!("<span class=\"row-to\">{one}</span>");
                assert_eq!(list.contains(&shown), whom.contains(&one), "{query} {one}");
            }
        }
        let list = page(&app, "/inbox?q=zoe%22%3E").await;
        assert!(list.contains("value=\"zoe&quot;&gt;\"") && list.contains("Nothing found"));
        let refused = app.client.get("/inbox/messages?query=zoe").await.unwrap();
        assert_eq!(refused.status, 400, "a search that is misspelt finds not simply all");
    });
}

#[test]
fn what_is_deleted_is_gone_and_another_site_deletes_nothing() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        for email in ["ann@example.com", "bob@example.com", "cleo@example.com"] {
            app.invite_and_receive(email).await;
        }
        let bob = text(&app.get("/inbox/messages?q=bob").await[0]["id"]);
        let one = format!("/inbox/messages/{bob}/delete");
        for path in [one.as_str(), "/inbox/delete"] {
            for site in ["cross-site", "same-site"] {
                assert_eq!(post(&app, path, "", site).await.status, 400, "{path} {site}");
            }
            let get = app.client.get(path).await.unwrap();
            assert_eq!(get.status, 405, "reading deletes nothing");
        }
        assert_eq!(found(&app, "").await.len(), 3);
        let before = fingerprint(&app).await;
        for _ in 0..2 {
            let answer = post(&app, &one, "q=example.com", "same-origin").await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some("/inbox?q=example.com"))
            );
        }
        assert_ne!(fingerprint(&app).await, before);
        assert_eq!(found(&app, "").await, ["cleo@example.com", "ann@example.com"]);
        let gone = app.client.get(&format!("/inbox/messages/{bob}")).await.unwrap();
        assert_eq!(gone.status, 404);
        assert_eq!(post(&app, "/inbox/delete", "q=ANN", "same-origin").await.status, 303);
        assert_eq!(found(&app, "").await, ["cleo@example.com"]);
        // As a script would, without saying anything.
        let all = app.client.send("POST", "/inbox/delete", &[], b"").await.unwrap();
        assert_eq!(all.header("location"), Some("/inbox"));
        assert_eq!(found(&app, "").await, Vec::<String>::new());
    });
}

#[test]
fn a_mail_has_views_and_its_checks_open_no_link() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
        let id = text(&app.get("/inbox/messages").await[0]["id"]);
        let view = |query: &str| format!("/inbox/messages/{id}?{query}");
        let html = page(&app, &view("")).await;
        assert!(html.contains(&format!("src=\"/inbox/messages/{id}/html\"")));
        assert!(html.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));
        assert!(page(&app, &view("width=phone")).await.contains("card flush phone"));
        assert!(page(&app, &view("view=text")).await.contains(mail.link()));
        assert!(page(&app, &view("view=source")).await.contains("Content-Transfer-Encoding: "));
        let headers = page(&app, &view("view=headers")).await;
        for shown in ["<dt>Message-ID</dt>", "<dt>text/plain</dt>", "<dt>text/html</dt>"] {
            assert!(headers.contains(shown), "{shown}: {headers}");
        }
        let checks = page(&app, &view("view=checks")).await;
        assert!(checks.contains("Nothing is fetched"), "{checks}");
        assert!(checks.contains(mail.link()) && checks.contains("this service"), "{checks}");
        assert!(!checks.contains("class=\"problem\""), "{checks}");
        let after = app.get(&invitation).await;
        let opened = after["events"].as_array().unwrap().iter();
        let opened = opened.filter(|event| event["kind"] == "invitation.opened_page").count();
        assert_eq!((after["status"].as_str(), opened), (Some("pending"), 0));
    });
}

/// A template of the operator's own, with what phishing looks like and what Outlook cannot draw.
#[test]
fn the_checks_find_what_is_wrong_with_a_template() {
    block_on(async {
        let templates = tempfile::tempdir().unwrap();
        let mail = templates.path().join("mail");
        std::fs::create_dir(&mail).unwrap();
        let html = "<div style=\"display:flex\"><a href=\"{{accept_url}}\">https://bank.example/</a>\
            <a href=\"http://tracker.example/\">more</a><img src=\"a.webp\"></div>";
        std::fs::write(mail.join("invitation.html.hbs"), html).unwrap();
        let folder = templates.path().display().to_string();
        let settings = [("WELCOMAT_TEMPLATES_DIR", &*folder), ("WELCOMAT_MAIL_URL", "capture:")];
        let app = TestApp::start_with_settings(Stack::Embedded, &settings).await;
        let invitation = app.invite("ann@example.com").await;
        app.until(&invitation, "sent").await;
        let id = text(&app.get("/inbox/messages").await[0]["id"]);
        let checks = page(&app, &format!("/inbox/messages/{id}?view=checks")).await;
        for said in [
            "It reads as https://bank.example/, but leads to 127.0.0.1",
            "The text part does not have this link.",
            "It is not encrypted: use https.",
            "Flexbox or grid",
            "An image without a text",
            "An image format that is not shown",
        ] {
            assert!(checks.contains(said), "{said}: {checks}");
        }
    });
}
