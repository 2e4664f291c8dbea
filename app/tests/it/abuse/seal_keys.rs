//! Changing the keys that seal secrets: nobody's mail changes, and none is lost to a key that is gone.

use serde_json::{Value, json};

use super::service::Service;
use crate::harness::{KEY, block_on, text};
use crate::servers::eventually;
use crate::smtp_sink::SmtpSink;

const OLD: &str = "old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "new:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";

#[test]
fn a_new_key_seals_an_old_one_opens_and_a_missing_one_only_delays() {
    block_on(async {
        let sink = SmtpSink::start().await;
        let folder = tempfile::tempdir().unwrap();
        let start = async |keys: &str| {
            let env = [
                ("WELCOMAT_DATA_DIR", folder.path().display().to_string()),
                ("WELCOMAT_SEAL_KEYS", keys.to_owned()),
                ("WELCOMAT_PUBLIC_URL", "https://invite.example.com".to_owned()),
                ("WELCOMAT_BOOTSTRAP_API_KEY", KEY.to_owned()),
                ("WELCOMAT_MAIL_URL", sink.url()),
                ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "2s".to_owned()),
                ("WELCOMAT_WORKER_LEASE", "3s".to_owned()),
                ("WELCOMAT_WORKER_RESCUE_INTERVAL", "200ms".to_owned()),
                ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "300ms".to_owned()),
                ("WELCOMAT_RETRY_BREAKER_MIN", "100ms".to_owned()),
                ("WELCOMAT_RETRY_PAUSES", "300ms".to_owned()),
            ];
            Service::start(&[("welcomat serve", &[])], folder.path(), &env).await
        };
        // The old key seals; the process dies while the mail server has the mail and says nothing.
        let service = start(OLD).await;
        sink.hold(true);
        let ann = invite(&service, "ann").await;
        eventually("the mail arrives", async || (sink.count() == 1).then_some(())).await;
        drop(service);
        sink.hold(false);

        // The old key is gone: the mail waits and says for what; all others go out.
        let service = start(NEW).await;
        let waiting =
            until(&service, &ann, |found| found.to_string().contains("\\\"old\\\"")).await;
        assert!(["retrying", "uncertain"].contains(&status(&waiting).as_str()), "{waiting}");
        let bob = invite(&service, "bob").await;
        until(&service, &bob, |found| found["email_sent"] == true).await;
        assert_eq!(sink.count(), 2, "none to ann meanwhile");
        service.stop();

        // Both are there: the mail is the same as the first time.
        let service = start(&format!("{NEW},{OLD}")).await;
        until(&service, &ann, |found| found["email_sent"] == true).await;
        let mails: Vec<_> =
            sink.mails().into_iter().filter(|mail| mail.to.starts_with("ann")).collect();
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0].message_id, mails[1].message_id);
        assert_eq!((mails[0].password(), mails[0].link()), (mails[1].password(), mails[1].link()));
        service.stop();
    });
}

async fn invite(service: &Service, name: &str) -> String {
    let me = service.client.get("/v1/me").await.unwrap().json();
    let path = format!("/v1/organizations/{}/invitations", text(&me["organization"]["id"]));
    let body = json!({"email": format!("{name}@example.com")});
    let answer = service.client.post(&path, &body).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

async fn until(service: &Service, invitation: &str, is: impl Fn(&Value) -> bool) -> Value {
    eventually("the invitation gets there", async || {
        let found = service.client.get(invitation).await.unwrap().json();
        is(&found).then_some(found)
    })
    .await
}

fn status(invitation: &Value) -> String {
    text(&invitation["delivery"]["status"])
}
