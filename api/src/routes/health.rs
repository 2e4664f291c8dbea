//! `/livez` and `/readyz`: what a balancer and an operator want to know.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;
use domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

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

/// Whether requests are answered: `ready`, `degraded` (they are, but mails wait), `stopping` (they are, but
/// not for long) or `unavailable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ready,
    /// Requests are answered, but mails wait.
    Degraded,
    /// Requests are answered, but soon no more.
    Stopping,
    Unavailable,
}

/// A process that answers.
#[derive(Serialize, ToSchema)]
struct Liveness {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Whether the service is of use, and what is not.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// What it comes to.
    status: Verdict,
    /// What was looked at.
    checks: Checks,
}

/// What the service depends on.
#[derive(Serialize, ToSchema)]
struct Checks {
    /// Without it no request can be answered.
    database: Check,
    /// Without it mails wait.
    broker: Check,
    /// The jobs that are not with the broker yet.
    outbox: Outbox,
    /// Whether the mail server can be used, as far as this process knows.
    mail: Check,
}

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
struct Check {
    /// Whether it is as it should be.
    #[schema(example = true)]
    ok: bool,
    /// What is wrong, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

/// The jobs that wait to be published.
#[derive(Serialize, ToSchema)]
struct Outbox {
    /// Whether it could be looked at.
    #[schema(example = true)]
    ok: bool,
    /// How many wait, those that are planned for later included.
    #[schema(example = 0)]
    waiting: Option<u64>,
    /// Since when the oldest of those that are due waits.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    oldest_due: Option<Timestamp>,
    /// The same in seconds; 0 if none is late.
    #[schema(example = 0)]
    lag_seconds: Option<i64>,
}

/// Says that the process lives.
///
/// Restart it when this fails.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "get_liveness",
    tag = "Health",
    responses((status = 200, description = "It is.", body = Liveness)),
)]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Liveness { status: "alive" })
}

/// Says whether requests can be answered.
///
/// Send none while this is 503.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "get_readiness",
    tag = "Health",
    responses(
        (status = 200, description = "It can. `degraded` means that mails wait meanwhile.", body = Readiness),
        (
            status = 503,
            description = "It cannot, or not for long.",
            body = Readiness,
            example = json!({
                "status": "unavailable",
                "checks": {
                    "database": { "ok": false, "detail": "cannot be reached" },
                    "outbox": { "ok": false, "waiting": null, "oldest_due": null, "lag_seconds": null },
                },
            }),
        ),
    ),
)]
pub async fn ready(state: State) -> HttpResponse {
    let database = database(&state).await;
    let broker = state.broker.is_connected();
    let mail = state.health.mail_trouble();
    let outbox = if database { outbox(&state).await } else { unknown_outbox() };
    let stopping = state.stopping.is_cancelled();
    let status = verdict(database, broker && mail.is_none(), stopping);
    let checks = Checks {
        database: Check { ok: database, detail: (!database).then(|| "cannot be reached".into()) },
        broker: Check {
            ok: broker,
            detail: (!broker).then(|| "is away; invitations are taken and sent later".into()),
        },
        outbox,
        mail: Check { ok: mail.is_none(), detail: mail },
    };
    let mut response = HttpResponse::Ok();
    if matches!(status, Verdict::Unavailable | Verdict::Stopping) {
        response.status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE);
    }
    response.json(Readiness { status, checks })
}

/// Without a broker or a mail server invitations are still taken: only the database takes the
/// API out of service, and its own end.
const fn verdict(database: bool, rest: bool, stopping: bool) -> Verdict {
    match (database, stopping, rest) {
        (false, _, _) => Verdict::Unavailable,
        (true, true, _) => Verdict::Stopping,
        (true, false, false) => Verdict::Degraded,
        (true, false, true) => Verdict::Ready,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_and_its_own_end_take_the_api_out_of_service() {
        assert_eq!(verdict(true, true, false), Verdict::Ready);
        assert_eq!(verdict(true, false, false), Verdict::Degraded);
        assert_eq!(verdict(true, false, true), Verdict::Stopping);
        assert_eq!(verdict(false, true, false), Verdict::Unavailable);
    }
}
