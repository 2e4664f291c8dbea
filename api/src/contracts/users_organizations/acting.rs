//! Who acts: the user of the path, as the session token has it, in the organization of the key.

use actix_web::http::header::HeaderMap;
use adapters::store::{MemberView, OrganizationRef};

use super::error::Refusal;
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::AppState;

const SESSION_TOKEN: &str = "x-session-token";

/// The number of the user who acts.
pub fn user_number(in_path: &str) -> Result<i64, Refusal> {
    let digits = in_path.strip_prefix('-').unwrap_or(in_path);
    let number = in_path.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    number.ok_or_else(|| Refusal::Invalid(vec!["userId: must be an integer".to_owned()]))
}

/// Whether the session token is a good one, of `user`.
pub fn check_session(state: &AppState, headers: &HeaderMap, user: i64) -> Result<(), ApiError> {
    let mut tokens = headers.get_all(SESSION_TOKEN);
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return Err(ApiError::Unauthorized);
    };
    let token = token.to_str().map_err(|_| ApiError::Unauthorized)?;
    let session = state.session_tokens.verify(token, state.store.clock().now());
    let session = session.map_err(|error| {
        tracing::debug!(%error, "a session token is refused");
        ApiError::Unauthorized
    })?;
    if session.user == user { Ok(()) } else { Err(ApiError::Forbidden) }
}

/// The one organization that the key or token is for, if it may invite there.
pub fn own_organization(auth: &Auth) -> Result<&OrganizationRef, ApiError> {
    auth.require_admin()?;
    auth.0.organization.as_ref().ok_or(ApiError::Forbidden)
}

/// The active member that acts.
pub async fn member(
    state: &AppState,
    organization: &OrganizationRef,
    user: i64,
) -> Result<MemberView, ApiError> {
    let found = state.store.active_member(organization.id, user).await?;
    found.ok_or(ApiError::Forbidden)
}
