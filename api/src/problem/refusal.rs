//! Why a mail is not sent now, for programs and for people.

use domain::{Limit, PolicyRefusal, SendRefusal, SuppressionReason};

/// The word for programs. What others do to a mailbox has the same one as what the caller does.
pub const fn code(why: SendRefusal) -> &'static str {
    match why {
        SendRefusal::Limit { limit, .. } => match limit {
            Limit::KeyPerMinute => "key_rate_limited",
            Limit::OrganizationPerDay => "organization_rate_limited",
            Limit::NewOrganizationPerDay => "organization_warming_up",
            Limit::InviterPerDay => "inviter_rate_limited",
            Limit::RecipientDomainPerHour => "domain_rate_limited",
            Limit::SendsPerRecipientPerDay
            | Limit::OrganizationsPerRecipientPerDay
            | Limit::OrganizationsPerRecipientPerWeek => "recipient_rate_limited",
        },
        SendRefusal::JustResent { .. } => "resent_just_now",
        SendRefusal::Paused => "sending_paused",
        SendRefusal::Policy(why) => why.as_str(),
    }
}

/// What to do next.
pub const fn sentence(why: SendRefusal) -> &'static str {
    match why {
        SendRefusal::Limit { limit, .. } => match limit {
            Limit::KeyPerMinute => {
                "This key has asked for as many mails as it may in a minute. Wait as long as \
                 Retry-After says."
            }
            Limit::OrganizationPerDay => {
                "The organization has sent as many mails as it may in a day. Go on tomorrow (UTC), \
                 or ask the operator for more."
            }
            Limit::NewOrganizationPerDay => {
                "A new organization may send few mails a day until some of its invitations are \
                 accepted. Go on tomorrow (UTC), or ask the operator to trust it."
            }
            Limit::InviterPerDay => {
                "As many people were invited in this person's name as may be in a day. Go on \
                 tomorrow (UTC), or ask the operator for more."
            }
            Limit::RecipientDomainPerHour => {
                "The organization has sent as many mails to this domain as it may in an hour. Wait \
                 as long as Retry-After says."
            }
            Limit::SendsPerRecipientPerDay
            | Limit::OrganizationsPerRecipientPerDay
            | Limit::OrganizationsPerRecipientPerWeek => {
                "This address cannot get more invitations for now. Wait as long as Retry-After \
                 says."
            }
        },
        SendRefusal::JustResent { .. } => {
            "This invitation was sent again a moment ago. Wait as long as Retry-After says."
        }
        SendRefusal::Paused => {
            "Too few of the organization's invitations were accepted, so it may send none. Ask the \
             operator to look at it."
        }
        SendRefusal::Policy(why) => match why {
            PolicyRefusal::DomainDenied => {
                "The organization does not invite addresses at this domain. Take another address, or \
                 change its policy."
            }
            PolicyRefusal::DomainNotAllowed => {
                "The organization invites only addresses at domains that its policy names. Take \
                 another address, or change the policy."
            }
            PolicyRefusal::Disposable => {
                "This address is meant to be thrown away, and the organization invites none such. \
                 Take another address."
            }
            PolicyRefusal::RoleAddress => {
                "This address belongs to a task and not to a person, and the organization invites none \
                 such. Take the address of whoever is meant."
            }
            PolicyRefusal::NoSeat => {
                "All seats are taken by members and pending invitations. Remove or revoke one, or \
                 raise the seat limit of the policy."
            }
        },
    }
}

/// Why an address gets no mail, and what to do.
pub const fn suppressed(why: SuppressionReason) -> &'static str {
    match why {
        SuppressionReason::NoSuchRecipient => {
            "An earlier mail to this address was refused for good, so none is sent. Take another \
             address, or lift its suppression."
        }
        SuppressionReason::HardBounce => {
            "An earlier mail to this address came back for good, so none is sent. Take another \
             address, or lift its suppression."
        }
        SuppressionReason::Complaint => {
            "The person behind this address called an earlier mail spam, so none is sent. Take \
             another address."
        }
        SuppressionReason::Unwanted => {
            "The person behind this address did not expect an invitation, so none is sent. Take \
             another address."
        }
        SuppressionReason::ByHand => {
            "An admin has put this address on the list of those that get no mail. Take another \
             address, or lift its suppression."
        }
    }
}

/// One of each code.
pub fn examples() -> Vec<SendRefusal> {
    let seconds = std::time::Duration::from_secs;
    let limit = |(limit, wait)| SendRefusal::Limit { limit, retry_after: seconds(wait) };
    let limits = [
        (Limit::KeyPerMinute, 37),
        (Limit::OrganizationPerDay, 52_199),
        (Limit::NewOrganizationPerDay, 52_199),
        (Limit::InviterPerDay, 52_199),
        (Limit::RecipientDomainPerHour, 1799),
        (Limit::SendsPerRecipientPerDay, 52_199),
    ];
    let others = [SendRefusal::JustResent { retry_after: seconds(540) }, SendRefusal::Paused];
    let policy = PolicyRefusal::ALL.map(SendRefusal::Policy);
    limits.map(limit).into_iter().chain(others).chain(policy).collect()
}
