//! `/i/{token}`: the pages behind the link in the mail. They work without scripts.
//!
//! Reading one changes nothing, because mail scanners follow links; answering is a POST.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::{self, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{AcceptOutcome, Credential, OpenInvitation};
use adapters::templates::Page;
use domain::{EmailAddress, InvitationStatus, SecretHash};
use serde::Deserialize;

use super::invitations::{credential, password};
use super::{get, resource};
use crate::form;
use crate::problem::{ApiError, whole_seconds};
use crate::security_headers;
use crate::state::State;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/i/{token}", "GET, HEAD").route(get().to(show)))
        .service(resource("/i/{token}/accept", "POST").route(web::post().to(accept)))
        .service(resource("/i/{token}/decline", "POST").route(web::post().to(decline)));
}

/// Renders a page; it is in no search engine.
pub fn html(
    state: &State,
    locale: &str,
    status: u16,
    page: &Page<'_>,
) -> Result<HttpResponse, ApiError> {
    let body = state.templates.page(locale, page).map_err(|error| {
        tracing::error!(%error, "a page cannot be rendered");
        ApiError::Internal
    })?;
    let status = StatusCode::from_u16(status).map_err(|_| ApiError::Internal)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(security_headers::PAGE)
        .insert_header(("X-Robots-Tag", "noindex"))
        .body(body))
}

#[derive(Deserialize)]
struct AcceptForm {
    password: String,
}

async fn show(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    match find(&state, &request, &token).await {
        Err(error) => no_invitation(&state, error),
        Ok(open) => match open.status {
            InvitationStatus::Pending => form_page(&state, &open, &token, None),
            ended => ended_page(&state, &open, ended),
        },
    }
}

async fn accept(
    state: State,
    token: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let open = match find(&state, &request, &token).await {
        Ok(open) => open,
        Err(error) => return no_invitation(&state, error),
    };
    if open.status != InvitationStatus::Pending {
        if open.status != InvitationStatus::Accepted {
            drop(credential::too_late(&state, &open).await);
        }
        return ended_page(&state, &open, open.status);
    }
    let form: AcceptForm = form::read(&request, payload).await?;
    let chosen = match password::check(form.password) {
        Ok(chosen) => chosen,
        Err(problem) => {
            let sentence = format!("The password {problem}.");
            return form_page(&state, &open, &token, Some(&sentence));
        }
    };
    let hash = password::hash(&state.hasher, chosen).await?;
    let organization = open.organization_name.as_str();
    match state.store.accept(token_credential(&token), hash).await? {
        AcceptOutcome::Done(_) | AcceptOutcome::Again(_) => {
            html(&state, &open.locale, 200, &Page::Accepted { organization })
        }
        AcceptOutcome::Unknown => html(&state, &open.locale, 404, &Page::NotFound),
        AcceptOutcome::Illegal(illegal) => ended_page(&state, &open, illegal.from),
    }
}

async fn decline(
    state: State,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let open = match find(&state, &request, &token).await {
        Ok(open) => open,
        Err(error) => return no_invitation(&state, error),
    };
    let organization = open.organization_name.as_str();
    match state.store.decline(token_credential(&token)).await? {
        AcceptOutcome::Done(_) | AcceptOutcome::Again(_) => {
            html(&state, &open.locale, 200, &Page::Declined { organization })
        }
        AcceptOutcome::Unknown => html(&state, &open.locale, 404, &Page::NotFound),
        AcceptOutcome::Illegal(illegal) => ended_page(&state, &open, illegal.from),
    }
}

async fn find(
    state: &State,
    request: &HttpRequest,
    token: &str,
) -> Result<OpenInvitation, ApiError> {
    credential::find(state, request, &token_credential(token)).await
}

/// What a person sees whose link opens nothing.
fn no_invitation(state: &State, error: ApiError) -> Result<HttpResponse, ApiError> {
    match error {
        ApiError::InvalidCredential => html(state, "en", 404, &Page::NotFound),
        ApiError::TooManyGuesses(wait) => {
            let mut page = html(state, "en", 429, &Page::TryLater)?;
            let wait = HeaderValue::from_str(&whole_seconds(wait));
            page.headers_mut().insert(RETRY_AFTER, wait.map_err(|_| ApiError::Internal)?);
            Ok(page)
        }
        other => Err(other),
    }
}

fn token_credential(token: &str) -> Credential {
    Credential::Token(SecretHash::of_typed(token))
}

fn form_page(
    state: &State,
    open: &OpenInvitation,
    token: &str,
    error: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    let email = EmailAddress::parse(&open.email);
    let email_masked = email.map_or_else(|_| "***".to_owned(), |email| email.masked());
    let page = Page::Accept {
        organization: &open.organization_name,
        inviter: open.inviter.as_deref(),
        email_masked: &email_masked,
        token_path: &token_path(&state.public_path, token),
        error,
    };
    html(state, &open.locale, if error.is_some() { 422 } else { 200 }, &page)
}

fn ended_page(
    state: &State,
    open: &OpenInvitation,
    status: InvitationStatus,
) -> Result<HttpResponse, ApiError> {
    let organization = open.organization_name.as_str();
    let (code, page) = match status {
        // Somebody answered in the meantime; a look at the page again tells.
        InvitationStatus::Pending => (409, Page::NotFound),
        InvitationStatus::Accepted => (200, Page::AlreadyAccepted { organization }),
        InvitationStatus::Declined => (410, Page::Declined { organization }),
        InvitationStatus::Revoked => (410, Page::Revoked { organization }),
        InvitationStatus::Expired => (410, Page::Expired { organization }),
    };
    html(state, &open.locale, code, &page)
}

/// Where the forms post to. A token may have been typed with spaces and dashes: only what counts
/// goes into the address.
fn token_path(public_path: &str, token: &str) -> String {
    let token: String = token.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{public_path}i/{token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_post_below_the_public_path() {
        assert_eq!(token_path("/", "ABCD-EF 12"), "/i/ABCDEF12");
        assert_eq!(token_path("/welcomat/", "A\"><b>"), "/welcomat/i/Ab");
    }
}
