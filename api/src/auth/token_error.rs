//! Why a token is refused, and why tokens cannot be checked at all.

use std::path::PathBuf;

/// Why a token is refused; none of it repeats the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody said how to check such tokens.
    #[error("tokens of this kind are not set up here")]
    NotConfigured,
    /// Longer than any real token.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url and JSON, or a claim of the wrong type.
    #[error("this is no token that is understood here")]
    Malformed,
    /// `none`, or another algorithm than those of the keys.
    #[error("the token's algorithm is refused; sign with HS256, RS256, ES256 or EdDSA")]
    Algorithm,
    /// The header demands that an extension be understood (RFC 7515 §4.1.11).
    #[error("the token's header demands an extension that is not supported")]
    Critical,
    /// The key set does not have the key, or not for this algorithm.
    #[error("the token names no key that is known here")]
    UnknownKey,
    /// The key set has never been loaded; trying later may help.
    #[error("the keys that tokens are checked with cannot be loaded at the moment")]
    KeysUnavailable,
    /// Somebody else made the token, or changed it.
    #[error("the token's signature is wrong")]
    Signature,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is still to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A claim that is missing or does not fit.
    #[error("the token's claim {0} is missing or not as it must be")]
    Claim(&'static str),
}

/// Why tokens cannot be checked with these settings.
#[derive(Debug, thiserror::Error)]
pub enum TokenConfigError {
    /// The key set is a file that cannot be used.
    #[error("jwks names the file {}, which {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as the rest of the sentence.
        problem: String,
    },
}
