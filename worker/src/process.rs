//! The process `welcomat-worker`: puts the parts together and works until a signal comes.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use adapters::broker::{Broker, BrokerError};
use adapters::clock::Clock;
use adapters::health::Health;
use adapters::mailer::{Mailer, MailerError};
use adapters::seal::{SealError, SealKeys};
use adapters::settings::{Settings, SettingsError};
use adapters::store::{Store, StoreError};
use adapters::telemetry;
use adapters::templates::{TemplateError, Templates};
use adapters::webhooks::Names;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::http::{self, Watched};
use crate::{WorkerError, WorkerParts};

/// Why the process does not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The broker lives inside another process.
    #[error("broker.url is memory:, which no other process can reach; set it to amqp://…")]
    MemoryBroker,
    /// Several machines need the same keys, so none can be made here.
    #[error("seal_keys is empty; set WELCOMAT_SEAL_KEYS to the same keys in every worker")]
    NoSealKeys,
    /// The keys cannot be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}; \"welcomat doctor\" says what to do")]
    Store(#[from] StoreError),
    /// The broker's address is wrong.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The settings for mail are wrong.
    #[error(transparent)]
    Mailer(#[from] MailerError),
    /// A template is wrong.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// Somebody else listens there, or nobody may.
    #[error("cannot listen on {address} ({error}); set worker.http_bind to a free address")]
    Listen {
        /// Where it was tried.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The system does not let us wait for signals.
    #[error("cannot wait for signals: {0}")]
    Signals(#[from] std::io::Error),
    /// The worker ended by itself.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// Starts a worker with the settings of this process and runs it until SIGTERM or SIGINT.
pub async fn run(config: Option<&Path>) -> Result<(), ProcessError> {
    let settings = Settings::from_process(config)?;
    telemetry::init(&settings.log);
    if settings.broker.url.starts_with("memory:") {
        return Err(ProcessError::MemoryBroker);
    }
    let shutdown = stop_on_signals()?;
    let listener = settings.worker.http_bind.map(listen).transpose()?;
    // What can be wrong with the settings is found before anything is asked of the network.
    let seal = seal_keys(&settings)?;
    let mailer = Mailer::new(&settings.mail)?;
    let templates = Templates::load(settings.templates_dir.as_deref())?;
    let broker = Broker::connect(&settings.broker)?;
    let store = Store::connect(&settings, Clock::new()).await?;
    store.migrate().await?;
    tracing::info!(connections = settings.worker.concurrency, "the worker is ready");
    let health = Health::default();
    let tracer = store.tracer().clone();
    let watching = listener.map(|listener| {
        let watched =
            Watched { store: store.clone(), broker: broker.clone(), health: health.clone() };
        tokio::spawn(http::serve(listener, watched, shutdown.clone()))
    });
    let parts = WorkerParts {
        settings,
        store,
        broker: broker.clone(),
        mailer,
        templates,
        seal,
        names: Names::System,
        health,
    };
    let result = crate::run(parts, shutdown).await;
    if let Some(watching) = watching {
        watching.abort();
    }
    broker.close().await;
    tracer.close().await;
    tracing::info!("the worker has stopped");
    Ok(result?)
}

/// A database in a file means one machine, where processes can share a key file as well.
fn seal_keys(settings: &Settings) -> Result<SealKeys, ProcessError> {
    if settings.seal_keys.is_empty() && !settings.database.url.starts_with("sqlite:") {
        return Err(ProcessError::NoSealKeys);
    }
    Ok(SealKeys::load_or_create(&settings.data_dir, &settings.seal_keys)?)
}

fn listen(address: SocketAddr) -> Result<TcpListener, ProcessError> {
    TcpListener::bind(address).map_err(|error| ProcessError::Listen { address, error })
}

fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = CancellationToken::new();
    let shutdown = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; mails under way are finished first");
        shutdown.cancel();
    });
    Ok(token)
}
