//! `/v1/organizations/{id}/branding`: how an organization looks on the pages behind its links.

pub mod fields;
pub mod logo;
pub mod manage;

use actix_web::web::{self, ServiceConfig};
use domain::OrganizationId;

use super::{get, resource};
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Adds the routes, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(
            resource("/organizations/{organization}/branding", "GET, HEAD, PUT, DELETE")
                .route(get().to(manage::read))
                .route(web::put().to(manage::replace))
                .route(web::delete().to(manage::clear)),
        )
        .service(
            resource("/organizations/{organization}/branding/logo", "PUT, DELETE")
                .route(web::put().to(logo::replace))
                .route(web::delete().to(logo::remove)),
        );
}

/// The organization, for whoever may see and change how it looks.
async fn admin_of(auth: &Auth, state: &State, id: &str) -> Result<OrganizationId, ApiError> {
    let id = auth.organization(&state.store, id).await?.id;
    auth.require_admin()?;
    Ok(id)
}
