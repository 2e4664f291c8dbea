//! Trying again what a batch could not invite, and stopping one.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::BatchView;

use super::batch_id;
use crate::auth::Auth;
use crate::openapi::params::BatchPath;
use crate::problem::ApiError;
use crate::state::State;

/// Tries the failed rows again.
///
/// Rows that were refused, by a limit for example, or failed through our fault wait for their turn once
/// more. All others stay as they are: nobody is invited twice.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/batches/{batch}/retry",
    operation_id = "retry_batch",
    tag = "Batches",
    security(("bearer" = [])),
    params(BatchPath),
    responses((status = 200, description = "The batch as it stands now.", body = BatchView)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn retry(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let batch = state.store.retry_batch(organization, batch_id(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(batch.ok_or(ApiError::NotFound)?))
}

/// Stops a batch.
///
/// Rows that wait are not invited any more; what was invited stays so. A batch that is done stays as it
/// is.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/batches/{batch}/cancel",
    operation_id = "cancel_batch",
    tag = "Batches",
    security(("bearer" = [])),
    params(BatchPath),
    responses((
        status = 200,
        description = "The batch as it stands now.",
        body = BatchView,
        example = json!({ "status": "cancelled" }),
    )),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn cancel(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &path.0).await?.id;
    auth.require_admin()?;
    let batch = state.store.cancel_batch(organization, batch_id(&path.1)?).await?;
    Ok(HttpResponse::Ok().json(batch.ok_or(ApiError::NotFound)?))
}
