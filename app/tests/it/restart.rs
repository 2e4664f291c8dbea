//! A restart of an embedded service, whose broker forgets what it held.

use std::time::Duration;

use entity::outbox;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Database, DatabaseConnection, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, Set,
};
use serde_json::json;

use crate::abuse::service::Service;
use crate::harness::{KEY, block_on, text};
use crate::servers::eventually;
use crate::smtp_sink::SmtpSink;

/// How many mails the broker holds while one is being sent.
const WAITING: usize = 5;
/// For how long a relay may keep what it publishes: nobody waits that long here.
const LOCK: &str = "10m";

#[test]
fn what_the_embedded_broker_forgot_goes_on_at_once() {
    block_on(async {
        let (folder, sink) = (tempfile::tempdir().unwrap(), SmtpSink::start().await);
        let env = [
            ("WELCOMAT_DATA_DIR", folder.path().display().to_string()),
            ("WELCOMAT_BOOTSTRAP_API_KEY", KEY.to_owned()),
            ("WELCOMAT_MAIL_URL", sink.url()),
            ("WELCOMAT_HTTP_WORKERS", "1".to_owned()),
            ("WELCOMAT_WORKER_CONCURRENCY", "1".to_owned()),
            ("WELCOMAT_WORKER_PREFETCH", "1".to_owned()),
            ("WELCOMAT_WORKER_SHUTDOWN_GRACE", "100ms".to_owned()),
            ("WELCOMAT_RELAY_LOCK", LOCK.to_owned()),
        ];
        let serve: [(&str, &[(&str, String)]); 1] = [("welcomat serve", &[])];
        let service = Service::start(&serve, folder.path(), &env).await;
        let client = service.client.clone();
        let me = client.get("/v1/me").await.unwrap().json();
        let path = format!("/v1/organizations/{}/invitations", text(&me["organization"]["id"]));
        let invite = async |email: &str| {
            let answer = client.post(&path, &json!({ "email": email })).await.unwrap();
            assert_eq!(answer.status, 201, "{}", answer.text());
        };
        // The worker has its hands full, so that the broker has to keep the others.
        sink.hold(true);
        invite("first@example.com").await;
        eventually("the first is being sent", async || (sink.count() == 1).then_some(())).await;
        for number in 0..WAITING {
            invite(&format!("waiting{number}@example.com")).await;
        }
        let file = format!("sqlite://{}", folder.path().join("welcomat.db").display());
        let database = Database::connect(file).await.unwrap();
        eventually("the broker has all of them", async || {
            use entity::outbox::{Column, Entity};
            let published = Entity::find().filter(Column::PublishedAt.is_not_null());
            let count = published.count(&database).await.unwrap();
            (count == WAITING as u64 + 1).then_some(())
        })
        .await;
        service.stop();
        assert_eq!(sink.count(), 1);
        let locked = lock_newest(&database).await;
        assert_eq!(locked.published_at, None);
        database.close().await.unwrap();

        sink.hold(false);
        let service = Service::start(&serve, folder.path(), &env).await;
        let client = service.client.clone();
        eventually("who waited has a mail", async || {
            let sent = client.get(&format!("{path}?delivery_status=sent")).await.unwrap().json();
            let sent = sent["data"].as_array().unwrap().iter();
            let waiting = sent.filter(|one| text(&one["email"]).starts_with("waiting"));
            (waiting.count() == WAITING).then_some(())
        })
        .await;
        let waiting = sink.mails().iter().filter(|mail| mail.to.starts_with("waiting")).count();
        assert_eq!(waiting, WAITING, "nobody has two");
        service.stop();
    });
}

/// Leaves the newest row that was published as a process does that is killed between locking and publishing
/// it. A row newer than that may tell of the mail that was given up.
async fn lock_newest(database: &DatabaseConnection) -> outbox::Model {
    use entity::outbox::{Column, Entity};
    let published = Entity::find().filter(Column::PublishedAt.is_not_null());
    let row = published.order_by_desc(Column::Id).one(database).await.unwrap().unwrap();
    let lock = row.created_at + Duration::from_mins(10);
    let locked = outbox::ActiveModel {
        published_at: Set(None),
        lock_token: Set(Some(row.id)),
        locked_until: Set(Some(lock)),
        ..row.into_active_model()
    };
    locked.update(database).await.unwrap()
}
