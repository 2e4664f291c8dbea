//! `/console/{organization}/dead-letters`: jobs that nobody could process; and `/console/dead-letters`,
//! those of all organizations with the messages that are no job and so concern none of them.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::OrganizationRef;
use adapters::templates::ConsolePage;
use domain::{DeadLetterId, OrganizationId};

use super::{Nothing, Signed, Visitor, done, page};
use crate::problem::ApiError;
use crate::state::State;

type InPath = Path<(String, String)>;

const SHOWN: u64 = 100;

/// Lists the newest of an organization.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    show(&visitor, &state, &request, Some(&organization)).await
}

/// Lists the newest of all, for those who look after the instance.
pub async fn list_all(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    visitor.auth.require_instance()?;
    show(&visitor, &state, &request, None).await
}

/// Plans the job once more.
pub async fn redrive(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    redrive_one(&state, Some(organization), &path.1).await
}

/// The same for any of them.
pub async fn redrive_any(
    state: State,
    id: Path<String>,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    form.visitor.auth.require_instance()?;
    redrive_one(&state, None, &id).await
}

/// Deletes the message.
pub async fn discard(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    discard_one(&state, Some(organization), &path.1).await
}

/// The same for any of them.
pub async fn discard_any(
    state: State,
    id: Path<String>,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    form.visitor.auth.require_instance()?;
    discard_one(&state, None, &id).await
}

async fn show(
    visitor: &Visitor,
    state: &State,
    request: &HttpRequest,
    organization: Option<&OrganizationRef>,
) -> Result<HttpResponse, ApiError> {
    let of = organization.map(|organization| organization.id);
    let dead_letters = state.store.dead_letters(of, SHOWN).await?;
    let shown = ConsolePage::DeadLetters { dead_letters: &dead_letters };
    page(state, request, visitor, organization, &shown)
}

async fn redrive_one(
    state: &State,
    organization: Option<OrganizationId>,
    id: &str,
) -> Result<HttpResponse, ApiError> {
    let is_there = state.store.redrive(organization, named(id)?).await?;
    if is_there { Ok(back(state, organization, "redriven")) } else { Err(ApiError::NotFound) }
}

async fn discard_one(
    state: &State,
    organization: Option<OrganizationId>,
    id: &str,
) -> Result<HttpResponse, ApiError> {
    let is_there = state.store.discard_dead_letter(organization, named(id)?).await?;
    if is_there { Ok(back(state, organization, "discarded")) } else { Err(ApiError::NotFound) }
}

fn named(id: &str) -> Result<DeadLetterId, ApiError> {
    DeadLetterId::from_str(id).map_err(|_| ApiError::NotFound)
}

fn back(state: &State, organization: Option<OrganizationId>, word: &str) -> HttpResponse {
    let place = organization.map(|organization| format!("/{organization}")).unwrap_or_default();
    done(state, &format!("{place}/dead-letters"), word)
}
