//! Hashes the passwords that people choose: slowly, with much memory, and never too many at once.

use std::sync::Arc;

use argon2::password_hash::Error as Refusal;
use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Argon2id with the parameters OWASP recommends (19 MiB, two passes); a hash names its own, so
/// old ones stay valid when these change.
#[derive(Debug, Clone)]
pub struct PasswordHasher {
    // Each hash takes its memory and a core: without a limit, a burst of requests takes all.
    permits: Arc<Semaphore>,
    max_parallel: usize,
}

/// Why a password could not be hashed or compared. Not: because it was wrong.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// What is stored is no hash.
    #[error("the stored password hash is malformed: {0}")]
    Malformed(String),
    /// The hash function refused.
    #[error("the password cannot be hashed: {0}")]
    Refused(String),
    /// The process is stopping.
    #[error("password hashing has stopped")]
    Stopped,
}

impl PasswordHasher {
    /// Hashes at most `max_parallel` passwords at once; at least one.
    pub fn new(max_parallel: usize) -> Self {
        let max_parallel = max_parallel.clamp(1, Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(max_parallel)), max_parallel }
    }

    /// How many passwords are hashed at once. Whoever has more than that to hash should ask for no
    /// more at a time: those who ask next would wait for all of them.
    pub const fn max_parallel(&self) -> usize {
        self.max_parallel
    }

    /// Hashes a password with a salt of its own.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, HashError> {
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|e| HashError::Refused(e.to_string()))
        })
        .await
    }

    /// 32 bytes that follow from `text` and `salt` alone: for telling whether two texts are the same
    /// where a fast hash would let somebody guess the password in them.
    pub async fn derive(
        &self,
        text: Zeroizing<String>,
        salt: [u8; 32],
    ) -> Result<[u8; 32], HashError> {
        self.run(move || {
            let mut derived = [0; 32];
            Argon2::default()
                .hash_password_into(text.as_bytes(), &salt, &mut derived)
                .map_err(|error| HashError::Refused(error.to_string()))?;
            Ok(derived)
        })
        .await
    }

    /// Whether `hash` is that of `password`.
    pub async fn verify(&self, password: Zeroizing<String>, hash: &str) -> Result<bool, HashError> {
        let hash = PasswordHash::new(hash).map_err(|e| HashError::Malformed(e.to_string()))?;
        self.run(move || match Argon2::default().verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(Refusal::PasswordInvalid) => Ok(false),
            Err(error) => Err(HashError::Refused(error.to_string())),
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| HashError::Stopped)?;
        tokio::task::spawn_blocking(move || {
            // Goes along: the work goes on even if nobody waits for it any more.
            let _permit = permit;
            work()
        })
        .await
        .map_err(|_| HashError::Stopped)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn tells_the_right_password_from_a_wrong_one() {
        let hasher = PasswordHasher::new(0);
        let hash = hasher.hash(text("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify(text("correct horse"), &hash).await.unwrap());
        assert!(!hasher.verify(text("correct hors"), &hash).await.unwrap());
    }

    #[tokio::test]
    async fn salts_every_hash_also_when_many_wait() {
        let hasher = PasswordHasher::new(2);
        let (a, b, c) =
            tokio::join!(hasher.hash(text("x")), hasher.hash(text("x")), hasher.hash(text("x")));
        let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
        assert!(a != b && b != c && a != c);
    }

    #[tokio::test]
    async fn what_is_derived_follows_from_text_and_salt() {
        let hasher = PasswordHasher::new(1);
        let derive =
            async |given: &str, salt| hasher.derive(text(given), [salt; 32]).await.unwrap();
        let first = derive("x", 1).await;
        assert_eq!(first, derive("x", 1).await);
        assert_ne!(first, derive("y", 1).await);
        assert_ne!(first, derive("x", 2).await);
    }

    #[tokio::test]
    async fn a_malformed_hash_is_an_error_and_not_a_wrong_password() {
        let hasher = PasswordHasher::new(1);
        let outcome = hasher.verify(text("x"), "nonsense").await;
        assert!(matches!(outcome, Err(HashError::Malformed(_))));
    }
}
