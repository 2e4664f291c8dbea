//! `/assets/pages.css`: how the hosted pages look.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;

use super::{get, resource};
use crate::state::State;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/assets/pages.css", "GET, HEAD").route(get().to(stylesheet)));
}

async fn stylesheet(state: State) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("Cache-Control", "public, max-age=3600"))
        .body(state.templates.stylesheet().to_owned())
}
