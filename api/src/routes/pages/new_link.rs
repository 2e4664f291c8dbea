//! Asking for a new link once the invitation has expired.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::LinkRequest;
use adapters::templates::Page;
use domain::InvitationStatus;

use super::{Opened, accept};
use crate::problem::ApiError;
use crate::state::State;

/// Has the invitation mailed once more to the invited address, or notes the wish.
pub async fn request(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let opened = match Opened::find(&state, &request, &token).await {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let asked = state.store.request_link(opened.invitation.id, state.new_link_within).await?;
    let sent = match asked {
        LinkRequest::Sent => true,
        LinkRequest::Noted => false,
        // The link is good as it is.
        LinkRequest::NotExpired(InvitationStatus::Pending) => {
            return accept::form_page(&state, &opened, None);
        }
        LinkRequest::NotExpired(status) => return opened.ended(&state, status),
    };
    let page = Page::LinkRequested {
        organization: &opened.invitation.organization_name,
        email_masked: &opened.email_masked,
        sent,
    };
    opened.page(&state, 200, &page)
}
