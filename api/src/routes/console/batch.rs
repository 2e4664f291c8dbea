//! `/console/{organization}/batches/{batch}`: how far one is, and what became of its rows.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{BatchDetail, BatchRowFilter, BatchRowView};
use adapters::templates::ConsolePage;
use domain::{BatchId, BatchRowStatus, BatchStatus, OrganizationId};

use super::{Nothing, Signed, Visitor, done, page};
use crate::problem::ApiError;
use crate::routes::batches::csv;
use crate::state::State;

type InPath = Path<(String, String)>;

/// Rows of each kind that a page shows.
const SHOWN: u64 = 50;
/// By which nobody is invited.
const IN_VAIN: [BatchRowStatus; 3] =
    [BatchRowStatus::Invalid, BatchRowStatus::Refused, BatchRowStatus::Failed];

/// Shows it.
pub async fn show(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    path: InPath,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &path.0).await?;
    let id = id_in(&path)?;
    let batch = state.store.batch(organization.id, id).await?.ok_or(ApiError::NotFound)?;
    let mut rows = Vec::new();
    for status in IN_VAIN {
        rows.extend(rows_of(&state, organization.id, &batch, status).await?);
    }
    let count =
        |status: BatchRowStatus| batch.batch.rows.get(status.as_str()).copied().unwrap_or_default();
    let waiting = u32::try_from(count(BatchRowStatus::Waiting)).unwrap_or(u32::MAX);
    let shown = ConsolePage::Batch {
        done: batch.batch.total.saturating_sub(waiting),
        working: batch.batch.status == BatchStatus::Working,
        again: count(BatchRowStatus::Refused) + count(BatchRowStatus::Failed) > 0,
        rows: &rows,
        batch: &batch,
    };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// All rows as a file.
pub async fn rows_as_csv(
    visitor: Visitor,
    state: State,
    path: InPath,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &path.0).await?.id;
    csv::answer(state, organization, id_in(&path)?, None).await
}

/// Tries those again that were refused or failed.
pub async fn retry(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    let id = id_in(&path)?;
    state.store.retry_batch(organization, id).await?.ok_or(ApiError::NotFound)?;
    Ok(back(&state, organization, id, "batch-retried"))
}

/// Stops it.
pub async fn cancel(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    let id = id_in(&path)?;
    let batch = state.store.cancel_batch(organization, id).await?.ok_or(ApiError::NotFound)?;
    let stopped = batch.status == BatchStatus::Cancelled;
    Ok(back(&state, organization, id, if stopped { "batch-cancelled" } else { "batch-was-done" }))
}

async fn rows_of(
    state: &State,
    organization: OrganizationId,
    batch: &BatchDetail,
    status: BatchRowStatus,
) -> Result<Vec<BatchRowView>, ApiError> {
    if batch.batch.rows.get(status.as_str()).is_none_or(|count| *count == 0) {
        return Ok(Vec::new());
    }
    let filter = BatchRowFilter { status: Some(status), after: 0, limit: SHOWN };
    let rows = state.store.batch_rows(organization, batch.batch.id, filter).await?;
    rows.ok_or(ApiError::NotFound)
}

fn id_in(path: &InPath) -> Result<BatchId, ApiError> {
    BatchId::from_str(&path.1).map_err(|_| ApiError::NotFound)
}

fn back(state: &State, organization: OrganizationId, id: BatchId, word: &str) -> HttpResponse {
    done(state, &format!("/{organization}/batches/{id}"), word)
}
