//! The fields of a new invitation: each is checked, and all that are wrong are named at once.

use std::time::Duration;

use adapters::store::{NewInvitation, OnExisting};
use chrono::DateTime;
use domain::{
    CredentialPolicy, EmailAddress, NamePolicy, Position, RolePolicy, Timestamp, is_locale,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schedule;
use crate::openapi::texts;
use crate::problem::{ApiError, FieldError};
use crate::whole_number;

const MAX_METADATA_BYTES: usize = 4096;
/// Seconds that an invitation can be accepted, at least and at most: an hour, 365 days.
const SHORTEST: u64 = 3600;
/// See [`SHORTEST`].
pub const LONGEST: u64 = 365 * 24 * 3600;

/// A person to invite.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewInvitation)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Whom to invite: one bare address at a full domain.
    #[schema(value_type = String, required, format = Email, example = "ann@example.com")]
    email: Option<String>,
    /// The invitee's first name: one line of at most 64 visible characters, and no link.
    #[schema(value_type = Option<texts::Name>, example = "Ann")]
    first_name: Option<String>,
    /// The invitee's last name: one line of at most 64 visible characters, and no link.
    #[schema(value_type = Option<texts::Name>, example = "Lee")]
    last_name: Option<String>,
    /// The role that the invitee gets in your product; `member` without it.
    #[schema(value_type = Option<texts::Role>, example = "editor")]
    role: Option<String>,
    /// The language of mail and page, as a language tag; that of the setting `invitation.locale` without it, which is
    /// English unless the operator chose another. A language that there is nothing in is English, too.
    #[schema(max_length = 35, pattern = "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$", example = "en")]
    locale: Option<String>,
    /// Anything of yours, at most 4096 bytes as JSON; shown again, never mailed.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({ "team": "design" }))]
    metadata: Option<Map<String, Value>>,
    /// For how many seconds the invitation can be accepted; without it, as long as the settings say.
    #[schema(minimum = 3600, maximum = 31_536_000, example = 604_800)]
    #[serde(default, deserialize_with = "whole_number::optional")]
    expires_in: Option<u64>,
    /// When the mail goes out: a moment in the future, at most 90 days away; at once without it. The invitation
    /// can be accepted for `expires_in` seconds from then on.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    send_at: Option<Timestamp>,
    /// What to do if the address has a pending invitation already; `error` without it. The answer
    /// to `ignore` and `resend` is the pending one.
    on_existing: Option<Existing>,
}

impl Fields {
    /// Those that a row of texts can have.
    pub const COLUMNS: [&str; 8] = [
        "email",
        "first_name",
        "last_name",
        "role",
        "locale",
        "expires_in",
        "send_at",
        "on_existing",
    ];

    /// The address as it was given; empty if there is none.
    pub fn email(&self) -> &str {
        self.email.as_deref().unwrap_or_default()
    }

    /// An invitation whose fields are all texts, as in a table; `text` gives that of a column.
    pub fn of_texts(
        email: Option<String>,
        mut text: impl FnMut(&str) -> Option<String>,
    ) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let expires_in = text("expires_in").and_then(|text| {
            let seconds = text.parse().ok();
            if seconds.is_none() {
                errors.push(FieldError::new("expires_in", "must be a whole number of seconds"));
            }
            seconds
        });
        let send_at = text("send_at").and_then(|text| {
            let moment = DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc());
            if moment.is_none() {
                let form = "must be a moment such as 2026-12-24T08:00:00Z";
                errors.push(FieldError::new("send_at", form));
            }
            moment
        });
        let on_existing = text("on_existing").and_then(|word| {
            let wish = Existing::parse(&word);
            if wish.is_none() {
                let words = "must be one of error, ignore, resend, replace";
                errors.push(FieldError::new("on_existing", words));
            }
            wish
        });
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        Ok(Self {
            email,
            first_name: text("first_name"),
            last_name: text("last_name"),
            role: text("role"),
            locale: text("locale"),
            metadata: None,
            expires_in,
            send_at,
            on_existing,
        })
    }

    /// An invitation with nothing but who it is for.
    pub fn of_person(
        email: Option<String>,
        first_name: Option<String>,
        last_name: Option<String>,
        role: Option<String>,
    ) -> Self {
        Self { email, first_name, last_name, role, ..Self::default() }
    }
}

/// What to do about a pending invitation to the same address.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[schema(as = OnExisting)]
#[serde(rename_all = "snake_case")]
enum Existing {
    /// Refuse, with 409.
    Error,
    /// Leave it as it is.
    Ignore,
    /// Send its mail again, unless the last one is still under way or the limits forbid another.
    Resend,
    /// Revoke it and invite anew.
    Replace,
}

impl Existing {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "error" => Some(Self::Error),
            "ignore" => Some(Self::Ignore),
            "resend" => Some(Self::Resend),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}

/// Turns what was given into an invitation, or says everything that is wrong with it.
pub fn validate(
    fields: Fields,
    names: NamePolicy,
    roles: &RolePolicy,
    locale: &str,
    expires_in: Duration,
    resend_interval: Duration,
    now: Timestamp,
) -> Result<NewInvitation, ApiError> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
    let email = match fields.email.as_deref().map(EmailAddress::parse) {
        Some(Ok(email)) => Some(email),
        Some(Err(error)) => {
            wrong("email", error.to_string());
            None
        }
        None => {
            wrong("email", "is required".to_owned());
            None
        }
    };
    let mut name = |field, given: Option<String>| {
        let parsed = given.as_deref().map(|given| names.parse(given)).transpose();
        parsed.unwrap_or_else(|error| {
            wrong(field, error.to_string());
            None
        })
    };
    let first_name = name("first_name", fields.first_name);
    let last_name = name("last_name", fields.last_name);
    let role = roles.choose(fields.role.as_deref()).unwrap_or_else(|error| {
        wrong("role", error.to_string());
        roles.default.clone()
    });
    let locale = fields.locale.unwrap_or_else(|| locale.to_owned());
    if !is_locale(&locale) {
        wrong("locale", "must be a language tag such as \"en\" or \"de-AT\"".to_owned());
    }
    let metadata = Value::Object(fields.metadata.unwrap_or_default());
    if let Err(message) = check_metadata(&metadata) {
        wrong("metadata", message);
    }
    let expires_in = fields.expires_in.map_or(expires_in, |seconds| {
        if !(SHORTEST..=LONGEST).contains(&seconds) {
            wrong("expires_in", format!("must be {SHORTEST} to {LONGEST} seconds"));
        }
        Duration::from_secs(seconds)
    });
    if let Some(Err(message)) = fields.send_at.map(|at| schedule::check(at, now)) {
        wrong("send_at", message.to_owned());
    }
    let on_existing = match fields.on_existing.unwrap_or(Existing::Error) {
        Existing::Error => OnExisting::Error,
        Existing::Ignore => OnExisting::Ignore,
        Existing::Resend => OnExisting::Resend(resend_interval),
        Existing::Replace => OnExisting::Replace,
    };
    match email {
        Some(email) if errors.is_empty() => Ok(NewInvitation {
            email,
            first_name,
            last_name,
            role,
            position: Position::default(),
            locale,
            metadata,
            expires_in,
            send_at: fields.send_at,
            credential: CredentialPolicy::TemporaryPassword,
            password_hash: None,
            secret: None,
            on_existing,
        }),
        _ => Err(ApiError::Invalid(errors)),
    }
}

fn check_metadata(metadata: &Value) -> Result<(), String> {
    if metadata.to_string().len() > MAX_METADATA_BYTES {
        return Err(format!("may have at most {MAX_METADATA_BYTES} bytes as JSON"));
    }
    if has_nul(metadata) {
        // PostgreSQL cannot store it in JSON.
        return Err("has a NUL character; remove it".to_owned());
    }
    Ok(())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::LinkPolicy;
    use serde_json::json;

    use super::*;

    const WEEK: Duration = Duration::from_hours(168);

    fn check(value: Value) -> Result<NewInvitation, Vec<String>> {
        let names = NamePolicy { links: LinkPolicy::Refuse };
        let roles = RolePolicy::default();
        let given = serde_json::from_value(value).unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        validate(given, names, &roles, "en", WEEK, WEEK, now).map_err(|error| match error {
            ApiError::Invalid(errors) => errors.into_iter().map(|error| error.field).collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn only_the_address_is_needed() {
        let wanted = check(json!({ "email": " ann@example.com " })).unwrap_or_else(|_| panic!());
        assert_eq!(wanted.email.as_given(), "ann@example.com");
        assert_eq!((wanted.role.as_str(), wanted.locale.as_str()), ("member", "en"));
        assert_eq!((wanted.metadata, wanted.expires_in), (json!({}), WEEK));
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let all_wrong = json!({
            "email": "nobody", "first_name": "a\nb", "last_name": "", "role": "a b",
            "locale": "english please", "metadata": { "a": "\u{0}" }, "expires_in": 59, "send_at": "2027-01-15T08:00:00Z",
        });
        let fields = check(all_wrong).err().unwrap();
        let all = [
            "email",
            "first_name",
            "last_name",
            "role",
            "locale",
            "metadata",
            "expires_in",
            "send_at",
        ];
        assert_eq!(fields, all);
        assert_eq!(check(json!({})).err().unwrap(), ["email"]);
    }

    #[test]
    fn a_moment_is_in_the_future_and_not_far_away() {
        let at = |text: &str| check(json!({ "email": "a@example.com", "send_at": text }));
        assert!(at("2027-01-15T08:00:01Z").is_ok_and(|new| new.send_at.is_some()));
        assert!(at("2027-04-15T08:00:00Z").is_ok());
        assert_eq!(at("2027-01-15T08:00:00Z").err().unwrap(), ["send_at"]);
        assert_eq!(at("2027-04-15T08:00:01Z").err().unwrap(), ["send_at"]);
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let expires_in = |given: &str| {
            let text = format!("{{ \"email\": \"a@example.com\", \"expires_in\": {given} }}");
            let given = crate::json::parse::<Fields>(&text).ok()?;
            given.expires_in
        };
        assert_eq!((expires_in("10844"), expires_in("10844.0")), (Some(10844), Some(10844)));
        assert_eq!((expires_in("1.0e4"), expires_in("null")), (Some(10_000), None));
        for wrong in ["1.5", "-1", "-1.0", "1e300", "\"3600\"", "true"] {
            assert_eq!(expires_in(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn metadata_is_bounded() {
        let with = |length: usize| {
            let fits = json!({ "email": "a@example.com", "metadata": { "k": "x".repeat(length) } });
            check(fits).is_ok()
        };
        assert!(with(MAX_METADATA_BYTES - 8));
        assert!(!with(MAX_METADATA_BYTES - 7));
    }
}
