//! Dead letters as operators see them: those of every organization, and what is nobody's.

use domain::DeadLetterId;
use entity::dead_letter;
use sea_orm::{ActiveModelTrait, ActiveValue, Database};
use serde_json::{Value, json};

use super::browser::Browser;
use crate::harness::{INSTANCE_KEY, KEY, Stack, TestApp, text};

on_both_stacks!(an_operator_sees_the_dead_letters_of_all, what_is_no_job_is_for_operators_alone,);

const ALL: &str = "/console/dead-letters";

/// Keeps a message as a worker does that could not read it.
async fn insert_poison(app: &TestApp) -> String {
    let now = app.clock.now();
    let id = DeadLetterId::new(now, &mut adapters::rng());
    let row = dead_letter::ActiveModel {
        id: ActiveValue::Set(id.uuid()),
        delivery_id: ActiveValue::Set(None),
        raw: ActiveValue::Set(b"<b>not json</b>".to_vec()),
        reason: ActiveValue::Set("malformed".to_owned()),
        headers: ActiveValue::Set(json!({})),
        received_at: ActiveValue::Set(now),
        redriven_at: ActiveValue::Set(None),
    };
    let database = Database::connect(&app.database_url).await.unwrap();
    row.insert(&database).await.unwrap();
    database.close().await.unwrap();
    id.to_string()
}

async fn an_operator_sees_the_dead_letters_of_all(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, _) = app.invite_and_receive("ann@example.com").await;
    let delivery = text(&app.get(&path).await["delivery"]["id"]);
    let letter = crate::dead_letters::insert(&app, delivery.parse().unwrap()).await;
    let operator = Browser::signed_in(&app, INSTANCE_KEY).await;
    assert!(operator.page("/console").await.contains(&format!("href=\"{ALL}\"")));
    let page = operator.page(ALL).await;
    assert!(page.contains(&delivery) && page.contains("delivery limit"), "{page}");
    let page = operator.done(&format!("{ALL}/{letter}/redrive"), &[]).await;
    assert!(page.contains("planned once more") && page.contains(&delivery), "{page}");
    assert_ne!(app.get("/v1/dead-letters").await["data"][0]["redriven_at"], Value::Null);
    let page = operator.done(&format!("{ALL}/{letter}/discard"), &[]).await;
    assert!(page.contains("There is none."), "{page}");
    assert_eq!(app.get("/v1/dead-letters").await["data"], json!([]));
}

async fn what_is_no_job_is_for_operators_alone(stack: Stack) {
    let app = TestApp::start(stack).await;
    let letter = insert_poison(&app).await;
    let of_one = format!("/console/{}/dead-letters", app.organization);
    let admin = Browser::signed_in(&app, KEY).await;
    assert!(admin.page(&of_one).await.contains("There is none."));
    assert_eq!(admin.open(ALL).await.status, 403);
    let discard = format!("{ALL}/{letter}/discard");
    assert_eq!(admin.submit(&discard, &[]).await.status, 403);
    assert_eq!(admin.submit(&format!("{ALL}/{letter}/redrive"), &[]).await.status, 403);
    let operator = Browser::signed_in(&app, INSTANCE_KEY).await;
    assert!(operator.page(&of_one).await.contains(&format!("href=\"{ALL}\"")));
    let page = operator.page(ALL).await;
    assert!(page.contains("&lt;b&gt;not json&lt;/b&gt;") && page.contains("malformed"), "{page}");
    assert!(page.contains(&discard) && !page.contains("/redrive\""), "nothing to plan: {page}");
    let refused = operator.submit(&format!("{ALL}/{letter}/redrive"), &[]).await;
    assert_eq!(refused.status, 404, "{}", refused.text());
    assert!(operator.done(&discard, &[]).await.contains("There is none."));
}
