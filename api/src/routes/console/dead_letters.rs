//! `/console/{organization}/dead-letters`: jobs that nobody could process.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::templates::ConsolePage;
use domain::{DeadLetterId, OrganizationId};

use super::{Nothing, Signed, Visitor, done, page};
use crate::problem::ApiError;
use crate::state::State;

type InPath = Path<(String, String)>;

const SHOWN: u64 = 100;

/// Lists the newest.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let dead_letters = state.store.dead_letters(Some(organization.id), SHOWN).await?;
    let shown = ConsolePage::DeadLetters { dead_letters: &dead_letters };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Plans the job once more.
pub async fn redrive(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let (organization, id) = named(&state, &form, &path).await?;
    let is_there = state.store.redrive(Some(organization), id).await?;
    if is_there { Ok(back(&state, organization, "redriven")) } else { Err(ApiError::NotFound) }
}

/// Deletes the message.
pub async fn discard(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let (organization, id) = named(&state, &form, &path).await?;
    let is_there = state.store.discard_dead_letter(Some(organization), id).await?;
    if is_there { Ok(back(&state, organization, "discarded")) } else { Err(ApiError::NotFound) }
}

async fn named(
    state: &State,
    form: &Signed<Nothing>,
    path: &InPath,
) -> Result<(OrganizationId, DeadLetterId), ApiError> {
    let organization = form.visitor.organization(state, &path.0).await?.id;
    let id = DeadLetterId::from_str(&path.1).map_err(|_| ApiError::NotFound)?;
    Ok((organization, id))
}

fn back(state: &State, organization: OrganizationId, word: &str) -> HttpResponse {
    done(state, &format!("/{organization}/dead-letters"), word)
}
