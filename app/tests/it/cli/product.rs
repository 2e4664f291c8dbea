//! The client and the real product: every command that the product answers.

use insta::assert_snapshot;
use serde_json::json;

use super::{Call, welcomat};
use crate::harness::{KEY, Stack, TestApp, block_on, text};

struct Product {
    app: TestApp,
}

impl Product {
    async fn start() -> Self {
        Self { app: TestApp::start(Stack::Embedded).await }
    }

    fn call(&self, arguments: &str) -> Call {
        welcomat(arguments).env("WELCOMAT_URL", &self.app.url).env("WELCOMAT_API_KEY", KEY)
    }

    /// Output without what differs from run to run.
    fn seen(&self, arguments: &str) -> String {
        let said = self.call(arguments).run();
        let all = said.err.clone() + &said.good();
        let words = all.split_inclusive(char::is_whitespace).map(|word| {
            let bare = word.trim();
            let stands_for = if bare.parse::<uuid::Uuid>().is_ok() {
                "00000000-0000-0000-0000-000000000000"
            } else if bare.len() == 20 && bare.starts_with("20") && bare.ends_with('Z') {
                "2026-01-01T00:00:00Z"
            } else {
                bare
            };
            word.replace(bare, stands_for)
        });
        words.collect()
    }
}

#[test]
fn an_invitation_is_listed_shown_sent_again_and_taken_back() {
    block_on(async {
        let product = Product::start().await;
        let path = product.app.invite("ann@example.com").await;
        let id = path.rsplit('/').next().unwrap().to_owned();
        product.app.until(&path, "sent").await;
        let call = |arguments: &str| product.call(arguments);

        let listed = call("invitations list --email ann@example.com").run().json();
        assert_eq!(listed["data"][0]["id"], id);
        assert_eq!(
            call("invitations list --delivery-status sent -q").run().good(),
            format!("{id}\n")
        );
        assert_eq!(call("invitations list --status revoked -q").run().good(), "");
        assert_eq!(call(&format!("invitations get {id}")).run().json()["id"], id);

        let said = call(&format!("invitations resend {id} --wait=30s")).run();
        assert!(said.err.contains("the mail is sent, after "), "{said:?}");
        assert_eq!(said.json()["generation"], 2);
        let deliveries = call(&format!("deliveries get {id}")).run().json();
        assert_eq!(deliveries["data"].as_array().unwrap().len(), 2);

        let end = "2027-01-01T00:00:00Z";
        let extended = call(&format!("invitations extend {id} {end}")).run().json();
        assert_eq!(extended["expires_at"], end);

        let revoked = call(&format!("invitations revoke {id}")).run().json();
        assert_eq!(revoked["status"], "revoked");
        let again = call(&format!("invitations revoke {id}")).run();
        assert_eq!(again.code, 4);
        assert!(again.err.contains("The invitation is revoked and cannot be changed"), "{again:?}");
        let unknown = call("invitations list --status open").run();
        assert_eq!(unknown.code, 4);
        assert!(unknown.err.contains("status must be one of pending, accepted"), "{unknown:?}");
    });
}

#[test]
fn tables_show_what_matters() {
    block_on(async {
        let product = Product::start().await;
        let path = product.app.invite("ann@example.com").await;
        product.app.until(&path, "sent").await;
        let id = path.rsplit('/').next().unwrap();
        let table = |call: &str| product.seen(&format!("{call} --output table"));
        assert_snapshot!("product_invitations", table("invitations list"));
        assert_snapshot!("product_invitation", table(&format!("invitations get {id}")));
        assert_snapshot!("product_deliveries", table("deliveries list --status sent"));
        assert_snapshot!("product_dead_letters", table("dead-letters list"));
        assert_snapshot!("product_key", {
            let created = table("keys create --name ci --role member");
            let key = created.lines().find_map(|line| line.strip_prefix("KEY")).unwrap().trim();
            assert!(key.starts_with("wlc_"), "{created}");
            created.replace(key, "wlc_…")
        });
    });
}

#[test]
fn a_delivery_that_was_refused_shows_every_attempt() {
    block_on(async {
        let mut app = TestApp::start_with_smtp(Stack::Embedded).await;
        app.sink().refuse("ann@example.com", "450 4.2.1 mailbox is busy");
        let path = app.invite("ann@example.com").await;
        app.until(&path, "retrying").await;
        app.sink().forgive();
        app.until(&path, "sent").await;
        let product = Product { app };
        let id = path.rsplit('/').next().unwrap();
        let timeline = product.call(&format!("deliveries get {id} --output table")).run().good();
        let what = ["TIME", "queued", "attempt 1", "sent"];
        let mut lines = timeline.lines();
        for word in what {
            let line = lines.next().unwrap_or_default();
            assert!(line.contains(word), "{word}: {timeline}");
        }
        assert!(timeline.contains("450 4.2.1"), "{timeline}");
    });
}

#[test]
fn keys_are_made_used_and_revoked() {
    block_on(async {
        let product = Product::start().await;
        let key = product.call("keys create --name reader --role member --quiet").run().good();
        let reader = |arguments: &str| product.call(arguments).env("WELCOMAT_API_KEY", &key);
        assert_eq!(reader("invitations list").run().code, 0);
        let said = reader("keys create --name x").run();
        assert_eq!(said.code, 4, "{said:?}");
        assert!(said.err.contains("This API key may only read."), "{said:?}");
        assert_eq!(product.call("keys list --limit 1 --quiet").run().good().lines().count(), 1);
        let keys = product.call("keys list").run().json();
        let keys = keys["data"].as_array().unwrap();
        let mine = keys.iter().find(|key| key["name"] == "reader").unwrap();
        let revoke = format!("keys revoke {}", text(&mine["id"]));
        assert_eq!(product.call(&revoke).run().json(), json!({"id": mine["id"], "revoked": true}));
        let said = reader("invitations list").run();
        assert_eq!(said.code, 4, "{said:?}");
        assert!(said.err.contains("hint: set WELCOMAT_API_KEY"), "{said:?}");
    });
}
