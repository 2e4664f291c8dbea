//! `POST /api/v1/users/invite/{organization_id}`: the page's example, and what becomes of the person.

mod bodies;

use app::http::Answer;
use serde_json::{Value, json};

use super::JSON;
use crate::harness::{Stack, TestApp, text};

on_both_stacks!(
    the_pages_own_example_is_answered_with_every_key,
    who_may_not_is_told_before_the_body_is_read,
    a_pending_person_gets_no_second_mail_inside_the_cooldown,
    a_member_is_not_invited,
    the_password_is_in_the_mail_or_in_the_answer_but_never_in_both,
    the_operator_may_want_the_password_always_or_never,
    a_repeated_request_invites_once,
    user_names_differ,
);

fn path(app: &TestApp) -> String {
    format!("/api/v1/users/invite/{}", app.organization)
}

fn ann() -> Value {
    json!({"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com"})
}

fn with(changes: &Value) -> Value {
    let mut body = ann();
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

async fn send(app: &TestApp, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers = [&JSON[..], headers].concat();
    app.client.send("POST", &path(app), &headers, body.to_string().as_bytes()).await.unwrap()
}

async fn the_pages_own_example_is_answered_with_every_key(stack: Stack) {
    let app = TestApp::start(stack).await;
    // As the page has it, with an address in place of "<string>".
    let body = json!({
        "first_name": "<string>", "last_name": "<string>", "email": "ann.lee@example.com",
        "job_title": "<string>", "department": "<string>", "access_level": "<string>",
        "auto_assign_default_workdays": true,
    });
    let answer = send(&app, &[], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-email-status"), Some("sent"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let said = answer.json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&said), ["user", "organization_name", "email_sent", "temporary_password"]);
    assert_eq!(said["email_sent"], true);
    assert_eq!(said["organization_name"], "Acme");
    assert_eq!(said["temporary_password"], Value::Null);
    let mut user = said["user"].clone();
    for id in ["_id", "created_at", "updated_at"] {
        assert!(user[id].is_string(), "{id}");
        user.as_object_mut().unwrap().remove(id);
    }
    assert!(user["metadata"]["invitation_id"].is_string());
    assert_eq!(answer.header("x-invitation-id"), user["metadata"]["invitation_id"].as_str());
    user["metadata"]["invitation_id"] = "…".into();
    assert_eq!(
        user,
        json!({
            "username": "ann.lee", "email": "ann.lee@example.com",
            "organization_id": app.organization, "full_name": "<string> <string>",
            "role": "employee", "is_bot": false, "is_active": true, "avatar_url": null,
            "bio": null, "education": [], "certifications": [], "hobbies": [],
            "career_goals": {
                "dream_job": null, "experience_level": null, "career_goal": null,
                "current_role": null, "department": null,
            },
            "last_seen": null,
            "metadata": {
                "invitation_id": "…", "invitation_status": "pending", "delivery_status": "sent",
                "job_title": "<string>", "department": "<string>", "access_level": "<string>",
                "auto_assign_default_workdays": true,
            },
        })
    );
    assert_eq!(app.mails_to("ann.lee@example.com").await.len(), 1);
    // The audit log has what the request said of the job, for whoever gives the person a desk.
    let id = answer.header("x-invitation-id").unwrap();
    let created = app.get(&format!("{}/{id}", app.invitations())).await["events"][0].clone();
    assert_eq!(created["kind"], "invitation.created");
    assert_eq!(created["data"]["department"], "<string>");
    assert_eq!(created["data"]["auto_assign_default_workdays"], true);
}

async fn who_may_not_is_told_before_the_body_is_read(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, theirs) = app.other_organization().await;
    let reader = json!({"name": "reader", "role": "member"});
    let reader = text(&app.act("/v1/api-keys", &reader).await.1["key"]);
    let as_reader = app.client.clone().with_key(Some(reader));
    let nobody = app.client.clone().with_key(None);
    let stranger = app.client.clone().with_key(Some("wlc_wrong".to_owned()));
    let unknown = "/api/v1/users/invite/01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
    for (client, path, status, detail) in [
        (&nobody, path(&app), 401, "Not authenticated"),
        (&stranger, path(&app), 401, "Not authenticated"),
        (&as_reader, path(&app), 403, "Not enough permissions"),
        (&theirs, path(&app), 403, "Not enough permissions"),
        (&app.client, format!("/api/v1/users/invite/{other}"), 403, "Not enough permissions"),
        (&app.client, unknown, 404, "Organization not found"),
        (&app.client, "/api/v1/users/invite/7".to_owned(), 404, "Organization not found"),
    ] {
        // What is no JSON would be 422 if it were read.
        let answer = client.send("POST", &path, &JSON, b"{").await.unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let said = answer.json();
        assert!(text(&said["detail"]).starts_with(detail), "{path}: {said}");
        assert_eq!(said.as_object().unwrap().len(), 1, "{said}");
        let challenge = (status == 401).then_some("Bearer");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    let get = app.client.get(&path(&app)).await.unwrap();
    assert_eq!((get.status, get.json()), (405, json!({"detail": "Method Not Allowed"})));
    assert_eq!(get.header("allow"), Some("POST"));
    let operator = app.operator().send("POST", &path(&app), &JSON, b"{}").await.unwrap();
    assert_eq!(operator.status, 422, "an instance's key may invite anywhere");
}

async fn a_pending_person_gets_no_second_mail_inside_the_cooldown(stack: Stack) {
    let app = TestApp::start(stack).await;
    let first = send(&app, &[], &ann()).await.json();
    let second = send(&app, &[], &ann()).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.json()["user"]["_id"], first["user"]["_id"]);
    assert_eq!(second.json()["email_sent"], true);
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
    app.clock.advance(std::time::Duration::from_mins(6));
    let third = send(&app, &[], &ann()).await.json();
    assert_eq!(third["user"]["_id"], first["user"]["_id"]);
    assert_eq!(third["email_sent"], true);
    let mails = app.mails_to("ann@example.com").await;
    assert_eq!(mails.len(), 2);
    assert_ne!(mails[0].token(), mails[1].token());
}

async fn a_member_is_not_invited(stack: Stack) {
    let app = TestApp::start(stack).await;
    send(&app, &[], &ann()).await;
    let token = app.mails_to("ann@example.com").await[0].token();
    let accept = json!({"token": token, "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    let answer = send(&app, &[], &ann()).await;
    assert_eq!(answer.status, 409);
    let detail = "User is already a member of this organization";
    assert_eq!(answer.json(), json!({ "detail": detail }));
}

async fn the_password_is_in_the_mail_or_in_the_answer_but_never_in_both(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("ann@example.com", "550 5.1.1 no such user");
    let failed = send(&app, &[], &ann()).await;
    assert_eq!(failed.status, 200);
    assert_eq!(failed.header("x-email-status"), Some("failed"));
    let said = failed.json();
    assert_eq!(said["email_sent"], false);
    assert_eq!(said["user"]["metadata"]["delivery_status"], "failed");
    let password = text(&said["temporary_password"]);
    let accept = json!({
        "email": "ann@example.com", "temporary_password": password,
        "password": "correct horse battery",
    });
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200, "it is good");
    // While a mail is on its way, nobody but its reader gets the password.
    app.sink().refuse("bob@example.com", "451 4.2.1 later");
    let body = with(&json!({"email": "bob@example.com"}));
    let waiting = send(&app, &[], &body).await;
    assert_eq!(waiting.header("x-email-status"), Some("retrying"));
    assert_eq!(waiting.json()["temporary_password"], Value::Null);
    assert_eq!(waiting.json()["email_sent"], false);
}

async fn the_operator_may_want_the_password_always_or_never(stack: Stack) {
    const SETTING: &str = "WELCOMAT_CONTRACTS_JOBSIM_TEMPORARY_PASSWORD";
    let always = TestApp::start_with_settings(stack, &[(SETTING, "always")]).await;
    let said = send(&always, &[], &ann()).await.json();
    assert_eq!(said["email_sent"], true, "{said}");
    let mail = &always.mails_to("ann@example.com").await[0];
    assert_eq!(text(&said["temporary_password"]), mail.password(), "the mail has the same one");
    // Of an invitation that is there already, nobody but its mail has the password.
    assert_eq!(send(&always, &[], &ann()).await.json()["temporary_password"], Value::Null);
    let mut never = TestApp::start_with_settings(stack, &[(SETTING, "never")]).await;
    never.sink().refuse("ann@example.com", "550 5.1.1 no such user");
    let said = send(&never, &[], &ann()).await;
    assert_eq!(said.header("x-email-status"), Some("failed"));
    assert_eq!(said.json()["temporary_password"], Value::Null);
}

async fn a_repeated_request_invites_once(stack: Stack) {
    let app = TestApp::start(stack).await;
    let key = [("Idempotency-Key", "k-1")];
    let first = send(&app, &key, &ann()).await;
    let again = send(&app, &key, &ann()).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, again.json()), (200, first.json()));
    assert_eq!(app.mails_to("ann@example.com").await.len(), 1);
    let other = send(&app, &key, &with(&json!({"email": "bob@example.com"}))).await;
    assert_eq!(other.status, 400);
    assert!(text(&other.json()["detail"]).contains("Idempotency-Key"));
}

async fn user_names_differ(stack: Stack) {
    let app = TestApp::start(stack).await;
    let mut names = Vec::new();
    for domain in ["example.com", "example.org", "example.net"] {
        let body = with(&json!({"email": format!("Sam@{domain}")}));
        names.push(text(&send(&app, &[], &body).await.json()["user"]["username"]));
    }
    assert_eq!(names[0], "sam");
    assert!(names[1..].iter().all(|name| name.starts_with("sam-")), "{names:?}");
    assert_ne!(names[1], names[2]);
}
