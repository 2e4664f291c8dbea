//! Mails and settings for the tests of the mailer.

use std::time::{Duration, Instant};

use adapters::mailer::{Mail, MailParts, Mailer};
use adapters::settings::{MailProvider, MailSettings, MailTimeouts};
use domain::{EmailAddress, InvitationId, Name, Timestamp};

pub fn settings(url: String) -> MailSettings {
    let short = Duration::from_secs(10);
    MailSettings {
        url,
        from: "Wélcomat <invitations@example.com>".to_owned(),
        return_path: None,
        provider: MailProvider::Any,
        helo: Some("client.example".to_owned()),
        timeouts: MailTimeouts {
            connect: short,
            command: short,
            data: short,
            body: short,
            final_dot: short,
        },
        max_per_connection: 100,
        max_idle: Duration::from_mins(1),
        max_age: Duration::from_mins(10),
        dkim: None,
    }
}

pub fn parts(number: u128) -> MailParts {
    MailParts {
        to: EmailAddress::parse("ann.lee@example.org").unwrap(),
        to_name: Some(Name::parse("Änn \"Lee\", <x>").unwrap()),
        subject: format!("Invitation {number} – grüezi"),
        text: "Hello Änn\n.\n.leading dot\n".to_owned(),
        html: "<p>Hello Änn</p>".to_owned(),
        message_id: format!("<{number}@example.com>"),
        date: Timestamp::from_timestamp(1_700_000_000, 0).unwrap(),
        invitation: Some(InvitationId::from_uuid(uuid::Uuid::from_u128(number))),
        return_path: None,
    }
}

pub fn mail(mailer: &Mailer, number: u128) -> Mail {
    Mail::build(mailer.sender(), parts(number)).unwrap()
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}
