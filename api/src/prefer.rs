//! The `Prefer` header (RFC 7240): how long a client wants to wait for its mail.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use actix_web::HttpResponseBuilder;
use actix_web::http::header::HeaderMap;
use adapters::store::{InvitationView, Store, TestMailView};
use domain::{DeliveryStatus, InvitationId, OrganizationId};
use tokio::time::{Instant, sleep};

use crate::problem::ApiError;

/// Nobody is kept waiting longer.
const LONGEST: u64 = 30;
/// How often a waiting request looks; most mails are out within a few of them.
const LOOK_EVERY: Duration = Duration::from_millis(75);
/// All who wait look at the same moments, counted from this one: then one query is for all of them.
static FIRST_LOOK: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What a request prefers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preference {
    /// Answer when the mail is out, but not later than this.
    pub wait: Option<Duration>,
    /// Answer at once, which is what happens without a wait anyway.
    pub respond_async: bool,
}

impl Preference {
    /// Reads the headers; what is not understood is ignored, as the RFC asks.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        let values = headers.get_all("Prefer").filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            // A parameter after ';' belongs to the preference and changes nothing here.
            let token = preference.split(';').next().unwrap_or_default().trim();
            match token.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                // The first of several counts (RFC 7240 §2).
                Some((name, value)) if name.eq_ignore_ascii_case("wait") => {
                    found.wait = found.wait.or_else(|| seconds(value));
                }
                None if token.eq_ignore_ascii_case("respond-async") => found.respond_async = true,
                _ => {}
            }
        }
        found
    }

    /// What it prefers, or else to wait for `default`.
    #[must_use]
    pub fn or_wait(self, default: Duration) -> Self {
        Self { wait: self.wait.or(Some(default)), ..self }
    }

    /// Waits until the mail of `invitation` is out or its fate is at least known for now.
    pub async fn settled(
        self,
        store: &Store,
        organization: OrganizationId,
        invitation: InvitationView,
    ) -> Result<InvitationView, ApiError> {
        let Some(wait) = self.wait else { return Ok(invitation) };
        let (id, deadline) = (invitation.id, Instant::now() + wait);
        let mut status = invitation.delivery.status;
        while !is_known(status) && Instant::now() < deadline {
            next_look(deadline).await;
            let found = store.delivery_statuses(organization, vec![id]).await.unwrap_or_default();
            // What was asked has happened: if it cannot be looked at now, the older view is true.
            let Some(&(_, newer)) = found.first() else { return Ok(invitation) };
            status = newer;
        }
        if status != invitation.delivery.status
            && let Ok(Some(detail)) = store.invitation(organization, id).await
        {
            return Ok(detail.invitation);
        }
        Ok(invitation)
    }

    /// Waits until a test mail has ended. If it cannot be looked at now, the older view is true.
    pub async fn test_ended(
        self,
        store: &Store,
        organization: OrganizationId,
        mut mail: TestMailView,
    ) -> TestMailView {
        let deadline = Instant::now() + self.wait.unwrap_or_default();
        while !mail.status.has_ended() && Instant::now() < deadline {
            next_look(deadline).await;
            let Ok(Some(newer)) = store.test_mail(organization, mail.id).await else { break };
            mail = newer;
        }
        mail
    }

    /// The same for the mails of many invitations; looks once if there is nothing to wait for. Says
    /// how each of them stands, as far as that can be seen.
    pub async fn all_settled(
        self,
        store: &Store,
        organization: OrganizationId,
        mut open: Vec<InvitationId>,
    ) -> HashMap<InvitationId, DeliveryStatus> {
        let deadline = Instant::now() + self.wait.unwrap_or_default();
        let mut statuses: HashMap<_, _> =
            open.iter().map(|&id| (id, DeliveryStatus::Queued)).collect();
        while !open.is_empty() {
            let Ok(found) = store.delivery_statuses(organization, open.clone()).await else {
                break;
            };
            statuses.extend(found);
            open.retain(|id| statuses.get(id).is_some_and(|status| !is_known(*status)));
            if open.is_empty() || Instant::now() >= deadline {
                break;
            }
            next_look(deadline).await;
        }
        statuses
    }

    /// Tells the client what was heeded.
    pub fn applied(self, response: &mut HttpResponseBuilder) {
        if let Some(wait) = self.wait {
            response.insert_header(("Preference-Applied", format!("wait={}", wait.as_secs())));
        } else if self.respond_async {
            response.insert_header(("Preference-Applied", "respond-async"));
        }
    }
}

async fn next_look(deadline: Instant) {
    let now = Instant::now();
    let since = now - *FIRST_LOOK;
    let nanos = since.as_nanos() % LOOK_EVERY.as_nanos();
    let passed = Duration::from_nanos(u64::try_from(nanos).unwrap_or_default());
    sleep(LOOK_EVERY.saturating_sub(passed).min(deadline - now)).await;
}

fn seconds(value: &str) -> Option<Duration> {
    let seconds: u64 = value.trim_matches('"').parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}

const fn is_known(status: DeliveryStatus) -> bool {
    let known_for_now = matches!(
        status,
        DeliveryStatus::Scheduled | DeliveryStatus::Retrying | DeliveryStatus::Uncertain
    );
    status.is_settled() || known_for_now
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(values: &[&'static str]) -> Preference {
        let mut headers = HeaderMap::new();
        for value in values {
            let name = HeaderName::from_static("prefer");
            headers.append(name, HeaderValue::from_static(value));
        }
        Preference::of(&headers)
    }

    fn wait(seconds: u64) -> Preference {
        Preference { wait: Some(Duration::from_secs(seconds)), respond_async: false }
    }

    #[test]
    fn waits_as_long_as_asked_but_not_too_long() {
        assert_eq!(read(&["wait=5"]), wait(5));
        assert_eq!(read(&["return=minimal, WAIT = \"7\"; x=y"]), wait(7));
        assert_eq!(read(&["wait=999"]), wait(30));
        assert_eq!(read(&["wait=5", "wait=6"]), wait(5));
    }

    #[test]
    fn ignores_what_it_does_not_know() {
        assert_eq!(read(&["wait=soon", "wait", "handling=lenient", ""]), Preference::default());
        assert!(read(&["Respond-Async"]).respond_async);
    }

    #[test]
    fn a_delivery_that_waits_itself_ends_the_wait() {
        let unknown: Vec<_> = DeliveryStatus::ALL.into_iter().filter(|s| !is_known(*s)).collect();
        assert_eq!(unknown, [DeliveryStatus::Queued, DeliveryStatus::Sending]);
    }
}
