//! `POST /v1/invitations/decline`: the invitee says no.

use actix_web::{HttpRequest, HttpResponse};
use adapters::store::AcceptOutcome;
use domain::{InvitationId, InvitationStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credential::{self, Given};
use crate::json::JsonBody;
use crate::problem::ApiError;
use crate::state::State;

/// Declines an invitation.
///
/// With the token of the link, or with address and temporary password.
#[utoipa::path(
    post,
    path = "/v1/invitations/decline",
    operation_id = "decline_invitation",
    tag = "Acceptance",
    request_body(
        content = Request,
        examples(
            ("by_link" = (
                summary = "With the token of the link",
                value = json!({ "token": "7K2MQ4X9TB3WN8RJ5HC6VD0PZE" }),
            )),
            ("by_password" = (
                summary = "With address and temporary password",
                value = json!({
                    "email": "ann@example.com",
                    "temporary_password": "7K2M-Q4X9-TB3W-N8RJ-5HC6-VD0P-ZE",
                }),
            )),
        ),
    ),
    responses((
        status = 200,
        description = "The invitation is declined.",
        body = Answer,
        example = json!({ "status": "declined" }),
    )),
    extensions(("x-problems" = json!([
        "invalid_credential", "invitation_accepted", "invitation_revoked", "invitation_expired",
        "too_many_guesses",
    ]))),
)]
pub async fn decline(
    state: State,
    http: HttpRequest,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let request = body.read::<Request>().await?.value;
    let given = Given {
        token: request.token,
        email: request.email,
        temporary_password: request.temporary_password,
    };
    let credential = credential::parse(given).map_err(ApiError::Invalid)?;
    let open = credential::find(&state, &http, &credential).await?;
    if !matches!(open.status, InvitationStatus::Pending | InvitationStatus::Declined) {
        return Err(credential::too_late(&state, &open).await);
    }
    match state.store.decline(credential).await? {
        AcceptOutcome::Done(declined) | AcceptOutcome::Again(declined) => {
            let status = InvitationStatus::Declined;
            Ok(HttpResponse::Ok().json(Answer { status, invitation_id: declined.invitation_id }))
        }
        AcceptOutcome::Unknown => Err(ApiError::InvalidCredential),
        AcceptOutcome::Illegal(illegal) => Err(credential::ended(illegal.from)),
        // Only accepting ends so.
        AcceptOutcome::NotGiven => Err(ApiError::RoleNotGiven),
    }
}

/// What an invitee declines with: the token, or address and temporary password.
#[derive(Deserialize, ToSchema)]
#[schema(as = DeclineRequest)]
#[serde(deny_unknown_fields)]
struct Request {
    /// The secret part of the link in the mail. Either this, or address and temporary password.
    #[schema(max_length = 256, example = "7K2MQ4X9TB3WN8RJ5HC6VD0PZE")]
    token: Option<String>,
    /// The address that was invited.
    #[schema(format = Email, example = "ann@example.com")]
    email: Option<String>,
    /// The temporary password from the mail.
    #[schema(max_length = 256, example = "7K2M-Q4X9-TB3W-N8RJ-5HC6-VD0P-ZE")]
    temporary_password: Option<String>,
}

/// An invitation that is declined.
#[derive(Serialize, ToSchema)]
#[schema(as = Refusal)]
struct Answer {
    /// Always `declined`.
    status: InvitationStatus,
    /// The invitation.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    invitation_id: InvitationId,
}
