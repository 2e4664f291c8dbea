//! The broker: can it be reached, is everything in its place, does it take jobs, does anybody fetch
//! them?

use adapters::broker::{Broker, BrokerReport, Publishing};
use adapters::settings::Settings;

use super::finding::Finding;

const WHAT: &str = "broker";
const QUEUE: &str = "queue";

/// Looks at it.
pub async fn examine(settings: &Settings) -> Vec<Finding> {
    let broker = match Broker::connect(&settings.broker) {
        Ok(broker) => broker,
        Err(error) => {
            return vec![Finding::bad(WHAT, error.to_string(), "change that setting")];
        }
    };
    let report = broker.examine().await;
    broker.close().await;
    match report {
        None => vec![Finding::good(WHAT, "inside the process")],
        Some(Ok(report)) => told(report),
        Some(Err(error)) => {
            let todo = "see that it runs, that broker.url is right, and that its user may use the \
                        virtual host (docs/least-privilege.md); invitations are taken meanwhile";
            vec![Finding::bad(WHAT, error, todo)]
        }
    }
}

fn told(report: BrokerReport) -> Vec<Finding> {
    let mut findings = vec![match report.publishing {
        Publishing::Confirmed => Finding::good(WHAT, "reached; what is published is confirmed"),
        Publishing::Forbidden => {
            Finding::good(WHAT, "reached; this log-in may not publish, which workers need not")
        }
        Publishing::Unanswered => {
            let todo = "look for an alarm: rabbitmqctl status names memory or disk, which block \
                        whoever publishes";
            Finding::bad(WHAT, "reached, but it does not confirm what is published", todo)
        }
    }];
    for queue in report.queues {
        let dead = queue.name.ends_with(".dead.v1");
        findings.push(match queue.state {
            Err(why) => {
                let todo = "let a process declare it, or import deploy/rabbitmq/definitions.json";
                Finding::bad(QUEUE, format!("{} is of no use: {why}", queue.name), todo)
            }
            Ok((messages, 0)) if !dead || messages > 0 => {
                let detail = format!("{} has {messages} messages and no worker", queue.name);
                Finding::doubtful(QUEUE, detail, "start a worker: `welcomat worker`")
            }
            Ok((messages, workers)) => {
                let detail =
                    format!("{} has {messages} messages and {workers} consumers", queue.name);
                Finding::good(QUEUE, detail)
            }
        });
    }
    findings
}
