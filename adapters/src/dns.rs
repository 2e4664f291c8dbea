//! Asks one DNS server (RFC 1035) what the operating system's own look-ups cannot tell: texts, and
//! who takes the mail of a domain.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand::Rng;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// Where Unix keeps the address of the server.
const SYSTEM: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
const PATIENCE: Duration = Duration::from_secs(2);
/// A datagram may get lost.
const TRIES: usize = 2;
/// What a server may send over UDP to whoever does not ask for more (RFC 1035 §4.2.1), and some.
const DATAGRAM: usize = 4096;

/// A DNS server that answers for all domains.
#[derive(Debug, Clone, Copy)]
pub struct Resolver(SocketAddr);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The name is none.
    #[error("{0} is no name of a domain")]
    Name(String),
    /// The server could not be asked.
    #[error("the DNS server {0} cannot be asked: {1}")]
    Io(SocketAddr, io::Error),
    /// The server does not answer in time.
    #[error("the DNS server {0} does not answer")]
    Silent(SocketAddr),
    /// The server answered something that does not help.
    #[error("the DNS server {0} answered {1}")]
    Refused(SocketAddr, String),
}

impl Resolver {
    /// The server at this address.
    pub const fn at(server: SocketAddr) -> Self {
        Self(server)
    }

    /// The first server that this machine is set up with; `None` if there is none.
    pub fn of_system() -> Option<Self> {
        let text = std::fs::read_to_string(SYSTEM).ok()?;
        first_server(&text).map(|server| Self(SocketAddr::new(server, PORT)))
    }

    /// The TXT records of a name, each as one text; none if there is no such name.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, DnsError> {
        self.ask(name, TYPE::TXT, |data| match data {
            RData::TXT(text) => String::try_from(text.clone()).ok(),
            _ => None,
        })
        .await
    }

    /// Who takes the mail of a domain, by its MX records.
    pub async fn mail_servers(&self, name: &str) -> Result<Vec<String>, DnsError> {
        self.ask(name, TYPE::MX, |data| match data {
            RData::MX(server) => Some(server.exchange.to_string()),
            _ => None,
        })
        .await
    }

    async fn ask(
        &self,
        name: &str,
        kind: TYPE,
        wanted: fn(&RData<'_>) -> Option<String>,
    ) -> Result<Vec<String>, DnsError> {
        let wrong = |_| DnsError::Name(name.to_owned());
        // An id that nobody guesses: others may answer as well.
        let id = (crate::rng().next_u32() >> 16) as u16;
        let mut query = Packet::new_query(id);
        query.set_flags(PacketFlag::RECURSION_DESIRED);
        let question =
            Question::new(Name::new(name).map_err(wrong)?, kind.into(), CLASS::IN.into(), false);
        query.questions.push(question);
        let query = query.build_bytes_vec().map_err(wrong)?;
        let mut answer = self.over_udp(&query).await?;
        if Packet::parse(&answer).is_ok_and(|answer| answer.has_flags(PacketFlag::TRUNCATION)) {
            answer = self.over_tcp(&query).await?;
        }
        let refused = |why: String| DnsError::Refused(self.0, why);
        let answer = Packet::parse(&answer).map_err(|error| refused(error.to_string()))?;
        match answer.rcode() {
            RCODE::NoError | RCODE::NameError if answer.id() == id => {}
            other => return Err(refused(format!("{other:?}"))),
        }
        Ok(answer.answers.iter().filter_map(|record| wanted(&record.rdata)).collect())
    }

    async fn over_udp(&self, query: &[u8]) -> Result<Vec<u8>, DnsError> {
        let exchange = async {
            let local: SocketAddr = match self.0 {
                SocketAddr::V4(_) => ([0; 4], 0).into(),
                SocketAddr::V6(_) => ([0; 16], 0).into(),
            };
            let socket = UdpSocket::bind(local).await?;
            // Only what comes from there is heard.
            socket.connect(self.0).await?;
            let mut answer = vec![0; DATAGRAM];
            for _ in 0..TRIES {
                socket.send(query).await?;
                if let Ok(length) = timeout(PATIENCE, socket.recv(&mut answer)).await {
                    answer.truncate(length?);
                    return Ok(Some(answer));
                }
            }
            Ok(None)
        };
        let answer = exchange.await.map_err(|error| DnsError::Io(self.0, error))?;
        answer.ok_or(DnsError::Silent(self.0))
    }

    /// With its length before it (RFC 1035 §4.2.2).
    async fn over_tcp(&self, query: &[u8]) -> Result<Vec<u8>, DnsError> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.0).await?;
            stream.write_u16(u16::try_from(query.len()).unwrap_or(u16::MAX)).await?;
            stream.write_all(query).await?;
            let length = stream.read_u16().await?;
            let mut answer = vec![0; usize::from(length)];
            stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        match timeout(PATIENCE * 2, exchange).await {
            Ok(answer) => answer.map_err(|error| DnsError::Io(self.0, error)),
            Err(_) => Err(DnsError::Silent(self.0)),
        }
    }
}

fn first_server(text: &str) -> Option<IpAddr> {
    let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    lines.find_map(|rest| rest.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_server_counts() {
        let text = "# made by hand\nsearch example.com\nnameserver 192.0.2.1\nnameserver ::1\n";
        assert_eq!(first_server(text), Some([192, 0, 2, 1].into()));
        assert_eq!(first_server("options rotate\n"), None);
    }
}
