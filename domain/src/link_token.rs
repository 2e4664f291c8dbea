//! The secret part of the link in an invitation mail: the hour in which it was made, and 130 random bits.
//!
//! The hour proves nothing and is no secret: the mail bears a date. It makes what is stored grow with time, so
//! that the index over all links there ever were is written at its right edge. Hashes alone are random:
//! with millions of settled invitations each mail would read a page of that index from the disk.

use std::fmt;

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::Timestamp;
use crate::secret::{ALPHABET, LENGTH, SecretHash, canonical, random_text};

/// The secret part of the link.
#[derive(Clone)]
pub struct LinkToken(Zeroizing<String>);

/// What a link is recognized by: the only form that is kept once the mail is out.
#[derive(Clone, Copy)]
pub struct LinkHash {
    /// None in links of versions before this one, and in what somebody made up.
    hour: Option<u32>,
    hash: SecretHash,
}

/// The hour in characters of five bits each, which lasts until 2089 and then begins anew: only the order in the
/// index suffers.
const HOUR_LENGTH: usize = 4;
const HOURS: i64 = 1 << (5 * HOUR_LENGTH);

impl LinkToken {
    /// Makes a new one.
    pub fn generate(now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        let hour = now.timestamp().div_euclid(3600).rem_euclid(HOURS);
        let mut text = Zeroizing::new(String::with_capacity(HOUR_LENGTH + LENGTH));
        for place in (0..HOUR_LENGTH).rev() {
            let bits = (hour >> (5 * place)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(bits).unwrap_or_default()]));
        }
        text.push_str(&random_text(rng));
        Self(text)
    }

    /// Takes over a token that was sealed earlier.
    pub fn from_sealed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The token, for the link in the mail.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> LinkHash {
        LinkHash::of_typed(&self.0)
    }
}

impl LinkHash {
    /// Hashes what a person typed or pasted, as [`SecretHash::of_typed`] does.
    pub fn of_typed(text: &str) -> Self {
        let text = canonical(text);
        Self { hour: hour(&text), hash: SecretHash::of_exact(&text) }
    }

    /// For the database column: three octets of the hour, if there is one, and the hash.
    pub fn to_vec(self) -> Vec<u8> {
        let hour = self.hour.map(|hour| hour.to_be_bytes()[1..].to_vec());
        let mut bytes = hour.unwrap_or_default();
        bytes.append(&mut self.hash.to_vec());
        bytes
    }
}

fn hour(text: &str) -> Option<u32> {
    let (hour, random) = text.split_at_checked(HOUR_LENGTH)?;
    if random.len() != LENGTH {
        return None;
    }
    hour.bytes().try_fold(0, |hour, c| {
        let bits = ALPHABET.iter().position(|&known| known == c)?;
        Some(hour << 5 | u32::try_from(bits).ok()?)
    })
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

impl fmt::Debug for LinkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkHash(…)")
    }
}
