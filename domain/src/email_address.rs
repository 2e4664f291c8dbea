//! An address a mail can be sent to: parsed once, trusted afterwards.

use std::fmt;

/// A deliverable address: as the caller wrote it, and in the form that is compared and sent to.
///
/// Accepts what RFC 5321 calls a dot-string local part (no quotes, no source routes, no literals)
/// at a fully qualified domain; an internationalized domain is turned into its A-label form
/// (RFC 5891). `Debug` and `Display` mask it, so that it cannot reach a log by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    given: String,
    local: String,
    domain: String,
}

/// Why a text is no address that we can send to. Shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing but white space.
    #[error("is empty; give an address such as ann@example.com")]
    Empty,
    /// More than 254 octets (RFC 5321 §4.5.3.1.3), or a local part over 64.
    #[error("is too long; at most 64 characters before the @ and 254 in all")]
    TooLong,
    /// No `@`, or more than one.
    #[error("must have exactly one @; give a single address without a name or brackets")]
    At,
    /// A character outside RFC 5321's `Atom`, or a misplaced dot.
    #[error("has a character or a dot before the @ that is not allowed there")]
    Local,
    /// A local part that would need SMTPUTF8 (RFC 6531).
    #[error("has non-ASCII characters before the @, which most mail servers refuse")]
    SmtpUtf8Unsupported,
    /// Not a host name with at least two labels, or an IP address.
    #[error("must name a full domain after the @, such as example.com")]
    Domain,
}

const MAX_LOCAL_OCTETS: usize = 64;
const MAX_OCTETS: usize = 254;

impl EmailAddress {
    /// Reads an address; surrounding spaces are dropped, everything else must be right.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let given = text.trim_matches([' ', '\t']);
        if given.is_empty() {
            return Err(AddressError::Empty);
        }
        // Before anything looks at single characters: bounds the work on hostile input.
        if given.len() > 4 * MAX_OCTETS {
            return Err(AddressError::TooLong);
        }
        let (local, domain) = given.split_once('@').ok_or(AddressError::At)?;
        if domain.contains('@') {
            return Err(AddressError::At);
        }
        check_local(local)?;
        let domain = ascii_domain(domain)?;
        if local.len() > MAX_LOCAL_OCTETS || local.len() + 1 + domain.len() > MAX_OCTETS {
            return Err(AddressError::TooLong);
        }
        Ok(Self { given: given.to_owned(), local: local.to_owned(), domain })
    }

    /// As the caller wrote it, without surrounding spaces: for showing back.
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// What goes into `RCPT TO`: the local part as written, the domain in ASCII.
    pub fn envelope(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// What is compared and kept unique: lower case, ASCII domain.
    pub fn normalized(&self) -> String {
        format!("{}@{}", self.local.to_ascii_lowercase(), self.domain)
    }

    /// What stands before the `@`, as written.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain in lower-case ASCII.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `a***@example.com`: enough to recognize an address one knows, too little to write to it.
    pub fn masked(&self) -> String {
        let first = self.local.chars().next().unwrap_or('*');
        format!("{first}***@{}", self.domain)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

fn check_local(local: &str) -> Result<(), AddressError> {
    if local.chars().any(|c| !c.is_ascii() && !c.is_control() && !c.is_whitespace()) {
        return Err(AddressError::SmtpUtf8Unsupported);
    }
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    if local.split('.').all(is_atom) { Ok(()) } else { Err(AddressError::Local) }
}

fn ascii_domain(domain: &str) -> Result<String, AddressError> {
    // STD 3 rules refuse every ASCII character that a host name cannot have.
    let ascii = idna::uts46::Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            idna::AsciiDenyList::STD3,
            idna::uts46::Hyphens::CheckFirstLast,
            idna::uts46::DnsLength::Verify,
        )
        .map_err(|_| AddressError::Domain)?;
    let top = ascii.rsplit('.').next().unwrap_or_default();
    let numeric_top = top.bytes().all(|b| b.is_ascii_digit());
    if !ascii.contains('.') || numeric_top || top.len() < 2 {
        return Err(AddressError::Domain);
    }
    Ok(ascii.into_owned())
}
