//! The secret of an invitation on its way from the first attempt to the last: made, sealed, opened.
//!
//! The first one stored wins; every later attempt opens that same secret, so that a mail
//! that arrives twice says the same thing twice.

use domain::{CredentialPolicy, Generation, InvitationId, LinkToken, TemporaryPassword, Timestamp};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::{SealError, SealKeys};
use crate::store::NewSecret;

/// What lets the invitee in: either of the two.
#[derive(Debug)]
pub struct Secret {
    /// To be typed; none if the inviter has told the invitee a password.
    pub password: Option<TemporaryPassword>,
    /// Part of the link.
    pub token: LinkToken,
}

/// What a sealed secret belongs to: it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The invitation.
    pub invitation: InvitationId,
    /// Which of its secrets.
    pub generation: Generation,
}

/// Why a sealed secret is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The keys do not fit.
    #[error("the invitation's secret cannot be opened: {0}")]
    Sealed(#[from] SealError),
    /// It opened, but is not what [`Secret::stored`] made.
    #[error("the invitation's secret was written by a program of another version")]
    Form,
}

#[derive(Serialize)]
struct Written<'a> {
    password: Option<&'a str>,
    token: &'a str,
}

#[derive(Deserialize)]
struct Read {
    password: Option<String>,
    token: String,
}

impl Secret {
    /// Makes a new one.
    pub fn generate(policy: CredentialPolicy, now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        let password = match policy {
            CredentialPolicy::TemporaryPassword => Some(TemporaryPassword::generate(rng)),
            CredentialPolicy::Link => None,
        };
        Self { password, token: LinkToken::generate(now, rng) }
    }

    /// What is stored of it: sealed for the mail, hashed for the invitee who comes back with it.
    pub fn stored(&self, keys: &SealKeys, owner: Owner, rng: &mut impl CryptoRng) -> NewSecret {
        NewSecret {
            sealed: self.seal(keys, owner, rng),
            token_hash: self.token.hash(),
            password_hash: self.password.as_ref().map(TemporaryPassword::hash),
        }
    }

    /// The form in which it waits in the database until its mail is sent.
    fn seal(&self, keys: &SealKeys, owner: Owner, rng: &mut impl CryptoRng) -> Vec<u8> {
        let password = self.password.as_ref().map(TemporaryPassword::expose);
        let written = Written { password, token: self.token.expose() };
        // Two strings: there is nothing in them that could fail to serialize.
        let plain = Zeroizing::new(serde_json::to_vec(&written).unwrap_or_default());
        keys.seal(&plain, &owner.associated_data(), rng)
    }

    /// Reads what [`Secret::stored`] made, here or in another worker.
    pub fn open(keys: &SealKeys, sealed: &[u8], owner: Owner) -> Result<Self, SecretError> {
        let plain = keys.open(sealed, &owner.associated_data())?;
        // The parser's message may quote the text: it is left out.
        let Read { password, token } =
            serde_json::from_slice(&plain).map_err(|_| SecretError::Form)?;
        Ok(Self {
            password: password.map(TemporaryPassword::from_sealed),
            token: LinkToken::from_sealed(token),
        })
    }
}

impl Owner {
    fn associated_data(self) -> Vec<u8> {
        format!("{}|{}", self.invitation, self.generation).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn keys(id: &str) -> SealKeys {
        SealKeys::parse(&format!("{id}:{}=", "A".repeat(43))).unwrap()
    }

    fn owner(generation: Generation) -> Owner {
        let invitation = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        Owner { invitation, generation }
    }

    #[test]
    fn both_workers_send_the_secret_that_was_stored_first() {
        let (keys, owner, rng) = (keys("k1"), owner(1), &mut crate::rng());
        let mut row: Option<Vec<u8>> = None;
        let opened = [(); 2].map(|()| {
            let fresh = Secret::generate(CredentialPolicy::TemporaryPassword, NOW, rng)
                .seal(&keys, owner, rng);
            let winner = row.get_or_insert(fresh);
            Secret::open(&keys, winner, owner).unwrap()
        });
        let [one, two] = opened;
        let password = |secret: &Secret| secret.password.as_ref().unwrap().expose().to_owned();
        assert_eq!(password(&one), password(&two));
        assert_eq!(one.token.expose(), two.token.expose());
        assert_ne!(password(&one), one.token.expose());
    }

    #[test]
    fn a_link_comes_without_a_password() {
        let (keys, owner, rng) = (keys("k1"), owner(1), &mut crate::rng());
        let secret = Secret::generate(CredentialPolicy::Link, NOW, rng);
        let stored = secret.stored(&keys, owner, rng);
        assert!(stored.password_hash.is_none());
        assert!(Secret::open(&keys, &stored.sealed, owner).unwrap().password.is_none());
    }

    #[test]
    fn a_sealed_secret_opens_only_with_its_key_and_for_its_owner() {
        let (keys_1, rng) = (keys("k1"), &mut crate::rng());
        let sealed = Secret::generate(CredentialPolicy::TemporaryPassword, NOW, rng).seal(
            &keys_1,
            owner(1),
            rng,
        );
        assert!(Secret::open(&keys_1, &sealed, owner(1)).is_ok());
        for (keys, owner) in [(&keys_1, owner(2)), (&keys("k2"), owner(1))] {
            let error = Secret::open(keys, &sealed, owner).unwrap_err();
            assert!(matches!(error, SecretError::Sealed(_)), "{error}");
        }
    }

    #[test]
    fn what_opens_but_is_no_secret_is_not_quoted() {
        let (keys, rng) = (keys("k1"), &mut crate::rng());
        let sealed = keys.seal(b"\"hunter2\"", &owner(1).associated_data(), rng);
        let error = Secret::open(&keys, &sealed, owner(1)).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
