//! `GET /v1/organizations/{id}/invitations/{iid}`: one invitation with its timeline.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::InvitationDetail;

use super::invitation_id;
use crate::auth::Auth;
use crate::openapi::params::InvitationPath;
use crate::problem::ApiError;
use crate::state::State;

/// Shows an invitation.
///
/// With all its mails, the attempts at them that did not succeed, and what the audit log says.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/invitations/{invitation}",
    operation_id = "get_invitation",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath),
    responses((status = 200, description = "The invitation.", body = InvitationDetail)),
    extensions(("x-problems" = json!(["not_found"]))),
)]
pub async fn get(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    let invitation = state.store.invitation(organization, invitation_id(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(invitation.ok_or(ApiError::NotFound)?))
}
