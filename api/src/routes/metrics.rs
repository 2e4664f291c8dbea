//! `GET /metrics`: what this process counts, for Prometheus.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::ServiceConfig;
use adapters::metrics::MEDIA_TYPE;

use super::{get, resource};
use crate::problem::ApiError;
use crate::state::State;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/metrics", "GET, HEAD").route(get().to(show)));
}

async fn show(state: State) -> Result<HttpResponse, ApiError> {
    let (store, health) = (state.store.clone(), state.health.clone());
    // Its own task: a query that is cancelled half-way could spoil its connection.
    let text = tokio::spawn(async move { store.metrics().shown(&store, &health).await });
    let text = text.await.map_err(|_| ApiError::Internal)?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, MEDIA_TYPE)).body(text))
}
