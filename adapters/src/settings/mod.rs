//! What an operator can set, read once at the start from defaults, a file and the environment.
//!
//! `settings.default.toml` lists every key with its default; a key that is not in it is refused.

mod background;
mod batches;
mod checks;
mod contracts;
pub mod duration;
mod error;
mod feedback;
mod limits;
mod mail;
mod names;
mod nearest;
mod network;
mod redact;
mod reference;
mod retention;
mod sections;
mod source;
mod tokens;
mod traces;
mod values;
mod webhooks;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use url::Url;

use crate::seal::{SealError, SealKeys};

pub use background::{
    InvitationSettings, LogFormat, LogSettings, RelaySettings, RetrySettings, WorkerSettings,
};
pub use batches::BatchSettings;
pub use contracts::{
    AnswerPassword, ContractSettings, GoldleafSettings, JobsimSettings, UsersOrganizationsSettings,
};
pub use error::SettingsError;
pub use feedback::{FeedbackSettings, p256_point};
pub use limits::LimitSettings;
pub use mail::{DkimSettings, MailProvider, MailSettings, MailTimeouts};
pub use names::NameSettings;
pub use network::Network;
pub use reference::reference;
pub use retention::RetentionSettings;
pub use sections::{BootstrapSettings, BrokerSettings, DatabaseSettings, HttpSettings, Topology};
pub use source::{Origin, env_name};
pub use tokens::{JwksSource, JwtSettings};
pub use traces::TraceSettings;
pub use webhooks::WebhookSettings;

/// Every setting. `Debug` and `Serialize` show no secret.
#[derive(Clone, Serialize)]
pub struct Settings {
    /// Where people reach the service; ends with a slash, so that paths can be joined to it.
    #[serde(serialize_with = "sections::serialize_display")]
    pub public_url: Url,
    /// Where an embedded start keeps its files.
    pub data_dir: PathBuf,
    /// Where templates are that replace the built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates_dir: Option<PathBuf>,
    /// The source of [`crate::seal::SealKeys`]; empty if the data folder is to hold the key.
    #[serde(serialize_with = "redact::serialize_secret")]
    pub seal_keys: String,
    /// Where the public keys are that bearer tokens are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwksSource>,
    /// The HS256 secret of `x-session-token`.
    #[serde(serialize_with = "redact::serialize_option")]
    pub session_token_secret: Option<String>,
    /// The HTTP server.
    pub http: HttpSettings,
    /// What a bearer token must be.
    pub jwt: JwtSettings,
    /// The database.
    pub database: DatabaseSettings,
    /// The message broker.
    pub broker: BrokerSettings,
    /// Sending mail.
    pub mail: MailSettings,
    /// The sending worker.
    pub worker: WorkerSettings,
    /// When mails are tried again.
    pub retry: RetrySettings,
    /// From the outbox to the broker.
    pub relay: RelaySettings,
    /// The lifetime of invitations.
    pub invitation: InvitationSettings,
    /// Many invitations at once.
    pub batches: BatchSettings,
    /// How long people are remembered.
    pub retention: RetentionSettings,
    /// How much may be sent and guessed.
    pub limits: LimitSettings,
    /// The names of people and organizations.
    pub names: NameSettings,
    /// Telling endpoints of events.
    pub webhooks: WebhookSettings,
    /// Hearing what became of mails.
    pub feedback: FeedbackSettings,
    /// The public invite APIs that are served as drop-in.
    pub contracts: ContractSettings,
    /// What a first start makes.
    pub bootstrap: BootstrapSettings,
    /// The log.
    pub log: LogSettings,
    /// Traces.
    pub traces: TraceSettings,
}

impl Settings {
    /// Reads the settings from the defaults, the file and the variables given.
    pub fn load(
        config: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let values = source::merge(config, env)?;
        let http = HttpSettings::read(&values)?;
        let data_dir = values.text("data_dir", |text| match text {
            "" => Err("must name a folder".into()),
            path => Ok(PathBuf::from(path)),
        })?;
        let settings = Self {
            public_url: sections::public_url(&values, http.bind)?,
            templates_dir: values.optional("templates_dir")?.map(PathBuf::from),
            seal_keys: values.text("seal_keys", seal_keys)?,
            jwks: values.text("jwks", tokens::jwks)?,
            session_token_secret: values.text("session_token_secret", tokens::secret)?,
            jwt: JwtSettings::read(&values)?,
            database: DatabaseSettings::read(&values, &data_dir)?,
            broker: BrokerSettings::read(&values)?,
            mail: MailSettings::read(&values)?,
            worker: WorkerSettings::read(&values)?,
            retry: RetrySettings::read(&values)?,
            relay: RelaySettings::read(&values)?,
            invitation: InvitationSettings::read(&values)?,
            batches: BatchSettings::read(&values)?,
            retention: RetentionSettings::read(&values)?,
            limits: LimitSettings::read(&values)?,
            names: NameSettings::read(&values)?,
            webhooks: WebhookSettings::read(&values)?,
            feedback: FeedbackSettings::read(&values)?,
            contracts: ContractSettings::read(&values)?,
            bootstrap: BootstrapSettings::read(&values)?,
            log: LogSettings::read(&values)?,
            traces: TraceSettings::read(&values)?,
            http,
            data_dir,
        };
        checks::check(&settings)?;
        Ok(settings)
    }

    /// Reads the settings of this process.
    pub fn from_process(config: Option<&Path>) -> Result<Self, SettingsError> {
        // A variable that is not Unicode cannot be one of ours, and `vars` would panic on it.
        let env = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::load(config, env)
    }

    /// The settings in force as they would be written, with secrets hidden.
    pub fn redacted(&self) -> toml::Value {
        toml::Value::try_from(self).unwrap_or_else(|error| toml::Value::String(error.to_string()))
    }
}

/// Checks the list without repeating any of it.
fn seal_keys(list: &str) -> Result<String, String> {
    match SealKeys::parse(list) {
        Err(SealError::Keys(problem)) if !list.is_empty() => Err(problem),
        _ => Ok(list.to_owned()),
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(f, "Settings", self)
    }
}
