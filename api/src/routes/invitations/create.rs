//! `POST /v1/organizations/{id}/invitations`: invites one person.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::CreateOutcome;
use domain::OrganizationId;
use serde_json::Value;

use super::fields::{self, Fields};
use crate::auth::Auth;
use crate::idempotency;
use crate::json::JsonBody;
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::State;

const ROUTE: &str = "POST /v1/organizations/{id}/invitations";

/// Records a pending invitation; the mail follows by itself.
pub async fn create(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &organization).await?;
    auth.require_admin()?;
    let body = body.read::<Fields>().await?;
    let key = idempotency::key(request.headers(), ROUTE, &body.text)?;
    let wanted = fields::validate(body.value, &organization.roles, state.invitation_expires_in)?;
    let organization = organization.id;
    let outcome = state.store.create_invitation(organization, auth.actor(), wanted, key).await?;
    let invitation = match outcome {
        CreateOutcome::Created(invitation) | CreateOutcome::Pending { invitation, .. } => {
            *invitation
        }
        CreateOutcome::Replayed(first) => return replay(organization, first),
        CreateOutcome::KeyReused => return Err(ApiError::IdempotencyKeyReused),
        CreateOutcome::AlreadyPending(id) => return Err(ApiError::AlreadyPending(id)),
        CreateOutcome::AlreadyMember => return Err(ApiError::AlreadyMember),
    };
    let preference = Preference::of(request.headers());
    let invitation = preference.settled(&state.store, organization, invitation).await?;
    let mut response = HttpResponse::Created();
    preference.applied(&mut response);
    response.insert_header(("Location", location(organization, &invitation.id.to_string())));
    Ok(response.json(invitation))
}

/// Answers as the first time, byte for byte.
fn replay(organization: OrganizationId, first: String) -> Result<HttpResponse, ApiError> {
    let body: Value = serde_json::from_str(&first).map_err(|_| ApiError::Internal)?;
    let id = body.get("id").and_then(Value::as_str).ok_or(ApiError::Internal)?;
    Ok(HttpResponse::Created()
        .insert_header(idempotency::REPLAYED)
        .insert_header(("Location", location(organization, id)))
        .content_type("application/json")
        .body(first))
}

fn location(organization: OrganizationId, invitation: &str) -> String {
    format!("/v1/organizations/{organization}/invitations/{invitation}")
}
