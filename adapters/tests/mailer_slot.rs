//! How long a slot keeps its connection, and when it asks for a new one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/mails.rs"]
mod mails;
#[path = "support/smtp_server.rs"]
#[expect(dead_code, reason = "the conversation's own tests script more of it")]
mod smtp_server;

use std::time::Duration;

use adapters::mailer::{Mailer, Slot};
use adapters::settings::MailSettings;
use domain::SendOutcome;
use mails::{mail, settings, soon};
use smtp_server::{Act, At, Encryption, SmtpServer};
use tokio::time::Instant;

fn plain(server: &SmtpServer) -> MailSettings {
    settings(format!("smtp://{}?tls=none", server.address))
}

fn connections(server: &SmtpServer) -> Vec<usize> {
    server.journal(|journal| journal.accepted.iter().map(|mail| mail.connection).collect())
}

/// Moves the clock by that much; it runs on afterwards, so that the sockets' timeouts hold.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Sends a mail after each of the pauses.
async fn send_after(mailer: &Mailer, slot: &mut Slot, pauses: &[Duration]) {
    for (number, pause) in (1..).zip(pauses) {
        pass(*pause).await;
        let deadline = Instant::now() + Duration::from_mins(1);
        assert_eq!(slot.send(&mail(mailer, number), deadline).await, SendOutcome::Sent);
    }
}

/// Polls: nobody tells when the server has read a line that it does not answer.
async fn heard_quit(server: &SmtpServer) {
    let heard = async {
        while !server.journal(|journal| journal.commands.iter().any(|line| line == "QUIT")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_left_politely() {
    let server = SmtpServer::start(Encryption::None, &[]).await;
    let mut settings = plain(&server);
    settings.max_idle = Duration::from_mins(5);
    let mailer = Mailer::new(&settings).unwrap();
    let [none, short, long] = [0, 280, 301].map(Duration::from_secs);
    send_after(&mailer, &mut mailer.slot(), &[none, short, long, none]).await;
    assert_eq!(connections(&server), [1, 1, 2, 2]);
    heard_quit(&server).await;
}

#[tokio::test]
async fn a_busy_connection_ages_too() {
    let server = SmtpServer::start(Encryption::None, &[]).await;
    let mut settings = plain(&server);
    settings.max_idle = Duration::from_mins(5);
    settings.max_age = Duration::from_mins(10);
    let mailer = Mailer::new(&settings).unwrap();
    let short = Duration::from_secs(210);
    send_after(&mailer, &mut mailer.slot(), &[short; 5]).await;
    assert_eq!(connections(&server), [1, 1, 1, 2, 2]);
    heard_quit(&server).await;
}

#[tokio::test]
async fn a_closed_slot_takes_leave() {
    let server = SmtpServer::start(Encryption::None, &[]).await;
    let mailer = Mailer::new(&plain(&server)).unwrap();
    let mut slot = mailer.slot();
    assert_eq!(slot.send(&mail(&mailer, 1), soon()).await, SendOutcome::Sent);
    slot.close().await;
    heard_quit(&server).await;
}

#[tokio::test]
async fn a_cancelled_attempt_takes_its_connection_with_it() {
    let script = [(At::Dot, Act::Usual), (At::Dot, Act::Hang)];
    let server = SmtpServer::start(Encryption::None, &script).await;
    let mailer = Mailer::new(&plain(&server)).unwrap();
    let mut slot = mailer.slot();
    assert_eq!(slot.send(&mail(&mailer, 1), soon()).await, SendOutcome::Sent);
    let second = mail(&mailer, 2);
    let cancelled =
        tokio::time::timeout(Duration::from_millis(100), slot.send(&second, soon())).await;
    assert!(cancelled.is_err());
    assert_eq!(slot.send(&mail(&mailer, 3), soon()).await, SendOutcome::Sent);
    assert_eq!(server.journal(|journal| journal.connections), 2);
}

#[tokio::test]
async fn one_connection_serves_until_its_limit() {
    let server = SmtpServer::start(Encryption::None, &[]).await;
    let mut settings = plain(&server);
    settings.max_per_connection = 3;
    let mailer = Mailer::new(&settings).unwrap();
    let mut slot = mailer.slot();
    for number in 1..=4 {
        assert_eq!(slot.send(&mail(&mailer, number), soon()).await, SendOutcome::Sent);
    }
    assert_eq!(connections(&server), [1, 1, 1, 2]);
}

#[tokio::test]
async fn a_connection_that_died_between_mails_is_replaced_silently() {
    for death in [
        (At::Done, Act::Close),
        (At::Done, Act::Say("421 4.4.2 idle")),
        (At::Rset, Act::Close),
        (At::Rset, Act::Say("421 4.4.2 idle")),
    ] {
        let server = SmtpServer::start(Encryption::None, &[death]).await;
        let mailer = Mailer::new(&plain(&server)).unwrap();
        let mut slot = mailer.slot();
        for number in 1..=3 {
            assert_eq!(slot.send(&mail(&mailer, number), soon()).await, SendOutcome::Sent);
        }
        assert_eq!(server.journal(|journal| journal.connections), 2);
    }
    // MAIL itself goes unanswered on the second mail.
    let script = [(At::Mail, Act::Usual), (At::Mail, Act::Close)];
    let server = SmtpServer::start(Encryption::None, &script).await;
    let mailer = Mailer::new(&plain(&server)).unwrap();
    let mut slot = mailer.slot();
    assert_eq!(slot.send(&mail(&mailer, 1), soon()).await, SendOutcome::Sent);
    assert_eq!(slot.send(&mail(&mailer, 2), soon()).await, SendOutcome::Sent);
    assert_eq!(server.journal(|journal| journal.accepted.len()), 2);
}
