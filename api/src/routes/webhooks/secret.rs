//! `POST …/webhooks/{webhook}/rotate-secret`: another secret, and a while in which both count.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::RotatedSecret;
use adapters::webhooks::WebhookSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::manage::WebhookWithSecret;
use super::{admin_of, seal, webhook_id};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::WebhookPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

const LONGEST_OVERLAP: f64 = 604_800.0;

/// How the secret is replaced.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = SecretRotation)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// For so many seconds requests are signed with the old secret as well; 0 if it has become known to
    /// others. A day without it, unless the operator says otherwise.
    // To JSON, 3600.0 is a whole number as well.
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 604_800, example = 3600)]
    overlap_seconds: Option<f64>,
}

/// Replaces the secret of a webhook.
///
/// The new one is shown only in this answer. Until `previous_secret_until`, each request has a
/// signature by each of the two.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/webhooks/{webhook}/rotate-secret",
    operation_id = "rotate_webhook_secret",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath),
    request_body = Fields,
    responses((
        status = 200,
        description = "The webhook and its new secret.",
        body = WebhookWithSecret,
        example = json!({ "previous_secret_until": "2026-11-26T12:02:11.309774Z" }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found", "seal_keys_missing"]))),
)]
pub async fn rotate(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let id = webhook_id(&path.1)?;
    let asked = body.read::<Fields>().await?.value.overlap_seconds;
    let fits = |seconds: f64| (0.0..=LONGEST_OVERLAP).contains(&seconds) && seconds.fract() == 0.0;
    if asked.is_some_and(|seconds| !fits(seconds)) {
        let message = format!("must be a whole number from 0 to {LONGEST_OVERLAP}");
        return Err(ApiError::Invalid(vec![FieldError::new("overlap_seconds", message)]));
    }
    let keys = seal(&state)?;
    let (secret, new) = {
        let rng = &mut adapters::rng();
        let secret = WebhookSecret::generate(rng);
        let overlap = asked.map_or(state.webhooks.rotation_overlap, Duration::from_secs_f64);
        let sealed_secret = secret.seal(keys, id, rng);
        (secret, RotatedSecret { sealed_secret, overlap })
    };
    let webhook = state.store.rotate_webhook_secret(organization, id, new).await?;
    let webhook = webhook.ok_or(ApiError::NotFound)?;
    let shown = WebhookWithSecret { webhook, secret: secret.written().to_string() };
    Ok(HttpResponse::Ok().json(shown))
}
