//! The options that every command has which talks to a server.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use adapters::settings::duration;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

/// Where the server is, who asks, and how answers are shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server and output")]
pub struct ClientOptions {
    /// The server's address; without it the profile's, or else port 8080 of this machine.
    #[arg(long, global = true, value_name = "URL", env = "WELCOMAT_URL", hide_env_values = true)]
    pub url: Option<String>,
    /// The API key; other users of this machine can see it here, but not in the variable.
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "WELCOMAT_API_KEY",
        hide_env_values = true
    )]
    pub api_key: Option<ApiKey>,
    /// The section of ~/.config/welcomat/profiles.toml to read [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// How answers are shown: auto is a table on a terminal and JSON in a pipe.
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "table|json|yaml|auto"
    )]
    pub output: Format,
    /// Print ids only, one a line, and no remarks.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colours: auto uses them on a terminal unless `NO_COLOR` is set.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    pub color: Colors,
    /// How long to wait for each answer.
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Where the folder with the profiles is.
    #[arg(long, global = true, hide = true, env = "XDG_CONFIG_HOME", value_name = "PATH")]
    pub config_home: Option<PathBuf>,
}

/// Where a command acts that needs an organization.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    /// The organization; without it the key's own. A key for the whole instance needs it.
    #[arg(long, global = true, value_name = "ID")]
    pub organization: Option<String>,
}

/// How an answer is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Table on a terminal, JSON in a pipe.
    #[default]
    Auto,
    /// For people.
    Table,
    /// For programs: what the server said.
    Json,
    /// The same for people who prefer YAML.
    Yaml,
}

/// When states have colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colors {
    /// On a terminal that can show them, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// In every table.
    Always,
    /// Not at all.
    Never,
}

/// A key, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// The key itself, for the one header that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApiKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // Files and shells like to end a key with a line break.
        Ok(Self(Zeroizing::new(text.trim().to_owned())))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Reads an option such as `--timeout 30s`.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text).ok_or("write a number and a unit, such as 500ms, 30s or 2m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown_by_accident() {
        let Ok(key) = "wlc_secret\n".parse::<ApiKey>();
        assert_eq!(key.expose(), "wlc_secret");
        assert!(!format!("{key:?}").contains("secret"));
    }
}
