//! How settings are shown: without a password, key or token.

use std::fmt;

use serde::{Serialize, Serializer};
use url::Url;

/// Stands where a secret was.
const HIDDEN: &str = "***";

/// Hides the password of a URL, and all of a URL that hides one in another place.
pub fn url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        // Without a clear structure, an `@` is the only hint that a password precedes it.
        return if text.contains('@') { HIDDEN.into() } else { text.into() };
    };
    if url.query_pairs().any(|(name, _)| name.to_ascii_lowercase().contains("pass"))
        || (url.cannot_be_a_base() && text.contains('@'))
    {
        return format!("{}:{HIDDEN}", url.scheme());
    }
    if url.password().is_none() {
        return text.into();
    }
    match url.set_password(Some(HIDDEN)) {
        Ok(()) => url.into(),
        Err(()) => HIDDEN.into(),
    }
}

/// For `#[serde(serialize_with)]`.
pub fn serialize_url<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&url(text))
}

/// For `#[serde(serialize_with)]`: an empty text stays visible as empty.
pub fn serialize_secret<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(if text.is_empty() { "" } else { HIDDEN })
}

/// For `#[serde(serialize_with)]`.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub fn serialize_option<S: Serializer>(text: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text.as_ref().map_or("", |_| HIDDEN))
}

/// Writes what `serde` would write, so that `Debug` cannot show more than it.
pub fn debug(f: &mut fmt::Formatter<'_>, name: &str, shown: &impl Serialize) -> fmt::Result {
    let shown = serde_json::to_string(shown).map_err(|_| fmt::Error)?;
    write!(f, "{name} {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_passwords_and_nothing_else() {
        for (given, shown) in [
            ("memory:", "memory:"),
            ("sqlite://./welcomat-data/welcomat.db", "sqlite://./welcomat-data/welcomat.db"),
            ("postgres://u:secret@db:5432/w", "postgres://u:***@db:5432/w"),
            ("postgres://db/w?user=u&password=secret", "postgres:***"),
            ("smtp://u%40x:secret@h:25?tls=none", "smtp://u%40x:***@h:25?tls=none"),
            ("smtp://h:25", "smtp://h:25"),
            ("amqp://u:sec ret@h:x", "***"),
            ("amqp:u:secret@h", "amqp:***"),
        ] {
            assert_eq!(url(given), shown);
        }
    }
}
