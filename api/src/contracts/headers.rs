//! What we want to tell beyond a contract's documented body: it travels in headers.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use adapters::store::InvitationView;
use domain::{DeliveryStatus, InvitationId};

use super::invite::Answer;
use crate::idempotency;
use crate::prefer::Preference;
use crate::problem::{ApiError, whole_seconds};

/// `X-Email-Status` when no mail is on its way and none was tried.
pub const SKIPPED: &str = "skipped";

/// Adds which invitation it is, how its mail stands, and what was heeded of the request.
pub fn add(response: &mut HttpResponseBuilder, answer: &Answer, preference: Preference) {
    let invitation = &answer.invitation;
    let status = email_status(invitation);
    tell(response, Some(invitation.id), status, answer.replayed, preference);
}

/// The same for an answer that need not be about one invitation.
pub fn tell(
    response: &mut HttpResponseBuilder,
    invitation: Option<InvitationId>,
    email_status: &'static str,
    replayed: bool,
    preference: Preference,
) {
    if let Some(id) = invitation {
        response.insert_header(("X-Invitation-Id", id.to_string()));
    }
    response.insert_header(("X-Email-Status", email_status));
    if replayed {
        response.insert_header(idempotency::REPLAYED);
    }
    preference.applied(response);
}

/// An answer that tells an error: with the headers that go with it, whatever shape its body has.
pub fn of_error(error: &ApiError, status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    match error {
        ApiError::Unauthorized => {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        ApiError::MethodNotAllowed(allow) => {
            response.insert_header((ALLOW, *allow));
        }
        _ => {}
    }
    if let Some(wait) = error.retry_after() {
        response.insert_header((RETRY_AFTER, whole_seconds(wait)));
    }
    response
}

/// The word for how an invitation's newest mail stands.
pub const fn email_status(invitation: &InvitationView) -> &'static str {
    word(invitation.delivery.status)
}

/// The word for how a mail stands.
pub const fn word(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Queued | DeliveryStatus::Scheduled => "queued",
        DeliveryStatus::Sending => "sending",
        DeliveryStatus::Sent | DeliveryStatus::Delivered | DeliveryStatus::Complained => "sent",
        // It may have arrived, and is sent again.
        DeliveryStatus::Retrying | DeliveryStatus::Uncertain => "retrying",
        DeliveryStatus::Failed | DeliveryStatus::Bounced => "failed",
        DeliveryStatus::Suppressed => "suppressed",
        DeliveryStatus::Cancelled => SKIPPED,
    }
}
