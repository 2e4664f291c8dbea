//! Jobs that are queued once more because they got lost: where in a trace they belong.

use std::collections::HashMap;

use domain::Timestamp;
use domain::job::JobV1;
use entity::outbox as outbox_row;
use sea_orm::prelude::Uuid;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Result, Store, bulk, convert, outbox};
use crate::trace::{Span, SpanKind, TraceContext};

/// What the outbox tells of lost jobs, by subject and generation: nothing, or where they belonged.
type Known = HashMap<(Uuid, i32), Option<TraceContext>>;

impl Store {
    /// Rows of the outbox for jobs that are due then, to be inserted in `tx`.
    ///
    /// Each is part of the trace of the job that was lost, by a span of this name. The outbox keeps what
    /// was published for a day: whatever is older begins a trace of its own. What was not traced stays so.
    pub(super) async fn queued_again(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        name: &'static str,
        jobs: &[(JobV1, Timestamp)],
    ) -> Result<Vec<outbox_row::ActiveModel>> {
        let known = self.known(tx, jobs).await?;
        let rows = jobs.iter().map(|&(job, due)| {
            let mut row = outbox::job_row(now, job, due);
            let span = self.again(&known, name, job);
            row.traceparent = span.context().map(|context| context.to_string());
            row
        });
        Ok(outbox::written(rows.collect()))
    }

    /// The moment itself: what lies before it is the loss.
    fn again(&self, known: &Known, name: &'static str, job: JobV1) -> Span {
        let mut span = match known.get(&place(job)) {
            Some(context) => self.tracer.follow(*context, name, SpanKind::Internal),
            None => self.tracer.begin(name, None),
        };
        span.set("job.kind", || job.kind());
        span.set("job.id", || job.subject().to_string());
        span
    }

    async fn known(&self, tx: &DatabaseTransaction, jobs: &[(JobV1, Timestamp)]) -> Result<Known> {
        if jobs.is_empty() || !self.tracer.is_on() {
            return Ok(Known::new());
        }
        let subjects = jobs.iter().map(|(job, _)| job.subject()).collect();
        let rows = outbox_row::Entity::find()
            .select_only()
            .column(outbox_row::Column::SubjectId)
            .column(outbox_row::Column::Generation)
            .column(outbox_row::Column::Traceparent)
            .filter(bulk::is_any(tx, outbox_row::Column::SubjectId, subjects))
            // The newest counts, and is the last.
            .order_by_asc(outbox_row::Column::Id)
            .into_tuple::<(Uuid, i32, Option<String>)>()
            .all(tx)
            .await?;
        let context = |text: Option<String>| text.as_deref().and_then(TraceContext::parse);
        Ok(rows
            .into_iter()
            .map(|(id, generation, text)| ((id, generation), context(text)))
            .collect())
    }
}

fn place(job: JobV1) -> (Uuid, i32) {
    (job.subject(), convert::column(job.generation()))
}
