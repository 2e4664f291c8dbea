//! Saying no, with a page that asks first: as an answer, or because no invitation was expected.
//!
//! The question is a courtesy to people who press the wrong thing: a template of an operator's own
//! may post at once.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::AcceptOutcome;
use adapters::templates::Page;
use domain::InvitationStatus;

use super::Opened;
use crate::problem::ApiError;
use crate::state::State;

/// Asks whether to decline.
pub async fn ask(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    match Opened::find(&state, &request, &token).await {
        Ok(opened) if opened.is_pending() => {
            let organization = opened.invitation.organization_name.as_str();
            opened.page(&state, 200, &Page::Decline { organization, token_path: &opened.path })
        }
        Ok(opened) => opened.ended(&state, opened.invitation.status),
        Err(page) => page,
    }
}

/// Declines.
pub async fn decline(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let opened = match Opened::find(&state, &request, &token).await {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let outcome = state.store.decline(opened.token.clone()).await?;
    let (organization, token_path) = (opened.invitation.organization_name.as_str(), &opened.path);
    answer(&state, &opened, &outcome, &Page::Declined { organization, token_path })
}

/// Asks whether the organization should leave the invitee alone.
pub async fn ask_unexpected(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    match Opened::find(&state, &request, &token).await {
        Ok(opened) if opened.is_pending() || was_declined(&opened) => {
            let page = Page::Unexpected {
                organization: &opened.invitation.organization_name,
                email_masked: &opened.email_masked,
                token_path: &opened.path,
            };
            opened.page(&state, 200, &page)
        }
        Ok(opened) => opened.ended(&state, opened.invitation.status),
        Err(page) => page,
    }
}

/// Declines, and keeps the organization's mail from the address.
pub async fn unexpected(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let opened = match Opened::find(&state, &request, &token).await {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let outcome = state.store.decline_unwanted(opened.token.clone()).await?;
    let organization = opened.invitation.organization_name.as_str();
    let page = Page::Unwanted { organization, email_masked: &opened.email_masked };
    answer(&state, &opened, &outcome, &page)
}

fn was_declined(opened: &Opened) -> bool {
    opened.invitation.status == InvitationStatus::Declined
}

fn answer(
    state: &State,
    opened: &Opened,
    outcome: &AcceptOutcome,
    done: &Page<'_>,
) -> Result<HttpResponse, ApiError> {
    match outcome {
        AcceptOutcome::Done(_) | AcceptOutcome::Again(_) => opened.page(state, 200, done),
        AcceptOutcome::Unknown => opened.page(state, 404, &Page::NotFound),
        AcceptOutcome::Illegal(illegal) => opened.ended(state, illegal.from),
        // Only accepting ends so.
        AcceptOutcome::NotGiven => Err(ApiError::RoleNotGiven),
    }
}
