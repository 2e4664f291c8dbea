//! What a worker says over HTTP to those who watch it: that it lives, whether it can work, and what it
//! has counted. Only where `worker.http_bind` names an address.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use adapters::broker::Broker;
use adapters::health::Health;
use adapters::metrics::MEDIA_TYPE;
use adapters::store::Store;
use tokio_util::sync::CancellationToken;

/// A database that is slower than this is no use for work either.
const PATIENCE: Duration = Duration::from_secs(2);
/// Nobody who watches is worth waiting for.
const GRACE_SECONDS: u64 = 1;

/// What there is to tell about.
pub struct Watched {
    /// The database, and what was counted.
    pub store: Store,
    /// Where jobs come from.
    pub broker: Broker,
    /// What is known about sending.
    pub health: Health,
}

/// Answers until `stop`.
pub async fn serve(
    listener: TcpListener,
    watched: Watched,
    stop: CancellationToken,
) -> io::Result<()> {
    let watched = Data::new(watched);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(watched.clone())
            .route("/livez", web::get().to(live))
            .route("/readyz", web::get().to(ready))
            .route("/metrics", web::get().to(metrics))
    })
    .listen(listener)?
    .workers(1)
    .shutdown_timeout(GRACE_SECONDS)
    .disable_signals()
    .run();
    let handle = server.handle();
    let stopper = tokio::spawn(async move {
        stop.cancelled().await;
        handle.stop(true).await;
    });
    let end = server.await;
    stopper.abort();
    end
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "alive" }))
}

/// Without its database a worker can do nothing; without broker or mail server it waits for them.
async fn ready(watched: Data<Watched>) -> HttpResponse {
    let store = watched.store.clone();
    // Its own task: a query that is cancelled half-way could spoil its connection.
    let ping = tokio::spawn(async move { store.ping().await.is_ok() });
    let database = matches!(tokio::time::timeout(PATIENCE, ping).await, Ok(Ok(true)));
    let (broker, mail) = (watched.broker.is_connected(), watched.health.mail_trouble());
    let status = match (database, broker && mail.is_none()) {
        (false, _) => "unavailable",
        (true, false) => "degraded",
        (true, true) => "ready",
    };
    let mut answer = if database { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(serde_json::json!({
        "status": status,
        "checks": {
            "database": { "ok": database },
            "broker": { "ok": broker },
            "mail": { "ok": mail.is_none(), "detail": mail },
        },
    }))
}

async fn metrics(watched: Data<Watched>) -> HttpResponse {
    let Watched { store, broker, health } = &**watched;
    let text = store.metrics().shown(store, broker, health).await;
    HttpResponse::Ok().insert_header((CONTENT_TYPE, MEDIA_TYPE)).body(text)
}
