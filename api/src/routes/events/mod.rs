//! `/v1/events/…`: mail providers, and whoever reads bounce mails, tell what became of mails.
//!
//! They have no API key; each proves in a way of its own whose word it is. What is proven and about no mail
//! of ours is answered like everything else: it only would come again.

pub mod dsn;
pub mod mailgun;
pub mod postmark;
pub mod sendgrid;
pub mod ses;

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::Told;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::resource;
use crate::body;
use crate::feedback::Source;
use crate::problem::ApiError;
use crate::state::State;

/// Adds the routes; before the scope that wants a key.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/events/ses", "POST").route(web::post().to(ses::hear)))
        .service(resource("/v1/events/sendgrid", "POST").route(web::post().to(sendgrid::hear)))
        .service(resource("/v1/events/postmark", "POST").route(web::post().to(postmark::hear)))
        .service(resource("/v1/events/mailgun", "POST").route(web::post().to(mailgun::hear)))
        .service(resource("/v1/events/dsn", "POST").route(web::post().to(dsn::hear)));
}

/// What came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedbackHeard)]
pub struct Heard {
    /// How many deliveries stand elsewhere now. What was known already, and what is about no mail of this
    /// service, changes none.
    #[schema(example = 1)]
    changed: usize,
}

/// The body of a request, as long as such a body may be.
async fn text(
    state: &State,
    request: &HttpRequest,
    payload: Payload,
    media_type: &'static str,
) -> Result<String, ApiError> {
    let limit = state.feedback.settings.body_limit_bytes;
    body::read_up_to(limit, request, payload, media_type).await
}

fn json(text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text).map_err(|error| {
        ApiError::MalformedJson(format!("line {}, column {}", error.line(), error.column()))
    })
}

/// Writes down what is told.
async fn write(state: &State, source: Source, told: Vec<Told>) -> Result<HttpResponse, ApiError> {
    for one in &told {
        state.store.metrics().heard(source, one.feedback);
    }
    let changed = state.store.hear(told, state.password_valid_for).await?;
    Ok(HttpResponse::Ok().json(Heard { changed }))
}

/// Says in the log what an operator has to know: somebody forges, or a setting is wrong.
fn forged(way: &'static str, why: &'static str) -> ApiError {
    tracing::warn!(way, why, "feedback on mails is refused");
    ApiError::FeedbackForged(why)
}
