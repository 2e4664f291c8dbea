//! The sections about HTTP, database, broker and the first start, and the derived public URL.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use domain::{EmailAddress, Name};
use serde::{Serialize, Serializer};
use url::Url;

use super::source::Leaves;
use super::values::starts_with_any;
use super::{Network, SettingsError, duration, redact};

/// The HTTP server.
#[derive(Debug, Clone, Serialize)]
pub struct HttpSettings {
    /// The address to listen on.
    pub bind: SocketAddr,
    /// Threads that answer requests; never 0.
    pub workers: usize,
    /// How long a request may take.
    #[serde(serialize_with = "duration::serialize")]
    pub request_timeout: Duration,
    /// How long the body of a request may be.
    pub body_limit_bytes: usize,
    /// How long requests are answered after the process was told to stop.
    #[serde(rename = "drain_seconds", serialize_with = "duration::serialize_seconds")]
    pub drain: Duration,
    /// How long open requests may take to finish.
    #[serde(serialize_with = "duration::serialize")]
    pub shutdown_grace: Duration,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// The database.
#[derive(Clone, Serialize)]
pub struct DatabaseSettings {
    /// `sqlite://…` or `postgres://…`.
    #[serde(serialize_with = "redact::serialize_url")]
    pub url: String,
    /// The size of the pool.
    pub max_connections: u32,
    /// How many requests of one kind may wait for their turn; never 0.
    pub max_waiting: usize,
    /// How long to wait for a connection.
    #[serde(serialize_with = "duration::serialize")]
    pub acquire_timeout: Duration,
    /// How long a statement may run.
    #[serde(serialize_with = "duration::serialize")]
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    #[serde(serialize_with = "duration::serialize")]
    pub lock_timeout: Duration,
}

/// The message broker.
#[derive(Clone, Serialize)]
pub struct BrokerSettings {
    /// `memory:`, `amqp://…` or `amqps://…`.
    #[serde(serialize_with = "redact::serialize_url")]
    pub url: String,
    /// How often a silent connection is checked.
    #[serde(serialize_with = "duration::serialize")]
    pub heartbeat: Duration,
    /// How long the broker may take to confirm.
    #[serde(serialize_with = "duration::serialize")]
    pub confirm_timeout: Duration,
    /// The names of exchanges and queues begin with it.
    pub prefix: String,
    /// Who makes exchanges and queues.
    pub topology: Topology,
    /// Whether every event is announced to the topic exchange.
    pub events: bool,
}

/// What a process does about exchanges and queues that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// It makes them.
    Declare,
    /// It waits until somebody else has.
    Check,
}

/// What a first start on an empty database makes.
#[derive(Clone, Serialize)]
pub struct BootstrapSettings {
    /// The name of the first organization.
    pub organization: String,
    /// The address of its first admin.
    pub email: String,
    /// The key of that admin; one is made if there is none.
    #[serde(serialize_with = "redact::serialize_option")]
    pub api_key: Option<String>,
    /// A key for every organization of the instance; none is made if there is none.
    #[serde(serialize_with = "redact::serialize_option")]
    pub instance_key: Option<String>,
}

impl HttpSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        let workers = match values.number("http.workers", 0..=1024)? {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        Ok(Self {
            bind: values.text("http.bind", |text| {
                text.parse()
                    .map_err(|_| format!("must be an address such as 127.0.0.1:8080, not {text:?}"))
            })?,
            workers,
            request_timeout: values.duration("http.request_timeout")?,
            body_limit_bytes: values.number("http.body_limit_bytes", 1024..=16_777_216)?,
            drain: Duration::from_secs(values.number("http.drain_seconds", 0..=600)?),
            shutdown_grace: values.duration("http.shutdown_grace")?,
            trusted_proxies: values.list("http.trusted_proxies", str::parse)?,
        })
    }
}

impl DatabaseSettings {
    pub(super) fn read(values: &Leaves, data_dir: &Path) -> Result<Self, SettingsError> {
        const KINDS: [&str; 3] = ["sqlite:", "postgres://", "postgresql://"];
        Ok(Self {
            url: values.text("database.url", |text| match text {
                "" => Ok(format!("sqlite://{}", data_dir.join("welcomat.db").display())),
                url => starts_with_any(url, &KINDS),
            })?,
            max_connections: values.number("database.max_connections", 1..=1000)?,
            max_waiting: values.number("database.max_waiting", 1..=100_000)?,
            acquire_timeout: values.duration("database.acquire_timeout")?,
            statement_timeout: values.duration("database.statement_timeout")?,
            lock_timeout: values.duration("database.lock_timeout")?,
        })
    }
}

impl BrokerSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        let kinds = ["memory:", "amqp://", "amqps://"];
        Ok(Self {
            url: values.text("broker.url", |text| starts_with_any(text, &kinds))?,
            heartbeat: values.duration("broker.heartbeat")?,
            confirm_timeout: values.duration("broker.confirm_timeout")?,
            prefix: values.text("broker.prefix", |text| {
                let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                if (1..=64).contains(&text.len()) && text.chars().all(fits) {
                    return Ok(text.to_owned());
                }
                Err("must be 1 to 64 letters, digits, dots, dashes or underscores".into())
            })?,
            topology: values.text("broker.topology", |text| match text {
                "declare" => Ok(Topology::Declare),
                "check" => Ok(Topology::Check),
                _ => Err(format!("must be declare or check, not {text:?}")),
            })?,
            events: values.flag("broker.events")?,
        })
    }
}

impl BootstrapSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            organization: values.text("bootstrap.organization", |text| {
                match Name::parse(text) {
                    Ok(_) => Ok(text.to_owned()),
                    Err(error) => Err(format!("is not a name: {error}")),
                }
            })?,
            email: values.text("bootstrap.email", |text| match EmailAddress::parse(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("is not an address: {error}")),
            })?,
            api_key: values.text("bootstrap.api_key", key)?,
            instance_key: values.text("bootstrap.instance_key", key)?,
        })
    }
}

/// A key travels in a header.
fn key(text: &str) -> Result<Option<String>, String> {
    if text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok((!text.is_empty()).then(|| text.to_owned()));
    }
    Err("must be visible ASCII characters without spaces".into())
}

/// Takes the public URL, or makes one that a browser on this machine can open.
pub(super) fn public_url(values: &Leaves, bind: SocketAddr) -> Result<Url, SettingsError> {
    const WANTED: &str = "must be an http:// or https:// URL without query, fragment and password";
    values.text("public_url", |text| {
        let own = format!("http://{}", SocketAddr::new(reachable(bind.ip()), bind.port()));
        let mut url = Url::parse(if text.is_empty() { &own } else { text })
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .filter(|url| url.query().is_none() && url.fragment().is_none())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or(WANTED)?;
        // Without it, joining a path would replace the last segment.
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(url)
    })
}

/// A server may listen on every address, but nobody can visit "every address".
fn reachable(ip: IpAddr) -> IpAddr {
    if ip.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { ip }
}

/// For `#[serde(serialize_with)]`.
pub(super) fn serialize_display<S: Serializer>(
    shown: &impl fmt::Display,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_str(shown)
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "DatabaseSettings", self)
    }
}

impl fmt::Debug for BrokerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "BrokerSettings", self)
    }
}

impl fmt::Debug for BootstrapSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "BootstrapSettings", self)
    }
}
