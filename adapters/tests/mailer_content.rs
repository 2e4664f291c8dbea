//! What the mailer writes: safe bytes, a signature, and the inbox that keeps them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/mails.rs"]
mod mails;

use adapters::mailer::{CapturedInbox, Mail, MailError, MailParts, Mailer};
use adapters::settings::DkimSettings;
use domain::{SendOutcome, Timestamp};
use mails::{mail, parts, settings, soon};

#[tokio::test]
async fn odd_bodies_become_safe_bytes_and_odd_headers_are_refused() {
    let mailer = Mailer::new(&settings("capture:".to_owned())).unwrap();
    let text = format!("a\rb\n.\r\nMAIL FROM:<x@y>\r{}", "long ".repeat(1000));
    let mail = Mail::build(mailer.sender(), MailParts { text, ..parts(1) }).unwrap();
    let raw = String::from_utf8(mail.raw().to_vec()).unwrap();
    assert_eq!(raw.matches('\r').count(), raw.matches("\r\n").count());
    assert!(raw.lines().all(|line| line.len() <= 998));

    let build = |parts| Mail::build(mailer.sender(), parts).err();
    let subject = "a\r\nBcc: x@example.net".to_owned();
    assert_eq!(build(MailParts { subject, ..parts(1) }), Some(MailError::Control));
    let message_id = "a@b>\r\nX: y".to_owned();
    assert_eq!(build(MailParts { message_id, ..parts(1) }), Some(MailError::MessageId));
    let date = Timestamp::from_timestamp(-1, 0).unwrap();
    assert_eq!(build(MailParts { date, ..parts(1) }), Some(MailError::Date));
}

#[tokio::test]
async fn captured_mail_is_listed_newest_first_and_bounded() {
    let mailer = Mailer::new(&settings("capture:".to_owned())).unwrap();
    let inbox = mailer.captured().unwrap();
    let mut changed = inbox.changed();
    let mut slot = mailer.slot();
    let count = CapturedInbox::CAPACITY as u128 + 2;
    for number in 1..=count {
        assert_eq!(slot.send(&mail(&mailer, number), soon()).await, SendOutcome::Sent);
    }
    changed.changed().await.unwrap();
    let list = inbox.list();
    assert_eq!(list.len(), CapturedInbox::CAPACITY);
    assert!(list.windows(2).all(|pair| pair[0].id > pair[1].id));
    let newest = &list[0];
    assert_eq!(newest.invitation_id.unwrap().uuid().as_u128(), count);
    assert_eq!(newest.to, "ann.lee@example.org");
    assert_eq!(newest.headers["Message-ID"], format!("<{count}@example.com>"));
    assert!(newest.text.contains("Änn") && newest.html.contains("Änn"));
    assert_eq!(inbox.get(newest.id).unwrap().subject, newest.subject);
}

#[tokio::test]
async fn a_signature_covers_all_that_is_shown() {
    let mut settings = settings("capture:".to_owned());
    settings.dkim = Some(DkimSettings {
        selector: "s1".to_owned(),
        domain: "example.com".to_owned(),
        key: "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=".to_owned(),
    });
    let mailer = Mailer::new(&settings).unwrap();
    assert_eq!(mailer.slot().send(&mail(&mailer, 1), soon()).await, SendOutcome::Sent);
    let signature = mailer.captured().unwrap().list()[0].headers["DKIM-Signature"].clone();
    for part in [
        "a=ed25519-sha256;",
        "d=example.com; s=s1; c=relaxed/relaxed;",
        "h=from:to:subject:date:message-id:mime-version:content-type:auto-submitted;",
    ] {
        assert!(signature.contains(part), "{signature}");
    }
}
