//! What a request may say about a webhook.

use adapters::store::WebhookChange;
use adapters::webhooks::Guard;
use domain::{Name, event};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::openapi::texts;
use crate::problem::{ApiError, FieldError};

/// A webhook to be made.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
#[serde(deny_unknown_fields)]
pub struct NewFields {
    /// Where the requests go: an `https://` URL with a public address.
    #[schema(
        value_type = String, required, format = "uri", max_length = 2048,
        example = "https://hooks.example.com/welcomat",
    )]
    url: Option<String>,
    /// What you call it: one line of at most 64 visible characters.
    #[schema(value_type = Option<texts::Name>, example = "CRM")]
    description: Option<String>,
    /// Which events it is told of; all of them without it, also those that later releases add.
    #[schema(
        min_items = 1, max_items = 100,
        example = json!(["invitation.accepted", "invitation.delivery_failed"]),
    )]
    event_types: Option<Vec<String>>,
}

/// What to change; a field that is left out stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = WebhookChange)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "null and nothing are two things to say")]
pub struct ChangedFields {
    /// Where the requests go: an `https://` URL with a public address.
    #[schema(format = "uri", max_length = 2048, example = "https://hooks.example.com/welcomat")]
    url: Option<String>,
    /// What you call it; `null` for nothing.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::Name>, example = "CRM")]
    description: Option<Option<String>>,
    /// Which events it is told of; `null` for all of them.
    #[serde(default, deserialize_with = "given")]
    #[schema(
        value_type = Option<Vec<String>>, min_items = 1, max_items = 100,
        example = json!(["invitation.accepted"]),
    )]
    event_types: Option<Option<Vec<String>>>,
    /// Whether it is told at all. One that was switched off is told of what happens from now on, and
    /// of what is replayed.
    #[schema(example = true)]
    enabled: Option<bool>,
}

/// What a new webhook is to be.
pub struct Wanted {
    /// Where the requests go.
    pub url: String,
    /// What its owner calls it.
    pub description: Option<String>,
    /// Which types of events.
    pub event_types: Option<Vec<String>>,
}

impl NewFields {
    /// Checks everything, the address included.
    pub async fn check(self, guard: &Guard) -> Result<Wanted, ApiError> {
        let mut errors = Vec::new();
        let checked = url(self.url, guard, &mut errors).await;
        if checked.is_none() && errors.is_empty() {
            errors.push(FieldError::new("url", "is required"));
        }
        let description = description(self.description, &mut errors);
        let event_types = types(self.event_types, &mut errors);
        match checked {
            Some(url) if errors.is_empty() => Ok(Wanted { url, description, event_types }),
            _ => Err(ApiError::Invalid(errors)),
        }
    }
}

impl ChangedFields {
    /// Checks everything, the address included.
    pub async fn check(self, guard: &Guard) -> Result<WebhookChange, ApiError> {
        let mut errors = Vec::new();
        let change = WebhookChange {
            url: url(self.url, guard, &mut errors).await,
            description: self.description.map(|given| description(given, &mut errors)),
            event_types: self.event_types.map(|given| types(given, &mut errors)),
            enabled: self.enabled,
        };
        if errors.is_empty() { Ok(change) } else { Err(ApiError::Invalid(errors)) }
    }
}

async fn url(given: Option<String>, guard: &Guard, errors: &mut Vec<FieldError>) -> Option<String> {
    match guard.check(&given?).await {
        Ok(url) => Some(url.into()),
        Err(refused) => {
            errors.push(FieldError::new("url", refused));
            None
        }
    }
}

fn description(given: Option<String>, errors: &mut Vec<FieldError>) -> Option<String> {
    match Name::parse(&given?) {
        Ok(name) => Some(name.as_str().to_owned()),
        Err(error) => {
            errors.push(FieldError::new("description", error));
            None
        }
    }
}

fn types(given: Option<Vec<String>>, errors: &mut Vec<FieldError>) -> Option<Vec<String>> {
    let mut types = given?;
    if types.is_empty() {
        errors.push(FieldError::new("event_types", "must be null or name at least one event"));
    }
    for (at, name) in types.iter().enumerate() {
        if !event::told_types().any(|known| known == name) {
            let known = event::told_types().collect::<Vec<_>>().join(", ");
            let message = format!("must be one of {known}");
            errors.push(FieldError::new(format!("event_types[{at}]"), message));
        }
    }
    types.sort_unstable();
    types.dedup();
    Some(types)
}

fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use adapters::settings::Settings;
    use adapters::webhooks::Names;
    use serde_json::{Value, json};

    use super::*;

    fn guard() -> Guard {
        let settings = Settings::load(None, std::iter::empty()).unwrap();
        Guard::new(&settings.webhooks, Names::System)
    }

    async fn wrong(fields: Value) -> Vec<String> {
        let fields: NewFields = serde_json::from_value(fields).unwrap();
        match fields.check(&guard()).await {
            Err(ApiError::Invalid(errors)) => errors.into_iter().map(|e| e.field).collect(),
            _ => panic!("nothing is wrong"),
        }
    }

    #[tokio::test]
    async fn all_that_is_wrong_is_named_at_once() {
        assert_eq!(wrong(json!({})).await, ["url"]);
        let all = json!({
            "url": "https://127.0.0.1/", "description": "", "event_types": ["invitation.sent", "x"],
        });
        assert_eq!(wrong(all).await, ["url", "description", "event_types[1]"]);
        let none = json!({"url": "https://1.1.1.1/", "event_types": []});
        assert_eq!(wrong(none).await, ["event_types"]);
    }

    #[tokio::test]
    async fn null_and_nothing_are_two_changes() {
        let read = async |value: Value| {
            let fields: ChangedFields = serde_json::from_value(value).unwrap();
            fields.check(&guard()).await.unwrap()
        };
        assert!(read(json!({})).await.event_types.is_none());
        assert_eq!(read(json!({"event_types": null})).await.event_types, Some(None));
        assert_eq!(read(json!({"description": null})).await.description, Some(None));
    }
}
