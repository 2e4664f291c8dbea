//! `/v1/organizations/{id}/webhooks`: endpoints that are told of events.

pub mod deliveries;
pub mod fields;
pub mod manage;
pub mod replay;
pub mod secret;

use std::str::FromStr;

use actix_web::web::{self, ServiceConfig};
use adapters::seal::SealKeys;
use domain::{OrganizationId, WebhookDeliveryId, WebhookId};

use super::resource;
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Adds the routes, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    const ALL: &str = "/organizations/{organization}/webhooks";
    const ONE: &str = "/organizations/{organization}/webhooks/{webhook}";
    let post = |path: &str| resource(&format!("{ONE}/{path}"), "POST");
    config
        .service(
            resource(ALL, "GET, HEAD, POST")
                .route(super::get().to(manage::list))
                .route(web::post().to(manage::create)),
        )
        .service(
            resource(ONE, "GET, HEAD, PATCH, DELETE")
                .route(super::get().to(manage::read))
                .route(web::patch().to(manage::change))
                .route(web::delete().to(manage::delete)),
        )
        .service(post("rotate-secret").route(web::post().to(secret::rotate)))
        .service(post("test").route(web::post().to(replay::test)))
        .service(post("replay").route(web::post().to(replay::failed)))
        .service(
            resource(&format!("{ONE}/deliveries"), "GET, HEAD")
                .route(super::get().to(deliveries::list)),
        )
        .service(post("deliveries/{webhook_delivery}/replay").route(web::post().to(replay::one)));
}

/// The organization, for whoever may see and change its webhooks: their URLs may hold secrets.
async fn admin_of(
    auth: &Auth,
    state: &State,
    organization: &str,
) -> Result<OrganizationId, ApiError> {
    let organization = auth.organization(&state.store, organization).await?.id;
    auth.require_admin()?;
    Ok(organization)
}

fn webhook_id(in_path: &str) -> Result<WebhookId, ApiError> {
    WebhookId::from_str(in_path).map_err(|_| ApiError::NotFound)
}

fn delivery_id(in_path: &str) -> Result<WebhookDeliveryId, ApiError> {
    WebhookDeliveryId::from_str(in_path).map_err(|_| ApiError::NotFound)
}

/// What secrets are kept with.
fn seal(state: &State) -> Result<&SealKeys, ApiError> {
    state.seal.as_ref().ok_or(ApiError::NoSealKeys)
}
