//! The part of a token that cryptography vouches for: header, signature, and JSON behind it.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::de::DeserializeOwned;

use super::token_error::TokenError;

/// Real ones have some hundred bytes; the server's limit for all header lines is not much higher.
const MAX_TOKEN_BYTES: usize = 8192;

/// Reads the header, of which nothing is proven yet: it may choose among our keys, not bring one.
pub(super) fn read_header(token: &str) -> Result<Header, TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong);
    }
    let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
    if header.crit.is_some() {
        return Err(TokenError::Critical);
    }
    Ok(header)
}

/// Checks the signature and reads the claims. The algorithm is the key's, whatever the header says.
///
/// No claim is checked: the library would compare times with the clock of this machine.
pub(super) fn verify_signature<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<T, TokenError> {
    let mut only_signature = Validation::new(algorithm);
    only_signature.required_spec_claims.clear();
    only_signature.validate_exp = false;
    only_signature.validate_nbf = false;
    only_signature.validate_aud = false;
    match decode(token, key, &only_signature) {
        Ok(token) => Ok(token.claims),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => TokenError::Signature,
            ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
            _ => TokenError::Malformed,
        }),
    }
}
