//! From settings to a running API: what the binary and the all-in-one program share.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;

use adapters::broker::{Broker, BrokerError};
use adapters::clock::Clock;
use adapters::health::Health;
use adapters::mailer::CapturedInbox;
use adapters::password_hash::PasswordHasher;
use adapters::seal::{SealError, SealKeys};
use adapters::settings::{AnswerPassword, Settings, SettingsError};
use adapters::store::{Store, StoreError};
use adapters::templates::{TemplateError, Templates};
use adapters::webhooks::Names;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::bootstrap::{BootstrapError, bootstrap};
use crate::{Amazon, ApiParts, SessionTokenVerifier, TokenConfigError, TokenVerifier};

/// Why the API does not start, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An argument of the command line.
    #[error("unknown argument {0:?}; only --config FILE is known")]
    Argument(String),
    /// A setting.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database.
    #[error("the database cannot be used: {0}; \"welcomat doctor\" says what to do")]
    Store(#[from] StoreError),
    /// The first organization.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The broker's URL.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The workers could not open what this process seals.
    #[error(
        "contracts.jobsim.temporary_password = always needs seal_keys, the same as the workers'"
    )]
    NoSealKeys,
    /// Bounces could not be told from those that somebody made up.
    #[error(
        "mail.return_path and feedback.dsn_secret together need seal_keys, the same as the workers'"
    )]
    NoSealKeysForBounces,
    /// The seal keys.
    #[error("the seal keys cannot be used: {0}")]
    Seal(#[from] SealError),
    /// A template.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// The keys for tokens.
    #[error(transparent)]
    Tokens(#[from] TokenConfigError),
    /// The address to listen on is taken, or not ours.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The server.
    #[error("the server stopped: {0}")]
    Serve(#[from] io::Error),
}

/// Finds `--config FILE` among the arguments of the process, without its name.
pub fn config_path(mut args: impl Iterator<Item = String>) -> Result<Option<PathBuf>, StartError> {
    let mut path = None;
    while let Some(arg) = args.next() {
        let value = match arg.strip_prefix("--config") {
            Some("") => args.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        path = Some(PathBuf::from(value.ok_or(StartError::Argument(arg))?));
    }
    Ok(path)
}

/// Opens the database, brings it up to date and makes the first organization; the key, if one was
/// made up, is to be shown once.
pub async fn open_store(
    settings: &Settings,
) -> Result<(Store, Option<Zeroizing<String>>), StartError> {
    let store = Store::connect(settings, Clock::new()).await?;
    store.migrate().await?;
    let key = bootstrap(&store, &settings.bootstrap).await?;
    Ok((store, key))
}

/// Binds the address of the settings.
pub fn listen(settings: &Settings) -> Result<TcpListener, StartError> {
    let address = settings.http.bind;
    TcpListener::bind(address).map_err(|error| StartError::Listen { address, error })
}

/// Makes everything else that the API works with.
pub fn parts(
    settings: Settings,
    store: Store,
    broker: Broker,
    inbox: Option<CapturedInbox>,
    health: Health,
) -> Result<ApiParts, StartError> {
    let templates = Templates::load(settings.templates_dir.as_deref())?;
    // Each hash keeps one core busy; more at once than there are threads would only queue.
    let hasher = PasswordHasher::new(settings.http.workers);
    let seal = seal_keys(&settings)?;
    let tokens = TokenVerifier::new(&settings)?;
    let session_tokens = SessionTokenVerifier::new(&settings);
    Ok(ApiParts {
        settings,
        store,
        broker,
        templates,
        hasher,
        inbox,
        health,
        seal,
        names: Names::System,
        amazon: Amazon::Itself,
        tokens,
        session_tokens,
    })
}

/// The API makes the secrets of webhooks, and those for a contract whose answer always holds the
/// password. Without keys, which must be the workers', it makes none.
fn seal_keys(settings: &Settings) -> Result<Option<SealKeys>, StartError> {
    let always = settings.contracts.jobsim.temporary_password == AnswerPassword::Always;
    // A database in a file means one machine, where processes can share a key file as well.
    if !settings.seal_keys.is_empty() || settings.database.url.starts_with("sqlite:") {
        return Ok(Some(SealKeys::load_or_create(&settings.data_dir, &settings.seal_keys)?));
    }
    if settings.mail.return_path.is_some() && settings.feedback.dsn_secret.is_some() {
        return Err(StartError::NoSealKeysForBounces);
    }
    if always { Err(StartError::NoSealKeys) } else { Ok(None) }
}

/// Runs the API alone until the process is asked to stop.
pub async fn run_alone(settings: Settings) -> Result<(), StartError> {
    let (store, key) = open_store(&settings).await?;
    if let Some(key) = key {
        show_key(&key);
    }
    let broker = Broker::connect(&settings.broker)?;
    if settings.broker.url.starts_with("memory:") {
        tracing::warn!("broker.url is memory: and no worker shares this process: no mail is sent");
    }
    let listener = listen(&settings)?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let parts = parts(settings, store.clone(), broker.clone(), None, Health::default())?;
    let ended = crate::run(parts, listener, stop_signal()?).await;
    broker.close().await;
    store.close().await;
    Ok(ended?)
}

/// Shows a made-up key to the person at the terminal; it is in no log and in no file.
#[expect(clippy::print_stderr, reason = "the log must not hold a key, and there is no other way")]
pub fn show_key(key: &str) {
    eprintln!("The first admin's API key, shown only now: {key}");
}

/// Is cancelled on the first SIGINT or SIGTERM.
pub fn stop_signal() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(args: &[&str]) -> Result<Option<PathBuf>, StartError> {
        config_path(args.iter().map(|&arg| arg.to_owned()))
    }

    #[test]
    fn only_the_settings_file_can_be_named() {
        assert_eq!(path(&[]).unwrap(), None);
        assert_eq!(path(&["--config", "a"]).unwrap(), Some("a".into()));
        assert_eq!(path(&["--config=a=b"]).unwrap(), Some("a=b".into()));
        for args in [&["--config"][..], &["--configure=x"], &["serve"]] {
            assert!(matches!(path(args), Err(StartError::Argument(_))), "{args:?}");
        }
    }
}
