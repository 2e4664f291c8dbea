//! `GET /v1/organizations/{id}/invitations/{iid}`: one invitation with its timeline.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::invitation_id;
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Shows an invitation of the caller's organization.
pub async fn get(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    let invitation = state.store.invitation(organization, invitation_id(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(invitation.ok_or(ApiError::NotFound)?))
}
