//! A restart of an embedded service, whose broker forgets what it held.

use sea_orm::{ColumnTrait, Database, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::abuse::service::Service;
use crate::harness::{KEY, block_on, text};
use crate::servers::eventually;
use crate::smtp_sink::SmtpSink;

/// How many mails the broker holds while one is being sent.
const WAITING: usize = 5;

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
        database.close().await.unwrap();
        service.stop();
        assert_eq!(sink.count(), 1);

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
