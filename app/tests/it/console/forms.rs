//! What people do in the console has the effect that the API's requests have.

use std::time::Duration;

use domain::DeadLetterId;
use entity::dead_letter;
use sea_orm::{ActiveModelTrait, ActiveValue, Database};
use serde_json::{Value, json};

use super::browser::Browser;
use crate::harness::{KEY, Stack, TestApp, text};
use crate::servers::eventually;
use crate::webhooks::World;

on_both_stacks!(
    somebody_is_invited_by_a_form,
    what_is_wrong_with_a_form_is_said_beside_what_was_typed,
    an_invitation_is_sent_again_extended_and_revoked,
    an_event_is_told_again,
    a_webhook_is_tested_and_switched,
    a_dead_letter_is_redriven_and_discarded,
    an_address_is_suppressed_and_gets_mail_again,
    a_key_is_shown_once_and_revoked,
);

const PERSON: [(&str, &str); 4] =
    [("email", "ann@example.com"), ("first_name", "Ann"), ("last_name", ""), ("role", "editor")];

async fn somebody_is_invited_by_a_form(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let path = format!("/console/{}/invitations", app.organization);
    let page = browser.done(&path, &PERSON).await;
    assert!(page.contains("ann@example.com") && page.contains("on its way"), "{page}");
    let invitation = app.get(&app.invitations()).await["data"][0].clone();
    assert_eq!(
        (&invitation["email"], &invitation["first_name"], &invitation["role"]),
        (&json!("ann@example.com"), &json!("Ann"), &json!("editor"))
    );
    let own = format!("{}/{}", app.invitations(), text(&invitation["id"]));
    let sent = app.until(&own, "sent").await;
    let by = text(&sent["events"][0]["actor"]);
    assert!(by.starts_with("user:") && by.contains("key:"), "{by}");
    // A second time leads to the first one.
    let page = browser.done(&path, &PERSON).await;
    assert!(page.contains("has this invitation already"), "{page}");
    assert_eq!(app.get(&app.invitations()).await["data"].as_array().unwrap().len(), 1);
}

async fn what_is_wrong_with_a_form_is_said_beside_what_was_typed(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let path = format!("/console/{}/invitations", app.organization);
    let wrong = [
        ("email", "\"><script>alert(1)</script>"),
        ("first_name", "Ann"),
        ("last_name", "www.example.com"),
        ("role", ""),
    ];
    let answer = browser.submit(&path, &wrong).await;
    let page = answer.text();
    assert_eq!(answer.status, 422, "{page}");
    assert!(page.contains("role=\"alert\"") && page.contains("last name"), "{page}");
    assert!(page.contains("value=\"Ann\""), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    let answer = browser.submit(&path, &[("email", "ann@example.com")]).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
}

async fn an_invitation_is_sent_again_extended_and_revoked(stack: Stack) {
    let app =
        TestApp::start_with_settings(stack, &[("WELCOMAT_LIMITS_RESEND_INTERVAL", "0")]).await;
    let (path, _) = app.invite_and_receive("ann@example.com").await;
    let browser = Browser::signed_in(&app, KEY).await;
    let id = path.rsplit('/').next().unwrap();
    let own = format!("/console/{}/invitations/{id}", app.organization);
    browser.done(&format!("{own}/resend"), &[]).await;
    let again = app.until(&path, "sent").await;
    assert_eq!(again["generation"], 2);
    let until = |shown: &Value| text(&shown["expires_at"]).parse::<domain::Timestamp>().unwrap();
    let page = browser.done(&format!("{own}/extend"), &[]).await;
    assert!(page.contains("another week"), "{page}");
    assert_eq!(until(&app.get(&path).await), until(&again) + Duration::from_hours(7 * 24));
    let page = browser.done(&format!("{own}/revoke"), &[]).await;
    assert!(!page.contains("/resend\""), "nothing is left to be done: {page}");
    assert_eq!(app.get(&path).await["status"], "revoked");
    let answer = browser.submit(&format!("{own}/resend"), &[]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("revoked and cannot be changed"), "{}", answer.text());
}

async fn an_event_is_told_again(stack: Stack) {
    let world = World::start(stack, Some(&["invitation.created"]), &[]).await;
    world.app.invite("ann@example.com").await;
    let told = world.until("invitation.created", "delivered").await;
    let browser = Browser::signed_in(&world.app, KEY).await;
    let id = world.webhook.rsplit('/').next().unwrap();
    let own = format!("/console/{}/webhooks/{id}", world.app.organization);
    let page = browser.page(&own).await;
    assert!(page.contains("invitation.created") && page.contains(&text(&told["id"])), "{page}");
    browser.done(&format!("{own}/deliveries/{}/replay", text(&told["id"])), &[]).await;
    let again = eventually("it is told again", async || {
        let log = world.log().await;
        log.into_iter().find(|one| one["generation"] == 2 && one["status"] == "delivered")
    })
    .await;
    assert_eq!(again["id"], told["id"]);
}

async fn a_webhook_is_tested_and_switched(stack: Stack) {
    let world = World::start(stack, None, &[]).await;
    let browser = Browser::signed_in(&world.app, KEY).await;
    let id = world.webhook.rsplit('/').next().unwrap();
    let own = format!("/console/{}/webhooks/{id}", world.app.organization);
    browser.done(&format!("{own}/test"), &[]).await;
    world.until("webhook.test", "delivered").await;
    browser.done(&format!("{own}/disable"), &[]).await;
    let off = world.shown().await;
    assert_eq!(
        (&off["status"], &off["disabled_reason"]),
        (&json!("disabled"), &json!("requested"))
    );
    let page = browser.done(&format!("{own}/enable"), &[]).await;
    assert!(page.contains("told of events again"), "{page}");
    assert_eq!(world.shown().await["status"], "enabled");
}

async fn a_dead_letter_is_redriven_and_discarded(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = app.invite_and_receive("ann@example.com").await;
    let delivery: domain::DeliveryId =
        text(&app.get(&path).await["delivery"]["id"]).parse().unwrap();
    let now = app.clock.now();
    let db = Database::connect(app.database_url.clone()).await.unwrap();
    let id = DeadLetterId::new(now, &mut adapters::rng());
    let job = domain::Job::V1(domain::job::JobV1::Email { delivery, generation: 1 });
    let row = dead_letter::ActiveModel {
        id: ActiveValue::Set(id.uuid()),
        delivery_id: ActiveValue::Set(Some(delivery.uuid())),
        raw: ActiveValue::Set(job.encode()),
        reason: ActiveValue::Set("delivery_limit".to_owned()),
        headers: ActiveValue::Set(json!({})),
        received_at: ActiveValue::Set(now),
        redriven_at: ActiveValue::Set(None),
    };
    row.insert(&db).await.unwrap();
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/dead-letters", app.organization);
    assert!(browser.page(&own).await.contains("delivery limit"));
    browser.done(&format!("{own}/{id}/redrive"), &[]).await;
    assert_ne!(app.get("/v1/dead-letters").await["data"][0]["redriven_at"], Value::Null);
    // The next mail passes the same queue behind the redriven job.
    app.invite_and_receive("bob@example.com").await;
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1, "sent is final");
    browser.done(&format!("{own}/{id}/discard"), &[]).await;
    assert_eq!(app.get("/v1/dead-letters").await["data"], json!([]));
}

async fn an_address_is_suppressed_and_gets_mail_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/suppressions", app.organization);
    let ann = [("email", "Ann@example.com")];
    let page = browser.done(&own, &ann).await;
    assert!(page.contains("ann@example.com") && page.contains("by hand"), "{page}");
    let path = app.invite("ann@example.com").await;
    assert_eq!(app.get(&path).await["delivery"]["status"], "suppressed");
    let page = browser.done(&format!("{own}/lift"), &ann).await;
    assert!(page.contains("There is none."), "{page}");
    app.act(&format!("{path}/revoke"), &json!({})).await;
    app.invite_and_receive("ann@example.com").await;
    assert_eq!(browser.submit(&format!("{own}/lift"), &ann).await.status, 404);
    let wrong = browser.submit(&own, &[("email", "ann@")]).await;
    let page = wrong.text();
    assert_eq!(wrong.status, 422, "{page}");
    assert!(page.contains("role=\"alert\"") && page.contains("value=\"ann@\""), "{page}");
}

async fn a_key_is_shown_once_and_revoked(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/keys", app.organization);
    let made = browser.submit(&own, &[("name", "CI"), ("role", "member")]).await.text();
    let (_, key) = made.split_once("secret-once\">").expect("the key");
    let key = key.split('<').next().unwrap().to_owned();
    let client = app.client.clone().with_key(Some(key.clone()));
    assert_eq!(client.get("/v1/me").await.unwrap().status, 200);
    assert!(!browser.page(&own).await.contains(&key), "it is shown only once");
    let id = text(&app.get("/v1/api-keys").await["data"][0]["id"]);
    browser.done(&format!("{own}/{id}/revoke"), &[]).await;
    assert_eq!(client.get("/v1/me").await.unwrap().status, 401);
    let long = "\"CI\"".repeat(30);
    let wrong = browser.submit(&own, &[("name", &long), ("role", "admin")]).await;
    let page = wrong.text();
    assert_eq!(wrong.status, 422, "{page}");
    assert!(page.contains("role=\"alert\""), "{page}");
    let typed = format!("value=\"{}\"", long.replace('"', "&quot;"));
    assert!(page.contains(&typed), "what was typed is there: {page}");
    assert!(page.contains("<option value=\"admin\" selected>"), "{page}");
}
