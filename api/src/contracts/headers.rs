//! What we want to tell beyond a contract's documented body: it travels in headers.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use adapters::store::InvitationView;
use domain::DeliveryStatus;

use super::invite::Answer;
use crate::idempotency;
use crate::prefer::Preference;
use crate::problem::ApiError;

/// `X-Email-Status` when no mail is on its way and none was tried.
pub const SKIPPED: &str = "skipped";

/// Adds which invitation it is, how its mail stands, and what was heeded of the request.
pub fn add(response: &mut HttpResponseBuilder, answer: &Answer, preference: Preference) {
    response
        .insert_header(("X-Invitation-Id", answer.invitation.id.to_string()))
        .insert_header(("X-Email-Status", email_status(&answer.invitation)))
        .insert_header(("Cache-Control", "no-store"));
    if answer.replayed {
        response.insert_header(idempotency::REPLAYED);
    }
    preference.applied(response);
}

/// An answer that tells an error: with the headers that go with it, whatever shape its body has.
pub fn of_error(error: &ApiError, status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header(("Cache-Control", "no-store"));
    match error {
        ApiError::Unauthorized => {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        ApiError::MethodNotAllowed(allow) => {
            response.insert_header((ALLOW, *allow));
        }
        retry if retry.is_worth_a_retry() => {
            response.insert_header((RETRY_AFTER, "1"));
        }
        _ => {}
    }
    response
}

/// The word for how an invitation's newest mail stands.
pub const fn email_status(invitation: &InvitationView) -> &'static str {
    match invitation.delivery.status {
        DeliveryStatus::Queued => "queued",
        DeliveryStatus::Sending => "sending",
        DeliveryStatus::Sent => "sent",
        // It may have arrived, and is sent again.
        DeliveryStatus::Retrying | DeliveryStatus::Uncertain => "retrying",
        DeliveryStatus::Failed => "failed",
        DeliveryStatus::Suppressed => "suppressed",
        DeliveryStatus::Cancelled => SKIPPED,
    }
}
