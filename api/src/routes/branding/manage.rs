//! Showing, replacing and clearing how an organization looks.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::{BrandingChange, LogoChange, Look};

use super::admin_of;
use super::fields::{Fields, View};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::OrganizationPath;
use crate::problem::ApiError;
use crate::state::State;

/// Shows how an organization looks.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/branding",
    operation_id = "get_branding",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 200, description = "The look.", body = View)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn read(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let id = admin_of(&auth, &state, &id).await?;
    let branding = state.store.branding(id).await?.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(View::new(&state.public_url, id, &branding)))
}

/// Replaces how an organization looks.
///
/// On the pages behind its links, those that are out included. The logo stays as it is.
#[utoipa::path(
    put,
    path = "/v1/organizations/{organization}/branding",
    operation_id = "replace_branding",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = Fields,
    responses((status = 200, description = "The look.", body = View)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn replace(
    auth: Auth,
    state: State,
    id: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let id = admin_of(&auth, &state, &id).await?;
    let look = body.read::<Fields>().await?.value.check(state.names)?;
    let change = BrandingChange { look: Some(look), logo: LogoChange::Keep };
    let branding = state.store.change_branding(id, auth.actor(), change).await?;
    let branding = branding.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(View::new(&state.public_url, id, &branding)))
}

/// Clears how an organization looks.
///
/// The logo as well: its pages look as everybody's do.
#[utoipa::path(
    delete,
    path = "/v1/organizations/{organization}/branding",
    operation_id = "clear_branding",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 204, description = "Nothing of it is left.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn clear(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let id = admin_of(&auth, &state, &id).await?;
    let change = BrandingChange { look: Some(Look::default()), logo: LogoChange::Remove };
    let cleared = state.store.change_branding(id, auth.actor(), change).await?;
    cleared.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::NoContent().finish())
}
