//! What is counted of the mails that are sent, and over which time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use crate::{PolicyRefusal, Timestamp};

/// A limit on mails. Its name is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// By one API key, or one subject of tokens.
    KeyPerMinute,
    /// By one organization.
    OrganizationPerDay,
    /// By one organization that has not shown yet that people want its mail.
    NewOrganizationPerDay,
    /// In the name of one person.
    InviterPerDay,
    /// By one organization to one domain.
    RecipientDomainPerHour,
    /// By one organization to one mailbox.
    SendsPerRecipientPerDay,
    /// How many organizations may write to one mailbox.
    OrganizationsPerRecipientPerDay,
    /// The same for longer.
    OrganizationsPerRecipientPerWeek,
}

/// A stretch of time that begins for everybody at the same moment, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// From :00.
    Minute,
    /// From :00:00.
    Hour,
    /// From midnight.
    Day,
    /// From Monday's midnight.
    Week,
}

/// Why a mail must not be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendRefusal {
    /// There were enough of them; more can be sent after a while.
    Limit {
        /// Which limit.
        limit: Limit,
        /// When its window ends.
        retry_after: Duration,
    },
    /// The same invitation was sent again a moment ago.
    JustResent {
        /// When it may be sent once more.
        retry_after: Duration,
    },
    /// Too few of the organization's invitations are accepted: an operator must look at it.
    Paused,
    /// The organization's own policy does not allow it.
    Policy(PolicyRefusal),
}

impl Limit {
    /// Its name, which is that of its setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyPerMinute => "key_per_minute",
            Self::OrganizationPerDay => "organization_per_day",
            Self::NewOrganizationPerDay => "new_organization_per_day",
            Self::InviterPerDay => "inviter_per_day",
            Self::RecipientDomainPerHour => "recipient_domain_per_hour",
            Self::SendsPerRecipientPerDay => "sends_per_recipient_per_day",
            Self::OrganizationsPerRecipientPerDay => "organizations_per_recipient_per_day",
            Self::OrganizationsPerRecipientPerWeek => "organizations_per_recipient_per_week",
        }
    }

    /// The time over which it counts.
    pub const fn window(self) -> Window {
        match self {
            Self::KeyPerMinute => Window::Minute,
            Self::RecipientDomainPerHour => Window::Hour,
            Self::OrganizationPerDay
            | Self::NewOrganizationPerDay
            | Self::InviterPerDay
            | Self::SendsPerRecipientPerDay
            | Self::OrganizationsPerRecipientPerDay => Window::Day,
            Self::OrganizationsPerRecipientPerWeek => Window::Week,
        }
    }

    /// Whether it is the number of organizations that counts, and not that of mails.
    pub const fn counts_organizations(self) -> bool {
        matches!(
            self,
            Self::OrganizationsPerRecipientPerDay | Self::OrganizationsPerRecipientPerWeek
        )
    }

    /// Whether it is about whom the mail is for: then the next address may well be taken.
    pub const fn is_about_recipient(self) -> bool {
        match self {
            Self::RecipientDomainPerHour
            | Self::SendsPerRecipientPerDay
            | Self::OrganizationsPerRecipientPerDay
            | Self::OrganizationsPerRecipientPerWeek => true,
            Self::KeyPerMinute
            | Self::OrganizationPerDay
            | Self::NewOrganizationPerDay
            | Self::InviterPerDay => false,
        }
    }
}

impl Window {
    /// How long it is.
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
            Self::Week => TimeDelta::weeks(1),
        }
    }

    /// When the one began that `at` is in.
    pub fn start(self, at: Timestamp) -> Timestamp {
        // The first day of the epoch was a Thursday.
        const FIRST_MONDAY: i64 = TimeDelta::days(4).num_seconds();
        let (seconds, length) = (at.timestamp(), self.length().num_seconds());
        let start = seconds - (seconds - FIRST_MONDAY).rem_euclid(length);
        DateTime::from_timestamp(start, 0).unwrap_or(at)
    }

    /// When the one ends that `at` is in; no longer part of it.
    pub fn end(self, at: Timestamp) -> Timestamp {
        self.start(at) + self.length()
    }

    /// How long it still takes at `now`.
    pub fn rest(self, now: Timestamp) -> Duration {
        (self.end(now) - now).to_std().unwrap_or_default()
    }
}
