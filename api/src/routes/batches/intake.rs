//! Takes a batch in while it arrives: one thread reads rows, and what it has read is kept some hundred
//! rows at a time.

use std::time::Duration;

use actix_web::web::Payload;
use adapters::store::{SentRow, Store};
use domain::{BatchId, NamePolicy, RolePolicy, Timestamp};
use sha2::Sha256;
use tokio::sync::mpsc;

use super::upload::{self, Body};
use crate::batch_file::{self, Format, Given};
use crate::problem::{ApiError, FieldError};
use crate::routes::invitations::fields;
use crate::state::State;

/// Rows that are kept in one transaction.
const CHUNK: usize = 500;

/// By what rules the rows of one batch are read.
pub struct Rules {
    format: Format,
    max_rows: u32,
    names: NamePolicy,
    roles: RolePolicy,
    locale: String,
    expires_in: Duration,
    resend_interval: Duration,
    now: Timestamp,
}

impl Rules {
    /// Those of the settings and the organization.
    pub fn new(state: &State, format: Format, max_rows: u32, roles: RolePolicy) -> Self {
        Self {
            format,
            max_rows,
            names: state.names,
            roles,
            locale: state.locale.clone(),
            expires_in: state.invitation_expires_in,
            resend_interval: state.resend_interval,
            now: state.store.clock().now(),
        }
    }

    fn row(&self, given: Given) -> SentRow {
        let wanted = given.fields.and_then(|given| {
            let (roles, expires_in) = (&self.roles, self.expires_in);
            let (names, locale) = (self.names, &self.locale);
            let (interval, now) = (self.resend_interval, self.now);
            fields::validate(given, names, roles, locale, expires_in, interval, now)
                .map(Box::new)
                .map_err(|error| batch_file::fault(&error))
        });
        // What cannot be read back must not be kept, and the address is kept as it was understood.
        let email = wanted.as_ref().map_or(given.email, |new| new.email.as_given().to_owned());
        SentRow { line: given.line, email, wanted }
    }

    fn read(&self, body: Body, rows: &mpsc::Sender<Vec<SentRow>>) -> Result<(), ApiError> {
        let (mut count, mut chunk) = (0_u32, Vec::new());
        // The receiver has gone only if it has failed, and says so itself.
        let hand_over = |chunk| rows.blocking_send(chunk).map_err(|_| ApiError::Internal);
        self.format.read(body, &mut |given| {
            count += 1;
            if count > self.max_rows {
                return Err(ApiError::TooManyRows(self.max_rows));
            }
            chunk.push(self.row(given));
            if chunk.len() == CHUNK {
                hand_over(std::mem::take(&mut chunk))?;
            }
            Ok(())
        })?;
        if count == 0 {
            let nothing = FieldError::new("", "has no rows; send at least one");
            return Err(ApiError::Invalid(vec![nothing]));
        }
        hand_over(chunk)
    }
}

/// Reads all rows and keeps them for `batch`; how many there are.
pub async fn keep(
    rules: Rules,
    payload: Payload,
    limit: u64,
    hash: &mut Sha256,
    store: &Store,
    batch: BatchId,
) -> Result<u32, ApiError> {
    let kept = async move |mut rows: mpsc::Receiver<Vec<SentRow>>| {
        let mut total = 0;
        while let Some(chunk) = rows.recv().await {
            let count = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            store.add_batch_rows(batch, total + 1, chunk).await?;
            total += count;
        }
        Ok(total)
    };
    receive(rules, payload, limit, hash, kept).await
}

/// Reads all rows into memory: of an atomic batch there are few.
pub async fn collect(
    rules: Rules,
    payload: Payload,
    limit: u64,
    hash: &mut Sha256,
) -> Result<Vec<SentRow>, ApiError> {
    let collected = async |mut rows: mpsc::Receiver<Vec<SentRow>>| {
        let mut all = Vec::new();
        while let Some(chunk) = rows.recv().await {
            all.extend(chunk);
        }
        Ok(all)
    };
    receive(rules, payload, limit, hash, collected).await
}

async fn receive<T>(
    rules: Rules,
    payload: Payload,
    limit: u64,
    hash: &mut Sha256,
    take: impl AsyncFnOnce(mpsc::Receiver<Vec<SentRow>>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let (pump, body) = upload::body(limit);
    let (send, rows) = mpsc::channel(1);
    let reading = tokio::task::spawn_blocking(move || rules.read(body, &send));
    let (pumped, taken) = tokio::join!(pump.run(payload, hash), take(rows));
    let read = reading.await.map_err(|error| {
        tracing::error!(%error, "the reader of a batch ended badly");
        ApiError::Internal
    })?;
    // The first cause first: whatever ends one of the three ends the others.
    pumped?;
    let taken = taken?;
    read?;
    Ok(taken)
}
