//! The section about how much may be sent and guessed. 0 is no limit everywhere.

use std::time::Duration;

use domain::{AcceptanceRule, Limit};
use serde::{Serialize, Serializer};

use super::source::Leaves;
use super::{SettingsError, duration};

/// What keeps an instance from being used against people.
#[derive(Debug, Clone, Serialize)]
pub struct LimitSettings {
    /// Mails that one key may ask for.
    pub key_per_minute: u32,
    /// Mails of one organization.
    pub organization_per_day: u32,
    /// Mails in the name of one person.
    pub inviter_per_day: u32,
    /// Mails of one organization to one domain.
    pub recipient_domain_per_hour: u32,
    /// Mails of one organization to one mailbox.
    pub sends_per_recipient_per_day: u32,
    /// Organizations that may write to one mailbox.
    pub organizations_per_recipient_per_day: u32,
    /// The same for longer.
    pub organizations_per_recipient_per_week: u32,
    /// Between two resends of one invitation.
    #[serde(serialize_with = "serialize_pause")]
    pub resend_interval: Duration,
    /// Wrong temporary passwords until the right one does not work any more.
    pub wrong_passwords: u32,
    /// Unknown tokens and passwords that one client may try.
    pub unknown_tokens_per_minute: u32,
    /// Mails of an organization that has not shown yet that people want them.
    pub new_organization_per_day: u32,
    /// What an organization must have shown.
    pub warmed_up_after_accepted: u32,
    /// So many of a hundred invitations must be accepted.
    pub min_acceptance_percent: u32,
    /// Fewer invitations than that say nothing yet.
    pub acceptance_sample: u32,
    /// How long people have to accept before it counts that they have not.
    #[serde(serialize_with = "duration::serialize")]
    pub acceptance_age: Duration,
}

/// The row of such a limit lists the organizations.
const MOST_ORGANIZATIONS: u32 = 100;

impl LimitSettings {
    pub(super) fn read(values: &Leaves) -> Result<Self, SettingsError> {
        let count = |key| values.number(key, 0..=1_000_000_000_u32);
        let organizations = |key| values.number(key, 0..=MOST_ORGANIZATIONS);
        Ok(Self {
            key_per_minute: count("limits.key_per_minute")?,
            organization_per_day: count("limits.organization_per_day")?,
            inviter_per_day: count("limits.inviter_per_day")?,
            recipient_domain_per_hour: count("limits.recipient_domain_per_hour")?,
            sends_per_recipient_per_day: count("limits.sends_per_recipient_per_day")?,
            organizations_per_recipient_per_day: organizations(
                "limits.organizations_per_recipient_per_day",
            )?,
            organizations_per_recipient_per_week: organizations(
                "limits.organizations_per_recipient_per_week",
            )?,
            resend_interval: values.text("limits.resend_interval", pause)?,
            wrong_passwords: values.number("limits.wrong_passwords", 0..=1_000_000)?,
            unknown_tokens_per_minute: count("limits.unknown_tokens_per_minute")?,
            new_organization_per_day: count("limits.new_organization_per_day")?,
            warmed_up_after_accepted: values
                .number("limits.warmed_up_after_accepted", 1..=1_000_000)?,
            min_acceptance_percent: values.number("limits.min_acceptance_percent", 0..=100)?,
            acceptance_sample: values.number("limits.acceptance_sample", 1..=1_000_000)?,
            acceptance_age: values.duration("limits.acceptance_age")?,
        })
    }

    /// The figure of a limit on mails; `None` if there is none.
    pub fn of(&self, limit: Limit) -> Option<u32> {
        let figure = match limit {
            Limit::KeyPerMinute => self.key_per_minute,
            Limit::OrganizationPerDay => self.organization_per_day,
            Limit::NewOrganizationPerDay => self.new_organization_per_day,
            Limit::InviterPerDay => self.inviter_per_day,
            Limit::RecipientDomainPerHour => self.recipient_domain_per_hour,
            Limit::SendsPerRecipientPerDay => self.sends_per_recipient_per_day,
            Limit::OrganizationsPerRecipientPerDay => self.organizations_per_recipient_per_day,
            Limit::OrganizationsPerRecipientPerWeek => self.organizations_per_recipient_per_week,
        };
        (figure > 0).then_some(figure)
    }

    /// How many invitations must be accepted; `None` if that does not matter.
    pub fn acceptance_rule(&self) -> Option<AcceptanceRule> {
        let (min_percent, sample) = (self.min_acceptance_percent, self.acceptance_sample);
        let rule = AcceptanceRule { min_percent: min_percent.into(), sample: sample.into() };
        (min_percent > 0).then_some(rule)
    }
}

/// A duration, or none at all.
fn pause(text: &str) -> Result<Duration, String> {
    let given = if text == "0" { Some(Duration::ZERO) } else { duration::parse(text) };
    given.ok_or_else(|| "must be 0 or a duration such as 30s, 10m or 1h".into())
}

fn serialize_pause<S: Serializer>(pause: &Duration, to: S) -> Result<S::Ok, S::Error> {
    if pause.is_zero() { to.serialize_str("0") } else { duration::serialize(pause, to) }
}
