//! `/console`: all organizations, or the way to the only one.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use adapters::templates::ConsolePage;

use super::show::asked;
use super::{Visitor, page};
use crate::problem::ApiError;
use crate::routes::page::Page;
use crate::state::State;

/// Lists organizations, for whoever sees more than one.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    if let Some(own) = &visitor.auth.0.organization {
        let place = format!("{}console/{}", state.public_path, own.id);
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, place)).finish());
    }
    let wanted = Page::by_number(&asked(request.query_string()))?;
    let found = state.store.organizations(wanted.number(), wanted.rows()).await?;
    let (organizations, next) = wanted.cut(found, |one| one.number);
    let shown = ConsolePage::Organizations { organizations: &organizations, next };
    page(&state, &request, &visitor, None, &shown)
}
