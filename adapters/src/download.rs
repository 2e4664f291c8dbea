//! Gets a document from another service over HTTP: bounded in size and time, and from there only.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use url::{Host, Url};

/// Why there is no document, as the rest of a sentence about its URL.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No answer, or not in time, or a status of 400 and above.
    #[error("cannot be fetched: {0}")]
    Http(#[from] ureq::Error),
    /// A redirect, or an answer without a document.
    #[error("answers with status {0}, not with a document; name its final address")]
    Status(u16),
    /// Reading the document failed, or took too long.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The document does not end.
    #[error("is longer than {0} bytes")]
    TooLong(u64),
}

/// Gets `url` within `deadline`, at most `limit` bytes of it.
///
/// Blocks its thread: call it where blocking is allowed. Redirects are not followed, for they could
/// lead to a place that the operator did not name.
pub fn download(url: &Url, limit: u64, deadline: Duration) -> Result<Vec<u8>, DownloadError> {
    let mut answer = agent(url, deadline).get(url.as_str()).call()?;
    if answer.status() != ureq::http::StatusCode::OK {
        return Err(DownloadError::Status(answer.status().as_u16()));
    }
    let mut document = Vec::new();
    answer.body_mut().as_reader().take(limit + 1).read_to_end(&mut document)?;
    if document.len() as u64 > limit {
        return Err(DownloadError::TooLong(limit));
    }
    Ok(document)
}

fn agent(url: &Url, deadline: Duration) -> Agent {
    config(url, deadline).build().new_agent()
}

/// For requests to one place that the operator has named, each over a connection of its own.
pub(crate) fn config(url: &Url, deadline: Duration) -> ConfigBuilder<AgentScope> {
    let config = Agent::config_builder()
        .timeout_global(Some(deadline))
        .max_redirects(0)
        .max_idle_connections(0)
        .user_agent("welcomat");
    // A proxy, which ureq takes from the environment, cannot reach what only this machine can.
    let config = if is_loopback(url) { config.proxy(None) } else { config };
    let tls = TlsConfig::builder().root_certs(roots()).build();
    config.tls_config(tls)
}

/// Whether what comes from `url` cannot be changed on its way, because it does not leave the machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What the system trusts, which an operator can add to; Mozilla's list where it trusts nobody.
pub(crate) fn roots() -> RootCerts {
    let own = rustls_native_certs::load_native_certs().certs;
    if own.is_empty() {
        return RootCerts::WebPki;
    }
    RootCerts::from(own.iter().map(|der| Certificate::from_der(der).to_owned()))
}
