//! Who asks: the API key of a request and what it allows.
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
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError};
use adapters::store::{Actor, Caller};
use domain::{KeyRole, OrganizationId, SecretHash};

use crate::problem::ApiError;
use crate::state::State;

pub use claims::{Claims, OrganizationRefClaim};
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

    /// The organization named in a path, if it is the caller's own.
    ///
    /// Any other one does not exist for the caller: the answer tells nobody which ids are taken.
    pub fn organization(&self, in_path: &str) -> Result<OrganizationId, ApiError> {
        let own = self.0.organization.id;
        match OrganizationId::from_str(in_path) {
            Ok(asked) if asked == own => Ok(own),
            _ => Err(ApiError::NotFound),
        }
    }

    /// Whom the audit log names.
    pub fn actor(&self) -> Actor {
        Actor { user: self.0.user.id, key: self.0.key }
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
        Err(error) => Ok(request.into_response(error.error_response())),
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
    let key = bearer(request.headers()).ok_or(ApiError::Unauthorized)?;
    let hash = SecretHash::of_exact(key);
    let state = request.app_data::<State>().ok_or(ApiError::Internal)?;
    state.store.authenticate(hash).await?.ok_or(ApiError::Unauthorized)
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
