//! Why settings are refused: one sentence that names the setting and where it came from.

use std::path::PathBuf;

use super::duration;
use super::source::Origin;

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file given with `--config` or by a `…_FILE` variable cannot be read.
    #[error("{named_by} names the file {}, which cannot be read: {cause}", path.display())]
    Unreadable {
        /// Who named the file.
        named_by: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{} is not valid TOML{}: {cause}", path.display(), line.map(|l| format!(" in line {l}")).unwrap_or_default())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
        /// What the parser says; never the text itself, which may hold secrets.
        cause: String,
    },
    /// A key or variable that does not exist.
    #[error("{} is not a setting{}", one_line(name), suggestion(near.as_deref()))]
    Unknown {
        /// The key with its file, or the variable.
        name: String,
        /// The setting that was probably meant.
        near: Option<String>,
    },
    /// A variable and its `…_FILE` form at once.
    #[error("{name} and {name}_FILE are both set; keep one of them")]
    Both {
        /// The variable without `_FILE`.
        name: String,
    },
    /// A value that does not fit.
    #[error("{origin} {problem}")]
    Wrong {
        /// Where the value came from.
        origin: Origin,
        /// What is wrong, as the rest of a sentence.
        problem: String,
    },
    /// Two values that do not fit each other.
    #[error("{key} ({}) {rule} {other} ({})", duration::format(*value), duration::format(*limit))]
    Contradiction {
        /// The setting that is judged.
        key: &'static str,
        /// Its value.
        value: std::time::Duration,
        /// What must hold between the two.
        rule: &'static str,
        /// The setting it is judged by.
        other: &'static str,
        /// The value of that one.
        limit: std::time::Duration,
    },
}

/// A key in quotes and a variable may be named anything, line breaks included.
fn one_line(name: &str) -> String {
    let written = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    name.chars().map(written).collect()
}

fn suggestion(near: Option<&str>) -> String {
    near.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
