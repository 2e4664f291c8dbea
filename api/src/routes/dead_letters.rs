//! `/v1/dead-letters`: broker messages that nobody could process.

use std::str::FromStr;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::DeadLetterView;
use domain::DeadLetterId;
use serde::Serialize;
use utoipa::ToSchema;

use super::organization_query::OrganizationQuery;
use super::{get, resource};
use crate::auth::Auth;
use crate::openapi::params::DeadLetterPath;
use crate::problem::ApiError;
use crate::state::State;

/// Far more than an operator reads; redriven ones make room.
const SHOWN: u64 = 100;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/dead-letters", "GET, HEAD").route(get().to(list)))
        .service(resource("/dead-letters/{dead_letter}", "DELETE").route(web::delete().to(discard)))
        .service(
            resource("/dead-letters/{dead_letter}/redrive", "POST").route(web::post().to(redrive)),
        );
}

/// The newest dead letters.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetterList)]
struct List {
    /// Newest first, at most 100.
    data: Vec<DeadLetterView>,
    /// Always null: there is one page.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// A dead letter that is on its way again.
#[derive(Serialize, ToSchema)]
struct Redriven {
    /// The dead letter.
    #[schema(value_type = Uuid, example = "01937a61-77ab-7d15-a3f0-1c5e9b7d2046")]
    id: DeadLetterId,
    /// Always true.
    #[schema(example = true)]
    redriven: bool,
}

/// Lists dead letters.
///
/// The newest broker messages about your organization's mails that nobody could process.
#[utoipa::path(
    get,
    path = "/v1/dead-letters",
    operation_id = "list_dead_letters",
    tag = "Dead letters",
    security(("bearer" = [])),
    params(OrganizationQuery),
    responses((
        status = 200,
        description = "The newest dead letters.",
        body = List,
        links(("RedriveDeadLetter" = (
            operation_id = "redrive_dead_letter",
            parameters(("dead_letter" = "$response.body#/data/0/id")),
            description = "Sends the newest one on its way again.",
        ))),
    )),
    extensions(("x-problems" = json!(["bad_request", "forbidden", "not_found"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let named = OrganizationQuery::parse(request.query_string())?.organization_id;
    let organization = auth.own_or_named(&state.store, named.as_deref()).await?;
    let organization = organization.map(|organization| organization.id);
    let data = state.store.dead_letters(organization, SHOWN).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

/// Sends a dead letter on its way again.
///
/// Its job is planned once more; a mail that is sent already is not sent again.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/{dead_letter}/redrive",
    operation_id = "redrive_dead_letter",
    tag = "Dead letters",
    security(("bearer" = [])),
    params(DeadLetterPath),
    responses((status = 202, description = "The job is planned.", body = Redriven)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn redrive(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let organization = auth.0.organization.map(|own| own.id);
    let id = DeadLetterId::from_str(&id).map_err(|_| ApiError::NotFound)?;
    if state.store.redrive(organization, id).await? {
        Ok(HttpResponse::Accepted().json(Redriven { id, redriven: true }))
    } else {
        Err(ApiError::NotFound)
    }
}

/// Discards a dead letter.
///
/// Its message is gone for good; the delivery it names goes on as it would without it.
#[utoipa::path(
    delete,
    path = "/v1/dead-letters/{dead_letter}",
    operation_id = "discard_dead_letter",
    tag = "Dead letters",
    security(("bearer" = [])),
    params(DeadLetterPath),
    responses((status = 204, description = "The dead letter is gone.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn discard(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let organization = auth.0.organization.map(|own| own.id);
    let id = DeadLetterId::from_str(&id).map_err(|_| ApiError::NotFound)?;
    if state.store.discard_dead_letter(organization, id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::NotFound)
    }
}
