//! The versions of a template, and rolling back to one.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::TemplateRow;
use serde::Deserialize;
use utoipa::ToSchema;

use super::check::check;
use super::manage::List;
use super::{admin_of, locale_in, version_in};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::{TemplatePath, TemplateVersionPath};
use crate::problem::ApiError;
use crate::state::State;

/// Which version is to count.
#[derive(Deserialize, ToSchema)]
#[schema(as = Rollback)]
#[serde(deny_unknown_fields)]
struct Rollback {
    /// Its number.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = 1)]
    version: u32,
}

/// Lists the versions of a template.
///
/// Newest first, also of one that was deleted. Beside the one that counts, the newest hundred are kept.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/templates/{locale}/versions",
    operation_id = "list_template_versions",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    responses((status = 200, description = "The versions.", body = List)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    let data = state.store.template_versions(organization, locale_in(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

/// Shows a version of a template.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/templates/{locale}/versions/{version}",
    operation_id = "get_template_version",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplateVersionPath),
    responses((status = 200, description = "The version.", body = TemplateRow)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn read(
    auth: Auth,
    state: State,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    let (locale, version) = (locale_in(&path.1)?, version_in(&path.2)?);
    let found = state.store.template(organization, locale, Some(version)).await?;
    Ok(HttpResponse::Ok().json(found.ok_or(ApiError::NotFound)?))
}

/// Rolls a template back.
///
/// Mails are made from that version again, at once; it keeps its number, and a later save gets a number
/// that no version has had. It is tried like one that is saved.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/templates/{locale}/rollback",
    operation_id = "roll_back_template",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    request_body = Rollback,
    responses((status = 200, description = "The version that counts.", body = TemplateRow)),
    extensions(("x-problems" = json!(["forbidden", "not_found", "template_invalid"]))),
)]
pub async fn roll_back(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    let locale = locale_in(&path.1)?;
    let version = body.read::<Rollback>().await?.value.version;
    let found = state.store.template(organization, locale.clone(), Some(version)).await?;
    let source = found.ok_or(ApiError::NotFound)?.source();
    // Strings and layout may have changed since it was saved.
    check(&state.templates, &locale, source).await?;
    let (store, by) = (&state.store, auth.actor());
    let chosen = store.roll_back_template(organization, locale, version, by).await?;
    Ok(HttpResponse::Ok().json(chosen.ok_or(ApiError::NotFound)?))
}
