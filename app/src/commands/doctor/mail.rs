//! The mail server: does it let us in, and, on request, does it take a mail?

use std::time::Duration;

use adapters::clock::Clock;
use adapters::mailer::{Introduction, Mail, MailParts, Mailer};
use adapters::settings::Settings;
use domain::{DeliveryId, EmailAddress, SendOutcome};
use tokio::time::Instant;

use super::finding::Finding;

const WHAT: &str = "mail server";
const TRIAL: &str = "mail";
const PATIENCE: Duration = Duration::from_mins(2);

/// Looks at it, and sends a mail to whoever wants one.
pub async fn examine(settings: &Settings, send_to: Option<&str>) -> Vec<Finding> {
    let mailer = match Mailer::new(&settings.mail) {
        Ok(mailer) => mailer,
        Err(error) => return vec![Finding::bad(WHAT, error.to_string(), "change that setting")],
    };
    let mut findings = vec![match mailer.examine().await {
        None if !settings.broker.url.starts_with("memory:") => Finding::doubtful(
            WHAT,
            "none in these settings, as is right for an API: workers send the mails",
            "run the doctor where the workers run, with their settings",
        ),
        None => Finding::doubtful(
            WHAT,
            "none: mails are captured and shown at /inbox, and reach nobody",
            "set mail.url to smtp://user:password@host:587 once real people are invited",
        ),
        Some(Ok(Introduction { encrypted: true, .. })) => {
            Finding::good(WHAT, "reached and logged in, encrypted")
        }
        Some(Ok(_)) => Finding::doubtful(
            WHAT,
            "reached, but the way to it is not encrypted",
            "leave tls=none out of mail.url unless the server is on this machine",
        ),
        Some(Err(why)) => Finding::bad(
            WHAT,
            why,
            "see that mail.url is right and that the server lets this machine in; mails wait \
             meanwhile, none fails",
        ),
    }];
    if let Some(to) = send_to {
        findings.push(send(settings, &mailer, to).await);
    }
    findings
}

async fn send(settings: &Settings, mailer: &Mailer, to: &str) -> Finding {
    let wrong = |detail: String| Finding::bad(TRIAL, detail, "read what the server says");
    let to = match EmailAddress::parse(to) {
        Ok(to) => to,
        Err(error) => {
            return Finding::bad(TRIAL, format!("--send-to {error}"), "give one bare address");
        }
    };
    let now = Clock::new().now();
    let id = DeliveryId::new(now, &mut adapters::rng());
    let parts = MailParts {
        to,
        to_name: None,
        return_path: None,
        subject: "Welcomat can send mail".to_owned(),
        text: "This mail was asked for with \"welcomat doctor --send-to\".\r\n".to_owned(),
        html: "<p>This mail was asked for with <code>welcomat doctor --send-to</code>.</p>"
            .to_owned(),
        message_id: format!("<{id}.doctor@{}>", settings.mail.domain()),
        date: now,
        invitation: None,
    };
    let mail = match Mail::build(mailer.sender(), parts) {
        Ok(mail) => mail,
        Err(error) => return wrong(error.to_string()),
    };
    let mut slot = mailer.slot();
    let outcome = slot.send(&mail, Instant::now() + PATIENCE).await;
    slot.close().await;
    match outcome {
        SendOutcome::Sent => Finding::good(TRIAL, "the server has taken it; look for it"),
        other => {
            let detail = other.trouble().map(|trouble| trouble.detail.clone());
            wrong(detail.unwrap_or_else(|| other.as_str().to_owned()))
        }
    }
}
