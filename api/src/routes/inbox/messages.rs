//! Captured mails for programs: tests of a product ask here for what it has sent.

use std::collections::BTreeMap;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::mailer::{Captured, Search};
use domain::{InvitationId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::page;
use super::{find, inbox};
use crate::openapi::params::MessagePath;
use crate::problem::ApiError;
use crate::state::State;

/// What the list can be asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words that a mail must have, all of them, in its recipient, sender, subject or text; upper and lower
    /// case make no difference.
    #[param(nullable = false)]
    q: Option<String>,
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
    /// Whom it shows as its sender.
    #[schema(example = "Acme <no-reply@example.org>")]
    from: &'a str,
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
    /// The invitation that it is about; null if it only shows what a template makes.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    invitation_id: Option<InvitationId>,
}

/// Lists captured mails.
///
/// Newest first. There is an inbox only while mail is captured (`mail.url` is `capture:`).
#[utoipa::path(
    get,
    path = "/inbox/messages",
    operation_id = "list_captured_mails",
    tag = "Inbox",
    params(SearchQuery),
    responses((
        status = 200,
        description = "The mails that are kept, or those of them that a search finds.",
        body = [Message<'_>],
        links(("DownloadCapturedMail" = (
            operation_id = "download_captured_mail",
            parameters(("message" = "$response.body#/0/id")),
            description = "Downloads the newest one.",
        ))),
    )),
    extensions(("x-problems" = json!(["bad_request", "not_found"]))),
)]
pub async fn list(state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let inbox = inbox(&state)?;
    let SearchQuery { q } = page::parse(request.query_string(), "q")?;
    let mails = inbox.find(&Search::new(&q.unwrap_or_default()));
    let messages: Vec<Message<'_>> = mails.iter().map(|mail| view(mail)).collect();
    Ok(HttpResponse::Ok().json(messages))
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

fn view(mail: &Captured) -> Message<'_> {
    Message {
        id: mail.id,
        at: mail.at,
        from: &mail.from,
        to: &mail.to,
        subject: &mail.subject,
        text: &mail.text,
        html: &mail.html,
        headers: &mail.headers,
        invitation_id: mail.invitation_id,
    }
}
