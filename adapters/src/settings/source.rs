//! Merges the three sources of settings: defaults, then the file, then the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::SettingsError;
use super::nearest::nearest;

pub(super) const DEFAULTS: &str = include_str!("../../settings.default.toml");
const ENV_PREFIX: &str = "WELCOMAT_";

/// Read by the command line, as a client and before there are settings.
const EXEMPT: [&str; 3] = ["WELCOMAT_CONFIG", "WELCOMAT_URL", "WELCOMAT_API_KEY"];

/// A variable that the OpenTelemetry standard has, and the setting that it stands for if nobody sets that.
const STANDARD: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint");

/// Where a value came from, in the words of whoever set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default(String),
    /// A key in a file.
    File(String, PathBuf),
    /// A variable.
    Environment(String),
}

/// One value and where it came from.
#[derive(Clone)]
pub(super) struct Leaf {
    pub value: Value,
    pub origin: Origin,
}

/// All values by dotted key.
pub(super) struct Leaves(pub BTreeMap<String, Leaf>);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default(key) => write!(f, "{key}"),
            Self::File(key, path) => write!(f, "{key} in {}", path.display()),
            Self::Environment(name) => write!(f, "{name}"),
        }
    }
}

/// Reads and merges everything; the defaults decide which keys there are and their types.
pub(super) fn merge(
    config: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Leaves, SettingsError> {
    let mut leaves = BTreeMap::new();
    flatten("", parse(DEFAULTS, Path::new("settings.default.toml"))?, &mut |key, value| {
        leaves.insert(key.clone(), Leaf { value, origin: Origin::Default(key) });
        Ok(())
    })?;
    if let Some(path) = config {
        overlay_file(&mut leaves, path)?;
    }
    overlay_environment(&mut leaves, env)?;
    Ok(Leaves(leaves))
}

/// The name of the variable that overrides `key`.
pub fn env_name(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

fn overlay_file(leaves: &mut BTreeMap<String, Leaf>, path: &Path) -> Result<(), SettingsError> {
    let file = parse(&read("--config", path)?, path)?;
    flatten("", file, &mut |key, value| {
        let origin = Origin::File(key.clone(), path.to_owned());
        let wrong = |origin, problem| Err(SettingsError::Wrong { origin, problem });
        if let Some(leaf) = leaves.get_mut(&key) {
            if !leaf.value.same_type(&value) {
                let problem = format!("must be {}, not {}", kind(&leaf.value), kind(&value));
                return wrong(origin, problem);
            }
            *leaf = Leaf { value, origin };
        } else if !leaves.keys().any(|known| known.starts_with(&format!("{key}."))) {
            let near = nearest(&key, leaves.keys().cloned());
            return Err(SettingsError::Unknown { name: origin.to_string(), near });
        } else if !value.is_table() {
            return wrong(origin, "is a section, not a value".into());
        }
        // What is left is an empty section, which sets nothing.
        Ok(())
    })
}

fn overlay_environment(
    leaves: &mut BTreeMap<String, Leaf>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<(), SettingsError> {
    let names: BTreeMap<String, String> =
        leaves.keys().map(|key| (env_name(key), key.clone())).collect();
    let mut seen = BTreeSet::new();
    for (name, text) in env {
        if name == STANDARD.0 && !text.is_empty() {
            stand_in(leaves, name, text);
            continue;
        }
        if !name.starts_with(ENV_PREFIX) || EXEMPT.contains(&name.as_str()) {
            continue;
        }
        let (setting, from_file) = match name.strip_suffix("_FILE") {
            Some(setting) if names.contains_key(setting) => (setting, true),
            _ => (name.as_str(), false),
        };
        let Some(leaf) = names.get(setting).and_then(|key| leaves.get_mut(key)) else {
            if is_service_link(&name, &text) {
                continue;
            }
            let near = nearest(&name, names.into_keys());
            return Err(SettingsError::Unknown { name, near });
        };
        if !seen.insert(setting.to_owned()) {
            return Err(SettingsError::Both { name: setting.to_owned() });
        }
        let text = if from_file { read_value(&name, Path::new(&text))? } else { text };
        let origin = Origin::Environment(name);
        let value = typed(&leaf.value, text)
            .map_err(|problem| SettingsError::Wrong { origin: origin.clone(), problem })?;
        *leaf = Leaf { value, origin };
    }
    Ok(())
}

/// Takes the standard's word where nobody has set our own.
fn stand_in(leaves: &mut BTreeMap<String, Leaf>, name: String, text: String) {
    let unset = |leaf: &&mut Leaf| matches!(leaf.origin, Origin::Default(_));
    if let Some(leaf) = leaves.get_mut(STANDARD.1).filter(unset) {
        *leaf = Leaf { value: Value::String(text), origin: Origin::Environment(name) };
    }
}

/// Kubernetes sets `WELCOMAT_PORT=tcp://…`, `WELCOMAT_SERVICE_HOST` and the like in every pod next
/// to a service called welcomat; nobody wrote them as settings.
fn is_service_link(name: &str, value: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.contains("_TCP")
        || name.contains("_UDP")
}

/// Reads the text of a variable as the type that the default has.
fn typed(default: &Value, text: String) -> Result<Value, String> {
    match default {
        Value::Integer(_) => {
            text.trim().parse().map(Value::Integer).map_err(|_| "must be a whole number".into())
        }
        Value::Boolean(_) => {
            text.trim().parse().map(Value::Boolean).map_err(|_| "must be true or false".into())
        }
        Value::Float(_) => {
            text.trim().parse().map(Value::Float).map_err(|_| "must be a number".into())
        }
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => Ok(Value::String(text)),
    }
}

fn read(named_by: &str, path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|cause| SettingsError::Unreadable {
        named_by: named_by.to_owned(),
        path: path.to_owned(),
        cause,
    })
}

/// Reads a secret from its file; editors and `echo` end it with a line break that is not part of it.
fn read_value(named_by: &str, path: &Path) -> Result<String, SettingsError> {
    let text = read(named_by, path)?;
    Ok(text
        .strip_suffix('\n')
        .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t))
        .to_owned())
}

fn parse(text: &str, path: &Path) -> Result<Table, SettingsError> {
    text.parse().map_err(|error: toml::de::Error| SettingsError::Syntax {
        path: path.to_owned(),
        line: error.span().and_then(|at| text.get(..at.start)).map(|t| t.matches('\n').count() + 1),
        cause: error.message().replace('\n', " "),
    })
}

/// Calls `visit` with the dotted key of every value; an empty table counts as a value.
fn flatten(
    prefix: &str,
    table: Table,
    visit: &mut impl FnMut(String, Value) -> Result<(), SettingsError>,
) -> Result<(), SettingsError> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) if !inner.is_empty() => flatten(&key, inner, visit)?,
            value => visit(key, value)?,
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
