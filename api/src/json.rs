//! Takes a JSON object from a request, and nothing but what is asked for.

use std::future::{Ready, ready};

use actix_web::dev::Payload as Raw;
use actix_web::web::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::problem::{ApiError, FieldError};

const MEDIA_TYPE: &str = "application/json";

/// A body that has not been read yet: a handler first decides whether it wants to.
pub struct JsonBody {
    request: HttpRequest,
    payload: Payload,
}

/// A body that has not been read yet, for those who read JSON in their own way.
pub struct RawBody {
    body: JsonBody,
}

impl RawBody {
    /// Refuses a body of another type than JSON, which needs no reading.
    pub fn check_type(&self) -> Result<(), ApiError> {
        crate::body::check_type(self.body.request.headers(), MEDIA_TYPE)
    }

    /// Reads the body as text of the type JSON.
    pub async fn read(self) -> Result<String, ApiError> {
        crate::body::read(&self.body.request, self.body.payload, MEDIA_TYPE).await
    }

    /// Reads a body that may have `limit` bytes, whatever the settings say of others.
    pub async fn read_up_to(self, limit: usize) -> Result<String, ApiError> {
        let JsonBody { request, payload } = self.body;
        crate::body::read_up_to(limit, &request, payload, MEDIA_TYPE).await
    }
}

impl FromRequest for RawBody {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Raw) -> Self::Future {
        ready(JsonBody::from_request(request, payload).into_inner().map(|body| Self { body }))
    }
}

/// A body that has been read, with the bytes that it was read from.
pub struct Parsed<T> {
    /// What it says.
    pub value: T,
    /// As it was sent, for comparing it with a later request.
    pub text: String,
}

impl JsonBody {
    /// Reads the body as a `T`, whose `Deserialize` should deny unknown fields.
    pub async fn read<T: DeserializeOwned>(self) -> Result<Parsed<T>, ApiError> {
        let text = crate::body::read(&self.request, self.payload, MEDIA_TYPE).await?;
        Ok(Parsed { value: parse(&text)?, text })
    }
}

impl FromRequest for JsonBody {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Raw) -> Self::Future {
        // Taking the payload only moves it; nothing is read yet.
        let taken = Payload::from_request(request, payload).into_inner();
        let read_later = |payload| Self { request: request.clone(), payload };
        ready(taken.map(read_later).map_err(|_| ApiError::Internal))
    }
}

/// Reads an object: 400 for what is no JSON, 422 naming the field for what is not wanted.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(&error))?;
    // serde would take an array for a struct, too.
    if !text.trim_start().starts_with('{') {
        return Err(ApiError::Invalid(vec![FieldError::new("", "must be a JSON object")]));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            ApiError::Invalid(vec![field(path, &error)])
        } else {
            malformed(&error)
        }
    })
}

/// Reads an object that has been parsed already: 422 naming the field for what is not wanted.
pub fn of_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, ApiError> {
    if !value.is_object() {
        return Err(ApiError::Invalid(vec![FieldError::new("", "must be a JSON object")]));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        ApiError::Invalid(vec![field(path, &error.into_inner())])
    })
}

/// Says where the text stops being JSON, and nothing of what stands there.
pub fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::MalformedJson(format!("line {}, column {}", error.line(), error.column()))
}

fn field(path: String, error: &serde_json::Error) -> FieldError {
    let message = error.to_string();
    let quoted = |start: &str| message.strip_prefix(start)?.split('`').next().map(str::to_owned);
    if let Some(name) = quoted("unknown field `") {
        return FieldError::new(name, "is not known here");
    }
    if let Some(name) = quoted("missing field `") {
        return FieldError::new(name, "is required");
    }
    if let Some(name) = quoted("duplicate field `") {
        return FieldError::new(name, "is given twice");
    }
    // What was given stays out of the answer: it may be a password.
    let wanted = message.rsplit_once(", expected ").map_or("another type", |(_, wanted)| wanted);
    let wanted = wanted.split(" at line ").next().unwrap_or(wanted);
    FieldError::new(path, format!("must be {wanted}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        email: Option<String>,
        #[serde(default)]
        metadata: Option<serde_json::Map<String, serde_json::Value>>,
    }

    fn fields(text: &str) -> Vec<FieldError> {
        match parse::<Body>(text) {
            Err(ApiError::Invalid(errors)) => errors,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn reads_an_object() {
        let body: Body = parse(" {\"email\":\"a@example.com\",\"metadata\":{\"a\":1}}\n").unwrap();
        assert_eq!(body.email.as_deref(), Some("a@example.com"));
        assert_eq!(body.metadata.unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = format!("{{\"metadata\":{{\"a\":{}1{}}}}}", "[".repeat(500), "]".repeat(500));
        for text in ["", "nope", "{", "{\"email\":NaN}", "{} {}", "{\"email\":\"\\ud800\"}", &deep]
        {
            assert!(matches!(parse::<Body>(text), Err(ApiError::MalformedJson(_))), "{text}");
        }
    }

    #[test]
    fn what_is_not_wanted_names_its_field() {
        assert_eq!(fields("{\"emial\":1}"), [FieldError::new("emial", "is not known here")]);
        assert_eq!(fields("{\"email\":1}"), [FieldError::new("email", "must be a string")]);
        assert_eq!(fields("{\"metadata\":[]}"), [FieldError::new("metadata", "must be a map")]);
        let twice = fields("{\"email\":\"a\",\"email\":\"b\"}");
        assert_eq!(twice, [FieldError::new("email", "is given twice")]);
    }

    #[test]
    fn only_an_object_will_do() {
        for text in ["[]", "[\"a@example.com\"]", "null", "\"x\"", "5"] {
            assert_eq!(fields(text), [FieldError::new("", "must be a JSON object")]);
        }
    }
}
