//! `/docs`: the API for people, with everything that the page needs from this program alone.

mod document;

use std::sync::LazyLock;

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::{get, resource};
use crate::asset::Asset;
use crate::security_headers;

static PAGE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("text/html; charset=utf-8", include_str!("page.html")));
static START: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("text/javascript; charset=utf-8", include_str!("start.js")));
static SCALAR: LazyLock<Asset> = LazyLock::new(|| {
    let script = include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz"));
    Asset::compressed("text/javascript; charset=utf-8", script)
});

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let only = "GET, HEAD";
    config
        .configure(document::configure)
        .service(resource("/docs", only).route(get().to(page)))
        .service(resource("/docs/start.js", only).route(get().to(start)))
        .service(resource("/docs/scalar.js", only).route(get().to(scalar)));
}

async fn page(request: HttpRequest) -> HttpResponse {
    let mut response = PAGE.respond(&request);
    let (name, policy) = security_headers::DOCS;
    response.headers_mut().insert(name, policy);
    response
}

async fn start(request: HttpRequest) -> HttpResponse {
    START.respond(&request)
}

async fn scalar(request: HttpRequest) -> HttpResponse {
    SCALAR.respond(&request)
}
