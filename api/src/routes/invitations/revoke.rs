//! `DELETE /v1/organizations/{id}/invitations/{iid}`, also as `POST …/revoke`: takes it back.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::InvitationView;

use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::openapi::params::InvitationPath;
use crate::problem::ApiError;
use crate::state::State;

/// Revokes an invitation.
///
/// Its link and password are void at once, and a mail that is not out yet is not sent.
#[utoipa::path(
    delete,
    path = "/v1/organizations/{organization}/invitations/{invitation}",
    operation_id = "revoke_invitation",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath),
    responses((
        status = 200,
        description = "The invitation is revoked.",
        body = InvitationView,
        example = json!({ "status": "revoked", "closed_at": "2026-11-24T10:02:33.208815Z" }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found", "invitation_not_pending"]))),
)]
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

/// Revokes an invitation, as an action.
///
/// Does the same as `DELETE` on the invitation.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/invitations/{invitation}/revoke",
    operation_id = "revoke_invitation_by_post",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath),
    responses((
        status = 200,
        description = "The invitation is revoked.",
        body = InvitationView,
        example = json!({ "status": "revoked", "closed_at": "2026-11-24T10:02:33.208815Z" }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found", "invitation_not_pending"]))),
)]
pub async fn revoke_by_post(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    revoke(auth, state, path).await
}
