//! `POST /v1/organizations/{id}/invitations/{iid}/address`: another address for a pending invitation.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::InvitationView;
use domain::EmailAddress;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::{InvitationPath, Prefer};
use crate::prefer::Preference;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Where the invitation goes.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewAddress)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// Whom to invite: one bare address at a full domain.
    #[schema(value_type = String, required, format = Email, example = "lee@example.com")]
    email: Option<String>,
}

/// Changes the address and sends the mail there.
///
/// Link and password that went to the earlier address are void at once, and a mail that was still to be sent there is not.
/// What holds for whoever is invited holds for the new address. A scheduled mail keeps its moment.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/invitations/{invitation}/address",
    operation_id = "change_invitation_address",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath, Prefer),
    request_body = Fields,
    responses((
        status = 200,
        description = "A mail to the new address is under way.",
        body = InvitationView,
        headers(("Preference-Applied" = String, description = "What of `Prefer` was heeded.")),
        example = json!({
            "email": "lee@example.com", "generation": 2, "email_sent": false, "email_sent_at": null,
            "delivery": { "generation": 2, "status": "queued", "attempts": 0, "sent_at": null },
        }),
    )),
    extensions(("x-problems" = json!([
        "forbidden", "not_found", "invitation_not_pending", "invitation_pending", "already_member",
        "sending_now", "domain_denied", "domain_not_allowed", "disposable_address", "role_address",
        "key_rate_limited", "organization_rate_limited", "organization_warming_up",
        "inviter_rate_limited", "domain_rate_limited", "recipient_rate_limited",
        "sending_paused",
    ]))),
)]
pub async fn change(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let id = invitation_id(&path.1)?;
    let given = body.read::<Fields>().await?.value.email;
    let wrong = |message: String| ApiError::Invalid(vec![FieldError::new("email", message)]);
    let given = given.ok_or_else(|| wrong("is required".to_owned()))?;
    let email = EmailAddress::parse(&given).map_err(|error| wrong(error.to_string()))?;
    let outcome = state.store.readdress(organization, auth.actor(), id, email).await?;
    let invitation = changed(outcome)?;
    let preference = Preference::of(request.headers());
    let invitation = preference.settled(&state.store, organization, invitation).await?;
    let mut response = HttpResponse::Ok();
    preference.applied(&mut response);
    Ok(response.json(invitation))
}
