//! What an organization allows of its invitations: whose addresses, how many seats, which reminders.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::EmailAddress;
use crate::disposable::{is_disposable, self_and_above};
use crate::role_address::is_role_address;

/// What an organization allows of its invitations. Without any of it, everything is allowed and nobody is
/// reminded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Policy)]
#[serde(default)]
pub struct OrganizationPolicy {
    /// The only domains whose addresses can be invited; empty: all. `example.com` is that domain alone,
    /// `*.example.com` all below it.
    #[schema(value_type = Vec<String>, max_items = 500, example = json!(["example.com", "*.example.com"]))]
    pub allowed_domains: Vec<DomainRule>,
    /// Domains whose addresses cannot be invited, each with all below it. They count more than the allowed
    /// ones.
    #[schema(value_type = Vec<String>, max_items = 500, example = json!(["example.net"]))]
    pub denied_domains: Vec<DomainRule>,
    /// Whether addresses that are meant to be thrown away are refused.
    #[schema(example = true)]
    pub refuse_disposable: bool,
    /// Whether addresses of a task, such as `postmaster@` or `noreply@`, are refused.
    #[schema(example = false)]
    pub refuse_role_addresses: bool,
    /// How many members and pending invitations there can be, both together; null: any number.
    #[schema(minimum = 1, maximum = 10_000_000, example = 50)]
    pub seat_limit: Option<u32>,
    /// After how many days an invitation that nobody has answered is mailed about again; empty: never.
    #[schema(max_items = 5, example = json!([3, 7]))]
    pub reminders: Vec<u16>,
}

/// A domain, in lower-case ASCII: itself, or with `*.` in front what is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DomainRule(String);

/// Why a text is no rule. Shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain such as example.com or *.example.com")]
pub struct DomainRuleError;

/// Why a policy does not let an address be invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyRefusal {
    /// Its domain is denied.
    DomainDenied,
    /// Its domain is none of those that are allowed.
    DomainNotAllowed,
    /// It is one to be thrown away.
    Disposable,
    /// It is one of a task, not of a person.
    RoleAddress,
    /// No seat is free.
    NoSeat,
}

impl OrganizationPolicy {
    /// The most domains in either list.
    pub const MOST_DOMAINS: usize = 500;
    /// The most reminders of one invitation.
    pub const MOST_REMINDERS: usize = 5;
    /// How many days after its mail an invitation can be reminded of.
    pub const LAST_REMINDER: u16 = 365;
    /// The most seats that a limit can be.
    pub const MOST_SEATS: u32 = 10_000_000;

    /// Whether the address may be invited, as far as that can be told from the address.
    pub fn check(&self, address: &EmailAddress) -> Result<(), PolicyRefusal> {
        let domain = address.domain();
        if self.denied_domains.iter().any(|rule| rule.is_or_is_above(domain)) {
            return Err(PolicyRefusal::DomainDenied);
        }
        let allowed = &self.allowed_domains;
        if !allowed.is_empty() && !allowed.iter().any(|rule| rule.matches(domain)) {
            return Err(PolicyRefusal::DomainNotAllowed);
        }
        if self.refuse_disposable && is_disposable(domain) {
            return Err(PolicyRefusal::Disposable);
        }
        if self.refuse_role_addresses && is_role_address(address) {
            return Err(PolicyRefusal::RoleAddress);
        }
        Ok(())
    }
}

impl DomainRule {
    /// Reads a rule; an internationalized domain is turned into its ASCII form, as in addresses.
    pub fn parse(text: &str) -> Result<Self, DomainRuleError> {
        let text = text.trim();
        let (below, domain) = text.strip_prefix("*.").map_or(("", text), |rest| ("*.", rest));
        // What can stand behind the @ can be a rule, and nothing else.
        let address = EmailAddress::parse(&format!("a@{domain}")).map_err(|_| DomainRuleError)?;
        Ok(Self(format!("{below}{}", address.domain())))
    }

    /// Whether it is for the domain alone.
    pub fn is_exact(&self) -> bool {
        !self.0.starts_with("*.")
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn matches(&self, domain: &str) -> bool {
        match self.0.strip_prefix("*.") {
            Some(above) => self_and_above(domain).skip(1).any(|domain| domain == above),
            None => domain == self.0,
        }
    }

    fn is_or_is_above(&self, domain: &str) -> bool {
        self_and_above(domain).any(|domain| domain == self.0)
    }
}

impl PolicyRefusal {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::DomainDenied,
        Self::DomainNotAllowed,
        Self::Disposable,
        Self::RoleAddress,
        Self::NoSeat,
    ];

    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DomainDenied => "domain_denied",
            Self::DomainNotAllowed => "domain_not_allowed",
            Self::Disposable => "disposable_address",
            Self::RoleAddress => "role_address",
            Self::NoSeat => "seat_limit_reached",
        }
    }

    /// Whether it is about the address, so that another one may well be taken.
    pub const fn is_about_address(self) -> bool {
        !matches!(self, Self::NoSeat)
    }
}
