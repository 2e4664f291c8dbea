//! The password that an invitee chooses.

use adapters::password_hash::PasswordHasher;
use zeroize::Zeroizing;

use crate::problem::ApiError;

/// NIST SP 800-63B §5.1.1.2 asks for at least 8 characters and no rules about their kinds.
pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// Why a password is not taken. Completes "The password …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("must have at least 8 characters")]
    TooShort,
    /// Costs more to hash than anybody gains from it.
    #[error("may have at most 128 characters")]
    TooLong,
}

/// Takes a password of the right length.
pub fn check(given: String) -> Result<Zeroizing<String>, PasswordError> {
    let password = Zeroizing::new(given);
    let length = password.chars().count();
    if length < *LENGTH.start() {
        Err(PasswordError::TooShort)
    } else if length > *LENGTH.end() {
        Err(PasswordError::TooLong)
    } else {
        Ok(password)
    }
}

/// Makes what is stored of it.
pub async fn hash(
    hasher: &PasswordHasher,
    password: Zeroizing<String>,
) -> Result<String, ApiError> {
    hasher.hash(password).await.map_err(|error| {
        tracing::error!(%error, "a password cannot be hashed");
        ApiError::Internal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_not_bytes() {
        assert_eq!(check("ä".repeat(7)), Err(PasswordError::TooShort));
        assert!(check("ä".repeat(8)).is_ok());
        assert!(check("ä".repeat(128)).is_ok());
        assert_eq!(check("ä".repeat(129)), Err(PasswordError::TooLong));
    }
}
