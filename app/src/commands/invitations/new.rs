//! `welcomat invitations create`: one person to invite.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::client::wait::Wait;

/// A person to invite.
#[derive(Debug, Clone, Args)]
pub struct New {
    /// Whom to invite.
    #[arg(value_name = "ADDRESS")]
    email: String,
    /// The first name.
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// The last name.
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// The role; without it the organization's default role.
    #[arg(long)]
    role: Option<String>,
    /// The language of mail and page, such as de-AT.
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// When the mail goes out (RFC 3339), at most 90 days ahead; now without it.
    #[arg(long, value_name = "TIME")]
    send_at: Option<String>,
    /// For how many seconds from then it can be accepted.
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// What to do if the address has a pending invitation [default: error].
    #[arg(long, value_enum, value_name = "WISH")]
    on_existing: Option<Existing>,
    /// Anything of yours, as a JSON object; shown again, never mailed.
    #[arg(long, value_name = "JSON", value_parser = object)]
    metadata: Option<Map<String, Value>>,
    /// Whether to wait for the mail.
    #[command(flatten)]
    pub wait: Wait,
}

/// What to do about a pending invitation to the same address.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Existing {
    /// Refuse.
    Error,
    /// Leave it as it is, and show it.
    Ignore,
    /// Send its mail again.
    Resend,
    /// Revoke it and invite anew.
    Replace,
}

impl New {
    /// What the server is sent.
    pub fn body(&self) -> Value {
        let texts = [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("role", &self.role),
            ("locale", &self.locale),
            ("send_at", &self.send_at),
        ];
        let mut body = json!({ "email": self.email });
        for (name, text) in texts {
            if let Some(text) = text {
                body[name] = text.as_str().into();
            }
        }
        if let Some(seconds) = self.expires_in {
            body["expires_in"] = seconds.into();
        }
        if let Some(wish) = self.on_existing {
            body["on_existing"] = wish.as_str().into();
        }
        if let Some(metadata) = &self.metadata {
            body["metadata"] = metadata.clone().into();
        }
        body
    }
}

impl Existing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Ignore => "ignore",
            Self::Resend => "resend",
            Self::Replace => "replace",
        }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("it must be a JSON object: {error}"))
}
