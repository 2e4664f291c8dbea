//! The HTTP server: its limits and what wraps every request.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio_util::sync::CancellationToken;

use crate::state::AppState;
use crate::{ApiParts, access_log, contracts, deadline, drain, problem, routes, security_headers};

/// A client that has not sent its request head by then is cut off (slowloris).
const HEADER_TIME: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Answers requests until `stop` and the drain of the settings after it, then gives the open ones their
/// grace.
pub async fn serve(
    parts: ApiParts,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    let http = parts.settings.http.clone();
    let state = Data::new(AppState::new(parts, stop.clone()));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .configure(|config| routes::configure(config, &state.contracts))
            // From here on upwards: the last one sees a request first and its answer last.
            .wrap(from_fn(problem::for_plain_errors))
            .wrap(from_fn(deadline::enforce))
            .wrap(from_fn(drain::part_with_clients))
            .wrap(from_fn(contracts::in_its_own_words))
            .wrap(from_fn(security_headers::add))
            .wrap(from_fn(access_log::write))
    })
    .listen(listener)?
    .workers(http.workers.max(1))
    .client_request_timeout(HEADER_TIME)
    .client_disconnect_timeout(Duration::from_secs(1))
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(http.shutdown_grace.as_secs().max(1))
    .disable_signals()
    .run();
    let handle = server.handle();
    let stopper = tokio::spawn(async move {
        stop.cancelled().await;
        tokio::time::sleep(http.drain).await;
        handle.stop(true).await;
    });
    let end = server.await;
    stopper.abort();
    end
}
