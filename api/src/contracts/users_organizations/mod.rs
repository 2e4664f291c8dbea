//! `POST /users-organizations/v1/rs/na/{userId}/invite`: one person, with a scope and permissions.
//!
//! Its clients expect an API gateway in front of zod: a session token beside the bearer token, 400
//! with every problem at once, `message` in every other error, integers for ids.

mod acting;
mod address;
mod error;
pub mod request;
mod response;

use std::time::Duration;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, middleware::from_fn};

pub use error::answer;

use self::error::{Invalid, Message, Refusal};
use super::{headers, invite};
use crate::auth::{self, Auth};
use crate::idempotency;
use crate::json::RawBody;
use crate::openapi::params::{ActingUserPath, IdempotencyKey, Prefer, SessionToken};
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::routes::resource;
use crate::state::State;

const PATH: &str = "/users-organizations/v1/rs/na/";
const RESOURCE: &str = "/users-organizations/v1/rs/na/{userId}/invite";
const ROUTE: &str = "POST /users-organizations/v1/rs/na/{userId}/invite";

/// Adds the route, and once more below `prefix` if there is one.
pub fn configure(config: &mut ServiceConfig, prefix: &str) {
    let mut add = |path: &str| {
        config.service(
            resource(path, "POST").route(web::post().to(handle)).wrap(from_fn(auth::authenticate)),
        );
    };
    add(RESOURCE);
    if !prefix.is_empty() {
        add(&format!("{prefix}{RESOURCE}"));
    }
}

/// Whether this is a path of this contract, with or without `prefix`.
pub fn is_at(path: &str, prefix: &str) -> bool {
    path.starts_with(PATH) || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(PATH))
}

/// Invites a user (users-organizations).
///
/// A drop-in for a public API of this path, which is also served below the prefix of
/// `contracts.users_organizations.prefix`. The organization is that of the key or token. A pending
/// person is answered as first recorded, and gets another mail only after a cooldown.
#[utoipa::path(
    post,
    path = "/users-organizations/v1/rs/na/{userId}/invite",
    operation_id = "users_organizations_invite",
    tag = "Contracts",
    security(("bearer" = [])),
    params(ActingUserPath, SessionToken, IdempotencyKey, Prefer),
    request_body = request::Request,
    responses(
        (
            status = 201,
            description = "The person is invited, now or before.",
            body = response::Response,
        ),
        (status = 400, description = "All that is wrong with path or body.", body = Invalid),
        (
            status = 401,
            description = "No valid key or token, or no valid session token.",
            body = Message,
            example = json!({"message": "Unauthorized"}),
        ),
        (
            status = 403,
            description = "The session is another user's; the key is no admin's or not for one \
                           organization; the user is no active member, or lacks what is granted.",
            body = Message,
        ),
        (
            status = 408,
            description = "The body did not arrive in time.",
            body = Message,
            example = json!({"message": "The body of the request did not arrive in time."}),
        ),
        (
            status = 409,
            description = "Already an active member.",
            body = Message,
            example = json!({"message": "Conflict"}),
        ),
        (
            status = 413,
            description = "The body is too long.",
            body = Message,
            example = json!({"message": "The body may have at most 32768 bytes."}),
        ),
        (
            status = 415,
            description = "The body is not application/json.",
            body = Message,
            example = json!({"message": "Unsupported Media Type"}),
        ),
        (
            status = 429,
            description = "A limit on mails.",
            body = Message,
            example = json!({"message": "This address cannot get more invitations for now. Wait as long as Retry-After says."}),
        ),
        (
            status = 500,
            description = "A fault of ours.",
            body = Message,
            example = json!({"message": "Something went wrong on our side. Nothing is known to be wrong with the request."}),
        ),
        (
            status = 503,
            description = "Try again in a moment.",
            body = Message,
            example = json!({"message": "The service is busy. Try again in a moment."}),
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
    let user = acting::user_number(&path)?;
    acting::check_session(&state, request.headers(), user)?;
    let organization = acting::own_organization(&auth)?;
    body.check_type()?;
    let acting = acting::member(&state, organization, user).await?;
    let text = body.read().await?;
    let wanted = request::validate(&text)?;
    // Another user's request is another request, even with the same body.
    let key = idempotency::key(request.headers(), ROUTE, &format!("{user}\n{text}"))?;
    if !wanted.may_be_given_by(&acting) {
        return Err(ApiError::Forbidden.into());
    }
    let new = wanted.invitation(&state, organization);
    let preference = Preference::of(request.headers());
    let inviter = auth.in_the_name_of(acting.user_id);
    let waiting = (preference, Duration::ZERO);
    let answer = invite::invite(&state, &inviter, organization, new, key, waiting).await?;
    let mut response = HttpResponse::Created();
    headers::add(&mut response, &answer, preference);
    Ok(response.json(response::body(&answer, organization)))
}
