//! Mails and pages in the language of the invitation, or of whoever looks.

use app::http::Answer;
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp};
use crate::mail::TestMail;

on_both_stacks!(
    mail_and_pages_speak_the_language_of_the_invitation,
    what_is_written_from_right_to_left_works_like_the_rest,
    a_page_without_an_invitation_speaks_the_language_of_the_browser,
    who_names_no_language_gets_that_of_the_operator,
    an_operators_own_words_come_before_ours,
);

async fn invited(app: &TestApp, email: &str, locale: &Value) -> TestMail {
    let made = app.post(&json!({"email": email, "locale": locale})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    app.until(made.header("location").unwrap(), "sent").await;
    app.mails_to(email).await.remove(0)
}

async fn page(app: &TestApp, path: &str, languages: &str) -> Answer {
    let headers = [("Accept-Language", languages)];
    app.client.clone().with_key(None).send("GET", path, &headers, b"").await.unwrap()
}

async fn post(app: &TestApp, path: &str, form: &str) -> String {
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    app.client.send("POST", path, &kind, form.as_bytes()).await.unwrap().text()
}

async fn mail_and_pages_speak_the_language_of_the_invitation(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mail = invited(&app, "ann@example.com", &json!("de-AT")).await;
    assert!(mail.text.contains("Sie sind eingeladen, Acme beizutreten"), "{}", mail.text);
    assert!(mail.text.contains("Stunden lang gültig."), "{}", mail.text);
    let form = page(&app, &mail.path(), "fr").await.text();
    assert!(form.contains("<html lang=\"de\" dir=\"ltr\">"), "{form}");
    assert!(form.contains("Annehmen und beitreten"), "{form}");
    let again = post(&app, &(mail.path() + "/accept"), "password=kurz").await;
    assert!(again.contains("mindestens 8 Zeichen haben."), "{again}");
    let question = page(&app, &(mail.path() + "/decline"), "fr").await.text();
    assert!(question.contains("Einladung ablehnen?"), "{question}");
    let declined = post(&app, &(mail.path() + "/decline"), "").await;
    assert!(declined.contains("Einladung abgelehnt"), "{declined}");
    let other = invited(&app, "bob@example.com", &json!("sv")).await;
    assert!(other.text.contains("You did not expect this invitation?"), "{}", other.text);
}

async fn what_is_written_from_right_to_left_works_like_the_rest(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mail = invited(&app, "ann@example.com", &json!("ar")).await;
    assert!(mail.text.contains("لقبول الدعوة"), "{}", mail.text);
    let form = page(&app, &mail.path(), "en").await.text();
    assert!(form.contains("<html lang=\"ar\" dir=\"rtl\">"), "{form}");
    let joined = post(&app, &(mail.path() + "/accept"), "password=correct+horse").await;
    assert!(joined.contains("أهلًا بك"), "{joined}");
    // What people copy from the mail is what it looks like.
    let mail = invited(&app, "bob@example.com", &json!("he")).await;
    let accept = json!({
        "email": "bob@example.com", "temporary_password": mail.password(),
        "password": "correct horse",
    });
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
}

async fn a_page_without_an_invitation_speaks_the_language_of_the_browser(stack: Stack) {
    let few = [("WELCOMAT_LIMITS_UNKNOWN_TOKENS_PER_MINUTE", "5")];
    let app = TestApp::start_with_settings(stack, &few).await;
    for (languages, lang, words) in [
        ("pt-PT, en;q=0.5", "pt-BR", "Não encontramos este convite"),
        ("sv, he;q=0.4, pl;q=0.9", "pl", "Nie możemy znaleźć"),
        ("zh-TW", "en", "We cannot find this invitation"),
        ("*;q=0.1, \"!?;;,-", "en", "We cannot find this invitation"),
        ("", "en", "We cannot find this invitation"),
    ] {
        let found = page(&app, "/i/unknown", languages).await;
        assert_eq!((found.status, found.header("vary")), (404, Some("Accept-Language")));
        let html = found.text();
        assert!(html.contains(&format!("<html lang=\"{lang}\"")), "{languages}: {html}");
        assert!(html.contains(words), "{languages}: {html}");
    }
    let later = page(&app, "/i/unknown", "ja").await;
    assert_eq!(later.status, 429);
    assert!(later.header("retry-after").is_some());
    assert!(later.text().contains("1分後"), "{}", later.text());
}

async fn who_names_no_language_gets_that_of_the_operator(stack: Stack) {
    let french = [("WELCOMAT_INVITATION_LOCALE", "fr-CA")];
    let app = TestApp::start_with_settings(stack, &french).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(app.get(&invitation).await["locale"], "fr-CA");
    assert!(mail.text.contains("Bonjour,"), "{}", mail.text);
    // A contract has no word for a language.
    let answer =
        app.client.post("/iam/v1/users/invite", &json!({"email": "bob@example.com"})).await;
    assert_eq!(answer.unwrap().status, 201);
    let listed = app.get(&format!("{}?email=bob@example.com", app.invitations())).await;
    assert_eq!(listed["data"][0]["locale"], "fr-CA");
    let nowhere = page(&app, "/i/unknown", "sv").await.text();
    assert!(nowhere.contains("<html lang=\"fr\""), "{nowhere}");
}

async fn an_operators_own_words_come_before_ours(stack: Stack) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("locales/nl.toml", "[accept]\nsubmit = \"Ja, graag\"\n");
    write("en/pages/accept.html.hbs", "<form action=\"{{token_path}}/accept\">{{error}}</form>");
    let path = folder.path().display().to_string();
    let app = TestApp::start_with_settings(stack, &[("WELCOMAT_TEMPLATES_DIR", &path)]).await;
    let dutch = invited(&app, "ann@example.com", &json!("nl")).await;
    let form = page(&app, &dutch.path(), "").await.text();
    assert!(form.contains("Ja, graag") && form.contains("Uitnodiging afwijzen"), "{form}");
    // As it was before there were other languages.
    let english = invited(&app, "bob@example.com", &Value::Null).await;
    let form = page(&app, &english.path(), "").await.text();
    assert_eq!(form, format!("<form action=\"{}/accept\"></form>", english.path()));
}
