//! One span, and what is current for the task that works within it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waker, Poll};

use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};
use pin_project_lite::pin_project;
use tokio::task_local;

use super::{TraceContext, start};

task_local! {
    static POSITION: Arc<Position>;
}

/// Something that is being done; it ends when this is dropped. Mostly there is nothing to tell of it.
pub struct Span(Option<Box<Live>>);

struct Live {
    span: SdkSpan,
    position: Arc<Position>,
}

/// A span that others are part of.
struct Position {
    tracer: SdkTracer,
    context: TraceContext,
}

/// What is current, to be taken along into another task.
#[derive(Clone, Default)]
pub struct Carried(Option<Arc<Position>>);

pin_project! {
    /// Polls a future as part of a span.
    pub struct Within<F> {
        position: Option<Arc<Position>>,
        #[pin]
        future: F,
    }
}

/// A part of what is current; none if nothing is.
pub fn span(name: &'static str, kind: SpanKind) -> Span {
    let child = |position: &Arc<Position>| {
        let builder = SpanBuilder::from_name(name).with_kind(kind);
        start(&position.tracer, builder, Some(position.context.into_parent()))
    };
    POSITION.try_with(child).unwrap_or_else(|_| Span::none())
}

/// Where in a trace this task works.
pub fn current() -> Option<TraceContext> {
    POSITION.try_with(|position| position.context).ok()
}

/// The same to be taken along: a new task knows nothing of it by itself.
pub fn carried() -> Carried {
    Carried(POSITION.try_with(Arc::clone).ok())
}

impl Span {
    /// Nothing.
    pub const fn none() -> Self {
        Self(None)
    }

    pub(super) fn live(tracer: &SdkTracer, span: SdkSpan) -> Self {
        let Some(context) = TraceContext::of(span.span_context()) else { return Self::none() };
        let position = Arc::new(Position { tracer: tracer.clone(), context });
        Self(Some(Box::new(Live { span, position })))
    }

    /// What others that follow from it have to name.
    pub fn context(&self) -> Option<TraceContext> {
        self.0.as_ref().map(|live| live.position.context)
    }

    /// Says more about it; `value` is only asked if somebody hears it. No address, name or secret.
    pub fn set<V: Into<Value>>(&mut self, key: &'static str, value: impl FnOnce() -> V) {
        if let Some(live) = &mut self.0 {
            live.span.set_attribute(KeyValue::new(key, value()));
        }
    }

    /// It did not end well; `why` is one of few words.
    pub fn fail(&mut self, why: &'static str) {
        if let Some(live) = &mut self.0 {
            live.span.set_status(Status::error(why));
        }
    }

    /// Does something as a part of it.
    pub fn within<F: Future>(&self, future: F) -> Within<F> {
        let position = self.0.as_ref().map(|live| Arc::clone(&live.position));
        Within { position, future }
    }
}

impl Carried {
    /// Where in a trace it is.
    pub fn context(&self) -> Option<TraceContext> {
        self.0.as_ref().map(|position| position.context)
    }

    /// Does something as a part of it.
    pub fn within<F: Future>(self, future: F) -> Within<F> {
        Within { position: self.0, future }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.position {
            None => this.future.poll(waker),
            Some(position) => POSITION.sync_scope(Arc::clone(position), || this.future.poll(waker)),
        }
    }
}
