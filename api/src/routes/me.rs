//! `GET /v1/me`: whose key or token this is.

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use domain::{KeyRole, OrganizationId, UserId};
use serde::Serialize;

use super::{get, resource};
use crate::auth::Auth;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/me", "GET, HEAD").route(get().to(me)));
}

#[derive(Serialize)]
struct Me<'a> {
    organization: Option<Organization<'a>>,
    user: Option<User<'a>>,
    role: KeyRole,
}

#[derive(Serialize)]
struct Organization<'a> {
    id: OrganizationId,
    number: i64,
    name: &'a str,
}

#[derive(Serialize)]
struct User<'a> {
    id: UserId,
    number: i64,
    email: &'a str,
}

async fn me(Auth(caller): Auth) -> HttpResponse {
    HttpResponse::Ok().json(Me {
        organization: caller.organization.as_ref().map(|organization| Organization {
            id: organization.id,
            number: organization.number,
            name: &organization.name,
        }),
        user: caller.user.as_ref().map(|user| User {
            id: user.id,
            number: user.number,
            email: &user.email,
        }),
        role: caller.role,
    })
}
