//! What an invitee proves the invitation with: the link's token, or address and password.

use actix_web::HttpRequest;
use adapters::store::{Credential, OpenInvitation};
use domain::{EmailAddress, LinkHash, SecretHash};
use serde_json::json;
use utoipa::Modify;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};
use zeroize::Zeroizing;

use crate::client_address;
use crate::problem::{ApiError, FieldError};
use crate::state::AppState;

/// Longer than any secret with all its grouping; bounds the work on hostile input.
const MAX_SECRET: usize = 256;

/// The credential's fields, as they came.
pub struct Given {
    /// `token`.
    pub token: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `temporary_password`.
    pub temporary_password: Option<String>,
}

/// Reads either the token or both the address and the temporary password.
///
/// The outer error is about the request's shape and names fields; a secret that is wrong is
/// found out only by the store.
pub fn parse(given: Given) -> Result<Credential, Vec<FieldError>> {
    let token = given.token.map(Zeroizing::new);
    let password = given.temporary_password.map(Zeroizing::new);
    match (token, given.email, password) {
        (Some(token), None, None) => Ok(Credential::Token(LinkHash::of_typed(bounded(&token)))),
        (None, Some(email), Some(password)) => match EmailAddress::parse(&email) {
            Ok(email) => {
                Ok(Credential::Temporary { email, hash: SecretHash::of_typed(bounded(&password)) })
            }
            Err(error) => Err(vec![FieldError::new("email", error)]),
        },
        (None, None, None) => {
            Err(vec![FieldError::new("token", "is required, or email and temporary_password")])
        }
        (None, Some(_), None) => Err(vec![FieldError::new("temporary_password", "is required")]),
        (None, None, Some(_)) => Err(vec![FieldError::new("email", "is required")]),
        (Some(_), _, _) => Err(vec![FieldError::new(
            "token",
            "cannot be combined with email or temporary_password",
        )]),
    }
}

/// The invitation that the secret opens. One that opens none is a guess: a client may make a few,
/// and each counts against the temporary passwords of the address that it names.
pub async fn find(
    state: &AppState,
    request: &HttpRequest,
    credential: &Credential,
) -> Result<OpenInvitation, ApiError> {
    let client = client_address::of(request, &state.trusted_proxies);
    let attempt = state.guesses.take(state.store.clock().now(), client);
    let attempt = attempt.map_err(ApiError::TooManyGuesses)?;
    let found = state.store.check(credential.clone()).await;
    if !matches!(found, Ok(None)) {
        attempt.give_back();
    }
    if let (Ok(None), Credential::Temporary { email, .. }) = (&found, credential) {
        state.store.count_wrong_password(email.clone()).await?;
    }
    found?.ok_or(ApiError::InvalidCredential)
}

/// What to answer when the invitation has ended in another way.
pub const fn ended(from: domain::InvitationStatus) -> ApiError {
    ApiError::Gone(from)
}

/// The same for whoever tries to answer it nevertheless, which is noted.
pub async fn too_late(state: &AppState, open: &OpenInvitation) -> ApiError {
    if let Err(error) = state.store.note_late_answer(open.id).await {
        // The answer is true all the same.
        tracing::warn!(%error, "a late answer cannot be noted now");
    }
    ended(open.status)
}

/// No secret is longer: the hash of nothing matches none.
const fn bounded(secret: &str) -> &str {
    if secret.len() > MAX_SECRET { "" } else { secret }
}

/// Says in the document what [`parse`] wants of the fields together, which a struct cannot say.
pub struct Either;

impl Modify for Either {
    fn modify(&self, document: &mut OpenApi) {
        let schemas = &mut document.components.get_or_insert_default().schemas;
        for name in ["AcceptRequest", "DeclineRequest"] {
            if let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(name) {
                object.extensions = Some(Extensions::from_iter([(
                    "oneOf",
                    // null counts as left out.
                    json!([
                        {
                            "required": ["token"],
                            "properties": {
                                "token": { "type": "string" },
                                "email": { "type": "null" },
                                "temporary_password": { "type": "null" },
                            },
                        },
                        {
                            "required": ["email", "temporary_password"],
                            "properties": {
                                "email": { "type": "string" },
                                "temporary_password": { "type": "string" },
                                "token": { "type": "null" },
                            },
                        },
                    ]),
                )]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(token: Option<&str>, email: Option<&str>, password: Option<&str>) -> Vec<String> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let given =
            Given { token: own(token), email: own(email), temporary_password: own(password) };
        let errors = parse(given).err().unwrap_or_default();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn takes_a_token_or_a_pair() {
        assert!(read(Some("t"), None, None).is_empty());
        assert!(read(None, Some("a@example.com"), Some("p")).is_empty());
    }

    #[test]
    fn names_what_is_missing_or_too_much() {
        assert_eq!(read(None, None, None), ["token"]);
        assert_eq!(read(None, Some("a@example.com"), None), ["temporary_password"]);
        assert_eq!(read(None, None, Some("p")), ["email"]);
        assert_eq!(read(None, Some("nobody"), Some("p")), ["email"]);
        assert_eq!(read(Some("t"), Some("a@example.com"), None), ["token"]);
    }
}
