//! `/v1/api-keys`: making, listing and revoking the organization's keys.

use std::str::FromStr;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{ApiKeyView, NewApiKey};
use domain::{ApiKeyId, KeyRole, Name, SecretHash};
use serde::{Deserialize, Serialize};

use super::{OrganizationQuery, get, resource};
use crate::auth::Auth;
use crate::bootstrap;
use crate::json::JsonBody;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(
            resource("/api-keys", "GET, HEAD, POST")
                .route(get().to(list))
                .route(web::post().to(create)),
        )
        .service(resource("/api-keys/{id}", "DELETE").route(web::delete().to(revoke)));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    name: Option<String>,
    role: Option<String>,
    /// Where it is to be valid; only for the holder of a key for the whole instance.
    organization_id: Option<String>,
}

#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    view: ApiKeyView,
    key: String,
}

#[derive(Serialize)]
struct List {
    data: Vec<ApiKeyView>,
    next_cursor: Option<String>,
}

async fn create(auth: Auth, state: State, body: JsonBody) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let request = body.read::<Request>().await?.value;
    let (name, role) = validate(&request)?;
    let named = request.organization_id.as_deref();
    let organization = auth.own_or_named(&state.store, named).await?.ok_or_else(unnamed)?;
    let key = bootstrap::new_key(&mut adapters::rng());
    let view = state
        .store
        .create_api_key(NewApiKey {
            organization: Some(organization.id),
            user: auth.0.user.map(|user| user.id),
            name: name.as_str().to_owned(),
            role,
            hash: SecretHash::of_exact(&key),
            hint: bootstrap::hint(&key),
        })
        .await?;
    // The only time the key itself leaves the service.
    Ok(HttpResponse::Created().json(Created { view, key: key.to_string() }))
}

async fn list(auth: Auth, state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let named = OrganizationQuery::parse(request.query_string())?.organization_id;
    let organization = auth.own_or_named(&state.store, named.as_deref()).await?;
    let data = state.store.api_keys(organization.map(|organization| organization.id)).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

async fn revoke(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    auth.require_admin()?;
    let id = ApiKeyId::from_str(&id).map_err(|_| ApiError::NotFound)?;
    if state.store.revoke_api_key(auth.0.organization.map(|own| own.id), id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::NotFound)
    }
}

fn unnamed() -> ApiError {
    let message = "is required with a key for the whole instance";
    ApiError::Invalid(vec![FieldError::new("organization_id", message)])
}

fn validate(request: &Request) -> Result<(Name, KeyRole), ApiError> {
    let name = match request.name.as_deref().map(Name::parse) {
        None => Err(FieldError::new("name", "is required")),
        Some(name) => name.map_err(|error| FieldError::new("name", error)),
    };
    let role = request.role.as_deref().map_or(Ok(KeyRole::Admin), |role| {
        KeyRole::parse(role)
            .ok_or_else(|| FieldError::new("role", "must be \"admin\" or \"member\""))
    });
    match (name, role) {
        (Ok(name), Ok(role)) => Ok((name, role)),
        (name, role) => Err(ApiError::Invalid(name.err().into_iter().chain(role.err()).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let request = Request { name: None, role: Some("owner".to_owned()), organization_id: None };
        let Err(ApiError::Invalid(errors)) = validate(&request) else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "role"]);
    }
}
