//! Where a request comes from, as far as that can be believed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Once;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use adapters::settings::Network;

const HEADER: &str = "X-Forwarded-For";

/// The address of the client: that of the peer, or what proxies that are trusted say of it.
pub fn of(request: &HttpRequest, trusted: &[Network]) -> Option<IpAddr> {
    static WARNED: Once = Once::new();
    let peer = request.peer_addr()?.ip();
    if trusted.iter().any(|network| network.contains(peer)) {
        return Some(behind(peer, request.headers(), trusted));
    }
    if request.headers().contains_key(HEADER) {
        WARNED.call_once(|| {
            tracing::warn!(
                "{HEADER} is not believed: list the proxy in http.trusted_proxies, or all its \
                 clients count as one"
            );
        });
    }
    Some(peer)
}

/// From the last proxy back to the first address that nobody trusted has added.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let lines: Vec<_> = headers.get_all(HEADER).filter_map(|line| line.to_str().ok()).collect();
    let mut client = peer;
    for hop in lines.iter().flat_map(|line| line.split(',')).rev() {
        // Whatever stands before something that is no address is not believed either.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
        if !trusted.iter().any(|network| network.contains(address)) {
            break;
        }
    }
    client
}

/// An address; some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    plain.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<Network> =
            ["10.0.0.0/8", "::1"].iter().map(|text| text.parse().unwrap()).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        let mut request = TestRequest::default().peer_addr(peer);
        for line in forwarded {
            request = request.append_header((HEADER, *line));
        }
        of(&request.to_http_request(), &trusted).unwrap().to_string()
    }

    #[test]
    fn a_trusted_proxy_says_who_its_client_is() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.7"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7:1234"], "203.0.113.7"),
            ("::1", &["[2001:db8::7]:1234"], "2001:db8::7"),
            ("::1", &["[2001:db8::7]"], "2001:db8::7"),
        ] {
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }
}
