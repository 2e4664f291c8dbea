//! The first organization, its admin and that admin's key, on an empty database.

use adapters::settings::BootstrapSettings;
use adapters::store::{Bootstrap, Store, StoreError};
use domain::{EmailAddress, Name, SecretHash, secret};
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Why the first organization could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The settings name something that cannot be one.
    #[error("bootstrap.{key} {problem}")]
    Setting {
        /// Which of them.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The database did not take it.
    #[error("the first organization could not be stored: {0}")]
    Store(#[from] StoreError),
}

/// Characters of a key that stay readable in lists; the rest keeps far more than 112 bits.
const HINT: usize = 8;
/// Crockford's, as in the random part.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes the first organization if there is none yet.
///
/// Returns the key to be shown, once, if this call has made up one: a key from the settings is
/// known to whoever wrote them.
pub async fn bootstrap(
    store: &Store,
    settings: &BootstrapSettings,
) -> Result<Option<Zeroizing<String>>, BootstrapError> {
    let bad = |key, problem: String| BootstrapError::Setting { key, problem };
    let organization = Name::parse(&settings.organization)
        .map_err(|error| bad("organization", error.to_string()))?;
    let email =
        EmailAddress::parse(&settings.email).map_err(|error| bad("email", error.to_string()))?;
    let given = settings.api_key.clone().map(Zeroizing::new);
    let made_up = given.is_none();
    let key = given.unwrap_or_else(|| new_key(&mut adapters::rng()));
    let first = Bootstrap {
        organization,
        email,
        key_hash: SecretHash::of_exact(&key),
        key_hint: hint(&key),
        instance_key: settings
            .instance_key
            .as_ref()
            .map(|key| (SecretHash::of_exact(key), hint(key))),
    };
    let made = store.bootstrap(first).await?;
    Ok((made && made_up).then_some(key))
}

/// Makes an API key: `wlc_`, which secret scanners can look for, 130 random bits, and a checksum by
/// which they tell a key from chance.
pub fn new_key(rng: &mut impl CryptoRng) -> Zeroizing<String> {
    let mut random = secret::random_text(rng);
    random.make_ascii_lowercase();
    Zeroizing::new(format!("wlc_{}{}", *random, checksum(&random)))
}

/// The first 30 bits of the SHA-256, in the alphabet of the rest. Nothing here asks for it: an
/// operator may set a key of another form.
fn checksum(random: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(random.as_bytes()).into();
    let bits = digest.iter().take(4).fold(0, |bits, byte| bits << 8 | u32::from(*byte));
    let letter = |at: u32| {
        let index = usize::try_from((bits >> (27 - 5 * at)) & 31).unwrap_or_default();
        ALPHABET.get(index).copied().map(char::from)
    };
    (0..6).filter_map(letter).collect()
}

/// The start of a key, to tell it from others; nothing of a key too short to spare any.
pub fn hint(key: &str) -> String {
    match key.get(..HINT) {
        Some(start) if key.len() >= 3 * HINT => format!("{start}…"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_prefix_and_130_bits() {
        let key = new_key(&mut adapters::rng());
        let random = key.strip_prefix("wlc_").unwrap();
        let (random, sum) = random.split_at(26);
        assert_eq!(sum, checksum(random));
        assert_eq!(checksum("00000000000000000000000000"), "axdr6j");
        assert!(random.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert_ne!(*key, *new_key(&mut adapters::rng()));
    }

    #[test]
    fn a_hint_gives_little_away() {
        assert_eq!(hint("wlc_abcdefghijklmnopqrstuvwxyz"), "wlc_abcd…");
        assert_eq!(hint("secret"), "…");
        assert_eq!(hint(""), "…");
    }
}
