//! `GET /v1/me`: whose key or token this is.

pub mod invitations;

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use adapters::store::{OrganizationRef, UserRef};
use domain::KeyRole;
use serde::Serialize;
use utoipa::ToSchema;

use super::{get, resource};
use crate::auth::Auth;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/me", "GET, HEAD").route(get().to(me)))
        .service(resource("/me/invitations", "GET, HEAD").route(get().to(invitations::list)));
}

/// Who calls, and where.
#[derive(Serialize, ToSchema)]
struct Me<'a> {
    /// The organization that the key or token is valid for; null if it is the whole instance.
    organization: Option<&'a OrganizationRef>,
    /// Whose key or token it is; null if nobody's whom we know.
    user: Option<&'a UserRef>,
    /// What the key may do.
    role: KeyRole,
}

/// Shows the caller.
///
/// Whose key or token this is, for which organization, and what it may do.
#[utoipa::path(
    get,
    path = "/v1/me",
    operation_id = "get_me",
    tag = "Account",
    security(("bearer" = [])),
    responses((
        status = 200,
        description = "The caller.",
        body = Me<'_>,
        links(
            ("ListInvitations" = (
                operation_id = "list_invitations",
                parameters(("organization" = "$response.body#/organization/id")),
                description = "Shows whom the organization has invited.",
            )),
            ("CreateInvitation" = (
                operation_id = "create_invitation",
                parameters(("organization" = "$response.body#/organization/id")),
                description = "Invites somebody into the organization.",
            )),
        ),
    )),
    extensions(("x-problems" = json!([]))),
)]
pub async fn me(Auth(caller): Auth) -> HttpResponse {
    let (organization, user) = (caller.organization.as_ref(), caller.user.as_ref());
    HttpResponse::Ok().json(Me { organization, user, role: caller.role })
}
