//! The mailer against an SMTP server that is not ours: aiosmtpd, with STARTTLS and AUTH demanded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/dkim.rs"]
mod dkim;
#[path = "support/mails.rs"]
mod mails;
#[path = "support/python.rs"]
mod python;
#[path = "support/real_smtp.rs"]
mod real_smtp;
#[path = "support/wire.rs"]
mod wire;

use std::path::Path;

use adapters::mailer::{Mail, MailParts, Mailer};
use domain::{EmailAddress, Phase, SendOutcome};
use mails::{mail, parts, settings, soon};
use real_smtp::RealServer;
use url::Url;
use wire::Wire;

fn mailer(url: &Url) -> Mailer {
    Mailer::new(&settings(url.to_string())).unwrap()
}

/// A number that no other mail in the maildir has; Message-ID and subject contain it.
fn unique() -> u128 {
    rand::random()
}

fn message_id(number: u128) -> String {
    format!("Message-ID: <{number}@example.com>\r\n")
}

async fn send_one(url: &Url, number: u128) -> SendOutcome {
    let mailer = mailer(url);
    mailer.slot().send(&mail(&mailer, number), soon()).await
}

fn ours_in(phase: Phase, outcome: &SendOutcome) -> bool {
    matches!(outcome, SendOutcome::Ours(trouble) if trouble.phase == phase)
}

#[tokio::test]
async fn a_mail_arrives_byte_for_byte() {
    let server = RealServer::shared();
    let mailer = mailer(&server.url());
    let number = unique();
    let text = ".first\n.\n..\n...three\nmid.dle\n\nGrüße, 你好 🎉 = \n.\n".to_owned()
        + &"a line that has to be broken softly . ".repeat(60)
        + "\n.";
    let html = "<p>Grüße,\n.\n<b>你好</b></p>".to_owned();
    let parts = MailParts { text: text.clone(), html: html.clone(), ..parts(number) };
    let mail = Mail::build(mailer.sender(), parts).unwrap();
    assert_eq!(mailer.slot().send(&mail, soon()).await, SendOutcome::Sent);

    let received = server.mails_with(&message_id(number));
    assert_eq!(received.len(), 1);
    let envelope =
        b"Return-Path: <invitations@example.com>\r\nDelivered-To: ann.lee@example.org\r\n";
    assert_eq!(received[0], [envelope, mail.raw()].concat());

    let read = python::ask("mail_as_json.py", &[], &received[0]);
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!(read["defects"], serde_json::json!([]));
    let headers = &read["headers"];
    assert_eq!(headers["Subject"], format!("Invitation {number} – grüezi"));
    assert_eq!(headers["Message-ID"], format!("<{number}@example.com>"));
    assert_eq!(headers["Date"], "Tue, 14 Nov 2023 22:13:20 +0000");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    assert_eq!(headers["MIME-Version"], "1.0");
    assert_eq!(read["from"], serde_json::json!([["Wélcomat", "invitations@example.com"]]));
    assert_eq!(read["to"], serde_json::json!([["Änn \"Lee\", <x>", "ann.lee@example.org"]]));
    assert_eq!(read["type"], "multipart/alternative");
    for (part, kind, body) in [(0, "text/plain", text), (1, "text/html", html)] {
        let part = &read["parts"][part];
        assert_eq!(part["type"], kind);
        assert_eq!(part["encoding"], "quoted-printable");
        assert_eq!(part["text"].as_str().unwrap().replace("\r\n", "\n"), body);
    }
}

#[tokio::test]
async fn one_slot_sends_several_mails_over_one_encrypted_connection() {
    let server = RealServer::shared();
    let wire = Wire::to(server.port()).await;
    let mut url = server.url();
    url.set_port(Some(wire.port)).unwrap();
    let mailer = mailer(&url);
    let mut slot = mailer.slot();
    // The wire refuses a second connection.
    for number in [unique(), unique(), unique(), unique()] {
        assert_eq!(slot.send(&mail(&mailer, number), soon()).await, SendOutcome::Sent);
        assert_eq!(server.mails_with(&message_id(number)).len(), 1);
    }
    slot.close().await;
    let written = wire.written().await;
    let in_clear = b"EHLO client.example\r\nSTARTTLS\r\n";
    // 22 starts a TLS handshake (RFC 8446 §5.1).
    assert!(written.starts_with(&[&in_clear[..], &[22]].concat()));
    assert!(!String::from_utf8_lossy(&written).contains("ann.lee"));
}

#[tokio::test]
async fn a_refused_recipient_is_told_from_a_busy_one_and_costs_the_slot_nothing() {
    let server = RealServer::shared();
    let mailer = mailer(&server.url());
    let mut slot = mailer.slot();
    let mut outcomes = Vec::new();
    for to in ["550-ann@example.org", "450-ann@example.org", "ann@example.org"] {
        let number = unique();
        let parts = MailParts { to: EmailAddress::parse(to).unwrap(), ..parts(number) };
        let mail = Mail::build(mailer.sender(), parts).unwrap();
        let outcome = slot.send(&mail, soon()).await;
        let arrived = server.mails_with(&message_id(number)).len();
        assert_eq!(arrived, usize::from(outcome == SendOutcome::Sent), "{outcome:?}");
        outcomes.push(outcome);
    }
    let [refused, busy, SendOutcome::Sent] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(matches!(refused, SendOutcome::NoSuchRecipient(_)), "{refused:?}");
    assert!(matches!(busy, SendOutcome::Deferred(_)), "{busy:?}");
    for (outcome, code) in [(refused, 550), (busy, 450)] {
        let trouble = outcome.trouble().unwrap();
        assert_eq!(trouble.phase, Phase::Recipient);
        assert_eq!(trouble.reply.as_ref().unwrap().code, code);
        assert!(!trouble.detail.contains("ann"), "{}", trouble.detail);
    }
}

#[tokio::test]
async fn a_server_that_knows_only_auth_login_is_served_too() {
    let server = RealServer::with_auth_login();
    let number = unique();
    assert_eq!(send_one(&server.url(), number).await, SendOutcome::Sent);
    assert_eq!(server.mails_with(&message_id(number)).len(), 1);
    for (user, password) in [("tester", "wrong-one"), ("wrong-one", "secret")] {
        let mut url = server.url();
        url.set_username(user).unwrap();
        url.set_password(Some(password)).unwrap();
        let outcome = send_one(&url, unique()).await;
        assert!(ours_in(Phase::Auth, &outcome), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_our_trouble() {
    let mut url = RealServer::shared().url();
    url.set_password(Some("wrong-one")).unwrap();
    let outcome = send_one(&url, unique()).await;
    assert!(ours_in(Phase::Auth, &outcome), "{outcome:?}");
    assert_eq!(outcome.trouble().unwrap().reply.as_ref().unwrap().code, 535);
    assert!(!format!("{outcome:?}").contains("wrong-one"), "{outcome:?}");
}

#[tokio::test]
async fn a_server_under_another_authority_gets_no_log_in() {
    let server = RealServer::shared();
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls/cert.pem");
    let other = format!("ca={}", other.to_str().unwrap());
    for query in [other.as_str(), "tls=required", "tls=opportunistic"] {
        let wire = Wire::to(server.port()).await;
        let mut url = server.url();
        url.set_port(Some(wire.port)).unwrap();
        url.set_query(Some(query));
        let outcome = send_one(&url, unique()).await;
        assert!(ours_in(Phase::Tls, &outcome), "{query}: {outcome:?}");
        assert!(wire.written().await.starts_with(b"EHLO client.example\r\nSTARTTLS\r\n"));
    }
}

#[tokio::test]
async fn without_tls_no_log_in_goes_over_the_wire() {
    let server = RealServer::shared();
    let mut with_log_in = server.url();
    with_log_in.set_query(Some("tls=none"));
    let mut without = with_log_in.clone();
    without.set_password(None).unwrap();
    without.set_username("").unwrap();
    let hello = "EHLO client.example\r\n";
    let refused = format!("{hello}MAIL FROM:<invitations@example.com>\r\n");
    for (mut url, phase, expected) in
        [(with_log_in, Phase::Auth, hello), (without, Phase::MailFrom, &refused)]
    {
        let wire = Wire::to(server.port()).await;
        url.set_port(Some(wire.port)).unwrap();
        let number = unique();
        let outcome = send_one(&url, number).await;
        assert!(ours_in(phase, &outcome), "{outcome:?}");
        assert_eq!(String::from_utf8(wire.written().await).unwrap(), expected);
        assert!(server.mails_with(&message_id(number)).is_empty());
    }
}

#[tokio::test]
async fn a_signature_survives_the_journey() {
    let server = RealServer::shared();
    for key in [dkim::rsa(), dkim::ed25519()] {
        let mut settings = settings(server.url().to_string());
        settings.dkim = Some(key.settings.clone());
        let mailer = Mailer::new(&settings).unwrap();
        let number = unique();
        let outcome = mailer.slot().send(&mail(&mailer, number), soon()).await;
        assert_eq!(outcome, SendOutcome::Sent);
        let verdict = key.verdict(&server.mails_with(&message_id(number))[0]);
        assert!(verdict.starts_with("valid "), "{verdict}");
    }
}
