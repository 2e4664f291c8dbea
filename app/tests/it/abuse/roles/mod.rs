//! API and worker as `deploy/postgres` and `deploy/rabbitmq` let them: enough for all they do, and
//! not enough for what they never do.

mod broker;
mod database;
mod forgetting;

use app::http::Client;
use serde_json::{Value, json};

use super::service::Service;
use super::{CHOSEN, JSON};
use crate::cli::welcomat;
use crate::harness::{INSTANCE_KEY, KEY, block_on, text};
use crate::servers::eventually;
use crate::smtp_sink::SmtpSink;
use crate::webhooks::NEAR;
use crate::webhooks::receiver::{Receiver, Reply};
use broker::OwnBroker;
use database::OwnRoles;

const SEAL_KEYS: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[test]
fn the_roles_in_deploy_are_enough_and_no_more() {
    block_on(async {
        let (roles, broker) = (OwnRoles::make().await, OwnBroker::start());
        let folder = tempfile::tempdir().unwrap();
        roles.migrate(folder.path()).await;
        let sink = SmtpSink::start().await;
        let env = [
            ("WELCOMAT_DATA_DIR", folder.path().display().to_string()),
            ("WELCOMAT_SEAL_KEYS", SEAL_KEYS.to_owned()),
            ("WELCOMAT_BOOTSTRAP_API_KEY", KEY.to_owned()),
            ("WELCOMAT_BOOTSTRAP_INSTANCE_KEY", INSTANCE_KEY.to_owned()),
            ("WELCOMAT_MAIL_URL", sink.url()),
            ("WELCOMAT_BROKER_TOPOLOGY", "check".to_owned()),
            ("WELCOMAT_HTTP_WORKERS", "1".to_owned()),
            ("WELCOMAT_WORKER_RESCUE_INTERVAL", "200ms".to_owned()),
            ("WELCOMAT_INVITATION_EXPIRY_SWEEP", "200ms".to_owned()),
            ("WELCOMAT_RETRY_PAUSES", "200ms".to_owned()),
            ("WELCOMAT_BROKER_EVENTS", "true".to_owned()),
        ];
        let near = NEAR.map(|(name, value)| (name, value.to_owned()));
        let env: Vec<_> = env.into_iter().chain(near).collect();
        let own = |who| {
            [("WELCOMAT_DATABASE_URL", roles.url(who)), ("WELCOMAT_BROKER_URL", broker.url(who))]
        };
        let programs: [(&str, &[_]); 2] =
            [("welcomat-api", &own("api")), ("welcomat-worker", &own("worker"))];
        let service = Service::start(&programs, folder.path(), &env).await;
        let client = service.client.clone();
        let receiver = Receiver::start().await;
        let webhook = tell(&client, &receiver).await;
        do_all_that_is_done(&client, &sink).await;
        eventually("the worker says that it is there", async || {
            (roles.count("worker").await == 1).then_some(())
        })
        .await;
        broker.give_up_a_message().await;
        eventually("the worker keeps the dead letter", async || {
            (roles.count("dead_letter").await > 0).then_some(())
        })
        .await;
        redrive_and_discard(&client).await;
        tell_all_that_is_told(&client, &webhook, &receiver).await;
        look_at_the_console(&client).await;
        forgetting::one_person(&client, "late@example.com").await;
        eventually("the events are announced", async || {
            (roles.count("announcement WHERE to_exchange AND published_at IS NULL").await == 0)
                .then_some(())
        })
        .await;
        for (program, url) in programs {
            let env = env.iter().map(|(name, value)| (*name, value.as_str()));
            let url = url.iter().map(|(name, value)| (*name, value.as_str()));
            nothing_is_wrong(program, env.chain(url));
        }
        what_is_not_told_is_named(&broker).await;
        for log in service.stop() {
            for word in ["permission denied", "ACCESS_REFUSED", "PRECONDITION_FAILED", "ERROR"] {
                let line = log.lines().find(|line| line.contains(word));
                assert_eq!(line, None, "{log}");
            }
        }
        roles.refuse_the_rest().await;
        forgetting::all_that_ended(&roles).await;
        broker.refuse_the_rest().await;
        broker.is_what_the_program_would_declare().await;
        roles.remove().await;
    });
}

/// Each operation that writes, and each way in which a mail ends.
async fn do_all_that_is_done(client: &Client, sink: &SmtpSink) {
    let me = client.get("/v1/me").await.unwrap().json();
    let organization = format!("/v1/organizations/{}", text(&me["organization"]["id"]));
    let invitations = format!("{organization}/invitations");
    sink.refuse("gone@example.com", "550 5.1.1 no such mailbox");
    sink.refuse("late@example.com", "450 4.2.1 busy");
    for name in ["ann", "bob", "gone", "late"] {
        let body = json!({"email": format!("{name}@example.com")}).to_string();
        let headers = [JSON, ("Idempotency-Key", name)];
        let answer = client.send("POST", &invitations, &headers, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    until(client, &invitations, "gone", |found| found["delivery"]["status"] == "failed").await;
    until(client, &invitations, "late", |found| found["delivery"]["attempts"] != 0).await;
    sink.forgive();
    for name in ["ann", "bob", "late"] {
        until(client, &invitations, name, |found| found["email_sent"] == true).await;
    }
    let bob = until(client, &invitations, "bob", |_| true).await;
    let gone = until(client, &invitations, "gone", |_| true).await;
    let ann = sink.mails().into_iter().find(|mail| mail.to.starts_with("ann")).unwrap();
    let accept = json!({"token": ann.token(), "password": CHOSEN});
    let joined = done(client, "POST", "/v1/invitations/accept", &accept).await;
    let member = format!("{organization}/members/{}", text(&joined["user_id"]));
    done(client, "POST", &format!("{invitations}/{}/resend", text(&bob["id"])), &json!({})).await;
    done(client, "POST", &format!("{invitations}/{}/revoke", text(&gone["id"])), &json!({})).await;
    done(client, "DELETE", &member, &json!({})).await;
    done(client, "PATCH", &organization, &json!({"name": "Renamed"})).await;
    let key = done(client, "POST", "/v1/api-keys", &json!({"name": "CI"})).await;
    done(client, "DELETE", &format!("/v1/api-keys/{}", text(&key["id"])), &json!({})).await;
    let operator = client.clone().with_key(Some(INSTANCE_KEY.to_owned()));
    done(&operator, "POST", "/v1/organizations", &json!({"name": "Second"})).await;
    let address = json!({"email": "eve@example.com", "password": "Given-By-Goldleaf-7!"});
    let body = json!({ "emailAddresses": [address] });
    done(client, "POST", "/organization/users/invite", &body).await;
    // Suppressed now.
    let gone = done(client, "POST", &invitations, &json!({"email": "gone@example.com"})).await;
    assert_eq!(gone["delivery"]["status"], "suppressed");
}

/// Somebody asks the doctor where that program runs.
fn nothing_is_wrong<'a>(program: &str, env: impl Iterator<Item = (&'a str, &'a str)>) {
    let call = env
        .fold(welcomat("doctor --output json --dns 127.0.0.1:1"), |call, (name, value)| {
            call.env(name, value)
        });
    let said = call.run();
    let found: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let findings = found["findings"].as_array().unwrap().iter();
    let bad: Vec<_> = findings.filter(|one| one["verdict"] == "bad").collect();
    assert!(bad.is_empty(), "{program}: {bad:?}");
}

/// The API's log-in sees whether a queue is bound, the worker's does not, and neither its arguments.
async fn what_is_not_told_is_named(broker: &OwnBroker) {
    let look = |who: &str| {
        let call = welcomat("doctor --output json")
            .env("WELCOMAT_DATA_DIR", "/nonexistent")
            .env("WELCOMAT_BROKER_URL", &broker.url(who))
            .env("WELCOMAT_BROKER_TOPOLOGY", "check");
        let found: Value = serde_json::from_str(&call.run().out).unwrap();
        let about = |what| {
            let all = found["findings"].as_array().unwrap().iter();
            all.filter(|one| one["what"] == what).map(Value::to_string).collect::<String>()
        };
        (about("topology"), about("queue"))
    };
    let arguments = "welcomat.dead.v1, for this log-in may not configure them";
    let binding = "whether welcomat.webhook.v1 is bound, for this log-in may not publish";
    let (unseen, _) = look("worker");
    assert!(unseen.contains(arguments) && unseen.contains(binding), "{unseen}");
    assert!(unseen.contains("doubtful") && unseen.contains("run the doctor with"), "{unseen}");
    let (unseen, queues) = look("api");
    assert!(unseen.contains(arguments) && !unseen.contains("whether"), "{unseen}");
    assert!(!queues.contains("bad"), "{queues}");
    broker.lead_to_webhooks(false).await;
    let (_, queues) = look("api");
    assert!(queues.contains("welcomat.webhook.v1 is bound to nothing"), "{queues}");
    broker.lead_to_webhooks(true).await;
    assert_eq!(look("operator").0, "", "who may do everything sees everything");
}

/// Signs in to the console and out of it.
async fn look_at_the_console(client: &Client) {
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let key = format!("key={KEY}");
    let opened = client.send("POST", "/console/sign-in", &[form], key.as_bytes()).await.unwrap();
    assert_eq!(opened.status, 303, "{}", opened.text());
    let cookie = opened.header("set-cookie").expect("a session").to_owned();
    let me = client.get("/v1/me").await.unwrap().json();
    let own = format!("/console/{}", text(&me["organization"]["id"]));
    let page = client.send("GET", &own, &[("Cookie", &cookie)], b"").await.unwrap().text();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    let csrf = format!("csrf={}", rest.split('"').next().unwrap());
    let headers = [form, ("Cookie", cookie.as_str())];
    let closed = client.send("POST", "/console/sign-out", &headers, csrf.as_bytes()).await.unwrap();
    assert_eq!(closed.status, 303, "{}", closed.text());
}

/// Makes a webhook; gives its path.
async fn tell(client: &Client, receiver: &Receiver) -> String {
    let me = client.get("/v1/me").await.unwrap().json();
    let path = format!("/v1/organizations/{}/webhooks", text(&me["organization"]["id"]));
    let made = done(client, "POST", &path, &json!({ "url": receiver.url() })).await;
    format!("{path}/{}", text(&made["id"]))
}

/// Each way in which telling an endpoint ends.
async fn tell_all_that_is_told(client: &Client, webhook: &str, receiver: &Receiver) {
    receiver.until("invitation.accepted", 1).await;
    receiver.until("invitation.delivery_failed", 1).await;
    done(client, "POST", &format!("{webhook}/rotate-secret"), &json!({})).await;
    receiver.always(Some(Reply::Status(500)));
    let test = done(client, "POST", &format!("{webhook}/test"), &json!({})).await;
    receiver.until("webhook.test", 2).await;
    receiver.always(Some(Reply::Status(410)));
    eventually("the endpoint is switched off", async || {
        let shown = client.get(webhook).await.unwrap().json();
        (shown["disabled_reason"] == "gone").then_some(())
    })
    .await;
    receiver.always(None);
    done(client, "PATCH", webhook, &json!({"enabled": true})).await;
    let since = json!({ "since": test["created_at"] });
    done(client, "POST", &format!("{webhook}/replay"), &since).await;
    let delivery = format!("{webhook}/deliveries/{}/replay", text(&test["id"]));
    eventually("the test is delivered", async || {
        let log = client.get(&format!("{webhook}/deliveries?limit=1")).await.unwrap().json();
        (log["data"][0]["status"] == "delivered").then_some(())
    })
    .await;
    done(client, "POST", &delivery, &json!({})).await;
    let other = tell(client, receiver).await;
    let deleted = client.send("DELETE", &other, &[], b"").await.unwrap();
    assert_eq!(deleted.status, 204, "{}", deleted.text());
}

async fn redrive_and_discard(client: &Client) {
    let operator = client.clone().with_key(Some(INSTANCE_KEY.to_owned()));
    let letters = operator.get("/v1/dead-letters").await.unwrap().json();
    let letter = format!("/v1/dead-letters/{}", text(&letters["data"][0]["id"]));
    done(&operator, "DELETE", &letter, &json!({})).await;
}

async fn done(client: &Client, method: &str, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let answer = client.send(method, path, &[JSON], body.as_bytes()).await.unwrap();
    assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text());
    answer.json()
}

/// Waits for that of an invitation; gives it.
async fn until(client: &Client, list: &str, name: &str, is: impl Fn(&Value) -> bool) -> Value {
    let path = format!("{list}?email={name}@example.com");
    eventually(&format!("{name}'s invitation gets there"), async || {
        let found = client.get(&path).await.unwrap().json()["data"][0].clone();
        is(&found).then_some(found)
    })
    .await
}
