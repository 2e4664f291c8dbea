//! What the tests of mail faults share: a fleet whose mail server follows a script.

use serde_json::Value;

use super::HASTE;
use crate::harness::text;
use crate::processes::fleet::Fleet;
use crate::smtp_script::SmtpScript;

/// Mails that are put off come again within a second, and no phase lasts longer than two.
const IMPATIENT: [(&str, &str); 8] = [
    ("WELCOMAT_RETRY_PAUSES", "500ms"),
    ("WELCOMAT_RETRY_BREAKER_MIN", "200ms"),
    ("WELCOMAT_RETRY_BREAKER_MAX", "1s"),
    ("WELCOMAT_MAIL_TIMEOUTS_CONNECT", "2s"),
    ("WELCOMAT_MAIL_TIMEOUTS_COMMAND", "2s"),
    ("WELCOMAT_MAIL_TIMEOUTS_DATA", "2s"),
    ("WELCOMAT_MAIL_TIMEOUTS_BODY", "2s"),
    // The dot must be out before a quarter of it is over: more than the phases above.
    ("WELCOMAT_WORKER_LEASE", "12s"),
];

/// One attempt at a time: no other one is under way when something happens to it.
pub const ONE_SLOT: [(&str, &str); 1] = [("WELCOMAT_WORKER_PREFETCH", "1")];

/// A fleet with one API and a script, without a rule yet; no worker runs.
pub async fn scripted(env: &[(&str, &str)]) -> (Fleet, SmtpScript) {
    let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &IMPATIENT, env].concat()).await;
    let script = SmtpScript::beside(&fleet.sink).await;
    fleet.set("WELCOMAT_MAIL_URL", &script.url());
    fleet.add_api().await;
    (fleet, script)
}

/// The lines that fail points have written.
pub fn journal(fleet: &Fleet) -> Vec<String> {
    let text = std::fs::read_to_string(fleet.file("journal")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The path of an invitation that [`Fleet::detail`] gave.
pub fn path_of(invitation: &Value) -> String {
    let part = |name: &str| text(&invitation[name]);
    format!("/v1/organizations/{}/invitations/{}", part("organization_id"), part("id"))
}
