//! The mailer's conversation with servers that behave, misbehave and disappear.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/mails.rs"]
mod mails;
#[path = "support/smtp_server.rs"]
#[expect(dead_code, reason = "the slot's tests read more of its journal")]
mod smtp_server;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::mailer::Mailer;
use adapters::settings::MailSettings;
use domain::{Phase, SendOutcome};
use mails::{mail, settings, soon};
use smtp_server::{Act, At, Encryption, Pipelining, SmtpServer};
use tokio::sync::Notify;

fn plain(server: &SmtpServer) -> MailSettings {
    settings(format!("smtp://{}?tls=none", server.address))
}

/// One mail over a fresh plain connection to a server with that script.
async fn outcome(script: &[(At, Act)]) -> SendOutcome {
    outcome_with(script, |_| ()).await
}

/// The same whether the server takes one command after the other or several at once.
async fn outcome_with(script: &[(At, Act)], change: impl Fn(&mut MailSettings)) -> SendOutcome {
    let one_by_one = outcome_of(Pipelining::None, script, &change).await;
    let at_once = outcome_of(Pipelining::Offered, script, &change).await;
    let seen = |outcome: &SendOutcome| (outcome.as_str(), outcome.trouble().map(|t| t.phase));
    assert_eq!(seen(&one_by_one), seen(&at_once), "{one_by_one:?} {at_once:?}");
    at_once
}

async fn outcome_of(
    pipelining: Pipelining,
    script: &[(At, Act)],
    change: impl Fn(&mut MailSettings),
) -> SendOutcome {
    let server = SmtpServer::start_with(Encryption::None, pipelining, script).await;
    let mut settings = plain(&server);
    change(&mut settings);
    let mailer = Mailer::new(&settings).unwrap();
    let outcome = mailer.slot().send(&mail(&mailer, 1), soon()).await;
    let accepted = server.journal(|journal| journal.accepted.len());
    assert_eq!(accepted, usize::from(outcome == SendOutcome::Sent), "{outcome:?}");
    outcome
}

fn phase(outcome: &SendOutcome) -> Phase {
    outcome.trouble().unwrap().phase
}

#[tokio::test]
async fn a_sent_mail_has_both_parts_and_all_headers() {
    let server = SmtpServer::start(Encryption::None, &[]).await;
    let mailer = Mailer::new(&plain(&server)).unwrap();
    let mail = mail(&mailer, 1);
    assert_eq!(mailer.slot().send(&mail, soon()).await, SendOutcome::Sent);
    let accepted = server.journal(|journal| journal.accepted[0].clone());
    assert_eq!(accepted.from, "MAIL FROM:<invitations@example.com>");
    assert_eq!(accepted.to, "RCPT TO:<ann.lee@example.org>");
    assert_eq!(accepted.raw.as_bytes(), mail.raw(), "dots are stuffed and taken out again");
    for part in [
        "\r\nMessage-ID: <1@example.com>\r\n",
        "\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
        "\r\nAuto-Submitted: auto-generated\r\n",
        "\r\nMIME-Version: 1.0\r\n",
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
        "Hello =C3=84nn\r\n.\r\n.leading dot\r\n",
        "<p>Hello =C3=84nn</p>",
    ] {
        assert!(accepted.raw.contains(part), "{part:?} is not in\n{}", accepted.raw);
    }
}

#[tokio::test]
async fn a_reply_means_what_its_phase_says() {
    use SendOutcome::{Deferred, NoSuchRecipient, Ours, Refused, Uncertain};
    type Check = fn(&SendOutcome) -> bool;
    let cases: &[(At, &'static str, Phase, Check)] = &[
        (At::Greeting, "554 no", Phase::Greeting, |o| matches!(o, Ours(_))),
        (At::Ehlo, "451 no", Phase::Hello, |o| matches!(o, Ours(_))),
        (At::Mail, "451 later", Phase::MailFrom, |o| matches!(o, Deferred(_))),
        (At::Mail, "550 5.7.1 no", Phase::MailFrom, |o| matches!(o, Ours(_))),
        (At::Rcpt, "450 4.2.0 grey", Phase::Recipient, |o| matches!(o, Deferred(_))),
        (At::Rcpt, "550 5.1.1 who?", Phase::Recipient, |o| matches!(o, NoSuchRecipient(_))),
        (At::Rcpt, "550 5.7.1 policy", Phase::Recipient, |o| matches!(o, Refused(_))),
        (At::Rcpt, "421 closing", Phase::Recipient, |o| matches!(o, Ours(_))),
        (At::Data, "451 later", Phase::Data, |o| matches!(o, Deferred(_))),
        (At::Data, "554 5.7.1 no", Phase::Data, |o| matches!(o, Refused(_))),
        (At::Data, "250 what", Phase::Data, |o| matches!(o, Deferred(_))),
        (At::Dot, "451 later", Phase::FinalDot, |o| matches!(o, Deferred(_))),
        (At::Dot, "554 5.6.0 spam", Phase::FinalDot, |o| matches!(o, Refused(_))),
        (At::Dot, "354 go on", Phase::FinalDot, |o| matches!(o, Uncertain(_))),
        (At::Dot, "251 forwarded", Phase::FinalDot, |o| matches!(o, Uncertain(_))),
        (At::Dot, "garbage", Phase::FinalDot, |o| matches!(o, Uncertain(_))),
        (At::Dot, "250-a\r\n550 b", Phase::FinalDot, |o| matches!(o, Uncertain(_))),
        (At::Rcpt, "garbage", Phase::Recipient, |o| matches!(o, Deferred(_))),
    ];
    for (at, reply, expected, check) in cases {
        let outcome = outcome(&[(*at, Act::Say(reply))]).await;
        assert!(check(&outcome) && phase(&outcome) == *expected, "{reply}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_leaves_is_blamed_by_phase() {
    for (at, word, expected) in [
        (At::Greeting, "ours", Phase::Greeting),
        (At::Ehlo, "ours", Phase::Hello),
        (At::Mail, "deferred", Phase::MailFrom),
        (At::Rcpt, "deferred", Phase::Recipient),
        (At::Data, "deferred", Phase::Data),
        (At::Dot, "uncertain", Phase::FinalDot),
    ] {
        let outcome = outcome(&[(at, Act::Close)]).await;
        assert_eq!((outcome.as_str(), phase(&outcome)), (word, expected), "{outcome:?}");
    }
}

#[tokio::test]
async fn silence_is_bounded_in_each_phase() {
    let short = Duration::from_millis(100);
    let late = outcome_with(&[(At::Dot, Act::Hang)], |s| s.timeouts.final_dot = short).await;
    assert!(matches!(late, SendOutcome::Uncertain(_)), "{late:?}");
    let late = outcome_with(&[(At::Data, Act::Hang)], |s| s.timeouts.data = short).await;
    assert!(matches!(late, SendOutcome::Deferred(_)), "{late:?}");
    let late = outcome_with(&[(At::Greeting, Act::Hang)], |s| s.timeouts.command = short).await;
    assert!(matches!(late, SendOutcome::Ours(_)), "{late:?}");
}

#[tokio::test]
async fn a_late_250_is_never_taken_for_the_next_mail() {
    let now = Arc::new(Notify::new());
    let script = [
        (At::Dot, Act::Late(now.clone(), "250 late")),
        (At::Rcpt, Act::Usual),
        (At::Rcpt, Act::Say("550 5.7.1 no")),
    ];
    let server = SmtpServer::start(Encryption::None, &script).await;
    let mut settings = plain(&server);
    settings.timeouts.final_dot = Duration::from_millis(100);
    let mailer = Mailer::new(&settings).unwrap();
    let mut slot = mailer.slot();
    let first = slot.send(&mail(&mailer, 1), soon()).await;
    assert!(matches!(first, SendOutcome::Uncertain(_)), "{first:?}");
    now.notify_one();
    let second = slot.send(&mail(&mailer, 2), soon()).await;
    assert!(matches!(second, SendOutcome::Refused(_)), "{second:?}");
    assert_eq!(server.journal(|journal| journal.connections), 2);
}

#[tokio::test]
async fn an_answer_before_the_dot_stops_the_mail() {
    // 354 and the early 250 arrive together, so the second is there before the dot for sure.
    let outcome = outcome(&[(At::Data, Act::Say("354 go\r\n250 taken"))]).await;
    assert!(matches!(outcome, SendOutcome::Deferred(_)), "{outcome:?}");
    assert_eq!(phase(&outcome), Phase::Body);
}

#[tokio::test]
async fn no_dot_is_written_after_its_deadline() {
    let now = Arc::new(Notify::new());
    let server = SmtpServer::start(Encryption::None, &[(At::Data, Act::Late(now, "354 go"))]).await;
    let mailer = Mailer::new(&plain(&server)).unwrap();
    let deadline = Instant::now() + Duration::from_millis(200);
    let outcome = mailer.slot().send(&mail(&mailer, 1), deadline).await;
    assert!(matches!(outcome, SendOutcome::Deferred(_)), "{outcome:?}");
    let outcome = mailer.slot().send(&mail(&mailer, 1), Instant::now()).await;
    assert!(matches!(outcome, SendOutcome::Deferred(_)), "{outcome:?}");
    assert!(server.journal(|journal| journal.accepted.is_empty()));
}

#[tokio::test]
async fn without_starttls_no_credentials_go_out() {
    for tls in ["required", "opportunistic"] {
        let server = SmtpServer::start(Encryption::None, &[]).await;
        let url = format!("smtp://user:hunter2@{}?tls={tls}", server.address);
        let mailer = Mailer::new(&settings(url)).unwrap();
        let outcome = mailer.slot().send(&mail(&mailer, 1), soon()).await;
        assert!(matches!(outcome, SendOutcome::Ours(_)), "{outcome:?}");
        let commands = server.journal(|journal| journal.commands.clone());
        assert_eq!(commands, ["EHLO client.example"]);
    }
}

fn certificate() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls/cert.pem");
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn tls_and_log_in_work_both_ways() {
    for (scheme, encryption) in [("smtp", Encryption::StartTls), ("smtps", Encryption::Implicit)] {
        let server = SmtpServer::start(encryption, &[]).await;
        let url = format!("{scheme}://user:hunter2@{}?ca={}", server.address, certificate());
        let mailer = Mailer::new(&settings(url)).unwrap();
        let mut slot = mailer.slot();
        assert_eq!(slot.send(&mail(&mailer, 1), soon()).await, SendOutcome::Sent);
        assert_eq!(slot.send(&mail(&mailer, 2), soon()).await, SendOutcome::Sent);
        let auth = "AUTH PLAIN AHVzZXIAaHVudGVyMg==".to_owned();
        assert!(server.journal(|journal| journal.commands.contains(&auth)));
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_our_trouble() {
    let server = SmtpServer::start(Encryption::StartTls, &[]).await;
    let mailer = Mailer::new(&settings(format!("smtp://{}", server.address))).unwrap();
    let outcome = mailer.slot().send(&mail(&mailer, 1), soon()).await;
    assert!(matches!(outcome, SendOutcome::Ours(_)), "{outcome:?}");
    assert_eq!(phase(&outcome), Phase::Tls);
}

#[tokio::test]
async fn a_detail_keeps_addresses_and_log_ins_to_itself() {
    let script = [(At::Rcpt, Act::Say("550-5.1.1 <ann.lee@example.org>:\r\n550 5.1.1 No ann.lee"))];
    let outcome = outcome(&script).await;
    let detail = &outcome.trouble().unwrap().detail;
    assert!(detail.contains("550") && !detail.contains("ann.lee"), "{detail}");

    let script = [(At::Auth, Act::Say("535 5.7.8 user hunter2 is wrong"))];
    let server = SmtpServer::start(Encryption::None, &script).await;
    let url = format!("smtp://user:hunter2@{}?tls=none", server.address);
    let mailer = Mailer::new(&settings(url)).unwrap();
    let outcome = mailer.slot().send(&mail(&mailer, 1), soon()).await;
    assert_eq!((outcome.as_str(), phase(&outcome)), ("ours", Phase::Auth));
    assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
}
