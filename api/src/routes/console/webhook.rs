//! `/console/{organization}/webhooks/{webhook}`: one, what it was told, and telling it again.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{WebhookChange, WebhookLogFilter};
use adapters::templates::ConsolePage;
use domain::{OrganizationId, WebhookDeliveryId, WebhookId};

use super::show::asked;
use super::{Nothing, Signed, Visitor, done, page};
use crate::problem::ApiError;
use crate::routes::page::Page;
use crate::state::State;

type InPath = Path<(String, String)>;

/// Shows it with what it was told, newest first.
pub async fn show(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    path: InPath,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &path.0).await?;
    let id = id_in(&path.1)?;
    let found = state.store.webhook(organization.id, id).await?;
    let webhook = found.ok_or(ApiError::NotFound)?;
    let wanted = Page::by_id(&asked(request.query_string()))?;
    let filter = WebhookLogFilter { status: None, before: wanted.after, limit: wanted.rows() };
    let log = state.store.webhook_deliveries(organization.id, id, filter).await?;
    let (deliveries, next) = wanted.cut(log.ok_or(ApiError::NotFound)?, |one| one.id);
    let shown = ConsolePage::Webhook { webhook: &webhook, deliveries: &deliveries, next };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Sends it a test.
pub async fn test(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    let id = id_in(&path.1)?;
    state.store.test_webhook(organization, id).await?.ok_or(ApiError::NotFound)?;
    Ok(back(&state, organization, id, "tested"))
}

/// Tells it of events again.
pub async fn enable(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    switch(&state, &path, &form, true).await
}

/// Tells it nothing any more.
pub async fn disable(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    switch(&state, &path, &form, false).await
}

/// Tells it of one event once more.
pub async fn replay(
    state: State,
    path: Path<(String, String, String)>,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    let id = id_in(&path.1)?;
    let delivery = WebhookDeliveryId::from_str(&path.2).map_err(|_| ApiError::NotFound)?;
    let replayed = state.store.replay_webhook(organization, id, delivery).await?;
    replayed.ok_or(ApiError::NotFound)?;
    Ok(back(&state, organization, id, "replayed"))
}

async fn switch(
    state: &State,
    path: &InPath,
    form: &Signed<Nothing>,
    on: bool,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(state, &path.0).await?.id;
    let id = id_in(&path.1)?;
    let change = WebhookChange { enabled: Some(on), ..WebhookChange::default() };
    state.store.change_webhook(organization, id, change).await?.ok_or(ApiError::NotFound)?;
    Ok(back(state, organization, id, if on { "enabled" } else { "disabled" }))
}

fn id_in(path: &str) -> Result<WebhookId, ApiError> {
    WebhookId::from_str(path).map_err(|_| ApiError::NotFound)
}

fn back(state: &State, organization: OrganizationId, id: WebhookId, word: &str) -> HttpResponse {
    done(state, &format!("/{organization}/webhooks/{id}"), word)
}
