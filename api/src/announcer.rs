//! Takes announcements to the topic exchange as `CloudEvents` 1.0, for ever; the relay's loop for what
//! other services listen to. It is a loop of its own: an exchange that is missing holds up no job.

use std::time::Duration;

use adapters::broker::{Announcement, Broker};
use adapters::settings::RelaySettings;
use adapters::store::{AnnouncementEntry, Store, StoreError};
use domain::retry::jittered;
use domain::{EventId, EventKind};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// How often to look while nothing is announced: a transaction that began before that still may.
const SELDOM: Duration = Duration::from_mins(1);
/// How long after a failure the next round begins.
const PAUSE: Duration = Duration::from_secs(5);
/// Tries to note what was published before the lock is left to run out.
const SETTLE_TRIES: u32 = 3;

/// Announces until `stop`, if `on`; otherwise only what was announced before it was switched off.
pub async fn run(
    store: Store,
    broker: Broker,
    settings: RelaySettings,
    public_url: String,
    on: bool,
    stop: CancellationToken,
) {
    let mut switched = false;
    while !stop.is_cancelled() {
        let round = async {
            if !switched {
                store.set_exchange(on).await?;
                switched = true;
            }
            round(&store, &broker, &settings, &public_url).await
        };
        let pause = match round.await {
            Ok(true) => continue,
            Ok(false) if on => settings.idle_poll,
            Ok(false) => SELDOM,
            Err(error) => {
                tracing::warn!(%error, "events cannot be announced now");
                jittered(PAUSE, &mut adapters::rng())
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Whether there may be more.
async fn round(
    store: &Store,
    broker: &Broker,
    settings: &RelaySettings,
    public_url: &str,
) -> Result<bool, StoreError> {
    let claimed = store.claim_announcements(settings.batch, settings.lock).await?;
    let Some(first) = claimed.first() else { return Ok(false) };
    let lock = first.lock;
    let batch: Vec<Announcement> =
        claimed.iter().map(|entry| announcement(entry, public_url)).collect();
    let safe = broker.announce(&batch).await;
    let (published, unpublished): (Vec<EventId>, Vec<EventId>) =
        claimed.iter().map(|entry| entry.id).partition(|id| safe.contains(id));
    let all = unpublished.is_empty();
    if !all {
        tracing::warn!(unpublished = unpublished.len(), "the broker takes no events at present");
    }
    let mut tries = 1;
    while let Err(error) =
        store.settle_announcements(lock, published.clone(), unpublished.clone()).await
    {
        if tries == SETTLE_TRIES {
            return Err(error);
        }
        tokio::time::sleep(settings.idle_poll).await;
        tries += 1;
    }
    let full = u64::try_from(claimed.len()).unwrap_or(u64::MAX) >= settings.batch;
    Ok(all && full)
}

fn announcement(entry: &AnnouncementEntry, public_url: &str) -> Announcement {
    let event = cloud_event(entry, public_url);
    Announcement {
        id: entry.id,
        event_type: entry.event_type.clone(),
        body: event.to_string().into_bytes(),
    }
}

/// The event in the structured mode of `CloudEvents`: one JSON object.
fn cloud_event(entry: &AnnouncementEntry, public_url: &str) -> serde_json::Value {
    let base = public_url.trim_end_matches('/');
    let data: serde_json::Value = serde_json::from_str(&entry.data).unwrap_or_default();
    let mut event = json!({
        "specversion": "1.0",
        "id": entry.id,
        "source": format!("{base}/v1/organizations/{}", entry.organization),
        "type": entry.event_type,
        "time": entry.at,
        "datacontenttype": "application/json",
        "organizationid": entry.organization,
        "data": data,
    });
    let is_batch = Some(entry.event_type.as_str()) == EventKind::BatchFinished.told_as();
    let subject = match (entry.invitation, event["data"]["id"].as_str()) {
        (Some(invitation), _) => Some(format!("invitations/{invitation}")),
        (None, Some(batch)) if is_batch => Some(format!("batches/{batch}")),
        _ => None,
    };
    if let Some(subject) = subject {
        event["subject"] = subject.into();
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_what_cloud_events_asks_for() {
        let id = |last: u8| format!("01890a5d-ac96-774b-bcce-b3020000000{last}");
        let entry = AnnouncementEntry {
            id: id(1).parse().unwrap(),
            organization: id(2).parse().unwrap(),
            invitation: Some(id(3).parse().unwrap()),
            event_type: "invitation.created".to_owned(),
            data: r#"{"email":"ann@example.com"}"#.to_owned(),
            at: domain::Timestamp::from_timestamp(1_700_000_000, 0).unwrap(),
            lock: id(4).parse().unwrap(),
        };
        let public = "https://invite.example.com/base/";
        let announced = announcement(&entry, public);
        assert_eq!(announced.event_type, "invitation.created");
        insta::assert_json_snapshot!(cloud_event(&entry, public), @r#"
        {
          "specversion": "1.0",
          "id": "01890a5d-ac96-774b-bcce-b30200000001",
          "source": "https://invite.example.com/base/v1/organizations/01890a5d-ac96-774b-bcce-b30200000002",
          "type": "invitation.created",
          "time": "2023-11-14T22:13:20Z",
          "datacontenttype": "application/json",
          "organizationid": "01890a5d-ac96-774b-bcce-b30200000002",
          "data": {
            "email": "ann@example.com"
          },
          "subject": "invitations/01890a5d-ac96-774b-bcce-b30200000003"
        }
        "#);
        let batch = AnnouncementEntry {
            invitation: None,
            event_type: "batch.finished".to_owned(),
            data: json!({ "id": id(5), "status": "done" }).to_string(),
            ..entry
        };
        assert_eq!(cloud_event(&batch, public)["subject"], format!("batches/{}", id(5)));
    }
}
