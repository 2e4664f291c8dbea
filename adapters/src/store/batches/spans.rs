//! What is traced of a batch whose rows are invited: long after its request, and perhaps many thousands.
//!
//! The trace of the request gets a span for each transaction, as long as that is of use to somebody who
//! looks at it, and the end of the batch. The mail of a row is a trace of its own, which links to the
//! request: in one trace, twenty spans a mail would be millions.

use entity::batch;

use crate::trace::{Span, SpanKind, TraceContext, Tracer};

/// The first of so many rows have their transactions in the trace of the request: mostly 200 rows each, but
/// only one where the mail server is slow.
const SHOWN: i32 = 10_000;

/// What one transaction does.
pub(super) struct Spans {
    transaction: Span,
    /// One for each row that is invited, in their order.
    pub(super) rows: Vec<Span>,
}

impl Spans {
    /// To be begun before the rows are invited, and kept until that is done.
    pub(super) fn begin(
        tracer: &Tracer,
        batch: &batch::Model,
        rows: impl ExactSizeIterator<Item = i32> + Clone,
    ) -> Self {
        let request = request(batch);
        let shown = rows.clone().next().is_some_and(|number| number <= SHOWN);
        let mut transaction =
            tracer.follow(request.filter(|_| shown), "invite rows", SpanKind::Internal);
        transaction.set("batch.id", || batch.id.to_string());
        transaction.set("batch.rows", || i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let begin = |number: i32| {
            let mut row = tracer.begin("invite row", request);
            row.set("batch.id", || batch.id.to_string());
            row.set("batch.row", || i64::from(number));
            row
        };
        Self { transaction, rows: rows.map(begin).collect() }
    }

    /// The transaction is rolled back.
    pub(super) fn give_up(&mut self) {
        for span in self.rows.iter_mut().chain([&mut self.transaction]) {
            span.fail("given up");
        }
    }
}

/// The end of a batch.
pub(super) fn finish(tracer: &Tracer, batch: &batch::Model) -> Span {
    let mut span = tracer.follow(request(batch), "finish batch", SpanKind::Internal);
    span.set("batch.id", || batch.id.to_string());
    span
}

fn request(batch: &batch::Model) -> Option<TraceContext> {
    batch.traceparent.as_deref().and_then(TraceContext::parse)
}
