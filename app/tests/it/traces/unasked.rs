//! What no request asks for at that moment is traced as well: the rows of a batch, reminders, the end of an
//! invitation's time, and what an operator sends on its way again.

use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use super::CLIENT;
use super::collector::{Collector, Told};
use crate::batches::{self, CSV};
use crate::harness::{Stack, TestApp, block_on, text};
use crate::servers::eventually;
use crate::{dead_letters, policy};

const UPLOAD: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const REDRIVE: &str = "0af7651916cd43dd8448eb211c80319c";

/// What hangs below whatever asked for a mail.
const MAIL: &str = "
publish email
  process email
    claim
    make mail
    wait for a connection
    smtp
    report
";

#[test]
fn rows_of_a_batch_reminders_expiries_and_redriven_mails_have_their_traces() {
    block_on(async {
        let collector = Collector::start().await;
        let env = [("WELCOMAT_TRACES_ENDPOINT", collector.url.as_str())];
        let app = TestApp::start_with_settings(Stack::Embedded, &env).await;
        assert_eq!(policy::set(&app, &json!({"reminders": [3]})).await.status, 200);
        // Whoever was invited before takes another way through the code than a newcomer.
        let (bob, _) = app.invite_and_receive("bob@example.com").await;
        assert_eq!(app.act(&format!("{bob}/revoke"), &json!({})).await.0, 200);
        let traceparent = format!("00-{UPLOAD}-{CLIENT}-01");
        let headers = [("Content-Type", CSV), ("traceparent", traceparent.as_str())];
        let people = b"email\nann@example.com\nbob@example.com\n";
        let sent = batches::send_as(&app.client, &app.organization, &headers, "", people).await;
        assert_eq!(sent.status, 202, "{}", sent.text());
        batches::finished(&app, sent.header("location").unwrap()).await;

        let rows = mails_below(&collector, "invite row", 2).await;
        let upload = eventually("the batch ends in the trace of its request", async || {
            let spans = collector.spans(UPLOAD);
            spans.iter().any(|span| span.name == "finish batch").then_some(spans)
        })
        .await;
        let request = upload.iter().find(|span| span.parent == CLIENT).unwrap();
        assert_eq!(outline(&upload, &request.id), "\ninvite rows\nfinish batch\n", "{upload:#?}");
        for row in &rows {
            assert_eq!(row.links, [(UPLOAD.to_owned(), request.id.clone())], "{row:#?}");
            assert_eq!((row.parent.as_str(), row.trace == UPLOAD), ("", false), "{row:#?}");
        }
        assert_ne!(rows[0].trace, rows[1].trace);

        app.clock.advance(Duration::from_hours(3 * 24 + 1));
        let reminders = mails_below(&collector, "plan reminder", 2).await;
        assert!(reminders.iter().all(|reminder| reminder.parent.is_empty()), "{reminders:#?}");

        app.clock.advance(Duration::from_hours(5 * 24));
        let ended = eventually("both invitations expire", async || {
            let ended = collector.named("expire");
            (ended.len() == 2).then_some(ended)
        })
        .await;
        let begins = |one: &Told| one.parent.is_empty() && one.links.is_empty();
        assert!(ended.iter().all(begins) && ended[0].trace != ended[1].trace, "{ended:#?}");

        let (eve, _) = app.invite_and_receive("eve@example.com").await;
        let delivery = text(&app.get(&eve).await["delivery"]["id"]);
        let letter = dead_letters::insert(&app, delivery.parse().unwrap()).await;
        let traceparent = format!("00-{REDRIVE}-{CLIENT}-01");
        let headers = [("Content-Type", "application/json"), ("traceparent", &traceparent)];
        let path = format!("/v1/dead-letters/{letter}/redrive");
        let redriven = app.client.send("POST", &path, &headers, b"{}").await.unwrap();
        assert_eq!(redriven.status, 202, "{}", redriven.text());
        // It was sent long ago: the claim finds that out.
        let whole = "
POST /v1/dead-letters/{dead_letter}/redrive
  publish email
    process email
      claim
";
        eventually("the job is part of the request that redrove it", async || {
            (outline(&collector.spans(REDRIVE), CLIENT) == whole).then_some(())
        })
        .await;
    });
}

/// Waits until so many traces begin with a span of this name and end with the mail's report; gives
/// their first spans.
async fn mails_below(collector: &Collector, name: &str, count: usize) -> Vec<Told> {
    eventually(&format!("{count} mails follow from {name}"), async || {
        let mut roots = collector.named(name);
        roots.retain(|root| outline(&collector.spans(&root.trace), &root.id) == MAIL);
        (roots.len() == count).then_some(roots)
    })
    .await
}

/// What follows from a span; the phases of SMTP are not always the same.
fn outline(spans: &[Told], parent: &str) -> String {
    let mut outline = "\n".to_owned();
    add(&mut outline, spans, parent, 0);
    outline
}

fn add(outline: &mut String, spans: &[Told], parent: &str, depth: usize) {
    for span in spans.iter().filter(|span| span.parent == parent) {
        let _ = writeln!(outline, "{:1$}{2}", "", depth * 2, span.name);
        if span.name != "smtp" {
            add(outline, spans, &span.id, depth + 1);
        }
    }
}
