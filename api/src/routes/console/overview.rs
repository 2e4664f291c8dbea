//! `/console/{organization}`: what goes on.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::broker::{Queue, QueueDepth};
use adapters::templates::{Chart, ConsolePage, OpenFigures, Overview, QueueFigures};

use super::{Visitor, page};
use crate::problem::ApiError;
use crate::state::State;

const MINUTES: u32 = 60;

/// Shows the last hour, what sends mails, and the newest trouble.
pub async fn show(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let activity = state.store.activity(organization.id, MINUTES).await?;
    let (lag, open, queue) = match visitor.auth.0.organization {
        Some(_) => (None, None, None),
        None => (
            Some(state.store.outbox_lag().await?),
            Some(state.store.open_mails().await?),
            state.broker.depth(Queue::Email).await,
        ),
    };
    let queue = queue.map(|QueueDepth { jobs, workers }| QueueFigures { jobs, workers });
    let now = state.store.clock().now();
    let open = open.map(|open| OpenFigures::new(&open, now));
    let age = lag.as_ref().map(|lag| lag.oldest_due.map_or(0, |due| (now - due).num_seconds()));
    let overview = Overview {
        chart: Chart::new(&activity),
        cut: activity.cut,
        waiting: activity.waiting,
        more_waiting: activity.more_waiting,
        troubled: &activity.troubled,
        outbox_waiting: lag.as_ref().map(|lag| lag.waiting),
        outbox_age: age,
        open,
        queue,
        broker: state.broker.is_connected(),
        mail_trouble: state.health.mail_trouble(),
    };
    page(&state, &request, &visitor, Some(&organization), &ConsolePage::Overview(overview))
}
