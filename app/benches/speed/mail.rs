//! The mail that the limits send: the product's own, made by its own code.

use std::time::{Duration, Instant};

use adapters::clock::Clock;
use adapters::mailer::{Mail, MailParts, Mailer};
use adapters::settings::Settings;
use adapters::templates::{InvitationMail, Templates};
use domain::{EmailAddress, InvitationId, Name, Timestamp};

use crate::Result;

/// Renders and builds mails as a worker does.
pub struct MailMaker {
    templates: Templates,
    mailer: Mailer,
    now: Timestamp,
}

impl MailMaker {
    /// With the built-in templates.
    pub fn new() -> Result<Self> {
        let mailer = Mailer::new(&Settings::load(None, std::iter::empty())?.mail)?;
        Ok(Self { templates: Templates::load(None)?, mailer, now: Clock::new().now() })
    }

    /// One mail.
    pub fn make(&self) -> Result<Mail> {
        let content = self.templates.mail(
            "en",
            &InvitationMail {
                kind: domain::DeliveryKind::Invitation,
                organization: "Acme",
                inviter: None,
                first_name: Some("Grace"),
                role: "member",
                accept_url: "http://127.0.0.1:8080/i/k7m2q9x4w8r3t6y1p5s0d2f7g4",
                temporary_password: Some("k7m2q-9x4w8-r3t6y-1p5s0-d2f7g-4"),
                expires_at: self.now,
                password_valid_hours: 24,
                support: None,
            },
        )?;
        let parts = MailParts {
            to: EmailAddress::parse("b1000000@example.com")?,
            to_name: Name::parse("Grace Hopper").ok(),
            subject: content.subject,
            text: content.text,
            html: content.html,
            message_id: "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11.1@localhost".to_owned(),
            date: self.now,
            invitation: Some(InvitationId::new(self.now, &mut adapters::rng())),
            return_path: None,
        };
        Ok(Mail::build(self.mailer.sender(), parts)?)
    }

    /// The mail as it goes over the wire after DATA, without the final dot.
    pub fn on_the_wire(&self) -> Result<Vec<u8>> {
        let raw = String::from_utf8(self.make()?.raw().to_vec())?;
        Ok(raw.replace("\r\n.", "\r\n..").into_bytes())
    }

    /// How many mails all cores together make in a second.
    pub fn rate(&self, time: Duration) -> Result<f64> {
        let cores = std::thread::available_parallelism()?.get();
        let start = Instant::now();
        std::thread::scope(|scope| {
            let working: Vec<_> = (0..cores)
                .map(|_| {
                    scope.spawn(|| {
                        let mut made = 0.0;
                        while start.elapsed() < time {
                            self.make()?;
                            made += 1.0;
                        }
                        Ok::<f64, crate::Failure>(made)
                    })
                })
                .collect();
            let mut made = 0.0;
            for thread in working {
                made += thread.join().map_err(|_| "making a mail panicked")??;
            }
            Ok(made / start.elapsed().as_secs_f64())
        })
    }
}
