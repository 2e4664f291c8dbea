//! The profile file: servers and keys under names, for those who use several.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::ClientError;
use super::options::ApiKey;

const DEFAULT: &str = "default";
const MAX_BYTES: u64 = 1024 * 1024;

/// One section of the file.
#[derive(Debug, Default)]
pub struct Profile {
    /// The server.
    pub url: Option<String>,
    /// The key for it.
    pub api_key: Option<ApiKey>,
}

/// A profile and what its user should know about the file.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What the file says.
    pub profile: Profile,
    /// One sentence, if the file needs care.
    pub warning: Option<String>,
}

/// Where the file is: below `XDG_CONFIG_HOME`, which is `~/.config` unless it is set.
pub fn path(config_home: Option<&Path>) -> Option<PathBuf> {
    // A relative path must be ignored (XDG Base Directory Specification).
    let folder = config_home.filter(|path| path.is_absolute()).map(Path::to_owned);
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".config")))?;
    Some(folder.join("welcomat/profiles.toml"))
}

/// Reads the section `name`; without a name the section `default`, which need not exist.
pub fn load(path: Option<&Path>, name: Option<&str>) -> Result<Loaded, ClientError> {
    let Some(path) = path else { return missing(name, "there is no home directory") };
    let file = match std::fs::metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return missing(name, &format!("there is no {}", path.display()));
        }
        Err(error) => return Err(unreadable(path, &error.to_string())),
    };
    if file.len() > MAX_BYTES {
        return Err(unreadable(path, "it is too large to be one"));
    }
    let text =
        std::fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?;
    // The parser's own message would quote the line, and with it a key.
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().and_then(|span| text.get(..span.start));
        let line = line.map_or(1, |before| before.matches('\n').count() + 1);
        unreadable(path, &format!("line {line} is not TOML"))
    })?;
    let profile = match table.get(name.unwrap_or(DEFAULT)) {
        Some(section) => read(section).map_err(|problem| {
            unreadable(path, &format!("[{}] {problem}", name.unwrap_or(DEFAULT)))
        })?,
        None => missing(name, &format!("{} has no such section", path.display()))?.profile,
    };
    let open = file.permissions().mode() & 0o077 != 0;
    let warning = open
        .then(|| format!("others can read the keys in {0}; run `chmod 600 {0}`", path.display()));
    Ok(Loaded { profile, warning })
}

fn read(section: &Value) -> Result<Profile, String> {
    let section = section.as_table().ok_or("must be a section with url and api_key")?;
    let mut profile = Profile::default();
    for (name, value) in section {
        let text = || value.as_str().ok_or_else(|| format!("needs a text as {name}"));
        match name.as_str() {
            "url" => profile.url = Some(text()?.to_owned()),
            "api_key" => {
                let Ok(key) = text()?.parse();
                profile.api_key = Some(key);
            }
            other => {
                return Err(format!("has the unknown name {other}; it may have url and api_key"));
            }
        }
    }
    Ok(profile)
}

/// Only a profile that was asked for has to be there.
fn missing(name: Option<&str>, why: &str) -> Result<Loaded, ClientError> {
    match name {
        None => Ok(Loaded::default()),
        Some(name) => Err(ClientError::Local(format!("there is no profile {name:?}: {why}"))),
    }
}

fn unreadable(path: &Path, why: &str) -> ClientError {
    ClientError::Local(format!("the profiles in {} cannot be read: {why}", path.display()))
}
