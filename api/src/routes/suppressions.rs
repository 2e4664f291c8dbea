//! `/v1/organizations/{id}/suppressions`: addresses that get no mail of the organization.
//!
//! An address stands in bodies only: paths and queries are logged on their way.

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{Lifted, SuppressionView};
use domain::{EmailAddress, OrganizationId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::{IdPageQuery, Page};
use super::{get, resource};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::OrganizationPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Adds the routes, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    const ALL: &str = "/organizations/{organization}/suppressions";
    config
        .service(resource(ALL, "GET, HEAD, POST").route(get().to(list)).route(web::post().to(add)))
        .service(resource(&format!("{ALL}/lift"), "POST").route(web::post().to(lift)));
}

/// A page of addresses.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionList)]
struct List {
    /// At most as many as asked for.
    data: Vec<SuppressionView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// Whose mails are meant.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = SuppressedAddress)]
#[serde(deny_unknown_fields)]
struct Address {
    /// The address.
    #[schema(value_type = String, required, format = Email, example = "ann@example.com")]
    email: Option<String>,
}

/// Lists addresses that get no mail.
///
/// Newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/suppressions",
    operation_id = "list_suppressions",
    tag = "Suppressions",
    security(("bearer" = [])),
    params(OrganizationPath, IdPageQuery),
    responses((status = 200, description = "A page of addresses.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "forbidden", "not_found", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?;
    let page = Page::by_id(request.query_string())?;
    let rows = state.store.suppressions(organization, page.after, page.rows()).await?;
    let (data, next_cursor) = page.cut(rows, |row| row.id);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// Suppresses an address.
///
/// Invitations to it are recorded, but none of their mails is sent. An address that is on the list already
/// keeps the reason for which it is there.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/suppressions",
    operation_id = "add_suppression",
    tag = "Suppressions",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = Address,
    responses((status = 200, description = "The address is on the list.", body = SuppressionView)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn add(
    auth: Auth,
    state: State,
    organization: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?;
    let email = address(&body.read::<Address>().await?.value)?;
    let entry = state.store.suppress(organization, auth.actor(), &email).await?;
    Ok(HttpResponse::Ok().json(entry))
}

/// Lifts a suppression.
///
/// The address gets mail again, from the next one that is asked for: a mail that was held back is not sent
/// by itself; resend its invitation.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/suppressions/lift",
    operation_id = "lift_suppression",
    tag = "Suppressions",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = Address,
    responses((status = 204, description = "The address is not on the list any more.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn lift(
    auth: Auth,
    state: State,
    organization: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?;
    let email = address(&body.read::<Address>().await?.value)?;
    match state.store.lift_suppression(organization, auth.actor(), &email).await? {
        Lifted::Yes => Ok(HttpResponse::NoContent().finish()),
        Lifted::NotThere => Err(ApiError::NotFound),
    }
}

async fn admin_of(
    auth: &Auth,
    state: &State,
    organization: &str,
) -> Result<OrganizationId, ApiError> {
    let organization = auth.organization(&state.store, organization).await?.id;
    auth.require_admin()?;
    Ok(organization)
}

fn address(body: &Address) -> Result<EmailAddress, ApiError> {
    let wrong = |message: String| ApiError::Invalid(vec![FieldError::new("email", message)]);
    let email = body.email.as_deref().ok_or_else(|| wrong("is required".to_owned()))?;
    EmailAddress::parse(email).map_err(|error| wrong(error.to_string()))
}
