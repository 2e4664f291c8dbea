//! Sends mail: over SMTP, or into an inbox that is kept in memory.
//!
//! [`Mailer`] is made once; each sender owns a [`Slot`] and with it at most one connection. There
//! is no pool: a connection that somebody stopped using half-way may hold the answer to another
//! mail, so it is owned by one attempt and dropped with it.

mod capture;
mod connect;
mod detail;
mod dialogue;
mod dkim;
mod envelope;
mod message;
mod search;
mod smtp;
mod tls;
mod trust;
mod url;

use std::path::PathBuf;
use std::sync::Arc;

use domain::{Phase, SendOutcome};
use tokio::time::{Instant, timeout_at};

pub use self::capture::{Captured, CapturedInbox};
pub(crate) use self::detail::clean as fit_for_a_timeline;
pub use self::message::{Mail, MailError, MailParts, Sender};
pub use self::search::Search;

use self::connect::Server;
use self::dkim::Signer;
use self::smtp::Warm;
use self::url::MailUrl;
use crate::settings::MailSettings;

/// Where mail goes; cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    sender: Sender,
    transport: Transport,
}

#[derive(Clone)]
enum Transport {
    Smtp(Arc<Server>),
    Capture(CapturedInbox),
}

/// What was agreed with a server before any mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Introduction {
    /// Whether nobody on the way can read along.
    pub encrypted: bool,
    /// Whether commands may be sent together, which is faster over long ways.
    pub pipelining: bool,
}

/// Sends one mail at a time, over a connection that is kept for the next one.
pub struct Slot {
    transport: Transport,
    warm: Option<Warm>,
}

/// Why the mailer cannot be made. Names the setting, never its value.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// `mail.url`
    #[error("mail.url {0}")]
    Url(String),
    /// `mail.from`
    #[error("mail.from must be an address in ASCII, such as Welcomat <invitations@example.com>")]
    From,
    /// `mail.helo`
    #[error("mail.helo must be a host name, such as worker.example.com")]
    Helo,
    /// The `ca=` option of `mail.url`
    #[error("the file {path} that mail.url names with ca= cannot be used: {why}")]
    ExtraCa {
        /// As configured.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The TLS library refuses its configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
    /// `mail.dkim.selector`, `mail.dkim.domain`
    #[error("{0} must be a DNS name")]
    DkimName(&'static str),
    /// `mail.dkim.key`
    #[error("mail.dkim.key cannot be read ({0}); give a PKCS#1 RSA key or 32 bytes in base64")]
    DkimKey(String),
    /// `mail.dkim.key` in a form that the mail library cannot read.
    #[error(
        "mail.dkim.key is not PKCS#1 (BEGIN RSA PRIVATE KEY); convert it with \
         openssl rsa -traditional -in key.pem"
    )]
    DkimKeyForm,
}

impl Mailer {
    /// Checks all settings, so that a wrong one stops the start and not the first mail.
    ///
    /// Reads the system's certificates from disk; does not connect.
    pub fn new(settings: &MailSettings) -> Result<Self, MailerError> {
        let signer = settings.dkim.as_ref().map(Signer::new).transpose()?;
        let sender = Sender::new(&settings.from, settings.provider, signer)?;
        let transport = match MailUrl::parse(&settings.url)? {
            MailUrl::Capture => Transport::Capture(CapturedInbox::new()),
            MailUrl::Smtp(relay) => Transport::Smtp(Arc::new(Server::new(relay, settings)?)),
        };
        Ok(Self { sender, transport })
    }

    /// Whom mails come from; what [`Mail::build`] needs.
    pub const fn sender(&self) -> &Sender {
        &self.sender
    }

    /// A new slot, without a connection yet.
    pub fn slot(&self) -> Slot {
        Slot { transport: self.transport.clone(), warm: None }
    }

    /// Connects and logs in once, and sends nothing; `None` if mail is captured. The error says what
    /// the server does not do.
    pub async fn examine(&self) -> Option<Result<Introduction, String>> {
        let Transport::Smtp(server) = &self.transport else { return None };
        let last = Instant::now() + server.timeouts.connect + server.timeouts.command * 4;
        Some(match server.connect(last).await {
            Ok(mut dialogue) => {
                let (encrypted, pipelining) = (dialogue.encrypted, dialogue.pipelining);
                // It has said what it can do; how it takes leave changes nothing.
                let _ = timeout_at(last, dialogue.command("QUIT")).await;
                Ok(Introduction { encrypted, pipelining })
            }
            Err(stop) => Err(stop.told(&server.secrets())),
        })
    }

    /// The inbox, if mail is captured.
    pub fn captured(&self) -> Option<CapturedInbox> {
        match &self.transport {
            Transport::Smtp(_) => None,
            Transport::Capture(inbox) => Some(inbox.clone()),
        }
    }
}

impl Slot {
    /// Tries once to hand the mail over.
    ///
    /// After `dot_deadline` the mail is not completed any more: somebody else may be sending it.
    /// Dropping the future is safe; the connection goes with it.
    pub async fn send(
        &mut self,
        mail: &Mail,
        dot_deadline: impl Into<Instant> + Send,
    ) -> SendOutcome {
        let dot_deadline = dot_deadline.into();
        match &self.transport {
            Transport::Smtp(server) => {
                // Taken out: only an attempt that ended well puts a connection back.
                let (outcome, warm) =
                    smtp::send(server, self.warm.take(), mail, dot_deadline).await;
                self.warm = warm;
                outcome
            }
            Transport::Capture(_) if dot_deadline <= Instant::now() => {
                let detail = "the time for this attempt ran out".to_owned();
                SendOutcome::from_broken_conversation(Phase::MailFrom, detail)
            }
            Transport::Capture(inbox) => {
                inbox.keep(mail);
                SendOutcome::Sent
            }
        }
    }

    /// Whether it holds a connection that would not be used again: too old, or idle for too long.
    pub fn is_worn(&self) -> bool {
        match (&self.transport, &self.warm) {
            (Transport::Smtp(server), Some(warm)) => warm.is_worn(&server.limits),
            _ => false,
        }
    }

    /// Takes leave of the server; dropping the slot just hangs up.
    pub async fn close(mut self) {
        if let Some(warm) = self.warm.take() {
            warm.quit().await;
        }
    }
}
