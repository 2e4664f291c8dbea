//! `/metrics`: what is counted, that the guide has all of it, and that nobody is named.

use std::collections::BTreeSet;
use std::net::TcpListener;

use app::http::Client;
use serde_json::json;

use crate::bounces::World;
use crate::harness::{Stack, TestApp, block_on};
use crate::processes::fleet::Fleet;
use crate::servers::{eventually, eventually_within};

on_both_stacks!(an_invitation_leaves_its_traces, no_label_is_a_clients_choice);

async fn an_invitation_leaves_its_traces(stack: Stack) {
    let app = TestApp::start(stack).await;
    let path = app.invite("ann@traces.example").await;
    app.until(&path, "sent").await;
    let found = eventually("the attempt is counted", async || {
        let found = shown(&app.client).await;
        found.contains("welcomat_mail_sent_after_seconds_count 1").then_some(found)
    })
    .await;
    let lines = [
        "welcomat_invitations_created_total 1",
        "welcomat_outbox_published_total{result=\"confirmed\"} 1",
        "welcomat_jobs_claimed_total{kind=\"email\",result=\"claimed\"} 1",
        "welcomat_attempt_duration_seconds_count{kind=\"email\",outcome=\"sent\"} 1",
        "welcomat_outbox_waiting 0",
        "welcomat_mail_trouble 0",
        "welcomat_http_request_duration_seconds_count{method=\"POST\",\
         route=\"/v1/organizations/{organization}/invitations\",status=\"201\"} 1",
    ];
    for line in lines {
        assert!(found.lines().any(|one| one == line), "{line} is not in\n{found}");
    }
    assert!(value(&found, "process_cpu_seconds_total") > 0.0);
    assert!(value(&found, "process_resident_memory_bytes") > 1e6);
    assert!(value(&found, "welcomat_database_connections_idle") > 0.0);
    assert!(!found.contains("traces.example") && !found.contains(&app.organization), "{found}");
    assert!(found.ends_with("# EOF\n"));
}

async fn no_label_is_a_clients_choice(stack: Stack) {
    let app = TestApp::start(stack).await;
    for path in ["/nobody/knows/this", "/i/SOMEBODYS0TOKEN0NOBODYS0TOKEN"] {
        app.client.get(path).await.unwrap();
    }
    app.client.send("BREW", "/livez", &[], b"").await.unwrap();
    let found = shown(&app.client).await;
    for label in ["knows", "TOKEN", "BREW"] {
        assert!(!found.contains(label), "{label} is in\n{found}");
    }
    assert!(found.contains("method=\"other\",route=\"/livez\",status=\"405\""), "{found}");
    assert!(found.contains("route=\"unknown\",status=\"404\""), "{found}");
}

#[test]
fn every_metric_is_in_the_guide_and_no_other() {
    block_on(async {
        let nowhere = [("WELCOMAT_TRACES_ENDPOINT", "http://127.0.0.1:9")];
        let mut world = World::start_with(Stack::Embedded, &nowhere).await;
        // What never happens is not shown.
        let (_, mark) = world.sent("eve@example.com").await;
        assert_eq!(world.tell("postmark_complaint", &mark).await, 1);
        let app = &mut world.app;
        app.sink().refuse("nobody@example.com", "550 5.1.1 no such user");
        for (email, status) in [("ann@example.com", "sent"), ("nobody@example.com", "failed")] {
            app.until(&app.invite(email).await, status).await;
        }
        let found = eventually("both attempts are counted", async || {
            let found = shown(&app.client).await;
            let refused = "welcomat_smtp_trouble_total{phase=\"recipient\",\
                           outcome=\"no_such_recipient\"} 1";
            found.contains(refused).then_some(found)
        })
        .await;
        let made: BTreeSet<String> = found
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect();
        let page = include_str!("../../../docs/metrics.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let told: BTreeSet<String> =
            rows.filter_map(|row| row.split(['`', '{']).next().map(str::to_owned)).collect();
        assert_eq!(told, made);
    });
}

#[test]
fn a_worker_tells_how_it_is() {
    block_on(async {
        let mut fleet = Fleet::on_shared_broker(&[]).await;
        fleet.add_api().await;
        fleet.invite(0..3).await;
        let api = &fleet.apis[0].client;
        eventually("the API tells what waits for a worker", async || {
            let found = shown(api).await;
            let waits = value(&found, "welcomat_mail_oldest_queued_seconds") > 0.0;
            (waits && found.contains("welcomat_queue_jobs{queue=\"email\"} 3")).then_some(())
        })
        .await;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        fleet.add_worker_with(&[("WELCOMAT_WORKER_HTTP_BIND", &address.to_string())]);
        let worker = Client::new(address, None);
        eventually("the worker is ready", async || {
            let answer = worker.get("/readyz").await.ok()?;
            (answer.status == 200 && answer.json()["status"] == "ready").then_some(())
        })
        .await;
        assert_eq!(worker.get("/livez").await.unwrap().json(), json!({ "status": "alive" }));
        let found = eventually("it counts its mails", async || {
            let found = shown(&worker).await;
            found.contains("welcomat_mail_sent_after_seconds_count 3").then_some(found)
        })
        .await;
        assert!(found.contains("outcome=\"sent\"} 3"), "{found}");
        assert!(!found.contains("example.com"), "{found}");
        fleet.stop_workers();
        eventually_within(std::time::Duration::from_secs(5), "it listens no more", async || {
            worker.get("/livez").await.is_err().then_some(())
        })
        .await;
        fleet.end().await;
    });
}

async fn shown(client: &Client) -> String {
    let answer = client.get("/metrics").await.unwrap();
    assert_eq!(answer.status, 200);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(kind));
    answer.text()
}

fn value(found: &str, name: &str) -> f64 {
    let line = found.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} is not in\n{found}"))
}
