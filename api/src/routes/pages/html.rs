//! A page as an answer, and the pages for links that open nothing.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, VARY};
use actix_web::{HttpRequest, HttpResponse};
use adapters::templates::{Page, PageBrand};

use crate::accept_language;
use crate::problem::{ApiError, whole_seconds};
use crate::security_headers;
use crate::state::State;

/// Renders a page, in the look of the organization that it is about; it is in no search engine.
pub fn html(
    state: &State,
    locale: &str,
    status: u16,
    page: &Page<'_>,
    brand: Option<&PageBrand<'_>>,
) -> Result<HttpResponse, ApiError> {
    let body = match brand {
        Some(brand) => state.templates.branded(locale, page, brand),
        None => state.templates.page(locale, page),
    };
    let body = body.map_err(|error| {
        tracing::error!(%error, "a page cannot be rendered");
        ApiError::Internal
    })?;
    let status = StatusCode::from_u16(status).map_err(|_| ApiError::Internal)?;
    let policy = match page {
        Page::Accept(_) => security_headers::FORM,
        Page::Inbox(_) => security_headers::LIVE,
        _ => security_headers::PAGE,
    };
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(policy)
        .insert_header(("X-Robots-Tag", "noindex"))
        .body(body))
}

/// What a person sees whose link opens nothing.
///
/// No invitation says in which language, so the browser does.
pub(super) fn no_invitation(
    state: &State,
    request: &HttpRequest,
    error: ApiError,
) -> Result<HttpResponse, ApiError> {
    let locale = accept_language::choose(request, &state.templates, &state.locale);
    let (mut page, wait) = match error {
        ApiError::InvalidCredential => (html(state, locale, 404, &Page::NotFound, None)?, None),
        ApiError::TooManyGuesses(wait) => {
            (html(state, locale, 429, &Page::TryLater, None)?, Some(wait))
        }
        other => return Err(other),
    };
    page.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Language"));
    if let Some(wait) = wait {
        let wait = HeaderValue::from_str(&whole_seconds(wait));
        page.headers_mut().insert(RETRY_AFTER, wait.map_err(|_| ApiError::Internal)?);
    }
    Ok(page)
}
