//! One log line a request, its place in the metrics, and its span if it is traced.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use adapters::trace::{Span, Tracer};

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
    let probe = matches!(route.as_str(), "/livez" | "/readyz" | "/metrics");
    let mut span = match &state {
        Some(state) if !probe => begin(state.store.tracer(), &request, &route),
        _ => Span::none(),
    };
    let result = span.within(next.call(request)).await;
    let status = match &result {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let (method, status) = (method.as_str(), status.as_u16());
    let took = started.elapsed();
    if let Some(state) = state {
        state.store.metrics().request(method, &route, status, took);
    }
    span.set("http.response.status_code", || i64::from(status));
    if status >= 500 {
        span.fail("answered with an error of the server");
    }
    let trace_id = span.context().map(|context| context.trace_id());
    let trace_id = trace_id.as_deref();
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    // Probes come every few seconds and would drown everything else.
    if probe {
        tracing::debug!(method, route, status, ms, "request");
    } else {
        tracing::info!(method, route, status, ms, trace_id, "request");
    }
    result
}

/// The span of a request, if it is to have one.
fn begin(tracer: &Tracer, request: &ServiceRequest, route: &str) -> Span {
    if !tracer.is_on() {
        return Span::none();
    }
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    tracer.request(request.method().as_str(), route, traceparent)
}
