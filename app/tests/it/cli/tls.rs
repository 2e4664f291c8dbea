//! HTTPS: the system's certificates decide whom the client trusts.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::welcomat_at;

/// A certificate for localhost that nobody has signed but itself.
const CERTIFICATE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/cert.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/key.pem");

/// Serves an empty list over TLS as long as the test process lives; gives the address.
fn serve() -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_file(KEY).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            let mut line = String::new();
            // A client that does not trust us leaves before it has asked.
            while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            let body = r#"{"data":[],"next_cursor":null}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = reader.get_mut().write_all(format!("{head}{body}").as_bytes());
            let _ = reader.get_mut().flush();
        }
    });
    format!("https://localhost:{port}")
}

#[test]
fn a_server_is_trusted_if_the_system_trusts_who_signed_it() {
    let url = serve();
    let trusting = welcomat_at(&url, "keys list").env("SSL_CERT_FILE", CERTIFICATE).run();
    assert_eq!(trusting.code, 0, "{trusting:?}");
    let said = welcomat_at(&url, "keys list").run();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("certificate"), "{said:?}");
}
