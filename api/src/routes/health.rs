//! `/livez` and `/readyz`: what a balancer and an operator want to know.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use domain::Timestamp;
use serde::Serialize;

use super::{get, resource};
use crate::state::State;

/// A database that is slower than this is no use for requests either.
const PATIENCE: Duration = Duration::from_secs(2);

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/livez", "GET, HEAD").route(get().to(live)))
        .service(resource("/readyz", "GET, HEAD").route(get().to(ready)));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ready,
    /// Requests are answered, but mails wait.
    Degraded,
    Unavailable,
}

#[derive(Serialize)]
struct Readiness {
    status: Verdict,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    database: Check,
    broker: Check,
    outbox: Outbox,
    mail: Check,
}

#[derive(Serialize)]
struct Check {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize)]
struct Outbox {
    ok: bool,
    waiting: Option<u64>,
    oldest_due: Option<Timestamp>,
    lag_seconds: Option<i64>,
}

async fn live() -> HttpResponse {
    no_store().json(serde_json::json!({ "status": "alive" }))
}

async fn ready(state: State) -> HttpResponse {
    let database = database(&state).await;
    let broker = state.broker.is_connected();
    let mail = state.health.mail_trouble();
    let outbox = if database { outbox(&state).await } else { unknown_outbox() };
    let status = verdict(database, broker && mail.is_none());
    let checks = Checks {
        database: Check { ok: database, detail: (!database).then(|| "cannot be reached".into()) },
        broker: Check {
            ok: broker,
            detail: (!broker).then(|| "is away; invitations are taken and sent later".into()),
        },
        outbox,
        mail: Check { ok: mail.is_none(), detail: mail },
    };
    let mut response = no_store();
    if status == Verdict::Unavailable {
        response.status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE);
    }
    response.json(Readiness { status, checks })
}

/// Without a broker or a mail server invitations are still taken: only the database takes the
/// API out of service.
const fn verdict(database: bool, rest: bool) -> Verdict {
    match (database, rest) {
        (false, _) => Verdict::Unavailable,
        (true, false) => Verdict::Degraded,
        (true, true) => Verdict::Ready,
    }
}

async fn database(state: &State) -> bool {
    // Its own task: a query that is cancelled half-way could spoil its connection.
    let store = state.store.clone();
    let ping = tokio::spawn(async move { store.ping().await.is_ok() });
    matches!(tokio::time::timeout(PATIENCE, ping).await, Ok(Ok(true)))
}

async fn outbox(state: &State) -> Outbox {
    let store = state.store.clone();
    let lag = tokio::spawn(async move { store.outbox_lag().await });
    let Ok(Ok(Ok(lag))) = tokio::time::timeout(PATIENCE, lag).await else {
        return unknown_outbox();
    };
    let now = state.store.clock().now();
    let late = lag.oldest_due.map_or(0, |due| (now - due).num_seconds().max(0));
    Outbox {
        ok: true,
        waiting: Some(lag.waiting),
        oldest_due: lag.oldest_due,
        lag_seconds: Some(late),
    }
}

const fn unknown_outbox() -> Outbox {
    Outbox { ok: false, waiting: None, oldest_due: None, lag_seconds: None }
}

fn no_store() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", "no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_takes_the_api_out_of_service() {
        assert_eq!(verdict(true, true), Verdict::Ready);
        assert_eq!(verdict(true, false), Verdict::Degraded);
        assert_eq!(verdict(false, true), Verdict::Unavailable);
    }
}
