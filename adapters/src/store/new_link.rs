//! An invitee whose invitation has expired asks for a new link.
//!
//! What is sent is a new invitation like the old one, to the same address: an old link stays dead,
//! and whoever holds it can do no more than have a mail sent to the person who was invited.

use std::time::Duration;

use chrono::TimeDelta;
use domain::invitation::InvitationEvent;
use domain::{
    CredentialPolicy, DeliveryStatus, EmailAddress, EventKind, InvitationId, InvitationStatus,
    MembershipRole, Name, OrganizationId, SendRefusal, Timestamp, UserId,
};
use entity::{event, invitation, membership};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

use super::audit::{self, By};
use super::caller::{self, OrganizationKey, role_policy};
use super::create::{NewInvitation, OnExisting};
use super::invite::{self, Invited};
use super::seats::Seats;
use super::{Actor, Result, Store, Verdict, change, convert, limit, members, policy, still_given};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRequest {
    /// A mail with a new link is on its way to the invited address.
    Sent,
    /// The organization sees the wish in the invitation's timeline.
    Noted,
    /// The invitation has not expired.
    NotExpired(InvitationStatus),
}

/// Why a wish is only noted; the word is in the audit log.
enum NotSent {
    TooLate,
    Replaced,
    Member,
    Role,
    Suppressed,
    Refused(SendRefusal),
}

enum Tried {
    Sent,
    Not(OrganizationId, NotSent),
    NotExpired(InvitationStatus),
}

/// Whoever holds an old link can ask for ever, and the log must not grow with it.
const NOTED_AT_MOST: usize = 10;
const NOTED_EVERY: TimeDelta = TimeDelta::days(1);

impl Store {
    /// Invites the person once more if the invitation has not been over for longer than `within`, if
    /// none came after it, and if the limits allow the mail. Otherwise notes the wish: at most once
    /// a day, and at most ten times.
    pub async fn request_link(&self, id: InvitationId, within: TimeDelta) -> Result<LinkRequest> {
        let store = self.clone();
        let tried = self.write(move |tx, now| {
            Box::pin(async move { store.invite_again(tx, now, id, within).await })
        });
        match tried.await? {
            Tried::Sent => {
                self.outlet.wake();
                Ok(LinkRequest::Sent)
            }
            Tried::NotExpired(status) => Ok(LinkRequest::NotExpired(status)),
            Tried::Not(organization, why) => {
                if matches!(why, NotSent::Refused(SendRefusal::Paused)) {
                    self.pause_sending(organization).await?;
                }
                self.note_wish(id, why.as_str()).await?;
                Ok(LinkRequest::Noted)
            }
        }
    }

    async fn invite_again(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        id: InvitationId,
        within: TimeDelta,
    ) -> Result<Verdict<Tried>> {
        let broken = |column| convert::inconsistent("invitation", column);
        // Seats come before invitations, for everybody.
        let row = invitation::Entity::find_by_id(id.uuid()).one(tx).await?;
        let row = row.ok_or(broken("id"))?;
        let organization = OrganizationId::from_uuid(row.organization_id);
        let inviter = row.inviter_id.map(UserId::from_uuid);
        let actor = Actor::Invitee { user: UserId::from_uuid(row.user_id), inviter };
        let host = caller::find(tx, OrganizationKey::Id(organization)).await?;
        let host = host.ok_or(broken("organization_id"))?;
        let inviting = self.inviting(organization, actor, policy::of(&host)?);
        let mut seats = Seats::lock(tx, now, &inviting).await?;
        let row = change::locked(tx, id).await?.ok_or(broken("id"))?;
        let not = |why| Ok(Verdict::RollBack(Tried::Not(organization, why)));
        let status = match convert::invitation(&row)?.apply(InvitationEvent::Accept, now) {
            Ok(_) => InvitationStatus::Pending,
            Err(illegal) => illegal.from,
        };
        if status != InvitationStatus::Expired {
            return Ok(Verdict::RollBack(Tried::NotExpired(status)));
        }
        if row.expires_at + within <= now {
            return not(NotSent::TooLate);
        }
        // Also one that has ended since: what the organization took back must not come again.
        if came_after(tx, &row).await? {
            return not(NotSent::Replaced);
        }
        let Ok(role) = role_policy(&host)?.choose(Some(&row.role)) else {
            return not(NotSent::Role);
        };
        if !still_given::inviter_has_it(tx, &row).await? {
            return not(NotSent::Role);
        }
        let new = copy(tx, &row, role).await?;
        let mut mails = Vec::new();
        let view = match invite::invite(tx, now, &inviting, &new, &mut seats, &mut mails).await? {
            Invited::New(view) => view,
            Invited::Member => return not(NotSent::Member),
            Invited::NotAllowed(why) => return not(NotSent::Refused(SendRefusal::Policy(why))),
            Invited::Pending { .. } | Invited::Refused(_) | Invited::Overtaken => {
                return not(NotSent::Replaced);
            }
        };
        if view.delivery.status == DeliveryStatus::Suppressed {
            return not(NotSent::Suppressed);
        }
        let data = serde_json::json!({ "sent": true, "invitation_id": view.id });
        audit::record(tx, now, &row, EventKind::LinkRequested, By::Invitee, data).await?;
        if let Some(refused) = limit::count(tx, now, &inviting.limits, &mails).await?.first() {
            return not(NotSent::Refused(refused.why));
        }
        Ok(Verdict::Commit(Tried::Sent))
    }

    async fn note_wish(&self, id: InvitationId, reason: &'static str) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let kind = EventKind::LinkRequested;
                let Some(row) = change::locked(tx, id).await? else {
                    return Ok(Verdict::RollBack(()));
                };
                let noted = event::Entity::find()
                    .filter(event::Column::InvitationId.eq(row.id))
                    .filter(event::Column::Kind.eq(kind.as_str()))
                    .order_by_desc(event::Column::Id)
                    .all(tx)
                    .await?;
                let lately = noted.first().is_some_and(|last| last.created_at + NOTED_EVERY > now);
                if lately || noted.len() >= NOTED_AT_MOST {
                    return Ok(Verdict::RollBack(()));
                }
                let data = serde_json::json!({ "sent": false, "reason": reason });
                audit::record(tx, now, &row, kind, By::Invitee, data).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}

/// Whether the organization has invited the address again since.
async fn came_after(tx: &DatabaseTransaction, row: &invitation::Model) -> Result<bool> {
    let later = invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(row.organization_id))
        .filter(invitation::Column::EmailNormalized.eq(row.email_normalized.clone()))
        .filter(invitation::Column::Id.gt(row.id));
    Ok(later.one(tx).await?.is_some())
}

/// An invitation like that one.
pub(super) async fn copy(
    tx: &DatabaseTransaction,
    row: &invitation::Model,
    role: MembershipRole,
) -> Result<NewInvitation> {
    let broken = |column| convert::inconsistent("invitation", column);
    let place = membership::Entity::find()
        .filter(membership::Column::Id.eq(row.membership_id))
        .one(tx)
        .await?
        .ok_or(broken("membership_id"))?;
    let name = |text: &Option<String>| text.as_deref().and_then(|text| Name::parse(text).ok());
    // The time that a scheduled one had to wait is none that anybody had to answer.
    let begins = change::current_delivery(tx, row).await?.send_at.unwrap_or(row.created_at);
    let lifetime = (row.expires_at - begins).to_std();
    Ok(NewInvitation {
        email: EmailAddress::parse(&row.email).map_err(|_| broken("email"))?,
        first_name: name(&row.first_name),
        last_name: name(&row.last_name),
        role,
        position: members::position(&place)?,
        locale: row.locale.clone(),
        metadata: row.metadata.clone(),
        expires_in: lifetime.unwrap_or(Duration::from_secs(1)),
        send_at: None,
        credential: CredentialPolicy::parse(&row.credential).ok_or(broken("credential"))?,
        password_hash: None,
        secret: None,
        on_existing: OnExisting::Error,
    })
}

impl NotSent {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::TooLate => "too_late",
            Self::Replaced => "invited_again",
            Self::Member => "already_member",
            Self::Role => "role_not_given",
            Self::Suppressed => "suppressed",
            Self::Refused(SendRefusal::Limit { limit, .. }) => limit.as_str(),
            Self::Refused(SendRefusal::JustResent { .. }) => "resent_just_now",
            Self::Refused(SendRefusal::Paused) => "sending_paused",
            Self::Refused(SendRefusal::Policy(why)) => why.as_str(),
        }
    }
}
