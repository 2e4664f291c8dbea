//! Documents what can go wrong: statuses, codes, headers and examples, from the table in `problem`.
//!
//! An operation lists the codes of its own in `x-problems`; those that come with a key, a body or an
//! `Idempotency-Key`, and those that can happen to any request, are added here.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::ResponseError;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;
use utoipa::Modify;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::operations;
use crate::problem::{ApiError, MEDIA_TYPE, one_of_each};

/// What an operation lists its own codes in; nothing of it is left in the document.
pub const LIST: &str = "x-problems";

const ANY_REQUEST: [&str; 4] = ["internal_error", "unavailable", "busy", "timeout"];
const WITH_A_KEY: [&str; 2] = ["unauthorized", "token_keys_unavailable"];
const WITH_A_BODY: [&str; 6] = [
    "bad_request",
    "malformed_json",
    "request_timeout",
    "body_too_large",
    "unsupported_media_type",
    "validation_failed",
];
const WITH_AN_IDEMPOTENCY_KEY: [&str; 2] = ["bad_idempotency_key", "idempotency_key_reused"];

/// Replaces `x-problems` by responses.
pub struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for (_, item) in &mut document.paths.paths {
            for (_, operation) in operations(item) {
                if let Some(listed) = take_list(operation) {
                    document_problems(operation, listed, &mut components.responses);
                }
            }
        }
    }
}

/// The codes that the operation lists; none if it does not answer with problems of ours at all.
fn take_list(operation: &mut Operation) -> Option<BTreeSet<String>> {
    let extensions = operation.extensions.as_mut()?;
    serde_json::from_value(extensions.remove(LIST)?).ok()
}

fn document_problems(
    operation: &mut Operation,
    mut codes: BTreeSet<String>,
    shared: &mut BTreeMap<String, RefOr<Response>>,
) {
    codes.extend(implied(operation).map(str::to_owned));
    let mut by_status: BTreeMap<u16, Vec<ApiError>> = BTreeMap::new();
    for error in one_of_each() {
        if codes.remove(error.code()) {
            by_status.entry(error.status_code().as_u16()).or_default().push(error);
        }
    }
    for (status, errors) in by_status {
        // Many operations can fail in the same way: each way is told once.
        let name = errors.iter().map(ApiError::code).collect::<Vec<_>>().join(".");
        let reference = Ref::from_response_name(&name);
        shared.entry(name).or_insert_with(|| response(&errors).into());
        operation.responses.responses.insert(status.to_string(), RefOr::Ref(reference));
    }
    // What the table does not know stays, for a test to find.
    if !codes.is_empty() {
        operation.extensions.get_or_insert_default().insert(LIST.to_owned(), json!(codes));
    }
}

/// The codes that follow from what the operation takes.
fn implied(operation: &Operation) -> impl Iterator<Item = &'static str> {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has_idempotency_key =
        parameters.iter().any(|p| matches!(p, RefOr::T(p) if p.name == "Idempotency-Key"));
    let groups: [(bool, &'static [&'static str]); 4] = [
        (true, &ANY_REQUEST),
        (operation.security.is_some(), &WITH_A_KEY),
        (operation.request_body.is_some(), &WITH_A_BODY),
        (has_idempotency_key, &WITH_AN_IDEMPOTENCY_KEY),
    ];
    groups.into_iter().filter(|(applies, _)| *applies).flat_map(|(_, codes)| codes).copied()
}

/// One status: its codes in words, the schema narrowed to them, an example of each.
fn response(errors: &[ApiError]) -> Response {
    let codes: Vec<&str> = errors.iter().map(ApiError::code).collect();
    let sentences = errors.iter().map(|error| format!("`{}`: {error}", error.code()));
    let narrowed = ObjectBuilder::new().property(
        "code",
        ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).enum_values(Some(codes)),
    );
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    let mut content = ContentBuilder::new().schema(Some(schema)).build();
    for error in errors {
        let value = serde_json::to_value(error.problem()).ok();
        let example = ExampleBuilder::new().summary(error.to_string()).value(value).build();
        content.examples.insert(error.code().to_owned(), example.into());
    }
    let mut response = ResponseBuilder::new()
        .description(sentences.collect::<Vec<_>>().join("\n\n"))
        .content(MEDIA_TYPE, content)
        .build();
    response.headers = errors.iter().flat_map(headers).collect();
    response
}

/// The header fields that the error's answer has beside those of every answer.
fn headers(error: &ApiError) -> Vec<(String, RefOr<Header>)> {
    let answer = error.error_response();
    let own = answer.headers().iter().filter_map(|(name, _)| match *name {
        WWW_AUTHENTICATE => Some(("WWW-Authenticate", "How to authenticate (RFC 9110 §11.6.1).")),
        RETRY_AFTER => Some(("Retry-After", "Seconds after which to try again.")),
        _ => None,
    });
    let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    own.map(|(name, description)| {
        let header =
            HeaderBuilder::new().schema(Some(text())).description(Some(description)).build();
        (name.to_owned(), header.into())
    })
    .collect()
}
