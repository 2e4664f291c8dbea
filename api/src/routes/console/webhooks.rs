//! `/console/{organization}/webhooks`: who is told of events.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::templates::ConsolePage;

use super::{Visitor, page};
use crate::problem::ApiError;
use crate::state::State;

/// Lists them.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let webhooks = state.store.webhooks(organization.id).await?;
    let shown = ConsolePage::Webhooks { webhooks: &webhooks };
    page(&state, &request, &visitor, Some(&organization), &shown)
}
