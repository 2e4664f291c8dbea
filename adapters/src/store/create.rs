//! Recording an invitation: user, membership, invitation, delivery, outbox and event, or nothing.

use std::time::Duration;

use domain::{
    ApiKeyId, DeliveryId, DeliveryStatus, EmailAddress, EventKind, InvitationId, InvitationStatus,
    MembershipId, MembershipRole, Name, OrganizationId, SecretHash, Timestamp, UserId,
};
use entity::{delivery, idempotency_key, invitation, membership, suppression, user};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, NotSet,
    QueryFilter, Set,
};

use super::view::InvitationView;
use super::{DeliveryPolicy, Result, Store, StoreError, Verdict, change, insert_if_new, outbox};
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

/// What makes a request recognizable when it is sent again.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The caller's own word for it.
    pub key: String,
    /// What it was sent to.
    pub route: &'static str,
    /// The hash of what it said.
    pub fingerprint: SecretHash,
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

const ACTIVE: &str = "active";
const INVITED: &str = "invited";

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
        && let Some(earlier) = claim_key(tx, now, organization, key).await?
    {
        return Ok(Verdict::RollBack(earlier));
    }
    expire_overdue(tx, now, organization, &new.email).await?;
    let user = find_or_add_user(tx, now, &new).await?;
    let Some(membership) = invite_member(tx, now, organization, user, &new.role).await? else {
        return Ok(Verdict::RollBack(CreateOutcome::AlreadyMember));
    };
    let row = invitation_row(now, organization, membership, user, actor, &new);
    let id = InvitationId::from_uuid(row.id);
    if !insert_if_new(tx, row.clone().into_active_model()).await? {
        let pending = pending_id(tx, organization, &new.email).await?.ok_or(StoreError::Busy)?;
        return Ok(Verdict::RollBack(CreateOutcome::AlreadyPending(pending)));
    }
    let delivery = add_delivery(tx, now, &policy, &row).await?;
    let data = serde_json::json!({ "role": new.role.as_str(), "delivery_id": delivery.id });
    change::record(tx, now, &row, EventKind::InvitationCreated, actor.into(), data).await?;
    let view = InvitationView::new(row, delivery)?;
    if let Some(key) = key {
        let body = serde_json::to_string(&view)
            .map_err(|error| StoreError::Database(error.to_string()))?;
        idempotency_key::Entity::update_many()
            .set(idempotency_key::ActiveModel { body: Set(body), ..Default::default() })
            .filter(idempotency_key::Column::OrganizationId.eq(organization.uuid()))
            .filter(idempotency_key::Column::Route.eq(key.route))
            .filter(idempotency_key::Column::Key.eq(key.key))
            .exec(tx)
            .await?;
    }
    tracing::debug!(invitation.id = %id, "invitation recorded");
    Ok(Verdict::Commit(CreateOutcome::Created(Box::new(view))))
}

/// Takes the key for this request, or finds the answer that the first one got. A request with the
/// same key that is still under way makes this one wait on the unique index.
async fn claim_key(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    key: &IdempotencyKey,
) -> Result<Option<CreateOutcome>> {
    let row = idempotency_key::ActiveModel {
        organization_id: Set(organization.uuid()),
        route: Set(key.route.to_owned()),
        key: Set(key.key.clone()),
        fingerprint: Set(key.fingerprint.to_vec()),
        body: Set(String::new()),
        created_at: Set(now),
    };
    if insert_if_new(tx, row).await? {
        return Ok(None);
    }
    let id = (organization.uuid(), key.route.to_owned(), key.key.clone());
    let first = idempotency_key::Entity::find_by_id(id).one(tx).await?.ok_or(StoreError::Busy)?;
    let same = SecretHash::from_bytes(&first.fingerprint) == Some(key.fingerprint);
    Ok(Some(if same { CreateOutcome::Replayed(first.body) } else { CreateOutcome::KeyReused }))
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
        Some(row) => change::expire(tx, now, row).await,
        None => Ok(()),
    }
}

async fn find_or_add_user(
    tx: &DatabaseTransaction,
    now: Timestamp,
    new: &NewInvitation,
) -> Result<UserId> {
    let row = user::ActiveModel {
        number: NotSet,
        id: Set(UserId::new(now, &mut rng()).uuid()),
        email: Set(new.email.as_given().to_owned()),
        email_normalized: Set(new.email.normalized()),
        first_name: Set(new.first_name.as_ref().map(|name| name.as_str().to_owned())),
        last_name: Set(new.last_name.as_ref().map(|name| name.as_str().to_owned())),
        status: Set(INVITED.to_owned()),
        password_hash: Set(None),
        must_change_password: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
    };
    insert_if_new(tx, row).await?;
    let user = user::Entity::find()
        .filter(user::Column::EmailNormalized.eq(new.email.normalized()))
        .one(tx)
        .await?;
    user.map(|row| UserId::from_uuid(row.id)).ok_or(StoreError::Busy)
}

/// Makes sure there is a membership that waits for its invitee; `None` if it is active already.
async fn invite_member(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    user: UserId,
    role: &MembershipRole,
) -> Result<Option<MembershipId>> {
    let id = MembershipId::new(now, &mut rng());
    let row = membership::ActiveModel {
        number: NotSet,
        id: Set(id.uuid()),
        organization_id: Set(organization.uuid()),
        user_id: Set(user.uuid()),
        role: Set(role.as_str().to_owned()),
        status: Set(INVITED.to_owned()),
        deleted_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    if insert_if_new(tx, row).await? {
        return Ok(Some(id));
    }
    let found = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization.uuid()))
        .filter(membership::Column::UserId.eq(user.uuid()))
        .one(tx)
        .await?
        .ok_or(StoreError::Busy)?;
    if found.status == ACTIVE {
        return Ok(None);
    }
    let id = MembershipId::from_uuid(found.id);
    let mut again = found.into_active_model();
    again.role = Set(role.as_str().to_owned());
    again.status = Set(INVITED.to_owned());
    again.deleted_at = Set(None);
    again.updated_at = Set(now);
    again.update(tx).await?;
    Ok(Some(id))
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

/// Plans the mail of an invitation's current generation, unless the address is suppressed.
pub(super) async fn add_delivery(
    tx: &DatabaseTransaction,
    now: Timestamp,
    policy: &DeliveryPolicy,
    invitation: &invitation::Model,
) -> Result<delivery::Model> {
    let id = DeliveryId::new(now, &mut rng());
    let suppressed = suppression::Entity::find_by_id((
        invitation.organization_id,
        invitation.email_normalized.clone(),
    ))
    .one(tx)
    .await?;
    let status =
        if suppressed.is_some() { DeliveryStatus::Suppressed } else { DeliveryStatus::Queued };
    let row = delivery::Model {
        id: id.uuid(),
        organization_id: invitation.organization_id,
        invitation_id: invitation.id,
        generation: invitation.generation,
        status: status.as_str().to_owned(),
        attempts: 0,
        attempt_token: None,
        lease_until: None,
        next_attempt_at: None,
        give_up_at: invitation.expires_at.min(now + policy.give_up_after),
        reason: suppressed.as_ref().map(|row| row.reason.clone()),
        detail: suppressed.as_ref().map(|_| {
            "an earlier mail to this address was refused for good, so none is tried".to_owned()
        }),
        message_id: format!("{id}.{}@{}", invitation.generation, policy.mail_domain),
        repeated: 0,
        postponed: false,
        settled_at: suppressed.as_ref().map(|_| now),
        created_at: now,
        updated_at: now,
    };
    delivery::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    if suppressed.is_none() {
        outbox::add(tx, now, id, row.generation, now).await?;
    }
    Ok(row)
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
