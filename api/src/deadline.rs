//! No request takes for ever.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::State;

/// Ends a request that takes longer than the settings allow, plus what it asked to wait itself.
pub async fn enforce<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let base = request.app_data::<State>().map(|state| state.request_timeout);
    let wait = Preference::of(request.headers()).wait.unwrap_or_default();
    let Some(limit) = base.map(|base| base + wait) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    // The router needs the request to itself, so none is left here to answer: an error is all.
    match tokio::time::timeout(limit, next.call(request)).await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        Err(_) => Err(ApiError::Timeout.into()),
    }
}
