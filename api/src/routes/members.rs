//! `/v1/organizations/{id}/members`: who belongs to an organization, and ending that.

use std::str::FromStr;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{MemberView, RemoveOutcome};
use domain::UserId;
use serde::Serialize;

use super::page::{self, Page};
use super::{get, resource};
use crate::auth::Auth;
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

#[derive(Serialize)]
struct List {
    data: Vec<MemberView>,
    next_cursor: Option<String>,
}

async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &organization).await?.id;
    let page = Page::parse(request.query_string())?;
    let rows = state.store.members(organization, page.after, page.rows()).await?;
    let (data, next_cursor) = page::cut(rows, page.limit, |row| row.number);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

async fn remove(
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
