//! Sending again: another secret, another mail, and the earlier secret is void.

use serde_json::json;

use crate::harness::{Stack, TestApp};

on_both_stacks!(a_resend_makes_the_first_mail_void, a_revoked_invitation_is_not_sent_again);

async fn a_resend_makes_the_first_mail_void(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, first) = app.invite_and_receive("ann@example.com").await;
    let (status, resent) = app.act(&format!("{invitation}/resend"), &json!({})).await;
    assert_eq!((status, &resent["generation"]), (200, &json!(2)));
    let found = app.until(&invitation, "sent").await;
    assert_eq!(found["deliveries"].as_array().map(Vec::len), Some(2));
    let mails = app.mails_to("ann@example.com").await;
    assert_eq!(mails.len(), 2, "each generation is sent once");
    let second = &mails[1];
    assert_ne!(first.token(), second.token());
    assert_ne!(first.password(), second.password());
    assert_ne!(first.message_id, second.message_id);
    let accept = async |token: String| {
        app.act(
            "/v1/invitations/accept",
            &json!({"token": token, "password": "correct horse battery staple"}),
        )
        .await
        .0
    };
    assert_eq!(accept(first.token()).await, 401);
    assert_eq!(accept(second.token()).await, 200);
}

async fn a_revoked_invitation_is_not_sent_again(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, _) = app.invite_and_receive("ann@example.com").await;
    assert_eq!(app.act(&format!("{invitation}/revoke"), &json!({})).await.0, 200);
    let (status, problem) = app.act(&format!("{invitation}/resend"), &json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("invitation_not_pending")));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
}
