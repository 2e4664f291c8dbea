//! A worker takes a delivery, and the secret its mail carries is fixed.

use std::time::Duration;

use domain::{
    AttemptToken, CredentialPolicy, Delivery, DeliveryId, DeliveryStatus, EmailAddress, Generation,
    InvitationId, InvitationStatus, OrganizationId, SecretHash, Timestamp,
};
use entity::{delivery, invitation, organization};
use sea_orm::prelude::Expr;
use sea_orm::sea_query::{CaseStatement, Query};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, Set};

use super::accept::inviter_name;
use super::{Result, Store, Verdict, convert};
use crate::rng;

/// A delivery that is this worker's until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery, in the state `Sending`.
    pub delivery: Delivery,
    /// Proof of the claim.
    pub attempt: AttemptToken,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// What the mail needs to know.
    pub mail: ClaimedMail,
    /// The sealed secret, if an earlier attempt made it.
    pub sealed: Option<Vec<u8>>,
}

/// What a mail needs to know of its invitation.
#[derive(Debug, Clone)]
pub struct ClaimedMail {
    /// Who invites.
    pub organization_id: OrganizationId,
    /// Their name.
    pub organization_name: String,
    /// The person who invites.
    pub inviter: Option<String>,
    /// Whom.
    pub email: EmailAddress,
    /// For the greeting.
    pub first_name: Option<String>,
    /// For the address line.
    pub last_name: Option<String>,
    /// What the invitee will be.
    pub role: String,
    /// The language.
    pub locale: String,
    /// Until when the invitation can be accepted.
    pub expires_at: Timestamp,
    /// The same for every attempt of this delivery, so that a repeat can be recognized.
    pub message_id: String,
    /// What the mail lets the invitee in with.
    pub credential: CredentialPolicy,
}

/// A secret that a worker made, in the forms that are stored.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// What the mail needs, sealed.
    pub sealed: Vec<u8>,
    /// What the link is recognized by.
    pub token_hash: SecretHash,
    /// What the temporary password is recognized by, if there is one.
    pub password_hash: Option<SecretHash>,
}

impl Store {
    /// Takes a delivery for `lease`; `None` if there is nothing to do: it is sent, taken, not due,
    /// or its invitation is no longer open in this generation.
    pub async fn claim(
        &self,
        id: DeliveryId,
        generation: Generation,
        lease: Duration,
    ) -> Result<Option<Claimed>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let attempt = AttemptToken::new(now, &mut rng());
                let rows = claim(id, generation, attempt, now, lease).exec_with_returning(tx);
                let Some(row) = rows.await?.pop() else { return Ok(Verdict::RollBack(None)) };
                let claimed = describe(tx, now, attempt, &row).await?;
                Ok(Verdict::Commit(Some(claimed)))
            })
        })
        .await
    }

    /// Fixes the secret of a generation: the first writer wins, and everyone gets the winner's.
    /// `None` if the invitation has ended or moved on to another generation.
    pub async fn keep_secret(
        &self,
        id: InvitationId,
        generation: Generation,
        secret: NewSecret,
    ) -> Result<Option<Vec<u8>>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let generation = convert::column(generation);
                let open = || {
                    invitation::Column::Id
                        .eq(id.uuid())
                        .and(invitation::Column::Generation.eq(generation))
                        .and(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
                };
                invitation::Entity::update_many()
                    .set(invitation::ActiveModel {
                        secret_generation: Set(generation),
                        sealed: Set(Some(secret.sealed)),
                        token_hash: Set(Some(secret.token_hash.to_vec())),
                        password_hash: Set(secret.password_hash.map(SecretHash::to_vec)),
                        password_expires_at: Set(None),
                        wrong_passwords: Set(0),
                        updated_at: Set(now),
                        ..Default::default()
                    })
                    .filter(open())
                    .filter(invitation::Column::SecretGeneration.lt(generation))
                    .exec(tx)
                    .await?;
                let row = invitation::Entity::find().filter(open()).one(tx).await?;
                Ok(Verdict::Commit(row.and_then(|row| row.sealed)))
            })
        })
        .await
    }
}

/// The domain's `Claim` event as one statement, so that of many workers exactly one wins.
fn claim(
    id: DeliveryId,
    generation: Generation,
    attempt: AttemptToken,
    now: Timestamp,
    lease: Duration,
) -> sea_orm::UpdateMany<delivery::Entity> {
    let waiting = [DeliveryStatus::Retrying.as_str(), DeliveryStatus::Uncertain.as_str()];
    let due = delivery::Column::Status.is_in(waiting).and(delivery::Column::NextAttemptAt.lte(now));
    let open = Query::select()
        .expr(Expr::val(1))
        .from(invitation::Entity)
        .and_where(
            Expr::col((invitation::Entity, invitation::Column::Id))
                .eq(Expr::col((delivery::Entity, delivery::Column::InvitationId))),
        )
        .and_where(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .and_where(
            Expr::col((invitation::Entity, invitation::Column::Generation))
                .eq(convert::column(generation)),
        )
        .and_where(invitation::Column::ExpiresAt.gt(now))
        .to_owned();
    // A mail that may have arrived is being repeated.
    let repeated = CaseStatement::new()
        .case(
            delivery::Column::Status.eq(DeliveryStatus::Uncertain.as_str()),
            Expr::col(delivery::Column::Repeated).add(1),
        )
        .finally(Expr::col(delivery::Column::Repeated));
    delivery::Entity::update_many()
        .col_expr(delivery::Column::Status, Expr::value(DeliveryStatus::Sending.as_str()))
        .col_expr(delivery::Column::Attempts, Expr::col(delivery::Column::Attempts).add(1))
        .col_expr(delivery::Column::AttemptToken, Expr::value(attempt.uuid()))
        .col_expr(delivery::Column::LeaseUntil, Expr::value(now + lease))
        .col_expr(delivery::Column::NextAttemptAt, Expr::value(None::<Timestamp>))
        .col_expr(delivery::Column::Postponed, Expr::value(false))
        .col_expr(delivery::Column::Repeated, repeated.into())
        .col_expr(delivery::Column::UpdatedAt, Expr::value(now))
        .filter(delivery::Column::Id.eq(id.uuid()))
        .filter(delivery::Column::Generation.eq(convert::column(generation)))
        .filter(delivery::Column::Status.eq(DeliveryStatus::Queued.as_str()).or(due))
        .filter(Expr::exists(open))
}

async fn describe(
    tx: &DatabaseTransaction,
    now: Timestamp,
    attempt: AttemptToken,
    row: &delivery::Model,
) -> Result<Claimed> {
    let missing = convert::inconsistent("delivery", "invitation_id");
    let invitation =
        invitation::Entity::find_by_id(row.invitation_id).one(tx).await?.ok_or(missing)?;
    let organization = organization::Entity::find()
        .filter(organization::Column::Id.eq(row.organization_id))
        .one(tx)
        .await?
        .ok_or(convert::inconsistent("delivery", "organization_id"))?;
    let inviter = inviter_name(tx, &invitation).await?;
    // Parsed once more: what comes back from the database is not taken on trust.
    let email = EmailAddress::parse(&invitation.email)
        .map_err(|_| convert::inconsistent("invitation", "email"))?;
    let current = invitation.secret_generation == row.generation;
    Ok(Claimed {
        delivery: convert::delivery(row)?,
        attempt,
        started_at: now,
        mail: ClaimedMail {
            organization_id: OrganizationId::from_uuid(organization.id),
            organization_name: organization.name,
            inviter,
            email,
            first_name: invitation.first_name,
            last_name: invitation.last_name,
            role: invitation.role,
            locale: invitation.locale,
            expires_at: invitation.expires_at,
            message_id: row.message_id.clone(),
            credential: CredentialPolicy::parse(&invitation.credential)
                .ok_or(convert::inconsistent("invitation", "credential"))?,
        },
        sealed: invitation.sealed.filter(|_| current),
    })
}
