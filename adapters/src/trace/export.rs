//! From ended spans to the collector: OTLP over HTTP, in protobuf, from a thread of its own.
//!
//! A collector that is away or slow costs its spans and nothing else: so many wait, the rest is dropped
//! and counted.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, SpanExporter as Otlp, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData,
    SpanExporter, SpanProcessor,
};
use ureq::Agent;
use url::Url;

use crate::download;
use crate::metrics::{Metrics, SpanResult};

/// How many ended spans wait for the collector; about 1 KB each.
const WAITING: usize = 4096;
/// How many go in one request.
const BATCH: usize = 512;
/// How long an ended span waits for others.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the collector may take for a request.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer: it says little.
const MOST_READ: u64 = 64 * 1024;

/// Spans go to `v1/traces` below `endpoint`; `ratio` of the traces that begin here are sampled.
pub(super) fn provider(
    endpoint: &Url,
    ratio: f64,
    metrics: &Metrics,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let config = download::config(endpoint, PATIENCE).http_status_as_error(false);
    let agent = config.build().new_agent();
    let otlp = Otlp::builder()
        .with_http()
        .with_http_client(Client(agent))
        // What did not go is lost and counted: there is more to come.
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
        .build()?;
    let queue = Arc::new(Queue { length: AtomicUsize::new(0), metrics: metrics.clone() });
    let exporter = Counted { otlp, queue: Arc::clone(&queue), failing: AtomicBool::new(false) };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(WAITING)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(PAUSE)
        .build();
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(Bounded { batches, queue })
        // Whoever has begun a trace has decided for all that are part of it.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
        .with_resource(resource())
        .build())
}

/// Who tells: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` have a say in it, which the library hears.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let name = said.get(&Key::new("service.name")).map(|name| name.to_string());
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    // What it makes up if nobody has said anything.
    if name.is_some_and(|name| !name.starts_with("unknown_service")) {
        return resource.build();
    }
    // One program has several names, and its name says which part it plays.
    let program = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&program).file_name().and_then(|name| name.to_str());
    resource.with_service_name(name.unwrap_or("welcomat").to_owned()).build()
}

/// Spans that have ended and are not exported.
struct Queue {
    length: AtomicUsize,
    metrics: Metrics,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Takes what there is room for. The library's own queue is as long and never full, so that each span
/// that is dropped is counted here.
#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    queue: Arc<Queue>,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.length.fetch_add(1, Ordering::Relaxed) < WAITING {
            return self.batches.on_end(span);
        }
        self.queue.length.fetch_sub(1, Ordering::Relaxed);
        self.queue.metrics.spans(SpanResult::Dropped, 1);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Exports and counts.
#[derive(Debug)]
struct Counted {
    otlp: Otlp,
    queue: Arc<Queue>,
    failing: AtomicBool,
}

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let exported = self.otlp.export(batch).await;
        self.queue.length.fetch_sub(count, Ordering::Relaxed);
        let result = if exported.is_ok() { SpanResult::Exported } else { SpanResult::Failed };
        self.queue.metrics.spans(result, count);
        // Once for a row of failures: the reason is the same until it is over.
        let failed_before = self.failing.swap(exported.is_err(), Ordering::Relaxed);
        match &exported {
            Err(error) if !failed_before => {
                tracing::warn!(%error, "spans cannot be exported; sending goes on without them");
            }
            Ok(()) if failed_before => tracing::info!("spans are exported again"),
            _ => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

/// The HTTP client that everything else here has. It blocks, which the exporting thread may.
#[derive(Debug)]
struct Client(Agent);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.0.run(request.map(|body| body.to_vec()))?;
        let (head, mut body) = answer.into_parts();
        let mut bytes = Vec::new();
        body.as_reader().take(MOST_READ).read_to_end(&mut bytes)?;
        Ok(Response::from_parts(head, bytes.into()))
    }
}
