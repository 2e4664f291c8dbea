//! One request to an endpoint, and what its answer means.

use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use domain::webhook::NotTaken;
use domain::{Timestamp, WebhookDeliveryId, WebhookOutcome};
use tokio::task::spawn_blocking;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::{Guard, WebhookSecret};
use crate::download;

/// What is read of an answer, so that the endpoint sees its connection end well; nothing of it is kept.
const MOST_READ: u64 = 64 * 1024;
/// How much a header of an answer may have.
const LONGEST_HEAD: usize = 16 * 1024;

/// What is sent.
pub struct Letter {
    /// Names it: the same for every attempt.
    pub id: WebhookDeliveryId,
    /// When this attempt is made.
    pub at: Timestamp,
    /// Where to.
    pub url: String,
    /// The content.
    pub body: String,
    /// What signs it: more than one while a secret is being replaced.
    pub secrets: Vec<WebhookSecret>,
}

/// Makes requests to endpoints; cheap to clone.
#[derive(Clone)]
pub struct Poster {
    guard: Guard,
    roots: RootCerts,
    timeout: Duration,
}

impl Poster {
    /// One that gives each endpoint `timeout` to answer.
    pub fn new(guard: Guard, timeout: Duration) -> Self {
        Self { guard, roots: download::roots(), timeout }
    }

    /// Sends a letter within the time limit. Redirects are not followed: they would lead past the guard.
    pub async fn post(&self, letter: Letter) -> WebhookOutcome {
        let began = Instant::now();
        let (url, addresses) = match self.guard.admit(&letter.url).await {
            Ok(admitted) => admitted,
            Err(refused) => return not_taken(None, format!("the URL {refused}"), None),
        };
        let left = self.timeout.saturating_sub(began.elapsed());
        let agent = self.agent(addresses, left);
        let sent = spawn_blocking(move || send(&agent, url.as_str(), &letter));
        sent.await.unwrap_or_else(|_| {
            let detail = "making the request crashed; this is a bug".to_owned();
            WebhookOutcome::Ours { detail }
        })
    }

    /// For one request: connections are not kept, for the next one may have to go elsewhere.
    fn agent(&self, addresses: Vec<SocketAddr>, left: Duration) -> Agent {
        let tls = TlsConfig::builder().root_certs(self.roots.clone()).build();
        let config = Agent::config_builder()
            .timeout_global(Some(left.max(Duration::from_millis(1))))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_response_header_size(LONGEST_HEAD)
            .max_idle_connections(0)
            // One from the environment would resolve the name by itself.
            .proxy(None)
            .user_agent("welcomat-webhooks/1")
            .tls_config(tls)
            .build();
        Agent::with_parts(config, DefaultConnector::default(), Pinned(addresses))
    }
}

/// Knows the addresses that the guard has let pass, and no other.
#[derive(Debug)]
struct Pinned(Vec<SocketAddr>);

impl Resolver for Pinned {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        // As many as fit.
        for address in self.0.iter().take(16) {
            found.push(*address);
        }
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}

fn send(agent: &Agent, url: &str, letter: &Letter) -> WebhookOutcome {
    let body = letter.body.as_bytes();
    let signatures: Vec<String> =
        letter.secrets.iter().map(|secret| secret.sign(letter.id, letter.at, body)).collect();
    let answer = agent
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", letter.id.to_string())
        .header("webhook-timestamp", letter.at.timestamp().to_string())
        .header("webhook-signature", signatures.join(" "))
        .send(body);
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) => return not_taken(None, why(&error), None),
    };
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut rest = answer.body_mut().as_reader().take(MOST_READ);
    // The status has been said: whatever comes of the rest changes nothing.
    let _ = std::io::copy(&mut rest, &mut std::io::sink());
    match status {
        200..=299 => WebhookOutcome::Taken { status },
        410 => WebhookOutcome::Gone,
        300..=399 => {
            let detail = format!("answered with {status}; redirects are not followed");
            not_taken(Some(status), detail, None)
        }
        _ => {
            let wait = retry_after.map(Duration::from_secs);
            not_taken(Some(status), format!("answered with {status}"), wait)
        }
    }
}

fn not_taken(status: Option<u16>, detail: String, retry_after: Option<Duration>) -> WebhookOutcome {
    WebhookOutcome::NotTaken(NotTaken { status, detail, retry_after })
}

/// In words that repeat neither the URL nor anything that the other side has sent.
fn why(error: &ureq::Error) -> String {
    use ureq::Error as E;
    match error {
        E::Timeout(_) => "did not answer in time".to_owned(),
        E::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            "did not answer in time".to_owned()
        }
        E::Io(error) => format!("the connection failed: {}", error.kind()),
        E::ConnectionFailed | E::HostNotFound => "cannot be reached".to_owned(),
        E::Rustls(_) | E::Tls(_) => "TLS failed; is the certificate good for this name?".to_owned(),
        E::Protocol(_) | E::Http(_) => "answered with something that is not HTTP".to_owned(),
        _ => "no answer that can be understood".to_owned(),
    }
}
