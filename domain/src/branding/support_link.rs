//! Where invitees who have a question get an answer: a page or an address, and nothing else a link can be.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::EmailAddress;

/// A link of `https:` or `mailto:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SupportLink {
    link: String,
    shown: String,
}

/// Why a text is no such link. Shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SupportLinkError {
    /// Another scheme, or no link at all.
    #[error("must be a link such as https://example.com/help or mailto:help@example.com")]
    Other,
    /// Longer than [`SupportLink::LONGEST`].
    #[error("is too long; at most 500 characters")]
    TooLong,
    /// `https://user:password@…`
    #[error("must not have a user name or password in it")]
    Credentials,
}

impl SupportLink {
    /// The longest link, in bytes.
    pub const LONGEST: usize = 500;

    /// Reads a link. A `mailto:` link is an address alone: no subject, no further recipients.
    pub fn parse(text: &str) -> Result<Self, SupportLinkError> {
        let text = text.trim();
        if text.len() > Self::LONGEST {
            return Err(SupportLinkError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| SupportLinkError::Other)?;
        match (url.scheme(), url.host_str()) {
            ("mailto", None) => Self::mail(&url),
            ("https", Some(host)) => {
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(SupportLinkError::Credentials);
                }
                // A URL may have a host that no certificate is for; what can stand behind an @ can be one.
                let address = EmailAddress::parse(&format!("a@{host}"));
                let shown = address.map_err(|_| SupportLinkError::Other)?.domain().to_owned();
                let link = String::from(url);
                // Whatever had to be escaped counts as it is written then.
                let fits = link.len() <= Self::LONGEST;
                fits.then_some(Self { link, shown }).ok_or(SupportLinkError::TooLong)
            }
            _ => Err(SupportLinkError::Other),
        }
    }

    fn mail(url: &Url) -> Result<Self, SupportLinkError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"@.-_+".contains(&b);
        if url.query().is_some() || url.fragment().is_some() || !url.path().bytes().all(plain) {
            return Err(SupportLinkError::Other);
        }
        let address = EmailAddress::parse(url.path()).map_err(|_| SupportLinkError::Other)?;
        let shown = address.envelope();
        Ok(Self { link: format!("mailto:{shown}"), shown })
    }

    /// The link itself.
    pub fn as_str(&self) -> &str {
        &self.link
    }

    /// What people see of it: the host or the address, so that they know where it leads.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl fmt::Display for SupportLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.link)
    }
}

impl TryFrom<String> for SupportLink {
    type Error = SupportLinkError;

    fn try_from(text: String) -> Result<Self, SupportLinkError> {
        Self::parse(&text)
    }
}

impl From<SupportLink> for String {
    fn from(link: SupportLink) -> Self {
        link.link
    }
}
