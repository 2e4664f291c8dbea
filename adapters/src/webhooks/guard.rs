//! Where a webhook may go: public addresses only, unless the operator allows others.
//!
//! A name is resolved here, all of its addresses are looked at, and the connection is made to those
//! very addresses: whoever changes the name in between changes nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use url::{Host, Url};

use crate::settings::WebhookSettings;

/// How long a name may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(5);
/// Far longer than any endpoint's.
const LONGEST_URL: usize = 2048;

/// Why a URL is no endpoint, as the rest of a sentence that begins with its name. It does not repeat
/// the URL, and does not say what address a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedUrl {
    /// It cannot be read.
    #[error("must be an absolute URL of at most 2,048 characters")]
    Form,
    /// It is not HTTPS.
    #[error("must begin with https://")]
    Scheme,
    /// It holds a user name or a password.
    #[error("must not hold a user name or a password")]
    UserInfo,
    /// It has a fragment, which no server ever sees.
    #[error("must not have a fragment (#…)")]
    Fragment,
    /// Its port is none of those that are allowed.
    #[error(
        "must use a port that is allowed here (443 and 8443, unless the operator says otherwise)"
    )]
    Port,
    /// Its host is on this machine or in a private network.
    #[error("must have a public address, not one of a private network")]
    Private,
    /// Its host is not known.
    #[error("has a host name that cannot be resolved")]
    Unknown,
}

/// The addresses of a name, as a test wants them.
pub type Resolve = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Finds the addresses of names.
#[derive(Clone, Default)]
pub enum Names {
    /// As the system does.
    #[default]
    System,
    /// As this function says, for tests.
    Fixed(Arc<Resolve>),
}

/// The operator's rules, and a way to resolve names.
#[derive(Debug, Clone)]
pub struct Guard {
    names: Names,
    ports: Vec<u16>,
    allow_http: bool,
    allow_private: bool,
}

impl Guard {
    /// Rules as the settings have them.
    pub fn new(settings: &WebhookSettings, names: Names) -> Self {
        Self {
            names,
            ports: settings.ports.clone(),
            allow_http: settings.allow_http,
            allow_private: settings.allow_private_addresses,
        }
    }

    /// Reads a URL that somebody wants to be an endpoint. One whose name is not known yet is fine: it
    /// is looked at again before each request.
    pub async fn check(&self, text: &str) -> Result<Url, RefusedUrl> {
        let url = self.read(text)?;
        match self.addresses(&url).await {
            Ok(_) | Err(RefusedUrl::Unknown) => Ok(url),
            Err(refused) => Err(refused),
        }
    }

    /// The addresses that a request to `text` may go to, at least one, and the URL.
    pub async fn admit(&self, text: &str) -> Result<(Url, Vec<SocketAddr>), RefusedUrl> {
        let url = self.read(text)?;
        let addresses = self.addresses(&url).await?;
        Ok((url, addresses))
    }

    /// All that can be said without asking for the address.
    fn read(&self, text: &str) -> Result<Url, RefusedUrl> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URL);
        let url = url.filter(Url::has_host).ok_or(RefusedUrl::Form)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err(RefusedUrl::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedUrl::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(RefusedUrl::Fragment);
        }
        let port = url.port_or_known_default().ok_or(RefusedUrl::Form)?;
        if !self.ports.is_empty() && !self.ports.contains(&port) {
            return Err(RefusedUrl::Port);
        }
        match url.host() {
            Some(Host::Domain(name)) if !self.allow_private && is_local(name) => {
                Err(RefusedUrl::Private)
            }
            _ => Ok(url),
        }
    }

    /// One address that must not be spoken to is enough: which of them a connection takes is chance.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, RefusedUrl> {
        let port = url.port_or_known_default().ok_or(RefusedUrl::Form)?;
        let found = match url.host().ok_or(RefusedUrl::Form)? {
            Host::Ipv4(ip) => vec![IpAddr::V4(ip)],
            Host::Ipv6(ip) => vec![IpAddr::V6(ip)],
            Host::Domain(name) => {
                let found = timeout(RESOLVING, self.names.resolve(name)).await;
                found.ok().and_then(Result::ok).ok_or(RefusedUrl::Unknown)?
            }
        };
        if found.is_empty() {
            return Err(RefusedUrl::Unknown);
        }
        if !self.allow_private && !found.iter().all(|ip| is_public(*ip)) {
            return Err(RefusedUrl::Private);
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }
}

impl Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            Self::Fixed(resolve) => Ok(resolve(name)),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Fixed(_) => "Fixed",
        })
    }
}

/// Names that mean something in a private network only, whatever address they have.
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || ["localhost", "local", "internal", "lan", "home", "corp"].contains(&last)
}

/// Whether an address belongs to a machine that anybody can reach (the IANA registries of
/// special-purpose addresses, RFC 6890).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = matches!(
        (a, b, c),
        // This network, private use, loopback; multicast, reserved and broadcast.
        (0 | 10 | 127 | 224..=255, ..) | (172, 16..=31, _) | (192, 168, _)
        // Shared by a carrier's customers: some clouds have their metadata there.
        | (100, 64..=127, _)
        // Link-local, with most clouds' metadata.
        | (169, 254, _)
        // Protocol assignments, documentation, the former 6to4 relays, benchmarks.
        | (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) | (198, 18 | 19, _)
    );
    !is_special
}

/// What is not global unicast is refused: loopback, unique local, link-local, multicast, and every
/// form that has an IPv4 address inside (mapped, compatible, NAT64).
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    // Protocol assignments with Teredo, documentation, and 6to4 with an IPv4 address inside.
    let is_special = matches!(
        segments,
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..]
    );
    segments[0] & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn guard(env: &[(&str, &str)], names: Names) -> Guard {
        let env = env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Guard::new(&Settings::load(None, env).unwrap().webhooks, names)
    }

    fn names(addresses: &'static [&'static str]) -> Names {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Names::Fixed(Arc::new(move |_| addresses.clone()))
    }

    #[test]
    fn only_addresses_that_anybody_can_reach_are_public() {
        for (address, expected) in [
            ("93.184.215.14", true),
            ("1.1.1.1", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("100.128.0.1", true),
            ("2606:4700:4700::1111", true),
            ("2a00:1450:4001:80b::200e", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.100.100.200", false),
            ("192.0.0.192", false),
            ("192.0.2.1", false),
            ("198.18.0.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("::127.0.0.1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("2002:7f00:1::", false),
            ("2001:0:a9fe:a9fe::", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn a_url_is_refused_for_what_it_is() {
        use RefusedUrl::{Form, Fragment, Port, Private, Scheme, UserInfo};
        let guard = guard(&[], names(&["93.184.215.14"]));
        let long = format!("https://hooks.example.com/{}", "a".repeat(2048));
        for (url, expected) in [
            ("https://hooks.example.com/welcomat?x=1", None),
            ("https://hooks.example.com:8443/", None),
            ("https://93.184.215.14/", None),
            ("https://[2606:4700:4700::1111]/", None),
            ("", Some(Form)),
            ("/path", Some(Form)),
            ("mailto:ann@example.com", Some(Form)),
            ("https://", Some(Form)),
            (&long, Some(Form)),
            ("http://hooks.example.com/", Some(Scheme)),
            ("ftp://hooks.example.com/", Some(Scheme)),
            ("file://hooks.example.com/etc/passwd", Some(Scheme)),
            ("gopher://hooks.example.com/", Some(Scheme)),
            ("https://ann@hooks.example.com/", Some(UserInfo)),
            ("https://ann:secret@hooks.example.com/", Some(UserInfo)),
            ("https://hooks.example.com/#x", Some(Fragment)),
            ("https://hooks.example.com:25/", Some(Port)),
            ("https://hooks.example.com:6379/", Some(Port)),
            ("https://hooks.example.com:80/", Some(Port)),
            ("https://localhost/", Some(Private)),
            ("https://localhost./", Some(Private)),
            ("https://db/", Some(Private)),
            ("https://metadata.google.internal/", Some(Private)),
            ("https://127.0.0.1/", Some(Private)),
            ("https://2130706433/", Some(Private)),
            ("https://0x7f000001/", Some(Private)),
            ("https://0177.0.0.1/", Some(Private)),
            ("https://127.1/", Some(Private)),
            ("https://169.254.169.254/latest/meta-data", Some(Private)),
            ("https://[::1]/", Some(Private)),
            ("https://[::ffff:10.0.0.1]/", Some(Private)),
            ("https://[fd00:ec2::254]/", Some(Private)),
            ("https://①②⑦.0.0.1/", Some(Private)),
        ] {
            let checked = guard.check(url).await;
            assert_eq!(checked.as_ref().err().copied(), expected, "{url}: {checked:?}");
            assert_eq!(guard.admit(url).await.err(), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn one_private_address_among_others_is_enough() {
        let url = "https://hooks.example.com/";
        for (addresses, expected) in [
            (&["93.184.215.14", "10.0.0.1"][..], RefusedUrl::Private),
            (&["10.0.0.1", "93.184.215.14"], RefusedUrl::Private),
            (&["93.184.215.14", "::1"], RefusedUrl::Private),
        ] {
            let guard = guard(&[], names(addresses));
            assert_eq!(guard.check(url).await, Err(expected), "{addresses:?}");
            assert_eq!(guard.admit(url).await, Err(expected), "{addresses:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_is_not_known_yet_can_be_registered_but_not_spoken_to() {
        let guard = guard(&[], names(&[]));
        assert!(guard.check("https://hooks.example.com/").await.is_ok());
        assert_eq!(guard.admit("https://hooks.example.com/").await, Err(RefusedUrl::Unknown));
    }

    #[tokio::test]
    async fn the_operator_may_allow_more() {
        let env = [
            ("WELCOMAT_WEBHOOKS_ALLOW_HTTP", "true"),
            ("WELCOMAT_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "true"),
            ("WELCOMAT_WEBHOOKS_PORTS", ""),
        ];
        let guard = guard(&env, names(&["127.0.0.1"]));
        let (_, addresses) = guard.admit("http://localhost:6379/").await.unwrap();
        assert_eq!(addresses, ["127.0.0.1:6379".parse().unwrap()]);
        assert_eq!(guard.check("http://a@localhost/").await, Err(RefusedUrl::UserInfo));
    }
}
