//! Everything that can go wrong with a command: its words, its hint and its exit code.

use std::io::Write;

use serde_json::Value;

use super::output::say;
use super::table::harmless;

/// Why a command did not do what it was asked. `Display` is one line for people.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The command line or the input cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// Something on this machine is in the way.
    #[error("{0}")]
    Local(String),
    /// No answer came.
    #[error("{url} gives no answer: {reason}")]
    Unreachable {
        /// The server as it was given.
        url: String,
        /// The system's words.
        reason: String,
    },
    /// The server said no.
    #[error("{words}")]
    Refused {
        /// 400 to 599.
        status: u16,
        /// The server's own words.
        words: String,
        /// In the words of its header: seconds or a date.
        retry_after: Option<String>,
    },
    /// The call succeeded, but the mail that was waited for is not out.
    #[error("{0}")]
    NotSent(String),
    /// The call succeeded, but the test mail that was waited for is not sent.
    #[error("{0}")]
    TestNotSent(String),
    /// The call succeeded, but not everybody in the batch that was waited for is invited.
    #[error("{0}")]
    NotAll(String),
    /// Whoever reads our output has seen enough.
    #[error("nobody reads the output any more")]
    OutputClosed,
}

impl ClientError {
    /// Reads an error in any of the shapes that our server gives it.
    pub fn refused(status: u16, body: &Value, retry_after: Option<String>) -> Self {
        let words = words(body).unwrap_or_else(|| format!("the server answered {status}"));
        Self::Refused { status, words, retry_after }
    }

    /// The code that the process ends with; part of the interface.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Local(_) | Self::Unreachable { .. } => 1,
            Self::Usage(_) => 2,
            Self::Refused { status, .. } if *status < 500 => 4,
            Self::Refused { .. } => 5,
            Self::NotSent(_) | Self::TestNotSent(_) | Self::NotAll(_) => 6,
        }
    }

    /// Says on standard error what went wrong and what to do about it.
    pub fn complain(&self) {
        if !matches!(self, Self::OutputClosed) {
            say(&self.to_string());
        }
        if let Some(hint) = self.hint() {
            // That nobody listens there stops nothing.
            let _ = writeln!(std::io::stderr(), "hint: {}", harmless(&hint));
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } => {
                "is it running? `welcomat serve` starts one; --url, WELCOMAT_URL or a profile \
                 name another"
            }
            Self::Refused { retry_after: Some(after), .. } => {
                let seconds = after.parse::<u64>().is_ok();
                return Some(format!("try again in {after}{}", if seconds { " s" } else { "" }));
            }
            Self::Refused { status, .. } => match status {
                401 => "set WELCOMAT_API_KEY, --api-key or a profile to a valid key",
                403 => {
                    "use a key that may: an admin's of that organization, or one for the whole instance"
                }
                404 => "check the id, and that the key belongs to the same organization",
                409 => "`welcomat invitations list --email ADDRESS` shows how things stand",
                429 => "wait a little before the next try",
                500.. => "nothing is known to be wrong with the request; try again later",
                _ => return None,
            },
            Self::TestNotSent(_) => "mend what it names, and ask for another one",
            Self::NotSent(_) => "`welcomat deliveries get INVITATION` shows every attempt",
            Self::NotAll(_) => {
                "`welcomat batches rows BATCH` shows what became of each; `welcomat batches retry \
                 BATCH` tries the refused and failed ones again"
            }
            Self::Usage(_) | Self::Local(_) | Self::OutputClosed => return None,
        };
        Some(hint.to_owned())
    }
}

/// Problem details (RFC 9457) with their fields, `{"detail"}`, `{"error"}` or `{"message"}`.
fn words(body: &Value) -> Option<String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let words = ["detail", "error", "message"].into_iter().find_map(text)?;
    let errors = body.get("errors").and_then(Value::as_array);
    let fields: Vec<String> = errors
        .into_iter()
        .flatten()
        .filter_map(|error| {
            let part = |name: &str| error.get(name).and_then(Value::as_str);
            Some(format!("{} {}", part("field")?, part("message")?))
        })
        .collect();
    if fields.is_empty() {
        return Some(words.to_owned());
    }
    Some(format!("{} {}", words, fields.join("; ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_every_shape_of_an_error() {
        for (body, expected) in [
            (json!({"title": "Not Found", "detail": "Nothing here."}), "Nothing here."),
            (json!({"error": "email is missing"}), "email is missing"),
            (json!({"message": "Unauthorized"}), "Unauthorized"),
            (
                json!({"detail": "Wrong.", "errors": [
                    {"field": "email", "message": "is required"},
                    {"field": "role", "message": "is too long"}]}),
                "Wrong. email is required; role is too long",
            ),
            (json!("<html>"), "the server answered 502"),
            (Value::Null, "the server answered 502"),
        ] {
            assert_eq!(ClientError::refused(502, &body, None).to_string(), expected);
        }
    }

    #[test]
    fn exit_codes_tell_whose_fault_it_is() {
        let refused = |status| ClientError::refused(status, &Value::Null, None);
        for (error, code) in [
            (ClientError::Local(String::new()), 1),
            (ClientError::Usage(String::new()), 2),
            (refused(400), 4),
            (refused(499), 4),
            (refused(500), 5),
            (refused(599), 5),
            (ClientError::NotSent(String::new()), 6),
            (ClientError::OutputClosed, 0),
        ] {
            assert_eq!(error.exit_code(), code, "{error:?}");
        }
    }

    #[test]
    fn a_refusal_that_names_a_time_hints_at_it() {
        let hint = |after: &str| {
            ClientError::refused(429, &Value::Null, Some(after.to_owned())).hint().unwrap()
        };
        assert_eq!(hint("30"), "try again in 30 s");
    }
}
