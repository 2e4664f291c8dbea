//! One invitation is one trace, from the request over the relay to the mail server, although two
//! programs have a part in it; and a collector that is away is nobody's trouble.

mod collector;
mod lost;
mod unasked;

use std::fmt::Write;

use serde_json::json;

use crate::harness::{block_on, text};
use crate::processes::fleet::{Fleet, free_address};
use crate::servers::eventually;

use collector::{Collector, Told};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// The mail is put off once: what the database keeps of the trace is seen at its second attempt.
const TREE: &str = "
welcomat-api POST /v1/organizations/{organization}/invitations
  welcomat-api publish email
    welcomat-worker process email
      welcomat-worker claim
      welcomat-worker make mail
      welcomat-worker wait for a connection
      welcomat-worker smtp
        welcomat-worker connect
        welcomat-worker greeting
        welcomat-worker hello
        welcomat-worker mail_from
        welcomat-worker recipient
      welcomat-worker report
      welcomat-api publish email
        welcomat-worker process email
          welcomat-worker claim
          welcomat-worker make mail
          welcomat-worker wait for a connection
          welcomat-worker smtp
            welcomat-worker connect
            welcomat-worker greeting
            welcomat-worker hello
            welcomat-worker mail_from
            welcomat-worker recipient
            welcomat-worker data
            welcomat-worker body
            welcomat-worker final_dot
          welcomat-worker report
";

#[test]
fn one_invitation_is_one_trace_over_all_programs() {
    block_on(async {
        let collector = Collector::start().await;
        let mut fleet = Fleet::on_shared_broker(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            // Whoever began the trace has decided.
            ("WELCOMAT_TRACES_RATIO", "0"),
            ("WELCOMAT_RETRY_PAUSES", "500ms"),
            ("WELCOMAT_RELAY_IDLE_POLL", "100ms"),
            ("WELCOMAT_RELAY_BUSY_POLL", "100ms"),
        ])
        .await;
        fleet.sink.refuse("ann@traces.example", "451 4.3.0 not now, ann@traces.example");
        fleet.add_api().await;
        fleet.add_worker();
        let client = &fleet.apis[0].client;
        let me = client.get("/v1/me").await.unwrap().json();
        let path = format!("/v1/organizations/{}/invitations", text(&me["organization"]["id"]));
        let traceparent = format!("00-{TRACE}-{CLIENT}-01");
        let headers = [("Content-Type", "application/json"), ("traceparent", &traceparent)];
        let body = json!({ "email": "ann@traces.example", "first_name": "Annabelle" }).to_string();
        let answer = client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        let path = format!("{path}/{}", text(&answer.json()["id"]));
        for (status, forgives) in [("retrying", true), ("sent", false)] {
            eventually(status, async || {
                let found = client.get(&path).await.ok()?.json();
                (found["delivery"]["status"] == status).then_some(())
            })
            .await;
            if forgives {
                fleet.sink.forgive();
            }
        }
        let mail = fleet.sink.mails().remove(0);
        // Whatever waits is exported at their end.
        fleet.end().await;
        let spans = collector.spans(TRACE);
        let mut tree = "\n".to_owned();
        draw(&spans, CLIENT, 0, &mut tree);
        assert_eq!(tree, TREE, "{spans:#?}");
        let status = ("http.response.status_code".to_owned(), "201".to_owned());
        assert!(spans[0].attributes.contains(&status), "{:?}", spans[0]);
        let outcomes: Vec<&str> = spans
            .iter()
            .filter(|span| span.name == "smtp")
            .flat_map(|span| &span.attributes)
            .filter(|(key, _)| key == "outcome")
            .map(|(_, outcome)| outcome.as_str())
            .collect();
        assert_eq!(outcomes, ["deferred", "sent"]);
        let token = mail.link().rsplit('/').next().unwrap().to_owned();
        for secret in ["traces.example", "Annabelle", &token, &mail.password()] {
            assert!(!collector.has_heard(secret), "{secret} is in a span");
        }
        assert!(collector.has_heard("delivery.id"), "or nothing would be found at all");
    });
}

#[test]
fn a_collector_that_is_away_costs_its_spans_and_nothing_else() {
    block_on(async {
        let nowhere = format!("http://{}", free_address());
        let mut fleet = Fleet::on_shared_broker(&[("WELCOMAT_TRACES_ENDPOINT", &nowhere)]).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..5).await;
        fleet.until_all_sent(5).await;
        eventually("what is lost is counted", async || {
            let found = fleet.apis[0].client.get("/metrics").await.ok()?.text();
            let failed = "welcomat_trace_spans_total{result=\"failed\"} ";
            let lost = found.lines().find_map(|line| line.strip_prefix(failed))?;
            (lost != "0").then_some(())
        })
        .await;
        // Both end well, and soon.
        fleet.end().await;
    });
}

fn draw(spans: &[Told], parent: &str, depth: usize, tree: &mut String) {
    for span in spans.iter().filter(|span| span.parent == parent) {
        let _ = writeln!(tree, "{:1$}{2} {3}", "", depth * 2, span.service, span.name);
        draw(spans, &span.id, depth + 1, tree);
    }
}
