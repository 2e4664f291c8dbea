//! From nothing to a conversation that may send: TCP, TLS, greeting, EHLO, log-in.

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Phase;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::MailerError;
use super::dialogue::{Answer, Dialogue};
use super::smtp::{Stop, within};
use super::tls::Tls;
use super::trust::Trust;
use super::url::{Credentials, Protection, Relay};
use crate::settings::{MailSettings, MailTimeouts};

/// All that is needed to connect to the one server we send through.
pub(super) struct Server {
    relay: Relay,
    tls: Tls,
    helo: String,
    pub(super) timeouts: MailTimeouts,
    pub(super) limits: Limits,
    pub(super) trust: Trust,
}

/// How long one connection is used.
pub(super) struct Limits {
    pub(super) mails: u32,
    pub(super) idle: Duration,
    pub(super) age: Duration,
}

impl Server {
    pub(super) fn new(relay: Relay, settings: &MailSettings) -> Result<Self, MailerError> {
        let tls = Tls::new(&relay.host, relay.extra_ca.as_deref())?;
        let helo = settings.helo.clone().unwrap_or_else(|| ClientId::default().to_string());
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        if helo.is_empty() || helo.len() > 255 || !helo.bytes().all(known) {
            return Err(MailerError::Helo);
        }
        let limits = Limits {
            mails: settings.max_per_connection,
            idle: settings.max_idle,
            age: settings.max_age,
        };
        let (timeouts, trust) = (settings.timeouts.clone(), Trust::default());
        Ok(Self { relay, tls, helo, timeouts, limits, trust })
    }

    /// What must not show in a detail: server texts may quote a log-in.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let credentials = self.relay.credentials.as_ref();
        credentials.map_or_else(Vec::new, |c| vec![c.user.as_str(), c.password.as_str()])
    }

    /// Makes a connection that is ready for MAIL; each step has its own deadline.
    pub(super) async fn connect(&self, last: Instant) -> Result<Dialogue, Stop> {
        let limit = self.timeouts.connect;
        let stream =
            within(Phase::Connect, limit, last, dial(&self.relay.host, self.relay.port)).await?;
        let mut encrypted = self.relay.protection == Protection::Implicit;
        let mut dialogue = if encrypted {
            let stream = within(Phase::Tls, limit, last, self.tls.handshake(stream)).await?;
            Dialogue::new(Box::new(stream))
        } else {
            Dialogue::new(Box::new(stream))
        };
        let command = self.timeouts.command;
        let greeting = within(Phase::Greeting, command, last, dialogue.answer()).await?;
        expect(Phase::Greeting, 220, greeting)?;
        let mut offers = self.hello(&mut dialogue, last).await?;
        if !encrypted && self.wants_starttls(&offers)? {
            dialogue = self.start_tls(dialogue, last).await?;
            encrypted = true;
            // What was offered in clear may have been forged (RFC 3207 §4.2).
            offers = self.hello(&mut dialogue, last).await?;
        }
        if let Some(credentials) = &self.relay.credentials {
            if !encrypted && self.relay.protection != Protection::None {
                return Err(Stop::broken(
                    Phase::Auth,
                    "the server offers no STARTTLS, and the log-in is not sent in clear",
                ));
            }
            self.log_in(&mut dialogue, &offers, credentials, last).await?;
        }
        dialogue.pipelining = offers.iter().any(|offer| offer.trim() == "PIPELINING");
        dialogue.encrypted = encrypted;
        Ok(dialogue)
    }

    async fn hello(&self, dialogue: &mut Dialogue, last: Instant) -> Result<Vec<String>, Stop> {
        let hello = format!("EHLO {}", self.helo);
        let wait = dialogue.command(&hello);
        let answer = within(Phase::Hello, self.timeouts.command, last, wait).await?;
        let answer = expect(Phase::Hello, 250, answer)?;
        // The first line names the server.
        Ok(answer.lines.iter().skip(1).map(|line| line.to_ascii_uppercase()).collect())
    }

    fn wants_starttls(&self, offers: &[String]) -> Result<bool, Stop> {
        let offered = offers.iter().any(|offer| offer.trim() == "STARTTLS");
        match self.relay.protection {
            Protection::Required if !offered => Err(Stop::broken(
                Phase::Tls,
                "the server offers no STARTTLS, which mail.url requires (tls=required)",
            )),
            Protection::Required | Protection::Opportunistic => Ok(offered),
            Protection::Implicit | Protection::None => Ok(false),
        }
    }

    async fn start_tls(&self, mut dialogue: Dialogue, last: Instant) -> Result<Dialogue, Stop> {
        let wait = dialogue.command("STARTTLS");
        let answer = within(Phase::Tls, self.timeouts.command, last, wait).await?;
        expect(Phase::Tls, 220, answer)?;
        let stream = dialogue.into_stream().map_err(|error| Stop::io(Phase::Tls, &error))?;
        let wait = self.tls.handshake(stream);
        let stream = within(Phase::Tls, self.timeouts.connect, last, wait).await?;
        Ok(Dialogue::new(Box::new(stream)))
    }

    async fn log_in(
        &self,
        dialogue: &mut Dialogue,
        offers: &[String],
        credentials: &Credentials,
        last: Instant,
    ) -> Result<(), Stop> {
        let Credentials { user, password } = credentials;
        let limit = self.timeouts.command;
        let password = password.as_str();
        let (first, then) = if offers_mechanism(offers, "PLAIN") {
            let plain = Zeroizing::new(format!("\0{user}\0{password}"));
            (Zeroizing::new(format!("AUTH PLAIN {}", *encode(&plain))), vec![])
        } else if offers_mechanism(offers, "LOGIN") {
            let then = vec![encode(user), encode(password)];
            (Zeroizing::new("AUTH LOGIN".to_owned()), then)
        } else {
            let detail = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
            return Err(Stop::broken(Phase::Auth, detail));
        };
        let mut answer = within(Phase::Auth, limit, last, dialogue.command(&first)).await?;
        for line in then {
            expect(Phase::Auth, 334, answer)?;
            answer = within(Phase::Auth, limit, last, dialogue.command(&line)).await?;
        }
        expect(Phase::Auth, 235, answer).map(drop)
    }
}

/// Plain or with TLS inside, there is no waiting for more to send.
async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // TLS writes more pieces than we do: without it one may wait some 40 ms for a delayed ACK.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn offers_mechanism(offers: &[String], mechanism: &str) -> bool {
    offers.iter().any(|offer| {
        let mut words = offer.split([' ', '=']);
        words.next() == Some("AUTH") && words.any(|word| word == mechanism)
    })
}

fn encode(text: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(text))
}

/// Lets exactly one code pass.
pub(super) fn expect(phase: Phase, code: u16, answer: Answer) -> Result<Answer, Stop> {
    if answer.code == code { Ok(answer) } else { Err(Stop::Answer(phase, answer)) }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn no_piece_waits_for_another() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(super::dial("127.0.0.1", port).await.unwrap().nodelay().unwrap());
    }
}
