//! `POST /v1/organizations/{id}/batches`: takes many invitations in.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{
    Actor, AtOnce, BatchPlan, BatchView, Begun, IdempotencyKey, OrganizationRef, Started,
};
use domain::{BatchId, BatchMode, Name, OrganizationId, SecretHash};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::intake::{self, Rules};
use super::upload;
use crate::auth::Auth;
use crate::batch_file::Format;
use crate::openapi::params::{IdempotencyKey as KeyHeader, OrganizationPath};
use crate::problem::{ApiError, FieldError};
use crate::routes::invitations::fields::Fields;
use crate::state::State;
use crate::{batches, deadline, idempotency};

const ROUTE: &str = "POST /v1/organizations/{id}/batches";
/// Rows that an answer lists at most.
const LISTED: usize = 100;

/// Many people to invite.
#[derive(ToSchema)]
#[schema(as = NewBatch)]
#[expect(dead_code, reason = "this type is only read by the document")]
struct Body {
    /// Each as if it were asked for alone.
    #[schema(min_items = 1, example = json!([
        { "email": "zoe@example.com", "first_name": "Zoe", "role": "editor" },
        { "email": "yan@example.com" },
    ]))]
    invitations: Vec<Fields>,
}

#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// What one bad row does to the others; `partial` without it.
    #[param(value_type = Option<BatchMode>, nullable = false)]
    mode: Option<String>,
    /// What you call the batch: one line of at most 64 visible characters.
    #[param(
        nullable = false,
        pattern = "^[ -~]*[!-~][ -~]*$",
        max_length = 64,
        example = "people.csv"
    )]
    name: Option<String>,
}

/// Invites many people.
///
/// As JSON, as NDJSON (an object a line) or as CSV (a header with some of the columns `email`,
/// `first_name`, `last_name`, `role`, `locale`, `expires_in`, `send_at` and `on_existing`; cells parted by commas or semicolons). A
/// partial batch is answered once all rows are kept; they are invited one after the other, and a row
/// that makes no sense harms no other. An atomic batch is answered once everybody is invited: if that
/// cannot be, nobody is, and the answer lists the rows, which count from 1.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/batches",
    operation_id = "create_batch",
    tag = "Batches",
    security(("bearer" = [])),
    params(OrganizationPath, Query, KeyHeader),
    request_body(content(
        (Body = "application/json"),
        (String = "application/x-ndjson", example = json!(
            "{\"email\":\"ann@example.com\"}\n{\"email\":\"bob@example.com\"}\n"
        )),
        (String = "text/csv", example = json!(
            "email,first_name,role\nann@example.com,Ann,editor\nbob@example.com,Bob,\n"
        )),
    )),
    responses(
        (
            status = 202,
            description = "The rows of a partial batch are kept, and will be worked on.",
            body = BatchView,
            headers(
                ("Location" = String, description = "Where the batch is read."),
                ("Idempotency-Replayed" = String, description = "`true` if this answer is that of an earlier request with the same key."),
            ),
            links(("GetBatch" = (
                operation_id = "get_batch",
                parameters(
                    ("organization" = "$response.body#/organization_id"),
                    ("batch" = "$response.body#/id"),
                ),
                description = "Follows what becomes of it.",
            ))),
            example = json!({ "status": "working", "finished_at": null }),
        ),
        (
            status = 201,
            description = "All rows of an atomic batch are invited.",
            body = BatchView,
            headers(
                ("Location" = String, description = "Where the batch is read."),
                ("Idempotency-Replayed" = String, description = "`true` if this answer is that of an earlier request with the same key."),
            ),
            example = json!({ "mode": "atomic" }),
        ),
    ),
    extensions(("x-problems" = json!([
        "forbidden", "not_found", "batch_refused", "too_many_rows", "too_many_batches",
    ]))),
)]
pub async fn create(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &organization).await?;
    auth.require_admin()?;
    let plan = plan(request.query_string())?;
    let format = Format::of(request.headers())?;
    let limit = format.limit(state.batches.body_limit_bytes);
    check_length(&request, limit)?;
    // Whoever sends a wrong key hears of it before they have sent the rest.
    idempotency::given(request.headers())?;
    let _arriving = state.arriving.try_acquire().map_err(|_| ApiError::Busy)?;
    deadline::put_off(&request, state.batches.receive_timeout);
    let arrival = Arrival {
        state: &state,
        organization: &organization,
        by: auth.actor(),
        request: &request,
        format,
        limit,
    };
    let status = match plan.mode {
        BatchMode::Partial => StatusCode::ACCEPTED,
        BatchMode::Atomic => StatusCode::CREATED,
    };
    answer(status, organization.id, arrival.take(plan, payload).await?)
}

/// A batch on its way in.
pub struct Arrival<'a> {
    /// Where it is kept, and by which settings.
    pub state: &'a State,
    /// Who invites.
    pub organization: &'a OrganizationRef,
    /// In whose name.
    pub by: Actor,
    /// What brings it, for its idempotency key.
    pub request: &'a HttpRequest,
    /// How its rows are written.
    pub format: Format,
    /// How many bytes it may have.
    pub limit: u64,
}

impl Arrival<'_> {
    /// Takes it in: a partial one is kept then, an atomic one is invited.
    pub async fn take(self, plan: BatchPlan, payload: Payload) -> Result<Started, ApiError> {
        let (store, organization, by) = (&self.state.store, self.organization, self.by.clone());
        if plan.mode == BatchMode::Partial {
            let most = self.state.batches.per_organization;
            let batch = match store.begin_batch(organization.id, by, plan, most).await? {
                Begun::Ready(batch) => batch,
                Begun::TooMany => return Err(ApiError::TooManyBatches(most)),
            };
            let started = self.kept(batch, payload).await;
            if !matches!(started, Ok(Started::Done(_))) {
                // If this fails, the sweep does it.
                drop(store.drop_batch(batch).await);
            }
            return started;
        }
        let (rows, key) = self.collected(payload).await?;
        let senseless = |(at, row): (usize, &adapters::store::SentRow)| {
            Some((at, row.wanted.as_ref().err()?.detail.clone()))
        };
        let faults: Vec<_> = rows.iter().enumerate().filter_map(senseless).collect();
        if !faults.is_empty() {
            return Err(ApiError::Invalid(listed(faults)));
        }
        let explain = batches::explain;
        match store.create_batch_at_once(organization, by, plan, rows, key, explain).await? {
            AtOnce::Started(started) => Ok(started),
            AtOnce::Refused(rows) => {
                let told = rows
                    .into_iter()
                    .map(|(at, fault)| (at, format!("{}: {}", fault.code, fault.detail)));
                Err(ApiError::BatchRefused(listed(told.collect())))
            }
        }
    }

    async fn kept(&self, batch: BatchId, payload: Payload) -> Result<Started, ApiError> {
        let (store, max_rows) = (&self.state.store, self.state.batches.max_rows);
        let rules = self.rules(max_rows);
        let mut hash = self.hash();
        let total = intake::keep(rules, payload, self.limit, &mut hash, store, batch).await?;
        let key = self.key(hash)?;
        Ok(store.start_batch(self.organization.id, batch, total, key).await?)
    }

    fn rules(&self, max_rows: u32) -> Rules {
        Rules::new(self.state, self.format, max_rows, self.organization.roles.clone())
    }

    async fn collected(
        &self,
        payload: Payload,
    ) -> Result<(Vec<adapters::store::SentRow>, Option<IdempotencyKey>), ApiError> {
        let max_rows = self.state.batches.max_atomic_rows;
        let rules = self.rules(max_rows);
        let mut hash = self.hash();
        let rows = intake::collect(rules, payload, self.limit, &mut hash).await?;
        Ok((rows, self.key(hash)?))
    }

    /// Of all that makes this request what it is, but the body.
    fn hash(&self) -> Sha256 {
        let headers = self.request.headers();
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let mut hash = Sha256::new();
        // Neither has a line break.
        for part in [ROUTE.as_bytes(), self.request.query_string().as_bytes(), kind] {
            hash.update(part);
            hash.update(b"\n");
        }
        hash
    }

    fn key(&self, hash: Sha256) -> Result<Option<IdempotencyKey>, ApiError> {
        let Some(key) = idempotency::given(self.request.headers())? else { return Ok(None) };
        let fingerprint = SecretHash::from_bytes(&hash.finalize()).ok_or(ApiError::Internal)?;
        Ok(Some(IdempotencyKey { key, route: ROUTE, fingerprint }))
    }
}

fn plan(query: &str) -> Result<BatchPlan, ApiError> {
    let query: Query = serde_urlencoded::from_str(query).map_err(|_| {
        ApiError::BadRequest("The query may have mode and name, each once.".to_owned())
    })?;
    let mut errors = Vec::new();
    let mode = query.mode.map_or(Some(BatchMode::Partial), |word| BatchMode::parse(&word));
    if mode.is_none() {
        errors.push(FieldError::new("mode", "must be one of partial, atomic"));
    }
    let name = query.name.map(|text| Name::parse(&text)).transpose().unwrap_or_else(|error| {
        errors.push(FieldError::new("name", error));
        None
    });
    match mode {
        Some(mode) if errors.is_empty() => {
            Ok(BatchPlan { name: name.map(|name| name.as_str().to_owned()), mode })
        }
        _ => Err(ApiError::Invalid(errors)),
    }
}

/// Believes an announced length before any of it is read.
fn check_length(request: &HttpRequest, limit: u64) -> Result<(), ApiError> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(upload::too_large(limit));
    }
    Ok(())
}

/// By their numbers, which are one more than their places.
fn listed(rows: Vec<(usize, String)>) -> Vec<FieldError> {
    let more = rows.len().saturating_sub(LISTED);
    let one = |(at, words)| FieldError::new(format!("rows[{}]", at + 1), words);
    let mut listed: Vec<_> = rows.into_iter().take(LISTED).map(one).collect();
    if more > 0 {
        listed.push(FieldError::new("rows", format!("has {more} more such rows")));
    }
    listed
}

fn answer(
    status: StatusCode,
    organization: OrganizationId,
    started: Started,
) -> Result<HttpResponse, ApiError> {
    let location =
        |batch: &str| ("Location", format!("/v1/organizations/{organization}/batches/{batch}"));
    match started {
        Started::Done(batch) => {
            let location = location(&batch.id.to_string());
            Ok(HttpResponse::build(status).insert_header(location).json(*batch))
        }
        // As the first time, byte for byte.
        Started::Replayed(first) => {
            let body: Value = serde_json::from_str(&first).map_err(|_| ApiError::Internal)?;
            let id = body.get("id").and_then(Value::as_str).ok_or(ApiError::Internal)?;
            Ok(HttpResponse::build(status)
                .insert_header(idempotency::REPLAYED)
                .insert_header(location(id))
                .content_type("application/json")
                .body(first))
        }
        Started::KeyReused => Err(ApiError::IdempotencyKeyReused),
    }
}
