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
use uuid::Uuid;

use super::pages::html;
use super::{get, resource};
use crate::problem::ApiError;
use crate::state::State;

/// The mail's own HTML runs nothing, loads nothing but images and styles, and opens links outside.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; \
    default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'";
const PREVIEW: usize = 120;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let only = "GET, HEAD";
    config
        .service(resource("/inbox", only).route(get().to(page)))
        .service(resource("/inbox/messages", only).route(get().to(list)))
        .service(resource("/inbox/messages/{id}.eml", only).route(get().to(raw)))
        .service(resource("/inbox/messages/{id}/html", only).route(get().to(message_html)))
        .service(resource("/inbox/messages/{id}", only).route(get().to(message)));
}

#[derive(Serialize)]
struct Message<'a> {
    id: Uuid,
    at: Timestamp,
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    headers: &'a BTreeMap<String, String>,
    invitation_id: InvitationId,
}

async fn page(state: State) -> Result<HttpResponse, ApiError> {
    let rows: Vec<InboxRow> = inbox(&state)?.list().iter().map(|mail| row(mail)).collect();
    html(&state, "en", 200, &Page::Inbox { messages: &rows })
}

async fn list(state: State) -> Result<HttpResponse, ApiError> {
    let mails = inbox(&state)?.list();
    let messages: Vec<Message<'_>> = mails.iter().map(|mail| view(mail)).collect();
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(messages))
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
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Content-Security-Policy", MAIL_POLICY))
        .body(mail.html.clone()))
}

async fn raw(state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let mail = find(&state, &id)?;
    Ok(HttpResponse::Ok()
        .content_type("message/rfc822")
        .insert_header(("Cache-Control", "no-store"))
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
