//! The HTTP API of Welcomat, with the loops that belong beside it: the relay, which takes the outbox
//! to the broker, the announcer, which takes events to the exchange, the one that invites the rows of
//! batches, and the sweep that closes overdue invitations.
//!
//! A request goes through `server` (limits, log line), `auth` (who asks), one file of
//! `routes` (what is asked) into the store; whatever goes wrong becomes one line of the table in
//! `problem`.

pub mod bootstrap;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod openapi;
pub mod start;

mod accept_language;
mod access_log;
mod announcer;
mod asset;
mod auth;
mod batch_file;
mod batches;
mod body;
mod client_address;
mod contracts;
mod deadline;
mod drain;
mod expiry;
mod feedback;
mod form;
mod guesses;
mod idempotency;
mod json;
mod prefer;
mod problem;
mod relay;
mod reseal;
mod routes;
mod same_site;
mod security_headers;
mod server;
mod state;
mod whole_number;

use std::io;
use std::net::TcpListener;

use adapters::broker::Broker;
use adapters::health::Health;
use adapters::mailer::CapturedInbox;
use adapters::password_hash::PasswordHasher;
use adapters::seal::SealKeys;
use adapters::settings::Settings;
use adapters::store::Store;
use adapters::templates::Templates;
use adapters::webhooks::Names;
use tokio_util::sync::CancellationToken;

pub use auth::{
    Claims, SessionClaims, SessionTokenVerifier, TokenConfigError, TokenError, TokenVerifier,
};
pub use feedback::sns::Amazon;

/// Everything the API works with.
pub struct ApiParts {
    /// What the operator has set.
    pub settings: Settings,
    /// The database.
    pub store: Store,
    /// Where jobs go.
    pub broker: Broker,
    /// The hosted pages.
    pub templates: Templates,
    /// Hashes the passwords that invitees choose.
    pub hasher: PasswordHasher,
    /// The mails that went nowhere, if mail is captured in this process.
    pub inbox: Option<CapturedInbox>,
    /// What the worker knows about sending, if it runs in this process.
    pub health: Health,
    /// Seals the secrets that the API makes: those of webhooks, and of invitations for a contract whose
    /// answer always holds the password.
    pub seal: Option<SealKeys>,
    /// Finds the addresses of webhooks.
    pub names: Names,
    /// Where the certificates of Amazon SNS are.
    pub amazon: Amazon,
    /// Checks bearer tokens.
    pub tokens: TokenVerifier,
    /// Checks session tokens.
    pub session_tokens: SessionTokenVerifier,
}

/// Serves requests on `listener`, relays and sweeps until `shutdown`; then drains, and lets open requests
/// end.
pub async fn run(
    parts: ApiParts,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    // A child: when the server fails by itself, the loops stop, but not the caller's other work.
    let stop = shutdown.child_token();
    parts.tokens.load_ahead();
    // It outlives the server: open requests still hand rows over.
    let done = CancellationToken::new();
    let relay = tokio::spawn(relay::run(
        parts.store.clone(),
        parts.broker.clone(),
        parts.settings.relay.clone(),
        parts.settings.batches.mails_ahead,
        done.clone(),
    ));
    let announcer = tokio::spawn(announcer::run(
        parts.store.clone(),
        parts.broker.clone(),
        parts.settings.relay.clone(),
        parts.settings.public_url.to_string(),
        parts.settings.broker.events,
        stop.clone(),
    ));
    let reseal = tokio::spawn(reseal::run(parts.store.clone(), parts.seal.clone(), stop.clone()));
    let batches = tokio::spawn(batches::run(
        parts.store.clone(),
        parts.settings.batches.clone(),
        stop.clone(),
    ));
    let sweep = tokio::spawn(expiry::run(
        parts.store.clone(),
        parts.settings.invitation.expiry_sweep,
        expiry::Keeping {
            told: parts.settings.webhooks.keep,
            batches: parts.settings.batches.clone(),
            people: parts.settings.retention,
        },
        stop.clone(),
    ));
    let served = server::serve(parts, listener, stop.clone()).await;
    stop.cancel();
    done.cancel();
    let ends = [
        ("relay", relay.await),
        ("announcer", announcer.await),
        ("resealing", reseal.await),
        ("work on batches", batches.await),
        ("expiry sweep", sweep.await),
    ];
    for (name, end) in ends {
        if let Err(error) = end {
            tracing::error!(%error, "the {name} ended badly");
        }
    }
    served
}
