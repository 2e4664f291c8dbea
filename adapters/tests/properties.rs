//! What holds for any settings, any address and any text of a mail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use adapters::mailer::{Mail, MailError, MailParts, Mailer};
use adapters::settings::{Settings, duration};
use chrono::DateTime;
use domain::{EmailAddress, InvitationId, Name};
use lettre::message::Mailbox;
use proptest::prelude::*;
use uuid::Uuid;

static MAILER: LazyLock<Mailer> = LazyLock::new(|| {
    let settings = Settings::load(None, std::iter::empty()).unwrap();
    Mailer::new(&settings.mail).unwrap()
});

const ADDRESS: &str = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(\\.[a-z]{1,3})?@([a-z0-9\u{fc}\u{4f8b}-]{1,63}\\.){1,4}[a-zA-Z\u{e9}]{2,8}";

proptest! {
    #[test]
    fn every_address_is_one_for_the_mail_library(text in ADDRESS, any: String) {
        for text in [text, any] {
            if let Ok(address) = EmailAddress::parse(&text) {
                let envelope = address.envelope();
                let mailbox: Mailbox = envelope.parse().expect("a mailbox");
                prop_assert_eq!(mailbox.email.to_string(), envelope);
            }
        }
    }

    #[test]
    fn every_mail_is_safe_on_the_wire(
        to in ADDRESS,
        name in "\\PC{0,70}",
        subject in "\\PC{0,300}",
        text: String,
        lines in "([.\r\n]{0,3}\\PC{0,200}[\r\n]{0,2}){0,8}",
    ) {
        let Ok(to) = EmailAddress::parse(&to) else { return Ok(()) };
        let parts = MailParts {
            to: to.clone(),
            to_name: Name::parse(&name).ok(),
            subject,
            text: lines.clone() + &text,
            html: format!("<p>{text}</p>{lines}"),
            message_id: "a@example.com".to_owned(),
            date: DateTime::UNIX_EPOCH,
            invitation: Some(InvitationId::from_uuid(Uuid::nil())),
            return_path: None,
        };
        let raw = Mail::build(MAILER.sender(), parts).expect("a mail").raw().to_vec();
        let raw = String::from_utf8(raw).expect("ASCII");
        prop_assert!(raw.is_ascii() && !raw.replace("\r\n", "").contains(['\r', '\n', '\0']));
        prop_assert!(raw.split("\r\n").all(|line| line.len() <= 998));
        let (head, _) = raw.split_once("\r\n\r\n").expect("a head");
        for field in ["From", "To", "Subject", "Message-ID", "Date"] {
            let starts = |line: &&str| line.starts_with(&format!("{field}: "));
            prop_assert_eq!(head.split("\r\n").filter(starts).count(), 1, "{} in {}", field, head);
        }
        let unfolded = head.replace("\r\n ", " ");
        let line = unfolded.split("\r\n").find(|line| line.starts_with("To: ")).expect("a To");
        let bracketed = format!("<{}>", to.envelope());
        let ends_well = line.ends_with(&to.envelope()) || line.ends_with(&bracketed);
        prop_assert!(ends_well, "{}", line);
    }

    #[test]
    fn a_control_character_in_the_subject_is_refused(control in "[\u{0}-\u{1f}\u{7f}-\u{9f}]") {
        let parts = MailParts {
            to: EmailAddress::parse("ann@example.com").unwrap(),
            to_name: None,
            subject: format!("Hello{control}Bcc: eve@example.com"),
            text: String::new(),
            html: String::new(),
            message_id: "a@example.com".to_owned(),
            date: DateTime::UNIX_EPOCH,
            invitation: Some(InvitationId::from_uuid(Uuid::nil())),
            return_path: None,
        };
        prop_assert_eq!(Mail::build(MAILER.sender(), parts).err(), Some(MailError::Control));
    }

    #[test]
    fn a_duration_is_read_back(millis in 1_u64..315_360_000_000, text: String, near in "[0-9]{0,22}(ms|[smhdx])?") {
        let given = Duration::from_millis(millis);
        prop_assert_eq!(duration::parse(&duration::format(given)), Some(given));
        for text in [text, near] {
            if let Some(read) = duration::parse(&text) {
                prop_assert_eq!(duration::parse(&duration::format(read)), Some(read));
                prop_assert!(!read.is_zero() && read <= Duration::from_hours(3650 * 24));
            }
        }
    }

    #[test]
    fn any_settings_are_in_force_or_one_sentence(
        name in "HTTP_BIND|PUBLIC_URL|DATABASE_URL|BROKER_URL|MAIL_URL|MAIL_FROM|SEAL_KEYS|JWKS|\
            WORKER_CONCURRENCY|RETRY_PAUSES|LOG_FORMAT|DATA_DIR|[A-Z_]{1,12}",
        value in "\\PC{0,40}",
        file in "(\\[?[a-z_.]{1,16}\\]?( = (\"[a-z0-9:/@.]{0,20}\"|[0-9]{1,4}|true|\\[\"1m\"\\]))?\n){0,4}",
    ) {
        let variable = (format!("WELCOMAT_{name}"), value.clone());
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(file.as_bytes()).unwrap();
        for result in [
            Settings::load(None, std::iter::once(variable)),
            Settings::load(Some(config.path()), std::iter::empty()),
        ] {
            match result {
                Ok(settings) => prop_assert!(settings.redacted().is_table()),
                Err(error) => prop_assert!(!error.to_string().contains('\n'), "{}", error),
            }
        }
    }
}

/// What the fuzzer begins with, and what it has found: a file, or a variable and its value.
#[test]
fn the_seeds_of_the_settings_fuzzer_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/settings");
    for seed in std::fs::read_dir(folder).unwrap() {
        let seed = seed.unwrap().path();
        let text = std::fs::read_to_string(&seed).unwrap();
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        let variable = (format!("WELCOMAT_{name}"), value.to_owned());
        for result in [
            Settings::load(Some(&seed), std::iter::empty()),
            Settings::load(None, std::iter::once(variable)),
        ] {
            let told = result.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(!told.contains('\n'), "{told}");
        }
    }
}
