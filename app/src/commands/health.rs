//! `welcomat health`: does the API on this machine answer? For containers, which have no curl.

use std::path::Path;
use std::time::Duration;

use adapters::settings::Settings;
use app::http::Client;
use app::{Failure, service};
use tokio::time::timeout;

const PATH: &str = "/livez";
/// Whoever asks has a deadline of their own, and wants to hear why before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ends well if `http.bind` answers; says nothing then.
pub async fn run(config: Option<&Path>) -> Result<(), Failure> {
    let server = service::reachable(Settings::from_process(config)?.http.bind);
    let reason = match timeout(PATIENCE, Client::new(server, None).get(PATH)).await {
        Ok(Ok(answer)) if answer.status == 200 => return Ok(()),
        Ok(Ok(answer)) => format!("the answer was {}", answer.status),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {PATIENCE:?}"),
    };
    Err(format!("http://{server}{PATH} is not well: {reason}; is an API running here?").into())
}
