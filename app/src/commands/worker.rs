//! `welcomat worker`: sends mails; any number of them may run.

use std::path::Path;

use app::Failure;

/// Works until a signal, as the program `welcomat-worker` does.
pub async fn run(config: Option<&Path>) -> Result<(), Failure> {
    Ok(worker::process::run(config).await?)
}
