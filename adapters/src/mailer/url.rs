//! Reads `mail.url`: where mail goes, how it is protected, who logs in.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::MailerError;

/// Where mail goes.
pub(super) enum MailUrl {
    /// `capture:`: nowhere; it is kept and shown.
    Capture,
    /// `smtp:` and `smtps:`: to this server.
    Smtp(Relay),
}

/// The SMTP server that takes our mail.
pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) credentials: Option<Credentials>,
    /// A file with further certificate authorities to trust.
    pub(super) extra_ca: Option<PathBuf>,
}

/// What protects the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// TLS from the first byte (RFC 8314 §3.3).
    Implicit,
    /// STARTTLS (RFC 3207), or no mail.
    Required,
    /// STARTTLS where it is offered; no log-in without it.
    Opportunistic,
    /// Nothing, log-in included: for a server on the same machine.
    None,
}

/// Who logs in.
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl MailUrl {
    /// Errors name the part that is wrong and never repeat the text: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, MailerError> {
        if text == "capture:" {
            return Ok(Self::Capture);
        }
        let url = Url::parse(text).map_err(|error| wrong(format!("is no URL ({error})")))?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(wrong("must start with capture:, smtp:// or smtps://")),
        };
        let query = Query::read(&url, implicit)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(wrong("must not have a path; it ends after the port or the ?options"));
        }
        let default_port = match query.protection {
            Protection::Implicit => 465,
            Protection::None => 25,
            Protection::Required | Protection::Opportunistic => 587,
        };
        Ok(Self::Smtp(Relay {
            host: host(&url)?,
            port: url.port().unwrap_or(default_port),
            protection: query.protection,
            credentials: credentials(&url)?,
            extra_ca: query.extra_ca,
        }))
    }
}

struct Query {
    protection: Protection,
    extra_ca: Option<PathBuf>,
}

impl Query {
    fn read(url: &Url, implicit: bool) -> Result<Self, MailerError> {
        let protection = if implicit { Protection::Implicit } else { Protection::Required };
        let mut query = Self { protection, extra_ca: None };
        for (key, value) in url.query_pairs() {
            match (key.as_ref(), value.as_ref()) {
                ("tls", "required") => {}
                ("tls", "opportunistic") if !implicit => {
                    query.protection = Protection::Opportunistic;
                }
                ("tls", "none") if !implicit => query.protection = Protection::None,
                ("tls", _) if implicit => return Err(wrong("has tls=, which smtps:// always is")),
                ("tls", _) => {
                    return Err(wrong("has a wrong tls=; use required, opportunistic or none"));
                }
                ("ca", path) if !path.is_empty() => query.extra_ca = Some(PathBuf::from(path)),
                _ => return Err(wrong("has an unknown option; the known ones are tls= and ca=")),
            }
        }
        Ok(query)
    }
}

fn host(url: &Url) -> Result<String, MailerError> {
    let host = match url.host() {
        // `smtp:` is no special scheme, so the host was not looked at yet.
        Some(Host::Domain(name)) => {
            Host::parse(name).map_err(|_| wrong("has a wrong host name"))?
        }
        Some(Host::Ipv4(address)) => Host::Ipv4(address),
        Some(Host::Ipv6(address)) => Host::Ipv6(address),
        None => return Err(wrong("must name a host, such as smtp://mail.example.com")),
    };
    Ok(match host {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

fn credentials(url: &Url) -> Result<Option<Credentials>, MailerError> {
    let Some(password) = url.password() else {
        let no_user = url.username().is_empty();
        return if no_user { Ok(None) } else { Err(wrong("has a user but no password")) };
    };
    let decode = |text| {
        let text = percent_decode_str(text).decode_utf8();
        let text = text.map_err(|_| wrong("has a user or password that is not UTF-8"))?;
        // NUL separates the fields of AUTH PLAIN (RFC 4616).
        if text.contains('\0') {
            return Err(wrong("has a NUL in its user or password"));
        }
        Ok(text.into_owned())
    };
    let user = decode(url.username())?;
    Ok(Some(Credentials { user, password: Zeroizing::new(decode(password)?) }))
}

fn wrong(what: impl Into<String>) -> MailerError {
    MailerError::Url(what.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MailUrl, Protection, Relay};

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error_that_keeps_the_password(
            text: String,
            scheme in "smtps?|http|",
            host in "[a-zA-Z0-9.:\\[\\]-]{0,20}",
            rest in "(:[0-9]{0,6})?(/[a-z]?)?(\\?(tls|ca|x)=(none|required|[a-z/]{0,4}))?(#a)?",
        ) {
            let near = format!("{scheme}://user:hunter2@{host}{rest}");
            for text in [&text, &near] {
                if let Err(error) = MailUrl::parse(text) {
                    let told = error.to_string();
                    prop_assert!(told.starts_with("mail.url ") && !told.contains("hunter2"), "{}", told);
                }
            }
        }
    }

    fn relay(text: &str) -> Relay {
        match MailUrl::parse(text).unwrap() {
            MailUrl::Smtp(relay) => relay,
            MailUrl::Capture => panic!("captured"),
        }
    }

    #[test]
    fn protection_is_required_unless_said_otherwise() {
        assert_eq!(relay("smtp://mail.example.com").protection, Protection::Required);
        assert_eq!(relay("smtp://mail.example.com").port, 587);
        assert_eq!(relay("smtp://h.example:26?tls=none").protection, Protection::None);
        assert_eq!(relay("smtps://h.example").protection, Protection::Implicit);
        assert_eq!(relay("smtps://h.example").port, 465);
        assert_eq!(relay("smtp://[::1]:25").host, "::1");
    }

    #[test]
    fn user_and_password_are_decoded() {
        let credentials = relay("smtp://a%40b.example:p%2Fw+d@h.example").credentials.unwrap();
        assert_eq!(credentials.user, "a@b.example");
        assert_eq!(credentials.password.as_str(), "p/w+d");
    }

    #[test]
    fn errors_say_what_is_wrong_and_keep_the_password() {
        for text in [
            "smtp://u:hunter2@h.example?tls=yes",
            "smtp://u:hunter2@h.example?x=y",
            "smtps://u:hunter2@h.example?tls=none",
            "smtp://u:hunter2@h.example/path",
            "http://u:hunter2@h.example",
            "hunter2",
        ] {
            let error = MailUrl::parse(text).err().unwrap().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.starts_with("mail.url "), "{error}");
        }
    }
}
