//! The rows of a batch as one file of comma-separated values, however many there are.

use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{BatchRowFilter, BatchRowView};
use domain::{BatchId, BatchRowStatus, OrganizationId};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{batch_id, read};
use crate::auth::Auth;
use crate::batch_file::csv_line;
use crate::openapi::params::BatchPath;
use crate::problem::ApiError;
use crate::routes::page;
use crate::state::State;

/// Rows that are read and sent at once.
const CHUNK: u64 = 1000;
const HEADER: [&str; 7] = ["number", "line", "email", "status", "code", "detail", "invitation_id"];

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only rows that stand there.
    #[param(value_type = Option<BatchRowStatus>, nullable = false)]
    status: Option<String>,
}

/// Gives the rows of a batch as CSV.
///
/// All of them, or all that stand somewhere. A cell that a spreadsheet would take for a formula begins
/// with an apostrophe.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/batches/{batch}/rows.csv",
    operation_id = "get_batch_rows_as_csv",
    tag = "Batches",
    security(("bearer" = [])),
    params(BatchPath, Query),
    responses((
        status = 200,
        description = "A header and the rows.",
        body = String,
        content_type = "text/csv",
        example = "number,line,email,status,code,detail,invitation_id\r\n1,2,ann@example.com,created,,,01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11\r\n",
    )),
    extensions(("x-problems" = json!(["bad_request", "not_found", "validation_failed"]))),
)]
pub async fn rows_as_csv(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    let batch = batch_id(&path.1)?;
    let query: Query = page::parse(request.query_string(), "status")?;
    let mut errors = Vec::new();
    let status = read::status(query.status.as_deref(), &mut errors);
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    answer(state, organization, batch, status).await
}

/// The rows that stand there, or all, as an answer that is sent while they are read.
pub async fn answer(
    state: State,
    organization: OrganizationId,
    batch: BatchId,
    status: Option<BatchRowStatus>,
) -> Result<HttpResponse, ApiError> {
    let reading = Reading { state, organization, batch, status };
    // The first rows are read before the answer begins, so that one that cannot be given is an error.
    let first = reading.after(0).await?;
    let mut text = csv_line(HEADER);
    text.extend(first.iter().map(line));
    let next = first.last().map(|row| row.number);
    let start = stream::once(async move { Ok::<_, ApiError>(Bytes::from(text)) });
    let rest = stream::try_unfold((reading, next), |(reading, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let rows = reading.after(after).await?;
        let Some(last) = rows.last().map(|row| row.number) else { return Ok(None) };
        let text: String = rows.iter().map(line).collect();
        Ok(Some((Bytes::from(text), (reading, Some(last)))))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{batch}.csv\"")))
        .streaming(futures_util::StreamExt::chain(start, rest)))
}

struct Reading {
    state: State,
    organization: OrganizationId,
    batch: BatchId,
    status: Option<BatchRowStatus>,
}

impl Reading {
    async fn after(&self, after: u32) -> Result<Vec<BatchRowView>, ApiError> {
        let filter = BatchRowFilter { status: self.status, after, limit: CHUNK };
        let rows = self.state.store.batch_rows(self.organization, self.batch, filter).await?;
        rows.ok_or(ApiError::NotFound)
    }
}

fn line(row: &BatchRowView) -> String {
    let (number, line) = (row.number.to_string(), row.line.to_string());
    let invitation = row.invitation_id.map(|id| id.to_string()).unwrap_or_default();
    let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let (code, detail) = (text(&row.code), text(&row.detail));
    csv_line([&number, &line, &row.email, row.status.as_str(), &code, &detail, &*invitation])
}
