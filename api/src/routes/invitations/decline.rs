//! `POST /v1/invitations/decline`: the invitee says no.

use actix_web::HttpResponse;
use adapters::store::AcceptOutcome;
use domain::{InvitationId, InvitationStatus};
use serde::{Deserialize, Serialize};

use super::credential::{self, Given};
use crate::json::JsonBody;
use crate::problem::ApiError;
use crate::state::State;

/// Declines with the token of the link, or with address and temporary password.
pub async fn decline(state: State, body: JsonBody) -> Result<HttpResponse, ApiError> {
    let request = body.read::<Request>().await?.value;
    let given = Given {
        token: request.token,
        email: request.email,
        temporary_password: request.temporary_password,
    };
    let credential = credential::parse(given).map_err(ApiError::Invalid)?;
    match state.store.decline(credential).await? {
        AcceptOutcome::Done(declined) | AcceptOutcome::Again(declined) => {
            let status = InvitationStatus::Declined;
            Ok(HttpResponse::Ok()
                .insert_header(("Cache-Control", "no-store"))
                .json(Answer { status, invitation_id: declined.invitation_id }))
        }
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
}

#[derive(Serialize)]
struct Answer {
    status: InvitationStatus,
    invitation_id: InvitationId,
}
