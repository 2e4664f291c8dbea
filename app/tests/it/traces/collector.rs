//! A collector of spans: OTLP over HTTP, in protobuf.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Takes what is exported to it, until it is dropped.
pub struct Collector {
    /// Where it is.
    pub url: String,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    serving: JoinHandle<()>,
}

/// A span, as far as tests look at it.
#[derive(Debug, Clone)]
pub struct Told {
    pub service: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub start: u64,
    /// Traces and spans.
    pub links: Vec<(String, String)>,
    pub attributes: Vec<(String, String)>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    // A connection that breaks brings nothing.
                    if let Some(body) = take(stream).await {
                        kept.lock().unwrap().push(body);
                    }
                });
            }
        });
        Self { url, requests, serving }
    }

    /// The spans of a trace, in the order of their beginnings.
    pub fn spans(&self, trace: &str) -> Vec<Told> {
        let mut spans = self.all();
        spans.retain(|span| span.trace == trace);
        spans.sort_by_key(|span| span.start);
        spans
    }

    /// The spans of this name, of whatever trace.
    pub fn named(&self, name: &str) -> Vec<Told> {
        let mut spans = self.all();
        spans.retain(|span| span.name == name);
        spans
    }

    fn all(&self) -> Vec<Told> {
        let requests = self.requests.lock().unwrap();
        let read = |body: &Vec<u8>| ExportTraceServiceRequest::decode(&body[..]).unwrap();
        requests.iter().map(read).flat_map(told).collect()
    }

    /// Whether these words are anywhere in what was exported.
    pub fn has_heard(&self, words: &str) -> bool {
        let requests = self.requests.lock().unwrap();
        requests.iter().any(|body| body.windows(words.len()).any(|part| part == words.as_bytes()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(mut stream: TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        stream.read_buf(&mut request).await.ok().filter(|read| *read > 0)?;
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        assert!(head.starts_with("post /v1/traces ") && head.contains("application/x-protobuf"));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        if request.len() - end - 4 >= length.parse::<usize>().unwrap() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.ok()?;
            return Some(request.split_off(end + 4));
        }
    }
}

fn told(request: ExportTraceServiceRequest) -> Vec<Told> {
    let mut all = Vec::new();
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let service = attributes.iter().map(text).find(|(key, _)| key == "service.name");
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            all.push(Told {
                service: service.clone().unwrap_or_default().1,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                start: span.start_time_unix_nano,
                links: span
                    .links
                    .iter()
                    .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
                    .collect(),
                attributes: span.attributes.iter().map(text).collect(),
                name: span.name,
            });
        }
    }
    all
}

fn text(attribute: &KeyValue) -> (String, String) {
    let value = match &attribute.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => text.clone(),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => number.to_string(),
        other => format!("{other:?}"),
    };
    (attribute.key.clone(), value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
