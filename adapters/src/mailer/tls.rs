//! TLS for SMTP: which certificates are trusted, and the handshake.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::MailerError;
use crate::certificate;

/// Makes the handshakes with one server.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl Tls {
    /// Trusts what the system trusts, and the authorities in `extra_ca`.
    pub(super) fn new(host: &str, extra_ca: Option<&Path>) -> Result<Self, MailerError> {
        let server = ServerName::try_from(host.to_owned())
            .map_err(|_| MailerError::Url("has a host that no certificate can name".to_owned()))?;
        let mut roots = RootCertStore::empty();
        // A single odd certificate among the system's hundreds must not stop the mail.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = extra_ca {
            add_extra(&mut roots, path)?;
        }
        // Named here, because two providers may be compiled in and then rustls refuses to guess.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(MailerError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server })
    }

    /// Negotiates TLS and checks that the certificate names our server.
    pub(super) async fn handshake<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.connector.connect(self.server.clone(), stream).await
    }
}

fn add_extra(roots: &mut RootCertStore, path: &Path) -> Result<(), MailerError> {
    let fail = |why: String| MailerError::ExtraCa { path: path.to_owned(), why };
    for certificate in certificate::authorities(path).map_err(fail)? {
        roots.add(certificate).map_err(|error| fail(error.to_string()))?;
    }
    Ok(())
}
