//! `GET …/webhooks/{webhook}/deliveries`: what an endpoint was told, newest first.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{WebhookDeliveryView, WebhookLogFilter};
use domain::{WebhookDeliveryId, WebhookDeliveryStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{admin_of, webhook_id};
use crate::auth::Auth;
use crate::openapi::params::WebhookPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryList)]
struct List {
    /// At most as many as asked for.
    data: Vec<WebhookDeliveryView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only deliveries that stand there.
    #[param(value_type = Option<WebhookDeliveryStatus>, nullable = false)]
    status: Option<String>,
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Uuid>, nullable = false)]
    cursor: Option<String>,
}

/// Lists what a webhook was told.
///
/// Newest first, a page at a time, with every attempt. Kept for 30 days, unless the operator says
/// otherwise.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/webhooks/{webhook}/deliveries",
    operation_id = "list_webhook_deliveries",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookPath, Query),
    responses((
        status = 200,
        description = "A page of deliveries.",
        body = List,
        links(("ReplayWebhookDelivery" = (
            operation_id = "replay_webhook_delivery",
            parameters(
                ("organization" = "$request.path.organization"),
                ("webhook" = "$request.path.webhook"),
                ("webhook_delivery" = "$response.body#/data/0/id"),
            ),
            description = "Tells the webhook of the newest one once more.",
        ))),
    )),
    extensions(("x-problems" = json!(["bad_request", "forbidden", "not_found", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let id = webhook_id(&path.1)?;
    let mut filter = parse(request.query_string())?;
    let shown = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    // One more than asked for tells whether there is a next page.
    filter.limit += 1;
    let found = state.store.webhook_deliveries(organization, id, filter).await?;
    let mut data = found.ok_or(ApiError::NotFound)?;
    let more = data.len() > shown;
    data.truncate(shown);
    let next_cursor = data.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

fn parse(query: &str) -> Result<WebhookLogFilter, ApiError> {
    let query: Query = serde_urlencoded::from_str(query).map_err(|_| {
        let known = "status, limit and cursor";
        ApiError::BadRequest(format!("The query may have {known}, each once."))
    })?;
    let mut errors = Vec::new();
    let status = query.status.and_then(|text| {
        let status = WebhookDeliveryStatus::parse(&text);
        if status.is_none() {
            let known = WebhookDeliveryStatus::ALL.map(WebhookDeliveryStatus::as_str).join(", ");
            errors.push(FieldError::new("status", format!("must be one of {known}")));
        }
        status
    });
    let limit = query.limit.map_or(Some(DEFAULT_LIMIT), |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
    });
    if limit.is_none() {
        errors.push(FieldError::new("limit", format!("must be a number from 1 to {MAX_LIMIT}")));
    }
    let before = query.cursor.map(|text| WebhookDeliveryId::from_str(&text)).transpose();
    if before.is_err() {
        errors.push(FieldError::new("cursor", "must be a next_cursor of this list"));
    }
    match (limit, before) {
        (Some(limit), Ok(before)) if errors.is_empty() => {
            Ok(WebhookLogFilter { status, before, limit })
        }
        _ => Err(ApiError::Invalid(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_limit_and_cursor() {
        let all = parse("").unwrap();
        assert!(all.status.is_none() && all.before.is_none() && all.limit == 50);
        let cursor = "01890a5d-ac96-774b-bcce-b302099a8057";
        let some = parse(&format!("status=failed&limit=100&cursor={cursor}")).unwrap();
        assert_eq!(some.status, Some(WebhookDeliveryStatus::Failed));
        assert_eq!(some.before.map(|id| id.to_string()).as_deref(), Some(cursor));
        let Err(ApiError::Invalid(errors)) = parse("status=x&limit=0&cursor=x") else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["status", "limit", "cursor"]);
        assert!(matches!(parse("offset=1"), Err(ApiError::BadRequest(_))));
    }
}
