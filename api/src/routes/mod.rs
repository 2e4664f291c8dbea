//! Which address answers what.

pub mod api_keys;
mod assets;
pub mod batches;
pub mod branding;
mod console;
pub mod dead_letters;
mod docs;
pub mod events;
pub mod health;
pub mod inbox;
pub mod invitations;
pub mod me;
pub mod members;
pub mod metrics;
mod organization_query;
pub mod organizations;
mod page;
mod pages;
pub mod people;
pub mod policy;
pub mod suppressions;
pub mod templates;
pub mod webhooks;

use actix_web::guard;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};
use adapters::settings::ContractSettings;

use crate::problem::ApiError;
use crate::state::State;
use crate::{auth, contracts};

/// Everything the service answers.
pub fn configure(config: &mut ServiceConfig, settings: &ContractSettings) {
    config
        // Paths are tried in this order, and the busiest is `POST /v1/organizations/{id}/invitations`.
        // Before the scope that wants a key: whoever accepts an invitation has none yet.
        .configure(invitations::configure_public)
        .configure(events::configure)
        .service(
            web::scope("/v1")
                .configure(invitations::configure)
                .configure(me::configure)
                .configure(api_keys::configure)
                .configure(dead_letters::configure)
                .configure(organizations::configure)
                .configure(policy::configure)
                .configure(branding::configure)
                .configure(members::configure)
                .configure(suppressions::configure)
                .configure(people::configure)
                .configure(batches::configure)
                .configure(webhooks::configure)
                .configure(templates::configure)
                .default_service(web::to(not_found))
                .wrap(from_fn(auth::authenticate)),
        )
        .configure(|config| contracts::configure(config, settings))
        .service(resource("/", "GET, HEAD").route(get().to(home)))
        .configure(health::configure)
        .configure(metrics::configure)
        .configure(assets::configure)
        .configure(docs::configure)
        .configure(pages::configure)
        .configure(inbox::configure)
        .configure(console::configure)
        .default_service(web::to(not_found));
}

/// A resource that answers other methods than those of its routes with 405 and what it allows.
pub fn resource(path: &str, allow: &'static str) -> Resource {
    let refuse = move || async move { Err::<HttpResponse, _>(ApiError::MethodNotAllowed(allow)) };
    web::resource(path).default_service(web::to(refuse))
}

/// Reading; HEAD gets the same answer without its body.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn home(state: State) -> HttpResponse {
    if state.inbox.is_some() {
        return HttpResponse::Found().insert_header(("Location", "/inbox")).finish();
    }
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(
        "Welcomat is running. Its API is under /v1, described at /docs and /openapi.json, \
             its console at /console, its state at /readyz.\n",
    )
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound)
}
