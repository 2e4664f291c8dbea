//! `/v1/organizations/{id}/templates`: the mail in an organization's own words.

pub mod check;
pub mod manage;
pub mod preview;
pub mod test_send;
pub mod versions;

use actix_web::web::{self, ServiceConfig};
use adapters::store::OrganizationRef;
use adapters::templates::template_locale;

use super::resource;
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Adds the routes, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    const ONE: &str = "/organizations/{organization}/templates/{locale}";
    let read = |path: &str| resource(path, "GET, HEAD");
    let post = |path: &str| resource(path, "POST");
    config
        .service(
            read("/organizations/{organization}/templates").route(super::get().to(manage::list)),
        )
        .service(
            resource(ONE, "GET, HEAD, PUT, DELETE")
                .route(super::get().to(manage::read))
                .route(web::put().to(manage::save))
                .route(web::delete().to(manage::delete)),
        )
        .service(read(&format!("{ONE}/original")).route(super::get().to(manage::original)))
        .service(read(&format!("{ONE}/versions")).route(super::get().to(versions::list)))
        .service(
            read(&format!("{ONE}/versions/{{version}}")).route(super::get().to(versions::read)),
        )
        .service(post(&format!("{ONE}/rollback")).route(web::post().to(versions::roll_back)))
        .service(post(&format!("{ONE}/preview")).route(web::post().to(preview::preview)))
        .service(post(&format!("{ONE}/test-send")).route(web::post().to(test_send::send)))
        .service(
            read("/organizations/{organization}/test-mails/{test_mail}")
                .route(super::get().to(test_send::read)),
        )
        .service(
            post("/organizations/{organization}/parked-mails/retry")
                .route(web::post().to(manage::retry)),
        );
}

/// The organization, for whoever may see and change what its mails say.
async fn admin_of(
    auth: &Auth,
    state: &State,
    organization: &str,
) -> Result<OrganizationRef, ApiError> {
    let organization = auth.organization(&state.store, organization).await?;
    auth.require_admin()?;
    Ok(organization)
}

/// A language in a path, as templates are kept by it.
pub fn locale_in(path: &str) -> Result<String, ApiError> {
    template_locale(path).ok_or(ApiError::NotFound)
}

fn version_in(path: &str) -> Result<u32, ApiError> {
    path.parse().map_err(|_| ApiError::NotFound)
}
