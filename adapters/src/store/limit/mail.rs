//! A mail as limits see it: who sends it to whom.

use domain::{DeliveryStatus, EmailAddress, Limit, Mailbox, OrganizationId, UserId};
use entity::{delivery, invitation};

use crate::store::{Actor, Result, convert};

/// One mail that a transaction has queued.
pub(in crate::store) struct Mail {
    /// Whose it is.
    pub(super) organization: OrganizationId,
    /// The first of its invitation, not a resend.
    pub(in crate::store) first: bool,
    /// Whose key or token asked for it; nobody asks for a reminder.
    caller: Option<Vec<u8>>,
    inviter: Option<Vec<u8>>,
    mailbox: Mailbox,
    domain: String,
}

impl Mail {
    /// The mail that was planned; `None` if it is not going to be sent.
    pub(in crate::store) fn planned(
        actor: &Actor,
        invitation: &invitation::Model,
        delivery: &delivery::Model,
    ) -> Result<Option<Self>> {
        // A scheduled mail counts when it is asked for.
        let waits = [DeliveryStatus::Queued.as_str(), DeliveryStatus::Scheduled.as_str()];
        if !waits.contains(&delivery.status.as_str()) {
            return Ok(None);
        }
        let email = EmailAddress::parse(&invitation.email)
            .map_err(|_| convert::inconsistent("invitation", "email"))?;
        let user = actor.user().map(UserId::uuid);
        let person = user.map(|id| id.into_bytes().to_vec());
        Ok(Some(Self {
            organization: OrganizationId::from_uuid(invitation.organization_id),
            first: delivery.generation == 1,
            caller: Some(actor.credential()),
            inviter: person.or_else(|| actor.stranger()),
            mailbox: Mailbox::of(&email),
            domain: email.domain().to_owned(),
        }))
    }

    /// A reminder, which nobody asks for: it counts for its recipient and its organization.
    pub(in crate::store) fn reminder(
        invitation: &invitation::Model,
        delivery: &delivery::Model,
    ) -> Result<Option<Self>> {
        let user = UserId::from_uuid(invitation.user_id);
        let nobody = Actor::Invitee { user, inviter: None };
        let planned = Self::planned(&nobody, invitation, delivery)?;
        Ok(planned.map(|mail| Self { caller: None, inviter: None, ..mail }))
    }

    /// One that shows what a template makes: it counts like the resend of an invitation.
    pub(in crate::store) fn test(
        actor: &Actor,
        organization: OrganizationId,
        email: &EmailAddress,
    ) -> Self {
        let person = actor.user().map(|user| user.uuid().into_bytes().to_vec());
        Self {
            organization,
            first: false,
            caller: Some(actor.credential()),
            inviter: person.or_else(|| actor.stranger()),
            mailbox: Mailbox::of(email),
            domain: email.domain().to_owned(),
        }
    }

    /// Where it counts: each limit, and what that is a limit of.
    pub(super) fn subjects(&self, is_new: bool) -> impl Iterator<Item = (Limit, Vec<u8>)> {
        let organization = self.organization.uuid().into_bytes();
        let mailbox = self.mailbox.as_bytes();
        let own = |whose: &[u8]| [&organization[..], whose].concat();
        [
            (Limit::KeyPerMinute, self.caller.clone()),
            (Limit::OrganizationPerDay, Some(organization.to_vec())),
            (Limit::NewOrganizationPerDay, is_new.then(|| organization.to_vec())),
            (Limit::InviterPerDay, self.inviter.clone()),
            (Limit::RecipientDomainPerHour, Some(own(self.domain.as_bytes()))),
            (Limit::SendsPerRecipientPerDay, Some(own(mailbox))),
            (Limit::OrganizationsPerRecipientPerDay, Some(mailbox.to_vec())),
            (Limit::OrganizationsPerRecipientPerWeek, Some(mailbox.to_vec())),
        ]
        .into_iter()
        .filter_map(|(limit, subject)| Some((limit, subject?)))
    }
}
