//! Telling a webhook on demand: of one event once more, of all that failed, or of a test.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::WebhookDeliveryView;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{admin_of, delivery_id, webhook_id};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::{WebhookDeliveryPath, WebhookPath};
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Of one transaction.
const BATCH: u64 = 500;
/// In one request.
const BATCHES: u64 = 20;

/// Which deliveries are replayed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = WebhookReplay)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// All that failed of what has happened since this moment.
    #[schema(value_type = DateTime<Utc>, required, example = "2026-11-25T00:00:00Z")]
    since: Option<Timestamp>,
}

/// How much is replayed.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReplayed)]
struct Replayed {
    /// How many deliveries are on their way again.
    #[schema(example = 1)]
    replayed: u64,
    /// Whether there are more: then ask again.
    #[schema(example = false)]
    more: bool,
}

/// Sends a test event.
///
/// A `webhook.test` event, delivered like any other: the log of deliveries says what became of it.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/webhooks/{webhook}/test",
    operation_id = "test_webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath),
    responses((
        status = 202,
        description = "The delivery, which is on its way.",
        body = WebhookDeliveryView,
        example = json!({
            "type": "webhook.test", "invitation_id": null, "status": "queued", "attempts": 0,
            "settled_at": null, "attempts_log": [],
        }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn test(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let planned = state.store.test_webhook(organization, webhook_id(&path.1)?).await?;
    Ok(HttpResponse::Accepted().json(planned.ok_or(ApiError::NotFound)?))
}

/// Replays one delivery.
///
/// With the same `webhook-id`, whether it was delivered or given up; one that is still under way stays
/// so.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/webhooks/{webhook}/deliveries/{webhook_delivery}/replay",
    operation_id = "replay_webhook_delivery",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookDeliveryPath),
    responses((
        status = 202,
        description = "The delivery, which is on its way.",
        body = WebhookDeliveryView,
        example = json!({ "status": "queued", "generation": 2, "attempts": 0, "settled_at": null }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn one(
    auth: Auth,
    state: State,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let (webhook, delivery) = (webhook_id(&path.1)?, delivery_id(&path.2)?);
    let replayed = state.store.replay_webhook(organization, webhook, delivery).await?;
    Ok(HttpResponse::Accepted().json(replayed.ok_or(ApiError::NotFound)?))
}

/// Replays all that failed.
///
/// Whatever was given up of the events since a moment: after an endpoint was away for long, or was
/// switched off and is on again. At most 10,000 in one request.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/webhooks/{webhook}/replay",
    operation_id = "replay_webhook",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath),
    request_body = Fields,
    responses((status = 202, description = "How many are on their way again.", body = Replayed)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn failed(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let webhook = webhook_id(&path.1)?;
    let since = body
        .read::<Fields>()
        .await?
        .value
        .since
        .ok_or_else(|| ApiError::Invalid(vec![FieldError::new("since", "is required")]))?;
    let (mut replayed, mut more) = (0, true);
    for _ in 0..BATCHES {
        let some = state.store.replay_failed_webhooks(organization, webhook, since, BATCH).await?;
        let count = some.ok_or(ApiError::NotFound)?;
        replayed += count;
        more = count == BATCH;
        if !more {
            break;
        }
    }
    Ok(HttpResponse::Accepted().json(Replayed { replayed, more }))
}
