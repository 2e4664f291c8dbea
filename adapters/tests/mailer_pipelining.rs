//! Several commands in one piece, to servers that take them, that do not, and that only say so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/mails.rs"]
mod mails;
#[path = "support/smtp_server.rs"]
#[expect(dead_code, reason = "the conversation's own tests script more of it")]
mod smtp_server;

use std::path::Path;
use std::time::Duration;

use adapters::mailer::Mailer;
use adapters::settings::MailSettings;
use domain::{Phase, SendOutcome};
use mails::{mail, settings, soon};
use smtp_server::{Act, At, Encryption, Pipelining, SmtpServer};

const LINES: [Encryption; 3] = [Encryption::None, Encryption::StartTls, Encryption::Implicit];

fn reach(server: &SmtpServer, encryption: Encryption) -> MailSettings {
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls/cert.pem");
    let (address, ca) = (server.address, ca.display());
    settings(match encryption {
        Encryption::None => format!("smtp://{address}?tls=none"),
        Encryption::StartTls => format!("smtp://{address}?ca={ca}"),
        Encryption::Implicit => format!("smtps://{address}?ca={ca}"),
    })
}

fn phase(outcome: &SendOutcome) -> Phase {
    outcome.trouble().unwrap().phase
}

#[tokio::test]
async fn a_mail_s_commands_come_together_where_the_server_offers_it_and_nowhere_else() {
    for encryption in LINES {
        for pipelining in [Pipelining::None, Pipelining::Offered] {
            let server = SmtpServer::start_with(encryption, pipelining, &[]).await;
            let mailer = Mailer::new(&reach(&server, encryption)).unwrap();
            let mut slot = mailer.slot();
            for number in 1..=2 {
                assert_eq!(slot.send(&mail(&mailer, number), soon()).await, SendOutcome::Sent);
            }
            let said = server.journal(|journal| journal.commands.clone());
            let verbs: Vec<_> = said.iter().map(|line| &line[..4]).collect();
            let before: &[_] = match encryption {
                Encryption::StartTls => &["EHLO", "STAR", "EHLO"],
                _ => &["EHLO"],
            };
            let mails = ["MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA"];
            assert_eq!(verbs, [before, &mails].concat());
            let together: &[_] = match pipelining {
                Pipelining::Offered => &[3, 4],
                _ => &[1; 7],
            };
            let pieces = server.journal(|journal| journal.pieces.clone());
            assert_eq!(pieces[before.len()..], *together, "{encryption:?} {pipelining:?}");
        }
    }
}

#[tokio::test]
async fn what_was_offered_in_clear_is_forgotten_once_there_is_tls() {
    let in_clear = [(At::Ehlo, Act::Say("250-test\r\n250-PIPELINING\r\n250 STARTTLS"))];
    let server = SmtpServer::start(Encryption::StartTls, &in_clear).await;
    let mailer = Mailer::new(&reach(&server, Encryption::StartTls)).unwrap();
    assert_eq!(mailer.slot().send(&mail(&mailer, 1), soon()).await, SendOutcome::Sent);
    assert!(server.journal(|journal| journal.pieces.iter().all(|count| *count == 1)));
}

/// The next mail gets one command at a time, or nothing would ever arrive there.
#[tokio::test]
async fn a_server_that_loses_pipelined_commands_is_not_trusted_with_them_again() {
    for encryption in LINES {
        let server = SmtpServer::start_with(encryption, Pipelining::Lost, &[]).await;
        let mut settings = reach(&server, encryption);
        settings.timeouts.command = Duration::from_millis(300);
        let mailer = Mailer::new(&settings).unwrap();
        let first = mailer.slot().send(&mail(&mailer, 1), soon()).await;
        assert_eq!((first.as_str(), phase(&first)), ("deferred", Phase::Recipient), "{first:?}");
        // Another slot knows it, too.
        assert_eq!(mailer.slot().send(&mail(&mailer, 2), soon()).await, SendOutcome::Sent);
        assert_eq!(server.journal(|journal| journal.accepted.len()), 1);
    }
}

#[tokio::test]
async fn whoever_hangs_up_on_pipelined_commands_is_not_trusted_with_them_again() {
    for (at, expected, heard) in [(At::Mail, Phase::MailFrom, 1), (At::Rcpt, Phase::Recipient, 2)] {
        let script = [(at, Act::Close)];
        let server = SmtpServer::start_with(Encryption::None, Pipelining::Offered, &script).await;
        let mailer = Mailer::new(&reach(&server, Encryption::None)).unwrap();
        let mut slot = mailer.slot();
        let first = slot.send(&mail(&mailer, 1), soon()).await;
        assert_eq!((first.as_str(), phase(&first)), ("deferred", expected), "{first:?}");
        assert_eq!(slot.send(&mail(&mailer, 2), soon()).await, SendOutcome::Sent);
        assert_eq!(server.journal(|journal| journal.pieces.clone()), [1, heard, 1, 1, 1, 1]);
    }
}

/// RFC 2920 §3.1: 354 after all recipients were refused. No message is sent, not even an empty one.
#[tokio::test]
async fn a_refused_recipient_ends_it_although_data_is_welcome() {
    for encryption in LINES {
        let script = [(At::Rcpt, Act::Say("550 5.1.1 who?"))];
        let server = SmtpServer::start_with(encryption, Pipelining::Offered, &script).await;
        let mailer = Mailer::new(&reach(&server, encryption)).unwrap();
        let mut slot = mailer.slot();
        let first = slot.send(&mail(&mailer, 1), soon()).await;
        assert_eq!((first.as_str(), phase(&first)), ("no_such_recipient", Phase::Recipient));
        assert_eq!(slot.send(&mail(&mailer, 2), soon()).await, SendOutcome::Sent);
        let (connections, accepted) =
            server.journal(|journal| (journal.connections, journal.accepted.len()));
        assert_eq!((connections, accepted), (2, 1), "{encryption:?}");
    }
}

#[tokio::test]
async fn one_answer_too_many_is_never_a_success() {
    for (at, said, expected) in [
        (At::Mail, "250 2.1.0 ok\r\n250 2.1.0 ok", Phase::Data),
        (At::Rcpt, "250 2.1.5 ok\r\n250 2.1.5 ok", Phase::Data),
        (At::Rcpt, "354 go", Phase::Recipient),
        (At::Data, "250 2.0.0 taken", Phase::Data),
        (At::Data, "354 go\r\n250 2.0.0 taken", Phase::Body),
        (At::Mail, "250-2.1.0 ok\r\n354 go", Phase::MailFrom),
        (At::Rcpt, "what?", Phase::Recipient),
    ] {
        let script = [(at, Act::Say(said))];
        let server = SmtpServer::start_with(Encryption::None, Pipelining::Offered, &script).await;
        let mailer = Mailer::new(&reach(&server, Encryption::None)).unwrap();
        let mut slot = mailer.slot();
        let first = slot.send(&mail(&mailer, 1), soon()).await;
        assert_eq!((first.as_str(), phase(&first)), ("deferred", expected), "{said}: {first:?}");
        assert!(server.journal(|journal| journal.accepted.is_empty()));
        assert_eq!(slot.send(&mail(&mailer, 2), soon()).await, SendOutcome::Sent);
        assert_eq!(server.journal(|journal| journal.connections), 2);
    }
}

/// An answer that was there before its command was written is an answer to something else.
#[tokio::test]
async fn what_was_said_before_the_commands_costs_the_connection() {
    let script = [(At::Dot, Act::Say("250 2.0.0 taken\r\n250 2.0.0 and another"))];
    let server = SmtpServer::start_with(Encryption::None, Pipelining::Offered, &script).await;
    let mailer = Mailer::new(&reach(&server, Encryption::None)).unwrap();
    let mut slot = mailer.slot();
    for number in 1..=2 {
        assert_eq!(slot.send(&mail(&mailer, number), soon()).await, SendOutcome::Sent);
    }
    let said = server.journal(|journal| journal.commands.clone());
    assert!(!said.contains(&"RSET".to_owned()), "{said:?}");
    assert_eq!(server.journal(|journal| journal.connections), 2);
}
