//! `GET /v1/me`: whose key this is.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use adapters::store::{OrganizationRef, UserRef};
use domain::KeyRole;
use serde::Serialize;
use utoipa::ToSchema;

use super::{get, resource};
use crate::auth::Auth;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/me", "GET, HEAD").route(get().to(me)));
}

/// Who calls, and where.
#[derive(Serialize, ToSchema)]
struct Me<'a> {
    /// The organization that the key is valid for.
    organization: &'a OrganizationRef,
    /// Whose key it is.
    user: &'a UserRef,
    /// What the key may do.
    role: KeyRole,
}

/// Shows the caller.
///
/// Whose key this is, for which organization, and what it may do.
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
    let (organization, user) = (&caller.organization, &caller.user);
    HttpResponse::Ok().json(Me { organization, user, role: caller.role })
}
