//! `POST /v1/organizations/{id}/invitations/{iid}/resend`: a new mail with a new secret.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::State;

/// Makes the invitation's earlier secret void and sends another.
pub async fn resend(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let id = invitation_id(&path.1)?;
    let invitation = changed(state.store.resend(organization, auth.actor(), id).await?)?;
    let preference = Preference::of(request.headers());
    let invitation = preference.settled(&state.store, organization, invitation).await?;
    let mut response = HttpResponse::Ok();
    preference.applied(&mut response);
    Ok(response.json(invitation))
}
