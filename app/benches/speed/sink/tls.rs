//! TLS from the first octet on, with the certificate of the tests.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::Result;

/// Whoever trusts this file trusts the sink.
pub const AUTHORITY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/cert.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/key.pem");

/// Takes handshakes; tickets and all else are as rustls has them.
pub fn acceptor() -> Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_file(AUTHORITY)?;
    let key = PrivateKeyDer::from_pem_file(KEY)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
