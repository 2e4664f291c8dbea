//! Another address for an invitation: the old link dies at once, and what holds for a new invitation
//! holds for the new address.

use serde_json::{Value, json};

use crate::bounces::World;
use crate::harness::{Stack, TestApp, block_on, text};
use crate::policy;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::webhooks;

on_both_stacks!(
    a_changed_address_kills_the_old_link,
    a_new_address_has_to_be_allowed,
    what_is_heard_of_the_old_mail_is_about_the_old_address,
    an_endpoint_is_told_of_another_address,
);

async fn change(app: &TestApp, path: &str, email: &str) -> (u16, Value) {
    app.act(&format!("{path}/address"), &json!({ "email": email })).await
}

async fn a_changed_address_kills_the_old_link(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, old) = app.invite_and_receive("ann@example.com").await;
    let (status, changed) = change(&app, &path, "Bob@example.com").await;
    assert_eq!((status, &changed["email"]), (200, &json!("Bob@example.com")), "{changed}");
    let accept = |token: &str| json!({"token": token, "password": "correct horse battery"});
    let (status, problem) = app.act("/v1/invitations/accept", &accept(&old.token())).await;
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_credential")));

    let sent = app.until(&path, "sent").await;
    let new = app.mails_to("Bob@example.com").await.remove(0);
    assert_eq!(app.act("/v1/invitations/accept", &accept(&old.token())).await.0, 401);
    let recipients: Vec<&Value> =
        sent["deliveries"].as_array().unwrap().iter().map(|mail| &mail["recipient"]).collect();
    assert_eq!(recipients, [&json!(null), &json!("ann@example.com")]);
    let (status, joined) = app.act("/v1/invitations/accept", &accept(&new.token())).await;
    assert_eq!((status, &joined["email"]), (200, &json!("Bob@example.com")), "{joined}");
    // The old address is nobody's: it can be invited.
    app.invite("ann@example.com").await;
    let (status, problem) = change(&app, &path, "eve@example.com").await;
    assert_eq!((status, &problem["code"]), (409, &json!("invitation_not_pending")));
}

#[test]
fn the_old_link_is_dead_before_there_is_a_new_one() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[]).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..1).await;
        fleet.until_all_sent(1).await;
        // Nobody makes the new mail, or its link.
        fleet.stop_workers();
        let client = fleet.apis[0].client.clone();
        let organization = client.get("/v1/me").await.unwrap().json()["organization"]["id"].clone();
        let id = text(&fleet.all().await[0]["id"]);
        let path = format!("/v1/organizations/{}/invitations/{id}/address", text(&organization));
        let changed = client.post(&path, &json!({"email": "bob@example.org"})).await.unwrap();
        assert_eq!(changed.status, 200, "{}", changed.text());
        let old = fleet.mails().into_values().next().unwrap().remove(0);
        let accept = json!({"token": old.token(), "password": "correct horse battery"});
        let refused = client.post("/v1/invitations/accept", &accept).await.unwrap();
        assert_eq!(refused.status, 401, "{}", refused.text());
        fleet.end().await;
    });
}

async fn a_new_address_has_to_be_allowed(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (path, mail) = app.invite_and_receive("ann@example.com").await;
    let (_, bobs) = app.invite_and_receive("bob@example.com").await;
    assert_eq!(policy::set(&app, &json!({"denied_domains": ["evil.net"]})).await.status, 200);
    for (email, status, code) in [
        ("ANN@example.com", 422, "validation_failed"),
        ("nobody", 422, "validation_failed"),
        ("ann@evil.net", 422, "domain_denied"),
        ("bob@example.com", 409, "invitation_pending"),
    ] {
        let (told, problem) = change(&app, &path, email).await;
        assert_eq!((told, &problem["code"]), (status, &json!(code)), "{email}: {problem}");
    }
    let accept = json!({"token": bobs.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let (told, problem) = change(&app, &path, "bob@example.com").await;
    assert_eq!((told, &problem["code"]), (409, &json!("already_member")));
    // Nothing of this has changed anything.
    let accept = json!({"token": mail.token(), "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
}

async fn what_is_heard_of_the_old_mail_is_about_the_old_address(stack: Stack) {
    let world = World::start(stack).await;
    let (path, mark) = world.sent("ann@example.com").await;
    assert_eq!(change(&world.app, &path, "bob@example.com").await.0, 200);
    world.app.until(&path, "sent").await;
    assert_eq!(world.tell("postmark_bounce", &mark).await, 1);
    let list = format!("/v1/organizations/{}/suppressions", world.app.organization);
    let listed = world.app.get(&list).await;
    let emails: Vec<String> =
        listed["data"].as_array().unwrap().iter().map(|row| text(&row["email"])).collect();
    assert_eq!(emails, ["ann@example.com"]);
}

async fn an_endpoint_is_told_of_another_address(stack: Stack) {
    let types = ["invitation.address_changed"];
    let world = webhooks::World::start(stack, Some(&types), &[]).await;
    let (path, _) = world.app.invite_and_receive("ann@example.com").await;
    assert_eq!(change(&world.app, &path, "bob@example.com").await.0, 200);
    let told = world.receiver.until(types[0], 1).await.remove(0).event();
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(
        (&told["data"]["id"], &told["data"]["email"]),
        (&json!(id), &json!("bob@example.com"))
    );
    assert_eq!(told["data"]["generation"], 2, "another link: {told}");
}
