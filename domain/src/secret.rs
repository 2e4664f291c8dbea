//! Random secrets that people can type: 130 bits as 26 Crockford base-32 characters.
//!
//! At this strength a plain SHA-256 is enough to store them (NIST SP 800-63B §5.1.2.2 asks for
//! 112 bits); passwords that people choose are hashed slowly elsewhere.

use std::fmt;

use rand::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The one-time password in an invitation mail; accepting replaces it.
#[derive(Clone)]
pub struct TemporaryPassword(Zeroizing<String>);

/// SHA-256 of a secret, the only form that is kept once the mail is out.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

pub(crate) const LENGTH: usize = 26;
// Crockford's alphabet has no I, L, O and U: nothing is misread, nothing spells words.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl TemporaryPassword {
    /// Makes a new one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random_text(rng))
    }

    /// Takes over a password that was sealed earlier.
    pub fn from_sealed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// In groups, as the mail shows it: `7ZK4-…`. Typing it with or without dashes is the same.
    pub fn grouped(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + 6));
        for (at, c) in self.0.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            text.push(c);
        }
        text
    }

    /// The password without its grouping.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of_typed(&self.0)
    }
}

impl SecretHash {
    /// Hashes what a person typed or pasted: case, white space, dashes and look-alikes do not matter.
    pub fn of_typed(text: &str) -> Self {
        Self::of_exact(&canonical(text))
    }

    /// Hashes a secret that is only ever copied, such as an API key.
    pub fn of_exact(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Takes over a stored hash; `None` if it has not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// For the database column.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl PartialEq for SecretHash {
    /// In constant time: how long a comparison takes tells nothing about where it differs.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for TemporaryPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TemporaryPassword(…)")
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// The one way to write what a person typed or pasted.
pub(crate) fn canonical(text: &str) -> Zeroizing<String> {
    let canonical = text
        .chars()
        // Mail programs bring line ends along and make our dashes prettier.
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    Zeroizing::new(canonical.collect())
}

/// Makes 130 random bits as text; API keys use it too.
pub fn random_text(rng: &mut impl CryptoRng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0_u8; LENGTH]);
    rng.fill_bytes(&mut *bytes);
    // 256 is a multiple of 32, so taking five bits of each byte favours no character.
    Zeroizing::new(bytes.iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect())
}
