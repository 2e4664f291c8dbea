//! The whole service in one process: API, relay and worker over the same parts.

use std::net::{SocketAddr, TcpListener};

use adapters::settings::Settings;
use domain::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::parts::Parts;

/// Opens the port of the settings. If they leave the choice of port to the system (port 0), they
/// are told which one it is, for the links in mails.
pub fn listen(settings: &mut Settings) -> Result<TcpListener, Failure> {
    let wanted = settings.http.bind;
    let listener = TcpListener::bind(wanted).map_err(|error| {
        format!("cannot listen on {wanted} ({error}); set http.bind, or stop what listens there")
    })?;
    settings.http.bind = listener.local_addr()?;
    if settings.public_url.port() == Some(0) {
        // It has a host, so it can have a port.
        let _ = settings.public_url.set_port(Some(settings.http.bind.port()));
    }
    Ok(listener)
}

/// Serves until `shutdown`, then lets requests and mails that are under way finish.
pub async fn run(
    parts: &Parts,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    let began = parts.store.clock().now();
    // Half a service is worse than none: when one part ends, so does the other.
    let api = async {
        let _stop = shutdown.clone().drop_guard();
        api::run(parts.api(), listener, shutdown.clone()).await
    };
    let worker = async {
        let _stop = shutdown.clone().drop_guard();
        worker::run(parts.worker(), shutdown.clone()).await
    };
    let requeue = async {
        tokio::select! {
            () = Box::pin(queue_again(parts, began)) => {}
            () = shutdown.cancelled() => {}
        }
    };
    let (api, worker, ()) = tokio::join!(api, worker, requeue);
    parts.broker.close().await;
    parts.store.clone().close().await;
    api.map_err(|error| format!("the API stopped: {error}"))?;
    worker.map_err(|error| format!("the worker stopped: {error}"))?;
    Ok(())
}

/// What the broker of the process before held is lost, if that was in memory: nobody waits until it is
/// missed.
async fn queue_again(parts: &Parts, began: Timestamp) {
    if !parts.broker.is_forgetful() {
        return;
    }
    match parts.store.requeue_forgotten(began, parts.settings.relay.lock).await {
        Ok(0) => {}
        Ok(requeued) => tracing::info!(requeued, "what waited for the process before goes on"),
        Err(error) => tracing::warn!(
            %error,
            "what waited for the process before goes on only after worker.requeue_after"
        ),
    }
}

/// Where somebody on this machine reaches a server that listens on `bound`.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = bound.ip();
    let any = ip.is_unspecified();
    SocketAddr::new(if any { [127, 0, 0, 1].into() } else { ip }, bound.port())
}
