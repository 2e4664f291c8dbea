//! The broker over AMQP 0-9-1, made for `RabbitMQ`.

mod acks;
mod consumer;
mod depth;
mod examine;
pub(super) mod headers;
mod imported;
mod link;
mod publisher;
mod stuck;
mod topology;
mod version;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::{EventId, OutboxId};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::ShortString;
use lapin::uri::AMQPUri;
use url::Url;

use super::{Announcement, BrokerError, Outgoing, Queue};
use crate::certificate;
use crate::settings::BrokerSettings;
use link::Shared;
use publisher::{Envelope, Publisher};
use topology::Names;

pub(super) use consumer::{Inbox, Ticket};

/// Dead letters are few and are stored one after the other.
const DEAD_PREFETCH: u16 = 10;
/// How long the TCP connection itself may take.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest frame, in bytes; a job has some hundred. The library keeps room for 64 frames on each
/// connection: 8 MB with the server's own limit.
const FRAME_MAX: u32 = 16_384;

#[derive(Clone)]
pub(super) struct Amqp {
    shared: Arc<Shared>,
    publisher: Publisher,
    /// Made when it is first needed.
    announcer: Arc<OnceLock<Publisher>>,
}

impl Amqp {
    pub(super) fn connect(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = settings.url.parse().map_err(|_| BrokerError::Url)?;
        // A frozen server is noticed after two of these; the library's default is a minute.
        let heartbeat = u16::try_from(settings.heartbeat.as_secs()).unwrap_or(u16::MAX);
        uri.query.heartbeat = Some(heartbeat.max(1));
        uri.query.frame_max.get_or_insert(FRAME_MAX);
        let millis = u64::try_from(TCP_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
        uri.query.connection_timeout.get_or_insert(millis);
        let tls = OwnedTLSConfig { cert_chain: authority(&settings.url)?, ..Default::default() };
        let names = Names::new(settings).ok_or(BrokerError::Prefix)?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BrokerError::NoRuntime);
        }
        let shared = Arc::new(Shared::new(uri, tls, names, settings.confirm_timeout));
        let publisher = Publisher::start(&shared, "publisher");
        Ok(Self { shared, publisher, announcer: Arc::default() })
    }

    pub(super) async fn publish(&self, batch: &[Outgoing]) -> HashSet<OutboxId> {
        let names = &self.shared.names;
        let batch = batch.iter().map(|outgoing| Envelope::job(names, outgoing)).collect();
        self.publisher.publish(batch).await.into_iter().map(OutboxId::from_uuid).collect()
    }

    pub(super) async fn announce(&self, batch: &[Announcement]) -> HashSet<EventId> {
        let names = &self.shared.names;
        let batch = batch.iter().map(|event| Envelope::event(names, event)).collect();
        let announcer = self.announcer.get_or_init(|| Publisher::start(&self.shared, "announcer"));
        announcer.publish(batch).await.into_iter().map(EventId::from_uuid).collect()
    }

    pub(super) fn jobs(&self, queue: Queue, prefetch: u16) -> Inbox {
        let link = match queue {
            Queue::Email => "jobs",
            Queue::Webhook => "webhook jobs",
        };
        Inbox::start(&self.shared, link, self.name_of(queue).clone(), prefetch)
    }

    fn name_of(&self, queue: Queue) -> &ShortString {
        match queue {
            Queue::Email => &self.shared.names.email_queue,
            Queue::Webhook => &self.shared.names.webhook_queue,
        }
    }

    pub(super) fn dead(&self) -> Inbox {
        Inbox::start(&self.shared, "dead letters", self.shared.names.dead.clone(), DEAD_PREFETCH)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.shared.is_connected()
    }

    pub(super) async fn close(&self) {
        self.shared.close().await;
    }
}

/// The authority that `broker.url` names with `ca=`, beside those of the system.
fn authority(url: &str) -> Result<Option<String>, BrokerError> {
    let url = Url::parse(url).map_err(|_| BrokerError::Url)?;
    let Some((_, path)) = url.query_pairs().find(|(name, _)| name == "ca") else { return Ok(None) };
    let path = PathBuf::from(path.into_owned());
    let read = certificate::authorities(&path)
        .and_then(|_| std::fs::read_to_string(&path).map_err(|error| error.to_string()));
    read.map(Some).map_err(|why| BrokerError::Authority { path, why })
}
