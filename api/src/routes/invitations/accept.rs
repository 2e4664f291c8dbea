//! `POST /v1/invitations/accept`: the invitee joins and chooses a password.

use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{AcceptOutcome, Accepted};
use domain::{InvitationId, InvitationStatus, OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credential::{self, Given};
use super::password;
use crate::json::JsonBody;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Accepts an invitation.
///
/// With the token of the link, or with address and temporary password; the invitee chooses the
/// password to be used from now on. Doing so again with the same credential gets the same answer and changes nothing.
/// An invitation whose role its organization has dropped since cannot be accepted, and stays pending.
#[utoipa::path(
    post,
    path = "/v1/invitations/accept",
    operation_id = "accept_invitation",
    tag = "Acceptance",
    request_body(
        content = Request,
        examples(
            ("by_link" = (
                summary = "With the token of the link",
                value = json!({ "token": "7K2MQ4X9TB3WN8RJ5HC6VD0PZE", "password": "correct horse battery staple" }),
            )),
            ("by_password" = (
                summary = "With address and temporary password",
                value = json!({
                    "email": "ann@example.com",
                    "temporary_password": "7K2M-Q4X9-TB3W-N8RJ-5HC6-VD0P-ZE",
                    "password": "correct horse battery staple",
                }),
            )),
        ),
    ),
    responses((
        status = 200,
        description = "The invitee belongs to the organization.",
        body = Answer,
        example = json!({ "status": "accepted" }),
    )),
    extensions(("x-problems" = json!([
        "invalid_credential", "invitation_declined", "invitation_revoked", "invitation_expired",
        "role_not_given", "too_many_guesses",
    ]))),
)]
pub async fn accept(
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
    let credential = credential::parse(given);
    let chosen = match request.password.map(password::check) {
        Some(checked) => checked.map_err(|error| FieldError::new("password", error)),
        None => Err(FieldError::new("password", "is required")),
    };
    let (credential, chosen) = match (credential, chosen) {
        (Ok(credential), Ok(chosen)) => (credential, chosen),
        (credential, chosen) => {
            let errors = credential.err().into_iter().flatten().chain(chosen.err());
            return Err(ApiError::Invalid(errors.collect()));
        }
    };
    // Before the slow hash: guessing costs us no more than a look.
    let open = credential::find(&state, &http, &credential).await?;
    if !matches!(open.status, InvitationStatus::Pending | InvitationStatus::Accepted) {
        return Err(credential::too_late(&state, &open).await);
    }
    let hash = password::hash(&state.hasher, chosen).await?;
    match state.store.accept(credential, hash).await? {
        AcceptOutcome::Done(accepted) | AcceptOutcome::Again(accepted) => Ok(answer(accepted)),
        AcceptOutcome::Unknown => Err(ApiError::InvalidCredential),
        AcceptOutcome::Illegal(illegal) => Err(credential::ended(illegal.from)),
        AcceptOutcome::NotGiven => Err(ApiError::RoleNotGiven),
    }
}

/// What an invitee accepts with: the token, or address and temporary password.
#[derive(Deserialize, ToSchema)]
#[schema(as = AcceptRequest)]
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
    /// The password that the invitee chooses.
    #[schema(value_type = String, required, min_length = 8, max_length = 128, example = "correct horse battery staple")]
    password: Option<String>,
}

/// An invitation that is accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = Acceptance)]
struct Answer {
    /// Always `accepted`.
    status: InvitationStatus,
    /// The invitation.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    invitation_id: InvitationId,
    /// The organization that the invitee now belongs to.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization_id: OrganizationId,
    /// The person behind the address.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c51-8f02-7e3b5a1c9d64")]
    user_id: UserId,
    /// The address that was invited.
    #[schema(example = "ann@example.com")]
    email: String,
}

fn answer(accepted: Accepted) -> HttpResponse {
    let Accepted { invitation_id, organization_id, user_id, email, .. } = accepted;
    let status = InvitationStatus::Accepted;
    HttpResponse::Ok().json(Answer { status, invitation_id, organization_id, user_id, email })
}
