//! The link in the mail: where it leads, who can follow it, and what following it does.

use futures_util::future::join_all;
use futures_util::stream::{StreamExt, iter};
use serde_json::{Value, json};

use super::{CHOSEN, JSON, events, raw};
use crate::harness::{KEY, Stack, TestApp, text};

on_both_stacks!(
    a_thousand_looks_change_nothing,
    answers_at_the_same_moment_are_one_answer,
    a_request_does_not_choose_where_the_link_leads,
    what_a_mail_says_of_itself_is_not_for_callers_to_say,
    a_guess_learns_nothing,
);

async fn a_thousand_looks_change_nothing(stack: Stack) {
    const AT_ONCE: usize = 20;
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let before = app.get(&invitation).await;
    let link = mail.path();
    let [accept, decline, unexpected, new_link] =
        ["accept", "decline", "unexpected", "new-link"].map(|what| format!("{link}/{what}"));
    let looks = [
        ("GET", link.as_str(), 200),
        ("HEAD", &link, 200),
        ("OPTIONS", &link, 405),
        ("GET", &accept, 405),
        ("HEAD", &accept, 405),
        ("OPTIONS", &accept, 405),
        ("GET", &decline, 200),
        ("HEAD", &decline, 200),
        ("OPTIONS", &decline, 405),
        ("GET", &unexpected, 200),
        ("HEAD", &unexpected, 200),
        ("OPTIONS", &unexpected, 405),
        ("GET", &new_link, 405),
        ("HEAD", &new_link, 405),
        ("OPTIONS", &new_link, 405),
        ("HEAD", "/v1/invitations/accept", 405),
        ("GET", "/v1/invitations/accept", 405),
        ("OPTIONS", "/v1/invitations/decline", 405),
    ];
    // As those do that load pages ahead of their readers.
    let ahead = [("Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender")];
    let thousand = iter(looks.iter().cycle().take(1000));
    let answers = thousand.map(async |(method, path, status)| {
        let answer = app.client.send(method, path, &ahead, b"").await.unwrap();
        assert_eq!(answer.status, *status, "{method} {path}");
    });
    answers.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    assert_eq!(app.get(&invitation).await, before);
    assert_eq!(app.mails().await.len(), 1);
    let accept = json!({"token": mail.token(), "password": CHOSEN});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200, "still good");
}

async fn answers_at_the_same_moment_are_one_answer(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (invitation, mail) = app.invite_and_receive("ann@example.com").await;
    let answers = join_all((0..8).map(async |number| {
        let body = json!({"token": mail.token(), "password": format!("{CHOSEN} {number}")});
        app.act("/v1/invitations/accept", &body).await
    }));
    for (status, answer) in answers.await {
        // Who holds the link is the invitee: the answer may have been lost on its way.
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["email"], "ann@example.com");
    }
    let found = app.get(&invitation).await;
    assert_eq!(found["status"], "accepted");
    let kinds: Vec<String> =
        events(&app, &invitation).await.iter().map(|event| text(&event["kind"])).collect();
    let accepted = kinds.iter().filter(|kind| kind.contains("accepted")).count();
    assert_eq!(accepted, 1, "{kinds:?}");
    let members = app.get(&format!("/v1/organizations/{}/members", app.organization)).await;
    let ann = |member: &&Value| member["email"] == "ann@example.com";
    assert_eq!(members["data"].as_array().unwrap().iter().filter(ann).count(), 1);
}

async fn a_request_does_not_choose_where_the_link_leads(stack: Stack) {
    let ours = [("WELCOMAT_PUBLIC_URL", "https://invite.example.com/app/")];
    let app = TestApp::start_with_settings(stack, &ours).await;
    let body = json!({"email": "ann@example.com"}).to_string();
    let path = app.invitations();
    let answer = raw(
        &app,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\
             X-Forwarded-Proto: javascript\r\nForwarded: host=evil.example;proto=http\r\n\
             X-Original-URL: /evil\r\nOrigin: https://evil.example\r\n\
             Referer: https://evil.example/\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(!answer.contains("evil"), "{answer}");
    assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
    let listed = app.get(&path).await;
    let invitation = format!("{path}/{}", text(&listed["data"][0]["id"]));
    app.until(&invitation, "sent").await;
    let mail = &app.mails_to("ann@example.com").await[0];
    assert!(mail.link().starts_with("https://invite.example.com/app/i/"), "{}", mail.link());
    assert!(!mail.source.contains("evil"), "{}", mail.source);
}

async fn what_a_mail_says_of_itself_is_not_for_callers_to_say(stack: Stack) {
    let app = TestApp::start(stack).await;
    for (field, value) in [
        ("redirect_url", "https://evil.example"),
        ("accept_url", "javascript:alert(1)"),
        ("invite_url", "data:text/html,<script>"),
        ("message", "you were charged, call 1.800.555.0199"),
        ("message_id", "<evil@example>"),
        ("subject", "evil"),
        ("from", "evil@example.com"),
        ("reply_to", "evil@example.com"),
        ("list_unsubscribe", "<https://evil.example>"),
        ("headers", "Bcc: evil@example.com"),
        ("inviter", "evil"),
        ("template", "{{secret}}"),
    ] {
        let answer = app.post(&json!({"email": "ann@example.com", (field): value})).await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    // One contract ignores what it does not know: so does its mail.
    let body = json!({
        "first_name": "Ann", "last_name": "Lee", "email": "ann@example.com",
        "redirect_url": "https://evil.example", "inviteUrl": "javascript:evil", "message": "evil",
    });
    let headers = [JSON, ("Prefer", "wait=30")];
    let path = format!("/api/v1/users/invite/{}", app.organization);
    let body = body.to_string();
    let answer = app.client.send("POST", &path, &headers, body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mail = &app.mails_to("ann@example.com").await[0];
    assert!(!mail.source.contains("evil") && !mail.text.contains("evil"), "{}", mail.source);
    assert!(mail.link().starts_with(&app.url), "{}", mail.link());
}

async fn a_guess_learns_nothing(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let stranger = app.client.clone().with_key(None);
    let page = async |token: &str| {
        let page = stranger.get(&format!("/i/{token}")).await.unwrap();
        (page.status, page.text())
    };
    let nothing = page(&"0".repeat(30)).await;
    assert_eq!(nothing.0, 404);
    let token = mail.token();
    for guess in [
        &token[..29],
        &token[4..],
        &format!("{token}0"),
        "1",
        "%00",
        "..%2f..%2fetc",
        &"Z".repeat(2000),
    ] {
        assert_eq!(page(guess).await, nothing, "{guess:.40}");
    }
    // An address that is invited and one that nobody knows.
    let accept = async |email: &str| {
        let body = json!({
            "email": email, "temporary_password": "0".repeat(26), "password": CHOSEN,
        });
        app.act("/v1/invitations/accept", &body).await
    };
    let known = accept("ann@example.com").await;
    assert_eq!((known.0, &known.1["code"]), (401, &json!("invalid_credential")));
    assert_eq!(accept("nobody@example.com").await, known);
}
