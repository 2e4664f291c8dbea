//! Deletes captured mails, by forms of the inbox and for whoever is no browser.

use std::str::FromStr;

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use adapters::mailer::Search;
use serde::Deserialize;
use uuid::Uuid;

use super::{inbox, list};
use crate::problem::ApiError;
use crate::state::State;
use crate::{form, same_site};

#[derive(Default, Deserialize)]
struct Fields {
    /// What is searched for; deletes what that finds, and leads back there.
    #[serde(default)]
    q: String,
}

/// Deletes all mails, or those that a search finds.
pub async fn found(
    state: State,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let inbox = inbox(&state)?;
    let fields = read(&state, &request, payload).await?;
    let ids: Vec<Uuid> = inbox.find(&Search::new(&fields.q)).iter().map(|mail| mail.id).collect();
    inbox.delete(&ids);
    Ok(back(&state, ""))
}

/// Deletes one mail. It may be gone already: a form can be sent twice.
pub async fn one(
    state: State,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let inbox = inbox(&state)?;
    let id = Uuid::from_str(&id).map_err(|_| ApiError::NotFound)?;
    let fields = read(&state, &request, payload).await?;
    inbox.delete(&[id]);
    Ok(back(&state, &fields.q))
}

/// The fields; none if nothing was posted at all.
async fn read(state: &State, request: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    same_site::refuse_others(request, &state.public_url)?;
    if !request.headers().contains_key(CONTENT_TYPE) {
        return Ok(Fields::default());
    }
    form::read(request, payload).await
}

fn back(state: &State, q: &str) -> HttpResponse {
    let list = format!("{}inbox{}", state.public_path, list::searching(q));
    HttpResponse::SeeOther().insert_header((LOCATION, list)).finish()
}
