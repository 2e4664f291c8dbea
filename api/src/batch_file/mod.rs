//! Reads the rows of a batch, one after the other, from JSON, NDJSON or CSV. A row that makes no sense
//! is a row with a fault; only what spoils all of them, such as an unknown column, is an error.

mod cells;
mod csv;
mod json;
mod ndjson;
#[cfg(test)]
mod tests;

use std::io::Read;

use actix_web::http::header::HeaderMap;
use adapters::store::RowFault;

pub use csv::line as csv_line;

use crate::body;
use crate::problem::{ApiError, FieldError};
use crate::routes::invitations::fields::Fields;

/// Longer rows are a missing quote or worse: the largest one that makes sense has some 6 KiB.
const MAX_ROW: usize = 32 * 1024;
/// What is kept of an address that is none.
const MAX_EMAIL: usize = 320;
const MAX_DETAIL: usize = 1000;
const KINDS: &str = "application/json, application/x-ndjson or text/csv";

/// How the rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One object with a list.
    Json,
    /// An object a line.
    Ndjson,
    /// A header and a row a line.
    Csv,
}

/// A row as it was given.
pub struct Given {
    /// The line that it begins in; its number where there are no lines.
    pub line: u32,
    /// Its address, or what stands in its place.
    pub email: String,
    /// What it asks for, or why that cannot be said.
    pub fields: Result<Fields, RowFault>,
}

/// Takes each row; its error ends the reading.
pub type Sink<'a> = &'a mut dyn FnMut(Given) -> Result<(), ApiError>;

impl Format {
    /// Of the body that these headers announce.
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        const TYPES: [(&str, Format); 3] = [
            ("application/json", Format::Json),
            ("application/x-ndjson", Format::Ndjson),
            ("text/csv", Format::Csv),
        ];
        let fits = |(name, _): &(&'static str, Self)| body::check_type(headers, name).is_ok();
        let found = TYPES.into_iter().find(fits).map(|(_, format)| format);
        found.ok_or(ApiError::UnsupportedMediaType(KINDS))
    }

    /// How many bytes its body may have, if `limit` is what any may: of JSON, a single value could
    /// be all of it, and has to fit into memory.
    pub fn limit(self, limit: u64) -> u64 {
        const MAX_JSON: u64 = 8 * 1024 * 1024;
        if self == Self::Json { limit.min(MAX_JSON) } else { limit }
    }

    /// Reads all rows.
    pub fn read(self, body: impl Read, sink: Sink<'_>) -> Result<(), ApiError> {
        match self {
            Self::Json => json::read(body, sink),
            Self::Ndjson => ndjson::read(body, sink),
            Self::Csv => csv::read(body, sink),
        }
    }
}

impl Given {
    fn new(line: u32, email: &str, fields: Result<Fields, RowFault>) -> Self {
        let email = email.trim().chars().filter(|c| !c.is_control()).take(MAX_EMAIL).collect();
        Self { line, email, fields }
    }
}

/// How a row is told what is wrong with it.
pub fn fault(error: &ApiError) -> RowFault {
    let detail = match error {
        ApiError::Invalid(errors) => {
            let one = |error: &FieldError| format!("{} {}", error.field, error.message);
            errors.iter().map(one).collect::<Vec<_>>().join("; ").trim_start().to_owned()
        }
        ApiError::MalformedJson(place) => format!("The row is not valid JSON: {place}."),
        error => error.to_string(),
    };
    RowFault { code: error.code(), detail: detail.chars().take(MAX_DETAIL).collect() }
}

/// A row that cannot even be read. The codes are part of the API.
fn unreadable(code: &'static str, detail: impl Into<String>) -> RowFault {
    RowFault { code, detail: detail.into() }
}

fn too_long() -> RowFault {
    let detail =
        format!("The row has more than {MAX_ROW} bytes. Is a quote or a line end missing?");
    unreadable("row_too_long", detail)
}

fn not_utf8() -> RowFault {
    unreadable("row_not_utf8", "The row is not UTF-8. Save the file as UTF-8.")
}

/// The body could not be read to its end; who sends it knows better why.
fn broke_off(error: &std::io::Error) -> ApiError {
    tracing::debug!(%error, "a batch broke off");
    ApiError::BadRequest("The body of the request broke off.".to_owned())
}

fn spoiled(field: &str, message: &str) -> ApiError {
    ApiError::Invalid(vec![FieldError::new(field, message)])
}
