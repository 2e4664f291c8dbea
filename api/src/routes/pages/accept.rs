//! The page of an open invitation, and accepting on it.

use actix_web::http::Method;
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::AcceptOutcome;
use adapters::templates::{AcceptForm, Page, PasswordProblem};
use domain::InvitationStatus;
use serde::Deserialize;

use super::Opened;
use crate::form;
use crate::problem::ApiError;
use crate::routes::invitations::password::PasswordError;
use crate::routes::invitations::{credential, password};
use crate::state::State;

#[derive(Deserialize)]
struct Form {
    /// Left out, it is as good as an empty one: the page says what it has to be.
    #[serde(default)]
    password: String,
}

/// Shows the invitation as it stands.
pub async fn show(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    match Opened::find(&state, &request, &token).await {
        Ok(opened) if opened.is_pending() => {
            if request.method() == Method::GET && !is_prefetch(&request) {
                opened.note(&state).await;
            }
            form_page(&state, &opened, None)
        }
        Ok(opened) => opened.ended(&state, opened.invitation.status),
        Err(page) => page,
    }
}

/// Takes the password and joins.
pub async fn accept(
    state: State,
    token: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let opened = match Opened::find(&state, &request, &token).await {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let status = opened.invitation.status;
    if status != InvitationStatus::Pending {
        if status != InvitationStatus::Accepted {
            drop(credential::too_late(&state, &opened.invitation).await);
        }
        return opened.ended(&state, status);
    }
    let form: Form = form::read(&request, payload).await?;
    let chosen = match password::check(form.password) {
        Ok(chosen) => chosen,
        Err(problem) => return form_page(&state, &opened, Some(problem)),
    };
    let hash = password::hash(&state.hasher, chosen).await?;
    let organization = opened.invitation.organization_name.as_str();
    match state.store.accept(opened.token.clone(), hash).await? {
        AcceptOutcome::Done(_) | AcceptOutcome::Again(_) => {
            opened.page(&state, 200, &Page::Accepted { organization })
        }
        AcceptOutcome::Unknown => opened.page(&state, 404, &Page::NotFound),
        AcceptOutcome::Illegal(illegal) => opened.ended(&state, illegal.from),
        AcceptOutcome::NotGiven => opened.page(&state, 409, &Page::NotGiven { organization }),
    }
}

/// Whether a browser asks for the page before anybody wants to see it.
fn is_prefetch(request: &HttpRequest) -> bool {
    ["sec-purpose", "purpose"].iter().any(|name| {
        let value = request.headers().get(*name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains("prefetch"))
    })
}

/// The form, with what was wrong with the last try.
pub(super) fn form_page(
    state: &State,
    opened: &Opened,
    error: Option<PasswordError>,
) -> Result<HttpResponse, ApiError> {
    let (least, most) = (*password::LENGTH.start(), *password::LENGTH.end());
    let page = Page::Accept(AcceptForm {
        organization: &opened.invitation.organization_name,
        inviter: opened.invitation.inviter.as_deref(),
        email_masked: &opened.email_masked,
        expires_at: opened.invitation.expires_at,
        token_path: &opened.path,
        password_min: least,
        error: error.map(|problem| match problem {
            PasswordError::TooShort => PasswordProblem::TooShort(least),
            PasswordError::TooLong => PasswordProblem::TooLong(most),
        }),
    });
    opened.page(state, if error.is_some() { 422 } else { 200 }, &page)
}
