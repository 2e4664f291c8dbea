//! Whoever opens an earlier mail after a resend gets in for a while, by its link and by its password,
//! and no longer than the organization wants.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Stack, TestApp};
use crate::mail::TestMail;

on_both_stacks!(
    a_mail_that_is_late_still_opens_for_a_while,
    an_end_or_a_new_address_ends_earlier_mails_at_once,
    without_an_overlap_a_resend_makes_the_first_mail_void,
);

const CHOSEN: &str = "correct horse battery staple";
/// That nothing is refused for having been deleted.
const NO_SWEEP: (&str, &str) = ("WELCOMAT_INVITATION_EXPIRY_SWEEP", "1h");

/// An invitation with the mails before and after its resend.
struct Resent {
    path: String,
    email: String,
    first: TestMail,
    second: TestMail,
}

impl Resent {
    async fn make(app: &TestApp, email: &str) -> Self {
        let (path, first) = app.invite_and_receive(email).await;
        let (status, resent) = app.act(&format!("{path}/resend"), &json!({})).await;
        assert_eq!((status, &resent["generation"]), (200, &json!(2)));
        let found = app.until(&path, "sent").await;
        assert_eq!(found["deliveries"].as_array().map(Vec::len), Some(2));
        let mut mails = app.mails_to(email).await;
        assert_eq!(mails.len(), 2, "each generation is sent once");
        let second = mails.remove(1);
        assert_ne!(first.token(), second.token());
        assert_ne!(first.password(), second.password());
        assert_ne!(first.message_id, second.message_id);
        Self { path, email: email.to_owned(), first, second }
    }

    async fn by_password(&self, app: &TestApp, password: &str) -> (u16, Value) {
        let (email, chosen) = (self.email.as_str(), CHOSEN);
        let body = json!({"email": email, "temporary_password": password, "password": chosen});
        told(app, "accept", &body).await
    }

    /// Nothing in the first mail is worth anything.
    async fn first_is_void(&self, app: &TestApp) {
        let refused = (401, json!("invalid_credential"));
        assert_eq!(accept(app, &self.first).await, refused, "{}", self.email);
        assert_eq!(decline(app, &self.first).await, refused, "{}", self.email);
        assert_eq!(self.by_password(app, &self.first.password()).await, refused, "{}", self.email);
        assert_eq!(opens(app, &self.first).await, 404, "{}", self.email);
    }
}

async fn told(app: &TestApp, answer: &str, body: &Value) -> (u16, Value) {
    let (status, told) = app.act(&format!("/v1/invitations/{answer}"), body).await;
    (status, told["code"].clone())
}

async fn accept(app: &TestApp, mail: &TestMail) -> (u16, Value) {
    told(app, "accept", &json!({"token": mail.token(), "password": CHOSEN})).await
}

async fn decline(app: &TestApp, mail: &TestMail) -> (u16, Value) {
    told(app, "decline", &json!({ "token": mail.token() })).await
}

async fn opens(app: &TestApp, mail: &TestMail) -> u16 {
    app.client.get(&mail.path()).await.unwrap().status
}

async fn a_mail_that_is_late_still_opens_for_a_while(stack: Stack) {
    let app = TestApp::start_with_settings(stack, &[NO_SWEEP]).await;
    let [ann, bob, cid, dan, eve] = [
        Resent::make(&app, "ann@example.com").await,
        Resent::make(&app, "bob@example.com").await,
        Resent::make(&app, "cid@example.com").await,
        Resent::make(&app, "dan@example.com").await,
        Resent::make(&app, "eve@example.com").await,
    ];
    // One answer closes all links, whichever it was given with.
    assert_eq!([opens(&app, &ann.first).await, opens(&app, &ann.second).await], [200, 200]);
    assert_eq!(accept(&app, &ann.first).await.0, 200);
    let closed = (409, json!("invitation_accepted"));
    assert_eq!(decline(&app, &ann.second).await, closed);
    assert_eq!(accept(&app, &bob.second).await.0, 200);
    assert_eq!(decline(&app, &bob.first).await, closed);
    assert_eq!(decline(&app, &cid.first).await.0, 200);
    let declined = (410, json!("invitation_declined"));
    assert_eq!(accept(&app, &cid.second).await, declined);
    // Each mail's password is as good as its link, and neither is another mail's.
    assert_eq!(dan.by_password(&app, &eve.first.password()).await.0, 401);
    assert_eq!(dan.by_password(&app, &dan.first.password()).await.0, 200);
    assert_eq!(app.get(&dan.path).await["status"], "accepted");

    app.clock.advance(Duration::from_mins(59));
    assert_eq!(opens(&app, &eve.first).await, 200);
    app.clock.advance(Duration::from_mins(2));
    eve.first_is_void(&app).await;
    assert_eq!(accept(&app, &cid.first).await.0, 401, "ended or not");
    assert_eq!(eve.by_password(&app, &eve.second.password()).await.0, 200);
}

async fn an_end_or_a_new_address_ends_earlier_mails_at_once(stack: Stack) {
    let guesses = [("WELCOMAT_LIMITS_WRONG_PASSWORDS", "2")];
    let app = TestApp::start_with_settings(stack, &guesses).await;
    let ann = Resent::make(&app, "ann@example.com").await;
    assert_eq!(app.act(&format!("{}/revoke", ann.path), &json!({})).await.0, 200);
    let revoked = (410, json!("invitation_revoked"));
    assert_eq!(accept(&app, &ann.first).await, revoked);
    assert_eq!(accept(&app, &ann.second).await, revoked);
    assert_eq!(ann.by_password(&app, &ann.first.password()).await, revoked);
    assert_eq!(opens(&app, &ann.first).await, 410);

    let bob = Resent::make(&app, "bob@example.com").await;
    let zoe = json!({"email": "zoe@example.com"});
    assert_eq!(app.act(&format!("{}/address", bob.path), &zoe).await.0, 200);
    bob.first_is_void(&app).await;
    app.until(&bob.path, "sent").await;
    bob.first_is_void(&app).await;
    let moved = Resent { email: "zoe@example.com".to_owned(), ..bob };
    moved.first_is_void(&app).await;
    let zoes = app.mails_to("zoe@example.com").await.remove(0);
    assert_eq!(accept(&app, &zoes).await.0, 200);

    // Wrong passwords count against both, and lock both; links are not locked.
    let cid = Resent::make(&app, "cid@example.com").await;
    for wrong in ["0", "1"] {
        assert_eq!(cid.by_password(&app, wrong).await.0, 401);
    }
    assert_eq!(cid.by_password(&app, &cid.first.password()).await.0, 401);
    assert_eq!(cid.by_password(&app, &cid.second.password()).await.0, 401);
    assert_eq!(accept(&app, &cid.first).await.0, 200);
}

async fn without_an_overlap_a_resend_makes_the_first_mail_void(stack: Stack) {
    let off = [("WELCOMAT_INVITATION_LINK_OVERLAP_MINUTES", "0")];
    let app = TestApp::start_with_settings(stack, &off).await;
    let ann = Resent::make(&app, "ann@example.com").await;
    ann.first_is_void(&app).await;
    assert_eq!(accept(&app, &ann.second).await.0, 200);
}
