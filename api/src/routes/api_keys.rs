//! `/v1/api-keys`: making, listing and revoking the organization's keys.

use std::str::FromStr;

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{ApiKeyView, NewApiKey};
use domain::{ApiKeyId, KeyRole, Name, SecretHash};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::organization_query::OrganizationQuery;
use super::{get, resource};
use crate::auth::Auth;
use crate::bootstrap;
use crate::json::JsonBody;
use crate::openapi::params::ApiKeyPath;
use crate::openapi::texts;
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
        .service(resource("/api-keys/{api_key}", "DELETE").route(web::delete().to(revoke)));
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
#[serde(deny_unknown_fields)]
struct Request {
    /// What you call it: one line of at most 64 visible characters.
    #[schema(value_type = texts::Name, required, example = "CI")]
    name: Option<String>,
    /// What it may do; `admin` without it.
    #[schema(value_type = Option<KeyRole>)]
    role: Option<String>,
    /// Where it is to be valid: required with a key for the whole instance, and otherwise your own.
    #[schema(value_type = Option<Uuid>, example = json!(null))]
    organization_id: Option<String>,
}

/// A key that was just made, with the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
struct Created {
    #[serde(flatten)]
    view: ApiKeyView,
    /// The key, shown only now.
    #[schema(example = "wlc_7k2mq4x9tb3wn8rj5hc6vd0pze2f8kqm")]
    key: String,
}

/// All keys of the organization.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyList)]
struct List {
    /// Newest first, the revoked ones too.
    data: Vec<ApiKeyView>,
    /// Always null: there is one page.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// Makes an API key.
///
/// It is valid for your organization. The key itself is shown only in this answer.
#[utoipa::path(
    post,
    path = "/v1/api-keys",
    operation_id = "create_api_key",
    tag = "API keys",
    security(("bearer" = [])),
    request_body = Request,
    responses((
        status = 201,
        description = "The key.",
        body = Created,
        links(("RevokeApiKey" = (
            operation_id = "revoke_api_key",
            parameters(("api_key" = "$response.body#/id")),
            description = "Makes it worthless.",
        ))),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn create(auth: Auth, state: State, body: JsonBody) -> Result<HttpResponse, ApiError> {
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

/// Lists API keys.
///
/// All of your organization, the revoked ones too, without the keys themselves.
#[utoipa::path(
    get,
    path = "/v1/api-keys",
    operation_id = "list_api_keys",
    tag = "API keys",
    security(("bearer" = [])),
    params(OrganizationQuery),
    responses((status = 200, description = "The keys.", body = List)),
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
    let data = state.store.api_keys(organization.map(|organization| organization.id)).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

/// Revokes an API key.
///
/// It is worthless at once. Doing it twice is fine.
#[utoipa::path(
    delete,
    path = "/v1/api-keys/{api_key}",
    operation_id = "revoke_api_key",
    tag = "API keys",
    security(("bearer" = [])),
    params(ApiKeyPath),
    responses((status = 204, description = "The key is worthless.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn revoke(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
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
