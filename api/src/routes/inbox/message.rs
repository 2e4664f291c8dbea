//! One captured mail: as its reader sees it, as it is sent, and what its checks find.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::mail_check::MailCheck;
use adapters::mailer::Captured;
use adapters::templates::{InboxMail, InboxView, Page};
use serde::Deserialize;

use super::super::pages::html;
use super::{anatomy, find};
use crate::problem::ApiError;
use crate::security_headers;
use crate::state::State;

/// How many bytes of the source a page shows.
const SOURCE: usize = 256 * 1024;

#[derive(Default, Deserialize)]
struct Query {
    #[serde(default)]
    view: String,
    #[serde(default)]
    width: String,
}

/// The page of one mail, in the view that the query names.
pub async fn page(
    state: State,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let mail = find(&state, &id)?;
    let query: Query = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let check = MailCheck::new(&mail.html, &mail.text, &state.public_url);
    let shown = |view| show(&state, &mail, &check, view);
    match query.view.as_str() {
        "text" => shown(InboxView::Text { text: &mail.text }),
        "source" => {
            let cut = mail.raw.get(..SOURCE).unwrap_or(&mail.raw);
            let source = String::from_utf8_lossy(cut);
            shown(InboxView::Source { source: &source, left_off: mail.raw.len() - cut.len() })
        }
        "headers" => {
            let (headers, parts) = anatomy::of(&mail.raw);
            shown(InboxView::Headers { headers: &headers, parts: &parts })
        }
        "checks" => shown(InboxView::Checks { check: &check }),
        _ => shown(InboxView::Html { phone: query.width == "phone" }),
    }
}

/// The HTML part, for the frame.
pub async fn html_part(state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let mail = find(&state, &id)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(security_headers::MAIL)
        .body(mail.html.clone()))
}

fn show(
    state: &State,
    mail: &Captured,
    check: &MailCheck,
    view: InboxView<'_>,
) -> Result<HttpResponse, ApiError> {
    let page = InboxMail {
        id: mail.id,
        from: &mail.from,
        to: &mail.to,
        subject: &mail.subject,
        at: mail.at,
        concerns: check.count(),
        view,
    };
    html(state, "en", 200, &Page::InboxMessage(page), None)
}
