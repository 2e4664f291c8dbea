//! A page of the console as an answer, or the way to one.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use adapters::store::OrganizationRef;
use adapters::templates::{ConsolePage, Frame};

use super::Visitor;
use crate::problem::ApiError;
use crate::security_headers;
use crate::state::State;

/// What a page may say was just done: by the word in its address, so that nobody can make it say
/// anything else.
const NOTICES: [(&str, &str); 24] = [
    ("invited", "The invitation is made, and its mail is on its way."),
    ("resent", "A new mail is on its way; earlier links stay good for a while."),
    ("extended", "The invitation is good for another week."),
    ("revoked", "The invitation is revoked."),
    ("tested", "A test is on its way."),
    ("enabled", "The webhook is told of events again."),
    ("disabled", "The webhook is told nothing any more."),
    ("replayed", "The event is on its way again."),
    ("redriven", "The job is planned once more."),
    ("discarded", "The dead letter is gone."),
    ("key-revoked", "The key is worthless from now on."),
    ("suppressed", "The address gets no mail any more."),
    ("lifted", "The address gets mail again."),
    ("template-saved", "The template is saved, and mails are made from it."),
    ("rolled-back", "Mails are made from that version again."),
    ("template-deleted", "No mail is made from the template any more. Its versions are kept."),
    ("branding-saved", "The look is saved, and pages have it."),
    ("retried", "The mails that waited are tried again."),
    ("batch-taken", "The file is taken in."),
    ("batch-retried", "The rows that were refused or failed are tried again."),
    ("batch-cancelled", "The batch is cancelled. Whoever waited is not invited."),
    ("batch-was-done", "The batch was finished already. Nothing is changed."),
    ("signed-out", "You are signed out."),
    ("already-pending", "That address has this invitation already."),
];

/// Shows a page to somebody who is signed in.
pub fn page(
    state: &State,
    request: &HttpRequest,
    visitor: &Visitor,
    organization: Option<&OrganizationRef>,
    page: &ConsolePage<'_>,
) -> Result<HttpResponse, ApiError> {
    let word = request.query_string().split('&').find_map(|part| part.strip_prefix("done="));
    let notice = NOTICES.iter().find(|(known, _)| Some(*known) == word).map(|(_, text)| *text);
    html(state, StatusCode::OK, &frame(Some(visitor), organization, notice), page)
}

/// The query without what was not filled in, and without what is about the page alone.
pub fn asked(query: &str) -> String {
    let is_asked = |part: &&str| !part.ends_with('=') && !part.starts_with("done=");
    query.split('&').filter(is_asked).collect::<Vec<_>>().join("&")
}

/// Shows a page that says what is wrong with what was typed.
pub fn again(
    state: &State,
    visitor: &Visitor,
    organization: &OrganizationRef,
    error: &ApiError,
    page: &ConsolePage<'_>,
) -> Result<HttpResponse, ApiError> {
    html(state, error.status_code(), &frame(Some(visitor), Some(organization), None), page)
}

/// Shows a page to somebody who is not signed in.
pub fn outside(
    state: &State,
    status: StatusCode,
    notice: Option<&str>,
    page: &ConsolePage<'_>,
) -> Result<HttpResponse, ApiError> {
    let notice = NOTICES.iter().find(|(known, _)| Some(*known) == notice).map(|(_, text)| *text);
    html(state, status, &frame(None, None, notice), page)
}

/// Says why something cannot be.
pub fn problem(state: &State, visitor: Option<&Visitor>, error: &ApiError) -> HttpResponse {
    let heading = error.status_code().canonical_reason().unwrap_or("Error");
    let page = ConsolePage::Problem { heading, problem: &sentence(error) };
    let shown = html(state, error.status_code(), &frame(visitor, None, None), &page);
    let mut response = shown.unwrap_or_else(|error| error.error_response());
    // What else the error says, such as when to come back.
    for (name, value) in error.error_response().headers() {
        if !response.headers().contains_key(name) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

/// The error in a sentence, and each field that is wrong.
pub fn sentence(error: &ApiError) -> String {
    match error {
        ApiError::TemplateInvalid(errors) => {
            let each = errors.iter().map(|error| format!("{}: {}.", error.field, error.message));
            each.collect::<Vec<_>>().join(" ")
        }
        ApiError::Invalid(errors) => {
            let each = errors.iter().map(|error| format!("{} {}.", error.field, error.message));
            each.collect::<Vec<_>>().join(" ").replace('_', " ")
        }
        other => other.to_string(),
    }
}

/// Sends the browser to a page of the console, which says what was done (RFC 9110 §15.4.4).
pub fn done(state: &State, path: &str, word: &str) -> HttpResponse {
    let parted = if path.contains('?') { '&' } else { '?' };
    let place = format!("{}console{path}{parted}done={word}", state.public_path);
    HttpResponse::SeeOther().insert_header((LOCATION, place)).finish()
}

fn frame<'a>(
    visitor: Option<&'a Visitor>,
    organization: Option<&'a OrganizationRef>,
    notice: Option<&'static str>,
) -> Frame<'a> {
    let own = visitor.and_then(|visitor| visitor.auth.0.organization.as_ref());
    Frame {
        csrf: visitor.map(|visitor| visitor.csrf.as_str()),
        organization: organization.or(own),
        instance: visitor.is_some() && own.is_none(),
        notice,
    }
}

fn html(
    state: &State,
    status: StatusCode,
    frame: &Frame<'_>,
    page: &ConsolePage<'_>,
) -> Result<HttpResponse, ApiError> {
    let body = state.templates.console(frame, page).map_err(|error| {
        tracing::error!(%error, "a page of the console cannot be rendered");
        ApiError::Internal
    })?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(security_headers::LIVE)
        .insert_header(("X-Robots-Tag", "noindex"))
        .body(body))
}
