//! Seals the secrets of mails that are not sent yet, so that the database alone reveals none.
//!
//! A sealed text is: length of the key id (one byte), key id, nonce (24 bytes), ciphertext with
//! tag. Nonces of that size may be random. What the text belongs to is authenticated along with
//! it, so that a row's secret does not open in another row.

mod key_file;

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::CryptoRng;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const MAX_ID_BYTES: usize = 32;

/// Tools disagree on whether base64 ends with `=`.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Keys for sealing: the first one seals, all of them open.
///
/// To replace a key, put the new one in front and drop the old one once its mails are sent and the
/// API has started with the new one, which seals the secrets of webhooks anew.
#[derive(Clone)]
pub struct SealKeys {
    first: SealKey,
    others: Vec<SealKey>,
}

#[derive(Clone)]
struct SealKey {
    id: String,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The list of keys is malformed; the text never repeats a key.
    #[error("the list of seal keys {0}")]
    Keys(String),
    /// The key file can be neither read nor made.
    #[error("the seal key file {} cannot be used: {cause}", path.display())]
    File {
        /// The file or its folder.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Sealed with a key that is no longer, or not yet, in the list.
    #[error("sealed with the key {0:?}, which is not among the seal keys")]
    UnknownKey(String),
    /// Sealed with a known key, but changed since, or it belongs to something else.
    #[error("sealed with the key {0:?}, but it was changed or belongs to something else")]
    Tampered(String),
    /// Not something that was sealed.
    #[error("too short or garbled to be a sealed secret")]
    Malformed,
}

impl SealKeys {
    /// Reads `kid:base64,…`; the ids are free to choose, the keys have 32 bytes.
    pub fn parse(list: &str) -> Result<Self, SealError> {
        let mut keys: Vec<SealKey> = Vec::new();
        for (at, entry) in list.split(',').map(str::trim).enumerate() {
            let key = SealKey::parse(entry)
                .map_err(|problem| SealError::Keys(format!("{problem} (key {})", at + 1)))?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(SealError::Keys(format!("names the key {:?} twice", key.id)));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or_else(|| SealError::Keys("must not be empty".into()))?;
        Ok(Self { first, others: keys.collect() })
    }

    /// Reads the list, or if it is empty the key file in the data folder, which is made on the
    /// first start.
    pub fn load_or_create(data_dir: &Path, list: &str) -> Result<Self, SealError> {
        if list.is_empty() {
            return Self::parse(key_file::read_or_create(data_dir)?.trim());
        }
        Self::parse(list)
    }

    /// Whether the data folder has a key file.
    pub fn are_kept_in(data_dir: &Path) -> bool {
        key_file::is_in(data_dir)
    }

    /// Seals `plain`; it opens only with the same `aad`.
    pub fn seal(&self, plain: &[u8], aad: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let SealKey { id, .. } = &self.first;
        // Fails above 256 GiB only; nothing then opens, as nothing was sealed.
        let ciphertext = self
            .first
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
            .unwrap_or_default();
        let mut sealed = Vec::with_capacity(1 + id.len() + NONCE_BYTES + ciphertext.len());
        // `SealKey::parse` keeps ids short.
        sealed.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Whether this was sealed with the first key.
    pub fn is_first(&self, sealed: &[u8]) -> bool {
        split(sealed).is_some_and(|(id, ..)| id == self.first.id)
    }

    /// Opens what any of the keys sealed.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, nonce, msg) = split(sealed).ok_or(SealError::Malformed)?;
        let key = std::iter::once(&self.first)
            .chain(&self.others)
            .find(|key| key.id == id)
            .ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        key.cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg, aad })
            .map(Zeroizing::new)
            .map_err(|_| SealError::Tampered(id.to_owned()))
    }
}

impl SealKey {
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (id, encoded) = entry.split_once(':').ok_or("must look like kid:base64,kid:base64")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !(1..=MAX_ID_BYTES).contains(&id.len()) || !id.chars().all(fits) {
            return Err(
                "must have key ids of 1 to 32 letters, digits, dots, dashes or underscores",
            );
        }
        let bytes = BASE64.decode(encoded).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| "must have keys in base64")?;
        let key = bytes.as_slice().try_into().map_err(|_| "must have keys of 32 bytes")?;
        Ok(Self { id: id.to_owned(), key: Zeroizing::new(key) })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

fn split(sealed: &[u8]) -> Option<(&str, [u8; NONCE_BYTES], &[u8])> {
    let (length, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (nonce, ciphertext) = rest.split_first_chunk()?;
    Some((std::str::from_utf8(id).ok()?, *nonce, ciphertext))
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = self.others.iter().map(|key| key.id.as_str()).collect::<Vec<_>>();
        write!(f, "SealKeys({:?} seals, {others:?} open too)", self.first.id)
    }
}
