//! The form with a file (RFC 7578), as browsers send it: a few fields and one file, all in memory.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

use crate::problem::ApiError;

/// A browser that sends nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(10);
/// Fields beside the file.
const FIELDS: usize = 8;

/// What a form had.
#[derive(Default)]
pub struct Upload {
    fields: Vec<(String, String)>,
    /// What the file is called where it comes from.
    pub name: String,
    /// What is in it.
    pub file: Bytes,
}

impl Upload {
    /// Reads a form of at most `limit` bytes.
    pub async fn read(
        limit: usize,
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<Self, ApiError> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let boundary = kind.and_then(boundary).ok_or_else(incomplete)?;
        Self::parse(&collect(payload, limit).await?, &boundary).ok_or_else(incomplete)
    }

    /// The value of a field; empty if it has none.
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    fn parse(body: &Bytes, boundary: &str) -> Option<Self> {
        let mut upload = Self::default();
        let end = format!("\r\n--{boundary}");
        // The first line has no line end before it.
        let mut at = body.starts_with(&end.as_bytes()[2..]).then_some(end.len() - 2)?;
        loop {
            let rest = body.get(at..)?;
            if rest.starts_with(b"--") {
                return Some(upload);
            }
            let head_end = find(rest, b"\r\n\r\n")?;
            let head = std::str::from_utf8(rest.get(..head_end)?).ok()?;
            let value = at + head_end + 4;
            let length = find(body.get(value..)?, end.as_bytes())?;
            let value = body.slice(value..value + length);
            at += head_end + 4 + length + end.len();
            let name = parameter(head, "name")?;
            if let Some(file) = parameter(head, "filename") {
                (upload.name, upload.file) = (file, value);
            } else if upload.fields.len() < FIELDS {
                upload.fields.push((name, String::from_utf8(value.to_vec()).ok()?));
            }
        }
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    loop {
        let piece = tokio::time::timeout(SILENCE, payload.next()).await;
        let Some(piece) = piece.map_err(|_| ApiError::BodyTimeout)? else { break };
        let piece = piece
            .map_err(|_| ApiError::BadRequest("The body of the request broke off.".to_owned()))?;
        if body.len() + piece.len() > limit {
            return Err(ApiError::TooLarge(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn boundary(kind: &str) -> Option<String> {
    let (name, parameters) = kind.split_once(';')?;
    let fits = name.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (fits && (1..=70).contains(&boundary.len())).then(|| boundary.to_owned())
}

/// A parameter of `Content-Disposition`. Browsers write a quote in it as `%22`.
fn parameter(head: &str, name: &str) -> Option<String> {
    let line = head.split("\r\n").find(|line| {
        line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let (_, rest) = line.split_once(&format!("; {name}=\""))?;
    Some(rest.split('"').next()?.replace("%22", "\""))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn incomplete() -> ApiError {
    ApiError::BadRequest("The form is not complete.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--B7\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n\
        --B7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b.csv\"\r\n\
        Content-Type: text/csv\r\n\r\nemail\r\nann@example.com\r\n\r\n--B7--\r\n";

    #[test]
    fn reads_fields_and_the_file() {
        let upload = Upload::parse(&Bytes::from(BODY), "B7").unwrap();
        assert_eq!((upload.field("csrf"), upload.field("other")), ("abc", ""));
        assert_eq!(upload.name, "a\"b.csv");
        assert_eq!(upload.file.as_ref(), b"email\r\nann@example.com\r\n");
    }

    #[test]
    fn what_breaks_off_anywhere_is_refused() {
        // Whatever follows the last boundary says nothing.
        for end in 0..BODY.len() - 2 {
            assert!(Upload::parse(&Bytes::from(&BODY[..end]), "B7").is_none(), "{end}");
        }
        assert!(Upload::parse(&Bytes::from(BODY), "B8").is_none());
    }

    #[test]
    fn the_boundary_is_in_the_type() {
        let named = |kind| boundary(kind);
        assert_eq!(named("multipart/form-data; boundary=B7").as_deref(), Some("B7"));
        assert_eq!(named("Multipart/Form-Data;boundary=\"B 7\"").as_deref(), Some("B 7"));
        assert_eq!(named("multipart/form-data"), None);
        assert_eq!(named("application/x-www-form-urlencoded; boundary=B7"), None);
    }
}
