//! `/v1/organizations/{id}/members`: who belongs to an organization, and ending that.

use std::str::FromStr;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{MemberView, RemoveOutcome};
use domain::UserId;
use serde::Serialize;
use utoipa::ToSchema;

use super::page::{Page, PageQuery};
use super::{get, resource};
use crate::auth::Auth;
use crate::openapi::params::{MemberPath, OrganizationPath};
use crate::problem::ApiError;
use crate::state::State;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    const ALL: &str = "/organizations/{organization}/members";
    const ONE: &str = "/organizations/{organization}/members/{user}";
    config
        .service(resource(ALL, "GET, HEAD").route(get().to(list)))
        .service(resource(ONE, "DELETE").route(web::delete().to(remove)));
}

/// A page of members.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberList)]
struct List {
    /// At most as many as asked for.
    data: Vec<MemberView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// Lists members.
///
/// Oldest first, those who are only invited and those who were removed included.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/members",
    operation_id = "list_members",
    tag = "Members",
    security(("bearer" = [])),
    params(OrganizationPath, PageQuery),
    responses((status = 200, description = "A page of members.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "not_found", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &organization).await?.id;
    let page = Page::by_number(request.query_string())?;
    let rows = state.store.members(organization, page.number(), page.rows()).await?;
    let (data, next_cursor) = page.cut(rows, |row| row.number);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// Removes a member.
///
/// Doing it twice is fine. Invited once more, the member comes back as the same one.
#[utoipa::path(
    delete,
    path = "/v1/organizations/{organization}/members/{user}",
    operation_id = "remove_member",
    tag = "Members",
    security(("bearer" = [])),
    params(MemberPath),
    responses((status = 204, description = "The person is no member any more.")),
    extensions(("x-problems" = json!(["forbidden", "not_found", "member_only_invited"]))),
)]
pub async fn remove(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let user = UserId::from_str(&path.1).map_err(|_| ApiError::NotFound)?;
    match state.store.remove_member(organization, auth.actor(), user).await? {
        RemoveOutcome::Removed => Ok(HttpResponse::NoContent().finish()),
        RemoveOutcome::NotFound => Err(ApiError::NotFound),
        RemoveOutcome::OnlyInvited => Err(ApiError::MemberOnlyInvited),
    }
}
