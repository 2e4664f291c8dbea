//! Erasing a person and forgetting what ended long ago, as far as the API's role lets it.

use std::time::Duration;

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::Store;
use app::http::Client;
use serde_json::json;

use super::database::OwnRoles;
use super::done;
use crate::harness::text;

const DAY: Duration = Duration::from_hours(24);

/// One person, as an organization may ask for it.
pub async fn one_person(client: &Client, email: &str) {
    let me = client.get("/v1/me").await.unwrap().json();
    let people = format!("/v1/organizations/{}/people", text(&me["organization"]["id"]));
    let address = json!({ "email": email });
    let exported = done(client, "POST", &format!("{people}/export"), &address).await;
    assert_eq!(exported["invitations"][0]["email"], *email);
    let erased = done(client, "POST", &format!("{people}/erase"), &address).await;
    assert_eq!(erased["invitations"], 1, "{erased}");
}

/// Retention: taking out who it was needs no more rights than erasing, deleting the history does.
pub async fn all_that_ended(roles: &OwnRoles) {
    let env = [("WELCOMAT_DATABASE_URL".to_owned(), roles.url("api"))];
    let settings = Settings::load(None, env.into_iter()).unwrap();
    let store = Store::connect(&settings, Clock::new()).await.unwrap();
    store.clock().advance(DAY * 31);
    assert!(store.anonymize_ended(DAY * 30).await.unwrap() > 0);
    let refused = store.prune_ended(DAY * 30).await.expect_err("nobody has granted that");
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    roles.let_history_be_deleted().await;
    assert!(store.prune_ended(DAY * 30).await.unwrap() > 0);
    store.close().await;
}
