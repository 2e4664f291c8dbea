//! The page of captured mails, and whether it is still up to date.

use actix_web::{HttpRequest, HttpResponse};
use adapters::mailer::{Captured, Search};
use adapters::templates::{InboxList, InboxRow, Page};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::pages::html;
use super::inbox;
use crate::problem::ApiError;
use crate::state::State;

const PREVIEW: usize = 120;
/// How many mails a page has.
const ROWS: usize = 50;

#[derive(Default, Deserialize, Serialize)]
struct Query {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    q: String,
    /// The last mail of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Uuid>,
}

/// Whether anything has changed, for the page's script: cheap, because it is asked every two seconds.
#[derive(Serialize)]
struct Now {
    fingerprint: String,
}

/// The mails that the search in the query finds, newest first, in pages.
pub async fn page(state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let inbox = inbox(&state)?;
    // Typed by a person: what makes no sense is left out.
    let query: Query = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    // Before the mails: one that comes in between is then shown once more, and not missed.
    let fingerprint = inbox.fingerprint();
    let mails = inbox.find(&Search::new(&query.q));
    let place = |id: &Uuid| mails.iter().position(|mail| mail.id == *id);
    // A mail that is gone by now has no place; then it is the first page.
    let start = query.before.as_ref().and_then(place).map_or(0, |place| place + 1);
    let rest = mails.get(start..).unwrap_or_default();
    let shown = rest.get(..ROWS).unwrap_or(rest);
    let end = shown.last().filter(|_| rest.len() > ROWS);
    let older = end.map(|end| address(&Query { q: query.q.clone(), before: Some(end.id) }));
    let messages: Vec<InboxRow> = shown.iter().map(|mail| row(mail)).collect();
    let list = InboxList {
        messages: &messages,
        query: query.q.trim(),
        found: mails.len(),
        kept: inbox.count(),
        here: &address(&query),
        older: older.as_deref(),
        fingerprint: &fingerprint,
    };
    html(&state, "en", 200, &Page::Inbox(list), None)
}

/// Another fingerprint once a mail has come or gone.
pub async fn state(state: State) -> Result<HttpResponse, ApiError> {
    let fingerprint = inbox(&state)?.fingerprint();
    Ok(HttpResponse::Ok().json(Now { fingerprint }))
}

/// The query string, with its question mark, of the list that a search gives.
pub(super) fn searching(q: &str) -> String {
    address(&Query { q: q.to_owned(), before: None })
}

fn address(query: &Query) -> String {
    let text = serde_urlencoded::to_string(query).unwrap_or_default();
    if text.is_empty() { text } else { format!("?{text}") }
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

    #[test]
    fn an_address_keeps_what_is_searched_for() {
        assert_eq!(searching(""), "");
        assert_eq!(searching("a&b=ä"), "?q=a%26b%3D%C3%A4");
    }
}
