//! `/console/{organization}/batches`: inviting many at once, by a file.

use std::str::FromStr;

use actix_web::web::{Path, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use adapters::store::{BatchPlan, BatchView, OrganizationRef, Started};
use adapters::templates::ConsolePage;
use domain::{BatchId, BatchMode, Name};

use super::show::{again, sentence};
use super::upload::Upload;
use super::visitor::STALE;
use super::{Visitor, done, page};
use crate::batch_file::Format;
use crate::deadline;
use crate::problem::{ApiError, FieldError};
use crate::routes::batches::create::Arrival;
use crate::state::State;

const SHOWN: usize = 50;
/// A file that a form sends is in memory; the API and the command line take larger ones.
const LARGEST: usize = 8 * 1024 * 1024;
/// The fields around it.
const AROUND: usize = 16 * 1024;

/// Lists them, newest first.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let before = request.query_string().split('&').find_map(|part| part.strip_prefix("cursor="));
    let before = before.map(BatchId::from_str).transpose().map_err(|_| ApiError::NotFound)?;
    let (batches, next) = listed(&state, &organization, before).await?;
    let shown =
        ConsolePage::Batches { batches: &batches, next, problem: None, faults: &[], atomic: false };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Takes a file in, or says what is wrong with it.
pub async fn take(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let _arriving = state.arriving.try_acquire().map_err(|_| ApiError::Busy)?;
    deadline::put_off(&request, state.batches.receive_timeout);
    let form = Upload::read(LARGEST + AROUND, &request, payload).await?;
    if !visitor.sent(form.field("csrf")) {
        return Err(ApiError::BadRequest(STALE.to_owned()));
    }
    let mode = BatchMode::parse(form.field("mode")).unwrap_or(BatchMode::Partial);
    match taken(&state, &visitor, &organization, &request, form, mode).await {
        Ok(batch) => {
            let path = format!("/{}/batches/{}", organization.id, batch.id);
            Ok(done(&state, &path, "batch-taken"))
        }
        Err(error) => {
            let (batches, next) = listed(&state, &organization, None).await?;
            let (why, faults) = told(&error);
            let problem = Some(why.as_str());
            let atomic = mode == BatchMode::Atomic;
            let shown =
                ConsolePage::Batches { batches: &batches, next, problem, faults: &faults, atomic };
            again(&state, &visitor, &organization, &error, &shown)
        }
    }
}

async fn taken(
    state: &State,
    visitor: &Visitor,
    organization: &OrganizationRef,
    request: &HttpRequest,
    form: Upload,
    mode: BatchMode,
) -> Result<Box<BatchView>, ApiError> {
    if form.file.is_empty() {
        let missing = FieldError::new("file", "is empty; choose one with people in it");
        return Err(ApiError::Invalid(vec![missing]));
    }
    // What cannot be a name is none.
    let name = Name::parse(&form.name).ok().map(|name| name.as_str().to_owned());
    let format = format_of(&form.name);
    let largest = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    let limit = format.limit(state.batches.body_limit_bytes).min(largest);
    let arrival = Arrival { state, organization, by: visitor.auth.actor(), request, format, limit };
    let mut file = dev::Payload::from(form.file);
    let file = Payload::from_request(request, &mut file).await.map_err(|_| ApiError::Internal)?;
    match arrival.take(BatchPlan { name, mode }, file).await? {
        Started::Done(batch) => Ok(batch),
        // Only a request with an idempotency key can be one.
        Started::Replayed(_) | Started::KeyReused => Err(ApiError::Internal),
    }
}

async fn listed(
    state: &State,
    organization: &OrganizationRef,
    before: Option<BatchId>,
) -> Result<(Vec<BatchView>, Option<String>), ApiError> {
    // One more than is shown tells whether there is a next page.
    let mut batches = state.store.batches(organization.id, before, SHOWN as u64 + 1).await?;
    let more = batches.len() > SHOWN;
    batches.truncate(SHOWN);
    let next = batches.last().filter(|_| more).map(|last| last.id.to_string());
    Ok((batches, next))
}

fn format_of(name: &str) -> Format {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("json") => Format::Json,
        Some("ndjson" | "jsonl") => Format::Ndjson,
        _ => Format::Csv,
    }
}

/// The error in a sentence, and each row that is wrong.
fn told(error: &ApiError) -> (String, Vec<String>) {
    match error {
        ApiError::BatchRefused(errors) | ApiError::Invalid(errors) if errors.len() > 1 => {
            let each = errors.iter().map(|error| format!("{}: {}", error.field, error.message));
            ("Some rows are wrong, and nobody is invited.".to_owned(), each.collect())
        }
        ApiError::BatchRefused(errors) => {
            let each = errors.iter().map(|error| format!("{}: {}", error.field, error.message));
            (error.to_string(), each.collect())
        }
        other => (sentence(other), Vec::new()),
    }
}
