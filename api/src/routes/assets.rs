//! `/assets`: how pages and console look, and the scripts that make them easier to use.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;

use super::{get, resource};
use crate::state::State;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/assets/pages.css", "GET, HEAD").route(get().to(stylesheet)))
        .service(resource("/assets/pages.js", "GET, HEAD").route(get().to(script)))
        .service(resource("/assets/inbox.js", "GET, HEAD").route(get().to(inbox_script)))
        .service(resource("/assets/console.css", "GET, HEAD").route(get().to(console_stylesheet)))
        .service(resource("/assets/console.js", "GET, HEAD").route(get().to(console_script)));
}

async fn stylesheet(state: State) -> HttpResponse {
    file("text/css; charset=utf-8", state.templates.stylesheet())
}

async fn script(state: State) -> HttpResponse {
    file("text/javascript; charset=utf-8", state.templates.script())
}

async fn inbox_script(state: State) -> HttpResponse {
    file("text/javascript; charset=utf-8", state.templates.inbox_script())
}

async fn console_stylesheet(state: State) -> HttpResponse {
    file("text/css; charset=utf-8", state.templates.console_stylesheet())
}

async fn console_script(state: State) -> HttpResponse {
    file("text/javascript; charset=utf-8", state.templates.console_script())
}

fn file(media_type: &'static str, text: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("Cache-Control", "public, max-age=3600"))
        .body(text.to_owned())
}
