//! Looks once at the broker, as an operator would who wonders why no mail goes out.

use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::time::timeout;

use super::super::{Arguments, Binding, BrokerReport, Publishing, QueueReport};
use super::Amqp;
use super::imported;
use super::link::{ACCESS_REFUSED, LinkError, STEP_TIMEOUT, code};
use super::topology::Wanted;
use super::version::version;
use crate::settings::Topology;

/// A routing key that no queue is bound to.
const NOWHERE: &str = "doctor";
const GREETING: Duration = Duration::from_secs(2);

impl Amqp {
    /// Connects anew, sees to it that everything is in its place, and has one message confirmed that
    /// goes nowhere. The error says what the broker does not do.
    pub(in super::super) async fn examine(&self) -> Result<BrokerReport, String> {
        let connecting = timeout(STEP_TIMEOUT, self.shared.connect("doctor"));
        let connection = connecting.await.map_err(|_| LinkError::Timeout.to_string())?;
        let connection = connection.map_err(|error| LinkError::from(error).to_string())?;
        let looked = timeout(STEP_TIMEOUT, self.look(&connection)).await;
        // The report is made; how the connection ends changes nothing about it.
        let _ = timeout(STEP_TIMEOUT, connection.close(200, "done".into())).await;
        looked.map_err(|_| LinkError::Timeout.to_string())?.map_err(|error| error.to_string())
    }

    async fn look(&self, connection: &Connection) -> Result<BrokerReport, LinkError> {
        let names = &self.shared.names;
        names.prepare(&connection.create_channel().await?).await?;
        if names.topology == Topology::Check {
            imported::exchanges(connection, names).await?;
        }
        let publishing = self.publishing(connection).await?;
        let mut queues = Vec::new();
        for queue in names.queues() {
            queues.push(self.queue(connection, &queue, publishing).await?);
        }
        // Nice to know, and no more: whoever greets nobody a second time is looked at all the same.
        let version = timeout(GREETING, version(&self.shared.uri)).await.ok().flatten();
        Ok(BrokerReport { version, queues, publishing })
    }

    async fn queue(
        &self,
        connection: &Connection,
        queue: &Wanted<'_>,
        publishing: Publishing,
    ) -> Result<QueueReport, LinkError> {
        // One that is not there takes its channel along.
        let channel = connection.create_channel().await?;
        let state = queue_state(&channel, queue.name).await.map_err(|error| error.to_string());
        let (arguments, binding) = match state {
            Ok((_, consumers)) if self.shared.names.topology == Topology::Check => (
                imported::arguments(connection, queue).await?,
                imported::binding(connection, queue, consumers, publishing).await?,
            ),
            // Declared a moment ago; or there is nothing to say of it.
            _ => (Arguments::Right, Binding::There),
        };
        Ok(QueueReport { name: queue.name.to_string(), state, arguments, binding })
    }

    /// What becomes of a message: an alarm (memory, disk) blocks those who publish.
    async fn publishing(&self, connection: &Connection) -> Result<Publishing, LinkError> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let exchange = self.shared.names.jobs_exchange.clone();
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish(exchange, NOWHERE.into(), options, b"{}", properties);
        let confirmed = timeout(self.shared.confirm_timeout, async { sent.await?.await }).await;
        match confirmed {
            Ok(Ok(Confirmation::Ack(_))) => Ok(Publishing::Confirmed),
            Ok(Err(error)) if code(&error) == Some(ACCESS_REFUSED) => Ok(Publishing::Forbidden),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(_)) | Err(_) => Ok(Publishing::Unanswered),
        }
    }
}

/// How many messages are in a queue, and how many consumers wait for them.
pub(super) async fn queue_state(
    channel: &Channel,
    name: &ShortString,
) -> lapin::Result<(u32, u32)> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let queue = channel.queue_declare(name.clone(), passive, FieldTable::default()).await?;
    Ok((queue.message_count(), queue.consumer_count()))
}
