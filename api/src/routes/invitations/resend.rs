//! `POST /v1/organizations/{id}/invitations/{iid}/resend`: a new mail with a new secret.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::InvitationView;

use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::openapi::params::{InvitationPath, Prefer};
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::State;

/// Sends an invitation again.
///
/// The mail has a new link and password. Those of earlier mails stay good until an hour after the new mail was made
/// (`invitation.link_overlap_minutes`), for a mail that is late; whoever must not get in by them revokes and invites
/// anew. A mail that is scheduled, and has not gone out yet, goes out now.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/invitations/{invitation}/resend",
    operation_id = "resend_invitation",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath, Prefer),
    responses((
        status = 200,
        description = "A new mail is under way.",
        body = InvitationView,
        headers(("Preference-Applied" = String, description = "What of `Prefer` was heeded.")),
        example = json!({
            "generation": 2, "email_sent": false, "email_sent_at": null,
            "delivery": { "generation": 2, "status": "queued", "attempts": 0, "sent_at": null },
        }),
    )),
    extensions(("x-problems" = json!([
        "forbidden", "not_found", "invitation_not_pending", "sending_now",
        "key_rate_limited", "organization_rate_limited", "organization_warming_up",
        "inviter_rate_limited", "domain_rate_limited", "recipient_rate_limited",
        "resent_just_now",
        "sending_paused",
    ]))),
)]
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
