//! TLS in front of a server that speaks none here, with a certificate that the test chooses.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use url::Url;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls");
/// Whoever trusts this file trusts the signature of all three certificates: they have one key.
pub const AUTHORITY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/cert.pem");
/// What a client of PostgreSQL asks before TLS begins: a length and a number (its manual, §53.7).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What the server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// For localhost and 127.0.0.1.
    Good,
    /// The same, until the first of February 2020.
    Expired,
    /// For mail.example.com.
    Elsewhere,
}

/// The server; it stops with the test.
pub struct TlsFront {
    address: SocketAddr,
    shown: watch::Sender<Shown>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// Leads to the server that `url` names.
    pub async fn before(url: &str, shown: Shown) -> Self {
        let url = Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shown = watch::Sender::new(shown);
        let postgres = url.scheme() == "postgres";
        let accepting = tokio::spawn(accept(listener, server, postgres, shown.subscribe()));
        Self { address, shown, accepting }
    }

    /// The same URL, but with this scheme, through here, and with this behind it.
    pub fn url(&self, url: &str, scheme: &str, options: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.set_query((!options.is_empty()).then_some(options));
        url.set_scheme(scheme).unwrap();
        url.into()
    }

    /// From the next connection on; those that are open stay.
    pub fn show(&self, shown: Shown) {
        self.shown.send_replace(shown);
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: String,
    postgres: bool,
    shown: watch::Receiver<Shown>,
) {
    // Dropped with this task, and with it all connections.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor(*shown.borrow());
        connections.spawn(lead(client, server.clone(), postgres, acceptor));
        while connections.try_join_next().is_some() {}
    }
}

/// Ends when either side does; a client that does not trust us is such an end.
async fn lead(mut client: TcpStream, server: String, postgres: bool, acceptor: TlsAcceptor) {
    if postgres {
        let mut request = [0; 8];
        if client.read_exact(&mut request).await.is_err() {
            return;
        }
        assert_eq!(request, SSL_REQUEST, "it asks for TLS before it says anything else");
        client.write_all(b"S").await.unwrap();
    }
    let Ok(mut client) = acceptor.accept(client).await else { return };
    let mut server = TcpStream::connect(server).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

fn acceptor(shown: Shown) -> TlsAcceptor {
    let name = match shown {
        Shown::Good => "cert",
        Shown::Expired => "expired",
        Shown::Elsewhere => "elsewhere",
    };
    let certificate = CertificateDer::from_pem_file(format!("{FILES}/{name}.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FILES}/key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
