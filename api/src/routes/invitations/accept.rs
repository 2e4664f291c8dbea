//! `POST /v1/invitations/accept`: the invitee joins and chooses a password.

use actix_web::HttpResponse;
use adapters::store::{AcceptOutcome, Accepted};
use domain::{InvitationId, InvitationStatus, OrganizationId, UserId};
use serde::{Deserialize, Serialize};

use super::credential::{self, Given};
use super::password;
use crate::json::JsonBody;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Accepts with the token of the link, or with address and temporary password.
///
/// Doing so again with the same credential gets the same answer and changes nothing.
pub async fn accept(state: State, body: JsonBody) -> Result<HttpResponse, ApiError> {
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
    let open = state.store.check(credential.clone()).await?.ok_or(ApiError::InvalidCredential)?;
    if !matches!(open.status, InvitationStatus::Pending | InvitationStatus::Accepted) {
        return Err(credential::ended(open.status));
    }
    let hash = password::hash(&state.hasher, chosen).await?;
    match state.store.accept(credential, hash).await? {
        AcceptOutcome::Done(accepted) | AcceptOutcome::Again(accepted) => Ok(answer(accepted)),
        AcceptOutcome::Unknown => Err(ApiError::InvalidCredential),
        AcceptOutcome::Illegal(illegal) => Err(credential::ended(illegal.from)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    token: Option<String>,
    email: Option<String>,
    temporary_password: Option<String>,
    password: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    status: InvitationStatus,
    invitation_id: InvitationId,
    organization_id: OrganizationId,
    user_id: UserId,
    email: String,
}

fn answer(accepted: Accepted) -> HttpResponse {
    let Accepted { invitation_id, organization_id, user_id, email, .. } = accepted;
    let status = InvitationStatus::Accepted;
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(Answer {
        status,
        invitation_id,
        organization_id,
        user_id,
        email,
    })
}
