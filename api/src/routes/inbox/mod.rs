//! `/inbox`: the mails that were captured instead of sent. Without captured mail there is nothing.
//!
//! Whoever reaches it may read and delete them: it is for trying things out, with made-up recipients.

mod anatomy;
mod delete;
mod list;
mod message;
pub mod messages;

use std::str::FromStr;
use std::sync::Arc;

use actix_web::web::{self, ServiceConfig};
use adapters::mailer::{Captured, CapturedInbox};
use uuid::Uuid;

use super::{get, resource};
use crate::problem::ApiError;
use crate::state::State;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let only = "GET, HEAD";
    let message = |rest: &str| format!("/inbox/messages/{{message}}{rest}");
    config
        .service(resource("/inbox", only).route(get().to(list::page)))
        .service(resource("/inbox/state", only).route(get().to(list::state)))
        .service(resource("/inbox/delete", "POST").route(web::post().to(delete::found)))
        .service(resource("/inbox/messages", only).route(get().to(messages::list)))
        .service(resource(&message(".eml"), only).route(get().to(messages::raw)))
        .service(resource(&message("/html"), only).route(get().to(message::html_part)))
        .service(resource(&message("/delete"), "POST").route(web::post().to(delete::one)))
        .service(resource(&message(""), only).route(get().to(message::page)));
}

fn inbox(state: &State) -> Result<&CapturedInbox, ApiError> {
    state.inbox.as_ref().ok_or(ApiError::NotFound)
}

fn find(state: &State, id: &str) -> Result<Arc<Captured>, ApiError> {
    let id = Uuid::from_str(id).map_err(|_| ApiError::NotFound)?;
    inbox(state)?.get(id).ok_or(ApiError::NotFound)
}
