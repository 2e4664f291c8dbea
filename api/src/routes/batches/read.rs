//! Reading batches: all of them, one with its counts, or a page of its rows.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{BatchDetail, BatchRowFilter, BatchRowView, BatchView};
use domain::BatchRowStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::batch_id;
use crate::auth::Auth;
use crate::openapi::params::{BatchPath, OrganizationPath};
use crate::problem::{ApiError, FieldError};
use crate::routes::page::{self, IdPageQuery, Page};
use crate::state::State;

/// A page of batches.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchList)]
struct List {
    /// At most as many as asked for.
    data: Vec<BatchView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// A page of rows.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchRowList)]
struct Rows {
    /// At most as many as asked for.
    data: Vec<BatchRowView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RowsQuery {
    /// Only rows that stand there.
    #[param(value_type = Option<BatchRowStatus>, nullable = false)]
    status: Option<String>,
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(nullable = false, pattern = "^[0-9]{1,9}$")]
    cursor: Option<String>,
}

/// Lists batches.
///
/// Newest first, a page at a time. Kept for 30 days after their end, unless the operator says otherwise.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/batches",
    operation_id = "list_batches",
    tag = "Batches",
    security(("bearer" = [])),
    params(OrganizationPath, IdPageQuery),
    responses((status = 200, description = "A page of batches.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "not_found", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &organization).await?.id;
    let page = Page::by_id(request.query_string())?;
    let found = state.store.batches(organization, page.after, page.rows()).await?;
    let (data, next_cursor) = page.cut(found, |batch| batch.id);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// Shows a batch.
///
/// With the number of its rows, of their invitations and of the newest mails of these, by where they
/// stand.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/batches/{batch}",
    operation_id = "get_batch",
    tag = "Batches",
    security(("bearer" = [])),
    params(BatchPath),
    responses((status = 200, description = "The batch.", body = BatchDetail)),
    extensions(("x-problems" = json!(["not_found"]))),
)]
pub async fn get(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    let batch = state.store.batch(organization, batch_id(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(batch.ok_or(ApiError::NotFound)?))
}

/// Lists the rows of a batch.
///
/// In their order, a page at a time, each with what became of it.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/batches/{batch}/rows",
    operation_id = "list_batch_rows",
    tag = "Batches",
    security(("bearer" = [])),
    params(BatchPath, RowsQuery),
    responses((status = 200, description = "A page of rows.", body = Rows)),
    extensions(("x-problems" = json!(["bad_request", "not_found", "validation_failed"]))),
)]
pub async fn rows(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    let batch = batch_id(&path.1)?;
    let (status, page) = wanted(request.query_string())?;
    let filter = BatchRowFilter { status, after: page.after.unwrap_or(0), limit: page.rows() };
    let found = state.store.batch_rows(organization, batch, filter).await?;
    let (data, next_cursor) = page.cut(found.ok_or(ApiError::NotFound)?, |row| row.number);
    Ok(HttpResponse::Ok().json(Rows { data, next_cursor }))
}

/// Reads which rows are asked for.
fn wanted(query: &str) -> Result<(Option<BatchRowStatus>, Page<u32>), ApiError> {
    let query: RowsQuery = page::parse(query, "status, limit and cursor")?;
    let mut errors = Vec::new();
    let status = status(query.status.as_deref(), &mut errors);
    let page = Page::read(query.limit, query.cursor, &mut errors);
    if errors.is_empty() { Ok((status, page)) } else { Err(ApiError::Invalid(errors)) }
}

/// Reads a row's status, if one is given.
pub fn status(given: Option<&str>, errors: &mut Vec<FieldError>) -> Option<BatchRowStatus> {
    let status = BatchRowStatus::parse(given?);
    if status.is_none() {
        let known = BatchRowStatus::ALL.map(BatchRowStatus::as_str).join(", ");
        errors.push(FieldError::new("status", format!("must be one of {known}")));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let (status, page) = wanted("status=refused&cursor=7").unwrap();
        assert_eq!((status, page.after), (Some(BatchRowStatus::Refused), Some(7)));
        let Err(ApiError::Invalid(errors)) = wanted("status=x&limit=0&cursor=x") else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["status", "limit", "cursor"]);
    }
}
