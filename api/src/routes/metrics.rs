//! `GET /metrics`: what this process counts, for Prometheus.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::ServiceConfig;
use adapters::metrics::MEDIA_TYPE;

use super::{get, resource};
use crate::state::State;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/metrics", "GET, HEAD").route(get().to(show)));
}

/// Shows what this process has counted.
///
/// For Prometheus. Nobody is named in it.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "Health",
    responses((
        status = 200,
        description = "The counts since the process started (OpenMetrics).",
        body = String,
        content_type = "application/openmetrics-text",
        example = "# HELP welcomat_invitations_created Invitations recorded.\n\
                   # TYPE welcomat_invitations_created counter\n\
                   welcomat_invitations_created_total 17\n# EOF\n",
    )),
)]
pub async fn show(state: State) -> HttpResponse {
    let text = state.store.metrics().shown(&state.store, &state.broker, &state.health).await;
    HttpResponse::Ok().insert_header((CONTENT_TYPE, MEDIA_TYPE)).body(text)
}
