//! One log line a request, and its place in the metrics.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::state::State;

/// Writes method, route, status and duration; never the path, which may hold a token.
pub async fn write<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let state = request.app_data::<State>().cloned();
    let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let method = request.method().clone();
    let result = next.call(request).await;
    let status = match &result {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let (method, status) = (method.as_str(), status.as_u16());
    let took = started.elapsed();
    if let Some(state) = state {
        state.store.metrics().request(method, &route, status, took);
    }
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    // Probes come every few seconds and would drown everything else.
    if matches!(route.as_str(), "/livez" | "/readyz" | "/metrics") {
        tracing::debug!(method, route, status, ms, "request");
    } else {
        tracing::info!(method, route, status, ms, "request");
    }
    result
}
