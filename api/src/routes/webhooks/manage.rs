//! Making, listing, reading, changing and deleting webhooks.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::{NewWebhook, WebhookView};
use adapters::webhooks::WebhookSecret;
use domain::WebhookId;
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{ChangedFields, NewFields};
use super::{admin_of, seal, webhook_id};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::{OrganizationPath, WebhookPath};
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// A webhook with a secret that was just made.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// What the requests are signed with, shown only now.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwbHm5BzqNSGo=")]
    pub secret: String,
}

/// All webhooks of the organization.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookList)]
struct List {
    /// Oldest first.
    data: Vec<WebhookView>,
    /// Always null: there is one page.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// Makes a webhook.
///
/// Its URL is told of your organization's events from now on, by requests that are signed as Standard
/// Webhooks says. The secret to check them with is shown only in this answer.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/webhooks",
    operation_id = "create_webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = NewFields,
    responses((
        status = 201,
        description = "The webhook.",
        body = WebhookWithSecret,
        headers(("Location" = String, description = "Where it can be read.")),
        links(("TestWebhook" = (
            operation_id = "test_webhook",
            parameters(
                ("organization" = "$response.body#/organization_id"),
                ("webhook" = "$response.body#/id"),
            ),
            description = "Sends it a test event.",
        ))),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found", "seal_keys_missing"]))),
)]
pub async fn create(
    auth: Auth,
    state: State,
    organization: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?;
    let wanted = body.read::<NewFields>().await?.value.check(&state.guard).await?;
    let keys = seal(&state)?;
    let (secret, new) = {
        let rng = &mut adapters::rng();
        let id = WebhookId::new(state.store.clock().now(), rng);
        let secret = WebhookSecret::generate(rng);
        let new = NewWebhook {
            id,
            url: wanted.url,
            description: wanted.description,
            event_types: wanted.event_types,
            sealed_secret: secret.seal(keys, id, rng),
        };
        (secret, new)
    };
    let most = state.webhooks.per_organization;
    let webhook = state.store.create_webhook(organization, new, most).await?;
    let webhook = webhook.ok_or_else(|| {
        let message = format!("is one too many: the organization has {most} webhooks");
        ApiError::Invalid(vec![FieldError::new("", message)])
    })?;
    let place = format!("/v1/organizations/{organization}/webhooks/{}", webhook.id);
    let shown = WebhookWithSecret { webhook, secret: secret.written().to_string() };
    Ok(HttpResponse::Created().insert_header(("Location", place)).json(shown))
}

/// Lists webhooks.
///
/// All of your organization, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/webhooks",
    operation_id = "list_webhooks",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 200, description = "The webhooks.", body = List)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?;
    let data = state.store.webhooks(organization).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

/// Shows a webhook.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/webhooks/{webhook}",
    operation_id = "get_webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath),
    responses((status = 200, description = "The webhook.", body = WebhookView)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn read(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let found = state.store.webhook(organization, webhook_id(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(found.ok_or(ApiError::NotFound)?))
}

/// Changes a webhook.
///
/// Its URL, its name, its events, or whether it is told at all. What is still to be delivered goes to
/// the new URL.
#[utoipa::path(
    patch,
    path = "/v1/organizations/{organization}/webhooks/{webhook}",
    operation_id = "change_webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath),
    request_body = ChangedFields,
    responses((status = 200, description = "The webhook.", body = WebhookView)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn change(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let id = webhook_id(&path.1)?;
    let change = body.read::<ChangedFields>().await?.value.check(&state.guard).await?;
    let changed = state.store.change_webhook(organization, id, change).await?;
    Ok(HttpResponse::Ok().json(changed.ok_or(ApiError::NotFound)?))
}

/// Deletes a webhook.
///
/// With the log of what it was told. What is just being sent still arrives.
#[utoipa::path(
    delete,
    path = "/v1/organizations/{organization}/webhooks/{webhook}",
    operation_id = "delete_webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath),
    responses((status = 204, description = "The webhook is gone.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn delete(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    if state.store.delete_webhook(organization, webhook_id(&path.1)?).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::NotFound)
    }
}
