//! No request takes for ever.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use tokio::time::{Instant, timeout_at};

use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::State;

/// When a request must have ended; it is among the request's extensions.
#[derive(Clone)]
struct Deadline(Rc<Cell<Instant>>);

/// Ends a request that takes longer than the settings allow, plus what it asked to wait itself and
/// what its handler found to be more than usual.
pub async fn enforce<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let base = request.app_data::<State>().map(|state| state.request_timeout);
    let wait = Preference::of(request.headers()).wait.unwrap_or_default();
    let Some(limit) = base.map(|base| base + wait) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let deadline = Deadline(Rc::new(Cell::new(Instant::now() + limit)));
    request.extensions_mut().insert(deadline.clone());
    let mut answer = pin!(next.call(request));
    loop {
        let at = deadline.0.get();
        match timeout_at(at, &mut answer).await {
            Ok(response) => return Ok(response?.map_into_boxed_body()),
            // Put off in the meantime.
            Err(_) if deadline.0.get() > at => {}
            // The router needs the request to itself, so none is left here to answer: an error is
            // all.
            Err(_) => return Err(ApiError::Timeout.into()),
        }
    }
}

/// Gives a request so much more time: for a handler that knows from the body that there is much to
/// do. How much that can be must have a limit.
pub fn put_off(request: &HttpRequest, by: Duration) {
    if let Some(Deadline(at)) = request.extensions().get::<Deadline>() {
        at.set(at.get() + by);
    }
}
