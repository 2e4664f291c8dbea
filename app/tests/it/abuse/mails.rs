//! What is put into a mail stays text: no template, no markup, no header, no command.

use serde_json::json;

use super::JSON;
use crate::harness::{Stack, TestApp};

on_both_stacks!(what_people_are_called_is_text_and_nothing_else, a_body_of_commands_is_one_mail,);

async fn what_people_are_called_is_text_and_nothing_else(stack: Stack) {
    let app = TestApp::start_with_settings(stack, &[]).await;
    let names = [
        "{{temporary_password}} {{accept_url}}",
        "{{#each this}}x{{/each}} {{{x}}}",
        "{{> invitation}}",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "Tom & Jerry = 'x' `y`",
        "=?utf-8?q?=E2=80=AEdna?=",
        "Subject: x; Bcc: b",
        "%0d%0aBcc: b",
        ".",
        "$(id) `id` '; DROP TABLE invitation; --",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let path = format!("/v1/organizations/{}", app.organization);
        let rename = json!({ "name": name }).to_string();
        let renamed = app.client.send("PATCH", &path, &[JSON], rename.as_bytes()).await.unwrap();
        assert_eq!(renamed.status, 200, "{name}: {}", renamed.text());
        let email = format!("n{number}@example.com");
        let answer = app.post(&json!({"email": email, "first_name": name})).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        app.until(answer.header("location").unwrap(), "sent").await;
        let mails = app.mails_to(&email).await;
        assert_eq!(mails.len(), 1, "{name}");
        let mail = &mails[0];
        assert!(mail.text.contains(&format!("Hello {name},")), "{name}: {}", mail.text);
        assert!(mail.text.contains(&format!("join {name}")), "{name}: {}", mail.text);
        let (head, body) = mail.source.split_once("\r\n\r\n").unwrap();
        let (_, html) = body.split_once("text/html").unwrap();
        let html = html.replace("=\r\n", "").replace("=3D", "=");
        assert!(!html.contains("<script") && !html.contains("<img src=x"), "{html}");
        assert!(!head.contains("=?utf-8?q?=E2"), "a reader would decode it: {head}");
        let unfolded = head.replace("\r\n ", " ");
        let names: Vec<&str> =
            unfolded.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
        let unexpected = |name: &&&str| ["Bcc", "Cc", "X"].contains(name);
        assert_eq!(names.iter().find(unexpected), None, "{head}");
        let subjects = names.iter().filter(|name| **name == "Subject").count();
        assert_eq!((subjects, mail.link().starts_with(&app.url)), (1, true), "{head}");
    }
    assert_eq!(app.mails().await.len(), names.len());
}

/// RUSTSEC-2026-0561: a lone CR or LF before a dot ended the mail early, and what followed was
/// taken for commands.
async fn a_body_of_commands_is_one_mail(stack: Stack) {
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("en/mail");
    std::fs::create_dir_all(&mail).unwrap();
    let smuggled = "MAIL FROM:<evil@example.com>\nRCPT TO:<victim@example.com>\nDATA\nhello\n";
    let ends = ["\n.\n", "\r.\r", "\r\n.\r\n", "\n.\r\n", "\r\n.\n", "\r\n.\r", "\r.\n"];
    let mut text = "{{#if first_name}}.{{first_name}}{{/if}}\n{{accept_url}}\n".to_owned();
    for end in ends {
        text.push_str("before");
        text.push_str(end);
        text.push_str(smuggled);
    }
    std::fs::write(mail.join("invitation.text.txt.hbs"), text).unwrap();
    let templates = folder.path().to_str().unwrap();
    let app = TestApp::start_with_settings(stack, &[("WELCOMAT_TEMPLATES_DIR", templates)]).await;
    for (number, name) in [".", "..", ".Ann"].into_iter().enumerate() {
        let email = format!("n{number}@example.com");
        let answer = app.post(&json!({"email": email, "first_name": name})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        app.until(answer.header("location").unwrap(), "sent").await;
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 3);
    for mail in mails {
        assert!(mail.to.starts_with('n'), "{}", mail.to);
        assert_eq!(mail.text.matches("RCPT TO:<victim@example.com>").count(), ends.len());
        let pairs = mail.source.matches("\r\n").count();
        let (returns, feeds) =
            (mail.source.matches('\r').count(), mail.source.matches('\n').count());
        assert_eq!((returns, feeds), (pairs, pairs), "a lone CR or LF");
    }
}
