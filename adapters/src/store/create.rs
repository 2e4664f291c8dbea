//! Recording an invitation: user, membership, invitation, delivery, outbox and event, or nothing.

use std::time::Duration;

use domain::{
    ApiKeyId, EmailAddress, EventKind, InvitationId, InvitationStatus, MembershipId,
    MembershipRole, Name, OrganizationId, Timestamp, UserId,
};
use entity::invitation;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use super::idempotency::{self, IdempotencyKey};
use super::view::InvitationView;
use super::{
    DeliveryPolicy, Result, Store, StoreError, Verdict, audit, close, insert_if_new, member, plan,
};
use crate::rng;

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Whom to invite.
    pub email: EmailAddress,
    /// For the greeting.
    pub first_name: Option<Name>,
    /// For the address line.
    pub last_name: Option<Name>,
    /// What the invitee will be.
    pub role: MembershipRole,
    /// The language of the mail and the pages.
    pub locale: String,
    /// Kept for the caller, never looked into.
    pub metadata: serde_json::Value,
    /// How long the invitation can be accepted.
    pub expires_in: Duration,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// The key they used.
    pub key: ApiKeyId,
}

/// How a request to create ended.
#[derive(Debug)]
pub enum CreateOutcome {
    /// The invitation is recorded and its mail will be sent.
    Created(Box<InvitationView>),
    /// The same request was answered before, with this JSON body.
    Replayed(String),
    /// The idempotency key belongs to a different request.
    KeyReused,
    /// The address has this open invitation to the organization.
    AlreadyPending(InvitationId),
    /// The address belongs to an active member.
    AlreadyMember,
}

impl Store {
    /// Records an invitation and the intent to mail it, in one transaction.
    pub async fn create_invitation(
        &self,
        organization: OrganizationId,
        actor: Actor,
        new: NewInvitation,
        key: Option<IdempotencyKey>,
    ) -> Result<CreateOutcome> {
        let request = Request { organization, actor, new, key, policy: self.policy.clone() };
        let outcome = self
            .write(move |tx, now| Box::pin(async move { create(tx, now, request).await }))
            .await?;
        if matches!(outcome, CreateOutcome::Created(_)) {
            self.outbox_wake.notify_one();
        }
        Ok(outcome)
    }
}

struct Request {
    organization: OrganizationId,
    actor: Actor,
    new: NewInvitation,
    key: Option<IdempotencyKey>,
    policy: DeliveryPolicy,
}

async fn create(
    tx: &DatabaseTransaction,
    now: Timestamp,
    request: Request,
) -> Result<Verdict<CreateOutcome>> {
    let Request { organization, actor, new, key, policy } = request;
    if let Some(key) = &key
        && let Some(earlier) = idempotency::claim(tx, now, organization, key).await?
    {
        return Ok(Verdict::RollBack(earlier));
    }
    expire_overdue(tx, now, organization, &new.email).await?;
    let user = member::find_or_add_user(tx, now, &new).await?;
    let Some(membership) = member::invite(tx, now, organization, user, &new.role).await? else {
        return Ok(Verdict::RollBack(CreateOutcome::AlreadyMember));
    };
    let row = invitation_row(now, organization, membership, user, actor, &new);
    let id = InvitationId::from_uuid(row.id);
    if !insert_if_new(tx, row.clone().into_active_model()).await? {
        let pending = pending_id(tx, organization, &new.email).await?.ok_or(StoreError::Busy)?;
        return Ok(Verdict::RollBack(CreateOutcome::AlreadyPending(pending)));
    }
    let delivery = plan::add_delivery(tx, now, &policy, &row).await?;
    let data = serde_json::json!({ "role": new.role.as_str(), "delivery_id": delivery.id });
    audit::record(tx, now, &row, EventKind::InvitationCreated, actor.into(), data).await?;
    let view = InvitationView::new(row, delivery)?;
    if let Some(key) = &key {
        idempotency::keep_answer(tx, organization, key, &view).await?;
    }
    tracing::debug!(invitation.id = %id, "invitation recorded");
    Ok(Verdict::Commit(CreateOutcome::Created(Box::new(view))))
}

/// An invitation whose time has passed never blocks a new one, whether or not the sweep was here.
async fn expire_overdue(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    email: &EmailAddress,
) -> Result<()> {
    let overdue = invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
        .filter(invitation::Column::EmailNormalized.eq(email.normalized()))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .filter(invitation::Column::ExpiresAt.lte(now))
        .one(tx)
        .await?;
    match overdue {
        Some(row) => close::expire(tx, now, row).await,
        None => Ok(()),
    }
}

fn invitation_row(
    now: Timestamp,
    organization: OrganizationId,
    membership: MembershipId,
    user: UserId,
    actor: Actor,
    new: &NewInvitation,
) -> invitation::Model {
    invitation::Model {
        id: InvitationId::new(now, &mut rng()).uuid(),
        organization_id: organization.uuid(),
        membership_id: membership.uuid(),
        user_id: user.uuid(),
        inviter_id: Some(actor.user.uuid()),
        email: new.email.as_given().to_owned(),
        email_normalized: new.email.normalized(),
        first_name: new.first_name.as_ref().map(|name| name.as_str().to_owned()),
        last_name: new.last_name.as_ref().map(|name| name.as_str().to_owned()),
        role: new.role.as_str().to_owned(),
        locale: new.locale.clone(),
        metadata: new.metadata.clone(),
        status: InvitationStatus::Pending.as_str().to_owned(),
        generation: 1,
        secret_generation: 0,
        token_hash: None,
        password_hash: None,
        password_expires_at: None,
        sealed: None,
        email_sent: false,
        email_sent_at: None,
        expires_at: now + new.expires_in,
        closed_at: None,
        created_at: now,
        updated_at: now,
    }
}

async fn pending_id(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    email: &EmailAddress,
) -> Result<Option<InvitationId>> {
    let row = invitation::Entity::find()
        .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
        .filter(invitation::Column::EmailNormalized.eq(email.normalized()))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .one(tx)
        .await?;
    Ok(row.map(|row| InvitationId::from_uuid(row.id)))
}
