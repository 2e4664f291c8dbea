//! What is wrong with a server's certificate, in one sentence with the next step.

use std::error::Error;
use std::io;
use std::path::Path;

use chrono::DateTime;
use rustls::CertificateError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};

/// Of so many names that a certificate is good for, the rest is only counted.
const NAMES: usize = 3;

/// Who shows a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Mail,
    Broker,
    Database,
}

impl Server {
    const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail server",
            Self::Broker => "broker",
            Self::Database => "database",
        }
    }

    /// What says where it is.
    const fn setting(self) -> &'static str {
        match self {
            Self::Mail => "mail.url",
            Self::Broker => "broker.url",
            Self::Database => "database.url",
        }
    }

    /// What names the file with a private authority, in that setting.
    const fn authority(self) -> &'static str {
        match self {
            Self::Mail | Self::Broker => "?ca=/path/to/ca.pem",
            Self::Database => "?sslrootcert=/path/to/ca.pem",
        }
    }
}

/// What is wrong with the server's certificate, if that is why there is no connection to it.
pub(crate) fn trouble(server: Server, error: &(dyn Error + 'static)) -> Option<String> {
    let rustls::Error::InvalidCertificate(why) = in_chain(error)? else { return None };
    let (name, setting) = (server.name(), server.setting());
    Some(match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            let day = day(*not_after);
            format!("the certificate of the {name} expired on {day}: renew it there")
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the certificate of the {name} is not good before {}: set the clock of this machine, or \
             get another one",
            day(*not_before)
        ),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the certificate of the {name} is for {}, not for {}: name the server so in {setting}, \
             or get one for that name",
            names(presented),
            expected.to_str()
        ),
        CertificateError::UnknownIssuer => format!(
            "the certificate of the {name} is signed by nobody whom this machine trusts: if it is \
             the right one, name its authority in {setting}, with {}",
            server.authority()
        ),
        other => format!("the certificate of the {name} is not accepted, get another one: {other}"),
    })
}

/// The TLS library's error among those that led to this one.
fn in_chain<'a>(mut error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    loop {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // Asked for its source, an I/O error passes over what it carries itself.
        error = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => carried,
            None => error.source()?,
        };
    }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(|time| time.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// The library gives each as `DnsName("mail.example.com")`; it is the server that says them.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner);
        let bare = inner.trim_end_matches(')').trim_matches('"');
        bare.chars().filter(|c| !c.is_control()).take(100).collect::<String>()
    };
    let named: Vec<_> = presented.iter().take(NAMES).map(bare).collect();
    match presented.len() {
        0 => "no name at all".to_owned(),
        all @ ..=NAMES => named[..all].join(", "),
        all => format!("{} and {} more", named.join(", "), all - NAMES),
    }
}

/// Reads a file of authorities; the error says what is wrong with it.
pub(crate) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if all.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(why: CertificateError) -> String {
        let tls = rustls::Error::InvalidCertificate(why);
        // As a server's client hands it on: within one I/O error, within another one.
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        trouble(Server::Mail, &error).unwrap()
    }

    #[test]
    fn names_are_said_as_people_write_them() {
        let of = |presented: &[&str]| {
            names(&presented.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        let (dns, ip) = ("DnsName(\"mail.example.com\")", "IpAddress(192.0.2.1)");
        assert_eq!(of(&[]), "no name at all");
        assert_eq!(of(&[dns, ip]), "mail.example.com, 192.0.2.1");
        assert_eq!(
            of(&[dns, dns, ip, dns, "DnsName(\"\u{1b}[2J\")"]),
            "mail.example.com, mail.example.com, 192.0.2.1 and 2 more"
        );
    }

    #[test]
    fn a_clock_that_is_behind_is_suspected() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let why =
            CertificateError::NotValidYetContext { time: at(0), not_before: at(1_893_456_000) };
        let said = told(why);
        assert!(said.contains("not good before 2030-01-01: set the clock"), "{said}");
    }

    #[test]
    fn what_is_no_matter_of_certificates_is_left_alone() {
        assert_eq!(trouble(Server::Broker, &io::Error::other("reset")), None);
        let error = io::Error::other(rustls::Error::DecryptError);
        assert_eq!(trouble(Server::Broker, &error), None);
    }
}
