//! `POST /iam/v1/users/invite`, behind the command `invite-user`: one user, in camel case.
//!
//! Its page knows 201, 400, 401, 403 and 500, and one shape for every error.

mod error;
pub mod request;
mod response;

use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{OrganizationKey, OrganizationRef};
use domain::OrganizationId;

pub use error::answer;

use self::error::{Refusal, Sentence};
use super::{headers, invite};
use crate::auth::{self, Auth};
use crate::idempotency;
use crate::json::RawBody;
use crate::openapi::params::{IdempotencyKey, Prefer};
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::routes::resource;
use crate::state::{AppState, State};

/// Where it is served.
pub const PATH: &str = "/iam/v1/users/invite";
const ROUTE: &str = "POST /iam/v1/users/invite";

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        resource(PATH, "POST").route(web::post().to(handle)).wrap(from_fn(auth::authenticate)),
    );
}

/// Invites a user (doit).
///
/// A drop-in for the call behind a public command, and what `welcomat invite-user` calls. Somebody
/// who is still invited is answered with the same user, and gets another mail after a cooldown.
#[utoipa::path(
    post,
    path = "/iam/v1/users/invite",
    operation_id = "doit_invite_user",
    tag = "Contracts",
    security(("bearer" = [])),
    params(IdempotencyKey, Prefer),
    request_body = request::Request,
    responses(
        (
            status = 201,
            description = "The user is invited, now or before.",
            body = response::Response<'_>,
        ),
        (status = 400, description = "Whatever is wrong with the request.", body = Sentence),
        (
            status = 401,
            description = "No valid key or token.",
            body = Sentence,
        ),
        (status = 403, description = "Not an admin of that organization.", body = Sentence),
        (
            status = 429,
            description = "A limit on mails.",
            body = Sentence,
            example = json!({"error": "This address cannot get more invitations for now. Wait as long as Retry-After says."}),
        ),
        (
            status = 500,
            description = "A fault of ours, or a moment in which we cannot answer.",
            body = Sentence,
        ),
    ),
)]
pub async fn handle(
    auth: Auth,
    state: State,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse, Refusal> {
    auth.require_admin()?;
    let text = body.read().await?;
    let wanted = request::read(&text)?;
    let organization = organization(&auth, &state, wanted.organization_id.as_deref()).await?;
    let new = wanted.invitation(&state, &organization)?;
    let key = idempotency::key(request.headers(), ROUTE, &text)?;
    let preference = Preference::of(request.headers());
    let wait = (preference, Duration::ZERO);
    let answer = invite::invite(&state, &auth, &organization, new, key, wait).await?;
    let mut response = HttpResponse::Created();
    headers::add(&mut response, &answer, preference);
    Ok(response.json(response::body(&answer)))
}

/// The key's own organization, or for a key of the whole instance the one that is named.
async fn organization(
    auth: &Auth,
    state: &AppState,
    named: Option<&str>,
) -> Result<OrganizationRef, Refusal> {
    let id = match named.map(str::parse::<OrganizationId>) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Err(Refusal::Invalid("organizationId is not an id".to_owned())),
    };
    match (&auth.0.organization, id) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(id)) if own.id == id => Ok(own.clone()),
        (Some(_), Some(_)) => Err(ApiError::Forbidden.into()),
        (None, None) => Err(Refusal::Invalid(
            "organizationId is required with a key for the whole instance".to_owned(),
        )),
        (None, Some(id)) => {
            let found = state.store.organization_ref(OrganizationKey::Id(id)).await;
            let found = found.map_err(ApiError::from)?;
            let unknown = || Refusal::Invalid("organizationId names no organization".to_owned());
            found.ok_or_else(unknown)
        }
    }
}
