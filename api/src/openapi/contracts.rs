//! The headers that the answers of every contract have, whatever shape their bodies are of.

use utoipa::Modify;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

use super::operations;

/// The tag of the contracts' operations.
pub const TAG: &str = "Contracts";

const DONE: [(&str, &str); 4] = [
    ("X-Invitation-Id", "The invitation, for the native API."),
    (
        "X-Email-Status",
        "How its mail stands: queued, sending, sent, retrying, failed, suppressed or skipped.",
    ),
    ("Preference-Applied", "What of `Prefer` was heeded."),
    ("Idempotency-Replayed", "`true` if this answers the repetition of an earlier request."),
];
const WHO: [(&str, &str); 1] = [("WWW-Authenticate", "How to authenticate (RFC 9110 §11.6.1).")];
const LATER: [(&str, &str); 1] =
    [("Retry-After", "Seconds after which to try again, if that may help.")];

/// Adds them.
pub struct Contracts;

impl Modify for Contracts {
    fn modify(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            for (_, operation) in operations(item) {
                let tags = operation.tags.as_deref().unwrap_or_default();
                if !tags.iter().any(|tag| tag == TAG) {
                    continue;
                }
                for (status, response) in &mut operation.responses.responses {
                    let RefOr::T(response) = response else { continue };
                    let own = of_status(status).iter();
                    let own = own.map(|&(name, text)| (name.to_owned(), header(text)));
                    response.headers.extend(own);
                }
            }
        }
    }
}

fn of_status(status: &str) -> &'static [(&'static str, &'static str)] {
    match status {
        "200" | "201" => &DONE,
        "401" => &WHO,
        "429" | "500" | "503" => &LATER,
        _ => &[],
    }
}

fn header(description: &str) -> RefOr<Header> {
    let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    HeaderBuilder::new().schema(Some(text)).description(Some(description)).build().into()
}
