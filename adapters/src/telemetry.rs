//! Where log lines go: to standard error, for people or for collectors.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::settings::{LogFormat, LogSettings};

/// Starts the log. A second call changes nothing: tests start many services in one process.
pub fn init(settings: &LogSettings) {
    // The settings were checked; a filter that is wrong all the same must not hide everything.
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Standard output belongs to what commands print.
    let lines = fmt::layer().with_writer(stderr);
    let lines = match settings.format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // The only error is that there is a log already.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn may_be_started_twice_and_in_either_format() {
        for format in [LogFormat::Json, LogFormat::Text] {
            init(&LogSettings { format, filter: "off".into() });
        }
    }
}
