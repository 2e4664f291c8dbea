//! What somebody with access to the broker can see and do.

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, BasicRejectOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::processes::fleet::Fleet;

/// A look at the queues of one fleet.
pub struct Queues {
    connection: Connection,
    channel: Channel,
    prefix: String,
}

/// Where jobs wait.
pub const JOBS: &str = "email.v1";
/// Where messages end that nobody could process.
#[cfg(feature = "long-faults")]
pub const DEAD: &str = "dead.v1";

impl Queues {
    pub async fn of(fleet: &Fleet) -> Self {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&fleet.amqp, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { connection, channel, prefix: fleet.prefix.clone() }
    }

    /// How many messages wait for a consumer; none if the queue does not exist yet.
    pub async fn waiting(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        // A channel of its own: asking for a queue that does not exist closes it.
        let channel = self.connection.create_channel().await.unwrap();
        let declared = channel.queue_declare(self.name(queue), passive, FieldTable::default());
        declared.await.map_or(0, |queue| queue.message_count())
    }

    /// Puts a message into a queue; the broker has it when this returns.
    pub async fn publish(&self, queue: &str, message: &[u8]) {
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let publish =
            self.channel.basic_publish("".into(), self.name(queue), options, message, persistent);
        publish.await.unwrap().await.unwrap();
    }

    /// Takes a job and refuses it for good; false if there is none at present.
    #[cfg_attr(
        not(feature = "long-faults"),
        expect(dead_code, reason = "for the storm of redrives")
    )]
    pub async fn kill_one_job(&self) -> bool {
        let got = self.channel.basic_get(self.name(JOBS), BasicGetOptions::default()).await;
        let Some(message) = got.unwrap() else { return false };
        message.delivery.acker.reject(BasicRejectOptions { requeue: false }).await.unwrap();
        true
    }

    fn name(&self, queue: &str) -> lapin::types::ShortString {
        format!("{}.{queue}", self.prefix).into()
    }
}
