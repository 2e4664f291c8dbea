//! Sends the mails and tells endpoints of events: takes jobs from the broker, claims them in the
//! database, speaks SMTP or HTTP, reports.
//!
//! `handle` is the path of one mail and the place to start reading, `webhooks` that of one event; `consume` feeds it, `rescue`
//! finds what got lost and `dead_letters` takes in what nobody could process. The decisions are in
//! `domain`; [`breaker`], `pace` and `domains` are the only ones that belong to a worker alone.

mod attempt;
pub mod breaker;
mod connections;
mod consume;
mod dead_letters;
mod domains;
mod gate;
mod handle;
mod http;
mod mail;
mod own_templates;
mod pace;
mod patience;
mod prepare;
mod presence;
pub mod process;
mod report;
mod rescue;
mod test_mails;
mod webhooks;

use std::sync::Arc;

use adapters::broker::{Broker, Queue};
use adapters::health::Health;
use adapters::mailer::Mailer;
use adapters::seal::SealKeys;
use adapters::settings::Settings;
use adapters::store::Store;
use adapters::templates::Templates;
use adapters::webhooks::{Guard, Names, Poster};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use connections::Connections;
use consume::{Consume, Jobs};
use domains::Domains;
use gate::Gate;
use handle::Handler;
use mail::Composer;
use own_templates::OwnTemplates;
use presence::Presence;
use rescue::Rescue;
use webhooks::{Lines, WebhookHandler};

/// What a worker is made of.
pub struct WorkerParts {
    /// All settings; the worker reads `worker`, `retry`, `webhooks`, `invitation` and `public_url`.
    pub settings: Settings,
    /// The database.
    pub store: Store,
    /// Where jobs come from.
    pub broker: Broker,
    /// Where mails go.
    pub mailer: Mailer,
    /// What mails look like.
    pub templates: Templates,
    /// Seals and opens the secrets of invitations and webhooks.
    pub seal: SealKeys,
    /// Finds the addresses of webhooks.
    pub names: Names,
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
    let WorkerParts { settings, store, broker, mailer, templates, seal, names, health } = parts;
    // If one part ends by itself the others stop too, but not whoever shares the token.
    let stopping = shutdown.child_token();
    let gate = Arc::new(Gate::new(&settings.retry, health));
    let composer = Composer::new(&settings, templates, mailer.sender().clone(), &seal);
    let connections = Arc::new(Connections::new(mailer, settings.worker.concurrency));
    let overrun = CancellationToken::new();
    let mails = Handler {
        store: store.clone(),
        seal: seal.clone(),
        gate: Arc::clone(&gate),
        composer,
        templates: OwnTemplates::default(),
        domains: Domains::new(&settings.worker),
        connections: Arc::clone(&connections),
        policy: settings.retry.policy(),
        lease: settings.worker.lease,
        password_valid_for: settings.invitation.temporary_password_valid_for,
        stopping: stopping.clone(),
        overrun: overrun.clone(),
    };
    let poster = Poster::new(Guard::new(&settings.webhooks, names), settings.webhooks.timeout);
    let webhooks = WebhookHandler {
        store: store.clone(),
        seal,
        poster,
        policy: settings.webhooks.policy(),
        lease: settings.webhooks.lease(),
        disable_after: settings.webhooks.disable_after,
        lines: Lines::new(settings.webhooks.concurrency),
        stopping: stopping.clone(),
        overrun: overrun.clone(),
    };
    let jobs = Arc::new(Jobs { mails, webhooks });
    let consume = |queue, prefetch| Consume {
        jobs: Arc::clone(&jobs),
        queue,
        prefetch,
        grace: settings.worker.shutdown_grace,
        stopping: stopping.clone(),
        overrun: overrun.clone(),
    };
    let mails = consume(Queue::Email, settings.worker.prefetch);
    let webhooks = consume(Queue::Webhook, settings.webhooks.concurrency);
    let rescue = Rescue {
        interval: settings.worker.rescue_interval,
        uncertain_pause: settings.retry.uncertain_pause,
        requeue_after: settings.worker.requeue_after,
    };
    let presence = Presence::new(&settings.worker);
    let mut parts = JoinSet::new();
    let from = broker.clone();
    parts.spawn(async move {
        mails.run(&from).await;
        connections.close().await;
    });
    let from = broker.clone();
    parts.spawn(async move { webhooks.run(&from).await });
    let (s, token) = (store.clone(), stopping.clone());
    parts.spawn(async move { rescue.run(&s, &gate, &token).await });
    let (s, token) = (store.clone(), stopping.clone());
    parts.spawn(async move { presence.run(&s, &token).await });
    let token = stopping.clone();
    parts.spawn(async move { dead_letters::run(&broker, &store, &token).await });
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
