//! Trouble on the way: who is to blame decides what happens to the mail.

use serde_json::json;

use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(
    a_temporary_refusal_is_retried,
    a_server_that_is_down_fails_nobodys_mail,
    an_unknown_mailbox_is_not_tried_again,
    a_refused_mail_fails_and_can_be_resent,
    a_mail_put_off_is_not_sent_after_revocation,
);

async fn a_temporary_refusal_is_retried(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("ann@example.com", "450 4.2.1 mailbox is busy");
    let invitation = app.invite("ann@example.com").await;
    let waiting = app.until(&invitation, "retrying").await;
    assert_eq!(waiting["email_sent"], false);
    assert!(waiting["delivery"]["next_attempt_at"].is_string(), "{waiting}");
    assert!(text(&waiting["delivery"]["detail"]).contains("mailbox is busy"), "{waiting}");
    app.sink().forgive();
    let sent = app.until(&invitation, "sent").await;
    assert!(sent["delivery"]["attempts"].as_u64() >= Some(2), "{sent}");
    let log = &sent["deliveries"][0]["attempts_log"][0];
    assert_eq!((&log["reply_code"], &log["number"]), (&json!(450), &json!(1)), "{sent}");
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}

async fn a_server_that_is_down_fails_nobodys_mail(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().stop().await;
    let mut invitations = Vec::new();
    for number in 0..5 {
        invitations.push(app.invite(&format!("n{number}@example.com")).await);
    }
    for invitation in &invitations {
        let waiting = app.until(invitation, "retrying").await;
        assert!(waiting["delivery"]["next_attempt_at"].is_string(), "{waiting}");
        assert!(waiting["delivery"]["detail"].is_string(), "{waiting}");
        assert_eq!(waiting["delivery"]["attempts"], 0, "our trouble uses up no attempt");
    }
    let ready = app.client.get("/readyz").await.unwrap();
    assert_eq!((ready.status, ready.json()["checks"]["mail"]["ok"].as_bool()), (200, Some(false)));
    let failed = app.get(&format!("{}?delivery_status=failed", app.invitations())).await;
    assert_eq!(failed["data"], json!([]));
    app.sink().start_again().await;
    for invitation in &invitations {
        app.until(invitation, "sent").await;
    }
    assert_eq!(app.mails().await.len(), 5);
    eventually("readiness recovers", async || {
        let ready = app.client.get("/readyz").await.unwrap().json();
        (ready["status"] == "ready").then_some(())
    })
    .await;
}

async fn an_unknown_mailbox_is_not_tried_again(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("ann@example.com", "550 5.1.1 no such user");
    let invitation = app.invite("ann@example.com").await;
    let failed = app.until(&invitation, "failed").await;
    assert_eq!(failed["delivery"]["reason"], "no_such_recipient");
    assert_eq!(failed["email_sent"], false);
    app.sink().forgive();
    let (status, resent) = app.act(&format!("{invitation}/resend"), &json!({})).await;
    assert_eq!((status, &resent["delivery"]["status"]), (200, &json!("suppressed")), "{resent}");
    // A mail to somebody else goes through the same queue behind it.
    app.invite_and_receive("bob@example.com").await;
    assert!(app.mails_to("ann@example.com").await.is_empty());
}

async fn a_refused_mail_fails_and_can_be_resent(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("ann@example.com", "554 5.7.1 not wanted");
    let invitation = app.invite("ann@example.com").await;
    let failed = app.until(&invitation, "failed").await;
    assert_eq!(failed["delivery"]["reason"], "refused");
    app.sink().forgive();
    assert_eq!(app.act(&format!("{invitation}/resend"), &json!({})).await.0, 200);
    app.until(&invitation, "sent").await;
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}

async fn a_mail_put_off_is_not_sent_after_revocation(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("ann@example.com", "450 4.2.1 mailbox is busy");
    let invitation = app.invite("ann@example.com").await;
    app.until(&invitation, "retrying").await;
    eventually("it is revoked between two attempts", async || {
        let (status, _) = app.act(&format!("{invitation}/revoke"), &json!({})).await;
        (status == 200).then_some(())
    })
    .await;
    app.until(&invitation, "cancelled").await;
    app.sink().forgive();
    app.invite_and_receive("bob@example.com").await;
    assert!(app.mails_to("ann@example.com").await.is_empty());
}
