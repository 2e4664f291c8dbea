//! What every answer tells a browser: run nothing, frame nothing, keep nothing, tell nobody.
//!
//! The strictest of each; a handler that needs more gives its own value, from the list here.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap, HeaderName,
    HeaderValue, PERMISSIONS_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use crate::state::State;

/// A header with the value of its own that an answer has.
pub type Policy = (HeaderName, HeaderValue);

/// For the hosted pages: our stylesheet, and forms that post to us.
pub const PAGE: Policy = policy(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// For the page with the form, which our script makes easier to fill in.
pub const FORM: Policy = policy(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// For the console and the list of captured mails: our script asks for the page again, to show what is new;
/// frames show mails.
pub const LIVE: Policy = policy(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// For the page at `/docs`: its scripts are files of ours. It writes styles as it goes, which only
/// `unsafe-inline` allows: the library cannot be told a nonce.
pub const DOCS: Policy = policy(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'",
);

/// For a captured mail's own HTML, inside the inbox: it runs nothing, loads nothing but images, and
/// opens links outside. Mails have their styles inline.
pub const MAIL: Policy = policy(
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'",
);

/// For the accept page as it will look, inside the console: it can be looked at and not used.
pub const PREVIEW: Policy = policy(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     form-action 'none'; frame-ancestors 'self'; base-uri 'none'",
);

/// For a picture that somebody has given us: opened by itself, it is nothing but a picture.
pub const PICTURE: Policy = policy(
    "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// For everything else: it is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";
/// A year, this host alone: what is beside us may not speak TLS.
const ONLY_TLS: &str = "max-age=31536000";

const ALWAYS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, NOTHING),
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Adds what an answer does not say itself.
pub async fn add<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let only_tls = request.app_data::<State>().is_some_and(|state| state.only_tls);
    match next.call(request).await {
        Ok(mut response) => {
            complete(response.headers_mut(), only_tls);
            Ok(response)
        }
        // The request is gone, and with it the place for an answer: it travels in the error.
        Err(error) => {
            let mut response: HttpResponse = error.error_response();
            complete(response.headers_mut(), only_tls);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

fn complete(headers: &mut HeaderMap, only_tls: bool) {
    let tls = only_tls.then_some((STRICT_TRANSPORT_SECURITY, ONLY_TLS));
    for (name, value) in ALWAYS.into_iter().chain(tls) {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

const fn policy(text: &'static str) -> Policy {
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(text))
}
