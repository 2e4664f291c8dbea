//! The sections about the public invite APIs that are served as drop-in.

use std::time::Duration;

use serde::Serialize;

use super::source::Leaves;
use super::{SettingsError, duration};

/// What the four contracts leave to the operator.
#[derive(Debug, Clone, Serialize)]
pub struct ContractSettings {
    /// How long an answer that says whether the mail is sent waits for it, in milliseconds.
    #[serde(rename = "sync_wait_ms", serialize_with = "duration::serialize_milliseconds")]
    pub sync_wait: Duration,
    /// How old the last mail must be before inviting somebody once more sends another.
    #[serde(serialize_with = "duration::serialize")]
    pub resend_cooldown: Duration,
    /// `POST /api/v1/users/invite/{organization_id}`.
    pub jobsim: JobsimSettings,
    /// `POST /users-organizations/v1/rs/na/{userId}/invite`.
    pub users_organizations: UsersOrganizationsSettings,
    /// `POST /organization/users/invite`.
    pub goldleaf: GoldleafSettings,
}

/// The contract whose answer may hold a password.
#[derive(Debug, Clone, Serialize)]
pub struct JobsimSettings {
    /// When the answer holds the temporary password.
    pub temporary_password: AnswerPassword,
}

/// When an answer holds the invitee's temporary password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerPassword {
    /// Only the mail has it.
    Never,
    /// If it is known that no mail brings it.
    WhenNotMailed,
    /// Whether or not the mail has it, too.
    Always,
}

/// The contract that stands behind a gateway with stages.
#[derive(Debug, Clone, Serialize)]
pub struct UsersOrganizationsSettings {
    /// A second path below which it is served, such as `/main`; may be empty.
    pub prefix: String,
}

/// The contract that takes many addresses at once.
#[derive(Debug, Clone, Serialize)]
pub struct GoldleafSettings {
    /// How many addresses one request may have.
    pub max_addresses: usize,
}

impl ContractSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        Ok(Self {
            sync_wait: Duration::from_millis(values.number("contracts.sync_wait_ms", 0..=30_000)?),
            resend_cooldown: values.duration("contracts.resend_cooldown")?,
            jobsim: JobsimSettings {
                temporary_password: values
                    .text("contracts.jobsim.temporary_password", answer_password)?,
            },
            users_organizations: UsersOrganizationsSettings {
                prefix: values.text("contracts.users_organizations.prefix", prefix)?,
            },
            goldleaf: GoldleafSettings {
                max_addresses: values.number("contracts.goldleaf.max_addresses", 1..=10_000)?,
            },
        })
    }
}

fn answer_password(text: &str) -> Result<AnswerPassword, String> {
    match text {
        "never" => Ok(AnswerPassword::Never),
        "when_not_mailed" => Ok(AnswerPassword::WhenNotMailed),
        "always" => Ok(AnswerPassword::Always),
        _ => Err(format!("must be never, when_not_mailed or always, not {text:?}")),
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    let is_path = text.starts_with('/') && !text.ends_with('/') && text.bytes().all(fits);
    if text.is_empty() || is_path {
        return Ok(text.to_owned());
    }
    Err("must be empty or a path such as /main".into())
}
