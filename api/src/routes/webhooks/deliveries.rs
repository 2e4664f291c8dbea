//! `GET …/webhooks/{webhook}/deliveries`: what an endpoint was told, newest first.

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
use crate::routes::page::{self, Page};
use crate::state::State;

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
    let (status, page) = read(request.query_string())?;
    let filter = WebhookLogFilter { status, before: page.after, limit: page.rows() };
    let found = state.store.webhook_deliveries(organization, id, filter).await?;
    let (data, next_cursor) = page.cut(found.ok_or(ApiError::NotFound)?, |row| row.id);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

type Wanted = (Option<WebhookDeliveryStatus>, Page<WebhookDeliveryId>);

fn read(query: &str) -> Result<Wanted, ApiError> {
    let query: Query = page::parse(query, "status, limit and cursor")?;
    let mut errors = Vec::new();
    let status = query.status.and_then(|text| {
        let status = WebhookDeliveryStatus::parse(&text);
        if status.is_none() {
            let known = WebhookDeliveryStatus::ALL.map(WebhookDeliveryStatus::as_str).join(", ");
            errors.push(FieldError::new("status", format!("must be one of {known}")));
        }
        status
    });
    let page = Page::read(query.limit, query.cursor, &mut errors);
    if errors.is_empty() { Ok((status, page)) } else { Err(ApiError::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        assert_eq!(read("status=failed").unwrap().0, Some(WebhookDeliveryStatus::Failed));
        let Err(ApiError::Invalid(errors)) = read("status=x&limit=0&cursor=x") else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["status", "limit", "cursor"]);
    }
}
