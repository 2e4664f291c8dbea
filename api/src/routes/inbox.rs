//! `/inbox`: the mails that were captured instead of sent. Without captured mail there is nothing.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Path, ServiceConfig};
use adapters::mailer::{Captured, CapturedInbox};
use adapters::templates::{InboxRow, Page};
use domain::{InvitationId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::pages::html;
use super::{get, resource};
use crate::openapi::params::MessagePath;
use crate::problem::ApiError;
use crate::security_headers;
use crate::state::State;

const PREVIEW: usize = 120;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let only = "GET, HEAD";
    config
        .service(resource("/inbox", only).route(get().to(page)))
        .service(resource("/inbox/messages", only).route(get().to(list)))
        .service(resource("/inbox/messages/{message}.eml", only).route(get().to(raw)))
        .service(resource("/inbox/messages/{message}/html", only).route(get().to(message_html)))
        .service(resource("/inbox/messages/{message}", only).route(get().to(message)));
}

/// A mail that was captured instead of sent.
#[derive(Serialize, ToSchema)]
#[schema(as = CapturedMail)]
struct Message<'a> {
    /// Names the mail.
    #[schema(example = "01937a5c-949a-7000-8000-000000000001")]
    id: Uuid,
    /// When it was captured.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:01.482913Z")]
    at: Timestamp,
    /// Whom it is for.
    #[schema(example = "ann@example.com")]
    to: &'a str,
    /// Its subject.
    #[schema(example = "Join Acme")]
    subject: &'a str,
    /// Its text part.
    #[schema(example = "Hello Ann, …")]
    text: &'a str,
    /// Its HTML part.
    #[schema(example = "<p>Hello Ann, …</p>")]
    html: &'a str,
    /// Its header, by name.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "Subject": "Join Acme" }))]
    headers: &'a BTreeMap<String, String>,
    /// The invitation that it is about.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    invitation_id: InvitationId,
}

async fn page(state: State) -> Result<HttpResponse, ApiError> {
    let rows: Vec<InboxRow> = inbox(&state)?.list().iter().map(|mail| row(mail)).collect();
    html(&state, "en", 200, &Page::Inbox { messages: &rows })
}

/// Lists captured mails.
///
/// Newest first. There is an inbox only while mail is captured (`mail.url` is `capture:`).
#[utoipa::path(
    get,
    path = "/inbox/messages",
    operation_id = "list_captured_mails",
    tag = "Inbox",
    responses((
        status = 200,
        description = "The mails that are kept.",
        body = [Message<'_>],
        links(("DownloadCapturedMail" = (
            operation_id = "download_captured_mail",
            parameters(("message" = "$response.body#/0/id")),
            description = "Downloads the newest one.",
        ))),
    )),
    extensions(("x-problems" = json!(["not_found"]))),
)]
pub async fn list(state: State) -> Result<HttpResponse, ApiError> {
    let mails = inbox(&state)?.list();
    let messages: Vec<Message<'_>> = mails.iter().map(|mail| view(mail)).collect();
    Ok(HttpResponse::Ok().json(messages))
}

async fn message(state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let mail = find(&state, &id)?;
    let page = Page::InboxMessage {
        id: mail.id,
        to: &mail.to,
        subject: &mail.subject,
        at: mail.at,
        text: &mail.text,
        headers: &mail.headers,
    };
    html(&state, "en", 200, &page)
}

async fn message_html(state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let mail = find(&state, &id)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(security_headers::MAIL)
        .body(mail.html.clone()))
}

/// Downloads a captured mail.
///
/// As it would have gone out.
#[utoipa::path(
    get,
    path = "/inbox/messages/{message}.eml",
    operation_id = "download_captured_mail",
    tag = "Inbox",
    params(MessagePath),
    responses((
        status = 200,
        description = "The mail (RFC 5322).",
        body = String,
        content_type = "message/rfc822",
        example = "From: Acme <no-reply@example.org>\r\nTo: ann@example.com\r\nSubject: Join Acme\r\n\r\nHello Ann, …",
    )),
    extensions(("x-problems" = json!(["not_found"]))),
)]
pub async fn raw(state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let mail = find(&state, &id)?;
    Ok(HttpResponse::Ok()
        .content_type("message/rfc822")
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{}.eml\"", mail.id)))
        .body(mail.raw.clone()))
}

fn inbox(state: &State) -> Result<&CapturedInbox, ApiError> {
    state.inbox.as_ref().ok_or(ApiError::NotFound)
}

fn find(state: &State, id: &str) -> Result<Arc<Captured>, ApiError> {
    let id = Uuid::from_str(id).map_err(|_| ApiError::NotFound)?;
    inbox(state)?.get(id).ok_or(ApiError::NotFound)
}

fn view(mail: &Captured) -> Message<'_> {
    Message {
        id: mail.id,
        at: mail.at,
        to: &mail.to,
        subject: &mail.subject,
        text: &mail.text,
        html: &mail.html,
        headers: &mail.headers,
        invitation_id: mail.invitation_id,
    }
}

fn row(mail: &Captured) -> InboxRow {
    InboxRow {
        id: mail.id,
        to: mail.to.clone(),
        subject: mail.subject.clone(),
        at: mail.at,
        preview: preview(&mail.text),
    }
}

fn preview(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(PREVIEW).collect();
    words.join(" ").chars().take(PREVIEW).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_one_short_line() {
        assert_eq!(preview("Hello\r\n\r\n  Grace,\n"), "Hello Grace,");
        assert_eq!(preview(&"ä".repeat(500)).chars().count(), PREVIEW);
    }
}
