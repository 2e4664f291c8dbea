//! Queues and exchanges that an operator has made: are they what this program would have made?
//!
//! A log-in with few rights is not told everything, and what it is not told is said as well.

use domain::job::JobV1;
use domain::{DeliveryId, Job, WebhookDeliveryId};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection};
use uuid::Uuid;

use super::super::{Arguments, Binding, Publishing};
use super::link::{ACCESS_REFUSED, LinkError, PRECONDITION_FAILED, code};
use super::topology::{Names, WEBHOOK_KEY, Wanted, declare_exchange, find_exchange};

/// For whoever looks at the queue.
const KIND: &str = "doctor";

/// All must be there, and of the right kind as far as this log-in is told.
pub(super) async fn exchanges(connection: &Connection, names: &Names) -> Result<(), LinkError> {
    let wrong = |error| LinkError::of_topology(error, names.topology);
    for (name, kind) in names.exchanges() {
        let channel = connection.create_channel().await?;
        find_exchange(&channel, name).await.map_err(wrong)?;
        match declare_exchange(&channel, name, kind).await {
            Err(error) if code(&error) != Some(ACCESS_REFUSED) => return Err(wrong(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Of a queue that is there. A passive declaration compares nothing, and one that compares needs the
/// right to configure.
pub(super) async fn arguments(
    connection: &Connection,
    queue: &Wanted<'_>,
) -> Result<Arguments, LinkError> {
    let channel = connection.create_channel().await?;
    let Err(error) = queue.declare(&channel).await else { return Ok(Arguments::Right) };
    match code(&error) {
        Some(PRECONDITION_FAILED) => Ok(Arguments::Wrong(error.to_string())),
        Some(ACCESS_REFUSED) => Ok(Arguments::Hidden),
        _ => Err(error.into()),
    }
}

/// Of a queue that is there. Nothing but a message shows it, and what is published can come into the
/// queue: so it is a job about nobody, which a worker of any version takes and finds nothing to do for.
pub(super) async fn binding(
    connection: &Connection,
    queue: &Wanted<'_>,
    consumers: u32,
    publishing: Publishing,
) -> Result<Binding, LinkError> {
    match publishing {
        _ if queue.key.is_empty() => {
            return Ok(Binding::Hidden("a message that shows it would be kept as a dead letter"));
        }
        Publishing::Forbidden => return Ok(Binding::Hidden("this log-in may not publish")),
        Publishing::Unanswered => {
            return Ok(Binding::Hidden("the broker does not confirm what is published"));
        }
        Publishing::Confirmed if consumers == 0 => {
            return Ok(Binding::Hidden("no worker would take a message away that shows it"));
        }
        Publishing::Confirmed => {}
    }
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let (exchange, key, body) = (queue.exchange.clone(), queue.key, about_nobody(queue.key));
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let properties = BasicProperties::default()
        .with_type(KIND.into())
        .with_content_type("application/json".into());
    let confirm = channel.basic_publish(exchange, key.into(), options, &body, properties).await?;
    // What no queue wants comes back with its confirmation.
    let returned = confirm.await?.take_message().is_some();
    Ok(if returned { Binding::Missing } else { Binding::There })
}

fn about_nobody(key: &str) -> Vec<u8> {
    let (nobody, generation) = (Uuid::nil(), 0);
    let job = if key == WEBHOOK_KEY {
        JobV1::Webhook { delivery: WebhookDeliveryId::from_uuid(nobody), generation }
    } else {
        JobV1::Email { delivery: DeliveryId::from_uuid(nobody), generation }
    };
    Job::V1(job).encode()
}
