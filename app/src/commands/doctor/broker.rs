//! The broker: can it be reached, is everything in its place, does it take jobs, does anybody fetch
//! them?

use adapters::broker::{Arguments, Binding, Broker, BrokerReport, Publishing, QueueReport};
use adapters::settings::Settings;

use super::finding::Finding;

const WHAT: &str = "broker";
const QUEUE: &str = "queue";
const TOPOLOGY: &str = "topology";

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
        Some(Ok(report)) => told(&report),
        Some(Err(error)) => {
            let todo = "see that it runs, that broker.url is right, and that its user may use the \
                        virtual host (docs/least-privilege.md); invitations are taken meanwhile";
            vec![Finding::bad(WHAT, error, todo)]
        }
    }
}

fn told(report: &BrokerReport) -> Vec<Finding> {
    let version = report.version.as_deref().unwrap_or("it");
    let mut findings = vec![match report.publishing {
        Publishing::Unanswered => {
            let todo = "look for an alarm: rabbitmqctl status names memory or disk, which block \
                        whoever publishes";
            let detail = format!("{version} is reached, but does not confirm what is published");
            Finding::bad(WHAT, detail, todo)
        }
        _ if report.version.as_deref().is_some_and(is_old) => {
            let todo = "update it to 3.10 or later: an older one takes the arguments of our queues \
                        without heeding all of them";
            Finding::doubtful(WHAT, format!("{version} is older than what this was made for"), todo)
        }
        Publishing::Confirmed => {
            Finding::good(WHAT, format!("{version} is reached; what is published is confirmed"))
        }
        Publishing::Forbidden => {
            let detail = "is reached; this log-in may not publish, which workers need not";
            Finding::good(WHAT, format!("{version} {detail}"))
        }
    }];
    findings.extend(report.queues.iter().map(queue));
    findings.extend(hidden(&report.queues));
    findings
}

fn queue(queue: &QueueReport) -> Finding {
    let QueueReport { name, state, arguments, binding } = queue;
    let dead = name.ends_with(".dead.v1");
    match (state, arguments, binding) {
        (Err(why), ..) => {
            let todo = "let a process declare it, or import deploy/rabbitmq/definitions.json";
            Finding::bad(QUEUE, format!("{name} is of no use: {why}"), todo)
        }
        (_, Arguments::Wrong(why), _) => {
            let todo = "delete the queue and import deploy/rabbitmq/definitions.json: jobs that were \
                        in it are published again, and mails wait meanwhile";
            Finding::bad(QUEUE, format!("{name} has other arguments than it should: {why}"), todo)
        }
        (.., Binding::Missing) => {
            let todo = "import deploy/rabbitmq/definitions.json, which binds it; jobs wait \
                        meanwhile, none is lost";
            Finding::bad(QUEUE, format!("{name} is bound to nothing: no job can get there"), todo)
        }
        (Ok((messages, 0)), ..) if !dead || *messages > 0 => {
            let detail = format!("{name} has {messages} messages and no worker");
            Finding::doubtful(QUEUE, detail, "start a worker: `welcomat worker`")
        }
        (Ok((messages, workers)), ..) => {
            Finding::good(QUEUE, format!("{name} has {messages} messages and {workers} consumers"))
        }
    }
}

/// What the broker does not tell this log-in of what an operator has made.
fn hidden(queues: &[QueueReport]) -> Option<Finding> {
    let unseen = |queue: &&QueueReport| queue.arguments == Arguments::Hidden;
    let mut parts = Vec::new();
    let names: Vec<_> = queues.iter().filter(unseen).map(|queue| queue.name.as_str()).collect();
    if !names.is_empty() {
        let names = names.join(", ");
        parts.push(format!("the arguments of {names}, for this log-in may not configure them"));
    }
    for queue in queues {
        // Nothing ever shows it of the dead letters' queue, and no other log-in would.
        if let Binding::Hidden(why) = queue.binding
            && !queue.name.ends_with(".dead.v1")
        {
            parts.push(format!("whether {} is bound, for {why}", queue.name));
        }
    }
    let todo = "run the doctor with the API's log-in while workers run, which shows what is bound, and \
                once with one that may configure the queues, which shows their arguments";
    let detail = format!("made by an operator, and not seen: {}", parts.join("; "));
    (!parts.is_empty()).then(|| Finding::doubtful(TOPOLOGY, detail, todo))
}

/// Whether it is a `RabbitMQ` before 3.10, whose quorum queues may lose what becomes a dead letter
/// (<https://www.rabbitmq.com/docs/quorum-queues>, on dead-lettering at least once).
fn is_old(version: &str) -> bool {
    let Some(numbers) = version.strip_prefix("RabbitMQ ") else { return false };
    let mut numbers = numbers.split('.').map_while(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) < (3, 10))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn an_old_broker_is_doubtful() {
        for (version, old) in [
            ("RabbitMQ 3.9.29", true),
            ("RabbitMQ 2.8.1", true),
            ("RabbitMQ 3.10.0", false),
            ("RabbitMQ 4.1.4", false),
            ("RabbitMQ 4.2.0-rc.1", false),
            ("LavinMQ 1.2.3", false),
        ] {
            let (version, publishing) = (Some(version.to_owned()), Publishing::Confirmed);
            let found = told(&BrokerReport { version, queues: Vec::new(), publishing });
            let verdict = if old { Verdict::Doubtful } else { Verdict::Good };
            assert_eq!(found[0].verdict, verdict, "{:?}", found[0]);
        }
    }
}
