//! `POST /v1/organizations/{id}/invitations/{iid}/extend`: another end for a pending invitation.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::InvitationView;
use domain::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields::LONGEST;
use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::InvitationPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// When the invitation ends.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Extension)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// Until when it can be accepted: a moment in the future, at most 365 days away.
    #[schema(value_type = DateTime<Utc>, required, example = "2027-01-01T00:00:00Z")]
    expires_at: Option<Timestamp>,
}

/// Gives the invitee more time, or less.
///
/// No mail is sent: the link that the invitee has stays good for so much longer.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/invitations/{invitation}/extend",
    operation_id = "extend_invitation",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath),
    request_body = Fields,
    responses((
        status = 200,
        description = "The invitation as it stands now.",
        body = InvitationView,
        example = json!({ "expires_at": "2027-01-01T00:00:00Z" }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found", "invitation_not_pending"]))),
)]
pub async fn extend(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let id = invitation_id(&path.1)?;
    let now = state.store.clock().now();
    let expires_at = check(body.read::<Fields>().await?.value.expires_at, now)?;
    let outcome = state.store.extend(organization, auth.actor(), id, expires_at).await?;
    Ok(HttpResponse::Ok().json(changed(outcome)?))
}

fn check(given: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, ApiError> {
    let wrong = |message| Err(ApiError::Invalid(vec![FieldError::new("expires_at", message)]));
    match given {
        None => wrong("is required"),
        Some(at) if at <= now => wrong("must be in the future"),
        Some(at) if at > now + Duration::from_secs(LONGEST) => {
            wrong("may be at most 365 days away")
        }
        Some(at) => Ok(at),
    }
}
