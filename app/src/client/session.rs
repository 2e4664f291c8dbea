//! One command's dealings with one server: options, environment and profile put together.

use serde_json::Value;

use super::api::Api;
use super::error::ClientError;
use super::options::ClientOptions;
use super::output::{Output, say};
use super::profile;

/// What the embedded server listens on.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// A server to ask and a place to show what it says.
pub struct Session {
    /// The server.
    pub api: Api,
    /// Where its answers go.
    pub output: Output,
}

impl Session {
    /// Settles who is asked with which key; each comes from the options, else from the
    /// environment (clap has read both), else from the profile.
    pub fn open(options: &ClientOptions) -> Result<Self, ClientError> {
        let output = Output::new(options);
        let given = |text: &String| !text.trim().is_empty();
        let url = options.url.clone().filter(given);
        let key = options.api_key.clone().filter(|key| !key.expose().is_empty());
        let mut profile = profile::Profile::default();
        if url.is_none() || key.is_none() || options.profile.is_some() {
            let path = profile::path(options.config_home.as_deref());
            let loaded = profile::load(path.as_deref(), options.profile.as_deref())?;
            if let Some(warning) = loaded.warning {
                say(&format!("warning: {warning}"));
            }
            profile = loaded.profile;
        }
        let url = url.or(profile.url).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let api = Api::new(&url, key.or(profile.api_key), options.timeout)?;
        Ok(Self { api, output })
    }

    /// The organization to act in: the one that is named, else the key's own.
    pub fn organization(&self, named: Option<&str>) -> Result<String, ClientError> {
        if let Some(named) = named {
            return Ok(named.to_owned());
        }
        let me = self.api.get(&["v1", "me"], &[])?.body;
        match me.pointer("/organization/id").and_then(Value::as_str) {
            Some(own) => Ok(own.to_owned()),
            None => Err(ClientError::Usage(
                "this key belongs to no single organization; name one with --organization ID \
                 (`welcomat organizations list` shows them)"
                    .to_owned(),
            )),
        }
    }
}
