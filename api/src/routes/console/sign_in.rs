//! `/console/sign-in` and `/console/sign-out`: the beginning and the end of a session.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use adapters::store::{Actor, Caller};
use adapters::templates::ConsolePage;
use domain::{ApiKeyId, KeyRole, SecretHash, secret};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Nothing, Signed, cookie, show};
use crate::problem::{ApiError, whole_seconds};
use crate::state::State;
use crate::{client_address, form, same_site};

#[derive(Deserialize)]
struct Fields {
    key: String,
}

/// Asks for a key.
pub async fn show(state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let word = request.query_string().strip_prefix("done=");
    show::outside(&state, StatusCode::OK, word, &ConsolePage::SignIn { problem: None })
}

/// Opens a session for whoever has a key that may change things.
pub async fn sign_in(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    // Nobody is to be signed in by another site, as somebody they are not.
    if let Err(error) = same_site::refuse_others(&request, &state.public_url) {
        return refused(&state, &error);
    }
    let typed = Zeroizing::new(form::read::<Fields>(&request, payload).await?.key);
    let key = match key_of(&state, &request, &typed).await {
        Ok(key) => key,
        Err(error) => return refused(&state, &error),
    };
    let token = Zeroizing::new(secret::random_text(&mut adapters::rng()).to_string());
    let hash = SecretHash::of_exact(&token);
    state.store.open_console(key, hash, cookie::VALID_FOR).await?;
    tracing::info!(api_key.id = %key, "somebody signed in to the console");
    Ok(HttpResponse::SeeOther()
        .insert_header((SET_COOKIE, cookie::set(&state, &token)))
        .insert_header((LOCATION, format!("{}console", state.public_path)))
        .finish())
}

/// Ends the session.
pub async fn sign_out(state: State, form: Signed<Nothing>) -> Result<HttpResponse, ApiError> {
    state.store.close_console(form.visitor.session).await?;
    let mut response = show::done(&state, "/sign-in", "signed-out");
    let cookie = cookie::forget(&state).parse().map_err(|_| ApiError::Internal)?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// The key, if it is one; guessing is as slow as everywhere.
async fn key_of(state: &State, request: &HttpRequest, typed: &str) -> Result<ApiKeyId, ApiError> {
    let client = client_address::of(request, &state.trusted_proxies);
    let attempt = state.guesses.take(state.store.clock().now(), client);
    let attempt = attempt.map_err(ApiError::TooManyGuesses)?;
    let found = state.store.authenticate(SecretHash::of_exact(typed.trim())).await;
    if !matches!(found, Ok(None)) {
        attempt.give_back();
    }
    match found? {
        Some(Caller { actor: Actor::Key { key, .. }, role: KeyRole::Admin, .. }) => Ok(key),
        Some(_) => Err(ApiError::Forbidden),
        None => Err(ApiError::Unauthorized),
    }
}

fn refused(state: &State, error: &ApiError) -> Result<HttpResponse, ApiError> {
    let sentence = match error {
        ApiError::Unauthorized => "There is no such key, or it was revoked.".to_owned(),
        other => other.to_string(),
    };
    let page = ConsolePage::SignIn { problem: Some(&sentence) };
    // A 401 would have to say how to authenticate by a header (RFC 9110 §15.5.2).
    let status = match error {
        ApiError::Unauthorized => StatusCode::FORBIDDEN,
        other => other.status_code(),
    };
    let mut response = show::outside(state, status, None, &page)?;
    if let ApiError::TooManyGuesses(wait) = error {
        let wait = whole_seconds(*wait).parse().map_err(|_| ApiError::Internal)?;
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    Ok(response)
}
