//! `POST /api/v1/users/invite/{organization_id}`: one colleague, with names and a place to work.
//!
//! Its clients expect the habits of FastAPI and Pydantic: 422 with every error at once, lax
//! booleans, `detail` in every other error.

mod error;
mod password;
pub mod request;
mod response;

use std::str::FromStr;
use std::time::Duration;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, middleware::from_fn};
use adapters::store::{OrganizationKey, OrganizationRef};
use domain::OrganizationId;

pub use error::answer;

use self::error::{Details, Refusal, Sentence};
use super::{headers, invite};
use crate::auth::{self, Auth};
use crate::idempotency;
use crate::json::RawBody;
use crate::openapi::params::{IdempotencyKey, InvitedToPath, Prefer};
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::routes::resource;
use crate::state::{AppState, State};

/// Where it is served.
pub const PATH: &str = "/api/v1/users/invite/";
const ROUTE: &str = "POST /api/v1/users/invite/{organization_id}";

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        resource("/api/v1/users/invite/{organization_id}", "POST")
            .route(web::post().to(handle))
            .wrap(from_fn(auth::authenticate)),
    );
}

/// Invites a member (jobsim).
///
/// A drop-in for a public API of this path. The answer waits a little for the mail; a pending
/// person is answered with the same user, and gets another mail only after a cooldown.
#[utoipa::path(
    post,
    path = "/api/v1/users/invite/{organization_id}",
    operation_id = "jobsim_invite_member",
    tag = "Contracts",
    security(("bearer" = [])),
    params(InvitedToPath, IdempotencyKey, Prefer),
    request_body = request::Request,
    responses(
        (
            status = 200,
            description = "The person is invited, now or before.",
            body = response::Response<'_>,
        ),
        (status = 400, description = "The request cannot be understood.", body = Sentence),
        (
            status = 401,
            description = "No valid key or token.",
            body = Sentence,
        ),
        (status = 403, description = "Not an admin of that organization.", body = Sentence),
        (status = 404, description = "There is no such organization.", body = Sentence),
        (status = 408, description = "The body did not arrive in time.", body = Sentence),
        (status = 409, description = "Already a member.", body = Sentence),
        (status = 413, description = "The body is too long.", body = Sentence),
        (status = 422, description = "All that is wrong with the body.", body = Details<'_>),
        (
            status = 429,
            description = "A limit on mails.",
            body = Sentence,
            example = json!({"detail": "This address cannot get more invitations for now. Wait as long as Retry-After says."}),
        ),
        (status = 500, description = "A fault of ours.", body = Sentence),
        (
            status = 503,
            description = "Try again in a moment.",
            body = Sentence,
        ),
    ),
)]
pub async fn handle(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<String>,
    body: RawBody,
) -> Result<HttpResponse, Refusal> {
    let organization = organization(&auth, &state, &path).await?;
    auth.require_admin()?;
    let text = request::text(body.read().await)?;
    let wanted = request::validate(&text)?;
    let key = idempotency::key(request.headers(), ROUTE, &text)?;
    let mut new = wanted.invitation(&state, &organization);
    let early = password::known_early(&state, &mut new)?;
    let preference = Preference::of(request.headers());
    let wait = default_wait(&state, preference);
    let answer = invite::invite(&state, &auth, &organization, new, key, (preference, wait)).await?;
    let password = password::for_the_caller(&state, &auth, &answer, early).await?;
    let mut response = HttpResponse::Ok();
    headers::add(&mut response, &answer, preference);
    let password = password.as_ref().map(|password| password.as_str());
    Ok(response.json(response::body(&answer, &organization, password)))
}

/// Unknown is 404, but somebody else's is 403, as the contract has it.
async fn organization(
    auth: &Auth,
    state: &AppState,
    in_path: &str,
) -> Result<OrganizationRef, ApiError> {
    let id = OrganizationId::from_str(in_path).map_err(|_| ApiError::NotFound)?;
    match &auth.0.organization {
        Some(own) if own.id == id => Ok(own.clone()),
        own => {
            let found = state.store.organization_ref(OrganizationKey::Id(id)).await?;
            let found = found.ok_or(ApiError::NotFound)?;
            if own.is_some() { Err(ApiError::Forbidden) } else { Ok(found) }
        }
    }
}

/// The answer says whether the mail is sent, so it waits a little for that unless told not to.
fn default_wait(state: &AppState, preference: Preference) -> Duration {
    if preference.respond_async { Duration::ZERO } else { state.contracts.sync_wait }
}
