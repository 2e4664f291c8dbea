//! Replacing and removing an organization's logo.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{BrandingChange, LogoChange};
use domain::branding::Logo;

use super::admin_of;
use super::fields::View;
use crate::auth::Auth;
use crate::body;
use crate::openapi::params::OrganizationPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// What a body may say that it is, which is then found out from its bytes.
const MEDIA_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/// Replaces the logo of an organization.
///
/// By the bytes of a PNG, JPEG, WebP or GIF image, at most 32 KiB and 2048 pixels wide and high, and not animated.
/// Pages show it at most 256 pixels wide and 64 high.
#[utoipa::path(
    put,
    path = "/v1/organizations/{organization}/branding/logo",
    operation_id = "replace_logo",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body(
        description = "The picture.",
        content(
            (String = "image/png", example = json!("\u{89}PNG…")),
            (String = "image/jpeg", example = json!("\u{ff}\u{d8}\u{ff}…")),
            (String = "image/webp", example = json!("RIFF…WEBP…")),
            (String = "image/gif", example = json!("GIF89a…")),
        ),
    ),
    responses((status = 200, description = "The look, with the logo.", body = View)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn replace(
    auth: Auth,
    state: State,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = admin_of(&auth, &state, &id).await?;
    let headers = request.headers();
    let named = MEDIA_TYPES.into_iter().find(|kind| body::check_type(headers, kind).is_ok());
    let all = "image/png, image/jpeg, image/webp or image/gif";
    let named = named.ok_or(ApiError::UnsupportedMediaType(all))?;
    let bytes = body::read_bytes(Logo::MOST_BYTES, &request, payload, named).await?;
    let change = BrandingChange { look: None, logo: check(bytes)? };
    let branding = state.store.change_branding(id, auth.actor(), change).await?;
    let branding = branding.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(View::new(&state.public_url, id, &branding)))
}

/// Removes the logo of an organization.
///
/// Its name stands in its place again.
#[utoipa::path(
    delete,
    path = "/v1/organizations/{organization}/branding/logo",
    operation_id = "remove_logo",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 204, description = "There is none any more.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn remove(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let id = admin_of(&auth, &state, &id).await?;
    let change = BrandingChange { look: None, logo: LogoChange::Remove };
    let removed = state.store.change_branding(id, auth.actor(), change).await?;
    removed.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::NoContent().finish())
}

/// The picture, if it can be a logo.
pub fn check(bytes: Vec<u8>) -> Result<LogoChange, ApiError> {
    match Logo::read(&bytes) {
        Ok(logo) => Ok(LogoChange::Replace(logo, bytes)),
        Err(error) => Err(ApiError::Invalid(vec![FieldError::new("logo", error)])),
    }
}
