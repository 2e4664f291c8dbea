//! Publishes batches on a connection of its own and tells what the broker confirmed.
//!
//! Its own, because a broker that is short of memory stops reading from publishers, and acks
//! on the same connection would be stuck behind them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::Job;
use domain::job::JobV1;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Confirmation};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use crate::failpoint;
use crate::settings::Topology;
use crate::trace::TraceContext;

use super::super::{Announcement, Outgoing};
use super::headers;
use super::link::{Link, Session, Shared};
use super::topology::{EMAIL_KEY, Names, WEBHOOK_KEY};

/// Batches that wait for their turn; a caller waits in front of it, up to its deadline.
const WAITING: usize = 8;
const PERSISTENT: u8 = 2;
/// `RabbitMQ` 3.10 forgets to tell the consumers of a quorum queue that it was deleted when the
/// same name is declared again within milliseconds; they would wait for ever. So it gets time.
const HEAL_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    #[error("a returned message has no id of ours")]
    ForeignReturn,
}

/// One message, ready to be published.
pub(super) struct Envelope {
    id: Uuid,
    exchange: ShortString,
    key: ShortString,
    /// For whoever looks at the queue.
    kind: ShortString,
    content_type: &'static str,
    /// Whether a message that no queue wants comes back.
    mandatory: bool,
    body: Vec<u8>,
    trace: Option<TraceContext>,
}

impl Envelope {
    pub(super) fn job(names: &Names, outgoing: &Outgoing) -> Self {
        let (key, kind) = match outgoing.job {
            Job::V1(JobV1::Email { .. }) => (EMAIL_KEY, "email.v1"),
            Job::V1(JobV1::Webhook { .. }) => (WEBHOOK_KEY, "webhook.v1"),
            Job::V1(JobV1::TestMail { .. }) => (EMAIL_KEY, "test_mail.v1"),
        };
        Self {
            id: outgoing.id.uuid(),
            exchange: names.jobs_exchange.clone(),
            key: key.into(),
            kind: kind.into(),
            content_type: "application/json",
            mandatory: true,
            body: outgoing.job.encode(),
            trace: outgoing.trace,
        }
    }

    pub(super) fn event(names: &Names, event: &Announcement) -> Self {
        Self {
            id: event.id.uuid(),
            exchange: names.events_exchange.clone(),
            key: event.event_type.as_str().into(),
            kind: event.event_type.as_str().into(),
            content_type: "application/cloudevents+json; charset=utf-8",
            mandatory: false,
            body: event.body.clone(),
            trace: None,
        }
    }
}

struct Request {
    batch: Vec<Envelope>,
    deadline: Instant,
    answer: oneshot::Sender<HashSet<Uuid>>,
}

/// The way to the task that owns the connection.
#[derive(Clone)]
pub(super) struct Publisher {
    requests: mpsc::Sender<Request>,
    confirm_timeout: Duration,
}

impl Publisher {
    pub(super) fn start(shared: &Arc<Shared>, name: &'static str) -> Self {
        let (requests, waiting) = mpsc::channel(WAITING);
        let link = Link::new(shared, name);
        shared.tasks.spawn(run(Arc::clone(shared), link, waiting));
        Self { requests, confirm_timeout: shared.confirm_timeout }
    }

    pub(super) async fn publish(&self, batch: Vec<Envelope>) -> HashSet<Uuid> {
        let deadline = Instant::now() + self.confirm_timeout;
        let (answer, answered) = oneshot::channel();
        let request = Request { batch, deadline, answer };
        let published = async {
            self.requests.send(request).await.ok()?;
            answered.await.ok()
        };
        timeout_at(deadline, published).await.ok().flatten().unwrap_or_default()
    }
}

async fn run(shared: Arc<Shared>, mut link: Link, mut requests: mpsc::Receiver<Request>) {
    while let Some(session) = link.session(&shared.closed).await {
        if serve(&shared, &session, &mut requests).await {
            return session.end().await;
        }
        link.lost(session);
    }
}

/// Works on one session until it fails (false) or nobody needs it any more (true).
async fn serve(shared: &Shared, session: &Session, requests: &mut mpsc::Receiver<Request>) -> bool {
    let select = session.channel.confirm_select(ConfirmSelectOptions::default());
    match timeout(shared.confirm_timeout, select).await {
        Ok(Ok(())) => {}
        _ => return false,
    }
    loop {
        let request = tokio::select! {
            biased;
            () = shared.closed.cancelled() => return true,
            () = session.lost() => return false,
            request = requests.recv() => request,
        };
        let Some(request) = request else { return true };
        if request.answer.is_closed() || request.deadline <= Instant::now() {
            continue;
        }
        let size = request.batch.len();
        let sent = send(session, &request.batch);
        let batch = match timeout_at(request.deadline, sent).await {
            Ok(Ok(batch)) => batch,
            Ok(Err(error)) => {
                tracing::warn!(%error, size, "a batch could not be published");
                return false;
            }
            Err(_) => {
                tracing::warn!(size, "the broker did not confirm a batch in time");
                return false;
            }
        };
        // A caller that gave up publishes again; the repeat is harmless.
        let _ = request.answer.send(batch.published);
        let unwanted =
            request.batch.iter().filter(|envelope| batch.returned.contains(&envelope.id));
        let keys: BTreeSet<&str> = unwanted.map(|envelope| envelope.key.as_str()).collect();
        if !keys.is_empty() && !heal(shared, session, batch.returned.len(), &keys).await {
            return false;
        }
    }
}

struct Batch {
    published: HashSet<Uuid>,
    returned: HashSet<Uuid>,
}

/// Publishes all, then waits for all: only over a whole batch are the returns complete.
async fn send(session: &Session, batch: &[Envelope]) -> Result<Batch, PublishError> {
    let mut under_way = Vec::with_capacity(batch.len());
    for envelope in batch {
        let mut properties = BasicProperties::default()
            .with_message_id(envelope.id.to_string().into())
            .with_type(envelope.kind.clone())
            .with_content_type(envelope.content_type.into())
            .with_delivery_mode(PERSISTENT);
        if let Some(trace) = envelope.trace {
            properties = properties.with_headers(headers::of_trace(trace));
        }
        let options = BasicPublishOptions { mandatory: envelope.mandatory, ..Default::default() };
        let (exchange, key) = (envelope.exchange.clone(), envelope.key.clone());
        let confirm = session
            .channel
            .basic_publish(exchange, key, options, &envelope.body, properties)
            .await?;
        under_way.push((envelope.id, confirm));
    }
    failpoint::reach("relay.published").await;
    let mut confirmations = Vec::with_capacity(under_way.len());
    for (id, confirm) in under_way {
        confirmations.push((id, confirm.await?));
    }
    sort_out(confirmations)
}

/// The library hands a returned message to whichever confirm completes next, so a return says
/// nothing about the confirm it came with; the ids of all of them together are right.
fn sort_out(confirmations: Vec<(Uuid, Confirmation)>) -> Result<Batch, PublishError> {
    let mut published = HashSet::with_capacity(confirmations.len());
    let mut returned = HashSet::new();
    for (id, confirmation) in confirmations {
        if confirmation.is_ack() {
            published.insert(id);
        }
        if let Some(message) = confirmation.take_message() {
            let id = message.properties.message_id().as_ref();
            let id = id.and_then(|id| id.as_str().parse::<Uuid>().ok());
            returned.insert(id.ok_or(PublishError::ForeignReturn)?);
        }
    }
    published.retain(|id| !returned.contains(id));
    Ok(Batch { published, returned })
}

/// Nobody but an operator takes the binding away, and the next batch must not fail for it.
async fn heal(shared: &Shared, session: &Session, returned: usize, keys: &BTreeSet<&str>) -> bool {
    match shared.names.topology {
        Topology::Declare => {
            tracing::error!(
                returned,
                ?keys,
                "the broker had no queue for some jobs; declaring it again"
            );
        }
        Topology::Check => tracing::error!(
            returned,
            ?keys,
            "the broker has no queue bound for these jobs, which wait: import \
             deploy/rabbitmq/definitions.json, for broker.topology = \"check\" binds none"
        ),
    }
    tokio::time::sleep(HEAL_PAUSE).await;
    let declare = async {
        let channel = session.side_channel().await?;
        shared.names.prepare(&channel).await
    };
    match timeout(shared.confirm_timeout, declare).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the queues could not be declared");
            false
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use lapin::message::{BasicReturnMessage, Delivery};

    use super::*;

    fn id(n: u128) -> Uuid {
        format!("00000000-0000-7000-8000-{n:012}").parse().unwrap()
    }

    fn returned(message_id: &str) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "x".into(), EMAIL_KEY.into(), false, Vec::new());
        delivery.properties = BasicProperties::default().with_message_id(message_id.into());
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[test]
    fn a_return_counts_against_its_own_id_whatever_confirm_it_came_with() {
        let two = returned(&id(2).to_string());
        let batch = sort_out(vec![
            (id(1), Confirmation::Ack(Some(two))),
            (id(2), Confirmation::Ack(None)),
            (id(3), Confirmation::Nack(None)),
            (id(4), Confirmation::NotRequested),
        ]);
        let batch = batch.unwrap();
        assert_eq!(batch.published, HashSet::from([id(1)]));
        assert_eq!(batch.returned, HashSet::from([id(2)]));
    }

    #[test]
    fn a_return_without_an_id_of_ours_puts_the_whole_batch_in_doubt() {
        let batch = sort_out(vec![(id(1), Confirmation::Ack(Some(returned("somebody's"))))]);
        assert!(matches!(batch, Err(PublishError::ForeignReturn)));
    }
}
