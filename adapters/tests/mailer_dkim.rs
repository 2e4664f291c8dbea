//! Whether others believe our DKIM signatures: dkimpy verifies what the mailer signs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/dkim.rs"]
mod dkim;
#[path = "support/mails.rs"]
#[expect(dead_code, reason = "the other tests of the mailer need more of it")]
mod mails;
#[path = "support/python.rs"]
mod python;

use adapters::mailer::{Mail, MailParts, Mailer};
use domain::SendOutcome;
use mails::{parts, settings, soon};

/// What the mailer would put on the wire.
async fn signed(key: &dkim::Key, parts: MailParts) -> String {
    let mut settings = settings("capture:".to_owned());
    settings.dkim = Some(key.settings.clone());
    let mailer = Mailer::new(&settings).unwrap();
    let mail = Mail::build(mailer.sender(), parts).unwrap();
    assert_eq!(mailer.slot().send(&mail, soon()).await, SendOutcome::Sent);
    let inbox = mailer.captured().unwrap();
    String::from_utf8(inbox.list()[0].raw.clone()).unwrap()
}

const SIGNED: [&str; 8] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
];

#[tokio::test]
async fn a_signature_is_valid_and_covers_all_headers_that_matter() {
    for key in [dkim::rsa(), dkim::ed25519()] {
        let raw = signed(&key, parts(1)).await;
        assert_eq!(
            key.verdict(raw.as_bytes()),
            format!("valid {}", SIGNED.join(" ").to_lowercase())
        );
    }
}

#[tokio::test]
async fn mails_of_every_shape_are_signed_validly() {
    let long = "Einladung für Zoë – ".repeat(20);
    let shapes = [
        MailParts { subject: long.clone(), ..parts(2) },
        MailParts { subject: "two  spaces   inside".to_owned(), ..parts(3) },
        MailParts { subject: "plain ascii ".repeat(30), ..parts(4) },
        MailParts { subject: String::new(), ..parts(5) },
        MailParts { to_name: None, ..parts(6) },
        MailParts { text: String::new(), html: String::new(), ..parts(7) },
        MailParts { text: "ends in blank lines \n\n \n\n".to_owned(), ..parts(8) },
        MailParts { text: "\n\n.\n..\n a  b\t c \n".to_owned(), html: long, ..parts(9) },
    ];
    let key = dkim::ed25519();
    for shape in shapes {
        let raw = signed(&key, shape).await;
        let verdict = key.verdict(raw.as_bytes());
        assert!(verdict.starts_with("valid "), "{verdict}:\n{raw}");
    }
}

#[tokio::test]
async fn what_a_relay_may_do_keeps_the_signature() {
    let key = dkim::rsa();
    let raw = signed(&key, parts(1)).await;
    let kept = [
        format!("Received: from a by b\r\n{raw}"),
        raw.replace("\r\nDate: ", "\r\ndate:   "),
        raw.replace("\r\nAuto-Submitted: auto", "\r\nAuto-Submitted:\r\n auto"),
        format!("{raw}\r\n\r\n"),
    ];
    for changed in kept {
        assert_ne!(changed, raw);
        let verdict = key.verdict(changed.as_bytes());
        assert!(verdict.starts_with("valid "), "{verdict}:\n{changed}");
    }
}

#[tokio::test]
async fn a_change_breaks_the_signature() {
    for key in [dkim::rsa(), dkim::ed25519()] {
        let raw = signed(&key, parts(1)).await;
        let mut changes: Vec<_> = SIGNED
            .iter()
            .map(|name| {
                (*name, raw.replacen(&format!("\r\n{name}: "), &format!("\r\n{name}: x"), 1))
            })
            .collect();
        // The first header has no line end before it.
        changes[0].1 = raw.replacen("From: ", "From: x", 1);
        changes.extend([
            ("text part", raw.replace("Hello =C3=84nn\r\n.", "Hello =C3=96nn\r\n.")),
            ("HTML part", raw.replace("<p>", "<p> ")),
            ("end", format!("{raw}x\r\n")),
            ("signed domain", raw.replace("d=example.com;", "d=example.org;")),
        ]);
        for (what, changed) in changes {
            assert_ne!(changed, raw, "{what}");
            let verdict = key.verdict(changed.as_bytes());
            assert!(verdict.starts_with("invalid"), "{what}: {verdict}");
        }
    }
}
