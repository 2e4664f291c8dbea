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
    let organization = auth.organization(&path.0)?;
    auth.require_admin()?;
    let (actor, id) = (auth.actor(), invitation_id(&path.1)?);
    let outcome =
        state.change(|store| async move { store.revoke(organization, actor, id).await }).await?;
    let invitation = changed(outcome)?;
    Ok(HttpResponse::Ok().json(invitation))
}
