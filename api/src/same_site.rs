//! Whether a form was sent by a page of ours: for forms that no session protects.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, ORIGIN};
use url::Url;

use crate::problem::ApiError;

/// Refuses what a browser says that another site has sent. Whoever is no browser says nothing.
///
/// `home` is where people reach the service. `Sec-Fetch-Site` decides where there is one, which is over TLS
/// and on the own machine; `Origin` elsewhere, as far as it names a site: our pages send no referrer, and so
/// their own forms name none.
pub fn refuse_others(request: &HttpRequest, home: &Url) -> Result<(), ApiError> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let ours = match (header("Sec-Fetch-Site"), header(ORIGIN.as_str())) {
        (Some(site), _) => ["same-origin", "none"].contains(&site),
        (None, None | Some("null")) => true,
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host == header(HOST.as_str()) || origin == home.origin().ascii_serialization()
        }
    };
    let refusal =
        || ApiError::BadRequest("Another site has sent this. Use the page itself.".to_owned());
    if ours { Ok(()) } else { Err(refusal()) }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_form_of_another_site_is_refused_and_everything_else_is_not() {
        let home = Url::parse("https://invite.example.com/app/").unwrap();
        for (site, origin, ours) in [
            ("same-origin", "", true),
            ("none", "", true),
            ("same-site", "", false),
            ("cross-site", "https://invite.example.com", false),
            ("same-origin", "null", true),
            ("", "", true),
            ("", "null", true),
            ("", "http://10.0.0.7:8080", true),
            ("", "https://invite.example.com", true),
            ("", "https://evil.example", false),
            ("", "http://10.0.0.7", false),
            ("", "nonsense", false),
        ] {
            let mut request = TestRequest::default().insert_header(("Host", "10.0.0.7:8080"));
            for (name, value) in [("Sec-Fetch-Site", site), ("Origin", origin)] {
                if !value.is_empty() {
                    request = request.insert_header((name, value));
                }
            }
            let answer = refuse_others(&request.to_http_request(), &home);
            assert_eq!(answer.is_ok(), ours, "{site} {origin}");
        }
    }
}
