//! `/assets`: how pages and console look, and the scripts that make them easier to use.
//!
//! What belongs to an organization has what it is in its address and so never changes: the colours that
//! follow from an accent, and a logo.

use actix_web::HttpResponse;
use actix_web::web::{Path, ServiceConfig};
use domain::OrganizationId;
use domain::branding::{Colour, Palette};

use super::{get, resource};
use crate::problem::ApiError;
use crate::security_headers;
use crate::state::State;

/// For what never changes: a year (RFC 9111 §5.2.2, RFC 8246).
const FOR_EVER: (&str, &str) = ("Cache-Control", "public, max-age=31536000, immutable");

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/assets/pages.css", "GET, HEAD").route(get().to(stylesheet)))
        .service(resource("/assets/pages.js", "GET, HEAD").route(get().to(script)))
        .service(resource("/assets/inbox.js", "GET, HEAD").route(get().to(inbox_script)))
        .service(resource("/assets/console.css", "GET, HEAD").route(get().to(console_stylesheet)))
        .service(resource("/assets/console.js", "GET, HEAD").route(get().to(console_script)))
        .service(resource("/assets/accent/{accent}.css", "GET, HEAD").route(get().to(accent)))
        .service(resource("/assets/logo/{organization}/{hash}", "GET, HEAD").route(get().to(logo)));
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

/// The colours of an accent. Nothing is looked up: they follow from it, and from nothing else.
async fn accent(digits: Path<String>) -> Result<HttpResponse, ApiError> {
    let accent = Colour::parse(&format!("#{digits}")).map_err(|_| ApiError::NotFound)?;
    if accent.digits() != *digits {
        return Err(ApiError::NotFound);
    }
    Ok(HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(FOR_EVER)
        .body(Palette::of(accent).stylesheet()))
}

async fn logo(state: State, path: Path<(String, String)>) -> Result<HttpResponse, ApiError> {
    let (organization, hash) = path.into_inner();
    let organization: OrganizationId = organization.parse().map_err(|_| ApiError::NotFound)?;
    let logo = state.store.logo(organization, hash).await?.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type(logo.kind.media_type())
        .insert_header(FOR_EVER)
        .insert_header(security_headers::PICTURE)
        .body(logo.bytes))
}

fn file(media_type: &'static str, text: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("Cache-Control", "public, max-age=3600"))
        .body(text.to_owned())
}
