//! From settings to the parts that API and worker run on.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;

use adapters::broker::Broker;
use adapters::clock::Clock;
use adapters::health::Health;
use adapters::mailer::Mailer;
use adapters::password_hash::PasswordHasher;
use adapters::seal::SealKeys;
use adapters::settings::Settings;
use adapters::store::Store;
use adapters::templates::Templates;
use adapters::webhooks::Names;
use api::{Amazon, ApiParts, SessionTokenVerifier, TokenVerifier};
use worker::WorkerParts;
use zeroize::Zeroizing;

use crate::Failure;

/// Everything a process needs, connected and checked.
pub struct Parts {
    /// As read.
    pub settings: Settings,
    /// The database, with its tables made.
    pub store: Store,
    /// The broker; connected as soon as it is there.
    pub broker: Broker,
    /// Where mail goes.
    pub mailer: Mailer,
    /// Mails and pages.
    pub templates: Templates,
    /// For the secrets of webhooks, and of mails not sent yet.
    pub seal: SealKeys,
    /// Finds the addresses of webhooks.
    pub names: Names,
    /// Where the certificates of Amazon SNS are.
    pub amazon: Amazon,
    /// For the passwords that people choose.
    pub hasher: PasswordHasher,
    /// What worker and API know together when they share a process.
    pub health: Health,
    /// For bearer tokens.
    pub tokens: TokenVerifier,
}

/// Checks what can be checked without a server: mail, templates, keys of tokens.
pub fn check(settings: &Settings) -> Result<(), Failure> {
    Mailer::new(&settings.mail)?;
    Templates::load(settings.templates_dir.as_deref())?;
    TokenVerifier::new(settings)?;
    Ok(())
}

impl Parts {
    /// Makes the parts; what is wrong with the settings shows here and not with the first request.
    pub async fn assemble(settings: Settings) -> Result<Self, Failure> {
        let mailer = Mailer::new(&settings.mail)?;
        let templates = Templates::load(settings.templates_dir.as_deref())?;
        let tokens = TokenVerifier::new(&settings)?;
        let seal = SealKeys::load_or_create(&settings.data_dir, &settings.seal_keys)?;
        let store = connect_store(&settings).await?;
        let broker = Broker::connect(&settings.broker)?;
        Ok(Self {
            hasher: PasswordHasher::new(settings.http.workers),
            health: Health::default(),
            settings,
            store,
            broker,
            mailer,
            templates,
            seal,
            names: Names::System,
            amazon: Amazon::Itself,
            tokens,
        })
    }

    /// Makes the first organization, its admin and a key, unless there is one already. The key is
    /// returned if nobody knows it yet.
    pub async fn bootstrap(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(api::bootstrap::bootstrap(&self.store, &self.settings.bootstrap).await?)
    }

    /// The API's share.
    pub fn api(&self) -> ApiParts {
        ApiParts {
            settings: self.settings.clone(),
            store: self.store.clone(),
            broker: self.broker.clone(),
            templates: self.templates.clone(),
            hasher: self.hasher.clone(),
            inbox: self.mailer.captured(),
            health: self.health.clone(),
            seal: Some(self.seal.clone()),
            names: self.names.clone(),
            amazon: self.amazon.clone(),
            tokens: self.tokens.clone(),
            session_tokens: SessionTokenVerifier::new(&self.settings),
        }
    }

    /// The worker's share.
    pub fn worker(&self) -> WorkerParts {
        WorkerParts {
            settings: self.settings.clone(),
            store: self.store.clone(),
            broker: self.broker.clone(),
            mailer: self.mailer.clone(),
            templates: self.templates.clone(),
            seal: self.seal.clone(),
            names: self.names.clone(),
            health: self.health.clone(),
        }
    }
}

/// Connects to the database and brings its tables up to date.
pub async fn connect_store(settings: &Settings) -> Result<Store, Failure> {
    if settings.database.url.starts_with("sqlite:") {
        DirBuilder::new().recursive(true).mode(0o700).create(&settings.data_dir).map_err(|e| {
            format!("the data folder {} cannot be made: {e}", settings.data_dir.display())
        })?;
    }
    let unusable = |error| {
        format!("the database cannot be used: {error}; \"welcomat doctor\" says what to do")
    };
    let store = Store::connect(settings, Clock::new()).await.map_err(unusable)?;
    store.migrate().await.map_err(unusable)?;
    Ok(store)
}
