//! An answer that stays the same while the process runs: compressed once, revalidated by its tag.

use std::io::{Read, Write};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, EntityTag, Header, IfNoneMatch, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The body of such an answer.
pub struct Asset {
    media_type: &'static str,
    plain: Bytes,
    gzip: Bytes,
    tag: EntityTag,
}

impl Asset {
    /// Compresses and tags `body`; takes a while for a long one.
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let plain = body.into();
        Self::of(media_type, compress(&plain), plain)
    }

    /// Takes a body that is compressed already, as the build has made it.
    pub fn compressed(media_type: &'static str, gzip: &'static [u8]) -> Self {
        Self::of(media_type, Bytes::from_static(gzip), decompress(gzip))
    }

    fn of(media_type: &'static str, gzip: Bytes, plain: Bytes) -> Self {
        let digest: [u8; 32] = Sha256::digest(&plain).into();
        let tag = digest.iter().take(16).fold(0_u128, |tag, byte| tag << 8 | u128::from(*byte));
        // Weak: compressed or not, it says the same (RFC 9110 §8.8.1).
        Self { media_type, plain, gzip, tag: EntityTag::new_weak(format!("{tag:032x}")) }
    }

    /// Answers a GET: 304 to whoever has it already, compressed to whoever takes that.
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.tag)),
            Err(_) => false,
        };
        let mut response =
            HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
        response
            .insert_header((ETAG, self.tag.to_string()))
            // Kept, but asked about each time: an upgrade shows at once.
            .insert_header((CACHE_CONTROL, "public, no-cache"))
            .insert_header((VARY, "Accept-Encoding"));
        if known {
            return response.finish();
        }
        response.content_type(self.media_type);
        if takes_gzip(request) {
            response.insert_header((CONTENT_ENCODING, "gzip")).body(self.gzip.clone())
        } else {
            response.body(self.plain.clone())
        }
    }
}

/// Whether gzip is named in `Accept-Encoding` and not ruled out by a weight of 0 (RFC 9110 §12.4.2).
fn takes_gzip(request: &HttpRequest) -> bool {
    let values = request.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = |part: &str| {
            let weight = part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            weight.is_some_and(|weight| weight <= 0.0)
        };
        named && !parts.any(refused)
    })
}

fn compress(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

fn decompress(gzip: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    // What the build has compressed can be read.
    let _ = GzDecoder::new(gzip).read_to_end(&mut plain);
    plain.into()
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;

    use super::*;

    fn ask(name: &str, value: &str) -> HttpResponse {
        let asset = Asset::new("text/plain", "hello ".repeat(100));
        let request = TestRequest::default().insert_header((name, value)).to_http_request();
        asset.respond(&request)
    }

    #[tokio::test]
    async fn compresses_for_those_who_take_it() {
        for (accept, compressed) in [
            ("gzip, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
        ] {
            let response = ask("Accept-Encoding", accept);
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), compressed, "{accept}");
            let body = to_bytes(response.into_body()).await.unwrap();
            assert_eq!(body.starts_with(&[0x1f, 0x8b]), compressed, "{accept}");
            assert_eq!(body.len() < 100, compressed, "{accept}");
        }
    }

    #[tokio::test]
    async fn says_nothing_to_those_who_have_it() {
        let tag = ask("Accept", "*/*").headers().get(ETAG).unwrap().to_str().unwrap().to_owned();
        for (known, status) in [(tag.as_str(), 304), ("*", 304), ("W/\"other\"", 200)] {
            let response = ask("If-None-Match", known);
            assert_eq!(response.status(), status, "{known}");
            let body = to_bytes(response.into_body()).await.unwrap();
            assert_eq!(body.is_empty(), status == 304, "{known}");
        }
    }
}
