//! `--wait`: watches an invitation's mail until it is out, or is known never to be.

use std::time::Duration;

use clap::Args;
use domain::DeliveryStatus;
use serde_json::Value;

use super::error::ClientError;
use super::options::parse_duration;
use super::progress::Progress;
use super::session::Session;
use super::table::harmless;

/// Most mails are out within the first looks; those that are not take minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Whether and how long to wait for the mail.
#[derive(Debug, Clone, Args)]
pub struct Wait {
    /// Wait until the mail is sent; exit code 6 if it is not [default: 60s].
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "60s",
        value_parser = parse_duration
    )]
    pub wait: Option<Duration>,
}

/// How a mail stands.
struct Look {
    status: String,
    detail: Option<String>,
}

impl Wait {
    /// Waits if that was asked for; fails unless the mail is sent in time.
    pub fn for_mail(
        &self,
        session: &Session,
        organization: &str,
        invitation: &str,
    ) -> Result<(), ClientError> {
        let Some(patience) = self.wait else { return Ok(()) };
        let mut progress = Progress::new(session.output.quiet);
        let waited = watch(session, [organization, invitation], patience, &mut progress);
        progress.end();
        let seconds = progress.elapsed().as_secs_f32();
        let look = waited?;
        let detail = look.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        match DeliveryStatus::parse(&look.status) {
            Some(DeliveryStatus::Sent | DeliveryStatus::Delivered) => {
                session.output.remark(&format!("the mail is sent, after {seconds:.1} s"));
                Ok(())
            }
            Some(status) if !status.is_settled() => {
                let words = format!("the mail is not sent yet, after {seconds:.1} s");
                Err(ClientError::NotSent(format!("{words}; it is {}{detail}", look.status)))
            }
            _ => Err(ClientError::NotSent(format!("the mail is {}{detail}", look.status))),
        }
    }
}

fn watch(
    session: &Session,
    [organization, invitation]: [&str; 2],
    patience: Duration,
    progress: &mut Progress,
) -> Result<Look, ClientError> {
    let path = ["v1", "organizations", organization, "invitations", invitation];
    let mut pause = FIRST_PAUSE;
    let mut last = None;
    loop {
        match session.api.get(&path, &[]) {
            Ok(answer) => {
                let look = Look::at(&answer.body);
                // A word that this version does not know may mean anything but an end.
                let settled =
                    DeliveryStatus::parse(&look.status).is_some_and(DeliveryStatus::is_settled);
                if settled || progress.elapsed() >= patience {
                    return Ok(look);
                }
                last = Some(look);
            }
            // A server that restarts comes back.
            Err(error) if error.exit_code() == 4 => return Err(error),
            Err(error) if progress.elapsed() >= patience => return last.ok_or(error),
            Err(_) => {}
        }
        let left = patience.saturating_sub(progress.elapsed());
        let state = last.as_ref().map_or("the mail's state is unknown".to_owned(), Look::words);
        progress.rest(&state, pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Look {
    fn at(invitation: &Value) -> Self {
        let text = |at: &str| invitation.pointer(at).and_then(Value::as_str).map(harmless);
        let status = text("/delivery/status").unwrap_or_default();
        Self { status, detail: text("/delivery/detail") }
    }

    fn words(&self) -> String {
        let detail = self.detail.as_ref().map(|detail| format!(": {detail}"));
        format!("the mail is {}{}", self.status, detail.unwrap_or_default())
    }
}
