//! Reminders: once, however many processes plan them, and never after an end.

use std::time::Duration;

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::Store;
use entity::former_token;
use sea_orm::{ColumnTrait, Database, EntityTrait, QueryFilter, QueryTrait};
use serde_json::{Value, json};

use crate::bounces;
use crate::harness::{Stack, TestApp, text};
use crate::mail::TestMail;
use crate::policy;
use crate::servers::eventually;
use crate::webhooks;

on_both_stacks!(
    a_reminder_is_planned_once_and_never_after_an_end,
    days_that_have_passed_are_made_up_for_by_one_mail,
    an_endpoint_is_told_of_a_reminder,
    whoever_answered_or_cannot_be_reached_is_not_reminded,
);

const DAY: Duration = Duration::from_hours(24);
const MONTH: u64 = 30 * 24 * 3600;

async fn invite(app: &TestApp, email: &str) -> (String, TestMail) {
    let made = app.post(&json!({"email": email, "expires_in": MONTH})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.header("location").unwrap().to_owned();
    app.until(&path, "sent").await;
    (path, app.mails_to(email).await.remove(0))
}

/// Another process on the same database, in which more time has passed.
async fn another(app: &TestApp, later: Duration) -> Store {
    let env = [("WELCOMAT_DATABASE_URL".to_owned(), app.database_url.clone())];
    let settings = Settings::load(None, env.into_iter()).unwrap();
    let store = Store::connect(&settings, Clock::new()).await.unwrap();
    store.clock().advance(later);
    store
}

async fn mails(app: &TestApp, email: &str, count: usize) -> Vec<TestMail> {
    eventually(&format!("{count} mails to {email}"), async || {
        let mails = app.mails_to(email).await;
        (mails.len() >= count).then_some(mails)
    })
    .await
}

fn kinds(invitation: &Value) -> Vec<String> {
    let mails = invitation["deliveries"].as_array().unwrap().iter();
    mails.map(|mail| format!("{} {}", text(&mail["kind"]), text(&mail["status"]))).collect()
}

async fn accept(app: &TestApp, mail: &TestMail) -> u16 {
    let accept = json!({"token": mail.token(), "password": "correct horse battery"});
    app.act("/v1/invitations/accept", &accept).await.0
}

/// The sweep deletes links that have had their time; those of reminders have none.
async fn forgets_ended_links(app: &TestApp) {
    let database = Database::connect(&app.database_url).await.unwrap();
    let count = async |all: bool| {
        let ending = former_token::Column::ValidUntil.is_not_null();
        let links =
            former_token::Entity::find().apply_if((!all).then_some(ending), QueryFilter::filter);
        links.all(&database).await.unwrap().len()
    };
    eventually("ended links are forgotten", async || (count(false).await == 0).then_some(())).await;
    assert_eq!(count(true).await, 2, "ann's and eve's");
    database.close().await.unwrap();
}

async fn a_reminder_is_planned_once_and_never_after_an_end(stack: Stack) {
    let app = TestApp::start(stack).await;
    assert_eq!(policy::set(&app, &json!({"reminders": [3, 7]})).await.status, 200);
    let (ann, first) = invite(&app, "ann@example.com").await;
    let (bob, bobs) = invite(&app, "bob@example.com").await;
    let (eve, _) = invite(&app, "eve@example.com").await;
    let (zoe, _) = invite(&app, "zoe@example.com").await;
    let suppress = format!("/v1/organizations/{}/suppressions", app.organization);
    app.act(&suppress, &json!({"email": "zoe@example.com"})).await;
    let (early, one, other) = tokio::join!(
        another(&app, DAY * 2),
        another(&app, DAY * 3 + Duration::from_mins(1)),
        another(&app, DAY * 3 + Duration::from_mins(1)),
    );
    assert_eq!(early.remind().await.unwrap(), 0, "it is not time");
    let (here, there) = tokio::join!(one.remind(), other.remind());
    assert_eq!(here.unwrap() + there.unwrap(), 3, "each of them once");
    for store in [early, one, other] {
        store.close().await;
    }
    app.clock.advance(DAY * 3 + Duration::from_mins(2));
    let second = mails(&app, "ann@example.com", 2).await.remove(1);
    assert!(second.subject.starts_with("Reminder:"), "{}", second.subject);
    assert!(second.text.contains("still waiting for your answer"), "{}", second.text);
    assert_ne!(second.token(), first.token());
    let reminded = app.until(&ann, "sent").await;
    assert_eq!(kinds(&reminded), ["reminder sent", "invitation sent"]);
    assert_eq!(reminded["email_sent"], true);
    let events = reminded["events"].as_array().unwrap();
    assert_eq!(events.last().unwrap()["kind"], "reminder.sent");
    assert_eq!(accept(&app, &first).await, 200, "the link before it stays good");
    mails(&app, "eve@example.com", 2).await;
    app.until(&eve, "sent").await;
    assert_eq!(app.act(&format!("{eve}/revoke"), &json!({})).await.0, 200);

    app.clock.advance(DAY * 4);
    let thirds = mails(&app, "bob@example.com", 3).await;
    app.until(&bob, "sent").await;
    app.clock.advance(DAY * 5);
    app.invite_and_receive("last@example.com").await;
    assert_eq!(kinds(&app.get(&ann).await), ["reminder sent", "invitation sent"], "accepted");
    assert_eq!(kinds(&app.get(&eve).await), ["reminder sent", "invitation sent"], "revoked");
    assert_eq!(kinds(&app.get(&zoe).await), ["invitation sent"], "suppressed");
    assert_eq!(kinds(&app.get(&bob).await).len(), 3, "there is no fourth");
    // A resend lets all links but its own end, after a while.
    assert_eq!(app.act(&format!("{bob}/resend"), &json!({})).await.0, 200);
    app.until(&bob, "sent").await;
    let opens = async |mail: &TestMail| app.client.get(&mail.path()).await.unwrap().status;
    assert_eq!([opens(&bobs).await, opens(&thirds[1]).await, opens(&thirds[2]).await], [200; 3]);
    app.clock.advance(Duration::from_mins(61));
    assert_eq!([accept(&app, &bobs).await, accept(&app, &thirds[1]).await], [401, 401]);
    assert_eq!(accept(&app, &thirds[2]).await, 401);
    forgets_ended_links(&app).await;
}

async fn days_that_have_passed_are_made_up_for_by_one_mail(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = invite(&app, "ann@example.com").await;
    app.clock.advance(DAY * 8);
    assert_eq!(policy::set(&app, &json!({"reminders": [1, 3, 7]})).await.status, 200);
    mails(&app, "ann@example.com", 2).await;
    app.until(&path, "sent").await;
    app.invite_and_receive("bob@example.com").await;
    assert_eq!(kinds(&app.get(&path).await).len(), 2);
}

async fn an_endpoint_is_told_of_a_reminder(stack: Stack) {
    let types = ["invitation.sent", "invitation.reminder_sent"];
    let world = webhooks::World::start(stack, Some(&types), &[]).await;
    assert_eq!(policy::set(&world.app, &json!({"reminders": [3]})).await.status, 200);
    let (path, _) = invite(&world.app, "ann@example.com").await;
    world.receiver.until("invitation.sent", 1).await;
    world.app.clock.advance(DAY * 3 + Duration::from_mins(1));
    let told = world.receiver.until("invitation.reminder_sent", 1).await.remove(0).event();
    let id = path.rsplit('/').next().unwrap();
    let delivery = &told["data"]["delivery"];
    assert_eq!(
        (&told["data"]["id"], &delivery["kind"], &delivery["status"]),
        (&json!(id), &json!("reminder"), &json!("sent")),
        "{told}"
    );
    assert_eq!(world.receiver.requests().len(), 2, "the mail and its reminder, each by its name");
}

async fn whoever_answered_or_cannot_be_reached_is_not_reminded(stack: Stack) {
    let world = bounces::World::start(stack).await;
    let app = &world.app;
    assert_eq!(policy::set(app, &json!({"reminders": [3]})).await.status, 200);
    let (declined, mail) = invite(app, "dan@example.com").await;
    let no = json!({"token": mail.token()});
    assert_eq!(app.act("/v1/invitations/decline", &no).await.0, 200);
    // A soft bounce suppresses nobody, so that it is the mail's own state that counts.
    let (bounced, _) = invite(app, "bea@example.com").await;
    let mark = world.mark(&bounced).await;
    assert_eq!(world.tell("ses_soft_bounce", &mark).await, 1);
    let (complained, _) = invite(app, "cem@example.com").await;
    let mark = world.mark(&complained).await;
    assert_eq!(world.tell("ses_complaint", &mark).await, 1);
    let short = app.post(&json!({"email": "eli@example.com", "expires_in": 2 * 24 * 3600})).await;
    let expired = short.header("location").unwrap().to_owned();
    app.until(&expired, "sent").await;
    invite(app, "ann@example.com").await;
    app.clock.advance(DAY * 3 + Duration::from_mins(1));
    mails(app, "ann@example.com", 2).await;
    for (path, status, kind) in [
        (declined, "declined", "invitation sent"),
        (bounced, "pending", "invitation bounced"),
        (complained, "pending", "invitation complained"),
        (expired, "expired", "invitation sent"),
    ] {
        let shown = eventually(status, async || {
            Some(app.get(&path).await).filter(|shown| shown["status"] == status)
        })
        .await;
        assert_eq!(kinds(&shown), [kind], "{shown}");
    }
}
