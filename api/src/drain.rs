//! Between being told to stop and stopping, clients are sent elsewhere: a request that comes over a
//! connection in the very moment in which it is closed would be lost.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;

use crate::state::State;

/// Asks for the connection to be closed after an answer, once this process was told to stop.
pub async fn part_with_clients<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let state = response.request().app_data::<State>();
    if state.is_some_and(|state| state.stopping.is_cancelled()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
