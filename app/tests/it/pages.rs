//! The invitee's pages: declining, refusing what was not expected, asking for a new link.

use std::time::Duration;

use app::http::Answer;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};
use crate::mail::TestMail;
use crate::servers::eventually;

on_both_stacks!(
    a_page_asks_before_an_invitation_is_declined,
    who_did_not_expect_an_invitation_gets_no_other,
    that_can_be_said_after_declining_and_not_after_joining,
    an_expired_link_brings_a_new_one_to_the_invited_address,
    a_new_link_is_asked_for_once,
    what_the_organization_took_back_does_not_come_again,
    a_wish_that_comes_too_late_is_noted_once_a_day,
    a_new_link_counts_against_the_limits,
    a_form_without_a_password_says_what_is_missing,
);

const DAY: Duration = Duration::from_hours(24);

async fn post(app: &TestApp, path: &str, form: &str) -> Answer {
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let stranger = app.client.clone().with_key(None);
    stranger.send("POST", path, &kind, form.as_bytes()).await.unwrap()
}

async fn open(app: &TestApp, path: &str) -> Answer {
    app.client.clone().with_key(None).get(path).await.unwrap()
}

/// What the audit log says of an invitation, by kind.
async fn data_of(app: &TestApp, invitation: &str, kind: &str) -> Vec<Value> {
    let events = app.get(invitation).await["events"].clone();
    let events = events.as_array().unwrap().iter().filter(|event| event["kind"] == kind);
    events.map(|event| event["data"].clone()).collect()
}

async fn event(app: &TestApp, invitation: &str, kind: &str) -> Value {
    let events = app.get(invitation).await["events"].clone();
    let mut events = events.as_array().unwrap().iter();
    events.find(|event| event["kind"] == kind).unwrap().clone()
}

/// An invitation whose time has been over for so long, and its mail.
async fn expired(app: &TestApp, since: Duration) -> (String, TestMail) {
    let made = app.invite_and_receive("ann@example.com").await;
    app.clock.advance(7 * DAY + since);
    made
}

async fn ask_for_link(app: &TestApp, mail: &TestMail) -> Answer {
    post(app, &format!("{}/new-link", mail.path()), "").await
}

async fn second_mail(app: &TestApp) -> TestMail {
    eventually("a second mail comes", async || {
        let mut mails = app.mails_to("ann@example.com").await;
        (mails.len() == 2).then(|| mails.remove(1))
    })
    .await
}

/// The newest invitation's own path.
async fn newest(app: &TestApp) -> String {
    let list = app.get(&app.invitations()).await;
    format!("{}/{}", app.invitations(), text(&list["data"][0]["id"]))
}

async fn a_page_asks_before_an_invitation_is_declined(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let decline = format!("{}/decline", mail.path());
    assert!(open(&app, &mail.path()).await.text().contains(&format!("href=\"{decline}\"")));
    let question = open(&app, &decline).await;
    assert_eq!(question.status, 200);
    assert!(question.text().contains(&format!("action=\"{decline}\"")), "{}", question.text());
    assert_eq!(app.get(&invitation).await["status"], "pending", "a question is no answer");
    for _ in 0..2 {
        let declined = post(&app, &decline, "").await;
        assert_eq!(declined.status, 200, "{}", declined.text());
        assert!(declined.text().contains("Invitation declined"));
    }
    assert_eq!(app.get(&invitation).await["status"], "declined");
    assert_eq!(open(&app, &decline).await.status, 410);
}

async fn who_did_not_expect_an_invitation_gets_no_other(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let unexpected = format!("{}/unexpected", mail.path());
    assert!(open(&app, &mail.path()).await.text().contains(&format!("href=\"{unexpected}\"")));
    let question = open(&app, &unexpected).await;
    assert!(question.text().contains(&format!("action=\"{unexpected}\"")), "{}", question.text());
    assert_eq!(app.get(&invitation).await["status"], "pending", "a question is no answer");
    for _ in 0..2 {
        let done = post(&app, &unexpected, "").await;
        assert_eq!(done.status, 200, "{}", done.text());
        assert!(done.text().contains("a***@example.com"), "{}", done.text());
    }
    assert_eq!(app.get(&invitation).await["status"], "declined");
    assert_eq!(data_of(&app, &invitation, "invitation.unwanted").await.len(), 1);
    let again = app.invite("ANN@example.com").await;
    let delivery = app.get(&again).await["delivery"].clone();
    assert_eq!(
        (&delivery["status"], &delivery["reason"]),
        (&json!("suppressed"), &json!("unwanted"))
    );
    assert!(text(&delivery["detail"]).contains("did not expect"), "{delivery}");
    // Others may still write to her.
    let (other, theirs) = app.other_organization().await;
    let path = format!("/v1/organizations/{other}/invitations");
    let made = theirs.post(&path, &json!({"email": "ann@example.com"})).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    second_mail(&app).await;
}

async fn that_can_be_said_after_declining_and_not_after_joining(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let unexpected = format!("{}/unexpected", mail.path());
    let declined = post(&app, &format!("{}/decline", mail.path()), "").await;
    assert!(declined.text().contains(&format!("href=\"{unexpected}\"")), "{}", declined.text());
    assert_eq!(open(&app, &unexpected).await.status, 200);
    assert_eq!(post(&app, &unexpected, "").await.status, 200);
    assert_eq!(data_of(&app, &invitation, "invitation.unwanted").await.len(), 1);

    let (invitation, mail) = app.invite_and_receive("bob@example.com").await;
    let (accept, unexpected) = (mail.path() + "/accept", mail.path() + "/unexpected");
    assert_eq!(post(&app, &accept, "password=correct+horse+battery").await.status, 200);
    for answer in [open(&app, &unexpected).await, post(&app, &unexpected, "").await] {
        assert!(answer.text().contains("already joined"), "{}", answer.text());
    }
    assert_eq!(app.get(&invitation).await["status"], "accepted");
    assert_eq!(data_of(&app, &invitation, "invitation.unwanted").await, [] as [Value; 0]);
}

async fn an_expired_link_brings_a_new_one_to_the_invited_address(stack: Stack) {
    let app = TestApp::start(stack).await;
    let body = json!({
        "email": "Ann@example.com", "first_name": "Ann", "role": "editor", "metadata": {"team": 7},
    });
    let made = app.post(&body).await;
    let old = made.header("location").unwrap().to_owned();
    app.until(&old, "sent").await;
    let mail = app.mails_to("Ann@example.com").await.remove(0);
    app.clock.advance(8 * DAY);
    let gone = open(&app, &mail.path()).await;
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains(&format!("action=\"{}/new-link\"", mail.path())));
    assert_eq!(app.mails().await.len(), 1, "looking brings nothing");

    // Whatever is posted along, nobody else gets it.
    let path = format!("{}/new-link", mail.path());
    let asked = post(&app, &path, "email=eve@example.com&to=eve@example.com").await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    assert!(asked.text().contains("on its way"), "{}", asked.text());
    let new = newest(&app).await;
    assert_ne!(new, old);
    let found = app.until(&new, "sent").await;
    for field in ["email", "first_name", "role", "metadata", "locale", "organization_id"] {
        assert_eq!(found[field], made.json()[field], "{field}");
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().all(|mail| mail.to == "Ann@example.com"));
    assert_eq!(open(&app, &mail.path()).await.status, 410, "the old link stays dead");
    let joined = post(&app, &(mails[1].path() + "/accept"), "password=correct+horse").await;
    assert_eq!(joined.status, 200, "{}", joined.text());

    let noted = data_of(&app, &old, "invitation.link_requested").await;
    assert_eq!(noted, [json!({"sent": true, "invitation_id": found["id"]})]);
    let created = event(&app, &new, "invitation.created").await;
    assert_eq!(created["data"]["role"], "editor");
    let asked = event(&app, &old, "invitation.link_requested").await;
    assert_eq!(created["actor"], asked["actor"], "she asked for it herself");
}

async fn a_new_link_is_asked_for_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let good = ask_for_link(&app, &mail).await;
    assert!(good.text().contains("name=\"password\""), "a link that works needs no other");
    app.clock.advance(8 * DAY);
    let answers = join_all((0..8).map(|_| ask_for_link(&app, &mail))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let sent = answers.iter().filter(|answer| answer.text().contains("on its way")).count();
    assert_eq!(sent, 1);
    second_mail(&app).await;
    assert!(ask_for_link(&app, &mail).await.text().contains("noted"));
    assert_eq!(app.get(&app.invitations()).await["data"].as_array().unwrap().len(), 2);
}

async fn what_the_organization_took_back_does_not_come_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (old, mail) = expired(&app, DAY).await;
    ask_for_link(&app, &mail).await;
    second_mail(&app).await;
    assert_eq!(app.act(&format!("{}/revoke", newest(&app).await), &json!({})).await.0, 200);
    app.clock.advance(DAY);
    assert!(ask_for_link(&app, &mail).await.text().contains("noted"));
    let wishes = data_of(&app, &old, "invitation.link_requested").await;
    assert_eq!(wishes[1], json!({"sent": false, "reason": "invited_again"}));
    assert_eq!(app.mails().await.len(), 2);
    // A link that was taken back itself brings nothing either.
    let (revoked, mail) = app.invite_and_receive("bob@example.com").await;
    app.act(&format!("{revoked}/revoke"), &json!({})).await;
    let answer = ask_for_link(&app, &mail).await;
    assert_eq!(answer.status, 410);
    assert!(answer.text().contains("withdrawn"), "{}", answer.text());
}

async fn a_wish_that_comes_too_late_is_noted_once_a_day(stack: Stack) {
    let never = [("WELCOMAT_INVITATION_NEW_LINK_DAYS", "0")];
    let app = TestApp::start_with_settings(stack, &never).await;
    let (old, mail) = expired(&app, DAY).await;
    let noted = async || data_of(&app, &old, "invitation.link_requested").await;
    for _ in 0..3 {
        assert!(ask_for_link(&app, &mail).await.text().contains("noted"));
    }
    assert_eq!(noted().await, [json!({"sent": false, "reason": "too_late"})]);
    for day in 2..15 {
        app.clock.advance(DAY);
        ask_for_link(&app, &mail).await;
        assert_eq!(noted().await.len(), day.min(10), "the log does not grow for ever");
    }
    assert_eq!(app.mails().await.len(), 1);
}

async fn a_new_link_counts_against_the_limits(stack: Stack) {
    let limit = [("WELCOMAT_LIMITS_INVITER_PER_DAY", "1")];
    let app = TestApp::start_with_settings(stack, &limit).await;
    let (old, mail) = expired(&app, DAY).await;
    app.invite("bob@example.com").await;
    assert!(ask_for_link(&app, &mail).await.text().contains("noted"));
    let noted = data_of(&app, &old, "invitation.link_requested").await;
    assert_eq!(noted, [json!({"sent": false, "reason": "inviter_per_day"})]);
    app.clock.advance(DAY);
    assert!(ask_for_link(&app, &mail).await.text().contains("on its way"));
    let refused = app.post(&json!({"email": "eve@example.com"})).await;
    assert_eq!(text(&refused.json()["code"]), "inviter_rate_limited", "it counts for its inviter");
}

async fn a_form_without_a_password_says_what_is_missing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    for form in ["", "password=", "password=short", "other=field"] {
        let again = post(&app, &(mail.path() + "/accept"), form).await;
        assert_eq!(again.status, 422, "{form}");
        let page = again.text();
        assert!(page.contains("role=\"alert\"") && page.contains("aria-invalid"), "{page}");
        assert!(!page.contains("short\""), "what was typed is not repeated");
    }
    assert_eq!(app.get(&invitation).await["status"], "pending");
}
