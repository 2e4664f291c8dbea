//! Invitations over HTTP, one operation a file.

pub mod accept;
pub mod address;
pub mod create;
pub mod credential;
pub mod decline;
pub mod extend;
pub mod fields;
pub mod get;
pub mod list;
pub mod password;
pub mod resend;
pub mod revoke;
pub mod schedule;

use std::str::FromStr;

use actix_web::web::{self, ServiceConfig};
use adapters::store::{ChangeOutcome, InvitationView};
use domain::InvitationId;

use super::resource;
use crate::problem::{ApiError, FieldError};

/// Adds the routes of the organization's side, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    const ALL: &str = "/organizations/{organization}/invitations";
    const ONE: &str = "/organizations/{organization}/invitations/{invitation}";
    config
        .service(
            resource(ALL, "GET, HEAD, POST")
                .route(super::get().to(list::list))
                .route(web::post().to(create::create)),
        )
        .service(
            resource(ONE, "GET, HEAD, DELETE")
                .route(super::get().to(get::get))
                .route(web::delete().to(revoke::revoke)),
        )
        .service(resource(&format!("{ONE}/address"), "POST").route(web::post().to(address::change)))
        .service(resource(&format!("{ONE}/extend"), "POST").route(web::post().to(extend::extend)))
        .service(resource(&format!("{ONE}/resend"), "POST").route(web::post().to(resend::resend)))
        .service(
            resource(&format!("{ONE}/schedule"), "POST").route(web::post().to(schedule::schedule)),
        )
        .service(
            resource(&format!("{ONE}/revoke"), "POST")
                .route(web::post().to(revoke::revoke_by_post)),
        );
}

/// Adds the routes of the invitee's side, which need no key.
pub fn configure_public(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/invitations/accept", "POST").route(web::post().to(accept::accept)))
        .service(
            resource("/v1/invitations/decline", "POST").route(web::post().to(decline::decline)),
        );
}

fn invitation_id(in_path: &str) -> Result<InvitationId, ApiError> {
    InvitationId::from_str(in_path).map_err(|_| ApiError::NotFound)
}

/// How the invitation stands after a change, or why there was none.
pub fn changed(outcome: ChangeOutcome) -> Result<InvitationView, ApiError> {
    match outcome {
        ChangeOutcome::Changed(invitation) => Ok(*invitation),
        ChangeOutcome::NotFound => Err(ApiError::NotFound),
        ChangeOutcome::Illegal(illegal) => Err(ApiError::NotPending(illegal.from)),
        ChangeOutcome::SendingNow => Err(ApiError::SendingNow),
        ChangeOutcome::AlreadyPending(id) => Err(ApiError::AlreadyPending(id)),
        ChangeOutcome::AlreadyMember => Err(ApiError::AlreadyMember),
        ChangeOutcome::SameAddress => {
            let message = "is the address that the invitation has; resend it instead";
            Err(ApiError::Invalid(vec![FieldError::new("email", message)]))
        }
        ChangeOutcome::NotScheduled => Err(ApiError::NotScheduled),
        ChangeOutcome::EndsBeforeItsMail(send_at) => {
            let message = format!("must be after {send_at}, when its mail goes out");
            Err(ApiError::Invalid(vec![FieldError::new("expires_at", message)]))
        }
        ChangeOutcome::Refused(why) => Err(ApiError::Refused(why)),
    }
}
