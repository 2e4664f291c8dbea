//! Lets in whoever is signed in, and shows everybody else the way to sign in.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::LOCATION;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use domain::SecretHash;

use super::visitor::Visitor;
use super::{cookie, show};
use crate::auth::Auth;
use crate::problem::ApiError;
use crate::state::State;

/// Lets a request through if its cookie is that of a session; errors inside become pages.
pub async fn require<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<State>().cloned() else {
        return Ok(request.error_response(ApiError::Internal));
    };
    let visitor = match visitor(&state, &request).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => {
            let place = format!("{}console/sign-in", state.public_path);
            let away = HttpResponse::SeeOther().insert_header((LOCATION, place)).finish();
            return Ok(request.into_response(away));
        }
        Err(error) => {
            let page = show::problem(&state, None, &error);
            return Ok(request.into_response(page));
        }
    };
    request.extensions_mut().insert(visitor.clone());
    let response = next.call(request).await?;
    let error = response.response().error().and_then(Error::as_error::<ApiError>);
    match error.map(|error| show::problem(&state, Some(&visitor), error)) {
        Some(page) => Ok(response.into_response(page)),
        None => Ok(response.map_into_boxed_body()),
    }
}

async fn visitor(state: &State, request: &ServiceRequest) -> Result<Option<Visitor>, ApiError> {
    let Some(token) = cookie::read(request.headers()) else { return Ok(None) };
    let caller = state.store.console_caller(SecretHash::of_exact(&token)).await?;
    Ok(caller.map(|caller| Visitor::new(Auth(caller), &token)))
}
