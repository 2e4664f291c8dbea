//! Sends the mails: takes jobs from the broker, claims them in the database, speaks SMTP, reports.
//!
//! `handle` is the path of one job and the place to start reading; `consume` feeds it, `rescue`
//! finds what got lost and `dead_letters` takes in what nobody could process. The decisions are in
//! `domain`; [`breaker`] and `pace` are the only ones that belong to a worker alone.

mod attempt;
pub mod breaker;
mod connections;
mod consume;
mod dead_letters;
mod gate;
mod handle;
mod mail;
mod pace;
mod patience;
mod prepare;
pub mod process;
mod report;
mod rescue;

use std::sync::Arc;

use adapters::broker::Broker;
use adapters::health::Health;
use adapters::mailer::Mailer;
use adapters::seal::SealKeys;
use adapters::settings::Settings;
use adapters::store::Store;
use adapters::templates::Templates;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use connections::Connections;
use consume::Consume;
use gate::Gate;
use handle::Handler;
use mail::Composer;
use rescue::Rescue;

/// What a worker is made of.
pub struct WorkerParts {
    /// All settings; the worker reads `worker`, `retry`, `invitation` and `public_url`.
    pub settings: Settings,
    /// The database.
    pub store: Store,
    /// Where jobs come from.
    pub broker: Broker,
    /// Where mails go.
    pub mailer: Mailer,
    /// What mails look like.
    pub templates: Templates,
    /// Seals and opens the secrets of invitations.
    pub seal: SealKeys,
    /// Where trouble with the mail server is shown.
    pub health: Health,
}

/// Why a worker ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// A part of it panicked or returned; the process should be started anew.
    #[error("the worker stopped by itself; this is a bug")]
    Stopped,
}

/// Works until `shutdown`; then finishes what it has begun, within `worker.shutdown_grace`.
pub async fn run(parts: WorkerParts, shutdown: CancellationToken) -> Result<(), WorkerError> {
    let WorkerParts { settings, store, broker, mailer, templates, seal, health } = parts;
    // If one part ends by itself the others stop too, but not whoever shares the token.
    let stopping = shutdown.child_token();
    let gate = Arc::new(Gate::new(&settings.retry, health));
    let composer = Composer::new(&settings, templates, mailer.sender().clone());
    let handler = Handler {
        store: store.clone(),
        seal,
        gate: Arc::clone(&gate),
        composer: Arc::new(composer),
        connections: Arc::new(Connections::new(mailer, settings.worker.concurrency)),
        policy: settings.retry.policy(),
        lease: settings.worker.lease,
        password_valid_for: settings.invitation.temporary_password_valid_for,
        stopping: stopping.clone(),
        overrun: CancellationToken::new(),
    };
    let consume = Consume {
        handler: Arc::new(handler),
        prefetch: settings.worker.prefetch,
        grace: settings.worker.shutdown_grace,
    };
    let rescue = Rescue {
        interval: settings.worker.rescue_interval,
        uncertain_pause: settings.retry.uncertain_pause,
        requeue_after: settings.worker.requeue_after,
    };
    let mut parts = JoinSet::new();
    let (jobs, letters) = (broker.clone(), broker);
    parts.spawn(async move { consume.run(&jobs).await });
    let (s, token) = (store.clone(), stopping.clone());
    parts.spawn(async move { rescue.run(&s, &gate, &token).await });
    let token = stopping.clone();
    parts.spawn(async move { dead_letters::run(&letters, &store, &token).await });
    supervise(parts, &stopping).await
}

async fn supervise(
    mut parts: JoinSet<()>,
    stopping: &CancellationToken,
) -> Result<(), WorkerError> {
    let mut result = Ok(());
    while let Some(ended) = parts.join_next().await {
        if ended.is_err() || !stopping.is_cancelled() {
            result = Err(WorkerError::Stopped);
        }
        stopping.cancel();
    }
    result
}
