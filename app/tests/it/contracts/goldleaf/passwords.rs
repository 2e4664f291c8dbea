//! A given password: stored as a hash for those who have none, and nowhere else.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use app::http::Client;
use serde_json::{Value, json};

use super::{PATH, all_is_sent, invite, post, statuses};
use crate::database::{everything, password_of};
use crate::harness::{KEY, Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(
    a_password_is_stored_as_a_hash_and_never_seen_again,
    without_a_password_the_mail_brings_one,
    with_and_without_is_with,
    whoever_has_a_password_keeps_it,
    a_request_is_given_the_time_that_its_passwords_take,
);

const SECRET: &str = "Zebra.Quartz9";

fn assert_no_secret(what: &str, bytes: &[u8]) {
    assert!(bytes.len() > 20, "{what} is there");
    let mut hexadecimal = String::new();
    for byte in SECRET.bytes() {
        write!(hexadecimal, "{byte:02x}").unwrap();
    }
    for form in [SECRET, &hexadecimal] {
        let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "the password is in {what}");
    }
}

async fn a_password_is_stored_as_a_hash_and_never_seen_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let body = json!({"emailAddresses": [{"email": "ann@example.com", "password": SECRET}]});
    let headers = [("Idempotency-Key", "k-1"), ("Prefer", "wait=30")];
    let answer = post(&app, PATH, &headers, &body).await;
    assert_eq!(answer.header("x-email-status"), Some("sent"));
    assert_no_secret("the answer", answer.text().as_bytes());
    assert_no_secret("its headers", format!("{:?}", answer.headers).as_bytes());
    let (hash, must_change) = password_of(&app.database_url, "ann@example.com").await;
    assert!(hash.unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(must_change);
    let mails = app.mails_to("ann@example.com").await;
    assert_eq!(mails.len(), 1);
    let source = mails[0].source.replace("=\r\n", "");
    assert!(source.contains(&mails[0].token()), "the source is whole");
    assert_no_secret("the mail", source.as_bytes());
    assert!(!source.to_ascii_lowercase().contains("password"), "the mail has the link only");
    let id = answer.header("x-invitation-id").unwrap();
    let timeline = app.get(&format!("{}/{id}", app.invitations())).await;
    assert_eq!(timeline["events"][0]["data"]["credential"], "link");
    assert_no_secret("the timeline", timeline.to_string().as_bytes());
    // The same key with other bodies, and bodies that are wrong because of the password.
    let error = post(
        &app,
        PATH,
        &headers,
        &json!({"emailAddresses": [
            {"email": "bob@example.com", "password": SECRET},
        ]}),
    )
    .await;
    assert_eq!(error.status, 400);
    assert_no_secret("an error", error.text().as_bytes());
    for wrong in [
        json!([{"email": "nope", "password": SECRET}]),
        json!([{"email": "a@example.com", "password": SECRET}, {"email": "a@example.com", "password": "Other-Horse-7"}]),
        json!([{"email": "a@example.com", "password": format!("{SECRET}{}", "x".repeat(200))}]),
        json!([{"email": "a@example.com", "password": [SECRET]}]),
        json!([{"email": {"password": SECRET}}]),
        json!([SECRET]),
        json!(SECRET),
    ] {
        let error = invite(&app, &wrong).await;
        assert_eq!(error.status, 400, "{wrong}");
        assert_no_secret("an error", error.text().as_bytes());
    }
    let stored = everything(&app.database_url).await;
    let holds = |word: &str| stored.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(holds("ann@example.com") && holds("$argon2id$"), "what is searched is what is stored");
    assert_no_secret("the database", &stored);
    // The invitee joins by the link and chooses a password of their own.
    let accept = json!({"token": mails[0].token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let (_, must_change) = password_of(&app.database_url, "ann@example.com").await;
    assert!(!must_change);
}

async fn without_a_password_the_mail_brings_one(stack: Stack) {
    let app = TestApp::start(stack).await;
    let both =
        json!([{"email": "ann@example.com", "password": SECRET}, {"email": "bob@example.com"}]);
    assert_eq!(statuses(&invite(&app, &both).await), ["invited"; 2]);
    all_is_sent(&app).await;
    assert_eq!(password_of(&app.database_url, "bob@example.com").await, (None, false));
    let mail = app.mails_to("bob@example.com").await.remove(0);
    let accept = json!({
        "email": "bob@example.com", "temporary_password": mail.password(),
        "password": "correct horse battery",
    });
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    // The password that the inviter chose opens no invitation.
    let accept = json!({
        "email": "ann@example.com", "temporary_password": SECRET,
        "password": "correct horse battery",
    });
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 401);
}

async fn with_and_without_is_with(stack: Stack) {
    let app = TestApp::start(stack).await;
    let entries = json!([
        {"email": "ann@example.com"}, {"email": "Ann@example.com", "password": SECRET},
        {"email": "ann@example.com", "password": null}, {"email": "ann@example.com", "password": SECRET},
    ]);
    assert_eq!(statuses(&invite(&app, &entries).await), ["invited"; 4]);
    all_is_sent(&app).await;
    assert!(password_of(&app.database_url, "ann@example.com").await.0.is_some());
    let mails = app.mails().await;
    assert_eq!(mails.len(), 1);
    assert!(!mails[0].text.to_ascii_lowercase().contains("password"));
}

async fn whoever_has_a_password_keeps_it(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, theirs) = app.other_organization().await;
    // Ann has joined elsewhere, Bob was only given a password there.
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let accept = json!({"token": mail.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let bob = json!([{"email": "bob@example.com", "password": "Their-Horse-7"}]);
    assert_eq!(statuses(&invite(&app, &bob).await), ["invited"]);
    let ann_before = password_of(&app.database_url, "ann@example.com").await;
    let bob_before = password_of(&app.database_url, "bob@example.com").await;
    let both = json!({"emailAddresses": [
        {"email": "ann@example.com", "password": SECRET},
        {"email": "bob@example.com", "password": SECRET},
    ]});
    assert_eq!(statuses(&theirs.post(PATH, &both).await.unwrap()), ["invited"; 2]);
    assert_eq!(password_of(&app.database_url, "ann@example.com").await, ann_before);
    assert_eq!(password_of(&app.database_url, "bob@example.com").await, bob_before);
    assert!(!ann_before.1 && bob_before.1, "only Bob's is to be changed");
}

async fn a_request_is_given_the_time_that_its_passwords_take(stack: Stack) {
    let timeout = Duration::from_millis(600);
    let settings =
        [("WELCOMAT_HTTP_REQUEST_TIMEOUT", "600ms"), ("WELCOMAT_CONTRACTS_SYNC_WAIT_MS", "0")];
    let app = TestApp::start_with_settings(stack, &settings).await;
    let entries: Vec<_> = (0..60)
        .map(|n| json!({"email": format!("n{n}@example.com"), "password": format!("{SECRET}{n}")}))
        .collect();
    let started = Instant::now();
    assert_eq!(statuses(&invite(&app, &json!(entries)).await), vec!["invited"; 60]);
    assert!(
        started.elapsed() > timeout,
        "it takes longer than others may: {:?}",
        started.elapsed()
    );
}

/// The program itself, with everything logged that it can log.
#[test]
fn no_log_has_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap();
    let log = folder.path().join("log");
    let mut program = Command::new(env!("CARGO_BIN_EXE_welcomat"))
        .env_clear()
        .env("WELCOMAT_DATA_DIR", folder.path().join("data"))
        .env("WELCOMAT_HTTP_BIND", address.to_string())
        .env("WELCOMAT_BOOTSTRAP_API_KEY", KEY)
        .env("WELCOMAT_LOG_FILTER", "trace")
        .stdin(Stdio::null())
        .stdout(File::create(&log).unwrap())
        .stderr(File::create(folder.path().join("errors")).unwrap())
        .spawn()
        .unwrap();
    crate::harness::block_on(async {
        let client = Client::new(address, Some(KEY.to_owned()));
        eventually("the service answers", async || client.get("/v1/me").await.ok()).await;
        let headers =
            [("Content-Type", "application/json"), ("Prefer", "wait=30"), ("Idempotency-Key", "k")];
        let send = async |entries: Value| {
            let body = json!({ "emailAddresses": entries }).to_string();
            client.send("POST", PATH, &headers, body.as_bytes()).await.unwrap()
        };
        let taken = send(json!([{"email": "ann@example.com", "password": SECRET}])).await;
        assert_eq!(taken.header("x-email-status"), Some("sent"), "{}", taken.text());
        let refused = send(json!([{"email": "nope", "password": SECRET}])).await;
        assert_eq!(text(&refused.json()["details"][0]["code"]), "invalid_email");
    });
    program.kill().unwrap();
    program.wait().unwrap();
    let log = fs::read(&log).unwrap().into_iter();
    let log: Vec<u8> = log.chain(fs::read(folder.path().join("errors")).unwrap()).collect();
    assert!(String::from_utf8_lossy(&log).contains(PATH), "the request is logged");
    assert_no_secret("the log", &log);
}
