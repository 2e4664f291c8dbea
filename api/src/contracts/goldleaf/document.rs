//! The two paths of the one operation, as the OpenAPI document has them.

use actix_web::{HttpRequest, HttpResponse};
use utoipa::IntoResponses;

use super::error::{Invalid, Refusal, Sentence};
use super::{handle, request, response};
use crate::auth::Auth;
use crate::json::RawBody;
use crate::openapi::params::{IdempotencyKey, Prefer};
use crate::state::State;

/// Invites many users (goldleaf).
///
/// A drop-in for a public API of this path. Either all addresses are right and are invited, or
/// nobody is. A given password is for a user who has none yet; the mail then has the link only.
#[utoipa::path(
    post,
    path = "/organization/users/invite",
    operation_id = "goldleaf_invite_users",
    tag = "Contracts",
    security(("bearer" = [])),
    params(IdempotencyKey, Prefer),
    request_body = request::Request,
    responses(Responses),
)]
pub async fn invite_users(
    auth: Auth,
    state: State,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse, Refusal> {
    handle(auth, state, request, body).await
}

/// Invites many users (goldleaf), where the page's code samples do.
///
/// Does the same as `POST /organization/users/invite`.
#[utoipa::path(
    post,
    path = "/api/v1/organization/users/invite",
    operation_id = "goldleaf_invite_users_below_api",
    tag = "Contracts",
    security(("bearer" = [])),
    params(IdempotencyKey, Prefer),
    request_body = request::Request,
    responses(Responses),
)]
pub async fn invite_users_below_api(
    auth: Auth,
    state: State,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse, Refusal> {
    handle(auth, state, request, body).await
}

/// What both answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the document reads it")]
enum Responses {
    /// Every address is invited, or was before, or belongs to a member. `X-Email-Status` is that of
    /// the mail furthest from its reader; `X-Invitation-Id` is there if there is exactly one.
    #[response(status = 200)]
    Invited(response::Response<'static>),
    /// Something is wrong with the request; nobody was invited.
    #[response(status = 400)]
    Invalid(Invalid<'static>),
    /// No valid key or token.
    #[response(status = 401)]
    Unauthorized(Sentence),
    /// Not an admin, or a key without an organization.
    #[response(status = 403, example = json!({"error": "Only an admin can invite. Use a key with the role admin."}))]
    Forbidden(Sentence),
    /// The body did not arrive in time.
    #[response(status = 408, example = json!({"error": "The body of the request did not arrive in time."}))]
    Late(Sentence),
    /// The body is too long.
    #[response(status = 413, example = json!({"error": "The body may have at most 512000 bytes."}))]
    TooLong(Sentence),
    /// A limit on mails; nobody was invited. If it is about some of the addresses, they are listed.
    #[response(status = 429, example = json!({
        "error": "Nobody was invited: 1 problem, see details.",
        "details": [{
            "index": 3, "email": "ann@example.com", "code": "too_many_mails",
            "message": "This address cannot get more invitations for now. Wait as long as Retry-After says.",
        }],
    }))]
    TooMany(Invalid<'static>),
    /// A fault of ours.
    #[response(status = 500, example = json!({"error": "Something went wrong on our side. Nothing is known to be wrong with the request."}))]
    Fault(Sentence),
    /// Try again in a moment.
    #[response(status = 503, example = json!({"error": "The service is busy. Try again in a moment."}))]
    Busy(Sentence),
}
