//! Proves that a short text is ours, with keys derived from those that seal.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{SealKey, SealKeys};

/// 64 bits: whoever wants to guess one has to ask us, once for each guess.
const BYTES: usize = 8;

impl SealKeys {
    /// The proof that `text` is ours, for one `purpose` only: 16 hexadecimal digits of the first key.
    pub fn proof(&self, purpose: &str, text: &[u8]) -> String {
        use std::fmt::Write as _;
        let mut written = String::with_capacity(2 * BYTES);
        let made = mac(&self.first, purpose, text).map(|mac| mac.finalize().into_bytes());
        for byte in made.iter().flatten().take(BYTES) {
            // Writing to a text cannot fail.
            let _ = write!(written, "{byte:02x}");
        }
        written
    }

    /// Whether any of the keys made this proof.
    pub fn proves(&self, purpose: &str, text: &[u8], proof: &str) -> bool {
        let Some(proof) = unhex(proof) else { return false };
        let mut keys = std::iter::once(&self.first).chain(&self.others);
        keys.any(|key| {
            mac(key, purpose, text).is_some_and(|mac| mac.verify_truncated_left(&proof).is_ok())
        })
    }
}

/// A key of its own for each purpose: what one of them reveals helps with no other.
///
/// `None` never: HMAC takes keys of any length.
fn mac(key: &SealKey, purpose: &str, text: &[u8]) -> Option<Hmac<Sha256>> {
    let with = |key: &[u8], text: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(text);
        Some(mac)
    };
    let own = with(&*key.key, purpose.as_bytes())?.finalize().into_bytes();
    with(&own, text)
}

fn unhex(text: &str) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    if text.len() != 2 * BYTES || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "new:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn a_proof_is_good_for_its_text_purpose_and_keys() {
        let old = SealKeys::parse(OLD).unwrap();
        let both = SealKeys::parse(&format!("{NEW},{OLD}")).unwrap();
        let proof = old.proof("a", b"x");
        assert_eq!(proof.len(), 16);
        assert!(both.proves("a", b"x", &proof), "an older key still proves");
        assert!(!both.proves("b", b"x", &proof) && !both.proves("a", b"y", &proof));
        assert!(!SealKeys::parse(NEW).unwrap().proves("a", b"x", &proof));
        for wrong in ["", "zz", &proof[..14], &format!("{proof}00"), "é".repeat(8).as_str()] {
            assert!(!old.proves("a", b"x", wrong), "{wrong}");
        }
    }
}
