//! Mails that show what a template makes: real ones, of which nothing else follows.

use app::http::Client;
use domain::TestMailStatus;
use entity::{event, outbox, test_mail};
use sea_orm::{ColumnTrait, Database, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(
    a_draft_or_a_version_is_sent_and_nobody_is_invited,
    a_test_mail_is_refused_where_an_invitation_would_be,
    what_stands_in_its_way_is_told_and_not_waited_out,
);

fn words(word: &str) -> Value {
    json!({
        "subject": format!("{word}: {{{{organization}}}}"),
        "html": format!("<p>{word} <a href=\"{{{{accept_url}}}}\">Join</a></p>"),
        "text": format!("{word}\n{{{{accept_url}}}}\n"),
    })
}

fn to(email: &str, mut words: Value) -> Value {
    words["to"] = email.into();
    words
}

async fn test_send(client: &Client, organization: &str, body: &Value) -> (u16, Value) {
    let path = format!("/v1/organizations/{organization}/templates/de/test-send");
    let headers = [("Content-Type", "application/json"), ("Prefer", "wait=20")];
    let answer = client.send("POST", &path, &headers, body.to_string().as_bytes()).await.unwrap();
    if answer.status == 202 {
        let place = answer.header("location").expect("a Location").to_owned();
        assert_eq!(client.get(&place).await.unwrap().json(), answer.json(), "it has ended");
    }
    (answer.status, answer.json())
}

async fn a_draft_or_a_version_is_sent_and_nobody_is_invited(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = format!("/v1/organizations/{}/templates/de", app.organization);
    for word in ["one", "two"] {
        let json = [("Content-Type", "application/json")];
        let body = words(word).to_string();
        let saved = app.client.send("PUT", &own, &json, body.as_bytes()).await.unwrap();
        assert_eq!(saved.status, 200, "{}", saved.text());
    }
    let table = [
        ("draft@example.com", words("draft"), "draft: Acme"),
        ("old@example.com", json!({"version": 1}), "one: Acme"),
        ("now@example.com", json!({}), "two: Acme"),
    ];
    for (email, body, subject) in table {
        let (status, sent) = test_send(&app.client, &app.organization, &to(email, body)).await;
        assert_eq!((status, &sent["status"]), (202, &json!("sent")), "{sent}");
        assert_eq!((&sent["detail"], &sent["subject"]), (&Value::Null, &json!(subject)));
        let mails = app.mails_to(email).await;
        assert_eq!((mails.len(), mails[0].subject.as_str()), (1, subject));
        assert!(mails[0].message_id.contains(".test@"), "{}", mails[0].message_id);
        let link = mails[0].link();
        assert!(link.starts_with(&app.url) && link.ends_with("/i/sample"), "{link}");
    }
    // The link is none, nobody is invited, and nothing is saved.
    let accept = json!({"token": "sample", "password": "correct horse battery staple"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 401);
    assert!(app.client.get("/i/sample").await.unwrap().status >= 400);
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]));
    assert_eq!(app.get(&own).await["version"], 2);
    let database = Database::connect(&app.database_url).await.unwrap();
    let events = event::Entity::find().filter(event::Column::Kind.eq("template.tested"));
    let events = events.order_by_asc(event::Column::Id).all(&database).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| (&event.data["version"], &event.actor)).collect();
    assert_eq!(told.len(), 3, "who asked is on record: {told:?}");
    let versions: Vec<_> = told.iter().map(|(version, _)| (*version).clone()).collect();
    assert_eq!(versions, [Value::Null, json!(1), json!(2)]);
    assert!(told.iter().all(|(_, actor)| actor.contains("key:")), "{told:?}");
    assert!(!events[0].data.to_string().contains("draft@"), "{}", events[0].data);
    let kept = test_mail::Entity::find().all(&database).await.unwrap();
    assert!(kept.iter().all(|mail| mail.html.is_empty() && mail.text.is_empty()));
}

async fn a_test_mail_is_refused_where_an_invitation_would_be(stack: Stack) {
    let limits = [("WELCOMAT_LIMITS_SENDS_PER_RECIPIENT_PER_DAY", "1")];
    let app = TestApp::start_with_settings(stack, &limits).await;
    let suppressions = format!("/v1/organizations/{}/suppressions", app.organization);
    app.act(&suppressions, &json!({"email": "left@example.com"})).await;
    let broken = json!({"subject": "x", "html": "<p>\n  {{frist_name}}</p>", "text": "x"});
    let mut both = words("x");
    both["version"] = 1.into();
    let table = [
        (to("LEFT@example.com", words("x")), "address_suppressed", None),
        (to("ann@example.com", broken), "template_invalid", Some("line 2, column 3")),
        (to("ann@example.com", both), "validation_failed", Some("together with a text")),
        (to("no address", words("x")), "validation_failed", None),
        (words("x"), "validation_failed", Some("is required")),
    ];
    for (body, code, message) in table {
        let (status, problem) = test_send(&app.client, &app.organization, &body).await;
        assert_eq!((status, &problem["code"]), (422, &json!(code)), "{body}: {problem}");
        assert!(message.is_none_or(|told| problem.to_string().contains(told)), "{problem}");
    }
    let none = to("ann@example.com", json!({"version": 7}));
    assert_eq!(test_send(&app.client, &app.organization, &none).await.0, 404);
    let (_, stranger) = app.other_organization().await;
    let foreign = to("ann@example.com", words("x"));
    assert_eq!(test_send(&stranger, &app.organization, &foreign).await.0, 404);
    assert_eq!(app.mails().await.len(), 0, "nothing has left so far");
    // It counts for its recipient as an invitation does, in either order.
    assert_eq!(test_send(&app.client, &app.organization, &foreign).await.0, 202);
    let (status, problem) = test_send(&app.client, &app.organization, &foreign).await;
    assert_eq!((status, &problem["code"]), (429, &json!("recipient_rate_limited")));
    let invited = app.post(&json!({"email": "ann@example.com"})).await;
    assert_eq!(invited.status, 429, "{}", invited.text());
    assert_eq!(app.mails().await.len(), 1);
}

async fn what_stands_in_its_way_is_told_and_not_waited_out(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("gone@example.com", "550 5.1.1 no such user");
    let body = to("gone@example.com", words("x"));
    let (status, failed) = test_send(&app.client, &app.organization, &body).await;
    assert_eq!((status, &failed["status"]), (202, &json!("failed")), "{failed}");
    assert!(text(&failed["detail"]).contains("no such user"), "{failed}");
    // It is no delivery, so that it suppresses nobody.
    let suppressions = format!("/v1/organizations/{}/suppressions", app.organization);
    assert_eq!(app.get(&suppressions).await["data"], json!([]));
    // Lost jobs and dead workers leave these.
    let database = Database::connect(&app.database_url).await.unwrap();
    let like = test_mail::Entity::find().one(&database).await.unwrap().unwrap();
    let past = like.created_at - chrono::TimeDelta::hours(1);
    let lost = [(TestMailStatus::Queued, "failed"), (TestMailStatus::Sending, "uncertain")];
    for (number, (status, end)) in (1_u128..).zip(lost) {
        let is_sending = status == TestMailStatus::Sending;
        let row = test_mail::Model {
            id: Uuid::from_u128(number),
            status: status.as_str().to_owned(),
            created_at: past,
            lease_until: is_sending.then_some(past),
            ended_at: None,
            detail: None,
            ..like.clone()
        };
        let row = row.into_active_model();
        test_mail::Entity::insert(row).exec_without_returning(&database).await.unwrap();
        let place = format!(
            "/v1/organizations/{}/test-mails/{}",
            app.organization,
            Uuid::from_u128(number)
        );
        let ended = eventually("a lost one ends", async || {
            let found = app.get(&place).await;
            found["ended_at"].is_string().then_some(found)
        })
        .await;
        assert_eq!(ended["status"], end, "{ended}");
        assert!(text(&ended["detail"]).contains("worker"), "{ended}");
    }
    let planned = outbox::Entity::find().filter(outbox::Column::Kind.eq("test_mail"));
    assert_eq!(planned.all(&database).await.unwrap().len(), 1, "nothing is tried again");
}
