//! Reading batches: all of them, one with its counts, or a page of its rows.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{BatchDetail, BatchRowFilter, BatchRowView, BatchView};
use domain::{BatchId, BatchRowStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::batch_id;
use crate::auth::Auth;
use crate::openapi::params::{BatchPath, OrganizationPath};
use crate::problem::{ApiError, FieldError};
use crate::state::State;

const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;

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
struct ListQuery {
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Uuid>, nullable = false)]
    cursor: Option<String>,
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
    params(OrganizationPath, ListQuery),
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
    let query: ListQuery = parse(request.query_string(), "limit and cursor")?;
    let mut errors = Vec::new();
    let limit = limit(query.limit.as_deref(), &mut errors);
    let before = query.cursor.map(|text| BatchId::from_str(&text)).transpose();
    let before = before.unwrap_or_else(|_| {
        errors.push(FieldError::new("cursor", "must be a next_cursor of this list"));
        None
    });
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    // One more than asked for tells whether there is a next page.
    let mut data = state.store.batches(organization, before, limit + 1).await?;
    let next_cursor = cut(&mut data, limit, |last| last.id.to_string());
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
    let mut filter = filter(request.query_string())?;
    let shown = filter.limit;
    filter.limit += 1;
    let found = state.store.batch_rows(organization, batch, filter).await?;
    let mut data = found.ok_or(ApiError::NotFound)?;
    let next_cursor = cut(&mut data, shown, |last| last.number.to_string());
    Ok(HttpResponse::Ok().json(Rows { data, next_cursor }))
}

/// Reads which rows are asked for.
fn filter(query: &str) -> Result<BatchRowFilter, ApiError> {
    let query: RowsQuery = parse(query, "status, limit and cursor")?;
    let mut errors = Vec::new();
    let status = status(query.status.as_deref(), &mut errors);
    let limit = limit(query.limit.as_deref(), &mut errors);
    let after = query.cursor.map_or(Ok(0), |text| text.parse()).unwrap_or_else(|_| {
        errors.push(FieldError::new("cursor", "must be a next_cursor of this list"));
        0
    });
    if errors.is_empty() {
        Ok(BatchRowFilter { status, after, limit })
    } else {
        Err(ApiError::Invalid(errors))
    }
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

/// Reads a query that may have these fields, each once.
pub fn parse<'a, T: Deserialize<'a>>(query: &'a str, known: &str) -> Result<T, ApiError> {
    serde_urlencoded::from_str(query)
        .map_err(|_| ApiError::BadRequest(format!("The query may have {known}, each once.")))
}

fn limit(given: Option<&str>, errors: &mut Vec<FieldError>) -> u64 {
    let limit = given.map_or(Some(DEFAULT_LIMIT), |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
    });
    limit.unwrap_or_else(|| {
        errors.push(FieldError::new("limit", format!("must be a number from 1 to {MAX_LIMIT}")));
        DEFAULT_LIMIT
    })
}

/// Takes off what is more than asked for; gives the cursor of the next page, if there is one.
fn cut<T>(data: &mut Vec<T>, shown: u64, cursor: impl Fn(&T) -> String) -> Option<String> {
    let shown = usize::try_from(shown).unwrap_or(usize::MAX);
    let more = data.len() > shown;
    data.truncate(shown);
    data.last().filter(|_| more).map(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_which_rows_are_asked_for() {
        let all = filter("").unwrap();
        assert_eq!((all.status, all.after, all.limit), (None, 0, 50));
        let some = filter("status=refused&limit=100&cursor=7").unwrap();
        assert_eq!(some.status, Some(BatchRowStatus::Refused));
        assert_eq!((some.after, some.limit), (7, 100));
        let Err(ApiError::Invalid(errors)) = filter("status=x&limit=0&cursor=x") else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["status", "limit", "cursor"]);
        assert!(matches!(filter("offset=1"), Err(ApiError::BadRequest(_))));
    }
}
