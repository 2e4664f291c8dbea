//! The mailbox behind an address: what limits count by, so that one box has one count however its
//! address is spelt.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::EmailAddress;

/// SHA-256 of the mailbox that an address ends in; only for counting, never for sending.
///
/// A tag behind `+` goes to the same mailbox with most providers, and dots before the `@` do not
/// count at Google. Where that is not so, two people share a count, which costs them little.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox([u8; 32]);

/// Two names of one provider, who ignores dots.
const GOOGLE: [&str; 2] = ["gmail.com", "googlemail.com"];

impl Mailbox {
    /// Finds the mailbox of an address.
    pub fn of(address: &EmailAddress) -> Self {
        let normalized = address.normalized();
        let local = normalized.split('@').next().unwrap_or_default();
        let (local, domain) = (without_tag(local), address.domain());
        let canonical = if GOOGLE.contains(&domain) {
            format!("{}@{}", local.replace('.', ""), GOOGLE[0])
        } else {
            format!("{local}@{domain}")
        };
        Self(Sha256::digest(canonical).into())
    }

    /// For the database.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A hash of an address can be guessed.
        f.write_str("Mailbox")
    }
}

/// What comes before the first `+`, unless that is nothing.
fn without_tag(local: &str) -> &str {
    match local.split_once('+') {
        Some((base, _)) if !base.is_empty() => base,
        _ => local,
    }
}
