//! Who asks: the API key or token of a request, what it allows, and where.
//!
//! Beside API keys there are tokens: `jwt` checks bearer tokens, with the keys in `jwks`, and
//! `session_token` the header that one contract asks for in addition.

mod claims;
mod jwks;
mod jwt;
mod public_key;
mod session_token;
mod signature;
mod token_error;

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use adapters::store::{Actor, Caller, OrganizationKey, OrganizationRef, Store};
use domain::{KeyRole, OrganizationId, SecretHash, UserId};

use crate::problem::ApiError;
use crate::state::State;

pub use claims::Claims;
pub use jwt::TokenVerifier;
pub use session_token::{SessionClaims, SessionTokenVerifier};
pub use token_error::{TokenConfigError, TokenError};

/// The holder of a valid key. Only for routes behind [`authenticate`].
#[derive(Clone)]
pub struct Auth(pub Caller);

impl Auth {
    /// Refuses keys that may only read.
    pub fn require_admin(&self) -> Result<(), ApiError> {
        match self.0.role {
            KeyRole::Admin => Ok(()),
            KeyRole::Member => Err(ApiError::Forbidden),
        }
    }

    /// Refuses keys that are good for one organization only.
    pub fn require_instance(&self) -> Result<(), ApiError> {
        self.require_admin()?;
        if self.0.organization.is_none() { Ok(()) } else { Err(ApiError::InstanceOnly) }
    }

    /// The person whom a token speaks for; `None` for one that only its issuer knows. A key of theirs
    /// is good for one organization, and must not tell what others want of them.
    pub fn person(&self) -> Result<Option<UserId>, ApiError> {
        match self.0.actor {
            Actor::Token { user, .. } => Ok(user),
            Actor::Key { .. } | Actor::Invitee { .. } => Err(ApiError::TokenOnly),
        }
    }

    /// The organization named in a path, if the caller may see it.
    ///
    /// Any other one does not exist for the caller: the answer tells nobody which ids are taken.
    pub async fn organization(
        &self,
        store: &Store,
        in_path: &str,
    ) -> Result<OrganizationRef, ApiError> {
        let asked = OrganizationId::from_str(in_path).map_err(|_| ApiError::NotFound)?;
        match &self.0.organization {
            Some(own) if own.id == asked => Ok(own.clone()),
            Some(_) => Err(ApiError::NotFound),
            None => {
                let found = store.organization_ref(OrganizationKey::Id(asked)).await?;
                found.ok_or(ApiError::NotFound)
            }
        }
    }

    /// The organization that a request without one in its path is about: the caller's own, or, for
    /// an instance's key, the one it names; `None` if it names none.
    pub async fn own_or_named(
        &self,
        store: &Store,
        named: Option<&str>,
    ) -> Result<Option<OrganizationRef>, ApiError> {
        match (&self.0.organization, named) {
            (Some(own), None) => Ok(Some(own.clone())),
            (None, None) => Ok(None),
            (_, Some(named)) => self.organization(store, named).await.map(Some),
        }
    }

    /// The same caller, who acts for a user that has shown who they are.
    pub fn in_the_name_of(&self, user: UserId) -> Self {
        Self(Caller { actor: self.actor().in_the_name_of(user), ..self.0.clone() })
    }

    /// Whom the audit log names.
    pub fn actor(&self) -> Actor {
        self.0.actor.clone()
    }
}

/// Lets a request through once its key is known; nothing of its body has been read by then.
pub async fn authenticate<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match caller(&request).await {
        Ok(caller) => {
            request.extensions_mut().insert(Auth(caller));
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        // With the error inside, so that a contract can tell it in its own words.
        Err(error) => Ok(request.error_response(error)),
    }
}

impl FromRequest for Auth {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(ApiError::Unauthorized))
    }
}

async fn caller(request: &ServiceRequest) -> Result<Caller, ApiError> {
    let credential = bearer(request.headers()).ok_or(ApiError::Unauthorized)?;
    let state = request.app_data::<State>().ok_or(ApiError::Internal)?;
    if state.tokens.is_configured() && is_token(credential) {
        return token_caller(state, credential).await;
    }
    let hash = SecretHash::of_exact(credential);
    state.store.authenticate(hash).await?.ok_or(ApiError::Unauthorized)
}

async fn token_caller(state: &State, token: &str) -> Result<Caller, ApiError> {
    let claims = state.tokens.verify(token, state.store.clock().now()).await.map_err(|error| {
        tracing::debug!(%error, "a bearer token is refused");
        match error {
            TokenError::KeysUnavailable => ApiError::KeysUnavailable,
            _ => ApiError::Unauthorized,
        }
    })?;
    let caller = state.store.token_caller(claims.organization, claims.subject, claims.role);
    caller.await?.ok_or(ApiError::Unauthorized)
}

/// A signed token has three parts, the first of which is a JSON object (RFC 7515 §7.1).
fn is_token(credential: &str) -> bool {
    credential.starts_with("eyJ") && credential.bytes().filter(|&b| b == b'.').count() == 2
}

/// The token of the one `Authorization: Bearer …` header (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn read(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn takes_the_token_of_one_bearer_header() {
        assert_eq!(read(&["Bearer wlc_x"]).as_deref(), Some("wlc_x"));
        assert_eq!(read(&["bearer   wlc_x"]).as_deref(), Some("wlc_x"));
    }

    #[test]
    fn takes_nothing_else() {
        for values in [&[][..], &["Bearer"], &["Bearer "], &["Basic x"], &["Bearer a", "Bearer b"]]
        {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
