//! Whether a delivery may be claimed, and what its mail needs to know.

use domain::delivery::DeliveryEvent;
use domain::{
    AttemptToken, CredentialPolicy, DeliveryKind, DeliveryStatus, EmailAddress, InvitationId,
    InvitationStatus, OrganizationId, Timestamp,
};
use entity::{delivery, former_token, invitation, organization, user};
use sea_orm::prelude::{Json, Uuid};
use sea_orm::{DerivePartialModel, JoinType, QuerySelect, RelationTrait, Select, Set};

use super::claim::{Claimed, ClaimedMail, NewSecret, Wanted};
use super::convert::StateRow;
use super::former::Overlap;
use super::own_templates::TemplateVersion;
use super::{Result, accept, branding, convert};
use crate::rng;
use crate::secret::{Owner, Secret};

/// A locked delivery that somebody wants to have, as far as a claim and its mail need it.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "delivery::Entity")]
pub(super) struct Claimable {
    #[sea_orm(nested)]
    pub(super) delivery: StateRow,
    kind: String,
    send_at: Option<Timestamp>,
    message_id: String,
    template: Option<String>,
    repeated: i32,
    created_at: Timestamp,
    #[sea_orm(nested)]
    invitation: Invited,
    #[sea_orm(nested)]
    organization: Option<Sender>,
    #[sea_orm(nested)]
    inviter: Inviter,
}

/// Whom a mail is for, and the secrets of those before it.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "invitation::Entity")]
pub(super) struct Invited {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) role: String,
    pub(super) locale: String,
    pub(super) credential: String,
    pub(super) status: String,
    pub(super) generation: i32,
    pub(super) expires_at: Timestamp,
    pub(super) secret_generation: i32,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) token_hash: Option<Vec<u8>>,
    pub(super) password_hash: Option<Vec<u8>>,
    pub(super) password_expires_at: Option<Timestamp>,
    pub(super) wrong_passwords: i32,
}

/// The organization that a mail is from.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "organization::Entity")]
struct Sender {
    id: Uuid,
    name: String,
    templates: Option<Json>,
    branding: Option<Json>,
}

/// The person whom it is from; without a name, or nobody, it is from the organization alone.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "user::Entity")]
struct Inviter {
    first_name: Option<String>,
    last_name: Option<String>,
}

/// A claim that is allowed, and what is to be written for it.
pub(super) struct Claim {
    pub(super) claimed: Claimed,
    pub(super) delivery: delivery::ActiveModel,
    /// The secret, if this claim is the first of its generation.
    pub(super) secret: Option<invitation::ActiveModel>,
    /// The link before it, if that stays good.
    pub(super) former: Option<former_token::ActiveModel>,
    /// The invitation, if its links before that one end sooner because of this one.
    pub(super) ends_former: Option<Uuid>,
}

impl Claimable {
    /// Joins to deliveries and their invitations whom the mails are from.
    pub(super) fn with_senders(deliveries: Select<delivery::Entity>) -> Select<delivery::Entity> {
        deliveries
            .left_join(organization::Entity)
            .join(JoinType::LeftJoin, invitation::Relation::Inviter.def())
    }

    /// The claim, if the invitation is open in this generation and the delivery waits and is due.
    pub(super) fn claim(&self, now: Timestamp, wanted: &Wanted) -> Result<Option<Claim>> {
        let Self { delivery, invitation, .. } = self;
        let generation = convert::column(wanted.generation);
        let open = invitation.status == InvitationStatus::Pending.as_str()
            && invitation.generation == generation
            && invitation.expires_at > now;
        if !open || delivery.generation != generation {
            return Ok(None);
        }
        let attempt = AttemptToken::new(now, &mut rng());
        let event = DeliveryEvent::Claim { attempt, lease_until: now + wanted.lease };
        let Ok(next) = convert::delivery(delivery)?.apply(&event, now) else { return Ok(None) };
        let mut columns = convert::delivery_columns(&next, now);
        columns.postponed = Set(false);
        // A mail that may have arrived is being repeated.
        let repeated = delivery.status == DeliveryStatus::Uncertain.as_str();
        columns.repeated = Set(self.repeated + i32::from(repeated));
        let (template, changed) = self.template(repeated)?;
        if changed {
            columns.template = Set(template.as_ref().map(TemplateVersion::to_string));
        }
        let mail = self.mail()?;
        let (sealed, secret) = self.secret(now, wanted, &mail)?;
        let overlap = secret.as_ref().map(|secret| overlap(wanted, mail.kind, secret));
        let former = overlap.as_ref().and_then(|overlap| overlap.keep(now, invitation));
        let ends_former = overlap.and_then(|overlap| overlap.ends(invitation));
        let claimed = Claimed {
            delivery: next,
            attempt,
            started_at: now,
            asked_at: self.send_at.unwrap_or(self.created_at),
            mail,
            template,
            sealed,
        };
        Ok(Some(Claim { claimed, delivery: columns, secret, former, ends_former }))
    }

    /// The organization's template as it is now, and whether the delivery says another one. What may
    /// have arrived is repeated as it was.
    fn template(&self, repeated: bool) -> Result<(Option<TemplateVersion>, bool)> {
        let recorded = self.template.as_deref();
        let current =
            self.organization.as_ref().and_then(|organization| organization.templates.as_ref());
        if repeated || current.is_none() {
            let kept = recorded.filter(|_| repeated).map(TemplateVersion::parse).transpose()?;
            return Ok((kept, !repeated && recorded.is_some()));
        }
        let wanted = &self.invitation.locale;
        let template = current.and_then(|current| TemplateVersion::of(current, wanted));
        let changed = template.as_ref().map(TemplateVersion::to_string).as_deref() != recorded;
        Ok((template, changed))
    }

    fn mail(&self) -> Result<ClaimedMail> {
        let Self { invitation, organization, inviter, .. } = self;
        let organization =
            organization.as_ref().ok_or(convert::inconsistent("delivery", "organization_id"))?;
        // Parsed once more: what comes back from the database is not taken on trust.
        let email = EmailAddress::parse(&invitation.email)
            .map_err(|_| convert::inconsistent("invitation", "email"))?;
        let support = branding::said_in(organization.branding.as_ref())?.support_url;
        Ok(ClaimedMail {
            organization_id: OrganizationId::from_uuid(organization.id),
            organization_name: organization.name.clone(),
            inviter: inviter.name(),
            support: support.map(|link| link.shown().to_owned()),
            email,
            first_name: invitation.first_name.clone(),
            last_name: invitation.last_name.clone(),
            role: invitation.role.clone(),
            locale: invitation.locale.clone(),
            expires_at: invitation.expires_at,
            message_id: self.message_id.clone(),
            credential: CredentialPolicy::parse(&invitation.credential)
                .ok_or(convert::inconsistent("invitation", "credential"))?,
            kind: DeliveryKind::parse(&self.kind)
                .ok_or(convert::inconsistent("delivery", "kind"))?,
        })
    }

    /// The secret of this generation, sealed; and what is to be stored if it is a new one.
    fn secret(
        &self,
        now: Timestamp,
        wanted: &Wanted,
        mail: &ClaimedMail,
    ) -> Result<(Vec<u8>, Option<invitation::ActiveModel>)> {
        let (row, generation) = (&self.invitation, self.delivery.generation);
        if row.secret_generation >= generation {
            let sealed = row.sealed.clone().filter(|_| row.secret_generation == generation);
            return Ok((sealed.ok_or(convert::inconsistent("invitation", "sealed"))?, None));
        }
        let invitation = InvitationId::from_uuid(row.id);
        let owner = Owner { invitation, generation: wanted.generation };
        let reminds = mail.kind == DeliveryKind::Reminder;
        // The password of the mail before stays good: a reminder brings a link alone.
        let credential = if reminds { CredentialPolicy::Link } else { mail.credential };
        // Random and strong: nothing in here takes longer than microseconds.
        let NewSecret { sealed, token_hash, password_hash } =
            Secret::generate(credential, now, &mut rng()).stored(&wanted.keys, owner, &mut rng());
        let stored = invitation::ActiveModel {
            id: Set(row.id),
            secret_generation: Set(generation),
            sealed: Set(Some(sealed.clone())),
            token_hash: Set(Some(token_hash.to_vec())),
            password_hash: Set(match password_hash {
                None if reminds => row.password_hash.clone(),
                hash => hash.map(domain::SecretHash::to_vec),
            }),
            password_expires_at: Set(row.password_expires_at.filter(|_| reminds)),
            wrong_passwords: Set(if reminds { row.wrong_passwords } else { 0 }),
            updated_at: Set(now),
            ..Default::default()
        };
        Ok((sealed, Some(stored)))
    }
}

impl Inviter {
    fn name(&self) -> Option<String> {
        accept::joined(self.first_name.as_deref(), self.last_name.as_deref())
    }
}

/// What a new secret leaves of those before it.
const fn overlap(wanted: &Wanted, kind: DeliveryKind, secret: &invitation::ActiveModel) -> Overlap {
    let has_password = matches!(secret.password_hash, Set(Some(_)));
    let Wanted { link_overlap: lasts, wrong_passwords, .. } = *wanted;
    Overlap { kind, lasts, wrong_passwords, has_password }
}
