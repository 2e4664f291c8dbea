//! Any data in the mail's templates, and any text in the finished message: bytes that are safe on the
//! wire, or an error.
#![no_main]

use std::sync::LazyLock;

use adapters::mailer::{Mail, MailParts, Mailer};
use adapters::settings::Settings;
use adapters::templates::{InvitationMail, Templates};
use domain::{EmailAddress, InvitationId, Name};

static TEMPLATES: LazyLock<Templates> =
    LazyLock::new(|| Templates::load(None).expect("the embedded templates are good"));
static MAILER: LazyLock<Mailer> = LazyLock::new(|| {
    let settings = Settings::load(None, std::iter::empty()).expect("the defaults are good");
    Mailer::new(&settings.mail).expect("mail is captured by default")
});

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut fields = text.split('\u{1f}');
    let mut next = || fields.next().unwrap_or_default();
    let [organization, first_name, inviter, role, link, password, locale] = [(); 7].map(|()| next());
    let url = format!("https://invite.example.com/i/{link}");
    let invitation = InvitationMail { kind: domain::DeliveryKind::Invitation,
        organization,
        inviter: Some(inviter).filter(|name| !name.is_empty()),
        first_name: Some(first_name).filter(|name| !name.is_empty()),
        role,
        accept_url: &url,
        temporary_password: Some(password).filter(|text| !text.is_empty()),
        expires_at: chrono::DateTime::UNIX_EPOCH,
        password_valid_hours: 24,
        support: None,
    };
    let Ok(content) = TEMPLATES.mail(locale, &invitation) else { return };
    assert!(!content.subject.chars().any(char::is_control));
    // Nothing that was given becomes markup.
    let tags = |html: &str| html.matches('<').count();
    let plain = InvitationMail { organization: "o", role: "r", ..invitation.clone() };
    let plain = InvitationMail { inviter: plain.inviter.map(|_| "i"), ..plain };
    let plain = InvitationMail { first_name: plain.first_name.map(|_| "f"), ..plain };
    let password = plain.temporary_password.map(|_| "p");
    let plain = InvitationMail { temporary_password: password, accept_url: "https://x", ..plain };
    let expected = TEMPLATES.mail(locale, &plain).expect("plain words render");
    assert_eq!(tags(&content.html), tags(&expected.html), "{text:?}");
    let mail = Mail::build(MAILER.sender(), MailParts {
        to: EmailAddress::parse("ann@example.com").expect("an address"),
        to_name: Name::parse(first_name).ok(),
        subject: content.subject,
        text: content.text,
        html: content.html,
        message_id: "id@example.com".to_owned(),
        date: chrono::DateTime::UNIX_EPOCH,
        invitation: Some(InvitationId::from_uuid(uuid::Uuid::nil())),
        return_path: None,
    });
    let mail = mail.expect("any name and any text make a mail");
    let raw = String::from_utf8(mail.raw().to_vec()).expect("ASCII");
    assert!(raw.is_ascii() && raw.split("\r\n").all(|line| line.len() <= 998));
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n']));
    let head = raw.split("\r\n\r\n").next().unwrap_or_default();
    assert_eq!(head.matches("\r\nTo: ").count(), 1, "{head}");
});
