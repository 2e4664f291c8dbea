//! `welcomat api`: API and relay alone; any number of them may run.

use std::path::Path;

use app::Failure;

use super::start;

/// Serves until a signal, as the program `welcomat-api` does.
pub async fn run(config: Option<&Path>) -> Result<(), Failure> {
    let settings = start(config)?;
    if settings.broker.url.starts_with("memory:") {
        let hint = "broker.url is memory:, which no worker in another process can reach";
        return Err(format!("{hint}; set it to amqp://…, or use `welcomat serve`").into());
    }
    Ok(api::start::run_alone(settings).await?)
}
