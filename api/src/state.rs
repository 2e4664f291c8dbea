//! What every handler can reach.

use std::sync::OnceLock;
use std::time::Duration;

use actix_web::web::Data;
use adapters::broker::Broker;
use adapters::health::Health;
use adapters::mailer::CapturedInbox;
use adapters::password_hash::PasswordHasher;
use adapters::seal::SealKeys;
use adapters::settings::{BatchSettings, ContractSettings, Network, WebhookSettings};
use adapters::store::Store;
use adapters::templates::Templates;
use adapters::webhooks::Guard;
use chrono::TimeDelta;
use domain::NamePolicy;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::asset::Asset;
use crate::auth::{SessionTokenVerifier, TokenVerifier};
use crate::feedback::Intake;
use crate::guesses::Guesses;
use crate::problem::ApiError;
use crate::{ApiParts, openapi};

/// Each batch that arrives keeps a thread and some rows in memory.
const ARRIVING: usize = 4;

/// As handlers take it.
pub type State = Data<AppState>;

/// The parts of the API, ready for requests.
pub struct AppState {
    /// The database.
    pub store: Store,
    /// Only asked whether it is connected: requests never publish.
    pub broker: Broker,
    /// The hosted pages.
    pub templates: Templates,
    /// Hashes the passwords that invitees choose.
    pub hasher: PasswordHasher,
    /// The captured mails, if there are any in this process.
    pub inbox: Option<CapturedInbox>,
    /// What is known about sending.
    pub health: Health,
    /// How long a new invitation can be accepted.
    pub invitation_expires_in: Duration,
    /// How long after a mail another one may be asked for.
    pub resend_interval: Duration,
    /// The language of invitations that name none.
    pub locale: String,
    /// How long after its end an invitation can be asked for once more.
    pub new_link_within: TimeDelta,
    /// The longest body that is read.
    pub body_limit: usize,
    /// How long a request may take, apart from a wait that it asks for.
    pub request_timeout: Duration,
    /// Checks bearer tokens.
    pub tokens: TokenVerifier,
    /// Checks session tokens.
    pub session_tokens: SessionTokenVerifier,
    /// How long a temporary password works.
    pub password_valid_for: Duration,
    /// What clients have guessed.
    pub guesses: Guesses,
    /// Whose word counts on where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// What a name may be.
    pub names: NamePolicy,
    /// What the public contracts leave to the operator.
    pub contracts: ContractSettings,
    /// Seals the secrets that the API makes, if it has the keys.
    pub seal: Option<SealKeys>,
    /// Says which URL may be a webhook.
    pub guard: Guard,
    /// Hears what became of mails.
    pub feedback: Intake,
    /// What there is to set about webhooks.
    pub webhooks: WebhookSettings,
    /// What there is to set about batches.
    pub batches: BatchSettings,
    /// How many batches may arrive at the same time.
    pub arriving: Semaphore,
    /// Where people reach the service; ends with a slash.
    pub public_url: Url,
    /// Its path.
    pub public_path: String,
    /// Whether people reach the service over TLS.
    pub only_tls: bool,
    /// Whether this process was told to stop.
    pub stopping: CancellationToken,
    document: OnceLock<Asset>,
}

impl AppState {
    /// Takes over what requests need.
    pub fn new(parts: ApiParts, stopping: CancellationToken) -> Self {
        Self {
            invitation_expires_in: parts.settings.invitation.expires_in,
            resend_interval: parts.settings.limits.resend_interval,
            locale: parts.settings.invitation.locale.clone(),
            new_link_within: TimeDelta::days(parts.settings.invitation.new_link_days.into()),
            password_valid_for: parts.settings.invitation.temporary_password_valid_for,
            guesses: Guesses::new(parts.settings.limits.unknown_tokens_per_minute),
            trusted_proxies: parts.settings.http.trusted_proxies.clone(),
            names: parts.settings.names.policy(),
            contracts: parts.settings.contracts.clone(),
            tokens: parts.tokens,
            session_tokens: parts.session_tokens,
            seal: parts.seal,
            guard: Guard::new(&parts.settings.webhooks, parts.names),
            feedback: Intake::new(
                parts.settings.feedback.clone(),
                &parts.settings.mail,
                parts.amazon,
            ),
            webhooks: parts.settings.webhooks.clone(),
            batches: parts.settings.batches.clone(),
            arriving: Semaphore::new(ARRIVING),
            body_limit: parts.settings.http.body_limit_bytes,
            request_timeout: parts.settings.http.request_timeout,
            only_tls: parts.settings.public_url.scheme() == "https",
            public_path: parts.settings.public_url.path().to_owned(),
            public_url: parts.settings.public_url.clone(),
            store: parts.store,
            broker: parts.broker,
            templates: parts.templates.below(parts.settings.public_url.path()),
            hasher: parts.hasher,
            inbox: parts.inbox,
            health: parts.health,
            stopping,
            document: OnceLock::new(),
        }
    }

    /// The OpenAPI document, made when it is first asked for.
    pub fn document(&self) -> Result<&Asset, ApiError> {
        if let Some(made) = self.document.get() {
            return Ok(made);
        }
        let json = openapi::json(&self.public_path).map_err(|error| {
            tracing::error!(%error, "the OpenAPI document cannot be written");
            ApiError::Internal
        })?;
        Ok(self.document.get_or_init(|| Asset::new("application/json", json)))
    }
}
