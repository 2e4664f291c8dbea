//! `DELETE /v1/organizations/{id}/invitations/{iid}`, also as `POST …/revoke`: takes it back.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Ends a pending invitation; a mail that is not out yet is not sent.
pub async fn revoke(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let id = invitation_id(&path.1)?;
    let invitation = changed(state.store.revoke(organization, auth.actor(), id).await?)?;
    Ok(HttpResponse::Ok().json(invitation))
}
