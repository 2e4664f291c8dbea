//! `POST /v1/organizations/{id}/invitations/{iid}/schedule`: another moment for a scheduled mail.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::InvitationView;
use domain::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{changed, invitation_id};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::InvitationPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// How far ahead a mail can be scheduled, in days.
pub const FURTHEST_DAYS: u64 = 90;

/// When the mail goes out.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Schedule)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// The moment: in the future, at most 90 days away.
    #[schema(value_type = DateTime<Utc>, required, example = "2027-01-01T08:00:00Z")]
    send_at: Option<Timestamp>,
}

/// Schedules a mail anew.
///
/// Only while it still waits for its moment. The invitation is good for as long as before, counted from the new one. To send it
/// now, resend it.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/invitations/{invitation}/schedule",
    operation_id = "reschedule_invitation",
    tag = "Invitations",
    security(("bearer" = [])),
    params(InvitationPath),
    request_body = Fields,
    responses((
        status = 200,
        description = "The invitation as it stands now.",
        body = InvitationView,
        example = json!({
            "email_sent": false, "email_sent_at": null, "send_at": "2027-01-01T08:00:00Z",
            "expires_at": "2027-01-08T08:00:00Z",
            "delivery": {
                "status": "scheduled", "attempts": 0, "sent_at": null,
                "send_at": "2027-01-01T08:00:00Z", "next_attempt_at": "2027-01-01T08:00:00Z",
            },
        }),
    )),
    extensions(("x-problems" = json!([
        "forbidden", "not_found", "invitation_not_pending", "not_scheduled",
    ]))),
)]
pub async fn schedule(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let id = invitation_id(&path.1)?;
    let now = state.store.clock().now();
    let given = body.read::<Fields>().await?.value.send_at;
    let send_at = given.ok_or("is required").and_then(|at| check(at, now).map(|()| at));
    let send_at =
        send_at.map_err(|message| ApiError::Invalid(vec![FieldError::new("send_at", message)]))?;
    let outcome = state.store.reschedule(organization, auth.actor(), id, send_at).await?;
    Ok(HttpResponse::Ok().json(changed(outcome)?))
}

/// Whether a mail can be scheduled for that moment.
pub fn check(at: Timestamp, now: Timestamp) -> Result<(), &'static str> {
    if at <= now {
        return Err("must be in the future");
    }
    if at > now + Duration::from_hours(24 * FURTHEST_DAYS) {
        return Err("may be at most 90 days away");
    }
    Ok(())
}
