//! Recording one invitation: everything of it and the intent to mail it, or nothing.

use std::time::Duration;

use domain::{
    CredentialPolicy, EmailAddress, InvitationId, MembershipRole, Name, OrganizationId, Position,
    Timestamp,
};
use sea_orm::DatabaseTransaction;

use crate::failpoint;

use super::idempotency::{self, Earlier, IdempotencyKey};
use super::invite::{self, Invited, Inviting};
use super::view::InvitationView;
use super::{Actor, NewSecret, Result, Store, StoreError, Verdict};

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
    /// The same in the product's own words.
    pub position: Position,
    /// The language of the mail and the pages.
    pub locale: String,
    /// Kept for the caller, never looked into.
    pub metadata: serde_json::Value,
    /// How long the invitation can be accepted.
    pub expires_in: Duration,
    /// What the mail lets the invitee in with.
    pub credential: CredentialPolicy,
    /// The hash of a password that the inviter has chosen; for a user who has none yet.
    pub password_hash: Option<String>,
    /// A secret made before the invitation, for a caller who must know it.
    pub secret: Option<EarlySecret>,
    /// What to do about a pending invitation to the same address.
    pub on_existing: OnExisting,
}

/// A secret that was made and sealed for an invitation that does not exist yet.
#[derive(Debug, Clone)]
pub struct EarlySecret {
    /// The id that the invitation gets: the secret is sealed for it.
    pub invitation: InvitationId,
    /// The secret of its first generation.
    pub secret: NewSecret,
}

/// What to do when the address has a pending invitation already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Refuse.
    Error,
    /// Answer with the pending one.
    Ignore,
    /// Answer with the pending one, and send its mail again if the last one is settled and at least
    /// this old.
    Resend(Duration),
}

/// How a request to create ended.
#[derive(Debug)]
pub enum CreateOutcome {
    /// The invitation is recorded and its mail will be sent.
    Created(Box<InvitationView>),
    /// The address has an open invitation, which is the answer.
    Pending {
        /// How it stands.
        invitation: Box<InvitationView>,
        /// Whether its mail is sent again.
        resent: bool,
    },
    /// The same request was answered before, with this JSON body.
    Replayed(String),
    /// The idempotency key belongs to a different request.
    KeyReused,
    /// The address has this open invitation to the organization.
    AlreadyPending(InvitationId),
    /// The address belongs to an active member.
    AlreadyMember,
}

/// A rival for the same address is seen once it has committed; there cannot be many.
const TRIES: usize = 3;

impl Store {
    /// Records an invitation and the intent to mail it, in one transaction.
    pub async fn create_invitation(
        &self,
        organization: OrganizationId,
        actor: Actor,
        new: NewInvitation,
        key: Option<IdempotencyKey>,
    ) -> Result<CreateOutcome> {
        let inviting = Inviting { organization, actor, policy: self.policy.clone() };
        for _ in 0..TRIES {
            let (inviting, new, key) = (inviting.clone(), new.clone(), key.clone());
            let outcome = self
                .write(move |tx, now| {
                    Box::pin(async move { create(tx, now, &inviting, &new, key.as_ref()).await })
                })
                .await?;
            failpoint::reach("create.after_commit").await;
            let Some(outcome) = outcome else { continue };
            if matches!(
                outcome,
                CreateOutcome::Created(_) | CreateOutcome::Pending { resent: true, .. }
            ) {
                self.outbox_wake.notify_one();
            }
            return Ok(outcome);
        }
        Err(StoreError::Busy)
    }
}

/// `None` if another request for the same address was faster: then it is there to be seen.
async fn create(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    new: &NewInvitation,
    key: Option<&IdempotencyKey>,
) -> Result<Verdict<Option<CreateOutcome>>> {
    if let Some(key) = key
        && let Some(earlier) = idempotency::claim(tx, now, inviting.organization, key).await?
    {
        return Ok(Verdict::RollBack(Some(earlier.into())));
    }
    let outcome = match invite::invite(tx, now, inviting, new).await? {
        Invited::New(invitation) => CreateOutcome::Created(invitation),
        Invited::Pending { invitation, resent } => CreateOutcome::Pending { invitation, resent },
        Invited::Refused(id) => {
            return Ok(Verdict::RollBack(Some(CreateOutcome::AlreadyPending(id))));
        }
        Invited::Member => return Ok(Verdict::RollBack(Some(CreateOutcome::AlreadyMember))),
        Invited::Overtaken => return Ok(Verdict::RollBack(None)),
    };
    if let (
        Some(key),
        CreateOutcome::Created(view) | CreateOutcome::Pending { invitation: view, .. },
    ) = (key, &outcome)
    {
        idempotency::keep_answer(tx, inviting.organization, key, view).await?;
    }
    failpoint::reach("create.before_commit").await;
    Ok(Verdict::Commit(Some(outcome)))
}

impl From<Earlier> for CreateOutcome {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Answer(body) => Self::Replayed(body),
            Earlier::OtherRequest => Self::KeyReused,
        }
    }
}
