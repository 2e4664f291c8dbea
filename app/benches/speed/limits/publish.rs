//! What the broker can do at best: raw lapin on a queue such as the product's.

use std::time::Instant;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::time::sleep;

use super::{LONG, REST, TURNS};
use crate::Result;
use crate::samples::Samples;
use crate::statistics::{Latencies, number};

const QUEUE: &str = "bench.limits";
const WINDOW: usize = 1000;
const PREFETCH: u16 = 500;
const ACK_EVERY: usize = 100;
/// As long as the product's.
const BODY: &[u8] =
    br#"{"kind":"email","v":1,"delivery":"01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11","generation":1}"#;

/// Publishes with confirms one by one, at rest, and in windows of a thousand, then takes all of it.
pub async fn measure(amqp: &str, samples: &mut Samples) -> Result<()> {
    let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(QUEUE.into(), durable, quorum()).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;

    let mut single = Vec::new();
    for _ in 0..TURNS {
        sleep(REST).await;
        let begin = Instant::now();
        publish(&channel, 1).await?;
        single.push(begin.elapsed());
    }
    let mut published = single.len();
    samples.set("limit.confirm_ms", Latencies::new(single).percentile(50));

    let start = Instant::now();
    let mut windows = 0;
    while start.elapsed() < LONG {
        publish(&channel, WINDOW).await?;
        windows += 1;
    }
    samples.set("limit.publish_per_s", number(windows * WINDOW) / start.elapsed().as_secs_f64());
    published += windows * WINDOW;

    samples.set("limit.consume_per_s", consume(&connection, published).await?);
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    Ok(connection.close(0, "done".into()).await?)
}

async fn publish(channel: &Channel, count: usize) -> Result<()> {
    let mut under_way = Vec::with_capacity(count);
    for _ in 0..count {
        let properties = BasicProperties::default()
            .with_message_id("01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11".into())
            .with_content_type("application/json".into())
            .with_delivery_mode(2);
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let confirm = channel.basic_publish("".into(), QUEUE.into(), options, BODY, properties);
        under_way.push(confirm.await?);
    }
    for confirm in under_way {
        if !confirm.await?.is_ack() {
            return Err("the broker refuses a message".into());
        }
    }
    Ok(())
}

/// Messages taken and acknowledged in a second.
async fn consume(connection: &Connection, count: usize) -> Result<f64> {
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let start = Instant::now();
    let options = BasicConsumeOptions::default();
    let consuming =
        channel.basic_consume(QUEUE.into(), "bench".into(), options, FieldTable::default());
    let mut consumer = consuming.await?;
    for taken in 1..=count {
        let message = consumer.next().await.ok_or("the broker ends the consumer")??;
        if taken % ACK_EVERY == 0 || taken == count {
            message.acker.ack(BasicAckOptions { multiple: true }).await?;
        }
    }
    let rate = number(count) / start.elapsed().as_secs_f64();
    // Not left to the end of the consumer: the library does not wait for the answer then, and takes one
    // that comes late for a fault.
    channel.basic_cancel("bench".into(), BasicCancelOptions::default()).await?;
    Ok(rate)
}

fn quorum() -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    table.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    table.insert("x-max-length".into(), AMQPValue::LongInt(1_000_000));
    table.insert("x-delivery-limit".into(), AMQPValue::LongInt(20));
    table
}
