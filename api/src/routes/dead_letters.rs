//! `/v1/dead-letters`: broker messages that nobody could process.

use std::str::FromStr;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::DeadLetterView;
use domain::DeadLetterId;
use serde::Serialize;

use super::{OrganizationQuery, get, resource};
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Far more than an operator reads; redriven ones make room.
const SHOWN: u64 = 100;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/dead-letters", "GET, HEAD").route(get().to(list)))
        .service(resource("/dead-letters/{id}", "DELETE").route(web::delete().to(discard)))
        .service(resource("/dead-letters/{id}/redrive", "POST").route(web::post().to(redrive)));
}

#[derive(Serialize)]
struct List {
    data: Vec<DeadLetterView>,
    next_cursor: Option<String>,
}

async fn list(auth: Auth, state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let named = OrganizationQuery::parse(request.query_string())?.organization_id;
    let organization = auth.own_or_named(&state.store, named.as_deref()).await?;
    let organization = organization.map(|organization| organization.id);
    let data = state.store.dead_letters(organization, SHOWN).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

async fn redrive(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let organization = auth.0.organization.map(|own| own.id);
    let id = DeadLetterId::from_str(&id).map_err(|_| ApiError::NotFound)?;
    if state.store.redrive(organization, id).await? {
        Ok(HttpResponse::Accepted().json(serde_json::json!({ "id": id, "redriven": true })))
    } else {
        Err(ApiError::NotFound)
    }
}

async fn discard(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let organization = auth.0.organization.map(|own| own.id);
    let id = DeadLetterId::from_str(&id).map_err(|_| ApiError::NotFound)?;
    if state.store.discard_dead_letter(organization, id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::NotFound)
    }
}
