//! Where time goes between a request and its mail, told to a collector of OpenTelemetry: spans, and the
//! context that ties them together across tasks, processes and the outbox (W3C Trace Context).
//!
//! Off unless `traces.endpoint` is set. A span that nobody wants is nothing: no clock is read and nothing
//! allocated for it. A trace begins with a request, or with what nobody requests at that moment, and only
//! there: what has no sampled context is not traced further on either. No address, name, token or text
//! of a mail is ever an attribute.

mod context;
mod export;
mod span;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{Link, SpanBuilder, TraceContextExt, Tracer as _, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::metrics::{Metrics, SpanResult};
use crate::settings::TraceSettings;

pub use context::TraceContext;
pub use opentelemetry::trace::SpanKind;
pub use span::{Carried, Span, Within, carried, current, span};

use context::Incoming;

/// How long the end of a process waits for its last spans to be taken.
const FAREWELL: Duration = Duration::from_secs(3);

/// Begins spans; cheap to clone.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Exporting>>);

struct Exporting {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Tracer {
    /// Exports to the collector of the settings, from a thread of its own; begins nothing without one.
    pub fn new(settings: &TraceSettings, metrics: &Metrics) -> Self {
        let Some(endpoint) = &settings.endpoint else { return Self(None) };
        match export::provider(endpoint, settings.ratio, metrics) {
            Ok(provider) => {
                // They are there before the first of each: an alert can tell that from silence.
                for result in [SpanResult::Exported, SpanResult::Failed, SpanResult::Dropped] {
                    metrics.spans(result, 0);
                }
                let tracer = provider.tracer("welcomat");
                Self(Some(Arc::new(Exporting { tracer, provider })))
            }
            Err(error) => {
                tracing::warn!(%error, "nothing is traced; check traces.endpoint");
                Self(None)
            }
        }
    }

    /// Whether there is anybody to tell.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A request of a client, which may be part of a trace already: then whoever began that has decided
    /// whether it is sampled. `route` is the pattern, never the path.
    pub fn request(&self, method: &str, route: &str, traceparent: Option<&str>) -> Span {
        let Some(exporting) = &self.0 else { return Span::none() };
        let parent = traceparent.and_then(Incoming::parse).map(Incoming::into_parent);
        let attributes = [
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("http.route", route.to_owned()),
        ];
        let name = format!("{method} {route}");
        let builder =
            SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes);
        start(&exporting.tracer, builder, parent)
    }

    /// Something that no request asks for at that moment: a trace of its own, of which `traces.ratio`
    /// are sampled. It links to `of`, which it is done for, if that is sampled. So what is done for many
    /// at once makes many small traces, and not one that nobody can look at.
    pub fn begin(&self, name: &'static str, of: Option<TraceContext>) -> Span {
        let Some(exporting) = &self.0 else { return Span::none() };
        let links = of.map(|of| Link::with_context(of.span_context())).into_iter().collect();
        let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Internal).with_links(links);
        start(&exporting.tracer, builder, None)
    }

    /// What follows from something that another task or process did; none if that was not sampled.
    pub fn follow(&self, from: Option<TraceContext>, name: &'static str, kind: SpanKind) -> Span {
        let (Some(exporting), Some(from)) = (&self.0, from) else { return Span::none() };
        let builder = SpanBuilder::from_name(name).with_kind(kind);
        start(&exporting.tracer, builder, Some(from.into_parent()))
    }

    /// Exports what is left, for a moment; to be called when a process ends.
    pub async fn close(&self) {
        let Some(exporting) = self.0.clone() else { return };
        let close = move || exporting.provider.shutdown_with_timeout(FAREWELL);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(close).await {
            tracing::warn!(%error, "the last spans may be lost");
        }
    }
}

/// A span that is sampled, or none.
fn start(tracer: &SdkTracer, builder: SpanBuilder, parent: Option<Context>) -> Span {
    // Never what the library thinks is current in this thread: tasks share threads.
    let parent = parent.unwrap_or_default();
    Span::live(tracer, tracer.build_with_context(builder, &parent))
}

/// A parent in another task or process.
fn remote(parent: opentelemetry::trace::SpanContext) -> Context {
    Context::new().with_remote_span_context(parent)
}

#[cfg(test)]
mod tests;
