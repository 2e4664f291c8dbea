//! What is told of spans, and that nothing is where nobody listens.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

fn settings(endpoint: Option<String>) -> TraceSettings {
    TraceSettings { endpoint: endpoint.map(|url| url.parse().unwrap()), ratio: 1.0 }
}

#[tokio::test]
async fn without_a_collector_nothing_begins_and_nothing_is_current() {
    let tracer = Tracer::new(&settings(None), &Metrics::default());
    let request = tracer.request("GET", "/", None);
    assert!(!tracer.is_on() && request.context().is_none());
    request.within(async { assert!(current().is_none() && carried().context().is_none()) }).await;
    tracer.close().await;
}

#[tokio::test]
async fn parts_know_what_they_are_part_of_in_other_tasks_too() {
    let (tracer, metrics) = listened_to_by_nobody();
    let request =
        tracer.request("GET", "/", Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    let context = request.context().unwrap();
    assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let (within, elsewhere, child) = request
        .within(async {
            let carried = carried();
            let elsewhere = tokio::spawn(carried.within(async { current() })).await.unwrap();
            (current(), elsewhere, span("part", SpanKind::Internal).context())
        })
        .await;
    assert_eq!((within, elsewhere), (Some(context), Some(context)));
    let child = child.unwrap();
    assert_eq!(child.trace_id(), context.trace_id());
    assert_ne!(child, context);
    assert!(current().is_none(), "what ends is no longer current");
    let follows = tracer.follow(child.into(), "later", SpanKind::Consumer);
    assert_eq!(follows.context().unwrap().trace_id(), context.trace_id());
    drop((request, follows));
    // Nobody listens: the end comes all the same, and says what was lost.
    tracer.close().await;
    assert!(metrics.counted().contains("welcomat_trace_spans_total{result=\"failed\"} 3"));
}

#[tokio::test]
async fn whoever_began_a_trace_decides_whether_it_is_sampled() {
    let (tracer, _) = listened_to_by_nobody();
    let not_sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    assert!(tracer.request("GET", "/", Some(not_sampled)).context().is_none());
    assert!(tracer.request("GET", "/", Some("nonsense")).context().is_some());
    assert!(tracer.follow(None, "job", SpanKind::Consumer).context().is_none());
}

#[tokio::test]
async fn what_no_request_asks_for_begins_a_trace_of_its_own_by_the_ratio() {
    let (tracer, metrics) = listened_to_by_nobody();
    let request = tracer.request("POST", "/", None);
    let row = request.within(async { tracer.begin("row", request.context()) }).await;
    let (row, request) = (row.context().unwrap(), request.context().unwrap());
    assert_ne!(row.trace_id(), request.trace_id());
    let endpoint = Some("http://127.0.0.1:9".to_owned());
    let none = Tracer::new(&TraceSettings { ratio: 0.0, ..settings(endpoint) }, &metrics);
    assert!(none.begin("row", Some(request)).context().is_none(), "others decide for others");
    assert!(Tracer::default().begin("row", None).context().is_none());
}

#[tokio::test]
async fn more_than_fit_are_dropped_and_counted() {
    // It takes connections and says nothing, so that the first batch is under way for seconds.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = Metrics::default();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let tracer = Tracer::new(&settings(Some(endpoint)), &metrics);
    for _ in 0..4096 + 10 {
        drop(tracer.request("GET", "/", None));
    }
    assert!(metrics.counted().contains("welcomat_trace_spans_total{result=\"dropped\"} 10"));
    // Or the end would wait for an answer.
    drop(listener);
}

#[tokio::test]
async fn what_a_collector_takes_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/otel/", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || answer(listener.accept().unwrap().0));
    let metrics = Metrics::default();
    let tracer = Tracer::new(&settings(Some(endpoint)), &metrics);
    drop(tracer.request("GET", "/", None));
    tracer.close().await;
    assert_eq!(asked.join().unwrap(), "POST /otel/v1/traces HTTP/1.1");
    assert!(metrics.counted().contains("welcomat_trace_spans_total{result=\"exported\"} 1"));
}

/// Takes a request whole and answers 200; gives its first line.
fn answer(mut stream: TcpStream) -> String {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).unwrap();
        request.extend_from_slice(&piece[..read]);
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if request.len() - end - 4 >= length.parse().unwrap() {
            break;
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    String::from_utf8_lossy(&request).lines().next().unwrap().to_owned()
}

fn listened_to_by_nobody() -> (Tracer, Metrics) {
    let metrics = Metrics::default();
    // Bound and closed again, so that nobody is there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    (Tracer::new(&settings(Some(format!("http://{address}"))), &metrics), metrics)
}
