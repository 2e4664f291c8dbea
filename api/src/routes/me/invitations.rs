//! `GET /v1/me/invitations`: what the person behind a token is invited to, by whichever organization.

use actix_web::{HttpRequest, HttpResponse};
use adapters::store::OwnInvitation;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Auth;
use crate::problem::ApiError;
use crate::routes::page::{IdPageQuery, Page};
use crate::state::State;

/// Lists your own invitations.
///
/// What the person is invited to that the token speaks for, by every organization; open invitations
/// only, newest first. For a product that shows them in its own pages. To accept one takes the link in
/// its mail: that proves the address. An API key belongs to one organization and shows nothing of others.
#[utoipa::path(
    get,
    path = "/v1/me/invitations",
    operation_id = "list_own_invitations",
    tag = "Account",
    security(("bearer" = [])),
    params(IdPageQuery),
    responses((status = 200, description = "A page of invitations.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "token_required", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let person = auth.person()?;
    let page = Page::by_id(request.query_string())?;
    // Somebody whom only the issuer knows is invited nowhere.
    let rows = match person {
        None => Vec::new(),
        Some(person) => state.store.invitations_of(person, page.after, page.rows()).await?,
    };
    let (data, next_cursor) = page.cut(rows, |row| row.id);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// A page of the caller's own invitations.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnInvitationList)]
struct List {
    /// At most as many as asked for.
    data: Vec<OwnInvitation>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}
