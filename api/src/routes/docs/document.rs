//! `/openapi.json`: the API's description, for programs.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::super::{get, resource};
use crate::problem::ApiError;
use crate::state::State;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/openapi.json", "GET, HEAD").route(get().to(openapi)));
}

async fn openapi(state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(state.document()?.respond(&request))
}
