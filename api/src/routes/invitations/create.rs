//! `POST /v1/organizations/{id}/invitations`: invites one person.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{CreateOutcome, InvitationView};
use domain::OrganizationId;
use serde_json::Value;

use super::fields::{self, Fields};
use crate::auth::Auth;
use crate::idempotency;
use crate::json::JsonBody;
use crate::openapi::params::{IdempotencyKey, OrganizationPath, Prefer};
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::State;

const ROUTE: &str = "POST /v1/organizations/{id}/invitations";

/// Invites a person.
///
/// Records a pending invitation and answers; the mail follows by itself. With `Prefer: wait=N` the answer comes when the mail is out, or after N seconds. An address can
/// have one pending invitation per organization; one that has ended never stands in the way.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/invitations",
    operation_id = "create_invitation",
    tag = "Invitations",
    security(("bearer" = [])),
    params(OrganizationPath, IdempotencyKey, Prefer),
    request_body = Fields,
    responses((
        status = 201,
        description = "The invitation is recorded and its mail under way.",
        body = InvitationView,
        headers(
            ("Location" = String, description = "Where the invitation is read."),
            ("Preference-Applied" = String, description = "What of `Prefer` was heeded."),
            ("Idempotency-Replayed" = String, description = "`true` if this answer is that of an earlier request with the same key."),
        ),
        links(
            ("GetInvitation" = (
                operation_id = "get_invitation",
                parameters(
                    ("organization" = "$response.body#/organization_id"),
                    ("invitation" = "$response.body#/id"),
                ),
                description = "Follows what becomes of it.",
            )),
            ("ResendInvitation" = (
                operation_id = "resend_invitation",
                parameters(
                    ("organization" = "$response.body#/organization_id"),
                    ("invitation" = "$response.body#/id"),
                ),
                description = "Sends a new mail with a new secret.",
            )),
            ("RevokeInvitation" = (
                operation_id = "revoke_invitation",
                parameters(
                    ("organization" = "$response.body#/organization_id"),
                    ("invitation" = "$response.body#/id"),
                ),
                description = "Takes it back.",
            )),
        ),
        example = json!({
            "email_sent": false, "email_sent_at": null, "updated_at": "2026-11-24T09:30:00.113402Z",
            "delivery": {
                "status": "queued", "attempts": 0, "sent_at": null,
                "updated_at": "2026-11-24T09:30:00.113402Z",
            },
        }),
    )),
    extensions(("x-problems" = json!([
        "forbidden", "not_found", "invitation_pending", "already_member",
        "domain_denied", "domain_not_allowed", "disposable_address", "role_address", "seat_limit_reached",
        "key_rate_limited", "organization_rate_limited", "organization_warming_up",
        "inviter_rate_limited", "domain_rate_limited", "recipient_rate_limited",
        "sending_paused",
    ]))),
)]
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
    let (names, roles, locale) = (state.names, &organization.roles, &state.locale);
    let (expires_in, interval) = (state.invitation_expires_in, state.resend_interval);
    let now = state.store.clock().now();
    let wanted = fields::validate(body.value, names, roles, locale, expires_in, interval, now)?;
    let outcome = state.store.create_invitation(&organization, auth.actor(), wanted, key).await?;
    let organization = organization.id;
    let invitation = match outcome {
        CreateOutcome::Created(invitation) | CreateOutcome::Pending { invitation, .. } => {
            *invitation
        }
        CreateOutcome::Replayed(first) => return replay(organization, first),
        CreateOutcome::KeyReused => return Err(ApiError::IdempotencyKeyReused),
        CreateOutcome::AlreadyPending(id) => return Err(ApiError::AlreadyPending(id)),
        CreateOutcome::AlreadyMember => return Err(ApiError::AlreadyMember),
        CreateOutcome::Refused(why) => return Err(ApiError::Refused(why)),
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
